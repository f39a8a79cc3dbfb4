//! Packets, interfaces and counters → pcapng blocks (draft-ietf-opsawg-pcapng), as octets ready to be written.
//!
//! In: what the caller knows. Out: whole blocks, appended to one buffer, so that a file or a pipe never gets half of
//! one by design. Little-endian, nanoseconds, 32-bit aligned. No input or output, no clock, no dependency: this is the
//! only code that the privileged capture program (`smtpcap-capture`) and the analyzer share, so it is kept this small.
//!
//! ```
//! use smtpcap_pcapng::{Blocks, Interface, Packet, Section};
//!
//! let mut blocks = Blocks::default();
//! blocks.section(&Section { application: Some("smtpcap"), ..Section::default() });
//! let interface = blocks.interface(&Interface { link_type: 1, snap_length: 262_144, ..Interface::default() });
//! blocks.packet(&Packet {
//!     interface,
//!     nanoseconds: 1_700_000_000_000_000_000,
//!     bytes: b"frame",
//!     original_length: 5,
//!     comment: None,
//! });
//! assert_eq!(blocks.octets().len() % 4, 0);
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

#[cfg(test)]
mod tests;

/// The longest text option that is written, in octets; longer ones are cut at a character's border.
pub const MAX_TEXT: usize = 32_768;

/// The nanosecond unit as the if_tsresol octet says it: 10^-9.
const NANOSECONDS: u8 = 9;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

const END: u16 = 0;
const COMMENT: u16 = 1;

/// A section of a capture file (section header block): begins every file, and may begin again in the middle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Section<'a> {
    /// shb_os: the system the capture was made on.
    pub system: Option<&'a str>,
    /// shb_userappl: the program that made it.
    pub application: Option<&'a str>,
    /// opt_comment: about the whole file.
    pub comment: Option<&'a str>,
}

/// An interface packets came from (interface description block). Its clock counts nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interface<'a> {
    /// The link-layer header its packets begin with (LINKTYPE_ value).
    pub link_type: u16,
    /// Octets captured of a packet at most; 0 for no limit.
    pub snap_length: u32,
    /// if_name: eth0.
    pub name: Option<&'a str>,
    /// if_description.
    pub description: Option<&'a str>,
    /// if_filter: the filter that chose the packets, in libpcap's language.
    pub filter: Option<&'a str>,
}

/// A packet (enhanced packet block).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its interface, as [`Blocks::interface`] numbered it in this section.
    pub interface: u32,
    /// When it was captured, in nanoseconds since 1970.
    pub nanoseconds: u64,
    /// The octets captured.
    pub bytes: &'a [u8],
    /// Its length on the wire, in octets.
    pub original_length: u32,
    /// opt_comment: what somebody says about it; shown by Wireshark.
    pub comment: Option<&'a str>,
}

/// The counters of an interface since the capture began (interface statistics block); `None` where not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// The interface, as [`Blocks::interface`] numbered it.
    pub interface: u32,
    /// When the counters were read, in nanoseconds since 1970.
    pub nanoseconds: u64,
    /// isb_starttime: when the capture began.
    pub began: Option<u64>,
    /// isb_endtime: when it ended; only in the last block of an interface.
    pub ended: Option<u64>,
    /// isb_ifrecv: packets that reached the interface.
    pub received: Option<u64>,
    /// isb_ifdrop: packets the interface or its driver dropped.
    pub dropped: Option<u64>,
    /// isb_osdrop: packets the kernel dropped for lack of room.
    pub dropped_by_system: Option<u64>,
    /// isb_usrdeliv: packets written to this stream.
    pub delivered: Option<u64>,
}

/// A buffer of whole blocks, and the count of interfaces of its section.
///
/// `section`, then `interface`s, then `packet`s and `statistics`; whenever it suits, write [`Blocks::octets`] and
/// [`Blocks::clear`]. The numbers of the interfaces stay valid until the next `section`.
#[derive(Clone, Debug, Default)]
pub struct Blocks {
    octets: Vec<u8>,
    interfaces: u32,
}

impl Blocks {
    /// The blocks not yet cleared.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// Forgets the blocks (they were written); the section goes on.
    pub fn clear(&mut self) {
        self.octets.clear();
    }

    /// Begins a section; interfaces are counted from 0 again.
    pub fn section(&mut self, section: &Section<'_>) {
        self.interfaces = 0;
        let block = self.begin(SECTION_HEADER);
        self.u32(BYTE_ORDER_MAGIC);
        self.u16(1);
        self.u16(0);
        // The length of the section is not known: it is still being written.
        self.u64(u64::MAX);
        let options = self.octets.len();
        self.text(COMMENT, section.comment);
        self.text(3, section.system);
        self.text(4, section.application);
        self.end_options(options);
        self.finish(block);
    }

