//! Alert 80 to an old hello: the version is on, but the security level forbids its signatures.

use crate::diagnosis::rules::tls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::Version;
use crate::protocol::tls::alert_name;
use crate::session::{Session, Stage};
use crate::span::Role;

/// `tls-internal-error-legacy-hello`.
pub static RULE: Rule = Rule {
    slug: "tls-internal-error-legacy-hello",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(41),
    actors: &[Actor::Server],
    explains_away: &[
        "auth-requires-tls-first",
        "smtp-client-vanished",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
        "tls-other-fatal-alert",
    ],
    references: &[
        "OpenSSL migration guide",
        "openssl/openssl#17476, #12634, #15859, #19867",
        "RFC 9155",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let offer = tls.offer().filter(|offer| offer.maximum() < Version::TLS1_2);
    let by_server = evidence::fatal(tls, Role::Server).find(|alert| alert.description == 80 && offer.is_some());
    let by_client = evidence::fatal(tls, Role::Client).find(|alert| {
        alert.description == 80
            && tls
                .server_hello
                .as_ref()
                .is_some_and(|hello| hello.version < Version::TLS1_2)
    });
    let alert = by_server.or(by_client)?;
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .with("alert", alert.description)
            .with("alert_name", alert_name(alert.description).unwrap_or("unassigned"))
            .with_some("offered", tls.offer().map(|offer| offer.maximum()))
            .with_some("client", by_client.filter(|_| by_server.is_none()).map(|_| "yes"))
            .and_some(tls.offer().map(Evidence::client_hello)),
    )
}
