//! Verdicts that were once wrong, each with a conversation of its own: false alarms found on public and held-out captures,
//! and failures that hid behind another one. They need no shared captures.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use smtpcap::analyzer::{Analyzer, Options};
use smtpcap::diagnosis::{Confidence, Finding, Severity};
use smtpcap::frame::{Frame, FrameNumber, LinkType};
use smtpcap::session::{Outcome, Session};
use smtpcap::time::Timestamp;
use smtpcap_testkit::Script;

fn only(script: &str) -> (Session, Vec<Finding>) {
    common::play_one(script)
}

fn failures(findings: &[Finding]) -> Vec<&'static str> {
    findings
        .iter()
        .filter(|finding| finding.severity == Severity::Fail)
        .map(|finding| finding.rule.slug)
        .collect()
}

fn find<'a>(findings: &'a [Finding], slug: &str) -> &'a Finding {
    findings
        .iter()
        .find(|finding| finding.rule.slug == slug)
        .unwrap_or_else(|| {
            panic!(
                "{slug} is not said: {:?}",
                findings.iter().map(|one| one.rule.slug).collect::<Vec<_>>()
            )
        })
}

const HELLO: &str = "session 192.0.2.20 -> 198.51.100.11:25\nsmtp hello\n";

#[test]
fn a_client_that_types_line_feeds_everywhere_is_no_smuggler() {
    let (session, findings) = only(
        "session 192.0.2.20 -> 198.51.100.11:25
         S: 220 mail.example.com ESMTP
         C> HELO pc\\n
         S: 250 mail.example.com
         C> MAIL FROM:<a@example.com>\\n
         S: 250 Ok
         C> RCPT TO:<b@example.net>\\n
         S: 250 Ok
         C> DATA\\n
         S: 354 go ahead
         C> Subject: x\\n\\nhello\\n.\\n
         S: 250 queued
         C> QUIT\\n
         S: 221 Bye
         S: fin",
    );
    assert_eq!(failures(&findings), [""; 0]);
    assert_eq!(session.outcome, Outcome::Accepted);
}

#[test]
fn an_odd_extension_list_that_the_client_understood_is_a_risk_and_no_failure() {
    let (_, findings) = only(
        "session 192.0.2.20 -> 198.51.100.11:25
         S: 220 mail.example.com ESMTP
         C: EHLO pc
         S: 250 PIPELINING
         C: MAIL FROM:<a@example.com>
         S: 250 Ok
         C: RCPT TO:<b@example.net>
         S: 550 5.1.1 User unknown
         C: QUIT
         S: 221 Bye
         S: fin",
    );
    assert_eq!(find(&findings, "smtp-ehlo-malformed-reply").severity, Severity::Risk);
    assert_eq!(failures(&findings), ["smtp-user-unknown"]);
}

#[test]
fn a_reset_right_after_a_long_silence_is_an_idle_timer() {
    let mail = "C: MAIL FROM:<a@example.com>\nS: 250 Ok\nwait 400s\nC: RCPT TO:<b@example.net>\nS: rst";
    let (_, findings) = only(&format!("{HELLO}{mail}"));
    assert!(
        failures(&findings).contains(&"tcp-idle-dropped"),
        "{:?}",
        failures(&findings)
    );
}

#[test]
fn a_reset_behind_a_fin_after_a_long_silence_is_no_idle_timer() {
    let (_, findings) = only(&format!("{HELLO}smtp mail\nwait 400s\nS: fin only\nC: rst"));
    assert!(
        !failures(&findings).contains(&"tcp-idle-dropped"),
        "{:?}",
        failures(&findings)
    );
}

