//! Turns the octets of one message (dot-stuffing undone) into facts: header fields with every Japanese charset decoded,
//! MIME structure within limits, Received chain, end-to-end protection, delivery status. Streams: bodies are not kept.

mod decoder;
mod facts;

pub use decoder::Decoder;
pub use facts::{
    DeliveryStatus, HEADER_FIELDS, HEADER_OCTETS, HeaderDefect, HeaderField, Hop, MIME_DEPTH, MIME_PARTS, Mailbox,
    MessageFacts, Part, Protection,
};
