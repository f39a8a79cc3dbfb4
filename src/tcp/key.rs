//! Turns two endpoints into a key that is the same for both directions of a connection.

use std::hash::{BuildHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use foldhash::quality::RandomState;

use crate::packet::Endpoint;

/// Both endpoints of a connection, the lower first. 40 octets for either version of IP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Key {
    low: [u64; 2],
    high: [u64; 2],
    low_port: u16,
    high_port: u16,
    version6: bool,
}

impl Key {
    /// The key of a segment, and whether its source is the lower endpoint.
    #[inline]
    pub fn of(source: &Endpoint, destination: &Endpoint) -> (Self, bool) {
        let ((from, version6), (to, _)) = (words(&source.address), words(&destination.address));
        let (from_port, to_port) = (source.port, destination.port);
        let source_is_low = if version6 {
            (from, from_port) <= (to, to_port)
        } else {
            let place = |[_, address]: [u64; 2], port: u16| (address << 16) | u64::from(port);
            place(from, from_port) <= place(to, to_port)
        };
        let (low, low_port, high, high_port) = if source_is_low {
            (from, from_port, to, to_port)
        } else {
            (to, to_port, from, from_port)
        };
        let key = Self {
            low,
            high,
            low_port,
            high_port,
            version6,
        };
        (key, source_is_low)
    }

    /// The lower endpoint, or the higher.
    pub fn endpoint(&self, lower: bool) -> Endpoint {
        let ([first, second], port) = if lower {
            (self.low, self.low_port)
        } else {
            (self.high, self.high_port)
        };
        let address = if self.version6 {
            IpAddr::V6(Ipv6Addr::from((u128::from(first) << 64) | u128::from(second)))
        } else {
            IpAddr::V4(Ipv4Addr::from(second as u32))
        };
        Endpoint { address, port }
    }

    /// A keyed hash: whoever makes the packets must not choose where they land. Nothing in the output follows from it.
    #[inline]
    pub fn hash(&self, state: &RandomState) -> u32 {
        let hash = state.hash_one(self);
        (hash ^ (hash >> 32)) as u32
    }
}

/// A key and which end of it sends: what a segment says of its connection, worked out once.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    pub(super) key: Key,
    pub(super) source_is_low: bool,
}

impl Flow {
    /// The flow from one endpoint to another.
    #[must_use]
    #[inline]
    pub fn of(source: &Endpoint, destination: &Endpoint) -> Self {
        let (key, source_is_low) = Key::of(source, destination);
        Self { key, source_is_low }
    }

    /// Which of `shards` tables its connection belongs to: the same for both directions, in every run and on every machine,
    /// so that what a table's limits cost does not depend on how many threads share the work. Not keyed: whoever makes the
    /// packets can fill one shard, and loses no more than that shard.
    #[must_use]
    #[inline]
    pub fn shard(&self, shards: usize) -> usize {
        let fold = |[first, second]: [u64; 2], port: u16| {
            (first ^ second ^ (u64::from(port) << 40)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        };
        let key = &self.key;
        let mixed = fold(key.low, key.low_port).wrapping_add(fold(key.high, key.high_port));
        let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((mixed >> 40) as usize) % shards.max(1)
    }
}

/// A key as each connection keeps it: in 16 octets, for nearly all have addresses of version 4.
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
        Self::Version4 {
            addresses: [key.low[1] as u32, key.high[1] as u32],
            ports: [key.low_port, key.high_port],
        }
    }

    #[inline]
    pub fn is(&self, key: &Key) -> bool {
        match self {
            Self::Version4 { addresses, ports } => {
                *addresses == [key.low[1] as u32, key.high[1] as u32]
                    && *ports == [key.low_port, key.high_port]
                    && !key.version6
            }
            Self::Version6(kept) => **kept == *key,
        }
    }

    pub fn get(&self) -> Key {
        match self {
            Self::Version4 {
                addresses: [low, high],
                ports: [low_port, high_port],
            } => Key {
                low: [0, u64::from(*low)],
                high: [0, u64::from(*high)],
                low_port: *low_port,
                high_port: *high_port,
                version6: false,
            },
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

impl Hash for Key {
    #[inline]
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        if self.version6 {
            hasher.write_u64(self.low[0]);
            hasher.write_u64(self.low[1]);
            hasher.write_u64(self.high[0]);
            hasher.write_u64(self.high[1]);
        } else {
            hasher.write_u64((self.low[1] << 32) | self.high[1]);
        }
        hasher
            .write_u64((u64::from(self.version6) << 32) | (u64::from(self.low_port) << 16) | u64::from(self.high_port));
    }
}

#[inline]
fn words(address: &IpAddr) -> ([u64; 2], bool) {
    match address {
        IpAddr::V4(address) => ([0, u64::from(u32::from(*address))], false),
        IpAddr::V6(address) => {
            let bits = u128::from(*address);
            ([(bits >> 64) as u64, bits as u64], true)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str, port: u16) -> Endpoint {
        Endpoint {
            address: text.parse().unwrap(),
            port,
        }
    }

    #[test]
    fn both_directions_have_one_key_and_the_endpoints_come_back() {
        for (one, two) in [("192.0.2.1", "198.51.100.7"), ("2001:db8::1", "2001:db8:1::2")] {
            let (one, two) = (endpoint(one, 40_000), endpoint(two, 25));
            let (there, low) = Key::of(&one, &two);
            let (back, other_low) = Key::of(&two, &one);
            assert_eq!(there, back);
            assert_ne!(low, other_low);
            assert_eq!(there.endpoint(low), one);
            assert_eq!(there.endpoint(!low), two);
            let kept = KeptKey::of(there);
            assert_eq!(kept.get(), there);
            assert!(kept.is(&there) && !kept.is(&Key::of(&one, &one).0));
        }
    }

    #[test]
    fn both_directions_share_a_shard_and_all_shards_are_used() {
        let server = endpoint("198.51.100.7", 25);
        let mut used = [0_u32; 16];
        for client in 0..1_600_u16 {
            let one = endpoint("192.0.2.1", 20_000 + client);
            let number = Flow::of(&one, &server).shard(16);
            assert_eq!(number, Flow::of(&server, &one).shard(16));
            used[number] += 1;
        }
        assert!(used.iter().all(|count| (50..200).contains(count)), "{used:?}");
    }

    #[test]
    fn a_mapped_address_is_not_the_version_4_address() {
        let plain = Key::of(&endpoint("0.0.0.1", 1), &endpoint("0.0.0.2", 25)).0;
        let wide = Key::of(&endpoint("::1", 1), &endpoint("::2", 25)).0;
        assert_ne!(plain, wide);
        assert!(!KeptKey::of(plain).is(&wide) && !KeptKey::of(wide).is(&plain));
    }
}
