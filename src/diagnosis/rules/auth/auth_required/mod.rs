//! MAIL or RCPT was refused because nobody logged in (530 and the like).

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::{Reply, Verb};
use crate::session::{Session, Stage};

/// `auth-required`.
pub static RULE: Rule = Rule {
    slug: "auth-required",
    layer: Layer::Auth,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(56),
    actors: &[Actor::Client],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
    ],
    leans_on_absence: false,
    references: &["RFC 4954 6", "RFC 6409 4.3"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if facts::authenticated(session) {
        return None;
    }
    let (exchange, reply) = facts::refused_mail(session).find(|(exchange, reply)| {
        demands_login(reply) && facts::provider_means(session, exchange, reply, rule.slug) != Some(false)
    })?;
    let offered = facts::list_before(session, exchange).map(|list| facts::offers(list, "AUTH"));
    Some(
        Finding::of(
            rule,
            if exchange.verb == Verb::Mail {
                Stage::Mail
            } else {
                Stage::Rcpt
            },
            Evidence::reply(reply),
        )
        .with("reply", &facts::words(reply))
        .with_some("not_offered", (offered == Some(false)).then_some("yes"))
        .and(Evidence::command(exchange)),
    )
}

fn demands_login(reply: &Reply) -> bool {
    let relay = facts::says_any(reply, &["relay"]);
    (reply.code == 530 || facts::wants_login(reply)) && !facts::wants_starttls(reply) && !relay
}
