//! Whole POP3 sessions.

use super::*;
use crate::captured::Captured;
use crate::protocol::Seen;
use crate::protocol::retrieval::script::{Step, Turn, play, script};
use crate::protocol::retrieval::{Command, Status};
use crate::secret::{Keep, MASK};
use proptest::prelude::*;

fn read_cut(turns: &[Turn], cuts: &[usize], late: bool) -> (Dialogue, Vec<Upgrade>) {
    let retention = Retention {
        secrets: Keep::Kept,
        message_text: false,
    };
    let mut decoder = Decoder::new(retention);
    if late {
        decoder.joined_late();
    }
    let upgrades = play(turns, cuts, |step| match step {
        Step::Data(chunk) => decoder.push(chunk),
        Step::Gap(gap) => {
            decoder.gap(&gap);
            Progress::default()
        }
    });
    let _ = decoder.weight();
    (decoder.finish(), upgrades)
}

fn read(lines: &[&str]) -> Dialogue {
    read_cut(&script(lines), &[usize::MAX], false).0
}

fn lines_of(dialogue: &Dialogue) -> Vec<String> {
    dialogue
        .commands
        .iter()
        .map(|command| command.line.utf8().unwrap().to_owned())
        .collect()
}

fn status_of(command: &Command) -> Option<Status> {
    command.answer.yes().map(|answer| answer.status)
}

const MESSAGE: &str = "S: Received: x\r\nFrom: a@b\r\nSubject: hello\r\n\r\nbody\r\n..dot\r\n.\r\nS";

fn full_session() -> Vec<Turn> {
    let mut turns = script(&[
        "S: +OK Dovecot ready <1896.697@mail.example.jp>",
        "C: CAPA",
        "S: +OK\r\nCAPA\r\nTOP\r\nSTLS\r\nSASL PLAIN LOGIN\r\n.",
        "C: USER bob@example.jp",
        "S: +OK",
        "C: PASS open sesame 99",
        "S: -ERR [AUTH] Authentication failed.",
        "C: APOP bob@example.jp c4c9334bac560ecc979e58001b3e22fb",
        "S: +OK Logged in.",
        "C: STAT\r\nLIST\r\nUIDL 1\r\nRETR 1",
        "S: +OK 1 120\r\n+OK\r\n1 120\r\n.\r\n+OK 1 abc\r\n+OK 120 octets",
    ]);
    turns.push(Turn::Server(MESSAGE.as_bytes()[3..MESSAGE.len() - 1].to_vec()));
    turns.extend(script(&[
        "C: TOP 1 0",
        "S: +OK\r\nFrom: a@b\r\n\r\n.",
        "C: QUIT",
        "S: +OK Bye",
    ]));
    turns
}

#[test]
fn a_whole_session_is_read() {
    let (dialogue, upgrades) = read_cut(&full_session(), &[usize::MAX], false);
    let greeting = dialogue.greeting.as_ref().unwrap();
    assert_eq!(greeting.kind, Captured::from("+OK"));
    assert_eq!(greeting.timestamp, Some(Captured::from("<1896.697@mail.example.jp>")));
    assert_eq!(dialogue.capabilities[0].keywords.len(), 4);
    assert_eq!(
        lines_of(&dialogue),
        [
            "CAPA",
            "USER bob@example.jp",
            "PASS ********",
            "APOP bob@example.jp ********",
            "STAT",
            "LIST",
            "UIDL 1",
            "RETR 1",
            "TOP 1 0",
            "QUIT"
        ]
    );
    assert!(dialogue.commands.iter().all(|command| command.answer.yes().is_some()));
    let pass = &dialogue.commands[2];
    assert_eq!(status_of(pass), Some(Status::No));
    assert_eq!(pass.answer.yes().unwrap().code, Some(Captured::from("AUTH")));
    let login = pass.login.as_ref().unwrap();
    assert_eq!(login.identity, Some(Captured::from("bob@example.jp")));
    assert_eq!(
        login.secret.as_ref().unwrap().reveal(),
        Some(b"open sesame 99".as_slice())
    );
    let apop = dialogue.commands[3].login.as_ref().unwrap();
    assert!(apop.secret.is_none());
    assert_eq!(
        apop.response.as_ref().unwrap().reveal(),
        Some(b"c4c9334bac560ecc979e58001b3e22fb".as_slice())
    );
    let retr = &dialogue.commands[7];
    let size = "Received: x\r\nFrom: a@b\r\nSubject: hello\r\n\r\nbody\r\n.dot\r\n".len() as u64;
    assert_eq!((retr.messages, retr.data_octets), (1, size));
    let message = retr.message.as_ref().unwrap();
    assert_eq!(message.subject, Some(Captured::from("hello")));
    assert_eq!(message.body_octets, 12);
    assert!(upgrades.is_empty() && dialogue.bye.is_none() && dialogue.resynchronised == 0);
}

