//! The handshake completed, and the client left before using it.

use crate::diagnosis::rules::tls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::smtp::{Exchange, Verb};
use crate::protocol::tls::{Phase, Record, TlsFacts};
use crate::session::{Service, Session, Stage};
use crate::span::{Direction, Role};
use std::time::Duration;

/// `tls-client-aborts-after-finished`.
pub static RULE: Rule = Rule {
    slug: "tls-client-aborts-after-finished",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(47),
    actors: &[Actor::Client, Actor::Server],
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
    ],
    leans_on_absence: false,
    references: &[
        "RFC 7817",
        "RFC 7672",
        "RFC 8461 4",
        "measured with Postfix 3.7, msmtp, NSS 3.87",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// A client that judges a certificate and closes does so within this.
const AT_ONCE: Duration = Duration::from_secs(10);
/// A mail server that says QUIT because of the certificate does so within this, after the handshake; a person or script
/// that tries out the port takes longer.
const PROMPT: Duration = Duration::from_millis(250);

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    after_finished(rule, session).or_else(|| after_flight(rule, session))
}

/// The client has read the server's flight with its certificate and leaves without an alert and without its Finished.
fn after_flight(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = evidence::unfinished(session).filter(|tls| tls.phase >= Phase::AfterServerHello)?;
    let quality = &session.quality;
    let end = evidence::end(session).filter(|end| end.by == Role::Client && !end.forged)?;
    let last = evidence::last_before(tls, Some(&end))?;
    let answered = tls.records.iter().any(|record| {
        record.direction == Direction::ToServer
            && tls
                .server_hello
                .as_ref()
                .is_some_and(|hello| record.stamp.frame > hello.span.first.frame)
    });
    if quality.cut_off
        || quality.gaps
        || quality.only_direction.is_some()
        || answered
        || end.stamp.time.since(last.time) > evidence::STALLED
    {
        return None;
    }
    let finding = Finding::of(rule, Stage::Tls, end.evidence())
        .as_sure_as(Confidence::Possible)
        .with("flight", "yes")
        .with_some("version", tls.server_hello.as_ref().map(|hello| hello.version))
        .and_some(tls.server_hello.as_ref().map(Evidence::server_hello));
    // A scanner that collects certificates leaves at the same place; after STARTTLS that is rare.
    Some(match session.upgraded() {
        true => finding,
        false => finding.as_severity(Severity::Note),
    })
}

fn after_finished(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = evidence::completed(session).filter(|tls| !tls.client_hellos.is_empty())?;
    let own = &tls.directions.to_server;
    let finished = own.finished?;
    let quality = &session.quality;
    if quality.cut_off || quality.gaps || quality.only_direction.is_some() || evidence::fatal_alert(session).is_some() {
        return None;
    }
    let said = said_quit(session);
    if tls.decrypted && said.is_none() {
        return None;
    }
    let sent: Vec<&Record> = evidence::client_data(tls).collect();
    // After STARTTLS a client says EHLO again; one that says QUIT instead has judged the handshake.
    let quit = session.upgraded()
        && (said.is_some() || matches!(sent.as_slice(), [only] if evidence::may_be_quit(tls, only)))
        && had_reason(session, tls);
    if own.first_application_data.is_some() && !quit {
        return None;
    }
    let alert = tls
        .encrypted_alerts
        .first()
        .filter(|alert| alert.direction == Direction::ToServer && alert.phase >= Phase::AfterHandshake);
    let end = evidence::end(session);
    let left = match (&end, alert, sent.first()) {
        (_, _, Some(record)) if quit => said.map_or(record.stamp, |quit| quit.command.first()),
        (Some(end), Some(alert), _) if alert.stamp.frame <= end.stamp.frame => alert.stamp,
        (Some(end), None, _) if end.by == Role::Client => end.stamp,
        _ => return None,
    };
    // With implicit TLS a client that only tries out the port says goodbye in order; one that refuses resets.
    let in_order = alert.is_some() && end.is_some_and(|end| !end.reset);
    if in_order && !session.upgraded() {
        return None;
    }
    let complete = tls
        .directions
        .to_client
        .finished
        .map_or(finished, |other| other.max(finished));
    let patience = match quit {
        true => PROMPT + session.connection.round_trip.unwrap_or_default(),
        false => AT_ONCE,
    };
    if left.time.since(complete.time) > patience {
        return None;
    }
    let (kind, quoted) = match (quit, alert) {
        (true, _) if said.is_some() => ("said_quit", "QUIT, the first command inside TLS"),
        (true, _) => ("quit", "encrypted record of the size of QUIT"),
        (false, Some(_)) => ("alert", "encrypted alert"),
        (false, None) => ("closed", "the client closes"),
    };
    // What nobody can tell from a check of the port is told as a note: QUIT where the certificate is hidden, and a reset
    // without an alert, which is how load balancers end their checks.
    let hidden = tls.server_certificate.is_none();
    let like_a_check = match kind {
        "quit" => hidden,
        "closed" => hidden && !session.upgraded() && end.is_some_and(|end| end.reset),
        _ => false,
    };
    let severity = match like_a_check {
        true => Severity::Note,
        false => rule.severity,
    };
    let confidence = match kind {
        "quit" => Confidence::Inferred,
        _ if session.upgraded() => Confidence::Likely,
        // A check of the port alone does the same.
        _ => Confidence::Possible,
    };
    Some(
        Finding::of(
            rule,
            Stage::Tls,
            Evidence::frame(left, Some(Direction::ToServer), quoted),
        )
        .as_severity(severity)
        .as_sure_as(confidence)
        .with(kind, "yes")
        .with_some("check", like_a_check.then_some("yes"))
        .with_some("version", tls.server_hello.as_ref().map(|hello| hello.version))
        .with_some("seen", tls.server_certificate.as_ref().map(|_| "yes"))
        .and(Evidence::frame(finished, Some(Direction::ToServer), "client Finished"))
        .and_some(tls.server_hello.as_ref().map(Evidence::server_hello)),
    )
}

/// Decrypted: QUIT is all that the client said inside TLS.
fn said_quit(session: &Session) -> Option<&Exchange> {
    let mut inside = session.exchanges().iter().filter(|exchange| exchange.inside_tls);
    let first = inside.next().filter(|first| first.verb == Verb::Quit);
    first.filter(|_| inside.next().is_none())
}

/// A check of the port says QUIT as well. A certificate with a visible fault tells the two apart; where it is hidden, only
/// mail servers (port 25) are known to do this.
fn had_reason(session: &Session, tls: &TlsFacts) -> bool {
    let now = session.connection.first.time;
    match &tls.server_certificate {
        Some(message) => message.certificates.first().is_none_or(|own| {
            own.self_issued
                || own.weak_signature
                || own.not_after < now
                || own.not_before > now
                || message.certificates.len() == 1
                || (message.decrypted && session.service == Service::Smtp)
        }),
        None => session.service == Service::Smtp,
    }
}
