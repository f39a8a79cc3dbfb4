//! Holes in either direction, late starts.

use super::{Owner, Step, data_of, dialogue, steps, summary, unsolicited};
use crate::protocol::smtp::Dialogue;
use crate::protocol::{Retention, Seen};

fn joined_late(script: &str) -> Dialogue {
    let mut owner = Owner::new(Retention::default());
    owner.decoder().joined_late();
    for step in steps(script) {
        owner.play(&step, |length| length);
    }
    owner.finish()
}

#[test]
fn a_lost_reply_is_hidden_and_the_next_is_paired() {
    let dialogue = dialogue(
        "S: 220 a\nC: EHLO b\nS: 250 a\nC: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nGS 14\nS: 550 no\nC: QUIT\nS: 221 bye",
    );
    assert_eq!(
        summary(&dialogue),
        [
            "EHLO b =250",
            "MAIL FROM:<a@b> =hidden",
            "RCPT TO:<c@d> =550",
            "QUIT =221"
        ]
    );
    assert!(!dialogue.exchanges[2].pipelined);
    assert_eq!(dialogue.resynchronised, 1);
}

#[test]
fn replies_behind_a_gap_are_paired_from_the_end() {
    let dialogue = dialogue(
        "S: 220 a\nC: EHLO b\nS: 250 a\nC: MAIL FROM:<a@b>\n+: RCPT TO:<c@d>\n+: RCPT TO:<e@f>\n+: DATA\nGS 20\ns: ok\\r\\n\n+: 550 no\n+: 354 go\nC: x\n+: .\nS: 250 queued",
    );
    assert_eq!(
        summary(&dialogue)[1..],
        [
            "MAIL FROM:<a@b> =hidden",
            "RCPT TO:<c@d> =hidden",
            "RCPT TO:<e@f> =550",
            "DATA 354 =250"
        ]
    );
}

#[test]
fn a_reply_cut_by_a_gap_is_incomplete() {
    let dialogue =
        dialogue("S: 220 a\nC: EHLO b\ns: 250-a\\r\\n250-PIPE\nGS 30\ns: E\\r\\n250 DSN\\r\\n\nC: QUIT\nS: 221 bye");
    assert_eq!(summary(&dialogue), ["EHLO b =250", "QUIT =221"]);
    assert!(dialogue.exchanges[0].reply.yes().unwrap().incomplete);
}

#[test]
fn a_lost_command_leaves_later_pairs_right() {
    let dialogue = dialogue(
        "S: 220 a\nC: EHLO b\nS: 250 a\nS: 250 mail ok\nGC 30\nC: RCPT TO:<c@d>\nS: 550 no\nC: QUIT\nS: 221 bye",
    );
    assert_eq!(summary(&dialogue), ["EHLO b =250", "RCPT TO:<c@d> =550", "QUIT =221"]);
    assert_eq!(unsolicited(&dialogue), [250]);
    assert_eq!(dialogue.resynchronised, 1);
}

const IN_DATA: &str = "S: 220 a\nC: EHLO b\nS: 250 a\nC: DATA\nS: 354 go\nC: Subject: x\n+:\n+: one\n";

#[test]
fn a_hole_in_a_body_is_counted_and_the_end_is_found() {
    let dialogue = dialogue(&format!(
        "{IN_DATA}GC 1000\nC: tail\n+: last\n+: .\nS: 250 queued\nC: QUIT\nS: 221 bye"
    ));
    assert_eq!(summary(&dialogue)[1..], ["DATA 354 =250", "QUIT =221"]);
    let data = data_of(&dialogue, 1);
    assert_eq!((data.missing, data.size), (1000, 19 + 12));
    assert!(data.ended.is_some());
}

#[test]
fn an_end_of_data_in_a_hole_is_inferred_from_the_reply() {
    for script in [
        "GC 1000\nS: 250 queued\nC: MAIL FROM:<e@f>\nS: 250 ok\nC: QUIT\nS: 221 bye",
        "S: 250 queued\nGC 1000\nC: MAIL FROM:<e@f>\nS: 250 ok\nC: QUIT\nS: 221 bye",
    ] {
        let dialogue = dialogue(&format!("{IN_DATA}{script}"));
        assert_eq!(
            summary(&dialogue)[1..],
            ["DATA 354 =250", "MAIL FROM:<e@f> =250", "QUIT =221"]
        );
        assert_eq!(data_of(&dialogue, 1).ended, None);
        assert_eq!(data_of(&dialogue, 1).missing, 1000);
    }
}

#[test]
fn a_final_dot_alone_behind_a_hole_is_the_end() {
    let dialogue = dialogue(&format!("{IN_DATA}GC 100\nC: .\nS: 250 queued\nC: QUIT\nS: 221 bye"));
    assert!(data_of(&dialogue, 1).ended.is_some());
    assert_eq!(summary(&dialogue)[1..], ["DATA 354 =250", "QUIT =221"]);
}

#[test]
fn a_hole_in_a_chunk_is_counted_off() {
    let opening = "S: 220 a\nC: EHLO b\nS: 250 a\n";
    let inside = dialogue(&format!(
        "{opening}c: BDAT 20 LAST\\r\\nabc\nGC 10\nc: 1234567QUIT\\r\\n\nS: 250 queued\n+: 221 bye"
    ));
    assert_eq!(summary(&inside)[1..], ["BDAT 20 LAST =250", "QUIT =221"]);
    assert_eq!(data_of(&inside, 1).missing, 10);
    assert_eq!(data_of(&inside, 1).size, 10);
    let across = dialogue(&format!(
        "{opening}c: BDAT 20 LAST\\r\\nabc\nGC 30\nC: QUIT\nS: 250 queued\n+: 221 bye"
    ));
    assert_eq!(summary(&across)[1..], ["BDAT 20 LAST =250", "QUIT =221"]);
}

