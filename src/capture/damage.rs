//! What was wrong in a capture file and where reading went on; what stopped a file from being read at all.
//!
//! Both carry fields, not sentences: the bilingual catalogue makes the sentences. `Display` is for developers.

use std::ffi::OsString;
use std::{fmt, io};

use super::format::{Compression, FirstOctets, Likeness};

/// What the reader expected at the place where it found something else.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Expected {
    /// A pcap record header with a believable length.
    PcapRecord,
    /// A pcapng block with a believable length.
    PcapngBlock,
    /// The block length repeated at the block's end.
    BlockTrailer,
    /// The fixed fields of a packet or interface block.
    BlockFields,
    /// A captured length that fits into its block.
    CapturedLength,
    /// An interface that the section declares.
    DeclaredInterface,
    /// Compressed data that can be decompressed.
    CompressedData(Compression),
    /// More compressed data: the file ends inside a member or frame.
    MoreCompressedData(Compression),
    /// Another compressed member or frame, or the end of the file.
    CompressedMember(Compression),
    /// A window no larger than [`super::MAX_WINDOW`].
    SmallerWindow,
}

impl fmt::Display for Expected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PcapRecord => formatter.write_str("a pcap record header"),
            Self::PcapngBlock => formatter.write_str("a pcapng block"),
            Self::BlockTrailer => formatter.write_str("the block length repeated at the end of the block"),
            Self::BlockFields => formatter.write_str("the fixed fields of the block"),
            Self::CapturedLength => formatter.write_str("a captured length that fits into the block"),
            Self::DeclaredInterface => formatter.write_str("an interface declared in the section"),
            Self::CompressedData(compression) => write!(formatter, "valid {compression} data"),
            Self::MoreCompressedData(compression) => write!(formatter, "more {compression} data"),
            Self::CompressedMember(compression) => write!(formatter, "another {compression} member or the end"),
            Self::SmallerWindow => formatter.write_str("a window of 128 MiB or less"),
        }
    }
}

/// What an offset counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Place {
    /// Octets of the capture: of the file, or of its decompressed content.
    Capture,
    /// Octets of the compressed file.
    CompressedFile,
}

/// One place where a capture could not be understood. Reading went on behind it where it could.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// Which file, as an index into [`super::CaptureFacts::files`].
    pub file: usize,
    /// What the offsets count.
    pub place: Place,
    /// Where it began, in octets from the start.
    pub offset: u64,
    /// What should have been there.
    pub expected: Expected,
    /// What was there.
    pub found: FirstOctets,
    /// Where reading went on; `None` where nothing more was found up to the end.
    pub resumed_at: Option<u64>,
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            offset,
            expected,
            found,
            ..
        } = self;
        write!(formatter, "offset {offset}: expected {expected}, found {found}; ")?;
        match self.resumed_at {
            Some(resumed) => write!(formatter, "resumed at {resumed}"),
            None => formatter.write_str("nothing more was found"),
        }
    }
}

/// A file that ends in the middle of a record, block or header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cut {
    /// Where the incomplete record begins, in octets of the capture.
    pub offset: u64,
    /// How many octets of it are there.
    pub present: u64,
    /// How many octets the reader knows it needed, at least.
    pub needed: u64,
}

/// Why a file could not be read. Other files can still be: the next call goes on without this one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be opened.
    #[error("cannot open {file:?}: {source}")]
    Open {
        /// As the user named it.
        file: OsString,
        /// What the operating system said.
        source: io::Error,
    },
    /// Reading stopped in it.
    #[error("cannot read {file:?} behind octet {offset}: {source}")]
    Read {
        /// As the user named it.
        file: OsString,
        /// How many octets had been read.
        offset: u64,
        /// What the operating system said.
        source: io::Error,
    },
    /// It is no capture: neither pcap nor pcapng begins at its first octet.
    #[error("{file:?} is not a capture: expected pcap or pcapng, found {likeness:?} [{found}]")]
    NotACapture {
        /// As the user named it.
        file: OsString,
        /// Its first octets, decompressed.
        found: FirstOctets,
        /// What they look like.
        likeness: Likeness,
        /// The compression that was taken off before.
        within: Option<Compression>,
    },
    /// A compressed file inside a compressed file: one layer is read.
    #[error("{file:?} is compressed twice ({inner} inside {outer}); one layer is read")]
    CompressedTwice {
        /// As the user named it.
        file: OsString,
        /// The layer that was taken off.
        outer: Compression,
        /// The layer found inside.
        inner: Compression,
    },
    /// It is compressed, but not one octet of it could be decompressed.
    #[error("cannot decompress {file:?}: expected {expected} at octet {offset}, found {found}")]
    NotDecompressed {
        /// As the user named it.
        file: OsString,
        /// Offset in the compressed file.
        offset: u64,
        /// What should have been there.
        expected: Expected,
        /// What was there.
        found: FirstOctets,
    },
}

impl Error {
    /// The file, as the user named it.
    #[must_use]
    pub fn file(&self) -> &OsString {
        match self {
            Self::Open { file, .. }
            | Self::Read { file, .. }
            | Self::NotACapture { file, .. }
            | Self::CompressedTwice { file, .. }
            | Self::NotDecompressed { file, .. } => file,
        }
    }
}
