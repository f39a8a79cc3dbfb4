//! Watched live: the clock goes on without segments, ended connections are handed out early, and stopping is no ending.

use std::time::Duration;

use super::*;

fn watched() -> Wire {
    Wire::with_limits(Limits {
        report_after: Some(Duration::from_millis(700)),
        ..Limits::default()
    })
}

impl Wire {
    /// Nothing comes for a while.
    fn silence(&mut self, milliseconds: f64) {
        self.now += milliseconds;
        self.advance_to(stamp(0, self.now).time);
        self.poll();
    }
}

#[test]
fn silence_ends_what_is_closed_reset_and_unanswered() {
    let mut wire = watched();
    wire.handshake();
    wire.close(0, 0);
    wire.silence(600.0);
    assert!(wire.finished.is_empty());
    wire.silence(300.0);
    assert_eq!(wire.finished.len(), 1);
    wire.send(syn());
    wire.silence(59_000.0);
    assert_eq!(wire.finished.len(), 1);
    wire.silence(2_000.0);
    assert_eq!(wire.finished[1].facts.ending, Ending::Idle);
}

#[test]
fn late_copies_of_a_connection_that_was_handed_out_open_nothing() {
    let mut wire = watched();
    wire.handshake();
    wire.send(server(0, 0, b"220 mx\r\n"));
    wire.close(0, 8);
    wire.silence(800.0);
    assert_eq!(wire.finished.len(), 1);
    wire.send(server(0, 0, b"220 mx\r\n"));
    wire.send(with(FIN | ACK, client(0, 8, b"")));
    wire.send(with(RST, client(1, 9, b"")));
    assert_eq!(wire.table.counts().late_segments, 3);
    assert_eq!(wire.finish().len(), 1);
}

#[test]
fn new_octets_after_a_reset_that_was_told_are_seen_and_so_is_a_new_connection() {
    let mut wire = watched();
    wire.handshake();
    wire.send(server(0, 0, b"220 mx\r\n"));
    wire.send(with(RST | ACK, server(8, 0, b"")));
    wire.silence(800.0);
    assert_eq!(wire.finished.len(), 1);
    // A forged reset must not end our sight.
    wire.send(client(0, 8, b"EHLO client.example\r\n"));
    assert_eq!(wire.table.open(), 1);
    let finished = wire.finish();
    assert_eq!(
        finished[1].stream.as_ref().unwrap().to_server,
        b"EHLO client.example\r\n"
    );

    let mut wire = watched();
    wire.handshake();
    wire.close(0, 0);
    wire.silence(800.0);
    wire.send(syn());
    assert_eq!(wire.table.half_open(), 1);
}

#[test]
fn a_refused_syn_repeated_after_half_a_second_is_one_connection() {
    // As Windows does it, twice.
    let mut wire = watched();
    for milliseconds in [10.0, 500.0, 500.0] {
        wire.after(milliseconds, syn());
        wire.after(1.0, with(RST | ACK, server(0u32.wrapping_sub(1), 0, b"")));
    }
    assert_eq!(wire.finish().len(), 1);
}

#[test]
fn stopping_is_an_ending_of_its_own() {
    let mut wire = watched();
    wire.handshake();
    wire.send(server(0, 0, b"220 mx\r\n"));
    let open: Vec<_> = wire.table.open_connections().map(|(one, _)| one).collect();
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].octets.to_client, open[0].octets.to_server), (8, 0));
    assert!(open[0].established);
    wire.stop_at(stamp(0, wire.now).time);
    wire.poll();
    assert_eq!(wire.finished[0].facts.ending, Ending::Stopped);
}

#[test]
fn what_is_remembered_of_the_departed_is_bounded() {
    let mut wire = Wire::with_limits(Limits {
        report_after: Some(Duration::from_millis(700)),
        departed: 10,
        ..Limits::default()
    });
    for port in 0..50 {
        let at = |segment: Segment<'static>| {
            let mut segment = segment;
            segment.change_ends(|source, destination| {
                let client = if source.port == 25 { destination } else { source };
                client.port = 40_000 + port;
            });
            segment
        };
        wire.send(at(syn()));
        wire.send(at(with(RST | ACK, server(0u32.wrapping_sub(1), 0, b""))));
        wire.silence(800.0);
    }
    assert_eq!(wire.finished.len(), 50);
    assert!(wire.table.departures.remembered() <= 10);
    wire.silence(11_000.0);
    assert_eq!(wire.table.departures.remembered(), 0);
}
