//! No name of the certificate fits the name that the client asked for.

use crate::captured::Captured;
use crate::diagnosis::Value;
use crate::diagnosis::rules::cert::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

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

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let (message, leaf) = evidence::shown(session)?;
    let rejection = evidence::rejection(session).filter(evidence::Rejection::may_mean_trust);
    let wanted = tls.offer()?.server_name.as_ref()?;
    let names: Vec<&Captured> = leaf
        .dns_names
        .iter()
        .chain(leaf.common_name.as_ref().filter(|_| leaf.dns_names.is_empty()))
        .collect();
    if names.iter().any(|name| evidence::fits(name, wanted))
        || wanted
            .utf8()
            .is_some_and(|name| name.parse::<std::net::IpAddr>().is_ok())
    {
        return None;
    }
    rejection?;
    let finding = Finding::of(rule, Stage::Tls, Evidence::quote(&message.span, &leaf.subject))
        .with("wanted", wanted)
        .with(
            "names",
            Value::List(names.iter().take(5).map(|name| (*name).into()).collect()),
        );
    Some(evidence::judged(finding, rejection))
}
