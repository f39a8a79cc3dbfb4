//! What the capture says about itself.

use super::super::{ByteOrder::*, *};
use super::build::*;
use super::*;

#[test]
fn sections_and_interfaces_are_described() {
    let section = [
        option(Big, 3, b"Linux 6.1"),
        option(Big, 4, b"dumpcap"),
        option(Big, 1, b"from the mirror port"),
    ]
    .concat();
    let interface = [
        option(Big, 2, b"eth0"),
        option(Big, 3, b"uplink"),
        option(Big, 11, b"\0tcp port 25"),
        option(Big, 12, b"Debian"),
    ]
    .concat();
    let (_, facts) = read(
        &Pcapng::empty(Big)
            .section(&section)
            .interface(1, 262_144, &interface)
            .bytes,
    );
    let text = |text: &Option<crate::captured::Captured>| text.as_ref().unwrap().utf8().unwrap().to_owned();
    let described = &facts.interfaces.kept()[0];
    assert_eq!(text(&described.name), "eth0");
    assert_eq!(text(&described.description), "uplink");
    assert_eq!(text(&described.filter), "tcp port 25");
    assert_eq!(text(&described.system), "Debian");
    assert_eq!(text(&facts.sections.kept()[0].application), "dumpcap");
    assert_eq!(text(&facts.sections.kept()[0].system), "Linux 6.1");
    assert_eq!(facts.comments.kept()[0].text.utf8(), Some("from the mirror port"));
    assert_eq!(facts.comments.kept()[0].frame, None);
}

#[test]
fn the_last_statistics_of_each_interface_count() {
    for order in [Little, Big] {
        let statistics = |interface: u32, received: u64, dropped: u64, system: u64| {
            let mut body = Vec::new();
            put32(order, &mut body, interface);
            put64(order, &mut body, 0);
            for (code, value) in [(4, received), (5, dropped), (7, system)] {
                let mut number = Vec::new();
                put64(order, &mut number, value);
                body.extend(option(order, code, &number));
            }
            body
        };
        let file = Pcapng::new(order)
            .interface(1, 0, &[])
            .interface(1, 0, &[])
            .block(5, &statistics(0, 10, 1, 2))
            .block(5, &statistics(0, 100, 3, 4))
            .block(5, &statistics(1, 50, 5, 0))
            .block(5, &statistics(9, 1, 1, 1));
        let (_, facts) = read(&file.bytes);
        assert_eq!((facts.received(), facts.dropped()), (Some(150), Some(12)));
        assert_eq!(facts.stray_statistics, 1);
    }
    let (_, facts) = read(&Pcap::new().packets(2).bytes);
    assert_eq!((facts.received(), facts.dropped()), (None, None));
}

#[test]
fn names_secrets_and_unread_blocks_are_kept_or_counted() {
    let order = Little;
    let mut names = Vec::new();
    let mut record = |kind: u16, value: &[u8]| names.extend(option(order, kind, value));
    record(1, b"\xc0\0\x02\x19mx.example\0mail.example\0");
    record(
        2,
        &[&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[1], b"mx6.example\0"].concat(),
    );
    record(0, b"");
    let mut secrets = Vec::new();
    put32(order, &mut secrets, DecryptionSecrets::TLS_KEY_LOG);
    put32(order, &mut secrets, 19);
    secrets.extend(b"CLIENT_RANDOM 00 11");
    let file = Pcapng::new(order)
        .block(4, &names)
        .block(10, &secrets)
        .block(0x0bad, &[0; 8])
        .block(0x0bad, &[0; 8])
        .block(0x8000_0001, &[0; 4]);
    let (_, facts) = read(&file.bytes);
    let names: Vec<String> = facts
        .names
        .kept()
        .iter()
        .map(|entry| format!("{} {}", entry.address, entry.name.utf8().unwrap()))
        .collect();
    assert_eq!(
        names,
        [
            "192.0.2.25 mx.example",
            "192.0.2.25 mail.example",
            "2001:db8::1 mx6.example"
        ]
    );
    let secret = &facts.secrets.kept()[0];
    assert_eq!(
        (secret.kind, secret.secret.reveal().unwrap()),
        (DecryptionSecrets::TLS_KEY_LOG, &b"CLIENT_RANDOM 00 11"[..])
    );
    assert!(!format!("{facts:?}").contains("CLIENT_RANDOM"));
    assert_eq!(
        facts.other_blocks.into_iter().collect::<Vec<_>>(),
        [(0x0bad, 2), (0x8000_0001, 1)]
    );
}

#[test]
fn comments_and_drop_counts_belong_to_their_frame() {
    let options = |text: &[u8]| [option(Little, 1, text), option(Little, 4, &7_u64.to_le_bytes())].concat();
    let file = Pcapng::new(Little).interface(1, 0, &[]).packets(2).packet_with(
        0,
        2_000_000_000,
        &payload(2),
        &options(b"look here"),
    );
    let (_, facts) = read(&file.bytes);
    let comment = &facts.comments.kept()[0];
    assert_eq!((comment.frame.unwrap().0, comment.text.utf8()), (3, Some("look here")));
    assert_eq!(facts.drops_between, 7);
}

#[test]
fn comments_beyond_the_limit_are_counted() {
    let mut file = Pcapng::new(Little).interface(1, 0, &[]);
    let long = vec![b'x'; MAX_TEXT + 1];
    for _ in 0..1_100 {
        file = file.packet_with(0, 0, &[1; 14], &option(Little, 1, &long));
    }
    let (_, facts) = read(&file.bytes);
    assert_eq!(facts.comments.total(), 1_100);
    assert_eq!(facts.comments.kept().len(), MAX_COMMENT_OCTETS / MAX_TEXT);
    assert!(facts.cut_texts > 0);
}

#[test]
fn times_running_backwards_are_counted_with_the_first_frame() {
    let file = Pcap::new()
        .packet(10, 0, &[1; 20])
        .packet(9, 0, &[1; 20])
        .packet(9, 0, &[1; 20])
        .packet(8, 0, &[1; 20]);
    let (_, facts) = read(&file.bytes);
    assert_eq!((facts.odd.backwards, facts.odd.first_backwards.unwrap().0), (2, 2));
    assert_eq!(facts.earliest.unwrap().seconds(), 8);
    assert_eq!(
        (facts.first.unwrap().time.seconds(), facts.last.unwrap().time.seconds()),
        (10, 8)
    );
    assert_eq!(facts.latest.unwrap().seconds(), 10);
}
