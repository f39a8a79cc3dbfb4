//! The certificate is issued by a product that intercepts TLS.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `tls-interception-suspected`.
pub static RULE: Rule = Rule {
    slug: "tls-interception-suspected",
    layer: Layer::Tls,
    severity: Severity::Risk,
    confidence: Confidence::Possible,
    precedence: Some(45),
    actors: &[Actor::Network],
    explains_away: &[],
    references: &["RFC 7817", "RFC 9325", "vendor documentation"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let message = session.tls.as_deref()?.server_certificate.as_ref()?;
    let certificate = message
        .certificates
        .iter()
        .find(|one| MARKS.iter().any(|mark| one.issuer.contains_ignoring_case(mark)))?;
    Some(
        Finding::of(rule, Stage::Tls, Evidence::quote(&message.span, &certificate.issuer))
            .with("issuer", &certificate.issuer),
    )
}

/// Words in issuers of products that decrypt mail on the way.
const MARKS: &[&str] = &[
    "mail shield",
    "web shield",
    "ssl filter ca",
    "personal root certificate",
    "personal ca",
    "antivirus",
    "anti-virus",
    "ssl inspection",
    "fortinet",
    "fortigate",
    "sophos",
    "zscaler",
    "bluecoat",
    "palo alto networks decrypt",
    "kaspersky",
    "bitdefender",
    "eset ssl",
    "avast",
    "avg technologies",
];
