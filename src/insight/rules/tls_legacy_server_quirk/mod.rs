//! A server that fails with a modern ClientHello and works with a smaller or older one.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::insight::digest::Digest;
use crate::insight::history::Insight;
use crate::insight::window::Window;
use crate::session::Stage;
use crate::span::Direction;

/// `tls-legacy-server-quirk`.
pub static RULE: Rule = Rule {
    slug: "tls-legacy-server-quirk",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Possible,
    precedence: Some(44),
    actors: &[Actor::Server],
    explains_away: &[],
    leans_on_absence: false,
    references: &[
        "RFC 7507 1",
        "RFC 8701",
        "postfix-users \"Windows Server 2003 first 64 ciphers\"",
        "Microsoft KB 938857",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Insight,
};

pub(super) fn check(rule: &'static Rule, window: &Window<'_>) -> Vec<Insight> {
    window
        .by_pair()
        .filter(|sessions| sessions.len() > 1)
        .filter_map(|sessions| of_pair(rule, sessions))
        .collect()
}

fn of_pair(rule: &'static Rule, sessions: &[&Digest]) -> Option<Insight> {
    let fails = |digest: &Digest| {
        digest
            .tls
            .as_ref()
            .is_some_and(|tls| !tls.completed && tls.hello.is_some() && tls.refused_version.is_none())
    };
    let failed = sessions.iter().copied().find(|digest| fails(digest))?;
    let newer = failed.tls.as_ref()?.maximum?;
    let worked = sessions.iter().copied().find(|digest| {
        digest.id > failed.id
            && digest.server.port == failed.server.port
            && digest
                .tls
                .as_ref()
                .is_some_and(|tls| tls.completed && tls.maximum.is_some_and(|maximum| maximum < newer))
    })?;
    let (lower, hello) = worked.tls.as_ref().and_then(|tls| Some((tls.maximum?, tls.hello?)))?;
    let finding = Finding::of(
        rule,
        Stage::Tls,
        Evidence::frame(
            failed.tls.as_ref()?.hello?,
            Some(Direction::ToServer),
            Note::of("ClientHello, at most {version}: no handshake").with("version", newer),
        ),
    )
    .and(Evidence::frame(
        hello,
        Some(Direction::ToServer),
        Note::of("ClientHello, at most {version}: handshake completed").with("version", lower),
    ))
    .with("server", failed.server.to_string())
    .with("newer", newer)
    .with("lower", lower);
    Some(Insight::on(finding, [failed, worked]))
}
