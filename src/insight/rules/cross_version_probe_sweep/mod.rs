//! Somebody tried a server's TLS versions one by one: the result as a table, and no alarm for the refused tries.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity, Value};
use crate::insight::digest::{Digest, TlsDigest};
use crate::insight::history::Insight;
use crate::insight::window::Window;
use crate::protocol::tls::Version;
use crate::session::Stage;
use crate::span::Direction;

/// `cross-version-probe-sweep`.
pub static RULE: Rule = Rule {
    slug: "cross-version-probe-sweep",
    layer: Layer::Cross,
    severity: Severity::Note,
    confidence: Confidence::Likely,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &["tls-client-refuses-old-server", "tls-protocol-version-refused"],
    leans_on_absence: false,
    references: &["RFC 8446 4.2.1", "openssl-s_client(1)"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Insight,
};

/// Tries further apart than this are not one sweep.
const PAUSE: Duration = Duration::from_secs(600);
/// Names that test programs give in EHLO.
const TOOL_NAMES: [&str; 2] = ["mail.example.com", "openssl.client.net"];

pub(super) fn check(rule: &'static Rule, window: &Window<'_>) -> Vec<Insight> {
    let mut groups: BTreeMap<_, Vec<(&Digest, &TlsDigest)>> = BTreeMap::new();
    for digest in window.sessions() {
        if let Some(tls) = &digest.tls
            && single_version(tls).is_some()
            && !digest.accepted_mail()
        {
            let key = (digest.client_address(), digest.server.address, digest.server.port);
            groups.entry(key).or_default().push((digest, tls));
        }
    }
    groups.into_values().filter_map(|tries| sweep(rule, &tries)).collect()
}

/// The only version that a hello offers: a hello without supported_versions tells its highest; one that lists a single
/// version, that.
fn single_version(tls: &TlsDigest) -> Option<Version> {
    let maximum = tls.maximum?;
    match tls.minimum {
        Some(minimum) if minimum != maximum => None,
        _ => Some(maximum),
    }
}

fn sweep(rule: &'static Rule, tries: &[(&Digest, &TlsDigest)]) -> Option<Insight> {
    let mut table: BTreeMap<Version, Option<Version>> = BTreeMap::new();
    for (digest, tls) in tries {
        let answer = tls.negotiated.map(|(version, _)| version).filter(|_| tls.completed);
        // One and the same offer that both fails and succeeds is no answer about versions.
        if let Some(before) = table.insert(single_version(tls)?, answer)
            && before != answer
        {
            return None;
        }
        let _ = digest;
    }
    let close = tries.windows(2).all(|pair| match pair {
        [(one, _), (next, _)] => next.start().since(one.last.time) < PAUSE,
        _ => true,
    });
    let by_tool = tries.iter().any(|(digest, _)| {
        digest
            .hello_name
            .as_ref()
            .is_some_and(|name| TOOL_NAMES.iter().any(|tool| name.equals_ignoring_case(tool)))
    });
    if !close || table.len() < if by_tool { 2 } else { 3 } {
        return None;
    }
    let accepted: Vec<Version> = table
        .iter()
        .filter(|(_, answer)| answer.is_some())
        .map(|(one, _)| *one)
        .collect();
    let refused: Vec<Version> = table
        .iter()
        .filter(|(_, answer)| answer.is_none())
        .map(|(one, _)| *one)
        .collect();
    let (first, first_tls) = tries.first()?;
    let evidence = tries.iter().filter_map(|(_, tls)| {
        let answer = tls.negotiated.map_or_else(
            || Note::of("refused"),
            |(version, _)| Note::of("{version} negotiated").with("version", version),
        );
        Some(Evidence::frame(
            tls.hello?,
            Some(Direction::ToServer),
            Note::of("offered {version}: {answer}")
                .with("version", single_version(tls)?)
                .with("answer", answer),
        ))
    });
    let mut finding = Finding::of(
        rule,
        Stage::Tls,
        Evidence::frame(
            first_tls.hello?,
            Some(Direction::ToServer),
            Note::of("{tries} handshakes, each with one version").with("tries", tries.len()),
        ),
    )
    .with("client", first.client.address.to_string())
    .with("server", first.server.to_string())
    .with("tries", tries.len())
    .with_some("accepted", (!accepted.is_empty()).then(|| Value::from(accepted)))
    .with_some("refused", (!refused.is_empty()).then(|| Value::from(refused)));
    finding.evidence.extend(evidence.take(8));
    Some(Insight::on(finding, tries.iter().map(|(digest, _)| *digest)).excusing())
}
