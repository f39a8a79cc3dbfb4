//! Turns ordered octet streams into what was said: `detect` tells the protocol by content, `conversation` owns both
//! streams of a connection and hands them over from plaintext to TLS at the right octet; one folder for each protocol.
//! The protocol folders never name each other. Decoders never fail: they yield what they understood, and say what not.

mod conversation;
mod detect;
pub mod imap;
pub mod line;
pub mod pop3;
pub mod retrieval;
mod seen;
pub mod smtp;
pub mod tls;
mod upgrade;

pub use conversation::{Conversation, Expected, Spoken};
pub use seen::Seen;
pub use upgrade::{Progress, Retention, Upgrade};
