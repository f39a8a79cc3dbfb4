//! Octets → the next block; packets are cut out, interfaces are remembered, sections change the byte order.

use std::ops::Range;

use super::block::{BlockKind, Content, decode};
use super::clock::Clock;
use crate::capture::damage::Expected;
use crate::capture::format::{Beginning, ByteOrder, SECTION_HEADER_LENGTH, glued, section_order};
use crate::capture::walk::{BELIEVED_BLOCK, Chain, MAX_PACKET, Oddity, Record, Resync, Step, search};
use crate::frame::LinkType;
use crate::time::Timestamp;

/// Interfaces remembered a section; packets of any further one are treated as on an undeclared interface.
pub const MAX_INTERFACES: usize = 65_536;

/// Type, length and length again.
const SMALLEST_BLOCK: u32 = 12;
/// A packet block up to its captured length: what the search behind damage wants to see.
const PACKET_FIELDS: usize = 24;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Interface {
    link_type: LinkType,
    snap_length: u32,
    clock: Clock,
}

/// Walks the blocks of a pcapng file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PcapngWalker {
    order: ByteOrder,
    interfaces: Vec<Interface>,
    declared_before: usize,
    declared_here: usize,
    last_time: Timestamp,
}

struct Borders {
    length: usize,
    fault: Option<Expected>,
}

impl PcapngWalker {
    /// A walker in front of a section header; `interface` is the number of the first interface it will meet.
    #[must_use]
    pub const fn new(order: ByteOrder, interface: usize) -> Self {
        Self {
            order,
            interfaces: Vec::new(),
            declared_before: interface,
            declared_here: 0,
            last_time: Timestamp::from_nanoseconds(0),
        }
    }

    /// The byte order of the current section.
    #[must_use]
    pub const fn order(&self) -> ByteOrder {
        self.order
    }

    /// How many interfaces were declared in all sections so far, those counted before this walker included.
    #[must_use]
    pub const fn interfaces_declared(&self) -> usize {
        self.declared_before.saturating_add(self.declared_here)
    }

    /// An interface's number over all sections, by its number in the current one.
    #[must_use]
    pub fn interface(&self, in_section: u32) -> Option<usize> {
        let in_section = usize::try_from(in_section).ok()?;
        (in_section < self.declared_here).then(|| self.declared_before.saturating_add(in_section))
    }

    /// What stands at the first octet of `bytes`; `at_end` says that no octet follows them.
    pub fn step(&mut self, bytes: &[u8], at_end: bool) -> Step {
        if bytes.len() < SMALLEST_BLOCK as usize {
            return Step::NeedMore(SMALLEST_BLOCK as usize);
        }
        let section = section_order(bytes);
        let order = section.unwrap_or(self.order);
        let kind = order.u32(bytes, 0).map_or(BlockKind::Other(0), BlockKind::from_type);
        let claimed = order.u32(bytes, 4).unwrap_or(0);
        let smallest = if kind == BlockKind::SectionHeader {
            SECTION_HEADER_LENGTH as u32
        } else {
            SMALLEST_BLOCK
        };
        let orderless = kind == BlockKind::SectionHeader && section.is_none();
        if orderless || claimed < smallest || claimed > MAX_PACKET {
            return self.not_a_block(bytes, at_end);
        }
        match self.borders(bytes, claimed, order, at_end) {
            Ok(borders) => self.block(bytes, kind, order, &borders),
            Err(step) => step,
        }
    }

    /// The packet at the first octet, where all of it is there, it is an enhanced packet block without options, and nothing
    /// about it is odd: what [`step`](Self::step) would say, for nearly every block of a file.
    #[inline]
    pub fn usual(&mut self, bytes: &[u8]) -> Option<Record> {
        let claimed = self.order.u32(bytes, 4)?;
        let kind = BlockKind::from_type(self.order.u32(bytes, 0)?);
        if kind != BlockKind::EnhancedPacket || claimed > MAX_PACKET || claimed % 4 != 0 {
            return None;
        }
        let length = claimed as usize;
        let end = length.checked_sub(4)?;
        let body = bytes.get(8..end)?;
        if self.order.u32(bytes.get(..length)?, end) != Some(claimed) {
            return None;
        }
        let record = self.enhanced(body).ok()?;
        if record.oddity != Oddity::default() || !record.options.is_empty() {
            return None;
        }
        self.last_time = record.time;
        Some(in_block(record, length))
    }

