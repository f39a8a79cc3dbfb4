//! What a rule says when it fires: which rule, how sure, on what evidence, with which values for its texts.

use std::borrow::Cow;
use std::time::Duration;

use crate::captured::Captured;
use crate::diagnosis::providers::ProviderText;
use crate::diagnosis::rule::Rule;
use crate::packet::IcmpError;
use crate::protocol::retrieval::{Answer, Command};
use crate::protocol::smtp::{Exchange, Reply};
use crate::protocol::tls::{self, Alert, AlertLevel, ClientHello, ServerHello};
use crate::session::{SessionId, Stage};
use crate::span::{Direction, Span, Stamp};
use crate::time::Timestamp;

/// What happened to the mail.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Healthy; suppresses alarms.
    Ok,
    /// What the capture cannot tell.
    Limit,
    /// Worth saying.
    Note,
    /// Works, but exposed or about to break.
    Risk,
    /// A session or a mail failed.
    Fail,
}

/// How sure a finding is (catalogue, section 5); greater is surer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Confidence {
    /// Not observable.
    Unknown,
    /// Judged by sizes or timing of encrypted data only. Never raised.
    Inferred,
    /// One of several explanations.
    Possible,
    /// Clear facts, cause inferred, no competing explanation left.
    Likely,
    /// The wire says it in clear.
    Confirmed,
}

impl Confidence {
    /// One step more modest; stops at [`Confidence::Possible`], since a lack of packets never makes content encrypted.
    #[must_use]
    pub const fn lowered(self) -> Self {
        match self {
            Self::Confirmed => Self::Likely,
            Self::Likely | Self::Possible => Self::Possible,
            Self::Inferred => Self::Inferred,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// A value for a `{name}` in a rule's texts; rendered in the reader's language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// Text from the wire: shown through a sink encoder.
    Captured(Captured),
    /// A name from a registry or a number written out; the same in every language ("TLS 1.2", "protocol_version").
    Name(Cow<'static, str>),
    /// A count, an octet count or a code.
    Number(u64),
    /// A time span.
    Duration(Duration),
    /// A point in time.
    Time(Timestamp),
    /// A phrase of the catalogue, by its key (see `text/phrases`): "client", "before_tls".
    Phrase(&'static str),
    /// A rule, by its slug: its title in the reader's language.
    Rule(&'static str),
    /// A note of the catalogue inside of another sentence.
    Note(Note),
    /// Several, shown with commas.
    List(Vec<Value>),
}

impl From<SessionId> for Value {
    /// As it is: the number is there to be typed again.
    fn from(id: SessionId) -> Self {
        Self::Name(id.0.to_string().into())
    }
}

impl From<Note> for Value {
    fn from(note: Note) -> Self {
        Self::Note(note)
    }
}
impl From<&Captured> for Value {
    fn from(text: &Captured) -> Self {
        Self::Captured(text.clone())
    }
}
impl From<&'static str> for Value {
    fn from(name: &'static str) -> Self {
        Self::Name(name.into())
    }
}
impl From<String> for Value {
    fn from(name: String) -> Self {
        Self::Name(name.into())
    }
}
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}
impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(u64::from(number))
    }
}
impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Number(u64::from(number))
    }
}
impl From<u8> for Value {
    fn from(number: u8) -> Self {
        Self::Number(u64::from(number))
    }
}
impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(number as u64)
    }
}
impl From<Duration> for Value {
    fn from(duration: Duration) -> Self {
        Self::Duration(duration)
    }
}
impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}
impl From<tls::Version> for Value {
    fn from(version: tls::Version) -> Self {
        Self::Name(version.to_string().into())
    }
}
impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

/// One piece of proof: where, who, and what was there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evidence {
    /// First frame.
    pub first: Stamp,
    /// Last frame; the same for a single one.
    pub last: Stamp,
    /// Who sent it; `None` for what is not one side's (an ICMP error, a silence).
    pub direction: Option<Direction>,
    /// The bytes or what they say, in the protocol's own words, the same in every language; empty where a note stands.
    pub quotation: Captured,
    /// What was there, in the catalogue's words, where no quotation says it.
    pub note: Option<Note>,
}

