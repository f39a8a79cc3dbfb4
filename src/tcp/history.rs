//! Keeps the last delivered octets of one direction, so that a second copy with other octets is noticed.
//!
//! Stacks differ in which copy they take; a conflict is a finding, not a choice. Octets that the receiver acknowledged
//! can no longer be replaced in it, so of these only a short tail is kept: enough to notice a forged reply that
//! overtook the real one.

/// Unacknowledged octets kept for comparing in one direction, at least, and at most twice as many;
/// older ones are counted as not compared.
pub const COMPARED_OCTETS: usize = 4 << 10;
/// Acknowledged octets kept for comparing: about one line of a dialogue.
pub const COMPARED_TAIL: usize = 64;

/// The smallest block: for the first line of a client.
const SMALLEST: usize = 32;
/// The next one: room for line after line of a dialogue in turn.
const LINES: usize = 128;
/// Blocks come in steps of so many octets, for so does the allocator's room.
const STEP: usize = 16;
/// Octets of a block that say how many of those behind them are kept.
const LENGTH: usize = 2;
/// What is kept of acknowledged octets, and room for a few behind them: the block of a dialogue that waits.
const RESTING: usize = 80;
/// A block that a long reply needed: between more than this …
const LONG_REPLY: usize = 160;
/// … and this. It is given back as soon as the reply is acknowledged.
const LONGEST_REPLY: usize = 512;
/// Up to here a block is made as large as it must be; a larger one at least three times as large as the one before.
const EXACT: usize = 256;
/// A block of bulk data. It is given back once little goes on.
const BULK: usize = 4 << 10;
/// The largest block.
const LARGEST: usize = LENGTH + 2 * COMPARED_OCTETS;

