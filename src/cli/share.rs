//! What one thread has of the 16 shards: packets in, told sessions out.

use std::num::NonZero;
use std::sync::mpsc::{Receiver, RecvError, SyncSender, TryRecvError};

use crate::analyzer::{Options, SHARDS, Shard};
use crate::cli::batch::Batch;
use crate::cli::pipeline::Tell;
use crate::packet::Carried;
use crate::span::Stamp;
use crate::tcp;
use crate::time::Timestamp;

/// Sessions in one answer at the end of the capture.
const LAST_SESSIONS: usize = 256;
/// How often a thread looks whether something came before it sleeps: for some 20 µs. To sleep and be woken takes longer.
const LOOKS: u32 = 600;

/// Which thread has a shard, and at which place among that thread's.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Owner {
    /// 0 is the thread that reads.
    pub thread: usize,
    /// Place in its [`Share`].
    pub place: usize,
}

/// Who works on a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Crew {
    /// Threads, the one that reads among them.
    pub threads: usize,
    /// True where that hands out a record of every session, too.
    pub records: bool,
}

impl Crew {
    /// How often its threads look whether something came before they sleep: never where they are more than the processors,
    /// which another thread needs then.
    pub fn looks(self) -> u32 {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        if self.threads <= processors { LOOKS } else { 0 }
    }
}

/// Takes what comes next; looks for it so many times before the thread sleeps.
pub fn next<T>(from: &Receiver<T>, looks: u32) -> Result<T, RecvError> {
    for _ in 0..looks {
        match from.try_recv() {
            Err(TryRecvError::Empty) => std::hint::spin_loop(),
            come => return come.map_err(|_| RecvError),
        }
    }
    from.recv()
}

/// How many shards each thread has, the thread that reads first.
///
/// Reading, headers, merging and records are a quarter to a third of the work on mail: with two threads the one that reads
/// does a quarter of the rest, too, a little more without records, and with three an eighth. From four on that is a thread's
/// work, and the others are workers.
pub fn shares(crew: Crew) -> Vec<usize> {
    let (reader, workers) = match crew.threads {
        0 | 1 => (SHARDS, 0),
        2 if crew.records => (4, 1),
        2 => (5, 1),
        3 => (2, 2),
        threads => (0, threads.min(SHARDS)),
    };
    let rest = SHARDS - reader;
    let of_worker = |number: usize| rest / workers + usize::from(number < rest % workers);
    std::iter::once(reader).chain((0..workers).map(of_worker)).collect()
}

/// Who has which shard, where the threads have as many as `shares` says.
pub fn owners(shares: &[usize]) -> [Owner; SHARDS] {
    let mut owners = [Owner::default(); SHARDS];
    let each = shares
        .iter()
        .enumerate()
        .flat_map(|(thread, count)| (0..*count).map(move |place| Owner { thread, place }));
    owners.iter_mut().zip(each).for_each(|(owner, one)| *owner = one);
    owners
}

/// The shards of one thread.
pub struct Share<'a, T> {
    shards: Vec<Shard>,
    tell: &'a Tell<'a, T>,
}

impl<'a, T> Share<'a, T> {
    /// So many shards that have seen nothing.
    pub fn new(count: usize, options: &Options, tell: &'a Tell<'a, T>) -> Self {
        Self {
            shards: (0..count).map(|_| Shard::new(options)).collect(),
            tell,
        }
    }

    /// Takes what a frame carries for the shard at `place`, and tells the sessions that it ends, each with that frame.
    pub fn push(&mut self, place: usize, carried: Carried<'_>, now: Timestamp, told: &mut Told<T>) {
        let Some(shard) = self.shards.get_mut(place) else {
            return;
        };
        shard.push(carried, now);
        while shard.waiting() > 0
            && let Some((session, findings)) = shard.poll_session()
        {
            let session = (self.tell)(session, findings, told.digits);
            told.sessions.push((carried.stamp().frame.0, session));
        }
    }

    /// The capture is over: what is left comes with [`remaining`](Self::remaining).
    pub fn finish(&mut self, end: (Timestamp, Option<Stamp>)) {
        self.shards.iter_mut().for_each(|shard| shard.finish(end));
    }

    /// The first frame of what [`remaining`](Self::remaining) gives next.
    pub fn next_remaining(&self) -> Option<Stamp> {
        self.shards.iter().filter_map(Shard::next_remaining).min()
    }

