//! TLS (SSL 2.0 hello, SSL 3.0, TLS 1.0 to 1.3) as far as it is in clear, or opens with known secrets: octets of both
//! directions → [`TlsFacts`], and the text inside. Facts with spans, no verdicts; no certificate is verified, no other
//! protocol is named.

mod certificate;
mod decoder;
mod der;
mod distinguished_name;
mod events;
mod facts;
mod fingerprint;
mod flight;
mod handshake;
mod hello;
mod inside;
mod keys;
mod known;
mod listing;
mod messages;
mod noted;
mod offers;
mod reader;
mod record;
mod registry;
mod remembered;
mod side;
#[cfg(test)]
mod tests;

pub use certificate::{ALTERNATIVE_NAMES, CERTIFICATE_OCTETS, CERTIFICATES, certificate};
pub use decoder::{Decoder, LISTED_ALERTS};
pub use der::DER_DEPTH;
pub use facts::*;
pub use handshake::HANDSHAKE_OCTETS;
pub use hello::ALPN_NAMES;
pub use inside::{Inside, Plaintext};
pub use keys::{KEY_LOG_LINE, KEYED_SESSIONS, KeyLogCounts, Keys};
pub use messages::{CLIENT_HELLOS, HELLO_RETRY_REQUESTS};
pub use record::{Likeness, RECORD_OCTETS, SEARCHED_OCTETS, looks_like_record};
pub use registry::{
    FALLBACK_SCSV, RENEGOTIATION_SCSV, Weakness, alert_name, cipher_suite_name, expected_close_alert_length,
    group_name, hash_length, is_aead, is_anonymous, is_cbc_sha1, is_dhe, is_ecdhe, is_ecdsa, is_grease,
    is_pre_shared_key, is_signalling, is_static_rsa, is_tls13, is_weak, signature_scheme_name,
};
