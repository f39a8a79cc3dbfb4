//! Octets that the capture lacks.

use super::*;

fn gap_list(record: &Record) -> Vec<(u64, u64, bool)> {
    record
        .gaps
        .iter()
        .map(|gap| (gap.offset, gap.length, gap.acknowledged))
        .collect()
}

#[test]
fn an_acknowledged_hole_is_a_gap_and_delivery_goes_on() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(server(0, 0, b"abcd"));
    let behind = wire.send(server(9, 0, b"jkl"));
    wire.send(client(0, 12, b""));
    for number in 0..4 {
        wire.send(client(number, 12, b"x"));
    }
    assert_eq!(wire.table.counts().holes_given_up, 0);
    let (facts, record) = wire.only();
    assert_eq!(record.to_client, b"abcdjkl");
    assert_eq!(gap_list(&record), [(4, 5, true)]);
    assert_eq!(record.gaps[0].found_at, behind);
    let sent = &facts.directions.to_client;
    assert!(sent.acknowledged_unseen);
    assert_eq!((sent.gaps, sent.missing_octets, sent.octets), (1, 5, 7));
    assert_eq!(facts.gaps, record.gaps);
}

#[test]
fn a_gap_is_declared_in_the_order_of_the_conversation() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(server(4, 0, b"efgh"));
    wire.send(client(0, 8, b""));
    wire.after(60.0, client(0, 8, b"Q"));
    let open = wire.table.open();
    wire.send(server(8, 1, b"i"));
    assert_eq!(open, 1);
    let (_, record) = wire.only();
    assert_eq!(
        (&record.to_client[..], gap_list(&record)),
        (&b"efghi"[..], vec![(0, 4, true)])
    );
}

#[test]
fn an_acknowledgment_that_the_capture_shows_before_its_octets_makes_no_gap() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.after(0.1, client(0, 4, b""));
    wire.after(0.1, client(0, 8, b""));
    wire.after(0.1, server(4, 0, b"efgh"));
    wire.after(0.1, server(0, 0, b"abcd"));
    let (facts, record) = wire.only();
    assert_eq!(record.to_client, b"abcdefgh");
    assert!(record.gaps.is_empty() && !facts.directions.to_client.acknowledged_unseen);
}

#[test]
fn a_hole_without_acknowledgment_waits_for_the_retransmission() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(server(4, 0, b"efgh"));
    for _ in 0..20 {
        wire.after(100.0, client(0, 0, b""));
    }
    wire.send(server(0, 0, b"abcd"));
    let (_, record) = wire.only();
    assert_eq!((&record.to_client[..], record.gaps.len()), (&b"abcdefgh"[..], 0));
}

#[test]
fn a_hole_that_stays_to_the_end_is_a_gap_without_acknowledgment() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(server(4, 0, b"efgh"));
    let (facts, record) = wire.only();
    assert_eq!(
        (&record.to_client[..], gap_list(&record)),
        (&b"efgh"[..], vec![(0, 4, false)])
    );
    assert!(!facts.directions.to_client.acknowledged_unseen);
}

#[test]
fn an_unseen_fin_is_no_missing_octet() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(server(0, 0, b"221\r\n"));
    for _ in 0..6 {
        wire.after(50.0, client(0, 6, b""));
    }
    let (facts, record) = wire.only();
    assert!(record.gaps.is_empty());
    assert_eq!(facts.directions.to_client.octets, 5);
}

#[test]
fn a_snap_length_leaves_a_gap_behind_what_is_there() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(Segment {
        payload_length: 100,
        ..server(0, 0, b"220 mx")
    });
    wire.send(server(100, 0, b"\r\n"));
    let (facts, record) = wire.only();
    assert_eq!(record.to_client, b"220 mx\r\n");
    assert_eq!((record.gaps[0].offset, record.gaps[0].length), (6, 94));
    assert!(record.gaps[0].cut_by_snap_length);
    assert_eq!(facts.directions.to_client.cut_segments, 1);
}

