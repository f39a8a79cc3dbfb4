//! Registries as data: enhanced status codes, TLS alerts, authentication mechanisms, each with its meaning in English and
//! Japanese. Tab-separated, one header line, no quoting (a `"` is a `"`), `-` means none. Read where they are needed; nothing
//! is parsed at start-up.

use std::collections::HashMap;
use std::sync::LazyLock;

use foldhash::quality::FixedState;

use crate::text::Language;

/// A table: the first line names the columns.
#[derive(Clone, Copy, Debug)]
pub struct Registry(&'static str);

/// Enhanced status codes (RFC 3463, IANA), and what vendors mean by them.
pub const ENHANCED_STATUS: Registry = Registry(include_str!("enhanced-status.tsv"));
/// TLS alerts (IANA).
pub const TLS_ALERTS: Registry = Registry(include_str!("tls-alerts.tsv"));
/// Authentication mechanisms.
pub const AUTH_MECHANISMS: Registry = Registry(include_str!("auth-mechanisms.tsv"));

/// SMTP reply codes (RFC 5321 and its extensions), sorted.
pub const REPLY_CODES: Registry = Registry(include_str!("reply-codes.tsv"));
/// EHLO keywords (IANA mail service extensions, and those seen in the field), sorted.
pub const EHLO_KEYWORDS: Registry = Registry(include_str!("ehlo-keywords.tsv"));
/// POP3 and IMAP response codes, sorted.
pub const RESPONSE_CODES: Registry = Registry(include_str!("response-codes.tsv"));

/// One row of a table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    header: &'static str,
    line: &'static str,
}

impl Row {
    /// The field of a column; `None` where the column is unknown, empty or "-".
    #[must_use]
    pub fn field(&self, column: &str) -> Option<&'static str> {
        let position = self.header.split('\t').position(|name| name == column)?;
        self.line
            .split('\t')
            .nth(position)
            .filter(|field| !field.is_empty() && *field != "-")
    }

    /// The field of a column that exists in both languages: `name_en`, `name_ja`.
    #[must_use]
    pub fn in_language(&self, column: &str, language: Language) -> Option<&'static str> {
        self.field(&format!("{column}_{}", language.code()))
    }

    /// The first column.
    #[must_use]
    pub fn key(&self) -> &'static str {
        self.line.split('\t').next().unwrap_or_default()
    }
}

impl Registry {
    /// All rows in the table's order.
    pub fn rows(self) -> impl Iterator<Item = Row> {
        let mut lines = self.0.lines();
        let header = lines.next().unwrap_or_default();
        lines
            .filter(|line| !line.is_empty())
            .map(move |line| Row { header, line })
    }

    /// The first row whose first column is `key`, ASCII case ignored.
    #[must_use]
    pub fn row(self, key: &str) -> Option<Row> {
        self.rows().find(|row| row.key().eq_ignore_ascii_case(key))
    }
}

/// Class (`None` for X), subject and detail of a row of [`ENHANCED_STATUS`].
type StatusKey = (Option<u8>, u16, u16);

/// What [`ENHANCED_STATUS`] says of a code.
struct StatusMeaning {
    /// The classes it stands for; `None`: all.
    classes: Option<Vec<u8>>,
    english: Option<&'static str>,
    japanese: Option<&'static str>,
}

/// [`ENHANCED_STATUS`], read once: a report asks for every reply of every session.
static STATUS_MEANINGS: LazyLock<HashMap<StatusKey, StatusMeaning, FixedState>> = LazyLock::new(|| {
    let mut meanings = HashMap::default();
    for row in ENHANCED_STATUS.rows() {
        if let Some(key) = status_key(row.key()) {
            meanings.entry(key).or_insert_with(|| StatusMeaning {
                classes: row
                    .field("classes")
                    .map(|classes| classes.split(',').filter_map(|one| one.parse().ok()).collect()),
                english: row.in_language("meaning", Language::English),
                japanese: row.in_language("meaning", Language::Japanese),
            });
        }
    }
    meanings
});

fn status_key(key: &str) -> Option<StatusKey> {
    let mut parts = key.split('.');
    let class = match parts.next()? {
        "X" | "x" => None,
        class => Some(class.parse().ok()?),
    };
    Some((class, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// What an enhanced status code means; subject and detail decide, for the classes that the table allows.
#[must_use]
pub fn enhanced_status_meaning((class, subject, detail): (u8, u16, u16), language: Language) -> Option<&'static str> {
    let any_class = || {
        let meaning = STATUS_MEANINGS.get(&(None, subject, detail))?;
        let allowed = meaning.classes.as_ref().is_none_or(|classes| classes.contains(&class));
        allowed.then_some(meaning)
    };
    let meaning = STATUS_MEANINGS
        .get(&(Some(class), subject, detail))
        .or_else(any_class)?;
    match language {
        Language::English => meaning.english,
        Language::Japanese => meaning.japanese,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_every_field_and_both_languages() {
        for (registry, columns) in [
            (ENHANCED_STATUS, ["meaning"]),
            (TLS_ALERTS, ["meaning"]),
            (AUTH_MECHANISMS, ["note"]),
        ] {
            for row in registry.rows() {
                assert_eq!(
                    row.line.split('\t').count(),
                    row.header.split('\t').count(),
                    "{}",
                    row.key()
                );
                for column in columns {
                    for language in Language::ALL {
                        assert!(row.in_language(column, language).is_some(), "{} {column}", row.key());
                    }
                }
            }
        }
    }

    #[test]
    fn codes_and_keywords_are_sorted_and_unique() {
        for registry in [REPLY_CODES, EHLO_KEYWORDS, RESPONSE_CODES] {
            let keys: Vec<_> = registry.rows().map(|row| row.key()).collect();
            assert!(keys.is_sorted_by(|one, next| one < next), "{keys:?}");
        }
    }

    #[test]
    fn alerts_are_sorted_by_number_and_codes_by_subject_and_detail() {
        let numbers: Vec<u8> = TLS_ALERTS.rows().map(|row| row.key().parse().unwrap()).collect();
        assert!(numbers.is_sorted_by(|one, next| one < next));
        let codes: Vec<(u16, u16)> = ENHANCED_STATUS
            .rows()
            .filter(|row| row.field("kind") == Some("standard"))
            .map(|row| {
                let mut parts = row.key().split('.').skip(1).map(|part| part.parse().unwrap());
                (parts.next().unwrap(), parts.next().unwrap())
            })
            .collect();
        assert!(codes.is_sorted_by(|one, next| one < next));
    }

    #[test]
    fn a_code_is_explained_in_the_readers_language() {
        assert!(enhanced_status_meaning((5, 1, 1), Language::English).is_some());
        assert_ne!(
            enhanced_status_meaning((5, 1, 1), Language::English),
            enhanced_status_meaning((5, 1, 1), Language::Japanese)
        );
        assert_eq!(enhanced_status_meaning((2, 1, 10), Language::English), None);
    }
}
