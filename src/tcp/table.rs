//! Temporary stand-in for the connection table: in-order delivery, simple out-of-order list. Replaced by the TCP room.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::packet::{Endpoint, Flags, IcmpError, Segment};
use crate::span::{Direction, PerDirection, Stamp};
use crate::tcp::facts::*;
use crate::tcp::limits::{Counts, Limits};
use crate::tcp::stream::{Chunk, Stream};

/// A connection that opened.
#[derive(Clone, Copy, Debug)]
pub struct Opened {
    /// Client.
    pub client: Endpoint,
    /// Server.
    pub server: Endpoint,
    /// How.
    pub opening: Opening,
}

/// A finished connection.
pub struct Finished<S> {
    /// Facts.
    pub facts: ConnectionFacts,
    /// Stream.
    pub stream: Option<S>,
}

struct Side {
    next: Option<u32>,
    offset: u64,
    pieces: BTreeMap<u64, (Stamp, Vec<u8>)>,
}

struct Connection<S> {
    facts: ConnectionFacts,
    stream: Option<S>,
    sides: PerDirection<Side>,
    fin: u8,
}

/// The table.
pub struct Table<S, M> {
    mail: Box<dyn Fn(u16) -> bool + Send>,
    make: M,
    open: HashMap<(Endpoint, Endpoint), Connection<S>>,
    done: VecDeque<Finished<S>>,
    counts: Counts,
}

impl<S: Stream, M: FnMut(&Opened) -> S> Table<S, M> {
    /// New.
    pub fn new(_limits: Limits, mail: Box<dyn Fn(u16) -> bool + Send>, make: M) -> Self {
        Self {
            mail,
            make,
            open: HashMap::new(),
            done: VecDeque::new(),
            counts: Counts::default(),
        }
    }

    /// Counts.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Next.
    pub fn poll_finished(&mut self) -> Option<Finished<S>> {
        self.done.pop_front()
    }

    /// Icmp.
    pub fn push_icmp(&mut self, error: &IcmpError) {
        if let Some(one) = self.open.get_mut(&(error.quoted_source, error.quoted_destination)) {
            one.facts.icmp_errors.push(*error);
            one.facts.last = error.stamp;
        }
    }

