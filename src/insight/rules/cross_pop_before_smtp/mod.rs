//! Mail is relayed without a login soon after the same client read its mailbox.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::insight::digest::Digest;
use crate::insight::history::Insight;
use crate::insight::kinship;
use crate::insight::window::Window;
use crate::session::Stage;
use crate::span::Direction;

/// `cross-pop-before-smtp`.
pub static RULE: Rule = Rule {
    slug: "cross-pop-before-smtp",
    layer: Layer::Cross,
    severity: Severity::Note,
    confidence: Confidence::Likely,
    precedence: None,
    actors: &[Actor::Server, Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 2476 3.3", "ODN/GMO/topsite.jp notices"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Insight,
};

pub(super) fn check(rule: &'static Rule, window: &Window<'_>) -> Vec<Insight> {
    window
        .by_client()
        .filter(|sessions| sessions.len() > 1)
        .filter_map(|sessions| of_client(rule, sessions))
        .collect()
}

fn of_client(rule: &'static Rule, sessions: &[&Digest]) -> Option<Insight> {
    let pairs = kinship::pop_before_smtp(sessions);
    let (login, mail) = *pairs.first()?;
    let (stamp, seen) = login.retrieval_login?;
    let transaction = kinship::relayed_without_login(mail)?;
    // A client that also sends without a login before it makes one is allowed by its network.
    let earlier = sessions
        .iter()
        .any(|one| one.id < login.id && kinship::relayed_without_login(one).is_some());
    if earlier {
        return None;
    }
    let finding = Finding::of(
        rule,
        Stage::Mail,
        Evidence::frame(
            transaction.began,
            Some(Direction::ToServer),
            "MAIL without AUTH, relayed",
        ),
    )
    .as_sure_as(if seen { Confidence::Likely } else { Confidence::Possible })
    .with("client", mail.client.address.to_string())
    .with("mailbox", login.server.to_string())
    .with("server", mail.server.to_string())
    .with("recipient", &transaction.first_recipient)
    .with("gap", mail.start().since(stamp.time))
    .with_some("sizes", (!seen).then_some("yes"))
    .and(Evidence::frame(
        stamp,
        Some(Direction::ToClient),
        "mailbox login accepted",
    ));
    Some(Insight::on(
        finding,
        pairs.into_iter().flat_map(|(one, other)| [one, other]),
    ))
}
