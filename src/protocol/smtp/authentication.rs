//! Reads authentication dialogues (RFC 4954; mechanisms: RFC 4616, 2195, 2831, 5802, 7628, NTLMSSP): challenges and
//! responses → who logs in and by what mechanism. Names are shown, secrets are wrapped or forgotten at once; when it is
//! not clear which of the two a value is, it is a secret.

use crate::captured::Captured;
use crate::protocol::smtp::{AuthFacts, PayloadDefect, base64};
use crate::secret::{Keep, Secret};
use crate::span::Span;

/// Octets kept of an OAuth error.
const OAUTH_ERROR_KEPT: usize = 1024;
/// Octets kept of the first challenge, and of an identity.
const CHALLENGE_KEPT: usize = 256;
/// Octets that follow "NTLMSSP" in an AUTHENTICATE_MESSAGE up to its payload.
const NTLM_FIXED: usize = 64;

/// One line that the client sent as an answer to a challenge, or as initial response.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// The line.
    pub line: &'a [u8],
    /// Where it was seen.
    pub span: Span,
    /// How many responses came before.
    pub number: u32,
    /// Lines before it may be missing.
    pub uncertain: bool,
    /// It was longer than what was kept of it.
    pub cut: bool,
    /// Whether secrets outlive decoding.
    pub keep: Keep,
}

/// Facts of a login that begins.
pub fn begin(mechanism: Captured, initial_response: bool) -> AuthFacts {
    AuthFacts {
        mechanism,
        initial_response,
        identity: None,
        authorisation_identity: None,
        secret: None,
        response: None,
        credential: None,
        cancelled: false,
        challenges: 0,
        oauth_error: None,
        first_challenge: None,
        defects: Vec::new(),
    }
}

impl AuthFacts {
    /// Reads a 334 challenge.
    pub(super) fn challenged(&mut self, text: &[u8]) {
        self.challenges = self.challenges.saturating_add(1);
        let text = text.trim_ascii();
        let decoded = base64::decode(text).map_or_else(|| text.to_vec(), |decoded| decoded.bytes);
        if self.is_oauth() && decoded.first() == Some(&b'{') {
            self.oauth_error = Some(captured(&decoded, OAUTH_ERROR_KEPT));
        }
        let is_text = std::str::from_utf8(&decoded).is_ok_and(|text| !text.chars().any(char::is_control));
        if self.challenges == 1 && is_text && !decoded.is_empty() {
            self.first_challenge = Some(captured(&decoded, CHALLENGE_KEPT));
        }
    }

    fn is_oauth(&self) -> bool {
        matches!(self.mechanism.bytes(), b"XOAUTH2" | b"OAUTHBEARER" | b"XOAUTH")
    }

    fn defect(&mut self, defect: PayloadDefect) {
        if !self.defects.contains(&defect) {
            self.defects.push(defect);
        }
    }

    /// Reads a response. `prompt` is the decoded text of the challenge that it answers, where seen.
    pub(super) fn responded(&mut self, response: Response<'_>, prompt: Option<&[u8]>) {
        self.read_response(response, prompt);
        if self.secret.is_some() || self.response.is_some() {
            self.credential.get_or_insert(response.span);
        }
    }

    fn read_response(&mut self, response: Response<'_>, prompt: Option<&[u8]>) {
        let line = response.line.trim_ascii();
        if line == b"*" {
            self.cancelled = true;
            return;
        }
        let text = if line == b"=" { b"" } else { line };
        let decoded = base64::decode(text);
        if !response.cut && decoded.as_ref().is_none_or(|decoded| !decoded.padded) {
            self.defect(PayloadDefect::NotBase64);
        }
        let Some(decoded) = decoded.filter(|_| !response.cut) else {
            self.conceal(line, response.keep);
            return;
        };
        self.decoded(&decoded.bytes, response, prompt);
    }

