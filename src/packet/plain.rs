//! The frame of every day: Ethernet, up to two VLAN tags, IPv4 or IPv6 without extension headers, TCP or UDP, no fragment.
//! One look tells its ports, so that noise goes no further (on a mirror port nearly every frame), and a segment of ours
//! is read without the long way over one header after another. Whatever is unusual is left to the decoder's loop: what
//! both of them can read, both read alike (a test holds them against each other).

use super::flow::Flow;
use super::link::{ETHERNET_HEADER, ETHERTYPE_IPV4, ETHERTYPE_IPV6, VLAN_TAG, is_vlan};
use super::ports::PortSet;
use super::position::{Octets, Passage, Tunnel, encapsulate};
use super::segment::Segment;
use super::transport;
use super::tunnel::is_tunnel_port;
use crate::frame::{Frame, LinkType};
use crate::span::Stamp;

const TCP: u8 = 6;
const UDP: u8 = 17;
const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
/// VLAN tags looked behind; a frame with more goes the long way.
const MAXIMUM_TAGS: usize = 2;

/// Where the headers of a plain frame stand, and its ports.
#[derive(Clone, Copy, Debug)]
pub struct Plain {
    /// Offset of the IP header in the frame.
    ip: usize,
    /// Octets of the IP header.
    header: usize,
    version6: bool,
    protocol: u8,
    /// Source port.
    pub source: u16,
    /// Destination port.
    pub destination: u16,
}

impl Plain {
    /// Looks at a frame; `None` where it is not plain: other link types, extension headers, fragments, UDP tunnels, what is
    /// cut before the ports.
    #[must_use]
    #[inline(always)]
    pub fn of(frame: &Frame<'_>) -> Option<Self> {
        if frame.link_type != LinkType::ETHERNET {
            return None;
        }
        let bytes = frame.bytes;
        let mut ip = ETHERNET_HEADER;
        let mut ether_type = u16_at(bytes, 12)?;
        for _ in 0..MAXIMUM_TAGS {
            if !is_vlan(ether_type) {
                break;
            }
            ether_type = u16_at(bytes, ip + 2)?;
            ip += VLAN_TAG;
        }
        let (protocol, header) = match ether_type {
            ETHERTYPE_IPV4 => {
                let ip = bytes.get(ip..)?.first_chunk::<IPV4_HEADER>()?;
                let is_fragment = u16::from_be_bytes([ip[6], ip[7]]) & 0x3fff != 0;
                if ip[0] >> 4 != 4 || is_fragment {
                    return None;
                }
                (ip[9], usize::from(ip[0] & 0x0f) * 4)
            }
            ETHERTYPE_IPV6 => {
                let ip = bytes.get(ip..)?.first_chunk::<IPV6_HEADER>()?;
                if ip[0] >> 4 != 6 {
                    return None;
                }
                (ip[6], IPV6_HEADER)
            }
            _ => return None,
        };
        let plain = Self {
            ip,
            header,
            version6: ether_type == ETHERTYPE_IPV6,
            protocol,
            source: u16_at(bytes, ip + header)?,
            destination: u16_at(bytes, ip + header + 2)?,
        };
        let is_plain = match protocol {
            TCP => true,
            UDP => !is_tunnel_port(plain.source) && !is_tunnel_port(plain.destination),
            _ => false,
        };
        is_plain.then_some(plain)
    }

    /// True where neither port is in `ports`: certainly nothing of ours.
    #[must_use]
    #[inline]
    pub fn is_noise(&self, ports: &PortSet) -> bool {
        !ports.contains(self.source) && !ports.contains(self.destination)
    }

