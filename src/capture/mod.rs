//! Capture files → frames, and what is known about the files themselves.
//!
//! In: paths, the standard input, any stream; pcap (micro- and nanoseconds, "modified", either byte order), pcapng
//! (sections, interfaces, resolutions, offsets, every packet block), each plain or under one layer of gzip, zstd or lz4,
//! recognised by content. Out: [`Frame`](crate::frame::Frame)s in time order, one by one ([`Reader::next_frame`]) or many
//! at a time ([`Reader::next_row`]), and [`CaptureFacts`]. Must not decode a frame, and must not lose silently: what is
//! not understood becomes a [`Damage`], what does not fit a limit is counted.
//!
//! ```text
//! octets (file, pipe) → decompress → buffer → walker (pcap, pcapng: pure) → file (damage, resync) → reader (merge)
//!                                                                                ↓ absorb → facts
//! ```
//!
//! [`PcapWalker`] and [`PcapngWalker`] work on slices alone, so a large plain file is cut into chunks and walked in
//! parallel ([`Ahead`]): `resync` finds the first record of a chunk. What it finds is a very good guess, not a proof (a
//! frame can carry a capture file): a chunk is believed where the reader comes to stand at that very record.
//!
//! Not read: snoop, Ixia and other vendors' formats, ERF, pcapng's journal and custom blocks (counted), checksums of zstd.

mod absorb;
mod ahead;
mod buffer;
mod damage;
mod decompress;
mod facts;
mod file;
mod format;
pub mod live;
mod octets;
mod pcap;
mod pcapng;
mod reader;
mod row;
mod tally;
#[cfg(test)]
mod tests;
mod walk;
pub mod write;

pub use ahead::{Ahead, Stretch, Wanted};
pub use buffer::READ_SIZE;
pub use damage::{Cut, Damage, Error, Expected, Place};
pub use decompress::MAX_WINDOW;
pub use facts::{
    AddressName, Bounded, CaptureFacts, Comment, DecryptionSecrets, FileFacts, FrameRange, Interface, MAX_BLOCK_TYPES,
    MAX_COMMENT_OCTETS, MAX_COMMENTS, MAX_DAMAGES, MAX_INTERFACES_DESCRIBED, MAX_NAME, MAX_NAME_OCTETS, MAX_NAMES,
    MAX_RANGES, MAX_SECRET_OCTETS, MAX_SECRETS, MAX_SECTIONS_DESCRIBED, MAX_TEXT, OddFrames, Section, Statistics,
};
pub use format::{
    Beginning, ByteOrder, Compression, FirstOctets, Format, Likeness, Member, PCAP_HEADER_LENGTH, QUOTED_OCTETS,
    SECTION_HEADER_LENGTH, beginning, glued, member,
};
pub use octets::{Input, WINDOW};
pub use pcap::{BELIEVED_PAUSE, PcapWalker};
pub use pcapng::{
    BlockKind, Clock, Content, MAX_INTERFACES, NameEntries, OptionCode, Options, PcapngWalker, Resolution, decode,
};
pub use reader::{Progress, Reader, SHARED_READ_SIZE};
pub use row::Row;
pub use walk::{BELIEVED_BLOCK, BELIEVED_PACKET, HEADERS_IN_A_ROW, MAX_PACKET, Oddity, Record, Resync, Step};
