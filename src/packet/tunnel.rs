//! Tunnels over IP → the header of what they carry: GRE (RFC 2784, 2890), PPTP's GRE (RFC 2637), ERSPAN types I to III,
//! EtherIP (RFC 3378), VXLAN (RFC 7348), Geneve (RFC 8926). Other tunnels over UDP are counted by port.

use super::link::{
    ETHERTYPE_BRIDGED, ETHERTYPE_IPV4, ETHERTYPE_IPV6, ETHERTYPE_MPLS, ETHERTYPE_MPLS_MULTICAST, is_vlan,
};
use super::position::{Header, Layer, Position, Stop, Tunnel};

pub(super) const UDP_HEADER: usize = 8;
const VXLAN: u16 = 4789;
/// Linux's VXLAN port from before IANA gave one.
const VXLAN_LINUX: u16 = 8472;
const GENEVE: u16 = 6081;
const ETHERTYPE_ERSPAN_2: u16 = 0x88be;
const ETHERTYPE_ERSPAN_3: u16 = 0x22eb;
const ETHERTYPE_PPP: u16 = 0x880b;

/// True for the UDP ports of tunnels: those decoded here, and those counted because they may hide mail (L2TP, GTP-U,
/// Teredo, IPsec through NAT, GRE-in-UDP, VXLAN-GPE, MPLS-in-UDP).
pub(super) fn is_tunnel_port(port: u16) -> bool {
    matches!(
        port,
        VXLAN | VXLAN_LINUX | GENEVE | 1701 | 2152 | 3544 | 4500 | 4754 | 4790 | 6635
    )
}

const CHECKSUM_PRESENT: u16 = 0x8000;
const ROUTING_PRESENT: u16 = 0x4000;
const KEY_PRESENT: u16 = 0x2000;
const SEQUENCE_PRESENT: u16 = 0x1000;
const ACKNOWLEDGMENT_PRESENT: u16 = 0x0080;
const VERSION: u16 = 0x0007;

/// GRE version 0 or 1.
pub(super) fn gre(position: &mut Position<'_>) -> Result<(), Stop> {
    let flags = position.u16(0)?;
    match flags & VERSION {
        // Routing information went away with RFC 2784; what follows it cannot be found without it.
        0 if flags & ROUTING_PRESENT == 0 => gre_0(position, flags),
        1 if flags & KEY_PRESENT != 0 => gre_1(position, flags),
        _ => Err(position.malformed()),
    }
}

fn gre_0(position: &mut Position<'_>, flags: u16) -> Result<(), Stop> {
    let protocol = position.u16(2)?;
    let mut length = 4;
    if flags & CHECKSUM_PRESENT != 0 {
        length += 4;
    }
    let mut key = 0;
    if flags & KEY_PRESENT != 0 {
        key = position.u32(length)?;
        length += 4;
    }
    let has_sequence = flags & SEQUENCE_PRESENT != 0;
    if has_sequence {
        length += 4;
    }
    let layer = match protocol {
        // Type I has neither sequence number nor a header of its own.
        ETHERTYPE_ERSPAN_2 if has_sequence => Layer::Erspan2,
        ETHERTYPE_ERSPAN_2 => Layer::Ethernet,
        ETHERTYPE_ERSPAN_3 => Layer::Erspan3,
        ETHERTYPE_PPP => Layer::Ppp,
        other => payload_layer(other)?,
    };
    position.encapsulate(Tunnel::Gre, key);
    position.enter(length, layer)
}

fn gre_1(position: &mut Position<'_>, flags: u16) -> Result<(), Stop> {
    let [p0, p1, l0, l1, call @ ..] = *position.array::<6>(2)?;
    let protocol = u16::from_be_bytes([p0, p1]);
    if protocol != ETHERTYPE_PPP {
        return Err(Stop::EtherType(protocol));
    }
    // Without a sequence number it acknowledges only (RFC 2637, 4.1).
    if flags & SEQUENCE_PRESENT == 0 {
        return Err(Stop::Protocol(super::ip::protocol::GRE));
    }
    let length = if flags & ACKNOWLEDGMENT_PRESENT == 0 { 12 } else { 16 };
    position.encapsulate(Tunnel::Gre, u32::from(u16::from_be_bytes(call)));
    position.enter(length, Layer::Ppp)?;
    position.octets = position.octets.limited(usize::from(u16::from_be_bytes([l0, l1])));
    Ok(())
}

