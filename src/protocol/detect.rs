//! Tells the application protocol by its first octets. The port is a hint, content decides (catalogue P13).

use crate::protocol::tls::{Likeness, looks_like_record};
use crate::span::Direction;

/// What the first octets of one direction look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum First {
    /// Too few octets to tell.
    NeedMore,
    /// A TLS record or an SSL 2.0 ClientHello.
    Tls,
    /// An SMTP reply, an SMTP or LMTP command, or a PROXY header.
    Smtp,
    /// A POP3 status indicator or a command that only POP3 has.
    Pop3,
    /// An untagged IMAP response, or a tagged command.
    Imap,
    /// Text or octets that fit none of these, or several.
    Unclear,
}

/// Octets after which an unclear beginning stays unclear.
const ENOUGH: usize = 64;

/// Looks at the first octets of one direction.
pub(super) fn first(direction: Direction, bytes: &[u8]) -> First {
    match looks_like_record(bytes) {
        Likeness::Yes => return First::Tls,
        Likeness::NeedMore if !bytes.first().is_some_and(u8::is_ascii_graphic) => return First::NeedMore,
        _ => {}
    }
    match direction {
        Direction::ToClient => of_server(bytes),
        Direction::ToServer => of_client(bytes),
    }
}

fn of_server(bytes: &[u8]) -> First {
    match bytes {
        [
            b'2' | b'4' | b'5',
            b'0'..=b'9',
            b'0'..=b'9',
            b' ' | b'-' | b'\r' | b'\n',
            ..,
        ] => First::Smtp,
        [b'+', b'O', b'K', ..] | [b'-', b'E', b'R', b'R', ..] => First::Pop3,
        [b'*', b' ', ..] => First::Imap,
        _ if bytes.len() < 4 => First::NeedMore,
        _ => First::Unclear,
    }
}

/// All that SMTP clients begin with, by its first four letters.
const SMTP_COMMANDS: &[[u8; 4]] = &[
    *b"EHLO", *b"HELO", *b"LHLO", *b"MAIL", *b"RCPT", *b"DATA", *b"BDAT", *b"VRFY", *b"EXPN", *b"XCLI", *b"XFOR",
    *b"PROX", *b"ETRN", *b"HELP",
];
const POP3_COMMANDS: &[&str] = &[
    "USER", "PASS", "APOP", "CAPA", "STLS", "STAT", "RETR", "UIDL", "TOP ", "DELE",
];
const IMAP_COMMANDS: &[&str] = &[
    "CAPABILITY",
    "LOGIN",
    "AUTHENTICATE",
    "STARTTLS",
    "ID",
    "SELECT",
    "LIST",
    "NOOP",
    "LOGOUT",
    "EXAMINE",
    "UID",
    "FETCH",
    "IDLE",
    "NAMESPACE",
    "STATUS",
    "ENABLE",
    "COMPRESS",
];

fn of_client(bytes: &[u8]) -> First {
    let start = bytes
        .first_chunk::<4>()
        .map(|start| start.map(|letter| letter.to_ascii_uppercase()));
    if start.is_some_and(|start| SMTP_COMMANDS.contains(&start)) || bytes.starts_with(b"\r\n\r\n\0\r\nQUIT\n") {
        return First::Smtp;
    }
    let end = bytes.iter().take(ENOUGH).position(|byte| matches!(byte, b'\r' | b'\n'));
    let line = bytes.get(..end.unwrap_or(bytes.len()).min(ENOUGH)).unwrap_or_default();
    let complete = end.is_some() || bytes.len() >= ENOUGH;
    let begins = |words: &[&str]| {
        words.iter().any(|word| {
            line.get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
        })
    };
    if begins(POP3_COMMANDS) {
        First::Pop3
    } else if complete && second_word_is_imap(line) {
        First::Imap
    } else if complete {
        First::Unclear
    } else {
        First::NeedMore
    }
}

fn second_word_is_imap(line: &[u8]) -> bool {
    let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let Some(tag) = words.next() else { return false };
    let Some(command) = words.next() else { return false };
    tag.len() <= 32
        && tag.iter().all(u8::is_ascii_alphanumeric)
        && IMAP_COMMANDS
            .iter()
            .any(|known| command.eq_ignore_ascii_case(known.as_bytes()))
}
