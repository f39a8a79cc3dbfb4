//! What was seen of one message (RFC 5322, MIME): header fields, structure, protection. Facts, no verdicts.

use crate::captured::Captured;

/// Octets of a header block kept.
pub const HEADER_OCTETS: usize = 100_000;
/// MIME parts kept of a message.
pub const MIME_PARTS: usize = 1000;
/// Depth of nested multiparts that is followed.
pub const MIME_DEPTH: usize = 100;

/// An address of a header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// Display name, decoded.
    pub name: Option<Captured>,
    /// addr-spec as sent.
    pub address: Captured,
}

/// Defects of the header (catalogue `msg-header-defect`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HeaderDefect {
    /// No From field.
    MissingFrom,
    /// No Date field.
    MissingDate,
    /// No Message-ID field.
    MissingMessageId,
    /// A field that may stand once stands more often: From, Sender, Reply-To, To, Cc, Subject, Date, Message-ID.
    Repeated(Captured),
    /// From has several addresses and there is no Sender (RFC 5322, section 3.6.2).
    SeveralFromWithoutSender,
    /// Octets of 0x80 and above in the header.
    RawEightBit,
    /// A line that is no field and no continuation.
    NotAField,
    /// No empty line between header and body, or no header at all.
    NoSeparator,
    /// The header is longer than [`HEADER_OCTETS`].
    TooLong,
}

/// One Received field (RFC 5321, section 4.4), newest first as in the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// "from" clause's first word.
    pub from: Option<Captured>,
    /// "by" clause's first word.
    pub by: Option<Captured>,
    /// "with" keyword: SMTP, ESMTP, ESMTPS, ESMTPSA, LMTP … (RFC 3848).
    pub with: Option<Captured>,
    /// Seconds since the epoch of its date, where it could be read.
    pub date: Option<i64>,
}

/// A MIME part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Nesting depth; 0 for the message itself.
    pub depth: u16,
    /// "type/subtype" in lower case; "text/plain" where absent.
    pub content_type: Captured,
    /// File name of Content-Disposition or Content-Type, decoded (RFC 2231, RFC 2047).
    pub file_name: Option<Captured>,
    /// Content-Disposition is attachment, or a file name is given.
    pub attachment: bool,
    /// Content-Transfer-Encoding in lower case.
    pub transfer_encoding: Option<Captured>,
    /// Octets of the encoded body.
    pub encoded_octets: u64,
    /// It is a ZIP whose first entry is encrypted; `Some(true)` with AES.
    pub encrypted_zip: Option<bool>,
}

/// How a message is protected end to end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Protection {
    /// S/MIME enveloped or authenticated-enveloped data.
    SmimeEncrypted,
    /// S/MIME opaque signed data.
    SmimeSignedOpaque,
    /// multipart/signed with a PKCS #7 signature: readable.
    SmimeSigned,
    /// multipart/encrypted, PGP/MIME.
    PgpEncrypted,
    /// multipart/signed with a PGP signature: readable.
    PgpSigned,
    /// "-----BEGIN PGP MESSAGE-----" in a text.
    PgpInline,
}

/// One recipient's part of a delivery status notification (RFC 3464, section 2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryStatus {
    /// Final-Recipient, address part.
    pub final_recipient: Captured,
    /// Action: failed, delayed, delivered, relayed, expanded.
    pub action: Captured,
    /// Status: an enhanced status code.
    pub status: Captured,
    /// Remote-MTA, name part.
    pub remote_mta: Option<Captured>,
    /// Diagnostic-Code, text part.
    pub diagnostic: Option<Captured>,
}

/// Everything known of one message seen in clear.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct MessageFacts {
    /// From mailboxes.
    pub from: Vec<Mailbox>,
    /// Sender.
    pub sender: Option<Mailbox>,
    /// Reply-To.
    pub reply_to: Vec<Mailbox>,
    /// To and Cc together, at most 100.
    pub recipients: Vec<Mailbox>,
    /// Subject, decoded.
    pub subject: Option<Captured>,
    /// Date as sent.
    pub date: Option<Captured>,
    /// Message-ID as sent.
    pub message_id: Option<Captured>,
    /// List-Id or List-Unsubscribe is present: a mailing list.
    pub mailing_list: bool,
    /// Auto-Submitted as sent, or Precedence: bulk.
    pub auto_submitted: Option<Captured>,
    /// Authentication-Results fields as sent, at most 8.
    pub authentication_results: Vec<Captured>,
    /// Received fields, newest first, at most 200.
    pub hops: Vec<Hop>,
    /// Number of Received fields.
    pub received_count: u32,
    /// Header defects.
    pub defects: Vec<HeaderDefect>,
    /// MIME parts, the first [`MIME_PARTS`], in order.
    pub parts: Vec<Part>,
    /// Parts that were not kept.
    pub parts_not_kept: u64,
    /// Nesting went deeper than [`MIME_DEPTH`].
    pub too_deep: bool,
    /// End-to-end protection.
    pub protection: Option<Protection>,
    /// The message is a delivery status notification (multipart/report).
    pub delivery_statuses: Vec<DeliveryStatus>,
    /// Recipients of a notification that were not kept.
    pub delivery_statuses_not_kept: u64,
    /// report-type of a multipart/report: "delivery-status", "disposition-notification", "feedback-report".
    pub report_type: Option<Captured>,
    /// The whole header was seen.
    pub header_complete: bool,
    /// Octets of the body, as far as seen.
    pub body_octets: u64,
    /// Octets missing in gaps.
    pub missing: u64,
    /// 64-bit hash of the body's octets, for telling the same message again (not for security).
    pub body_hash: u64,
    /// The body's text, kept only where the run was asked to (`--show-body`), at most 64 KiB.
    pub text: Option<Captured>,
}
