//! STARTTLS was in the capability list; the client went on in clear without asking for it.

use crate::diagnosis::rules::starttls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `starttls-offered-not-used`.
pub static RULE: Rule = Rule {
    slug: "starttls-offered-not-used",
    layer: Layer::StartTls,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 3207 4", "RFC 7435 3", "RFC 8461", "RFC 7672", "RFC 8314 3"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if !evidence::is_clear(session) || evidence::has_requests(session) {
        return None;
    }
    let users = session.service.is_for_users();
    let crossed = evidence::crossed(session);
    if crossed.is_none() && !users {
        return None;
    }
    let offer = evidence::offer(session).filter(|offer| offer.has_starttls)?;
    let Some(crossed) = crossed else {
        // Nothing confidential crossed; on a user's port it still tells how the client is set.
        let left = evidence::client_left(session);
        return left.then(|| {
            Finding::of(rule, Stage::Hello, offer.list())
                .as_severity(Severity::Note)
                .with("port", session.connection.server.port)
        });
    };
    let severity = if crossed.login || users {
        Severity::Risk
    } else {
        Severity::Note
    };
    Some(
        Finding::of(rule, Stage::StartTls, crossed.command)
            .as_severity(severity)
            .with("port", session.connection.server.port)
            .with_some("login", crossed.login.then_some("yes"))
            .with_some("mail", (!crossed.login).then_some("yes"))
            .with_some("relay", (!users).then_some("yes"))
            .and(offer.list()),
    )
}
