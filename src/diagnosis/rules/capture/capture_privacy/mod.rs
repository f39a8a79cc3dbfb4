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
    let login = facts::auth_attempts(session).find(|(_, auth)| auth.secret.is_some());
    let login = login.map(|(exchange, _)| Evidence::command(exchange)).or_else(|| {
        session
            .commands()
            .iter()
            .find(|command| command.login.as_ref().is_some_and(|login| login.secret.is_some()))
            .map(Evidence::retrieval)
    });
    let mail = session
        .exchanges()
        .iter()
        .find(|exchange| exchange.mail_data().is_some_and(|data| data.size > 0));
    let fetched = session.commands().iter().find(|command| command.data_octets > 0);
    let mail = mail.map(Evidence::command).or_else(|| fetched.map(Evidence::retrieval));
    let (secret, body) = (login.is_some(), mail.is_some());
    let evidence = login.or(mail)?;
    let finding = Finding::of(rule, session.stage, evidence);
    Some(match (secret, body) {
        (true, true) => finding.with("both", "yes"),
        (true, false) => finding.with("secret", "yes"),
        _ => finding.with("body", "yes"),
    })
}
