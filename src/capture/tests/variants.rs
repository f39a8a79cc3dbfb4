//! The variants of the formats, most of which some well-known reader gets wrong (`dependencies.md` 1.1).

use super::super::{ByteOrder::*, *};
use super::build::*;
use super::*;

const SECOND: i64 = 1_000_000_000;

#[test]
fn pcap_is_read_in_both_byte_orders_and_both_resolutions() {
    for order in [Little, Big] {
        for (magic, unit) in [(0xa1b2_c3d4, 1_000), (0xa1b2_3c4d, 1)] {
            let file = Pcap::with(order, magic, 4, 65_535, 1).packet(1_700_000_000, 123_456, &payload(1));
            let (frames, facts) = read(&file.bytes);
            assert_eq!(times(&frames), [1_700_000_000 * SECOND + 123_456 * unit]);
            assert_eq!(frames[0].bytes, payload(1));
            assert_eq!(frames[0].link, ETHERNET);
            assert_eq!(facts.format.unwrap().order(), order);
            assert_eq!(facts.fraction_digits(), if unit == 1 { 9 } else { 6 });
            assert!(facts.is_sound());
        }
    }
}

#[test]
fn modified_pcap_has_longer_record_headers() {
    for order in [Little, Big] {
        let (frames, facts) = read(&Pcap::with(order, 0xa1b2_cd34, 4, 65_535, 1).packets(4).bytes);
        assert_eq!(times(&frames), [0, 1, 2, 3].map(time_of));
        assert_eq!(frames[3].bytes, payload(3));
        assert!(matches!(facts.format, Some(Format::Pcap { modified: true, .. })));
    }
}

#[test]
fn versions_before_2_4_give_the_original_length_first() {
    let old = Pcap::with(Little, 0xa1b2_c3d4, 2, 50, 1)
        .header(1, 0, 80, 50)
        .raw(&[7; 50])
        .bytes;
    let between = Pcap::with(Little, 0xa1b2_c3d4, 3, 50, 1)
        .header(1, 0, 80, 50)
        .raw(&[7; 50])
        .bytes;
    for file in [old, between] {
        let (frames, facts) = read(&file);
        assert_eq!((frames[0].bytes.len(), frames[0].original), (50, 80));
        assert_eq!(facts.odd.cut, 1);
    }
}

#[test]
fn frame_check_bits_are_taken_out_of_the_link_type_word() {
    let word = 0x2400_0001;
    let (frames, facts) = read(&Pcap::with(Little, 0xa1b2_c3d4, 4, 65_535, word).packets(1).bytes);
    assert_eq!(frames[0].link, ETHERNET);
    assert_eq!(facts.interfaces.kept()[0].frame_check_octets, Some(4));
}

#[test]
fn snap_length_zero_and_captured_above_original_and_long_fractions_are_read() {
    let file = Pcap::with(Little, 0xa1b2_c3d4, 4, 0, 1)
        .packet(1_000, 0, &payload(0))
        .header(1_001, 0, 60, 40)
        .raw(&payload(0))
        .packet(1_002, 1_500_000, &payload(2))
        .packet(1_004, 0, &payload(3));
    let (frames, facts) = read(&file.bytes);
    assert_eq!(
        times(&frames),
        [1_000, 1_001, 0, 1_004].map(|s| if s == 0 {
            1_003 * SECOND + SECOND / 2
        } else {
            s * SECOND
        })
    );
    assert_eq!(frames[1].original, 60);
    assert_eq!(facts.odd.long_fractions, 1);
    assert!(facts.is_sound());
}

#[test]
fn seconds_behind_2038_are_unsigned() {
    let (frames, _) = read(&Pcap::new().packet(u32::MAX, 999_999, &payload(0)).bytes);
    assert_eq!(times(&frames), [i64::from(u32::MAX) * SECOND + 999_999_000]);
    assert!(frames[0].nanoseconds > 0);
}

#[test]
fn an_empty_capture_is_a_capture() {
    let (frames, facts) = read(&Pcap::new().bytes);
    assert!(frames.is_empty() && facts.is_sound());
    let (frames, facts) = read(&Pcapng::new(Big).bytes);
    assert!(frames.is_empty() && facts.is_sound() && facts.sections.total() == 1);
}

#[test]
fn interfaces_may_differ_in_link_type_and_snap_length() {
    for order in [Little, Big] {
        let file = Pcapng::new(order)
            .interface(1, 65_535, &[])
            .interface(113, 96, &[])
            .packet(1, 5_000_000, &payload(1))
            .packet(0, 6_000_000, &payload(2));
        let (frames, facts) = read(&file.bytes);
        assert_eq!(frames.iter().map(|frame| frame.link).collect::<Vec<_>>(), [113, 1]);
        assert_eq!(times(&frames), [5 * SECOND, 6 * SECOND]);
        assert_eq!(
            facts.interfaces.kept().iter().map(|i| i.packets).collect::<Vec<_>>(),
            [1, 1]
        );
        assert_eq!(facts.interfaces.kept()[1].snap_length, 96);
    }
}

