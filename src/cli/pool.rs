//! Hands packets out to the threads that have the shards, and merges what they tell in the order of one thread.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvError, SyncSender, sync_channel};
use std::thread::Scope;

use crate::analyzer::{Options, Router, SHARDS};
use crate::cli::batch::Batch;
use crate::cli::pipeline::{Counted, Take, Tell};
use crate::cli::share::{Answer, Crew, Order, Owner, Share, Told, Worker, next, owners, shares};
use crate::frame::Frame;
use crate::span::Stamp;
use crate::tcp;

/// Payload octets in one round of batches, about.
const ROUND_OCTETS: usize = 256 << 10;
/// Packets in one round of batches at most.
const ROUND_PACKETS: usize = 2_048;
/// Rounds that wait for the workers or are in work. With more of them their octets leave the processor's caches before a
/// worker takes them.
const ROUNDS: usize = 4;

/// A worker, seen from the thread that reads.
struct Hand<T> {
    orders: SyncSender<Order>,
    answers: Receiver<Answer<T>>,
    filling: Batch,
    spare: Vec<Batch>,
}

/// What the thread that reads has of the shards itself, and what it told in this round and in those that are on their way.
struct Own<'a, T> {
    share: Share<'a, T>,
    told: Told<T>,
    rounds: VecDeque<Vec<(u64, T)>>,
}

/// The threads, and what is on its way to and from them.
pub struct Pool<'a, T> {
    router: Router,
    owners: [Owner; SHARDS],
    own: Own<'a, T>,
    hands: Vec<Hand<T>>,
    octets: usize,
    packets: usize,
    rounds: usize,
    /// How often a thread looks for what it waits for before it sleeps.
    looks: u32,
}

impl<'a, T: Send + 'a> Pool<'a, T> {
    /// Starts the workers: with two or three threads one fewer, for this one works, too.
    pub fn start<'scope>(scope: &'scope Scope<'scope, '_>, crew: Crew, options: &Options, tell: &'a Tell<'a, T>) -> Self
    where
        'a: 'scope,
    {
        let shares = shares(crew);
        let looks = crew.looks();
        let (mine, theirs) = shares.split_first().unwrap_or((&0, &[]));
        let hands = theirs.iter().map(|count| {
            let (orders, received) = sync_channel(ROUNDS + 1);
            let (sender, answers) = sync_channel(ROUNDS + 1);
            let worker = Worker {
                share: Share::new(*count, options, tell),
                answers: sender,
                looks,
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
            owners: owners(&shares),
            own: Own {
                share: Share::new(*mine, options, tell),
                told: Told::new(0),
                rounds: VecDeque::new(),
            },
            hands: hands.collect(),
            octets: 0,
            packets: 0,
            rounds: 0,
            looks,
        }
    }

    /// Takes the next frame, and the memory in which its octets lie, where that can be kept.
    pub fn push(&mut self, frame: &Frame<'_>, block: Option<&Arc<Vec<u8>>>) {
        let Self {
            router,
            owners,
            own,
            hands,
            octets,
            packets,
            ..
        } = self;
        router.route(frame, |routed| {
            let Some(owner) = owners.get(routed.shard) else {
                return;
            };
            let (carried, now) = (routed.carried, routed.now);
            *packets += 1;
            match owner.thread.checked_sub(1).map(|hand| hands.get_mut(hand)) {
                None => own.share.push(owner.place, carried, now, &mut own.told),
                Some(Some(hand)) => *octets += hand.filling.add(owner.place, carried, now, block),
                Some(None) => {}
            }
        });
    }

    /// Counts frames that were not worth a look ([`Router::pass`]).
    pub fn pass(&mut self, frames: u64, latest: Option<Stamp>) {
        self.router.pass(frames, latest);
    }

    /// Frames taken, and how many of them were no mail by their ports.
    pub const fn frames(&self) -> (u64, u64) {
        self.router.frames()
    }

    /// Fractional digits of times.
    pub const fn digits(&self) -> u8 {
        self.own.told.digits
    }

    /// Tells what ends from here on with so many digits.
    pub fn set_digits(&mut self, digits: u8) {
        self.send();
        self.own.told.digits = digits;
    }

    /// Sends a round where it is full, and hands on the oldest where enough are on their way.
    ///
    /// # Errors
    /// What `sink` gives.
    pub fn take<E>(&mut self, sink: &mut Take<'_, T, E>) -> Result<(), E> {
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
            batch.digits = self.own.told.digits;
            // A worker that is gone has panicked: the scope says so in the end.
            let _ = hand.orders.send(Order::Batch(batch));
        }
        self.own.rounds.push_back(std::mem::take(&mut self.own.told.sessions));
        (self.octets, self.packets) = (0, 0);
        self.rounds += 1;
    }

    /// Merges the answers to the oldest round.
    fn receive<E>(&mut self, sink: &mut Take<'_, T, E>) -> Result<(), E> {
        self.rounds -= 1;
        let mut told = Vec::with_capacity(self.hands.len() + 1);
        told.extend(self.own.rounds.pop_front().map(|own| own.into_iter().peekable()));
        for hand in &mut self.hands {
            if let Ok(Answer::Ended(sessions, batch)) = next(&hand.answers, self.looks) {
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

    /// Ends the capture and hands on what is left.
    ///
    /// # Errors
    /// What `sink` gives.
    pub fn finish<E>(mut self, sink: &mut Take<'_, T, E>) -> Result<Counted, E> {
        self.send();
        while self.rounds > 0 {
            self.receive(sink)?;
        }
        self.router.finish();
        let (end, digits) = (self.router.end(), self.own.told.digits);
        for hand in &self.hands {
            let _ = hand.orders.send(Order::Finish(end, digits));
        }
        let share = &mut self.own.share;
        share.finish(end);
        let mut connections = self.router.connection_counts();
        let mut tails: Vec<Tail<'_, T>> = self
            .hands
            .iter()
            .map(|hand| Tail::new(&hand.answers, &mut connections))
            .collect();
        loop {
            let next = tails.iter_mut().filter_map(|tail| Some((tail.first()?, tail)));
            let theirs = next.min_by_key(|(first, _)| *first);
            let session = match (share.next_remaining(), theirs) {
                (Some(mine), theirs) if theirs.as_ref().is_none_or(|(first, _)| mine < *first) => {
                    share.remaining(digits).map(|(_, session)| session)
                }
                (_, Some((_, tail))) => tail.next(&mut connections),
                _ => break,
            };
            if let Some(session) = session {
                sink(session)?;
            }
        }
        connections.add(&share.counts());
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
