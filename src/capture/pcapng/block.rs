//! The body of a pcapng block that carries no packet → its fields and options.
//!
//! Blocks and options are read as far as they are sound; what is not is counted by the caller. Lengths inside a block
//! are never believed beyond the block.

use super::clock::{Clock, Resolution};
use crate::capture::format::ByteOrder;
use crate::frame::LinkType;

/// What a block is, by its type field.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BlockKind {
    /// Begins a section.
    SectionHeader,
    /// Declares an interface.
    Interface,
    /// The obsolete packet block.
    ObsoletePacket,
    /// A packet without a time.
    SimplePacket,
    /// Names of addresses.
    NameResolution,
    /// Counters of an interface.
    InterfaceStatistics,
    /// A packet.
    EnhancedPacket,
    /// Secrets that decrypt the packets.
    DecryptionSecrets,
    /// Any other type: counted, not read.
    Other(u32),
}

impl BlockKind {
    /// Reads the type field.
    #[must_use]
    pub const fn from_type(number: u32) -> Self {
        match number {
            0x0a0d_0d0a => Self::SectionHeader,
            1 => Self::Interface,
            2 => Self::ObsoletePacket,
            3 => Self::SimplePacket,
            4 => Self::NameResolution,
            5 => Self::InterfaceStatistics,
            6 => Self::EnhancedPacket,
            10 => Self::DecryptionSecrets,
            other => Self::Other(other),
        }
    }

    /// Whether the type is one that files really hold; the search behind damage believes no others.
    #[must_use]
    pub const fn is_registered(self) -> bool {
        match self {
            Self::Other(number) => matches!(number, 7 | 8 | 9 | 0x0bad | 0x4000_0bad | 0x8000_0001),
            _ => true,
        }
    }
}

/// The code of an option; its meaning depends on the block.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OptionCode(pub u16);

impl OptionCode {
    /// opt_comment, in any block.
    pub const COMMENT: Self = Self(1);
    /// shb_hardware.
    pub const SECTION_HARDWARE: Self = Self(2);
    /// shb_os.
    pub const SECTION_SYSTEM: Self = Self(3);
    /// shb_userappl.
    pub const SECTION_APPLICATION: Self = Self(4);
    /// if_name.
    pub const INTERFACE_NAME: Self = Self(2);
    /// if_description.
    pub const INTERFACE_DESCRIPTION: Self = Self(3);
    /// if_tsresol.
    pub const RESOLUTION: Self = Self(9);
    /// if_filter.
    pub const INTERFACE_FILTER: Self = Self(11);
    /// if_os.
    pub const INTERFACE_SYSTEM: Self = Self(12);
    /// if_tsoffset.
    pub const TIME_OFFSET: Self = Self(14);
    /// epb_dropcount.
    pub const PACKET_DROPS: Self = Self(4);
    /// isb_ifrecv.
    pub const RECEIVED: Self = Self(4);
    /// isb_ifdrop.
    pub const DROPPED: Self = Self(5);
    /// isb_osdrop.
    pub const DROPPED_BY_SYSTEM: Self = Self(7);
}

/// Walks the options of a block. Ends at opt_endofopt, at the end of the block, or at an option that does not fit.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    rest: &'a [u8],
    order: ByteOrder,
    unreadable: bool,
}

impl<'a> Options<'a> {
    /// The options that begin at `bytes[0]`.
    #[must_use]
    pub const fn new(bytes: &'a [u8], order: ByteOrder) -> Self {
        Self {
            rest: bytes,
            order,
            unreadable: false,
        }
    }

    /// Whether an option claimed more octets than its block has; asked at the end.
    #[must_use]
    pub const fn unreadable(&self) -> bool {
        self.unreadable
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = (OptionCode, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let code = self.order.u16(self.rest, 0)?;
        let length = usize::from(self.order.u16(self.rest, 2)?);
        if code == 0 {
            self.rest = &[];
            return None;
        }
        let Some(value) = self.rest.get(4..4 + length) else {
            self.unreadable = true;
            self.rest = &[];
            return None;
        };
        self.rest = self.rest.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        Some((OptionCode(code), value))
    }
}

/// The entries of a name resolution block: an address of 4 or 16 octets and one of its names.
#[derive(Clone, Debug)]
pub struct NameEntries<'a> {
    rest: &'a [u8],
    order: ByteOrder,
    address: &'a [u8],
    names: &'a [u8],
    /// The block's end behind the last record: its options.
    finished: bool,
}

