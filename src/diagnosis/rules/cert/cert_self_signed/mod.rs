//! The server sent one certificate that is its own issuer.

use super::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::Session;

/// `cert-self-signed`.
pub static RULE: Rule = Rule {
    slug: "cert-self-signed",
    layer: Layer::Cert,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: Some(49),
    actors: &[Actor::Server],
    explains_away: &[
        "auth-requires-tls-first",
        "cert-name-mismatch",
        "cert-rejected-by-client",
        "cert-validity-period",
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
    references: &["RFC 5280 3.2", "RFC 7435"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// unknown_ca of OpenSSL, and what GnuTLS and Java send instead.
const ALERTS: &[u8] = &[42, 46, 48];

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let judged = evidence::judged(session)?;
    if !judged.self_signed() || !(judged.decided(ALERTS) || session.service.is_for_users()) {
        return None;
    }
    Some(
        judged
            .finding(rule, judged.leaf, ALERTS)
            .with_some("ended", judged.decided(ALERTS).then_some("yes"))
            .with("port", session.connection.server.port),
    )
}
