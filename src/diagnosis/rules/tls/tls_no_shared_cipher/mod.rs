//! The server found no cipher suite of the offer that it accepts.

use crate::diagnosis::rules::tls::evidence::{self, Meaning};
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{ClientHello, alert_name, cipher_suite_name, is_aead, is_ecdsa};
use crate::session::{Session, Stage};

/// `tls-no-shared-cipher`.
pub static RULE: Rule = Rule {
    slug: "tls-no-shared-cipher",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(42),
    actors: &[Actor::Server, Actor::Client],
    explains_away: &[
        "auth-requires-tls-first",
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-no-greeting",
        "smtp-server-421",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-before-greeting",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
        "tls-sslv2-sslv3-hello",
    ],
    leans_on_absence: false,
    references: &["RFC 5246 7.2.2, 7.4.1.3", "RFC 8446 6.2"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// Suites named in the sentence.
const NAMED: usize = 4;

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (tls, alert) = evidence::alert_of(session, Meaning::NoSharedCipher)?;
    let hello = tls.offer();
    let suites: Vec<u16> = hello.into_iter().flat_map(evidence::suites).collect();
    let all = |fits: fn(u16) -> bool| !suites.is_empty() && suites.iter().all(|suite| fits(*suite));
    let old = all(|suite| !is_aead(suite));
    let modern = suites.iter().any(|suite| is_aead(*suite) && !is_ecdsa(*suite));
    let ecdsa = all(is_ecdsa);
    let newest_only = all(|suite| suite >> 8 == 0x13);
    let named: Vec<String> = suites
        .iter()
        .take(NAMED)
        .map(|suite| cipher_suite_name(*suite).map_or_else(|| format!("0x{suite:04x}"), str::to_owned))
        .collect();
    let confidence = match alert.description {
        71 => Confidence::Confirmed,
        _ if modern && !newest_only => Confidence::Possible,
        _ => Confidence::Likely,
    };
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .as_sure_as(confidence)
            .with("code", alert.description)
            .with_some("alert", alert_name(alert.description))
            .with("count", suites.len())
            .with_some("suites", Some(named).filter(|named| !named.is_empty()))
            .with_some("old", old.then_some("yes"))
            .with_some("ecdsa", ecdsa.then_some("yes"))
            .with_some("newest", newest_only.then_some("yes"))
            .with_some("modern", (modern && !newest_only).then_some("yes"))
            .with_some("offered", hello.map(ClientHello::maximum))
            .and_some(hello.map(Evidence::client_hello)),
    )
}
