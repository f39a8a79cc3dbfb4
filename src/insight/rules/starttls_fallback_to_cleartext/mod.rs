//! After TLS failed the client sent in clear.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity, Value};
use std::time::Duration;

use crate::insight::digest::Digest;
use crate::insight::history::Insight;
use crate::insight::window::Window;
use crate::session::{Outcome, Security, Stage};
use crate::span::Direction;

/// `starttls-fallback-to-cleartext`.
pub static RULE: Rule = Rule {
    slug: "starttls-fallback-to-cleartext",
    layer: Layer::Cross,
    severity: Severity::Risk,
    confidence: Confidence::Likely,
    precedence: None,
    actors: &[Actor::Client, Actor::Server],
    explains_away: &[],
    leans_on_absence: false,
    references: &[
        "RFC 7435 3",
        "RFC 3207 4.1",
        "Postfix TLS_README",
        "ietf list \"cleartext fallback on the second delivery attempt\"",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Insight,
};

/// A clear session later than this is not the same try.
const RETRY: Duration = Duration::from_secs(3600);

pub(super) fn check(rule: &'static Rule, window: &Window<'_>) -> Vec<Insight> {
    window
        .by_connection()
        .filter(|sessions| sessions.len() > 1)
        .filter_map(|sessions| of_pair(rule, sessions))
        .collect()
}

/// STARTTLS was asked for, and no TLS came about.
fn failed(digest: &Digest) -> bool {
    digest.starttls_asked
        && !digest.accepted_mail()
        && digest
            .tls
            .as_ref()
            .map_or(digest.outcome != Outcome::Unknown, |tls| !tls.completed)
        && digest.root_cause.is_some_and(|slug| !slug.starts_with("auth-"))
}

fn of_pair(rule: &'static Rule, sessions: &[&Digest]) -> Option<Insight> {
    let clear = |digest: &Digest| {
        digest.security == Security::None
            && !digest.starttls_asked
            && (digest.accepted_mail() || digest.auth.iter().any(|auth| auth.readable))
    };
    let pairs: Vec<(&Digest, &Digest)> = sessions
        .iter()
        .copied()
        .filter(|one| clear(one))
        .filter_map(|after| {
            let before = sessions
                .iter()
                .copied()
                .rev()
                .find(|one| one.id < after.id && failed(one) && after.start().since(one.last.time) <= RETRY)?;
            Some((before, after))
        })
        .collect();
    let (before, after) = *pairs.first()?;
    let login = after.auth.iter().find(|auth| auth.readable);
    let mut finding = Finding::of(
        rule,
        Stage::Mail,
        Evidence::frame(
            after.transactions.first().map_or(after.first, |one| one.began),
            Some(Direction::ToServer),
            "sent without TLS",
        ),
    )
    .with("client", after.client.address.to_string())
    .with("server", after.server.to_string())
    .with("after", after.start().since(before.last.time))
    .with_some("offered", (after.starttls_offered == Some(true)).then_some("yes"))
    .with_some("password", login.map(|_| "yes"))
    .with_some("times", (pairs.len() > 1).then_some(pairs.len()))
    .and(Evidence::frame(
        before.last,
        None,
        before.root_cause.map_or(Note::of("STARTTLS"), |slug| {
            Note::of("{cause}").with("cause", Value::Rule(slug))
        }),
    ));
    finding.evidence.extend(login.map(|auth| {
        Evidence::frame(
            auth.stamp,
            None,
            Note::of("AUTH {mechanism} in clear").with("mechanism", auth.mechanism.utf8().unwrap_or("").to_owned()),
        )
    }));
    Some(Insight::on(
        finding,
        pairs.into_iter().flat_map(|(one, other)| [one, other]),
    ))
}
