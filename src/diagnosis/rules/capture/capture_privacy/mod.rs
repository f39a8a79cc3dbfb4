//! The capture holds mail or credentials that anybody with the file can read.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::Session;

/// `capture-privacy`.
pub static RULE: Rule = Rule {
    slug: "capture-privacy",
    layer: Layer::Capture,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Capture],
    explains_away: &[],
    leans_on_absence: false,
    references: &["JPAAWG training (seed 3)", "tech.synapse.jp \"通信の秘密\""],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let loopback = session.connection.client.address.is_loopback() && session.connection.server.address.is_loopback();
    if loopback {
        return None;
    }
    // What was opened with secrets is private only together with them.
    let readable = |inside_tls: bool| !(inside_tls && session.tls.is_some());
    let (login, mail) = private(session, readable);
    let kind = match (&login, &mail) {
        (Some(_), Some(_)) => "both",
        (Some(_), None) => "secret",
        (None, Some(_)) => "body",
        (None, None) => return keyed(rule, session),
    };
    Some(Finding::of(rule, session.stage, login.or(mail)?).with(kind, "yes"))
}

/// Only whoever has the secrets can read it.
fn keyed(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (login, mail) = private(session, |_| true);
    let kind = if login.is_some() { "keyed_secret" } else { "keyed_body" };
    Some(Finding::of(rule, session.stage, login.or(mail)?).with(kind, "yes"))
}

/// The first login that shows a secret, and the first mail text, among what `counts` by being inside TLS or not.
fn private(session: &Session, counts: impl Fn(bool) -> bool) -> (Option<Evidence>, Option<Evidence>) {
    let exchanges = || session.exchanges().iter().filter(|one| counts(one.inside_tls));
    let commands = || session.commands().iter().filter(|one| counts(one.inside_tls));
    let login = facts::auth_attempts(session)
        .find(|(exchange, auth)| auth.secret.is_some() && counts(exchange.inside_tls))
        .map(|(exchange, _)| Evidence::command(exchange))
        .or_else(|| {
            commands()
                .find(|command| command.login.as_ref().is_some_and(|login| login.secret.is_some()))
                .map(Evidence::retrieval)
        });
    let mail = exchanges()
        .find(|exchange| exchange.mail_data().is_some_and(|data| data.size > 0))
        .map(Evidence::command)
        .or_else(|| {
            commands()
                .find(|command| command.data_octets > 0)
                .map(Evidence::retrieval)
        });
    (login, mail)
}
