//! Octets of a structured field body with the place each stands in: plain, quoted string, comment (RFC 5322, section
//! 3.2), or a run shifted into a two-octet set, where ISO-2022-JP writes `"`, `,` and `<` as halves of characters.
//! Comments nest by a counter, never by recursion.

use memchr::memchr3;

/// Where an octet stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Outside of everything.
    Plain,
    /// In a quoted string, its quotes included.
    Quoted,
    /// In a comment, its parentheses included.
    Comment,
}

/// Octets one after the other that stand in the same place.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Where the first one stands in the body.
    pub start: usize,
    /// The octets, at least one.
    pub octets: &'a [u8],
    /// Where they stand.
    pub place: Place,
    /// It is a quotation mark or a quoting backslash, no text.
    pub is_syntax: bool,
}

const ESCAPE: u8 = 0x1b;

/// Walks a field body once.
pub struct Lexer<'a> {
    body: &'a [u8],
    next: usize,
    quoted: bool,
    comments: u32,
    /// Inside of a run of a two-octet set.
    shifted: bool,
    /// Octets of an escape sequence that are still to come.
    passing: u8,
    /// The octet before was a backslash that quotes this one.
    escaped: bool,
    /// The octet given last is a quotation mark or a quoting backslash, no text.
    syntax: bool,
    /// A backslash behind an 8-bit octet may be the second half of a Shift_JIS character; `None` until there is one.
    backslash_needs_ascii: Option<bool>,
}

impl<'a> Lexer<'a> {
    /// A walk over an unfolded field body.
    pub const fn new(body: &'a [u8]) -> Self {
        Self {
            body,
            next: 0,
            quoted: false,
            comments: 0,
            shifted: false,
            passing: 0,
            escaped: false,
            syntax: false,
            backslash_needs_ascii: None,
        }
    }

    const fn place(&self) -> Place {
        if self.quoted {
            Place::Quoted
        } else if self.comments > 0 {
            Place::Comment
        } else {
            Place::Plain
        }
    }

    /// No octet of a shifted run or an escape sequence is what it looks like.
    fn opaque(&self) -> Place {
        match self.place() {
            Place::Comment => Place::Comment,
            Place::Plain | Place::Quoted => Place::Quoted,
        }
    }

    /// The backslash at this place may be the second half of a Shift_JIS character.
    fn is_half_a_character(&mut self, index: usize) -> bool {
        let behind_eight_bit = index > 0 && self.body.get(index - 1).is_some_and(|octet| *octet >= 0x80);
        let no_utf8 = || std::str::from_utf8(self.body).is_err();
        behind_eight_bit && *self.backslash_needs_ascii.get_or_insert_with(no_utf8)
    }

    fn step(&mut self, index: usize, octet: u8) -> Place {
        self.syntax = false;
        if self.passing > 0 {
            self.passing -= 1;
            return self.opaque();
        }
        if octet == ESCAPE && matches!(self.body.get(index + 1), Some(b'$' | b'(')) {
            self.shifted = self.body.get(index + 1) == Some(&b'$');
            self.passing = 2;
            return self.opaque();
        }
        if self.shifted {
            return self.opaque();
        }
        let before = self.place();
        if self.escaped {
            self.escaped = false;
            return before;
        }
        match (octet, before) {
            (b'\\', Place::Quoted | Place::Comment) if !self.is_half_a_character(index) => {
                self.escaped = true;
                self.syntax = true;
                before
            }
            (b'"', Place::Plain | Place::Quoted) => {
                self.quoted = before == Place::Plain;
                self.syntax = true;
                Place::Quoted
            }
            (b'(', Place::Plain | Place::Comment) => {
                self.comments = self.comments.saturating_add(1);
                Place::Comment
            }
            (b')', Place::Comment) => {
                self.comments -= 1;
                Place::Comment
            }
            _ => before,
        }
    }
}

impl<'a> Lexer<'a> {
    /// How many octets from the next one are what the place says, whatever they are.
    fn calm(&self) -> usize {
        let rest = self.body.get(self.next..).unwrap_or_default();
        let end = match self.place() {
            Place::Plain => memchr3(b'"', b'(', ESCAPE, rest),
            Place::Quoted => memchr3(b'"', b'\\', ESCAPE, rest),
            Place::Comment => rest
                .iter()
                .position(|octet| matches!(*octet, b'(' | b')' | b'\\' | ESCAPE)),
        };
        end.unwrap_or(rest.len())
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Run<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.next;
        let octet = *self.body.get(start)?;
        let place = self.step(start, octet);
        self.next += 1;
        let in_between = self.passing > 0 || self.shifted || self.escaped || self.syntax;
        if !in_between && place == self.place() {
            self.next += self.calm();
        }
        Some(Run {
            start,
            octets: self.body.get(start..self.next)?,
            place,
            is_syntax: self.syntax,
        })
    }
}