#[test]
fn one_direction_alone_tells_how_much_the_other_said() {
    let mut wire = Wire::new();
    wire.send(syn());
    wire.send(client(0, 0, b""));
    wire.send(client(0, 40, b"EHLO a\r\n"));
    wire.send(client(8, 240, b"QUIT\r\n"));
    wire.after(100.0, with(FIN | ACK, client(14, 260, b"")));
    let (facts, record) = wire.only();
    assert_eq!(record.to_server, b"EHLO a\r\nQUIT\r\n");
    assert!(record.to_client.is_empty());
    let (told, last) = (record.gaps.iter().map(|gap| gap.length).sum::<u64>(), record.gaps.len());
    assert_eq!(told, 260);
    assert!(last >= 2, "they come where the conversation had them");
    assert!(
        record
            .gaps
            .iter()
            .all(|gap| gap.acknowledged && gap.direction == Direction::ToClient)
    );
    assert!(facts.directions.to_client.acknowledged_unseen);
    assert_eq!(facts.directions.to_client.segments, 0);
    assert_eq!(facts.directions.to_server.unacknowledged_at_end, 0);
    assert!(facts.handshake_ack.is_some());
}

#[test]
fn too_many_pieces_give_the_hole_up() {
    let mut wire = Wire::with_limits(Limits {
        out_of_order_pieces: 8,
        ..Limits::default()
    });
    wire.handshake();
    for number in 0..9 {
        wire.send(client(10 + number * 2, 0, b"a"));
    }
    assert_eq!(wire.table.counts().holes_given_up, 1);
    let (_, record) = wire.only();
    assert_eq!(gap_list(&record)[0], (0, 10, false));
    assert_eq!(record.to_server, b"aaaaaaaaa");
}

#[test]
fn octets_out_of_order_are_capped_for_all_connections_together() {
    let block = [9u8; 1_000];
    let mut wire = Wire::with_limits(Limits {
        out_of_order_total: 20_000,
        ..Limits::default()
    });
    for port in 1..100u16 {
        let mut segment = client(0, 0, b"x");
        segment.change_ends(|source, _| source.port = port + 1_000);
        wire.send(segment);
        let mut segment = client(100, 0, &block);
        segment.change_ends(|source, _| source.port = port + 1_000);
        wire.send(segment);
    }
    assert!(wire.table.counts().holes_given_up > 70);
    assert_eq!(wire.finish().len(), 99);
}

#[test]
fn a_forged_segment_far_ahead_makes_no_huge_gap() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(client(0, 0, b"EHLO"));
    wire.send(client(0x4000_0000, 0, b"forged"));
    wire.send(client(4, 0, b" x\r\n"));
    assert_eq!(wire.table.counts().out_of_window, 1);
    let (_, record) = wire.only();
    assert_eq!((&record.to_server[..], record.gaps.len()), (&b"EHLO x\r\n"[..], 0));
}

#[test]
fn a_long_loss_of_the_capture_is_crossed_by_the_acknowledgments() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(client(0, 0, b"DATA\r\n"));
    // 50 MB later the capture works again.
    wire.send(server(0, 50_000_000, b""));
    wire.after(60.0, client(50_000_000, 0, b"tail"));
    wire.send(server(0, 50_000_004, b""));
    let (_, record) = wire.only();
    assert_eq!(record.to_server, b"DATA\r\ntail");
    assert_eq!(gap_list(&record), [(6, 49_999_994, true)]);
}

#[test]
fn a_far_segment_in_a_capture_of_one_direction_makes_no_huge_gap_at_the_end() {
    let mut wire = Wire::new();
    wire.send(client(0, 0, b"EHLO"));
    wire.send(client(0x3000_0000, 0, b"forged"));
    wire.send(client(4, 0, b" x\r\n"));
    let (facts, record) = wire.only();
    assert_eq!((&record.to_server[..], record.gaps.len()), (&b"EHLO x\r\n"[..], 0));
    assert_eq!(facts.unlisted, 1);
}
