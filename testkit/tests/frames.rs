//! Checksums and lengths of every frame, by a second computation that shares nothing with the builder.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use smtpcap_testkit::frames;

const EVERYTHING: &str = "
    session 587
    smtp hello
    C: fill 3001
    S: icmp 3/4 mtu=1400
    C: rst
    session v6 587
    smtp hello
    C: fill 3001
    S: icmp 1/1
    C: fin
    session 465
    tls handshake 1.2
    smtp quit
    session
    vlan 7,8
    S: 220 odd
    Cx2 odd.
    C: more
    session refused
    session v6 icmp=1/4
";

/// Ones' complement sum by folding modulo 65535, over any number of bytes.
fn sums_to_zero(bytes: &[u8]) -> bool {
    let total: u64 = bytes
        .chunks(2)
        .map(|pair| u64::from(pair[0]) * 256 + pair.get(1).map_or(0, |low| u64::from(*low)))
        .sum();
    total > 0 && total.is_multiple_of(65_535)
}

#[test]
fn all_checksums_are_right() {
    let (mut tcp, mut icmp) = (0, 0);
    for frame in frames(EVERYTHING) {
        let mut at = 12;
        while matches!(frame.bytes[at..at + 2], [0x81, 0] | [0x88, 0xa8]) {
            at += 4;
        }
        let packet = &frame.bytes[at + 2..];
        let (addresses, protocol, payload) = if packet[0] >> 4 == 6 {
            let length = usize::from(u16::from_be_bytes([packet[4], packet[5]]));
            (&packet[8..40], packet[6], &packet[40..40 + length])
        } else {
            assert!(sums_to_zero(&packet[..20]));
            let length = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
            (&packet[12..20], packet[9], &packet[20..length])
        };
        let mut covered = addresses.to_vec();
        covered.extend_from_slice(&[0, protocol]);
        covered.extend_from_slice(&(payload.len() as u16).to_be_bytes());
        covered.extend_from_slice(payload);
        match protocol {
            1 => {
                icmp += 1;
                assert!(sums_to_zero(payload));
            }
            58 => {
                icmp += 1;
                assert!(sums_to_zero(&covered));
            }
            _ => {
                tcp += 1;
                assert!(sums_to_zero(&covered), "at {}", frame.time_ns);
            }
        }
    }
    assert!(tcp > 40 && icmp == 3, "{tcp} {icmp}");
}

#[test]
fn an_unfinished_checksum_is_wrong_on_purpose() {
    let offloaded = frames("offload client\nC: NOOP");
    let packet = &offloaded[0].bytes[14..];
    let mut covered = packet[12..20].to_vec();
    covered.extend_from_slice(&[0, 6, 0, 40]);
    covered.extend_from_slice(&packet[20..60]);
    assert!(!sums_to_zero(&covered));
}

#[test]
fn fragments_carry_the_whole_segment() {
    for header in ["session", "session v6"] {
        let whole = frames(&format!("{header}\nC: fill 1400"));
        let pieces = frames(&format!("{header}\nfragment 600\nC: fill 1400"));
        let biggest = pieces.iter().map(|frame| frame.original_length).max().unwrap();
        assert!(biggest <= 614, "{biggest}");
        assert!(pieces.len() >= whole.len() + 2);
    }
}
