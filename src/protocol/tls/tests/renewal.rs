//! Keys that change in a connection: renegotiation (TLS 1.2), early data, padding, KeyUpdate, a lost ChangeCipherSpec.

use super::sealer::Sealer;
use super::wire::{C, S, at, choice12, choice13, client_hello, extension, extensions13, message, record, server_hello};
use crate::frame::FrameNumber;
use crate::protocol::tls::keys::testing::expand_label_sha256;
use crate::protocol::tls::{Decoder, Inside, Keys, TlsFacts, TlsStart, Unopened};
use crate::span::Direction;
use crate::tcp::{Chunk, Gap};

const GCM12: u16 = 0xC02F;
const GCM13: u16 = 0x1301;
/// The randoms that `wire` puts into its hellos.
const CLIENT: [u8; 32] = [7; 32];
const SERVER: [u8; 32] = [8; 32];

fn line(label: &str, random: &[u8; 32], secret: &[u8]) -> String {
    let hex = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    format!("{label} {} {}\n", hex(random), hex(secret))
}

fn keys(lines: &[String]) -> Keys {
    let keys = Keys::default();
    keys.add(lines.concat().as_bytes(), FrameNumber(0));
    keys
}

/// Octets of a direction, or a hole.
enum Play {
    Says(Direction, Vec<u8>),
    Hole(Direction, u64),
}
use Play::{Hole, Says};

/// The facts, and what was heard with "|" between records and "?" for a hole.
fn play(keys: &Keys, plays: &[Play]) -> (TlsFacts, [String; 2]) {
    let mut decoder = Decoder::new(TlsStart::Implicit, at(1)).with_keys(keys.clone());
    let mut offsets = [0; 2];
    let mut heard = [String::new(), String::new()];
    for (frame, play) in plays.iter().enumerate() {
        let stamp = at(frame as u64 + 1);
        match play {
            Says(direction, bytes) => {
                decoder.push(Chunk {
                    direction: *direction,
                    offset: offsets[*direction as usize],
                    bytes,
                    stamp,
                });
                offsets[*direction as usize] += bytes.len() as u64;
            }
            Hole(direction, length) => {
                decoder.gap(&Gap {
                    direction: *direction,
                    offset: offsets[*direction as usize],
                    length: *length,
                    found_at: stamp,
                    acknowledged: true,
                    cut_by_snap_length: false,
                });
                offsets[*direction as usize] += length;
            }
        }
        while let Some(inside) = decoder.poll_inside() {
            match inside {
                Inside::Text(text) => {
                    let heard = &mut heard[text.direction() as usize];
                    for chunk in text.chunks() {
                        heard.push_str(std::str::from_utf8(chunk.bytes).unwrap());
                    }
                    heard.push('|');
                }
                Inside::Gap(gap) => heard[gap.direction as usize].push('?'),
            }
        }
    }
    (decoder.finish(), heard)
}

const MASTER: [u8; 48] = [0x41; 48];
const SECOND: [u8; 48] = [0x42; 48];
const CCS: [u8; 6] = [20, 3, 3, 0, 1, 1];

fn hello12(random: u8) -> Vec<u8> {
    let mut body = client_hello(0x0303, &[], &[GCM12], Some(&[]));
    body[2..34].fill(random);
    message(1, &body)
}

fn finished12() -> Vec<u8> {
    message(20, &[0xF1; 12])
}

/// A TLS 1.2 handshake, and both sealers.
fn handshake12() -> (Vec<Play>, Sealer, Sealer) {
    let mut client = Sealer::tls12(&MASTER, &CLIENT, &SERVER, C);
    let mut server = Sealer::tls12(&MASTER, &CLIENT, &SERVER, S);
    let plays = vec![
        Says(C, record(22, &hello12(7))),
        Says(
            S,
            record(22, &[message(2, &choice12(GCM12)), message(14, &[])].concat()),
        ),
        Says(
            C,
            [
                record(22, &message(16, &[1; 33])),
                CCS.to_vec(),
                client.seal(22, &finished12(), 0),
            ]
            .concat(),
        ),
        Says(S, [CCS.to_vec(), server.seal(22, &finished12(), 0)].concat()),
    ];
    (plays, client, server)
}

