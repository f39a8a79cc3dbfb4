//! Octets in order, whatever way they came.

use super::*;

#[test]
fn a_plain_session_is_delivered_and_closed() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(server(0, 0, b"220 hello\r\n"));
    wire.send(client(0, 11, b"QUIT\r\n"));
    wire.send(server(11, 6, b"221 bye\r\n"));
    wire.close(6, 20);
    let (facts, record) = wire.only();
    assert_eq!(record.to_client, b"220 hello\r\n221 bye\r\n");
    assert_eq!(record.to_server, b"QUIT\r\n");
    assert_eq!(record.fins, Direction::BOTH);
    assert_eq!(facts.ending, Ending::Closed(Direction::ToServer));
    assert_eq!(facts.frames, 9);
    assert_eq!(facts.client.port, 40_000);
    assert_eq!(facts.round_trip.unwrap().as_millis(), 20);
    assert_eq!(facts.handshake_ack.unwrap().frame.0, 3);
    let sent = &facts.directions.to_client;
    assert_eq!((sent.octets, sent.segments, sent.data_segments), (20, 4, 2));
    assert_eq!((sent.retransmissions, sent.out_of_order, sent.gaps), (0, 0, 0));
    assert_eq!(sent.largest_acknowledged_segment, 11);
    assert_eq!(
        (sent.maximum_segment_size, sent.window_scale, sent.time_to_live),
        (Some(1_414), Some(2), Some(55))
    );
    assert_eq!(sent.unacknowledged_at_end, 0);
    assert!(facts.gaps.is_empty() && facts.resets.is_empty() && facts.stuck.is_empty());
}

#[test]
fn reordered_segments_are_put_back_and_are_no_retransmissions() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(server(4, 0, b"efgh"));
    wire.after(1.0, server(8, 0, b"ij"));
    wire.after(1.0, server(0, 0, b"abcd"));
    let (facts, record) = wire.only();
    assert_eq!(record.to_client, b"abcdefghij");
    let sent = &facts.directions.to_client;
    assert_eq!((sent.out_of_order, sent.retransmissions, sent.gaps), (1, 0, 0));
}

#[test]
fn a_hole_that_is_filled_late_was_a_loss_before_the_capture() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(server(4, 0, b"efgh"));
    wire.after(300.0, server(0, 0, b"abcd"));
    let (facts, record) = wire.only();
    assert_eq!(record.to_client, b"abcdefgh");
    let sent = &facts.directions.to_client;
    assert_eq!(
        (sent.out_of_order, sent.retransmissions, sent.retransmission_timeouts),
        (0, 1, 1)
    );
}

#[test]
fn identical_retransmissions_are_counted_and_not_delivered_twice() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(server(0, 0, b"220 hello\r\n"));
    wire.after(250.0, server(0, 0, b"220 hello\r\n"));
    wire.after(20.0, server(4, 0, b"hello\r\nmore"));
    let (facts, record) = wire.only();
    assert_eq!(record.to_client, b"220 hello\r\nmore");
    let sent = &facts.directions.to_client;
    assert_eq!((sent.retransmissions, sent.retransmission_timeouts), (2, 1));
    assert_eq!((sent.conflicting_octets, sent.first_conflict), (0, None));
}

#[test]
fn conflicting_octets_are_flagged_and_the_first_win() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(client(0, 0, b"RCPT TO:<a@b>\r\n"));
    let conflict = wire.send(client(0, 0, b"RCPT TO:<x@y>\r\n"));
    wire.send(client(12, 0, b"XYZ!"));
    let (facts, record) = wire.only();
    assert_eq!(record.to_server, b"RCPT TO:<a@b>\r\n!");
    let sent = &facts.directions.to_server;
    assert_eq!(sent.conflicting_octets, 5);
    assert_eq!(sent.first_conflict, Some(conflict));
}

