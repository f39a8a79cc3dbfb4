//! Every text of `src/diagnosis/providers/texts.tsv` is played at every stage that it names: it leads to the diagnosis that
//! it states, no other row takes it, and what needs the provider's own server is not said of another one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use smtpcap::diagnosis::Finding;
use smtpcap::diagnosis::providers::{Place, ProviderText, texts};
use smtpcap::text::{Language, tell};

fn diagnose(script: &str) -> Vec<Finding> {
    common::play_one(script).1
}

const MAIL: &str = "C: MAIL FROM:<a@example.com>\nS: 250 Ok\n";
const RCPT: &str = "C: RCPT TO:<b@example.net>\nS: 250 Ok\n";

/// The dialogue up to the reply, which the server called `host` gives at this place.
fn dialogue(place: Place, host: &str, meaning: &str) -> String {
    let port = if place == Place::Auth { 587 } else { 25 };
    let begin = format!("session 192.0.2.20 -> 198.51.100.11:{port}\n");
    let hello = format!("smtp hello greeting=\"220 {host} ESMTP\" server={host} with=\"AUTH PLAIN\"\n");
    let line = if meaning == "smtp-line-too-long" {
        "x".repeat(1200)
    } else {
        "hello".to_owned()
    };
    let feed = if meaning == "smtp-bare-newline" {
        "\\n"
    } else {
        "\\r\\n"
    };
    let text = format!("C> Subject: x\\r\\n\\r\\n{line}{feed}bye\\r\\n.\\r\\n\n");
    match place {
        Place::Connect => begin,
        Place::Ehlo => format!("{begin}S: 220 {host} ESMTP\nC: EHLO client.example.com\n"),
        Place::Auth => format!("{begin}{hello}C: AUTH PLAIN {{b64:\\0a\\0PLANTED}}\n"),
        Place::Mail => format!("{begin}{hello}C: MAIL FROM:<a@example.com>\n"),
        Place::Rcpt => format!("{begin}{hello}{MAIL}C: RCPT TO:<b@example.net>\n"),
        Place::Data => format!("{begin}{hello}{MAIL}{RCPT}C: DATA\n"),
        Place::End => format!("{begin}{hello}{MAIL}{RCPT}C: DATA\nS: 354 go ahead\n{text}"),
        Place::Other => panic!("no text names this place"),
    }
}

fn play(text: &ProviderText, place: Place, host: &str) -> Vec<Finding> {
    let before = dialogue(place, host, text.meaning);
    diagnose(&format!("{before}S: {}\nC: QUIT\nS: 221 Bye\nS: fin\n", text.example))
}

fn own_host(text: &ProviderText) -> String {
    text.provider
        .hosts()
        .next()
        .map_or("mail.example.org".to_owned(), |host| format!("mx1.{host}"))
}

#[test]
fn every_text_leads_to_its_diagnosis_at_every_stage() {
    let mut failures = Vec::new();
    let mut played = 0;
    for text in texts() {
        let hosts = if text.needs_peer {
            vec![own_host(text)]
        } else {
            vec![own_host(text), "mail.example.org".to_owned()]
        };
        for place in &text.places {
            for host in &hosts {
                played += 1;
                let findings = play(text, *place, host);
                let root = findings.iter().find(|finding| finding.root_cause);
                let found = root.map(|root| (root.rule.slug, root.provider.map(|text| text.key)));
                if found != Some((text.meaning, Some(text.key))) {
                    failures.push(format!("{} at {place:?} of {host}: {found:?}", text.key));
                    continue;
                }
                for language in Language::ALL {
                    let story = tell(root.unwrap(), language, smtpcap::render::encode::terminal);
                    assert!(story.why.len() <= 3 && story.remedies.len() <= 3, "{}", text.key);
                    assert!(story.why[0] == smtpcap::text::meant(text, language), "{}", text.key);
                    let shown = story
                        .remedies
                        .iter()
                        .any(|(_, line)| text.page.is_some_and(|page| line.contains(page)));
                    assert_eq!(shown, text.page.is_some(), "{}", text.key);
                }
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {played}:\n  {}",
        failures.len(),
        failures.join("\n  ")
    );
    assert!(played >= 200, "{played}");
}

#[test]
fn words_that_others_use_as_well_are_read_so_only_where_the_server_is_the_providers() {
    let mut ambiguous = 0;
    // A greeting that names the provider's host is the provider's, whoever else uses the words.
    let names_itself = |text: &ProviderText| text.provider.hosts().any(|host| text.example.contains(host));
    for text in texts().filter(|text| text.needs_peer && !names_itself(text)) {
        ambiguous += 1;
        for place in &text.places {
            let findings = play(text, *place, "mail.example.org");
            let named = findings.iter().find_map(|finding| finding.provider);
            assert!(
                named.is_none_or(|named| named.provider != text.provider),
                "{}",
                text.key
            );
        }
    }
    assert!(ambiguous >= 15, "{ambiguous}");
}

#[test]
fn a_name_that_only_ends_alike_and_a_recipients_domain_are_no_proof() {
    for host in ["mx.notdocomo.ne.jp", "docomo.ne.jp.example.org"] {
        let text = texts().find(|text| text.key == "docomo.filtered").unwrap();
        let findings = play(text, Place::End, host);
        assert!(findings.iter().all(|finding| finding.provider.is_none()), "{host}");
    }
    let findings = diagnose(
        "session 192.0.2.20 -> 198.51.100.11:25\nsmtp hello\nC: MAIL FROM:<a@example.com>\nS: 250 Ok\n\
         C: RCPT TO:<b@docomo.ne.jp>\nS: 550 Unknown user b@docomo.ne.jp\nC: QUIT\nS: 221 Bye\nS: fin\n",
    );
    let root = findings.iter().find(|finding| finding.root_cause).unwrap();
    assert_eq!((root.rule.slug, root.provider), ("smtp-user-unknown", None));
}

#[test]
fn a_text_is_read_across_the_lines_of_a_reply_and_by_the_mark_that_it_bears() {
    let findings = diagnose(
        "session 192.0.2.20 -> 198.51.100.11:25
         smtp hello
         C: MAIL FROM:<a@example.com>
         S: 250 Ok
         C: RCPT TO:<b@example.net>
         S: 250 Ok
         C: DATA
         S: 354 go
         C: Subject: x
         C+
         C+ .
         S: 550-5.7.26 This mail has been blocked. Gmail requires all senders to authenticate
         S+ 550-5.7.26 with either SPF or DKIM.
         S+ 550 5.7.26 a1-2b3 - gsmtp
         C: QUIT
         S: 221 Bye
         S: fin",
    );
    let root = findings.iter().find(|finding| finding.root_cause).unwrap();
    assert_eq!(root.provider.map(|text| text.key), Some("gmail.unauthenticated"));
}
