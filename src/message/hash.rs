//! Octets in any cutting → a 64-bit fingerprint, to tell the same message body again. Not for security: no secret key.

use fearless_simd::{Level, Simd, dispatch, prelude::*, u64x8};

/// Octets mixed at once, a word for each lane.
const BLOCK: usize = 64;
const LANES: usize = BLOCK / size_of::<u64>();
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
/// What a block's words are keyed with, times the block's number: so the order of blocks counts.
const KEYS: [u64; LANES] = [
    0x9e37_79b9_7f4a_7c15,
    0xbf58_476d_1ce4_e5b9,
    0x94d0_49bb_1331_11eb,
    0xd6e8_feb8_6659_fd93,
    0xff51_afd7_ed55_8ccd,
    0xc4ce_b9fe_1a85_ec53,
    0x2545_f491_4f6c_dd1d,
    0x5bd1_e995_5bd1_e995,
];

/// A running fingerprint.
#[derive(Clone, Debug)]
pub struct BodyHash {
    lanes: [u64; LANES],
    carry: [u8; BLOCK],
    carried: usize,
    total: u64,
}

impl Default for BodyHash {
    fn default() -> Self {
        Self {
            lanes: [0; LANES],
            carry: [0; BLOCK],
            carried: 0,
            total: 0,
        }
    }
}

impl BodyHash {
    /// Takes the next octets.
    pub fn push(&mut self, mut bytes: &[u8]) {
        let number = self.total / BLOCK as u64;
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
        }
        let begun = [self.carry];
        let begun = if self.carried > 0 { begun.as_slice() } else { &[] };
        let (blocks, tail) = bytes.as_chunks();
        mix(&mut self.lanes, number, begun, blocks);
        if let Some(space) = self.carry.get_mut(..tail.len()) {
            space.copy_from_slice(tail);
        }
        self.carried = tail.len();
    }

    /// Octets taken so far.
    pub const fn octets(&self) -> u64 {
        self.total
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
        mix(&mut self.lanes, self.total / BLOCK as u64, &[self.carry], &[]);
        let mut sum = self.total.wrapping_mul(MULTIPLIER);
        for lane in self.lanes {
            sum = (sum ^ lane).wrapping_mul(0xff51_afd7_ed55_8ccd);
            sum ^= sum >> 32;
        }
        sum
    }
}

/// Mixes blocks and further ones, of which the very first has this number, into the lanes.
fn mix(lanes: &mut [u64; LANES], number: u64, blocks: &[[u8; BLOCK]], further: &[[u8; BLOCK]]) {
    dispatch!(Level::new(), simd => mix_at_level(simd, lanes, number, [blocks, further]));
}

/// Adds each word, and the product of the halves of the keyed word: one multiplication of the vector unit.
#[inline(always)]
fn mix_at_level<S: Simd>(simd: S, lanes: &mut [u64; LANES], number: u64, blocks: [&[[u8; BLOCK]]; 2]) {
    let step = u64x8::load_array(simd, KEYS);
    let mut key = step * number.wrapping_add(1);
    let mut sums = u64x8::load_array_ref(simd, lanes);
    for blocks in blocks {
        for block in blocks {
            let (words, _) = block.as_chunks();
            let words = std::array::from_fn(|lane| words.get(lane).map_or(0, |word| u64::from_le_bytes(*word)));
            let words = u64x8::load_array(simd, words);
            let keyed = words ^ key;
            sums = sums + words + (keyed & 0xffff_ffff_u64) * (keyed >> 32);
            key += step;
        }
    }
    *lanes = *sums;
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
    fn every_machine_gives_the_same_hash() {
        let octets: Vec<u8> = (0..1000_u32).map(|at| (at * at / 7) as u8).collect();
        let blocks = octets.as_chunks().0;
        let mut expected = [7_u64; LANES];
        for (number, block) in (5_u64..).zip(blocks) {
            for (lane, word) in block.as_chunks().0.iter().enumerate() {
                let word = u64::from_le_bytes(*word);
                let keyed = word ^ KEYS[lane].wrapping_mul(number + 1);
                let product = (keyed & 0xffff_ffff) * (keyed >> 32);
                expected[lane] = expected[lane].wrapping_add(word).wrapping_add(product);
            }
        }
        for level in [Level::new(), Level::baseline()] {
            let mut lanes = [7; LANES];
            dispatch!(level, simd => mix_at_level(simd, &mut lanes, 5, blocks.split_at(3).into()));
            assert_eq!(lanes, expected, "{level:?}");
        }
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
