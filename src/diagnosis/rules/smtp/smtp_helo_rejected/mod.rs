//! The server refused the name in HELO or EHLO.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::{Detail, Exchange};
use crate::session::{Session, Stage};

/// `smtp-helo-rejected`.
pub static RULE: Rule = Rule {
    slug: "smtp-helo-rejected",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(60),
    actors: &[Actor::Client],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-ehlo-fallback-helo",
        "smtp-server-421",
    ],
    leans_on_absence: true,
    references: &["RFC 5321 2.3.5, 4.1.1.1, 4.1.3, 4.1.4"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (hello, name) = facts::hello_name(session)?;
    let direct = facts::refusal(hello)
        .filter(|reply| matches!(reply.code, 450 | 501 | 504 | 550 | 553 | 554) && !later_accepted(session, hello))
        .filter(|reply| !super::envelope::is_about_address(session, hello, reply));
    let worded = facts::refused_mail(session).map(|(_, reply)| reply).find(|reply| {
        facts::says_any(
            reply,
            &[
                "helo command rejected",
                "ehlo command rejected",
                "invalid helo",
                "bad helo",
                "helo name",
                "ehlo name",
                "invalid name",
                "need fully-qualified hostname",
                "helo:",
                "forged helo",
            ],
        )
    });
    let reply = direct.or(worded)?;
    Some(
        Finding::of(rule, Stage::Hello, Evidence::reply(reply))
            .with("name", name)
            .with("reply", &facts::words(reply))
            .with_some("late", direct.is_none().then_some("yes"))
            .and(Evidence::command(hello)),
    )
}

/// An EHLO that is not implemented is followed by a HELO that is taken: that is a fallback, not a rejected name.
fn later_accepted(session: &Session, hello: &Exchange) -> bool {
    session.exchanges().iter().any(|exchange| {
        exchange.index > hello.index
            && matches!(exchange.detail, Detail::Hello { .. })
            && facts::replied(exchange, |code| code / 100 == 2)
    })
}
