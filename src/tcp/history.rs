//! Keeps the last delivered octets of one direction, so that a second copy with other octets is noticed.
//!
//! Stacks differ in which copy they take; a conflict is a finding, not a choice. Octets that the receiver acknowledged
//! can no longer be replaced in it, so of these only a short tail is kept: enough to notice a forged reply that
//! overtook the real one.

/// Unacknowledged octets kept for comparing in one direction, at least, and at most twice as many;
/// older ones are counted as not compared.
pub const COMPARED_OCTETS: usize = 4 << 10;
/// Acknowledged octets kept for comparing.
pub const COMPARED_TAIL: usize = 256;

/// The first room for octets.
const SMALLEST: usize = 32;
/// What is worth giving back to the allocator once everything is acknowledged.
const LARGE: usize = 8 << 10;

/// The last octets before the next expected one.
#[derive(Default)]
pub(super) struct History {
    octets: Vec<u8>,
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
        if self.octets.len() + bytes.len() > 2 * COMPARED_OCTETS {
            self.keep_last(COMPARED_OCTETS.saturating_sub(bytes.len()));
        }
        let needed = self.octets.len() + bytes.len();
        if needed > self.octets.capacity() && needed <= COMPARED_TAIL {
            // A short dialogue: few steps, and none of them larger than the tail that is kept.
            self.octets
                .reserve_exact(needed.next_power_of_two().max(SMALLEST) - self.octets.len());
        }
        self.octets.extend_from_slice(bytes);
    }

    /// All octets are acknowledged.
    pub fn acknowledged(&mut self) {
        if self.octets.len() > COMPARED_TAIL {
            self.keep_last(COMPARED_TAIL);
            if self.octets.capacity() > LARGE {
                self.octets.shrink_to(COMPARED_TAIL);
            }
        }
    }

    fn keep_last(&mut self, count: usize) {
        let from = self.octets.len().saturating_sub(count);
        self.octets.copy_within(from.., 0);
        self.octets.truncate(count);
    }

    pub fn clear(&mut self) {
        self.octets = Vec::new();
    }

    pub fn weight(&self) -> usize {
        self.octets.capacity()
    }

    /// Compares a copy that begins `back` octets before the next expected one; what lies behind that one is left out.
    pub fn compare(&self, back: u64, bytes: &[u8]) -> Comparison {
        let kept = self.octets.len() as u64;
        let before = back.saturating_sub(kept).min(bytes.len() as u64);
        let bytes = bytes.get(before as usize..).unwrap_or_default();
        let first = self
            .octets
            .get(kept.saturating_sub(back) as usize..)
            .unwrap_or_default();
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
    fn no_more_than_the_limit_is_kept() {
        let mut history = History::default();
        for number in 0..40u8 {
            history.push(&[number; 1_000]);
        }
        assert!(history.octets.len() <= 2 * COMPARED_OCTETS);
        assert_eq!(history.compare(1_000, &[39; 1_000]), Comparison::default());
        assert_eq!(history.compare(4_000, &[36; 1_000]), Comparison::default());
        assert_eq!(history.compare(40_000, &[0; 100]).uncompared, 100);
        history.push(&[9; 100_000]);
        assert!(history.octets.len() <= 2 * COMPARED_OCTETS);
        history.acknowledged();
        assert_eq!(history.octets.len(), COMPARED_TAIL);
        assert!(history.weight() <= LARGE);
    }
}
