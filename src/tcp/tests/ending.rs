//! How connections end, and which resets to believe.

use super::*;
use crate::tcp::{Opening, RoleEvidence};

#[test]
fn a_reset_in_the_window_ends_the_connection() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(server(0, 0, b"220 mx\r\n"));
    let at = wire.send(with(RST | ACK, server(8, 0, b"")));
    let (facts, record) = wire.only();
    assert_eq!(facts.ending, Ending::Reset(Direction::ToClient));
    assert_eq!(record.ending, Some(facts.ending));
    let reset = &facts.resets[0];
    assert_eq!(
        (reset.stamp, reset.in_window, reset.after_fin, reset.looks_forged),
        (at, true, false, false)
    );
    assert_eq!((reset.time_to_live, reset.usual_time_to_live), (55, Some(55)));
}

#[test]
fn a_reset_out_of_the_window_is_noted_and_ignored() {
    for sequence in [0x2000_0000, 0u32.wrapping_sub(5_000)] {
        let mut wire = Wire::new();
        wire.handshake();
        wire.send(server(0, 0, b"220 mx\r\n"));
        wire.send(client(0, 8, b""));
        wire.send(with(RST, server(sequence, 0, b"")));
        wire.send(client(0, 8, b"QUIT\r\n"));
        wire.send(server(8, 6, b"221\r\n"));
        let (facts, record) = wire.only();
        assert_eq!(record.to_client, b"220 mx\r\n221\r\n");
        assert_eq!(facts.ending, Ending::CaptureEnd);
        assert!(!facts.resets[0].in_window);
    }
}

#[test]
fn a_reset_after_fin_is_marked_and_belongs_to_the_closed_connection() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.close(0, 0);
    wire.send(with(RST, client(1, 1, b"")));
    assert_eq!(wire.table.counts().late_segments, 1);
    let (facts, _) = wire.only();
    assert_eq!(facts.ending, Ending::Closed(Direction::ToServer));
    assert!(facts.resets[0].after_fin);
}

#[test]
fn a_reset_with_another_time_to_live_looks_forged() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(server(0, 0, b"220\r\n"));
    wire.send(Segment {
        time_to_live: 61,
        ..with(RST, server(5, 0, b""))
    });
    let (facts, _) = wire.only();
    assert!(facts.resets[0].looks_forged);
    assert_eq!(
        (facts.resets[0].time_to_live, facts.resets[0].usual_time_to_live),
        (61, Some(55))
    );
}

#[test]
fn a_kernel_reset_without_timestamps_and_identification_does_not_look_forged() {
    let options = Options {
        timestamps: Some((5, 6)),
        ..Options::default()
    };
    for (identification, forged) in [(0, false), (30_000, true)] {
        let mut wire = Wire::new();
        wire.handshake();
        for number in 0..3u16 {
            wire.exactly(
                10.0,
                Segment {
                    options,
                    ip_identification: Some(100 + number),
                    ..server(u32::from(number), 0, b"2")
                },
            );
        }
        wire.exactly(
            10.0,
            Segment {
                ip_identification: Some(identification),
                ..with(RST, server(3, 0, b""))
            },
        );
        let (facts, _) = wire.only();
        assert_eq!(facts.resets[0].looks_forged, forged);
    }
}

#[test]
fn a_sender_that_goes_on_after_its_reset_did_not_send_it() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(server(0, 0, b"220\r\n"));
    wire.send(with(RST, server(5, 0, b"")));
    wire.send(client(0, 5, b"QUIT\r\n"));
    wire.send(server(5, 6, b"221\r\n"));
    wire.close(6, 10);
    assert_eq!(wire.table.counts().revived, 1);
    let (facts, record) = wire.only();
    assert_eq!(record.to_client, b"220\r\n221\r\n");
    assert_eq!(facts.ending, Ending::Closed(Direction::ToServer));
    assert!(facts.resets[0].looks_forged);
}

#[test]
fn octets_that_a_reset_overtook_are_delivered() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.after(0.1, with(RST, server(5, 0, b"")));
    wire.after(0.1, server(0, 0, b"421\r\n"));
    let (facts, record) = wire.only();
    assert_eq!(
        (&record.to_client[..], facts.ending),
        (&b"421\r\n"[..], Ending::Reset(Direction::ToClient))
    );
}

#[test]
fn late_segments_do_not_open_a_ghost() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.close(0, 0);
    wire.after(500.0, with(FIN | ACK, server(0, 1, b"")));
    wire.after(1.0, client(1, 1, b""));
    let (facts, _) = wire.only();
    assert_eq!(facts.frames, 8);
}

#[test]
fn late_segments_open_no_ghost_where_too_many_lingered_or_memory_was_short() {
    let lingering = Limits {
        lingering: 2,
        ..Limits::default()
    };
    let flows = Limits {
        flows: 2,
        ..Limits::default()
    };
    for limits in [lingering, flows] {
        let mut wire = Wire::with_limits(limits);
        let at = |port: u16, mut segment: Segment<'static>| {
            segment.change_ends(|source, destination| {
                let client = if source.port == 25 { destination } else { source };
                client.port = 40_000 + port;
            });
            segment
        };
        for port in 0..5 {
            wire.send(at(port, syn()));
            wire.send(at(port, with(SYN | ACK, server(0u32.wrapping_sub(1), 0, b""))));
            wire.send(at(port, client(0, 0, b"")));
            wire.send(at(port, server(0, 0, b"220 mx\r\n")));
            wire.send(at(port, with(FIN | ACK, server(8, 0, b""))));
            wire.send(at(port, with(FIN | ACK, client(0, 9, b""))));
            wire.send(at(port, server(9, 1, b"")));
        }
        wire.poll();
        assert_eq!((wire.finished.len(), wire.table.open()), (3, 2));
        let late = [
            server(0, 0, b"220 mx\r\n"),
            with(FIN | ACK, client(0, 9, b"")),
            with(RST, client(1, 9, b"")),
            server(9, 1, b""),
        ];
        for segment in late {
            wire.send(at(0, segment));
        }
        assert_eq!(wire.table.counts().late_segments, 4);
        assert_eq!(wire.table.open(), 2);
        // New octets are not late, and neither is a new connection.
        wire.send(at(1, server(8, 0, b"221\r\n")));
        wire.send(at(2, syn()));
        assert_eq!((wire.table.counts().late_segments, wire.table.half_open()), (4, 1));
        assert_eq!(wire.finish().len(), 7);
    }
}

