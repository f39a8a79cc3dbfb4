//! `smtpcap explain` answers for codes, providers and their texts, and names the rules concerned.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use smtpcap::diagnosis::providers::{providers, texts};
use smtpcap::insight::register;
use smtpcap::text::registry::{
    AUTH_MECHANISMS, EHLO_KEYWORDS, ENHANCED_STATUS, REPLY_CODES, RESPONSE_CODES, TLS_ALERTS,
};
use smtpcap::text::{Answer, Language, Message, did_you_mean, explain};

fn asked(what: &str) -> Vec<Answer> {
    let answers = explain(what, Language::English);
    let japanese = explain(what, Language::Japanese);
    assert_eq!(answers.len(), japanese.len(), "{what}");
    for (english, japanese) in answers.iter().zip(&japanese) {
        assert_eq!(
            (&english.name, &english.rules),
            (&japanese.name, &japanese.rules),
            "{what}"
        );
        let kind = (
            english.kind.word(Language::English),
            english.kind.word(Language::Japanese),
        );
        assert_ne!(kind.0, kind.1, "{what}");
    }
    answers
}

fn names(what: &str) -> Vec<String> {
    asked(what).into_iter().map(|answer| answer.name).collect()
}

fn rules(what: &str) -> Vec<String> {
    asked(what).into_iter().flat_map(|answer| answer.rules).collect()
}

#[test]
fn a_provider_is_told_with_all_its_texts() {
    for provider in providers() {
        for what in [provider.id, provider.name] {
            let answers = asked(what);
            assert!(
                answers.iter().any(|answer| answer.kind == Message::KindProvider),
                "{what}"
            );
            for text in texts().filter(|text| text.provider == provider) {
                let told = answers.iter().filter(|answer| answer.name == text.key).count();
                assert_eq!(told, 1, "{what}: {}", text.key);
            }
        }
    }
    assert_eq!(names("docomo.ne.jp"), names("DOCOMO"));
    assert_eq!(names("KDDI"), names("au"));
}

#[test]
fn every_text_answers_to_its_key_and_to_its_whole_reply() {
    for text in texts() {
        for what in [text.key, text.example] {
            assert!(names(what).iter().any(|name| name == text.key), "{what}");
        }
        assert!(
            rules(text.example).iter().any(|rule| rule == text.meaning),
            "{}",
            text.key
        );
        let answer = asked(text.key).into_iter().next().unwrap();
        assert!(
            answer.references.iter().any(|one| one.contains(text.source)),
            "{}",
            text.key
        );
    }
}

#[test]
fn codes_words_and_parts_of_texts_are_found() {
    assert_eq!(names("S3150"), ["microsoft.block-list"]);
    assert_eq!(names("tss04"), ["yahoo.deferred"]);
    assert!(names("4.7.28").contains(&"gmail.rate".to_owned()));
    assert!(rules("User unknown").contains(&"smtp-user-unknown".to_owned()));
    assert!(names("User unknown").iter().any(|name| name.starts_with("au.")));
    assert!(names("Unknown user").contains(&"docomo.filtered".to_owned()));
    assert_eq!(rules("quota"), ["smtp-storage-or-quota"]);
    assert!(
        names("550").iter().all(|name| !name.contains('.')),
        "a reply code alone names no provider's texts"
    );
    // A reply pasted with another status code is about something else.
    assert!(!names("550 5.7.1 DKIM failed").contains(&"gmail.dkim".to_owned()));
    assert!(names("550 5.7.30 DKIM failed").contains(&"gmail.dkim".to_owned()));
}

#[test]
fn a_slip_is_understood_and_nonsense_is_not() {
    assert!(asked("docmo").is_empty() && did_you_mean("docmo").contains(&"docomo".to_owned()));
    assert!(asked("S3410").is_empty() && did_you_mean("S3410").contains(&"S3140".to_owned()));
    assert!(asked("smtp-relay-denid").is_empty());
    for nonsense in ["qqqqqqqqqqqqqqqq", "", " ", "5.7", "."] {
        assert!(asked(nonsense).is_empty(), "{nonsense:?}");
    }
}

#[test]
fn every_named_rule_exists_and_every_refusal_names_some() {
    let tables = [
        REPLY_CODES,
        ENHANCED_STATUS,
        TLS_ALERTS,
        AUTH_MECHANISMS,
        EHLO_KEYWORDS,
        RESPONSE_CODES,
    ];
    for row in tables.into_iter().flat_map(|table| table.rows()) {
        for slug in row.field("diagnoses").into_iter().flat_map(|list| list.split(',')) {
            assert!(register().any(|rule| rule.slug == slug.trim()), "{}: {slug}", row.key());
        }
    }
    for row in REPLY_CODES.rows().filter(|row| row.key().starts_with(['4', '5'])) {
        assert!(!rules(row.key()).is_empty(), "{}", row.key());
    }
}

fn root_causes(script: &str) -> Vec<&'static str> {
    let (_, findings) = common::play_one(script);
    findings
        .iter()
        .filter(|finding| finding.root_cause)
        .map(|finding| finding.rule.slug)
        .collect()
}

/// The rules that a reply code names are those that a refusal with that code alone leads to.
#[test]
fn a_refusal_by_its_code_alone_leads_to_a_rule_that_the_code_names() {
    const HELLO: &str = "smtp hello with=\"AUTH PLAIN\"\n";
    const MAIL: &str = "C: MAIL FROM:<a@example.com>\n";
    for row in REPLY_CODES.rows().filter(|row| row.key().starts_with(['4', '5'])) {
        let code = row.key();
        // 552 says nothing without its words (catalogue, `smtp-storage-or-quota`).
        let words = if code == "552" {
            "exceeded storage allocation"
        } else {
            "no"
        };
        let end = format!("S: {code} {words}\nC: QUIT\nS: 221 Bye\nS: fin\n");
        let asked = match code {
            "432" | "454" | "525" | "534" | "535" | "538" => "C: AUTH PLAIN {b64:\\0a\\0PLANTED}\n".to_owned(),
            _ => format!("{MAIL}S: 250 Ok\nC: RCPT TO:<b@example.net>\n"),
        };
        let begin = "session 192.0.2.20 -> 198.51.100.11:587\n";
        let asked = if code == "521" {
            format!("{begin}{end}")
        } else {
            format!("{begin}{HELLO}{asked}{end}")
        };
        let root = root_causes(&asked);
        let named = rules(code);
        assert!(
            root.iter().any(|root| named.iter().any(|rule| rule == root)),
            "{code}: {root:?} {named:?}"
        );
    }
}
