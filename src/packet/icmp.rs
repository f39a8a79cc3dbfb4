//! ICMP (RFC 792, 1191) and ICMPv6 (RFC 4443) errors that quote a TCP segment → [`IcmpError`].
//! A quoted segment is evidence of what was sent, never a segment.

use std::net::IpAddr;

use etherparse::{Ipv4HeaderSlice, Ipv6HeaderSlice};

use super::ip::protocol;
use super::position::{Position, Stop};
use super::segment::{Endpoint, IcmpError};
use crate::span::Stamp;

const ICMP_HEADER: usize = 8;
/// Extension headers walked in a quoted IPv6 packet; one with more is counted as another ICMP message.
const MAXIMUM_QUOTED_EXTENSIONS: usize = 8;

/// The error at `position`; [`Stop::Icmp`] for any other message, or where too little is quoted.
pub(super) fn error(position: &Position<'_>, version6: bool, stamp: Stamp) -> Result<IcmpError, Stop> {
    let [kind, code, _, _, rest @ ..] = *position.array::<ICMP_HEADER>(0)?;
    let is_error = if version6 {
        matches!(kind, 1..=4)
    } else {
        matches!(kind, 3 | 11 | 12)
    };
    if !is_error {
        return Err(Stop::Icmp);
    }
    let next_hop_mtu = match (version6, kind, code) {
        (false, 3, 4) => u32::from_be_bytes(rest) & 0xffff,
        (true, 2, _) => u32::from_be_bytes(rest),
        _ => 0,
    };
    let quotation = position.octets.bytes.get(ICMP_HEADER..).unwrap_or_default();
    let quoted = if version6 {
        quoted_ipv6(quotation)
    } else {
        quoted_ipv4(quotation)
    };
    let (source, destination, segment) = quoted.ok_or(Stop::Icmp)?;
    let Some(&[s0, s1, d0, d1, q0, q1, q2, q3]) = segment.first_chunk::<8>() else {
        return Err(Stop::Icmp);
    };
    Ok(IcmpError {
        stamp,
        reporter: position.network.source,
        version6,
        kind,
        code,
        next_hop_mtu,
        quoted_source: Endpoint {
            address: source,
            port: u16::from_be_bytes([s0, s1]),
        },
        quoted_destination: Endpoint {
            address: destination,
            port: u16::from_be_bytes([d0, d1]),
        },
        quoted_sequence: u32::from_be_bytes([q0, q1, q2, q3]),
    })
}

/// Addresses and the octets of a quoted TCP segment.
type Quotation<'a> = Option<(IpAddr, IpAddr, &'a [u8])>;

fn quoted_ipv4(octets: &[u8]) -> Quotation<'_> {
    let header = Ipv4HeaderSlice::from_slice(octets).ok()?;
    if header.protocol().0 != protocol::TCP || header.fragments_offset().value() != 0 {
        return None;
    }
    let segment = octets.get(header.slice().len()..)?;
    Some((
        IpAddr::V4(header.source_addr()),
        IpAddr::V4(header.destination_addr()),
        segment,
    ))
}

fn quoted_ipv6(octets: &[u8]) -> Quotation<'_> {
    let header = Ipv6HeaderSlice::from_slice(octets).ok()?;
    let mut rest = octets.get(header.slice().len()..)?;
    let mut next = header.next_header().0;
    for _ in 0..=MAXIMUM_QUOTED_EXTENSIONS {
        let length = match next {
            protocol::TCP => {
                return Some((
                    IpAddr::V6(header.source_addr()),
                    IpAddr::V6(header.destination_addr()),
                    rest,
                ));
            }
            protocol::HOP_BY_HOP | protocol::ROUTING | protocol::DESTINATION | protocol::MOBILITY => {
                (usize::from(*rest.get(1)?) + 1) * 8
            }
            protocol::AUTHENTICATION => (usize::from(*rest.get(1)?) + 2) * 4,
            protocol::FRAGMENT if u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]) & 0xfff8 == 0 => 8,
            _ => return None,
        };
        next = *rest.first()?;
        rest = rest.get(length..)?;
    }
    None
}
