//! Octets of a pcapng file → packets and blocks (draft-ietf-opsawg-pcapng).
//!
//! [`PcapngWalker`] is pure: state (byte order and interfaces of the current section) and octets in, one step out.
//! [`decode`] reads the blocks that carry no packet. Neither allocates by a claimed length.

mod block;
mod clock;
mod walker;

pub use block::{BlockKind, Content, NameEntries, OptionCode, Options, decode};
pub use clock::{Clock, Resolution};
pub use walker::{MAX_INTERFACES, PcapngWalker};
