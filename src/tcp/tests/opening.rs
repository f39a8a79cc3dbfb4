//! How connections begin, and what a SYN can and cannot do.

use super::*;
use crate::tcp::{Opening, RoleEvidence};

fn moved(segment: Segment<'_>, sequence: u32, acknowledgment: u32) -> Segment<'_> {
    Segment {
        sequence: segment.sequence.wrapping_add(sequence),
        acknowledgment: segment.acknowledgment.wrapping_add(acknowledgment),
        ..segment
    }
}

#[test]
fn a_syn_without_answer_is_remembered_with_its_repetitions() {
    let mut wire = Wire::new();
    let first = wire.send(syn());
    wire.after(1_000.0, syn());
    let last = wire.after(2_000.0, syn());
    assert_eq!((wire.table.half_open(), wire.table.open()), (1, 0));
    let finished = wire.finish();
    assert_eq!(finished.len(), 1);
    let (facts, stream) = (&finished[0].facts, &finished[0].stream);
    assert!(stream.is_none());
    assert_eq!((facts.opening, facts.ending), (Opening::SynOnly, Ending::CaptureEnd));
    let sent = &facts.directions.to_server;
    assert_eq!(
        (sent.syn, sent.last_syn, sent.syn_retransmissions),
        (Some(first), Some(last), 2)
    );
    assert_eq!(
        (sent.maximum_segment_size, sent.window_scale, sent.time_to_live),
        (Some(1_460), Some(7), Some(64))
    );
    assert_eq!((facts.frames, facts.first, facts.last), (3, first, last));
    assert_eq!((sent.initial_sequence, sent.timestamps), (CLIENT_ISN, false));
}

#[test]
fn a_syn_that_a_mirror_doubles_is_no_retransmission() {
    let mut wire = Wire::new();
    wire.exactly(1.0, syn());
    wire.exactly(0.01, syn());
    wire.exactly(1.0, syn_ack());
    wire.exactly(0.01, syn_ack());
    wire.exactly(1.0, client(0, 0, b""));
    let (facts, _) = wire.only();
    let (there, back) = (&facts.directions.to_server, &facts.directions.to_client);
    assert_eq!((there.syn_retransmissions, there.capture_duplicates), (0, 1));
    assert_eq!((back.syn_retransmissions, back.capture_duplicates), (0, 1));
    assert!(facts.round_trip.is_some());
}

#[test]
fn a_refused_connection_has_its_reset() {
    let mut wire = Wire::new();
    wire.send(syn());
    wire.send(Segment {
        sequence: 0,
        ..with(RST | ACK, server(0, 0, b""))
    });
    let finished = wire.finish();
    let facts = &finished[0].facts;
    assert_eq!(
        (facts.opening, facts.ending),
        (Opening::SynOnly, Ending::Reset(Direction::ToClient))
    );
    assert!(facts.resets[0].in_window && !facts.resets[0].looks_forged);
    assert_eq!(facts.resets[0].usual_time_to_live, None);
    assert!(finished[0].stream.is_none());
}

#[test]
fn a_client_that_tries_again_after_a_refusal_is_one_connection() {
    let refusal = || Segment {
        sequence: 0,
        ..with(RST | ACK, server(0, 0, b""))
    };
    let mut wire = Wire::new();
    for _ in 0..3 {
        wire.after(500.0, syn());
        wire.send(refusal());
    }
    let (facts, _) = wire.only();
    assert_eq!(
        (facts.directions.to_server.syn_retransmissions, facts.resets.len()),
        (2, 3)
    );
}

#[test]
fn a_blind_reset_does_not_refuse_a_syn() {
    let mut wire = Wire::new();
    wire.send(syn());
    wire.send(with(RST | ACK, server(0, 77, b"")));
    wire.send(syn_ack());
    wire.send(client(0, 0, b""));
    wire.send(server(0, 0, b"220"));
    let (facts, record) = wire.only();
    assert_eq!(record.to_client, b"220");
    assert!(!facts.resets[0].in_window);
}

#[test]
fn an_icmp_error_belongs_to_the_syn_that_it_quotes() {
    let mut wire = Wire::new();
    wire.send(syn());
    wire.icmp(3, 13, syn());
    wire.after(1_000.0, syn());
    wire.icmp(3, 13, syn());
    let mut other = syn();
    other.change_ends(|source, _| source.port = 5);
    wire.icmp(3, 1, other);
    assert_eq!(wire.table.counts().unmatched_icmp_errors, 1);
    let (facts, _) = wire.only();
    assert_eq!(
        (facts.opening, facts.icmp_errors.len(), facts.frames),
        (Opening::SynOnly, 2, 4)
    );
    assert_eq!(facts.last.frame.0, 4);
    assert_eq!(facts.directions.to_server.syn_retransmissions, 1);
}

#[test]
fn a_syn_ack_alone_tells_the_roles() {
    let mut wire = Wire::new();
    wire.send(syn_ack());
    wire.send(client(0, 0, b""));
    wire.send(server(0, 0, b"220"));
    let (facts, record) = wire.only();
    assert_eq!(
        (facts.opening, facts.roles),
        (Opening::SynAckOnly, RoleEvidence::Handshake)
    );
    assert_eq!((facts.client.port, &record.to_client[..]), (40_000, &b"220"[..]));
    assert!(facts.round_trip.is_none());
}

#[test]
fn a_syn_that_the_capture_shows_late_is_still_the_syn() {
    let mut wire = Wire::new();
    wire.after(0.1, syn_ack());
    wire.after(0.1, syn());
    wire.after(0.1, client(0, 0, b"QUIT"));
    let (facts, record) = wire.only();
    assert_eq!(
        (facts.opening, &record.to_server[..]),
        (Opening::Handshake, &b"QUIT"[..])
    );
    assert!(record.gaps.is_empty());
}

#[test]
fn a_mid_stream_start_takes_the_side_on_a_mail_port_for_the_server() {
    let mut wire = Wire::new();
    wire.send(server(500, 70, b"250 ok\r\n"));
    wire.send(client(70, 508, b"DATA\r\n"));
    let (facts, record) = wire.only();
    assert_eq!((facts.opening, facts.roles), (Opening::MidStream, RoleEvidence::Port));
    assert_eq!(facts.client.port, 40_000);
    assert_eq!(
        (&record.to_client[..], &record.to_server[..]),
        (&b"250 ok\r\n"[..], &b"DATA\r\n"[..])
    );
    assert!(record.gaps.is_empty());
}

#[test]
fn with_mail_ports_on_both_sides_the_lower_is_a_guess() {
    let mut wire = Wire::new();
    let mut segment = server(0, 0, b"220");
    segment.change_ends(|_, destination| destination.port = 587);
    wire.send(segment);
    let (facts, _) = wire.only();
    assert_eq!((facts.roles, facts.server.port), (RoleEvidence::Guess, 25));
}

#[test]
fn a_keep_alive_first_costs_no_octet() {
    let mut wire = Wire::new();
    wire.send(client(9, 50, b""));
    wire.send(server(50, 10, b""));
    wire.send(client(10, 50, b"NOOP\r\n"));
    let (_, record) = wire.only();
    assert_eq!((&record.to_server[..], record.gaps.len()), (&b"NOOP\r\n"[..], 0));
}

#[test]
fn other_ports_are_not_looked_at() {
    let mut wire = Wire::new();
    let mut segment = client(0, 0, b"GET /");
    segment.change_ends(|_, destination| destination.port = 80);
    wire.send(segment);
    assert_eq!(wire.table.counts().other_ports, 1);
    assert!(wire.finish().is_empty());
}

#[test]
fn a_lone_reset_opens_nothing() {
    let mut wire = Wire::new();
    wire.send(with(RST, client(0, 0, b"")));
    assert_eq!(wire.table.counts().stray_resets, 1);
    assert!(wire.finish().is_empty());
}

#[test]
fn a_forged_syn_does_not_cost_an_open_session() {
    for forged_sequence in [5, 100_000, 0x7000_0000, 0xf000_0000] {
        let mut wire = Wire::new();
        wire.handshake();
        wire.send(server(0, 0, b"220 mx\r\n"));
        wire.send(moved(syn(), forged_sequence, 0));
        // RFC 5961, section 4: the server answers with a challenge.
        wire.send(server(8, 0, b""));
        wire.send(client(0, 8, b"QUIT\r\n"));
        wire.send(server(8, 6, b"221\r\n"));
        let finished = wire.finish();
        let record = finished[0].stream.as_ref().unwrap();
        assert_eq!(
            (&record.to_server[..], &record.to_client[..]),
            (&b"QUIT\r\n"[..], &b"220 mx\r\n221\r\n"[..])
        );
        assert_eq!(finished.len(), 2, "the forged SYN is told as one that was not answered");
        assert!(finished[1].stream.is_none());
        assert_eq!(finished[1].facts.opening, Opening::SynOnly);
    }
}

#[test]
fn an_answered_syn_in_the_middle_is_port_reuse() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(server(0, 0, b"220 one\r\n"));
    let there = 0x1234_5678;
    let back = 0x0777_7777;
    let second = wire.send(moved(syn(), there, 0));
    wire.send(moved(syn_ack(), back, there));
    wire.send(moved(client(0, 0, b""), there, back));
    wire.send(moved(server(0, 0, b"220 two\r\n"), back, there));
    let finished = wire.finish();
    assert_eq!(finished.len(), 2);
    assert_eq!(finished[0].facts.ending, Ending::PortReused);
    assert_eq!(finished[0].stream.as_ref().unwrap().to_client, b"220 one\r\n");
    assert_eq!(
        (finished[1].facts.opening, finished[1].facts.first),
        (Opening::Handshake, second)
    );
    assert_eq!(finished[1].stream.as_ref().unwrap().to_client, b"220 two\r\n");
}

