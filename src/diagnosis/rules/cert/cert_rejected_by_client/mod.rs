//! The client ended the handshake over the server's certificate.

use super::evidence::{self, Reaction};
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};
use crate::span::Direction;

/// `cert-rejected-by-client`.
pub static RULE: Rule = Rule {
    slug: "cert-rejected-by-client",
    layer: Layer::Cert,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(49),
    actors: &[Actor::Server, Actor::Client],
    explains_away: &[
        "auth-requires-tls-first",
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "starttls-client-abandons-after-220",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-client-aborts-after-finished",
        "tls-close-notify-missing",
        "tls-encrypted-alert-in-handshake",
        "tls-other-fatal-alert",
    ],
    references: &[
        "RFC 8446 6.2",
        "RFC 5280 6",
        "RFC 7817",
        "serverfault 1054770",
        "docker-mailserver notes on alert 46",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_ref()?;
    let judged = evidence::judged(session);
    let finding = match evidence::complaint(tls) {
        Some(alert) => {
            let name = crate::protocol::tls::alert_name(alert.description).unwrap_or("unassigned");
            let sound = judged.as_ref().is_some_and(|judged| judged.expired().is_none());
            Finding::of(rule, Stage::Tls, Evidence::alert(alert))
                .with("alert", alert.description)
                .with("name", name)
                .with_some("clock", (alert.description == 45 && sound).then_some("yes"))
                .with_some("authority", (alert.description == 48).then_some("yes"))
        }
        None => {
            let judged = judged.as_ref()?;
            let before_keys =
                tls.client_key_exchange.is_none() && tls.directions.to_server.change_cipher_spec.is_none();
            let Reaction::Left(stamp) = judged.reaction else {
                return None;
            };
            if !before_keys {
                return None;
            }
            let closing = Evidence::frame(
                stamp,
                Some(Direction::ToServer),
                "the client closes right after the certificate",
            );
            Finding::of(rule, Stage::Tls, closing).as_sure_as(Confidence::Likely)
        }
    };
    Some(match judged {
        Some(judged) => {
            let faults = judged.faults();
            finding
                .with("subject", &judged.leaf.subject)
                .with("issuer", &judged.leaf.issuer)
                .with_some("sound", faults.is_empty().then_some("yes"))
                .with_some("faults", (!faults.is_empty()).then_some(faults))
                .and(judged.quote(judged.leaf))
        }
        None => finding.with("hidden", "yes"),
    })
}
