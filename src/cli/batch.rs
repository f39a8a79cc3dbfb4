//! Packets on their way to a worker: their payloads stay in the reader's memory where that can be kept, else they are copied.

use std::sync::Arc;

use crate::capture::READ_SIZE;
use crate::packet::{Carried, Compact, LongAddresses, Packet};
use crate::time::Timestamp;

/// Blocks of the reader's memory that a batch keeps at most: where mail is rare each packet would keep another one. The
/// payloads of further ones are copied, and those of a block that one great record has made larger.
const KEPT_BLOCKS: usize = 4;

/// The block of a payload that was copied.
const COPIED: u8 = u8::MAX;

/// One packet on its way to a worker: its payload lies in the batch, or in memory that the batch keeps. 88 octets: what the
/// worker takes is in the other processor's cache, and costs by the line.
struct Parcel {
    form: Form,
    now: Timestamp,
    /// Where its payload begins, and how many octets it has: an IP packet's at most.
    payload: (u32, u32),
    /// In which of the batch's blocks that is; [`COPIED`]: among its copies.
    block: u8,
    place: u8,
}

const _: () = assert!(size_of::<Parcel>() == 88);

/// A packet without its payload.
enum Form {
    /// As nearly all are.
    Compact(Compact),
    /// Which of the batch's whole ones it is.
    Whole(u32),
}

/// Packets for one worker, in capture order.
#[derive(Default)]
pub struct Batch {
    parcels: Vec<Parcel>,
    /// Their IPv6 addresses.
    long: LongAddresses,
    /// What is no usual segment.
    whole: Vec<Packet<'static>>,
    /// The reader's memory, in which payloads lie.
    blocks: Vec<Arc<Vec<u8>>>,
    /// Copies of those that lie elsewhere: that moves on.
    copies: Vec<u8>,
    /// Fractional digits of times.
    pub digits: u8,
}

impl Batch {
    /// Takes a packet for the shard at `place` in, of which the payload may lie in `memory`; the octets of the payload.
    #[inline]
    pub fn add(&mut self, place: usize, carried: Carried<'_>, now: Timestamp, memory: Option<&Arc<Vec<u8>>>) -> usize {
        let payload = carried.payload();
        let kept = memory.and_then(|block| Some((offset_in(block, payload)?, self.keep(block)?)));
        let (from, block) = kept.unwrap_or_else(|| (self.copy(payload), COPIED));
        let compact = carried
            .segment()
            .and_then(|segment| Compact::of(segment, &mut self.long));
        let form = match compact {
            Some(compact) => Form::Compact(compact),
            None => self.keep_whole(carried),
        };
        self.parcels.push(Parcel {
            form,
            now,
            payload: (from as u32, payload.len() as u32),
            block,
            place: place as u8,
        });
        payload.len()
    }

    /// Keeps the reader's memory; its place among the blocks, `None` where it is not kept.
    #[inline]
    fn keep(&mut self, block: &Arc<Vec<u8>>) -> Option<u8> {
        if self.blocks.last().is_none_or(|last| !Arc::ptr_eq(last, block)) {
            if self.blocks.len() >= KEPT_BLOCKS || block.len() > READ_SIZE {
                return None;
            }
            self.blocks.push(Arc::clone(block));
        }
        Some(self.blocks.len() as u8 - 1)
    }

    /// Copies a payload; where it begins among the copies.
    #[inline]
    fn copy(&mut self, payload: &[u8]) -> usize {
        let from = self.copies.len();
        self.copies.extend_from_slice(payload);
        from
    }

    #[inline(never)]
    fn keep_whole(&mut self, carried: Carried<'_>) -> Form {
        self.whole.push(carried.with_payload(&[]));
        Form::Whole(self.whole.len() as u32 - 1)
    }

