//! One captured frame, borrowed from the reader's buffer. Says where it stood and when; decodes nothing.

use crate::time::Timestamp;

/// The number of a frame in the order it was read, from 1, as Wireshark counts.
///
/// Over several files it counts on, as after `mergecap`; [`crate::capture`] keeps which file each range came from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct FrameNumber(pub u64);

impl std::fmt::Display for FrameNumber {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A link-layer header type, as registered at tcpdump.org/linktypes.html; FCS bits already removed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: a 4-octet address family in the writer's byte order.
    pub const NULL: Self = Self(0);
    /// Ethernet (IEEE 802.3).
    pub const ETHERNET: Self = Self(1);
    /// PPP, as seen by the link driver.
    pub const PPP: Self = Self(9);
    /// Raw IP in OpenBSD's numbering of DLT_RAW (some files carry it unchanged).
    pub const RAW_BSD: Self = Self(12);
    /// Raw IP in OpenBSD's other numbering.
    pub const RAW_OPENBSD: Self = Self(14);
    /// PPP in HDLC-like framing (RFC 1662).
    pub const PPP_HDLC: Self = Self(50);
    /// PPPoE session, without the Ethernet header (RFC 2516).
    pub const PPP_ETHER: Self = Self(51);
    /// Raw IP; the version nibble says 4 or 6.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback: a 4-octet address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture, version 1.
    pub const LINUX_SLL: Self = Self(113);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);
}

/// A frame as captured.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Its number, from 1.
    pub number: FrameNumber,
    /// When it was captured.
    pub time: Timestamp,
    /// The link-layer header it begins with.
    pub link_type: LinkType,
    /// The octets in the file; fewer than `original_length` where a snap length cut them.
    pub bytes: &'a [u8],
    /// Its length on the wire, in octets, as the file claims; at least `bytes.len()`.
    pub original_length: u32,
}

impl Frame<'_> {
    /// True where the snap length cut the frame.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        (self.original_length as usize) > self.bytes.len()
    }
}
