//! IPv4 (RFC 791), IPv6 (RFC 8200) and its extension headers, Authentication Header (RFC 4302) → the protocol behind
//! them, or a fragment to put together. Trusts the IP length over the frame's, so that an Ethernet trailer is not
//! payload; a length of 0 is segmentation offload or a jumbogram, and means the rest of the frame.

use std::net::{IpAddr, Ipv6Addr};

use etherparse::{Ipv4HeaderSlice, Ipv6HeaderSlice, err};

use super::checksum;
use super::counts::ChecksumCounts;
use super::position::{Layer, Network, Passage, Position, Stop, Tunnel};

const IPV6_HEADER: usize = 40;
const FRAGMENT_HEADER: usize = 8;

pub(super) mod protocol {
    pub(in crate::packet) const HOP_BY_HOP: u8 = 0;
    pub(in crate::packet) const ICMP: u8 = 1;
    pub(in crate::packet) const IPV4: u8 = 4;
    pub(in crate::packet) const TCP: u8 = 6;
    pub(in crate::packet) const UDP: u8 = 17;
    pub(in crate::packet) const IPV6: u8 = 41;
    pub(in crate::packet) const ROUTING: u8 = 43;
    pub(in crate::packet) const FRAGMENT: u8 = 44;
    pub(in crate::packet) const GRE: u8 = 47;
    pub(in crate::packet) const AUTHENTICATION: u8 = 51;
    pub(in crate::packet) const ICMPV6: u8 = 58;
    pub(in crate::packet) const DESTINATION: u8 = 60;
    pub(in crate::packet) const ETHER_IP: u8 = 97;
    pub(in crate::packet) const MOBILITY: u8 = 135;
    pub(in crate::packet) const MPLS: u8 = 137;
    pub(in crate::packet) const HOST_IDENTITY: u8 = 139;
    pub(in crate::packet) const SHIM6: u8 = 140;
}

/// Raw IP: the version nibble decides.
pub(super) fn either(position: &mut Position<'_>) -> Result<(), Stop> {
    match position.u8(0)? >> 4 {
        4 => position.enter(0, Layer::Ipv4),
        6 => position.enter(0, Layer::Ipv6),
        _ => Err(position.malformed()),
    }
}

pub(super) fn ipv4(position: &mut Position<'_>, checksums: Option<&mut ChecksumCounts>) -> Result<(), Stop> {
    let header = match Ipv4HeaderSlice::from_slice(position.octets.bytes) {
        Ok(header) => header,
        Err(err::ipv4::HeaderSliceError::Len(_)) => return Err(position.short()),
        Err(err::ipv4::HeaderSliceError::Content(_)) => return Err(position.malformed()),
    };
    let header_length = header.slice().len();
    match usize::from(header.total_len()) {
        0 => {}
        length if length < header_length => return Err(position.malformed()),
        length => position.octets = position.octets.measured(length),
    }
    if let Some(checksums) = checksums {
        checksums.ipv4_verified += 1;
        checksums.ipv4_bad += u64::from(!checksum::ipv4_header_is_right(header.slice()));
    }
    position.network = Network {
        source: IpAddr::V4(header.source_addr()),
        destination: IpAddr::V4(header.destination_addr()),
        passage: Passage {
            time_to_live: header.ttl(),
            identification: Some(header.identification()),
            dont_fragment: header.dont_fragment(),
        },
    };
    let layer = if header.is_fragmenting_payload() {
        Layer::Fragment {
            identification: u32::from(header.identification()),
            offset: u32::from(header.fragments_offset().value()) * 8,
            more: header.more_fragments(),
            protocol: header.protocol().0,
        }
    } else {
        Layer::Protocol(header.protocol().0)
    };
    position.enter(header_length, layer)
}

pub(super) fn ipv6(position: &mut Position<'_>) -> Result<(), Stop> {
    let header = match Ipv6HeaderSlice::from_slice(position.octets.bytes) {
        Ok(header) => header,
        Err(err::ipv6::HeaderSliceError::Len(_)) => return Err(position.short()),
        Err(err::ipv6::HeaderSliceError::Content(_)) => return Err(position.malformed()),
    };
    match usize::from(header.payload_length()) {
        0 => {}
        length => position.octets = position.octets.measured(IPV6_HEADER + length),
    }
    position.network = Network {
        source: IpAddr::V6(header.source_addr()),
        destination: IpAddr::V6(header.destination_addr()),
        passage: Passage {
            time_to_live: header.hop_limit(),
            identification: None,
            dont_fragment: true,
        },
    };
    position.enter(IPV6_HEADER, Layer::Protocol(header.next_header().0))
}

/// Goes into a tunnel or past an extension header; `Err` with the protocol where it is neither.
pub(super) fn protocol(position: &mut Position<'_>, number: u8) -> Result<(), Stop> {
    match number {
        protocol::IPV4 => {
            position.encapsulate(Tunnel::Ip, 4);
            position.enter(0, Layer::Ipv4)
        }
        protocol::IPV6 => {
            position.encapsulate(Tunnel::Ip, 6);
            position.enter(0, Layer::Ipv6)
        }
        protocol::MPLS => position.enter(0, Layer::Mpls),
        protocol::AUTHENTICATION => {
            let [next, length] = *position.array::<2>(0)?;
            position.enter((usize::from(length) + 2) * 4, Layer::Protocol(next))
        }
        other if position.network.source.is_ipv6() => extension(position, other),
        other => Err(Stop::Protocol(other)),
    }
}

/// IPv6 extension headers; as IPv4 protocols the same numbers are nothing known.
fn extension(position: &mut Position<'_>, number: u8) -> Result<(), Stop> {
    match number {
        protocol::HOP_BY_HOP
        | protocol::DESTINATION
        | protocol::MOBILITY
        | protocol::HOST_IDENTITY
        | protocol::SHIM6 => {
            let [next, length] = *position.array::<2>(0)?;
            position.enter((usize::from(length) + 1) * 8, Layer::Protocol(next))
        }
        protocol::ROUTING => routing(position),
        protocol::FRAGMENT => fragment(position),
        other => Err(Stop::Protocol(other)),
    }
}

/// Routing header: the IP header names the next waypoint, this one the end of the way, which the other direction of
/// the connection has as its source (RFC 8200, 4.4; RFC 8754 for type 4; RFC 6275 for type 2).
fn routing(position: &mut Position<'_>) -> Result<(), Stop> {
    let [next, length, kind, segments_left] = *position.array::<4>(0)?;
    let last = match kind {
        4 => Some(8),
        0 | 2 if length >= 2 => Some((usize::from(length) / 2) * 16 - 8),
        _ => None,
    };
    if let Some(at) = last
        && segments_left > 0
        && length >= 2
    {
        position.network.destination = IpAddr::V6(Ipv6Addr::from(*position.array::<16>(at)?));
    }
    position.enter((usize::from(length) + 1) * 8, Layer::Protocol(next))
}

/// Fragment header; an atomic fragment (RFC 6946) is whole and goes on.
fn fragment(position: &mut Position<'_>) -> Result<(), Stop> {
    let [next, _, high, low, identification @ ..] = *position.array::<8>(0)?;
    let field = u16::from_be_bytes([high, low]);
    let offset = u32::from(field & 0xfff8);
    let more = field & 1 == 1;
    let layer = if offset == 0 && !more {
        Layer::Protocol(next)
    } else {
        Layer::Fragment {
            identification: u32::from_be_bytes(identification),
            offset,
            more,
            protocol: next,
        }
    };
    position.enter(FRAGMENT_HEADER, layer)
}
