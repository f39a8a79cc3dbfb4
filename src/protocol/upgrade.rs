//! How a plaintext decoder tells its owner about STARTTLS, STLS and X-ANONYMOUSTLS (RFC 3207, 2595, 9051): at which
//! octet of which direction plaintext ends.

/// What happened to the plaintext dialogue at the end of the octets that were just read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Upgrade {
    /// Nothing.
    #[default]
    None,
    /// The client's command to start TLS ended here. Its owner holds the client's later octets until it is answered.
    Asked,
    /// The server's consent ended here: plaintext is over in both directions.
    Accepted,
    /// The server refused: the client's held octets are plaintext after all.
    Refused,
}

/// How far a decoder read, and why it stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Octets read. Fewer than were given only where `upgrade` is not [`Upgrade::None`]: the rest is given again, or
    /// goes elsewhere.
    pub octets: usize,
    /// Why it stopped.
    pub upgrade: Upgrade,
}

/// What a run wants kept beyond the facts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Retention {
    /// Whether passwords, tokens and challenge responses outlive decoding.
    pub secrets: crate::secret::Keep,
    /// Whether message texts are kept (`--show-body`).
    pub message_text: bool,
}
