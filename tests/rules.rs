//! Tests about the rules: every rule is whole, speaks both languages, fires on its own example and keeps quiet on its
//! look-alike. `RULE=slug cargo test --test rules` runs one rule's examples.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::collections::BTreeSet;

use smtpcap::diagnosis::{Check, Finding, Rule, Severity, Value};
use smtpcap::insight::{Digest, History, Insight, register};
use smtpcap::session::Session;
use smtpcap::text::{Explanation, Language, is_known_phrase};

fn analyse(script: &str) -> (Vec<(Session, Vec<Finding>)>, Vec<Insight>) {
    let mut sessions = Vec::new();
    let mut history = History::new();
    for (session, findings) in common::play(script) {
        history.remember(Digest::of(&session, &findings));
        sessions.push((session, findings));
    }
    let insights = history.conclude();
    (sessions, insights)
}

/// The examples of a rule: whether each must fire, and its script.
fn examples(rule: &Rule) -> Vec<(bool, String)> {
    let mut examples: Vec<(bool, String)> = Vec::new();
    for line in rule.texts.examples.lines() {
        match line.strip_prefix("== ") {
            Some(name) if name.starts_with("fires") => examples.push((true, String::new())),
            Some(name) if name.starts_with("stays quiet") => examples.push((false, String::new())),
            Some(name) => panic!("{}: unknown example {name:?}", rule.slug),
            None => {
                if let Some((_, script)) = examples.last_mut() {
                    script.push_str(line);
                    script.push('\n');
                }
            }
        }
    }
    examples
}

fn wanted(rule: &Rule) -> bool {
    std::env::var("RULE").map_or(true, |only| only == rule.slug)
}

fn describe(sessions: &[(Session, Vec<Finding>)], insights: &[Insight]) -> String {
    let mut text = String::new();
    for (session, findings) in sessions {
        text.push_str(&format!("\n    session {:?} {:?}:", session.outcome, session.stage));
        for finding in findings {
            let mark = if finding.root_cause { "*" } else { "" };
            text.push_str(&format!(" {mark}{}/{:?}", finding.rule.slug, finding.severity));
        }
    }
    for insight in insights {
        text.push_str(&format!("\n    insight {}", insight.finding.rule.slug));
    }
    text
}

#[test]
fn every_rule_fires_on_its_example_and_keeps_quiet_on_its_look_alike() {
    let mut failures = Vec::new();
    let mut run = 0;
    for rule in register().filter(|rule| wanted(rule)) {
        let examples = examples(rule);
        for kind in [true, false] {
            if !examples.iter().any(|(fires, _)| *fires == kind) {
                failures.push(format!(
                    "{}: no example that {}",
                    rule.slug,
                    if kind { "fires" } else { "stays quiet" }
                ));
            }
        }
        for (number, (must_fire, script)) in examples.iter().enumerate() {
            run += 1;
            let analysed = std::panic::catch_unwind(|| analyse(script));
            let Ok((sessions, insights)) = analysed else {
                failures.push(format!("{}: example {number} cannot be played", rule.slug));
                continue;
            };
            let findings = || sessions.iter().flat_map(|(_, findings)| findings);
            let said = findings().any(|finding| finding.rule == rule)
                || insights.iter().any(|insight| insight.finding.rule == rule);
            let as_root = findings().any(|finding| finding.rule == rule && finding.root_cause)
                || matches!(rule.check, Check::Insight) && said;
            let needs_root = rule.severity == Severity::Fail && rule.precedence.is_some();
            let right = match (must_fire, needs_root) {
                (true, true) => as_root,
                (true, false) => said,
                (false, _) => !said,
            };
            if !right {
                let word = if *must_fire { "must fire" } else { "must stay quiet" };
                failures.push(format!(
                    "{}: example {number} {word}:{}",
                    rule.slug,
                    describe(&sessions, &insights)
                ));
            }
        }
    }
    println!(
        "{run} examples of {} rules",
        register().filter(|rule| wanted(rule)).count()
    );
    assert!(
        failures.is_empty(),
        "{} failures:\n  {}",
        failures.len(),
        failures.join("\n  ")
    );
}

#[test]
fn every_finding_of_every_example_has_evidence_and_known_values() {
    for rule in register().filter(|rule| wanted(rule)) {
        let names: BTreeSet<&str> = Explanation::parse(rule.texts.english).names().into_iter().collect();
        for (_, script) in examples(rule) {
            let Ok((sessions, insights)) = std::panic::catch_unwind(|| analyse(&script)) else {
                continue;
            };
            let all = sessions.iter().flat_map(|(_, findings)| findings);
            for finding in all.chain(insights.iter().map(|insight| &insight.finding)) {
                assert!(!finding.evidence.is_empty(), "{} has no evidence", finding.rule.slug);
                for (name, value) in &finding.values {
                    if finding.rule == rule {
                        assert!(
                            names.contains(name),
                            "{}: value {name} is used by no sentence",
                            rule.slug
                        );
                    }
                    for name in names_in(value) {
                        assert!(!is_prose(name), "{}: {name:?} is no name", finding.rule.slug);
                    }
                    if let Value::Phrase(key) = value {
                        assert!(
                            is_known_phrase(key),
                            "{}: phrase {key} is in no catalog",
                            finding.rule.slug
                        );
                    }
                }
                for language in Language::ALL {
                    let story = smtpcap::text::tell(finding, language, smtpcap::render::encode::terminal);
                    for evidence in &finding.evidence {
                        // In debug builds a note that the catalogue lacks, or lacks a value, panics.
                        let shown = smtpcap::text::proof(evidence, language, smtpcap::render::encode::terminal);
                        assert!(!shown.is_empty() || evidence.note.is_none(), "{}", finding.rule.slug);
                    }
                    let unfilled = names.iter().any(|name| story.what.contains(&format!("{{{name}}}")));
                    assert!(!story.what.is_empty() && !unfilled, "{}", finding.rule.slug);
                }
            }
        }
    }
}