#[test]
fn the_second_mail_refused_in_a_connection_is_a_failure_of_its_own() {
    let (_, findings) = only(&format!(
        "{HELLO}C: MAIL FROM:<a@example.com>
         S: 553 5.1.8 Domain of sender address a@example.com does not exist
         C: RSET
         S: 250 Ok
         C: MAIL FROM:<b@example.com>
         S: 250 Ok
         C: RCPT TO:<c@example.net>
         S: 250 Ok
         C: DATA
         S: 354 go
         C: <<
         From: b@example.com
         Subject: x

         hello
         .
         >>
         S: 554 5.7.1 Message contains virus
         C: QUIT
         S: 221 Bye
         S: fin"
    ));
    assert!(find(&findings, "smtp-sender-rejected").root_cause);
    let second = find(&findings, "smtp-content-rejected");
    assert_eq!((second.severity, second.because_of), (Severity::Fail, None));
}

#[test]
fn a_client_that_only_tries_its_login_has_not_failed() {
    let (_, findings) = only(
        "session 192.0.2.20 -> 198.51.100.11:587
         smtp hello with=\"AUTH PLAIN\"
         C: AUTH PLAIN {b64:\\0a\\0PLANTED}
         S: 235 2.7.0 Authentication successful
         C: rst",
    );
    assert_eq!(failures(&findings), [""; 0]);
    assert_eq!(find(&findings, "tcp-reset-mid-session").severity, Severity::Note);
}

#[test]
fn a_check_that_reads_the_greeting_and_resets_has_not_failed() {
    let (_, findings) = only("session 192.0.2.20 -> 198.51.100.11:25\nS: 220 mail.example.com ESMTP\nC: rst");
    assert_eq!(failures(&findings), [""; 0]);
}

#[test]
fn quit_after_starttls_with_a_hidden_certificate_is_a_note() {
    let (_, findings) = only(&format!(
        "{HELLO}starttls\ntls handshake 1.3\nC= QUIT\nS= 221 2.0.0 Bye\nC: fin"
    ));
    assert_eq!(failures(&findings), [""; 0]);
    assert_eq!(
        find(&findings, "tls-client-aborts-after-finished").severity,
        Severity::Note
    );
}

#[test]
fn a_load_balancer_that_resets_after_the_handshake_is_a_note() {
    let (_, findings) = only("session 192.0.2.20 -> 198.51.100.11:465\ntls handshake 1.3\nC: rst");
    assert_eq!(failures(&findings), [""; 0]);
}

#[test]
fn a_refusal_in_unknown_words_is_told_as_possible() {
    let (_, findings) = only(&format!(
        "{HELLO}C: MAIL FROM:<a@example.com>
         S: 250 Ok
         C: RCPT TO:<b@example.net>
         S: 550 njet
         C: QUIT
         S: 221 Bye
         S: fin"
    ));
    assert_eq!(find(&findings, "smtp-user-unknown").confidence, Confidence::Possible);
}

#[test]
fn an_alert_about_dates_does_not_accuse_the_authority() {
    let (_, findings) = only(&format!(
        "{HELLO}starttls\ntls handshake 1.2 cert=privateca until=server\nC: tls alert fatal 45\nC: fin"
    ));
    assert!(
        !failures(&findings).contains(&"cert-untrusted-ca"),
        "{:?}",
        failures(&findings)
    );
}

#[test]
fn a_connection_that_carried_octets_was_not_refused() {
    // The SYN-ACK is missing from the capture; the reset comes at the end.
    let script = Script::must(&format!("{HELLO}smtp envelope\nS: rst"));
    let (session, findings) = common::play_without(&script, &[1]).remove(0);
    assert!(
        !failures(&findings).contains(&"tcp-connection-refused"),
        "{:?}",
        failures(&findings)
    );
    assert_ne!(session.outcome, Outcome::NoConnection);
}

#[test]
fn a_server_without_tls_on_465_is_the_servers_matter() {
    let (_, findings) = only(
        "session 192.0.2.20 -> 198.51.100.11:465\nS: 220 mail.example.com ESMTP\nC: tls hello\nS: 500 5.5.2 Error: bad syntax\nC: fin",
    );
    let finding = find(&findings, "tls-hello-on-plaintext-port");
    assert!(finding.value("implicit").is_some());
}

