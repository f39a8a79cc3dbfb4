//! The header of the message breaks RFC 5322.

use super::evidence;
use crate::diagnosis::Value;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::message::HeaderDefect;
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
    references: &["RFC 5322 3.6", "RFC 6409 8", "RFC 6532", "Gmail SMTP errors and codes"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let submission = session.service.is_for_users();
    evidence::messages(session).find_map(|shown| {
        let international = shown.mail.is_some_and(|mail| evidence::has_parameter(mail, "SMTPUTF8"));
        let whole = shown.message.header_complete && shown.message.missing == 0;
        let counts = |defect: &&HeaderDefect| match defect {
            // A submission server may add them (RFC 6409, section 8).
            HeaderDefect::MissingDate | HeaderDefect::MissingMessageId => whole && !submission,
            HeaderDefect::MissingFrom | HeaderDefect::NoSeparator => whole,
            HeaderDefect::RawEightBit => !international,
            HeaderDefect::Repeated(_)
            | HeaderDefect::SeveralFromWithoutSender
            | HeaderDefect::NotAField
            | HeaderDefect::TooLong => true,
        };
        let defects: Vec<&HeaderDefect> = shown.message.defects.iter().filter(counts).collect();
        if defects.is_empty() {
            return None;
        }
        let repeated: Vec<Value> = defects
            .iter()
            .filter_map(|defect| match defect {
                HeaderDefect::Repeated(name) => Some(Value::from(name)),
                _ => None,
            })
            .collect();
        let mut phrases: Vec<&'static str> = defects.iter().map(|defect| phrase(defect)).collect();
        phrases.dedup();
        let phrases: Vec<Value> = phrases.into_iter().map(Value::Phrase).collect();
        Some(
            Finding::of(
                rule,
                Stage::Data,
                Evidence::quote(shown.span, format!("{} header fields", shown.message.fields.len())),
            )
            .with("defects", phrases)
            .with_some("repeated", (!repeated.is_empty()).then_some(repeated)),
        )
    })
}

const fn phrase(defect: &HeaderDefect) -> &'static str {
    match defect {
        HeaderDefect::MissingFrom => "defect_from",
        HeaderDefect::MissingDate => "defect_date",
        HeaderDefect::MissingMessageId => "defect_message_id",
        HeaderDefect::Repeated(_) => "defect_repeated",
        HeaderDefect::SeveralFromWithoutSender => "defect_several_from",
        HeaderDefect::RawEightBit => "defect_raw_eight_bit",
        HeaderDefect::NotAField => "defect_not_a_field",
        HeaderDefect::NoSeparator => "defect_no_separator",
        HeaderDefect::TooLong => "defect_too_long",
    }
}
