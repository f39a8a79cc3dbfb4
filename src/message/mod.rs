//! Turns the octets of one message (dot-stuffing undone) into facts: header fields with every Japanese charset decoded,
//! MIME structure within limits, Received chain, end-to-end protection, delivery status. Streams: bodies are not kept.
//! Compares nothing with the envelope and judges nothing.

mod address;
mod charset;
mod date;
mod decoder;
mod delivery_status;
mod facts;
mod field_name;
mod hash;
mod header;
mod leaf;
mod lexer;
mod parameter;
mod peek;
mod received;
mod structure;
#[cfg(test)]
mod tests;
mod transfer;
mod words;

pub use date::parse_date;
pub use decoder::Decoder;
pub use facts::{
    DeliveryStatus, HEADER_OCTETS, HeaderDefect, Hop, MIME_DEPTH, MIME_PARTS, Mailbox, MessageFacts, Part, Protection,
};
pub use transfer::{decode_base64, decode_quoted_printable};
pub use words::decode_text;