    /// Declares an interface; its number in the section.
    pub fn interface(&mut self, interface: &Interface<'_>) -> u32 {
        let block = self.begin(INTERFACE_DESCRIPTION);
        self.u16(interface.link_type);
        self.u16(0);
        self.u32(interface.snap_length);
        let options = self.octets.len();
        self.text(2, interface.name);
        self.text(3, interface.description);
        self.option(9, &[&[NANOSECONDS]]);
        if let Some(filter) = interface.filter {
            // The first octet says that libpcap's text follows.
            self.option(11, &[&[0], cut(filter).as_bytes()]);
        }
        self.end_options(options);
        self.finish(block);
        let number = self.interfaces;
        self.interfaces = self.interfaces.saturating_add(1);
        number
    }

    /// Writes a packet. Octets beyond `u32::MAX` cannot be said and are cut.
    pub fn packet(&mut self, packet: &Packet<'_>) {
        let captured = u32::try_from(packet.bytes.len()).unwrap_or(u32::MAX);
        let bytes = packet.bytes.get(..captured as usize).unwrap_or_default();
        self.octets.reserve(bytes.len().saturating_add(36));
        let block = self.begin(ENHANCED_PACKET);
        self.u32(packet.interface);
        self.time(packet.nanoseconds);
        self.u32(captured);
        self.u32(packet.original_length.max(captured));
        self.octets.extend_from_slice(bytes);
        self.pad();
        let options = self.octets.len();
        self.text(COMMENT, packet.comment);
        self.end_options(options);
        self.finish(block);
    }

    /// Writes the counters of an interface.
    pub fn statistics(&mut self, statistics: &Statistics) {
        let block = self.begin(INTERFACE_STATISTICS);
        self.u32(statistics.interface);
        self.time(statistics.nanoseconds);
        let options = self.octets.len();
        for (code, time) in [(2, statistics.began), (3, statistics.ended)] {
            if let Some(time) = time {
                let (high, low) = halves(time);
                self.option(code, &[&high, &low]);
            }
        }
        let counters = [
            (4, statistics.received),
            (5, statistics.dropped),
            (7, statistics.dropped_by_system),
            (8, statistics.delivered),
        ];
        for (code, counter) in counters {
            if let Some(counter) = counter {
                self.option(code, &[&counter.to_le_bytes()]);
            }
        }
        self.end_options(options);
        self.finish(block);
    }

    /// Writes type and a length to be filled in; where the block begins.
    fn begin(&mut self, kind: u32) -> usize {
        let block = self.octets.len();
        self.u32(kind);
        self.u32(0);
        block
    }

    /// Fills in the length, at both ends.
    fn finish(&mut self, block: usize) {
        let length = self.octets.len().saturating_sub(block).saturating_add(4);
        let length = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
        self.octets.extend_from_slice(&length);
        if let Some(field) = self.octets.get_mut(block + 4..block + 8) {
            field.copy_from_slice(&length);
        }
    }

    fn text(&mut self, code: u16, text: Option<&str>) {
        if let Some(text) = text {
            self.option(code, &[cut(text).as_bytes()]);
        }
    }

    fn option(&mut self, code: u16, parts: &[&[u8]]) {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        self.u16(code);
        self.u16(u16::try_from(length).unwrap_or(u16::MAX));
        for part in parts {
            self.octets.extend_from_slice(part);
        }
        self.pad();
    }

    /// opt_endofopt, where there was an option.
    fn end_options(&mut self, began: usize) {
        if self.octets.len() > began {
            self.u16(END);
            self.u16(0);
        }
    }

    /// A time as the format wants it: the high half first.
    fn time(&mut self, nanoseconds: u64) {
        let (high, low) = halves(nanoseconds);
        self.octets.extend_from_slice(&high);
        self.octets.extend_from_slice(&low);
    }

    fn pad(&mut self) {
        let length = self.octets.len().next_multiple_of(4);
        self.octets.resize(length, 0);
    }

    fn u16(&mut self, value: u16) {
        self.octets.extend_from_slice(&value.to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.octets.extend_from_slice(&value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.octets.extend_from_slice(&value.to_le_bytes());
    }
}

/// The high and the low 32 bits, each little-endian.
fn halves(value: u64) -> ([u8; 4], [u8; 4]) {
    let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
    ([e, f, g, h], [a, b, c, d])
}

/// At most [`MAX_TEXT`] octets of a text.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
