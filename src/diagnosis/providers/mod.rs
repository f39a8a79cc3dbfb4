//! What providers and blocklists mean by their own words: `texts.tsv`, one row per text, and `providers.tsv`, who they are.
//! A reply comes in, with its place in the dialogue; out goes the row that fits it best, or none. Rules ask here before they
//! look at a reply's words; `smtpcap explain` shows the rows. Never judges a session.
//!
//! Both files: tab-separated, one header line, sorted by the first column, `-` means none, no quoting.
//!
//! | column of `texts.tsv` | |
//! |---|---|
//! | `key` | `provider.word`, stable |
//! | `peer` | `peer`: others use these words, too, so the server must be this provider's; `any`: the words tell by themselves |
//! | `stages` | where it was seen: `connect ehlo auth mail rcpt`, `data` (the answer to DATA), `end` (behind the mail data) |
//! | `codes`, `enhanced` | reply codes; enhanced status codes, `X` for any class, `500-699` for a range; `-`: any |
//! | `words` | whole words in a row, case and signs ignored; `*` skips words, `^` is the text's begin, `\|` parts alternatives |
//! | `meaning` | slug of the diagnosis that it leads to |
//! | `refines` | what the diagnosis says more precisely: a name in that rule's sentences |
//! | `meaning_en`, `meaning_ja` | a sentence for the reader |
//! | `page` | the provider's page about it; `-`: the provider's general page |
//! | `source`, `date` | where we know it from; the date it bears, or when it was read |
//! | `example` | such a reply; a test plays it at every stage |
//!
//! A server is a provider's where its greeting, its EHLO reply or the client's server_name names one of the provider's hosts,
//! or where the reply bears the provider's mark ("gsmtp"). The recipient's domain proves nothing: a relay may stand between.

use std::sync::LazyLock;

use crate::captured::Captured;
use crate::diagnosis::wording;
use crate::protocol::smtp::{Exchange, Reply, Verb};
use crate::session::Session;

mod pattern;

pub use pattern::words_of;
use pattern::{Codes, Enhanced, Words};

/// Where in the dialogue a reply stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The greeting.
    Connect,
    /// EHLO, HELO, LHLO.
    Ehlo,
    /// AUTH.
    Auth,
    /// MAIL.
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA or BDAT, before any mail data.
    Data,
    /// Behind the mail data.
    End,
    /// Any other command.
    Other,
}

impl Place {
    /// The place of an exchange's final reply.
    #[must_use]
    pub fn of(exchange: &Exchange) -> Self {
        match exchange.verb {
            Verb::Ehlo | Verb::Helo | Verb::Lhlo => Self::Ehlo,
            Verb::Auth => Self::Auth,
            Verb::Mail => Self::Mail,
            Verb::Rcpt => Self::Rcpt,
            Verb::Data | Verb::Bdat if exchange.mail_data().is_some() => Self::End,
            Verb::Data | Verb::Bdat => Self::Data,
            _ => Self::Other,
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "connect" => Self::Connect,
            "ehlo" => Self::Ehlo,
            "auth" => Self::Auth,
            "mail" => Self::Mail,
            "rcpt" => Self::Rcpt,
            "data" => Self::Data,
            "end" => Self::End,
            _ => return None,
        })
    }
}

/// A provider, a carrier, or the operator of a blocklist.
#[derive(Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its word in keys: "docomo".
    pub id: &'static str,
    /// Its name, the same in every language.
    pub name: &'static str,
    /// Domains of its servers.
    hosts: Vec<&'static str>,
    /// Words that its replies bear.
    marks: Words,
    /// Its general page for senders.
    pub page: Option<&'static str>,
}

impl Provider {
    /// Domains of its servers; none for the operator of a list.
    pub fn hosts(&self) -> impl Iterator<Item = &'static str> + use<'_> {
        self.hosts.iter().copied()
    }
}

