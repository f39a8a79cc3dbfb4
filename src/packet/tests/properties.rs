//! No octets make the decoder panic, lose count, or disagree with the look for noise.

use proptest::prelude::*;

use super::*;
use crate::packet::{Plain, PortSet, is_noise};

fn corpus() -> Vec<(LinkType, Vec<u8>)> {
    let ip4 = ipv4(6, &tcp_with(&[2, 4, 5, 0xb4, 1, 3, 3, 7], PAYLOAD));
    let ip6 = ipv6(
        0,
        &join(&[&[44, 0, 0, 0, 0, 0, 0, 0], &[6, 0, 0, 1, 0, 0, 0, 9], &tcp()[..40]]),
    );
    let inner = ethernet(0x0800, &ip4);
    let gre = join(&[
        &[0x30, 0, 0x88, 0xbe, 0, 0, 0, 1, 0, 0, 0, 2],
        &[0x10, 1, 0, 9, 0, 0, 0, 0],
        &inner,
    ]);
    let vxlan = udp(4789, &join(&[&[8, 0, 0, 0, 0, 0, 5, 0], &inner]));
    let geneve = udp(6081, &join(&[&[1, 0, 0x65, 0x58, 0, 0, 5, 0, 0, 0, 0, 0], &inner]));
    let pppoe = join(&[&[0x11, 0, 0, 1, 0, 99, 0, 0x21], &ip4]);
    let icmp = join(&[&[3, 4, 0, 0, 0, 0, 5, 0xdc], &ip4]);
    let icmp6 = join(&[&[2, 0, 0, 0, 0, 0, 5, 0], &ip6]);
    let snap = join(&[&[0xaa, 0xaa, 3, 0, 0, 0], &tagged(0x0800, &ip4)]);
    let length = u16::try_from(snap.len()).unwrap();
    let packets = [
        inner.clone(),
        ethernet(0x86dd, &ip6),
        ethernet(0x86dd, &ipv6(6, &tcp())),
        ethernet(0x88a8, &vlan(1, 0x8100, &vlan(2, 0x0800, &ip4))),
        ethernet(0x8847, &label(1, false, &label(2, true, &join(&[&[0; 4], &inner])))),
        ethernet(0x0800, &ipv4(47, &gre)),
        ethernet(0x0800, &ipv4(17, &vxlan)),
        ethernet(0x0800, &ipv4(17, &udp(53, b"a query"))),
        ethernet(0x86dd, &ipv6(17, &geneve)),
        ethernet(0x8864, &pppoe),
        ethernet(0x0800, &ipv4(1, &icmp)),
        ethernet(0x86dd, &ipv6(58, &icmp6)),
        ethernet(length, &snap),
        ethernet(0x0800, &ipv4_with(6, 1, 0x2000, &tcp()[..24])),
        ethernet(0x0800, &ipv4_with(6, 1, 3, &tcp()[24..])),
    ];
    let mut corpus: Vec<_> = packets.map(|packet| (LinkType::ETHERNET, packet)).to_vec();
    corpus.push((LinkType::LINUX_SLL, join(&[&[0; 14], &tagged(0x0800, &ip4)])));
    corpus.push((LinkType::LINUX_SLL2, join(&[&[8, 0], &[0; 18], &ip4])));
    corpus.push((LinkType::NULL, join(&[&[2, 0, 0, 0], &ip4])));
    corpus.push((LinkType::PPP, join(&[&[0xff, 3, 0, 0x57], &ipv6(6, &tcp())])));
    corpus
}

#[test]
fn a_cut_at_every_octet_never_panics_and_is_counted_once() {
    for (link_type, bytes) in corpus() {
        for length in 0..=bytes.len() {
            for original_length in [length, bytes.len()] {
                let mut cut = frame(link_type, &bytes[..length]);
                cut.original_length = u32::try_from(original_length).unwrap();
                let mut decoder = Decoder::verifying_checksums();
                if let Packet::Segment(segment) = decoder.decode(&cut) {
                    assert!(segment.payload.len() <= segment.payload_length as usize);
                }
                assert_counted_once(decoder.finish());
            }
        }
    }
}

