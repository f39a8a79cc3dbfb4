//! Alert 40 after a modern list whose groups or signature algorithms are odd.

use crate::diagnosis::rules::tls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::alert_name;
use crate::protocol::tls::{Phase, group_name};
use crate::session::{Session, Stage};
use crate::span::Role;

/// `tls-no-shared-group-or-sigalg`.
pub static RULE: Rule = Rule {
    slug: "tls-no-shared-group-or-sigalg",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Possible,
    precedence: Some(42),
    actors: &[Actor::Client, Actor::Server],
    explains_away: &[
        "auth-requires-tls-first",
        "smtp-client-vanished",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
        "tls-no-shared-cipher",
    ],
    references: &[
        "RFC 8446 4.2.3, 4.2.7, 9.2",
        "RFC 8422 4",
        "RFC 9155",
        "openssl/openssl#15859",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let alert = evidence::fatal(tls, Role::Server)
        .find(|alert| matches!(alert.description, 40 | 47 | 109) && alert.phase == Phase::AfterClientHello)?;
    let offer = tls.offer().filter(|offer| evidence::odd_groups(offer))?;
    let groups: Vec<String> = offer
        .groups
        .iter()
        .take(6)
        .map(|group| group_name(*group).map_or_else(|| format!("0x{group:04x}"), str::to_owned))
        .collect();
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .with("alert", alert.description)
            .with("alert_name", alert_name(alert.description).unwrap_or("unassigned"))
            .with_some("groups", (!groups.is_empty()).then_some(groups))
            .with_some("no_sigalgs", (offer.signature_algorithms.is_none()).then_some("yes"))
            .with("offered", offer.maximum())
            .and_some(tls.offer().map(Evidence::client_hello)),
    )
}
