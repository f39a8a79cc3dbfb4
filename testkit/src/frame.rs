//! Turns the fields of one TCP segment into link-layer bytes: Ethernet (IEEE 802.1Q tags), IPv4 (RFC 791), IPv6
//! (RFC 8200), TCP (RFC 9293), ICMP errors that quote a packet (RFC 792, RFC 4443), IPv4 and IPv6 fragments.
//!
//! All checksums are right unless a field asks for a wrong one. Must not know sessions, time or scripts.

use std::net::{IpAddr, SocketAddr};

/// TCP flag FIN.
pub const FIN: u8 = 0x01;
/// TCP flag SYN.
pub const SYN: u8 = 0x02;
/// TCP flag RST.
pub const RST: u8 = 0x04;
/// TCP flag PSH.
pub const PSH: u8 = 0x08;
/// TCP flag ACK.
pub const ACK: u8 = 0x10;

/// One TCP segment with everything below it, ready to become a frame.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Sender: address and port.
    pub source: SocketAddr,
    /// Receiver: address and port; the same IP version as the sender's.
    pub destination: SocketAddr,
    /// Sender's MAC address.
    pub source_mac: [u8; 6],
    /// Receiver's MAC address.
    pub destination_mac: [u8; 6],
    /// VLAN identifiers from the outside in: none, one (802.1Q) or more (the outer ones as 802.1ad).
    pub vlans: Vec<u16>,
    /// Time to live or hop limit as the capture point sees it.
    pub ttl: u8,
    /// IPv4 identification; also the identification of fragments.
    pub identification: u16,
    /// IPv4 "don't fragment".
    pub dont_fragment: bool,
    /// TCP sequence number.
    pub sequence: u32,
    /// TCP acknowledgment number, written as given even without the ACK flag.
    pub acknowledgment: u32,
    /// TCP flags, the constants of this module or-ed together.
    pub flags: u8,
    /// TCP window as on the wire, not scaled.
    pub window: u16,
    /// TCP options, padded here to a multiple of four bytes with NOP; at most 40 bytes.
    pub options: Vec<u8>,
    /// TCP payload.
    pub payload: Vec<u8>,
    /// Write a TCP checksum as an unfinished offload leaves it: the pseudo header's sum only.
    pub unfinished_checksum: bool,
}

impl Segment {
    /// A bare ACK between two sockets; set the public fields for anything else.
    pub fn new(source: SocketAddr, destination: SocketAddr) -> Segment {
        Segment {
            source,
            destination,
            source_mac: [2, 0, 0, 0, 0, 1],
            destination_mac: [2, 0, 0, 0, 0, 2],
            vlans: Vec::new(),
            ttl: 64,
            identification: 1,
            dont_fragment: true,
            sequence: 1,
            acknowledgment: 1,
            flags: ACK,
            window: 502,
            options: Vec::new(),
            payload: Vec::new(),
            unfinished_checksum: false,
        }
    }

    /// The TCP header and payload with checksum.
    pub fn tcp(&self) -> Vec<u8> {
        let mut options = self.options.clone();
        while !options.len().is_multiple_of(4) {
            options.push(1);
        }
        assert!(options.len() <= 40, "TCP options are longer than 40 bytes");
        let mut tcp = Vec::with_capacity(20 + options.len() + self.payload.len());
        tcp.extend_from_slice(&self.source.port().to_be_bytes());
        tcp.extend_from_slice(&self.destination.port().to_be_bytes());
        tcp.extend_from_slice(&self.sequence.to_be_bytes());
        tcp.extend_from_slice(&self.acknowledgment.to_be_bytes());
        tcp.push(((5 + options.len() / 4) << 4) as u8);
        tcp.push(self.flags);
        tcp.extend_from_slice(&self.window.to_be_bytes());
        tcp.extend_from_slice(&[0, 0, 0, 0]);
        tcp.extend_from_slice(&options);
        tcp.extend_from_slice(&self.payload);
        let pseudo = pseudo_header(self.source.ip(), self.destination.ip(), 6, tcp.len());
        let checksum = match self.unfinished_checksum {
            true => !checksum(&[&pseudo]),
            false => checksum(&[&pseudo, &tcp]),
        };
        tcp[16..18].copy_from_slice(&checksum.to_be_bytes());
        tcp
    }

