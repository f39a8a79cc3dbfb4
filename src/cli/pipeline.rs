//! Frames → told sessions, with one thread or many: the same sessions in the same order, octet for octet.
//!
//! ```text
//! scouts: chunks of a large plain file → its frames of mail
//! main thread: Reader (or a scout's chunk) → Router → batches, one for each worker ─┐ ┌→ merge by frame → sink
//! worker: its share of the 16 shards: segments → sessions → findings → told ┘
//! ```
//!
//! The order is that of the frames at which sessions ended: one frame ends sessions of one shard only, so the workers'
//! answers to one round of batches are merged by frame number. What the end of the capture cuts comes by first frame.
//! A batch carries copies of the payloads: the reader's buffer moves on (two hundredths of the work, and the same code
//! serves pipes and compressed files).

use std::sync::mpsc::{Receiver, RecvError, SyncSender, sync_channel};
use std::thread::Scope;

use crate::analyzer::{Analyzer, Options, Routed, Router, SHARDS, Shard};
use crate::capture::Stretch;
use crate::diagnosis::Finding;
use crate::frame::Frame;
use crate::packet::{self, Packet};
use crate::session::Session;
use crate::span::Stamp;
use crate::tcp;
use crate::time::Timestamp;

/// Payload octets in one round of batches, about.
const ROUND_OCTETS: usize = 256 << 10;
/// Packets in one round of batches at most.
const ROUND_PACKETS: usize = 2_048;
/// Rounds that wait for the workers or are in work.
const ROUNDS: usize = 12;
/// Frames of a stretch between two looks at whether a round is full.
const FRAMES_A_LOOK: usize = 64;
/// Sessions in one answer at the end of the capture.
const LAST_SESSIONS: usize = 256;

/// What a run makes of a session: it runs in the workers.
pub type Tell<'a, T> = dyn Fn(Session, Vec<Finding>, u8) -> T + Sync + 'a;
/// Takes what was told, in order.
pub type Take<'a, T, E> = dyn FnMut(T) -> Result<(), E> + 'a;

/// What a run counted.
pub struct Counted {
    /// What the frames were.
    pub packets: packet::Counts,
    /// What happened to the connections.
    pub connections: tcp::Counts,
    /// Frames, and how many of them were no mail by their ports.
    pub frames: (u64, u64),
}

/// A run in one thread or several. [`push`](Self::push) frames, [`take`](Self::take) what is ready now and then,
/// [`finish`](Self::finish) once.
#[allow(clippy::large_enum_variant, reason = "one in a run")]
pub enum Pipeline<'a, T> {
    /// Everything in the thread that reads.
    Alone {
        /// The whole way from frames to sessions.
        analyzer: Analyzer,
        /// What is made of a session.
        tell: &'a Tell<'a, T>,
        /// Fractional digits of times.
        digits: u8,
    },
    /// Shards in threads of their own.
    Shared(Pool<T>),
}

