//! An old TLS version was agreed, and the server ended the dialogue inside it early.

use crate::diagnosis::rules::facts;
use crate::diagnosis::rules::tls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::Reply;
use crate::protocol::tls::{ServerHello, Version};
use crate::session::{Session, Stage};
use crate::span::{Direction, Role};

/// `tls-policy-refusal-after-handshake`.
pub static RULE: Rule = Rule {
    slug: "tls-policy-refusal-after-handshake",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Inferred,
    precedence: Some(48),
    actors: &[Actor::Client],
    explains_away: &[
        "auth-requires-tls-first",
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-no-greeting",
        "smtp-server-421",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-before-greeting",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
        "tls-deprecated-version",
    ],
    leans_on_absence: false,
    references: &["RFC 8997", "Microsoft: 421 4.7.66 TLS 1.0 and 1.1 are not supported"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// Client records of a dialogue that did not get far; TLS 1.0 sends two for each command.
const FEW: u64 = 8;
/// Octets that such a client has sent: no message.
const SMALL: u64 = 1500;

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = evidence::completed(session)?;
    let hello = tls
        .server_hello
        .as_ref()
        .filter(|hello| hello.version < Version::TLS1_2)?;
    if tls.decrypted {
        return in_words(rule, session, hello);
    }
    let quality = &session.quality;
    if quality.gaps || quality.only_direction.is_some() || quality.cut_off || quality.started_late {
        return None;
    }
    let own = &tls.directions.to_server;
    if own.application_records == 0 || own.application_records > FEW || own.application_octets > SMALL {
        return None;
    }
    let last = evidence::client_data(tls).next_back()?;
    let server = &tls.directions.to_client;
    // The server has the last word and closes; a client that said QUIT wanted that.
    let answered = server.first_application_data.is_some()
        && server.last_record.is_some_and(|record| record.frame > last.stamp.frame);
    let end = evidence::end(session).filter(|end| end.by == Role::Server && end.stamp.frame >= last.stamp.frame)?;
    let quick = end.stamp.time.since(last.stamp.time) < evidence::STALLED;
    let client_said_goodbye = tls
        .encrypted_alerts
        .iter()
        .any(|alert| alert.direction == Direction::ToServer && alert.stamp.frame < end.stamp.frame);
    let fits = answered && quick && !client_said_goodbye && !evidence::may_be_quit(tls, last);
    fits.then(|| {
        Finding::of(rule, Stage::Encrypted, end.evidence())
            .with("version", hello.version)
            .with("records", own.application_records)
            .and(Evidence::server_hello(hello))
    })
}

/// Decrypted: the server says that the version is too old.
fn in_words(rule: &'static Rule, session: &Session, hello: &ServerHello) -> Option<Finding> {
    let dialogue = session.smtp.as_deref()?;
    let replies = session
        .exchanges()
        .iter()
        .filter(|exchange| exchange.inside_tls)
        .filter_map(facts::refusal);
    let reply = replies
        .chain(dialogue.unsolicited.iter().filter(|reply| reply.class() >= 4))
        .chain(dialogue.greeting.iter().filter(|reply| reply.class() >= 4))
        .find(|reply| is_about_version(reply))?;
    Some(
        Finding::of(rule, Stage::Encrypted, Evidence::reply(reply))
            .as_sure_as(Confidence::Confirmed)
            .with("version", hello.version)
            .with("reply", &facts::words(reply))
            .and(Evidence::server_hello(hello)),
    )
}

fn is_about_version(reply: &Reply) -> bool {
    facts::is_enhanced(reply, 7, 66)
        || facts::says_any(
            reply,
            &[
                "tls 1.0",
                "tls1.0",
                "tlsv1.0",
                "tls 1.1",
                "tls1.1",
                "tlsv1.1",
                "tls version",
            ],
        )
}
