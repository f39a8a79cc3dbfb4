//! An IMAP server greets PREAUTH before TLS, so that STARTTLS cannot follow.

use crate::captured::Captured;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

use super::evidence;

/// `imap-preauth-cleartext`.
pub static RULE: Rule = Rule {
    slug: "imap-preauth-cleartext",
    layer: Layer::Retrieval,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Network, Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 9051 7.1.4, 11.1", "\"NO STARTTLS\" paper"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let greeting = session.retrieval.as_deref()?.greeting.as_ref()?;
    let (client, server) = (session.connection.client.address, session.connection.server.address);
    let local = client == server || client.is_loopback() || server.is_loopback();
    let first = session
        .commands()
        .first()
        .filter(|command| evidence::in_clear(session, command))?;
    if local || !greeting.kind.equals_ignoring_case("PREAUTH") {
        return None;
    }
    let leaving = session
        .commands()
        .iter()
        .all(|command| command.verb.equals_ignoring_case("LOGOUT"));
    (!leaving).then(|| {
        Finding::of(
            rule,
            Stage::Greeting,
            Evidence::quote(
                &greeting.span,
                &Captured::new(&[b"* PREAUTH ", greeting.text.bytes()].concat()),
            ),
        )
        .with("server", session.connection.server.to_string())
        .and(Evidence::retrieval(first))
    })
}
