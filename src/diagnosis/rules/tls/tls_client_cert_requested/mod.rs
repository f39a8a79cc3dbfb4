//! The server asked for a client certificate and the session went on.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{AlertLevel, Phase};
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
    references: &["RFC 5246 7.4.4", "RFC 8314 4.2, 5.5"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session
        .tls
        .as_deref()
        .filter(|tls| tls.phase >= Phase::AfterHandshake)?;
    let span = tls.certificate_request.as_ref()?;
    let failed = tls.alerts.iter().any(|alert| alert.level == AlertLevel::Fatal);
    let sent = tls
        .client_certificate
        .as_ref()
        .is_some_and(|message| !message.certificates.is_empty());
    (!failed).then(|| {
        Finding::of(rule, Stage::Tls, Evidence::quote(span, "CertificateRequest"))
            .with_some("sent", sent.then_some("yes"))
    })
}