/// A text of a provider.
#[derive(Debug, PartialEq, Eq)]
pub struct ProviderText {
    /// "docomo.filtered".
    pub key: &'static str,
    /// Whose.
    pub provider: &'static Provider,
    /// The server must be the provider's.
    pub needs_peer: bool,
    /// Where it was seen.
    pub places: Vec<Place>,
    codes: Codes,
    enhanced: Vec<Enhanced>,
    words: Words,
    /// Slug of the diagnosis.
    pub meaning: &'static str,
    /// A name in the sentences of the diagnosis.
    pub refines: Option<&'static str>,
    /// For the reader, in English.
    pub english: &'static str,
    /// For the reader, in Japanese.
    pub japanese: &'static str,
    /// The provider's page about it.
    pub page: Option<&'static str>,
    /// Where we know it from: an address, or "catalogue: " and a section.
    pub source: &'static str,
    /// Date of the source, or when it was read: year, month and day as far as known.
    pub date: &'static str,
    /// Such a reply.
    pub example: &'static str,
}

impl ProviderText {
    /// Whether words are about it, in part ("user unknown", "S3150") or pasted whole. One word alone must be one that the
    /// row asks for by itself; a reply pasted with another status code is about something else.
    #[must_use]
    pub fn is_about(&self, pasted: &str, words: &[&[u8]]) -> bool {
        if let [word] = words {
            return self.marks().any(|mark| mark.as_bytes().eq_ignore_ascii_case(word));
        }
        let status = pasted.split_ascii_whitespace().find_map(Enhanced::parse);
        let other = status
            .as_ref()
            .is_some_and(|status| !self.enhanced.iter().any(|one| one.overlaps(status)));
        let whole = self.words.weight(words);
        let sure = status.is_some() || self.enhanced.is_empty() || whole > Some(pattern::ONE_WORD);
        pattern::contains(&words_of(self.example.as_bytes()), words)
            || (whole.is_some() && sure && (self.enhanced.is_empty() || !other))
    }

    /// Words that tell it by themselves: "s3150".
    pub fn marks(&self) -> impl Iterator<Item = &'static str> + use<'_> {
        self.words.single()
    }

    /// Its row lists this enhanced status code by itself, not with any other.
    #[must_use]
    pub fn has_enhanced(&self, code: (u8, u16, u16)) -> bool {
        self.enhanced.iter().any(|one| one.fits(code))
    }
}

static PROVIDERS: LazyLock<Vec<Provider>> = LazyLock::new(|| {
    rows(include_str!("providers.tsv"))
        .map(|row| Provider {
            id: row.text("id"),
            name: row.text("name"),
            hosts: row.list("hosts"),
            marks: Words::parse(row.text("marks")),
            page: row.given("page"),
        })
        .collect()
});

static TEXTS: LazyLock<Vec<ProviderText>> = LazyLock::new(|| {
    rows(include_str!("texts.tsv"))
        .filter_map(|row| {
            let provider = PROVIDERS.iter().find(|one| one.id == row.text("provider"))?;
            Some(ProviderText {
                key: row.text("key"),
                provider,
                needs_peer: row.text("peer") == "peer",
                places: row.list("stages").into_iter().filter_map(Place::parse).collect(),
                codes: Codes::parse(&row.list("codes")),
                enhanced: row.list("enhanced").into_iter().filter_map(Enhanced::parse).collect(),
                words: Words::parse(row.text("words")),
                meaning: row.text("meaning"),
                refines: row.given("refines"),
                english: row.text("meaning_en"),
                japanese: row.text("meaning_ja"),
                page: row.given("page").or(provider.page),
                source: row.text("source"),
                date: row.text("date"),
                example: row.text("example"),
            })
        })
        .collect()
});

/// The texts by a word that each of their alternatives needs, so that a reply is held against few of them.
static BY_WORD: LazyLock<pattern::Index<Vec<&'static ProviderText>>> = LazyLock::new(|| {
    let mut index = pattern::Index::<Vec<&'static ProviderText>>::default();
    for text in texts() {
        for word in text.words.keys() {
            index.entry(word).or_default().push(text);
        }
    }
    index
});

/// Every text, sorted by key.
pub fn texts() -> impl Iterator<Item = &'static ProviderText> {
    TEXTS.iter()
}

/// Every provider, sorted by its word.
pub fn providers() -> impl Iterator<Item = &'static Provider> {
    PROVIDERS.iter()
}

/// A text that a reply's words fit.
pub(super) struct Candidate {
    text: &'static ProviderText,
    /// How much of the words it asks for.
    weight: usize,
    /// The words bear the provider's mark.
    marked: bool,
}

