//! A wire to send segments over, and a reader that writes down what it is given.

mod ending;
mod facts;
mod flood;
mod gaps;
mod live;
mod opening;
mod order;
mod properties;

use crate::frame::FrameNumber;
use crate::packet::{Endpoint, Flags, Flow, IcmpError, Options, PortSet, Segment};
use crate::span::{Direction, Stamp};
use crate::tcp::mark::tests::ALL_ARE_FAR;
use crate::tcp::{Chunk, ConnectionFacts, Ending, Finished, Gap, Limits, Opened, Stream, Table};
use crate::time::Timestamp;

pub(super) const SYN: u8 = Flags::SYN;
pub(super) const ACK: u8 = Flags::ACK;
pub(super) const FIN: u8 = Flags::FIN;
pub(super) const RST: u8 = Flags::RST;
pub(super) const CLIENT_ISN: u32 = 1_000;
pub(super) const SERVER_ISN: u32 = 9_000_000;

/// What a reader was given.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Record {
    pub to_server: Vec<u8>,
    pub to_client: Vec<u8>,
    pub gaps: Vec<Gap>,
    pub fins: Vec<Direction>,
    pub ending: Option<Ending>,
    next: [u64; 2],
}

impl Record {
    fn place(direction: Direction) -> usize {
        usize::from(direction == Direction::ToClient)
    }

    pub fn octets(&self, direction: Direction) -> &[u8] {
        match direction {
            Direction::ToServer => &self.to_server,
            Direction::ToClient => &self.to_client,
        }
    }
}

impl Stream for Record {
    fn data(&mut self, chunk: Chunk<'_>) {
        assert!(self.ending.is_none(), "nothing comes behind the end");
        let next = &mut self.next[Self::place(chunk.direction)];
        assert_eq!(*next, chunk.offset, "octets come in order");
        *next += chunk.bytes.len() as u64;
        match chunk.direction {
            Direction::ToServer => self.to_server.extend_from_slice(chunk.bytes),
            Direction::ToClient => self.to_client.extend_from_slice(chunk.bytes),
        }
    }

    fn gap(&mut self, gap: &Gap) {
        let next = &mut self.next[Self::place(gap.direction)];
        assert_eq!(*next, gap.offset, "gaps come in order");
        assert!(gap.length > 0);
        *next += gap.length;
        self.gaps.push(*gap);
    }

    fn fin(&mut self, direction: Direction, _: Stamp) {
        assert!(!self.fins.contains(&direction), "FIN comes once");
        self.fins.push(direction);
    }

    fn end(&mut self, ending: Ending, facts: &ConnectionFacts) {
        assert!(self.ending.is_none());
        assert_eq!(facts.ending, ending);
        self.ending = Some(ending);
    }
}

pub(super) fn endpoint(address: &str, port: u16) -> Endpoint {
    Endpoint {
        address: address.parse().unwrap(),
        port,
    }
}

pub(super) fn stamp(frame: u64, milliseconds: f64) -> Stamp {
    Stamp {
        frame: FrameNumber(frame),
        time: Timestamp::from_nanoseconds(1_700_000_000_000_000_000 + (milliseconds * 1e6) as i64),
    }
}

/// A segment with ACK from one side; sequence and acknowledgment are stream offsets.
pub(super) fn from(direction: Direction, sequence: u32, acknowledgment: u32, payload: &[u8]) -> Segment<'_> {
    let (client, server) = (endpoint("192.0.2.10", 40_000), endpoint("198.51.100.25", 25));
    let to_server = direction == Direction::ToServer;
    let (mine, other) = if to_server {
        (CLIENT_ISN, SERVER_ISN)
    } else {
        (SERVER_ISN, CLIENT_ISN)
    };
    Segment {
        stamp: stamp(0, 0.0),
        flow: if to_server {
            Flow::of(&client, &server)
        } else {
            Flow::of(&server, &client)
        },
        sequence: mine.wrapping_add(1).wrapping_add(sequence),
        acknowledgment: other.wrapping_add(1).wrapping_add(acknowledgment),
        flags: Flags(ACK),
        window: 60_000,
        options: Options::default(),
        payload,
        payload_length: payload.len() as u32,
        time_to_live: if to_server { 64 } else { 55 },
        ip_identification: None,
        dont_fragment: true,
        encapsulation: 0,
    }
}

pub(super) fn client(sequence: u32, acknowledgment: u32, payload: &[u8]) -> Segment<'_> {
    from(Direction::ToServer, sequence, acknowledgment, payload)
}

pub(super) fn server(sequence: u32, acknowledgment: u32, payload: &[u8]) -> Segment<'_> {
    from(Direction::ToClient, sequence, acknowledgment, payload)
}

pub(super) fn with(flags: u8, segment: Segment<'_>) -> Segment<'_> {
    Segment {
        flags: Flags(flags),
        ..segment
    }
}

pub(super) fn syn() -> Segment<'static> {
    let segment = with(SYN, client(0u32.wrapping_sub(1), 0, b""));
    Segment {
        acknowledgment: 0,
        options: Options {
            maximum_segment_size: Some(1_460),
            window_scale: Some(7),
            ..Options::default()
        },
        ..segment
    }
}

pub(super) fn syn_ack() -> Segment<'static> {
    Segment {
        options: Options {
            maximum_segment_size: Some(1_414),
            window_scale: Some(2),
            ..Options::default()
        },
        ..with(SYN | ACK, server(0u32.wrapping_sub(1), 0, b""))
    }
}

