//! The message is signed or encrypted from end to end.

use crate::diagnosis::rules::message::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Quotation, Rule, Severity};
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
    leans_on_absence: false,
    references: &["RFC 8551 3", "RFC 3156 4-5", "RFC 9580", "RFC 1847"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    evidence::messages(session).find_map(|seen| {
        let protection = seen.facts.protection?;
        let smime = matches!(
            protection,
            Protection::SmimeEncrypted | Protection::SmimeSigned | Protection::SmimeSignedOpaque
        );
        let encrypted = matches!(
            protection,
            Protection::SmimeEncrypted | Protection::PgpEncrypted | Protection::PgpInline
        );
        let subject = seen.facts.subject.as_ref();
        let outermost = seen.facts.parts.first().map(|part| &part.content_type);
        Some(
            Finding::of(
                rule,
                Stage::Data,
                Evidence::quote(seen.span, outermost.map_or(Quotation::from("message"), Quotation::from)),
            )
            .with("kind", if smime { "S/MIME" } else { "PGP" })
            .with_some("encrypted", encrypted.then_some("yes"))
            .with_some("opaque", (protection == Protection::SmimeSignedOpaque).then_some("yes"))
            .with_some("subject", subject),
        )
    })
}
