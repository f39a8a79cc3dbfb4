//! Whole IMAP sessions.

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

const MESSAGE: &str = "From: a@b\r\nSubject: hello\r\n\r\na1 OK no answer\r\n* BYE neither\r\n";

fn full_session() -> Vec<Turn> {
    let fetched = format!(
        "S: * 1 FETCH (UID 7 BODY[] {{{}}}\r\n{MESSAGE} FLAGS (\\Seen))",
        MESSAGE.len()
    );
    let twice = "S: * 2 FETCH (BODY[TEXT] {3}\r\n)\r\nRFC822.HEADER {0}\r\n)".to_string();
    script(&[
        "S: * OK [CAPABILITY IMAP4rev1 SASL-IR STARTTLS LOGINDISABLED] Dovecot ready.",
        "C: a1 CAPABILITY",
        "S: * CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na1 OK done",
        "C: a2 LOGIN bob open.sesame",
        "S: * BAD [ALERT] Plaintext authentication not allowed\r\na2 NO [PRIVACYREQUIRED] no",
        "C: a3 LOGIN {3}",
        "S: + OK",
        "C: bob {7+}\r\nop{n} s",
        "S: a3 NO [AUTHENTICATIONFAILED] failed",
        "C: a4 authenticate plain AGFsaWNlAHNlY3JldA==",
        "S: a4 OK [CAPABILITY IMAP4rev1 IDLE] Logged in",
        "C: a5 ID (\"name\" \"test\")",
        "S: * ID NIL\r\na5 OK",
        "C: a6 SELECT INBOX\r\na7 UID FETCH 7 (BODY[])\r\na8 NOOP",
        "S: * 2 EXISTS\r\na6 OK [READ-WRITE] done",
        &fetched,
        &twice,
        "S: a7 OK done\r\na8 OK {5}",
        "C: a9 IDLE",
        "S: + idling\r\n* 3 EXISTS",
        "C: DONE",
        "S: a9 OK",
        "C: b1 LOGOUT",
        "S: * BYE Logging out\r\nb1 OK",
    ])
}

#[test]
fn a_whole_session_is_read() {
    let (dialogue, upgrades) = read_cut(&full_session(), &[usize::MAX], false);
    assert_eq!(dialogue.greeting.as_ref().unwrap().kind, Captured::from("OK"));
    let lists: Vec<usize> = dialogue.capabilities.iter().map(|list| list.keywords.len()).collect();
    assert_eq!(lists, [4, 2, 2]);
    assert_eq!(
        lines_of(&dialogue),
        [
            "a1 CAPABILITY",
            "a2 LOGIN bob ********",
            "a3 LOGIN bob ********",
            "a4 AUTHENTICATE plain ********",
            "a5 ID (\"name\" \"test\")",
            "a6 SELECT INBOX",
            "a7 UID FETCH 7 (BODY[])",
            "a8 NOOP",
            "a9 IDLE",
            "b1 LOGOUT"
        ]
    );
    assert!(dialogue.commands.iter().all(|command| command.answer.yes().is_some()));
    let announces_nothing = dialogue.commands[7].answer.yes().unwrap();
    assert_eq!(announces_nothing.text, Captured::from("{5}"));
    let reveal = |index: usize| {
        let login = dialogue.commands[index].login.as_ref().unwrap();
        login.secret.as_ref().unwrap().reveal().unwrap().to_vec()
    };
    assert_eq!(reveal(1), b"open.sesame");
    assert_eq!(reveal(2), b"op{n} s");
    assert_eq!(reveal(3), b"secret");
    assert_eq!(
        dialogue.commands[3].login.as_ref().unwrap().identity,
        Some(Captured::from("alice"))
    );
    assert_eq!(
        dialogue.commands[2].answer.yes().unwrap().code,
        Some(Captured::from("AUTHENTICATIONFAILED"))
    );
    let fetch = &dialogue.commands[6];
    assert_eq!((fetch.messages, fetch.data_octets), (2, MESSAGE.len() as u64 + 3));
    assert_eq!(fetch.message.as_ref().unwrap().subject, Some(Captured::from("hello")));
    assert!(fetch.message.as_ref().unwrap().header_complete);
    assert_eq!(dialogue.warnings.len(), 1);
    assert_eq!(dialogue.bye.as_ref().unwrap().0, Captured::from("Logging out"));
    assert!(dialogue.idling.is_none() && upgrades.is_empty() && dialogue.resynchronised == 0);
}

