//! What a refusal says, asked a hundred times by the rules: each text is prepared once, and each question about it is
//! answered once. A server refuses a thousand mails in the same words; those that came last are remembered, in each thread,
//! by their octets. Nothing but time depends on that.

use std::cell::{Cell, OnceCell, RefCell};
use std::hash::{BuildHasher, Hasher};
use std::rc::Rc;

use crate::captured::Captured;
use crate::diagnosis::providers::{Candidate, Place};
use crate::diagnosis::rule::RefusalKind;
use crate::protocol::smtp::{Reply, ReplyLines};

/// Texts remembered in each thread.
const REMEMBERED: usize = 64;
/// Octets of the longest text that is remembered.
const LONGEST: usize = 1024;
/// Answers remembered of a text.
const ANSWERS: usize = 128;
/// Places at which an answer may stand: which lists share one is the linker's choice.
const PROBES: usize = 4;

/// A list of phrases in lower case, as the rules write them.
pub(super) type Phrases = &'static [&'static str];

/// The words of one reply.
pub(super) struct Wording {
    lines: ReplyLines,
    /// The lines in lower case (ASCII), line feeds between them: no phrase has one.
    lower: Vec<u8>,
    /// There is nothing but ASCII in it.
    ascii: bool,
    /// Which pairs of letters stand next to each other, by a hash of both.
    pairs: [u64; 16],
    answers: [Cell<Option<(Question, bool)>>; ANSWERS],
    candidates: OnceCell<Vec<Candidate>>,
    sorted: RefCell<Vec<(Circumstances, Sorted)>>,
}

/// All on which it depends what a refusal is about, besides its words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Circumstances {
    /// Reply code.
    pub(super) code: u16,
    /// Enhanced status code.
    pub(super) enhanced: Option<(u8, u16, u16)>,
    /// Where it stands.
    pub(super) place: Place,
    /// BDAT was refused.
    pub(super) bdat: bool,
    /// DATA: a recipient of this mail had been accepted.
    pub(super) has_recipients: bool,
}

/// What a refusal is about, and whether only the command that was refused told that.
type Sorted = (RefusalKind, bool);

/// Circumstances remembered of a text.
const CIRCUMSTANCES: usize = 8;

/// One or two lists of phrases, by where they lie: they are constants of the program.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Question([(usize, usize); 2]);

impl Question {
    fn of(phrases: Phrases, beside: Phrases) -> Self {
        Self([phrases, beside].map(|list| (list.as_ptr().addr(), list.len())))
    }

    /// The first of its places.
    const fn place(self) -> usize {
        let Self([(one, _), (other, _)]) = self;
        let mixed = (one as u64 ^ (other as u64) << 7).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 40) as usize % ANSWERS
    }
}

thread_local! {
    static KNOWN: RefCell<Vec<Option<Rc<Wording>>>> = RefCell::new(vec![None; REMEMBERED]);
    static LAST: RefCell<Option<Rc<Wording>>> = const { RefCell::new(None) };
}

/// The wording of a reply.
pub(super) fn of(reply: &Reply) -> Rc<Wording> {
    let last = LAST.with_borrow(|last| last.as_ref().filter(|last| last.is_of(reply)).cloned());
    last.unwrap_or_else(|| {
        let wording = remembered(reply);
        LAST.set(Some(Rc::clone(&wording)));
        wording
    })
}

fn remembered(reply: &Reply) -> Rc<Wording> {
    if reply.lines.iter().map(|line| line.bytes().len()).sum::<usize>() > LONGEST {
        return Rc::new(Wording::new(reply));
    }
    let mut hasher = foldhash::fast::FixedState::default().build_hasher();
    for line in reply.lines.iter() {
        hasher.write(line.bytes());
    }
    let place = hasher.finish() as usize % REMEMBERED;
    KNOWN.with_borrow_mut(|known| match known.get_mut(place) {
        Some(Some(wording)) if wording.is_of(reply) => Rc::clone(wording),
        Some(place) => Rc::clone(place.insert(Rc::new(Wording::new(reply)))),
        None => Rc::new(Wording::new(reply)),
    })
}

/// The number of a pair of letters among 1,024.
const fn pair(one: u8, other: u8) -> usize {
    ((one as usize * 37) ^ (other as usize * 5)) % 1024
}

impl Wording {
    fn new(reply: &Reply) -> Self {
        let mut lower = Vec::new();
        for line in reply.lines.iter() {
            lower.extend(line.bytes().iter().map(u8::to_ascii_lowercase));
            lower.push(b'\n');
        }
        let mut pairs = [0; 16];
        for (one, other) in lower.iter().zip(lower.iter().skip(1)) {
            let pair = pair(*one, *other);
            if let Some(bits) = pairs.get_mut(pair / 64) {
                *bits |= 1 << (pair % 64);
            }
        }
        Self {
            lines: reply.lines.clone(),
            ascii: lower.is_ascii(),
            lower,
            pairs,
            answers: [const { Cell::new(None) }; ANSWERS],
            candidates: OnceCell::new(),
            sorted: RefCell::default(),
        }
    }

    fn is_of(&self, reply: &Reply) -> bool {
        self.lines.is_shared_with(&reply.lines) || self.lines == reply.lines
    }

