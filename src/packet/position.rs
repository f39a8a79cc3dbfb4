//! Where the decoder stands in a frame: the octets left, which header comes next, what the headers before it said.
//! Reads fields with bounds checked and says why a frame could not be followed further. Knows no protocol.

use std::net::{IpAddr, Ipv4Addr};

/// Headers between the link header and the transport header that one frame may have: tags, labels, tunnels, extension
/// headers and further link and IP headers, in all. A frame with more is counted in [`super::Counts::too_many_layers`].
pub const MAXIMUM_LAYERS: u8 = 16;

/// The link header and one IP header are not counted against [`MAXIMUM_LAYERS`].
const PLAIN_LAYERS: u8 = 2;

/// Octets of one layer, and how many there were on the wire. Invariant: `bytes.len() <= wire`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Octets<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) wire: usize,
}

impl<'a> Octets<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a [u8], wire: usize) -> Self {
        Self {
            bytes,
            wire: wire.max(bytes.len()),
        }
    }

    /// True where the wire carried more than the file has.
    pub(super) fn is_cut(self) -> bool {
        self.wire > self.bytes.len()
    }

    /// What follows the first `length` octets; `None` where the file has not as many.
    #[inline]
    pub(super) fn skip(self, length: usize) -> Option<Self> {
        let bytes = self.bytes.get(length..)?;
        Some(Self::new(bytes, self.wire.saturating_sub(length)))
    }

    /// The first `length` octets, as a length field in a header says; more than were on the wire is not believed.
    pub(super) fn limited(self, length: usize) -> Self {
        self.measured(length.min(self.wire))
    }

    /// Exactly `length` octets on the wire, as an IP header says, be they in the file or not: capture tools that cut
    /// frames do not always keep the original length, and mirrored copies are cut before they are sent.
    #[inline]
    pub(super) fn measured(self, length: usize) -> Self {
        let bytes = self.bytes.get(..length).unwrap_or(self.bytes);
        Self { bytes, wire: length }
    }
}

/// The header that comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Layer {
    Ethernet,
    /// What an EtherType (or an IEEE 802.3 length) announces.
    EtherType(u16),
    LogicalLinkControl,
    BackboneTag,
    LinuxCooked,
    LinuxCooked2,
    Loopback,
    Ppp,
    PppoeSession,
    CiscoHdlc,
    Mpls,
    /// IPv4 or IPv6, as the version field says.
    Ip,
    Ipv4,
    Ipv6,
    /// What an IP protocol number or IPv6 next header announces.
    Protocol(u8),
    /// A piece of a datagram: `offset` in octets, `protocol` as this fragment says.
    Fragment {
        identification: u32,
        offset: u32,
        more: bool,
        protocol: u8,
    },
    Erspan2,
    Erspan3,
}

/// A kind of header, as [`super::Counts::malformed`] sorts them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Header {
    /// Ethernet, Linux cooked, loopback, LLC or SNAP.
    Link,
    /// VLAN or backbone tag.
    Tag,
    /// MPLS label.
    Mpls,
    /// PPP, PPPoE or HDLC.
    Ppp,
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
    /// IPv6 extension header or Authentication Header.
    Extension,
    /// A fragment that cannot be: beyond 65,535 octets, empty, or not a multiple of 8.
    Fragment,
    /// GRE, ERSPAN, VXLAN, Geneve or EtherIP.
    Tunnel,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP or ICMPv6.
    Icmp,
}

impl Layer {
    fn header(self) -> Header {
        match self {
            Self::Ethernet
            | Self::EtherType(_)
            | Self::LogicalLinkControl
            | Self::LinuxCooked
            | Self::LinuxCooked2
            | Self::Loopback => Header::Link,
            Self::BackboneTag => Header::Tag,
            Self::Ppp | Self::PppoeSession | Self::CiscoHdlc => Header::Ppp,
            Self::Mpls => Header::Mpls,
            Self::Ip | Self::Ipv4 => Header::Ipv4,
            Self::Ipv6 => Header::Ipv6,
            Self::Fragment { .. } => Header::Fragment,
            Self::Erspan2 | Self::Erspan3 => Header::Tunnel,
            Self::Protocol(6) => Header::Tcp,
            Self::Protocol(17) => Header::Udp,
            Self::Protocol(1 | 58) => Header::Icmp,
            Self::Protocol(47 | 97) => Header::Tunnel,
            Self::Protocol(_) => Header::Extension,
        }
    }
}

