//! Decryption with known secrets: key logs, key derivation, ciphers, and which keys open which record of which sender.
//! Knows no handshake message and no fact: the decoder says what was negotiated and when keys change.

mod cipher;
mod derive;
mod log;
mod opener;
mod store;
mod suite;

pub use log::{KEY_LOG_LINE, KEYED_SESSIONS, KeyLogCounts};
pub(super) use opener::{Negotiated, Opened, Opening, Stage};
pub use store::Keys;