/// What an EtherType announces behind a tunnel header, where small numbers are not lengths.
fn payload_layer(ether_type: u16) -> Result<Layer, Stop> {
    match ether_type {
        ETHERTYPE_IPV4 => Ok(Layer::Ipv4),
        ETHERTYPE_IPV6 => Ok(Layer::Ipv6),
        ETHERTYPE_BRIDGED => Ok(Layer::Ethernet),
        ETHERTYPE_MPLS | ETHERTYPE_MPLS_MULTICAST => Ok(Layer::Mpls),
        tag if is_vlan(tag) => Ok(Layer::EtherType(tag)),
        other => Err(Stop::EtherType(other)),
    }
}

/// ERSPAN type II: 8 octets with the session in the low 10 bits of the first word.
pub(super) fn erspan_2(position: &mut Position<'_>) -> Result<(), Stop> {
    let word = position.u32(0)?;
    position.encapsulate(Tunnel::Erspan, word & 0x3ff);
    position.enter(8, Layer::Ethernet)
}

/// ERSPAN type III: 12 octets, 8 more where the last bit says so; carries Ethernet (frame type 0) or IP (2).
pub(super) fn erspan_3(position: &mut Position<'_>) -> Result<(), Stop> {
    let word = position.u32(0)?;
    let last = position.u16(10)?;
    let length = if last & 1 == 1 { 20 } else { 12 };
    let layer = match (last >> 10) & 0x1f {
        0 => Layer::Ethernet,
        2 => Layer::Ip,
        _ => return Err(position.malformed()),
    };
    position.encapsulate(Tunnel::Erspan, word & 0x3ff);
    position.enter(length, layer)
}

/// EtherIP: 2 octets, version 3.
pub(super) fn ether_ip(position: &mut Position<'_>) -> Result<(), Stop> {
    if position.u8(0)? >> 4 != 3 {
        return Err(position.malformed());
    }
    position.encapsulate(Tunnel::EtherIp, 0);
    position.enter(2, Layer::Ethernet)
}

/// UDP (RFC 768): goes on where a tunnel is at the destination port.
pub(super) fn udp(position: &mut Position<'_>) -> Result<(), Stop> {
    let [s0, s1, d0, d1, l0, l1, _, _] = *position.array::<UDP_HEADER>(0)?;
    let (source, destination) = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
    match usize::from(u16::from_be_bytes([l0, l1])) {
        // 0 is a jumbogram (RFC 2675) or offload.
        0 => {}
        length if length < UDP_HEADER => return Err(position.malformed()),
        length => position.octets = position.octets.limited(length),
    }
    match destination {
        VXLAN | VXLAN_LINUX => vxlan(position, destination),
        GENEVE => geneve(position),
        port if is_tunnel_port(port) => Err(Stop::UdpTunnel(port)),
        _ if is_tunnel_port(source) => Err(Stop::UdpTunnel(source)),
        _ => Err(Stop::Udp),
    }
}

fn vxlan(position: &mut Position<'_>, port: u16) -> Result<(), Stop> {
    const VALID_NETWORK: u8 = 0x08;
    let [flags, _, _, _, network @ .., _] = *tunnel_header::<8>(position)?;
    if flags & VALID_NETWORK == 0 {
        return Err(Stop::UdpTunnel(port));
    }
    let [n0, n1, n2] = network;
    position.encapsulate(Tunnel::Vxlan, u32::from_be_bytes([0, n0, n1, n2]));
    position.enter(UDP_HEADER + 8, Layer::Ethernet)
}

fn geneve(position: &mut Position<'_>) -> Result<(), Stop> {
    let [first, _, p0, p1, n0, n1, n2, _] = *tunnel_header::<8>(position)?;
    if first >> 6 != 0 {
        return Err(Stop::UdpTunnel(GENEVE));
    }
    let options = usize::from(first & 0x3f) * 4;
    let layer = payload_layer(u16::from_be_bytes([p0, p1]))?;
    position.encapsulate(Tunnel::Geneve, u32::from_be_bytes([0, n0, n1, n2]));
    position.enter(UDP_HEADER + 8 + options, layer)
}

fn tunnel_header<'a, const N: usize>(position: &Position<'a>) -> Result<&'a [u8; N], Stop> {
    position.array(UDP_HEADER).map_err(|_| Stop::Short(Header::Tunnel))
}
