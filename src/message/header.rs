//! A header block (RFC 5322, section 2.2) → header fields and what they say of the message. Works on the block at once,
//! after [`super::Decoder`] found its end: at most [`HEADER_OCTETS`](super::HEADER_OCTETS) octets.

use std::borrow::Cow;

use crate::captured::Captured;

use super::address::parse_mailboxes;
use super::facts::{HeaderDefect, MessageFacts};
use super::field_name::FieldName;
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

/// A field that says something, unfolded.
pub struct Field<'a> {
    /// Which one.
    pub name: FieldName,
    /// Body, trimmed.
    pub body: Cow<'a, [u8]>,
}

/// True for a line that begins with a field name and a colon (obsolete blanks before the colon allowed).
pub fn is_field(line: &[u8]) -> bool {
    let Some(colon) = memchr::memchr(b':', line) else {
        return false;
    };
    let name = line.get(..colon).unwrap_or_default().trim_ascii_end();
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

/// Splits a block of field and continuation lines; gives the fields that say something.
pub fn fields(block: &[u8]) -> Vec<Field<'_>> {
    let mut fields: Vec<Field<'_>> = Vec::with_capacity(USUAL_FIELDS);
    // The last field is one of these.
    let mut open = false;
    for line in lines(block) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.first().is_some_and(|octet| matches!(octet, b' ' | b'\t')) {
            if let Some(field) = fields.last_mut().filter(|_| open) {
                match &mut field.body {
                    Cow::Borrowed(first) => field.body = Cow::Owned([*first, line].concat()),
                    Cow::Owned(body) => body.extend_from_slice(line),
                }
            }
        } else if let Some(colon) = memchr::memchr(b':', line) {
            let (name, body) = line.split_at(colon);
            let name = FieldName::of(name.trim_ascii_end());
            open = name.is_some();
            fields.extend(name.map(|name| Field {
                name,
                body: Cow::Borrowed(body.get(1..).unwrap_or_default()),
            }));
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
        let find = |name| fields.iter().find(|field| field.name == name).map(|field| &*field.body);
        let mut entity = Self::default();
        if let Some(body) = find(FieldName::ContentType) {
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
        if let Some(body) = find(FieldName::ContentDisposition) {
            let parameters = Parameters::parse(body);
            entity.attachment = parameters.value == b"attachment";
            entity.file_name = parameters.text("filename").or(entity.file_name);
        }
        if let Some(body) = find(FieldName::ContentTransferEncoding) {
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
    for field in fields {
        note(field, facts);
    }
    let bulk = |field: &&Field<'_>| field.name == FieldName::Precedence && field.body.eq_ignore_ascii_case(b"bulk");
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

fn note(field: &Field<'_>, facts: &mut MessageFacts) {
    let body = &*field.body;
    match field.name {
        FieldName::From => parse_mailboxes(body, MAILBOXES, &mut facts.from),
        FieldName::Sender if facts.sender.is_none() => {
            let mut senders = Vec::new();
            parse_mailboxes(body, 1, &mut senders);
            facts.sender = senders.pop();
        }
        FieldName::ReplyTo => parse_mailboxes(body, MAILBOXES, &mut facts.reply_to),
        FieldName::To | FieldName::Cc => parse_mailboxes(body, MAILBOXES, &mut facts.recipients),
        FieldName::Subject if facts.subject.is_none() => facts.subject = Some(kept_text(body)),
        FieldName::Date if facts.date.is_none() => facts.date = Some(kept_raw(body)),
        FieldName::MessageId if facts.message_id.is_none() => facts.message_id = Some(kept_raw(body)),
        FieldName::ListId | FieldName::ListUnsubscribe => facts.mailing_list = true,
        FieldName::AutoSubmitted if facts.auto_submitted.is_none() => facts.auto_submitted = Some(kept_raw(body)),
        FieldName::AuthenticationResults if facts.authentication_results.len() < AUTHENTICATION_RESULTS => {
            facts.authentication_results.push(kept_raw(body));
        }
        FieldName::Received => {
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
const SINGLE: [(FieldName, &str); 8] = [
    (FieldName::From, "From"),
    (FieldName::Sender, "Sender"),
    (FieldName::ReplyTo, "Reply-To"),
    (FieldName::To, "To"),
    (FieldName::Cc, "Cc"),
    (FieldName::Subject, "Subject"),
    (FieldName::Date, "Date"),
    (FieldName::MessageId, "Message-ID"),
];

/// Defects that the list of fields shows. `complete`: the whole header was seen, so what lacks is really absent.
pub fn note_defects(fields: &[Field<'_>], complete: bool, facts: &mut MessageFacts) {
    let (mut seen, mut repeated) = (0_u32, 0_u32);
    for field in fields {
        repeated |= seen & field.name.bit();
        seen |= field.name.bit();
    }
    let lacks = |name: FieldName| complete && seen & name.bit() == 0;
    let missing = [
        (FieldName::From, HeaderDefect::MissingFrom),
        (FieldName::Date, HeaderDefect::MissingDate),
        (FieldName::MessageId, HeaderDefect::MissingMessageId),
    ];
    let missing = missing.into_iter().filter(|(name, _)| lacks(*name));
    facts.defects.extend(missing.map(|(_, defect)| defect));
    let repeated = SINGLE.into_iter().filter(|(name, _)| repeated & name.bit() != 0);
    facts
        .defects
        .extend(repeated.map(|(_, name)| HeaderDefect::Repeated(Captured::from(name))));
    if lacks(FieldName::Sender) && facts.from.len() > 1 {
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
        let found: Vec<(FieldName, Vec<u8>)> =
            fields(b" stray\nTo : b \r\nX:\r\n y\nCC:\r\n\td \n e \r\nnone\nsubject:g")
                .into_iter()
                .map(|field| (field.name, field.body.into_owned()))
                .collect();
        let expected = [(FieldName::To, "b"), (FieldName::Cc, "d  e"), (FieldName::Subject, "g")];
        assert_eq!(found, expected.map(|(name, body)| (name, body.into())));
    }
}
