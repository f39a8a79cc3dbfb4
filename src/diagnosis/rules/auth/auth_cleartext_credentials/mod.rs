//! A password or token crossed the network readable.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `auth-cleartext-credentials`.
pub static RULE: Rule = Rule {
    slug: "auth-cleartext-credentials",
    layer: Layer::Auth,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client, Actor::Server],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 8314 3, 4.1", "RFC 4954 4, 9", "RFC 4616 5"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (exchange, auth) = facts::auth_attempts(session)
        .find(|(exchange, auth)| auth.secret.is_some() && facts::in_clear(session, exchange))?;
    let list = facts::clear_list(session);
    let behind = auth.credential.filter(|span| span.first != exchange.command.first());
    Some(
        Finding::of(rule, Stage::Auth, Evidence::command(exchange))
            .with("mechanism", &auth.mechanism)
            .with_some("identity", auth.identity.as_ref())
            .with("port", session.connection.server.port)
            .with_some(
                "starttls",
                list.filter(|list| facts::offers(list, "STARTTLS")).map(|_| "yes"),
            )
            .and_some(behind.as_ref().map(Evidence::secret)),
    )
}