    fn decoded(&mut self, octets: &[u8], response: Response<'_>, prompt: Option<&[u8]>) {
        let keep = response.keep;
        if response.uncertain {
            self.conceal(octets, keep);
            return;
        }
        let mechanism = self.mechanism.clone();
        match mechanism.bytes() {
            b"LOGIN" => self.login(octets, response.number, prompt, keep),
            b"PLAIN" if !octets.is_empty() => self.plain(octets, keep),
            b"XOAUTH2" | b"OAUTHBEARER" if self.oauth_error.is_none() => self.oauth(octets, keep),
            b"EXTERNAL" if !octets.is_empty() => {
                self.authorisation_identity = Some(captured(octets, CHALLENGE_KEPT));
            }
            _ if octets.is_empty() || self.oauth_error.is_some() => {}
            b"CRAM-MD5" => self.cram(octets, keep),
            b"DIGEST-MD5" => self.digest(octets, keep),
            b"NTLM" | b"GSS-SPNEGO" => self.ntlm(octets, keep),
            name if name.starts_with(b"SCRAM-") => self.scram(octets, keep),
            _ => self.conceal(octets, keep),
        }
    }

    /// Octets that must not be shown, by the kind of the mechanism.
    fn conceal(&mut self, octets: &[u8], keep: Keep) {
        if octets.is_empty() {
            return;
        }
        let secret = Some(Secret::new(octets, keep));
        match self.mechanism.bytes() {
            b"PLAIN" | b"LOGIN" | b"XOAUTH2" | b"OAUTHBEARER" => self.secret = secret,
            _ => self.response = secret,
        }
    }

    fn user(&mut self, name: &[u8]) {
        let trimmed = name.trim_suffix_line_end();
        if trimmed.len() < name.len() {
            self.defect(PayloadDefect::TrailingNewline);
        }
        if trimmed.is_empty() {
            self.defect(PayloadDefect::EmptyUser);
        } else {
            self.identity = Some(captured(trimmed, CHALLENGE_KEPT));
        }
    }

    fn password(&mut self, password: &[u8], keep: Keep) {
        if password.trim_suffix_line_end().len() < password.len() {
            self.defect(PayloadDefect::TrailingNewline);
        }
        if password.is_empty() {
            self.defect(PayloadDefect::EmptyPassword);
        }
        self.secret = Some(Secret::new(password, keep));
    }

    fn login(&mut self, octets: &[u8], number: u32, prompt: Option<&[u8]>, keep: Keep) {
        let asks_for_password =
            prompt.is_some_and(|prompt| prompt.windows(4).any(|window| window.eq_ignore_ascii_case(b"pass")));
        // Only the first response is a name: some servers ask for it again behind an initial response, and clients then
        // send the password.
        if number == 0 && !asks_for_password {
            self.user(octets);
        } else {
            self.password(octets, keep);
        }
    }

    fn plain(&mut self, octets: &[u8], keep: Keep) {
        let fields: Vec<&[u8]> = octets.splitn(4, |octet| *octet == 0).collect();
        if let [authorisation, user, password] = fields.as_slice() {
            if !authorisation.is_empty() {
                self.authorisation_identity = Some(captured(authorisation, CHALLENGE_KEPT));
            }
            self.user(user);
            self.password(password, keep);
        } else {
            let count = memchr::memchr_iter(0, octets).count();
            self.defect(PayloadDefect::NulCount(count));
            if octets.trim_suffix_line_end().len() < octets.len() {
                self.defect(PayloadDefect::TrailingNewline);
            }
            self.secret = Some(Secret::new(octets, keep));
        }
    }

    /// XOAUTH2 "user=…^Aauth=Bearer …^A^A"; OAUTHBEARER "n,a=…,^Ahost=…^Aauth=Bearer …^A^A" (RFC 7628, section 3.1).
    fn oauth(&mut self, octets: &[u8], keep: Keep) {
        for field in octets.split(|octet| *octet == 1) {
            if let Some(user) = field.strip_prefix(b"user=") {
                self.user(user);
            } else if field.starts_with(b"n,") || field.starts_with(b"y,") || field.starts_with(b"p=") {
                let name = field
                    .split(|octet| *octet == b',')
                    .find_map(|part| part.strip_prefix(b"a="));
                if let Some(name) = name {
                    self.user(&unescaped(name));
                }
            } else if let Some(token) = field.strip_prefix(b"auth=") {
                self.secret = Some(Secret::new(token, keep));
            }
        }
        if self.secret.is_none() {
            self.secret = Some(Secret::new(octets, keep));
        }
    }