#[test]
fn a_renegotiation_inside_tls_brings_new_keys() {
    let (mut plays, mut client, mut server) = handshake12();
    plays.push(Says(C, client.seal(23, b"before", 0)));
    plays.push(Says(S, server.seal(22, &message(0, &[]), 0)));
    plays.push(Says(C, client.seal(22, &hello12(0x17), 0)));
    let choice = server_hello(0x0303, &[0x18; 32], &[], GCM12, &[extension(0xFF01, &[0])]);
    plays.push(Says(
        S,
        server.seal(22, &[message(2, &choice), message(14, &[])].concat(), 0),
    ));
    let mut client2 = Sealer::tls12(&SECOND, &[0x17; 32], &[0x18; 32], C);
    let mut server2 = Sealer::tls12(&SECOND, &[0x17; 32], &[0x18; 32], S);
    plays.push(Says(
        C,
        [
            client.seal(22, &message(16, &[1; 33]), 0),
            client.seal(20, &[1], 0),
            client2.seal(22, &finished12(), 0),
        ]
        .concat(),
    ));
    plays.push(Says(
        S,
        [server.seal(20, &[1], 0), server2.seal(22, &finished12(), 0)].concat(),
    ));
    plays.push(Says(C, client2.seal(23, b"after", 0)));
    plays.push(Says(S, server2.seal(23, b"yes", 0)));
    let both = [
        line("CLIENT_RANDOM", &CLIENT, &MASTER),
        line("CLIENT_RANDOM", &[0x17; 32], &SECOND),
    ];
    let (facts, heard) = play(&keys(&both), &plays);
    assert_eq!(heard, ["before|after|", "yes|"]);
    assert!(facts.decrypted && facts.renegotiation.is_some() && facts.client_hellos.len() == 1);
    // Without the second line the new keys are not known, and the new data not told.
    let (facts, heard) = play(&keys(&both[..1]), &plays);
    assert_eq!(heard, ["before|??", "??"]);
    assert!(matches!(
        facts.decryption.to_server.stopped,
        Some((Unopened::NoSecret, _))
    ));
}

#[test]
fn a_later_change_cipher_spec_asks_again_where_data_were_only_counted() {
    let (mut plays, mut client, _) = handshake12();
    plays.push(Says(C, client.seal(23, b"not known yet", 0)));
    plays.push(Says(C, client.seal(23, b"still not known", 0)));
    let mut again = Sealer::tls12(&MASTER, &CLIENT, &SERVER, C);
    plays.push(Says(C, [CCS.to_vec(), again.seal(23, b"known", 0)].concat()));
    let keys = Keys::default();
    let since = FrameNumber(plays.len() as u64);
    keys.add(line("CLIENT_RANDOM", &CLIENT, &MASTER).as_bytes(), since);
    let (facts, heard) = play(&keys, &plays);
    assert_eq!(heard, ["known|", ""]);
    assert_eq!(facts.directions.to_server.application_records, 3);
}

#[test]
fn a_lost_change_cipher_spec_does_not_stop_the_rest() {
    let (mut plays, mut client, mut server) = handshake12();
    plays[2] = Hole(C, 100);
    plays.push(Says(C, client.seal(23, b"EHLO", 0)));
    plays.push(Says(S, server.seal(23, b"250", 0)));
    plays.push(Says(C, client.seal(23, b"QUIT", 0)));
    let (facts, heard) = play(&keys(&[line("CLIENT_RANDOM", &CLIENT, &MASTER)]), &plays);
    assert_eq!(heard, ["EHLO|QUIT|", "250|"]);
    assert!(facts.decrypted);
}

#[test]
fn compression_and_unknown_suites_are_not_opened() {
    let (mut plays, mut client, _) = handshake12();
    plays.push(Says(C, client.seal(23, b"EHLO", 0)));
    for (suite, compression) in [(GCM12, 1), (0xC051, 0)] {
        let mut choice = choice12(suite);
        choice[37] = compression;
        plays[1] = Says(S, record(22, &message(2, &choice)));
        let (facts, heard) = play(&keys(&[line("CLIENT_RANDOM", &CLIENT, &MASTER)]), &plays);
        assert_eq!(heard, ["", ""]);
        assert!(matches!(
            facts.decryption.to_server.stopped,
            Some((Unopened::Unsupported, _))
        ));
    }
}

struct Secrets {
    early: [u8; 32],
    client: [u8; 32],
    server: [u8; 32],
    client_data: [u8; 32],
    server_data: [u8; 32],
}

const SECRETS: Secrets = Secrets {
    early: [1; 32],
    client: [2; 32],
    server: [3; 32],
    client_data: [4; 32],
    server_data: [5; 32],
};

fn lines13(early: bool) -> Vec<String> {
    let mut lines = vec![
        line("CLIENT_HANDSHAKE_TRAFFIC_SECRET", &CLIENT, &SECRETS.client),
        line("SERVER_HANDSHAKE_TRAFFIC_SECRET", &CLIENT, &SECRETS.server),
        line("CLIENT_TRAFFIC_SECRET_0", &CLIENT, &SECRETS.client_data),
        line("SERVER_TRAFFIC_SECRET_0", &CLIENT, &SECRETS.server_data),
    ];
    if early {
        lines.push(line("CLIENT_EARLY_TRAFFIC_SECRET", &CLIENT, &SECRETS.early));
    }
    lines
}

