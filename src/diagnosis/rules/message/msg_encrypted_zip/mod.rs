//! An attachment is a ZIP with a password.

use crate::diagnosis::rules::message::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `msg-encrypted-zip`.
pub static RULE: Rule = Rule {
    slug: "msg-encrypted-zip",
    layer: Layer::Message,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["PKWARE APPNOTE 4.4.4, 7", "RFC 2045 6.8"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    evidence::messages(session).find_map(|seen| {
        let part = seen.facts.parts.iter().find(|part| part.encrypted_zip.is_some())?;
        let name = part.file_name.as_ref();
        Some(
            Finding::of(
                rule,
                Stage::Data,
                Evidence::quote(seen.span, name.unwrap_or(&part.content_type)),
            )
            .with_some("name", name)
            .with_some("aes", (part.encrypted_zip == Some(true)).then_some("yes")),
        )
    })
}
