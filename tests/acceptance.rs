//! The acceptance captures: 23 small sessions on which today's tools fail (../shared/captures/README.md, the table), and
//! two cuts of one of them. What smtpcap must say of each, and what it must not print.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::path::{Path, PathBuf};

use common::Analysed;
use smtpcap::analyzer::{Analyzer, Options};
use smtpcap::capture::{Input, Reader};
use smtpcap::diagnosis::{Finding, Severity};
use smtpcap::insight::History;
use smtpcap::message::Protection;
use smtpcap::protocol::smtp::{AuthFacts, DataFacts, Detail, Exchange, Verb};
use smtpcap::protocol::tls::{AlertLevel, TlsFacts, TlsStart, Version};
use smtpcap::render::json::{self, Form, SessionRecord};
use smtpcap::session::{EndedBy, Outcome, Security, Session, TransactionResult};
use smtpcap::span::{Direction, Role};
use smtpcap::text::Language;

/// What the clients of these captures logged in with: never in any output.
const PLANTED: [&str; 6] = [
    "s3cret-pass",
    "czNjcmV0LXBhc3M",
    "ya29.secret",
    "eWEyOS5zZWNyZXQ",
    "d41d8cd98f00b204e9800998ecf8427e",
    "NDFkOGNkOThmMDBiMjA0ZTk4MDA5OThlY2Y4NDI3Z",
];

fn path(name: &str) -> Option<PathBuf> {
    let path = common::shared("acceptance")?.join(format!("{name}.pcap"));
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {name} is absent");
    None
}

fn outputs(session: &Session, findings: &[Finding]) -> Vec<String> {
    let mut outputs = vec![format!("{session:?}"), format!("{findings:?}")];
    for language in Language::ALL {
        let mut written = Vec::new();
        let record = SessionRecord::of(session, findings, Form { language, digits: 9 });
        json::write_line(&record, &mut written).unwrap();
        outputs.push(String::from_utf8(written).unwrap());
    }
    outputs
}

fn one(analysed: Analysed) -> (Session, Vec<Finding>) {
    assert!(analysed.errors.is_empty(), "{:?}", analysed.errors);
    let [(session, findings)] = <[_; 1]>::try_from(analysed.sessions).expect("one session");
    for output in outputs(&session, &findings) {
        for planted in PLANTED {
            assert!(!output.contains(planted), "a planted secret is printed");
        }
    }
    (session, findings)
}

/// The one session of a capture, its secrets looked for in every output; `None` where the capture is absent.
fn read(name: &str) -> Option<(Session, Vec<Finding>)> {
    path(name).map(|path| one(common::analyse_file(&path)))
}

/// The same, without the frames of these numbers.
fn without(path: &Path, cut: &[u64]) -> (Session, Vec<Finding>) {
    let mut analyzer = Analyzer::new(&Options::default());
    let mut reader = Reader::new(vec![Input::Path(path.to_owned())]);
    while let Some(frame) = reader.next_frame().unwrap() {
        if !cut.contains(&frame.number.0) {
            analyzer.push_frame(&frame);
        }
    }
    analyzer.finish();
    let sessions = std::iter::from_fn(|| analyzer.poll_session()).collect();
    one(Analysed {
        sessions,
        insights: History::new().conclude(),
        capture: reader.facts().clone(),
        errors: Vec::new(),
    })
}

fn slugs(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.rule.slug).collect()
}

fn root(findings: &[Finding]) -> Option<&'static str> {
    findings
        .iter()
        .find(|finding| finding.root_cause)
        .map(|finding| finding.rule.slug)
}

fn assert_root(findings: &[Finding], slug: &str) {
    assert_eq!(root(findings), Some(slug), "said {:?}", slugs(findings));
}

fn assert_said(findings: &[Finding], slug: &str) {
    assert!(slugs(findings).contains(&slug), "{slug} not in {:?}", slugs(findings));
}

fn assert_nothing_failed(findings: &[Finding]) {
    let failed: Vec<_> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Fail)
        .map(|finding| finding.rule.slug)
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(root(findings), None);
}

fn tls(session: &Session) -> &TlsFacts {
    session.tls.as_deref().expect("TLS")
}

fn assert_fatal_alert(session: &Session, sender: Direction, description: u8) {
    let alert = tls(session).alerts.first().expect("an alert");
    assert_eq!(
        (alert.span.direction, alert.level, alert.description),
        (sender, AlertLevel::Fatal, description)
    );
}

