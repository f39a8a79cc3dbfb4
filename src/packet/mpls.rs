//! MPLS label stacks (RFC 3032) → the IP or Ethernet header behind them. MPLS does not say what it carries: the first
//! nibble is looked at, as routers do (RFC 4928), then whether an Ethernet header fits (RFC 4385, 4448).

use etherparse::Ipv4HeaderSlice;

use super::checksum;
use super::link::{ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, ETHERTYPE_MPLS, ETHERTYPE_PPPOE_SESSION, is_vlan};
use super::position::{Layer, Octets, Position, Stop, Tunnel};

const LABEL: usize = 4;
const CONTROL_WORD: usize = 4;
const BOTTOM_OF_STACK: u32 = 0x100;

/// Takes one label; behind the last one, guesses.
pub(super) fn label(position: &mut Position<'_>) -> Result<(), Stop> {
    let entry = position.u32(0)?;
    position.encapsulate(Tunnel::Mpls, entry >> 12);
    position.enter(LABEL, Layer::Mpls)?;
    if entry & BOTTOM_OF_STACK == 0 {
        return Ok(());
    }
    let first = position.u8(0)?;
    match first >> 4 {
        4 if is_ipv4(position.octets) || !is_ethernet(position.octets, 0) => position.enter(0, Layer::Ipv4),
        6 if is_ipv6(position.octets) || !is_ethernet(position.octets, 0) => position.enter(0, Layer::Ipv6),
        0 if is_ethernet(position.octets, CONTROL_WORD) => position.enter(CONTROL_WORD, Layer::Ethernet),
        _ if is_ethernet(position.octets, 0) => position.enter(0, Layer::Ethernet),
        _ => Err(Stop::MplsPayload),
    }
}

/// A right checksum is no accident: it tells an IPv4 header from a MAC address that begins with 4.
fn is_ipv4(octets: Octets<'_>) -> bool {
    Ipv4HeaderSlice::from_slice(octets.bytes).is_ok_and(|header| checksum::ipv4_header_is_right(header.slice()))
}

/// IPv6 has no checksum, but its length fits exactly.
fn is_ipv6(octets: Octets<'_>) -> bool {
    let Some(&[_, _, _, _, high, low]) = octets.bytes.first_chunk::<6>() else {
        return false;
    };
    usize::from(u16::from_be_bytes([high, low])) + 40 == octets.wire
}

fn is_ethernet(octets: Octets<'_>, at: usize) -> bool {
    let Some(&[high, low]) = octets.bytes.get(at + 12..).and_then(<[u8]>::first_chunk) else {
        return false;
    };
    match u16::from_be_bytes([high, low]) {
        ETHERTYPE_IPV4 | ETHERTYPE_IPV6 | ETHERTYPE_ARP | ETHERTYPE_MPLS | ETHERTYPE_PPPOE_SESSION => true,
        other => is_vlan(other),
    }
}