#[test]
fn logins_of_every_form_show_the_user_and_never_the_password() {
    let table: &[(&str, Option<&str>, &[u8])] = &[
        ("C: a LOGIN bob hunter2", Some("bob"), b"hunter2"),
        (
            "C: a login \"bob smith\" \"hun\\\"ter2\"",
            Some("bob smith"),
            b"hun\"ter2",
        ),
        ("C: a LOGIN bob hunter2 more", Some("bob"), b"hunter2 more"),
        ("C: a LOGIN hunter2", None, b""),
        ("C: a LOGIN \"hunter2", None, b""),
        ("C: a LOGIN {3+}\r\nbob {7+}\r\nhunter2", Some("bob"), b"hunter2"),
        ("C: a LOGIN \"bob\" {7+}\r\nhunter2", Some("bob"), b"hunter2"),
    ];
    for (line, identity, password) in table {
        for cut in [1, 7, 1000] {
            let turns = script(&["S: * OK hi", line, "S: a NO", "C: b NOOP", "S: b OK"]);
            let (dialogue, _) = read_cut(&turns, &[cut], false);
            let login = dialogue.commands[0].login.as_ref().unwrap();
            assert_eq!(login.identity, identity.map(Captured::from), "{line}");
            assert_eq!(login.secret.as_ref().unwrap().reveal(), Some(*password), "{line}");
            assert!(!format!("{dialogue:?}").contains("hun"), "{dialogue:?}");
            assert_eq!(dialogue.commands.len(), 2);
        }
    }
    let two_step = read(&[
        "S: * OK",
        "C: a AUTHENTICATE LOGIN",
        "S: + VXNlcm5hbWU6",
        "C: YWxpY2U=",
        "S: + UGFzc3dvcmQ6",
        "C: aHVudGVyMg==",
        "S: a NO",
        "C: aHVudGVyMg==",
        "S: * BAD",
    ]);
    assert_eq!(lines_of(&two_step), ["a AUTHENTICATE LOGIN", MASK]);
    assert_eq!(
        two_step.commands[0].login.as_ref().unwrap().identity,
        Some(Captured::from("alice"))
    );
    let pop = read(&["S: * OK", "C: USER bob", "C: PASS hunter2", "C: a LOGN bob hunter2"]);
    assert!(!format!("{pop:?}").contains("hunter"), "{pop:?}");
}

#[test]
fn a_literal_that_is_refused_does_not_swallow_the_next_command() {
    let dialogue = read(&[
        "S: * OK",
        "C: a1 APPEND x {100}",
        "S: a1 NO [TRYCREATE] no",
        "C: a2 NOOP",
        "S: a2 OK",
    ]);
    assert_eq!(lines_of(&dialogue), ["a1 APPEND x {100}", "a2 NOOP"]);
    assert_eq!(status_of(&dialogue.commands[0]), Some(Status::No));
}

#[test]
fn starttls_is_told_at_the_right_octet() {
    let (dialogue, upgrades) = read_cut(
        &script(&["S: * OK", "C: a STARTTLS", "S: a OK go"]),
        &[usize::MAX],
        false,
    );
    assert_eq!(upgrades, [Upgrade::Asked, Upgrade::Accepted]);
    assert!(dialogue.switched_to_tls.is_some());
    let (_, upgrades) = read_cut(&script(&["S: * OK", "C: a STARTTLS", "S: a BAD no"]), &[3], false);
    assert_eq!(upgrades, [Upgrade::Asked, Upgrade::Refused]);
}

#[test]
fn preauth_bye_and_idle_without_done_are_told() {
    let dialogue = read(&["S: * PREAUTH hi", "C: a IDLE", "S: + idling"]);
    assert_eq!(dialogue.greeting.as_ref().unwrap().kind, Captured::from("PREAUTH"));
    assert_eq!(dialogue.idling, Some(dialogue.commands[0].span.last));
    assert_eq!(dialogue.commands[0].answer, Seen::No);
    let dialogue = read(&["S: * BYE Too many connections"]);
    assert_eq!(dialogue.greeting.unwrap().kind, Captured::from("BYE"));
    assert_eq!(dialogue.bye.unwrap().0, Captured::from("Too many connections"));
}