#[test]
fn a_conflict_is_noticed_after_the_acknowledgment_too() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(server(0, 0, b"250-forged\r\n"));
    wire.send(client(0, 12, b""));
    wire.send(server(0, 0, b"250-honest\r\n"));
    let (facts, _) = wire.only();
    assert_eq!(facts.directions.to_client.conflicting_octets, 5);
}

#[test]
fn a_conflict_among_waiting_pieces_is_flagged() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(client(4, 0, b"good"));
    wire.send(client(2, 0, b"..evil"));
    wire.send(client(0, 0, b"ab"));
    let (facts, record) = wire.only();
    assert_eq!(record.to_server, b"ab..good");
    assert_eq!(facts.directions.to_server.conflicting_octets, 4);
}

#[test]
fn sequence_numbers_wrap_at_every_offset() {
    let text = b"the quick brown fox";
    for before in 0..text.len() as u32 + 2 {
        let shift = 0u32.wrapping_sub(before).wrapping_sub(CLIENT_ISN);
        let moved = |segment: Segment<'static>| Segment {
            sequence: segment.sequence.wrapping_add(shift),
            ..segment
        };
        let answer = |segment: Segment<'static>| Segment {
            acknowledgment: segment.acknowledgment.wrapping_add(shift),
            ..segment
        };
        let mut wire = Wire::new();
        wire.send(moved(syn()));
        wire.send(answer(syn_ack()));
        wire.send(moved(client(0, 0, b"")));
        wire.send(moved(client(7, 0, &text[7..13])));
        wire.send(moved(client(13, 0, &text[13..])));
        wire.send(moved(client(0, 0, &text[..9])));
        wire.send(answer(server(0, text.len() as u32, b"")));
        wire.send(moved(with(FIN | ACK, client(text.len() as u32, 0, b""))));
        wire.send(answer(with(FIN | ACK, server(0, text.len() as u32 + 1, b""))));
        wire.send(moved(client(text.len() as u32 + 1, 1, b"")));
        let (facts, record) = wire.only();
        assert_eq!(record.to_server, text, "wrap {before} before the stream");
        assert!(record.gaps.is_empty());
        assert_eq!(facts.opening, crate::tcp::Opening::Handshake);
        assert_eq!(facts.ending, Ending::Closed(Direction::ToServer));
        assert_eq!(facts.directions.to_server.unacknowledged_at_end, 0);
    }
}

#[test]
fn more_than_four_gigabytes_keep_their_offsets() {
    let block = vec![7u8; 60_000];
    let mut wire = Wire::new();
    wire.handshake();
    let mut sent = 0u64;
    while sent < 5_000_000_000 {
        // Every segment is cut to nothing by the snap length: offsets without octets.
        let segment = Segment {
            payload: &[],
            ..client(sent as u32, 0, &block)
        };
        wire.after(0.1, segment);
        sent += block.len() as u64;
    }
    let (facts, record) = wire.only();
    assert_eq!(facts.directions.to_server.missing_octets, sent);
    assert_eq!(facts.directions.to_server.octets, 0);
    assert_eq!(facts.gaps.len(), 1, "gaps that touch are one fact");
    assert!(record.gaps.len() > 80_000);
}

#[test]
fn data_on_the_syn_and_on_the_fin_are_delivered() {
    let mut wire = Wire::new();
    wire.send(Segment {
        payload: b"EHLO",
        payload_length: 4,
        ..syn()
    });
    wire.send(Segment {
        acknowledgment: CLIENT_ISN + 5,
        ..syn_ack()
    });
    wire.send(with(FIN | ACK, client(4, 0, b" x\r\n")));
    wire.send(with(FIN | ACK, server(0, 9, b"221")));
    wire.send(client(9, 4, b""));
    let (facts, record) = wire.only();
    assert_eq!(record.to_server, b"EHLO x\r\n");
    assert_eq!(record.to_client, b"221");
    assert_eq!(facts.ending, Ending::Closed(Direction::ToServer));
    assert_eq!((facts.frames, facts.directions.to_server.segments), (5, 3));
}

