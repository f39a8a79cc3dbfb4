//! A header block (RFC 5322, section 2.2) → header fields and what they say of the message. Works on the block at once,
//! after [`super::Decoder`] found its end: at most [`HEADER_OCTETS`](super::HEADER_OCTETS) octets.

use std::borrow::Cow;

use crate::captured::Captured;

use super::address::parse_mailboxes;
use super::facts::{HEADER_FIELDS, HeaderDefect, HeaderField, MessageFacts};
use super::lexer::trim;
use super::parameter::Parameters;
use super::received::parse_hop;
use super::words::{cut, decode_text};

/// Octets kept of a field body as sent.
pub const RAW_OCTETS: usize = 2048;
/// Octets kept of a field body as text.
pub const TEXT_OCTETS: usize = 4096;
/// Mailboxes kept of a message's From, of its Reply-To, of its recipients.
pub const MAILBOXES: usize = 100;
/// Received fields kept.
pub const HOPS: usize = 200;
/// Authentication-Results fields kept.
pub const AUTHENTICATION_RESULTS: usize = 8;
/// Room made for the fields of a header at once.
const USUAL_FIELDS: usize = 16;
/// Octets kept of a field name.
const NAME_OCTETS: usize = 256;

/// A field, unfolded.
pub struct Field<'a> {
    /// Name as sent.
    pub name: &'a [u8],
    /// Body, trimmed.
    pub body: Cow<'a, [u8]>,
}

impl Field<'_> {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// True for a line that begins with a field name and a colon (obsolete blanks before the colon allowed).
pub fn is_field(line: &[u8]) -> bool {
    let Some(colon) = memchr::memchr(b':', line) else {
        return false;
    };
    let name = line.get(..colon).unwrap_or_default().trim_ascii_end();
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

/// Splits a block of field and continuation lines.
pub fn fields(block: &[u8]) -> Vec<Field<'_>> {
    let mut fields: Vec<Field<'_>> = Vec::with_capacity(USUAL_FIELDS);
    for line in lines(block) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.first().is_some_and(|octet| matches!(octet, b' ' | b'\t')) {
            if let Some(field) = fields.last_mut() {
                field.body.to_mut().extend_from_slice(line);
            }
        } else if let Some(colon) = memchr::memchr(b':', line) {
            let (name, body) = line.split_at(colon);
            fields.push(Field {
                name: name.trim_ascii_end(),
                body: Cow::Borrowed(body.get(1..).unwrap_or_default()),
            });
        }
    }
    for field in &mut fields {
        match &mut field.body {
            Cow::Borrowed(body) => *body = body.trim_ascii(),
            Cow::Owned(body) => trim(body),
        }
    }
    fields
}

/// The lines of a block without their LF, and what stands behind the last one.
fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    memchr::memchr_iter(b'\n', block)
        .chain([block.len()])
        .filter_map(move |end| block.get(std::mem::replace(&mut start, end + 1)..end))
}

/// What a header says of its body.
#[derive(Default)]
pub struct Entity {
    /// "type/subtype" in lower case, empty where absent.
    pub content_type: Vec<u8>,
    /// Boundary of a multipart.
    pub boundary: Option<Vec<u8>>,
    /// Charset parameter.
    pub charset: Option<Vec<u8>>,
    /// Protocol parameter of multipart/signed and multipart/encrypted, lower case.
    pub protocol: Vec<u8>,
    /// smime-type parameter, lower case.
    pub smime_type: Vec<u8>,
    /// report-type parameter, lower case.
    pub report_type: Option<Vec<u8>>,
    /// File name, decoded.
    pub file_name: Option<String>,
    /// Content-Disposition is attachment.
    pub attachment: bool,
    /// Content-Transfer-Encoding, lower case.
    pub transfer_encoding: Vec<u8>,
}

