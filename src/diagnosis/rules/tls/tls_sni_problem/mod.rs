//! The server does not know the name that the client asked for (alert 112).

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::AlertLevel;
use crate::session::{Session, Stage};
use crate::span::Direction;

/// `tls-sni-problem`.
pub static RULE: Rule = Rule {
    slug: "tls-sni-problem",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(45),
    actors: &[Actor::Client, Actor::Server],
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
        "RFC 6066 3",
        "RFC 8446 9.2",
        "RFC 7817",
        "sylpheed-mail/sylpheed#74",
        "lefcha/imapfilter#185",
        "nodejs/node#28167",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session.tls.as_deref()?;
    let alert = tls
        .alerts
        .iter()
        .find(|alert| alert.description == 112 && alert.span.direction == Direction::ToClient)?;
    let fatal = alert.level == AlertLevel::Fatal;
    let finding = Finding::of(rule, Stage::Tls, Evidence::alert(alert))
        .with_some("name", tls.offer().and_then(|offer| offer.server_name.as_ref()))
        .with_some("fatal", fatal.then_some("yes"))
        .and_some(tls.offer().map(Evidence::client_hello));
    Some(if fatal {
        finding
    } else {
        finding.as_severity(Severity::Note).as_sure_as(Confidence::Confirmed)
    })
}