#[test]
fn resolutions_are_powers_of_ten_or_two() {
    let cases: [(u8, u64, i64, u8); 8] = [
        (0, 7, 7 * SECOND, 0),
        (3, 7_001, 7_001_000_000, 3),
        (6, 7_000_001, 7_000_001_000, 6),
        (9, 7_000_000_001, 7_000_000_001, 9),
        (12, 7_000_000_001_999, 7_000_000_001, 9),
        (0x80 | 10, 7 * 1_024 + 512, 7 * SECOND + SECOND / 2, 4),
        (0x80 | 32, (7 << 32) | (1 << 31), 7 * SECOND + SECOND / 2, 9),
        (0x80, 7, 7 * SECOND, 0),
    ];
    for order in [Little, Big] {
        for (octet, units, expected, digits) in cases {
            let file = Pcapng::new(order)
                .interface(1, 0, &option(order, 9, &[octet]))
                .packet(0, units, &payload(0));
            let (frames, facts) = read(&file.bytes);
            assert_eq!(times(&frames), [expected], "resolution {octet:#x}");
            assert_eq!(facts.fraction_digits(), digits, "resolution {octet:#x}");
        }
    }
}

#[test]
fn offsets_are_signed_seconds_in_the_byte_order_of_the_section() {
    for order in [Little, Big] {
        for seconds in [1_600_000_000_i64, -3_600] {
            let mut value = Vec::new();
            put64(order, &mut value, seconds.cast_unsigned());
            let file = Pcapng::new(order)
                .interface(1, 0, &option(order, 14, &value))
                .packet(0, 5_000_001, &payload(0));
            let (frames, facts) = read(&file.bytes);
            assert_eq!(times(&frames), [seconds * SECOND + 5_000_001_000]);
            assert_eq!(facts.interfaces.kept()[0].time_offset, seconds);
        }
    }
}

#[test]
fn times_that_cannot_be_said_are_clamped_and_counted() {
    let mut value = Vec::new();
    put64(Little, &mut value, i64::MIN.cast_unsigned());
    let file = Pcapng::new(Little)
        .interface(1, 0, &[])
        .interface(1, 0, &option(Little, 14, &value))
        .interface(1, 0, &option(Little, 9, &[0]))
        .interface(1, 0, &option(Little, 9, &[127]))
        .interface(1, 0, &option(Little, 9, &[255]))
        .packet(0, u64::MAX, &payload(0))
        .packet(1, 0, &payload(0))
        .packet(2, u64::MAX, &payload(0))
        .packet(3, u64::MAX, &payload(0))
        .packet(4, u64::MAX, &payload(0));
    let (frames, facts) = read(&file.bytes);
    assert_eq!(times(&frames), [i64::MAX, i64::MIN, i64::MAX, 0, 0]);
    assert_eq!(facts.odd.clamped_times, 3);
    assert_eq!(facts.odd.backwards, 2);
    assert_eq!(facts.odd.first_backwards.unwrap().0, 2);
}

#[test]
fn sections_may_differ_in_byte_order_and_start_their_interfaces_anew() {
    let first = Pcapng::new(Little).interface(1, 0, &[]).packets(2);
    let second = Pcapng::new(Big)
        .interface(101, 0, &option(Big, 9, &[9]))
        .packet(0, 42, &payload(1));
    let (frames, facts) = read(&first.raw(&second.bytes).bytes);
    assert_eq!(times(&frames), [time_of(0), time_of(1), 42]);
    assert_eq!(frames[2].link, 101);
    assert_eq!(
        facts
            .sections
            .kept()
            .iter()
            .map(|section| section.order)
            .collect::<Vec<_>>(),
        [Little, Big]
    );
    assert_eq!(
        facts.interfaces.kept().iter().map(|i| i.packets).collect::<Vec<_>>(),
        [2, 1]
    );
}

#[test]
fn obsolete_and_simple_packet_blocks_are_read() {
    for order in [Little, Big] {
        let mut obsolete = Vec::new();
        put16(order, &mut obsolete, 0);
        put16(order, &mut obsolete, 0xffff);
        for value in [0, 5_000_000, 60, 1_500] {
            put32(order, &mut obsolete, value);
        }
        obsolete.extend(payload(0));
        let mut simple = Vec::new();
        put32(order, &mut simple, 90);
        simple.extend([9; 64]);
        let file = Pcapng::new(order)
            .interface(1, 64, &[])
            .block(2, &obsolete)
            .block(3, &simple);
        let (frames, facts) = read(&file.bytes);
        assert_eq!(times(&frames), [5 * SECOND, 5 * SECOND]);
        assert_eq!((frames[0].bytes.len(), frames[0].original), (60, 1_500));
        assert_eq!((frames[1].bytes.len(), frames[1].original), (64, 90));
        assert_eq!((facts.odd.without_time, facts.odd.cut), (1, 2));
    }
}