/// The short way and the long way over a frame must come to the same, counts and all. True where the short way was taken.
fn assert_both_ways_agree(frame: &Frame<'_>) -> bool {
    let (mut short, mut long) = (Decoder::new(), Decoder::new());
    let plain = Plain::of(frame);
    let mut by_short = None;
    let is_short = plain.is_some_and(|plain| {
        short.read_plain(frame, &plain, |segment| {
            by_short = Some(format!("{:?}", Packet::Segment(*segment)));
        })
    });
    let by_short = by_short.unwrap_or_else(|| format!("{:?}", short.decode(frame)));
    let by_long = format!("{:?}", long.decode(frame));
    assert_eq!(by_short, by_long, "{plain:?} of {:02x?}", frame.bytes);
    assert_eq!(short.finish(), long.finish(), "{:02x?}", frame.bytes);
    is_short
}

#[test]
fn the_short_way_reads_what_the_long_way_reads_wherever_the_frame_is_cut_or_changed() {
    let mut short_ways = 0;
    for (link_type, bytes) in corpus() {
        for length in 0..=bytes.len() {
            for original_length in [length, bytes.len()] {
                let mut cut = frame(link_type, &bytes[..length]);
                cut.original_length = u32::try_from(original_length).unwrap();
                short_ways += usize::from(assert_both_ways_agree(&cut));
            }
        }
        for at in 0..bytes.len() {
            for value in [0, 1, 4, 0x45, 0x81, 0xff] {
                let mut changed = bytes.clone();
                changed[at] = value;
                short_ways += usize::from(assert_both_ways_agree(&frame(link_type, &changed)));
            }
        }
    }
    assert!(short_ways > 1_000, "{short_ways}");
}

#[test]
fn a_cut_frame_is_never_called_malformed() {
    for (link_type, bytes) in corpus() {
        for length in 0..bytes.len() {
            let mut cut = frame(link_type, &bytes[..length]);
            cut.original_length = u32::try_from(bytes.len()).unwrap();
            let (_, counts) = decode_one(&cut, |_| ());
            assert!(counts.malformed.is_empty(), "{link_type:?} at {length}: {counts:?}");
        }
    }
}

#[test]
fn noise_is_told_from_mail_behind_two_tags_and_both_ip_versions() {
    let mail: PortSet = [SERVER].into_iter().collect();
    let other: PortSet = [587].into_iter().collect();
    let ip4 = ipv4(6, &tcp());
    let ip6 = ipv6(6, &tcp());
    for bytes in [
        ethernet(0x0800, &ip4),
        ethernet(0x86dd, &ip6),
        ethernet(0x8100, &vlan(1, 0x86dd, &ip6)),
        ethernet(0x88a8, &vlan(1, 0x8100, &vlan(2, 0x0800, &ip4))),
    ] {
        assert!(!is_noise(&frame(LinkType::ETHERNET, &bytes), &mail));
        assert!(is_noise(&frame(LinkType::ETHERNET, &bytes), &other));
    }
    assert!(is_noise(
        &frame(LinkType::ETHERNET, &ethernet(0x0800, &ipv4(17, &udp(53, b"q")))),
        &mail
    ));
}

#[test]
fn the_unusual_is_not_noise() {
    let other: PortSet = [587].into_iter().collect();
    let not_noise = |bytes: &[u8]| assert!(!is_noise(&frame(LinkType::ETHERNET, bytes), &other));
    let ip4 = ipv4(6, &tcp());
    for (index, field) in [(1, 0x2000), (1, 0x0001)] {
        not_noise(&ethernet(0x0800, &ipv4_with(6, index, field, &tcp())));
    }
    for port in [4789, 8472, 6081, 2152] {
        not_noise(&ethernet(0x0800, &ipv4(17, &udp(port, &[0; 40]))));
    }
    for protocol in [1, 4, 41, 47, 51] {
        not_noise(&ethernet(0x0800, &ipv4(protocol, &ip4)));
    }
    not_noise(&ethernet(0x86dd, &ipv6(0, &join(&[&[6, 0, 0, 0, 0, 0, 0, 0], &tcp()]))));
    not_noise(&ethernet(0x8847, &label(1, true, &ip4)));
    not_noise(&ethernet(0x0800, &ip4)[..36]);
    assert!(!is_noise(&frame(LinkType::RAW, &ip4), &other));
}