fn dialogue(session: &Session) -> Vec<(Verb, Option<u16>)> {
    session
        .exchanges()
        .iter()
        .map(|exchange| (exchange.verb, exchange.reply.yes().map(|reply| reply.code)))
        .collect()
}

fn auth(session: &Session) -> (&AuthFacts, &Exchange) {
    session
        .exchanges()
        .iter()
        .find_map(|exchange| match &exchange.detail {
            Detail::Auth(facts) => Some((&**facts, exchange)),
            _ => None,
        })
        .expect("AUTH")
}

fn assert_login(name: &str, mechanism: &str, code: u16) -> Option<Vec<Finding>> {
    let (session, findings) = read(name)?;
    let (facts, exchange) = auth(&session);
    assert_eq!(facts.mechanism.utf8(), Some(mechanism));
    assert_eq!(facts.identity.as_ref().and_then(|one| one.utf8()), Some("taro"));
    assert_eq!(exchange.reply.yes().map(|reply| reply.code), Some(code));
    assert_eq!(
        dialogue(&session).iter().map(|(verb, _)| verb).collect::<Vec<_>>(),
        [&Verb::Ehlo, &Verb::Auth, &Verb::Quit],
        "a response is no command"
    );
    let mut challenges = exchange.intermediate().iter().map(|reply| reply.code);
    assert!(challenges.all(|code| code == 334));
    Some(findings)
}

fn data(exchange: &Exchange) -> Option<&DataFacts> {
    match &exchange.detail {
        Detail::Data(data) | Detail::Bdat { data, .. } => data.as_deref(),
        _ => None,
    }
}

fn recipients(session: &Session) -> Vec<Vec<(&str, Option<u16>)>> {
    session
        .transactions
        .iter()
        .map(|transaction| {
            transaction
                .recipients
                .iter()
                .map(|one| (one.address.utf8().unwrap_or_default(), one.code))
                .collect()
        })
        .collect()
}

#[test]
fn an_old_client_refused_by_a_newer_server_is_named_with_offer_alert_and_sender() {
    let Some((session, findings)) = read("t10_to_min12") else {
        return;
    };
    assert_eq!(session.security, Security::StartTls);
    assert_eq!(tls(&session).start, TlsStart::Upgraded);
    assert_eq!(tls(&session).offer().unwrap().maximum(), Version::TLS1_0);
    assert_fatal_alert(&session, Direction::ToClient, 70);
    assert_root(&findings, "tls-protocol-version-refused");
    assert_eq!(session.outcome, Outcome::TlsFailed);
    let story = outputs(&session, &findings).join("\n");
    assert!(story.contains("TLS 1.0"), "the offer is named");
    let told = findings.iter().find(|finding| finding.root_cause).unwrap();
    assert!(!told.rule.actors.is_empty(), "somebody is told what to do");
}

#[test]
fn without_the_client_hello_the_switch_is_inferred_from_the_alert_record() {
    let Some(path) = path("t10_to_min12") else { return };
    // Cut before the ClientHello: the capture begins at frame 11, and once more at frame 12, the alert alone.
    let (session, findings) = without(&path, &(1..=10).collect::<Vec<_>>());
    assert_eq!(tls(&session).start, TlsStart::Inferred);
    assert_fatal_alert(&session, Direction::ToClient, 70);
    assert_root(&findings, "tls-protocol-version-refused");
    assert!(session.quality.started_late);
    assert_said(&findings, "capture-partial-session");
    let (session, _) = without(&path, &[11]);
    assert_eq!(tls(&session).start, TlsStart::Upgraded);
    assert!(tls(&session).offer().is_none());
    assert_fatal_alert(&session, Direction::ToClient, 70);
    assert!(session.quality.gaps);
}

#[test]
fn without_the_reply_to_starttls_the_switch_is_inferred_and_the_gap_is_told() {
    let Some(path) = path("t10_to_min12") else { return };
    let (session, findings) = without(&path, &[10]);
    assert_eq!(tls(&session).start, TlsStart::Inferred);
    assert_eq!(tls(&session).offer().unwrap().maximum(), Version::TLS1_0);
    assert_fatal_alert(&session, Direction::ToClient, 70);
    assert_root(&findings, "tls-protocol-version-refused");
    assert!(session.quality.gaps);
    assert_said(&findings, "capture-gap");
    let start = session
        .exchanges()
        .iter()
        .find(|one| one.verb == Verb::StartTls)
        .unwrap();
    assert_eq!(start.reply.yes(), None, "a reply that is not there is not invented");
}