#[test]
fn an_answer_that_may_come_behind_the_captures_end_is_hidden_and_not_missing() {
    use smtpcap::protocol::Seen;
    for (script, port) in [("pop3 hello\nC: STAT", 110), ("imap hello\nC: a9 NOOP", 143)] {
        let begin = format!("session 192.0.2.20 -> 198.51.100.11:{port}\n{script}\n");
        let (cut, _) = only(&format!("{begin}open"));
        let (closed, _) = only(&format!("{begin}S: fin"));
        let answer = |session: &Session| session.commands().last().expect("a command").answer.clone();
        assert_eq!(answer(&cut), Seen::Hidden, "{script}");
        assert_eq!(answer(&closed), Seen::No, "{script}");
    }
}

/// Words that point to a rule which has no ground here, and words that say nothing: something is said of each refusal.
#[test]
fn no_refused_mail_is_passed_over_in_silence() {
    const MAIL: &str = "C: MAIL FROM:<a@example.com>\n";
    const RCPT: &str = "S: 250 Ok\nC: RCPT TO:<b@example.net>\n";
    let login = "C: AUTH PLAIN {b64:\\0a\\0PLANTED}\nS: 235 ok\n";
    let data = format!("{MAIL}{RCPT}S: 250 Ok\nC: DATA\n");
    let places = [
        MAIL.to_owned(),
        format!("{MAIL}{RCPT}"),
        data.clone(),
        format!("{data}S: 354 go\nC: x\nC+ .\n"),
    ];
    let words = [
        "no",
        "5.7.1 not authenticated",
        "5.7.1 authentication required to relay",
        "bare LF",
        "pipelining",
        "synchronization error",
        "no valid recipients",
        "need MAIL",
        "SMTPUTF8",
        "Must issue a STARTTLS command first",
    ];
    for before in ["", login] {
        for place in &places {
            for (code, words) in [451, 530, 550].iter().flat_map(|code| words.map(|words| (code, words))) {
                let (session, findings) = only(&format!(
                    "session 192.0.2.20 -> 198.51.100.11:587\nsmtp hello with=\"AUTH PLAIN\"\n{before}{place}S: {code} {words}\nC: QUIT\nS: 221 Bye\nS: fin"
                ));
                let root = findings.iter().filter(|finding| finding.root_cause).count();
                assert_eq!(root, 1, "{code} {words} after {place}: {:?}", session.outcome);
            }
        }
    }
}

#[test]
fn data_refused_before_the_mail_was_sent_is_told_as_what_it_is() {
    let (_, findings) = only(&format!(
        "{HELLO}C: MAIL FROM:<a@example.com>
         S: 250 Ok
         C: RCPT TO:<b@example.net>
         S: 250 Ok
         C: DATA
         S: 554 5.7.1 njet
         C: QUIT
         S: 221 Bye
         S: fin"
    ));
    let refused = find(&findings, "smtp-content-rejected");
    assert!(refused.root_cause && refused.value("before_data").is_some());
    assert_eq!(refused.confidence, Confidence::Possible);
}

#[test]
fn a_disabled_mailbox_is_not_called_unknown() {
    for words in ["550 5.2.1 mailbox unavailable", "550 5.1.1 account disabled"] {
        let (_, findings) = only(&format!(
            "{HELLO}C: MAIL FROM:<a@example.com>
             S: 250 Ok
             C: RCPT TO:<b@example.net>
             S: {words}
             C: QUIT
             S: 221 Bye
             S: fin"
        ));
        assert!(
            find(&findings, "smtp-user-unknown").value("disabled").is_some(),
            "{words}"
        );
    }
}

#[test]
fn the_number_of_a_null_mx_accuses_no_sender_authentication() {
    let (_, findings) = only(&format!(
        "{HELLO}C: MAIL FROM:<a@example.com>
         S: 550 5.7.27 Sender address has null MX
         C: QUIT
         S: 221 Bye
         S: fin"
    ));
    assert_eq!(failures(&findings), ["smtp-sender-rejected"]);
}

