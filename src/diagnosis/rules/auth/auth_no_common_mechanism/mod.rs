//! The client read the list of mechanisms and left without trying one.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::Verb;
use crate::session::{EndedBy, Session, Stage};
use crate::span::Role;

/// `auth-no-common-mechanism`.
pub static RULE: Rule = Rule {
    slug: "auth-no-common-mechanism",
    layer: Layer::Auth,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(52),
    actors: &[Actor::Client],
    explains_away: &["smtp-client-vanished"],
    leans_on_absence: true,
    references: &["RFC 4954 3-4", "RFC 4422 3.3", "RFC 5321 4.1.1.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if !session.service.is_for_users() || session.tls.is_some() || session.quality.started_late {
        return None;
    }
    let list = facts::clear_list(session)?;
    let offered = facts::mechanisms(list);
    let later = |verb: &Verb| !matches!(verb, Verb::Ehlo | Verb::Helo | Verb::Quit | Verb::Noop | Verb::Rset);
    let tried = session.exchanges().iter().any(|exchange| later(&exchange.verb));
    let left = session.exchanges().iter().any(|exchange| exchange.verb == Verb::Quit)
        || matches!(
            session.ended_by,
            EndedBy::Fin(Role::Client) | EndedBy::Reset(Role::Client)
        );
    if offered.is_empty() || tried || !left {
        return None;
    }
    let reply = list.reply.yes()?;
    let line = Session::extensions(list)
        .iter()
        .find(|line| facts::is_keyword(line, "AUTH"))?;
    Some(
        Finding::of(rule, Stage::Auth, Evidence::quote(&reply.span.get(), line))
            .with(
                "offered",
                crate::diagnosis::Value::List(offered.iter().map(Into::into).collect()),
            )
            .with("port", session.connection.server.port)
            .and_some(
                session
                    .exchanges()
                    .iter()
                    .find(|exchange| exchange.verb == Verb::Quit)
                    .map(Evidence::command),
            ),
    )
}