#[test]
fn a_refused_syn_on_ports_in_use_is_told_apart() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(server(0, 0, b"220\r\n"));
    wire.send(moved(syn(), 0x1234_5678, 0));
    wire.send(Segment {
        sequence: 0,
        ..moved(with(RST | ACK, server(0, 0, b"")), 0, 0x1234_5678)
    });
    wire.send(client(0, 5, b"QUIT\r\n"));
    let finished = wire.finish();
    assert_eq!(finished.len(), 2);
    assert_eq!(finished[0].facts.ending, Ending::Reset(Direction::ToClient));
    assert!(finished[0].facts.resets[0].in_window);
    assert_eq!(finished[1].stream.as_ref().unwrap().to_server, b"QUIT\r\n");
}

#[test]
fn a_new_connection_after_the_end_begins_at_once() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(server(0, 0, b"220 one\r\n"));
    wire.close(0, 9);
    wire.send(moved(syn(), 50_000, 0));
    wire.send(moved(syn_ack(), 90_000, 50_000));
    wire.send(moved(server(0, 0, b"220 two\r\n"), 90_000, 50_000));
    let finished = wire.finish();
    assert_eq!(finished.len(), 2);
    assert_eq!(finished[0].facts.ending, Ending::Closed(Direction::ToServer));
    assert_eq!(finished[1].stream.as_ref().unwrap().to_client, b"220 two\r\n");
}

