//! The server takes logins only after TLS, and the client tried or stayed without it.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::Verb;
use crate::session::{Session, Stage};

/// `auth-requires-tls-first`.
pub static RULE: Rule = Rule {
    slug: "auth-requires-tls-first",
    layer: Layer::Auth,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(51),
    actors: &[Actor::Client],
    explains_away: &[
        "auth-credentials-rejected",
        "auth-mechanism-not-offered",
        "auth-required",
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-relay-denied",
        "starttls-required",
    ],
    leans_on_absence: false,
    references: &["RFC 4954 4, 6", "RFC 3207 4", "RFC 8314 4.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if session.tls.is_some() || facts::authenticated(session) {
        return None;
    }
    refused_login(rule, session).or_else(|| hidden_login(rule, session))
}

/// AUTH in clear was answered with "STARTTLS first" (530, 538) or with words to that effect.
fn refused_login(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (exchange, auth, reply) = facts::auth_attempts(session).find_map(|(exchange, auth)| {
        let reply = facts::refusal(exchange)?;
        let fits = reply.code == 538 || facts::is_enhanced(reply, 7, 11) || facts::wants_starttls(reply);
        (fits && facts::in_clear(session, exchange)).then_some((exchange, auth, reply))
    })?;
    Some(
        Finding::of(rule, Stage::Auth, Evidence::reply(reply))
            .with("reply", &facts::words(reply))
            .with_some("exposed", auth.secret.is_some().then_some("yes"))
            .and(Evidence::command(exchange)),
    )
}

/// The list in clear has STARTTLS but no AUTH; the client left, or was told to authenticate when it sent mail.
fn hidden_login(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if !session.service.is_for_users() || session.quality.started_late {
        return None;
    }
    let list = facts::clear_list(session)?;
    let asked = session
        .exchanges()
        .iter()
        .any(|exchange| exchange.verb == Verb::StartTls);
    if asked || !facts::offers(list, "STARTTLS") || facts::offers(list, "AUTH") {
        return None;
    }
    let told = facts::refused_mail(session).find(|(_, reply)| {
        reply.code == 530 && !facts::wants_starttls(reply) || facts::says_any(reply, &["authenticat", "relay"])
    });
    let reply = list.reply.yes()?;
    let Some((_, refusal)) = told else {
        // It read the list and left: as a client does that wants to log in and finds no way to.
        let only_hello = session
            .exchanges()
            .iter()
            .all(|one| matches!(one.verb, Verb::Ehlo | Verb::Quit) && facts::refusal(one).is_none());
        let finding = Finding::of(
            rule,
            Stage::Auth,
            Evidence::quote(&reply.span.get(), "EHLO reply: STARTTLS, no AUTH"),
        )
        .with("hidden", "yes");
        return only_hello.then(|| finding.with("left", "yes").as_sure_as(Confidence::Possible));
    };
    Some(
        Finding::of(rule, Stage::Auth, Evidence::reply(refusal))
            .with("reply", &facts::words(refusal))
            .with("hidden", "yes")
            .and(Evidence::quote(&reply.span.get(), "EHLO reply: STARTTLS, no AUTH")),
    )
}