#[test]
fn octets_behind_fin_are_noted_and_not_delivered() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(with(FIN | ACK, client(0, 0, b"QUIT\r\n")));
    wire.send(client(6, 0, b"MAIL FROM:<>"));
    let (facts, record) = wire.only();
    assert_eq!(record.to_server, b"QUIT\r\n");
    assert_eq!(facts.directions.to_server.octets_after_fin, 12);
    assert_eq!(facts.ending, Ending::HalfClosed(Direction::ToServer));
}

#[test]
fn a_fin_waits_for_the_octets_before_it() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(with(FIN | ACK, client(4, 0, b"")));
    wire.send(client(0, 0, b"QUIT"));
    let (_, record) = wire.only();
    assert_eq!(
        (&record.to_server[..], &record.fins[..]),
        (&b"QUIT"[..], &[Direction::ToServer][..])
    );
}

#[test]
fn a_retransmission_after_fin_is_compared_at_its_own_place() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(client(0, 0, b"QUIT\r\n"));
    wire.send(with(FIN | ACK, client(6, 0, b"")));
    wire.after(300.0, with(FIN | ACK, client(0, 0, b"QUIT\r\n")));
    let (facts, record) = wire.only();
    let sent = &facts.directions.to_server;
    assert_eq!(
        (sent.retransmissions, sent.conflicting_octets, sent.octets_after_fin),
        (1, 0, 0)
    );
    assert_eq!((&record.to_server[..], facts.stuck[0].offset), (&b"QUIT\r\n"[..], 0));
}

#[test]
fn a_reply_captured_before_its_command_waits_for_it() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(server(0, 0, b"220 hello\r\n"));
    wire.after(1.0, server(11, 6, b"221 bye\r\n"));
    wire.after(0.1, client(0, 11, b"QUIT\r\n"));
    wire.close(6, 20);
    let (facts, record) = wire.only();
    assert_eq!(record.to_client, b"220 hello\r\n221 bye\r\n");
    assert_eq!(record.to_server, b"QUIT\r\n");
    assert_eq!(facts.early_segments, 1);
    assert!(facts.gaps.is_empty());
}

#[test]
fn a_reply_to_a_command_that_never_comes_waits_no_longer_than_the_next_segment() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(server(0, 0, b"220 hello\r\n"));
    wire.after(1.0, server(11, 6, b"250 one\r\n"));
    // The client knows of that reply: its command came before it and is not in the capture.
    wire.after(0.1, client(6, 20, b"QUIT\r\n"));
    wire.send(server(20, 12, b"221 bye\r\n"));
    wire.close(12, 29);
    let (facts, record) = wire.only();
    assert_eq!(record.to_client, b"220 hello\r\n250 one\r\n221 bye\r\n");
    assert_eq!(facts.early_segments, 0);
    assert_eq!((facts.gaps.len(), facts.gaps[0].length), (1, 6));
}

#[test]
fn octets_that_only_the_senders_count_shows_are_told() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(server(0, 0, b"220 hello\r\n"));
    wire.send(client(0, 11, b"QUIT\r\n"));
    let counted = wire.send(server(2_011, 6, b""));
    let (facts, _) = wire.only();
    assert_eq!(facts.directions.to_client.sent_unseen, Some((counted, 2_000)));
    assert_eq!(facts.directions.to_server.sent_unseen, None);
}

#[test]
fn octets_acknowledged_long_ago_are_no_longer_compared() {
    let mut wire = Wire::new();
    wire.handshake();
    for number in 0..10 {
        wire.send(client(number * 60, 0, &[b'a'; 60]));
        wire.send(server(0, (number + 1) * 60, b""));
    }
    wire.send(client(0, 0, &[b'b'; 60]));
    wire.send(client(540, 0, &[b'b'; 60]));
    let (facts, _) = wire.only();
    let sent = facts.directions.get(Direction::ToServer);
    assert_eq!((sent.retransmissions, sent.conflicting_octets), (2, 60));
}
