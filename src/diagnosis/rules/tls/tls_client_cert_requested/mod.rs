//! The server asked for a client certificate, and the session went on.

use crate::diagnosis::rules::tls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::session::{Session, Stage};

/// `tls-client-cert-requested`.
pub static RULE: Rule = Rule {
    slug: "tls-client-cert-requested",
    layer: Layer::Tls,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Server],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 5246 7.4.4", "RFC 8314 4.2, 5.5"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = evidence::completed(session)?;
    if evidence::fatal_alert(session).is_some() {
        return None;
    }
    if let Some(request) = &tls.certificate_request {
        let sent = tls
            .client_certificate
            .as_ref()
            .map(|message| !message.certificates.is_empty() || message.unreadable > 0);
        return Some(
            Finding::of(rule, Stage::Tls, Evidence::quote(request, "CertificateRequest"))
                .with_some("none", (sent == Some(false)).then_some("yes"))
                .with_some("sent", (sent == Some(true)).then_some("yes")),
        );
    }
    // TLS 1.3: only the size of the client's answer tells, and only where the session went on.
    let used = !tls.decrypted && tls.directions.to_server.first_application_data.is_some();
    let empty = evidence::empty_certificate_sized(tls).filter(|_| used)?;
    let quoted =
        Note::of("encrypted record of {length} octets, the size of an empty Certificate").with("length", empty.length);
    Some(
        Finding::of(
            rule,
            Stage::Tls,
            Evidence::frame(empty.stamp, Some(empty.direction), quoted),
        )
        .as_sure_as(Confidence::Inferred)
        .with("hidden", "yes"),
    )
}