    /// The IP packet that carries the segment.
    pub fn packet(&self) -> Vec<u8> {
        ip_packet(
            self.source.ip(),
            self.destination.ip(),
            self.ttl,
            self.identification,
            self.dont_fragment,
            6,
            &self.tcp(),
        )
    }

    /// The Ethernet frame that carries the segment (padded to 60 bytes as on a wire).
    pub fn frame(&self) -> Vec<u8> {
        self.wrap(&self.packet())
    }

    /// The frames of the segment's packet cut into IP fragments of at most `size` bytes of IP packet each.
    pub fn fragments(&self, size: usize) -> Vec<Vec<u8>> {
        fragments(&self.packet(), size, self.identification)
            .iter()
            .map(|packet| self.wrap(packet))
            .collect()
    }

    /// Any IP packet in this segment's Ethernet and VLAN headers.
    pub fn wrap(&self, packet: &[u8]) -> Vec<u8> {
        ethernet(self.source_mac, self.destination_mac, &self.vlans, packet)
    }
}

/// An Ethernet frame around an IP packet, padded to 60 bytes; the EtherType follows the packet's version.
pub fn ethernet(source: [u8; 6], destination: [u8; 6], vlans: &[u16], packet: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(18 + packet.len());
    frame.extend_from_slice(&destination);
    frame.extend_from_slice(&source);
    for (index, vlan) in vlans.iter().enumerate() {
        let outer = index + 1 < vlans.len();
        frame.extend_from_slice(if outer { &[0x88, 0xa8] } else { &[0x81, 0x00] });
        frame.extend_from_slice(&(vlan & 0x0fff).to_be_bytes());
    }
    let version = packet.first().map_or(4, |byte| byte >> 4);
    frame.extend_from_slice(if version == 6 { &[0x86, 0xdd] } else { &[0x08, 0x00] });
    frame.extend_from_slice(packet);
    if frame.len() < 60 {
        frame.resize(60, 0);
    }
    frame
}

/// An IP packet around a transport payload; the version follows the addresses, which must agree.
pub fn ip_packet(
    source: IpAddr,
    destination: IpAddr,
    ttl: u8,
    identification: u16,
    dont_fragment: bool,
    protocol: u8,
    payload: &[u8],
) -> Vec<u8> {
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let length = u16::try_from(20 + payload.len()).expect("an IPv4 packet holds at most 65,535 bytes");
            let mut packet = vec![0x45, 0];
            packet.extend_from_slice(&length.to_be_bytes());
            packet.extend_from_slice(&identification.to_be_bytes());
            packet.extend_from_slice(if dont_fragment { &[0x40, 0] } else { &[0, 0] });
            packet.extend_from_slice(&[ttl, protocol, 0, 0]);
            packet.extend_from_slice(&source.octets());
            packet.extend_from_slice(&destination.octets());
            seal_ipv4(&mut packet);
            packet.extend_from_slice(payload);
            packet
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let length = u16::try_from(payload.len()).expect("an IPv6 payload holds at most 65,535 bytes");
            let mut packet = vec![0x60, 0, 0, 0];
            packet.extend_from_slice(&length.to_be_bytes());
            packet.extend_from_slice(&[protocol, ttl]);
            packet.extend_from_slice(&source.octets());
            packet.extend_from_slice(&destination.octets());
            packet.extend_from_slice(payload);
            packet
        }
        _ => panic!("{source} and {destination} are of different IP versions"),
    }
}