/// The names in a value, those of a list among them.
fn names_in(value: &Value) -> Vec<&str> {
    match value {
        Value::Name(name) => vec![name],
        Value::List(values) => values.iter().flat_map(names_in).collect(),
        _ => Vec::new(),
    }
}

/// Two words of small letters in a row: words of one language, that would stand in the other one's sentences.
fn is_prose(name: &str) -> bool {
    let small = |word: &str| word.len() > 1 && word.chars().all(|letter| letter.is_ascii_lowercase());
    let words: Vec<&str> = name.split(' ').collect();
    words.windows(2).any(|pair| pair.iter().all(|word| small(word)))
}

#[test]
fn prose_is_told_from_names() {
    let list = Value::List(vec!["TLS 1.2".into(), Value::List(vec!["the client".into()])]);
    assert_eq!(names_in(&list), ["TLS 1.2", "the client"]);
    assert!(is_prose("no final reply") && is_prose("the client"));
    assert!(!is_prose("TLS 1.2") && !is_prose("protocol_version") && !is_prose("yes") && !is_prose("AUTH PLAIN LOGIN"));
}

#[test]
fn every_rule_speaks_both_languages_with_the_same_values() {
    let mut failures = Vec::new();
    for rule in register() {
        let english = Explanation::parse(rule.texts.english);
        let japanese = Explanation::parse(rule.texts.japanese);
        for (language, parsed) in [("en", &english), ("ja", &japanese)] {
            failures.extend(
                parsed
                    .defects
                    .iter()
                    .map(|defect| format!("{} {language}: {defect}", rule.slug)),
            );
            if parsed.title.is_empty() || parsed.meaning.is_empty() || parsed.what.is_empty() {
                failures.push(format!(
                    "{} {language}: title, meaning or what happened is missing",
                    rule.slug
                ));
            }
            if rule.severity > Severity::Ok && parsed.remedies.is_empty() {
                failures.push(format!("{} {language}: nobody is told what to do", rule.slug));
            }
            if parsed.what.last().is_some_and(|line| line.contains('{')) {
                failures.push(format!("{} {language}: the last alternative needs a value", rule.slug));
            }
        }
        if english.names() != japanese.names() {
            failures.push(format!(
                "{}: values differ: {:?} {:?}",
                rule.slug,
                english.names(),
                japanese.names()
            ));
        }
        let actors = |parsed: &Explanation<'_>| parsed.remedies.iter().map(|(actor, _)| *actor).collect::<Vec<_>>();
        if actors(&english) != actors(&japanese) {
            failures.push(format!("{}: actors differ", rule.slug));
        }
    }
    assert!(failures.is_empty(), "\n  {}", failures.join("\n  "));
}

/// What a diagnosis never says (design, diagnosis-rules.md), in text that a user reads.
const FORBIDDEN_ENGLISH: &[&str] = &[
    "illegal",
    " bad ",
    "simply",
    " just ",
    "please",
    "wrong password",
    "does not support starttls",
    "the firewall blocked",
];
const FORBIDDEN_JAPANESE: &[&str] = &[
    "ユーザーのミス",
    "サーバエラー",
    "不正なユーザー",
    "サーバ ",
    "ユーザ ",
    "TLS 1.",
];

#[test]
fn no_text_accuses_or_guesses() {
    let mut failures = Vec::new();
    for rule in register() {
        let english = rule.texts.english.to_lowercase();
        for word in FORBIDDEN_ENGLISH.iter().filter(|word| english.contains(**word)) {
            failures.push(format!("{}: {word:?}", rule.slug));
        }
        for word in FORBIDDEN_JAPANESE
            .iter()
            .filter(|word| rule.texts.japanese.contains(**word))
        {
            failures.push(format!("{}: {word:?}", rule.slug));
        }
        for line in english
            .lines()
            .filter(|line| line.contains("attack") && !line.contains("attackable"))
        {
            if !line.contains("pattern") && !line.contains("offline") && !line.contains("open to") {
                failures.push(format!(
                    "{}: \"attack\" without \"pattern consistent with\": {line}",
                    rule.slug
                ));
            }
        }
    }
    assert!(failures.is_empty(), "\n  {}", failures.join("\n  "));
}

#[test]
fn slugs_are_unique_sorted_lists_are_sane_and_explained_slugs_exist_in_the_catalogue() {
    let slugs: Vec<&str> = register().map(|rule| rule.slug).collect();
    let unique: BTreeSet<&str> = slugs.iter().copied().collect();
    assert_eq!(unique.len(), slugs.len(), "a slug is registered twice");
    let catalogue = include_str!("catalogue-slugs.txt");
    let known: BTreeSet<&str> = catalogue.lines().collect();
    for rule in register() {
        assert!(known.contains(rule.slug), "{} is not in the catalogue", rule.slug);
        assert!(!rule.actors.is_empty() && !rule.references.is_empty(), "{}", rule.slug);
        for other in rule.explains_away {
            assert!(
                known.contains(other),
                "{} explains {other}, which is not in the catalogue",
                rule.slug
            );
            assert_ne!(*other, rule.slug);
        }
    }
}

#[test]
fn the_rules_of_a_list_are_of_one_layer() {
    for rules in smtpcap::diagnosis::rules::layers() {
        let layer = rules.first().expect("no list is empty").layer;
        assert!(rules.iter().all(|rule| rule.layer == layer), "{}", layer.name());
    }
}
