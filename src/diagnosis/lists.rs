//! What rules and insights ask of a list of service extensions, read off once: a server sends everybody the same list, and
//! its lines lie at one place ([`ReplyLines`]). Those that came last are remembered, in each thread. Nothing but time
//! depends on that.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use crate::captured::Captured;
use crate::protocol::smtp::{Reply, ReplyLines, is_keyword, size_limit};

/// Lists remembered in each thread.
const REMEMBERED: usize = 64;
/// Octets of the longest list that is remembered; what is longer does not lie at one place.
const LONGEST: usize = 1024;
/// Mechanisms told of a list.
const MECHANISMS: usize = 16;

/// What a list has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ListFacts {
    /// STARTTLS.
    pub(crate) starttls: bool,
    /// "AUTH=", as before RFC 2554.
    pub(crate) old_auth: bool,
    /// A keyword that begins with letters X: something overwrote it.
    pub(crate) crossed_out: bool,
    /// A keyword stands on the first line, where the server's name belongs.
    pub(crate) keyword_first: bool,
    /// The number behind SIZE.
    pub(crate) size_limit: Option<u64>,
    /// Mechanisms behind AUTH, upper case, sorted, each once.
    pub(crate) mechanisms: Arc<[Captured]>,
}

impl ListFacts {
    /// Reads the lines behind a reply's first.
    fn read(lines: &[Captured]) -> Self {
        let keywords = lines.get(1..).unwrap_or_default();
        let begins = |start: &[u8]| {
            keywords.iter().any(|line| {
                line.bytes()
                    .get(..start.len())
                    .is_some_and(|begin| begin.eq_ignore_ascii_case(start))
            })
        };
        let known = ["STARTTLS", "AUTH", "SIZE", "PIPELINING", "8BITMIME"];
        Self {
            keyword_first: lines
                .first()
                .is_some_and(|first| known.iter().any(|name| is_keyword(first, name))),
            starttls: keywords.iter().any(|line| is_keyword(line, "STARTTLS")),
            old_auth: begins(b"AUTH="),
            crossed_out: begins(b"XXXX"),
            size_limit: size_limit(keywords),
            mechanisms: mechanisms(keywords.iter().filter(|line| is_keyword(line, "AUTH"))).into(),
        }
    }
}

/// The mechanisms of lines of a list, upper case, in their order.
pub(crate) fn each_mechanism<'a>(lines: impl Iterator<Item = &'a Captured>) -> impl Iterator<Item = Captured> {
    mechanism_words(lines).map(|word| Captured::new(&word.to_ascii_uppercase()))
}

/// The same as they were sent.
pub(crate) fn mechanism_words<'a>(lines: impl Iterator<Item = &'a Captured>) -> impl Iterator<Item = &'a [u8]> {
    lines
        .flat_map(|line| line.bytes().split(|byte| matches!(byte, b' ' | b'=')).skip(1))
        .filter(|word| !word.is_empty())
}

/// The mechanisms of lines of a list, upper case, sorted, each once.
pub(crate) fn mechanisms<'a>(lines: impl Iterator<Item = &'a Captured>) -> Vec<Captured> {
    let mut found: Vec<Captured> = each_mechanism(lines).collect();
    found.sort_unstable();
    found.dedup();
    found.truncate(MECHANISMS);
    found
}

type Known = Option<(ReplyLines, Rc<ListFacts>)>;

thread_local! {
    static KNOWN: RefCell<Vec<Known>> = RefCell::new(vec![None; REMEMBERED]);
}

/// What the list in a reply to EHLO or LHLO has.
pub(crate) fn of(reply: &Reply) -> Rc<ListFacts> {
    let lines = &reply.lines;
    let place = (lines.as_ptr().addr() >> 4) % REMEMBERED;
    KNOWN.with_borrow_mut(|known| match known.get_mut(place) {
        Some(Some((same, facts))) if same.is_shared_with(lines) => Rc::clone(facts),
        free => {
            let facts = Rc::new(ListFacts::read(lines));
            let short = lines.iter().map(|line| line.bytes().len()).sum::<usize>() <= LONGEST;
            if let Some(free) = free.filter(|_| short) {
                *free = Some((lines.clone(), Rc::clone(&facts)));
            }
            facts
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(lines: &[&str]) -> Reply {
        let lines: Vec<Captured> = lines.iter().map(|line| Captured::from(*line)).collect();
        Reply::of_words(250, lines.into())
    }

    #[test]
    fn the_first_line_is_no_keyword() {
        let facts = of(&reply(&[
            "STARTTLS",
            "SIZE 7",
            "auth=login plain",
            "AUTH PLAIN X",
            "XXXXXXXA",
        ]));
        assert!(!facts.starttls && facts.old_auth && facts.crossed_out && facts.keyword_first);
        assert_eq!(facts.size_limit, Some(7));
        assert_eq!(*facts.mechanisms, ["LOGIN", "PLAIN", "X"].map(Captured::from));
        assert!(of(&reply(&["a", "starttls"])).starttls);
    }

    #[test]
    fn lists_are_told_from_each_other_however_many_there_are() {
        let long = "X".repeat(LONGEST);
        let replies: Vec<Reply> = (0..300)
            .map(|number| match number % 4 {
                0 => reply(&[]),
                1 => reply(&["a", &format!("SIZE {number}"), "STARTTLS"]),
                2 => reply(&["a", &long, &format!("AUTH M{number}")]),
                _ => reply(&["a", "SIZE", "STARTTLSX"]),
            })
            .collect();
        for _ in 0..3 {
            for one in &replies {
                assert_eq!(*of(one), ListFacts::read(&one.lines));
                assert_eq!(*of(one), ListFacts::read(&one.lines), "asked again");
            }
        }
    }
}
