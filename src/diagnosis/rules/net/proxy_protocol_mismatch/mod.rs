//! A PROXY header met a server that does not expect it, or the reverse.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::protocol::smtp::Preamble;
use crate::session::{Session, Stage};

/// `proxy-protocol-mismatch`.
pub static RULE: Rule = Rule {
    slug: "proxy-protocol-mismatch",
    layer: Layer::Net,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(21),
    actors: &[Actor::Server],
    explains_away: &[
        "smtp-command-rejected",
        "smtp-early-talker",
        "smtp-greeting-refused",
        "smtp-no-greeting",
    ],
    leans_on_absence: false,
    references: &[
        "HAProxy PROXY protocol spec 2",
        "Haraka HAProxy docs",
        "Exim \"503 Command refused, required Proxy negotiation failed\"",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let dialogue = session.smtp.as_deref()?;
    if let Some(Preamble::Proxy { version, span, .. }) = dialogue.preamble.as_deref() {
        let refused = dialogue
            .greeting
            .as_ref()
            .filter(|greeting| greeting.class() >= 4)
            .or_else(|| dialogue.unsolicited.iter().find(|reply| reply.class() >= 4))
            .or_else(|| {
                dialogue
                    .exchanges
                    .first()
                    .filter(|first| first.command.first().frame <= span.last.frame)
                    .and_then(facts::refusal)
            });
        let refused = refused?;
        return Some(
            Finding::of(rule, Stage::Greeting, Evidence::reply(refused))
                .with("version", *version)
                .with("reply", &facts::words(refused))
                .and(Evidence::quote(
                    span,
                    Note::of("PROXY protocol, version {version}").with("version", *version),
                )),
        );
    }
    let waiting = dialogue
        .greeting
        .as_ref()
        .filter(|greeting| greeting.code == 421 && greeting.says("proxy"))?;
    Some(
        Finding::of(rule, Stage::Greeting, Evidence::reply(waiting))
            .with("missing", "yes")
            .with("reply", &facts::words(waiting)),
    )
}
