//! The same offer gets TLS 1.2 at one service of a provider and an old version, or none, at another.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use std::collections::BTreeMap;

use crate::insight::digest::{Digest, TlsDigest};
use crate::insight::history::Insight;
use crate::insight::kinship;
use crate::insight::window::Window;
use crate::protocol::tls::Version;
use crate::session::Stage;
use crate::span::Direction;

/// `cross-service-version-mismatch`.
pub static RULE: Rule = Rule {
    slug: "cross-service-version-mismatch",
    layer: Layer::Cross,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: Some(39),
    actors: &[Actor::Server],
    explains_away: &[],
    leans_on_absence: false,
    references: &["nanashinonozomi.com goo mail 2021-01-11", "RFC 8997"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Insight,
};

pub(super) fn check(rule: &'static Rule, window: &Window<'_>) -> Vec<Insight> {
    let mut found: BTreeMap<_, Insight> = BTreeMap::new();
    for sessions in window.by_client().filter(|sessions| sessions.len() > 1) {
        let offers: Vec<(&Digest, &TlsDigest)> = sessions
            .iter()
            .filter_map(|digest| Some((*digest, digest.tls.as_deref()?)))
            .collect();
        for late in offers.iter().filter(|(_, tls)| lags(tls)) {
            let key = late.0.server;
            if !found.contains_key(&key)
                && let Some(insight) = compare(rule, late, &offers)
            {
                found.insert(key, insight);
            }
        }
    }
    found.into_values().collect()
}

fn is_modern(tls: &TlsDigest) -> bool {
    tls.completed && tls.negotiated.is_some_and(|(version, _)| version >= Version::TLS1_2)
}

/// TLS 1.2 was offered, and the server chose less or refused the version.
fn lags(tls: &TlsDigest) -> bool {
    tls.maximum.is_some_and(|version| version >= Version::TLS1_2)
        && (tls.negotiated.is_some_and(|(version, _)| version < Version::TLS1_2)
            || (tls.refused_version.is_some() && tls.negotiated.is_none()))
}

fn compare(
    rule: &'static Rule,
    (late, old): &(&Digest, &TlsDigest),
    offers: &[(&Digest, &TlsDigest)],
) -> Option<Insight> {
    let alike = |tls: &TlsDigest| {
        tls.maximum == old.maximum && tls.minimum == old.minimum && tls.modern_suites == old.modern_suites
    };
    let (good, new) = offers.iter().find(|(digest, tls)| {
        is_modern(tls) && alike(tls) && digest.server != late.server && kinship::same_provider(digest, late)
    })?;
    // A service that also answers with TLS 1.2 does not lag: a balancer or a repair in between.
    if offers
        .iter()
        .any(|(digest, tls)| digest.server == late.server && is_modern(tls))
    {
        return None;
    }
    let (version, decided) = new.negotiated?;
    let refused = old.negotiated.is_none();
    let stamp = old.negotiated.map(|(_, stamp)| stamp).or(old.refused_version)?;
    let quote = old.negotiated.map_or_else(
        || Note::of("Alert 70 protocol_version"),
        |(chosen, _)| Note::of("ServerHello {version}").with("version", chosen),
    );
    let finding = Finding::of(
        rule,
        Stage::Tls,
        Evidence::frame(
            stamp,
            Some(Direction::ToClient),
            Note::of("{server}: {quote}")
                .with("server", late.server.to_string())
                .with("quote", quote),
        ),
    )
    .with("late", late.server.to_string())
    .with("good", good.server.to_string())
    .with("version", version)
    .with_some("old", old.negotiated.map(|(chosen, _)| chosen))
    .with_some("refused", refused.then_some("yes"))
    .with_some("offered", old.maximum)
    .and(Evidence::frame(
        decided,
        Some(Direction::ToClient),
        Note::of("{server}: ServerHello {version}")
            .with("server", good.server.to_string())
            .with("version", version),
    ));
    Some(Insight::on(finding, [*late, *good]))
}
