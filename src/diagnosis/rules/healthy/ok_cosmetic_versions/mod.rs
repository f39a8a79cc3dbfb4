//! A version number in a header is lower than the version that was negotiated: by design.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::protocol::tls::Version;
use crate::session::{Session, Stage};

/// `ok-cosmetic-versions`.
pub static RULE: Rule = Rule {
    slug: "ok-cosmetic-versions",
    layer: Layer::Healthy,
    severity: Severity::Ok,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 8446 4.1.2, 5.1, D.4", "RFC 8701"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let (client, server) = (tls.offer()?, tls.server_hello.as_ref()?);
    let shown = client.record_version;
    let misleading = shown < Version::TLS1_2 && shown >= Version::SSL3 && server.version >= Version::TLS1_2;
    (misleading && !client.ssl2_format).then(|| {
        Finding::of(
            rule,
            Stage::Tls,
            Evidence::quote(
                &client.span,
                Note::of("record version {shown} around the ClientHello").with("shown", shown),
            ),
        )
        .with("shown", shown)
        .with("negotiated", server.version)
        .and(Evidence::server_hello(server))
    })
}
