//! TLS 1.1 or older was allowed, but the signature it needs is barred: alert 80.

use crate::diagnosis::rules::tls::evidence::{self, Meaning};
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::ClientHello;
use crate::session::{Session, Stage};
use crate::span::Direction;

/// `tls-internal-error-legacy-hello`.
pub static RULE: Rule = Rule {
    slug: "tls-internal-error-legacy-hello",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(41),
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
        "tls-other-fatal-alert",
        "tls-sslv2-sslv3-hello",
    ],
    leans_on_absence: false,
    references: &[
        "OpenSSL migration guide",
        "openssl/openssl#17476",
        "openssl/openssl#15859",
        "RFC 9155",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (tls, alert) = evidence::alert_of(session, Meaning::LegacyInternalError)?;
    let by_server = alert.span.direction == Direction::ToClient;
    // That it was the signature is the usual reason, not one that the wire shows.
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .as_sure_as(Confidence::Likely)
            .with_some("offered", tls.offer().map(ClientHello::maximum).filter(|_| by_server))
            .with_some(
                "chosen",
                tls.server_hello
                    .as_ref()
                    .map(|hello| hello.version)
                    .filter(|_| !by_server),
            )
            .and_some(tls.offer().map(Evidence::client_hello)),
    )
}
