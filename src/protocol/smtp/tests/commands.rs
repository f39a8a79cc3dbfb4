//! Greeting, commands, replies, pipelining, STARTTLS, what stands in front.

use super::{dialogue, summary, text, unsolicited};
use crate::protocol::Seen;
use crate::protocol::smtp::{Detail, Preamble, Verb};

#[test]
fn pipelined_commands_are_paired_with_their_replies() {
    let dialogue = dialogue(
        r"S: 220 mail.example.test ESMTP
        C: EHLO client.example.test
        S: 250-mail.example.test
        +: 250-PIPELINING
        +: 250 DSN
        C: MAIL FROM:<taro@example.test> SIZE=100 BODY=8BITMIME
        +: RCPT TO:<a@example.test>
        +: RCPT TO:<nouser@example.test>
        +: DATA
        S: 250 2.1.0 Ok
        S: 250 2.1.5 Ok
        +: 550 5.1.1 User unknown
        +: 354 go
        C: From: a
        +: Subject: x
        +:
        +: body
        +: .
        +: MAIL FROM:<b@example.test>
        +: RCPT TO:<grey@example.test>
        +: RSET
        +: QUIT
        S: 250 2.0.0 Ok: queued as ABC123
        S: 250 2.1.0 Ok
        S: 450 4.2.0 Greylisted, try again later
        S: 250 2.0.0 Ok
        S: 221 2.0.0 Bye",
    );
    assert_eq!(
        summary(&dialogue),
        [
            "EHLO client.example.test =250",
            "MAIL FROM:<taro@example.test> SIZE=100 BODY=8BITMIME =250",
            "RCPT TO:<a@example.test> =250",
            "RCPT TO:<nouser@example.test> =550",
            "DATA 354 =250",
            "MAIL FROM:<b@example.test> =250",
            "RCPT TO:<grey@example.test> =450",
            "RSET =250",
            "QUIT =221",
        ]
    );
    let pipelined: Vec<bool> = dialogue.exchanges.iter().map(|exchange| exchange.pipelined).collect();
    assert_eq!(pipelined, [false, false, true, true, true, true, true, true, true]);
    let data = super::data_of(&dialogue, 4);
    assert_eq!(data.size, "From: a\r\nSubject: x\r\n\r\nbody\r\n".len() as u64);
    assert!(data.ended.is_some());
    assert_eq!(data.line_facts.lines, 4);
    assert!(dialogue.exchanges[4].continued);
    let Seen::Yes(reply) = &dialogue.exchanges[3].reply else {
        panic!()
    };
    assert_eq!(reply.enhanced, Some((5, 1, 1)));
    let Seen::Yes(reply) = &dialogue.exchanges[0].reply else {
        panic!()
    };
    assert_eq!(reply.lines.len(), 3);
    let Detail::Envelope { parameters, .. } = &dialogue.exchanges[1].detail else {
        panic!()
    };
    assert_eq!(parameters.len(), 2);
    assert_eq!(dialogue.early_talk, None);
    assert_eq!(unsolicited(&dialogue), Vec::<u16>::new());
    assert!(dialogue.exchanges.iter().all(|exchange| exchange.reply != Seen::Hidden));
}

#[test]
fn a_refusing_greeting_is_the_greeting() {
    let dialogue = dialogue("S: 554 5.7.1 You are on a list\nC: QUIT\nS: 221 bye");
    assert_eq!(dialogue.greeting.as_ref().unwrap().code, 554);
    assert_eq!(dialogue.greeting.unwrap().enhanced, Some((5, 7, 1)));
}

#[test]
fn octets_before_the_last_greeting_line_are_early_talk() {
    let dialogue = dialogue("S: 220-wait\nC: EHLO bot\nS: 220 mail ESMTP\nS: 250 mail\nC: QUIT\nS: 221 bye");
    assert_eq!(dialogue.greeting_began.unwrap().frame.0, 1);
    let early = dialogue.early_talk.as_ref().unwrap();
    assert_eq!((early.start, early.end, early.first.frame.0), (0, 10, 2));
    assert_eq!(dialogue.greeting.as_ref().unwrap().lines.len(), 2);
    assert_eq!(summary(&dialogue), ["EHLO bot =250", "QUIT =221"]);
}

