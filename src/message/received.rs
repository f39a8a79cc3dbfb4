//! A Received field (RFC 5321, section 4.4) → one hop: who from, who by, with what protocol, when.

use std::ops::Range;

use memchr::memrchr;

use crate::captured::Captured;

use super::date::parse_date;
use super::facts::Hop;
use super::lexer::{Lexer, Place};

/// Room made at once for what stands between comments.
const USUAL_PIECES: usize = 8;
/// Octets kept of each word.
const WORD_OCTETS: usize = 255;

/// Reads one unfolded Received body. Only what stands outside of comments counts: comments are free text.
#[must_use]
pub fn parse_hop(body: &[u8]) -> Hop {
    let mut hop = Hop {
        from: None,
        by: None,
        with: None,
        date: None,
    };
    let mut pieces: Vec<Range<usize>> = Vec::with_capacity(USUAL_PIECES);
    let mut semicolon = None;
    for run in Lexer::new(body).filter(|run| run.place != Place::Comment) {
        let end = run.start + run.octets.len();
        match pieces.last_mut() {
            Some(piece) if piece.end == run.start => piece.end = end,
            _ => pieces.push(run.start..end),
        }
        if run.place == Place::Plain
            && let Some(last) = memrchr(b';', run.octets)
        {
            semicolon = Some(run.start + last);
        }
    }
    hop.date = semicolon.and_then(|index| parse_date(body.get(index + 1..)?));
    let end = semicolon.unwrap_or(body.len());
    let clauses = pieces
        .iter()
        .filter_map(|piece| body.get(piece.start..piece.end.min(end)));
    let mut words = clauses.flat_map(words);
    while let Some(word) = words.next() {
        let target = match word.first().map(u8::to_ascii_lowercase) {
            Some(b'f') if word.eq_ignore_ascii_case(b"from") => &mut hop.from,
            Some(b'b') if word.eq_ignore_ascii_case(b"by") => &mut hop.by,
            Some(b'w') if word.eq_ignore_ascii_case(b"with") => &mut hop.with,
            _ => {
                if [b"id".as_slice(), b"for", b"via"]
                    .iter()
                    .any(|clause| word.eq_ignore_ascii_case(clause))
                {
                    words.next();
                }
                continue;
            }
        };
        if target.is_none() {
            *target = words
                .next()
                .map(|value| Captured::new(value.get(..value.len().min(WORD_OCTETS)).unwrap_or_default()));
        }
    }
    hop
}

/// What stands between white space.
fn words(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    octets.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hops_of_common_servers_are_read() {
        let hop = parse_hop(
            b"from mail.example.jp (unknown [192.0.2.1]) (using TLSv1.3 with cipher X) by mx.example.com (Postfix) \
              with ESMTPS id 4ABC for <u@example.com>; Mon, 23 Nov 2026 18:41:16 +0900 (JST)",
        );
        assert_eq!(hop.from, Some(Captured::from("mail.example.jp")));
        assert_eq!(hop.by, Some(Captured::from("mx.example.com")));
        assert_eq!(hop.with, Some(Captured::from("ESMTPS")));
        assert_eq!(hop.date, Some(1_795_426_876));
        let local = parse_hop(b"by mx.example.com (Postfix, from userid 1000) id 1A2B; bad date");
        assert_eq!(local.from, None);
        assert_eq!(local.by, Some(Captured::from("mx.example.com")));
        assert_eq!(local.date, None);
    }

    proptest! {
        /// A comment stands between words as white space does.
        #[test]
        fn a_hop_is_the_same_with_white_space_for_comments(
            pieces in prop::collection::vec(
                prop::sample::select(vec!["from", "by", "with", "id", "a", "B.c", " ", "\t", "(x", ")", "\"", "\\", ";", "\u{e9}"]), 0..16,
            ),
        ) {
            let body = pieces.concat().into_bytes();
            let mut plain = Vec::new();
            for run in Lexer::new(&body) {
                match run.place {
                    Place::Comment => plain.resize(plain.len() + run.octets.len(), b' '),
                    _ => plain.extend_from_slice(run.octets),
                }
            }
            // Dates may hold comments, too, which are not looked for here.
            prop_assert_eq!(Hop { date: None, ..parse_hop(&body) }, Hop { date: None, ..parse_hop(&plain) });
        }
    }
}