#[test]
fn garbage_of_a_tls_client_is_no_command_and_its_echo_a_warning() {
    let turns = [
        Turn::Server(b"* OK hi\r\n".to_vec()),
        Turn::Client(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\n\x03\x03 LOGIN a b\r\n".to_vec()),
        Turn::Server(b"\x16\x03\x01 BAD Error in IMAP command\r\n* BYE Too many invalid commands\r\n".to_vec()),
    ];
    for cut in [1, 100] {
        let (dialogue, _) = read_cut(&turns, &[cut], false);
        assert_eq!(dialogue.foreign.unwrap().0, "TLS");
        assert!(dialogue.commands.is_empty());
        assert_eq!(dialogue.warnings.len(), 1);
        assert!(dialogue.bye.is_some());
    }
}

#[test]
fn a_gap_inside_a_literal_loses_no_place_and_elsewhere_the_place_is_found_again() {
    let mut turns = script(&[
        "S: * OK",
        "C: a FETCH 1 BODY[]",
        "S: * 1 FETCH (BODY[] {200}\r\nFrom: a@b\r\n\r\nbody",
    ]);
    turns.push(Turn::ServerGap(200 - 19));
    turns.extend(script(&["S: )\r\na OK done"]));
    // 200 octets of literal: 17 + CRLF seen, the rest missing.
    let (dialogue, _) = read_cut(&turns, &[usize::MAX], false);
    assert_eq!(dialogue.resynchronised, 0);
    assert_eq!(dialogue.commands[0].message.as_ref().unwrap().missing, 181);
    assert_eq!(status_of(&dialogue.commands[0]), Some(Status::Ok));
    let mut turns = script(&["S: * OK", "C: a NOOP", "C: b NOOP", "C: c NOOP"]);
    turns.push(Turn::ServerGap(9));
    turns.extend(script(&["S: K\r\nb OK"]));
    let (dialogue, _) = read_cut(&turns, &[usize::MAX], false);
    assert_eq!(dialogue.resynchronised, 1);
    assert_eq!(dialogue.commands[0].answer, Seen::Hidden);
    assert_eq!(status_of(&dialogue.commands[1]), Some(Status::Ok));
}

#[test]
fn lines_behind_a_gap_that_may_be_credentials_are_masked() {
    let mut turns = script(&["S: * OK"]);
    turns.push(Turn::ClientGap(12));
    turns.extend(script(&["C: hunter2\"", "C: aHVudGVyMg==", "C: a3 NOOP"]));
    let (dialogue, _) = read_cut(&turns, &[usize::MAX], false);
    assert_eq!(lines_of(&dialogue), [MASK, MASK, "a3 NOOP"]);
}

#[test]
fn nothing_is_read_behind_compress() {
    let dialogue = read(&[
        "S: * OK",
        "C: a COMPRESS DEFLATE",
        "S: a OK",
        "C: b LOGIN x y",
        "S: * BYE",
    ]);
    assert_eq!(dialogue.commands.len(), 1);
    assert!(dialogue.bye.is_none());
}

#[test]
fn endless_lines_and_literals_keep_little() {
    let endless = vec![
        Turn::Server(b"* OK\r\n* 1 FETCH (BODY[] {99999999999}\r\n".to_vec()),
        Turn::Client(vec![b'x'; 300_000]),
        Turn::Server(vec![b'y'; 300_000]),
    ];
    let mut decoder = Decoder::new(Retention::default());
    play(&endless, &[4096], |step| match step {
        Step::Data(chunk) => decoder.push(chunk),
        Step::Gap(_) => Progress::default(),
    });
    assert!(decoder.weight() < 120_000, "{}", decoder.weight());
    let dialogue = decoder.finish();
    assert_eq!(dialogue.data_octets, 300_000);
    assert!(format!("{dialogue:?}").len() < 20_000);
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
