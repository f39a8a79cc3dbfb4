//! The message is signed or encrypted from end to end.

use super::evidence;
use crate::diagnosis::Value;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::message::Protection;
use crate::session::{Session, Stage};

/// `msg-end-to-end-encrypted`.
pub static RULE: Rule = Rule {
    slug: "msg-end-to-end-encrypted",
    layer: Layer::Message,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &[],
    references: &["RFC 8551 3", "RFC 3156 4-5", "RFC 9580", "RFC 1847"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    evidence::messages(session).find_map(|shown| {
        let protection = shown.message.protection?;
        let (phrase, readable) = match protection {
            Protection::SmimeEncrypted => ("protection_smime_encrypted", false),
            Protection::SmimeSignedOpaque => ("protection_smime_opaque", true),
            Protection::SmimeSigned => ("protection_smime_signed", true),
            Protection::PgpEncrypted => ("protection_pgp_encrypted", false),
            Protection::PgpSigned => ("protection_pgp_signed", true),
            Protection::PgpInline => ("protection_pgp_inline", false),
        };
        let text = shown.message.parts.first().map_or_else(
            || Evidence::quote(shown.span, "message"),
            |part| Evidence::quote(shown.span, &part.content_type),
        );
        Some(
            Finding::of(rule, Stage::Data, text)
                .with("how", Value::Phrase(phrase))
                .with_some("readable", readable.then_some("yes"))
                .with_some("hidden", (!readable).then_some("yes")),
        )
    })
}
