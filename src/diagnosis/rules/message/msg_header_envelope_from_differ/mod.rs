//! The From that the reader sees belongs to another organisation than the reverse-path.

use crate::diagnosis::rules::facts;
use crate::diagnosis::rules::message::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `msg-header-envelope-from-differ`.
pub static RULE: Rule = Rule {
    slug: "msg-header-envelope-from-differ",
    layer: Layer::Message,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 5321 3.3, 7.1", "RFC 5322 3.6.2", "RFC 7489 3.1", "RFC 8601"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    evidence::sent(session).find_map(|seen| {
        let reverse_path = &seen.transaction?.reverse_path;
        if reverse_path.is_empty() {
            return None;
        }
        let from = &seen.facts.from.first()?.address;
        let (shown, carried) = (evidence::domain(from)?, evidence::domain(reverse_path)?);
        if evidence::are_related(shown, carried) {
            return None;
        }
        let login = facts::authenticated(session).then(|| {
            facts::auth_attempts(session)
                .filter(|(exchange, _)| facts::replied(exchange, |code| code == 235))
                .find_map(|(_, auth)| auth.identity.as_ref())
        });
        Some(
            Finding::of(rule, Stage::Data, Evidence::quote(seen.span, from))
                .with("from", from)
                .with("reverse_path", reverse_path)
                .with_some("login", login.flatten())
                .with_some("sender", seen.facts.sender.as_ref().map(|sender| &sender.address))
                .with_some(
                    "reply_to",
                    seen.facts.reply_to.first().map(|reply_to| &reply_to.address),
                )
                .with_some("list", seen.facts.mailing_list.then_some("yes"))
                .with_some("checked", seen.facts.authentication_results.first())
                .and_some(session.exchanges().get(seen.transaction?.mail).map(Evidence::command)),
        )
    })
}
