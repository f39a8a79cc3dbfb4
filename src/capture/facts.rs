//! What is known about the capture files themselves: formats, interfaces, losses, damage, comments, secrets.
//!
//! Filled while frames are read, complete after the last one. Every list has a limit, and a count of what did not fit.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::IpAddr;

use super::damage::{Cut, Damage};
use super::format::{ByteOrder, Compression, Format};
use super::pcapng::{BlockKind, Resolution};
use crate::captured::Captured;
use crate::frame::{FrameNumber, LinkType};
use crate::secret::Secret;
use crate::span::Stamp;
use crate::time::Timestamp;

/// Damaged places listed a file; more are counted.
pub const MAX_DAMAGES: usize = 1_000;
/// Interfaces described a file; more are counted.
pub const MAX_INTERFACES_DESCRIBED: usize = 1_024;
/// Sections described a file; more are counted.
pub const MAX_SECTIONS_DESCRIBED: usize = 256;
/// Comments kept a file; more are counted.
pub const MAX_COMMENTS: usize = 10_000;
/// Octets kept of one name, description, filter or comment; longer ones are cut and counted.
pub const MAX_TEXT: usize = 4_096;
/// Octets of all comments kept a file.
pub const MAX_COMMENT_OCTETS: usize = 4 * 1024 * 1024;
/// Address names kept a file; more are counted.
pub const MAX_NAMES: usize = 65_536;
/// Octets of all address names kept a file.
pub const MAX_NAME_OCTETS: usize = 4 * 1024 * 1024;
/// Octets of one address name; no DNS name is longer.
pub const MAX_NAME: usize = 255;
/// Secret blocks kept a file; more are counted.
pub const MAX_SECRETS: usize = 4_096;
/// Octets of all secrets kept a file.
pub const MAX_SECRET_OCTETS: usize = 16 * 1024 * 1024;
/// Types of unread blocks told apart a file; blocks of further types are counted together.
pub const MAX_BLOCK_TYPES: usize = 64;
/// Changes from file to file remembered when several files are read in time order.
pub const MAX_RANGES: usize = 65_536;

/// A list that keeps its first entries and counts the rest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bounded<T> {
    kept: Vec<T>,
    total: u64,
}

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            total: 0,
        }
    }
}

impl<T> Bounded<T> {
    /// The entries that were kept.
    #[must_use]
    pub fn kept(&self) -> &[T] {
        &self.kept
    }

    /// How many there were in all.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// How many were only counted.
    #[must_use]
    pub fn only_counted(&self) -> u64 {
        self.total.saturating_sub(self.kept.len() as u64)
    }

    pub(super) fn add(&mut self, limit: usize, entry: impl FnOnce() -> T) {
        self.total = self.total.saturating_add(1);
        if self.kept.len() < limit {
            self.kept.push(entry());
        }
    }

    pub(super) const fn count_only(&mut self) {
        self.total = self.total.saturating_add(1);
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.kept.get_mut(index)
    }
}

/// An interface of a capture; a pcap file has exactly one, without a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interface {
    /// if_name.
    pub name: Option<Captured>,
    /// if_description.
    pub description: Option<Captured>,
    /// if_os.
    pub system: Option<Captured>,
    /// if_filter: the capture filter, where it is text.
    pub filter: Option<Captured>,
    /// Its link type, FCS bits removed.
    pub link_type: LinkType,
    /// Snap length in octets; 0 for none.
    pub snap_length: u32,
    /// Frame check sequence at the end of each frame, in octets, where the file says (pcap).
    pub frame_check_octets: Option<u8>,
    /// The unit of its clock.
    pub resolution: Resolution,
    /// if_tsoffset, in seconds.
    pub time_offset: i64,
    /// Packets of it that were read.
    pub packets: u64,
    /// Its last statistics block.
    pub statistics: Statistics,
}

/// The counters of an interface statistics block; `None` where it does not tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Statistics {
    /// Packets that reached the interface.
    pub received: Option<u64>,
    /// Packets the interface dropped for lack of resources.
    pub dropped: Option<u64>,
    /// Packets the operating system dropped.
    pub dropped_by_system: Option<u64>,
}

/// A section of a pcapng file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// Its byte order.
    pub order: ByteOrder,
    /// shb_hardware.
    pub hardware: Option<Captured>,
    /// shb_os.
    pub system: Option<Captured>,
    /// shb_userappl.
    pub application: Option<Captured>,
}