    /// Searches `from..until` for the next block that can be believed: a registered type, a length repeated at its end,
    /// and behind it the end of the file or another believable block.
    #[must_use]
    pub fn resync(&self, bytes: &[u8], from: usize, until: usize, at_end: bool) -> Resync {
        search(bytes, from, until, at_end, |candidate| self.chain(candidate, at_end))
    }

    /// Takes up walking at an offset that [`Self::resync`] found. Where only the other byte order makes sense of it, a
    /// section header was lost: the interfaces known so far are not those of this section.
    pub fn resume(&mut self, bytes: &[u8]) {
        let other = match self.order {
            ByteOrder::Little => ByteOrder::Big,
            ByteOrder::Big => ByteOrder::Little,
        };
        if self.header_believed(bytes, self.order).is_none() && self.header_believed(bytes, other).is_some() {
            self.enter_section(section_order(bytes).map_or(other, |_| self.order));
        }
    }

    fn enter_section(&mut self, order: ByteOrder) {
        self.order = order;
        self.declared_before = self.interfaces_declared();
        self.declared_here = 0;
        self.interfaces.clear();
    }

    fn not_a_block(&self, bytes: &[u8], at_end: bool) -> Step {
        match glued(bytes) {
            Beginning::Capture(format) => Step::Header(format),
            Beginning::Perhaps(total) if !at_end => Step::NeedMore(total),
            Beginning::Perhaps(_) | Beginning::No => Step::Damaged(Expected::PcapngBlock),
        }
    }

    /// Where the block ends, by the length at its beginning and at its end. Some writers do not count the padding.
    fn borders(&self, bytes: &[u8], claimed: u32, order: ByteOrder, at_end: bool) -> Result<Borders, Step> {
        let length = claimed as usize;
        let padded = length.next_multiple_of(4);
        if bytes.len() < padded && !(at_end && bytes.len() >= length) {
            return Err(Step::NeedMore(padded));
        }
        for end in [padded, length] {
            if order.u32(bytes.get(..end).unwrap_or_default(), end - 4) == Some(claimed) {
                return Ok(Borders {
                    length: end,
                    fault: None,
                });
            }
        }
        let rest = bytes.get(padded..).unwrap_or_default();
        if rest.len() < PACKET_FIELDS && !at_end {
            return Err(Step::NeedMore(padded + PACKET_FIELDS));
        }
        if (rest.is_empty() && at_end && padded == length) || self.header_believed(rest, order).is_some() {
            return Ok(Borders {
                length: padded.min(bytes.len()),
                fault: Some(Expected::BlockTrailer),
            });
        }
        Err(Step::Damaged(Expected::BlockTrailer))
    }

    fn block(&mut self, bytes: &[u8], kind: BlockKind, order: ByteOrder, borders: &Borders) -> Step {
        let body = 8..borders.length.saturating_sub(4);
        let octets = bytes.get(body.clone()).unwrap_or_default();
        let found = match kind {
            BlockKind::EnhancedPacket => self.enhanced(octets),
            BlockKind::ObsoletePacket => self.obsolete(octets),
            BlockKind::SimplePacket => self.simple(octets),
            _ => {
                let fault = self.remember(kind, octets, order).err().or(borders.fault);
                return Step::Block {
                    length: borders.length,
                    kind,
                    body,
                    fault,
                };
            }
        };
        match found {
            Ok(record) => {
                let mut record = in_block(record, borders.length);
                record.oddity.fault = record.oddity.fault.or(borders.fault);
                self.last_time = record.time;
                Step::Packet(record)
            }
            Err(expected) => Step::Unusable {
                length: borders.length,
                expected,
            },
        }
    }

