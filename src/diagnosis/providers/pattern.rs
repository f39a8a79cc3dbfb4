//! How a row's codes and words are held against a reply.

use std::collections::HashMap;

/// The weight of one word.
pub(super) const ONE_WORD: usize = 2;

/// Longest word that is looked up; longer ones are keys of no row.
const LONGEST_WORD: usize = 32;

/// Reply codes of a row; none means any.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Codes(Vec<u16>);

impl Codes {
    pub(super) fn parse(list: &[&str]) -> Self {
        Self(list.iter().filter_map(|code| code.parse().ok()).collect())
    }

    pub(super) fn fit(&self, code: u16) -> bool {
        self.0.is_empty() || self.0.contains(&code)
    }
}

/// An enhanced status code of a row: "X.7.26", "5.7.606-649".
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Enhanced {
    class: Option<u8>,
    subject: u16,
    details: (u16, u16),
}

impl Enhanced {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let class = match parts.next()? {
            "X" => None,
            class => Some(class.parse().ok()?),
        };
        let subject = parts.next()?.parse().ok()?;
        let details = parts.next().filter(|_| parts.next().is_none())?;
        let (from, to) = details.split_once('-').unwrap_or((details, details));
        Some(Self {
            class,
            subject,
            details: (from.parse().ok()?, to.parse().ok()?),
        })
    }

    /// Both stand for some code.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let class = self.class.is_none() || other.class.is_none() || self.class == other.class;
        let details = self.details.0 <= other.details.1 && other.details.0 <= self.details.1;
        class && self.subject == other.subject && details
    }

    pub(super) fn fits(&self, (class, subject, detail): (u8, u16, u16)) -> bool {
        self.class.is_none_or(|one| one == class)
            && self.subject == subject
            && (self.details.0..=self.details.1).contains(&detail)
    }
}

/// One way of saying it: runs of whole words, anything between two runs.
#[derive(Debug, PartialEq, Eq)]
struct Alternative {
    /// The first run stands at the text's begin.
    at_begin: bool,
    runs: Vec<Vec<&'static str>>,
}

impl Alternative {
    fn parse(text: &'static str) -> Self {
        let text = text.trim();
        let (at_begin, text) = text.strip_prefix('^').map_or((false, text), |rest| (true, rest));
        Self {
            at_begin,
            runs: text
                .split('*')
                .map(|run| run.split_ascii_whitespace().collect::<Vec<_>>())
                .filter(|run| !run.is_empty())
                .collect(),
        }
    }

    fn fits(&self, words: &[&[u8]]) -> bool {
        let mut rest = words;
        for (position, run) in self.runs.iter().enumerate() {
            let starts = |at: &usize| {
                let here = rest.get(*at..).unwrap_or_default();
                here.len() >= run.len() && run.iter().zip(here).all(|(one, word)| same(one, word))
            };
            let found = if position == 0 && self.at_begin {
                Some(0).filter(starts)
            } else {
                (0..rest.len()).find(starts)
            };
            let Some(at) = found else { return false };
            rest = rest.get(at + run.len()..).unwrap_or_default();
        }
        !self.runs.is_empty()
    }

    /// How much it asks for.
    fn weight(&self) -> usize {
        self.runs.iter().map(Vec::len).sum::<usize>() * 2 + usize::from(self.at_begin)
    }

    /// A word that it needs, the longest.
    fn key(&self) -> Option<&'static str> {
        self.runs.iter().flatten().copied().max_by_key(|word| word.len())
    }
}

/// The words of a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words(Vec<Alternative>);

impl Words {
    /// Reads "a b * c | d"; "-" is never said.
    pub(super) fn parse(text: &'static str) -> Self {
        let alternatives = text.split('|').filter(|one| one.trim() != "-");
        Self(alternatives.map(Alternative::parse).collect())
    }

    /// How much of the words is asked for by the alternative that fits best; `None` where none fits.
    pub(super) fn weight(&self, words: &[&[u8]]) -> Option<usize> {
        let fitting = self.0.iter().filter(|one| one.fits(words));
        fitting.map(Alternative::weight).max()
    }

    /// The alternatives of one word.
    pub(super) fn single(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter_map(|one| match one.runs.as_slice() {
            [run] => match run.as_slice() {
                [word] if !one.at_begin => Some(*word),
                _ => None,
            },
            _ => None,
        })
    }

    /// A word of each alternative.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter_map(Alternative::key)
    }
}

fn same(one: &str, word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(one.as_bytes())
}

/// One run of words stands in the other.
pub(super) fn contains(words: &[&[u8]], wanted: &[&[u8]]) -> bool {
    !wanted.is_empty()
        && words.windows(wanted.len()).any(|window| {
            window
                .iter()
                .zip(wanted)
                .all(|(one, other)| one.eq_ignore_ascii_case(other))
        })
}

/// Letters and digits in a row; everything else parts words.
#[must_use]
pub fn words_of(text: &[u8]) -> Vec<&[u8]> {
    text.split(|octet| !octet.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect()
}

/// A reply's line without its enhanced status code, which every line of a reply repeats (RFC 2034, section 4).
pub(super) fn without_status(line: &[u8]) -> &[u8] {
    let end = line.iter().position(|octet| !matches!(octet, b'0'..=b'9' | b'.'));
    let (status, rest) = line.split_at(end.unwrap_or(line.len()));
    let dots = status.iter().filter(|octet| **octet == b'.').count();
    if dots == 2 && !status.ends_with(b".") {
        rest
    } else {
        line
    }
}

/// Entries by a word in lower case.
pub(super) type Index<T> = HashMap<&'static str, T, foldhash::fast::RandomState>;

/// A word's entry, its case ignored.
pub(super) fn looked_up<'a, T>(index: &'a Index<T>, word: &[u8]) -> Option<&'a T> {
    let mut small = [0; LONGEST_WORD];
    let small = small.get_mut(..word.len())?;
    for (to, from) in small.iter_mut().zip(word) {
        *to = from.to_ascii_lowercase();
    }
    index.get(std::str::from_utf8(small).ok()?)
}
