//! A lone dot inside the body ended the mail too early.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::Seen;
use crate::protocol::smtp::Verb;
use crate::session::{Session, Stage};
use crate::span::Direction;

/// `smtp-dot-handling-error`.
pub static RULE: Rule = Rule {
    slug: "smtp-dot-handling-error",
    layer: Layer::Smtp,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(74),
    actors: &[Actor::Client],
    explains_away: &[
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-server-421",
        "tcp-reset-mid-session",
    ],
    leans_on_absence: false,
    references: &["RFC 5321 4.5.2"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let exchanges = session.exchanges();
    exchanges
        .iter()
        .zip(exchanges.iter().skip(1))
        .enumerate()
        .find_map(|(position, (mail, first))| {
            let data = mail.mail_data().filter(|data| data.chunks == 0)?;
            let ended = data.ended?;
            let accepted = mail.reply.yes().filter(|reply| reply.class() == 2)?;
            let rest = exchanges
                .get(position + 1..)?
                .iter()
                .take_while(|one| one.verb == Verb::Other)
                .count();
            // One unknown word behind a mail is a slip in a dialogue; text that came without waiting, or more of it, is a body.
            let text = first.pipelined || first.command.first().frame == ended.frame || rest > 1;
            let refused = facts::refusal(first).is_some() || first.reply == Seen::No && rest > 1;
            (rest > 0 && text && refused).then(|| {
                Finding::of(
                    rule,
                    Stage::Data,
                    Evidence::frame(
                        ended,
                        Some(Direction::ToServer),
                        "a dot alone on its line: the end of the mail",
                    ),
                )
                .with("size", data.size)
                .with("rest", rest)
                .with("reply", &facts::words(accepted))
                .with("next", &first.line)
                .and(Evidence::reply(accepted))
                .and(Evidence::command(first))
                .and_some(first.reply.yes().map(Evidence::reply))
            })
        })
}
