//! The mailbox list of an address field (RFC 5322, section 3.4) → mailboxes; groups are flattened, source routes dropped.

use std::borrow::Cow;

use memchr::{memchr, memchr3};

use crate::captured::Captured;

use super::facts::Mailbox;
use super::lexer::{Lexer, Place, is_plain, plain_octets, unquote, without_comments};
use super::words::{cut, decode_text};

/// Octets kept of an address.
const ADDRESS_OCTETS: usize = 512;
/// Octets kept of a display name, as UTF-8.
const NAME_OCTETS: usize = 512;

/// Adds the mailboxes of one field body, names decoded, to `mailboxes`, which become at most `most`.
pub fn parse_mailboxes(body: &[u8], most: usize, mailboxes: &mut Vec<Mailbox>) {
    if mailboxes.len() >= most {
        return;
    }
    // Most fields have one.
    mailboxes.reserve_exact(1);
    if is_plain(body) && memchr3(b',', b';', b':', body).is_none() {
        let angle = memchr(b'<', body);
        let end = angle.and_then(|open| Some(open + memchr(b'>', body.get(open..)?)?));
        mailboxes.extend(mailbox(body, 0..body.len(), angle, end));
        return;
    }
    parse_list(body, most, mailboxes);
}

/// The same for any body.
fn parse_list(body: &[u8], most: usize, mailboxes: &mut Vec<Mailbox>) {
    let mut start = 0;
    let mut angle: Option<usize> = None;
    let mut angle_end: Option<usize> = None;
    let syntax = plain_octets(body, |octet| matches!(octet, b'<' | b'>' | b':' | b',' | b';'));
    for (index, octet) in syntax.chain([(body.len(), b',')]) {
        let open = angle.filter(|_| angle_end.is_none());
        match octet {
            b'<' if angle.is_none() => angle = Some(index),
            b'>' if open.is_some() => angle_end = Some(index),
            b':' if angle.is_none() => start = index + 1,
            b',' | b';' => {
                // A comma inside of angle brackets belongs to a source route "<@a,@b:user@c>".
                let in_route = open.is_some_and(|open| body.get(open + 1) == Some(&b'@')) && index < body.len();
                if in_route {
                    continue;
                }
                mailboxes.extend(mailbox(body, start..index, angle, angle_end));
                if mailboxes.len() >= most {
                    break;
                }
                start = index + 1;
                angle = None;
                angle_end = None;
            }
            _ => {}
        }
    }
}

fn mailbox(
    body: &[u8],
    range: std::ops::Range<usize>,
    angle: Option<usize>,
    angle_end: Option<usize>,
) -> Option<Mailbox> {
    let (name, address) = match angle {
        Some(open) => {
            let phrase = body.get(range.start..open)?.trim_ascii();
            let inside = body.get(open + 1..angle_end.unwrap_or(range.end))?.trim_ascii();
            (display_name(phrase), Cow::Borrowed(without_route(inside)))
        }
        None => {
            let whole = body.get(range)?;
            (comment(whole), Cow::Owned(without_comments(whole)))
        }
    };
    if address.is_empty() && name.is_none() {
        return None;
    }
    let kept = address.get(..address.len().min(ADDRESS_OCTETS))?;
    Some(Mailbox {
        name,
        address: Captured::new(kept),
    })
}

fn without_route(inside: &[u8]) -> &[u8] {
    if inside.first() != Some(&b'@') {
        return inside;
    }
    let colon = memchr(b':', inside).map_or(0, |at| at + 1);
    inside.get(colon..).unwrap_or(inside)
}

fn display_name(phrase: &[u8]) -> Option<Captured> {
    let phrase = if is_plain(phrase) {
        Cow::Borrowed(phrase)
    } else {
        Cow::Owned(unquote(phrase))
    };
    let text = decode_text(&phrase);
    let trimmed = text.trim();
    (!trimmed.is_empty()).then(|| Captured::from(cut(trimmed, NAME_OCTETS)))
}

