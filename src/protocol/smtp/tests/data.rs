//! DATA, BDAT, line facts.

use super::{data_of, dialogue, summary, text, unsolicited};
use crate::protocol::Seen;
use crate::protocol::smtp::{Detail, LineFacts};

const OPENING: &str = "S: 220 a\nC: EHLO b\nS: 250 a\nC: MAIL FROM:<a@b>\nS: 250 ok\nC: RCPT TO:<c@d>\nS: 250 ok\n";

fn with_opening(script: &str) -> crate::protocol::smtp::Dialogue {
    dialogue(&format!("{OPENING}{script}"))
}

#[test]
fn dot_stuffing_is_undone_and_counted() {
    let dialogue = with_opening("C: DATA\nS: 354 go\nC: hi\n+: ..dot\n+: .x\n+: ...\n+: .\nS: 250 ok");
    let data = data_of(&dialogue, 3);
    assert_eq!(data.size, "hi\r\n.dot\r\nx\r\n..\r\n".len() as u64);
    assert_eq!(data.message.as_ref().unwrap().body_octets, data.size);
    assert_eq!(data.line_facts.stuffed_dots, 2);
    assert_eq!(data.line_facts.lines, 4);
    assert_eq!(data.line_facts.longest, 7);
}

#[test]
fn odd_line_ends_are_counted() {
    for (body, bare_line_feeds, bare_carriage_returns, ambiguous_ends) in [
        ("a\\r\\nb\\r\\n", 0, 0, 0),
        ("a\\nb\\r\\n", 1, 0, 0),
        ("a\\rb\\r\\n", 0, 1, 0),
        ("a\\n.\\nb\\r\\n", 2, 0, 1),
        ("a\\n.\\r\\nb\\r\\n", 1, 0, 1),
        ("a\\r\\n.\\nb\\r\\n", 1, 0, 1),
        ("a\\r\\n.\\rb\\r\\n", 0, 1, 1),
        ("a\\r.\\rb\\r\\n", 0, 2, 1),
        ("a\\r.\\r\\nb\\r\\n", 0, 1, 1),
        ("a\\r.\\nb\\r\\n", 1, 1, 1),
        ("a\\r\\r\\nb\\r\\n", 0, 1, 0),
        ("\\r\\r\\r\\n", 0, 2, 0),
    ] {
        let dialogue = with_opening(&format!("C: DATA\nS: 354 go\nc: {body}.\\r\\n\nS: 250 ok"));
        let facts = &data_of(&dialogue, 3).line_facts;
        let found = (facts.bare_line_feeds, facts.bare_carriage_returns, facts.ambiguous_ends);
        assert_eq!(
            found,
            (bare_line_feeds, bare_carriage_returns, ambiguous_ends),
            "{body}"
        );
        assert_eq!(facts.first_odd.is_some(), found != (0, 0, 0), "{body}");
        assert!(data_of(&dialogue, 3).ended.is_some(), "{body}");
    }
}

#[test]
fn a_lone_dot_makes_commands_of_the_rest() {
    let dialogue = with_opening(
        "C: DATA\nS: 354 go\nC: one\n+: .\n+: two\n+: three\n+: .\n+: QUIT\nS: 250 queued\n+: 500 what\n+: 500 what\n+: 500 what\n+: 221 bye",
    );
    assert_eq!(
        summary(&dialogue)[3..],
        ["DATA 354 =250", "two =500", "three =500", ". =500", "QUIT =221"]
    );
}

#[test]
fn a_body_sent_after_refusal_is_commands() {
    let dialogue = with_opening(
        "C: DATA\nS: 554 no valid recipients\nC: Subject: x\nS: 500 what\nC: .\nS: 500 what\nC: QUIT\nS: 221 bye",
    );
    assert_eq!(
        summary(&dialogue)[3..],
        ["DATA =554", "Subject: x =500", ". =500", "QUIT =221"]
    );
    assert!(matches!(dialogue.exchanges[3].detail, Detail::Data(None)));
}

#[test]
fn a_body_sent_without_waiting_follows_the_reply() {
    let accepted = with_opening("C: DATA\n+: Subject: x\n+: .\n+: QUIT\nS: 354 go\n+: 250 queued\n+: 221 bye");
    assert_eq!(summary(&accepted)[3..], ["DATA 354 =250", "QUIT =221"]);
    assert_eq!(data_of(&accepted, 3).size, 12);
    let refused = with_opening("C: DATA\n+: Subject: x\n+: .\n+: QUIT\nS: 554 no\n+: 500 a\n+: 500 b\n+: 221 bye");
    assert_eq!(
        summary(&refused)[3..],
        ["DATA =554", "Subject: x =500", ". =500", "QUIT =221"]
    );
    assert!(refused.exchanges[4].pipelined);
}

#[test]
fn a_long_body_without_go_ahead_is_taken_for_a_body() {
    let line = "x".repeat(70);
    let script = format!("C: DATA\n{}+: .\n+: QUIT\n", format!("+: {line}\n").repeat(300));
    let dialogue = with_opening(&format!("{script}S: 354 go\n+: 250 queued\n+: 221 bye"));
    assert_eq!(summary(&dialogue)[3..], ["DATA 354 =250", "QUIT =221"]);
    assert_eq!(data_of(&dialogue, 3).size, 72 * 300);
}