fn finished13() -> Vec<u8> {
    message(20, &[0xF2; 32])
}

/// A TLS 1.3 handshake with what the client sends early, and the sealers of application data.
fn handshake13(early: &[&[u8]], accepted: bool) -> (Vec<Play>, Sealer, Sealer) {
    let mut client = Sealer::tls13(&SECRETS.client);
    let mut server = Sealer::tls13(&SECRETS.server);
    let mut sender = Sealer::tls13(&SECRETS.early);
    let mut extensions = extensions13();
    if !early.is_empty() {
        extensions.push(extension(42, &[]));
        extensions.push(extension(41, &[0; 40]));
    }
    let hello = client_hello(0x0303, &[9; 32], &[GCM13], Some(&extensions));
    let mut plays = vec![Says(C, record(22, &message(1, &hello)))];
    for text in early {
        plays.push(Says(C, sender.seal(23, text, 0)));
    }
    let encrypted = message(8, &[0, 9, 0, 16, 0, 5, 0, 3, 2, b'h', b'2']);
    let flight = server.seal(22, &[encrypted, finished13()].concat(), 100);
    plays.push(Says(S, [record(22, &message(2, &choice13(GCM13))), flight].concat()));
    if accepted {
        plays.push(Says(C, sender.seal(22, &message(5, &[]), 0)));
    }
    plays.push(Says(C, client.seal(22, &finished13(), 0)));
    (
        plays,
        Sealer::tls13(&SECRETS.client_data),
        Sealer::tls13(&SECRETS.server_data),
    )
}

#[test]
fn padding_alpn_and_tickets_of_tls13_are_read() {
    let (mut plays, mut client, mut server) = handshake13(&[], false);
    plays.push(Says(S, server.seal(22, &message(4, &[3; 150]), 0)));
    plays.push(Says(S, server.seal(23, b"220", 1000)));
    plays.push(Says(C, client.seal(23, b"EHLO", 1)));
    // Nothing but padding, as hiding peers send it.
    plays.push(Says(C, client.seal(23, b"", 77)));
    plays.push(Says(S, server.seal(21, &[1, 0], 0)));
    let (facts, heard) = play(&keys(&lines13(false)), &plays);
    assert_eq!(heard, ["EHLO|", "220|"]);
    assert!(facts.decrypted && facts.session_ticket);
    assert_eq!(facts.server_hello.unwrap().alpn.unwrap().bytes(), b"h2");
    assert_eq!((facts.alerts.len(), facts.alerts[0].decrypted), (1, true));
    assert_eq!(facts.directions.to_client.application_records, 1);
    assert_eq!(facts.unreadable_messages, 0);
}

#[test]
fn early_data_is_read_with_its_secret_and_passed_over_without() {
    for accepted in [true, false] {
        let (mut plays, mut client, mut server) = handshake13(&[b"EHLO early", b"MAIL"], accepted);
        plays.push(Says(S, server.seal(23, b"220", 0)));
        plays.push(Says(C, client.seal(23, b"QUIT", 0)));
        let (facts, heard) = play(&keys(&lines13(true)), &plays);
        assert!(facts.decryption.to_server.stopped.is_none(), "{:?}", facts.decryption);
        assert!(heard[0].ends_with("QUIT|") && heard[1] == "220|", "{heard:?}");
        assert!(heard[0].starts_with("EHLO early|MAIL|"), "{heard:?}");
        let (facts, heard) = play(&keys(&lines13(false)), &plays);
        assert!(facts.decryption.to_server.stopped.is_none(), "{:?}", facts.decryption);
        assert_eq!(heard, ["QUIT|", "220|"]);
    }
}

#[test]
fn key_updates_are_followed_even_over_a_hole() {
    let (mut plays, mut client, server) = handshake13(&[], false);
    let _ = server;
    plays.push(Says(C, client.seal(23, b"one", 0)));
    let mut secret = SECRETS.client_data.to_vec();
    for text in [&b"two"[..], b"three"] {
        plays.push(Says(C, client.seal(22, &message(24, &[0]), 0)));
        secret = expand_label_sha256(&secret, "traffic upd", 32);
        client = Sealer::tls13(&secret);
        plays.push(Says(C, client.seal(23, text, 0)));
    }
    let (facts, heard) = play(&keys(&lines13(false)), &plays);
    assert_eq!(heard, ["one|two|three|", ""]);
    assert!(facts.decrypted);
    // The first KeyUpdate is in the hole, with a record of data.
    let lost = plays.len() - 4;
    plays[lost] = Hole(C, 27 + 22);
    let (facts, heard) = play(&keys(&lines13(false)), &plays);
    assert_eq!(heard, ["one|?two|three|", ""]);
    assert!(facts.decryption.to_server.stopped.is_none());
}
