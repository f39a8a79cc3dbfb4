//! The first octets of a file → which capture format it is, which compression it wears, or what else it looks like.
//!
//! Reads the magic numbers of draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng, RFC 1952 (gzip), RFC 8878 (zstd) and
//! the LZ4 frame format. Must not look at the file's name: only the content counts.

use std::fmt;

/// How many octets decide whether something is a capture: the length of a pcap file header.
pub const PCAP_HEADER_LENGTH: usize = 24;
/// The smallest Section Header Block, in octets: no options.
pub const SECTION_HEADER_LENGTH: usize = 28;
/// How many of the first octets are quoted in an error.
pub const QUOTED_OCTETS: usize = 16;

const SECTION_HEADER_TYPE: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// Options of a Section Header Block found by searching rarely exceed this; a longer claim is not believed.
const BELIEVED_SECTION_HEADER: u32 = 1024 * 1024;

/// The order in which a file's writer laid out the octets of a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ByteOrder {
    /// Least significant octet first.
    Little,
    /// Most significant octet first.
    Big,
}

impl ByteOrder {
    /// The 16-bit number at an offset; `None` where the octets end before it does.
    #[must_use]
    pub fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let field: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(field),
            Self::Big => u16::from_be_bytes(field),
        })
    }

    /// The 32-bit number at an offset; `None` where the octets end before it does.
    #[must_use]
    pub fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let field: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(self.number(field))
    }

    /// The 32-bit number in these octets.
    #[must_use]
    #[inline]
    pub const fn number(self, octets: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(octets),
            Self::Big => u32::from_be_bytes(octets),
        }
    }

    /// The 64-bit number at an offset; `None` where the octets end before it does.
    #[must_use]
    pub fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let field: [u8; 8] = bytes.get(at..at.checked_add(8)?)?.try_into().ok()?;
        Some(match self {
            Self::Little => u64::from_le_bytes(field),
            Self::Big => u64::from_be_bytes(field),
        })
    }

    /// A 64-bit number written as two 32-bit halves, high half first, each in this order (pcapng timestamps).
    #[must_use]
    pub fn halves(self, bytes: &[u8], at: usize) -> Option<u64> {
        let high = self.u32(bytes, at)?;
        let low = self.u32(bytes, at.checked_add(4)?)?;
        Some((u64::from(high) << 32) | u64::from(low))
    }
}

/// The container of a capture.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Format {
    /// The classic file: one header, one link type.
    Pcap {
        /// As its magic number says.
        order: ByteOrder,
        /// Timestamps count nanoseconds, not microseconds.
        nanoseconds: bool,
        /// Kuznetzov's variant with 24-octet record headers (magic a1b2cd34).
        modified: bool,
    },
    /// Blocks in sections; the byte order is that of the first section.
    Pcapng {
        /// Of the first section.
        order: ByteOrder,
    },
}

impl Format {
    /// The byte order of its first header.
    #[must_use]
    pub const fn order(self) -> ByteOrder {
        match self {
            Self::Pcap { order, .. } | Self::Pcapng { order } => order,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Pcap { modified: true, .. } => "pcap (modified)",
            Self::Pcap { nanoseconds: true, .. } => "pcap (nanoseconds)",
            Self::Pcap { .. } => "pcap",
            Self::Pcapng { .. } => "pcapng",
        })
    }
}

/// The compression around a capture.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Compression {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// The LZ4 frame format, the legacy one included.
    Lz4,
}

impl fmt::Display for Compression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        })
    }
}

/// What stands where a compressed member or frame may begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Member {
    /// Compressed octets follow.
    Compressed(Compression),
    /// A skippable frame of zstd or lz4; its length follows the magic number.
    Skippable,
}

/// Which compression, if any, the first four octets announce.
#[must_use]
pub fn member(bytes: &[u8]) -> Option<Member> {
    let magic = bytes.get(..4)?;
    match *magic {
        [0x1f, 0x8b, 8, flags] if flags & 0xe0 == 0 => Some(Member::Compressed(Compression::Gzip)),
        [0x28, 0xb5, 0x2f, 0xfd] => Some(Member::Compressed(Compression::Zstd)),
        [0x04, 0x22, 0x4d, 0x18] | [0x02, 0x21, 0x4c, 0x18] => Some(Member::Compressed(Compression::Lz4)),
        [first, 0x2a, 0x4d, 0x18] if first & 0xf0 == 0x50 => Some(Member::Skippable),
        _ => None,
    }
}

