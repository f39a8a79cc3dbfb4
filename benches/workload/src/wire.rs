//! Packets as bytes: Ethernet, VLAN tags, IPv4 or IPv6, TCP or UDP, with right checksums, fast: what does not change within
//! a connection is written once per direction. (The testkit builds any frame; this builds the same few, by the million.)

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

const TCP: u8 = 6;
const UDP: u8 = 17;
/// Shortest Ethernet frame without its check sequence.
const SHORTEST: usize = 60;

/// An address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// IPv4.
    V4([u8; 4]),
    /// IPv6.
    V6([u8; 16]),
}

/// Both ends of a connection and what is below it.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    /// The client.
    pub client: (Address, u16),
    /// The server; the same IP version.
    pub server: (Address, u16),
    /// VLAN identifiers, outer first; 0 for none.
    pub vlans: [u16; 2],
    /// UDP instead of TCP.
    pub udp: bool,
}

impl Path {
    /// Largest payload of a full segment with the timestamps option at an MTU of 1,500.
    #[must_use]
    pub const fn full_payload(&self) -> usize {
        match (self.client.0, self.udp) {
            (_, true) => 1350,
            (Address::V4(_), false) => 1448,
            (Address::V6(_), false) => 1428,
        }
    }
}

/// The fields of one segment or datagram that change.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    /// TCP sequence number.
    pub sequence: u32,
    /// TCP acknowledgment number.
    pub acknowledgment: u32,
    /// TCP flags.
    pub flags: u8,
    /// TCP window, not scaled.
    pub window: u16,
    /// IPv4 identification.
    pub identification: u16,
    /// Options, a multiple of four bytes.
    pub options: &'a [u8],
}

/// What all packets of one direction begin with.
#[derive(Clone, Debug)]
pub struct Template {
    head: Vec<u8>,
    network: usize,
    transport: usize,
    pseudo: u64,
    udp: bool,
}

impl Template {
    /// The template of the client's (or the server's) packets.
    #[must_use]
    pub fn new(path: &Path, from_client: bool) -> Self {
        let (client_mac, server_mac) = ([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
        let (source, destination, source_mac, destination_mac) = if from_client {
            (path.client, path.server, client_mac, server_mac)
        } else {
            (path.server, path.client, server_mac, client_mac)
        };
        let mut head = Vec::with_capacity(64);
        head.extend_from_slice(&destination_mac);
        head.extend_from_slice(&source_mac);
        match path.vlans {
            [0, _] => {}
            [only, 0] => tag(&mut head, 0x8100, only),
            [outer, inner] => {
                tag(&mut head, 0x88a8, outer);
                tag(&mut head, 0x8100, inner);
            }
        }
        let protocol = if path.udp { UDP } else { TCP };
        let ttl = if from_client { 57 } else { 63 };
        let mut pseudo = u64::from(protocol);
        let network;
        match (source.0, destination.0) {
            (Address::V4(source), Address::V4(destination)) => {
                head.extend_from_slice(&[0x08, 0x00]);
                network = head.len();
                head.extend_from_slice(&[0x45, 0, 0, 0, 0, 0, 0x40, 0, ttl, protocol, 0, 0]);
                head.extend_from_slice(&source);
                head.extend_from_slice(&destination);
                pseudo += sum(&source) + sum(&destination);
            }
            (Address::V6(source), Address::V6(destination)) => {
                head.extend_from_slice(&[0x86, 0xdd]);
                network = head.len();
                head.extend_from_slice(&[0x60, 0, 0, 0, 0, 0, protocol, ttl]);
                head.extend_from_slice(&source);
                head.extend_from_slice(&destination);
                pseudo += sum(&source) + sum(&destination);
            }
            _ => unreachable!("both ends have the same IP version"),
        }
        let transport = head.len();
        head.extend_from_slice(&source.1.to_be_bytes());
        head.extend_from_slice(&destination.1.to_be_bytes());
        Self {
            head,
            network,
            transport,
            pseudo,
            udp: path.udp,
        }
    }

    /// Writes one packet into `frame` (emptied first); `payload` appends the payload.
    pub fn write(&self, fields: &Fields<'_>, frame: &mut Vec<u8>, payload: impl FnOnce(&mut Vec<u8>)) {
        frame.clear();
        frame.extend_from_slice(&self.head);
        if self.udp {
            frame.extend_from_slice(&[0; 4]);
        } else {
            frame.extend_from_slice(&fields.sequence.to_be_bytes());
            frame.extend_from_slice(&fields.acknowledgment.to_be_bytes());
            frame.push(((5 + fields.options.len() / 4) << 4) as u8);
            frame.push(fields.flags);
            frame.extend_from_slice(&fields.window.to_be_bytes());
            frame.extend_from_slice(&[0; 4]);
            frame.extend_from_slice(fields.options);
        }
        payload(frame);
        self.seal(fields.identification, frame);
        if frame.len() < SHORTEST {
            frame.resize(SHORTEST, 0);
        }
    }

    /// Lengths and checksums.
    fn seal(&self, identification: u16, frame: &mut [u8]) {
        let length = frame.len() - self.transport;
        let (headers, transport) = frame.split_at_mut(self.transport);
        if self.udp {
            transport[4..6].copy_from_slice(&(length as u16).to_be_bytes());
        }
        let place = if self.udp { 6 } else { 16 };
        let checksum = !fold(self.pseudo + length as u64 + sum(transport));
        transport[place..place + 2].copy_from_slice(&checksum.to_be_bytes());
        let header = &mut headers[self.network..];
        if header.len() == 20 {
            header[2..4].copy_from_slice(&((20 + length) as u16).to_be_bytes());
            header[4..6].copy_from_slice(&identification.to_be_bytes());
            let checksum = !fold(sum(header));
            header[10..12].copy_from_slice(&checksum.to_be_bytes());
        } else {
            header[4..6].copy_from_slice(&(length as u16).to_be_bytes());
        }
    }
}

fn tag(head: &mut Vec<u8>, kind: u16, vlan: u16) {
    head.extend_from_slice(&kind.to_be_bytes());
    head.extend_from_slice(&vlan.to_be_bytes());
}

/// The sum of big-endian 16-bit words (RFC 1071), four words at a time, not yet folded to 16 bits.
fn sum(bytes: &[u8]) -> u64 {
    let (blocks, rest) = bytes.as_chunks::<4>();
    let mut sum: u64 = blocks.iter().map(|block| u64::from(u32::from_be_bytes(*block))).sum();
    let mut tail = [0; 4];
    tail[..rest.len()].copy_from_slice(rest);
    sum += u64::from(u32::from_be_bytes(tail));
    u64::from(fold(sum))
}

fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}
