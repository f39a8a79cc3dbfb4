//! One look at a frame → "certainly nothing of ours", before anything is decoded. On a mirror port nearly every frame
//! ends here, so it reads a dozen octets and nothing else. Whatever is unusual is not noise: the decoder judges it.

use super::link::{ETHERNET_HEADER, ETHERTYPE_IPV4, ETHERTYPE_IPV6, VLAN_TAG, is_vlan};
use super::tunnel::is_tunnel_port;
use crate::frame::{Frame, LinkType};

const TCP: u8 = 6;
const UDP: u8 = 17;
/// VLAN tags looked behind; a frame with more goes the long way.
const MAXIMUM_TAGS: usize = 2;

/// A set of ports, one bit each (8 KiB).
#[derive(Clone)]
pub struct PortSet {
    bits: Box<[u64; 1024]>,
}

impl PortSet {
    /// The empty set.
    #[must_use]
    pub fn new() -> Self {
        Self {
            bits: Box::new([0; 1024]),
        }
    }

    /// Adds a port.
    pub fn insert(&mut self, port: u16) {
        if let Some(word) = self.bits.get_mut(usize::from(port >> 6)) {
            *word |= 1 << (port & 63);
        }
    }

    /// True where the port is in the set.
    #[must_use]
    pub fn contains(&self, port: u16) -> bool {
        self.bits
            .get(usize::from(port >> 6))
            .is_some_and(|word| word >> (port & 63) & 1 == 1)
    }
}

impl Default for PortSet {
    fn default() -> Self {
        Self::new()
    }
}

impl FromIterator<u16> for PortSet {
    fn from_iter<I: IntoIterator<Item = u16>>(ports: I) -> Self {
        let mut set = Self::new();
        ports.into_iter().for_each(|port| set.insert(port));
        set
    }
}

impl std::fmt::Debug for PortSet {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_set()
            .entries((0..=u16::MAX).filter(|port| self.contains(*port)))
            .finish()
    }
}

/// True where the frame is certainly a TCP or UDP packet with neither port in `ports`, no fragment and no tunnel.
///
/// Never true of a frame from which [`super::Decoder::decode`] would give a segment on one of `ports` or an ICMP
/// error. Looks through Ethernet, up to two VLAN tags, and IPv4 or IPv6 without extension headers.
#[must_use]
#[inline]
pub fn is_noise(frame: &Frame<'_>, ports: &PortSet) -> bool {
    if frame.link_type != LinkType::ETHERNET {
        return false;
    }
    plain_ports(frame.bytes)
        .is_some_and(|(source, destination)| !ports.contains(source) && !ports.contains(destination))
}

/// The ports of a plain TCP or UDP packet over Ethernet; `None` for everything else, UDP tunnels among it.
#[inline]
fn plain_ports(bytes: &[u8]) -> Option<(u16, u16)> {
    let mut at = ETHERNET_HEADER;
    let mut ether_type = u16_at(bytes, 12)?;
    for _ in 0..MAXIMUM_TAGS {
        if !is_vlan(ether_type) {
            break;
        }
        ether_type = u16_at(bytes, at + 2)?;
        at += VLAN_TAG;
    }
    let (protocol, header) = match ether_type {
        ETHERTYPE_IPV4 => {
            let ip = bytes.get(at..)?.first_chunk::<20>()?;
            let is_fragment = u16::from_be_bytes([ip[6], ip[7]]) & 0x3fff != 0;
            if ip[0] >> 4 != 4 || is_fragment {
                return None;
            }
            (ip[9], usize::from(ip[0] & 0x0f) * 4)
        }
        ETHERTYPE_IPV6 => {
            let ip = bytes.get(at..)?.first_chunk::<40>()?;
            if ip[0] >> 4 != 6 {
                return None;
            }
            (ip[6], 40)
        }
        _ => return None,
    };
    let source = u16_at(bytes, at + header)?;
    let destination = u16_at(bytes, at + header + 2)?;
    match protocol {
        TCP => Some((source, destination)),
        UDP if !is_tunnel_port(source) && !is_tunnel_port(destination) => Some((source, destination)),
        _ => None,
    }
}

#[inline]
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let octets = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*octets))
}