#[test]
fn sasl_exchanges_show_the_user_and_never_the_password() {
    // alice, secret and their like in base64.
    let table: &[(&[&str], &str, Option<&str>, bool)] = &[
        (
            &["C: AUTH PLAIN AGFsaWNlAHNlY3JldA==", "S: +OK"],
            "PLAIN",
            Some("alice"),
            true,
        ),
        (
            &["C: auth plain", "S: + ", "C: AGFsaWNlAHNlY3JldA", "S: +OK"],
            "PLAIN",
            Some("alice"),
            true,
        ),
        (
            &[
                "C: AUTH LOGIN",
                "S: + VXNlcm5hbWU6",
                "C: YWxpY2U=",
                "S: + UGFzc3dvcmQ6",
                "C: c2VjcmV0",
                "S: +OK",
            ],
            "LOGIN",
            Some("alice"),
            true,
        ),
        (
            &["C: AUTH LOGIN YWxpY2U=", "S: + UGFzc3dvcmQ6", "C: c2VjcmV0", "S: +OK"],
            "LOGIN",
            Some("alice"),
            true,
        ),
        (
            &["C: AUTH CRAM-MD5", "S: + PDFAYj4=", "C: YWxpY2Ugc2VjcmV0", "S: +OK"],
            "CRAM-MD5",
            Some("alice"),
            false,
        ),
        (
            &[
                "C: AUTH XOAUTH2 dXNlcj1hbGljZQFhdXRoPUJlYXJlciBzZWNyZXQBAQ==",
                "S: + eyJzdGF0dXMiOiI0MDEifQ==",
                "C: ",
                "S: -ERR",
            ],
            "XOAUTH2",
            Some("alice"),
            true,
        ),
        (
            &["C: AUTH GSSAPI", "S: + ", "C: c2VjcmV0", "S: +OK"],
            "GSSAPI",
            None,
            false,
        ),
        (
            &["C: AUTH PLAIN", "S: + ", "C: c2VjcmV0", "S: -ERR"],
            "PLAIN",
            None,
            true,
        ),
    ];
    for (lines, mechanism, identity, readable) in table {
        let mut all = vec!["S: +OK hi"];
        all.extend(*lines);
        all.extend(["C: QUIT", "S: +OK"]);
        let dialogue = read(&all);
        assert_eq!(dialogue.commands.len(), 2, "{lines:?}");
        let login = dialogue.commands[0].login.as_ref().unwrap();
        assert_eq!(login.mechanism, Captured::from(*mechanism));
        assert_eq!(login.identity, identity.map(Captured::from), "{lines:?}");
        let crossed = if *readable { &login.secret } else { &login.response };
        assert_eq!(
            crossed.as_ref().unwrap().reveal(),
            Some(b"secret".as_slice()),
            "{lines:?}"
        );
        assert_eq!(login.oauth_error.is_some(), *mechanism == "XOAUTH2");
        let printed = format!("{dialogue:?}").replace("secret: ", "");
        for secret in ["secret", "c2VjcmV0", "AHNlY3JldA"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
    let cancelled = read(&[
        "S: +OK",
        "C: AUTH PLAIN",
        "S: + ",
        "C: *",
        "S: -ERR cancelled",
        "C: QUIT",
        "S: +OK",
    ]);
    assert!(cancelled.commands[0].login.as_ref().unwrap().cancelled);
    let listed = read(&["S: +OK", "C: AUTH", "S: +OK\r\nPLAIN\r\n.", "C: QUIT", "S: +OK"]);
    assert_eq!(listed.commands.len(), 2);
    assert!(listed.commands[0].login.is_none());
}

#[test]
fn stls_is_told_at_the_right_octet() {
    let (dialogue, upgrades) = read_cut(
        &script(&["S: +OK", "C: STLS", "S: +OK Begin TLS"]),
        &[usize::MAX],
        false,
    );
    assert_eq!(upgrades, [Upgrade::Asked, Upgrade::Accepted]);
    assert!(dialogue.switched_to_tls.is_some());
    let (dialogue, upgrades) = read_cut(&script(&["S: +OK", "C: STLS", "S: -ERR no"]), &[usize::MAX], false);
    assert_eq!(upgrades, [Upgrade::Asked, Upgrade::Refused]);
    assert!(dialogue.switched_to_tls.is_none());
}

#[test]
fn lines_behind_a_gap_that_may_be_credentials_are_masked() {
    let mut turns = script(&["S: +OK", "C: USER bob"]);
    turns.push(Turn::ClientGap(7));
    turns.extend(script(&[
        "C: cret word",
        "S: +OK",
        "S: -ERR [AUTH] no",
        "C: c2VjcmV0",
        "C: STAT",
        "S: -ERR",
        "S: +OK 0 0",
    ]));
    let (dialogue, _) = read_cut(&turns, &[usize::MAX], false);
    assert_eq!(lines_of(&dialogue), ["USER bob", MASK, MASK, "STAT"]);
    let (late, _) = read_cut(
        &script(&["C: opensesame", "S: +OK", "C: RETR 1", "S: +OK\r\nA: b\r\n\r\n."]),
        &[9],
        true,
    );
    assert_eq!(lines_of(&late), [MASK, "RETR 1"]);
    assert!(late.greeting.is_none() && late.joined_late);
}

#[test]
fn rejected_responses_and_unknown_words_are_masked() {
    let dialogue = read(&[
        "S: +OK",
        "C: XYZZY secret",
        "S: -ERR",
        "C: AUTH NTLM",
        "S: -ERR unsupported",
        "C: c2VjcmV0",
        "S: -ERR unknown",
        "C: PASSsecret",
        "S: -ERR",
    ]);
    assert_eq!(lines_of(&dialogue), ["XYZZY ********", "AUTH NTLM", MASK, MASK]);
}

#[test]
fn answers_in_a_gap_are_hidden_and_answers_never_sent_are_not_there() {
    let mut turns = script(&["S: +OK", "C: STAT"]);
    turns.push(Turn::ServerGap(30));
    let (dialogue, _) = read_cut(&turns, &[usize::MAX], false);
    assert_eq!(dialogue.commands[0].answer, Seen::Hidden);
    let dialogue = read(&["S: +OK", "C: STAT"]);
    assert_eq!(dialogue.commands[0].answer, Seen::No);
    let one_way = read(&["C: USER bob", "C: PASS x"]);
    assert!(one_way.commands.iter().all(|command| command.answer == Seen::Hidden));
}

#[test]
fn a_message_with_a_hole_goes_on_and_the_place_is_found_again() {
    let mut turns = script(&["S: +OK", "C: RETR 1", "S: +OK\r\nFrom: a@b\r\n\r\nbody"]);
    turns.push(Turn::ServerGap(100));
    turns.extend(script(&["S: rest\r\n.", "C: QUIT", "S: +OK bye"]));
    let (dialogue, _) = read_cut(&turns, &[usize::MAX], false);
    assert_eq!(dialogue.commands[0].message.as_ref().unwrap().missing, 100);
    assert!(
        dialogue
            .commands
            .iter()
            .all(|command| status_of(command) == Some(Status::Ok))
    );
    assert_eq!(dialogue.resynchronised, 1);
    // The end of the message lies in the hole: the next status line belongs to the next command.
    let mut turns = script(&["S: +OK", "C: RETR 1", "S: +OK\r\nFrom: a@b\r\n\r\nbody"]);
    turns.push(Turn::ServerGap(100));
    turns.extend(script(&["C: QUIT", "S: +OK bye"]));
    let (dialogue, _) = read_cut(&turns, &[usize::MAX], false);
    assert_eq!(dialogue.commands[1].answer.yes().unwrap().text, Captured::from("bye"));
    // The status line lies in the hole: the message is still one.
    let mut turns = script(&["S: +OK", "C: RETR 1"]);
    turns.push(Turn::ServerGap(10));
    turns.extend(script(&["S: From: a@b", "S: \r\nbody\r\n.", "C: QUIT", "S: +OK"]));
    let (dialogue, _) = read_cut(&turns, &[usize::MAX], false);
    assert_eq!(
        (&dialogue.commands[0].answer, dialogue.commands[0].messages),
        (&Seen::Hidden, 1)
    );
    assert_eq!(status_of(&dialogue.commands[1]), Some(Status::Ok));
}

#[test]
fn refusals_and_foreign_clients_are_told() {
    let refused = read(&["S: -ERR [SYS/TEMP] too many connections"]);
    assert_eq!(refused.greeting.unwrap().kind, Captured::from("-ERR"));
    let bye = read(&["S: +OK", "S: -ERR idle for too long"]);
    assert_eq!(bye.bye.unwrap().0, Captured::from("idle for too long"));
    let table: &[(&[u8], &str)] = &[
        (b"GET / HTTP/1.1\r\nAuthorization: Basic secret\r\n\r\n", "HTTP"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\n\x03", "TLS"),
        (b"SSH-2.0-x\r\n", "SSH"),
        (b"EHLO me\r\n", "SMTP"),
        (b"\x00\x01\n", "binary"),
    ];
    for (bytes, name) in table {
        for cut in [1, 3, 100] {
            let turns = [Turn::Server(b"+OK\r\n".to_vec()), Turn::Client(bytes.to_vec())];
            let (dialogue, _) = read_cut(&turns, &[cut], false);
            assert_eq!(dialogue.foreign.unwrap().0, *name);
            assert!(!format!("{dialogue:?}").contains("secret"));
            assert_eq!(
                dialogue.commands.len(),
                usize::from(name.len() != 3 && *name != "binary" || *name == "SSH")
            );
        }
    }
}

#[test]
fn commands_over_the_limits_are_counted() {
    let mut turns = script(&["S: +OK"]);
    for _ in 0..1500 {
        turns.extend(script(&["C: NOOP", "S: +OK"]));
    }
    let (dialogue, _) = read_cut(&turns, &[usize::MAX], false);
    assert_eq!((dialogue.commands.len(), dialogue.commands_not_kept), (256 + 1024, 220));
    let pipelined = vec![
        Turn::Client(b"NOOP\r\n".repeat(3000)),
        Turn::Server(b"+OK\r\n".repeat(3001)),
    ];
    let (dialogue, _) = read_cut(&pipelined, &[usize::MAX], false);
    assert_eq!(status_of(dialogue.commands.last().unwrap()), Some(Status::Ok));
    let endless = vec![Turn::Client(vec![b'x'; 300_000]), Turn::Server(vec![b'y'; 300_000])];
    let (dialogue, _) = read_cut(&endless, &[1000], false);
    assert!(format!("{dialogue:?}").len() < 20_000);
}

#[test]
fn injected_octets_are_kept_without_credentials() {
    let mut decoder = Decoder::new(Retention::default());
    let stamp = crate::span::Stamp {
        frame: crate::frame::FrameNumber(1),
        time: crate::time::Timestamp::MIN,
    };
    let span = Span {
        direction: Direction::ToServer,
        start: 0,
        end: 9,
        first: stamp,
        last: stamp,
    };
    decoder.record_injected(span, b"USER bob\r\nPASS secret\r\nSTAT\r\n");
    let dialogue = decoder.finish();
    assert_eq!(dialogue.injected[0].1, Captured::from("USER bob\r\nPASS ********"));
}

#[test]
fn one_octet_at_a_time_gives_the_same_dialogue() {
    let turns = full_session();
    assert_eq!(read_cut(&turns, &[1], false), read_cut(&turns, &[usize::MAX], false));
}

#[test]
fn turns_cut_at_any_one_place_give_the_same_dialogue() {
    let turns = full_session();
    let whole = read_cut(&turns, &[usize::MAX], false);
    for at in 2..200 {
        assert_eq!(read_cut(&turns, &[at, usize::MAX], false), whole, "cut at {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_cutting_of_any_mutant_gives_the_same_dialogue(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 0..6),
        gap in prop::option::of((any::<prop::sample::Index>(), any::<bool>(), 1_u64..500)),
        cuts in prop::collection::vec(1_usize..60, 1..6),
        late in any::<bool>(),
    ) {
        let mut turns = full_session();
        for (turn, at, octet) in edits {
            let turn = turn.index(turns.len());
            if let Turn::Client(bytes) | Turn::Server(bytes) = &mut turns[turn] {
                let at = at.index(bytes.len());
                bytes[at] = octet;
            }
        }
        if let Some((at, client, octets)) = gap {
            let at = at.index(turns.len());
            turns.insert(at, if client { Turn::ClientGap(octets) } else { Turn::ServerGap(octets) });
        }
        let whole = read_cut(&turns, &[usize::MAX], late);
        prop_assert_eq!(read_cut(&turns, &cuts, late), whole);
    }
}