impl<'a, T: Send + 'a> Pipeline<'a, T> {
    /// A run with `threads` workers; with one there is no thread but this.
    pub fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        threads: usize,
        options: &Options,
        tell: &'a Tell<'a, T>,
    ) -> Self
    where
        'a: 'scope,
    {
        if threads > 1 {
            Self::Shared(Pool::start(scope, threads.min(SHARDS), options, tell))
        } else {
            Self::Alone {
                analyzer: Analyzer::new(options),
                tell,
                digits: 0,
            }
        }
    }

    /// Takes the next frame.
    pub fn push(&mut self, frame: &Frame<'_>) {
        match self {
            Self::Alone { analyzer, .. } => analyzer.push_frame(frame),
            Self::Shared(pool) => pool.push(frame),
        }
    }

    /// Takes frames that were walked ahead, and hands on what is ready meanwhile.
    ///
    /// # Errors
    /// What `sink` gives.
    pub fn push_stretch<E>(&mut self, stretch: &Stretch, sink: &mut Take<'_, T, E>) -> Result<(), E> {
        for (position, frame) in stretch.frames().enumerate() {
            self.push(&frame);
            if position % FRAMES_A_LOOK == 0 {
                self.take(sink)?;
            }
        }
        match self {
            Self::Alone { analyzer, .. } => analyzer.pass(stretch.counts().1, stretch.latest()),
            Self::Shared(pool) => pool.router.pass(stretch.counts().1, stretch.latest()),
        }
        Ok(())
    }

    /// Tells sessions that end from here on with `digits` fractional digits of times. To be called behind the same
    /// frames whatever the number of threads.
    ///
    /// # Errors
    /// What `sink` gives.
    pub fn set_digits<E>(&mut self, digits: u8, sink: &mut Take<'_, T, E>) -> Result<(), E> {
        let changed = match self {
            Self::Alone { digits: known, .. } | Self::Shared(Pool { digits: known, .. }) => *known != digits,
        };
        if changed {
            self.take(sink)?;
            match self {
                Self::Alone { digits: known, .. } => *known = digits,
                Self::Shared(pool) => {
                    pool.send();
                    pool.digits = digits;
                }
            }
        }
        Ok(())
    }

    /// Hands on what is ready.
    ///
    /// # Errors
    /// What `sink` gives.
    pub fn take<E>(&mut self, sink: &mut Take<'_, T, E>) -> Result<(), E> {
        match self {
            Self::Alone { analyzer, tell, digits } => {
                while let Some((session, findings)) = analyzer.poll_session() {
                    sink(tell(session, findings, *digits))?;
                }
                Ok(())
            }
            Self::Shared(pool) => pool.take(sink),
        }
    }

    /// Ends the capture and hands on what is left.
    ///
    /// # Errors
    /// What `sink` gives.
    pub fn finish<E>(mut self, sink: &mut Take<'_, T, E>) -> Result<Counted, E> {
        if let Self::Alone { analyzer, .. } = &mut self {
            analyzer.finish();
        }
        self.take(sink)?;
        match self {
            Self::Alone { analyzer, .. } => Ok(Counted {
                packets: analyzer.packet_counts().clone(),
                connections: analyzer.tcp_counts(),
                frames: analyzer.frames(),
            }),
            Self::Shared(pool) => pool.finish(sink),
        }
    }
}

/// One packet on its way to a worker: its payload lies in the batch.
struct Parcel {
    shard: usize,
    stamp: Stamp,
    now: Timestamp,
    packet: Packet<'static>,
    payload: std::ops::Range<usize>,
}

/// Packets for one worker, in capture order.
#[derive(Default)]
struct Batch {
    parcels: Vec<Parcel>,
    payloads: Vec<u8>,
    digits: u8,
}

impl Batch {
    /// Takes a packet in; the octets of its payload.
    #[inline]
    fn add(&mut self, routed: &Routed<'_>) -> usize {
        let from = self.payloads.len();
        let packet = match routed.packet {
            Packet::Segment(segment) => {
                self.payloads.extend_from_slice(segment.payload);
                Packet::Segment(segment.without_payload())
            }
            Packet::IcmpError(error) => Packet::IcmpError(*error),
            Packet::Other => Packet::Other,
        };
        let payload = from..self.payloads.len();
        let octets = payload.len();
        self.parcels.push(Parcel {
            shard: routed.shard,
            stamp: routed.stamp,
            now: routed.now,
            packet,
            payload,
        });
        octets
    }
}

enum Order {
    Batch(Batch),
    Finish((Timestamp, Option<Stamp>), u8),
}

/// What one worker says.
enum Answer<T> {
    /// Sessions that ended in a batch, with the frames that ended them; and the batch, to be filled again.
    Ended(Vec<(u64, T)>, Batch),
    /// Sessions that the end of the capture cut, by first frame.
    Remaining(Vec<(Stamp, T)>),
    /// Nothing is left.
    Done(tcp::Counts),
}

struct Hand<T> {
    orders: SyncSender<Order>,
    answers: Receiver<Answer<T>>,
    filling: Batch,
    spare: Vec<Batch>,
}

