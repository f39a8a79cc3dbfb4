//! The key of a connection as each of them keeps it.

use crate::packet::Key;

/// A key as each connection keeps it: in 16 octets, for nearly all have addresses of version 4.
#[derive(Clone)]
pub(super) enum KeptKey {
    Version4 {
        /// The lower endpoint's address, then the higher one's.
        addresses: [u32; 2],
        /// In the same order.
        ports: [u16; 2],
    },
    Version6(Box<Key>),
}

impl KeptKey {
    pub fn of(key: Key) -> Self {
        if key.version6 {
            return Self::Version6(Box::new(key));
        }
        let (addresses, ports) = key.to_short();
        Self::Version4 { addresses, ports }
    }

    #[inline]
    pub fn is(&self, key: &Key) -> bool {
        match self {
            Self::Version4 { addresses, ports } => (*addresses, *ports) == key.to_short() && !key.version6,
            Self::Version6(kept) => **kept == *key,
        }
    }

    pub fn get(&self) -> Key {
        match self {
            Self::Version4 { addresses, ports } => Key::short(*addresses, *ports),
            Self::Version6(key) => **key,
        }
    }

    /// Octets held besides the key itself.
    pub const fn weight(&self) -> usize {
        match self {
            Self::Version4 { .. } => 0,
            Self::Version6(_) => size_of::<Key>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{Endpoint, Flow};

    fn key(one: &str, two: &str) -> Key {
        let end = |text: &str, port| Endpoint {
            address: text.parse().unwrap(),
            port,
        };
        Flow::of(&end(one, 40_000), &end(two, 25)).key
    }

    #[test]
    fn a_key_comes_back_and_is_itself_only() {
        for (one, two) in [("192.0.2.1", "198.51.100.7"), ("2001:db8::1", "2001:db8:1::2")] {
            let kept = KeptKey::of(key(one, two));
            assert_eq!(kept.get(), key(one, two));
            assert!(kept.is(&key(one, two)) && !kept.is(&key(one, one)));
        }
    }

    #[test]
    fn a_mapped_address_is_not_the_version_4_address() {
        let (plain, wide) = (key("0.0.0.1", "0.0.0.2"), key("::1", "::2"));
        assert_ne!(plain, wide);
        assert!(!KeptKey::of(plain).is(&wide) && !KeptKey::of(wide).is(&plain));
    }
}