    /// The next session that the end of the capture cut, by first frame.
    pub fn remaining(&mut self, digits: u8) -> Option<(Stamp, T)> {
        let next = self
            .shards
            .iter_mut()
            .filter_map(|shard| Some((shard.next_remaining()?, shard)));
        let (first, shard) = next.min_by_key(|(first, _)| *first)?;
        let (session, findings) = shard.poll_session()?;
        Some((first, (self.tell)(session, findings, digits)))
    }

    /// What happened to the connections.
    pub fn counts(&self) -> tcp::Counts {
        let mut counts = tcp::Counts::default();
        self.shards.iter().for_each(|shard| counts.add(shard.tcp_counts()));
        counts
    }
}

/// Sessions told in one round, with the frames that ended them.
pub struct Told<T> {
    /// In the order of the frames.
    pub sessions: Vec<(u64, T)>,
    /// Fractional digits of times.
    pub digits: u8,
}

impl<T> Told<T> {
    /// None yet.
    pub const fn new(digits: u8) -> Self {
        Self {
            sessions: Vec::new(),
            digits,
        }
    }
}

/// What a worker is to do.
pub enum Order {
    /// To take these packets.
    Batch(Batch),
    /// To end, with so many fractional digits of times.
    Finish((Timestamp, Option<Stamp>), u8),
}

/// What one worker says.
pub enum Answer<T> {
    /// Sessions that ended in a batch, with the frames that ended them; and the batch, to be filled again.
    Ended(Vec<(u64, T)>, Batch),
    /// Sessions that the end of the capture cut, by first frame.
    Remaining(Vec<(Stamp, T)>),
    /// Nothing is left.
    Done(tcp::Counts),
}

/// A thread that does nothing but its share.
pub struct Worker<'a, T> {
    /// Its shards.
    pub share: Share<'a, T>,
    /// Where its answers go.
    pub answers: SyncSender<Answer<T>>,
    /// How often it looks for an order before it sleeps.
    pub looks: u32,
}

impl<T> Worker<'_, T> {
    /// Works until the orders end, or nobody takes the answers any more.
    pub fn run(mut self, orders: &Receiver<Order>) {
        while let Ok(order) = next(orders, self.looks) {
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
        let mut told = Told::new(batch.digits);
        batch.for_each(|place, carried, now| self.share.push(place, carried, now, &mut told));
        batch.clear();
        Answer::Ended(told.sessions, batch)
    }

    fn finish(&mut self, end: (Timestamp, Option<Stamp>), digits: u8) -> bool {
        self.share.finish(end);
        let mut told = Vec::new();
        while let Some(session) = self.share.remaining(digits) {
            told.push(session);
            if told.len() >= LAST_SESSIONS && self.answers.send(Answer::Remaining(std::mem::take(&mut told))).is_err() {
                return false;
            }
        }
        let last = told.is_empty() || self.answers.send(Answer::Remaining(told)).is_ok();
        last && self.answers.send(Answer::Done(self.share.counts())).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_comes_late_is_waited_for_and_the_end_is_told() {
        for looks in [0, LOOKS] {
            let (sender, receiver) = sync_channel(1);
            std::thread::scope(|scope| {
                scope.spawn(move || {
                    for number in [1, 2] {
                        std::thread::sleep(Duration::from_millis(5));
                        sender.send(number).unwrap();
                    }
                });
                assert_eq!([(); 3].map(|()| next(&receiver, looks).ok()), [Some(1), Some(2), None]);
            });
        }
    }

    #[test]
    fn every_shard_has_one_owner_whatever_the_number_of_threads() {
        for threads in 1..=40 {
            let [shares, without] = [true, false].map(|records| shares(Crew { threads, records }));
            assert_eq!(without.iter().sum::<usize>(), SHARDS, "{threads} threads");
            assert_eq!(without.len(), shares.len(), "{threads} threads");
            assert_eq!(shares.iter().sum::<usize>(), SHARDS, "{threads} threads");
            assert!(shares.len() <= SHARDS + 1, "{threads} threads");
            let owners = owners(&shares);
            for (thread, count) in shares.iter().enumerate() {
                let places: Vec<usize> = owners
                    .iter()
                    .filter(|owner| owner.thread == thread)
                    .map(|owner| owner.place)
                    .collect();
                assert_eq!(places, (0..*count).collect::<Vec<_>>(), "{threads} threads");
            }
        }
    }
}
