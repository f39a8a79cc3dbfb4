//! The authentication data has a wrong form: base64, NULs, a stray newline.

use crate::diagnosis::Value;
use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::PayloadDefect;
use crate::session::{Session, Stage};

/// `auth-payload-malformed`.
pub static RULE: Rule = Rule {
    slug: "auth-payload-malformed",
    layer: Layer::Auth,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(53),
    actors: &[Actor::Client],
    explains_away: &[
        "auth-credentials-rejected",
        "auth-required",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-relay-denied",
    ],
    leans_on_absence: true,
    references: &[
        "RFC 4616 2",
        "RFC 4954 4",
        "RFC 2195 2",
        "qmail.jms1.net \"Testing SMTP AUTH connections\"",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if facts::authenticated(session) {
        return None;
    }
    let (exchange, auth, reply) = facts::auth_attempts(session).find_map(|(exchange, auth)| {
        let reply = facts::refusal(exchange)?;
        let told = reply.code == 501 && facts::says_any(reply, &["base64", "malformed", "decode", "syntax"]);
        let said = facts::says_any(reply, &["invalid base64"]);
        let wrong = !auth.defects.is_empty() || told || said;
        (wrong && !auth.cancelled && auth.oauth_error.is_none()).then_some((exchange, auth, reply))
    })?;
    Some(
        Finding::of(rule, Stage::Auth, Evidence::reply(reply))
            .with("mechanism", &auth.mechanism)
            .with("reply", &facts::words(reply))
            .with_some(
                "defect",
                auth.defects.first().map(|defect| Value::Phrase(phrase(*defect))),
            )
            .and(Evidence::command(exchange)),
    )
}

/// What is wrong, without showing it.
const fn phrase(defect: PayloadDefect) -> &'static str {
    match defect {
        PayloadDefect::NotBase64 => "payload_not_base64",
        PayloadDefect::NulCount(_) => "payload_nul_count",
        PayloadDefect::TrailingNewline => "payload_trailing_newline",
        PayloadDefect::CramForm => "payload_cram_form",
        PayloadDefect::EmptyUser => "payload_empty_user",
        PayloadDefect::EmptyPassword => "payload_empty_password",
    }
}
