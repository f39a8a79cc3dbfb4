//! Decryption of the sessions in `fixtures/keys-*`, which real servers and clients made, and what must happen to them with
//! wrong, cut and missing keys, with damage and with holes.

use std::path::{Path, PathBuf};

use super::reading::{Connection, connections, feed};
use crate::frame::FrameNumber;
use crate::protocol::tls::{
    Decoder, Decryption, Inside, Keys, Likeness, TlsFacts, TlsStart, Unopened, looks_like_record,
};
use crate::span::{Direction, PerDirection, Stamp};

const FIXTURES: [&str; 6] = [
    "keys-cbc",
    "keys-embedded",
    "keys-handshake",
    "keys-old-suites",
    "keys-retrieval",
    "keys-suites",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn key_log(name: &str) -> String {
    std::fs::read_to_string(folder(name).join("capture.keys")).unwrap()
}

fn keys(text: &str) -> Keys {
    let keys = Keys::default();
    keys.add(text.as_bytes(), FrameNumber(0));
    keys
}

fn of(name: &str) -> Vec<Connection> {
    connections(&folder(name).join("capture.pcapng"))
}

/// What one direction says inside TLS: the text with "<n>" for n octets in a hole, and which frame brought how much.
#[derive(Clone, Debug, Default, PartialEq)]
struct Heard {
    text: String,
    frames: Vec<(Stamp, usize)>,
    /// Offset behind the last octet.
    end: u64,
}

fn hear(decoder: &mut Decoder, heard: &mut PerDirection<Heard>) {
    while let Some(inside) = decoder.poll_inside() {
        match inside {
            Inside::Text(text) => {
                let heard = heard.get_mut(text.direction());
                for chunk in text.chunks() {
                    assert!(!chunk.bytes.is_empty());
                    if heard.end > 0 {
                        assert_eq!(chunk.offset, heard.end, "offsets have no holes");
                    }
                    heard.end = chunk.offset + chunk.bytes.len() as u64;
                    heard.text.push_str(&String::from_utf8_lossy(chunk.bytes));
                    match heard.frames.last_mut() {
                        Some((stamp, count)) if *stamp == chunk.stamp => *count += chunk.bytes.len(),
                        _ => heard.frames.push((chunk.stamp, chunk.bytes.len())),
                    }
                }
            }
            Inside::Gap(gap) => {
                let heard = heard.get_mut(gap.direction);
                heard.text.push_str(&format!("<{}>", gap.length));
                heard.end = gap.offset + gap.length;
            }
        }
    }
}

type Told = (TlsFacts, PerDirection<Heard>);

fn heard() -> PerDirection<Heard> {
    PerDirection {
        to_server: Heard::default(),
        to_client: Heard::default(),
    }
}

/// Plays a connection from its first TLS octets on; `change` may change, replace or drop an event of that direction's
/// number.
fn play_changed(
    connection: &Connection,
    keys: &Keys,
    step: usize,
    mut change: impl FnMut(Direction, usize, &[u8]) -> Option<Vec<u8>>,
) -> Told {
    let begins = connection
        .events
        .iter()
        .position(|event| event.direction == Direction::ToServer && looks_like_record(&event.bytes) == Likeness::Yes);
    let events = &connection.events[begins.unwrap()..];
    let start = if begins == Some(0) {
        TlsStart::Implicit
    } else {
        TlsStart::Upgraded
    };
    let mut decoder = Decoder::new(start, events[0].stamp).with_keys(keys.clone());
    let mut heard = heard();
    let (mut numbers, mut missing) = ([0; 2], [0; 2]);
    for event in events {
        let number = &mut numbers[event.direction as usize];
        let missing = &mut missing[event.direction as usize];
        match change(event.direction, *number, &event.bytes) {
            Some(bytes) => {
                let event = super::reading::Delivered {
                    direction: event.direction,
                    offset: event.offset,
                    missing: std::mem::take(missing) + event.missing,
                    bytes,
                    stamp: event.stamp,
                };
                feed(&mut decoder, &event, step);
            }
            None => *missing += event.bytes.len() as u64,
        }
        *number += 1;
        hear(&mut decoder, &mut heard);
    }
    (decoder.finish(), heard)
}

fn play(connection: &Connection, keys: &Keys, step: usize) -> Told {
    play_changed(connection, keys, step, |_, _, bytes| Some(bytes.to_vec()))
}

fn without_decryption(mut facts: TlsFacts) -> TlsFacts {
    facts.decryption = PerDirection::default();
    facts
}

fn both(facts: &TlsFacts) -> [&Decryption; 2] {
    [&facts.decryption.to_server, &facts.decryption.to_client]
}

#[test]
fn every_session_opens_whole_and_any_cut_gives_the_same() {
    let (mut opened, mut connections) = (0, 0);
    for name in FIXTURES {
        let keys = keys(&key_log(name));
        for connection in of(name) {
            let whole = play(&connection, &keys, usize::MAX);
            for step in [1, 2, 3, 7, 100] {
                assert_eq!(
                    play(&connection, &keys, step),
                    whole,
                    "{name} {} by {step}",
                    connection.client
                );
            }
            let (facts, heard) = whole;
            for side in both(&facts) {
                assert!(
                    side.opened > 0 || side.stopped.is_none(),
                    "{name} {}",
                    connection.client
                );
                assert_eq!((side.unopened, side.stopped), (0, None), "{name} {}", connection.client);
                opened += side.opened;
            }
            connections += 1;
            assert!(facts.encrypted_alerts.is_empty(), "{name} {}", connection.client);
            if facts.decrypted {
                assert!(heard.to_server.text.contains("QUIT") || heard.to_server.text.contains("LOGOUT"));
            }
        }
    }
    assert!(
        connections == 27 && opened > 400,
        "{connections} connections, {opened} records"
    );
}

#[test]
fn a_wrong_secret_opens_nothing_and_changes_no_fact() {
    for name in FIXTURES {
        // Every secret with its last digit changed: well-formed, and of nothing.
        let text = key_log(name);
        let wrong: String = text
            .lines()
            .map(|line| match line.strip_suffix('0') {
                Some(start) => format!("{start}1\n"),
                None => format!("{}0\n", &line[..line.len() - 1]),
            })
            .collect();
        for connection in of(name) {
            let (facts, told) = play(&connection, &keys(&wrong), usize::MAX);
            let (without, _) = play(&connection, &Keys::default(), usize::MAX);
            assert!(both(&facts).iter().all(|side| side.opened == 0), "{name}");
            let reasons: Vec<_> = both(&facts)
                .iter()
                .filter_map(|side| side.stopped.map(|(reason, _)| reason))
                .collect();
            assert!(!reasons.is_empty(), "{name} {}", connection.client);
            assert!(
                reasons.iter().all(|reason| *reason == Unopened::WrongSecret),
                "{name} {} {reasons:?}",
                connection.client
            );
            assert_eq!(told, heard(), "{name} {}", connection.client);
            assert_eq!(
                without_decryption(facts),
                without_decryption(without),
                "{name} {}",
                connection.client
            );
        }
    }
}

#[test]
fn a_key_log_cut_anywhere_opens_all_or_says_why_not() {
    for name in ["keys-suites", "keys-handshake"] {
        let text = key_log(name);
        let list = of(name);
        for end in (0..text.len()).step_by(61) {
            let keys = keys(&text[..end]);
            for connection in &list {
                let (facts, told) = play(connection, &keys, usize::MAX);
                let complete = both(&facts)
                    .iter()
                    .all(|side| side.stopped.is_none() && side.opened > 0);
                let quiet = told == heard();
                assert!(complete || quiet, "{name} cut at {end}: {:?}", facts.decryption);
                assert!(!facts.decrypted || complete);
                let reasons = both(&facts).map(|side| side.stopped.map(|(reason, _)| reason));
                assert!(
                    complete || keys.is_empty(FrameNumber(0)) || reasons.contains(&Some(Unopened::NoSecret)),
                    "{name} cut at {end}: {reasons:?}"
                );
            }
        }
    }
}

#[test]
fn the_secrets_of_one_direction_tell_no_half_dialogue() {
    for missing in ["CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"] {
        let text: String = key_log("keys-handshake")
            .lines()
            .filter(|line| !line.starts_with(missing))
            .map(|line| format!("{line}\n"))
            .collect();
        let keys = keys(&text);
        for connection in of("keys-handshake") {
            let (facts, told) = play(&connection, &keys, usize::MAX);
            assert_eq!(told, heard());
            assert!(!facts.decrypted);
            // The handshake and its certificate are read all the same.
            assert!(facts.resumed() || facts.server_certificate.is_some_and(|message| message.decrypted));
        }
    }
}

#[test]
fn secrets_that_come_after_the_handshake_are_told_to_be_late() {
    let connection = &of("keys-suites")[0];
    let last = connection.events.last().unwrap().stamp.frame.0;
    let told = |since: u64| {
        let keys = Keys::default();
        keys.add(key_log("keys-suites").as_bytes(), FrameNumber(since));
        let (facts, told) = play(connection, &keys, usize::MAX);
        let reasons = both(&facts).map(|side| side.stopped.map(|(reason, _)| reason));
        (reasons, told == heard())
    };
    assert_eq!(told(0), ([None; 2], false));
    // Behind the handshake, behind the last record, and where a run has others already.
    assert_eq!(told(last - 4), ([Some(Unopened::TooLate); 2], true));
    assert_eq!(told(last + 1), ([None; 2], true));
    let keys = keys(&key_log("keys-cbc"));
    keys.add(key_log("keys-suites").as_bytes(), FrameNumber(last - 4));
    let (facts, _) = play(connection, &keys, usize::MAX);
    assert!(matches!(
        facts.decryption.to_server.stopped,
        Some((Unopened::TooLate, _))
    ));
}

/// The fixtures and their sessions that say at least so many records each way, with text to check.
fn dialogues() -> Vec<(&'static str, Connection)> {
    let all = FIXTURES
        .into_iter()
        .flat_map(|name| of(name).into_iter().map(move |one| (name, one)));
    all.filter(|(name, connection)| play(connection, &keys(&key_log(name)), usize::MAX).0.decrypted)
        .collect()
}

#[test]
fn a_flipped_octet_costs_one_record_and_is_never_shown() {
    let mut flipped = 0;
    for (name, connection) in dialogues() {
        let keys = keys(&key_log(name));
        let (facts, whole) = play(&connection, &keys, usize::MAX);
        let chained = facts.server_hello.as_ref().unwrap().version.0 == 0x0301;
        for damaged in 3..events(&connection, Direction::ToServer) {
            // The last octet belongs to tag, MAC or padding.
            let (facts, told) = play_changed(&connection, &keys, usize::MAX, |direction, number, bytes| {
                let mut bytes = bytes.to_vec();
                if direction == Direction::ToServer && number == damaged {
                    *bytes.last_mut().unwrap() ^= 1;
                }
                Some(bytes)
            });
            let place = format!(
                "{name} {} event {damaged}: {:?}",
                connection.client, told.to_server.text
            );
            assert_eq!(told.to_client, whole.to_client, "{place}");
            let side = facts.decryption.to_server;
            assert!(
                (1..=1 + u64::from(chained)).contains(&side.unopened),
                "{place} {side:?}"
            );
            // With nothing behind it to open, a first record of its keys cannot prove them.
            let last = matches!(side.stopped, Some((Unopened::WrongSecret, _)));
            assert!(side.stopped.is_none() || last, "{place} {side:?}");
            let mut parts = told.to_server.text.split(['<', '>']);
            assert!(whole.to_server.text.starts_with(parts.next().unwrap()), "{place}");
            assert!(
                whole.to_server.text.ends_with(parts.next_back().unwrap_or("")),
                "{place}"
            );
            flipped += 1;
        }
    }
    assert!(flipped > 80, "{flipped}");
}

/// Events of a direction from the client's first TLS octets on.
fn events(connection: &Connection, way: Direction) -> usize {
    let all = connection.events.iter();
    let first = all
        .clone()
        .position(|event| event.direction == Direction::ToServer && looks_like_record(&event.bytes) == Likeness::Yes);
    all.skip(first.unwrap_or(0))
        .filter(|event| event.direction == way)
        .count()
}

#[test]
fn behind_a_hole_the_place_is_found_again_or_given_up_in_words() {
    let (mut found, mut given_up) = (0, 0);
    for (name, connection) in dialogues() {
        let keys = keys(&key_log(name));
        let (facts, whole) = play(&connection, &keys, usize::MAX);
        let streams = facts.server_hello.as_ref().unwrap().cipher_suite == 0x0005;
        for (way, hole) in Direction::BOTH
            .into_iter()
            .flat_map(|way| (3..events(&connection, way)).map(move |hole| (way, hole)))
        {
            let (facts, told) = play_changed(&connection, &keys, usize::MAX, |direction, number, bytes| {
                (direction != way || number != hole).then(|| bytes.to_vec())
            });
            let other = way.opposite();
            assert_eq!(told.get(other), whole.get(other));
            let side = facts.decryption.get(way);
            let (text, full) = (&told.get(way).text, &whole.get(way).text);
            let mut parts = text.split(['<', '>']);
            let place = format!("{name} {} {way:?} event {hole}: {text:?}", connection.client);
            if !text.contains('<') || full.contains('<') {
                continue;
            }
            let (start, end) = (parts.next().unwrap(), parts.next_back().unwrap());
            assert!(full.starts_with(start) && full.ends_with(end), "{place}");
            match side.stopped {
                Some((Unopened::LostPlace, _)) => given_up += 1,
                None if !end.is_empty() => found += 1,
                other => assert!(end.is_empty(), "{place} {other:?}"),
            }
            assert!(!streams || end.is_empty(), "RC4 cannot go on behind a hole");
        }
    }
    assert!(found > 50 && given_up > 0, "{found} found again, {given_up} given up");
}

/// The sizes of TLS 1.3 records alone tell handshake, tickets, application data and alerts apart; the keys say whether
/// that is right. A KeyUpdate has the size of five octets of text ("+OK" and its line end) and counts as such.
#[test]
fn what_is_inferred_without_keys_is_what_the_keys_show() {
    let mut compared = 0;
    for name in FIXTURES {
        let keys = keys(&key_log(name));
        for connection in of(name) {
            let (known, _) = play(&connection, &keys, usize::MAX);
            let (inferred, _) = play(&connection, &Keys::default(), usize::MAX);
            if known.server_hello.as_ref().unwrap().version.0 != 0x0304 {
                continue;
            }
            for direction in Direction::BOTH {
                let place = format!("{name} {} {direction:?}", connection.client);
                let (known_side, side) = (known.directions.get(direction), inferred.directions.get(direction));
                assert_eq!(side.finished, known_side.finished, "{place}");
                assert_eq!(
                    side.first_application_data, known_side.first_application_data,
                    "{place}"
                );
                let updates = connection.client.starts_with("192.0.2.136:");
                assert_eq!(
                    side.application_records,
                    known_side.application_records + u64::from(updates),
                    "{place}"
                );
                let ended = known.alerts.iter().filter(|alert| alert.span.direction == direction);
                let guessed = inferred
                    .encrypted_alerts
                    .iter()
                    .filter(|alert| alert.direction == direction);
                let clear = inferred.alerts.iter().filter(|alert| alert.span.direction == direction);
                assert_eq!(guessed.count() + clear.count(), ended.count(), "{place}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 22, "{compared}");
}

/// A small generator of numbers: the same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides.max(1)
    }
}

#[test]
fn whatever_happens_to_the_octets_only_text_that_was_sent_is_shown() {
    let mut dice = Dice(8446);
    let mut shown = 0;
    for (name, connection) in dialogues() {
        let keys = keys(&key_log(name));
        let (_, whole) = play(&connection, &keys, usize::MAX);
        for _ in 0..60 {
            let (facts, told) = play_changed(&connection, &keys, 1 + dice.roll(2000), |_, number, bytes| {
                let mut bytes = bytes.to_vec();
                match dice.roll(6) {
                    _ if number < 1 => {}
                    0 => {
                        let at = dice.roll(bytes.len());
                        bytes[at] ^= 1 << dice.roll(8);
                    }
                    1 => bytes.truncate(1 + dice.roll(bytes.len())),
                    2 => bytes.extend(vec![0x17; dice.roll(40)]),
                    3 if dice.roll(3) == 0 => return None,
                    _ => {}
                }
                Some(bytes)
            });
            for direction in Direction::BOTH {
                let full = &whole.get(direction).text;
                for part in told.get(direction).text.split(['<', '>']) {
                    let hole = part.parse::<u64>().is_ok();
                    assert!(hole || full.contains(part), "{name} {}: {part:?}", connection.client);
                    shown += part.len();
                }
            }
            assert!(facts.decryption.to_server.opened < 1000);
        }
    }
    assert!(shown > 10_000, "{shown}");
}
