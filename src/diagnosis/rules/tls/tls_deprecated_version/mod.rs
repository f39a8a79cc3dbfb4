//! TLS 1.1 or older was negotiated and is in use.

use crate::diagnosis::rules::tls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{ClientHello, Version};
use crate::session::{Session, Stage};

/// `tls-deprecated-version`.
pub static RULE: Rule = Rule {
    slug: "tls-deprecated-version",
    layer: Layer::Tls,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client, Actor::Server],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 8996", "RFC 8997 3", "RFC 9325 3.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = evidence::completed(session)?;
    let hello = tls
        .server_hello
        .as_ref()
        .filter(|hello| hello.version < Version::TLS1_2)?;
    let offered = tls.offer().map(ClientHello::maximum);
    let by_client = offered.is_some_and(|offered| offered < Version::TLS1_2);
    let by_server = offered.is_some_and(|offered| offered >= Version::TLS1_2);
    Some(
        Finding::of(rule, Stage::Tls, Evidence::server_hello(hello))
            .with("version", hello.version)
            .with_some("offered", offered)
            .with_some("client", by_client.then_some("yes"))
            .with_some("server", by_server.then_some("yes"))
            .and_some(tls.offer().map(Evidence::client_hello)),
    )
}