/// The name in a comment: "user@host (Name)", the form of old mailers.
fn comment(whole: &[u8]) -> Option<Captured> {
    let mut comments = Lexer::new(whole).filter(|run| run.place == Place::Comment);
    let first = comments.next()?;
    let last = comments.last().unwrap_or(first);
    let (first, last) = (first.start, last.start + last.octets.len() - 1);
    let text = decode_text(whole.get(first + 1..last)?);
    let trimmed = text.trim();
    (!trimmed.is_empty()).then(|| Captured::from(cut(trimmed, NAME_OCTETS)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(body: &[u8]) -> Vec<(String, String)> {
        let mut mailboxes = Vec::new();
        parse_mailboxes(body, 100, &mut mailboxes);
        mailboxes
            .iter()
            .map(|mailbox| {
                let name = mailbox.name.as_ref().and_then(Captured::utf8).unwrap_or_default();
                (name.to_owned(), mailbox.address.utf8().unwrap().to_owned())
            })
            .collect()
    }

    #[test]
    #[allow(clippy::type_complexity, reason = "a table")]
    fn mailboxes_of_every_form_are_read() {
        let pair = |name: &str, address: &str| (name.to_owned(), address.to_owned());
        let table: Vec<(&[u8], Vec<(String, String)>)> = vec![
            (b"a@example.jp", vec![pair("", "a@example.jp")]),
            (b"<a@example.jp>", vec![pair("", "a@example.jp")]),
            (
                b"\"Last, First\" <a@b>, c@d (C (nested) D)",
                vec![pair("Last, First", "a@b"), pair("C (nested) D", "c@d")],
            ),
            (
                b"friends: a@b, B <c@d>;, e@f",
                vec![pair("", "a@b"), pair("B", "c@d"), pair("", "e@f")],
            ),
            (b"undisclosed-recipients:;", vec![]),
            (b"X <@relay,@other:a@b>, y@z", vec![pair("X", "a@b"), pair("", "y@z")]),
            (
                b"=?ISO-2022-JP?B?GyRCO1ZFRBsoQg==?= <y@example.jp>",
                vec![pair("\u{5fd7}\u{7530}", "y@example.jp")],
            ),
            (
                b"\x1b$B;3ED\x1b(B <y@example.jp>, z@b",
                vec![pair("\u{5c71}\u{7530}", "y@example.jp"), pair("", "z@b")],
            ),
            (
                b"Bcc <unclosed@b, c@d",
                vec![pair("Bcc", "unclosed@b"), pair("", "c@d")],
            ),
            (b"\"a \\\"b\\\" c\" <d@e>", vec![pair("a \"b\" c", "d@e")]),
            (b"", vec![]),
            (b",,;", vec![]),
        ];
        for (body, expected) in table {
            assert_eq!(read(body), expected, "{}", body.escape_ascii());
        }
    }

    #[test]
    fn no_more_mailboxes_are_kept_than_asked() {
        let body = "a@b,".repeat(500);
        let mut mailboxes = Vec::new();
        parse_mailboxes(body.as_bytes(), 100, &mut mailboxes);
        assert_eq!(mailboxes.len(), 100);
        parse_mailboxes(body.as_bytes(), 101, &mut mailboxes);
        assert_eq!(mailboxes.len(), 101);
        parse_mailboxes(body.as_bytes(), 101, &mut mailboxes);
        assert_eq!(mailboxes.len(), 101);
    }

    proptest! {
        #[test]
        fn one_mailbox_is_what_is_found_in_a_list(
            pieces in prop::collection::vec(
                prop::sample::select(vec!["a", "b@c.example", " ", "<", ">", "@", "\\", "(x)", "\"", ",", ":", "=?UTF-8?Q?=E9?=", "\u{e9}"]), 0..8,
            ),
        ) {
            let body = pieces.concat().into_bytes();
            let (mut found, mut expected) = (Vec::new(), Vec::new());
            parse_mailboxes(&body, 10, &mut found);
            parse_list(&body, 10, &mut expected);
            prop_assert_eq!(found, expected);
        }
    }
}