impl Evidence {
    /// A quotation with its span.
    #[must_use]
    pub fn quote(span: &Span, quotation: impl Into<Quotation>) -> Self {
        let (quotation, note) = quotation.into().parts();
        Self {
            first: span.first,
            last: span.last,
            direction: Some(span.direction),
            quotation,
            note,
        }
    }

    /// Where a secret crossed; it is not quoted.
    #[must_use]
    pub fn secret(span: &Span) -> Self {
        Self::quote(span, &Captured::from(crate::secret::MASK))
    }

    /// A single frame.
    #[must_use]
    pub fn frame(stamp: Stamp, direction: Option<Direction>, quotation: impl Into<Quotation>) -> Self {
        let (quotation, note) = quotation.into().parts();
        Self {
            first: stamp,
            last: stamp,
            direction,
            quotation,
            note,
        }
    }

    /// A reply: code and first line (of a multi-line EHLO reply, nothing more).
    #[must_use]
    pub fn reply(reply: &Reply) -> Self {
        Self::quote(&reply.span.get(), Quotation::Words(words(reply)))
    }

    /// A command line, credentials masked.
    #[must_use]
    pub fn command(exchange: &Exchange) -> Self {
        Self::quote(&exchange.command.get(), &exchange.line)
    }

    /// A POP3 or IMAP command line, credentials masked.
    #[must_use]
    pub fn retrieval(command: &Command) -> Self {
        Self::quote(&command.span, &command.line)
    }

    /// A POP3 or IMAP answer.
    #[must_use]
    pub fn answer(command: &Command, answer: &Answer) -> Self {
        use crate::protocol::retrieval::Status;
        let status = match (answer.status, &command.tag) {
            (Status::Ok, None) => "+OK",
            (_, None) => "-ERR",
            (Status::Ok, Some(_)) => "OK",
            (Status::No, Some(_)) => "NO",
            (Status::Bad, Some(_)) => "BAD",
        };
        let mut text = status.as_bytes().to_vec();
        if let Some(code) = &answer.code {
            text.extend_from_slice(b" [");
            text.extend_from_slice(code.bytes());
            text.push(b']');
        }
        text.push(b' ');
        text.extend_from_slice(answer.text.bytes());
        Self::quote(&answer.span, &Captured::new(&text))
    }

    /// An alert in clear, with number and registered name.
    #[must_use]
    pub fn alert(alert: &Alert) -> Self {
        let note = match (alert.level, alert.decrypted) {
            (AlertLevel::Fatal, false) => Note::of("Alert (fatal) {number} {name}"),
            (AlertLevel::Fatal, true) => Note::of("Alert (fatal) {number} {name}, decrypted"),
            (AlertLevel::Warning, false) => Note::of("Alert (warning) {number} {name}"),
            (AlertLevel::Warning, true) => Note::of("Alert (warning) {number} {name}, decrypted"),
            (AlertLevel::Other(level), false) => Note::of("Alert (level {level}) {number} {name}").with("level", level),
            (AlertLevel::Other(level), true) => {
                Note::of("Alert (level {level}) {number} {name}, decrypted").with("level", level)
            }
        };
        let note = note.with("number", alert.description);
        Self::quote(
            &alert.span,
            match tls::alert_name(alert.description) {
                Some(name) => note.with("name", name),
                None => note.with("name", Value::Phrase("unassigned")),
            },
        )
    }

    /// A ClientHello with the versions that it offers.
    #[must_use]
    pub fn client_hello(hello: &ClientHello) -> Self {
        Self::quote(
            &hello.span,
            Note::of("ClientHello, at most {version}").with("version", hello.maximum()),
        )
    }

    /// A ServerHello with version and suite.
    #[must_use]
    pub fn server_hello(hello: &ServerHello) -> Self {
        let suite = tls::cipher_suite_name(hello.cipher_suite)
            .map_or_else(|| format!("0x{:04x}", hello.cipher_suite), str::to_owned);
        Self::quote(
            &hello.span,
            Note::of("ServerHello {version} {suite}")
                .with("version", hello.version)
                .with("suite", suite),
        )
    }

    /// An ICMP error.
    #[must_use]
    pub fn icmp(error: &IcmpError) -> Self {
        let version = if error.version6 { "ICMPv6" } else { "ICMP" };
        Self::frame(
            error.stamp,
            None,
            Note::of("{version} {kind}/{code} from {reporter}")
                .with("version", version)
                .with("kind", error.kind)
                .with("code", error.code)
                .with("reporter", error.reporter.to_string()),
        )
    }
}

