//! Octets in any cutting → a 64-bit fingerprint, to tell the same message body again. Not for security: no key.

/// Octets mixed at once, one word for each lane.
const BLOCK: usize = 32;
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

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
    for (lane, word) in lanes.iter_mut().zip(words) {
        *lane = (lane.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(MULTIPLIER);
    }
}
