//! The server answered STARTTLS or STLS with a refusal.

use crate::captured::Captured;
use crate::diagnosis::rules::starttls::evidence::{self, Answer};
use crate::diagnosis::{Actor, Check, Confidence, Finding, Layer, Rule, Severity};
use crate::session::Outcome;
use crate::session::{Session, Stage};

/// `starttls-refused`.
pub static RULE: Rule = Rule {
    slug: "starttls-refused",
    layer: Layer::StartTls,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(33),
    actors: &[Actor::Server],
    explains_away: &[
        "auth-requires-tls-first",
        "retrieval-plaintext-disallowed",
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-server-421",
        "smtp-tempfail",
        "starttls-fallback-to-cleartext",
        "starttls-required",
    ],
    leans_on_absence: false,
    references: &["RFC 3207 4", "RFC 2595 4", "RFC 9051 6.2.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let refused = evidence::requests(session)
        .into_iter()
        .find_map(|request| match request.answer {
            Answer::Refused(words, answer) => Some((words, answer, request.command, request.inside_tls)),
            Answer::Accepted(_) | Answer::NotSeen => None,
        });
    let (words, answer, command, inside) = refused?;
    let secured = inside || session.tls.is_some();
    let active = secured || contains_any(&words, &["already", "repeated", "active"]);
    let worked = matches!(session.outcome, Outcome::Accepted | Outcome::LoggedIn);
    let severity = if secured && worked {
        Severity::Note
    } else {
        Severity::Fail
    };
    let later = evidence::crossed(session).filter(|crossed| crossed.command.first.frame >= answer.first.frame);
    Some(
        Finding::of(rule, Stage::StartTls, answer)
            .as_severity(severity)
            .with("reply", &words)
            .with("port", session.connection.server.port)
            .with_some("active", active.then_some("yes"))
            .with_some("later", later.as_ref().map(|_| "yes"))
            .and(command)
            .and_some(later.map(|later| later.command)),
    )
}

fn contains_any(words: &Captured, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| words.contains_ignoring_case(phrase))
}