/// A reply's code and its first line.
pub(super) fn words(reply: &Reply) -> Captured {
    let mut digits = itoa::Buffer::new();
    let code = digits.format(reply.code).as_bytes();
    let Some(line) = reply.lines.first().map(Captured::bytes) else {
        return Captured::new(code);
    };
    let length = code.len() + 1 + line.len();
    let mut room = [b' '; USUAL];
    match room.get_mut(..length) {
        Some(text) => {
            text[..code.len()].copy_from_slice(code);
            text[code.len() + 1..].copy_from_slice(line);
            Captured::new(text)
        }
        None => Captured::new(&[code, b" ", line].concat()),
    }
}

/// Octets of a reply's line that is put together without memory of its own; most have half of that.
const USUAL: usize = 128;

/// What stands beside a piece of proof where no quotation does: a sentence of the catalogue (`text/notes`), named by its
/// English template, and the values for its `{names}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// The English template: the key of the catalogue.
    pub template: &'static str,
    /// Values by name.
    pub values: Vec<(&'static str, Value)>,
}

impl Note {
    /// A note without values yet.
    #[must_use]
    pub const fn of(template: &'static str) -> Self {
        Self {
            template,
            values: Vec::new(),
        }
    }

    /// Adds a value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.values.push((name, value.into()));
        self
    }
}

/// What a piece of proof shows: octets of the capture, or a note of the catalogue. Not made from a `String`, so that no
/// rule can put words of one language there.
pub enum Quotation {
    /// From the wire.
    Words(Captured),
    /// From the catalogue.
    Note(Note),
}

impl Quotation {
    fn parts(self) -> (Captured, Option<Note>) {
        match self {
            Self::Words(words) => (words, None),
            Self::Note(note) => (Captured::default(), Some(note)),
        }
    }
}

impl From<&Captured> for Quotation {
    fn from(text: &Captured) -> Self {
        Self::Words(text.clone())
    }
}
impl From<Note> for Quotation {
    fn from(note: Note) -> Self {
        Self::Note(note)
    }
}
impl From<&'static str> for Quotation {
    fn from(template: &'static str) -> Self {
        Self::Note(Note::of(template))
    }
}

/// A rule that fired.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// Which rule.
    pub rule: &'static Rule,
    /// The rule's severity, or the one this case was raised or lowered to.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// Stage of the session at which it was decided.
    pub stage: Stage,
    /// Values for the texts, by name.
    pub values: Vec<(&'static str, Value)>,
    /// Proof; the first is the decisive one. Never empty.
    pub evidence: Vec<Evidence>,
    /// What the server's provider is known to mean by its words.
    pub provider: Option<&'static ProviderText>,
    /// It is the one root cause of its session.
    pub root_cause: bool,
    /// A consequence of this other finding of the same session, or part of this other insight.
    pub because_of: Option<&'static str>,
}

impl Finding {
    /// A finding of a rule with its default severity and confidence. `decisive` is the frame that decided.
    #[must_use]
    pub fn of(rule: &'static Rule, stage: Stage, decisive: Evidence) -> Self {
        // Most have a second one.
        let mut evidence = Vec::with_capacity(2);
        evidence.push(decisive);
        Self {
            rule,
            severity: rule.severity,
            confidence: rule.confidence,
            stage,
            values: Vec::new(),
            evidence,
            provider: None,
            root_cause: false,
            because_of: None,
        }
    }

    /// Adds a value for the texts.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.values.push((name, value.into()));
        self
    }

    /// Adds a value where there is one.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds proof behind the decisive one.
    #[must_use]
    pub fn and(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }

    /// Adds proof where there is some.
    #[must_use]
    pub fn and_some(self, evidence: Option<Evidence>) -> Self {
        match evidence {
            Some(evidence) => self.and(evidence),
            None => self,
        }
    }

    /// The value of this name, the first.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Another severity than the rule's.
    #[must_use]
    pub fn as_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Another confidence than the rule's.
    #[must_use]
    pub fn as_sure_as(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// The frame that decided.
    #[must_use]
    pub fn decisive(&self) -> Option<Stamp> {
        self.evidence.first().map(|evidence| evidence.first)
    }
}
