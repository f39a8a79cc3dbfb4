//! Finds the connection of every segment, and keeps all of them within the limits.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::time::Duration;

use foldhash::quality::RandomState;

use crate::packet::{Flags, Flow, IcmpError, Key, PortSet, Segment};
use crate::span::Stamp;
use crate::tcp::clock::Clock;
use crate::tcp::departed::{Departed, Departures};
use crate::tcp::facts::{ConnectionFacts, Ending};
use crate::tcp::half_open::{HalfOpen, Syn};
use crate::tcp::index::Index;
use crate::tcp::limits::{Counts, Limits};
use crate::tcp::opening::is_copy_of;
use crate::tcp::slots::{Connection, Slots};
use crate::tcp::stream::Stream;
use crate::tcp::transport::{Context, Opened, Reader, Stage, Transport, Verdict};
use crate::time::Timestamp;

/// In the index, this bit tells half-open connections from full ones.
const HALF: u32 = 1 << 31;
/// A connection is weighed at each of its first segments …
const WEIGHED_ALWAYS: u64 = 4;
/// … and then whenever so many more have come.
const WEIGHED_EVERY: u64 = 8;
/// How often time-outs are looked at, in nanoseconds of packet time.
const SWEEP: u64 = 250_000_000;

/// A connection that is over.
#[derive(Clone, Debug)]
pub struct Finished<S> {
    /// What is known of its transport; written once and where it stays, for it is large.
    pub facts: Box<ConnectionFacts>,
    /// Its reader; `None` where there was nothing to read, because no connection came about.
    pub stream: Option<S>,
    /// How far the table had come when it ended: its silence lasted until here at least.
    pub at: Stamp,
}

/// What is still there at the end of the capture, in the order of first frames, last first.
#[derive(Default)]
struct Remaining {
    /// Numbers of connections kept in full. There may be very many: each takes four octets here.
    full: Vec<u32>,
    /// First frames and positions of half-open ones.
    half: Vec<(Stamp, u32)>,
}

/// All connections on the ports of a set.
///
/// Call [`push`](Self::push) and [`push_icmp`](Self::push_icmp) in capture order, then [`finish`](Self::finish) once;
/// after each of them take what ended with [`poll_finished`](Self::poll_finished). The order of what ends depends on
/// the segments only.
pub struct Table<S> {
    limits: Limits,
    /// The shortest time that a connection of any stage may be silent, in nanoseconds.
    shortest: u64,
    pub(super) departures: Departures,
    /// What ends the connections that are left at the end.
    last_ending: Ending,
    ports: PortSet,
    make: Box<dyn FnMut(&Opened) -> S + Send>,
    state: RandomState,
    index: Index,
    pub(super) slots: Slots<S>,
    half_open: HalfOpen,
    finished: VecDeque<Finished<S>>,
    remaining: Remaining,
    /// At the end: what comes next, half-open or not, with its first frame.
    next: Option<(Stamp, u32)>,
    pub(super) clock: Clock,
    next_sweep: Timestamp,
    at: Stamp,
    counts: Counts,
    memory: usize,
    out_of_order: usize,
    /// Something that a limit is about may have changed since the limits were looked at.
    limits_due: bool,
    /// For tests, which hold both ways against each other.
    pub(super) only_long_way: bool,
}

/// What no connection can have been silent for and be over, in nanoseconds.
fn shortest_silence(limits: &Limits) -> u64 {
    let shortest = [
        limits.half_open_time,
        limits.idle_time,
        limits.idle_time_with_room,
        limits.linger_after_close,
        limits.linger_after_reset,
        limits.report_after.unwrap_or(Duration::MAX),
    ]
    .into_iter()
    .min()
    .unwrap_or_default();
    u64::try_from(shortest.as_nanos()).unwrap_or(u64::MAX)
}

/// What a connection needs behind a segment.
#[derive(Clone, Copy)]
struct Care {
    /// To be put where it belongs in the lists.
    touch: bool,
    /// To be weighed: at its first segments, while octets wait out of order, and then every few segments, for to look at
    /// its decoder costs more than the limits gain.
    weigh: bool,
}

impl Care {
    #[inline]
    fn of<S>(connection: &Connection<S>, now: Timestamp) -> Self {
        let transport = &connection.transport;
        let frames = transport.frames();
        Self {
            touch: connection.is_to_be_touched(now),
            weigh: frames < WEIGHED_ALWAYS
                || frames.is_multiple_of(WEIGHED_EVERY)
                || transport.counted_out_of_order() > 0
                || transport.out_of_order() > 0,
        }
    }
}

