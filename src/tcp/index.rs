//! Turns a hash into the slot number of a connection: open addressing with linear probing, 8 octets a slot.
//! Knows no keys; whoever asks compares them.

const EMPTY: u32 = u32::MAX;
const SMALLEST: usize = 64;

#[derive(Clone, Copy)]
struct Slot {
    hash: u32,
    value: u32,
}

const FREE: Slot = Slot { hash: 0, value: EMPTY };

/// A map from 32-bit hashes to 32-bit values below `u32::MAX`; equal hashes may stand several times.
pub(super) struct Index {
    slots: Vec<Slot>,
    length: usize,
}

impl Index {
    pub fn new() -> Self {
        Self {
            slots: vec![FREE; SMALLEST],
            length: 0,
        }
    }

    /// How many entries there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.length
    }

    /// The first value with this hash that `matches`.
    #[inline(always)]
    pub fn find(&self, hash: u32, mut matches: impl FnMut(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            let slot = self.slots[place];
            if slot.value == EMPTY {
                return None;
            }
            if slot.hash == hash && matches(slot.value) {
                return Some(slot.value);
            }
            place = (place + 1) & mask;
        }
    }

    /// Adds an entry. The caller made sure that it is not there.
    pub fn insert(&mut self, hash: u32, value: u32) {
        if (self.length + 1) * 4 > self.slots.len() * 3 {
            self.resize(self.slots.len() * 2);
        }
        self.length += 1;
        place(&mut self.slots, Slot { hash, value });
    }

    /// Takes the entry with exactly this hash and value out; does nothing where it is not there.
    pub fn remove(&mut self, hash: u32, value: u32) {
        let mask = self.slots.len() - 1;
        let Some(mut hole) = self.locate(hash, value) else {
            return;
        };
        // Entries behind the hole move up unless that would put them before their home: no tombstones to step over.
        let mut next = (hole + 1) & mask;
        while self.slots[next].value != EMPTY {
            let home = self.slots[next].hash as usize & mask;
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
                self.slots[hole] = self.slots[next];
                hole = next;
            }
            next = (next + 1) & mask;
        }
        self.slots[hole] = FREE;
        self.length -= 1;
        if self.slots.len() > SMALLEST && self.length * 16 < self.slots.len() {
            self.resize(self.slots.len() / 4);
        }
    }

    /// Puts another value in the place of one.
    pub fn replace(&mut self, hash: u32, value: u32, by: u32) {
        if let Some(place) = self.locate(hash, value) {
            self.slots[place].value = by;
        }
    }

    fn locate(&self, hash: u32, value: u32) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut place = hash as usize & mask;
        while self.slots[place].value != EMPTY {
            if self.slots[place].value == value {
                return Some(place);
            }
            place = (place + 1) & mask;
        }
        None
    }

    fn resize(&mut self, size: usize) {
        let mut slots = vec![FREE; size.max(SMALLEST)];
        for slot in self.slots.iter().filter(|slot| slot.value != EMPTY) {
            place(&mut slots, *slot);
        }
        self.slots = slots;
    }
}

fn place(slots: &mut [Slot], slot: Slot) {
    let mask = slots.len() - 1;
    let mut place = slot.hash as usize & mask;
    while slots[place].value != EMPTY {
        place = (place + 1) & mask;
    }
    slots[place] = slot;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn index_agrees_with_a_plain_map(steps in prop::collection::vec((0u32..40, any::<bool>()), 0..600)) {
            let mut index = Index::new();
            let mut plain = BTreeMap::new();
            // Few distinct hashes, so that chains collide, wrap around the end and move on removal.
            let hash = |value: u32| (value % 5).wrapping_mul(21) ^ 62;
            for (value, add) in steps {
                if add && !plain.contains_key(&value) {
                    index.insert(hash(value), value);
                    plain.insert(value, ());
                } else if !add {
                    index.remove(hash(value), value);
                    plain.remove(&value);
                }
                prop_assert_eq!(index.len(), plain.len());
                for value in 0..40 {
                    let found = index.find(hash(value), |candidate| candidate == value);
                    prop_assert_eq!(found.is_some(), plain.contains_key(&value));
                }
            }
        }
    }

    #[test]
    fn index_grows_and_shrinks() {
        let mut index = Index::new();
        for value in 0..100_000u32 {
            index.insert(value.wrapping_mul(0x9e37_79b9), value);
        }
        assert_eq!(index.find(7u32.wrapping_mul(0x9e37_79b9), |value| value == 7), Some(7));
        for value in 0..100_000u32 {
            index.remove(value.wrapping_mul(0x9e37_79b9), value);
        }
        assert_eq!(index.len(), 0);
        assert!(index.slots.len() <= SMALLEST * 4);
    }
}
