//! Turns the segments of one connection into octets in order for its reader, and remembers what the facts need.
//! RFC 9293, section 3.10, seen from the side: nothing here may assume that the capture shows every segment.

use crate::packet::{Endpoint, Flags, Flow, IcmpError, Key, Segment};
use crate::span::{Direction, Stamp};
use crate::tcp::beside::Beside;
use crate::tcp::early::Early;
use crate::tcp::facts::{Ending, Gap, LISTED_FACTS, Opening, Reset, RoleEvidence, Stuck, ZeroWindow};
use crate::tcp::flights::Flights;
use crate::tcp::half_open::Syn;
use crate::tcp::key::KeptKey;
use crate::tcp::limits::{Counts, Limits};
use crate::tcp::mark::{Mark, Marks};
use crate::tcp::pieces::Pieces;
use crate::tcp::sequence::{distance, later};
use crate::tcp::side::{RareSide, Side};
use crate::tcp::stream::Stream;
use crate::time::Timestamp;

/// How far beyond its window a segment may lie and still be taken for a part of the connection: a capture loses
/// segments, and the window seen may be old.
pub(super) const SLACK: i64 = 1 << 20;
/// A jump forward that is believed where the other direction was not captured, so that nothing speaks against it.
const BLIND_SLACK: i64 = 1 << 30;
/// Segments in a row that fit each other and not the connection: a new one whose opening was not captured.
const STRANGERS: u32 = 16;
/// The capture's own duplicates come within this time, in nanoseconds.
pub(super) const DUPLICATE_TIME: i64 = 2_000_000;

/// What a reader is told when its connection opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Who opened the connection.
    pub client: Endpoint,
    /// Who accepted it.
    pub server: Endpoint,
    /// How the roles were told apart.
    pub roles: RoleEvidence,
    /// How it began.
    pub opening: Opening,
    /// Its first frame.
    pub first: Stamp,
}

/// The connection's reader, made when there is something to read.
pub(super) struct Reader<'a, S> {
    pub stream: &'a mut Option<S>,
    pub make: &'a mut dyn FnMut(&Opened) -> S,
}

/// What the table lends for one segment.
pub(super) struct Context<'a> {
    pub limits: &'a Limits,
    pub counts: &'a mut Counts,
    /// What this connection may keep out of order, given all others.
    pub room: usize,
}

/// Where a connection is in its life; the table keeps one list for each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    Embryonic,
    Established,
    Closed,
    Reset,
}

impl Stage {
    /// The connection is over: what still comes for it is late.
    #[inline]
    pub fn is_end(self) -> bool {
        matches!(self, Self::Closed | Self::Reset)
    }
}

/// What became of a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// It belongs to the connection, or was ignored.
    Taken,
    /// It answers a SYN that was remembered: that SYN opened a new connection on the same ports.
    AnswersPending,
    /// It refuses a SYN that was remembered.
    RefusesPending,
    /// It begins a new connection on the same ports.
    Begins,
}

/// Segments that fit each other and not the connection.
pub(super) struct Strangers {
    direction: Direction,
    next: u32,
    count: u32,
}

/// What most connections never need.
#[derive(Default)]
pub(super) struct Rare {
    pub sides: [RareSide; 2],
    pub resets: Vec<Reset>,
    pub gaps: Vec<Gap>,
    pub zero_windows: Vec<ZeroWindow>,
    pub stuck: Vec<Stuck>,
    pub icmp_errors: Vec<IcmpError>,
    pub unlisted: u32,
    pub encapsulations: Vec<u32>,
    pub pending: Option<Syn>,
    pub early: Option<Box<Early>>,
    /// Of those that waited, how many saw what they waited for.
    pub early_segments: u32,
    pub strangers: Option<Strangers>,
    pub reset_sequence: u32,
    /// The last frame of those that no side counts as its segments: duplicates, errors, what did not fit.
    pub last_other: Mark,
    /// Frames that no side counts as its segments.
    pub other_frames: u64,
    /// Octets out of order that the table counts for the connection.
    pub counted_out_of_order: usize,
}

