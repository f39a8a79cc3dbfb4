//! What a walker says about the octets in front of it. Shared by the pcap and the pcapng walker.
//!
//! A walker is state plus `&[u8]`: it reads no file and keeps no octets, so the same code walks a growing buffer and a
//! chunk of a large file in a thread of its own.

use std::ops::Range;

use super::damage::Expected;
use super::format::Format;
use super::pcapng::BlockKind;
use crate::frame::LinkType;
use crate::time::Timestamp;

/// The longest packet, and the longest pcapng block, that is believed: 16 MiB. A longer claim is damage.
pub const MAX_PACKET: u32 = 16 * 1024 * 1024;
/// Plausible pcap headers in a row that the search behind damage asks for.
pub const HEADERS_IN_A_ROW: usize = 6;
/// The longest packet the search behind damage believes, in octets: what tshark takes for most link types.
pub const BELIEVED_PACKET: u32 = 262_144;
/// The longest pcapng block the search behind damage believes, in octets.
pub const BELIEVED_BLOCK: u32 = 1024 * 1024;

/// A packet found by a walker; ranges count from the first octet that was handed in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// How many octets the record takes.
    pub length: usize,
    /// The captured octets.
    pub packet: Range<usize>,
    /// The options behind them (pcapng); empty where there are none.
    pub options: Range<usize>,
    /// When it was captured.
    pub time: Timestamp,
    /// The link-layer header it begins with.
    pub link_type: LinkType,
    /// Its length on the wire; at least the captured length.
    pub original_length: u32,
    /// The interface, counted over all sections of the file.
    pub interface: Option<usize>,
    /// What was odd about it.
    pub oddity: Oddity,
}

/// What was odd about a packet that is delivered all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Oddity {
    /// It has no time of its own (simple packet block): it carries the time of the packet before.
    pub no_time: bool,
    /// Its time cannot be said in 64-bit nanoseconds and was clamped.
    pub clamped_time: bool,
    /// Its fraction is a whole second or more.
    pub long_fraction: bool,
    /// It names an interface that its section does not declare; the link type was assumed.
    pub assumed_interface: bool,
    /// A part of its block contradicts another.
    pub fault: Option<Expected>,
}

/// What stands at the first octet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// A packet.
    Packet(Record),
    /// A pcapng block that carries no packet.
    Block {
        /// How many octets it takes.
        length: usize,
        /// What it is.
        kind: BlockKind,
        /// Its body, without type, lengths and padding behind it.
        body: Range<usize>,
        /// A contradiction in it, when there is one.
        fault: Option<Expected>,
    },
    /// A block whose borders are sound but whose content is not: to be noted and passed over.
    Unusable {
        /// How many octets it takes.
        length: usize,
        /// What it should have held.
        expected: Expected,
    },
    /// The header of another capture, glued on.
    Header(Format),
    /// That many octets in all will tell.
    NeedMore(usize),
    /// Nothing that can be believed.
    Damaged(Expected),
}

/// What a search for the next believable record found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resync {
    /// One begins at this offset.
    At(usize),
    /// None begins before `checked`; `total` octets, counted like `checked` from the first, will tell more.
    NeedMore {
        /// Octets that may be forgotten.
        checked: usize,
        /// Octets needed.
        total: usize,
    },
    /// None begins in the range asked for.
    Nothing,
}

/// How sure a candidate is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Chain {
    Yes,
    No,
    NeedMore(usize),
}

/// Searches `from..until` for an offset at which `chain` says yes.
pub(super) fn search(bytes: &[u8], from: usize, until: usize, at_end: bool, chain: impl Fn(&[u8]) -> Chain) -> Resync {
    let until = until.min(bytes.len());
    for at in from..until {
        match chain(bytes.get(at..).unwrap_or_default()) {
            Chain::Yes => return Resync::At(at),
            Chain::No => {}
            Chain::NeedMore(_) if at_end => {}
            Chain::NeedMore(total) => {
                return Resync::NeedMore {
                    checked: at,
                    total: at.saturating_add(total),
                };
            }
        }
    }
    if at_end || until < bytes.len() {
        Resync::Nothing
    } else {
        Resync::NeedMore {
            checked: bytes.len(),
            total: bytes.len().saturating_add(1),
        }
    }
}