/// Why a frame was not followed further.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    /// The octets ended inside this header: cut by a snap length, or malformed.
    Short(Header),
    Malformed(Header),
    LinkType(u16),
    /// Address family of a BSD loopback header.
    LinkFamily(u32),
    EtherType(u16),
    /// DSAP and SSAP; 0xAAAA for a SNAP organisation of its own.
    LogicalLink(u16),
    PppProtocol(u16),
    Protocol(u8),
    MplsPayload,
    Arp,
    Udp,
    UdpTunnel(u16),
    Icmp,
    Layers,
}

/// What the innermost IP header said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Network {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) passage: Passage,
}

/// What the IP header says of a packet's way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passage {
    pub(super) time_to_live: u8,
    pub(super) identification: Option<u16>,
    pub(super) dont_fragment: bool,
}

impl Network {
    pub(super) const NONE: Self = Self {
        source: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        destination: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        passage: Passage {
            time_to_live: 0,
            identification: None,
            dont_fragment: false,
        },
    };
}

/// The decoder's place in a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position<'a> {
    pub(super) octets: Octets<'a>,
    pub(super) layer: Layer,
    pub(super) network: Network,
    pub(super) encapsulation: u32,
    pub(super) layers: u8,
}

impl<'a> Position<'a> {
    pub(super) fn new(octets: Octets<'a>, layer: Layer) -> Self {
        Self {
            octets,
            layer,
            network: Network::NONE,
            encapsulation: 0,
            layers: 0,
        }
    }

    pub(super) fn short(&self) -> Stop {
        Stop::Short(self.layer.header())
    }

    pub(super) fn malformed(&self) -> Stop {
        Stop::Malformed(self.layer.header())
    }

    /// Goes past a header of `length` octets to `layer`; an error where the frame has had its share of headers.
    pub(super) fn enter(&mut self, length: usize, layer: Layer) -> Result<(), Stop> {
        if length > 0 {
            if self.layers >= MAXIMUM_LAYERS + PLAIN_LAYERS {
                return Err(Stop::Layers);
            }
            self.layers += 1;
        }
        self.octets = self.octets.skip(length).ok_or(self.short())?;
        self.layer = layer;
        Ok(())
    }

    pub(super) fn array<const N: usize>(&self, at: usize) -> Result<&'a [u8; N], Stop> {
        let rest = self.octets.bytes.get(at..).ok_or(self.short())?;
        rest.first_chunk().ok_or(self.short())
    }

    pub(super) fn u8(&self, at: usize) -> Result<u8, Stop> {
        self.octets.bytes.get(at).copied().ok_or(self.short())
    }

    pub(super) fn u16(&self, at: usize) -> Result<u16, Stop> {
        self.array(at).map(|octets| u16::from_be_bytes(*octets))
    }

    pub(super) fn u32(&self, at: usize) -> Result<u32, Stop> {
        self.array(at).map(|octets| u32::from_be_bytes(*octets))
    }

    /// Mixes the number of a tag, label or tunnel into [`super::Segment::encapsulation`].
    pub(super) fn encapsulate(&mut self, tunnel: Tunnel, number: u32) {
        self.encapsulation = encapsulate(self.encapsulation, tunnel, number);
    }
}

/// Mixes the number of a tag, label or tunnel into what the ones outside of it gave; never gives 0.
pub(super) fn encapsulate(outside: u32, tunnel: Tunnel, number: u32) -> u32 {
    let mixed = (outside.rotate_left(5) ^ number ^ ((tunnel as u32) << 27)).wrapping_mul(0x9E37_79B1);
    (mixed ^ (mixed >> 15)).max(1)
}

/// What kind of number went into the encapsulation: a VLAN 100 is not an MPLS label 100.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tunnel {
    Vlan = 1,
    Mpls,
    Pppoe,
    Backbone,
    Ip,
    Gre,
    Erspan,
    Vxlan,
    Geneve,
    EtherIp,
}