/// A comment somebody wrote into the capture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comment {
    /// The frame it belongs to; `None` for a section, an interface or another block.
    pub frame: Option<FrameNumber>,
    /// Its text.
    pub text: Captured,
}

/// A name of an address, written by the capturing program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddressName {
    /// The address.
    pub address: IpAddr,
    /// One of its names.
    pub name: Captured,
}

/// The content of a decryption secrets block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecryptionSecrets {
    /// The registered type; 0x544c534b is a TLS key log.
    pub kind: u32,
    /// The secrets; never printed.
    pub secret: Secret,
}

impl DecryptionSecrets {
    /// A TLS key log (the format of SSLKEYLOGFILE).
    pub const TLS_KEY_LOG: u32 = 0x544c_534b;
}

/// Packets that were odd and delivered all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OddFrames {
    /// Shorter than on the wire (snap length).
    pub cut: u64,
    /// Without a time of their own; they carry the time of the frame before.
    pub without_time: u64,
    /// With a time that 64-bit nanoseconds cannot say; clamped.
    pub clamped_times: u64,
    /// With a fraction of a whole second or more.
    pub long_fractions: u64,
    /// On an interface that was not declared; the link type was assumed.
    pub assumed_interfaces: u64,
    /// Earlier than the frame before in the same file.
    pub backwards: u64,
    /// The first of those.
    pub first_backwards: Option<FrameNumber>,
}

/// What is known about one file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileFacts {
    /// As the user named it.
    pub name: OsString,
    /// `None` while not opened, or where it could not be read.
    pub format: Option<Format>,
    /// The compression that was taken off.
    pub compression: Option<Compression>,
    /// Sections of pcapng; glued pcap headers do not count.
    pub sections: Bounded<Section>,
    /// Headers of further captures glued behind the first.
    pub glued_headers: u64,
    /// Interfaces over all sections.
    pub interfaces: Bounded<Interface>,
    /// Frames read.
    pub frames: u64,
    /// Packets on an interface that cannot be told (see [`OddFrames::assumed_interfaces`] as well).
    pub frames_without_interface: u64,
    /// The first and the last frame in file order.
    pub first: Option<Stamp>,
    /// See `first`.
    pub last: Option<Stamp>,
    /// The earliest time in the file.
    pub earliest: Option<Timestamp>,
    /// The latest time in the file.
    pub latest: Option<Timestamp>,
    /// Octets of the capture that were walked, decompressed.
    pub octets: u64,
    /// Captured octets of all frames.
    pub frame_octets: u64,
    /// Packets that were odd.
    pub odd: OddFrames,
    /// Packets the capturing program says it lost between those it wrote (epb_dropcount).
    pub drops_between: u64,
    /// Comments.
    pub comments: Bounded<Comment>,
    /// Names of addresses.
    pub names: Bounded<AddressName>,
    /// Secrets.
    pub secrets: Bounded<DecryptionSecrets>,
    /// Blocks that are not read, by type.
    pub other_blocks: BTreeMap<u32, u64>,
    /// Blocks of types beyond [`MAX_BLOCK_TYPES`].
    pub further_blocks: u64,
    /// Texts that were cut at [`MAX_TEXT`].
    pub cut_texts: u64,
    /// Blocks whose options could not be read to their end.
    pub unreadable_options: u64,
    /// Statistics of an interface the section does not declare.
    pub stray_statistics: u64,
    /// Places that could not be understood.
    pub damages: Bounded<Damage>,
    /// The file ends in the middle of a record.
    pub cut: Option<Cut>,
    /// Read to its end.
    pub complete: bool,
    /// It could not be opened or read, or not to its end; [`super::Reader::next_frame`] gave the error.
    pub failed: bool,
    pub(super) comment_octets: usize,
    pub(super) name_octets: usize,
    pub(super) secret_octets: usize,
}

impl FileFacts {
    pub(super) fn new(name: OsString) -> Self {
        Self {
            name,
            format: None,
            compression: None,
            sections: Bounded::default(),
            glued_headers: 0,
            interfaces: Bounded::default(),
            frames: 0,
            frames_without_interface: 0,
            first: None,
            last: None,
            earliest: None,
            latest: None,
            octets: 0,
            frame_octets: 0,
            odd: OddFrames::default(),
            drops_between: 0,
            comments: Bounded::default(),
            names: Bounded::default(),
            secrets: Bounded::default(),
            other_blocks: BTreeMap::new(),
            further_blocks: 0,
            cut_texts: 0,
            unreadable_options: 0,
            stray_statistics: 0,
            damages: Bounded::default(),
            cut: None,
            complete: false,
            failed: false,
            comment_octets: 0,
            name_octets: 0,
            secret_octets: 0,
        }
    }

