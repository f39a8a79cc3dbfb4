//! What rules will want to know.

use super::*;
use crate::tcp::LISTED_FACTS;

#[test]
fn the_captures_own_duplicates_are_told_from_retransmissions() {
    let mut wire = Wire::new();
    wire.handshake();
    let greeting = Segment {
        ip_identification: Some(77),
        ..server(0, 0, b"220\r\n")
    };
    let second = Segment {
        time_to_live: 54,
        encapsulation: 12,
        ..greeting
    };
    wire.exactly(10.0, greeting);
    wire.exactly(0.02, second);
    wire.exactly(
        400.0,
        Segment {
            ip_identification: Some(78),
            ..greeting
        },
    );
    let (facts, record) = wire.only();
    assert_eq!(record.to_client, b"220\r\n");
    let sent = &facts.directions.to_client;
    assert_eq!(
        (sent.capture_duplicates, sent.retransmissions, sent.data_segments),
        (1, 1, 2)
    );
    assert_eq!((facts.frames, facts.encapsulations), (6, 2));
}

#[test]
fn interleaved_duplicates_are_recognised() {
    let mut wire = Wire::new();
    wire.handshake();
    let segments = [server(0, 0, b"aa"), server(2, 0, b"bb"), server(4, 0, b"cc")];
    for round in 0..2 {
        for (number, segment) in segments.iter().enumerate() {
            wire.exactly(
                0.01,
                Segment {
                    ip_identification: Some(50 + number as u16),
                    ..*segment
                },
            );
        }
        assert!(round < 2);
    }
    let (facts, _) = wire.only();
    let sent = &facts.directions.to_client;
    assert_eq!((sent.capture_duplicates, sent.retransmissions), (3, 0));
    assert_eq!(sent.last.map(|stamp| stamp.frame.0), Some(6));
    assert_eq!((facts.last.frame.0, facts.frames), (9, 9), "copies belong to it, too");
}

#[test]
fn version_6_duplicates_are_recognised_by_time_alone() {
    let mut wire = Wire::new();
    for segment in [syn(), syn_ack(), client(0, 0, b""), server(0, 0, b"220\r\n")] {
        for delay in [10.0, 0.05] {
            wire.exactly(delay, segment);
        }
    }
    wire.exactly(210.0, server(0, 0, b"220\r\n"));
    let (facts, _) = wire.only();
    let sent = &facts.directions.to_client;
    assert_eq!((sent.capture_duplicates, sent.retransmissions), (2, 1));
}

#[test]
fn duplicate_acknowledgments_are_no_duplicates_of_the_capture() {
    let mut wire = Wire::new();
    wire.handshake();
    for _ in 0..3 {
        wire.exactly(0.05, client(0, 0, b""));
    }
    let (facts, _) = wire.only();
    assert_eq!(facts.directions.to_server.capture_duplicates, 0);
}

#[test]
fn keep_alives_are_no_retransmissions() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(client(0, 0, b"IDLE\r\n"));
    wire.send(server(0, 6, b"+ \r\n"));
    wire.send(client(6, 4, b""));
    for octet in [&b""[..], b"\0", b""] {
        wire.after(60_000.0, client(5, 4, octet));
        wire.send(server(4, 6, b""));
    }
    let (facts, record) = wire.only();
    let sent = &facts.directions.to_server;
    assert_eq!(
        (sent.keep_alives, sent.retransmissions, sent.conflicting_octets),
        (3, 0, 0)
    );
    assert_eq!(record.to_server, b"IDLE\r\n");
    let (from, to) = facts.longest_silence.unwrap();
    assert_eq!(to.time.since(from.time).as_secs(), 60);
}