/// The last octets before the next expected one: one block, which begins with their number.
#[derive(Default)]
pub(super) struct History {
    block: Box<[u8]>,
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
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) {
        let bytes = bytes
            .get(bytes.len().saturating_sub(COMPARED_OCTETS)..)
            .unwrap_or_default();
        if self.length() + bytes.len() > 2 * COMPARED_OCTETS {
            self.keep_last(COMPARED_OCTETS.saturating_sub(bytes.len()));
        }
        let (from, to) = (self.length(), self.length() + bytes.len());
        match self.block.get_mut(LENGTH + from..LENGTH + to) {
            Some(room) => room.copy_from_slice(bytes),
            None => self.grow(bytes),
        }
        self.set_length(to);
    }

    /// Octets kept.
    #[inline]
    fn length(&self) -> usize {
        let length = self.block.first_chunk::<LENGTH>();
        length.map_or(0, |length| usize::from(u16::from_le_bytes(*length)))
    }

    fn set_length(&mut self, length: usize) {
        if let Some(place) = self.block.first_chunk_mut::<LENGTH>() {
            *place = (length as u16).to_le_bytes();
        }
    }

    /// Takes a larger block.
    #[inline(never)]
    fn grow(&mut self, bytes: &[u8]) {
        let kept = LENGTH + self.length();
        let needed = kept + bytes.len();
        let wanted = if needed <= EXACT {
            let least = if needed <= SMALLEST { SMALLEST } else { LINES };
            needed.max(least)
        } else {
            needed.max(3 * self.block.len())
        };
        let size = wanted.next_multiple_of(STEP).min(LARGEST);
        let mut block = Vec::with_capacity(size);
        block.extend_from_slice(self.block.get(..kept).unwrap_or(&[0; LENGTH]));
        block.extend_from_slice(bytes);
        block.resize(size, 0);
        self.block = block.into_boxed_slice();
    }

    /// All octets are acknowledged.
    #[inline]
    pub fn acknowledged(&mut self) {
        let length = self.length();
        if length > COMPARED_TAIL {
            self.keep_last(COMPARED_TAIL);
        }
        let size = self.block.len();
        if size > LONG_REPLY && (size <= LONGEST_REPLY || size > BULK && length <= 2 * COMPARED_TAIL) {
            self.rest();
        }
    }

    #[inline(never)]
    fn rest(&mut self) {
        self.block = self.block.get(..RESTING).map(Box::from).unwrap_or_default();
    }

    fn keep_last(&mut self, count: usize) {
        let length = self.length();
        let from = LENGTH + length.saturating_sub(count);
        self.block.copy_within(from..LENGTH + length, LENGTH);
        self.set_length(length.min(count));
    }

    pub fn clear(&mut self) {
        self.block = Box::default();
    }

    pub fn weight(&self) -> usize {
        self.block.len()
    }

    fn octets(&self) -> &[u8] {
        self.block.get(LENGTH..LENGTH + self.length()).unwrap_or_default()
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

    #[test]
    fn copies_are_compared_where_they_overlap_what_is_kept() {
        let mut history = History::default();
        history.push(b"MAIL FROM");
        assert_eq!(history.compare(4, b"FROM:<"), Comparison::default());
        assert_eq!(history.compare(4, b"FRXX").conflicting, 2);
        assert_eq!(history.compare(12, b"...MAIL").uncompared, 3);
        assert_eq!(history.compare(12, b"...MALL").conflicting, 1);
    }

    #[test]
    fn a_dialogue_that_stops_early_costs_little_more_than_its_octets() {
        let mut history = History::default();
        history.push(&[b'a'; 43]);
        history.push(&[b'b'; 101]);
        assert_eq!((history.octets().len(), history.weight()), (144, 160));
        assert_eq!(history.compare(144, &[b'a'; 43]), Comparison::default());
        assert_eq!(history.compare(101, &[b'b'; 101]), Comparison::default());
        history.push(&[b'c'; 8]);
        history.push(&[b'c'; 20]);
        assert_eq!(history.compare(129, &[b'b'; 129]).conflicting, 28);
        history.clear();
        assert_eq!((history.octets().len(), history.weight()), (0, 0));
    }

    #[test]
    fn a_dialogue_that_waits_keeps_no_room_for_the_long_reply_before() {
        let mut history = History::default();
        history.push(&[b'g'; 40]);
        history.push(&[b'e'; 161]);
        assert!(history.weight() > LONG_REPLY);
        history.acknowledged();
        assert_eq!((history.octets().len(), history.weight()), (COMPARED_TAIL, RESTING));
        assert_eq!(history.compare(161, &[b'e'; 161]).uncompared, 97);
        assert_eq!(history.compare(64, &[b'f'; 64]).conflicting, 64);
        // A line makes room for itself, and the next has it.
        for _ in 0..3 {
            history.push(&[b'x'; 40]);
            history.acknowledged();
            assert_eq!((history.octets().len(), history.weight()), (COMPARED_TAIL, 112));
        }
    }

    #[test]
    fn no_more_than_the_limit_is_kept() {
        let mut history = History::default();
        for number in 0..40u8 {
            history.push(&[number; 1_000]);
        }
        assert!(history.octets().len() <= 2 * COMPARED_OCTETS);
        assert_eq!(history.compare(1_000, &[39; 1_000]), Comparison::default());
        assert_eq!(history.compare(4_000, &[36; 1_000]), Comparison::default());
        assert_eq!(history.compare(40_000, &[0; 100]).uncompared, 100);
        history.push(&[9; 100_000]);
        assert!(history.octets().len() <= 2 * COMPARED_OCTETS);
        history.acknowledged();
        assert_eq!(history.octets().len(), COMPARED_TAIL);
        assert_eq!(history.weight(), LARGEST);
        history.push(b"250 ok\r\n");
        history.acknowledged();
        assert!(
            history.weight() <= 2 * COMPARED_TAIL + LENGTH,
            "no room for bulk in a dialogue"
        );
        assert_eq!(history.octets().len(), COMPARED_TAIL);
        assert_eq!(history.compare(10, b"\t\t250 ko").conflicting, 2);
    }
}
