//! Findings as a session's record holds them. A thousand sessions fail in the same way, and all of a finding but its proof
//! is sentences with the same values: what came last is remembered as JSON, in each thread, and copied. Nothing but time
//! depends on that; a test holds it against the plain record.

use std::borrow::Cow;
use std::cell::RefCell;
use std::hash::{BuildHasher, Hash, Hasher};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::diagnosis::{Finding, Value};
use crate::render::json::convert::Form;
use crate::render::json::finding::{EvidenceRecord, FindingRecord};
use crate::render::json::replied::schema_like;
use crate::render::json::writer::{ToJson, list};
use crate::text::Language;

/// Findings remembered in each thread.
const REMEMBERED: usize = 128;
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
    pub fn record(&self) -> FindingRecord {
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
        KNOWN.with_borrow_mut(|known| {
            let Some(known) = known.get_mut(place(self.finding, self.form.language)) else {
                return self.record().append(json);
            };
            match known {
                Some(known) if known.is_of(self.finding, self.form.language) => {
                    json.extend_from_slice(&known.head);
                    self.append_evidence(json);
                    json.extend_from_slice(&known.behind);
                }
                _ => {
                    let start = json.len();
                    self.record().append(json);
                    let record = json.get(start..).unwrap_or_default();
                    *known = Known::of(self.finding, self.form.language, record);
                }
            }
        });
    }
}

/// Before and behind the proof. In a text the quotation marks would be escaped.
const EVIDENCE: &[u8] = b",\"evidence\":";
const REFERENCES: &[u8] = b",\"references\":";

/// A finding as JSON, without its proof.
struct Known {
    /// The finding without its proof.
    finding: Finding,
    language: Language,
    head: Vec<u8>,
    behind: Vec<u8>,
}

impl Known {
    /// A finding of which this is the record; `None` where it is too long.
    fn of(finding: &Finding, language: Language, record: &[u8]) -> Option<Self> {
        let end = memchr::memmem::find(record, EVIDENCE)?;
        let begin = memchr::memmem::rfind(record, REFERENCES)?;
        let (head, behind) = (record.get(..end)?, record.get(begin..)?);
        (head.len() + behind.len() <= LONGEST).then(|| Self {
            finding: Finding {
                values: finding.values.clone(),
                evidence: Vec::new(),
                ..*finding
            },
            language,
            head: head.to_vec(),
            behind: behind.to_vec(),
        })
    }

    /// Everything is the same of which a record without its proof is made.
    fn is_of(&self, finding: &Finding, language: Language) -> bool {
        let known = &self.finding;
        let provider = |finding: &Finding| finding.provider.map(std::ptr::from_ref);
        self.language == language
            && std::ptr::eq(known.rule, finding.rule)
            && known.severity == finding.severity
            && known.confidence == finding.confidence
            && known.root_cause == finding.root_cause
            && known.because_of == finding.because_of
            && provider(known) == provider(finding)
            && known.values == finding.values
    }
}

thread_local! {
    static KNOWN: RefCell<Vec<Option<Known>>> = RefCell::new((0..REMEMBERED).map(|_| None).collect());
}

fn place(finding: &Finding, language: Language) -> usize {
    let mut hasher = foldhash::fast::FixedState::default().build_hasher();
    hasher.write_usize(std::ptr::from_ref(finding.rule).addr());
    language.hash(&mut hasher);
    for (_, value) in &finding.values {
        hash(value, &mut hasher);
    }
    hasher.finish() as usize % REMEMBERED
}

/// Values that differ in other things share a place.
fn hash(value: &Value, hasher: &mut impl Hasher) {
    match value {
        Value::Captured(text) => hasher.write(text.bytes()),
        Value::Name(name) => hasher.write(name.as_bytes()),
        Value::Number(number) => hasher.write_u64(*number),
        Value::Duration(duration) => duration.hash(hasher),
        Value::Time(time) => time.hash(hasher),
        Value::Phrase(key) | Value::Rule(key) => hasher.write_usize(key.as_ptr().addr()),
        Value::Note(note) => hasher.write_usize(note.template.as_ptr().addr()),
        Value::List(values) => hasher.write_usize(values.len()),
    }
}

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.record().serialize(serializer)
    }
}

schema_like!(Told is FindingRecord);

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
            Value::Name("TLS 1.2".to_owned()),
            Value::Number(7),
            Value::Duration(std::time::Duration::from_millis(1_200)),
            Value::List(vec![Value::Number(1), Value::Phrase("client")]),
            Value::Note(Note::of("SYN")),
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
