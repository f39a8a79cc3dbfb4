//! Keeps the last delivered octets of one direction, so that a second copy with other octets is noticed.
//!
//! Stacks differ in which copy they take; a conflict is a finding, not a choice. Octets that the receiver acknowledged
//! can no longer be replaced in it, so of these only a short tail is kept: enough to notice a forged reply that
//! overtook the real one.

use std::cell::RefCell;

/// Unacknowledged octets kept for comparing in one direction, at least, and at most twice as many;
/// older ones are counted as not compared.
pub const COMPARED_OCTETS: usize = 4 << 10;
/// Octets kept for comparing whether they are acknowledged or not: about one line of a dialogue.
pub const COMPARED_TAIL: usize = 62;

/// Blocks come in steps of so many octets, for so does the allocator's room.
const STEP: usize = 16;
/// Longer than a reply: octets of bulk data. Up to here a block is made as large as it must be, beyond as large as they get.
const BULK: usize = 512;
/// The largest block.
const LARGEST: usize = 2 * COMPARED_OCTETS;

/// The last octets before the next expected one.
pub(super) struct History(Kept);

/// Where they are kept, the first `length` of it.
enum Kept {
    /// A short tail in place.
    Tail { length: u8, octets: [u8; COMPARED_TAIL] },
    /// A block, while more than that are not acknowledged.
    Block { length: u16, octets: Box<[u8]> },
}

/// Each open connection has two.
const _: () = assert!(size_of::<History>() == 64);

/// Blocks that a thread keeps for whoever needs the next one.
const SPARE_BLOCKS: usize = 16;

thread_local! {
    /// The largest blocks that are free. What was given back last is taken first: it is still in the processor's cache, where
    /// a new one for each burst of mail data would not be.
    static SPARE: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

impl Default for History {
    fn default() -> Self {
        Self(Kept::Tail {
            length: 0,
            octets: [0; COMPARED_TAIL],
        })
    }
}

/// How a second copy compares with the first.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    /// Octets that differ.
    pub conflicting: u64,
    /// Octets whose first copy is no longer kept.
    pub uncompared: u64,
}

impl History {
    /// Octets follow those before, of which the last `unacknowledged` are not acknowledged so far.
    #[inline]
    pub fn push(&mut self, bytes: &[u8], unacknowledged: usize) {
        let Kept::Tail { length, octets } = &mut self.0 else {
            self.push_into_block(bytes);
            return;
        };
        let kept = usize::from(*length);
        if kept.min(unacknowledged) + bytes.len() > COMPARED_TAIL {
            self.push_into_block(bytes);
            return;
        }
        let left = kept.min(COMPARED_TAIL - bytes.len());
        octets.copy_within(kept - left..kept, 0);
        if let Some(room) = octets.get_mut(left..left + bytes.len()) {
            room.copy_from_slice(bytes);
        }
        *length = (left + bytes.len()) as u8;
    }

    fn push_into_block(&mut self, bytes: &[u8]) {
        let bytes = bytes
            .get(bytes.len().saturating_sub(COMPARED_OCTETS)..)
            .unwrap_or_default();
        if self.octets().len() + bytes.len() > LARGEST {
            self.keep_last(COMPARED_OCTETS.saturating_sub(bytes.len()));
        }
        let (from, to) = (self.octets().len(), self.octets().len() + bytes.len());
        match &mut self.0 {
            Kept::Block { length, octets } if to <= octets.len() => {
                if let Some(room) = octets.get_mut(from..to) {
                    room.copy_from_slice(bytes);
                }
                *length = to as u16;
            }
            Kept::Block { .. } | Kept::Tail { .. } => self.grow(bytes),
        }
    }

    /// Takes a larger block.
    #[inline(never)]
    fn grow(&mut self, bytes: &[u8]) {
        let kept = self.octets();
        let (from, to) = (kept.len(), kept.len() + bytes.len());
        let mut octets = if to <= BULK {
            vec![0; to.next_multiple_of(STEP)].into_boxed_slice()
        } else {
            let spare = SPARE.with_borrow_mut(Vec::pop);
            spare.unwrap_or_else(|| vec![0; LARGEST].into_boxed_slice())
        };
        if let Some(new) = octets.get_mut(..to) {
            let (old, room) = new.split_at_mut(from);
            old.copy_from_slice(kept);
            room.copy_from_slice(bytes);
        }
        let length = to as u16;
        self.0 = Kept::Block { length, octets };
    }

    /// All octets are acknowledged.
    #[inline]
    pub fn acknowledged(&mut self) {
        if matches!(self.0, Kept::Block { .. }) {
            self.give_block_back();
        }
    }

    fn give_block_back(&mut self) {
        let kept = std::mem::take(self);
        let octets = kept.octets();
        let last = octets
            .get(octets.len().saturating_sub(COMPARED_TAIL)..)
            .unwrap_or_default();
        self.push(last, 0);
        if let Kept::Block { octets, .. } = kept.0
            && octets.len() == LARGEST
        {
            SPARE.with_borrow_mut(|spare| {
                if spare.len() < SPARE_BLOCKS {
                    spare.push(octets);
                }
            });
        }
    }

