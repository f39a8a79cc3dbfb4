//! Octets of a pcap file → packets (draft-ietf-opsawg-pcap), with the older and the "modified" variants.
//!
//! Pure: state and octets in, one step out. Record headers that look odd are believed only when the octets behind them
//! go on sensibly, so that one broken length does not swallow the packets after it.
//!
//! | record | believed when |
//! |---|---|
//! | captured = original length (or captured = snap length), at most [`BELIEVED_PACKET`], fraction below a second | always |
//! | anything else up to [`MAX_PACKET`] | the next header is likely, or no record can be found inside its data |
//! | all zeros, or longer than [`MAX_PACKET`] | never |

use super::damage::Expected;
use super::format::{Beginning, ByteOrder, Format, PCAP_HEADER_LENGTH, glued};
use super::walk::{BELIEVED_PACKET, Chain, HEADERS_IN_A_ROW, MAX_PACKET, Oddity, Record, Resync, Step, search};
use crate::frame::LinkType;
use crate::time::Timestamp;

/// How far apart, in seconds, neighbouring packets may be for the search behind damage: a year.
pub const BELIEVED_PAUSE: u32 = 366 * 86_400;

/// Octets behind a record that settle every search inside it.
const SEARCH_BEHIND: usize = HEADERS_IN_A_ROW * (BELIEVED_PACKET as usize + PCAP_HEADER_LENGTH);

/// Which length a record header gives first (it changed in version 2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lengths {
    CapturedFirst,
    OriginalFirst,
    SmallerIsCaptured,
}

/// Walks the records of a pcap file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PcapWalker {
    order: ByteOrder,
    nanoseconds: bool,
    modified: bool,
    lengths: Lengths,
    snap_length: u32,
    link_type: LinkType,
    frame_check_octets: Option<u8>,
    interface: usize,
    last_seconds: Option<u32>,
}

#[derive(Clone, Copy)]
struct Header {
    seconds: u32,
    fraction: u32,
    captured: u32,
    original: u32,
}

impl PcapWalker {
    /// Reads the file header; `interface` is the number its packets are given. `None` where no pcap header stands.
    #[must_use]
    pub fn from_header(bytes: &[u8], interface: usize) -> Option<Self> {
        let Beginning::Capture(Format::Pcap {
            order,
            nanoseconds,
            modified,
        }) = super::format::beginning(bytes)
        else {
            return None;
        };
        let (major, minor) = (order.u16(bytes, 4)?, order.u16(bytes, 6)?);
        let link = order.u32(bytes, 20)?;
        Some(Self {
            order,
            nanoseconds,
            modified,
            lengths: match (major, minor) {
                (2, 0..=2) => Lengths::OriginalFirst,
                (2, 3) | (543, _) => Lengths::SmallerIsCaptured,
                _ => Lengths::CapturedFirst,
            },
            snap_length: order.u32(bytes, 16)?,
            link_type: LinkType((link & 0xffff) as u16),
            frame_check_octets: (link & 0x0400_0000 != 0).then_some(((link >> 28) * 2) as u8),
            interface,
            last_seconds: None,
        })
    }

    /// The length of the file header, in octets.
    #[must_use]
    pub const fn header_length(&self) -> usize {
        PCAP_HEADER_LENGTH
    }

    /// The link type of every packet, FCS bits removed.
    #[must_use]
    pub const fn link_type(&self) -> LinkType {
        self.link_type
    }

    /// The snap length the header claims, in octets; 0 is written by some tools for "no limit".
    #[must_use]
    pub const fn snap_length(&self) -> u32 {
        self.snap_length
    }

    /// How many octets of frame check sequence each packet ends with, where the header says.
    #[must_use]
    pub const fn frame_check_octets(&self) -> Option<u8> {
        self.frame_check_octets
    }

    /// Whether times count nanoseconds.
    #[must_use]
    pub const fn nanoseconds(&self) -> bool {
        self.nanoseconds
    }

