//! Frames built octet by octet, from the inside out, and what must come of them.

mod carriers;
mod fragments;
mod properties;
mod public_captures;
mod transport;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Counts, Decoder, Packet, Segment};
use crate::frame::{Frame, FrameNumber, LinkType};
use crate::time::Timestamp;

pub(super) const CLIENT: u16 = 40_000;
pub(super) const SERVER: u16 = 25;
pub(super) const PAYLOAD: &[u8] = b"EHLO client.example\r\n";
pub(super) const TTL: u8 = 57;

pub(super) fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

pub(super) fn tcp_with(options: &[u8], payload: &[u8]) -> Vec<u8> {
    let offset = u8::try_from(5 + options.len() / 4).unwrap() << 4;
    join(&[
        &CLIENT.to_be_bytes(),
        &SERVER.to_be_bytes(),
        &1000_u32.to_be_bytes(),
        &2000_u32.to_be_bytes(),
        &[offset, 0x18],
        &512_u16.to_be_bytes(),
        &[0; 4],
        options,
        payload,
    ])
}

pub(super) fn tcp() -> Vec<u8> {
    tcp_with(&[], PAYLOAD)
}

pub(super) fn udp(destination: u16, inner: &[u8]) -> Vec<u8> {
    let length = u16::try_from(inner.len() + 8).unwrap();
    join(&[
        &50_000_u16.to_be_bytes(),
        &destination.to_be_bytes(),
        &length.to_be_bytes(),
        &[0; 2],
        inner,
    ])
}

/// `flags_and_offset` as in the header: 0x4000 Don't Fragment, 0x2000 More Fragments, offset in units of 8.
pub(super) fn ipv4_with(protocol: u8, identification: u16, flags_and_offset: u16, inner: &[u8]) -> Vec<u8> {
    let length = u16::try_from(inner.len() + 20).unwrap();
    let mut header = join(&[
        &[0x45, 0],
        &length.to_be_bytes(),
        &identification.to_be_bytes(),
        &flags_and_offset.to_be_bytes(),
        &[TTL, protocol, 0, 0],
        &[192, 0, 2, 1, 192, 0, 2, 2],
    ]);
    let sum: u32 = header
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]))
        .sum();
    let checksum = !u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap();
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
    join(&[&header, inner])
}

pub(super) fn ipv4(protocol: u8, inner: &[u8]) -> Vec<u8> {
    ipv4_with(protocol, 0x1234, 0x4000, inner)
}

pub(super) const SOURCE6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
pub(super) const DESTINATION6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);

pub(super) fn ipv6(next: u8, inner: &[u8]) -> Vec<u8> {
    let length = u16::try_from(inner.len()).unwrap();
    join(&[
        &[0x60, 0, 0, 0],
        &length.to_be_bytes(),
        &[next, TTL],
        &SOURCE6.octets(),
        &DESTINATION6.octets(),
        inner,
    ])
}

pub(super) fn tagged(ether_type: u16, inner: &[u8]) -> Vec<u8> {
    join(&[&ether_type.to_be_bytes(), inner])
}

pub(super) fn ethernet(ether_type: u16, inner: &[u8]) -> Vec<u8> {
    join(&[&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], &tagged(ether_type, inner)])
}

pub(super) fn vlan(identifier: u16, ether_type: u16, inner: &[u8]) -> Vec<u8> {
    join(&[&identifier.to_be_bytes(), &tagged(ether_type, inner)])
}

pub(super) fn label(number: u32, is_bottom: bool, inner: &[u8]) -> Vec<u8> {
    let entry = number << 12 | u32::from(is_bottom) << 8 | 64;
    join(&[&entry.to_be_bytes(), inner])
}

pub(super) fn frame(link_type: LinkType, bytes: &[u8]) -> Frame<'_> {
    Frame {
        number: FrameNumber(7),
        time: Timestamp::from_parts(1_700_000_000, 0),
        link_type,
        bytes,
        original_length: u32::try_from(bytes.len()).unwrap(),
    }
}

/// Decodes one frame with a new decoder; gives the counts as well.
pub(super) fn decode_one<T>(frame: &Frame<'_>, read: impl FnOnce(Packet<'_>) -> T) -> (T, Counts) {
    let mut decoder = Decoder::new();
    let value = read(decoder.decode(frame));
    (value, decoder.finish().clone())
}

/// Counts after one frame that must be no segment and no error.
pub(super) fn counts_of_other(link_type: LinkType, bytes: &[u8]) -> Counts {
    let (is_other, counts) = decode_one(&frame(link_type, bytes), |packet| matches!(packet, Packet::Other));
    assert!(is_other);
    assert_counted_once(&counts);
    counts
}

pub(super) fn assert_counted_once(counts: &Counts) {
    let outcomes = counts.segments
        + counts.icmp_errors
        + counts.icmp_other
        + counts.udp
        + counts.arp
        + counts.ip_protocols.total()
        + counts.fragments.held
        + counts.not_decoded();
    assert_eq!(counts.frames, outcomes, "{counts:?}");
}

/// The frame must carry the segment of [`tcp`] over IPv4 or IPv6, all of it; gives its encapsulation number.
#[track_caller]
pub(super) fn assert_tcp(link_type: LinkType, bytes: &[u8]) -> u32 {
    let (encapsulation, counts) = decode_one(&frame(link_type, bytes), |packet| {
        let Packet::Segment(segment) = packet else {
            panic!("not a segment: {packet:?}");
        };
        assert_is_tcp(&segment);
        segment.encapsulation
    });
    assert_counted_once(&counts);
    encapsulation
}

#[track_caller]
pub(super) fn assert_is_tcp(segment: &Segment<'_>) {
    assert_eq!(segment.payload, PAYLOAD);
    assert_eq!(segment.payload_length as usize, PAYLOAD.len());
    assert_eq!(
        (segment.flow.source().port, segment.flow.destination().port),
        (CLIENT, SERVER)
    );
    assert_eq!(
        (segment.sequence, segment.acknowledgment, segment.window),
        (1000, 2000, 512)
    );
    assert_eq!(segment.flags.0, 0x18);
    assert_eq!(segment.time_to_live, TTL);
    assert_eq!(segment.stamp.frame, FrameNumber(7));
    if segment.flow.source().address.is_ipv4() {
        assert_eq!(segment.flow.source().address, IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
        assert_eq!(
            segment.flow.destination().address,
            IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2))
        );
        assert_eq!(segment.ip_identification, Some(0x1234));
    } else {
        assert_eq!(segment.flow.source().address, IpAddr::V6(SOURCE6));
        assert_eq!(segment.flow.destination().address, IpAddr::V6(DESTINATION6));
        assert!(segment.dont_fragment);
    }
}
