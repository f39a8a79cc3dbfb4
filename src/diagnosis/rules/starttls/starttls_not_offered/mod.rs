//! A complete list of extensions in clear has no STARTTLS.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::Verb;
use crate::session::{Outcome, Session, Stage};

/// `starttls-not-offered`.
pub static RULE: Rule = Rule {
    slug: "starttls-not-offered",
    layer: Layer::StartTls,
    severity: Severity::Risk,
    confidence: Confidence::Likely,
    precedence: Some(31),
    actors: &[Actor::Server, Actor::Network],
    explains_away: &[
        "auth-no-common-mechanism",
        "auth-requires-tls-first",
        "smtp-client-vanished",
    ],
    references: &[
        "RFC 3207 2, 4, 6",
        "RFC 2595 3-4",
        "RFC 8314 4.1",
        "RFC 8461",
        "Broadcom 451 4.7.6 \"STARTTLS required but not advertised\"",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if session.tls.is_some() || session.service.is_implicit_tls() || session.quality.only_direction.is_some() {
        return None;
    }
    let (evidence, stage) = missing(session)?;
    if super::evidence::stripped(session).is_some() {
        return None;
    }
    let went_on = super::evidence::sent_something(session);
    let left = !went_on && left_without_a_reason(session);
    let exposed = super::evidence::password_in_clear(session);
    // A relay without STARTTLS that nobody complains about is as common as harmless between servers: a risk only where
    // something private crossed, or the client left because of it.
    if !went_on && !left {
        return None;
    }
    let finding = Finding::of(rule, stage, evidence)
        .with("port", session.connection.server.port)
        .with_some("exposed", exposed.then_some("yes"))
        .with_some("left", left.then_some("yes"));
    Some(if left {
        finding.as_severity(Severity::Fail)
    } else if exposed || session.service.is_for_users() {
        finding
    } else {
        finding.as_severity(Severity::Note)
    })
}

/// Where the list without the keyword stands.
fn missing(session: &Session) -> Option<(Evidence, Stage)> {
    if let Some(list) = facts::clear_list(session) {
        let reply = list.reply.yes()?;
        return (!facts::offers(list, "STARTTLS") && !keyword_on_first_line(reply)).then(|| {
            (
                Evidence::quote(&reply.span, "EHLO reply without STARTTLS"),
                Stage::Hello,
            )
        });
    }
    let list = session.retrieval.as_ref()?.capabilities.first()?;
    let offered = list.keywords.iter().any(|word| {
        let word = facts::keyword(word);
        word.eq_ignore_ascii_case(b"STARTTLS") || word.eq_ignore_ascii_case(b"STLS")
    });
    (!offered).then(|| {
        (
            Evidence::quote(&list.span, "capabilities without STARTTLS or STLS"),
            Stage::Hello,
        )
    })
}

fn keyword_on_first_line(reply: &crate::protocol::smtp::Reply) -> bool {
    reply
        .lines
        .first()
        .is_some_and(|line| facts::keyword(line).eq_ignore_ascii_case(b"STARTTLS"))
}

/// The client read the list and left, on a port where clients have work to do, and no mechanism question explains it.
fn left_without_a_reason(session: &Session) -> bool {
    let only_hello = session.exchanges().iter().all(|exchange| {
        matches!(exchange.verb, Verb::Ehlo | Verb::Helo | Verb::Quit | Verb::Rset) && facts::refusal(exchange).is_none()
    });
    session.service.is_for_users() && only_hello && matches!(session.outcome, Outcome::NothingTried | Outcome::Aborted)
}
