//! A segment without its payload in 64 octets: what goes from one processor to another costs by the line of its cache, and
//! a [`Segment`] takes more than two of them.

use super::flow::{Flow, Key};
use super::segment::{Flags, Options, Segment};
use crate::span::Stamp;

/// A usual segment, packed: IPv4, and no option but timestamps.
#[derive(Clone, Copy, Debug)]
pub struct Compact {
    stamp: Stamp,
    /// Addresses of the lower end and of the higher, in host order.
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
    source_is_low: bool,
    has_timestamps: bool,
    dont_fragment: bool,
}

impl Compact {
    /// Packs a segment, all but its payload octets; `None` where it is not usual.
    #[must_use]
    #[inline]
    pub fn of(segment: &Segment<'_>) -> Option<Self> {
        let Flow { key, source_is_low } = segment.flow;
        let usual = Options {
            timestamps: segment.options.timestamps,
            ..Options::default()
        };
        if key.version6 || segment.options != usual {
            return None;
        }
        Some(Self {
            stamp: segment.stamp,
            addresses: [key.low[1] as u32, key.high[1] as u32],
            sequence: segment.sequence,
            acknowledgment: segment.acknowledgment,
            timestamps: segment.options.timestamps.unwrap_or_default(),
            payload_length: segment.payload_length,
            encapsulation: segment.encapsulation,
            ports: [key.low_port, key.high_port],
            window: segment.window,
            ip_identification: segment.ip_identification?,
            flags: segment.flags,
            time_to_live: segment.time_to_live,
            source_is_low,
            has_timestamps: segment.options.timestamps.is_some(),
            dont_fragment: segment.dont_fragment,
        })
    }

    /// The segment again, with its payload octets.
    #[must_use]
    #[inline]
    pub fn segment<'a>(&self, payload: &'a [u8]) -> Segment<'a> {
        let [low, high] = self.addresses;
        let [low_port, high_port] = self.ports;
        let key = Key {
            low: [0, u64::from(low)],
            high: [0, u64::from(high)],
            low_port,
            high_port,
            version6: false,
        };
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
            ip_identification: Some(self.ip_identification),
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

    fn address() -> impl Strategy<Value = IpAddr> {
        any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from(bits)))
    }

    fn end() -> impl Strategy<Value = Endpoint> {
        (address(), any::<u16>()).prop_map(|(address, port)| Endpoint { address, port })
    }

    prop_compose! {
        fn usual()(
            (frame, time, source, destination) in (any::<u64>(), any::<i64>(), end(), end()),
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
                ip_identification: Some(identification),
                dont_fragment,
                encapsulation,
            }
        }
    }

    proptest! {
        #[test]
        fn a_usual_segment_comes_back_as_it_was(segment in usual()) {
            let compact = Compact::of(&segment).unwrap();
            prop_assert_eq!(format!("{:?}", compact.segment(b"payload")), format!("{segment:?}"));
        }

        #[test]
        fn what_it_has_no_room_for_is_not_packed(segment in usual(), which in 0..6, other in any::<u128>()) {
            let mut segment = segment;
            match which {
                0 => segment.options.maximum_segment_size = Some(1_460),
                1 => segment.options.window_scale = Some(0),
                2 => segment.options.sack_permitted = true,
                3 => segment.options.sack = Some((0, 0)),
                4 => segment.ip_identification = None,
                _ => segment.change_ends(|source, destination| {
                    source.address = IpAddr::V6(Ipv6Addr::from(other));
                    destination.address = IpAddr::V6(Ipv6Addr::from(!other));
                }),
            }
            prop_assert!(Compact::of(&segment).is_none());
        }
    }

    #[test]
    fn it_takes_a_line_of_the_cache() {
        assert_eq!(size_of::<Compact>(), 64);
    }
}
