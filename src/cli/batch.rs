//! Packets on their way to a worker: their payloads stay in the reader's memory where that can be kept, else they are copied.

use std::ops::Range;
use std::sync::Arc;

use crate::capture::READ_SIZE;
use crate::packet::{Carried, Packet};
use crate::span::Stamp;
use crate::time::Timestamp;

/// Blocks of the reader's memory that a batch keeps at most: where mail is rare each packet would keep another one. The
/// payloads of further ones are copied, and those of a block that one great record has made larger.
const KEPT_BLOCKS: usize = 4;

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

    /// The packets, each with the place of its shard, its stamp and the time.
    pub fn packets(&self) -> impl Iterator<Item = (usize, Packet<'_>, (Stamp, Timestamp))> {
        self.parcels.iter().filter_map(|parcel| {
            let packet = parcel.packet.carried()?.with_payload(self.payload(parcel));
            Some((parcel.place, packet, (parcel.stamp, parcel.now)))
        })
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
    pub fn clear(&mut self) {
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

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::packet::{self, Endpoint, Flags, Flow, Segment};

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
        let payload = |packet: Packet<'_>| packet.carried().unwrap().payload().to_vec();
        let told: Vec<_> = batch.packets().map(|(_, packet, _)| payload(packet)).collect();
        assert_eq!(told, expected);
    }
}
