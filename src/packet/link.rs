//! Link headers → the EtherType or IP header behind them: Ethernet II and IEEE 802.3 with LLC and SNAP (RFC 1042),
//! VLAN tags (IEEE 802.1Q, 802.1ad and older), backbone tags (802.1ah), Linux cooked v1 and v2, BSD loopback, raw IP.

use super::position::{Layer, Position, Stop, Tunnel};
use crate::frame::LinkType;

pub(super) const ETHERNET_HEADER: usize = 14;
pub(super) const VLAN_TAG: usize = 4;
/// A larger number in the type field is an EtherType; this or less is a length (IEEE 802.3, 3.2.6).
const MAXIMUM_LENGTH: u16 = 1500;
/// Cisco HDLC: not among the named link types of the frame, but one step away.
const LINK_CISCO_HDLC: u16 = 104;

pub(super) const ETHERTYPE_IPV4: u16 = 0x0800;
pub(super) const ETHERTYPE_IPV6: u16 = 0x86dd;
pub(super) const ETHERTYPE_ARP: u16 = 0x0806;
pub(super) const ETHERTYPE_PPPOE_SESSION: u16 = 0x8864;
pub(super) const ETHERTYPE_MPLS: u16 = 0x8847;
pub(super) const ETHERTYPE_MPLS_MULTICAST: u16 = 0x8848;
pub(super) const ETHERTYPE_BRIDGED: u16 = 0x6558;
const ETHERTYPE_BACKBONE: u16 = 0x88e7;

/// True for the tag protocol identifiers of a VLAN tag: 802.1Q, 802.1ad, and three that came before it.
pub(super) fn is_vlan(ether_type: u16) -> bool {
    matches!(ether_type, 0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300)
}

/// The first header of a frame.
pub(super) fn first_layer(link_type: LinkType) -> Result<Layer, Stop> {
    match link_type {
        LinkType::ETHERNET => Ok(Layer::Ethernet),
        LinkType::NULL | LinkType::LOOP => Ok(Layer::Loopback),
        LinkType::PPP | LinkType::PPP_HDLC => Ok(Layer::Ppp),
        LinkType::PPP_ETHER => Ok(Layer::PppoeSession),
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD => Ok(Layer::Ip),
        LinkType::IPV4 => Ok(Layer::Ipv4),
        LinkType::IPV6 => Ok(Layer::Ipv6),
        LinkType::LINUX_SLL => Ok(Layer::LinuxCooked),
        LinkType::LINUX_SLL2 => Ok(Layer::LinuxCooked2),
        LinkType(LINK_CISCO_HDLC) => Ok(Layer::CiscoHdlc),
        LinkType(other) => Err(Stop::LinkType(other)),
    }
}

pub(super) fn ethernet(position: &mut Position<'_>) -> Result<(), Stop> {
    let ether_type = position.u16(12)?;
    position.enter(ETHERNET_HEADER, Layer::EtherType(ether_type))
}

/// Follows an EtherType; takes the VLAN tag where it is one.
pub(super) fn ether_type(position: &mut Position<'_>, ether_type: u16) -> Result<(), Stop> {
    position.layer = match ether_type {
        ETHERTYPE_IPV4 => Layer::Ipv4,
        ETHERTYPE_IPV6 => Layer::Ipv6,
        tag if is_vlan(tag) => return vlan(position),
        ETHERTYPE_MPLS | ETHERTYPE_MPLS_MULTICAST => Layer::Mpls,
        ETHERTYPE_PPPOE_SESSION => Layer::PppoeSession,
        ETHERTYPE_BACKBONE => Layer::BackboneTag,
        ETHERTYPE_ARP => return Err(Stop::Arp),
        length if length <= MAXIMUM_LENGTH => {
            position.octets = position.octets.limited(usize::from(length));
            Layer::LogicalLinkControl
        }
        other => return Err(Stop::EtherType(other)),
    };
    Ok(())
}

fn vlan(position: &mut Position<'_>) -> Result<(), Stop> {
    let tag = position.u16(0)?;
    let ether_type = position.u16(2)?;
    position.encapsulate(Tunnel::Vlan, u32::from(tag & 0x0fff));
    position.enter(VLAN_TAG, Layer::EtherType(ether_type))
}

/// IEEE 802.1ah: 4 octets with the service identifier, then the customer's Ethernet frame.
pub(super) fn backbone_tag(position: &mut Position<'_>) -> Result<(), Stop> {
    let tag = position.u32(0)?;
    position.encapsulate(Tunnel::Backbone, tag & 0x00ff_ffff);
    position.enter(4, Layer::Ethernet)
}

/// LLC (IEEE 802.2) and, for SAP 0xAA, SNAP.
pub(super) fn logical_link_control(position: &mut Position<'_>) -> Result<(), Stop> {
    match *position.array::<3>(0)? {
        [0xaa, 0xaa, 0x03] => {
            let ether_type = position.u16(6)?;
            match *position.array::<3>(3)? {
                // 00-00-F8 is IEEE 802.1H's tunnel encapsulation of the same EtherTypes.
                [0, 0, 0] | [0, 0, 0xf8] if ether_type > MAXIMUM_LENGTH => {
                    position.enter(8, Layer::EtherType(ether_type))
                }
                _ => Err(Stop::LogicalLink(0xaaaa)),
            }
        }
        [0x06, 0x06, 0x03] => position.enter(3, Layer::Ipv4),
        [destination, source, _] => Err(Stop::LogicalLink(u16::from_be_bytes([destination, source]))),
    }
}

/// Linux cooked capture v1: 16 octets, the protocol last.
pub(super) fn linux_cooked(position: &mut Position<'_>) -> Result<(), Stop> {
    let protocol = position.u16(14)?;
    position.enter(16, cooked_protocol(protocol)?)
}

/// Linux cooked capture v2: 20 octets, the protocol first.
pub(super) fn linux_cooked_2(position: &mut Position<'_>) -> Result<(), Stop> {
    let protocol = position.u16(0)?;
    position.enter(20, cooked_protocol(protocol)?)
}

/// Below 1536 Linux has numbers of its own (`ETH_P_802_2` is 4), which are not lengths.
fn cooked_protocol(protocol: u16) -> Result<Layer, Stop> {
    match protocol {
        4 => Ok(Layer::LogicalLinkControl),
        0..=MAXIMUM_LENGTH => Err(Stop::EtherType(protocol)),
        _ => Ok(Layer::EtherType(protocol)),
    }
}

/// BSD loopback: the writer's AF_INET6 differs between systems (10 Linux, 23 Windows, 24, 28, 30 the BSDs and macOS),
/// and so does its byte order.
pub(super) fn loopback(position: &mut Position<'_>) -> Result<(), Stop> {
    let family = position.u32(0)?;
    let family = if family > 0xffff { family.swap_bytes() } else { family };
    match family {
        2 => position.enter(4, Layer::Ipv4),
        10 | 23 | 24 | 28 | 30 => position.enter(4, Layer::Ipv6),
        other => Err(Stop::LinkFamily(other)),
    }
}
