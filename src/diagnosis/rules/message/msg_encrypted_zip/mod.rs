//! An attachment is a ZIP file with a password.

use super::evidence;
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
    references: &["PKWARE APPNOTE 4.4.4, 7", "RFC 2045 6.8"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    evidence::messages(session).find_map(|shown| {
        let part = shown.message.parts.iter().find(|part| part.encrypted_zip.is_some())?;
        let strong = part.encrypted_zip == Some(true);
        Some(
            Finding::of(
                rule,
                Stage::Data,
                Evidence::quote(shown.span, "ZIP local file header with the encryption flag"),
            )
            .with_some("file", part.file_name.as_ref())
            .with_some("strong", strong.then_some("yes"))
            .with_some("weak", (!strong).then_some("yes")),
        )
    })
}
