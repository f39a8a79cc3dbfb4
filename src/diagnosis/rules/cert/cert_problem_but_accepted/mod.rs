//! The certificate is wrong and the client went on.

use crate::diagnosis::Value;
use crate::diagnosis::rules::cert::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::Phase;
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
    references: &["RFC 8314 5.3", "RFC 7817", "RFC 7435"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session
        .tls
        .as_deref()
        .filter(|tls| tls.phase >= Phase::AfterApplicationData)?;
    let message = tls.server_certificate.as_ref()?;
    let leaf = message.certificates.first()?;
    let at = message.span.first.time;
    if !session.service.is_for_users()
        || evidence::rejection(session).is_some()
        || tls.directions.to_server.application_records < 2
    {
        return None;
    }
    let wanted = tls.offer().and_then(|offer| offer.server_name.as_ref());
    let wrong_name = wanted.is_some_and(|wanted| {
        !leaf.dns_names.is_empty() && !leaf.dns_names.iter().any(|name| evidence::fits(name, wanted))
    });
    let fault = if at > leaf.not_after {
        "fault_expired"
    } else if at < leaf.not_before {
        "fault_early"
    } else if leaf.self_issued && message.certificates.len() == 1 {
        "fault_self_signed"
    } else if wrong_name {
        "fault_name"
    } else {
        return None;
    };
    Some(
        Finding::of(rule, Stage::Tls, Evidence::quote(&message.span, &leaf.subject))
            .with("fault", Value::Phrase(fault))
            .with_some("wanted", wanted),
    )
}
