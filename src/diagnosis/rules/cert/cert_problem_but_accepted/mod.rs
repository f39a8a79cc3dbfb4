//! The certificate is wrong and the client went on.

use crate::diagnosis::Value;
use crate::diagnosis::rules::cert::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::TlsFacts;
use crate::session::{Session, Stage};

/// `cert-problem-but-accepted`.
pub static RULE: Rule = Rule {
    slug: "cert-problem-but-accepted",
    layer: Layer::Cert,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 8314 5.3", "RFC 7817", "RFC 7435"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if !session.service.is_for_users() || evidence::rejection(session).is_some() {
        return None;
    }
    let (fault, message) = evidence::accepted_fault(session)?;
    let leaf = message.certificates.first()?;
    let wanted = session
        .tls
        .as_deref()
        .and_then(TlsFacts::offer)
        .and_then(|offer| offer.server_name.as_ref());
    Some(
        Finding::of(rule, Stage::Tls, Evidence::quote(&message.span, &leaf.subject))
            .with("fault", Value::Phrase(fault))
            .with_some("wanted", wanted),
    )
}