#[test]
fn two_replies_to_one_message_show_smuggling() {
    let dialogue = with_opening(
        "C: DATA\nS: 354 go\nc: one\\n.\\nMAIL FROM:<evil@e>\\r\\n.\\r\\n\nS: 250 queued\nS: 250 ok\nS: 500 what\nC: QUIT\nS: 221 bye",
    );
    assert_eq!(summary(&dialogue)[3..], ["DATA 354 =250", "QUIT =221"]);
    assert_eq!(unsolicited(&dialogue), [250, 500]);
    assert_eq!(data_of(&dialogue, 3).line_facts.ambiguous_ends, 1);
}

#[test]
fn an_early_refusal_inside_the_body_is_the_reply() {
    let dialogue = with_opening("C: DATA\nS: 354 go\nC: one\nS: 552 too big\nC: two\n+: .\nC: QUIT\nS: 221 bye");
    assert_eq!(summary(&dialogue)[3..], ["DATA 354 =552", "QUIT =221"]);
    assert_eq!(data_of(&dialogue, 3).size, 10);
}

#[test]
fn a_body_without_end_has_no_end() {
    let dialogue = with_opening("C: DATA\nS: 354 go\nC: From: x\n+:\n+: part");
    assert_eq!(summary(&dialogue)[3..], ["DATA 354 =no"]);
    assert_eq!(data_of(&dialogue, 3).ended, None);
    assert_eq!(data_of(&dialogue, 3).size, 17);
}

#[test]
fn a_header_that_only_the_end_of_data_ended_is_complete() {
    let complete = |script: &str| {
        data_of(&with_opening(script), 3)
            .message
            .as_ref()
            .unwrap()
            .header_complete
    };
    assert!(complete("C: DATA\nS: 354 go\nC: Subject: x\n+: .\nS: 250 ok"));
    assert!(!complete("C: DATA\nS: 354 go\nC: Subject: x"));
}

#[test]
fn bdat_counts_octets_whatever_they_look_like() {
    let dialogue = with_opening(
        r"C: BDAT 64
        +: From: a@example.test
        +: Subject: chunk
        +:
        +: QUIT
        +: .
        +: MAIL FROM:<x>
        S: 250 ok
        c: BDAT 14 LAST\r\nsecond chunk\r\n
        +: QUIT
        S: 250 queued
        +: 221 bye",
    );
    assert_eq!(
        summary(&dialogue)[3..],
        ["BDAT 64 =250", "BDAT 14 LAST =250", "QUIT =221"]
    );
    let data = data_of(&dialogue, 4);
    assert_eq!((data.size, data.chunks), (78, 2));
    assert!(data.ended.is_some());
    assert!(matches!(
        &dialogue.exchanges[3].detail,
        Detail::Bdat {
            size: Some(64),
            last: false,
            data: None
        }
    ));
    let bare = LineFacts {
        lines: 7,
        longest: 22,
        ..LineFacts::default()
    };
    assert_eq!(data.line_facts, bare);
}

#[test]
fn bdat_zero_last_ends_and_a_bad_size_is_told() {
    let dialogue =
        with_opening("c: BDAT 3\\r\\nabc\nS: 250 ok\nC: BDAT 0 LAST\nS: 250 queued\nC: BDAT many\nS: 521 no");
    assert_eq!(data_of(&dialogue, 4).size, 3);
    assert!(matches!(
        &dialogue.exchanges[5].detail,
        Detail::Bdat {
            size: None,
            data: None,
            ..
        }
    ));
}

#[test]
fn rset_ends_a_chunked_message() {
    let dialogue = with_opening("c: BDAT 3\\r\\nabc\nS: 503 no\nC: RSET\nS: 250 ok\nC: QUIT\nS: 221 bye");
    assert_eq!(summary(&dialogue)[3..], ["BDAT 3 =503", "RSET =250", "QUIT =221"]);
    let data = data_of(&dialogue, 3);
    assert_eq!((data.size, data.ended), (3, None));
}

#[test]
fn a_reply_without_octets_behind_it_is_hidden_only_where_the_capture_lacks_the_server() {
    let client_only = dialogue(
        "C: EHLO b\nC: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nC: DATA\nC: Subject: x\n+:\n+: hi\n+: .\nC: MAIL FROM:<e@f>\nC: DATA\nC: y\n+: .\nC: QUIT",
    );
    assert_eq!(
        summary(&client_only),
        [
            "EHLO b =hidden",
            "MAIL FROM:<a@b> =hidden",
            "RCPT TO:<c@d> =hidden",
            "DATA =hidden",
            "MAIL FROM:<e@f> =hidden",
            "DATA =hidden",
            "QUIT =hidden"
        ]
    );
    assert_eq!(data_of(&client_only, 3).size, 18);
    assert!(client_only.exchanges.iter().all(|exchange| !exchange.pipelined));
    assert_eq!(client_only.early_talk, None);
    let silent = dialogue("S: 220 a\nC: EHLO b");
    assert_eq!(silent.exchanges[0].reply, Seen::No);
}

#[test]
fn server_only_captures_show_what_the_server_said() {
    let dialogue =
        dialogue("S: 220 a\nS: 250-a\n+: 250 SIZE\nS: 250 ok\nS: 550 5.1.1 no\nS: 354 go\nS: 250 queued\nS: 221 bye");
    assert_eq!(unsolicited(&dialogue)[..3], [250, 250, 550]);
    assert_eq!(summary(&dialogue), [" 354 =250"]);
    assert!(dialogue.unsolicited.iter().any(|reply| reply.says("no")));
    assert_eq!(text(&dialogue.unsolicited[2].lines[0]), "5.1.1 no");
}
