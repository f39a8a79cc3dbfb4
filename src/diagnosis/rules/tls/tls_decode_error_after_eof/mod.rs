//! The client reports decode_error because the server had closed.

use crate::diagnosis::rules::tls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};
use crate::span::{Direction, Role};

/// `tls-decode-error-after-eof`.
pub static RULE: Rule = Rule {
    slug: "tls-decode-error-after-eof",
    layer: Layer::Tls,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Server],
    explains_away: &[],
    references: &["openssl/openssl#11209, #11388, #17004", "RFC 8446 6.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let closed = session.connection.directions.to_client.fin?;
    let alert =
        evidence::fatal(tls, Role::Client).find(|alert| alert.description == 50 && alert.span.first > closed)?;
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert)).and(Evidence::frame(
            closed,
            Some(Direction::ToClient),
            "the server had closed before",
        )),
    )
}
