//! Octets in any cutting → a 64-bit fingerprint, to tell the same message body again. Not for security: no key.

/// Octets mixed at once, two words for each lane.
const BLOCK: usize = 64;
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
/// For each second word; small enough to stand in the instruction.
const SECOND_MULTIPLIER: u64 = 0x5bd1_e995;

/// A running fingerprint.
#[derive(Clone, Debug)]
pub struct BodyHash {
    lanes: [u64; 4],
    carry: [u8; BLOCK],
    carried: usize,
    total: u64,
}

impl Default for BodyHash {
    fn default() -> Self {
        Self {
            lanes: [1, 2, 3, 4],
            carry: [0; BLOCK],
            carried: 0,
            total: 0,
        }
    }
}

impl BodyHash {
    /// Takes the next octets.
    pub fn push(&mut self, mut bytes: &[u8]) {
        self.total = self.total.wrapping_add(bytes.len() as u64);
        if self.carried > 0 {
            let wanted = (BLOCK - self.carried).min(bytes.len());
            let (now, later) = bytes.split_at(wanted);
            if let Some(space) = self.carry.get_mut(self.carried..self.carried + wanted) {
                space.copy_from_slice(now);
            }
            self.carried += wanted;
            bytes = later;
            if self.carried < BLOCK {
                return;
            }
            let block = self.carry;
            mix(&mut self.lanes, &block);
            self.carried = 0;
        }
        let (blocks, tail) = bytes.as_chunks::<BLOCK>();
        for block in blocks {
            mix(&mut self.lanes, block);
        }
        if let Some(space) = self.carry.get_mut(..tail.len()) {
            space.copy_from_slice(tail);
        }
        self.carried = tail.len();
    }

    /// Marks a hole, so that a message with one never equals the whole message.
    pub fn gap(&mut self, octets: u64) {
        for lane in &mut self.lanes {
            *lane = lane.rotate_left(17) ^ octets.wrapping_add(1).wrapping_mul(MULTIPLIER);
        }
    }

    /// The fingerprint; 0 for no octets.
    #[must_use]
    pub fn finish(mut self) -> u64 {
        if self.total == 0 {
            return 0;
        }
        if let Some(rest) = self.carry.get_mut(self.carried..) {
            rest.fill(0);
        }
        let block = self.carry;
        mix(&mut self.lanes, &block);
        let mut sum = self.total.wrapping_mul(MULTIPLIER);
        for lane in self.lanes {
            sum = (sum ^ lane).wrapping_mul(0xff51_afd7_ed55_8ccd);
            sum ^= sum >> 32;
        }
        sum
    }
}

fn mix(lanes: &mut [u64; 4], block: &[u8; BLOCK]) {
    let (words, _) = block.as_chunks::<8>();
    let (pairs, _) = words.as_chunks::<2>();
    for (lane, [first, second]) in lanes.iter_mut().zip(pairs) {
        let second = u64::from_le_bytes(*second).wrapping_mul(SECOND_MULTIPLIER);
        let first = (*lane ^ u64::from_le_bytes(*first)).rotate_left(23);
        *lane = first.wrapping_add(second).wrapping_mul(MULTIPLIER);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn hash_of(octets: &[u8], piece: usize) -> u64 {
        let mut hash = BodyHash::default();
        for bytes in octets.chunks(piece) {
            hash.push(bytes);
        }
        hash.finish()
    }

    #[test]
    fn any_cut_gives_the_same_hash() {
        let octets: Vec<u8> = (0..1000_u32).map(|at| (at * at / 7) as u8).collect();
        for piece in [1, 2, 7, 63, 64, 65, 127, 128, 129, 999] {
            assert_eq!(hash_of(&octets, piece), hash_of(&octets, 1000), "pieces of {piece}");
        }
    }

    /// Bodies of templates differ in a few digits, and lists in the order of their lines.
    #[test]
    fn bodies_that_differ_little_have_different_hashes() {
        let body = b"0123456789abcdef".repeat(16);
        let mut hashes = HashSet::from([hash_of(&body, 1000)]);
        let mut count = 1;
        for first in 0..body.len() {
            for second in first..body.len() {
                let mut other = body.clone();
                other[first] ^= 1;
                other[second] ^= 2;
                hashes.insert(hash_of(&other, 1000));
                other[second] ^= 3;
                hashes.insert(hash_of(&other, 1000));
                count += 2;
            }
        }
        // With first == second, the octet is changed by 3, and back to what it was.
        assert_eq!(hashes.len(), count - body.len());
        for length in 0..body.len() {
            assert!(hashes.insert(hash_of(&body[..length], 1000)), "{length}");
        }
    }
}
