//! The certificate is not meant for servers, or the client says that it was revoked.

use crate::diagnosis::rules::cert::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `cert-wrong-usage-or-revoked`.
pub static RULE: Rule = Rule {
    slug: "cert-wrong-usage-or-revoked",
    layer: Layer::Cert,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(49),
    actors: &[Actor::Server],
    explains_away: &[
        "auth-requires-tls-first",
        "cert-rejected-by-client",
        "smtp-client-vanished",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-client-aborts-after-finished",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
        "tls-encrypted-alert-in-handshake",
        "tls-other-fatal-alert",
    ],
    leans_on_absence: false,
    references: &["RFC 5280 4.2.1.12", "RFC 6066 8", "RFC 8446 6.2"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (message, leaf) = evidence::shown(session)?;
    let rejection = evidence::rejection(session);
    let usage = leaf.server_authentication == Some(false);
    let said = rejection.is_some_and(|alert| matches!(alert.description, 43 | 44 | 113));
    if !usage && !said || rejection.is_none() {
        return None;
    }
    let revoked = rejection.is_some_and(|alert| matches!(alert.description, 44 | 113));
    let finding = Finding::of(rule, Stage::Tls, Evidence::quote(&message.span, &leaf.subject))
        .with_some("usage", usage.then_some("yes"))
        .with_some("revoked", revoked.then_some("yes"));
    Some(evidence::judged(finding, rejection))
}