    /// The number given to the packets' interface.
    #[must_use]
    pub const fn interface(&self) -> usize {
        self.interface
    }

    /// What stands at the first octet of `bytes`; `at_end` says that no octet follows them.
    pub fn step(&mut self, bytes: &[u8], at_end: bool) -> Step {
        let Some(header) = self.header(bytes) else {
            return Step::NeedMore(self.record_header());
        };
        if self.is_usual(header) {
            return self.packet(bytes, header);
        }
        self.careful(bytes, header, at_end)
    }

    /// The packet at the first octet, where all of it is there and nothing about it is odd: what [`step`](Self::step) would
    /// say, for nearly every record of a file.
    #[inline]
    pub fn usual(&mut self, bytes: &[u8]) -> Option<Record> {
        let header = self.header(bytes)?;
        let length = self.record_header().saturating_add(header.captured as usize);
        if !self.is_usual(header) || bytes.len() < length {
            return None;
        }
        Some(self.record(header, length))
    }

    /// Believed without a look at what follows.
    #[inline]
    const fn is_usual(&self, header: Header) -> bool {
        let whole = header.captured == header.original
            || (header.captured < header.original && header.captured == self.snap_length);
        whole && header.captured != 0 && header.captured <= BELIEVED_PACKET && header.fraction < self.second()
    }

    /// Searches `from..until` for the next record that can be believed: [`HEADERS_IN_A_ROW`] plausible headers, or
    /// fewer that end exactly with the file. A glued capture header counts as well.
    #[must_use]
    pub fn resync(&self, bytes: &[u8], from: usize, until: usize, at_end: bool) -> Resync {
        search(bytes, from, until, at_end, |candidate| self.chain(candidate, at_end))
    }

    const fn record_header(&self) -> usize {
        if self.modified { 24 } else { 16 }
    }

    const fn second(&self) -> u32 {
        if self.nanoseconds { 1_000_000_000 } else { 1_000_000 }
    }

    #[inline]
    fn header(&self, bytes: &[u8]) -> Option<Header> {
        let octets = bytes.get(..self.record_header())?.first_chunk::<16>()?;
        let number = |at: usize| {
            let four = [octets[at], octets[at + 1], octets[at + 2], octets[at + 3]];
            self.order.number(four)
        };
        let (seconds, fraction, first, second) = (number(0), number(4), number(8), number(12));
        let (captured, original) = match self.lengths {
            Lengths::CapturedFirst => (first, second),
            Lengths::OriginalFirst => (second, first),
            Lengths::SmallerIsCaptured => (first.min(second), first.max(second)),
        };
        Some(Header {
            seconds,
            fraction,
            captured,
            original,
        })
    }

    fn packet(&mut self, bytes: &[u8], header: Header) -> Step {
        let start = self.record_header();
        let length = start.saturating_add(header.captured as usize);
        if bytes.len() < length {
            return Step::NeedMore(length);
        }
        Step::Packet(self.record(header, length))
    }

    /// The record of `length` octets, header and packet.
    #[inline]
    fn record(&mut self, header: Header, length: usize) -> Record {
        self.last_seconds = Some(header.seconds);
        let scale = if self.nanoseconds { 1 } else { 1_000 };
        Record {
            length,
            packet: self.record_header()..length,
            options: 0..0,
            time: Timestamp::from_parts(i64::from(header.seconds), i64::from(header.fraction) * scale),
            link_type: self.link_type,
            original_length: header.original.max(header.captured),
            interface: Some(self.interface),
            oddity: Oddity {
                long_fraction: header.fraction >= self.second(),
                ..Oddity::default()
            },
        }
    }