    /// Keeps the last octets of the block only.
    fn keep_last(&mut self, count: usize) {
        if let Kept::Block { length, octets } = &mut self.0 {
            let kept = usize::from(*length);
            let count = count.min(kept);
            octets.copy_within(kept - count..kept, 0);
            *length = count as u16;
        }
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Octets held besides the history itself.
    pub fn weight(&self) -> usize {
        match &self.0 {
            Kept::Tail { .. } => 0,
            Kept::Block { octets, .. } => octets.len(),
        }
    }

    fn octets(&self) -> &[u8] {
        let (place, length) = match &self.0 {
            Kept::Tail { length, octets } => (&octets[..], usize::from(*length)),
            Kept::Block { length, octets } => (&**octets, usize::from(*length)),
        };
        place.get(..length).unwrap_or_default()
    }

    /// Compares a copy that begins `back` octets before the next expected one; what lies behind that one is left out.
    pub fn compare(&self, back: u64, bytes: &[u8]) -> Comparison {
        let octets = self.octets();
        let kept = octets.len() as u64;
        let before = back.saturating_sub(kept).min(bytes.len() as u64);
        let bytes = bytes.get(before as usize..).unwrap_or_default();
        let first = octets.get(kept.saturating_sub(back) as usize..).unwrap_or_default();
        let conflicting = differing(first, bytes);
        Comparison {
            conflicting,
            uncompared: before,
        }
    }
}

/// How many octets differ, up to the shorter length.
pub(super) fn differing(one: &[u8], two: &[u8]) -> u64 {
    let length = one.len().min(two.len());
    match (one.get(..length), two.get(..length)) {
        (Some(one), Some(two)) if one != two => one.iter().zip(two).filter(|(a, b)| a != b).count() as u64,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes octets behind others that are all acknowledged.
    fn push_in_turn(history: &mut History, bytes: &[u8]) {
        history.push(bytes, 0);
        history.acknowledged();
    }

    #[test]
    fn copies_are_compared_where_they_overlap_what_is_kept() {
        let mut history = History::default();
        history.push(b"MAIL FROM", 0);
        assert_eq!(history.compare(4, b"FROM:<"), Comparison::default());
        assert_eq!(history.compare(4, b"FRXX").conflicting, 2);
        assert_eq!(history.compare(12, b"...MAIL").uncompared, 3);
        assert_eq!(history.compare(12, b"...MALL").conflicting, 1);
    }

    #[test]
    fn what_is_not_acknowledged_is_kept_whole() {
        let mut history = History::default();
        history.push(&[b'a'; 43], 0);
        assert_eq!((history.octets().len(), history.weight()), (43, 0));
        history.push(&[b'b'; 101], 43);
        assert_eq!((history.octets().len(), history.weight()), (144, 144));
        assert_eq!(history.compare(144, &[b'a'; 43]), Comparison::default());
        assert_eq!(history.compare(101, &[b'b'; 101]), Comparison::default());
        history.push(&[b'c'; 8], 144);
        history.push(&[b'c'; 20], 152);
        assert_eq!(history.compare(129, &[b'b'; 129]).conflicting, 28);
        history.clear();
        assert_eq!((history.octets().len(), history.weight()), (0, 0));
    }

    #[test]
    fn a_dialogue_in_turns_needs_no_block_but_for_a_long_reply() {
        let mut history = History::default();
        history.push(&[b'g'; 40], 0);
        history.push(&[b'e'; 161], 0);
        assert!(history.weight() > COMPARED_TAIL);
        history.acknowledged();
        assert_eq!((history.octets().len(), history.weight()), (COMPARED_TAIL, 0));
        assert_eq!(history.compare(161, &[b'e'; 161]).uncompared, 99);
        assert_eq!(history.compare(62, &[b'f'; 62]).conflicting, 62);
        for _ in 0..3 {
            history.push(&[b'x'; 40], 0);
            assert_eq!((history.octets().len(), history.weight()), (COMPARED_TAIL, 0));
            assert_eq!(history.compare(40, &[b'y'; 40]).conflicting, 40);
        }
        assert_eq!(history.compare(62, &[b'x'; 62]), Comparison::default());
    }

    #[test]
    fn no_more_than_the_limit_is_kept() {
        let mut history = History::default();
        for number in 0..40u8 {
            history.push(&[number; 1_000], usize::from(number) * 1_000);
        }
        assert!(history.octets().len() <= 2 * COMPARED_OCTETS);
        assert_eq!(history.compare(1_000, &[39; 1_000]), Comparison::default());
        assert_eq!(history.compare(4_000, &[36; 1_000]), Comparison::default());
        assert_eq!(history.compare(40_000, &[0; 100]).uncompared, 100);
        history.push(&[9; 100_000], 40_000);
        assert!(history.octets().len() <= 2 * COMPARED_OCTETS);
        assert!(history.weight() <= LARGEST);
        history.acknowledged();
        assert_eq!((history.octets().len(), history.weight()), (COMPARED_TAIL, 0));
        push_in_turn(&mut history, b"250 ok\r\n");
        assert_eq!((history.octets().len(), history.weight()), (COMPARED_TAIL, 0));
        assert_eq!(history.compare(10, b"\t\t250 ko").conflicting, 2);
    }
}