impl Entity {
    /// Reads the MIME fields among these; the first of each name counts.
    pub fn read(fields: &[Field<'_>]) -> Self {
        let find = |name: &str| fields.iter().find(|field| field.is(name)).map(|field| &*field.body);
        let mut entity = Self::default();
        if let Some(body) = find("Content-Type") {
            let parameters = Parameters::parse(body);
            let lower = |name: &str| parameters.raw(name).map(|value| value.to_ascii_lowercase());
            entity.boundary = parameters.raw("boundary").filter(|boundary| !boundary.is_empty());
            entity.charset = parameters.raw("charset");
            entity.protocol = lower("protocol").unwrap_or_default();
            entity.smime_type = lower("smime-type").unwrap_or_default();
            entity.report_type = lower("report-type");
            entity.file_name = parameters.text("name");
            entity.content_type = parameters.value;
        }
        if let Some(body) = find("Content-Disposition") {
            let parameters = Parameters::parse(body);
            entity.attachment = parameters.value == b"attachment";
            entity.file_name = parameters.text("filename").or(entity.file_name);
        }
        if let Some(body) = find("Content-Transfer-Encoding") {
            entity.transfer_encoding = Parameters::value_of(body);
            entity.transfer_encoding.truncate(64);
        }
        entity.content_type.truncate(128);
        entity.file_name = entity.file_name.filter(|name| !name.is_empty());
        entity
    }
}

/// Writes what the message's own header says into `facts`.
pub fn read_message_header(fields: &[Field<'_>], facts: &mut MessageFacts) {
    let room = HEADER_FIELDS.saturating_sub(facts.fields.len());
    facts.fields.reserve_exact(fields.len().min(room));
    for field in fields {
        if facts.fields.len() < HEADER_FIELDS {
            facts.fields.push(keep(field));
        } else {
            facts.fields_not_kept = facts.fields_not_kept.saturating_add(1);
        }
        note(field, facts);
    }
    let bulk = |field: &&Field<'_>| field.is("Precedence") && field.body.eq_ignore_ascii_case(b"bulk");
    if facts.auto_submitted.is_none()
        && let Some(field) = fields.iter().find(bulk)
    {
        facts.auto_submitted = Some(kept_raw(&field.body));
    }
}

fn kept_raw(body: &[u8]) -> Captured {
    Captured::new(body.get(..body.len().min(RAW_OCTETS)).unwrap_or_default())
}

fn kept_text(body: &[u8]) -> Captured {
    Captured::from(cut(&decode_text(body), TEXT_OCTETS))
}

fn keep(field: &Field<'_>) -> HeaderField {
    HeaderField {
        name: Captured::new(field.name.get(..field.name.len().min(NAME_OCTETS)).unwrap_or_default()),
        raw: kept_raw(&field.body),
        text: kept_text(&field.body),
    }
}

fn note(field: &Field<'_>, facts: &mut MessageFacts) {
    let body = &*field.body;
    match field.name.to_ascii_lowercase().as_slice() {
        b"from" => facts
            .from
            .extend(parse_mailboxes(body, MAILBOXES.saturating_sub(facts.from.len()))),
        b"sender" if facts.sender.is_none() => facts.sender = parse_mailboxes(body, 1).pop(),
        b"reply-to" => facts
            .reply_to
            .extend(parse_mailboxes(body, MAILBOXES.saturating_sub(facts.reply_to.len()))),
        b"to" | b"cc" => facts
            .recipients
            .extend(parse_mailboxes(body, MAILBOXES.saturating_sub(facts.recipients.len()))),
        b"subject" if facts.subject.is_none() => facts.subject = Some(kept_text(body)),
        b"date" if facts.date.is_none() => facts.date = Some(kept_raw(body)),
        b"message-id" if facts.message_id.is_none() => facts.message_id = Some(kept_raw(body)),
        b"list-id" | b"list-unsubscribe" => facts.mailing_list = true,
        b"auto-submitted" if facts.auto_submitted.is_none() => facts.auto_submitted = Some(kept_raw(body)),
        b"authentication-results" if facts.authentication_results.len() < AUTHENTICATION_RESULTS => {
            facts.authentication_results.push(kept_raw(body));
        }
        b"received" => {
            facts.received_count = facts.received_count.saturating_add(1);
            if facts.hops.len() < HOPS {
                if facts.hops.is_empty() {
                    facts.hops.reserve_exact(1);
                }
                facts.hops.push(parse_hop(body));
            }
        }
        _ => {}
    }
}

/// Fields that may stand once (RFC 5322, section 3.6).
const SINGLE: [&str; 8] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
];

/// Defects that the list of fields shows. `complete`: the whole header was seen, so what lacks is really absent.
pub fn note_defects(fields: &[Field<'_>], complete: bool, facts: &mut MessageFacts) {
    let count = |name: &str| fields.iter().filter(|field| field.is(name)).count();
    let missing = [
        ("From", HeaderDefect::MissingFrom),
        ("Date", HeaderDefect::MissingDate),
        ("Message-ID", HeaderDefect::MissingMessageId),
    ];
    for (name, defect) in missing {
        if complete && count(name) == 0 {
            facts.defects.push(defect);
        }
    }
    for name in SINGLE {
        if count(name) > 1 {
            facts.defects.push(HeaderDefect::Repeated(Captured::from(name)));
        }
    }
    if complete && facts.from.len() > 1 && count("Sender") == 0 {
        facts.defects.push(HeaderDefect::SeveralFromWithoutSender);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_cut_at_every_line_feed() {
        for block in ["", "\n", "a", "a\n", "\n\na\r\n b", "a: b\r\n\r\nc"] {
            let expected: Vec<&[u8]> = block.as_bytes().split(|octet| *octet == b'\n').collect();
            assert_eq!(lines(block.as_bytes()).collect::<Vec<_>>(), expected, "{block:?}");
        }
    }

    #[test]
    fn fields_are_unfolded_and_trimmed() {
        let found: Vec<(Vec<u8>, Vec<u8>)> = fields(b" stray\nA : b \r\nC:\r\n\td \n e \r\nnone\nF:g")
            .into_iter()
            .map(|field| (field.name.to_vec(), field.body.into_owned()))
            .collect();
        let expected = [("A", "b"), ("C", "d  e"), ("F", "g")];
        assert_eq!(found, expected.map(|(name, body)| (name.into(), body.into())));
    }
}
