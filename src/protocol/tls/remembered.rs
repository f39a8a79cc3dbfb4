//! What was read before: servers show the same certificates to every client, and a program offers the same in each of its
//! ClientHellos. Each thread remembers a few, by the octets that they were read from, and their sessions share them.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::quality::RandomState;

/// How many things of one kind a thread remembers.
const REMEMBERED: usize = 256;
/// The most octets that one is remembered by.
const REMEMBERED_OCTETS: usize = 4096;

/// Things read last, by the octets that alone tell what they are.
pub(super) struct Remembered<T>(HashMap<Box<[u8]>, Arc<T>, RandomState>);

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<T> Remembered<T> {
    /// What these octets hold; `read` only where that is not known. What cannot be read is not remembered.
    pub(super) fn get(&mut self, octets: &[u8], read: impl FnOnce() -> Option<T>) -> Option<Arc<T>> {
        if let Some(known) = self.0.get(octets) {
            return Some(Arc::clone(known));
        }
        let new = Arc::new(read()?);
        if octets.len() <= REMEMBERED_OCTETS {
            if self.0.len() >= REMEMBERED {
                self.0.clear();
            }
            self.0.insert(octets.into(), Arc::clone(&new));
        }
        Some(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_not_read_again_and_memory_is_bounded() {
        let mut remembered = Remembered::default();
        let first = remembered.get(b"one", || Some(1)).unwrap();
        let again = remembered.get(b"one", || panic!("read twice")).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!(remembered.get(b"none", || None), None);
        assert_eq!(remembered.get(b"none", || Some(2)).as_deref(), Some(&2));
        let long = [0; REMEMBERED_OCTETS + 1];
        assert_eq!(remembered.get(&long, || Some(3)).as_deref(), Some(&3));
        assert_eq!(remembered.get(&long, || Some(4)).as_deref(), Some(&4));
        for number in 0..2 * REMEMBERED {
            let octets = number.to_be_bytes();
            assert_eq!(remembered.get(&octets, || Some(number)).as_deref(), Some(&number));
            assert!(remembered.0.len() <= REMEMBERED);
        }
    }
}
