//! No name of the certificate matches the name that the client asked for.

use super::evidence::{self, Reaction};
use crate::diagnosis::Value;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::Session;

/// `cert-name-mismatch`.
pub static RULE: Rule = Rule {
    slug: "cert-name-mismatch",
    layer: Layer::Cert,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(49),
    actors: &[Actor::Client, Actor::Server],
    explains_away: &[
        "auth-requires-tls-first",
        "cert-missing-intermediate",
        "cert-rejected-by-client",
        "cert-untrusted-ca",
        "cert-weak-crypto",
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
    references: &[
        "RFC 9525 6",
        "RFC 7817 3-4",
        "RFC 6066 3",
        "apnscp KB \"connection-mail-ssl-fails\"",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// bad_certificate of OpenSSL and GnuTLS, certificate_unknown of Java.
const ALERTS: &[u8] = &[42, 46];

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let judged = evidence::judged(session)?;
    let unused = judged.reaction == Reaction::Unclear && !session.service.is_for_users();
    if judged.reaction == Reaction::WentOn || unused {
        return None;
    }
    let (wanted, common_name_only) = match (judged.mismatch(), judged.common_name_only()) {
        (Some(wanted), _) => (wanted, false),
        (None, Some(wanted)) if judged.decided(ALERTS) && judged.faults().is_empty() => (wanted, true),
        _ => return None,
    };
    let names: Vec<Value> = judged.leaf.dns_names.iter().take(5).map(Value::from).collect();
    let names = if names.is_empty() {
        judged.leaf.common_name.iter().map(Value::from).collect()
    } else {
        names
    };
    Some(
        judged
            .finding(rule, judged.leaf, ALERTS)
            .as_sure_as(Confidence::Likely)
            .with("wanted", wanted)
            .with_some("names", (!names.is_empty()).then_some(names))
            .with_some("common", common_name_only.then_some("yes")),
    )
}
