//! Fragments in every order, with overlaps, cuts, and more of them than there is room for.

use super::*;
use crate::packet::{FRAGMENT_TIMEOUT, Header, MAXIMUM_DATAGRAMS, MAXIMUM_FRAGMENT_OCTETS};
use crate::span::Stamp;

fn long_payload() -> Vec<u8> {
    (0..200_u8).collect()
}

/// A piece of `datagram` as an IPv4 packet.
fn piece4(identification: u16, datagram: &[u8], from: usize, to: usize) -> Vec<u8> {
    let more = if to < datagram.len() { 0x2000 } else { 0 };
    let field = more | u16::try_from(from / 8).unwrap();
    ipv4_with(6, identification, field, &datagram[from..to])
}

fn piece6(datagram: &[u8], from: usize, to: usize) -> Vec<u8> {
    let field = u16::try_from(from).unwrap() | u16::from(to < datagram.len());
    let header = join(&[&[6, 0], &field.to_be_bytes(), &[0, 0, 0, 77]]);
    ipv6(44, &join(&[&header, &datagram[from..to]]))
}

/// Payloads of the segments that came out, frame by frame.
fn payloads(decoder: &mut Decoder, packets: &[Vec<u8>]) -> Vec<Option<Vec<u8>>> {
    let decode = |packet: &Vec<u8>| match decoder.decode(&frame(LinkType::RAW, packet)) {
        Packet::Segment(segment) => {
            assert_eq!(segment.payload_length as usize, segment.payload.len());
            Some(segment.payload.to_vec())
        }
        _ => None,
    };
    packets.iter().map(decode).collect()
}

#[test]
fn fragments_in_order_and_reversed_make_the_segment_with_the_last_frame() {
    let datagram = tcp_with(&[], &long_payload());
    for make in [|d: &[u8], f, t| piece4(5, d, f, t), piece6] {
        let mut pieces: Vec<_> = [(0, 24), (24, 96), (96, datagram.len())]
            .map(|(from, to)| make(&datagram, from, to))
            .to_vec();
        for _ in 0..2 {
            let mut decoder = Decoder::new();
            assert_eq!(payloads(&mut decoder, &pieces), [None, None, Some(long_payload())]);
            let counts = decoder.finish();
            assert_eq!((counts.fragments.fragments, counts.fragments.held), (3, 2));
            assert_eq!((counts.fragments.reassembled, counts.fragments.overlapping), (1, 0));
            assert_eq!(counts.fragments.incomplete_at_end, 0);
            assert_counted_once(counts);
            pieces.reverse();
        }
    }
}

#[test]
fn the_completing_frame_gives_the_stamp_and_the_first_fragment_the_rest() {
    let datagram = tcp_with(&[], &long_payload());
    let (first, last) = (piece4(5, &datagram, 0, 96), piece4(5, &datagram, 96, datagram.len()));
    let mut decoder = Decoder::new();
    decoder.decode(&frame(LinkType::RAW, &last));
    let mut completing = frame(LinkType::RAW, &first);
    completing.number = FrameNumber(99);
    let Packet::Segment(segment) = decoder.decode(&completing) else {
        panic!("no segment");
    };
    let stamp = Stamp {
        frame: FrameNumber(99),
        time: completing.time,
    };
    assert_eq!((segment.stamp, segment.ip_identification), (stamp, Some(5)));
    assert_eq!(segment.time_to_live, TTL);
    assert!(!segment.dont_fragment);
}

#[test]
fn atomic_fragments_go_straight_on() {
    let bytes = ipv6(44, &join(&[&[6, 0, 0, 0, 0, 0, 0, 1], &tcp()]));
    assert_tcp(LinkType::RAW, &bytes);
}

#[test]
fn datagrams_that_differ_in_identification_or_tunnel_stay_apart() {
    let datagram = tcp_with(&[], &long_payload());
    let (first, last) = (piece4(5, &datagram, 0, 96), piece4(6, &datagram, 96, datagram.len()));
    let mut decoder = Decoder::new();
    assert_eq!(payloads(&mut decoder, &[first.clone(), last]), [None, None]);
    let last = piece4(5, &datagram, 96, datagram.len());
    let tagged = ethernet(0x8100, &vlan(9, 0x0800, &last));
    assert!(matches!(
        decoder.decode(&frame(LinkType::ETHERNET, &tagged)),
        Packet::Other
    ));
    assert!(matches!(
        decoder.decode(&frame(LinkType::RAW, &last)),
        Packet::Segment(_)
    ));
    assert_eq!(decoder.finish().fragments.incomplete_at_end, 2);
}

