//! The suites are modern, but groups or signature algorithms fit no usual server.

use crate::diagnosis::rules::tls::evidence::{self, GroupTrouble, Meaning};
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{alert_name, group_name, is_grease, signature_scheme_name};
use crate::session::{Session, Stage};

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
        "tls-sslv2-sslv3-hello",
    ],
    leans_on_absence: false,
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
    let (tls, alert) = evidence::alert_of(session, Meaning::NoSharedGroup)?;
    let hello = tls.offer()?;
    let trouble = evidence::group_trouble(hello)?;
    let groups: Vec<String> = hello
        .groups
        .iter()
        .filter(|group| !is_grease(**group))
        .map(|group| group_name(*group).map_or_else(|| format!("0x{group:04x}"), str::to_owned))
        .collect();
    let schemes: Vec<String> = hello
        .signature_algorithms
        .iter()
        .flatten()
        .map(|scheme| signature_scheme_name(*scheme).map_or_else(|| format!("0x{scheme:04x}"), str::to_owned))
        .collect();
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .with("code", alert.description)
            .with_some("alert", alert_name(alert.description))
            .with_some(
                "groups",
                Some(groups).filter(|_| trouble == GroupTrouble::UnusualGroups),
            )
            .with_some(
                "schemes",
                Some(schemes).filter(|_| trouble == GroupTrouble::OldSignatureAlgorithms),
            )
            .with_some(
                "absent",
                (trouble == GroupTrouble::NoSignatureAlgorithms).then_some("yes"),
            )
            .and(Evidence::client_hello(hello)),
    )
}
