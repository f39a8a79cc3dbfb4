//! Octets of a structured field body with the place each stands in: plain, quoted string, comment (RFC 5322, section
//! 3.2), or a run shifted into a two-octet set, where ISO-2022-JP writes `"`, `,` and `<` as halves of characters.
//! Comments nest by a counter, never by recursion.

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
    /// A backslash behind an 8-bit octet may be the second half of a Shift_JIS character.
    backslash_needs_ascii: bool,
}

impl<'a> Lexer<'a> {
    /// A walk over an unfolded field body.
    pub fn new(body: &'a [u8]) -> Self {
        Self {
            body,
            next: 0,
            quoted: false,
            comments: 0,
            shifted: false,
            passing: 0,
            escaped: false,
            syntax: false,
            backslash_needs_ascii: std::str::from_utf8(body).is_err(),
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

    fn step(&mut self, index: usize, octet: u8) -> Place {
        self.syntax = false;
        if self.passing > 0 {
            self.passing -= 1;
            return self.opaque();
        }
        if octet == 0x1b && matches!(self.body.get(index + 1), Some(b'$' | b'(')) {
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
        let behind_eight_bit = index > 0 && self.body.get(index - 1).is_some_and(|octet| *octet >= 0x80);
        match (octet, before) {
            (b'\\', Place::Quoted | Place::Comment) if !(self.backslash_needs_ascii && behind_eight_bit) => {
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

impl Iterator for Lexer<'_> {
    type Item = (usize, u8, Place);

    fn next(&mut self) -> Option<Self::Item> {
        let index = self.next;
        let octet = *self.body.get(index)?;
        self.next += 1;
        Some((index, octet, self.step(index, octet)))
    }
}

/// The body without quotation marks and quoting backslashes.
pub fn unquote(body: &[u8]) -> Vec<u8> {
    let mut lexer = Lexer::new(body);
    let mut octets = Vec::with_capacity(body.len());
    while let Some((_, octet, _)) = lexer.next() {
        if !lexer.syntax {
            octets.push(octet);
        }
    }
    octets
}

/// The body without its comments, trimmed.
pub fn without_comments(body: &[u8]) -> Vec<u8> {
    let kept: Vec<u8> = Lexer::new(body)
        .filter(|(_, _, place)| *place != Place::Comment)
        .map(|(_, octet, _)| octet)
        .collect();
    kept.trim_ascii().to_vec()
}
