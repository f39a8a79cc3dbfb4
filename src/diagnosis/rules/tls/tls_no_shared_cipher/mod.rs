//! Alert 40 right after the ClientHello: no common cipher suite, as far as can be told.

use crate::diagnosis::rules::tls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::alert_name;
use crate::protocol::tls::{Phase, cipher_suite_name, is_aead, is_grease, is_signalling};
use crate::session::{Session, Stage};
use crate::span::Role;

/// `tls-no-shared-cipher`.
pub static RULE: Rule = Rule {
    slug: "tls-no-shared-cipher",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(42),
    actors: &[Actor::Server, Actor::Client],
    explains_away: &[
        "auth-requires-tls-first",
        "smtp-client-vanished",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
    ],
    references: &[
        "RFC 5246 7.2.2, 7.4.1.3",
        "RFC 8446 6.2",
        "planet Debian \"Postfix failing with no shared cipher\"",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let alert = evidence::fatal(tls, Role::Server)
        .find(|alert| alert.description == 40 && alert.phase == Phase::AfterClientHello)?;
    let offer = tls.offer()?;
    if evidence::odd_groups(offer) {
        return None;
    }
    let real: Vec<u16> = offer
        .cipher_suites
        .iter()
        .copied()
        .filter(|suite| !is_grease(*suite) && !is_signalling(*suite))
        .collect();
    let old = real.iter().all(|suite| !is_aead(*suite));
    let names: Vec<String> = real
        .iter()
        .take(4)
        .map(|suite| cipher_suite_name(*suite).map_or_else(|| format!("0x{suite:04x}"), str::to_owned))
        .collect();
    Some(
        Finding::of(rule, Stage::Tls, Evidence::alert(alert))
            .with("alert", alert.description)
            .with("alert_name", alert_name(alert.description).unwrap_or("unassigned"))
            .with("count", real.len())
            .with("suites", names)
            .with_some("old", old.then_some("yes"))
            .with("offered", offer.maximum())
            .and_some(tls.offer().map(Evidence::client_hello)),
    )
}
