//! Where TCP cuts a dialogue says nothing about it: every rule's examples, sent octet by octet, give the same dialogue and
//! the same verdicts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use smtpcap::diagnosis::{Finding, Layer};
use smtpcap::insight::register;
use smtpcap::protocol::Seen;
use smtpcap::session::Session;
use smtpcap_testkit::Script;

/// What must not depend on the cuts: the endpoints, every command with its reply, the outcome, and what is said of it.
#[derive(Debug, PartialEq)]
struct Told {
    ways: String,
    exchanges: Vec<String>,
    outcome: String,
    findings: Vec<String>,
}

fn told(session: &Session, findings: &[Finding]) -> Told {
    let exchanges = session.exchanges().iter().map(|exchange| {
        let reply = match &exchange.reply {
            Seen::Yes(reply) => reply.code.to_string(),
            other => format!("{other:?}"),
        };
        format!("{:?} {reply}", exchange.verb)
    });
    let mut slugs: Vec<String> = findings
        .iter()
        // Segments are what the path and capture rules look at.
        .filter(|finding| !matches!(finding.rule.layer, Layer::Net | Layer::Capture))
        .map(|finding| format!("{} {:?} {}", finding.rule.slug, finding.severity, finding.root_cause))
        .collect();
    slugs.sort();
    Told {
        ways: format!("{} {}", session.connection.client, session.connection.server),
        exchanges: exchanges.collect(),
        outcome: format!("{:?} {:?}", session.outcome, session.stage),
        findings: slugs,
    }
}

fn analyse(script: &Script) -> Vec<Told> {
    let mut sessions = common::play_script(script);
    sessions.sort_by_key(|(session, _)| session.id);
    sessions
        .iter()
        .map(|(session, findings)| told(session, findings))
        .collect()
}

/// Statements that speak of single segments, or of the octets that a capture keeps: cutting changes what they mean.
fn speaks_of_segments(line: &str) -> bool {
    const MARKS: [&str; 9] = ["C!", "S!", "Cx", "Sx", "Cr", "Sr", "snap ", "split ", "pmtu "];
    const WORDS: [&str; 6] = ["mss=", "icmp", "fragment ", "window", "hide", "swap"];
    MARKS.iter().any(|mark| line.starts_with(mark)) || WORDS.iter().any(|word| line.contains(word))
}

#[test]
fn every_rule_says_the_same_of_its_examples_octet_by_octet() {
    let mut compared = 0;
    let mut passed_over = 0;
    let mut failures = Vec::new();
    for rule in register() {
        for (number, example) in rule.texts.examples.split("\n== ").enumerate() {
            let body = example.split_once('\n').map_or("", |(_, body)| body);
            if body.lines().any(|line| speaks_of_segments(line.trim_start())) {
                passed_over += 1;
                continue;
            }
            let (Ok(whole), Ok(cut)) = (Script::parse(body), Script::parse(&format!("split 1\n{body}"))) else {
                passed_over += 1;
                continue;
            };
            assert!(cut.frames.len() >= whole.frames.len());
            let (whole, cut) = (analyse(&whole), analyse(&cut));
            compared += 1;
            if whole != cut {
                failures.push(format!("{} example {number}:\n    {whole:?}\n    {cut:?}", rule.slug));
            }
        }
    }
    println!("{compared} examples compared, {passed_over} passed over");
    assert!(compared > 100, "{compared} examples compared");
    assert!(
        failures.is_empty(),
        "{} differ:\n  {}",
        failures.len(),
        failures.join("\n  ")
    );
}
