//! The body of a message/delivery-status part (RFC 3464) → one fact for each recipient. Streams line by line; never keeps
//! more than one group of fields.

use crate::captured::Captured;

use super::facts::DeliveryStatus;
use super::words::{cut, decode_text};

/// Recipients kept.
pub const RECIPIENTS: usize = 1000;
/// Octets kept of one recipient's group of fields; what is longer is cut.
const GROUP_OCTETS: usize = 16_384;
/// Octets kept of each value.
const VALUE_OCTETS: usize = 1024;

/// Reads one part.
#[derive(Debug, Default)]
pub struct StatusReader {
    /// Lines of the current group, unfolded by joining, each ended by LF.
    group: Vec<u8>,
    /// Nothing of the current line was seen yet but CR.
    line_is_empty: bool,
    started: bool,
}

impl StatusReader {
    /// Takes octets in any cutting; finished groups go to `facts`, what is over [`RECIPIENTS`] to `not_kept`.
    pub fn push(&mut self, bytes: &[u8], facts: &mut Vec<DeliveryStatus>, not_kept: &mut u64) {
        if !self.started {
            self.started = true;
            self.line_is_empty = true;
        }
        for piece in bytes.split_inclusive(|&octet| octet == b'\n') {
            let (text, ended) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            if text.iter().any(|octet| *octet != b'\r') {
                self.line_is_empty = false;
            }
            let space = GROUP_OCTETS.saturating_sub(self.group.len());
            self.group
                .extend_from_slice(piece.get(..piece.len().min(space)).unwrap_or_default());
            if ended {
                if self.line_is_empty {
                    self.end_group(facts, not_kept);
                }
                self.line_is_empty = true;
            }
        }
    }

    /// The part ended.
    pub fn end_group(&mut self, facts: &mut Vec<DeliveryStatus>, not_kept: &mut u64) {
        if let Some(status) = read_group(&self.group) {
            if facts.len() < RECIPIENTS {
                facts.push(status);
            } else {
                *not_kept = not_kept.saturating_add(1);
            }
        }
        self.group.clear();
    }
}

fn read_group(group: &[u8]) -> Option<DeliveryStatus> {
    let fields = unfold(group);
    let value = |name: &str| {
        fields
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value.as_slice())
    };
    let final_recipient = value("Final-Recipient").or_else(|| value("Original-Recipient"));
    // The first group speaks of the message, not of a recipient.
    if final_recipient.is_none() && value("Action").is_none() {
        return None;
    }
    let kept = |value: &[u8]| Captured::from(cut(&decode_text(value), VALUE_OCTETS));
    Some(DeliveryStatus {
        final_recipient: kept(behind_type(final_recipient.unwrap_or_default())),
        action: kept(&value("Action").unwrap_or_default().to_ascii_lowercase()),
        status: kept(value("Status").map_or(b"".as_slice(), first_word)),
        remote_mta: value("Remote-MTA").map(|value| kept(behind_type(value))),
        diagnostic: value("Diagnostic-Code").map(|value| kept(behind_type(value))),
    })
}

fn first_word(value: &[u8]) -> &[u8] {
    value
        .split(|octet| octet.is_ascii_whitespace() || *octet == b'(')
        .next()
        .unwrap_or_default()
}

/// "rfc822; user@host" without its type.
fn behind_type(value: &[u8]) -> &[u8] {
    memchr::memchr(b';', value)
        .and_then(|at| value.get(at + 1..))
        .unwrap_or(value)
        .trim_ascii()
}

fn unfold(group: &[u8]) -> Vec<(&[u8], Vec<u8>)> {
    let mut fields: Vec<(&[u8], Vec<u8>)> = Vec::new();
    for line in group.split(|&octet| octet == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.first().is_some_and(u8::is_ascii_whitespace) {
            if let Some((_, value)) = fields.last_mut() {
                value.push(b' ');
                value.extend_from_slice(line.trim_ascii());
            }
        } else if let Some(colon) = memchr::memchr(b':', line) {
            let (name, value) = line.split_at(colon);
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            fields.push((name.trim_ascii(), value.to_vec()));
        }
    }
    fields
}