#[test]
fn a_lost_go_ahead_does_not_hide_the_message() {
    let dialogue = dialogue(
        "S: 220 a\nC: EHLO b\nS: 250 a\nC: DATA\nGS 8\nC: Subject: x\n+: .\nS: 250 queued\nC: QUIT\nS: 221 bye",
    );
    assert_eq!(summary(&dialogue)[1..], ["DATA =250", "QUIT =221"]);
    assert_eq!(data_of(&dialogue, 1).size, 12);
}

#[test]
fn a_lost_data_command_is_known_from_its_go_ahead() {
    let dialogue = dialogue(
        "S: 220 a\nC: EHLO b\nS: 250 a\nS: 354 go\nGC 6\nC: Subject: x\n+: .\nS: 250 queued\nC: QUIT\nS: 221 bye",
    );
    assert_eq!(summary(&dialogue)[1..], [" 354 =250", "QUIT =221"]);
    assert_eq!((data_of(&dialogue, 1).size, data_of(&dialogue, 1).missing), (12, 0));
}

#[test]
fn a_late_start_invents_no_greeting() {
    let dialogue = joined_late("s: queued as 1\\r\\n\nC: MAIL FROM:<a@b>\nS: 250 ok\nC: QUIT\nS: 221 bye");
    assert_eq!(dialogue.greeting, None);
    assert_eq!(summary(&dialogue), ["MAIL FROM:<a@b> =250", "QUIT =221"]);
    assert_eq!(dialogue.resynchronised, 0);
    assert!(dialogue.joined_late);
}

#[test]
fn a_late_start_inside_mail_data_finds_its_end() {
    let dialogue = joined_late("c: f a line\\r\\nmore\\r\\n\nC: .\nS: 250 queued\nC: QUIT\nS: 221 bye");
    assert_eq!(summary(&dialogue), [" =250", "QUIT =221"]);
    assert!(data_of(&dialogue, 0).ended.is_some());
    assert!(data_of(&dialogue, 0).missing > 0);
}

#[test]
fn a_late_start_inside_auth_shows_nothing() {
    let dialogue =
        joined_late("C: czNjcmV0LXBhc3M=\nS: 334 UGFzc3dvcmQ6\nC: czNjcmV0LXBhc3M=\nS: 235 ok\nC: QUIT\nS: 221 bye");
    assert_eq!(summary(&dialogue), [" 334 =235", "QUIT =221"]);
    assert!(!format!("{dialogue:?}").contains("czNj"));
}

#[test]
fn a_reply_behind_the_last_gap_is_hidden() {
    let dialogue = dialogue("S: 220 a\nC: EHLO b\nGS 100");
    assert_eq!(dialogue.exchanges[0].reply, Seen::Hidden);
}

#[test]
fn a_starttls_refusal_behind_a_gap_frees_the_client() {
    let dialogue = dialogue("S: 220 a\nC: EHLO b\nC: STARTTLS\nGS 50\nS: 454 no TLS\nC: QUIT\nS: 221 bye");
    assert_eq!(summary(&dialogue), ["EHLO b =hidden", "STARTTLS =454", "QUIT =221"]);
}

#[test]
fn a_hole_inside_auth_makes_every_line_a_secret() {
    let dialogue = dialogue(
        "S: 220 a\nC: EHLO b\nS: 250 a\nC: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nGC 10\nS: 334 UGFzc3dvcmQ6\nC: czNjcmV0LXBhc3M=\nS: 235 ok\nC: QUIT\nS: 221 bye",
    );
    assert_eq!(summary(&dialogue)[1..], ["AUTH LOGIN 334 334 =235", "QUIT =221"]);
    let crate::protocol::smtp::Detail::Auth(facts) = &dialogue.exchanges[1].detail else {
        panic!()
    };
    assert_eq!(facts.identity, None);
    assert!(facts.secret.is_some());
}

#[test]
fn steps_with_gaps_are_what_they_say() {
    assert!(matches!(
        steps("GC 7")[0],
        Step::Gap(crate::span::Direction::ToServer, 7)
    ));
}

#[test]
fn a_late_start_is_known_from_a_first_reply_that_is_no_greeting() {
    for script in [
        "c: end of a line\\r\\nmore\\r\\n.\\r\\n\nS: 250 queued\nC: QUIT\nS: 221 bye",
        "C: RCPT TO:<no@b>\nS: 550 no\nC: QUIT\nS: 221 bye",
        "C: MAIL FROM:<a@b>\nS: 250 ok\nC: QUIT\nS: 221 bye",
        "S: 250 ok\nC: QUIT\nS: 221 bye",
    ] {
        let dialogue = dialogue(script);
        assert!(dialogue.joined_late, "{script}");
        assert_eq!((dialogue.greeting, dialogue.early_talk), (None, None), "{script}");
        assert_eq!(super::text(&dialogue.exchanges.last().unwrap().line), "QUIT");
        assert!(
            dialogue.exchanges.iter().all(|exchange| exchange.reply.yes().is_some()),
            "{script}"
        );
    }
    assert!(!dialogue("C: EHLO bot\nS: 554 no\n+: 503 no").joined_late);
}
