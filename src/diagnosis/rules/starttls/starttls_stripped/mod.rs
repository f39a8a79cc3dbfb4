//! Something between masks or blocks STARTTLS.

use crate::diagnosis::Value;
use crate::diagnosis::{Actor, Check, Confidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `starttls-stripped`.
pub static RULE: Rule = Rule {
    slug: "starttls-stripped",
    layer: Layer::StartTls,
    severity: Severity::Fail,
    confidence: Confidence::Likely,
    precedence: Some(30),
    actors: &[Actor::Network],
    explains_away: &[
        "auth-no-common-mechanism",
        "auth-requires-tls-first",
        "smtp-client-vanished",
        "smtp-command-rejected",
        "smtp-ehlo-fallback-helo",
        "starttls-not-offered",
    ],
    references: &[
        "RFC 3207 6",
        "RFC 7525/9325 3.2",
        "serverfault 398147",
        "Bugtraq \"Norton Antivirus 2002 STARTTLS\"",
        "Postfix smtp_pix_workarounds",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (evidence, kind) = super::evidence::stripped(session)?;
    let exposed = super::evidence::password_in_clear(session);
    Some(
        Finding::of(rule, Stage::Hello, evidence)
            .with("kind", Value::Phrase(kind))
            .with_some("exposed", exposed.then_some("yes")),
    )
}
