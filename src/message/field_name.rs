//! The header fields that say something here: names as sent → [`FieldName`]. Any other field is passed over.

/// A field that is read (RFC 5322, RFC 2045 and others).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldName {
    /// From.
    From,
    /// Sender.
    Sender,
    /// Reply-To.
    ReplyTo,
    /// To.
    To,
    /// Cc.
    Cc,
    /// Subject.
    Subject,
    /// Date.
    Date,
    /// Message-ID.
    MessageId,
    /// List-Id (RFC 2919).
    ListId,
    /// List-Unsubscribe (RFC 2369).
    ListUnsubscribe,
    /// Auto-Submitted (RFC 3834).
    AutoSubmitted,
    /// Precedence (RFC 2076).
    Precedence,
    /// Authentication-Results (RFC 8601).
    AuthenticationResults,
    /// Received (RFC 5321, section 4.4).
    Received,
    /// Content-Type.
    ContentType,
    /// Content-Disposition (RFC 2183).
    ContentDisposition,
    /// Content-Transfer-Encoding.
    ContentTransferEncoding,
}

impl FieldName {
    /// The field with this name, in any case. But for two, no names of one length begin with the same letter.
    pub fn of(name: &[u8]) -> Option<Self> {
        let first = name.first()?.to_ascii_lowercase();
        // As most write it.
        let (text, field): (&[u8], Self) = match (name.len(), first) {
            (2, b't') => (b"To", Self::To),
            (2, b'c') => (b"Cc", Self::Cc),
            (4, b'f') => (b"From", Self::From),
            (4, b'd') => (b"Date", Self::Date),
            (6, b's') => (b"Sender", Self::Sender),
            (7, b's') => (b"Subject", Self::Subject),
            (7, b'l') => (b"List-Id", Self::ListId),
            (8, b'r') if matches!(name.get(2), Some(b'p' | b'P')) => (b"Reply-To", Self::ReplyTo),
            (8, b'r') => (b"Received", Self::Received),
            (10, b'm') => (b"Message-ID", Self::MessageId),
            (10, b'p') => (b"Precedence", Self::Precedence),
            (12, b'c') => (b"Content-Type", Self::ContentType),
            (14, b'a') => (b"Auto-Submitted", Self::AutoSubmitted),
            (16, b'l') => (b"List-Unsubscribe", Self::ListUnsubscribe),
            (19, b'c') => (b"Content-Disposition", Self::ContentDisposition),
            (22, b'a') => (b"Authentication-Results", Self::AuthenticationResults),
            (25, b'c') => (b"Content-Transfer-Encoding", Self::ContentTransferEncoding),
            _ => return None,
        };
        (name == text || name.eq_ignore_ascii_case(text)).then_some(field)
    }

    /// One bit for each.
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_any_case() {
        let names = [
            ("From", FieldName::From),
            ("Sender", FieldName::Sender),
            ("Reply-To", FieldName::ReplyTo),
            ("To", FieldName::To),
            ("Cc", FieldName::Cc),
            ("Subject", FieldName::Subject),
            ("Date", FieldName::Date),
            ("Message-ID", FieldName::MessageId),
            ("List-Id", FieldName::ListId),
            ("List-Unsubscribe", FieldName::ListUnsubscribe),
            ("Auto-Submitted", FieldName::AutoSubmitted),
            ("Precedence", FieldName::Precedence),
            ("Authentication-Results", FieldName::AuthenticationResults),
            ("Received", FieldName::Received),
            ("Content-Type", FieldName::ContentType),
            ("Content-Disposition", FieldName::ContentDisposition),
            ("Content-Transfer-Encoding", FieldName::ContentTransferEncoding),
        ];
        let mut bits = 0;
        for (text, name) in names {
            for text in [text.to_owned(), text.to_uppercase(), text.to_lowercase()] {
                assert_eq!(FieldName::of(text.as_bytes()), Some(name), "{text}");
                assert_eq!(
                    FieldName::of(
                        text.replace('e', "x")
                            .replace('E', "X")
                            .replace(['c', 'C'], "x")
                            .as_bytes()
                    )
                    .is_none(),
                    text.to_lowercase().contains(['e', 'c']),
                    "{text}"
                );
                assert_eq!(FieldName::of(format!("{text}x").as_bytes()), None);
            }
            assert_eq!(bits & name.bit(), 0);
            bits |= name.bit();
        }
        assert_eq!(FieldName::of(b""), None);
    }
}
