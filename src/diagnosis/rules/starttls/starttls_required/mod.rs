//! The server refused a command because TLS has to come first.

use crate::diagnosis::rules::facts;
use crate::diagnosis::rules::starttls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::{Exchange, Reply, Verb};
use crate::session::{Session, Stage};

/// `starttls-required`.
pub static RULE: Rule = Rule {
    slug: "starttls-required",
    layer: Layer::StartTls,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(32),
    actors: &[Actor::Client],
    explains_away: &[
        "auth-required",
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-relay-denied",
        "smtp-sender-rejected",
        "smtp-server-421",
        "smtp-tempfail",
        "smtp-user-unknown",
    ],
    leans_on_absence: false,
    references: &["RFC 3207 4", "RFC 8314 3, 4.1", "RFC 8689"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if session.tls.is_some() {
        return None;
    }
    let refused = session
        .exchanges()
        .iter()
        .filter(|exchange| facts::in_clear(session, exchange) && exchange.verb != Verb::StartTls)
        .filter_map(|exchange| Some((Some(exchange), facts::refusal(exchange)?)));
    let unsolicited = session.smtp.iter().flat_map(|dialogue| &dialogue.unsolicited);
    let (exchange, reply) = refused
        .chain(
            unsolicited
                .filter(|reply| reply.class() >= 4)
                .map(|reply| (None, reply)),
        )
        .find(|(exchange, reply)| wants_tls(rule, session, *exchange, reply))?;
    let offered = evidence::offer(session).map(|offer| offer.has_starttls);
    Some(
        Finding::of(rule, Stage::StartTls, Evidence::reply(reply))
            .with("reply", &facts::words(reply))
            .with("port", session.connection.server.port)
            .with_some("offered", (offered == Some(true)).then_some("yes"))
            .with_some("missing", (offered == Some(false)).then_some("yes"))
            .and_some(exchange.map(Evidence::command)),
    )
}

fn wants_tls(rule: &Rule, session: &Session, exchange: Option<&Exchange>, reply: &Reply) -> bool {
    let known = exchange.and_then(|exchange| facts::provider_means(session, exchange, reply, rule.slug));
    // X.7.30 is REQUIRETLS (RFC 8689, section 4.2.1) where no provider means something else by it.
    known.unwrap_or_else(|| {
        facts::wants_starttls(reply)
            || facts::is_enhanced(reply, 7, 10)
            || (facts::is_enhanced(reply, 7, 30) && reply.says("requiretls"))
    })
}
