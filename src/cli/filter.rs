//! `--filter`: which sessions a report shows.

use crate::diagnosis::{Finding, Severity};
use crate::render::encode;
use crate::render::json::words;
use crate::session::Session;
use crate::text::{Language, Message};

/// One `key=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    Client(String),
    Server(String),
    Service(String),
    Outcome(String),
    Severity(Severity),
    Finding(String),
}

/// Alternatives of conditions that must all hold. Empty: every session matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    alternatives: Vec<Vec<Condition>>,
}

/// Words that `--filter` knows.
pub const KEYS: &str = "client, server, service, outcome, severity, finding";

impl Filter {
    /// Reads the flags: a comma means "and", a further flag "or".
    ///
    /// # Errors
    /// The first part that is no `key=value` with a known key, and what was expected, as a sentence in `language`.
    pub fn parse(flags: &[String], language: Language) -> Result<Self, String> {
        let alternatives = flags
            .iter()
            .map(|flag| {
                flag.split(',')
                    .map(|part| condition(part, language))
                    .collect::<Result<Vec<_>, _>>()
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { alternatives })
    }

    /// True where the session is to be shown.
    #[must_use]
    pub fn matches(&self, session: &Session, findings: &[Finding]) -> bool {
        self.alternatives.is_empty()
            || self
                .alternatives
                .iter()
                .any(|all| all.iter().all(|one| one.holds(session, findings)))
    }
}

fn condition(text: &str, language: Language) -> Result<Condition, String> {
    let expected = |text: &str, expected: &str| {
        let text = encode::terminal(text.as_bytes()).into_owned();
        Message::FilterExpected.say(language, &[("text", &text), ("expected", expected)])
    };
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| expected(text, &format!("key=value ({KEYS})")))?;
    let value = value.trim().to_ascii_lowercase();
    Ok(match key.trim() {
        "client" => Condition::Client(value),
        "server" => Condition::Server(value),
        "service" => Condition::Service(value),
        "outcome" => Condition::Outcome(value),
        "finding" => Condition::Finding(value),
        "severity" => Condition::Severity(match value.as_str() {
            "fail" => Severity::Fail,
            "risk" => Severity::Risk,
            "note" => Severity::Note,
            "limit" => Severity::Limit,
            "ok" => Severity::Ok,
            other => return Err(expected(other, "fail, risk, note, limit, ok")),
        }),
        other => return Err(expected(other, KEYS)),
    })
}

impl Condition {
    fn holds(&self, session: &Session, findings: &[Finding]) -> bool {
        match self {
            Self::Client(text) => endpoint(&session.connection.client, text),
            Self::Server(text) => endpoint(&session.connection.server, text),
            Self::Service(text) => words::service(session.service) == text,
            Self::Outcome(text) => words::outcome(session.outcome) == text,
            Self::Severity(severity) => findings.iter().any(|finding| finding.severity == *severity),
            Self::Finding(text) => findings.iter().any(|finding| {
                finding.rule.slug == text
                    || (text.ends_with('*') && finding.rule.slug.starts_with(text.trim_end_matches('*')))
            }),
        }
    }
}

/// An address, an address with its port, or a port with a colon before it.
fn endpoint(endpoint: &crate::packet::Endpoint, text: &str) -> bool {
    let full = endpoint.to_string();
    full == text
        || endpoint.address.to_string() == text
        || text
            .strip_prefix(':')
            .is_some_and(|port| endpoint.port.to_string() == port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_says_what_it_expected() {
        assert!(
            Filter::parse(&["colour=red".to_owned()], Language::English)
                .unwrap_err()
                .contains("client, server")
        );
        assert!(
            Filter::parse(&["severity=bad".to_owned()], Language::Japanese)
                .unwrap_err()
                .contains("のいずれか: fail, risk")
        );
        assert!(
            Filter::parse(&["client".to_owned()], Language::English)
                .unwrap_err()
                .contains("key=value")
        );
    }

    #[test]
    fn commas_are_and_and_flags_are_or() {
        let filter = Filter::parse(
            &["client=192.0.2.1,outcome=refused".to_owned(), "server=:25".to_owned()],
            Language::English,
        )
        .unwrap();
        assert_eq!(filter.alternatives.len(), 2);
        assert_eq!(filter.alternatives[0].len(), 2);
    }
}