/// Octets in plain places that are `wanted`, and where they stand.
pub fn plain_octets(body: &[u8], wanted: impl Fn(u8) -> bool + Copy) -> impl Iterator<Item = (usize, u8)> {
    let plain = Lexer::new(body).filter(|run| run.place == Place::Plain);
    plain.flat_map(move |run| {
        let octets = (run.start..).zip(run.octets.iter().copied());
        octets.filter(move |(_, octet)| wanted(*octet))
    })
}

/// All octets stand in plain places.
pub fn is_plain(body: &[u8]) -> bool {
    memchr3(b'"', b'(', ESCAPE, body).is_none()
}

/// The body without quotation marks and quoting backslashes.
pub fn unquote(body: &[u8]) -> Vec<u8> {
    if is_plain(body) {
        return body.to_vec();
    }
    let mut octets = Vec::with_capacity(body.len());
    for run in Lexer::new(body).filter(|run| !run.is_syntax) {
        octets.extend_from_slice(run.octets);
    }
    octets
}

/// The body without its comments, trimmed.
pub fn without_comments(body: &[u8]) -> Vec<u8> {
    if is_plain(body) {
        return body.trim_ascii().to_vec();
    }
    let mut kept = Vec::with_capacity(body.len());
    for run in Lexer::new(body).filter(|run| run.place != Place::Comment) {
        kept.extend_from_slice(run.octets);
    }
    trim(&mut kept);
    kept
}

/// Takes white space off both ends.
pub fn trim(octets: &mut Vec<u8>) {
    octets.truncate(octets.trim_ascii_end().len());
    octets.drain(..octets.len() - octets.trim_ascii_start().len());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The place of each octet and whether it is syntax, one step after the other.
    fn step_by_step(body: &[u8]) -> Vec<(Place, bool)> {
        let mut lexer = Lexer::new(body);
        let step = |(index, octet): (usize, &u8)| (lexer.step(index, *octet), lexer.syntax);
        body.iter().enumerate().map(step).collect()
    }

    fn in_runs(body: &[u8]) -> Vec<(Place, bool)> {
        let mut places = Vec::new();
        for run in Lexer::new(body) {
            assert_eq!(run.start, places.len());
            places.extend(std::iter::repeat_n((run.place, run.is_syntax), run.octets.len()));
        }
        places
    }

    #[test]
    fn runs_end_where_the_place_changes() {
        let runs: Vec<_> = Lexer::new(b"a (b (c)) \"d\\\"e\" f")
            .map(|run| (run.octets, run.place, run.is_syntax))
            .collect();
        let expected: [(&[u8], Place, bool); 12] = [
            (b"a ", Place::Plain, false),
            (b"(b ", Place::Comment, false),
            (b"(c", Place::Comment, false),
            (b")", Place::Comment, false),
            (b")", Place::Comment, false),
            (b" ", Place::Plain, false),
            (b"\"", Place::Quoted, true),
            (b"d", Place::Quoted, false),
            (b"\\", Place::Quoted, true),
            (b"\"e", Place::Quoted, false),
            (b"\"", Place::Quoted, true),
            (b" f", Place::Plain, false),
        ];
        assert_eq!(runs, expected);
    }

    proptest! {
        #[test]
        fn runs_are_what_the_steps_are(
            body in prop::collection::vec(
                prop::sample::select(b"ab ,;<\"\"(()\\\\\x1b\x1b$B\x83\xe3\x81\x82".to_vec()), 0..60,
            ),
        ) {
            let runs = in_runs(&body);
            prop_assert_eq!(&runs, &step_by_step(&body));
            let kept = |keep: fn(&(Place, bool)) -> bool| -> Vec<u8> {
                runs.iter().zip(&body).filter(|(run, _)| keep(run)).map(|(_, octet)| *octet).collect()
            };
            prop_assert_eq!(unquote(&body), kept(|(_, is_syntax)| !is_syntax));
            let outside = kept(|(place, _)| *place != Place::Comment);
            prop_assert_eq!(without_comments(&body), outside.trim_ascii());
        }
    }
}