    /// Lends the packets one after the other, each with the place of its shard and the time.
    pub fn for_each(&self, mut take: impl FnMut(usize, Carried<'_>, Timestamp)) {
        for parcel in &self.parcels {
            let (place, payload) = (usize::from(parcel.place), self.payload(parcel));
            match parcel.form {
                Form::Compact(compact) => {
                    let segment = compact.segment(payload, &self.long);
                    take(place, Carried::Segment(&segment), parcel.now);
                }
                Form::Whole(at) => {
                    let whole = self.whole.get(at as usize).and_then(Packet::carried);
                    let packet = whole.map(|carried| carried.with_payload(payload));
                    if let Some(carried) = packet.as_ref().and_then(Packet::carried) {
                        take(place, carried, parcel.now);
                    }
                }
            }
        }
    }

    #[inline]
    fn payload(&self, parcel: &Parcel) -> &[u8] {
        let octets = match parcel.block {
            COPIED => Some(&self.copies),
            block => self.blocks.get(usize::from(block)).map(|block| &**block),
        };
        let (from, length) = (parcel.payload.0 as usize, parcel.payload.1 as usize);
        octets
            .and_then(|octets| octets.get(from..from + length))
            .unwrap_or_default()
    }

    /// Makes it empty, to be filled again.
    pub fn clear(&mut self) {
        self.parcels.clear();
        self.long.clear();
        self.whole.clear();
        self.blocks.clear();
        self.copies.clear();
    }
}

/// Where some octets of `whole` begin in it; `None` where they are not of it.
#[inline]
fn offset_in(whole: &[u8], octets: &[u8]) -> Option<usize> {
    let from = octets.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    (from.checked_add(octets.len())? <= whole.len()).then_some(from)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::packet::{self, Endpoint, Flags, Flow, IcmpError, Segment};
    use crate::span::Stamp;

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
            ip_identification: Some(7),
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
        let mut expected = Vec::new();
        for block in std::iter::once(&large).chain(&blocks) {
            for payload in [block.get(10..20).unwrap(), block.get(20..20).unwrap(), &elsewhere] {
                let octets = batch.add(
                    0,
                    Carried::Segment(&segment(payload)),
                    Timestamp::default(),
                    Some(block),
                );
                assert_eq!(octets, payload.len());
                expected.push(payload.to_vec());
            }
        }
        assert!(batch.blocks.len() == KEPT_BLOCKS && batch.blocks.iter().all(|block| block.len() == 100));
        let mut told = Vec::new();
        batch.for_each(|_, carried, _| told.push(carried.payload().to_vec()));
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_no_usual_segment_keeps_its_place_between_those_that_are() {
        let mut unusual = segment(b"two");
        unusual.options.sack = Some((1, 2));
        let error = IcmpError {
            stamp: Stamp::default(),
            reporter: unusual.flow.source().address,
            version6: false,
            kind: 3,
            code: 4,
            next_hop_mtu: 1_400,
            quoted_source: unusual.flow.source(),
            quoted_destination: unusual.flow.destination(),
            quoted_sequence: 1,
        };
        let mut version6 = segment(b"four");
        version6.ip_identification = None;
        version6.change_ends(|source, destination| {
            source.address = IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]);
            destination.address = IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 2]);
        });
        let segments = [segment(b"one"), unusual, segment(b"three"), version6];
        let [one, two, three, four] = segments.each_ref().map(Carried::Segment);
        let packets = [one, two, Carried::IcmpError(&error), three, four];
        let mut batch = Batch::default();
        for (place, carried) in packets.iter().enumerate() {
            batch.add(place, *carried, Timestamp::from_nanoseconds(place as i64), None);
        }
        let mut told = Vec::new();
        batch.for_each(|place, carried, now| told.push(format!("{place} {carried:?} {now:?}")));
        let when = |place: usize| Timestamp::from_nanoseconds(place as i64);
        let expected = packets.iter().enumerate();
        let expected = expected.map(|(place, carried)| format!("{place} {carried:?} {:?}", when(place)));
        assert_eq!(told, expected.collect::<Vec<_>>());
        batch.clear();
        batch.for_each(|place, _, _| panic!("{place} is still there"));
    }
}