    fn remember(&mut self, kind: BlockKind, body: &[u8], order: ByteOrder) -> Result<(), Expected> {
        match decode(kind, body, order) {
            Some(Content::SectionHeader { .. }) => {
                self.enter_section(order);
            }
            Some(Content::Interface {
                link_type,
                snap_length,
                clock,
                ..
            }) => {
                self.declared_here = self.declared_here.saturating_add(1);
                if self.interfaces.len() < MAX_INTERFACES {
                    self.interfaces.push(Interface {
                        link_type,
                        snap_length,
                        clock,
                    });
                }
            }
            Some(_) => {}
            None => return Err(Expected::BlockFields),
        }
        Ok(())
    }

    fn enhanced(&self, body: &[u8]) -> Result<Record, Expected> {
        let field = |at| self.order.u32(body, at).ok_or(Expected::BlockFields);
        let units = self.order.halves(body, 4).ok_or(Expected::BlockFields)?;
        self.timed(body, field(0)?, units, field(12)?, field(16)?)
    }

    fn obsolete(&self, body: &[u8]) -> Result<Record, Expected> {
        let interface = self.order.u16(body, 0).ok_or(Expected::BlockFields)?;
        let field = |at| self.order.u32(body, at).ok_or(Expected::BlockFields);
        let units = self.order.halves(body, 4).ok_or(Expected::BlockFields)?;
        self.timed(body, u32::from(interface), units, field(12)?, field(16)?)
    }

    fn timed(&self, body: &[u8], interface: u32, units: u64, captured: u32, original: u32) -> Result<Record, Expected> {
        const DATA: usize = 20;
        let room = body.len().saturating_sub(DATA);
        let claimed = captured as usize;
        let length = claimed.min(room);
        let (known, assumed_interface) = self.known_or_assumed(interface, body.get(DATA..).unwrap_or_default())?;
        let (time, clamped_time) = known.clock.time(units);
        let options = (DATA + length.next_multiple_of(4)).min(body.len());
        Ok(Record {
            length: 0,
            packet: DATA..DATA + length,
            options: options..body.len(),
            time,
            link_type: known.link_type,
            original_length: original.max(length as u32),
            interface: self.interface(interface),
            oddity: Oddity {
                clamped_time,
                assumed_interface,
                fault: (claimed > room).then_some(Expected::CapturedLength),
                ..Oddity::default()
            },
        })
    }

    fn simple(&self, body: &[u8]) -> Result<Record, Expected> {
        const DATA: usize = 4;
        let original = self.order.u32(body, 0).ok_or(Expected::BlockFields)?;
        let (known, assumed_interface) = self.known_or_assumed(0, body.get(DATA..).unwrap_or_default())?;
        let snapped = if known.snap_length == 0 {
            original
        } else {
            original.min(known.snap_length)
        };
        let room = body.len().saturating_sub(DATA);
        let length = room.min(snapped as usize);
        Ok(Record {
            length: 0,
            packet: DATA..DATA + length,
            options: 0..0,
            time: self.last_time,
            link_type: known.link_type,
            original_length: original.max(length as u32),
            interface: self.interface(0),
            oddity: Oddity {
                no_time: true,
                assumed_interface,
                ..Oddity::default()
            },
        })
    }

    /// The interface; where its section does not declare it, what all interfaces of the section agree on; where there
    /// is none, Ethernet if the octets look like it. An interface block lost to damage must not cost the session.
    fn known_or_assumed(&self, interface: u32, packet: &[u8]) -> Result<(Interface, bool), Expected> {
        if let Some(known) = usize::try_from(interface).ok().and_then(|at| self.interfaces.get(at)) {
            return Ok((*known, false));
        }
        let agreed = match self.interfaces.split_first() {
            Some((first, others)) => others
                .iter()
                .take(64)
                .all(|other| other.link_type == first.link_type && other.clock == first.clock)
                .then_some(*first),
            None => looks_like_ethernet(packet).then_some(Interface {
                link_type: LinkType::ETHERNET,
                snap_length: 0,
                clock: Clock::default(),
            }),
        };
        agreed.map(|known| (known, true)).ok_or(Expected::DeclaredInterface)
    }

