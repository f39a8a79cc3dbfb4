//! What the written blocks look like, octet by octet; other programs read them in `tests/pcapng.rs` of the analyzer.

use super::{Blocks, Interface, MAX_TEXT, Packet, Section, Statistics};

fn u32_at(octets: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(octets.get(at..at + 4).unwrap().try_into().unwrap())
}

/// Every block's type and length, after a check that both lengths agree.
fn blocks_of(octets: &[u8]) -> Vec<(u32, usize)> {
    let mut blocks = Vec::new();
    let mut at = 0;
    while at < octets.len() {
        let length = u32_at(octets, at + 4) as usize;
        assert_eq!(u32_at(octets, at + length - 4) as usize, length);
        assert_eq!(length % 4, 0);
        blocks.push((u32_at(octets, at), length));
        at += length;
    }
    blocks
}

#[test]
fn a_packet_with_a_comment_is_padded_and_closed() {
    let mut blocks = Blocks::default();
    blocks.packet(&Packet {
        interface: 3,
        nanoseconds: 0x0102_0304_0506_0708,
        bytes: b"abcde",
        original_length: 900,
        comment: Some("日本"),
    });
    let octets = blocks.octets();
    assert_eq!(blocks_of(octets), [(6, 28 + 8 + 4 + 8 + 4 + 4)]);
    assert_eq!(u32_at(octets, 8), 3);
    assert_eq!((u32_at(octets, 12), u32_at(octets, 16)), (0x0102_0304, 0x0506_0708));
    assert_eq!((u32_at(octets, 20), u32_at(octets, 24)), (5, 900));
    assert_eq!(octets.get(28..36).unwrap(), b"abcde\0\0\0");
    assert_eq!(octets.get(36..40).unwrap(), [1, 0, 6, 0]);
}

#[test]
fn interfaces_are_counted_by_section_and_clear_keeps_the_count() {
    let mut blocks = Blocks::default();
    blocks.section(&Section::default());
    assert_eq!(blocks.interface(&Interface::default()), 0);
    blocks.clear();
    assert!(blocks.is_empty());
    assert_eq!(blocks.interface(&Interface::default()), 1);
    blocks.section(&Section::default());
    assert_eq!(blocks.interface(&Interface::default()), 0);
}

#[test]
fn unknown_counters_are_not_written_as_zero() {
    let mut blocks = Blocks::default();
    blocks.statistics(&Statistics {
        interface: 1,
        nanoseconds: 5,
        dropped_by_system: Some(7),
        ..Statistics::default()
    });
    // Header, interface, time; one option of 8 octets; its end; the length again.
    assert_eq!(blocks_of(blocks.octets()), [(5, 20 + 12 + 4 + 4)]);
    assert_eq!(blocks.octets().get(20..24).unwrap(), [7, 0, 8, 0]);
}

#[test]
fn a_long_comment_is_cut_at_a_character() {
    let long = "あ".repeat(MAX_TEXT);
    let mut blocks = Blocks::default();
    blocks.packet(&Packet {
        interface: 0,
        nanoseconds: 0,
        bytes: &[],
        original_length: 0,
        comment: Some(&long),
    });
    let octets = blocks.octets();
    assert_eq!(blocks_of(octets).len(), 1);
    let length = u16::from_le_bytes(octets.get(30..32).unwrap().try_into().unwrap());
    assert_eq!(usize::from(length), MAX_TEXT / 3 * 3);
    std::str::from_utf8(octets.get(32..32 + usize::from(length)).unwrap()).unwrap();
}

#[test]
fn a_claim_of_fewer_octets_on_the_wire_than_captured_is_mended() {
    let mut blocks = Blocks::default();
    blocks.packet(&Packet {
        interface: 0,
        nanoseconds: 0,
        bytes: b"abcd",
        original_length: 1,
        comment: None,
    });
    assert_eq!(u32_at(blocks.octets(), 24), 4);
}