#[test]
fn copies_of_fragments_are_duplicates_and_not_overlaps() {
    let datagram = tcp_with(&[], &long_payload());
    let first = piece4(5, &datagram, 0, 96);
    let last = piece4(5, &datagram, 96, datagram.len());
    let mut decoder = Decoder::new();
    assert_eq!(
        payloads(&mut decoder, &[first.clone(), first, last]),
        [None, None, Some(long_payload())]
    );
    let fragments = decoder.counts().fragments;
    assert_eq!(
        (fragments.duplicates, fragments.overlapping, fragments.conflicting),
        (1, 0, 0)
    );
}

#[test]
fn the_first_octets_win_where_fragments_overlap() {
    let datagram = tcp_with(&[], &long_payload());
    let mut other = datagram.clone();
    other[24..].fill(0xee);
    let packets = [
        piece4(5, &datagram, 48, 96),
        piece4(5, &other, 24, 104),
        piece4(5, &datagram, 96, datagram.len()),
        piece4(5, &datagram, 0, 24),
    ];
    let mut expected = datagram.clone();
    expected[24..48].fill(0xee);
    expected[96..104].fill(0xee);
    let mut decoder = Decoder::new();
    assert_eq!(payloads(&mut decoder, &packets)[3].as_deref(), Some(&expected[20..]));
    let fragments = decoder.counts().fragments;
    assert_eq!(
        (fragments.overlapping, fragments.conflicting, fragments.duplicates),
        (2, 2, 0)
    );
}

#[test]
fn overlaps_with_the_same_octets_are_no_conflict() {
    let datagram = tcp_with(&[], &long_payload());
    let packets = [piece4(5, &datagram, 0, 96), piece4(5, &datagram, 48, datagram.len())];
    let mut decoder = Decoder::new();
    assert_eq!(payloads(&mut decoder, &packets), [None, Some(long_payload())]);
    let fragments = decoder.counts().fragments;
    assert_eq!((fragments.overlapping, fragments.conflicting), (1, 0));
}

#[test]
fn a_second_end_of_the_datagram_is_a_conflict_and_ignored() {
    let datagram = tcp_with(&[], &long_payload());
    let packets = [
        piece4(5, &datagram, 96, datagram.len()),
        piece4(5, &datagram[..152], 96, 152),
        piece4(5, &join(&[&datagram, &[0; 80]]), 216, 296),
        piece4(5, &datagram, 0, 96),
    ];
    let mut decoder = Decoder::new();
    assert_eq!(payloads(&mut decoder, &packets)[3], Some(long_payload()));
    assert_eq!(decoder.counts().fragments.conflicting, 2);
}

#[test]
fn impossible_fragments_are_malformed() {
    let beyond = ipv4_with(6, 1, 0x1fff, &[0; 64]);
    let empty = ipv4_with(6, 1, 0x2000, &[]);
    let odd = ipv4_with(6, 1, 0x2000, &[0; 13]);
    for packet in [beyond, empty, odd] {
        let counts = counts_of_other(LinkType::RAW, &packet);
        assert_eq!(counts.malformed.get(&Header::Fragment), Some(&1));
        assert_eq!(counts.fragments.incomplete_at_end, 0);
    }
}

#[test]
fn cut_fragments_make_a_segment_with_the_octets_before_the_cut() {
    let datagram = tcp_with(&[], &long_payload());
    let (first, last) = (piece4(5, &datagram, 0, 96), piece4(5, &datagram, 96, datagram.len()));
    let mut decoder = Decoder::new();
    decoder.decode(&frame(LinkType::RAW, &first[..60]));
    let Packet::Segment(segment) = decoder.decode(&frame(LinkType::RAW, &last[..60])) else {
        panic!("no segment");
    };
    assert_eq!((segment.payload, segment.payload_length), (&long_payload()[..20], 200));
}

#[test]
fn datagrams_time_out_by_the_time_of_the_capture() {
    let datagram = tcp_with(&[], &long_payload());
    let (first, last) = (piece4(5, &datagram, 0, 96), piece4(5, &datagram, 96, datagram.len()));
    for (wait, completes) in [(0, true), (1, false)] {
        let mut decoder = Decoder::new();
        decoder.decode(&frame(LinkType::RAW, &first));
        let mut late = frame(LinkType::RAW, &last);
        late.time = late.time.plus(FRAGMENT_TIMEOUT + std::time::Duration::from_nanos(wait));
        assert_eq!(matches!(decoder.decode(&late), Packet::Segment(_)), completes);
        let counts = decoder.finish();
        assert_eq!(counts.fragments.timed_out, u64::from(!completes));
        assert_eq!(counts.fragments.incomplete_at_end, u64::from(!completes));
    }
}

