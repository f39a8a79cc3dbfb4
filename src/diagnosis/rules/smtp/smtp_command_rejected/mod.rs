//! A command was refused for its order or its form.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::{Detail, Verb};
use crate::session::{Session, TransactionResult};

/// `smtp-command-rejected`.
pub static RULE: Rule = Rule {
    slug: "smtp-command-rejected",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(63),
    actors: &[Actor::Client],
    explains_away: &["smtp-client-ignored-error", "smtp-client-vanished", "smtp-server-421"],
    leans_on_absence: true,
    references: &["RFC 5321 3.3, 4.1.4, 4.2.2, 4.2.4"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (exchange, reply) = session.exchanges().iter().find_map(|exchange| {
        let reply = facts::refusal(exchange)?;
        let fits = matches!(reply.code, 500..=504 | 555);
        let elsewhere = matches!(
            exchange.verb,
            Verb::Auth
                | Verb::StartTls
                | Verb::Ehlo
                | Verb::Helo
                | Verb::Lhlo
                | Verb::Vrfy
                | Verb::Expn
                | Verb::Help
                | Verb::Bdat
                | Verb::XAnonymousTls
        ) || facts::says_any(
            reply,
            &[
                "helo command",
                "ehlo command",
                "no valid recipients",
                "not enabled",
                "too long",
            ],
        );
        (fits && !elsewhere).then_some((exchange, reply))
    })?;
    let after_refusal = session.exchanges().iter().any(|one| {
        one.index < exchange.index
            && facts::refusal(one).is_some()
            && matches!(one.verb, Verb::Rcpt | Verb::Mail | Verb::Auth | Verb::Data)
    });
    let decides = session.transactions.is_empty()
        || !session
            .transactions
            .iter()
            .any(|one| one.result == TransactionResult::Accepted);
    let no_hello = reply.code == 503
        && !session.exchanges().iter().any(|one| {
            one.index < exchange.index
                && matches!(one.detail, Detail::Hello { .. })
                && one.inside_tls == exchange.inside_tls
        });
    let finding = Finding::of(rule, session.stage, Evidence::reply(reply))
        .with("command", &exchange.line)
        .with("reply", &facts::words(reply))
        .with_some("no_hello", no_hello.then_some("yes"))
        .and(Evidence::command(exchange));
    Some(if decides && !after_refusal {
        finding
    } else {
        finding.as_severity(Severity::Note)
    })
}
