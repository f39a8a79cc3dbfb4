//! What the packet room hands on: one TCP segment, or an ICMP error that quotes one.

use std::net::IpAddr;

use super::flow::Flow;
use crate::span::Stamp;

/// An address and a TCP port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Endpoint {
    /// IPv4 or IPv6 address; an IPv4-mapped IPv6 address stays as it was on the wire.
    pub address: IpAddr,
    /// TCP port.
    pub port: u16,
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.address {
            IpAddr::V4(address) => write!(formatter, "{address}:{}", self.port),
            IpAddr::V6(address) => write!(formatter, "[{address}]:{}", self.port),
        }
    }
}

/// TCP control bits (RFC 9293, section 3.1), as on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// Push.
    pub const PSH: u8 = 0x08;
    /// The acknowledgment field counts.
    pub const ACK: u8 = 0x10;

    /// True where every bit of `bits` is set.
    #[must_use]
    pub const fn has(self, bits: u8) -> bool {
        self.0 & bits == bits
    }
}

/// TCP options that the analysis needs (RFC 9293 3.2, 7323, 2018). Unknown and malformed ones are skipped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Maximum segment size, in octets; on a SYN.
    pub maximum_segment_size: Option<u16>,
    /// Window scale shift; on a SYN.
    pub window_scale: Option<u8>,
    /// SACK permitted; on a SYN.
    pub sack_permitted: bool,
    /// Timestamp value and echo reply.
    pub timestamps: Option<(u32, u32)>,
    /// First SACK block: left and right edge.
    pub sack: Option<(u32, u32)>,
}

/// One TCP segment with what the network layers said about it.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// The frame that carried it (of a fragmented packet: the frame that completed it).
    pub stamp: Stamp,
    /// Who sent it, and to whom.
    pub flow: Flow,
    /// Sequence number of its first octet (of the SYN, where that is set).
    pub sequence: u32,
    /// Acknowledgment number; means something only with the ACK flag.
    pub acknowledgment: u32,
    /// Control bits.
    pub flags: Flags,
    /// Window, unscaled.
    pub window: u16,
    /// Options.
    pub options: Options,
    /// The payload octets that are in the file.
    pub payload: &'a [u8],
    /// The payload's length on the wire, in octets; more than `payload.len()` where a snap length cut it.
    pub payload_length: u32,
    /// IPv4 TTL or IPv6 hop limit.
    pub time_to_live: u8,
    /// IPv4 identification; `None` for IPv6.
    pub ip_identification: Option<u16>,
    /// IPv4 Don't Fragment; true for IPv6.
    pub dont_fragment: bool,
    /// A number for the outermost VLAN, MPLS or tunnel identifiers seen, 0 for none: two copies of one packet on two
    /// VLANs differ in it. Not part of the flow key.
    pub encapsulation: u32,
}

impl Segment<'_> {
    /// The segment without its payload octets, to be carried elsewhere on its own; `payload_length` stays.
    #[must_use]
    pub const fn without_payload(&self) -> Segment<'static> {
        Segment {
            stamp: self.stamp,
            flow: self.flow,
            sequence: self.sequence,
            acknowledgment: self.acknowledgment,
            flags: self.flags,
            window: self.window,
            options: self.options,
            payload: &[],
            payload_length: self.payload_length,
            time_to_live: self.time_to_live,
            ip_identification: self.ip_identification,
            dont_fragment: self.dont_fragment,
            encapsulation: self.encapsulation,
        }
    }

    /// The same segment with these payload octets.
    #[must_use]
    pub const fn with_payload<'a>(&self, payload: &'a [u8]) -> Segment<'a> {
        let mut segment: Segment<'a> = self.without_payload();
        segment.payload = payload;
        segment
    }
}

#[cfg(test)]
impl Segment<'_> {
    /// Gives it other ends.
    pub fn change_ends(&mut self, change: impl FnOnce(&mut Endpoint, &mut Endpoint)) {
        let (mut source, mut destination) = (self.flow.source(), self.flow.destination());
        change(&mut source, &mut destination);
        self.flow = Flow::of(&source, &destination);
    }
}

/// Why the network gave an error (RFC 792, RFC 4443): the type and code as on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IcmpError {
    /// The frame that carried it.
    pub stamp: Stamp,
    /// Who sent the error.
    pub reporter: IpAddr,
    /// True for ICMPv6.
    pub version6: bool,
    /// ICMP type, e.g. 3 (destination unreachable) or 1 for ICMPv6.
    pub kind: u8,
    /// ICMP code.
    pub code: u8,
    /// Next-hop MTU in octets, of 3/4 and ICMPv6 type 2; 0 where not said.
    pub next_hop_mtu: u32,
    /// Source of the quoted segment.
    pub quoted_source: Endpoint,
    /// Destination of the quoted segment.
    pub quoted_destination: Endpoint,
    /// Sequence number of the quoted segment.
    pub quoted_sequence: u32,
}

/// What one frame turned out to carry.
#[derive(Clone, Copy, Debug)]
pub enum Packet<'a> {
    /// A TCP segment.
    Segment(Segment<'a>),
    /// An ICMP error about a TCP segment.
    IcmpError(IcmpError),
    /// Something else, or nothing that could be decoded; counted in [`super::Counts`].
    Other,
}

impl Packet<'_> {
    /// What it carries, lent; `None` where that is nothing.
    #[must_use]
    pub const fn carried(&self) -> Option<Carried<'_>> {
        match self {
            Self::Segment(segment) => Some(Carried::Segment(segment)),
            Self::IcmpError(error) => Some(Carried::IcmpError(error)),
            Self::Other => None,
        }
    }
}

/// What a frame carries, lent where it was read: a segment is large, and there are many.
#[derive(Clone, Copy, Debug)]
pub enum Carried<'a> {
    /// A TCP segment.
    Segment(&'a Segment<'a>),
    /// An ICMP error about a TCP segment.
    IcmpError(&'a IcmpError),
}

impl Carried<'_> {
    /// Who sent the segment and to whom, be it carried or quoted.
    #[must_use]
    #[inline]
    pub fn flow(&self) -> Flow {
        match self {
            Self::Segment(segment) => segment.flow,
            Self::IcmpError(error) => Flow::of(&error.quoted_source, &error.quoted_destination),
        }
    }

    /// The segment; `None` where it is an error.
    #[must_use]
    #[inline]
    pub const fn segment(&self) -> Option<&Segment<'_>> {
        match self {
            Self::Segment(segment) => Some(segment),
            Self::IcmpError(_) => None,
        }
    }

    /// The frame that carried it.
    #[must_use]
    #[inline]
    pub const fn stamp(&self) -> Stamp {
        match self {
            Self::Segment(segment) => segment.stamp,
            Self::IcmpError(error) => error.stamp,
        }
    }

    /// The payload octets that are in the file; none but of a segment.
    #[must_use]
    pub const fn payload(&self) -> &[u8] {
        match self {
            Self::Segment(segment) => segment.payload,
            Self::IcmpError(_) => &[],
        }
    }

    /// A packet of its own with these payload octets, where it is a segment ([`Segment::with_payload`]).
    #[must_use]
    pub const fn with_payload<'b>(&self, payload: &'b [u8]) -> Packet<'b> {
        match self {
            Self::Segment(segment) => Packet::Segment(segment.with_payload(payload)),
            Self::IcmpError(error) => Packet::IcmpError(**error),
        }
    }
}