/// A table with a clock and a frame counter, and a second one that takes every segment the long way: at the end both must
/// have said the same.
pub(super) struct Wire {
    pub table: Table<Record>,
    long_way: Table<Record>,
    /// A third one keeps all its marks in full. That takes room, so it is there only where room is no matter.
    far: Option<Table<Record>>,
    pub frame: u64,
    pub now: f64,
    pub finished: Vec<Finished<Record>>,
    identification: u16,
}

impl Wire {
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    pub fn with_limits(limits: Limits) -> Self {
        let mail = PortSet::from_iter([25, 110, 143, 587]);
        let roomy = limits.memory == Limits::default().memory;
        let mut long_way = Table::new(limits.clone(), mail.clone(), |_: &Opened| Record::default());
        long_way.only_long_way = true;
        let far = || Table::new(limits.clone(), mail.clone(), |_: &Opened| Record::default());
        let far = roomy.then(far);
        Self {
            table: Table::new(limits, mail, |_: &Opened| Record::default()),
            long_way,
            far,
            frame: 0,
            now: 0.0,
            finished: Vec::new(),
            identification: 1,
        }
    }

    /// Sends 10 ms after the segment before.
    pub fn send(&mut self, segment: Segment<'_>) -> Stamp {
        self.after(10.0, segment)
    }

    pub fn after(&mut self, milliseconds: f64, segment: Segment<'_>) -> Stamp {
        self.identification = self.identification.wrapping_add(1);
        let identification = segment.ip_identification.or(Some(self.identification));
        self.exactly(
            milliseconds,
            Segment {
                ip_identification: identification,
                ..segment
            },
        )
    }

    /// Sends without giving it an IP identification.
    pub fn exactly(&mut self, milliseconds: f64, segment: Segment<'_>) -> Stamp {
        self.frame += 1;
        self.now += milliseconds;
        let stamp = stamp(self.frame, self.now);
        self.push(&Segment { stamp, ..segment });
        stamp
    }

    pub fn push(&mut self, segment: &Segment<'_>) {
        self.table.push(segment);
        self.long_way.push(segment);
        self.with_far(|far| far.push(segment));
        self.poll();
    }

    pub fn advance_to(&mut self, now: Timestamp) {
        self.table.advance_to(now);
        self.long_way.advance_to(now);
        self.with_far(|far| far.advance_to(now));
    }

    pub fn stop_at(&mut self, now: Timestamp) {
        self.table.stop_at(now);
        self.long_way.stop_at(now);
        self.with_far(|far| far.stop_at(now));
    }

    pub fn icmp(&mut self, kind: u8, code: u8, quoted: Segment<'_>) {
        self.frame += 1;
        self.now += 10.0;
        let error = IcmpError {
            stamp: stamp(self.frame, self.now),
            reporter: "203.0.113.1".parse().unwrap(),
            version6: false,
            kind,
            code,
            next_hop_mtu: 0,
            quoted_source: quoted.flow.source(),
            quoted_destination: quoted.flow.destination(),
            quoted_sequence: quoted.sequence,
        };
        self.table.push_icmp(&error);
        self.long_way.push_icmp(&error);
        self.with_far(|far| far.push_icmp(&error));
    }

    pub fn handshake(&mut self) {
        self.send(syn());
        self.send(syn_ack());
        self.send(client(0, 0, b""));
    }

    pub fn close(&mut self, client_octets: u32, server_octets: u32) {
        self.send(with(FIN | ACK, client(client_octets, server_octets, b"")));
        self.send(with(FIN | ACK, server(server_octets, client_octets + 1, b"")));
        self.send(client(client_octets + 1, server_octets + 1, b""));
    }

    fn with_far(&mut self, act: impl FnOnce(&mut Table<Record>)) {
        ALL_ARE_FAR.set(true);
        if let Some(far) = &mut self.far {
            act(far);
        }
        ALL_ARE_FAR.set(false);
    }

    fn poll(&mut self) {
        while let Some(one) = self.table.poll_finished() {
            let same = self.long_way.poll_finished().expect("the long way ends it, too");
            assert_eq!((&one.facts, &one.stream, one.at), (&same.facts, &same.stream, same.at));
            self.with_far(|far| {
                let same = far.poll_finished().expect("it ends whatever its marks are");
                assert_eq!((&one.facts, &one.stream, one.at), (&same.facts, &same.stream, same.at));
            });
            self.finished.push(one);
        }
        assert!(self.long_way.poll_finished().is_none(), "the long way ends no more");
        assert_eq!(self.table.counts(), self.long_way.counts());
        assert_eq!(self.table.memory(), self.long_way.memory());
    }

    pub fn finish(mut self) -> Vec<Finished<Record>> {
        self.table.finish();
        self.long_way.finish();
        self.with_far(Table::finish);
        self.poll();
        assert_eq!(
            (self.table.open(), self.table.half_open(), self.table.memory()),
            (0, 0, 0)
        );
        self.finished
    }

    /// The only connection.
    pub fn only(self) -> (ConnectionFacts, Record) {
        let mut finished = self.finish();
        assert_eq!(finished.len(), 1, "one connection: {finished:#?}");
        let one = finished.remove(0);
        (*one.facts, one.stream.unwrap_or_default())
    }
}
