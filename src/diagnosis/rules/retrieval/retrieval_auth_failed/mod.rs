//! A POP3 or IMAP login was refused for its credentials.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

use super::evidence;

/// `retrieval-auth-failed`.
pub static RULE: Rule = Rule {
    slug: "retrieval-auth-failed",
    layer: Layer::Retrieval,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(54),
    actors: &[Actor::Client],
    explains_away: &["smtp-client-vanished", "tcp-reset-mid-session"],
    leans_on_absence: false,
    references: &[
        "RFC 1939 7, 13",
        "RFC 2449 8",
        "RFC 3206 4, 5",
        "RFC 5530 3",
        "RFC 9051 6.2, 7.1",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    if evidence::logged_in(session) {
        return None;
    }
    let (command, login, answer) = evidence::logins(session).find_map(|(command, login)| {
        let answer = evidence::refusal(command)?;
        let no_apop = login.mechanism.equals_ignoring_case("APOP") && evidence::says_no_apop(answer);
        let other_cause = login.cancelled || evidence::wants_tls(answer) || evidence::is_busy(answer) || no_apop;
        (!other_cause).then_some((command, login, answer))
    })?;
    let named = evidence::has_code(
        answer,
        &[
            "AUTH",
            "AUTHENTICATIONFAILED",
            "AUTHORIZATIONFAILED",
            "EXPIRED",
            "CONTACTADMIN",
        ],
    );
    let expired = evidence::has_code(answer, &["EXPIRED"]);
    let attempts = evidence::logins(session)
        .filter(|(one, _)| evidence::refusal(one).is_some())
        .count();
    let sure = if named {
        Confidence::Confirmed
    } else {
        Confidence::Likely
    };
    Some(
        Finding::of(rule, Stage::Auth, Evidence::answer(command, answer))
            .as_sure_as(sure)
            .with("protocol", evidence::protocol_name(session))
            .with("mechanism", &login.mechanism)
            .with("reply", &evidence::words(command, answer))
            .with_some("identity", login.identity.as_ref())
            .with_some("expired", expired.then_some("yes"))
            .with_some("apop", login.mechanism.equals_ignoring_case("APOP").then_some("yes"))
            .with_some("attempts", (attempts > 1).then_some(attempts))
            .and(Evidence::retrieval(command)),
    )
}
