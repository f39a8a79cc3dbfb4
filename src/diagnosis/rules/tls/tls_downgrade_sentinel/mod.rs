//! The server marked that it could do a newer version.

use crate::diagnosis::rules::tls::evidence::{self, Meaning};
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{ClientHello, DowngradeSentinel, Version};
use crate::session::{Session, Stage};

/// `tls-downgrade-sentinel`.
pub static RULE: Rule = Rule {
    slug: "tls-downgrade-sentinel",
    layer: Layer::Tls,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: Some(45),
    actors: &[Actor::Network, Actor::Client],
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
        "tls-other-fatal-alert",
    ],
    leans_on_absence: false,
    references: &["RFC 8446 4.1.3"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let (hello, sentinel) = evidence::sentinel(tls)?;
    let contradicted = evidence::is_contradicted(tls);
    let refusal = evidence::alert_of(session, Meaning::Downgrade).map(|(_, alert)| alert);
    let severity = match (contradicted, refusal) {
        (true, Some(_)) => Severity::Fail,
        (true, None) => Severity::Risk,
        // The client is the limit: the mark only tells that the server is ready.
        (false, _) => Severity::Note,
    };
    let could = match sentinel {
        DowngradeSentinel::CouldTls13 => Version::TLS1_3,
        DowngradeSentinel::CouldTls12 => Version::TLS1_2,
    };
    let decisive = refusal.map_or_else(|| Evidence::server_hello(hello), Evidence::alert);
    Some(
        Finding::of(rule, Stage::Tls, decisive)
            .as_severity(severity)
            .with("could", could)
            .with("version", hello.version)
            .with_some("offered", tls.offer().map(ClientHello::maximum))
            .with_some("tampered", contradicted.then_some("yes"))
            .with_some("refused", refusal.map(|_| "yes"))
            .and_some(refusal.map(|_| Evidence::server_hello(hello)))
            .and_some(tls.offer().map(Evidence::client_hello)),
    )
}