impl<S: Stream> Table<S> {
    /// An empty table for these ports; `make` makes the reader of a connection when it opens.
    #[must_use]
    pub fn new(limits: Limits, ports: PortSet, make: impl FnMut(&Opened) -> S + Send + 'static) -> Self {
        Self {
            shortest: shortest_silence(&limits),
            limits,
            departures: Departures::default(),
            last_ending: Ending::CaptureEnd,
            ports,
            make: Box::new(make),
            state: RandomState::default(),
            index: Index::new(),
            slots: Slots::new(),
            half_open: HalfOpen::default(),
            finished: VecDeque::new(),
            remaining: Remaining::default(),
            next: None,
            clock: Clock::new(),
            next_sweep: Timestamp::MIN,
            at: Stamp::default(),
            counts: Counts::default(),
            memory: 0,
            out_of_order: 0,
            limits_due: false,
            only_long_way: false,
        }
    }

    /// What happened to the table as a whole so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Connections kept in full, lingering ones included.
    #[must_use]
    pub fn open(&self) -> usize {
        self.slots.len()
    }

    /// Unanswered SYNs kept.
    #[must_use]
    pub fn half_open(&self) -> usize {
        self.half_open.len()
    }

    /// Octets of state held, approximately.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.memory + self.half_open.weight()
    }

    fn is_mail(&self, port: u16) -> bool {
        self.ports.contains(port)
    }

    /// Takes a segment; its time moves the table's own clock.
    pub fn push(&mut self, segment: &Segment<'_>) {
        let now = self.clock.advance(segment.stamp.time);
        self.at = Stamp {
            frame: segment.stamp.frame,
            time: now,
        };
        let (source, destination) = segment.flow.ports();
        if !self.is_mail(destination) && !self.is_mail(source) {
            self.counts.other_ports += 1;
            return;
        }
        self.push_at(segment, now);
    }

    /// Takes a segment where several tables go by one clock, which says `now`, and whoever looked which of them the flow
    /// belongs to saw that one of its ports is in the set.
    pub fn push_at(&mut self, segment: &Segment<'_>, now: Timestamp) {
        self.clock.set(now);
        self.at = Stamp {
            frame: segment.stamp.frame,
            time: now,
        };
        self.counts.segments += 1;
        if self.is_sweep_due(now) {
            self.sweep_now(now);
        }
        let key = &segment.flow.key;
        let hash = key.hash(&self.state);
        match self.find(key, hash) {
            Some(position) if position & HALF != 0 => {
                self.push_half_open(segment, hash, position & !HALF);
            }
            Some(number) if !self.is_over(number, now) => {
                if !self.push_full(segment, number) && !self.limits_due {
                    return;
                }
            }
            Some(number) => {
                self.time_out(number);
                self.open_with(segment, hash);
            }
            None => self.open_with(segment, hash),
        }
        self.keep_limits();
    }

    /// Takes an ICMP error: it becomes a fact of the connection that it quotes.
    pub fn push_icmp(&mut self, error: &IcmpError) {
        let (source, destination) = (&error.quoted_source, &error.quoted_destination);
        if !self.is_mail(source.port) && !self.is_mail(destination.port) {
            return;
        }
        let key = Flow::of(source, destination).key;
        let hash = key.hash(&self.state);
        let number = match self.find(&key, hash) {
            Some(position) if position & HALF != 0 => self.promote(position & !HALF, hash),
            found => found,
        };
        let Some(connection) = number.and_then(|number| self.slots.get_mut(number)) else {
            self.counts.unmatched_icmp_errors += 1;
            return;
        };
        connection.transport.take_icmp(error);
        self.limits_due = true;
        if let Some(number) = number {
            self.weigh(number);
        }
    }

    /// Connections that are over and not yet taken.
    #[must_use]
    pub fn finished(&self) -> usize {
        self.finished.len()
    }

    /// After [`finish`](Self::finish): the first frame of the connection that [`poll_finished`](Self::poll_finished)
    /// gives next.
    #[must_use]
    pub fn next_remaining(&self) -> Option<Stamp> {
        let waiting = self.finished.front().map(|finished| finished.facts.first);
        waiting.or(self.next.map(|(first, _)| first))
    }

    /// Time goes on without a segment, as the clock of several tables says: what was silent for too long ends.
    pub fn advance_to(&mut self, now: Timestamp) {
        self.clock.set(now);
        self.at.time = now;
        if self.is_sweep_due(now) {
            self.sweep_now(now);
        }
    }

    /// The capture is over at `now`, as the clock of several tables says.
    pub fn finish_at(&mut self, now: Timestamp) {
        self.clock.set(now);
        self.finish();
    }

    /// Whoever watches stops watching at `now`: everything that is left ends as [`Ending::Stopped`], whatever its
    /// silence.
    pub fn stop_at(&mut self, now: Timestamp) {
        self.clock.set(now);
        self.last_ending = Ending::Stopped;
        self.finish();
    }

    /// The capture is over: everything that is left ends, in the order of first frames.
    pub fn finish(&mut self) {
        let mut full = Vec::with_capacity(self.slots.len());
        full.extend(self.slots.numbers().map(|(number, _)| number));
        full.sort_unstable_by_key(|&number| Reverse(self.first_of(number)));
        let mut half: Vec<(Stamp, u32)> = Vec::with_capacity(self.half_open.len());
        half.extend(self.half_open.positions().map(|(position, first)| (first, position)));
        half.sort_unstable_by(|one, two| two.cmp(one));
        self.remaining = Remaining { full, half };
        self.next = self.find_next();
    }

    /// The first frame of a connection kept in full.
    fn first_of(&self, number: u32) -> Option<Stamp> {
        self.slots.get(number).map(|connection| connection.transport.first)
    }

    /// What began first of all that is left at the end.
    fn find_next(&self) -> Option<(Stamp, u32)> {
        let full = self.remaining.full.last();
        let full = full.and_then(|&number| Some((self.first_of(number)?, number)));
        let half = self.remaining.half.last();
        let half = half.map(|&(first, position)| (first, position | HALF));
        full.into_iter().chain(half).min()
    }

    /// The next connection that is over.
    pub fn poll_finished(&mut self) -> Option<Finished<S>> {
        while self.finished.is_empty() {
            let (_, number) = self.next?;
            let now = self.clock.now();
            if number & HALF != 0 {
                self.remaining.half.pop();
                let over = self.half_open.get(number & !HALF);
                let over = over.is_some_and(|(_, syn)| now.since(syn.last.time) > self.limits.half_open_time);
                self.finish_half_open(number & !HALF, if over { Ending::Idle } else { self.last_ending });
            } else {
                self.remaining.full.pop();
                let over = self.is_over(number, now);
                self.finish_full(number, if over { Ending::Idle } else { self.last_ending });
            }
            self.next = self.find_next();
        }
        self.finished.pop_front()
    }

    fn find(&self, key: &Key, hash: u32) -> Option<u32> {
        self.index.find(hash, |value| {
            if value & HALF != 0 {
                self.half_open.is(value & !HALF, key)
            } else {
                self.slots
                    .get(value)
                    .is_some_and(|connection| connection.transport.key.is(key))
            }
        })
    }

    /// Takes the first segment of a connection.
    fn open_with(&mut self, segment: &Segment<'_>, hash: u32) {
        let flags = segment.flags;
        if self.departures.is_late(segment, hash, self.clock.now()) {
            self.counts.late_segments += 1;
            return;
        }
        if flags.has(Flags::RST) {
            self.counts.stray_resets += 1;
            return;
        }
        self.counts.opened += 1;
        let plain_syn = flags.has(Flags::SYN) && flags.0 & (Flags::ACK | Flags::FIN) == 0;
        if plain_syn && segment.payload_length == 0 {
            self.keep_half_open(segment.flow.key, hash, &Syn::of(segment));
            return;
        }
        let transport = Transport::from_segment(segment, |port| self.is_mail(port));
        let number = self.insert(transport, hash);
        self.push_full(segment, number);
    }

    fn keep_half_open(&mut self, key: Key, hash: u32, syn: &Syn) {
        while self.half_open.len() >= self.limits.half_open.max(1) && self.evict_half_open() {}
        let position = self.half_open.push(key, hash, syn);
        self.index.insert(hash, position | HALF);
    }

    fn insert(&mut self, transport: Transport, hash: u32) -> u32 {
        let connection = Connection::new(transport, hash, self.clock.now());
        let number = self.slots.insert(connection);
        self.index.insert(hash, number);
        self.weigh(number);
        number
    }

    fn push_half_open(&mut self, segment: &Segment<'_>, hash: u32, position: u32) {
        let Some((_, syn)) = self.half_open.get(position) else {
            return;
        };
        if self.clock.now().since(syn.last.time) > self.limits.half_open_time {
            self.counts.idle += 1;
            self.finish_half_open(position, Ending::Idle);
            self.open_with(segment, hash);
            return;
        }
        let same = segment.flags.has(Flags::SYN)
            && segment.flags.0 & (Flags::ACK | Flags::RST | Flags::FIN) == 0
            && segment.payload_length == 0
            && segment.sequence == syn.sequence
            && segment.flow.source_is_low == syn.from_low;
        if same {
            self.half_open
                .seen_again(position, segment.stamp, is_copy_of(segment.stamp, syn.last));
        } else if let Some(number) = self.promote(position, hash) {
            self.push_full(segment, number);
        }
    }

    /// Turns a half-open connection into a full one.
    fn promote(&mut self, position: u32, hash: u32) -> Option<u32> {
        let (key, syn) = self.half_open.remove(position)?;
        self.index.remove(hash, position | HALF);
        self.tidy_half_open();
        Some(self.insert(Transport::from_syn(key, &syn), hash))
    }

    fn tidy_half_open(&mut self) {
        // At the end the positions are on a list already.
        if self.remaining.half.is_empty() && self.half_open.is_sparse() {
            let (index, state) = (&mut self.index, &self.state);
            self.half_open
                .compact(|key, from, to| index.replace(key.hash(state), from | HALF, to | HALF));
        }
    }

    /// Takes a segment of a connection kept in full; false where the table holds what it held before.
    #[inline]
    fn push_full(&mut self, segment: &Segment<'_>, number: u32) -> bool {
        match self.take(segment, number) {
            None => return false,
            Some((Verdict::Taken, care)) => return self.look_after(number, care),
            Some((Verdict::AnswersPending, _)) => {
                let pending = self.replace(number);
                let Some((key, hash, syn)) = pending else { return true };
                let number = self.insert(Transport::from_syn(key, &syn), hash);
                self.take(segment, number);
                self.slots.touch(number, self.clock.now());
                self.weigh(number);
            }
            Some((Verdict::RefusesPending, _)) => self.refuse_pending(segment, number),
            Some((Verdict::Begins, _)) => {
                self.finish_full(number, Ending::PortReused);
                self.open_with(segment, segment.flow.key.hash(&self.state));
            }
        }
        true
    }

    #[inline]
    fn take(&mut self, segment: &Segment<'_>, number: u32) -> Option<(Verdict, Care)> {
        let now = self.clock.now();
        let connection = self.slots.get_mut(number)?;
        let direction = connection.transport.direction(segment.flow.source_is_low);
        if let Some(stream) = &mut connection.stream
            && connection.transport.is_usual(segment, direction)
            && !self.only_long_way
        {
            connection.transport.take_usual(segment, direction, stream);
            return Some((Verdict::Taken, Care::of(connection, now)));
        }
        let counted = connection.transport.counted_out_of_order();
        let elsewhere = self.out_of_order.saturating_sub(counted);
        let mut context = Context {
            limits: &self.limits,
            counts: &mut self.counts,
            room: self.limits.out_of_order_total.saturating_sub(elsewhere),
        };
        let mut reader = Reader {
            stream: &mut connection.stream,
            make: &mut *self.make,
        };
        let verdict = connection.transport.take(segment, direction, &mut context, &mut reader);
        Some((verdict, Care::of(connection, now)))
    }

    /// Ends a connection whose ports a remembered SYN took over; that SYN.
    fn replace(&mut self, number: u32) -> Option<(Key, u32, Syn)> {
        let connection = self.slots.get_mut(number)?;
        let pending = connection
            .transport
            .beside
            .rare_mut()
            .and_then(|rare| rare.pending.take());
        let (key, hash) = (connection.transport.key.get(), connection.hash);
        self.counts.opened += 1;
        self.finish_full(number, Ending::PortReused);
        pending.map(|syn| (key, hash, syn))
    }

    /// The remembered SYN was refused: that is a connection of its own, and no harm to the one that is open.
    fn refuse_pending(&mut self, segment: &Segment<'_>, number: u32) {
        let Some(transport) = self.slots.get_mut(number).map(|connection| &mut connection.transport) else {
            return;
        };
        let Some(syn) = transport.beside.rare_mut().and_then(|rare| rare.pending.take()) else {
            return;
        };
        let mut refused = Transport::from_syn(transport.key.get(), &syn);
        let mut context = Context {
            limits: &self.limits,
            counts: &mut self.counts,
            room: 0,
        };
        let (direction, mark) = (
            refused.direction(segment.flow.source_is_low),
            refused.mark(segment.stamp),
        );
        if !refused.take_reset(segment, direction, mark, &mut context) {
            refused.note_other(mark);
        }
        self.counts.opened += 1;
        let facts = refused.facts(Ending::Reset(direction));
        self.finished.push_back(Finished {
            facts,
            stream: None,
            at: self.at,
        });
    }

    /// Gives a connection the care that it needs; false where it needs none.
    #[inline]
    fn look_after(&mut self, number: u32, care: Care) -> bool {
        if care.touch {
            self.slots.touch(number, self.clock.now());
        }
        if care.weigh {
            self.weigh(number);
        }
        care.touch || care.weigh
    }

    /// Counts what a connection weighs now.
    fn weigh(&mut self, number: u32) {
        let Some(connection) = self.slots.get_mut(number) else {
            return;
        };
        let stream = connection.stream.as_ref().map_or(0, Stream::weight);
        let weight = size_of::<Connection<S>>() + 32 + connection.transport.weight() + stream;
        // No connection comes near 4 GB: what may be out of order is limited, and so is what a decoder keeps.
        let weight = u32::try_from(weight).unwrap_or(u32::MAX);
        self.memory = (self.memory + weight as usize).saturating_sub(connection.weight as usize);
        connection.weight = weight;
        let out_of_order = connection.transport.out_of_order();
        if let Some(rare) = connection.transport.beside.rare_mut() {
            self.out_of_order = (self.out_of_order + out_of_order).saturating_sub(rare.counted_out_of_order);
            rare.counted_out_of_order = out_of_order;
        }
    }

    fn time_limit(&self, stage: Stage) -> Duration {
        let report = self.limits.report_after.unwrap_or(Duration::MAX);
        match stage {
            Stage::Embryonic => self.limits.half_open_time,
            Stage::Closed => self.limits.linger_after_close.min(report),
            Stage::Reset => self.limits.linger_after_reset.min(report),
            Stage::Established => {
                let room = self.slots.len() < self.limits.flows / 2 && self.memory() < self.limits.memory / 2;
                if room {
                    self.limits.idle_time_with_room
                } else {
                    self.limits.idle_time
                }
            }
        }
    }

    #[inline]
    fn is_over(&self, number: u32, now: Timestamp) -> bool {
        // Nearly always it was touched just now.
        let quiet = |connection: &Connection<S>| now.nanoseconds_since(connection.touched) > self.shortest;
        self.slots.get(number).is_some_and(quiet) && self.slots.get(number).is_some_and(|one| self.is_silent(one, now))
    }

    #[inline(never)]
    fn is_silent(&self, connection: &Connection<S>, now: Timestamp) -> bool {
        let limit = self.time_limit(connection.transport.stage);
        // The clock believes a jump only after some frames: a connection that opened in them was touched in the past.
        let last = connection.transport.last().time;
        let alive = last <= now && now.since(last) <= limit;
        !alive && now.since(connection.touched) > limit
    }

    fn time_out(&mut self, number: u32) {
        let stage = self.slots.get(number).map(|connection| connection.transport.stage);
        if matches!(stage, Some(Stage::Embryonic | Stage::Established)) {
            self.counts.idle += 1;
        } else if self.limits.report_after.is_some() {
            self.remember_departed(number);
        }
        self.finish_full(number, Ending::Idle);
    }

    fn remember_departed(&mut self, number: u32) {
        let Some(connection) = self.slots.get(number) else {
            return;
        };
        let transport = &connection.transport;
        let departed = Departed {
            key: transport.key.clone(),
            highest: transport.highest_by_key(),
            at: self.clock.now(),
            wait: match transport.stage {
                Stage::Reset => self.limits.linger_after_reset,
                _ => self.limits.linger_after_close,
            },
        };
        let hash = connection.hash;
        self.departures.add(departed, hash, self.limits.departed);
    }

    pub(super) fn is_sweep_due(&self, now: Timestamp) -> bool {
        now >= self.next_sweep || self.next_sweep.nanoseconds_since(now) > SWEEP
    }

    /// Looks at the time-outs, now and after [`SWEEP`] again.
    pub(super) fn sweep_now(&mut self, now: Timestamp) {
        self.next_sweep = now.plus(Duration::from_nanos(SWEEP));
        self.limits_due = true;
        self.departures.sweep(now);
        self.sweep(now);
    }

    fn sweep(&mut self, now: Timestamp) {
        for stage in [Stage::Closed, Stage::Reset, Stage::Embryonic, Stage::Established] {
            while let Some(number) = self.slots.oldest(stage) {
                if !self.is_over(number, now) {
                    break;
                }
                self.time_out(number);
            }
        }
        while let Some(position) = self.half_open.oldest() {
            let Some((key, syn)) = self.half_open.get(position) else {
                break;
            };
            if now.since(syn.first.time) <= self.limits.half_open_time {
                break;
            }
            if now.since(syn.last.time) > self.limits.half_open_time {
                self.counts.idle += 1;
                self.finish_half_open(position, Ending::Idle);
                continue;
            }
            // Repeated since: it waits on, behind those that came after it.
            let hash = key.hash(&self.state);
            self.half_open.remove(position);
            self.index.remove(hash, position | HALF);
            let position = self.half_open.push(key, hash, &syn);
            self.index.insert(hash, position | HALF);
            if self.half_open.oldest() == Some(position) {
                break;
            }
        }
    }

    fn keep_limits(&mut self) {
        self.limits_due = false;
        while self.slots.length(Stage::Closed) + self.slots.length(Stage::Reset) > self.limits.lingering {
            let closed = self.slots.oldest(Stage::Closed);
            let Some(number) = closed.or_else(|| self.slots.oldest(Stage::Reset)) else {
                break;
            };
            self.counts.lingering_cut_short += 1;
            self.remember_departed(number);
            self.finish_full(number, Ending::Evicted);
        }
        while self.slots.len() > self.limits.flows && self.evict() {}
        while self.memory() > self.limits.memory && (self.evict_half_open() || self.evict()) {}
    }

    fn evict_half_open(&mut self) -> bool {
        let Some((hash, position)) = self.half_open.forget_oldest() else {
            return false;
        };
        self.index.remove(hash, position | HALF);
        self.tidy_half_open();
        self.counts.half_open_evicted += 1;
        true
    }

    /// Ends the connection that will be missed least.
    fn evict(&mut self) -> bool {
        let stages = [Stage::Closed, Stage::Reset, Stage::Embryonic, Stage::Established];
        let oldest = |stage: &Stage| Some((*stage, self.slots.oldest(*stage)?));
        let Some((stage, number)) = stages.iter().find_map(oldest) else {
            return false;
        };
        if stage.is_end() {
            self.remember_departed(number);
        }
        self.counts.evicted += 1;
        self.finish_full(number, Ending::Evicted);
        true
    }

    fn finish_full(&mut self, number: u32, cause: Ending) {
        let Some(connection) = self.slots.get_mut(number) else {
            return;
        };
        self.index.remove(connection.hash, number);
        self.memory = self.memory.saturating_sub(connection.weight as usize);
        self.out_of_order = self
            .out_of_order
            .saturating_sub(connection.transport.counted_out_of_order());
        let transport = &mut connection.transport;
        let mut reader = Reader {
            stream: &mut connection.stream,
            make: &mut *self.make,
        };
        let mut context = Context {
            limits: &self.limits,
            counts: &mut self.counts,
            room: self.limits.out_of_order_total.saturating_sub(self.out_of_order),
        };
        transport.let_early_go(&mut context, &mut reader);
        transport.flush(&mut reader);
        let pending = transport.beside.rare_mut().and_then(|rare| rare.pending.take());
        let pending = pending.map(|syn| (transport.key.get(), syn));
        let ending = transport.ending_after(cause);
        self.counts.ports_reused += u64::from(ending == Ending::PortReused);
        let facts = transport.facts(ending);
        let mut stream = connection.stream.take();
        self.slots.remove(number);
        if let Some(stream) = &mut stream {
            stream.end(ending, &facts);
        }
        self.finished.push_back(Finished {
            facts,
            stream,
            at: self.at,
        });
        if let Some((key, syn)) = pending {
            let cause = if cause == Ending::PortReused {
                Ending::Idle
            } else {
                cause
            };
            self.finish_syn(key, &syn, cause);
        }
    }

    fn finish_half_open(&mut self, position: u32, ending: Ending) {
        let Some((key, syn)) = self.half_open.remove(position) else {
            return;
        };
        self.index.remove(key.hash(&self.state), position | HALF);
        self.tidy_half_open();
        self.finish_syn(key, &syn, ending);
    }

    fn finish_syn(&mut self, key: Key, syn: &Syn, ending: Ending) {
        let facts = Transport::from_syn(key, syn).facts(ending);
        self.finished.push_back(Finished {
            facts,
            stream: None,
            at: self.at,
        });
    }
}
