//! The two tables are whole. That each row leads where it says is played in `tests/providers.rs`.

use std::collections::BTreeSet;

use super::*;
use crate::diagnosis::rule;

fn column(table: &'static str, name: &str) -> Vec<&'static str> {
    rows(table).map(|row| row.text(name)).collect()
}

const TEXTS_TABLE: &str = include_str!("texts.tsv");
const PROVIDERS_TABLE: &str = include_str!("providers.tsv");

#[test]
fn both_tables_are_sorted_and_every_field_is_filled() {
    for (table, key) in [(TEXTS_TABLE, "key"), (PROVIDERS_TABLE, "id")] {
        let keys = column(table, key);
        assert!(keys.is_sorted_by(|one, next| one < next), "{keys:?}");
        let columns = table.lines().next().unwrap().split('\t').count();
        for line in table.lines() {
            let fields: Vec<_> = line.split('\t').collect();
            assert_eq!(fields.len(), columns, "{line}");
            assert!(fields.iter().all(|field| !field.trim().is_empty()), "{line}");
        }
    }
    assert_eq!(
        texts().count(),
        TEXTS_TABLE.lines().count() - 1,
        "a row has an unknown provider"
    );
}

#[test]
fn every_provider_has_texts_and_every_text_its_own_provider() {
    let used: BTreeSet<_> = texts().map(|text| text.provider.id).collect();
    let known: BTreeSet<_> = providers().map(|provider| provider.id).collect();
    assert_eq!(used, known);
    for text in texts() {
        assert!(text.key.starts_with(&format!("{}.", text.provider.id)), "{}", text.key);
        assert!(
            !text.needs_peer || !text.provider.hosts.is_empty(),
            "{}: no host to know it by",
            text.key
        );
    }
}

#[test]
fn every_field_is_read_in_full() {
    for row in rows(TEXTS_TABLE) {
        let key = row.text("key");
        assert!(matches!(row.text("peer"), "peer" | "any"), "{key}");
        let stages = row.list("stages");
        assert!(
            !stages.is_empty() && stages.iter().all(|stage| Place::parse(stage).is_some()),
            "{key}"
        );
        let codes = row.list("codes");
        assert!(
            !codes.is_empty() && codes.iter().all(|code| matches!(code.parse(), Ok(400..=599u16))),
            "{key}"
        );
        assert!(
            row.list("enhanced").iter().all(|code| Enhanced::parse(code).is_some()),
            "{key}"
        );
        let date: Vec<_> = row.text("date").split('-').collect();
        assert!(
            date.iter().all(|part| part.parse::<u16>().is_ok()) && date[0].len() == 4,
            "{key}"
        );
        let source = row.text("source");
        assert!(
            source.starts_with("https://") || source.starts_with("catalogue: "),
            "{key}: {source}"
        );
        if let Some(page) = row.given("page") {
            assert!(page.starts_with("https://"), "{key}: {page}");
        }
    }
}

#[test]
fn the_words_are_whole_words_in_small_letters_that_are_looked_up() {
    for row in rows(TEXTS_TABLE)
        .map(|row| row.text("words"))
        .chain(column(PROVIDERS_TABLE, "marks"))
    {
        for word in row
            .split([' ', '|', '*', '^'])
            .filter(|word| !word.is_empty() && *word != "-")
        {
            assert!(
                word.bytes()
                    .all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit()),
                "{word:?}"
            );
        }
    }
    for text in texts() {
        for word in text.words.keys() {
            let found = pattern::looked_up(&BY_WORD, word.to_ascii_uppercase().as_bytes());
            assert!(found.is_some_and(|texts| texts.contains(&text)), "{}: {word}", text.key);
        }
    }
}

#[test]
fn the_example_is_said_in_the_rows_own_words() {
    for text in texts() {
        let words = words_of(text.example.as_bytes());
        let (code, rest) = text.example.split_once(' ').unwrap();
        assert!(text.codes.fit(code.parse().unwrap()), "{}", text.key);
        let said = words_of(pattern::without_status(rest.as_bytes()));
        assert!(text.words.weight(&said).is_some(), "{}: {words:?}", text.key);
    }
}

#[test]
fn the_diagnosis_exists_and_speaks_of_what_is_refined() {
    for text in texts() {
        let rule = rule(text.meaning).unwrap_or_else(|| panic!("{}: {}", text.key, text.meaning));
        if let Some(name) = text.refines {
            for sentences in [rule.texts.english, rule.texts.japanese] {
                assert!(sentences.contains(&format!("{{?{name}}}")), "{}: {name}", text.key);
            }
        }
        assert_ne!(text.english, text.japanese, "{}", text.key);
    }
}

#[test]
fn the_status_code_of_every_line_is_no_word() {
    assert_eq!(pattern::without_status(b"5.7.26 Gmail requires"), b" Gmail requires");
    assert_eq!(pattern::without_status(b"192.0.2.1 is listed"), b"192.0.2.1 is listed");
    assert_eq!(pattern::without_status(b": User unknown"), b": User unknown");
}
