//! A Received field (RFC 5321, section 4.4) → one hop: who from, who by, with what protocol, when.

use memchr::memrchr;

use crate::captured::Captured;

use super::date::parse_date;
use super::facts::Hop;
use super::lexer::{Lexer, Place};

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
    let mut plain = Vec::with_capacity(body.len());
    let mut semicolon = None;
    for run in Lexer::new(body) {
        match run.place {
            Place::Comment => plain.resize(plain.len() + run.octets.len(), b' '),
            _ => plain.extend_from_slice(run.octets),
        }
        if run.place == Place::Plain
            && let Some(last) = memrchr(b';', run.octets)
        {
            semicolon = Some(run.start + last);
        }
    }
    let clauses = match semicolon {
        Some(index) => {
            hop.date = body.get(index + 1..).and_then(parse_date);
            plain.get(..index).unwrap_or_default()
        }
        None => plain.as_slice(),
    };
    let mut words = clauses.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        let is = |clause: &str| word.eq_ignore_ascii_case(clause.as_bytes());
        let target = if is("from") {
            &mut hop.from
        } else if is("by") {
            &mut hop.by
        } else if is("with") {
            &mut hop.with
        } else {
            if is("id") || is("for") || is("via") {
                words.next();
            }
            continue;
        };
        if target.is_none() {
            *target = words
                .next()
                .map(|value| Captured::new(value.get(..value.len().min(WORD_OCTETS)).unwrap_or_default()));
        }
    }
    hop
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