#[test]
fn a_zero_window_is_an_episode_with_an_end() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(client(0, 0, b"body"));
    let from = wire.send(Segment {
        window: 0,
        ..server(0, 4, b"")
    });
    for _ in 0..3 {
        wire.after(2_000.0, client(3, 0, b""));
        wire.send(Segment {
            window: 0,
            ..server(0, 4, b"")
        });
    }
    let until = wire.send(server(0, 4, b""));
    wire.send(client(4, 0, b"more"));
    let (facts, _) = wire.only();
    assert_eq!(facts.zero_windows.len(), 1);
    let episode = facts.zero_windows[0];
    assert_eq!(
        (episode.blocked, episode.from, episode.until),
        (Direction::ToServer, from, until)
    );
    assert!(episode.reopened);
    assert_eq!(
        (
            facts.directions.to_server.keep_alives,
            facts.directions.to_server.retransmissions
        ),
        (0, 0)
    );
}

#[test]
fn a_zero_window_that_stays_is_told_at_the_end() {
    let mut wire = Wire::new();
    wire.send(client(0, 0, b"body"));
    wire.send(Segment {
        window: 0,
        ..server(0, 4, b"")
    });
    wire.send(Segment {
        window: 0,
        ..with(RST, client(4, 0, b""))
    });
    let (facts, _) = wire.only();
    assert_eq!(facts.zero_windows.len(), 1, "the window of a reset means nothing");
    assert!(!facts.zero_windows[0].reopened);
}

#[test]
fn a_segment_that_gets_no_answer_is_stuck() {
    let big = [7u8; 1_400];
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(client(0, 0, b"DATA\r\n"));
    wire.send(server(0, 6, b"354\r\n"));
    let first = wire.send(client(6, 5, &big));
    wire.after(1.0, client(1_406, 5, &big));
    wire.after(1.0, client(2_806, 5, b"tail"));
    let mut last = first;
    for delay in [300.0, 600.0, 1_200.0, 2_400.0] {
        last = wire.after(delay, client(6, 5, &big));
    }
    let (facts, _) = wire.only();
    let sent = &facts.directions.to_server;
    assert_eq!(facts.stuck.len(), 1);
    let stuck = facts.stuck[0];
    assert_eq!((stuck.offset, stuck.length, stuck.retransmissions), (6, 1_400, 4));
    assert_eq!(
        (stuck.first, stuck.last, stuck.acknowledged, stuck.dont_fragment),
        (first, last, false, true)
    );
    assert_eq!((sent.largest_segment, sent.largest_acknowledged_segment), (1_400, 6));
    assert_eq!(sent.unacknowledged_at_end, 2_804);
    assert_eq!((sent.retransmissions, sent.retransmission_timeouts), (4, 4));
}

#[test]
fn a_stuck_segment_that_gets_through_says_so() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(client(0, 0, b"DATA\r\n"));
    for _ in 0..3 {
        wire.after(300.0, client(0, 0, b"DATA\r\n"));
    }
    wire.send(server(0, 6, b"354\r\n"));
    let (facts, _) = wire.only();
    assert_eq!(
        (
            facts.stuck.len(),
            facts.stuck[0].retransmissions,
            facts.stuck[0].acknowledged
        ),
        (1, 3, true)
    );
    assert_eq!(facts.directions.to_server.unacknowledged_at_end, 0);
}

#[test]
fn one_retransmission_that_is_answered_is_not_stuck() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(client(0, 0, b"QUIT"));
    wire.send(client(0, 0, b"QUIT"));
    wire.send(server(0, 4, b""));
    let (facts, _) = wire.only();
    assert!(facts.stuck.is_empty());
    assert_eq!(facts.directions.to_server.retransmissions, 1);
}

#[test]
fn long_lists_are_cut_and_counted() {
    let mut wire = Wire::new();
    wire.handshake();
    for number in 0..LISTED_FACTS as u32 + 8 {
        wire.send(with(RST, client(0x3000_0000 + number, 0, b"")));
    }
    let (facts, _) = wire.only();
    assert_eq!((facts.resets.len(), facts.unlisted), (LISTED_FACTS, 8));
}

#[test]
fn a_probe_with_one_odd_octet_at_an_old_place_is_no_conflict() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(server(0, 0, b"250-mx\r\n"));
    wire.send(server(8, 0, b"250 HELP\r\n"));
    wire.send(client(0, 18, b""));
    wire.send(server(7, 0, b"\x17"));
    let (facts, _) = wire.only();
    assert_eq!(facts.directions.to_client.conflicting_octets, 0);
}