/// The workers, and what is on its way to and from them.
pub struct Pool<T> {
    router: Router,
    hands: Vec<Hand<T>>,
    octets: usize,
    packets: usize,
    rounds: usize,
    digits: u8,
}

impl<T: Send> Pool<T> {
    fn start<'scope, 'a: 'scope>(
        scope: &'scope Scope<'scope, '_>,
        threads: usize,
        options: &Options,
        tell: &'a Tell<'a, T>,
    ) -> Self
    where
        T: 'scope,
    {
        let hands = (0..threads).map(|number| {
            let (orders, received) = sync_channel(ROUNDS + 1);
            let (sender, answers) = sync_channel(ROUNDS + 1);
            let shards = (number..SHARDS).step_by(threads).map(|_| Shard::new(options)).collect();
            let worker = Worker {
                shards,
                threads,
                answers: sender,
                tell,
            };
            scope.spawn(move || worker.run(&received));
            Hand {
                orders,
                answers,
                filling: Batch::default(),
                spare: Vec::new(),
            }
        });
        Self {
            router: Router::new(options),
            hands: hands.collect(),
            octets: 0,
            packets: 0,
            rounds: 0,
            digits: 0,
        }
    }

    fn push(&mut self, frame: &Frame<'_>) {
        let Self {
            router,
            hands,
            octets,
            packets,
            ..
        } = self;
        router.route(frame, |routed| {
            let threads = hands.len();
            if let Some(hand) = hands.get_mut(routed.shard % threads) {
                *octets += hand.filling.add(&routed);
                *packets += 1;
            }
        });
    }

    /// Sends a round where it is full, and hands on the oldest where enough are on their way.
    fn take<E>(&mut self, sink: &mut Take<'_, T, E>) -> Result<(), E> {
        if self.octets >= ROUND_OCTETS || self.packets >= ROUND_PACKETS {
            self.send();
        }
        while self.rounds >= ROUNDS {
            self.receive(sink)?;
        }
        Ok(())
    }

    fn send(&mut self) {
        if self.packets == 0 {
            return;
        }
        for hand in &mut self.hands {
            let mut batch = std::mem::replace(&mut hand.filling, hand.spare.pop().unwrap_or_default());
            batch.digits = self.digits;
            // A worker that is gone has panicked: the scope says so in the end.
            let _ = hand.orders.send(Order::Batch(batch));
        }
        (self.octets, self.packets) = (0, 0);
        self.rounds += 1;
    }

    /// Merges the workers' answers to the oldest round.
    fn receive<E>(&mut self, sink: &mut Take<'_, T, E>) -> Result<(), E> {
        self.rounds -= 1;
        let mut told = Vec::with_capacity(self.hands.len());
        for hand in &mut self.hands {
            if let Ok(Answer::Ended(sessions, batch)) = hand.answers.recv() {
                hand.spare.push(batch);
                told.push(sessions.into_iter().peekable());
            }
        }
        loop {
            let next = told.iter_mut().filter_map(|sessions| {
                let frame = sessions.peek()?.0;
                Some((frame, sessions))
            });
            let Some((_, sessions)) = next.min_by_key(|(frame, _)| *frame) else {
                return Ok(());
            };
            if let Some((_, session)) = sessions.next() {
                sink(session)?;
            }
        }
    }

    fn finish<E>(mut self, sink: &mut Take<'_, T, E>) -> Result<Counted, E> {
        self.send();
        while self.rounds > 0 {
            self.receive(sink)?;
        }
        self.router.finish();
        let end = self.router.end();
        for hand in &self.hands {
            let _ = hand.orders.send(Order::Finish(end, self.digits));
        }
        let mut connections = self.router.connection_counts();
        let mut tails: Vec<Tail<'_, T>> = self
            .hands
            .iter()
            .map(|hand| Tail::new(&hand.answers, &mut connections))
            .collect();
        loop {
            let next = tails.iter_mut().filter_map(|tail| Some((tail.first()?, tail)));
            let Some((_, tail)) = next.min_by_key(|(first, _)| *first) else {
                break;
            };
            if let Some(session) = tail.next(&mut connections) {
                sink(session)?;
            }
        }
        Ok(Counted {
            packets: self.router.packet_counts().clone(),
            connections,
            frames: self.router.frames(),
        })
    }
}

