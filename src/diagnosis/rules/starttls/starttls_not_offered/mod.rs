//! A complete capability list in clear has no STARTTLS or STLS.

use crate::diagnosis::rules::facts;
use crate::diagnosis::rules::starttls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `starttls-not-offered`.
pub static RULE: Rule = Rule {
    slug: "starttls-not-offered",
    layer: Layer::StartTls,
    severity: Severity::Risk,
    confidence: Confidence::Likely,
    precedence: Some(31),
    actors: &[Actor::Server, Actor::Network],
    explains_away: &[
        "auth-requires-tls-first",
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "starttls-required",
    ],
    leans_on_absence: false,
    references: &["RFC 3207 2, 4, 6", "RFC 2595 3, 4", "RFC 8314 4.1", "RFC 8461"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if !evidence::is_clear(session) || evidence::has_requests(session) {
        return None;
    }
    let offer = evidence::offer(session).filter(|offer| !offer.has_starttls)?;
    if evidence::masked(session).is_some() {
        return None;
    }
    let crossed = evidence::crossed(session);
    let demanded = facts::refused_mail(session).any(|(_, reply)| facts::wants_starttls(reply));
    // What it did not send may be what the capture lacks.
    let left = crossed.is_none() && evidence::client_left(session) && session.quality.is_complete();
    let severity = match &crossed {
        _ if demanded => Severity::Fail,
        Some(crossed) if crossed.login || session.service.is_for_users() => Severity::Risk,
        Some(_) => Severity::Note,
        None if left && session.service.is_for_users() => Severity::Fail,
        // EHLO and QUIT between servers: a check of the port looks the same.
        None if left => Severity::Note,
        None => return None,
    };
    let finding = Finding::of(rule, Stage::Hello, offer.list())
        .as_severity(severity)
        .with("port", session.connection.server.port)
        .with_some("left", left.then_some("yes"))
        .with_some("demanded", demanded.then_some("yes"))
        .with_some("login", crossed.as_ref().filter(|crossed| crossed.login).map(|_| "yes"))
        .with_some("mail", crossed.as_ref().filter(|crossed| !crossed.login).map(|_| "yes"));
    Some(finding.and_some(crossed.map(|crossed| crossed.command)))
}
