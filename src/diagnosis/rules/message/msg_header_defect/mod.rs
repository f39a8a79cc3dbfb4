//! The header of a message breaks RFC 5322.

use crate::diagnosis::rules::message::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Quotation, Rule, Severity};
use crate::message::HeaderDefect;
use crate::protocol::smtp::Detail;
use crate::session::{Session, Stage};

/// `msg-header-defect`.
pub static RULE: Rule = Rule {
    slug: "msg-header-defect",
    layer: Layer::Message,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 5322 3.6", "RFC 6409 8", "RFC 6532", "Gmail SMTP errors and codes"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let submitting = session.service.is_for_users();
    evidence::sent(session).find_map(|seen| {
        let found = &seen.facts.defects;
        let counts = |defect: &&HeaderDefect| match defect {
            // A submission server adds these (RFC 6409, sections 8.2 and 8.3).
            HeaderDefect::MissingDate | HeaderDefect::MissingMessageId => {
                !submitting && **defect != HeaderDefect::MissingMessageId
            }
            HeaderDefect::RawEightBit => !with_smtputf8(session, &seen),
            _ => true,
        };
        let found: Vec<&HeaderDefect> = found.iter().filter(counts).collect();
        let first = seen.facts.from.first().map(|from| &from.address);
        let has = |wanted: &HeaderDefect| found.contains(&wanted).then_some("yes");
        let repeated = found.iter().find_map(|defect| match defect {
            HeaderDefect::Repeated(name) => Some(name),
            _ => None,
        });
        if found.is_empty() || !seen.facts.header_complete || seen.facts.missing > 0 {
            return None;
        }
        Some(
            Finding::of(
                rule,
                Stage::Data,
                Evidence::quote(
                    seen.span,
                    seen.facts
                        .subject
                        .as_ref()
                        .or(first)
                        .map_or(Quotation::from("message header"), Quotation::from),
                ),
            )
            .with_some("no_from", has(&HeaderDefect::MissingFrom))
            .with_some("no_date", has(&HeaderDefect::MissingDate))
            .with_some("repeated", repeated)
            .with_some("several_from", has(&HeaderDefect::SeveralFromWithoutSender))
            .with_some("eight_bit", has(&HeaderDefect::RawEightBit))
            .with_some("no_field", has(&HeaderDefect::NotAField))
            .with_some("no_separator", has(&HeaderDefect::NoSeparator))
            .with_some("too_long", has(&HeaderDefect::TooLong)),
        )
    })
}

/// The message was announced as internationalized (RFC 6531, section 3.4).
fn with_smtputf8(session: &Session, seen: &evidence::Seen<'_>) -> bool {
    let mail = seen
        .transaction
        .and_then(|transaction| session.exchanges().get(transaction.mail));
    mail.is_some_and(|exchange| matches!(&exchange.detail, Detail::Envelope { parameters, .. } if parameters.iter().any(|parameter| parameter.keyword.equals_ignoring_case("SMTPUTF8"))))
}
