//! Real TLS conversations out of `fixtures/`: what both sides said, in order, from the first octet of the connection to the
//! last. Only addresses and the amount of application data are changed when they are played again.

use std::collections::BTreeMap;

use crate::wire::{FIN, SYN};

/// One side's octets up to where the other side speaks.
#[derive(Clone, Debug)]
pub struct Flight {
    /// The client speaks.
    pub from_client: bool,
    /// What it says.
    pub bytes: Vec<u8>,
}

/// A conversation and what is known of it.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// Port of the server.
    pub port: u16,
    /// What was said.
    pub flights: Vec<Flight>,
    /// The flight in front of which the mail goes: the largest application data flight of the client.
    pub mail_before: usize,
    /// The first flight behind the TLS handshake.
    pub handshake_ends: usize,
    /// The fatal alert in clear that ended it, if one did.
    pub alert: Option<u8>,
}

/// Every conversation the workload plays.
#[derive(Clone, Debug)]
pub struct Library {
    /// STARTTLS, handshake complete.
    pub starttls: Vec<Conversation>,
    /// TLS from the first octet, handshake complete.
    pub implicit: Vec<Conversation>,
    /// Ended by a fatal alert in clear.
    pub alerts: Vec<Conversation>,
    /// A ClientHello, for connections that are no mail.
    pub client_hello: Vec<u8>,
    /// The server's answer to it, up to its first flight's end.
    pub server_hello: Vec<u8>,
}

macro_rules! fixture {
    ($path:literal) => {
        include_bytes!(concat!("../../../fixtures/", $path))
    };
}

/// Where they are from: the capture, and the alert its sessions end with (none: they work).
const SOURCES: [(&[u8], Option<u8>); 9] = [
    (fixture!("healthy-tls/capture.pcapng"), None),
    (fixture!("tls-no-shared-cipher/capture.pcapng"), None),
    (fixture!("version-sweep/capture.pcapng"), None),
    (fixture!("intercom/capture.pcapng"), Some(70)),
    (fixture!("tls-no-shared-cipher/capture.pcapng"), Some(40)),
    (fixture!("cert-unknown-ca/capture.pcapng"), Some(48)),
    (fixture!("cert-expired/capture.pcap"), Some(45)),
    (fixture!("tls-alpn-exim/capture.pcap"), Some(120)),
    (fixture!("tls-fallback-scsv/capture.pcap"), Some(86)),
];

impl Library {
    /// Reads all of them.
    ///
    /// # Panics
    /// Where a fixture does not hold what it should: the fixtures are part of the program.
    #[must_use]
    pub fn new() -> Self {
        let mut library = Self {
            starttls: vec![],
            implicit: vec![],
            alerts: vec![],
            client_hello: vec![],
            server_hello: vec![],
        };
        for (capture, alert) in SOURCES {
            for (port, flights) in conversations(capture) {
                let Some(conversation) = Conversation::new(port, flights) else {
                    continue;
                };
                match (conversation.alert, conversation.port) {
                    (None, 465) if alert.is_none() => library.implicit.push(conversation),
                    (None, _) if alert.is_none() => library.starttls.push(conversation),
                    (seen, _) if seen == alert && seen.is_some() => library.alerts.push(conversation),
                    _ => {}
                }
            }
        }
        assert!(
            library.starttls.len() >= 3 && library.implicit.len() >= 2 && library.alerts.len() >= 6,
            "fixtures/ holds {} STARTTLS, {} implicit TLS and {} alert conversations",
            library.starttls.len(),
            library.implicit.len(),
            library.alerts.len()
        );
        let hello = &library.implicit[0].flights;
        library.client_hello = hello[0].bytes.clone();
        library.server_hello = hello[1].bytes.clone();
        library
    }
}

impl Default for Library {
    fn default() -> Self {
        Self::new()
    }
}

const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;
const CHANGE_CIPHER_SPEC: u8 = 20;
const APPLICATION_DATA: u8 = 23;
const FATAL: u8 = 2;

impl Conversation {
    /// None where there is no TLS in it.
    fn new(port: u16, flights: Vec<Flight>) -> Option<Self> {
        let tls = flights
            .iter()
            .position(|flight| flight.from_client && flight.bytes.first() == Some(&HANDSHAKE))?;
        fn records(flight: &Flight) -> Vec<(u8, &[u8])> {
            self::records(&flight.bytes)
        }
        // TLS 1.2: the client's ChangeCipherSpec and the server's answer to it; TLS 1.3: the flight with the client's
        // ChangeCipherSpec and Finished. Both lie behind the client's second ChangeCipherSpec-bearing flight pair.
        let changes = |flight: &Flight| records(flight).iter().any(|(kind, _)| *kind == CHANGE_CIPHER_SPEC);
        let last_change = flights.iter().rposition(changes);
        let alert = flights[tls..]
            .iter()
            .flat_map(records)
            .find_map(|(kind, body)| match body {
                [FATAL, number] if kind == ALERT => Some(*number),
                _ => None,
            });
        let handshake_ends = last_change.map_or(flights.len(), |position| position + 1);
        let is_data = |flight: &Flight| {
            flight.from_client
                && records(flight)
                    .first()
                    .is_some_and(|(kind, _)| *kind == APPLICATION_DATA)
        };
        let mail_before = (handshake_ends..flights.len())
            .filter(|position| is_data(&flights[*position]))
            .max_by_key(|position| (flights[*position].bytes.len(), std::cmp::Reverse(*position)));
        match (alert, mail_before) {
            (None, None) => None,
            (_, mail_before) => Some(Self {
                port,
                mail_before: mail_before.unwrap_or(flights.len()),
                flights,
                handshake_ends,
                alert,
            }),
        }
    }
}

