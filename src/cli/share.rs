//! What one thread has of the 16 shards: packets in, told sessions out.

use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

use crate::analyzer::{Options, SHARDS, Shard};
use crate::capture::READ_SIZE;
use crate::cli::pipeline::Tell;
use crate::packet::{Carried, Packet};
use crate::span::Stamp;
use crate::tcp;
use crate::time::Timestamp;

/// Sessions in one answer at the end of the capture.
const LAST_SESSIONS: usize = 256;
/// Blocks of the reader's memory that a batch keeps at most: where mail is rare each packet would keep another one. The
/// payloads of further ones are copied, and those of a block that one great record has made larger.
const KEPT_BLOCKS: usize = 4;

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
    pub fn push(&mut self, place: usize, carried: Carried<'_>, (stamp, now): (Stamp, Timestamp), told: &mut Told<T>) {
        let Some(shard) = self.shards.get_mut(place) else {
            return;
        };
        shard.push(carried, now);
        while shard.waiting() > 0
            && let Some((session, findings)) = shard.poll_session()
        {
            let session = (self.tell)(session, findings, told.digits);
            told.sessions.push((stamp.frame.0, session));
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

/// One packet on its way to a worker: its payload lies in the batch, or in memory that the batch keeps.
struct Parcel {
    place: usize,
    stamp: Stamp,
    now: Timestamp,
    packet: Packet<'static>,
    /// In which of the batch's blocks, and where there; `None`: where among its copies.
    block: Option<usize>,
    payload: Range<usize>,
}

/// Packets for one worker, in capture order.
#[derive(Default)]
pub struct Batch {
    parcels: Vec<Parcel>,
    /// The reader's memory, in which payloads lie.
    blocks: Vec<Arc<Vec<u8>>>,
    /// Copies of those that lie elsewhere: that moves on.
    payloads: Vec<u8>,
    /// Fractional digits of times.
    pub digits: u8,
}

impl Batch {
    /// Takes a packet in, of which the payload may lie in `memory`; the octets of the payload.
    #[inline]
    pub fn add(
        &mut self,
        place: usize,
        carried: Carried<'_>,
        (stamp, now): (Stamp, Timestamp),
        memory: Option<&Arc<Vec<u8>>>,
    ) -> usize {
        let octets = carried.payload().len();
        let kept = memory.and_then(|block| Some((part(block, carried.payload())?, self.keep(block)?)));
        let (block, payload) = match kept {
            Some((payload, block)) => (Some(block), payload),
            None => {
                let from = self.payloads.len();
                self.payloads.extend_from_slice(carried.payload());
                (None, from..self.payloads.len())
            }
        };
        let packet = carried.with_payload(&[]);
        self.parcels.push(Parcel {
            place,
            stamp,
            now,
            packet,
            block,
            payload,
        });
        octets
    }

    /// Keeps the reader's memory; its place among the blocks, `None` where it is not kept.
    #[inline]
    fn keep(&mut self, block: &Arc<Vec<u8>>) -> Option<usize> {
        if self.blocks.last().is_none_or(|last| !Arc::ptr_eq(last, block)) {
            if self.blocks.len() >= KEPT_BLOCKS || block.len() > READ_SIZE {
                return None;
            }
            self.blocks.push(Arc::clone(block));
        }
        self.blocks.len().checked_sub(1)
    }

    fn payload(&self, parcel: &Parcel) -> &[u8] {
        let octets = match parcel.block {
            Some(block) => self.blocks.get(block).map(|block| &**block),
            None => Some(&self.payloads),
        };
        octets
            .and_then(|octets| octets.get(parcel.payload.clone()))
            .unwrap_or_default()
    }

    /// Makes it empty, to be filled again.
    fn clear(&mut self) {
        self.parcels.clear();
        self.blocks.clear();
        self.payloads.clear();
    }
}

/// Where some octets of `whole` lie in it; `None` where they are not of it.
#[inline]
fn part(whole: &[u8], octets: &[u8]) -> Option<Range<usize>> {
    let from = octets.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let range = from..from.checked_add(octets.len())?;
    (range.end <= whole.len()).then_some(range)
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
}

impl<T> Worker<'_, T> {
    /// Works until the orders end, or nobody takes the answers any more.
    pub fn run(mut self, orders: &Receiver<Order>) {
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
        let mut told = Told::new(batch.digits);
        for parcel in &batch.parcels {
            let payload = batch.payload(parcel);
            let Some(carried) = parcel.packet.carried() else {
                continue;
            };
            let packet = carried.with_payload(payload);
            let Some(carried) = packet.carried() else { continue };
            let when = (parcel.stamp, parcel.now);
            self.share.push(parcel.place, carried, when, &mut told);
        }
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
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::packet::{self, Endpoint, Flags, Flow, Segment};

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

    fn segment(payload: &[u8]) -> Segment<'_> {
        let end = |port| Endpoint {
            address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
            port,
        };
        Segment {
            stamp: Stamp::default(),
            flow: Flow::of(&end(50_000), &end(25)),
            sequence: 1,
            acknowledgment: 1,
            flags: Flags(Flags::ACK),
            window: 1_000,
            options: packet::Options::default(),
            payload,
            payload_length: u32::try_from(payload.len()).unwrap(),
            time_to_live: 64,
            ip_identification: None,
            dont_fragment: true,
            encapsulation: 0,
        }
    }

    #[test]
    fn a_batch_keeps_few_blocks_however_rare_mail_is_and_no_large_one() {
        let mut batch = Batch::default();
        let large = Arc::new(vec![99; READ_SIZE + 1]);
        let blocks: Vec<_> = (0..40).map(|number| Arc::new(vec![number; 100])).collect();
        let elsewhere = vec![98; 10];
        let when = (Stamp::default(), Timestamp::default());
        let mut expected = Vec::new();
        for block in std::iter::once(&large).chain(&blocks) {
            for payload in [block.get(10..20).unwrap(), block.get(20..20).unwrap(), &elsewhere] {
                let octets = batch.add(0, Carried::Segment(&segment(payload)), when, Some(block));
                assert_eq!(octets, payload.len());
                expected.push(payload.to_vec());
            }
        }
        assert!(batch.blocks.len() == KEPT_BLOCKS && batch.blocks.iter().all(|block| block.len() == 100));
        let told: Vec<_> = batch
            .parcels
            .iter()
            .map(|parcel| batch.payload(parcel).to_vec())
            .collect();
        assert_eq!(told, expected);
    }
}
