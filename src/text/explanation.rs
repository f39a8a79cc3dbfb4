//! Reads a rule's `explain.en.md` or `explain.ja.md` and fills its sentences with a finding's values.
//!
//! The file is documentation and text catalog at once:
//!
//! ```text
//! # Title, without values
//! ## Meaning                  (意味)      what it means and why it happens, for `smtpcap explain`; no values
//! ## What happened            (起きたこと)  alternatives; the first line whose values are all there is shown
//! ## Why                      (理由)      every line whose values are all there is shown, at most three
//! ## What to do               (対処)      "- client: …"; every line whose values are all there, at most three
//! ## How to be sure           (確かめ方)   shown where the finding is not confirmed
//! ```
//!
//! A line starts with "- ". `{name}` is a value. `{?name}` and `{!name}` at its start show it only where that value is
//! there, or is not.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{LazyLock, RwLock};

use crate::diagnosis::{Actor, Rule, Value};
use crate::text::Language;

/// The parsed file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation<'a> {
    /// The title.
    pub title: &'a str,
    /// Paragraphs of "Meaning".
    pub meaning: Vec<&'a str>,
    /// Lines of "What happened".
    pub what: Vec<&'a str>,
    /// Lines of "Why".
    pub why: Vec<&'a str>,
    /// Lines of "What to do".
    pub remedies: Vec<(Actor, &'a str)>,
    /// Lines of "How to be sure".
    pub certainty: Vec<&'a str>,
    /// What could not be read; a test wants it empty.
    pub defects: Vec<String>,
}

/// Most lines of one kind that a reader is shown.
pub const SHOWN_LINES: usize = 3;

/// The files read so far: two for every rule at most, kept to the end of the process.
static READ: LazyLock<RwLock<Read>> = LazyLock::new(RwLock::default);

type Read = HashMap<(&'static str, Language), &'static Explanation<'static>, foldhash::fast::RandomState>;

impl<'a> Explanation<'a> {
    /// The explanation of a rule in a language; its file is read once.
    #[must_use]
    pub fn of(rule: &'static Rule, language: Language) -> &'static Explanation<'static> {
        let key = (rule.slug, language);
        let known = READ.read().ok().and_then(|read| read.get(&key).copied());
        known.unwrap_or_else(|| {
            let parsed: &'static Explanation<'static> = Box::leak(Box::new(Explanation::parse(match language {
                Language::English => rule.texts.english,
                Language::Japanese => rule.texts.japanese,
            })));
            READ.write()
                .map_or(parsed, |mut read| *read.entry(key).or_insert(parsed))
        })
    }

    /// Reads a file.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let mut parsed = Self::default();
        let mut section = "";
        for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
            if let Some(title) = line.strip_prefix("# ") {
                parsed.title = title;
            } else if let Some(name) = line.strip_prefix("## ") {
                section = name;
            } else {
                parsed.add(section, line);
            }
        }
        parsed
    }

    fn add(&mut self, section: &str, line: &'a str) {
        let item = line.strip_prefix("- ");
        match (section, item) {
            ("Meaning" | "意味", _) => self.meaning.push(item.unwrap_or(line)),
            ("What happened" | "起きたこと", Some(item)) => self.what.push(item),
            ("Why" | "理由", Some(item)) => self.why.push(item),
            ("What to do" | "対処", Some(item)) => match remedy(item) {
                Some(remedy) => self.remedies.push(remedy),
                None => self.defects.push(format!("no actor: {item}")),
            },
            ("How to be sure" | "確かめ方", Some(item)) => self.certainty.push(item),
            _ => self.defects.push(format!("in {section:?}: {line}")),
        }
    }

    /// Every name that its sentences use, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&'a str> {
        let lines = self.what.iter().chain(&self.why).chain(&self.certainty).copied();
        let mut names: Vec<&str> = lines
            .chain(self.remedies.iter().map(|(_, text)| *text))
            .flat_map(names_of)
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

fn remedy(item: &str) -> Option<(Actor, &str)> {
    let (actor, text) = item.split_once(": ")?;
    let actor = match actor {
        "client" => Actor::Client,
        "server" => Actor::Server,
        "network" => Actor::Network,
        "capture" => Actor::Capture,
        _ => return None,
    };
    Some((actor, text))
}

fn names_of(line: &str) -> Vec<&str> {
    line.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name.trim_start_matches(['?', '!']))
        .collect()
}

/// One line with its values, or `None` where a value that it needs is missing or its condition does not hold.
#[must_use]
pub fn fill<'t>(
    line: &'t str,
    values: &[(&'static str, Value)],
    show: &dyn Fn(&Value) -> String,
) -> Option<Cow<'t, str>> {
    let value_of = |name: &str| values.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
    // Conditions stand at the beginning: most lines of a file fail there, and the rest of many has no value.
    let mut filled = String::new();
    let mut rest = line;
    while let Some(at) = memchr::memchr(b'{', rest.as_bytes()) {
        let (before, behind) = (rest.get(..at)?, rest.get(at + 1..)?);
        append(&mut filled, before, line);
        let end = memchr::memchr(b'}', behind.as_bytes())?;
        let (name, after) = (behind.get(..end)?, behind.get(end + 1..)?);
        if let Some(name) = name.strip_prefix('?') {
            value_of(name)?;
        } else if let Some(name) = name.strip_prefix('!') {
            if value_of(name).is_some() {
                return None;
            }
        } else {
            append(&mut filled, &show(value_of(name)?), line);
        }
        rest = after;
    }
    if filled.is_empty() {
        return Some(rest.trim_start().into());
    }
    append(&mut filled, rest, line);
    Some(filled.into())
}

/// Appends to a sentence that is made from `line`; white space never begins it.
fn append(filled: &mut String, text: &str, line: &str) {
    let text = if filled.is_empty() { text.trim_start() } else { text };
    if filled.is_empty() && !text.is_empty() {
        filled.reserve(line.len() + 32);
    }
    filled.push_str(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(value: &Value) -> String {
        match value {
            Value::Name(name) => name.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_line_without_its_value_is_left_out() {
        assert_eq!(fill("offers {max}", &[], &show), None);
        assert_eq!(
            fill("offers {max}", &[("max", "TLS 1.0".into())], &show).as_deref(),
            Some("offers TLS 1.0")
        );
    }

    #[test]
    fn conditions_hold_or_hide_a_line() {
        let values = [("max", Value::from("TLS 1.0"))];
        assert_eq!(fill("{?max} yes", &values, &show).as_deref(), Some("yes"));
        assert_eq!(fill("{!max} yes", &values, &show), None);
        assert_eq!(fill("{!other} yes", &values, &show).as_deref(), Some("yes"));
    }

    #[test]
    fn a_remedy_without_an_actor_is_a_defect() {
        let parsed = Explanation::parse("# T\n## What to do\n- do it\n- client: do that\n");
        assert_eq!(parsed.remedies, vec![(Actor::Client, "do that")]);
        assert_eq!(parsed.defects.len(), 1);
    }
}