/// The complete TLS records of a flight: type and body.
fn records(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut records = Vec::new();
    while let [kind @ 20..=23, 3, _, high, low, rest @ ..] = bytes {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((body, after)) = rest.split_at_checked(length) else {
            break;
        };
        records.push((*kind, body));
        bytes = after;
    }
    records
}

/// The TCP connections of a capture (Ethernet, IPv4 or IPv6, nothing lost), by first frame: server port and flights.
fn conversations(capture: &[u8]) -> Vec<(u16, Vec<Flight>)> {
    struct Open {
        flights: Vec<Flight>,
        next: [Option<u32>; 2],
    }
    let mut order: Vec<(u16, u16)> = Vec::new();
    let mut open: BTreeMap<(u16, u16), Open> = BTreeMap::new();
    for frame in frames(capture) {
        let Some(segment) = Segment::read(frame) else { continue };
        let from_client = segment.source > segment.destination;
        let key = if from_client {
            (segment.source, segment.destination)
        } else {
            (segment.destination, segment.source)
        };
        let state = open.entry(key).or_insert_with(|| {
            order.push(key);
            Open {
                flights: vec![],
                next: [None; 2],
            }
        });
        let length = segment.payload.len() as u32 + u32::from(segment.flags & (SYN | FIN) != 0);
        let next = &mut state.next[usize::from(from_client)];
        if next.is_some_and(|next| next != segment.sequence) {
            continue;
        }
        *next = Some(segment.sequence.wrapping_add(length));
        if segment.payload.is_empty() {
            continue;
        }
        match state.flights.last_mut() {
            Some(last) if last.from_client == from_client => last.bytes.extend_from_slice(segment.payload),
            _ => state.flights.push(Flight {
                from_client,
                bytes: segment.payload.to_vec(),
            }),
        }
    }
    order
        .iter()
        .filter_map(|key| Some((key.1, open.remove(key)?.flights)))
        .collect()
}

struct Segment<'a> {
    source: u16,
    destination: u16,
    sequence: u32,
    flags: u8,
    payload: &'a [u8],
}

impl<'a> Segment<'a> {
    fn read(frame: &'a [u8]) -> Option<Self> {
        let packet = frame.get(14..)?;
        let (header, total) = match packet.first()? >> 4 {
            4 => (20, usize::from(u16::from_be_bytes([packet[2], packet[3]]))),
            6 => (40, 40 + usize::from(u16::from_be_bytes([packet[4], packet[5]]))),
            _ => return None,
        };
        let tcp = packet.get(header..total)?;
        let number = |place: usize| u16::from_be_bytes([tcp[place], tcp[place + 1]]);
        Some(Self {
            source: number(0),
            destination: number(2),
            sequence: u32::from(number(4)) << 16 | u32::from(number(6)),
            flags: *tcp.get(13)?,
            payload: tcp.get(usize::from(tcp[12] >> 4) * 4..)?,
        })
    }
}

/// The frames of a little-endian pcap or pcapng file.
fn frames(capture: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    let word = |place: usize| {
        capture.get(place..place + 4).map_or(0, |bytes| {
            u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize
        })
    };
    let is_pcapng = capture.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]);
    let mut place = if is_pcapng { 0 } else { 24 };
    while place < capture.len() {
        let (begin, length, step) = if is_pcapng {
            (
                place + 28,
                if word(place) == 6 { word(place + 20) } else { 0 },
                word(place + 4).max(12),
            )
        } else {
            (place + 16, word(place + 8), 16 + word(place + 8))
        };
        if length > 0 {
            frames.extend(capture.get(begin..begin + length));
        }
        place += step;
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_conversations_are_whole() {
        let library = Library::new();
        for one in library.starttls.iter().chain(&library.implicit) {
            assert!(
                one.handshake_ends < one.flights.len() && one.mail_before >= one.handshake_ends,
                "{one:?}"
            );
            assert!(one.mail_before < one.flights.len());
        }
        let mut alerts: Vec<_> = library.alerts.iter().filter_map(|one| one.alert).collect();
        alerts.sort_unstable();
        alerts.dedup();
        assert_eq!(alerts, [40, 45, 48, 70, 86, 120]);
    }
}