#[test]
fn a_new_connection_whose_opening_is_missing_is_found() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(client(0, 0, b"old"));
    for number in 0..40u32 {
        wire.send(client(0x5000_0000 + number * 3, 0x1111_1111, b"new"));
    }
    let finished = wire.finish();
    assert_eq!(finished.len(), 2);
    assert_eq!(finished[1].facts.opening, Opening::MidStream);
    assert_eq!(finished[1].stream.as_ref().unwrap().to_server, b"new".repeat(25));
}

#[test]
fn a_challenge_to_a_syn_from_an_older_connection_does_not_open_the_new_one() {
    let mut wire = Wire::new();
    wire.send(syn());
    wire.send(moved(server(0, 0, b""), 77_000_000, 0x3000_0000));
    wire.send(moved(with(RST, client(0, 0, b"")), 0x3000_0000, 0));
    wire.after(1_000.0, syn());
    wire.send(syn_ack());
    wire.send(client(0, 0, b""));
    wire.send(server(0, 0, b"220"));
    let (facts, record) = wire.only();
    assert_eq!(
        (facts.opening, &record.to_client[..]),
        (Opening::Handshake, &b"220"[..])
    );
    assert_eq!(facts.directions.to_server.syn_retransmissions, 1);
}

#[test]
fn a_server_side_half_open_connection_counts_its_syn_acks() {
    let mut wire = Wire::new();
    wire.send(syn());
    wire.send(syn_ack());
    wire.after(1_000.0, syn_ack());
    wire.after(2_000.0, syn_ack());
    let finished = wire.finish();
    let facts = &finished[0].facts;
    assert!(finished[0].stream.is_none());
    assert_eq!((facts.opening, facts.handshake_ack), (Opening::Handshake, None));
    assert_eq!(facts.directions.to_client.syn_retransmissions, 2);
}

#[test]
fn a_packet_to_itself_does_no_harm() {
    let mut wire = Wire::new();
    let own = endpoint("192.0.2.1", 25);
    for flags in [SYN, SYN | ACK, ACK, FIN | ACK, RST] {
        let segment = with(flags, client(0, 0, b"x"));
        wire.send(Segment {
            flow: Flow::of(&own, &own),
            ..segment
        });
    }
    assert_eq!(wire.finish().len(), 1);
}

#[test]
fn of_several_different_syn_acks_the_one_that_the_client_took_counts() {
    let mut wire = Wire::new();
    wire.send(moved(syn_ack(), 0x5000_0000, 0));
    wire.send(moved(syn_ack(), 0x7000_0000, 0));
    wire.send(syn_ack());
    wire.send(client(0, 0, b"EHLO\r\n"));
    wire.send(server(0, 6, b"250\r\n"));
    let (_, record) = wire.only();
    assert_eq!(
        (&record.to_server[..], &record.to_client[..]),
        (&b"EHLO\r\n"[..], &b"250\r\n"[..])
    );
    assert!(record.gaps.is_empty());
}

#[test]
fn port_reuse_shows_in_a_capture_of_one_direction_too() {
    let mut wire = Wire::new();
    wire.send(syn());
    wire.send(client(0, 0, b"old\r\n"));
    let there = 0x2345_6789;
    wire.send(moved(syn(), there, 0));
    wire.send(moved(client(0, 0, b"new\r\n"), there, 0x1111));
    let finished = wire.finish();
    assert_eq!(finished.len(), 2);
    assert_eq!(finished[0].facts.ending, Ending::PortReused);
    assert_eq!(finished[1].stream.as_ref().unwrap().to_server, b"new\r\n");
}