/// Exchange servers among themselves ([MS-OXSMTP]): TLS without a certificate that anybody checks. No real server at hand
/// speaks it, so the conversation is built.
#[test]
fn x_anonymoustls_is_an_upgrade_like_starttls() {
    let (session, findings) = only(
        "session 192.0.2.20 -> 198.51.100.11:25
         smtp hello with=X-ANONYMOUSTLS without=STARTTLS
         C: X-ANONYMOUSTLS
         S: 220 2.0.0 SMTP server ready
         tls handshake 1.2
         C= EHLO mail.example.com
         S= 250 mail.example.org
         C= QUIT
         S= 221 2.0.0 Bye
         tls quit",
    );
    assert_eq!(failures(&findings), [""; 0]);
    assert!(
        session
            .smtp
            .as_deref()
            .is_some_and(|dialogue| dialogue.switched_to_tls.is_some())
    );
    assert_eq!(session.outcome, Outcome::Encrypted);
    assert!(
        !findings
            .iter()
            .any(|finding| finding.rule.slug.starts_with("starttls-")),
        "{:?}",
        findings.iter().map(|one| one.rule.slug).collect::<Vec<_>>()
    );
}

/// Neighbours changed places, as in a capture merged from two network cards; the clock goes on as it did.
fn swapped(script: &str) -> (Session, Vec<Finding>) {
    let script = Script::must(script);
    let mut order: Vec<usize> = (0..script.frames.len()).collect();
    order.chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1));
    let mut analyzer = Analyzer::new(&Options::default());
    for (position, frame) in order.iter().map(|which| &script.frames[*which]).enumerate() {
        analyzer.push_frame(&Frame {
            number: FrameNumber(position as u64 + 1),
            time: Timestamp::from_nanoseconds(script.frames[position].time_ns),
            link_type: LinkType::ETHERNET,
            bytes: &frame.bytes,
            original_length: frame.original_length,
        });
    }
    analyzer.finish();
    analyzer.poll_session().expect("one session")
}

#[test]
fn replies_captured_before_their_commands_accuse_nobody() {
    let login = "session 192.0.2.20 -> 198.51.100.11:587
         smtp hello with=\"AUTH LOGIN\"
         C: AUTH LOGIN
         S: 334 VXNlcm5hbWU6
         C: {b64:a@example.com}
         S: 334 UGFzc3dvcmQ6
         C: {b64:PLANTED-right}
         S: 235 2.7.0 Authentication successful
         smtp mail
         C: QUIT
         S: 221 Bye";
    let (whole, _) = only(login);
    let (session, findings) = swapped(login);
    assert_eq!(failures(&findings), [""; 0]);
    assert_eq!((session.outcome, whole.outcome), (Outcome::Accepted, Outcome::Accepted));
    assert!(session.quality.disordered && !whole.quality.disordered);
    assert_eq!(session.exchanges().len(), whole.exchanges().len());
}

#[test]
fn commands_cut_one_after_the_other_keep_their_replies() {
    let (session, findings) = only(
        "snap 96
         session 192.0.2.20 -> 198.51.100.11:25
         smtp hello
         C: MAIL FROM:<somebody.with.a.long.name@example.com>
         S: 250 2.1.0 Ok
         C: RCPT TO:<nobody.with.a.long.name@example.net>
         S: 550 5.1.1 <nobody.with.a.long.name@example.net>: Recipient address rejected: User unknown
         C: QUIT
         S: 221 2.0.0 Bye",
    );
    assert_eq!(failures(&findings), ["smtp-user-unknown"]);
    assert_eq!(session.outcome, Outcome::Refused);
}

#[test]
fn a_refusal_whose_words_were_cut_off_is_only_possible() {
    let told = |snap: &str| {
        let (_, findings) = only(&format!(
            "{snap}
             {HELLO}smtp envelope
             C: DATA
             S: 354 go
             C: x
             C: .
             S: 523 Message length (6016 bytes) exceeds administrative limit(6000).
             C: QUIT
             S: 221 Bye"
        ));
        let root = findings
            .iter()
            .find(|finding| finding.root_cause)
            .expect("a root cause");
        (root.rule.slug, root.confidence)
    };
    assert_eq!(told(""), ("smtp-message-too-big", Confidence::Confirmed));
    assert_eq!(told("snap 90"), ("smtp-content-rejected", Confidence::Possible));
}

