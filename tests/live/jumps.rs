//! The capture's clock jumps: nothing ends, nothing hangs, and what comes afterwards is seen.

use std::time::Duration;

use crate::harness::{LONG, Live, Packet, from_time, header, one_session, parse, records, sessions, with_client_port};

const HOUR: i64 = 3_600 * 1_000_000_000;

fn session(number: u16, time: i64) -> Vec<Packet> {
    from_time(&with_client_port(&one_session(), 20_000 + number), time)
}

#[test]
fn sessions_before_after_and_across_a_jump_are_told_right() {
    let start = one_session()[0].time;
    for jump in [5 * HOUR, -5 * HOUR, 24 * 365 * HOUR, -24 * 365 * HOUR] {
        let mut live = Live::start(&["--format", "jsonl"]);
        live.feed(&header());
        live.feed(&records(&session(0, start)));
        // Open while the clock jumps: its second half comes at the new time.
        let across = session(1, start + 1_000_000_000);
        let (before, after) = across.split_at(across.len() / 2);
        live.feed(&records(before));
        let after: Vec<Packet> = after
            .iter()
            .map(|packet| Packet {
                time: packet.time + jump,
                bytes: packet.bytes.clone(),
            })
            .collect();
        live.feed(&records(&after));
        for number in 2..20 {
            live.feed(&records(&session(
                number,
                start + jump + i64::from(number) * 1_000_000_000,
            )));
        }
        // The line of the last one comes although nothing follows it.
        let last = (1 + 19 * one_session().len()).to_string();
        live.output
            .wait(&format!("\"id\":{last},"), LONG)
            .expect("the last session");
        live.close();
        assert!(live.end().0.success());
    }
}

#[test]
fn one_frame_from_another_time_ends_nothing() {
    let start = one_session()[0].time;
    for odd in [start + 1_000 * HOUR, start - 1_000 * HOUR, 0] {
        let mut live = Live::start(&["--format", "jsonl"]);
        live.feed(&header());
        let (one, other) = (session(0, start), session(1, start + 100_000_000));
        let (first, second) = one.split_at(one.len() / 2);
        live.feed(&records(first));
        let (begin, rest) = other.split_at(other.len() / 2);
        live.feed(&records(begin));
        let mut stray = rest[..1].to_vec();
        stray[0].time = odd;
        live.feed(&records(&stray));
        live.feed(&records(second));
        live.feed(&records(&rest[1..]));
        std::thread::sleep(Duration::from_millis(200));
        live.close();
        assert!(live.end().0.success());
        let told = sessions(&parse(&live.output.rest().concat()));
        assert_eq!(told.len(), 2, "{odd}");
        assert!(
            told.iter()
                .all(|one| one["ended_by"] == "client_fin" || one["ended_by"] == "server_fin"),
            "{told:?}"
        );
    }
}