    fn careful(&mut self, bytes: &[u8], header: Header, at_end: bool) -> Step {
        match glued(bytes) {
            Beginning::Capture(format) => return Step::Header(format),
            Beginning::Perhaps(total) if !at_end => return Step::NeedMore(total),
            Beginning::Perhaps(_) | Beginning::No => {}
        }
        let zeros = header.seconds == 0 && header.fraction == 0 && header.original == 0;
        if header.captured > MAX_PACKET || (header.captured == 0 && zeros) {
            return Step::Damaged(Expected::PcapRecord);
        }
        let length = self.record_header().saturating_add(header.captured as usize);
        let wanted = length.saturating_add(PCAP_HEADER_LENGTH);
        if !at_end && bytes.len() < wanted {
            return Step::NeedMore(wanted);
        }
        let next = bytes.get(length..).unwrap_or_default();
        if self.likely(next) || bytes.len() <= length {
            return self.packet(bytes, header);
        }
        if header.captured < header.original && header.original <= BELIEVED_PACKET {
            // A captured length that is too small: the next record stands where the original length says.
            let real = self.record_header().saturating_add(header.original as usize);
            if !at_end && bytes.len() < real.saturating_add(PCAP_HEADER_LENGTH) {
                return Step::NeedMore(real.saturating_add(PCAP_HEADER_LENGTH));
            }
            let behind = self.header(bytes.get(real..).unwrap_or_default());
            if behind.is_some_and(|next| self.plausible(next, Some(header.seconds))) {
                return Step::Damaged(Expected::PcapRecord);
            }
        }
        let odd = header.captured > BELIEVED_PACKET || header.fraction >= self.second();
        match self.resync(bytes, 1, length, at_end) {
            Resync::At(_) => Step::Damaged(Expected::PcapRecord),
            // Asked for at once: a growing answer would search the same octets again and again.
            Resync::NeedMore { .. } => Step::NeedMore(length.saturating_add(SEARCH_BEHIND)),
            Resync::Nothing if odd => Step::Damaged(Expected::PcapRecord),
            Resync::Nothing => self.packet(bytes, header),
        }
    }

    /// Whether what follows a record may be the next one; lenient, for files whose writers were.
    fn likely(&self, bytes: &[u8]) -> bool {
        if !matches!(glued(bytes), Beginning::No) {
            return true;
        }
        self.header(bytes).is_some_and(|header| {
            let zeros = header.seconds == 0 && header.original == 0;
            header.captured <= BELIEVED_PACKET && header.original <= MAX_PACKET && !zeros
        })
    }

    fn plausible(&self, header: Header, before: Option<u32>) -> bool {
        header.captured > 0
            && header.captured <= BELIEVED_PACKET
            && header.captured <= header.original
            && header.original <= MAX_PACKET
            && header.fraction < self.second()
            && before.is_none_or(|seconds| seconds.abs_diff(header.seconds) <= BELIEVED_PAUSE)
    }

    fn chain(&self, bytes: &[u8], at_end: bool) -> Chain {
        match glued(bytes) {
            Beginning::Capture(_) => return Chain::Yes,
            Beginning::Perhaps(total) if !at_end => return Chain::NeedMore(total),
            Beginning::Perhaps(_) | Beginning::No => {}
        }
        let (mut at, mut before) = (0_usize, self.last_seconds);
        for count in 0..HEADERS_IN_A_ROW {
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.is_empty() && at_end {
                return if count > 0 { Chain::Yes } else { Chain::No };
            }
            let Some(header) = self.header(rest) else {
                // A header cut by the end of the file confirms only a chain that is already more than chance.
                return match (at_end, count) {
                    (false, _) => Chain::NeedMore(at.saturating_add(self.record_header())),
                    (true, 2..) => Chain::Yes,
                    (true, _) => Chain::No,
                };
            };
            if !self.plausible(header, before) {
                let glued_next = count > 0 && matches!(glued(rest), Beginning::Capture(_));
                return if glued_next { Chain::Yes } else { Chain::No };
            }
            before = Some(header.seconds);
            at = at
                .saturating_add(self.record_header())
                .saturating_add(header.captured as usize);
            if at > bytes.len() && at_end {
                return if count >= 2 { Chain::Yes } else { Chain::No };
            }
        }
        Chain::Yes
    }
}
