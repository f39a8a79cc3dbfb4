//! The server did not send the certificate of its certificate's issuer.

use super::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::Session;

/// `cert-missing-intermediate`.
pub static RULE: Rule = Rule {
    slug: "cert-missing-intermediate",
    layer: Layer::Cert,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(49),
    actors: &[Actor::Server],
    explains_away: &[
        "auth-requires-tls-first",
        "cert-rejected-by-client",
        "cert-untrusted-ca",
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "starttls-client-abandons-after-220",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-client-aborts-after-finished",
        "tls-close-notify-missing",
        "tls-encrypted-alert-in-handshake",
        "tls-other-fatal-alert",
    ],
    references: &["RFC 5246 7.4.2", "RFC 8446 4.4.2", "RFC 5280 4.2.2.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

const ALERTS: &[u8] = &[42, 46, 48];

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let judged = evidence::judged(session)?;
    if !judged.issuer_missing() {
        return None;
    }
    let decided = judged.decided(ALERTS) && (judged.speaks_of_chain() || judged.faults().is_empty());
    if !decided && !session.service.is_for_users() {
        return None;
    }
    let misplaced = judged
        .message
        .certificates
        .iter()
        .any(|certificate| certificate.subject == judged.leaf.issuer);
    let others = judged.message.certificates.len() > 1;
    let finding = judged
        .finding(rule, judged.leaf, ALERTS)
        .with("issuer", &judged.leaf.issuer)
        .with_some("ended", decided.then_some("yes"))
        .with_some("misplaced", misplaced.then_some("yes"))
        .with_some("unrelated", (others && !misplaced).then_some("yes"))
        .with_some("alone", (!others).then_some("yes"));
    Some(if decided {
        finding.as_severity(Severity::Fail).as_sure_as(Confidence::Likely)
    } else {
        finding.as_severity(Severity::Note).as_sure_as(Confidence::Possible)
    })
}
