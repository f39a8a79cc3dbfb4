//! How often each of a few things came, and each of many addresses: counted for every session, read once or twice in a run.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::quality::RandomState;

/// What can be counted.
pub trait Counted: Copy + Ord {
    /// The same thing; by default by comparing.
    fn is(self, other: Self) -> bool {
        self == other
    }
}

impl Counted for crate::session::Outcome {}
impl Counted for crate::session::Service {}
impl Counted for crate::diagnosis::Severity {}

impl Counted for &'static str {
    /// A slug lies at one place, nearly always: its letters need not be looked at.
    fn is(self, other: Self) -> bool {
        std::ptr::eq(self, other) || self == other
    }
}

/// Counts of a few dozen things at most, of which our code has the list: what packets choose would make it long, and slow to
/// search. What comes often moves to the front, where it is found at once.
#[derive(Clone, Debug)]
pub struct Counts<K>(Vec<(K, u64)>);

impl<K: Counted> Counts<K> {
    /// Counts one.
    pub(super) fn add(&mut self, key: K) {
        match self.0.iter().position(|(same, _)| same.is(key)) {
            None => self.0.push((key, 1)),
            Some(at) => {
                let before = at.checked_sub(1).and_then(|before| self.0.get(before));
                let at = if let (Some((_, fewer)), Some((_, count))) = (before, self.0.get(at))
                    && fewer < count
                {
                    self.0.swap(at - 1, at);
                    at - 1
                } else {
                    at
                };
                if let Some((_, count)) = self.0.get_mut(at) {
                    *count += 1;
                }
            }
        }
    }

    /// What was counted, in order, and how often.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &u64)> {
        let mut sorted: Vec<_> = self.0.iter().map(|(key, count)| (key, count)).collect();
        sorted.sort_unstable();
        sorted.into_iter()
    }

    /// What was counted, in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// How often this was counted; `None` for never.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&u64> {
        self.0.iter().find(|(same, _)| same.is(*key)).map(|(_, count)| count)
    }

    /// The greatest that was counted.
    #[must_use]
    pub fn greatest(&self) -> Option<K> {
        self.0.iter().map(|(key, _)| *key).max()
    }
}

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Counted> PartialEq for Counts<K> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

/// Counts of addresses: of many, and others choose them, so they are hashed.
#[derive(Clone, Debug, PartialEq)]
pub struct Addresses<K: Eq + Hash>(HashMap<K, u64, RandomState>);

impl<K: Copy + Ord + Hash> Addresses<K> {
    /// Counts one; `false` where `room` addresses are known and it is none of them.
    pub(super) fn add(&mut self, address: K, room: usize) -> bool {
        let full = self.0.len() >= room;
        match self.0.get_mut(&address) {
            Some(count) => *count += 1,
            None if full => return false,
            None => _ = self.0.insert(address, 1),
        }
        true
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each address, in order, and how often it was counted.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &u64)> {
        let mut sorted: Vec<_> = self.0.iter().collect();
        sorted.sort_unstable();
        sorted.into_iter()
    }
}

impl<K: Eq + Hash> Default for Addresses<K> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    impl Counted for u16 {}

    #[test]
    fn counts_are_those_of_a_map_in_its_order() {
        let mut counts = Counts::<u16>::default();
        let mut map = BTreeMap::<u16, u64>::new();
        assert_eq!((counts.iter().count(), counts.greatest()), (0, None));
        for number in 0..5_000_u32 {
            let key = (number * number / 7 % 23) as u16;
            counts.add(key);
            *map.entry(key).or_default() += 1;
            assert!(counts.iter().eq(&map), "{number}");
        }
        assert!(counts.keys().eq(map.keys()));
        assert_eq!(counts.greatest(), map.keys().next_back().copied());
        assert!((0..30).all(|key| counts.get(&key) == map.get(&key)));
        // The same counts, in whatever order they came.
        let mut others = Counts::default();
        for (key, count) in map.iter().rev() {
            (0..*count).for_each(|_| others.add(*key));
        }
        assert_eq!(counts, others);
    }

    #[test]
    fn the_same_letters_at_another_place_are_the_same_slug() {
        let mut counts = Counts::<&'static str>::default();
        for slug in ["a-slug", String::from("a-slug").leak(), "b-slug"] {
            counts.add(slug);
        }
        assert!(counts.iter().eq([(&"a-slug", &2), (&"b-slug", &1)]));
    }

    #[test]
    fn addresses_beyond_the_room_are_not_counted() {
        let mut addresses = Addresses::<u16>::default();
        let taken: Vec<bool> = [3, 1, 3, 2, 1].map(|address| addresses.add(address, 2)).into();
        assert_eq!(taken, [true, true, true, false, true]);
        assert!(addresses.iter().eq([(&1, &2), (&3, &2)]));
        assert_eq!((addresses.len(), addresses.is_empty()), (2, false));
    }
}