#[test]
fn a_port_set_holds_the_ends_of_the_range() {
    let mut ports = PortSet::new();
    for port in [0, 63, 64, 65_535] {
        assert!(!ports.contains(port));
        ports.insert(port);
        assert!(ports.contains(port));
    }
    assert!(!ports.contains(65_534));
    assert_eq!(format!("{ports:?}"), "{0, 63, 64, 65535}");
}

/// Noise must never be a segment on one of the ports, nor an ICMP error.
fn check_agreement(link_type: LinkType, bytes: &[u8], ports: &PortSet) {
    let frame = frame(link_type, bytes);
    assert_both_ways_agree(&frame);
    if !is_noise(&frame, ports) {
        return;
    }
    let mut decoder = Decoder::new();
    match decoder.decode(&frame) {
        Packet::Segment(segment) => {
            assert!(!ports.contains(segment.flow.source().port) && !ports.contains(segment.flow.destination().port));
        }
        Packet::IcmpError(error) => panic!("{error:?}"),
        Packet::Other => {}
    }
    let counts = decoder.finish();
    assert_eq!((counts.fragments.fragments, counts.udp_tunnels.total()), (0, 0));
}

fn mutated() -> impl Strategy<Value = (LinkType, Vec<u8>)> {
    let octets = prop_oneof![Just(0_u8), Just(0xff), Just(6), Just(17), Just(47), any::<u8>()];
    let changes = prop::collection::vec((any::<prop::sample::Index>(), octets), 0..6);
    (
        prop::sample::select(corpus()),
        changes,
        any::<prop::sample::Index>(),
        any::<bool>(),
    )
        .prop_map(|((link_type, mut bytes), changes, cut, is_cut)| {
            for (at, octet) in changes {
                let at = at.index(bytes.len());
                bytes[at] = octet;
            }
            if is_cut {
                bytes.truncate(cut.index(bytes.len() + 1));
            }
            (link_type, bytes)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_frames_never_panic_and_agree_with_the_look_for_noise(
        frames in prop::collection::vec(mutated(), 1..12),
        first in any::<u16>(),
    ) {
        let ports: PortSet = [SERVER, first].into_iter().collect();
        let mut decoder = Decoder::verifying_checksums();
        for (link_type, bytes) in &frames {
            if let Packet::Segment(segment) = decoder.decode(&frame(*link_type, bytes)) {
                prop_assert!(segment.payload.len() <= segment.payload_length as usize);
            }
            check_agreement(*link_type, bytes, &ports);
            check_agreement(*link_type, bytes, &[587].into_iter().collect());
        }
        prop_assert_eq!(decoder.counts().frames, frames.len() as u64);
    }

    #[test]
    fn random_octets_under_any_link_type_never_panic(
        link_type in prop::sample::select(vec![0_u16, 1, 9, 12, 14, 50, 51, 101, 104, 108, 113, 228, 229, 276, 127]),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let (_, counts) = decode_one(&frame(LinkType(link_type), &bytes), |_| ());
        assert_counted_once(&counts);
    }

    #[test]
    fn fragments_in_any_order_make_the_datagram(
        order in Just((0..12_usize).collect::<Vec<_>>()).prop_shuffle(),
        copies in prop::collection::vec(0..12_usize, 0..4),
    ) {
        let payload: Vec<u8> = (0..180_u8).collect();
        let datagram = tcp_with(&[], &payload);
        let mut decoder = Decoder::new();
        let mut found = None;
        // Copies come before the last piece: behind it they would begin a datagram of their own.
        let (last, rest) = order.split_last().unwrap();
        let all = rest.iter().chain(copies.iter().filter(|copy| *copy != last)).chain([last]);
        for index in all {
            let (from, to) = (index * 16, (index * 16 + 24).min(datagram.len()));
            let more = if to < datagram.len() { 0x2000 } else { 0 };
            let packet = ipv4_with(6, 3, more | u16::try_from(from / 8).unwrap(), &datagram[from..to]);
            if let Packet::Segment(segment) = decoder.decode(&frame(LinkType::RAW, &packet)) {
                found = Some(segment.payload.to_vec());
                break;
            }
        }
        prop_assert_eq!(found, Some(payload));
        prop_assert_eq!(decoder.counts().fragments.conflicting, 0);
    }
}