/// The answer to "does a capture begin here?".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Beginning {
    /// Yes.
    Capture(Format),
    /// It may; that many octets will tell.
    Perhaps(usize),
    /// No.
    No,
}

/// Whether a capture begins at the first octet: what is asked of a whole file.
#[must_use]
pub fn beginning(bytes: &[u8]) -> Beginning {
    let Some(magic) = bytes.first_chunk::<4>() else {
        return Beginning::Perhaps(4);
    };
    if *magic == SECTION_HEADER_TYPE {
        return match section_order(bytes) {
            Some(order) => Beginning::Capture(Format::Pcapng { order }),
            None if bytes.len() < 12 => Beginning::Perhaps(12),
            None => Beginning::No,
        };
    }
    let Some(format) = pcap_magic(*magic) else {
        return Beginning::No;
    };
    if bytes.len() < PCAP_HEADER_LENGTH {
        return Beginning::Perhaps(PCAP_HEADER_LENGTH);
    }
    Beginning::Capture(format)
}

/// Whether another capture's header stands in the middle of a file (glued files); stricter than [`beginning`],
/// because any octets may stand there.
#[must_use]
pub fn glued(bytes: &[u8]) -> Beginning {
    match beginning(bytes) {
        Beginning::Capture(format @ Format::Pcap { order, .. }) => {
            let believed = order.u16(bytes, 4) == Some(2)
                && order.u16(bytes, 6).is_some_and(|minor| minor <= 4)
                && order.u32(bytes, 12) == Some(0);
            if believed {
                Beginning::Capture(format)
            } else {
                Beginning::No
            }
        }
        Beginning::Capture(format @ Format::Pcapng { order }) => {
            let believed = order
                .u32(bytes, 4)
                .is_some_and(|length| length >= 28 && length % 4 == 0 && length <= BELIEVED_SECTION_HEADER);
            if believed {
                Beginning::Capture(format)
            } else {
                Beginning::No
            }
        }
        other => other,
    }
}

/// The byte order of a Section Header Block whose first octet is `bytes[0]`.
#[must_use]
pub fn section_order(bytes: &[u8]) -> Option<ByteOrder> {
    if bytes.get(..4)? != SECTION_HEADER_TYPE {
        return None;
    }
    [ByteOrder::Little, ByteOrder::Big]
        .into_iter()
        .find(|order| order.u32(bytes, 8) == Some(BYTE_ORDER_MAGIC))
}

fn pcap_magic(magic: [u8; 4]) -> Option<Format> {
    [ByteOrder::Little, ByteOrder::Big].into_iter().find_map(|order| {
        let (nanoseconds, modified) = match order.u32(&magic, 0)? {
            0xa1b2_c3d4 => (false, false),
            0xa1b2_3c4d => (true, false),
            0xa1b2_cd34 => (false, true),
            _ => return None,
        };
        Some(Format::Pcap {
            order,
            nanoseconds,
            modified,
        })
    })
}

/// What a file that is no capture looks like.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Likeness {
    /// No octet at all.
    Empty,
    /// Nothing but zeros.
    Zeros,
    /// A program (ELF).
    Elf,
    /// Text.
    Text,
    /// Sun snoop (RFC 1761), a capture format that is not read.
    Snoop,
    /// None of these.
    Other,
}

impl Likeness {
    /// Judges the first octets of a file.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..);
        match bytes {
            [] => Self::Empty,
            [0x7f, b'E', b'L', b'F', ..] => Self::Elf,
            [b's', b'n', b'o', b'o', b'p', 0, ..] => Self::Snoop,
            _ if bytes.iter().all(|byte| *byte == 0) => Self::Zeros,
            _ if bytes.iter().all(text) => Self::Text,
            _ => Self::Other,
        }
    }
}

/// The first octets of something that was not understood; at most [`QUOTED_OCTETS`], shown as hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FirstOctets {
    octets: [u8; QUOTED_OCTETS],
    length: u8,
}

impl FirstOctets {
    /// Keeps the beginning of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut octets = [0; QUOTED_OCTETS];
        let mut length = 0;
        for (kept, byte) in octets.iter_mut().zip(bytes) {
            *kept = *byte;
            length += 1;
        }
        Self { octets, length }
    }

    /// The octets.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.octets.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl fmt::Display for FirstOctets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.bytes().iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(formatter, "{space}{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for FirstOctets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[{self}]")
    }
}