/// The text that a refusal fits best: those of the server's own provider first, then the one with more words.
#[must_use]
pub fn find(session: &Session, place: Place, reply: &Reply) -> Option<&'static ProviderText> {
    if reply.class() < 4 {
        return None;
    }
    let wording = wording::of(reply);
    let fits = |text: &ProviderText| {
        text.places.contains(&place)
            && text.codes.fit(reply.code)
            && (text.enhanced.is_empty() || reply.enhanced.is_some_and(|code| text.has_enhanced(code)))
    };
    let mut fitting = wording
        .candidates(candidates)
        .iter()
        .filter(|candidate| fits(candidate.text));
    let first = fitting.next()?;
    // Who the server is only matters where texts are to be compared, or where one is said by its provider only.
    if !first.text.needs_peer && fitting.clone().all(|other| std::ptr::eq(other.text, first.text)) {
        return Some(first.text);
    }
    std::iter::once(first)
        .chain(fitting)
        .filter_map(|candidate| {
            let Candidate { text, weight, marked } = candidate;
            let peer = *marked || is_peer(text.provider, session);
            (peer || !text.needs_peer).then_some(((peer, *weight), *text))
        })
        .max_by_key(|(rank, text)| (*rank, std::cmp::Reverse(text.key)))
        .map(|(_, text)| text)
}

fn candidates(lines: &[Captured]) -> Vec<Candidate> {
    let words: Vec<&[u8]> = lines
        .iter()
        .flat_map(|line| words_of(pattern::without_status(line.bytes())))
        .collect();
    let texts = words.iter().filter_map(|word| pattern::looked_up(&BY_WORD, word));
    texts
        .flatten()
        .filter_map(|text| {
            Some(Candidate {
                text,
                weight: text.words.weight(&words)?,
                marked: text.provider.marks.weight(&words).is_some(),
            })
        })
        .collect()
}

/// The server is this provider's, as far as names tell.
fn is_peer(provider: &Provider, session: &Session) -> bool {
    names(session).any(|name| provider.hosts.iter().any(|host| is_of(name, host)))
}

/// What the server calls itself in clear or to the client, and what the client calls it.
fn names(session: &Session) -> impl Iterator<Item = &[u8]> {
    let dialogue = session.smtp.as_deref();
    let greeting = dialogue.and_then(|dialogue| dialogue.greeting.as_ref());
    let hello = dialogue.into_iter().flat_map(|dialogue| {
        let hellos = dialogue.exchanges.iter().filter(|one| Place::of(one) == Place::Ehlo);
        hellos.filter_map(|one| one.reply.yes())
    });
    let asked = session.tls.as_deref().and_then(|tls| tls.offer()?.server_name.as_ref());
    let said = greeting.into_iter().chain(hello).filter_map(|reply| {
        let line = reply.lines.first()?.bytes();
        line.split(u8::is_ascii_whitespace).find(|word| !word.is_empty())
    });
    said.chain(asked.map(Captured::bytes))
}

/// "mail.example.com" is of "example.com".
fn is_of(name: &[u8], domain: &str) -> bool {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let Some(at) = name.len().checked_sub(domain.len()) else {
        return false;
    };
    let (front, end) = name.split_at(at);
    end.eq_ignore_ascii_case(domain.as_bytes()) && (front.is_empty() || front.ends_with(b"."))
}

/// A row of a table.
struct Row {
    header: &'static str,
    line: &'static str,
}

impl Row {
    /// The field of a column; empty where there is none.
    fn text(&self, column: &str) -> &'static str {
        let position = self.header.split('\t').position(|name| name == column);
        position
            .and_then(|position| self.line.split('\t').nth(position))
            .unwrap_or_default()
    }

    fn given(&self, column: &str) -> Option<&'static str> {
        Some(self.text(column)).filter(|text| !text.is_empty() && *text != "-")
    }

    fn list(&self, column: &str) -> Vec<&'static str> {
        self.given(column)
            .map(|list| list.split(',').collect())
            .unwrap_or_default()
    }
}

fn rows(table: &'static str) -> impl Iterator<Item = Row> {
    let (header, lines) = table.split_once('\n').unwrap_or((table, ""));
    lines.lines().map(move |line| Row { header, line })
}

#[cfg(test)]
mod tests;