    /// Segment.
    pub fn push(&mut self, segment: &Segment<'_>) {
        let (source, destination) = (segment.source, segment.destination);
        if !(self.mail)(source.port) && !(self.mail)(destination.port) {
            return;
        }
        let syn = segment.flags.has(Flags::SYN);
        let ack = segment.flags.has(Flags::ACK);
        let (key, direction) = if self.open.contains_key(&(source, destination)) {
            ((source, destination), Direction::ToServer)
        } else if self.open.contains_key(&(destination, source)) {
            ((destination, source), Direction::ToClient)
        } else {
            let client_sends = if syn { !ack } else { (self.mail)(destination.port) };
            let (client, server) = if client_sends {
                (source, destination)
            } else {
                (destination, source)
            };
            let opening = match (syn, ack) {
                (true, false) => Opening::SynOnly,
                (true, true) => Opening::SynAckOnly,
                _ => Opening::MidStream,
            };
            let stream = (opening == Opening::MidStream).then(|| {
                (self.make)(&Opened {
                    client,
                    server,
                    opening,
                })
            });
            let directions = PerDirection {
                to_server: DirectionFacts::default(),
                to_client: DirectionFacts::default(),
            };
            let side = || Side {
                next: None,
                offset: 0,
                pieces: BTreeMap::new(),
            };
            let facts = ConnectionFacts {
                client,
                server,
                roles: RoleEvidence::Handshake,
                opening,
                ending: Ending::CaptureEnd,
                first: segment.stamp,
                last: segment.stamp,
                frames: 0,
                handshake_ack: None,
                round_trip: None,
                directions,
                resets: Vec::new(),
                gaps: Vec::new(),
                zero_windows: Vec::new(),
                stuck: Vec::new(),
                icmp_errors: Vec::new(),
                longest_silence: None,
                unlisted: 0,
                encapsulations: 1,
            };
            let sides = PerDirection {
                to_server: side(),
                to_client: side(),
            };
            self.open.insert(
                (client, server),
                Connection {
                    facts,
                    stream,
                    sides,
                    fin: 0,
                },
            );
            (
                (client, server),
                if client_sends {
                    Direction::ToServer
                } else {
                    Direction::ToClient
                },
            )
        };
        let Some(one) = self.open.get_mut(&key) else { return };
        let facts = &mut one.facts;
        facts.frames += 1;
        facts.last = segment.stamp;
        let counts = facts.directions.get_mut(direction);
        counts.segments += 1;
        counts.last = Some(segment.stamp);
        counts.time_to_live.get_or_insert(segment.time_to_live);
        let mut sequence = segment.sequence;
        if syn {
            if counts.syn.is_some() {
                counts.syn_retransmissions += 1;
            }
            counts.syn.get_or_insert(segment.stamp);
            counts.last_syn = Some(segment.stamp);
            sequence = sequence.wrapping_add(1);
            one.sides.get_mut(direction).next = Some(sequence);
            if ack {
                facts.opening = Opening::Handshake;
                let opened = Opened {
                    client: key.0,
                    server: key.1,
                    opening: facts.opening,
                };
                let make = &mut self.make;
                one.stream.get_or_insert_with(|| make(&opened));
            }
        } else if direction == Direction::ToServer
            && facts.handshake_ack.is_none()
            && facts.opening == Opening::Handshake
        {
            facts.handshake_ack = Some(segment.stamp);
        }
        if let Some(stream) = one.stream.as_mut()
            && !segment.payload.is_empty()
        {
            let counts = one.facts.directions.get_mut(direction);
            counts.data_segments += 1;
            counts.first_data.get_or_insert(segment.stamp);
            counts.last_data = Some(segment.stamp);
            let side = one.sides.get_mut(direction);
            let next = *side.next.get_or_insert(sequence);
            let ahead = sequence.wrapping_sub(next) as i32;
            let at = side.offset as i64 + i64::from(ahead);
            if at < side.offset as i64 {
                let skip = (side.offset as i64 - at) as usize;
                counts.retransmissions += 1;
                if let Some(rest) = segment.payload.get(skip..).filter(|rest| !rest.is_empty()) {
                    side.pieces.insert(side.offset, (segment.stamp, rest.to_vec()));
                }
            } else {
                side.pieces.insert(at as u64, (segment.stamp, segment.payload.to_vec()));
            }
            while let Some((stamp, bytes)) = side.pieces.remove(&side.offset) {
                stream.data(Chunk {
                    direction,
                    offset: side.offset,
                    bytes: &bytes,
                    stamp,
                });
                side.offset += bytes.len() as u64;
                side.next = side.next.map(|next| next.wrapping_add(bytes.len() as u32));
                counts.octets += bytes.len() as u64;
            }
        }
        if segment.flags.has(Flags::FIN) {
            let counts = one.facts.directions.get_mut(direction);
            if counts.fin.is_none() {
                counts.fin = Some(segment.stamp);
                if let Some(stream) = one.stream.as_mut() {
                    stream.fin(direction, segment.stamp);
                }
                if one.fin == 0 {
                    one.facts.ending = Ending::HalfClosed(direction);
                } else if let Ending::HalfClosed(first) = one.facts.ending {
                    one.facts.ending = Ending::Closed(first);
                }
                one.fin += 1;
            }
        }
        if segment.flags.has(Flags::RST) {
            one.facts.resets.push(Reset {
                direction,
                stamp: segment.stamp,
                in_window: true,
                after_fin: one.fin > 0,
                looks_forged: false,
                time_to_live: segment.time_to_live,
                usual_time_to_live: None,
            });
            if one.fin == 0 {
                one.facts.ending = Ending::Reset(direction);
            }
        }
    }

    /// Finish.
    pub fn finish(&mut self) {
        let mut all: Vec<_> = self.open.drain().map(|(_, one)| one).collect();
        all.sort_by_key(|one| one.facts.first);
        for mut one in all {
            if let Some(stream) = one.stream.as_mut() {
                stream.end(one.facts.ending, &one.facts);
            }
            self.done.push_back(Finished {
                facts: one.facts,
                stream: one.stream,
            });
        }
    }
}
