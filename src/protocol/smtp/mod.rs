//! SMTP and LMTP (RFC 5321, 2033, 3030, 3207, 4954): octets of both directions → a [`Dialogue`].

mod dialogue;

pub use dialogue::*;