    /// One of the phrases stands in it, ASCII case ignored.
    pub(super) fn says_any(&self, phrases: Phrases) -> bool {
        self.answered(Question::of(phrases, &[]), || {
            phrases.iter().any(|phrase| self.says(phrase))
        })
    }

    /// One of `words` and one of `phrases` stand in it as `are_near` wants them. It is asked where the beginnings of both
    /// stand there, and not again about the same words.
    pub(super) fn says_near(&self, words: Phrases, phrases: Phrases, are_near: impl Fn(&Captured) -> bool) -> bool {
        let begins = |phrase: &&'static str| self.says(phrase.split(' ').next().unwrap_or(phrase));
        self.answered(Question::of(words, phrases), || {
            // Only of ASCII are upper and lower case known here.
            let possible = !self.ascii || words.iter().any(begins) && phrases.iter().any(begins);
            possible && self.lines.iter().any(are_near)
        })
    }

    fn answered(&self, question: Question, find_out: impl FnOnce() -> bool) -> bool {
        let first = question.place();
        let mut free = self.answers.get(first);
        for place in (first..first + PROBES).filter_map(|place| self.answers.get(place % ANSWERS)) {
            match place.get() {
                Some((asked, answer)) if asked == question => return answer,
                Some(_) => {}
                None => {
                    free = Some(place);
                    break;
                }
            }
        }
        let answer = find_out();
        if let Some(free) = free {
            free.set(Some((question, answer)));
        }
        answer
    }

    /// The phrase stands in it, ASCII case ignored. Most are ruled out by their first and their last two letters.
    pub(super) fn says(&self, phrase: &'static str) -> bool {
        debug_assert!(
            !phrase
                .bytes()
                .any(|letter| letter.is_ascii_uppercase() || letter == b'\n')
        );
        let has = |one: u8, other: u8| {
            let pair = pair(one, other);
            self.pairs
                .get(pair / 64)
                .is_some_and(|bits| bits >> (pair % 64) & 1 == 1)
        };
        let possible = match phrase.as_bytes() {
            [first, second, .., last_but_one, last] => has(*first, *second) && has(*last_but_one, *last),
            _ => true,
        };
        possible && memchr::memmem::find(&self.lower, phrase.as_bytes()).is_some()
    }

    /// What a refusal in these words and circumstances is about, found out once.
    pub(super) fn sorted(&self, circumstances: Circumstances, find_out: impl FnOnce() -> Sorted) -> Sorted {
        let known = |(same, _): &&(Circumstances, Sorted)| *same == circumstances;
        if let Some((_, sorted)) = self.sorted.borrow().iter().find(known) {
            return *sorted;
        }
        let found = find_out();
        let mut sorted = self.sorted.borrow_mut();
        if sorted.len() < CIRCUMSTANCES {
            sorted.push((circumstances, found));
        }
        found
    }

    /// Texts of providers that its words fit, found once.
    pub(super) fn candidates(&self, find: impl FnOnce(&[Captured]) -> Vec<Candidate>) -> &[Candidate] {
        self.candidates.get_or_init(|| find(&self.lines))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(lines: &[&str]) -> Reply {
        let lines: Vec<Captured> = lines.iter().map(|line| Captured::from(*line)).collect();
        Reply::of_words(550, lines.into())
    }

    #[test]
    fn phrases_are_found_as_in_the_lines_themselves() {
        const PHRASES: Phrases = &[
            "relay",
            "relay access",
            "no",
            "a",
            "denied",
            "denied.",
            "unknown user",
            "d\u{e9}",
        ];
        for lines in [
            &["5.7.1 <A@b.example>: Relay ACCESS denied"][..],
            &["Unknown", "user"],
            &["no"],
            &[""],
            &["D\u{e9}sol\u{e9}"],
            &["x"; 2_000],
        ] {
            let reply = reply(lines);
            for phrase in PHRASES {
                assert_eq!(of(&reply).says(phrase), reply.says(phrase), "{phrase} in {lines:?}");
            }
            let any = PHRASES.iter().any(|phrase| reply.says(phrase));
            assert_eq!(of(&reply).says_any(PHRASES), any);
            assert_eq!(of(&reply).says_any(PHRASES), any, "asked again");
        }
    }

    #[test]
    fn texts_are_told_from_each_other_however_many_there_are() {
        const YES: Phrases = &["number 7 "];
        const NO: Phrases = &["number 8 "];
        for round in 0..3 {
            for number in 0..500 {
                let text = format!("this is number {number} of them");
                let reply = reply(&[&text]);
                assert_eq!(of(&reply).says_any(YES), number == 7, "{round}");
                assert_eq!(of(&reply).says_any(NO), number == 8, "{round}");
            }
        }
    }

    #[test]
    fn questions_that_share_a_place_are_told_apart() {
        // More questions than places, about one text.
        let phrases: Vec<Phrases> = (0..200)
            .map(|number| &*vec![&*format!("number {number} ").leak()].leak())
            .collect();
        let reply = reply(&["this is number 77 of them"]);
        for _ in 0..2 {
            for (number, phrases) in phrases.iter().enumerate() {
                assert_eq!(of(&reply).says_any(phrases), number == 77);
            }
        }
    }
}
