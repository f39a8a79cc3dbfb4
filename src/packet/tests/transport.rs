//! TCP and ICMP headers, lengths that lie, snap lengths.

use super::*;
use crate::packet::{Header, Options};

fn options_of(options: &[u8]) -> Options {
    let bytes = ipv4(6, &tcp_with(options, PAYLOAD));
    decode_one(&frame(LinkType::RAW, &bytes), |packet| match packet {
        Packet::Segment(segment) => {
            assert_eq!(segment.payload, PAYLOAD);
            segment.options
        }
        other => panic!("{other:?}"),
    })
    .0
}

#[test]
fn options_of_a_syn_are_read() {
    let options = options_of(&[2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7]);
    assert_eq!(
        options,
        Options {
            maximum_segment_size: Some(1460),
            window_scale: Some(7),
            sack_permitted: true,
            timestamps: Some((1, 2)),
            sack: None,
        }
    );
}

#[test]
fn the_first_sack_block_is_read() {
    let blocks = [0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 20, 0, 0, 0, 30];
    assert_eq!(options_of(&join(&[&[1, 1, 5, 18], &blocks])).sack, Some((1, 9)));
}

#[test]
fn unknown_options_are_skipped_and_malformed_ones_end_the_list() {
    let size = |options: &[u8]| options_of(options).maximum_segment_size;
    assert_eq!(size(&[254, 4, 9, 9, 2, 4, 5, 0xb4]), Some(1460));
    assert_eq!(size(&[2, 4, 5, 0xb4, 3, 0, 0, 0]), Some(1460));
    assert_eq!(size(&[3, 1, 0, 0, 2, 4, 5, 0xb4]), None);
    assert_eq!(size(&[3, 40, 0, 0, 2, 4, 5, 0xb4]), None);
    assert_eq!(size(&[0, 0, 0, 0, 2, 4, 5, 0xb4]), None);
    assert_eq!(size(&[1, 1, 1, 2]), None);
}

#[test]
fn data_offset_below_five_or_behind_the_end_is_malformed() {
    for offset in [0x40, 0xf0] {
        let mut segment = tcp();
        segment[12] = offset;
        let counts = counts_of_other(LinkType::RAW, &ipv4(6, &segment));
        assert_eq!(counts.malformed.get(&Header::Tcp), Some(&1));
    }
}

#[test]
fn total_length_zero_means_the_rest_of_the_frame() {
    let mut bytes = ethernet(0x0800, &ipv4(6, &tcp()));
    bytes[16..18].fill(0);
    assert_tcp(LinkType::ETHERNET, &bytes);
    let mut bytes = ethernet(0x86dd, &ipv6(6, &tcp()));
    bytes[18..20].fill(0);
    assert_tcp(LinkType::ETHERNET, &bytes);
}

#[test]
fn total_length_below_the_header_is_malformed() {
    let mut bytes = ipv4(6, &tcp());
    bytes[2..4].copy_from_slice(&[0, 19]);
    assert_eq!(
        counts_of_other(LinkType::RAW, &bytes).malformed.get(&Header::Ipv4),
        Some(&1)
    );
}

#[test]
fn ipv4_options_are_skipped() {
    let mut bytes = ipv4(6, &join(&[&[0x94, 4, 0, 0], &tcp()]));
    bytes[0] = 0x46;
    assert_tcp(LinkType::RAW, &bytes);
}

#[test]
fn payload_that_a_snap_length_cut_keeps_its_length() {
    let whole = ethernet(0x0800, &ipv4(6, &tcp()));
    for says_original_length in [true, false] {
        let mut cut = frame(LinkType::ETHERNET, &whole[..whole.len() - 5]);
        if says_original_length {
            cut.original_length = u32::try_from(whole.len()).unwrap();
        }
        decode_one(&cut, |packet| match packet {
            Packet::Segment(segment) => {
                assert_eq!(segment.payload, &PAYLOAD[..PAYLOAD.len() - 5]);
                assert_eq!(segment.payload_length as usize, PAYLOAD.len());
            }
            other => panic!("{other:?}"),
        });
    }
}

#[test]
fn cut_options_leave_a_segment_and_a_cut_header_is_counted() {
    let whole = ipv4(6, &tcp_with(&[2, 4, 5, 0xb4, 3, 3, 7, 1], PAYLOAD));
    let (_, counts) = decode_one(&frame(LinkType::RAW, &whole[..44]), |packet| match packet {
        Packet::Segment(segment) => {
            assert_eq!(segment.options.maximum_segment_size, Some(1460));
            assert_eq!(segment.options.window_scale, None);
            assert_eq!(
                (segment.payload.len(), segment.payload_length as usize),
                (0, PAYLOAD.len())
            );
        }
        other => panic!("{other:?}"),
    });
    assert_eq!((counts.segments, counts.cut_options), (1, 1));
    for length in [21, 39] {
        let counts = counts_of_other(LinkType::RAW, &whole[..length]);
        assert_eq!(counts.cut, 1);
        assert!(counts.malformed.is_empty());
    }
}

