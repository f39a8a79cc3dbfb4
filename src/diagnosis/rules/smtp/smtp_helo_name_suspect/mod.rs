//! The EHLO name on port 25 costs reputation.

use std::net::IpAddr;

use crate::diagnosis::Value;
use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Service, Session, Stage};

/// `smtp-helo-name-suspect`.
pub static RULE: Rule = Rule {
    slug: "smtp-helo-name-suspect",
    layer: Layer::Smtp,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 5321 4.1.1.1, 4.1.3, 4.1.4"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let (hello, name) = facts::hello_name(session)?;
    if is_usual(name.bytes()) {
        return None;
    }
    let text = name.utf8()?.trim();
    let tool = ["mail.example.com", "openssl.client.net"]
        .iter()
        .find(|tool| text.eq_ignore_ascii_case(tool));
    let kind = match tool {
        Some(_) => "name_of_tool",
        None if session.service != Service::Smtp || text.is_empty() => return None,
        None if is_address(text) => "name_bare_address",
        None if is_localhost(text) => "name_localhost",
        None if !text.contains('.') && !text.starts_with('[') => "name_unqualified",
        None if text.contains('_') => "name_underscore",
        None => return None,
    };
    Some(
        Finding::of(rule, Stage::Hello, Evidence::command(hello))
            .with("name", name)
            .with("kind", Value::Phrase(kind)),
    )
}

/// Seen at one look at its octets: it has a point, a letter that no address has, no underscore, and does not begin as one of
/// the names that are suspect.
fn is_usual(name: &[u8]) -> bool {
    let has = name.iter().fold(0, |has, octet| {
        has | KINDS.get(usize::from(*octet)).copied().unwrap_or(ODD)
    });
    let begin = name
        .first_chunk()
        .map(|four: &[u8; 4]| four.map(|octet| octet.to_ascii_lowercase()));
    has == POINT | LETTER && !matches!(begin.as_ref(), Some(b"mail" | b"open" | b"loca"))
}

/// A point; a letter that no address has; what stands in no name of a host. Other letters and digits are none of these.
const POINT: u8 = 1;
const LETTER: u8 = 2;
const ODD: u8 = 4;

static KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        kinds[octet] = match octet as u8 {
            b'.' => POINT,
            b'g'..=b'z' | b'G'..=b'Z' => LETTER,
            b'!'..=b'^' | b'a'..=b'~' => 0,
            _ => ODD,
        };
        octet += 1;
    }
    kinds
};

/// An address without brackets. Most names have a letter that none has.
fn is_address(name: &str) -> bool {
    name.bytes()
        .all(|octet| octet.is_ascii_hexdigit() || matches!(octet, b':' | b'.'))
        && name.parse::<IpAddr>().is_ok()
}

/// "localhost", "localhost.localdomain".
fn is_localhost(name: &str) -> bool {
    let (name, behind) = name.as_bytes().split_at(name.len().min("localhost".len()));
    name.eq_ignore_ascii_case(b"localhost") && matches!(behind.first(), None | Some(b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_name_is_none_that_is_suspect() {
        let usual = ["mx.example", "out55.sender.example", "h-1.example.co.jp", "x.y"];
        for name in usual {
            assert!(is_usual(name.as_bytes()), "{name}");
        }
        let suspect = [
            "",
            "pc",
            "192.0.2.1",
            "2001:db8::1",
            "::ffff:192.0.2.1",
            "LOCALHOST.localdomain",
            "a_b.example",
            "Mail.Example.com",
            "openssl.client.net",
            " mail.example.com",
            "mx.example ",
            "caf\u{e9}.example",
        ];
        for name in suspect {
            assert!(!is_usual(name.as_bytes()), "{name}");
        }
    }
}