impl<'a> NameEntries<'a> {
    /// What stands behind the records; complete once the entries are used up.
    #[must_use]
    pub const fn options(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for NameEntries<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if !self.names.is_empty() {
                let end = memchr::memchr(0, self.names).unwrap_or(self.names.len());
                let name = self.names.get(..end).unwrap_or_default();
                self.names = self.names.get(end + 1..).unwrap_or_default();
                if name.is_empty() {
                    continue;
                }
                return Some((self.address, name));
            }
            if self.finished {
                return None;
            }
            let kind = self.order.u16(self.rest, 0)?;
            let length = usize::from(self.order.u16(self.rest, 2)?);
            let value = self.rest.get(4..4 + length)?;
            self.rest = self.rest.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
            let address_length = match kind {
                0 => {
                    self.finished = true;
                    return None;
                }
                1 => 4,
                2 => 16,
                _ => continue,
            };
            if let Some((address, names)) = value.split_at_checked(address_length) {
                self.address = address;
                self.names = names;
            }
        }
    }
}

/// The content of a block that carries no packet.
#[derive(Clone, Debug)]
pub enum Content<'a> {
    /// A section begins.
    SectionHeader {
        /// shb_* options.
        options: Options<'a>,
    },
    /// An interface is declared.
    Interface {
        /// Its link type.
        link_type: LinkType,
        /// Its snap length in octets; 0 for none.
        snap_length: u32,
        /// Its clock.
        clock: Clock,
        /// if_* options.
        options: Options<'a>,
    },
    /// Names of addresses.
    Names(NameEntries<'a>),
    /// Counters of an interface of the section.
    Statistics {
        /// The interface, counted in its section.
        interface: u32,
        /// isb_* options.
        options: Options<'a>,
    },
    /// Secrets that decrypt the packets.
    Secrets {
        /// The registered type, 0x544c534b for a TLS key log.
        kind: u32,
        /// The secrets.
        secret: &'a [u8],
    },
    /// Not read.
    Other,
}

/// Reads the body of a block; `None` where its fixed fields are not all there.
#[must_use]
pub fn decode(kind: BlockKind, body: &[u8], order: ByteOrder) -> Option<Content<'_>> {
    let options = |from: usize| Options::new(body.get(from..).unwrap_or_default(), order);
    Some(match kind {
        BlockKind::SectionHeader => {
            order.u64(body, 8)?;
            Content::SectionHeader { options: options(16) }
        }
        BlockKind::Interface => Content::Interface {
            link_type: LinkType(order.u16(body, 0)?),
            snap_length: order.u32(body, 4)?,
            clock: clock(options(8), order),
            options: options(8),
        },
        BlockKind::NameResolution => Content::Names(NameEntries {
            rest: body,
            order,
            address: &[],
            names: &[],
            finished: false,
        }),
        BlockKind::InterfaceStatistics => {
            order.u64(body, 4)?;
            Content::Statistics {
                interface: order.u32(body, 0)?,
                options: options(12),
            }
        }
        BlockKind::DecryptionSecrets => {
            let length = usize::try_from(order.u32(body, 4)?).ok()?;
            Content::Secrets {
                kind: order.u32(body, 0)?,
                secret: body.get(8..)?.get(..length)?,
            }
        }
        BlockKind::ObsoletePacket | BlockKind::SimplePacket | BlockKind::EnhancedPacket | BlockKind::Other(_) => {
            Content::Other
        }
    })
}

fn clock(options: Options<'_>, order: ByteOrder) -> Clock {
    let mut clock = Clock::default();
    for (code, value) in options {
        match code {
            OptionCode::RESOLUTION => {
                if let [octet, ..] = value {
                    clock.resolution = Resolution::from_octet(*octet);
                }
            }
            OptionCode::TIME_OFFSET => {
                if let Some(seconds) = order.u64(value, 0) {
                    clock.offset = seconds.cast_signed();
                }
            }
            _ => {}
        }
    }
    clock
}