#[test]
fn a_packet_on_an_undeclared_interface_is_read_as_the_declared_ones_agree() {
    let agreed = Pcapng::new(Little)
        .interface(113, 0, &[])
        .packet(5, 1_000_000, &payload(0));
    let (frames, facts) = read(&agreed.bytes);
    assert_eq!((frames[0].link, facts.odd.assumed_interfaces), (113, 1));
    assert_eq!(facts.frames_without_interface, 1);

    let contradicting = Pcapng::new(Little)
        .interface(113, 0, &[])
        .interface(1, 0, &[])
        .packet(5, 1_000_000, &payload(0))
        .packet(1, 2_000_000, &payload(1));
    let (frames, facts) = read(&contradicting.bytes);
    assert_eq!(times(&frames), [2 * SECOND]);
    assert_eq!(facts.damages.kept()[0].expected, Expected::DeclaredInterface);

    let none = Pcapng::new(Little)
        .packet(0, 1_000_000, &payload(0))
        .packet(0, 1, &[0; 60]);
    let (frames, facts) = read(&none.bytes);
    assert_eq!((frames.len(), frames[0].link), (1, ETHERNET));
    assert_eq!(facts.damages.total(), 1);
}

#[test]
fn options_without_an_end_or_longer_than_their_block_cost_nothing() {
    let mut long = option(Little, 1, b"fine");
    long.extend([1, 0, 0xff, 0x7f, b'x', 0, 0, 0]);
    let file = Pcapng::new(Little)
        .interface(1, 0, &option(Little, 2, b"eth0"))
        .packet_with(0, 1_000_000, &payload(0), &long)
        .packet(0, 2_000_000, &payload(1));
    let (frames, facts) = read(&file.bytes);
    assert_eq!(times(&frames), [SECOND, 2 * SECOND]);
    assert_eq!(facts.comments.kept()[0].text.utf8(), Some("fine"));
    assert_eq!(facts.comments.kept()[0].frame.unwrap().0, 1);
    assert_eq!(facts.unreadable_options, 1);
    assert_eq!(facts.interfaces.kept()[0].name.as_ref().unwrap().utf8(), Some("eth0"));
}

#[test]
fn a_block_whose_length_leaves_out_the_padding_is_read() {
    let good = Pcapng::new(Little).interface(1, 0, &[]).packets(4);
    let mut bytes = Pcapng::new(Little).interface(1, 0, &[]).packet(0, 7, &[5; 61]).bytes;
    let length = bytes.len();
    let block = length - 96;
    for at in [block + 4, length - 4] {
        bytes[at..at + 4].copy_from_slice(&93_u32.to_le_bytes());
    }
    bytes.extend(&good.bytes);
    let (frames, facts) = read(&bytes);
    assert_eq!(frames.len(), 5);
    assert!(facts.is_sound(), "{:?}", facts.damages);
}

#[test]
fn glued_captures_are_read_one_after_another() {
    let pcap = Pcap::new().packets(2).bytes;
    let big = Pcap::with(Big, 0xa1b2_3c4d, 4, 0, 113).packet(9, 9, &payload(2)).bytes;
    let blocks = Pcapng::new(Big).interface(101, 0, &[]).packets(2).bytes;
    for (files, links) in [
        ([&pcap, &big, &blocks], [1, 1, 113, 101, 101]),
        ([&blocks, &pcap, &big], [101, 101, 1, 1, 113]),
        ([&big, &blocks, &pcap], [113, 101, 101, 1, 1]),
    ] {
        let glued: Vec<u8> = files.into_iter().flatten().copied().collect();
        let (frames, facts) = read(&glued);
        assert_eq!(frames.iter().map(|frame| frame.link).collect::<Vec<_>>(), links);
        assert!(facts.is_sound(), "{:?}", facts.damages);
        assert_eq!(facts.glued_headers, 2);
        assert_eq!(facts.interfaces.total(), 3);
        assert_eq!(facts.frames_without_interface, 0);
    }
}

#[test]
fn a_packet_as_long_as_the_limit_is_read_and_a_longer_one_is_damage() {
    let whole = vec![7; MAX_PACKET as usize];
    let file = Pcap::new().packet(1_000, 0, &whole).packets(8).bytes;
    let (frames, facts) = read(&file);
    assert_eq!((frames.len(), frames[0].bytes.len()), (9, whole.len()));
    assert!(facts.is_sound());

    let file = Pcap::new()
        .header(1_000, 0, MAX_PACKET + 1, MAX_PACKET + 1)
        .raw(&[7; 100])
        .packets(8)
        .bytes;
    let (frames, facts) = read(&file);
    assert_eq!(frames.len(), 8);
    assert_eq!(
        (facts.damages.kept()[0].offset, facts.damages.kept()[0].resumed_at),
        (24, Some(140))
    );
}
