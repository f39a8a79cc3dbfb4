//! One part without parts of its own → what its first octets and its type give away; its delivery status; its text, where
//! the run keeps texts. Keeps nothing else of the body.

use super::charset;
use super::delivery_status::StatusReader;
use super::facts::{MessageFacts, Protection};
use super::header::Entity;
use super::peek::{self, CryptographicMessage, PEEK_OCTETS};
use super::transfer::{decode_base64, decode_quoted_printable};
use super::words::cut;
use crate::captured::Captured;

/// Octets of text kept (`--show-body`).
pub const TEXT_OCTETS: usize = 65_536;
/// Encoded octets that are gathered for it: quoted-printable may take three for one.
const ENCODED_TEXT_OCTETS: usize = 3 * TEXT_OCTETS;

/// A part that is being read.
pub struct Leaf {
    /// Its place in the list of parts, where it is listed.
    part: Option<usize>,
    transfer_encoding: Vec<u8>,
    charset: Option<Vec<u8>>,
    start: Vec<u8>,
    text: Option<Vec<u8>>,
    status: Option<StatusReader>,
    /// It may be a CMS object whose kind its header does not say.
    may_be_cryptographic: bool,
    /// It is text, where a PGP message may stand.
    pub is_text: bool,
}

impl Leaf {
    /// A part with this header. `own`: it does not belong to a message within the message.
    pub fn new(entity: &Entity, part: Option<usize>, own: bool, keep_text: bool) -> Self {
        let content_type = entity.content_type.as_slice();
        let plain = content_type == b"text/plain" && !entity.attachment && own;
        let status = own && content_type.starts_with(b"message/") && content_type.ends_with(b"delivery-status");
        let named_cms = entity
            .file_name
            .as_ref()
            .is_some_and(|name| name.to_ascii_lowercase().ends_with(".p7m"));
        let typed_cms = matches!(content_type, b"application/pkcs7-mime" | b"application/x-pkcs7-mime");
        Self {
            part,
            transfer_encoding: entity.transfer_encoding.clone(),
            charset: entity.charset.clone(),
            start: Vec::new(),
            text: (plain && keep_text).then(Vec::new),
            status: status.then(StatusReader::default),
            may_be_cryptographic: own && entity.smime_type.is_empty() && (named_cms || typed_cms),
            is_text: own && content_type.starts_with(b"text/"),
        }
    }

    /// Takes octets of its body in any cutting.
    pub fn push(&mut self, bytes: &[u8], facts: &mut MessageFacts) {
        if self.start.len() < PEEK_OCTETS {
            append(&mut self.start, bytes, PEEK_OCTETS);
        }
        if let Some(text) = &mut self.text {
            append(text, bytes, ENCODED_TEXT_OCTETS);
        }
        if let Some(status) = &mut self.status {
            status.push(
                bytes,
                &mut facts.delivery_statuses,
                &mut facts.delivery_statuses_not_kept,
            );
        }
    }

    /// Approximate octets of memory held.
    pub fn weight(&self) -> usize {
        self.start.capacity() + self.text.as_ref().map_or(0, Vec::capacity)
    }

    /// Its body ended after `octets`.
    pub fn finish(mut self, octets: u64, facts: &mut MessageFacts) {
        if let Some(status) = &mut self.status {
            status.end_group(&mut facts.delivery_statuses, &mut facts.delivery_statuses_not_kept);
        }
        let start = peek::decode_start(&self.start, &self.transfer_encoding);
        if let Some(part) = self.part.and_then(|index| facts.parts.get_mut(index)) {
            part.encrypted_zip = peek::encrypted_zip(&start);
        }
        if self.may_be_cryptographic {
            match peek::cryptographic_message(&start) {
                Some(CryptographicMessage::Encrypted) => protect(facts, Protection::SmimeEncrypted),
                Some(CryptographicMessage::Signed) => protect(facts, Protection::SmimeSignedOpaque),
                None => {}
            }
        }
        if facts.text.is_none()
            && let Some(mut text) = self.text
        {
            // The line end in front of a delimiter belongs to the delimiter.
            text.truncate(usize::try_from(octets).unwrap_or(usize::MAX));
            let decoded = match self.transfer_encoding.as_slice() {
                b"base64" => decode_base64(&text),
                b"quoted-printable" => decode_quoted_printable(&text),
                _ => text,
            };
            let text = match &self.charset {
                Some(label) => charset::decode(label, &decoded),
                None => charset::guess(&decoded),
            };
            facts.text = Some(Captured::from(cut(&text, TEXT_OCTETS)));
        }
    }
}

fn append(kept: &mut Vec<u8>, bytes: &[u8], most: usize) {
    let space = most.saturating_sub(kept.len()).min(bytes.len());
    kept.extend_from_slice(bytes.get(..space).unwrap_or_default());
}

/// Notes a protection; encryption outranks a signature, else the first one counts.
pub fn protect(facts: &mut MessageFacts, protection: Protection) {
    let encrypts = |protection: Protection| {
        matches!(
            protection,
            Protection::SmimeEncrypted | Protection::PgpEncrypted | Protection::PgpInline
        )
    };
    let outranks = facts
        .protection
        .is_none_or(|before| encrypts(protection) && !encrypts(before));
    if outranks {
        facts.protection = Some(protection);
    }
}