#[test]
fn a_greeting_without_end_is_still_the_greeting() {
    let dialogue = dialogue("S: 220-wait\nC: EHLO bot");
    assert!(dialogue.greeting.as_ref().unwrap().incomplete);
    assert!(dialogue.early_talk.is_some());
    assert_eq!(summary(&dialogue), ["EHLO bot =no"]);
}

#[test]
fn a_time_out_421_belongs_to_no_command() {
    let dialogue = dialogue("S: 220 a\nC: EHLO b\nS: 250 a\nS: 421 4.4.2 timeout exceeded");
    assert_eq!(summary(&dialogue), ["EHLO b =250"]);
    assert_eq!(unsolicited(&dialogue), [421]);
}

#[test]
fn malformed_replies_are_told() {
    let dialogue = dialogue(
        r"S: 220 a
        C: EHLO b
        S: 250-a
        +: garbage
        +: 550 SIZE
        C: NOOP
        s: 250 ok\n
        C: HELP
        s: 214 this reply has no end",
    );
    let replies: Vec<_> = dialogue
        .exchanges
        .iter()
        .map(|exchange| exchange.reply.yes().unwrap())
        .collect();
    assert!(replies[0].defects.mixed_codes && replies[0].defects.not_a_reply);
    assert_eq!(replies[0].code, 550);
    assert!(replies[1].defects.bare_line_feed);
    assert!(replies[2].incomplete);
}

#[test]
fn an_ehlo_reply_without_last_line_ends_where_the_client_goes_on() {
    let dialogue =
        dialogue("S: 220 a\nC: EHLO b\nS: 250-a\n+: 250-HELP\nC: MAIL FROM:<a@b>\nS: 250 ok\nC: QUIT\nS: 221 bye");
    assert_eq!(summary(&dialogue), ["EHLO b =250", "MAIL FROM:<a@b> =250", "QUIT =221"]);
    assert!(dialogue.exchanges[0].reply.yes().unwrap().defects.missing_last_line);
}

#[test]
fn starttls_accepted_ends_plaintext_and_what_follows_is_injected() {
    let dialogue = dialogue(
        "S: 220 a\nC: EHLO b\nS: 250 a\nC: STARTTLS\n+: MAIL FROM:<evil@example.test>\nS: 220 2.0.0 Ready\nC: \\x16\\x03\\x01",
    );
    assert_eq!(summary(&dialogue), ["EHLO b =250", "STARTTLS =220"]);
    assert_eq!(dialogue.switched_to_tls.unwrap().frame.0, 5);
    assert_eq!(dialogue.injected.len(), 1);
    assert_eq!(text(&dialogue.injected[0].1), "MAIL FROM:<evil@example.test>\\r\\n");
}

#[test]
fn starttls_refused_leaves_plaintext() {
    let dialogue = dialogue(
        "S: 220 a\nC: EHLO b\nS: 250 a\nC: STARTTLS\n+: NOOP\nS: 454 4.7.0 TLS not available\n+: 250 ok\nC: MAIL FROM:<t@e>\nS: 250 ok\nC: QUIT\nS: 221 bye",
    );
    assert_eq!(
        summary(&dialogue),
        [
            "EHLO b =250",
            "STARTTLS =454",
            "NOOP =250",
            "MAIL FROM:<t@e> =250",
            "QUIT =221"
        ]
    );
    assert_eq!(dialogue.switched_to_tls, None);
    let anonymous = super::dialogue("S: 220 a\nC: X-ANONYMOUSTLS\nS: 220 go\nC: xx");
    assert_eq!(anonymous.exchanges[0].verb, Verb::XAnonymousTls);
    assert!(anonymous.switched_to_tls.is_some());
}

#[test]
fn a_proxy_header_is_no_early_talk() {
    let first = dialogue("C: PROXY TCP4 192.0.2.1 192.0.2.2 4711 25\nS: 220 a\nC: EHLO b\nS: 250 a");
    let second = dialogue(
        "c: \\r\\n\\r\\n\\0\\r\\nQUIT\\n\\x21\\x11\\0\\x0c\\xc0\\0\\x02\\x01\\xc0\\0\\x02\\x02\\x12\\x67\\0\\x19\nS: 220 a\nC: EHLO b\nS: 250 a",
    );
    for (dialogue, expected) in [(first, 1), (second, 2)] {
        let Some(Preamble::Proxy { version, source, .. }) = dialogue.preamble.as_deref() else {
            panic!()
        };
        assert_eq!((*version, text(source).as_str()), (expected, "192.0.2.1:4711"));
        assert_eq!(dialogue.early_talk, None);
        assert_eq!(summary(&dialogue), ["EHLO b =250"]);
    }
}