    /// The length of a block whose type, length and captured length can be believed, and its byte order; nothing behind
    /// its fixed fields is looked at.
    fn header_believed(&self, bytes: &[u8], order: ByteOrder) -> Option<(usize, ByteOrder)> {
        let section = section_order(bytes);
        let order = section.unwrap_or(order);
        let kind = BlockKind::from_type(order.u32(bytes, 0)?);
        let length = order.u32(bytes, 4)?;
        let fields = match kind {
            BlockKind::SectionHeader => section.is_some() && length >= 28,
            // Octets of one byte order, shifted by three, look like blocks of the other; their fields do not.
            BlockKind::EnhancedPacket | BlockKind::ObsoletePacket => {
                let interface = match kind {
                    BlockKind::EnhancedPacket => order.u32(bytes, 8),
                    _ => order.u16(bytes, 8).map(u32::from),
                };
                let captured = order.u32(bytes, 20);
                interface.is_none_or(|interface| interface < MAX_INTERFACES as u32)
                    && captured.is_none_or(|captured| captured.saturating_add(32) <= length)
            }
            _ => kind.is_registered(),
        };
        let believed = fields && length >= SMALLEST_BLOCK && length % 4 == 0 && length <= BELIEVED_BLOCK;
        believed.then_some((length as usize, order))
    }

    fn chain(&self, bytes: &[u8], at_end: bool) -> Chain {
        match self.chain_in(bytes, at_end, self.order) {
            Chain::No => {}
            answer => return answer,
        }
        let other = match self.order {
            ByteOrder::Little => ByteOrder::Big,
            ByteOrder::Big => ByteOrder::Little,
        };
        self.chain_in(bytes, at_end, other)
    }

    fn chain_in(&self, bytes: &[u8], at_end: bool, order: ByteOrder) -> Chain {
        if bytes.len() < PACKET_FIELDS && !at_end {
            return Chain::NeedMore(PACKET_FIELDS);
        }
        let Some((length, order)) = self.header_believed(bytes, order) else {
            return match glued(bytes) {
                Beginning::Capture(_) => Chain::Yes,
                Beginning::Perhaps(total) if !at_end => Chain::NeedMore(total),
                Beginning::Perhaps(_) | Beginning::No => Chain::No,
            };
        };
        let Some(trailer) = order.u32(bytes, length - 4) else {
            return if at_end { Chain::No } else { Chain::NeedMore(length) };
        };
        if trailer as usize != length {
            return Chain::No;
        }
        let rest = bytes.get(length..).unwrap_or_default();
        if rest.len() < PACKET_FIELDS && !at_end {
            return Chain::NeedMore(length + PACKET_FIELDS);
        }
        let next = rest.len() < SMALLEST_BLOCK as usize
            || self.header_believed(rest, order).is_some()
            || !matches!(glued(rest), Beginning::No);
        if next { Chain::Yes } else { Chain::No }
    }
}

/// A record read off a block's body, with places counted from the beginning of the block.
#[inline]
fn in_block(record: Record, length: usize) -> Record {
    let behind_header = |place: Range<usize>| place.start + 8..place.end + 8;
    Record {
        length,
        packet: behind_header(record.packet),
        options: behind_header(record.options),
        ..record
    }
}

fn looks_like_ethernet(packet: &[u8]) -> bool {
    let kind: Range<usize> = 12..14;
    matches!(
        packet.get(kind),
        Some([0x08, 0x00] | [0x86, 0xdd] | [0x81, 0x00] | [0x88, 0xa8] | [0x08, 0x06])
    )
}
