//! The handshake completed and the client left before using it.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{AlertLevel, ContentType, TlsFacts, Version};
use crate::session::{EndedBy, Security, Session, Stage};
use crate::span::{Direction, Role};

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
        "ok-connect-probe",
        "smtp-client-vanished",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
    ],
    references: &[
        "RFC 7817",
        "RFC 7672",
        "RFC 8461 4",
        "measured Postfix 3.7, msmtp, NSS 3.87",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let client = &tls.directions.to_server;
    let finished = client.finished?;
    let clear = tls.alerts.iter().any(|alert| alert.level == AlertLevel::Fatal);
    let quit = one_quit(tls);
    let left = matches!(
        session.ended_by,
        EndedBy::Fin(Role::Client) | EndedBy::Reset(Role::Client)
    );
    if clear || !(left || quit) || session.quality.gaps || session.quality.only_direction.is_some() {
        return None;
    }
    if client.application_records > 0 && !quit {
        return None;
    }
    // A probe that only looks at the handshake and says goodbye properly is no failure.
    let goodbye = tls
        .encrypted_alerts
        .iter()
        .any(|alert| alert.direction == Direction::ToServer);
    let reset = matches!(session.ended_by, EndedBy::Reset(Role::Client));
    // Without STARTTLS a client that wanted to do mail would have waited for the greeting; so does a check.
    let probe = session.security == Security::Implicit && !quit && !reset;
    if (probe || quit) && goodbye && session.security == Security::Implicit {
        return None;
    }
    if quit && !wanted_more(session, tls) {
        return None;
    }
    let end = client.last_record.unwrap_or(finished);
    let finding = Finding::of(
        rule,
        Stage::Tls,
        Evidence::frame(
            end,
            Some(Direction::ToServer),
            if quit {
                "one record of the size of QUIT, then the end"
            } else {
                "Finished, then the end"
            },
        ),
    )
    .with_some("quit", quit.then_some("yes"))
    .with_some("goodbye", goodbye.then_some("yes"))
    .and_some(tls.server_hello.as_ref().map(Evidence::server_hello));
    Some(finding)
}

/// The client's only application data has the size of QUIT.
fn one_quit(tls: &TlsFacts) -> bool {
    let mut records = tls.records.iter().filter(|record| {
        record.direction == Direction::ToServer && record.content == ContentType::ApplicationData && record.encrypted
    });
    let hello = tls.server_hello.as_ref();
    let thirteen = hello.is_some_and(|hello| hello.version == Version::TLS1_3);
    let plain = |length: u16| {
        if thirteen {
            length.checked_sub(17)
        } else {
            length.checked_sub(24)
        }
    };
    let count = tls.directions.to_server.application_records;
    count == 1
        && records
            .next_back()
            .is_some_and(|record| plain(record.length) == Some(6))
}

/// After STARTTLS a sender says EHLO again. A check that says QUIT in its place looks the same as a
/// sender that did not like what it saw: only a certificate with a visible fault tells them apart.
fn wanted_more(session: &Session, tls: &TlsFacts) -> bool {
    let leaf = tls
        .server_certificate
        .as_ref()
        .and_then(|message| message.certificates.first());
    session.security == Security::StartTls
        && leaf.is_some_and(|leaf| leaf.subject == leaf.issuer || leaf.not_after < session.connection.first.time)
}