    /// Lends the TCP segment in the frame that was looked at to `take`, and whether its options are cut; `None` for UDP,
    /// and for what is odd: the decoder's loop says of that what it is.
    #[inline(always)]
    pub(super) fn segment<'a, R>(
        &self,
        frame: &Frame<'a>,
        stamp: Stamp,
        take: impl FnOnce(&Segment<'a>, bool) -> R,
    ) -> Option<R> {
        if self.protocol != TCP {
            return None;
        }
        let packet = frame.bytes.get(self.ip..)?;
        let encapsulation = match self.ip {
            ETHERNET_HEADER => 0,
            _ => tags(frame.bytes.get(ETHERNET_HEADER..self.ip)?),
        };
        // Each version on a way of its own, where its addresses go to their place without a detour.
        if self.version6 {
            let ip = packet.first_chunk::<IPV6_HEADER>()?;
            let octets = self.payload(packet, ipv6_length(ip)?)?;
            let flow = |source, destination| {
                Flow::version6((ipv6_address(ip, 8), source), (ipv6_address(ip, 24), destination))
            };
            transport::read(octets, flow, ipv6_passage(ip), encapsulation, stamp, take).ok()
        } else {
            let ip = packet.first_chunk::<IPV4_HEADER>()?;
            let octets = self.payload(packet, ipv4_length(ip, self.header)?)?;
            let flow = |source, destination| {
                let address = |at: [u8; 4]| u32::from_be_bytes(at);
                let ends = (
                    address([ip[12], ip[13], ip[14], ip[15]]),
                    address([ip[16], ip[17], ip[18], ip[19]]),
                );
                Flow::version4((ends.0, source), (ends.1, destination))
            };
            transport::read(octets, flow, ipv4_passage(ip), encapsulation, stamp, take).ok()
        }
    }

    /// What follows the IP header of a packet that is as long as that header says, be it in the file or not.
    #[inline(always)]
    fn payload<'a>(&self, packet: &'a [u8], length: usize) -> Option<Octets<'a>> {
        let packet = packet.get(..length).unwrap_or(packet);
        Some(Octets::new(packet.get(self.header..)?, length - self.header))
    }
}

/// The number of the VLAN tags.
#[inline(never)]
fn tags(tags: &[u8]) -> u32 {
    let tags = tags.chunks_exact(VLAN_TAG).filter_map(|tag| u16_at(tag, 0));
    tags.fold(0, |number, tag| {
        encapsulate(number, Tunnel::Vlan, u32::from(tag & 0x0fff))
    })
}

/// Octets of the whole packet, as its header says; `None` where that cannot be.
#[inline(always)]
fn ipv4_length(ip: &[u8; IPV4_HEADER], header: usize) -> Option<usize> {
    let length = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
    (header >= IPV4_HEADER && length >= header).then_some(length)
}

#[inline(always)]
fn ipv4_passage(ip: &[u8; IPV4_HEADER]) -> Passage {
    Passage {
        time_to_live: ip[8],
        identification: Some(u16::from_be_bytes([ip[4], ip[5]])),
        dont_fragment: ip[6] & 0x40 != 0,
    }
}

/// The same; a length of 0 stands for one that the header cannot say.
#[inline(always)]
fn ipv6_length(ip: &[u8; IPV6_HEADER]) -> Option<usize> {
    let length = usize::from(u16::from_be_bytes([ip[4], ip[5]]));
    (length > 0).then_some(IPV6_HEADER + length)
}

#[inline(always)]
fn ipv6_passage(ip: &[u8; IPV6_HEADER]) -> Passage {
    Passage {
        time_to_live: ip[7],
        identification: None,
        dont_fragment: true,
    }
}

#[inline(always)]
fn ipv6_address(ip: &[u8; IPV6_HEADER], at: usize) -> u128 {
    let octets = ip.get(at..).and_then(|octets| octets.first_chunk());
    octets.map_or(0, |octets| u128::from_be_bytes(*octets))
}

/// True where the frame is certainly a TCP or UDP packet with neither port in `ports`, no fragment and no tunnel.
///
/// Never true of a frame from which [`super::Decoder::decode`] would give a segment on one of `ports` or an ICMP
/// error. Looks through Ethernet, up to two VLAN tags, and IPv4 or IPv6 without extension headers.
#[must_use]
#[inline]
pub fn is_noise(frame: &Frame<'_>, ports: &PortSet) -> bool {
    Plain::of(frame).is_some_and(|plain| plain.is_noise(ports))
}

#[inline]
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let octets = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*octets))
}
