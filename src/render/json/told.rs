//! Findings as a session's record holds them. Which sentences a rule says depends on which values it has, not on what they
//! are: what lies between the values is remembered as JSON, in each thread, and copied. Nothing but time depends on that; a
//! test holds it against the plain record.

use std::cell::RefCell;

use serde::{Serialize, Serializer};

use crate::diagnosis::{Finding, Value};
use crate::render::encode;
use crate::render::json::convert::Form;
use crate::render::json::finding::{EvidenceRecord, FindingRecord};
use crate::render::json::proof::append_shown;
use crate::render::json::schema::schema_like;
use crate::render::json::writer::{ToJson, escaped, list};
use crate::text::{Language, show};

/// Places for findings in each thread, two at each.
const REMEMBERED: usize = 256;
/// Octets of JSON of the longest that is remembered.
const LONGEST: usize = 4096;

/// A finding: as JSON what [`FindingRecord`] says of it.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// Language and times.
    pub form: Form,
}

impl Told<'_> {
    /// Its record.
    #[must_use]
    pub fn record(&self) -> FindingRecord<'_> {
        FindingRecord::of(self.finding, self.form.language, self.form.digits)
    }

    fn append_evidence(&self, json: &mut Vec<u8>) {
        let Form { language, digits } = self.form;
        let evidence = self.finding.evidence.iter();
        json.extend_from_slice(EVIDENCE);
        list(evidence.map(|one| EvidenceRecord::of(one, language, digits)), json);
    }
}

impl ToJson for Told<'_> {
    fn append(&self, json: &mut Vec<u8>) {
        let (finding, language) = (self.finding, self.form.language);
        let known = KNOWN.try_with(|known| {
            let mut known = known.borrow_mut();
            let [first, second] = known.get_mut(place(finding, language))?;
            let is_known = |place: &Option<Known>| place.as_ref().is_some_and(|known| known.is_of(finding, language));
            if !is_known(first) {
                // One that comes in between costs nothing; only a third at the same place does.
                std::mem::swap(first, second);
                if !is_known(first) {
                    *first = Known::of(*self);
                }
            }
            let known = first.as_ref()?;
            known.append_head(finding, json)?;
            self.append_evidence(json);
            json.extend_from_slice(&known.behind);
            Some(())
        });
        if known.ok().flatten().is_none() {
            self.record().append(json);
        }
    }
}

/// Before and behind the proof. In a text the quotation marks would be escaped.
const EVIDENCE: &[u8] = b",\"evidence\":";
const REFERENCES: &[u8] = b",\"references\":";

/// What a rule says where it has these values, without them.
struct Known {
    /// The finding without its proof; of its values only the names count.
    finding: Finding,
    language: Language,
    /// What stands before each value.
    head: Vec<Before>,
    /// The rest, up to the proof.
    tail: Vec<u8>,
    /// What stands behind the proof.
    behind: Vec<u8>,
}

/// JSON in front of a value.
struct Before {
    json: Vec<u8>,
    /// The value behind it begins a sentence.
    begins: bool,
    /// The number of the value.
    number: usize,
}

/// Stands for a value where a finding is told to be remembered: this, its number, this. Our own texts have no control
/// characters, and no other text is left in such a finding.
const MARK: &str = "\u{1}";
/// The same as JSON.
const MARK_AS_JSON: &[u8] = b"\\u0001";

impl Known {
    /// Tells a finding with marks for values, and cuts there; `None` where it is too long.
    fn of(told: Told<'_>) -> Option<Self> {
        let finding = told.finding;
        let mark = |number: usize| Value::from(format!("{MARK}{number}{MARK}"));
        let names = finding.values.iter().map(|(name, _)| *name);
        let marked = Finding {
            values: names.zip((0..).map(mark)).collect(),
            evidence: Vec::new(),
            ..*finding
        };
        let mut record = Vec::new();
        let form = told.form;
        Told { finding: &marked, form }.record().append(&mut record);
        let end = memchr::memmem::find(&record, EVIDENCE)?;
        let begin = memchr::memmem::rfind(&record, REFERENCES)?;
        let (mut rest, mut head) = (record.get(..end)?, Vec::new());
        while let Some(at) = memchr::memmem::find(rest, MARK_AS_JSON) {
            let behind = rest.get(at + MARK_AS_JSON.len()..)?;
            let close = memchr::memmem::find(behind, MARK_AS_JSON)?;
            let number = std::str::from_utf8(behind.get(..close)?).ok()?.parse().ok()?;
            let json = rest.get(..at)?.to_vec();
            let begins = begins_text(&json);
            head.push(Before { json, begins, number });
            rest = behind.get(close + MARK_AS_JSON.len()..)?;
        }
        (record.len() <= LONGEST).then(|| Self {
            language: form.language,
            head,
            tail: rest.to_vec(),
            behind: record.get(begin..).unwrap_or_default().to_vec(),
            finding: marked,
        })
    }