#[test]
fn a_header_that_ends_early_in_a_whole_packet_is_malformed_not_cut() {
    let counts = counts_of_other(LinkType::RAW, &ipv4(6, &tcp()[..12]));
    assert_eq!((counts.cut, counts.malformed.get(&Header::Tcp)), (0, Some(&1)));
}

fn error_of(bytes: &[u8]) -> crate::packet::IcmpError {
    decode_one(&frame(LinkType::RAW, bytes), |packet| match packet {
        Packet::IcmpError(error) => error,
        other => panic!("{other:?}"),
    })
    .0
}

#[test]
fn icmp_errors_that_quote_tcp_are_reported() {
    for (kind, code) in [(3, 0), (3, 1), (3, 3), (3, 13), (11, 0), (12, 0)] {
        let quotation = &ipv4(6, &tcp())[..28];
        let error = error_of(&ipv4(1, &join(&[&[kind, code, 0, 0, 0, 0, 5, 0xdc], quotation])));
        assert_eq!(
            (error.kind, error.code, error.version6, error.next_hop_mtu),
            (kind, code, false, 0)
        );
        assert_eq!(
            (error.quoted_source.port, error.quoted_destination.port),
            (CLIENT, SERVER)
        );
        assert_eq!(error.quoted_sequence, 1000);
        assert_eq!(error.reporter, IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
    }
}

#[test]
fn fragmentation_needed_tells_the_next_hop_mtu() {
    let quotation = &ipv4(6, &tcp())[..28];
    let error = error_of(&ipv4(1, &join(&[&[3, 4, 0, 0, 0xab, 0xcd, 5, 0xdc], quotation])));
    assert_eq!(error.next_hop_mtu, 1500);
    let error = error_of(&ipv6(58, &join(&[&[2, 0, 0, 0, 0, 0, 5, 0], &ipv6(6, &tcp())])));
    assert_eq!((error.next_hop_mtu, error.version6), (1280, true));
}

#[test]
fn icmpv6_errors_are_reported_through_extension_headers() {
    for kind in [1, 2, 3, 4] {
        let quotation = ipv6(
            0,
            &join(&[&[44, 0, 0, 0, 0, 0, 0, 0], &[6, 0, 0, 1, 0, 0, 0, 9], &tcp()]),
        );
        let error = error_of(&ipv6(58, &join(&[&[kind, 0, 0, 0, 0, 0, 0, 0], &quotation])));
        assert_eq!((error.kind, error.quoted_sequence), (kind, 1000));
        assert_eq!(error.quoted_destination.address, IpAddr::V6(DESTINATION6));
    }
}

#[test]
fn icmp_that_quotes_no_tcp_is_counted_as_other() {
    let quotes_udp = join(&[&[3, 3, 0, 0, 0, 0, 0, 0], &ipv4(17, &udp(53, b"query"))]);
    let quotes_fragment = join(&[&[3, 3, 0, 0, 0, 0, 0, 0], &ipv4_with(6, 1, 0x00b9, &tcp())]);
    let quotes_little = join(&[&[3, 3, 0, 0, 0, 0, 0, 0], &ipv4(6, &tcp())[..27]]);
    for message in [quotes_udp, quotes_fragment, quotes_little, vec![8; 40]] {
        assert_eq!(counts_of_other(LinkType::RAW, &ipv4(1, &message)).icmp_other, 1);
    }
}

#[test]
fn wrong_checksums_are_counted_only_when_asked_and_drop_nothing() {
    use etherparse::PacketBuilder;
    let mut right = Vec::new();
    PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], TTL)
        .tcp(CLIENT, SERVER, 1000, 512)
        .write(&mut right, PAYLOAD)
        .unwrap();
    let mut wrong = right.clone();
    *wrong.last_mut().unwrap() ^= 1;
    wrong[8] ^= 1;
    let mut right6 = Vec::new();
    PacketBuilder::ipv6(SOURCE6.octets(), DESTINATION6.octets(), TTL)
        .tcp(CLIENT, SERVER, 1000, 512)
        .write(&mut right6, PAYLOAD)
        .unwrap();
    let mut decoder = Decoder::verifying_checksums();
    for bytes in [&right, &wrong, &right6, &right[..right.len() - 1].to_vec()] {
        assert!(matches!(
            decoder.decode(&frame(LinkType::RAW, bytes)),
            Packet::Segment(_)
        ));
    }
    let checksums = decoder.counts().checksums;
    assert_eq!((checksums.ipv4_verified, checksums.ipv4_bad), (3, 1));
    assert_eq!((checksums.tcp_verified, checksums.tcp_bad), (3, 1));
    let (_, counts) = decode_one(&frame(LinkType::RAW, &wrong), |_| ());
    assert_eq!(counts.checksums.tcp_verified, 0);
}