#[test]
fn foreign_clients_are_recognised() {
    for (sent, expected) in [
        ("C: GET / HTTP/1.1\n+: Host: a", "HTTP"),
        ("C: SSH-2.0-OpenSSH_9.2", "SSH"),
        ("c: \\x03\\0\\0\\x13\\x0e\\xe0\\0\\0", "RDP"),
        ("c: \\x80\\x2e\\x01\\0\\x02", "binary"),
        ("c: \\0\\x01\\n\\0", "binary"),
    ] {
        let dialogue = dialogue(&format!("S: 220 a\n{sent}\nS: 500 what"));
        assert_eq!(dialogue.foreign.unwrap().looks_like, expected, "{sent}");
    }
    assert_eq!(dialogue("S: 220 a\nC: EHLO b").foreign, None);
}

#[test]
fn xclient_and_xforward_attributes_are_kept() {
    let dialogue = dialogue("S: 220 a\nC: XCLIENT NAME=x ADDR=192.0.2.1\nS: 220 again\nC: EHLO b\nS: 250 a");
    let Detail::Attributes(attributes) = &dialogue.exchanges[0].detail else {
        panic!()
    };
    assert_eq!(text(attributes), "NAME=x ADDR=192.0.2.1");
    assert_eq!(summary(&dialogue)[1], "EHLO b =250");
}

#[test]
fn lmtp_answers_each_accepted_recipient() {
    let dialogue = dialogue(
        r"S: 220 a LMTP
        C: LHLO b
        S: 250 a
        C: MAIL FROM:<>
        +: RCPT TO:<a@b>
        +: RCPT TO:<no@b>
        +: RCPT TO:<c@d>
        +: DATA
        S: 250 ok
        +: 250 ok
        +: 550 no
        +: 250 ok
        +: 354 go
        C: x
        +: .
        +: QUIT
        S: 250 a
        S: 452 c is full
        S: 221 bye",
    );
    assert!(dialogue.lmtp);
    assert_eq!(summary(&dialogue)[5..], ["DATA 354 =250 +452", "QUIT =221"]);
}

#[test]
fn only_the_first_and_the_last_exchanges_are_kept() {
    let mut script = String::from("S: 220 a\n");
    for _ in 0..5000 {
        script += "C: NOOP\nS: 250 ok\n";
    }
    let dialogue = super::dialogue_of(&super::steps(&script), |length| length);
    assert_eq!(dialogue.exchanges.len(), 256 + 4096);
    assert_eq!(dialogue.exchanges_not_kept, 5000 - 256 - 4096);
    assert_eq!(dialogue.exchanges.last().unwrap().index, 4999);
}

#[test]
fn a_flood_of_pipelined_commands_keeps_later_pairs_right() {
    let mut script = String::from("S: 220 a\nC: NOOP\n");
    script += &"+: NOOP\n".repeat(4999);
    script += "C: MAIL FROM:<a@b>\nS: 250 ok\n";
    script += &"+: 250 ok\n".repeat(4999);
    script += "S: 550 not you\n";
    let dialogue = super::dialogue_of(&super::steps(&script), |length| length);
    assert_eq!(summary(&dialogue).last().unwrap(), "MAIL FROM:<a@b> =550");
    assert_eq!(dialogue.exchanges[0].reply, Seen::Hidden);
}

#[test]
fn a_line_that_never_ends_is_cut_and_counted() {
    let script = format!("S: 220 a\nC: NOOP {}\nS: 500 too long", "x".repeat(100_000));
    let dialogue = super::dialogue_of(&super::steps(&script), |length| length);
    assert_eq!(dialogue.cut_lines, 1);
    assert_eq!(dialogue.exchanges[0].line_length(), 100_007);
    assert_eq!(dialogue.exchanges[0].line.bytes().len(), 1024);
}
