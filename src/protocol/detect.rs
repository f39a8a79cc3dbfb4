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

/// How commands begin that only SMTP or LMTP has.
const SMTP_COMMANDS: [[u8; 4]; 14] = [
    *b"EHLO", *b"HELO", *b"LHLO", *b"MAIL", *b"RCPT", *b"DATA", *b"BDAT", *b"VRFY", *b"EXPN", *b"XCLI", *b"XFOR",
    *b"PROX", *b"ETRN", *b"HELP",
];
/// How commands begin that only POP3 has.
const POP3_COMMANDS: [[u8; 4]; 10] = [
    *b"USER", *b"PASS", *b"APOP", *b"CAPA", *b"STLS", *b"STAT", *b"RETR", *b"UIDL", *b"TOP ", *b"DELE",
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
    if bytes.starts_with(b"\r\n\r\n\0\r\nQUIT\n") {
        return First::Smtp;
    }
    if let Some(word) = bytes.first_chunk::<4>() {
        let word = word.map(|octet| octet.to_ascii_uppercase());
        if SMTP_COMMANDS.contains(&word) {
            return First::Smtp;
        }
        if POP3_COMMANDS.contains(&word) {
            return First::Pop3;
        }
    }
    let end = bytes.iter().take(ENOUGH).position(|byte| matches!(byte, b'\r' | b'\n'));
    let line = bytes.get(..end.unwrap_or(bytes.len()).min(ENOUGH)).unwrap_or_default();
    if end.is_none() && bytes.len() < ENOUGH {
        First::NeedMore
    } else if second_word_is_imap(line) {
        First::Imap
    } else {
        First::Unclear
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_tell_their_protocol_in_any_case_when_four_letters_are_there() {
        let told = |bytes: &[u8]| first(Direction::ToServer, bytes);
        let smtp = SMTP_COMMANDS.map(|word| (word, First::Smtp));
        let pop3 = POP3_COMMANDS.map(|word| (word, First::Pop3));
        for (word, protocol) in smtp.into_iter().chain(pop3) {
            assert_eq!(told(&word), protocol);
            assert_eq!(told(&word.to_ascii_lowercase()), protocol);
            assert_eq!(told(&[&word[..], b"X y\r\n"].concat()), protocol);
            assert_eq!(told(&word[..3]), First::NeedMore);
            assert_eq!(told(&[&word[..3], b"\r\n"].concat()), First::Unclear);
            assert_eq!(told(&[b" ", &word[..], b"\n"].concat()), First::Unclear);
        }
        for (line, protocol) in [
            (&b"a1 capability\r\n"[..], First::Imap),
            (b"a1 CAPABILITY", First::NeedMore),
            (b"QUIT\r\n", First::Unclear),
            (b"a \n", First::Unclear),
            (&[b'a'; ENOUGH], First::Unclear),
            (b"", First::NeedMore),
        ] {
            assert_eq!(told(line), protocol, "{}", line.escape_ascii());
        }
    }
}
