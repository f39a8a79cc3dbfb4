//! The client's alert 50 came after the server's FIN: an echo, not a cause.

use crate::diagnosis::rules::tls::evidence::{self, Meaning};
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};
use crate::span::Direction;

/// `tls-decode-error-after-eof`.
pub static RULE: Rule = Rule {
    slug: "tls-decode-error-after-eof",
    layer: Layer::Tls,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Server],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 8446 6.1", "openssl/openssl#11209", "openssl/openssl#17004"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (_, alert) = evidence::alert_of(session, Meaning::EndEcho)?;
    let fin = session.connection.directions.to_client.fin?;
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert)).and(Evidence::frame(
            fin,
            Some(Direction::ToClient),
            "FIN",
        )),
    )
}
