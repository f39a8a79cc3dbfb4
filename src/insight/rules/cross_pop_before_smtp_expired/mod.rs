//! Relaying was refused where it had worked after reading the mailbox.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use std::time::Duration;

use crate::insight::digest::Digest;
use crate::insight::history::Insight;
use crate::insight::kinship;
use crate::insight::window::Window;
use crate::session::{Security, Stage};
use crate::span::Direction;

/// `cross-pop-before-smtp-expired`.
pub static RULE: Rule = Rule {
    slug: "cross-pop-before-smtp-expired",
    layer: Layer::Cross,
    severity: Severity::Fail,
    confidence: Confidence::Possible,
    precedence: Some(64),
    actors: &[Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["spinnet.jp (about 10 min), odn.ne.jp (20 min, ended 2015-06-30)"],
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

/// Relaying was refused, and the client did not log in.
fn denied(digest: &Digest) -> bool {
    digest.auth.is_empty()
        && digest.security == Security::None
        && (digest.root_cause == Some("smtp-relay-denied")
            || digest
                .transactions
                .iter()
                .any(|one| one.recipient_code == Some(554) && kinship::is_relayed(digest, one)))
}

fn of_client(rule: &'static Rule, sessions: &[&Digest]) -> Option<Insight> {
    let pairs = kinship::pop_before_smtp(sessions);
    let logins: Vec<&Digest> = sessions
        .iter()
        .copied()
        .filter(|one| one.retrieval_login.is_some())
        .collect();
    let (refused, (login, mail)) = sessions.iter().copied().filter(|one| denied(one)).find_map(|refused| {
        let pair = pairs.iter().copied().find(|(_, mail)| mail.server == refused.server)?;
        Some((refused, pair))
    })?;
    let before = kinship::last_login(&logins, refused).and_then(|one| one.retrieval_login);
    let gap = before.map(|(stamp, _)| refused.start().since(stamp.time));
    // Refused right after reading the mailbox as well: the service is gone, or the reason is another one.
    if gap.is_some_and(|gap| gap < SHORTEST_WINDOW) {
        return None;
    }
    let began = refused.transactions.first().map_or(refused.last, |one| one.decided);
    let finding = Finding::of(
        rule,
        Stage::Rcpt,
        Evidence::frame(began, Some(Direction::ToClient), "relaying refused, no AUTH"),
    )
    .with("client", refused.client.address.to_string())
    .with("server", refused.server.to_string())
    .with("mailbox", login.server.to_string())
    .with_some("gap", gap)
    .with_some("never", gap.is_none().then_some("yes"))
    .and(Evidence::frame(
        mail.first,
        Some(Direction::ToServer),
        "relayed without AUTH after a mailbox login",
    ))
    .and_some(
        login
            .retrieval_login
            .map(|(stamp, _)| Evidence::frame(stamp, Some(Direction::ToClient), "mailbox login accepted")),
    );
    Some(Insight::on(finding, [refused, login, mail]))
}

/// No provider's window was shorter.
const SHORTEST_WINDOW: Duration = Duration::from_secs(5 * 60);
