//! The finding and insight records of JSON version 1.

use std::borrow::Cow;

use crate::diagnosis::{Confidence, Evidence, Finding, Severity};
use crate::render::encode;
use crate::render::json::proof::Proof;
use crate::render::json::text::Word;
use crate::render::json::time::Time;
use crate::render::json::writer::record;
use crate::span::Direction;
use crate::text::{Language, tell};

record! {
    /// A finding, texts in the chosen language.
    pub struct FindingRecord<'a> {
        /// The rule's slug: stable.
        pub id: &'static str,
        /// Its layer.
        pub layer: &'static str,
        /// fail, risk, note, limit, ok.
        pub severity: &'static str,
        /// confirmed, likely, possible, inferred, unknown.
        pub confidence: &'static str,
        /// It is the one root cause of its session.
        pub root_cause: bool,
        /// It is a consequence of this other finding, or part of this other insight.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub because_of: Option<&'static str>,
        /// The rule's title.
        pub title: Cow<'static, str>,
        /// What happened.
        pub what: Cow<'static, str>,
        /// Why: found against expected.
        pub why: Vec<Cow<'static, str>>,
        /// What to do, and who.
        pub remedies: Vec<RemedyRecord>,
        /// What would settle it, where it is not confirmed.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub how_to_be_sure: Vec<Cow<'static, str>>,
        /// Proof; the first is the decisive one.
        pub evidence: Vec<EvidenceRecord<'a>>,
        /// RFC sections and other sources.
        pub references: &'static [&'static str],
    }

    /// What somebody should do.
    pub struct RemedyRecord {
        /// client, server, network, capture.
        pub actor: &'static str,
        /// What to do.
        pub text: Cow<'static, str>,
    }

    /// Proof.
    pub struct EvidenceRecord<'a> {
        /// First and last frame.
        #[written(with time)]
        pub frames: (u64, u64),
        /// Time of the first frame.
        #[written(before)]
        pub time: Time,
        /// to_server, to_client; absent for what is not one side's.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub direction: Option<Word>,
        /// The bytes, or what they say in the protocol's own words.
        pub quotation: Proof<'a>,
    }
}

/// The word of a severity.
#[must_use]
pub const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Ok => "ok",
        Severity::Limit => "limit",
        Severity::Note => "note",
        Severity::Risk => "risk",
        Severity::Fail => "fail",
    }
}

/// The word of a confidence.
#[must_use]
pub const fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Unknown => "unknown",
        Confidence::Inferred => "inferred",
        Confidence::Possible => "possible",
        Confidence::Likely => "likely",
        Confidence::Confirmed => "confirmed",
    }
}

/// The word of a direction.
#[must_use]
pub const fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::ToServer => "to_server",
        Direction::ToClient => "to_client",
    }
}

impl<'a> FindingRecord<'a> {
    /// A finding in a language; times with `digits` fractional digits.
    #[must_use]
    pub fn of(finding: &'a Finding, language: Language, digits: u8) -> Self {
        let story = tell(finding, language, encode::json);
        Self {
            id: finding.rule.slug,
            layer: finding.rule.layer.name(),
            severity: severity(finding.severity),
            confidence: confidence(finding.confidence),
            root_cause: finding.root_cause,
            because_of: finding.because_of,
            title: story.title,
            what: story.what,
            why: story.why,
            remedies: story
                .remedies
                .into_iter()
                .map(|(actor, text)| RemedyRecord {
                    actor: actor.name(),
                    text,
                })
                .collect(),
            how_to_be_sure: story.certainty,
            evidence: finding
                .evidence
                .iter()
                .map(|one| EvidenceRecord::of(one, language, digits))
                .collect(),
            references: finding.rule.references,
        }
    }
}

impl<'a> EvidenceRecord<'a> {
    pub(super) const fn of(evidence: &'a Evidence, language: Language, digits: u8) -> Self {
        Self {
            frames: (evidence.first.frame.0, evidence.last.frame.0),
            time: Time {
                at: evidence.first.time,
                digits,
            },
            direction: match evidence.direction {
                Some(one) => Some(Word(direction(one))),
                None => None,
            },
            quotation: Proof { evidence, language },
        }
    }
}