    fn cram(&mut self, octets: &[u8], keep: Keep) {
        let space = octets.iter().rposition(|octet| *octet == b' ');
        let (name, digest) = space.map_or((&b""[..], octets), |position| octets.split_at(position));
        let digest = digest.strip_prefix(b" ").unwrap_or(digest);
        let sound = digest.trim_suffix_line_end();
        if sound.len() < digest.len() {
            self.defect(PayloadDefect::TrailingNewline);
        }
        if sound.len() == 32 && sound.iter().all(u8::is_ascii_hexdigit) && space.is_some() {
            self.user(name);
        } else {
            self.defect(PayloadDefect::CramForm);
        }
        self.response = Some(Secret::new(octets, keep));
    }

    fn digest(&mut self, octets: &[u8], keep: Keep) {
        let quoted = |key: &str| {
            let start = memchr::memmem::find(octets, key.as_bytes())? + key.len();
            let rest = octets.get(start..)?;
            rest.get(..memchr::memchr(b'"', rest)?)
        };
        if octets.starts_with(b"username=\"") || memchr::memmem::find(octets, b",username=\"").is_some() {
            self.user(quoted("username=\"").unwrap_or_default());
        }
        if let Some(name) = quoted("authzid=\"").filter(|name| !name.is_empty()) {
            self.authorisation_identity = Some(captured(name, CHALLENGE_KEPT));
        }
        self.response = Some(Secret::new(octets, keep));
    }

    /// The client-first-message shows names; the client-final-message holds the proof (RFC 5802, section 7).
    fn scram(&mut self, octets: &[u8], keep: Keep) {
        let fields: Vec<&[u8]> = octets.splitn(5, |octet| *octet == b',').collect();
        if let [flag, authorisation, name, nonce, ..] = fields.as_slice()
            && matches!(flag.first(), Some(b'n' | b'y' | b'p'))
            && nonce.starts_with(b"r=")
            && let Some(name) = name.strip_prefix(b"n=")
        {
            self.user(&unescaped(name));
            if let Some(name) = authorisation.strip_prefix(b"a=") {
                self.authorisation_identity = Some(captured(&unescaped(name), CHALLENGE_KEPT));
            }
        } else {
            self.response = Some(Secret::new(octets, keep));
        }
    }

    fn ntlm(&mut self, octets: &[u8], keep: Keep) {
        if let Some(name) = ntlm_user(octets) {
            self.user(&name);
            self.response = Some(Secret::new(octets, keep));
        } else if !octets.starts_with(b"NTLMSSP\0\x01") {
            self.response = Some(Secret::new(octets, keep));
        }
    }
}

/// The user name of an NTLM AUTHENTICATE_MESSAGE ([MS-NLMP], section 2.2.1.3), in UTF-8.
fn ntlm_user(octets: &[u8]) -> Option<Vec<u8>> {
    let message = octets.get(memchr::memmem::find(octets, b"NTLMSSP\0\x03\0\0\0")?..)?;
    let fixed = message.get(..NTLM_FIXED)?;
    let short = |at: usize| Some(u16::from_le_bytes(fixed.get(at..at + 2)?.try_into().ok()?));
    let long = |at: usize| Some(u32::from_le_bytes(fixed.get(at..at + 4)?.try_into().ok()?));
    let start = usize::try_from(long(40)?).ok()?;
    let name = message.get(start..start.checked_add(usize::from(short(36)?))?)?;
    if long(60)? & 1 == 0 {
        return Some(name.to_vec());
    }
    let units = name
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)]));
    let text: String = char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    Some(text.into_bytes())
}

/// "=2C" and "=3D" of SCRAM and GS2 names (RFC 5802, section 5.1).
fn unescaped(name: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((octet, behind)) = rest.split_first() {
        if let Some(behind) = rest.strip_prefix(b"=2C") {
            plain.push(b',');
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix(b"=3D") {
            plain.push(b'=');
            rest = behind;
        } else {
            plain.push(*octet);
            rest = behind;
        }
    }
    plain
}

fn captured(octets: &[u8], most: usize) -> Captured {
    Captured::new(octets.get(..most).unwrap_or(octets))
}

trait TrimLineEnd {
    fn trim_suffix_line_end(&self) -> &[u8];
}

impl TrimLineEnd for [u8] {
    fn trim_suffix_line_end(&self) -> &[u8] {
        let end = self
            .iter()
            .rposition(|octet| !matches!(octet, b'\r' | b'\n'))
            .map_or(0, |last| last + 1);
        self.get(..end).unwrap_or_default()
    }
}