    /// Fractional digits (0 to 9) that show the finest clock of the file; 6 where no interface is known.
    #[must_use]
    pub fn fraction_digits(&self) -> u8 {
        let digits = self
            .interfaces
            .kept()
            .iter()
            .map(|interface| interface.resolution.digits());
        digits.max().unwrap_or(6)
    }

    /// Packets that reached all interfaces, as far as statistics tell.
    #[must_use]
    pub fn received(&self) -> Option<u64> {
        self.sum(|statistics| statistics.received)
    }

    /// Packets dropped at all interfaces, by them or by the operating system, as far as statistics tell.
    #[must_use]
    pub fn dropped(&self) -> Option<u64> {
        self.sum(|statistics| match (statistics.dropped, statistics.dropped_by_system) {
            (None, None) => None,
            (one, other) => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
        })
    }

    /// Whether everything in the file was understood and nothing is missing at its end.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.damages.total() == 0 && self.cut.is_none()
    }

    fn sum(&self, counter: impl Fn(&Statistics) -> Option<u64>) -> Option<u64> {
        self.interfaces
            .kept()
            .iter()
            .filter_map(|interface| counter(&interface.statistics))
            .reduce(u64::saturating_add)
    }

    pub(super) fn damage(&mut self, damage: Damage) {
        self.damages.add(MAX_DAMAGES, || damage);
    }

    pub(super) fn text(&mut self, bytes: &[u8]) -> Captured {
        if bytes.len() > MAX_TEXT {
            self.cut_texts = self.cut_texts.saturating_add(1);
        }
        Captured::new(bytes.get(..MAX_TEXT).unwrap_or(bytes))
    }

    pub(super) fn comment(&mut self, frame: Option<FrameNumber>, bytes: &[u8]) {
        if self.comment_octets >= MAX_COMMENT_OCTETS || self.comments.kept().len() >= MAX_COMMENTS {
            self.comments.count_only();
            return;
        }
        let text = self.text(bytes);
        self.comment_octets = self.comment_octets.saturating_add(text.bytes().len());
        self.comments.add(MAX_COMMENTS, || Comment { frame, text });
    }

    pub(super) fn other_block(&mut self, kind: BlockKind) {
        let BlockKind::Other(number) = kind else { return };
        if self.other_blocks.len() >= MAX_BLOCK_TYPES && !self.other_blocks.contains_key(&number) {
            self.further_blocks = self.further_blocks.saturating_add(1);
            return;
        }
        let count = self.other_blocks.entry(number).or_default();
        *count = count.saturating_add(1);
    }
}

/// Which file the frames from a number on come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameRange {
    /// The first frame of the range.
    pub first: FrameNumber,
    /// The file, as an index into [`CaptureFacts::files`].
    pub file: usize,
}

/// What is known about all files of a run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CaptureFacts {
    /// In the order of the arguments.
    pub files: Vec<FileFacts>,
    /// Where frames change from file to file.
    pub ranges: Bounded<FrameRange>,
}

impl CaptureFacts {
    /// The file a frame came from; `None` beyond [`MAX_RANGES`] changes, or before the first frame.
    #[must_use]
    pub fn file_of(&self, frame: FrameNumber) -> Option<usize> {
        let kept = self.ranges.kept();
        let at = kept.partition_point(|range| range.first <= frame).checked_sub(1)?;
        let beyond = at + 1 == kept.len() && self.ranges.only_counted() > 0;
        kept.get(at).filter(|_| !beyond).map(|range| range.file)
    }

    /// Frames read of all files.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.files.iter().map(|file| file.frames).sum()
    }

    /// Fractional digits (0 to 9) that show the finest clock of all files; 6 where none is known.
    #[must_use]
    pub fn fraction_digits(&self) -> u8 {
        let read = self.files.iter().filter(|file| !file.interfaces.kept().is_empty());
        read.map(FileFacts::fraction_digits).max().unwrap_or(6)
    }

    /// Whether every file was understood to its end.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.files.iter().all(FileFacts::is_sound)
    }
}
