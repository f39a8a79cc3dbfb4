//! The client's side of a SASL exchange (RFC 4422) or login command → who logged in and what crossed. Passwords, tokens and
//! responses are wrapped here and nowhere kept in clear.

use crate::captured::Captured;
use crate::message::decode_base64;
use crate::secret::{Keep, Secret};

use super::Login;
use super::answer::shorten;

/// Octets kept of a user name.
const IDENTITY_OCTETS: usize = 256;
/// Octets kept of an OAuth error challenge.
const OAUTH_ERROR_OCTETS: usize = 1024;
/// Octets kept of a mechanism's name.
const MECHANISM_OCTETS: usize = 64;

/// Reads one login.
pub struct LoginReader {
    login: Login,
    keep: Keep,
    responses: u32,
    challenges: u32,
    /// What the last challenge asked for, where it said so (LOGIN).
    asked: Asked,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    Identity,
    Secret,
}

impl LoginReader {
    /// A login by this mechanism.
    pub fn new(mechanism: &[u8], keep: Keep) -> Self {
        let name = mechanism
            .get(..mechanism.len().min(MECHANISM_OCTETS))
            .unwrap_or_default();
        Self {
            login: Login {
                mechanism: Captured::new(&name.to_ascii_uppercase()),
                identity: None,
                secret: None,
                response: None,
                cancelled: false,
                oauth_error: None,
            },
            keep,
            responses: 0,
            challenges: 0,
            asked: Asked::Nothing,
        }
    }

    /// The server waits for a response.
    pub const fn is_asked(&self) -> bool {
        self.challenges > self.responses
    }

    /// What was read.
    pub fn login(self) -> Login {
        self.login
    }

    /// An initial response: it answers no challenge. "=" is the empty one.
    pub fn initial(&mut self, text: &[u8]) {
        if text != b"=" {
            self.read(text);
        }
        // LOGIN counts steps, and this was one.
        self.responses += 1;
        self.challenges += 1;
    }

    /// A line of the client.
    pub fn respond(&mut self, text: &[u8]) {
        if text == b"*" {
            self.login.cancelled = true;
        } else {
            self.read(text);
        }
        self.responses = self.responses.saturating_add(1);
    }

    /// The text behind the server's "+".
    pub fn challenge(&mut self, text: &[u8]) {
        self.challenges = self.challenges.saturating_add(1);
        let decoded = decode_base64(text.trim_ascii());
        let says = |word: &str| Captured::new(&decoded).contains_ignoring_case(word);
        let oauth = self.is("XOAUTH2") || self.is("OAUTHBEARER");
        if oauth && decoded.first() == Some(&b'{') {
            self.login.oauth_error = Some(shorten(&decoded, OAUTH_ERROR_OCTETS));
        }
        self.asked = if says("pass") {
            Asked::Secret
        } else if says("user") || says("login") {
            Asked::Identity
        } else {
            Asked::Nothing
        };
    }

    fn is(&self, mechanism: &str) -> bool {
        self.login.mechanism.equals_ignoring_case(mechanism)
    }

    fn hide(&self, bytes: &[u8]) -> Option<Secret> {
        Some(Secret::new(bytes, self.keep))
    }

    fn read(&mut self, text: &[u8]) {
        let decoded = decode_base64(text);
        if text.is_empty() {
            return;
        }
        let identity = |bytes: &[u8]| (!bytes.is_empty()).then(|| shorten(bytes, IDENTITY_OCTETS));
        let mechanism = self.login.mechanism.bytes().to_vec();
        match mechanism.as_slice() {
            b"PLAIN" => {
                let mut parts = decoded.splitn(3, |&octet| octet == 0);
                let (_, user, password) = (parts.next(), parts.next(), parts.next());
                if let (Some(user), Some(password)) = (user, password) {
                    self.login.identity = identity(user);
                    self.login.secret = self.hide(password);
                } else {
                    self.login.secret = self.hide(&decoded);
                }
            }
            b"LOGIN" => {
                let first = self.responses == 0 && self.asked != Asked::Secret;
                if first || (self.asked == Asked::Identity && self.login.identity.is_none()) {
                    self.login.identity = identity(&decoded);
                } else {
                    self.login.secret = self.hide(&decoded);
                }
            }
            b"CRAM-MD5" => {
                if let Some(space) = memchr::memrchr(b' ', &decoded) {
                    self.login.identity = decoded.get(..space).and_then(identity);
                    self.login.response = self.hide(decoded.get(space + 1..).unwrap_or_default());
                } else {
                    self.login.response = self.hide(&decoded);
                }
            }
            b"XOAUTH2" | b"OAUTHBEARER" => self.read_token(&decoded),
            b"EXTERNAL" | b"ANONYMOUS" => self.login.identity = identity(&decoded),
            _ => {
                let found = match mechanism.as_slice() {
                    b"DIGEST-MD5" => between(&decoded, b"username=\"", b"\""),
                    // The first message only: later ones carry no name.
                    scram if scram.starts_with(b"SCRAM-") => between(&decoded, b",n=", b","),
                    _ => None,
                };
                if self.login.identity.is_none() {
                    self.login.identity = found.and_then(identity);
                }
                self.login.response = self.hide(&decoded);
            }
        }
    }

    fn read_token(&mut self, decoded: &[u8]) {
        let mut found = false;
        for piece in decoded.split(|&octet| octet == 1) {
            if let Some(user) = piece.strip_prefix(b"user=") {
                self.login.identity = Some(shorten(user, IDENTITY_OCTETS));
            } else if let Some(token) = piece.strip_prefix(b"auth=") {
                let bare = token.iter().position(|&octet| octet == b' ').map_or(0, |at| at + 1);
                self.login.secret = self.hide(token.get(bare..).unwrap_or_default());
                found = true;
            } else if let Some(user) = between(piece, b",a=", b",") {
                self.login.identity = Some(shorten(user, IDENTITY_OCTETS));
            }
        }
        // The answer to an error challenge is a dummy (RFC 7628, section 3.2.3).
        if !found && self.login.secret.is_none() {
            self.login.secret = self.hide(decoded);
        }
    }
}

fn between<'a>(text: &'a [u8], before: &[u8], behind: &[u8]) -> Option<&'a [u8]> {
    let start = memchr::memmem::find(text, before)? + before.len();
    let rest = text.get(start..)?;
    let end = memchr::memmem::find(rest, behind).unwrap_or(rest.len());
    rest.get(..end)
}