#[test]
fn the_server_rejects_the_cipher_list() {
    let Some((session, findings)) = read("nocipher") else {
        return;
    };
    assert_fatal_alert(&session, Direction::ToClient, 40);
    assert_root(&findings, "tls-no-shared-cipher");
}

#[test]
fn the_client_rejects_the_server_certificate() {
    for (name, visible) in [("unknown_ca", true), ("unknown_ca13", false)] {
        let Some((session, findings)) = read(name) else { return };
        assert_fatal_alert(&session, Direction::ToServer, 48);
        assert_eq!(tls(&session).server_certificate.is_some(), visible, "{name}");
        let slug = root(&findings).unwrap_or_default();
        assert!(
            ["cert-untrusted-ca", "cert-self-signed", "cert-rejected-by-client"].contains(&slug),
            "{name}: {slug}, said {:?}",
            slugs(&findings)
        );
    }
}

#[test]
fn pipelined_commands_behind_the_final_dot_keep_their_replies() {
    let Some((session, _)) = read("pipe") else { return };
    assert_eq!(
        dialogue(&session),
        [
            (Verb::Ehlo, Some(250)),
            (Verb::Mail, Some(250)),
            (Verb::Rcpt, Some(250)),
            (Verb::Rcpt, Some(550)),
            (Verb::Data, Some(250)),
            (Verb::Mail, Some(250)),
            (Verb::Rcpt, Some(450)),
            (Verb::Rset, Some(250)),
            (Verb::Quit, Some(221)),
        ]
    );
    assert_eq!(
        recipients(&session),
        [
            vec![("a@example.test", Some(250)), ("nouser@example.test", Some(550))],
            vec![("grey@example.test", Some(450))],
        ]
    );
    assert_eq!(session.transactions[0].result, TransactionResult::PartlyAccepted);
    assert_eq!(session.outcome, Outcome::PartlyAccepted);
    let message = session.exchanges().iter().find_map(data).unwrap();
    assert!(message.ended.is_some() && message.message.is_some());
}

#[test]
fn bdat_chunks_are_counted_not_read_as_commands() {
    let Some((session, findings)) = read("bdat") else {
        return;
    };
    assert_eq!(
        dialogue(&session),
        [
            (Verb::Ehlo, Some(250)),
            (Verb::Mail, Some(250)),
            (Verb::Rcpt, Some(250)),
            (Verb::Bdat, Some(250)),
            (Verb::Bdat, Some(250)),
            (Verb::Quit, Some(221)),
        ]
    );
    let message = session.exchanges().iter().filter_map(data).next_back().unwrap();
    assert_eq!(message.size, 78);
    assert_eq!(session.outcome, Outcome::Accepted);
    assert_eq!(recipients(&session), [vec![("a@example.test", Some(250))]]);
    assert_nothing_failed(&findings);
}

#[test]
fn logins_show_mechanism_identity_and_result_and_no_secret() {
    for (name, mechanism) in [
        ("login", "LOGIN"),
        ("loginir", "LOGIN"),
        ("plain2", "PLAIN"),
        ("cram", "CRAM-MD5"),
        ("xoauth", "XOAUTH2"),
    ] {
        let Some(findings) = assert_login(name, mechanism, 235) else {
            return;
        };
        assert_nothing_failed(&findings);
        if name == "cram" {
            assert_said(&findings, "auth-cram-md5-exposed");
        } else {
            assert_said(&findings, "auth-cleartext-credentials");
        }
    }
    if let Some(findings) = assert_login("plain2fail", "PLAIN", 535) {
        assert_root(&findings, "auth-credentials-rejected");
    }
}

#[test]
fn a_message_is_accepted_for_one_recipient_of_three() {
    let Some((session, findings)) = read("plain") else {
        return;
    };
    assert_eq!(auth(&session).0.mechanism.utf8(), Some("PLAIN"));
    assert_eq!(
        recipients(&session),
        [vec![
            ("hanako@example.test", Some(250)),
            ("nouser@example.test", Some(550)),
            ("grey@example.test", Some(450)),
        ]]
    );
    assert_eq!(session.transactions[0].declared_size, Some(100));
    assert_eq!(session.outcome, Outcome::PartlyAccepted);
    let message = session.exchanges().iter().find_map(data).unwrap();
    assert_eq!(message.line_facts.stuffed_dots, 1);
    let facts = message.message.as_deref().unwrap();
    assert_eq!(facts.subject.as_ref().and_then(|one| one.utf8()), Some("テスト"));
    assert_eq!(facts.from[0].name.as_ref().and_then(|one| one.utf8()), Some("太郎"));
    assert_said(&findings, "smtp-user-unknown");
    assert_said(&findings, "auth-cleartext-credentials");
}

