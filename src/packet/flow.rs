//! Whose a segment is: its two ends in a form that is the same for both directions of a connection, and which of them sends.
//! Worked out once, where the headers are read.

use std::hash::{BuildHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use foldhash::quality::RandomState;

use super::segment::Endpoint;

/// Both endpoints of a connection, the lower first. 40 octets for either version of IP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Key {
    pub(crate) low: [u64; 2],
    pub(crate) high: [u64; 2],
    pub(crate) low_port: u16,
    pub(crate) high_port: u16,
    pub(crate) version6: bool,
}

impl Key {
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

    /// A key of version 4, of the lower end and the higher, addresses in host order.
    #[inline]
    pub const fn short([low, high]: [u32; 2], [low_port, high_port]: [u16; 2]) -> Self {
        Self {
            low: [0, low as u64],
            high: [0, high as u64],
            low_port,
            high_port,
            version6: false,
        }
    }

    /// What [`Key::short`] makes a key of version 4 from.
    #[inline]
    pub const fn to_short(self) -> ([u32; 2], [u16; 2]) {
        let addresses = [self.low[1] as u32, self.high[1] as u32];
        (addresses, [self.low_port, self.high_port])
    }

    /// A keyed hash: whoever makes the packets must not choose where they land. Nothing in the output follows from it.
    #[inline]
    pub fn hash(&self, state: &RandomState) -> u32 {
        let hash = state.hash_one(self);
        (hash ^ (hash >> 32)) as u32
    }
}

/// A key and which end of it sends: what a segment says of its connection, worked out once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flow {
    pub(crate) key: Key,
    pub(crate) source_is_low: bool,
}

impl Flow {
    /// The flow from one endpoint to another.
    #[must_use]
    pub fn of(source: &Endpoint, destination: &Endpoint) -> Self {
        let ((from, version6), (to, _)) = (words(&source.address), words(&destination.address));
        let ends = (from, source.port) <= (to, destination.port);
        Self::ordered(ends, version6, (from, source.port), (to, destination.port))
    }

    /// The flow from one IPv4 address, in host order, and port to another.
    #[inline(always)]
    pub(super) fn version4(source: (u32, u16), destination: (u32, u16)) -> Self {
        let place = |(address, port): (u32, u16)| (u64::from(address) << 16) | u64::from(port);
        let end = |(address, port): (u32, u16)| ([0, u64::from(address)], port);
        Self::ordered(
            place(source) <= place(destination),
            false,
            end(source),
            end(destination),
        )
    }

    /// The flow from one IPv6 address, in host order, and port to another.
    #[inline(always)]
    pub(super) fn version6(source: (u128, u16), destination: (u128, u16)) -> Self {
        let end = |(address, port): (u128, u16)| ([(address >> 64) as u64, address as u64], port);
        Self::ordered(source <= destination, true, end(source), end(destination))
    }

    #[inline(always)]
    fn ordered(source_is_low: bool, version6: bool, source: ([u64; 2], u16), destination: ([u64; 2], u16)) -> Self {
        let (low, high) = if source_is_low {
            (source, destination)
        } else {
            (destination, source)
        };
        let key = Key {
            low: low.0,
            high: high.0,
            low_port: low.1,
            high_port: high.1,
            version6,
        };
        Self { key, source_is_low }
    }

    /// Who sends.
    #[must_use]
    pub fn source(&self) -> Endpoint {
        self.key.endpoint(self.source_is_low)
    }

    /// Who is sent to.
    #[must_use]
    pub fn destination(&self) -> Endpoint {
        self.key.endpoint(!self.source_is_low)
    }

    /// The ports of source and destination.
    #[must_use]
    #[inline]
    pub const fn ports(&self) -> (u16, u16) {
        let (low, high) = (self.key.low_port, self.key.high_port);
        if self.source_is_low { (low, high) } else { (high, low) }
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
            let (there, back) = (Flow::of(&one, &two), Flow::of(&two, &one));
            assert_eq!(there.key, back.key);
            assert_ne!(there.source_is_low, back.source_is_low);
            assert_eq!((there.source(), there.destination()), (one, two));
            assert_eq!((back.source(), back.destination()), (two, one));
            assert_eq!((there.ports(), back.ports()), ((40_000, 25), (25, 40_000)));
        }
    }

    #[test]
    fn a_flow_read_from_a_header_is_that_of_its_endpoints() {
        let all: Vec<Endpoint> = [
            "192.0.2.1",
            "198.51.100.7",
            "0.0.0.0",
            "2001:db8::1",
            "2001:db8:1::2",
            "::",
        ]
        .iter()
        .flat_map(|address| [25, 40_000].map(|port| endpoint(address, port)))
        .collect();
        for one in &all {
            for two in &all {
                let read = match (one.address, two.address) {
                    (IpAddr::V4(a), IpAddr::V4(b)) => Flow::version4((a.into(), one.port), (b.into(), two.port)),
                    (IpAddr::V6(a), IpAddr::V6(b)) => Flow::version6((a.into(), one.port), (b.into(), two.port)),
                    _ => continue,
                };
                assert_eq!(read, Flow::of(one, two), "{one} {two}");
            }
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
}