#[test]
fn the_oldest_datagram_is_given_up_where_there_are_too_many() {
    let datagram = tcp_with(&[], &long_payload());
    let mut decoder = Decoder::new();
    let total = MAXIMUM_DATAGRAMS + 100;
    for number in 0..total {
        decoder.decode(&frame(
            LinkType::RAW,
            &piece4(u16::try_from(number).unwrap(), &datagram, 0, 96),
        ));
    }
    assert_eq!(decoder.counts().fragments.evicted, 100);
    let last = |number: usize| piece4(u16::try_from(number).unwrap(), &datagram, 96, datagram.len());
    assert!(matches!(
        decoder.decode(&frame(LinkType::RAW, &last(total - 1))),
        Packet::Segment(_)
    ));
    assert!(matches!(
        decoder.decode(&frame(LinkType::RAW, &last(50))),
        Packet::Other
    ));
}

#[test]
fn octets_waiting_are_bounded_and_big_datagrams_still_complete() {
    let big = tcp_with(&[], &vec![7; 60_000]);
    let mut decoder = Decoder::new();
    for number in 0..400 {
        decoder.decode(&frame(LinkType::RAW, &piece4(number, &big, 0, 56_000)));
    }
    let waiting = 400 - decoder.counts().fragments.evicted;
    assert!(waiting * 56_000 <= MAXIMUM_FRAGMENT_OCTETS as u64);
    assert!(waiting > 50);
    let last = piece4(399, &big, 56_000, big.len());
    assert!(matches!(
        decoder.decode(&frame(LinkType::RAW, &last)),
        Packet::Segment(_)
    ));
}

#[test]
fn a_datagram_in_too_many_pieces_is_given_up() {
    let big = tcp_with(&[], &vec![7; 30_000]);
    let mut decoder = Decoder::new();
    for start in (0..30_000).step_by(16) {
        decoder.decode(&frame(LinkType::RAW, &piece4(5, &big, start, start + 8)));
    }
    assert_eq!(decoder.counts().fragments.evicted, 1);
}

#[test]
fn thousands_of_completed_datagrams_behind_one_that_waits_keep_no_places() {
    let datagram = tcp_with(&[], &long_payload());
    let mut decoder = Decoder::new();
    decoder.decode(&frame(LinkType::RAW, &piece4(0xffff, &datagram, 0, 96)));
    for number in 0..20_000 {
        let packets = [
            piece4(number, &datagram, 0, 96),
            piece4(number, &datagram, 96, datagram.len()),
        ];
        assert!(payloads(&mut decoder, &packets)[1].is_some());
    }
    assert!(decoder.places_kept() <= 2 * MAXIMUM_DATAGRAMS + 1);
    assert_eq!(decoder.finish().fragments.incomplete_at_end, 1);
}

#[test]
fn fragments_in_fragments_are_put_together_and_a_third_time_is_counted() {
    let datagram = tcp_with(&[], &long_payload());
    let split = |identification: u16, protocol: u8, inner: &[u8]| {
        let half = inner.len() / 16 * 8;
        [
            ipv4_with(protocol, identification, 0x2000, &inner[..half]),
            ipv4_with(
                protocol,
                identification,
                u16::try_from(half / 8).unwrap(),
                &inner[half..],
            ),
        ]
    };
    let inner = split(1, 6, &datagram);
    let middle: Vec<_> = (2..)
        .zip(&inner)
        .flat_map(|(number, packet)| split(number, 4, packet))
        .collect();
    let mut decoder = Decoder::new();
    assert_eq!(
        payloads(&mut decoder, &middle),
        [None, None, None, Some(long_payload())]
    );
    assert_eq!(decoder.counts().fragments.reassembled, 3);
    let outer: Vec<_> = (20..)
        .zip(&middle)
        .flat_map(|(number, packet)| split(number, 4, packet))
        .collect();
    let mut decoder = Decoder::new();
    assert!(payloads(&mut decoder, &outer).iter().all(Option::is_none));
    assert!(decoder.counts().too_many_layers > 0);
    assert_counted_once_or_held(&decoder);
}

/// A frame may complete one datagram and be held in another; it is counted in both places.
fn assert_counted_once_or_held(decoder: &Decoder) {
    let counts = decoder.counts();
    assert!(counts.fragments.held + counts.not_decoded() + counts.segments >= counts.frames);
}