    /// Everything is the same on which it depends what is said, but for the values.
    fn is_of(&self, finding: &Finding, language: Language) -> bool {
        let known = &self.finding;
        let provider = |finding: &Finding| finding.provider.map(std::ptr::from_ref);
        let same_name =
            |(one, other): (&(&str, Value), &(&str, Value))| std::ptr::eq(one.0, other.0) || one.0 == other.0;
        self.language == language
            && std::ptr::eq(known.rule, finding.rule)
            && known.severity == finding.severity
            && known.confidence == finding.confidence
            && known.root_cause == finding.root_cause
            && known.because_of == finding.because_of
            && provider(known) == provider(finding)
            && known.values.len() == finding.values.len()
            && known.values.iter().zip(&finding.values).all(same_name)
    }

    /// Appends everything before the proof; `None`, and nothing done, where a sentence would begin with a white space or
    /// an empty value: what follows upon that is not as it is known.
    fn append_head(&self, finding: &Finding, json: &mut Vec<u8>) -> Option<()> {
        let start = json.len();
        for before in &self.head {
            json.extend_from_slice(&before.json);
            let (_, value) = finding.values.get(before.number)?;
            if !before.begins {
                append_shown(value, self.language, json);
                continue;
            }
            let shown = show(value, self.language, encode::json);
            if !shown.starts_with(|first: char| !first.is_whitespace()) {
                json.truncate(start);
                return None;
            }
            escaped(&shown, json);
        }
        json.extend_from_slice(&self.tail);
        Some(())
    }
}

/// A quotation mark that is not escaped stands at the end.
fn begins_text(json: &[u8]) -> bool {
    json.ends_with(b"\"") && !json.ends_with(b"\\\"")
}

thread_local! {
    static KNOWN: RefCell<Vec<[Option<Known>; 2]>> = RefCell::new((0..REMEMBERED).map(|_| [None, None]).collect());
}

/// A rule has few ways of telling.
fn place(finding: &Finding, language: Language) -> usize {
    let rule = std::ptr::from_ref(finding.rule).addr() as u64;
    let ways = [
        (finding.values.len() as u64, 8),
        (u64::from(finding.root_cause), 2),
        (u64::from(finding.because_of.is_some()), 2),
        (finding.severity as u64, 8),
        (finding.confidence as u64, 8),
        (language as u64, 2),
    ];
    let way = ways.into_iter().fold(0, |way, (one, of)| way * of + one);
    // Statics lie at regular distances: a product spreads them.
    let spread = (rule ^ way << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    spread as usize % REMEMBERED
}

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.record().serialize(serializer)
    }
}

schema_like!(Told<'a> is FindingRecord<'static>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured::Captured;
    use crate::diagnosis::{Confidence, Evidence, Note, Severity};
    use crate::session::Stage;
    use crate::span::Stamp;

    fn written(value: &impl ToJson) -> String {
        let mut json = Vec::new();
        value.append(&mut json);
        String::from_utf8(json).unwrap()
    }

    /// A rule's finding with a value for everything that its sentences speak of.
    fn findings() -> Vec<Finding> {
        let values = [
            Value::Captured(Captured::from(",\"evidence\":[{\"")),
            Value::Captured(Captured::from("plain")),
            Value::from("TLS 1.2"),
            Value::Number(7),
            Value::Duration(std::time::Duration::from_millis(1_200)),
            Value::List(vec![Value::Number(1), Value::Phrase("client")]),
            Value::Note(Note::of("SYN")),
            // At the beginning of a sentence these take white space away, or leave it.
            Value::from(""),
            Value::from(" \t x \u{1}0\u{1}"),
            Value::Captured(Captured::new(b"\x01\"\xff\\")),
        ];
        let mut findings = Vec::new();
        for rule in crate::diagnosis::rules::all().take(40) {
            let names = crate::text::Explanation::of(rule, Language::English).names();
            for value in &values {
                let proof = Evidence::frame(Stamp::default(), None, &Captured::from(",\"references\":[]"));
                let mut finding = Finding::of(rule, Stage::Hello, proof);
                finding.values = names.iter().map(|name| (*name, value.clone())).collect();
                findings.push(finding.clone());
                findings.push(finding.clone().as_sure_as(Confidence::Possible));
                findings.push(finding.clone().as_severity(Severity::Note));
                findings.push(Finding {
                    root_cause: true,
                    ..finding.clone()
                });
                findings.push(Finding {
                    because_of: Some("tcp-syn-no-answer"),
                    ..finding.clone()
                });
                findings.push(Finding {
                    provider: crate::diagnosis::providers::texts().next(),
                    ..finding.clone()
                });
                // The same number of values, and other sentences.
                if let [(name, _), ..] = &mut *finding.values {
                    let known = std::mem::replace(name, "other");
                    findings.push(finding.clone());
                    finding.values[0].0 = known;
                }
                finding.evidence.push(Evidence::frame(Stamp::default(), None, "SYN"));
                findings.push(finding);
            }
        }
        findings
    }

    #[test]
    fn what_is_remembered_is_what_the_record_says() {
        let findings = findings();
        for round in 0..2 {
            for finding in &findings {
                for language in Language::ALL {
                    let form = Form { language, digits: 6 };
                    let told = Told { finding, form };
                    for _ in 0..2 {
                        assert_eq!(written(&told), written(&told.record()), "in round {round}: {finding:?}");
                    }
                }
            }
        }
    }
}