impl Rare {
    pub fn list<T>(list: &mut Vec<T>, unlisted: &mut u32, fact: T) {
        if list.len() < LISTED_FACTS {
            list.push(fact);
        } else {
            *unlisted = unlisted.saturating_add(1);
        }
    }
}

/// One connection.
pub(super) struct Transport {
    pub sides: [Side; 2],
    pub beside: Beside,
    pub first: Stamp,
    /// What `in_flight` has on its way: in a dialogue the sides take turns, so the other one hardly ever has anything.
    flights: Flights,
    in_flight: Direction,
    /// The SYN that is not the connection's first frame; see [`syn`](Self::syn).
    other_syn: Mark,
    /// The longest silence: where it began and where it ended; the same mark twice where there was none.
    pub silence: [Mark; 2],
    pub handshake_acknowledgment: Mark,
    pub key: KeptKey,
    pub client_is_low: bool,
    pub roles: RoleEvidence,
    pub opening: Opening,
    pub stage: Stage,
    /// The stage in whose list the table keeps it.
    pub listed: Stage,
    pub ending: Option<Ending>,
}

pub(super) const fn at(direction: Direction) -> usize {
    match direction {
        Direction::ToServer => 0,
        Direction::ToClient => 1,
    }
}

impl Transport {
    fn new(key: Key, client_is_low: bool, first: Stamp, opening: Opening, roles: RoleEvidence) -> Self {
        Self {
            sides: [Side::new(), Side::new()],
            beside: Beside::default(),
            first,
            flights: Flights::default(),
            in_flight: Direction::ToServer,
            other_syn: Mark::NONE,
            silence: [Mark::FIRST; 2],
            handshake_acknowledgment: Mark::NONE,
            key: KeptKey::of(key),
            client_is_low,
            roles,
            opening,
            stage: Stage::Embryonic,
            listed: Stage::Embryonic,
            ending: None,
        }
    }

    /// A connection of which the SYN was seen.
    pub fn from_syn(key: Key, syn: &Syn) -> Self {
        let mut transport = Self::new(key, syn.from_low, syn.first, Opening::SynOnly, RoleEvidence::Handshake);
        let last = if syn.last == syn.first {
            Mark::FIRST
        } else {
            transport.mark(syn.last)
        };
        if syn.last > syn.first {
            transport.silence = [Mark::FIRST, last];
        }
        let side = &mut transport.sides[0];
        side.begin(syn.sequence, syn.sequence.wrapping_add(1));
        side.set(Side::SYN | Side::OPENS);
        side.last = last;
        side.segments = syn.retransmissions.saturating_add(1);
        side.time_to_live = syn.time_to_live;
        side.usual_time_to_live = syn.time_to_live;
        side.announce(syn.maximum_segment_size, syn.window_scale, syn.timestamps);
        if syn.retransmissions > 0 || syn.capture_duplicates > 0 {
            let rare = transport.rare_side(Direction::ToServer);
            rare.syn_retransmissions = syn.retransmissions;
            rare.capture_duplicates = syn.capture_duplicates;
            rare.last_syn = Some(syn.last);
            transport.rare().other_frames = u64::from(syn.capture_duplicates);
        }
        transport
    }

    /// A connection of which something other than a SYN alone was seen first; the segment itself is yet to be taken.
    pub fn from_segment(segment: &Segment<'_>, mail: impl Fn(u16) -> bool) -> Self {
        let Flow { key, source_is_low } = segment.flow;
        let syn = segment.flags.has(Flags::SYN);
        if syn && segment.flags.has(Flags::ACK) {
            let client_is_low = !source_is_low;
            return Self::new(
                key,
                client_is_low,
                segment.stamp,
                Opening::SynAckOnly,
                RoleEvidence::Handshake,
            );
        }
        if syn {
            let mut transport = Self::from_syn(key, &Syn::of(segment));
            transport.sides[0].segments = 0;
            return transport;
        }
        let (source, destination) = segment.flow.ports();
        let (from_client, roles) = match (mail(source), mail(destination)) {
            (false, true) => (true, RoleEvidence::Port),
            (true, false) => (false, RoleEvidence::Port),
            _ => (source >= destination, RoleEvidence::Guess),
        };
        let client_is_low = source_is_low == from_client;
        let mut transport = Self::new(key, client_is_low, segment.stamp, Opening::MidStream, roles);
        transport.stage = Stage::Established;
        transport
    }