/// An ICMP or ICMPv6 error packet from `router` to the sender of `offending`, quoting at most `quote` bytes of it.
///
/// `mtu` fills the next-hop MTU field (ICMPv4 3/4, RFC 1191; ICMPv6 type 2).
pub fn icmp_error(router: IpAddr, offending: &[u8], kind: u8, code: u8, mtu: u32, quote: usize) -> Vec<u8> {
    let quoted = &offending[..offending.len().min(quote)];
    let mut icmp = vec![kind, code, 0, 0];
    icmp.extend_from_slice(&mtu.to_be_bytes());
    icmp.extend_from_slice(quoted);
    match router {
        IpAddr::V4(_) => {
            let sum = checksum(&[&icmp]);
            icmp[2..4].copy_from_slice(&sum.to_be_bytes());
            let sender: [u8; 4] = offending[12..16].try_into().expect("an IPv4 packet to quote");
            ip_packet(router, IpAddr::from(sender), 63, 7, false, 1, &icmp)
        }
        IpAddr::V6(_) => {
            let sender: [u8; 16] = offending[8..24].try_into().expect("an IPv6 packet to quote");
            let pseudo = pseudo_header(router, IpAddr::from(sender), 58, icmp.len());
            let sum = checksum(&[&pseudo, &icmp]);
            icmp[2..4].copy_from_slice(&sum.to_be_bytes());
            ip_packet(router, IpAddr::from(sender), 63, 7, false, 58, &icmp)
        }
    }
}

/// An IP packet cut into fragments of at most `size` bytes each (payload cut at multiples of eight).
pub fn fragments(packet: &[u8], size: usize, identification: u16) -> Vec<Vec<u8>> {
    let version6 = packet.first().is_some_and(|byte| byte >> 4 == 6);
    let (header, overhead) = if version6 { (40, 48) } else { (20, 20) };
    let step = size.saturating_sub(overhead).max(8) / 8 * 8;
    let payload = &packet[header..];
    let mut out = Vec::new();
    for (index, piece) in payload.chunks(step).enumerate() {
        let offset = (index * step) as u16;
        let more = index * step + piece.len() < payload.len();
        let mut fragment = packet[..header].to_vec();
        if version6 {
            let next = fragment[6];
            fragment[6] = 44;
            fragment[4..6].copy_from_slice(&((8 + piece.len()) as u16).to_be_bytes());
            fragment.extend_from_slice(&[next, 0]);
            fragment.extend_from_slice(&(offset | u16::from(more)).to_be_bytes());
            fragment.extend_from_slice(&u32::from(identification).to_be_bytes());
        } else {
            fragment[2..4].copy_from_slice(&((20 + piece.len()) as u16).to_be_bytes());
            fragment[6..8].copy_from_slice(&((offset / 8) | if more { 0x2000 } else { 0 }).to_be_bytes());
            seal_ipv4(&mut fragment);
        }
        fragment.extend_from_slice(piece);
        out.push(fragment);
    }
    out
}

fn seal_ipv4(header: &mut [u8]) {
    header[10..12].copy_from_slice(&[0, 0]);
    let sum = checksum(&[&header[..20]]);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
}

fn pseudo_header(source: IpAddr, destination: IpAddr, protocol: u8, length: usize) -> Vec<u8> {
    let mut pseudo = Vec::with_capacity(40);
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            pseudo.extend_from_slice(&source.octets());
            pseudo.extend_from_slice(&destination.octets());
            pseudo.extend_from_slice(&[0, protocol]);
            pseudo.extend_from_slice(&(length as u16).to_be_bytes());
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            pseudo.extend_from_slice(&source.octets());
            pseudo.extend_from_slice(&destination.octets());
            pseudo.extend_from_slice(&(length as u32).to_be_bytes());
            pseudo.extend_from_slice(&[0, 0, 0, protocol]);
        }
        _ => panic!("{source} and {destination} are of different IP versions"),
    }
    pseudo
}

/// The Internet checksum (RFC 1071) over parts; every part but the last must be of even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0u32;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