#[test]
fn a_closed_connection_is_handed_out_after_two_seconds() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.close(0, 0);
    assert_eq!((wire.table.open(), wire.finished.len()), (1, 0));
    let mut other = syn();
    other.change_ends(|source, _| source.port = 7);
    wire.after(3_000.0, other);
    assert_eq!((wire.table.open(), wire.finished.len()), (0, 1));
    assert_eq!(wire.table.half_open(), 1);
}

#[test]
fn silence_ends_half_open_connections_after_a_minute_and_others_after_an_hour() {
    let mut wire = Wire::new();
    wire.send(syn());
    let mut second = client(0, 0, b"EHLO");
    second.change_ends(|source, _| source.port = 41_000);
    wire.send(second);
    let tick = |wire: &mut Wire, seconds: u32| {
        for _ in 0..seconds / 30 {
            let mut other = client(0, 0, b"");
            other.change_ends(|source, _| source.port = 42_000);
            wire.after(30_000.0, other);
        }
    };
    tick(&mut wire, 90);
    assert_eq!(wire.finished.len(), 1);
    assert_eq!(
        (wire.finished[0].facts.opening, wire.finished[0].facts.ending),
        (Opening::SynOnly, Ending::Idle)
    );
    tick(&mut wire, 3_400);
    assert_eq!(wire.finished.len(), 1);
    tick(&mut wire, 300);
    assert_eq!((wire.finished.len(), wire.finished[1].facts.ending), (2, Ending::Idle));
    assert_eq!(wire.table.counts().idle, 2);
    wire.finish();
}

#[test]
fn one_frame_from_the_future_ends_nothing() {
    let mut wire = Wire::new();
    wire.handshake();
    let mut odd = client(0, 0, b"");
    odd.change_ends(|source, _| source.port = 9);
    wire.push(&Segment {
        stamp: Stamp {
            frame: FrameNumber(99),
            time: Timestamp::MAX,
        },
        ..odd
    });
    wire.send(server(0, 0, b"220"));
    let finished = wire.finish();
    assert_eq!(finished.len(), 2);
    assert_eq!(finished[0].stream.as_ref().unwrap().to_client, b"220");
    assert_eq!(finished[0].facts.ending, Ending::CaptureEnd);
}

#[test]
fn too_many_connections_evict_the_least_recently_active() {
    let mut wire = Wire::with_limits(Limits {
        flows: 3,
        ..Limits::default()
    });
    for port in [1, 2, 3] {
        let mut segment = client(0, 0, b"EHLO");
        segment.change_ends(|source, _| source.port = port);
        wire.after(2_000.0, segment);
    }
    for port in [1, 4] {
        let mut segment = client(4, 0, b"more");
        segment.change_ends(|source, _| source.port = port);
        wire.after(2_000.0, segment);
    }
    assert_eq!(wire.table.counts().evicted, 1);
    assert_eq!(
        (wire.finished[0].facts.client.port, wire.finished[0].facts.ending),
        (2, Ending::Evicted)
    );
    assert_eq!(wire.finished[0].facts.roles, RoleEvidence::Port);
    assert_eq!(wire.finish().len(), 4);
}

#[test]
fn too_much_memory_evicts_until_it_fits() {
    let mut wire = Wire::with_limits(Limits {
        memory: 20_000,
        ..Limits::default()
    });
    for port in 1..200u16 {
        let mut segment = client(0, 0, b"EHLO");
        segment.change_ends(|source, _| source.port = port);
        wire.send(segment);
        assert!(wire.table.memory() <= 20_000);
    }
    assert!(wire.table.counts().evicted > 150);
    wire.finish();
}

#[test]
fn resets_alone_set_no_usual_time_to_live() {
    let mut wire = Wire::new();
    for time_to_live in [50, 60] {
        wire.send(syn());
        wire.send(Segment {
            sequence: 0,
            time_to_live,
            ..with(RST | ACK, server(0, 0, b""))
        });
    }
    let (facts, _) = wire.only();
    assert_eq!(facts.resets.len(), 2);
    assert!(
        facts
            .resets
            .iter()
            .all(|reset| !reset.looks_forged && reset.usual_time_to_live.is_none())
    );
}

#[test]
fn a_forged_fin_ahead_of_the_stream_does_not_end_it() {
    let mut wire = Wire::new();
    wire.handshake();
    wire.send(with(FIN | ACK, client(3, 0, b"")));
    wire.send(server(0, 12, b""));
    wire.send(client(0, 0, b"MAIL FROM:<>"));
    let (facts, record) = wire.only();
    assert_eq!(record.to_server, b"MAIL FROM:<>");
    assert_eq!(
        (facts.ending, facts.directions.to_server.octets_after_fin),
        (Ending::CaptureEnd, 0)
    );
}