    pub fn opened(&self) -> Opened {
        let key = self.key.get();
        Opened {
            client: key.endpoint(self.client_is_low),
            server: key.endpoint(!self.client_is_low),
            roles: self.roles,
            opening: self.opening,
            first: self.first,
        }
    }

    /// Behind the last octet, SYN or FIN of the key's lower and of its higher endpoint; `None` where it sent nothing.
    pub fn highest_by_key(&self) -> [Option<u32>; 2] {
        [true, false].map(|low| {
            let side = self.side(self.direction(low));
            side.has(Side::KNOWN).then_some(side.highest)
        })
    }

    #[inline]
    pub fn direction(&self, source_is_low: bool) -> Direction {
        if source_is_low == self.client_is_low {
            Direction::ToServer
        } else {
            Direction::ToClient
        }
    }

    #[inline]
    pub fn side(&self, direction: Direction) -> &Side {
        &self.sides[at(direction)]
    }

    #[inline]
    pub fn side_mut(&mut self, direction: Direction) -> &mut Side {
        &mut self.sides[at(direction)]
    }

    /// Tells what marks stand for.
    #[inline]
    pub fn marks(&self) -> Marks<'_> {
        Marks::new(self.first, self.beside.far())
    }

    /// The mark of a frame, to be put where [`far_mark`](Self::far_mark) finds it before the next one is made.
    #[inline]
    pub fn mark(&mut self, stamp: Stamp) -> Mark {
        match Mark::near(self.first, stamp) {
            Some(mark) => mark,
            None => self.far_mark(stamp),
        }
    }

    #[cold]
    fn far_mark(&mut self, stamp: Stamp) -> Mark {
        let mut far = self.beside.take_far();
        let [client, server] = &mut self.sides;
        let in_use = [&mut self.other_syn, &mut self.handshake_acknowledgment]
            .into_iter()
            .chain(&mut self.silence)
            .chain(client.marks())
            .chain(server.marks())
            .chain(self.flights.marks())
            .chain(self.beside.marks());
        let mark = Mark::far(&mut far, stamp, in_use);
        self.beside.put_far(far);
        mark
    }

    /// What a side has on its way.
    pub fn flights(&self, sender: Direction) -> Option<&Flights> {
        if self.in_flight == sender {
            Some(&self.flights)
        } else {
            self.beside.flights()
        }
    }

    /// A segment of `length` octets up to `end` brought new ones.
    #[inline]
    pub fn sent_new(&mut self, sender: Direction, end: u32, length: u32, mark: Mark) {
        let side = self.side_mut(sender);
        side.last_data = mark;
        if distance(side.highest, end) > 0 {
            side.highest = end;
            if !side.has(Side::ACKNOWLEDGED) || distance(side.acknowledged, end) > 0 {
                self.send(sender, end, length, mark);
            } else {
                side.largest_acknowledged = side.largest_acknowledged.max(length);
            }
        }
    }

    #[inline]
    fn send(&mut self, sender: Direction, end: u32, length: u32, mark: Mark) {
        if self.in_flight != sender {
            if !self.flights.is_empty() {
                self.beside.flights_or_default().send(end, length, mark);
                return;
            }
            if let Some(flights) = self.beside.flights_mut() {
                self.flights = std::mem::take(flights);
            }
            self.in_flight = sender;
        }
        self.flights.send(end, length, mark);
    }

    /// The acknowledgment of what a side sent advanced.
    #[inline]
    pub fn land(&mut self, sender: Direction) {
        let acknowledged = self.side(sender).acknowledged;
        let landed = if self.in_flight == sender {
            self.flights.land(acknowledged)
        } else {
            let flights = self.beside.flights_mut();
            flights.map_or(0, |flights| flights.land(acknowledged))
        };
        let side = self.side_mut(sender);
        side.largest_acknowledged = side.largest_acknowledged.max(landed);
    }

    /// The first SYN or SYN-ACK of a side.
    pub fn syn(&self, direction: Direction) -> Option<Stamp> {
        let side = self.side(direction);
        if side.has(Side::OPENS) {
            return Some(self.first);
        }
        let late = self.beside.rare().and_then(|rare| rare.sides[at(direction)].late_syn);
        let seen = side.has(Side::SYN);
        late.or_else(|| seen.then(|| self.marks().stamp(self.other_syn)))
    }

    /// Remembers the first SYN or SYN-ACK of a side.
    pub fn note_syn(&mut self, direction: Direction, stamp: Stamp, mark: Mark) {
        if stamp == self.first {
            self.side_mut(direction).set(Side::OPENS);
        } else if self.other_syn.is_some() {
            self.rare_side(direction).late_syn = Some(stamp);
        } else {
            self.other_syn = mark;
        }
        self.side_mut(direction).set(Side::SYN);
    }

    /// The last frame.
    #[inline(always)]
    fn last_mark(&self) -> Mark {
        let last = self.marks().later(self.sides[0].last, self.sides[1].last);
        match self.beside.rare() {
            Some(rare) => self.marks().later(last, rare.last_other),
            None => last,
        }
    }

    /// The last frame.
    #[inline]
    pub fn last(&self) -> Stamp {
        self.marks().stamp(self.last_mark())
    }

    /// Frames that belong to the connection, whatever became of them; of each side no more than 4,294,967,295.
    #[inline]
    pub fn frames(&self) -> u64 {
        let [client, server] = &self.sides;
        let others = self.beside.rare().map_or(0, |rare| rare.other_frames);
        u64::from(client.segments) + u64::from(server.segments) + others
    }

    pub fn rare(&mut self) -> &mut Rare {
        if self.beside.rare().is_none() {
            let rare = Rare {
                sides: self.sides.each_ref().map(|side| RareSide::of(side, self.marks())),
                ..Rare::default()
            };
            self.beside.put_rare(rare);
        }
        self.beside.rare_or_default()
    }

    /// Octets that wait for earlier ones of that side.
    pub fn pieces(&self, direction: Direction) -> Option<&Pieces> {
        self.beside.rare()?.sides[at(direction)].pieces.as_deref()
    }

    /// Octets of payload that a side sent, whether again or not.
    pub fn octets_on_wire(&self, direction: Direction) -> u64 {
        let rare = self.beside.rare().map(|rare| rare.sides[at(direction)].octets_on_wire);
        rare.unwrap_or(self.side(direction).offset)
    }

    /// When a side last sent payload, whether again or not.
    pub fn last_sent(&self, direction: Direction) -> Timestamp {
        let rare = self.beside.rare().map(|rare| rare.sides[at(direction)].last_sent);
        rare.unwrap_or_else(|| self.side(direction).last_data_time(self.marks()))
    }

    pub fn rare_side(&mut self, direction: Direction) -> &mut RareSide {
        &mut self.rare().sides[at(direction)]
    }

    /// Octets held besides the struct itself.
    pub fn weight(&self) -> usize {
        let rare = self.beside.rare().map_or(0, |rare| {
            size_of::<Rare>()
                + rare.resets.capacity() * size_of::<Reset>()
                + rare.gaps.capacity() * size_of::<Gap>()
                + rare.zero_windows.capacity() * size_of::<ZeroWindow>()
                + rare.stuck.capacity() * size_of::<Stuck>()
                + rare.icmp_errors.capacity() * size_of::<IcmpError>()
        });
        rare + self.key.weight()
            + self.beside.weight()
            + self.pieces_octets()
            + self.sides[0].history.weight()
            + self.sides[1].history.weight()
    }

    fn pieces_octets(&self) -> usize {
        let both = self.beside.rare().map(|rare| &rare.sides);
        both.map_or(0, |[one, two]| one.pieces_octets() + two.pieces_octets())
    }

    /// Octets out of order that the table counts for the connection.
    #[inline]
    pub fn counted_out_of_order(&self) -> usize {
        self.beside.rare().map_or(0, |rare| rare.counted_out_of_order)
    }

    /// Octets held out of order, and what keeping them costs.
    pub fn out_of_order(&self) -> usize {
        let early = self.beside.rare().and_then(|rare| rare.early.as_ref());
        let early = early.map_or(0, |early| early.weight());
        self.pieces_octets() + early
    }

    /// Takes one segment.
    #[inline]
    pub fn take<S: Stream>(
        &mut self,
        segment: &Segment<'_>,
        direction: Direction,
        context: &mut Context<'_>,
        reader: &mut Reader<'_, S>,
    ) -> Verdict {
        if self.answers_pending(segment, direction) {
            let refused = segment.flags.has(Flags::RST);
            return if refused {
                Verdict::RefusesPending
            } else {
                Verdict::AnswersPending
            };
        }
        if self.is_duplicate(segment, direction) {
            self.take_duplicate(segment, direction);
            return Verdict::Taken;
        }
        if self.holds_early() {
            return self.take_beside_early(segment, direction, context, reader);
        }
        if self.is_early(segment, direction) && segment.payload.len() <= context.room && self.fits(segment, direction) {
            self.hold_early(segment, direction);
            return Verdict::Taken;
        }
        self.take_new(segment, direction, context, reader)
    }

    /// Takes one segment that is no copy, in its turn.
    #[inline]
    pub(super) fn take_new<S: Stream>(
        &mut self,
        segment: &Segment<'_>,
        direction: Direction,
        context: &mut Context<'_>,
        reader: &mut Reader<'_, S>,
    ) -> Verdict {
        let mark = self.mark(segment.stamp);
        let ended = self.stage.is_end();
        let mut noted = true;
        if segment.flags.has(Flags::RST) {
            noted = self.take_reset(segment, direction, mark, context);
        } else if segment.flags.has(Flags::SYN) {
            match self.take_syn(segment, direction, mark, context) {
                SynVerdict::Ours => self.take_body(segment, direction, mark, context, reader),
                SynVerdict::Noted => noted = false,
                SynVerdict::Begins => return Verdict::Begins,
            }
        } else if self.fits(segment, direction) {
            if let Some(rare) = self.beside.rare_mut() {
                rare.strangers = None;
            }
            self.take_body(segment, direction, mark, context, reader);
        } else {
            context.counts.out_of_window += 1;
            if self.are_strangers_enough(segment, direction) {
                return Verdict::Begins;
            }
            noted = false;
        }
        if ended {
            context.counts.late_segments += 1;
        }
        if !noted {
            self.note_other(mark);
        }
        Verdict::Taken
    }

    #[inline]
    fn take_body<S: Stream>(
        &mut self,
        segment: &Segment<'_>,
        direction: Direction,
        mark: Mark,
        context: &mut Context<'_>,
        reader: &mut Reader<'_, S>,
    ) {
        self.note(segment, direction, mark);
        if segment.flags.has(Flags::ACK) {
            self.take_acknowledgment(segment, direction, mark);
        }
        if !segment.flags.has(Flags::SYN) && self.stage == Stage::Embryonic {
            self.stage = Stage::Established;
        }
        if self.stage == Stage::Established && reader.stream.is_none() {
            reader.open(self);
        }
        self.take_payload(segment, direction, mark, context, reader);
        if segment.flags.has(Flags::FIN) {
            self.take_fin(segment, direction, mark, reader);
        }
        if self.sides[0].has(Side::HOLE) || self.sides[1].has(Side::HOLE) {
            self.watch_holes(segment.stamp, reader);
        }
        if self.ending.is_none() && self.sides[0].has(Side::FIN_DELIVERED) && self.sides[1].has(Side::FIN_DELIVERED) {
            self.close_when_acknowledged();
        }
    }

    fn close_when_acknowledged(&mut self) {
        if self.sides.iter().all(Side::fin_acknowledged) {
            self.ending = Some(Ending::Closed(self.first_fin()));
            self.stage = Stage::Closed;
            for side in &mut self.sides {
                side.history.clear();
            }
        }
    }

    /// Who sent FIN first; means something once both did.
    pub fn first_fin(&self) -> Direction {
        let fin = |side: &Side| self.marks().get(side.fin);
        match (fin(&self.sides[0]), fin(&self.sides[1])) {
            (Some(client), Some(server)) if client.frame > server.frame => Direction::ToClient,
            (None, Some(_)) => Direction::ToClient,
            _ => Direction::ToServer,
        }
    }

    /// Counts and remembers what every segment has.
    #[inline]
    pub fn note(&mut self, segment: &Segment<'_>, direction: Direction, mark: Mark) {
        let scaled = self.sides[0].has(Side::SCALED) && self.sides[1].has(Side::SCALED);
        let reset = segment.flags.has(Flags::RST);
        let syn = segment.flags.has(Flags::SYN);
        let [from, to] = self.silence;
        let (marks, last) = (self.marks(), self.last_mark());
        if marks.passed(last, mark) > marks.passed(from, to) {
            self.silence = [last, mark];
        }
        let side = self.side_mut(direction);
        side.segments = side.segments.saturating_add(1);
        side.last = mark;
        if side.segments == 1 {
            side.time_to_live = segment.time_to_live;
        }
        if reset {
            return;
        }
        side.usual_time_to_live = segment.time_to_live;
        side.encapsulation = segment.encapsulation;
        if segment.options.timestamps.is_some() {
            side.set(Side::TIMESTAMPS);
        }
        if let Some(identification) = segment.ip_identification {
            let step = identification.wrapping_sub(side.last_identification);
            if side.segments > 1 {
                if (1..256).contains(&step) {
                    side.set(Side::COUNTS_UP);
                } else {
                    side.unset(Side::COUNTS_UP);
                }
            }
            side.last_identification = identification;
        }
        let shift = if scaled && !syn { side.window_scale.min(14) } else { 0 };
        side.window = u32::from(segment.window) << shift;
        if !syn && (segment.window == 0 || side.has(Side::ZERO_WINDOW)) {
            self.take_window(segment.window == 0, direction, segment.stamp);
        }
    }

    /// `advertiser` sends in that direction; the blocked direction is the other one.
    fn take_window(&mut self, zero: bool, advertiser: Direction, stamp: Stamp) {
        let episode = self.rare_side(advertiser).zero_window.take();
        let mut episode = episode.unwrap_or(ZeroWindow {
            blocked: advertiser.opposite(),
            from: stamp,
            until: stamp,
            reopened: false,
        });
        episode.until = stamp;
        if zero {
            self.rare_side(advertiser).zero_window = Some(episode);
            self.side_mut(advertiser).set(Side::ZERO_WINDOW);
        } else {
            episode.reopened = true;
            self.side_mut(advertiser).unset(Side::ZERO_WINDOW);
            let rare = self.rare();
            Rare::list(&mut rare.zero_windows, &mut rare.unlisted, episode);
        }
    }

    /// True where the sequence number lies where a segment of this connection may lie.
    #[inline]
    fn fits(&self, segment: &Segment<'_>, direction: Direction) -> bool {
        let (side, peer) = (self.side(direction), self.side(direction.opposite()));
        let slack = SLACK + i64::from(peer.window.max(0xffff));
        if !side.has(Side::KNOWN) {
            if !segment.flags.has(Flags::ACK) || !peer.has(Side::KNOWN) {
                return true;
            }
            // A host that still knows an older connection answers a SYN with an old acknowledgment (RFC 9293 3.5.1).
            let from = if peer.has(Side::SYN) {
                peer.initial.wrapping_add(1)
            } else {
                peer.initial
            };
            let behind = if peer.has(Side::SYN) { 0 } else { -slack };
            let ahead = distance(from, segment.acknowledgment);
            return ahead >= behind && ahead <= distance(from, peer.highest) + slack;
        }
        let ahead = distance(side.next, segment.sequence);
        if ahead <= 0 {
            return -ahead <= slack.max(i64::try_from(side.offset).unwrap_or(i64::MAX).saturating_add(1));
        }
        let believed = if peer.segments == 0 { BLIND_SLACK } else { slack };
        let known = distance(side.next, later(side.highest, side.acknowledged_or(side.highest)));
        ahead <= believed.saturating_add(known.max(0))
    }

    fn are_strangers_enough(&mut self, segment: &Segment<'_>, direction: Direction) -> bool {
        let end = segment.sequence.wrapping_add(segment.payload_length);
        let strangers = &mut self.rare().strangers;
        match strangers {
            Some(known) if known.direction == direction && distance(known.next, segment.sequence).abs() < SLACK => {
                known.count += 1;
                known.next = later(known.next, end);
                known.count >= STRANGERS
            }
            Some(known) if known.direction != direction => false,
            _ => {
                *strangers = Some(Strangers {
                    direction,
                    next: end,
                    count: 1,
                });
                false
            }
        }
    }

    #[inline]
    pub(super) fn is_duplicate(&mut self, segment: &Segment<'_>, direction: Direction) -> bool {
        let marked = segment.flags.0 & (Flags::SYN | Flags::FIN | Flags::RST) != 0 || segment.payload_length > 0;
        // Without an identification two equal acknowledgments may be two packets: duplicate acknowledgments exist.
        if !marked && segment.ip_identification.unwrap_or_default() == 0 {
            return false;
        }
        let side = self.side_mut(direction);
        if !side.was_recent(segment) {
            return false;
        }
        let end = segment.sequence.wrapping_add(segment.payload_length);
        segment.payload_length == 0 || (side.has(Side::KNOWN) && distance(end, side.highest) >= 0)
    }

    pub(super) fn take_duplicate(&mut self, segment: &Segment<'_>, direction: Direction) {
        self.take_other(segment.stamp);
        let first = self.side(direction).encapsulation;
        self.compare_delivered(segment, direction);
        let rare = self.rare();
        let count = &mut rare.sides[at(direction)].capture_duplicates;
        *count = count.saturating_add(1);
        for number in [first, segment.encapsulation] {
            if !rare.encapsulations.contains(&number) && rare.encapsulations.len() < LISTED_FACTS {
                rare.encapsulations.push(number);
            }
        }
    }

    /// A frame that no side counts as its segment.
    fn take_other(&mut self, stamp: Stamp) {
        let mark = self.mark(stamp);
        self.note_other(mark);
    }

    pub fn note_other(&mut self, mark: Mark) {
        let last = self.rare().last_other;
        let last = self.marks().later(last, mark);
        let rare = self.rare();
        rare.other_frames += 1;
        rare.last_other = last;
    }

    /// Takes an ICMP error that quotes this connection.
    pub fn take_icmp(&mut self, error: &IcmpError) {
        self.take_other(error.stamp);
        let rare = self.rare();
        Rare::list(&mut rare.icmp_errors, &mut rare.unlisted, *error);
    }
}

/// What became of a SYN.
pub(super) enum SynVerdict {
    /// It belongs to this connection's handshake.
    Ours,
    /// It does not, and was remembered or ignored.
    Noted,
    /// It begins a new connection.
    Begins,
}

impl<S: Stream> Reader<'_, S> {
    /// Makes the reader where there is none yet.
    pub fn open(&mut self, transport: &Transport) -> &mut S {
        let make = &mut self.make;
        self.stream.get_or_insert_with(|| make(&transport.opened()))
    }
}