#[test]
fn a_refused_starttls_that_is_followed_by_mail_is_told_as_continued_in_clear() {
    let Some((session, findings)) = read("starttls454") else {
        return;
    };
    assert_eq!(session.security, Security::None);
    assert!(dialogue(&session).contains(&(Verb::StartTls, Some(454))));
    assert!(dialogue(&session).contains(&(Verb::Mail, Some(250))));
    assert_root(&findings, "starttls-refused");
    let story = outputs(&session, &findings).join("\n");
    assert!(story.contains("continued without encryption"));
}

#[test]
fn octets_behind_starttls_are_told_as_injection_and_shown() {
    let Some((session, findings)) = read("inject") else {
        return;
    };
    let dialogue = session.smtp.as_deref().unwrap();
    let (span, octets) = dialogue.injected.first().expect("injected octets");
    assert_eq!(octets.bytes(), b"MAIL FROM:<evil@example.test>\r\n");
    assert_eq!(span.direction, Direction::ToServer);
    let finding = findings
        .iter()
        .find(|finding| finding.rule.slug == "starttls-injection")
        .unwrap_or_else(|| panic!("said {:?}", slugs(&findings)));
    assert!(
        finding
            .evidence
            .iter()
            .any(|one| one.quotation.contains_ignoring_case("MAIL FROM"))
    );
}

#[test]
fn a_client_hello_on_a_plaintext_port_is_told_as_the_wrong_mode() {
    let Some((session, findings)) = read("tls2plain") else {
        return;
    };
    assert_root(&findings, "tls-hello-on-plaintext-port");
    assert!(session.exchanges().is_empty(), "a ClientHello is no command");
}

#[test]
fn a_connection_that_ends_inside_data_is_not_delivered_and_its_closer_is_named() {
    let Some((session, findings)) = read("drop") else {
        return;
    };
    assert!(!matches!(session.outcome, Outcome::Accepted | Outcome::PartlyAccepted));
    assert!(matches!(
        session.ended_by,
        EndedBy::Fin(Role::Client) | EndedBy::Reset(Role::Client)
    ));
    assert!(session.exchanges().iter().find_map(data).unwrap().ended.is_none());
    assert_root(&findings, "smtp-client-vanished");
}

#[test]
fn signed_and_encrypted_messages_are_told_with_what_stays_readable() {
    for (name, protection) in [
        ("smime_enc", Protection::SmimeEncrypted),
        ("smime_enc2", Protection::SmimeEncrypted),
        ("smime_signed", Protection::SmimeSigned),
        ("smime_signed2", Protection::SmimeSigned),
    ] {
        let Some((session, findings)) = read(name) else { return };
        let message = session.exchanges().iter().find_map(data).unwrap();
        let facts = message.message.as_deref().unwrap();
        assert_eq!(facts.protection, Some(protection), "{name}");
        assert!(facts.subject.is_some(), "the subject stays readable");
        assert_eq!(session.outcome, Outcome::Accepted);
        assert_nothing_failed(&findings);
        assert_said(&findings, "msg-end-to-end-encrypted");
    }
}

#[test]
fn a_healthy_tls13_session_keeps_quiet() {
    let Some((session, findings)) = read("ok13") else {
        return;
    };
    assert_nothing_failed(&findings);
    let noise: Vec<_> = findings
        .iter()
        .filter(|finding| finding.severity > Severity::Note)
        .map(|finding| finding.rule.slug)
        .collect();
    assert!(noise.is_empty(), "{noise:?}");
    assert_eq!(
        tls(&session).server_hello.as_ref().map(|hello| hello.version),
        Some(Version::TLS1_3)
    );
}

#[test]
fn where_the_server_is_the_limit_the_client_is_called_ready() {
    let Some((session, findings)) = read("srv_only10") else {
        return;
    };
    assert_fatal_alert(&session, Direction::ToClient, 70);
    assert!(tls(&session).offer().unwrap().maximum() >= Version::TLS1_2);
    assert_root(&findings, "tls-protocol-version-refused");
    let story = outputs(&session, &findings).join("\n");
    assert!(story.contains("server"));
}
