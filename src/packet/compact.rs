//! A segment without its payload in 64 octets: what goes from one processor to another costs by the line of its cache, and
//! a [`Segment`] takes more than two of them.

use super::flow::{Flow, Key};
use super::segment::{Flags, Options, Segment};
use crate::span::Stamp;

/// The IPv6 addresses of packed segments, in the order in which these were packed: most segments have none.
#[derive(Default, Debug)]
pub struct LongAddresses(Vec<[[u64; 2]; 2]>);

impl LongAddresses {
    /// Forgets them.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// A usual segment, packed: one with no option but timestamps.
#[derive(Clone, Copy, Debug)]
pub struct Compact {
    stamp: Stamp,
    /// IPv4 addresses of the lower end and of the higher, in host order; of IPv6: which of the long ones they are.
    addresses: [u32; 2],
    sequence: u32,
    acknowledgment: u32,
    timestamps: (u32, u32),
    payload_length: u32,
    encapsulation: u32,
    ports: [u16; 2],
    window: u16,
    ip_identification: u16,
    flags: Flags,
    time_to_live: u8,
    version6: bool,
    source_is_low: bool,
    has_timestamps: bool,
    dont_fragment: bool,
}

impl Compact {
    /// Packs a segment, all but its payload octets; addresses of IPv6 go to `long`. `None` where it is not usual.
    #[must_use]
    #[inline]
    pub fn of(segment: &Segment<'_>, long: &mut LongAddresses) -> Option<Self> {
        let Flow { key, source_is_low } = segment.flow;
        let usual = Options {
            timestamps: segment.options.timestamps,
            ..Options::default()
        };
        if segment.options != usual || key.version6 == segment.ip_identification.is_some() {
            return None;
        }
        let (mut addresses, ports) = key.to_short();
        if key.version6 {
            long.0.push([key.low, key.high]);
            addresses = [long.0.len() as u32 - 1, 0];
        }
        Some(Self {
            stamp: segment.stamp,
            addresses,
            sequence: segment.sequence,
            acknowledgment: segment.acknowledgment,
            timestamps: segment.options.timestamps.unwrap_or_default(),
            payload_length: segment.payload_length,
            encapsulation: segment.encapsulation,
            ports,
            window: segment.window,
            ip_identification: segment.ip_identification.unwrap_or_default(),
            flags: segment.flags,
            time_to_live: segment.time_to_live,
            version6: key.version6,
            source_is_low,
            has_timestamps: segment.options.timestamps.is_some(),
            dont_fragment: segment.dont_fragment,
        })
    }

    /// The segment again, with its payload octets; `long` is what it was packed with.
    #[must_use]
    #[inline]
    pub fn segment<'a>(&self, payload: &'a [u8], long: &LongAddresses) -> Segment<'a> {
        let mut key = Key::short(self.addresses, self.ports);
        if self.version6 {
            [key.low, key.high] = long.0.get(self.addresses[0] as usize).copied().unwrap_or_default();
            key.version6 = true;
        }
        Segment {
            stamp: self.stamp,
            flow: Flow {
                key,
                source_is_low: self.source_is_low,
            },
            sequence: self.sequence,
            acknowledgment: self.acknowledgment,
            flags: self.flags,
            window: self.window,
            options: Options {
                timestamps: self.has_timestamps.then_some(self.timestamps),
                ..Options::default()
            },
            payload,
            payload_length: self.payload_length,
            time_to_live: self.time_to_live,
            ip_identification: (!self.version6).then_some(self.ip_identification),
            dont_fragment: self.dont_fragment,
            encapsulation: self.encapsulation,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use proptest::option;
    use proptest::prelude::*;

    use super::*;
    use crate::frame::FrameNumber;
    use crate::packet::Endpoint;
    use crate::time::Timestamp;

    fn end(version6: bool) -> impl Strategy<Value = Endpoint> {
        (any::<u128>(), any::<u16>()).prop_map(move |(bits, port)| {
            let address = if version6 {
                IpAddr::V6(Ipv6Addr::from(bits))
            } else {
                IpAddr::V4(Ipv4Addr::from(bits as u32))
            };
            Endpoint { address, port }
        })
    }

    fn ends() -> impl Strategy<Value = (Endpoint, Endpoint)> {
        any::<bool>().prop_flat_map(|version6| (end(version6), end(version6)))
    }

    prop_compose! {
        fn usual()(
            (frame, time, (source, destination)) in (any::<u64>(), any::<i64>(), ends()),
            (sequence, acknowledgment, payload_length, encapsulation) in any::<(u32, u32, u32, u32)>(),
            (flags, window, time_to_live, identification, dont_fragment) in any::<(u8, u16, u8, u16, bool)>(),
            timestamps in option::of(any::<(u32, u32)>()),
        ) -> Segment<'static> {
            Segment {
                stamp: Stamp { frame: FrameNumber(frame), time: Timestamp::from_nanoseconds(time) },
                flow: Flow::of(&source, &destination),
                sequence,
                acknowledgment,
                flags: Flags(flags),
                window,
                options: Options { timestamps, ..Options::default() },
                payload: b"payload",
                payload_length,
                time_to_live,
                ip_identification: source.address.is_ipv4().then_some(identification),
                dont_fragment,
                encapsulation,
            }
        }
    }

    proptest! {
        #[test]
        fn usual_segments_come_back_as_they_were(segments in proptest::collection::vec(usual(), 1..6)) {
            let mut long = LongAddresses::default();
            let packed: Vec<_> = segments.iter().map(|one| Compact::of(one, &mut long).unwrap()).collect();
            for (compact, segment) in packed.iter().zip(&segments) {
                prop_assert_eq!(format!("{:?}", compact.segment(b"payload", &long)), format!("{segment:?}"));
            }
        }

        #[test]
        fn what_it_has_no_room_for_is_not_packed(segment in usual(), which in 0..5) {
            let mut segment = segment;
            match which {
                0 => segment.options.maximum_segment_size = Some(1_460),
                1 => segment.options.window_scale = Some(0),
                2 => segment.options.sack_permitted = true,
                3 => segment.options.sack = Some((0, 0)),
                _ => segment.ip_identification = segment.ip_identification.xor(Some(0)),
            }
            prop_assert!(Compact::of(&segment, &mut LongAddresses::default()).is_none());
        }
    }

    #[test]
    fn it_takes_a_line_of_the_cache() {
        assert_eq!(size_of::<Compact>(), 64);
    }
}