/// What one worker still has at the end of the capture.
struct Tail<'a, T> {
    answers: &'a Receiver<Answer<T>>,
    here: std::vec::IntoIter<(Stamp, T)>,
}

impl<'a, T> Tail<'a, T> {
    fn new(answers: &'a Receiver<Answer<T>>, connections: &mut tcp::Counts) -> Self {
        let mut tail = Self {
            answers,
            here: Vec::new().into_iter(),
        };
        tail.refill(connections);
        tail
    }

    fn first(&self) -> Option<Stamp> {
        self.here.as_slice().first().map(|(first, _)| *first)
    }

    fn next(&mut self, connections: &mut tcp::Counts) -> Option<T> {
        let (_, session) = self.here.next()?;
        if self.here.len() == 0 {
            self.refill(connections);
        }
        Some(session)
    }

    fn refill(&mut self, connections: &mut tcp::Counts) {
        match self.answers.recv() {
            Ok(Answer::Remaining(sessions)) => self.here = sessions.into_iter(),
            Ok(Answer::Done(counts)) => connections.add(&counts),
            Ok(Answer::Ended(..)) | Err(RecvError) => {}
        }
    }
}

/// One thread with its share of the shards.
struct Worker<'a, T> {
    /// The shards `number`, `number + threads`, …
    shards: Vec<Shard>,
    threads: usize,
    answers: SyncSender<Answer<T>>,
    tell: &'a Tell<'a, T>,
}

impl<T> Worker<'_, T> {
    /// Works until the orders end, or nobody takes the answers any more.
    fn run(mut self, orders: &Receiver<Order>) {
        while let Ok(order) = orders.recv() {
            let answered = match order {
                Order::Batch(batch) => {
                    let answer = self.work(batch);
                    self.answers.send(answer).is_ok()
                }
                Order::Finish(end, digits) => self.finish(end, digits),
            };
            if !answered {
                return;
            }
        }
    }

    fn work(&mut self, mut batch: Batch) -> Answer<T> {
        let mut told = Vec::new();
        for parcel in &batch.parcels {
            let Some(shard) = self.shards.get_mut(parcel.shard / self.threads) else {
                continue;
            };
            let payload = batch.payloads.get(parcel.payload.clone()).unwrap_or_default();
            let packet = match &parcel.packet {
                Packet::Segment(segment) => Packet::Segment(segment.with_payload(payload)),
                Packet::IcmpError(error) => Packet::IcmpError(*error),
                Packet::Other => Packet::Other,
            };
            shard.push(&packet, parcel.now);
            while shard.waiting() > 0
                && let Some((session, findings)) = shard.poll_session()
            {
                told.push((parcel.stamp.frame.0, (self.tell)(session, findings, batch.digits)));
            }
        }
        batch.parcels.clear();
        batch.payloads.clear();
        Answer::Ended(told, batch)
    }

    fn finish(&mut self, end: (Timestamp, Option<Stamp>), digits: u8) -> bool {
        self.shards.iter_mut().for_each(|shard| shard.finish(end));
        let mut told = Vec::new();
        loop {
            let next = self
                .shards
                .iter_mut()
                .filter_map(|shard| Some((shard.next_remaining()?, shard)));
            let Some((first, shard)) = next.min_by_key(|(first, _)| *first) else {
                break;
            };
            let Some((session, findings)) = shard.poll_session() else {
                break;
            };
            told.push((first, (self.tell)(session, findings, digits)));
            if told.len() >= LAST_SESSIONS && self.answers.send(Answer::Remaining(std::mem::take(&mut told))).is_err() {
                return false;
            }
        }
        let mut counts = tcp::Counts::default();
        self.shards.iter().for_each(|shard| counts.add(shard.tcp_counts()));
        let last = told.is_empty() || self.answers.send(Answer::Remaining(told)).is_ok();
        last && self.answers.send(Answer::Done(counts)).is_ok()
    }
}
