//! SMTP and LMTP (RFC 5321, 2033, 3030, 3207, 4954): octets of both directions → a [`Dialogue`].
//!
//! The [`Decoder`] watches, it does not serve: what the client's octets mean follows from the server's replies, and both
//! may be missing.
//!
//! | the client is … | until | then |
//! |---|---|---|
//! | at the start | its octets are no PROXY header (version 2) | in commands |
//! | in commands | DATA | held |
//! | held: octets behind DATA wait for the reply, at most [`HELD_OCTETS`] | 354, or the octets look like mail data | in mail data |
//! | | refusal, or the octets look like a command | in commands |
//! | in mail data | CRLF . CRLF (RFC 5321, section 4.1.1.4) | in commands |
//! | in a BDAT chunk (RFC 3030) | its octets are counted | in commands |
//! | lost: behind a gap, or joined late | a line that is hardly anything else than a command, or "." | in commands |
//! | foreign: another protocol | the end | – |
//!
//! Replies are paired with commands in order. Behind a gap they wait until one of them can belong to one command only
//! (354, 334, 221, 220), or until the client goes on, and are paired from the last command backwards; commands in front
//! without a reply are `Hidden`.

mod authentication;
mod base64;
mod client;
mod command;
mod data;
mod decoder;
mod dialogue;
mod few;
mod held;
mod ledger;
mod masked;
mod notes;
mod path;
mod preamble;
mod reply_lines;
mod server;
#[cfg(test)]
mod tests;
mod usual_lines;
mod waiting;
mod whole_reply;

pub use command::{COMMAND_KEPT, VERB_KEPT};
pub use decoder::Decoder;
pub use dialogue::*;
pub use few::Few;
pub use held::HELD_OCTETS;
pub use ledger::OPEN_EXCHANGES;
pub use path::PARAMETERS;
pub use server::{REPLY_LINE_KEPT, REPLY_LINES};