#[test]
fn a_mail_whose_sender_line_is_missing_was_accepted_all_the_same() {
    let (session, findings) = only(&format!(
        "{HELLO}C! MAIL FROM:<a@example.com>
         S: 250 Ok
         C: RCPT TO:<b@example.net>
         S: 250 Ok
         C: DATA
         S: 354 go
         C: <<
         From: a@example.com

         hello
         .
         >>
         S: 250 2.0.0 Ok: queued as 4A
         wait 300s
         S: 421 4.4.2 timeout exceeded
         S: fin"
    ));
    assert_eq!(failures(&findings), [""; 0]);
    assert_eq!(session.outcome, Outcome::Accepted);
}

#[test]
fn a_client_that_speaks_was_answered() {
    let (_, findings) = only(
        "session 192.0.2.20 -> 198.51.100.11:25 synlost=2 oneway=c2s
         smtp hello
         C: QUIT
         S: 221 Bye",
    );
    assert_eq!(failures(&findings), [""; 0]);
}

#[test]
fn an_unknown_issuer_is_not_cured_by_a_renewed_certificate() {
    let told = |alert: u8| {
        let (_, findings) = only(&format!(
            "session 192.0.2.20 -> 198.51.100.11:465
             tls handshake 1.2 cert=expired until=server
             C: tls alert fatal {alert}
             C: fin"
        ));
        failures(&findings).contains(&"cert-validity-period")
    };
    assert!(told(45) && told(42) && told(46));
    // OpenSSL and Python say this of a self-signed certificate that has expired besides.
    assert!(!told(48));
}

#[test]
fn the_answer_to_the_second_syn_may_lie_behind_the_end_of_the_capture() {
    let confidence = |tries: u8| {
        let (_, findings) = only(&format!("session 192.0.2.20 -> 198.51.100.11:25 unanswered={tries}"));
        find(&findings, "tcp-syn-no-answer").confidence
    };
    assert_eq!(confidence(2), Confidence::Possible);
    assert!(confidence(5) > Confidence::Possible);
}

#[test]
fn a_client_that_acknowledges_was_not_refused_at_the_door() {
    let (_, findings) = only(
        "session 192.0.2.20 -> 198.51.100.11:25 oneway=c2s
         C: ack
         show
         oneway off
         S: rst",
    );
    assert!(!failures(&findings).contains(&"tcp-connection-refused"), "{findings:?}");
}

#[test]
fn who_closed_first_is_not_known_where_a_fin_was_acknowledged_and_not_captured() {
    let confidence = |hidden: &str| {
        let (_, findings) = only(&format!(
            "{HELLO}C: MAIL FROM:<a@example.com>
             S: 250 Ok
             C: RCPT TO:<b@example.net>
             S: 250 Ok
             C: DATA
             S: 354 go
             {hidden}"
        ));
        let of_server = findings.iter().find(|one| one.rule.slug == "tcp-reset-mid-session");
        of_server.map(|one| one.confidence)
    };
    assert!(confidence("S: fin").is_some_and(|sure| sure > Confidence::Possible));
    let lost = confidence("hide\n C: fin\n show\n S: fin");
    assert!(lost.is_none_or(|sure| sure <= Confidence::Possible), "{lost:?}");
}

#[test]
fn a_client_that_begins_with_tls_may_be_right_where_the_server_was_not_heard() {
    let (_, findings) = only(
        "session 192.0.2.20 -> 198.51.100.11:587
         C: tls hello max=1.2
         C: fin",
    );
    assert_eq!(
        find(&findings, "tls-hello-on-plaintext-port").confidence,
        Confidence::Possible
    );
}
