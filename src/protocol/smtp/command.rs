//! Reads one command line (RFC 5321, section 4.1): octets → verb and argument, and how the line may be shown.
//! Whatever might be a credential is masked here; nothing else of the room shows a line.

use crate::captured::Captured;
use crate::protocol::smtp::{Detail, Verb, base64, path};
use crate::secret::MASK;

/// Octets kept of a command line.
pub const COMMAND_KEPT: usize = 1024;
/// Octets kept of a verb that is not known.
pub const VERB_KEPT: usize = 32;
/// Octets kept of the name of an authentication mechanism.
const MECHANISM_KEPT: usize = 64;

/// Mechanism names that are shown in any case of letters; others only where they have the registered form.
const MECHANISMS: [&[u8]; 22] = [
    b"PLAIN",
    b"LOGIN",
    b"CRAM-MD5",
    b"CRAM-SHA1",
    b"DIGEST-MD5",
    b"SCRAM-SHA-1",
    b"SCRAM-SHA-1-PLUS",
    b"SCRAM-SHA-256",
    b"SCRAM-SHA-256-PLUS",
    b"SCRAM-SHA-512",
    b"SCRAM-SHA-512-PLUS",
    b"NTLM",
    b"GSSAPI",
    b"GSS-SPNEGO",
    b"XOAUTH2",
    b"OAUTHBEARER",
    b"XOAUTH",
    b"EXTERNAL",
    b"ANONYMOUS",
    b"KERBEROS_V4",
    b"KERBEROS_V5",
    b"MSN",
];

/// A command line taken apart.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    /// First word.
    pub word: &'a [u8],
    /// What stands behind it, without spaces at both ends.
    pub argument: &'a [u8],
    /// A CR stands in the line, and something behind it.
    several: bool,
}

impl<'a> Command<'a> {
    /// Takes a line apart, up to the first CR in it; spaces in front of the verb are ignored, as a line must not escape masking by them.
    pub fn read(line: &'a [u8]) -> Self {
        let line = line.trim_ascii_end();
        let several = memchr::memchr(b'\r', line).is_some();
        let mut line = line.trim_ascii_start();
        if several {
            line = line.split(|octet| *octet == b'\r').next().unwrap_or_default();
        }
        let end = line
            .iter()
            .position(|octet| matches!(octet, b' ' | b'\t'))
            .unwrap_or(line.len());
        Self {
            word: line.get(..end).unwrap_or_default(),
            argument: line.get(end..).unwrap_or_default().trim_ascii(),
            several,
        }
    }

    /// The verb, `None` for one that is not known.
    pub fn known(&self) -> Option<Verb> {
        let upper = |letter: u8| letter.to_ascii_uppercase();
        if let Ok(word) = <[u8; 4]>::try_from(self.word) {
            return Some(match &word.map(upper) {
                b"HELO" => Verb::Helo,
                b"EHLO" => Verb::Ehlo,
                b"LHLO" => Verb::Lhlo,
                b"AUTH" => Verb::Auth,
                b"MAIL" => Verb::Mail,
                b"RCPT" => Verb::Rcpt,
                b"DATA" => Verb::Data,
                b"BDAT" => Verb::Bdat,
                b"RSET" => Verb::Rset,
                b"NOOP" => Verb::Noop,
                b"QUIT" => Verb::Quit,
                b"VRFY" => Verb::Vrfy,
                b"EXPN" => Verb::Expn,
                b"HELP" => Verb::Help,
                b"TURN" => Verb::Turn,
                b"ETRN" => Verb::Etrn,
                b"ATRN" => Verb::Atrn,
                _ => return None,
            });
        }
        let long = [
            (b"STARTTLS".as_slice(), Verb::StartTls),
            (b"XCLIENT", Verb::XClient),
            (b"XFORWARD", Verb::XForward),
            (b"X-ANONYMOUSTLS", Verb::XAnonymousTls),
        ];
        let is_word = |(text, _): &(&[u8], Verb)| self.word.eq_ignore_ascii_case(text);
        long.into_iter().find(is_word).map(|(_, verb)| verb)
    }

    /// True where the line would hardly be anything else than a command: for finding the place again.
    pub fn is_plausible(&self) -> bool {
        let starts = |prefix: &str| {
            self.argument
                .get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
        };
        let words = self.argument.split(|octet| *octet == b' ').count();
        match self.known() {
            None => false,
            Some(Verb::Mail) => starts("FROM:"),
            Some(Verb::Rcpt) => starts("TO:"),
            Some(Verb::Bdat) => self.argument.first().is_some_and(u8::is_ascii_digit) && words <= 2,
            Some(Verb::Auth) => !self.argument.is_empty() && words <= 2,
            Some(Verb::XClient | Verb::XForward) => self.argument.contains(&b'='),
            Some(Verb::Helo | Verb::Ehlo | Verb::Lhlo | Verb::Vrfy | Verb::Expn | Verb::Etrn) => {
                !self.argument.is_empty() && words == 1
            }
            Some(_) => self.argument.is_empty(),
        }
    }

    /// Mechanism as it may be shown, and the initial response (RFC 4954, section 4).
    pub fn mechanism(&self) -> (Captured, Option<&'a [u8]>) {
        let inner = Self::read(self.argument);
        let upper = inner.word.to_ascii_uppercase();
        let registered = upper == inner.word
            && upper.len() <= 20
            && upper
                .iter()
                .all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'));
        let shown = if registered || MECHANISMS.contains(&upper.as_slice()) {
            Captured::new(upper.get(..MECHANISM_KEPT).unwrap_or(&upper))
        } else {
            Captured::from(MASK)
        };
        (shown, (!inner.argument.is_empty()).then_some(inner.argument))
    }

    /// What the command carries, where that can be told from its line alone.
    pub fn detail(&self, verb: Verb) -> Detail {
        let kept = self.argument.get(..COMMAND_KEPT).unwrap_or(self.argument);
        match verb {
            Verb::Helo | Verb::Ehlo | Verb::Lhlo => Detail::Hello {
                name: Captured::new(kept),
            },
            Verb::Mail | Verb::Rcpt => {
                let keyword = if verb == Verb::Mail { "FROM" } else { "TO" };
                let (path, parameters) = path::envelope(kept, keyword);
                Detail::Envelope { path, parameters }
            }
            Verb::Data => Detail::Data(None),
            Verb::Bdat => self.chunk_detail(),
            Verb::XClient | Verb::XForward => Detail::Attributes(Captured::new(kept)),
            _ => Detail::None,
        }
    }

    fn chunk_detail(&self) -> Detail {
        let inner = Command::read(self.argument);
        let digits = !inner.word.is_empty() && inner.word.iter().all(u8::is_ascii_digit);
        let size = std::str::from_utf8(inner.word).ok().filter(|_| digits);
        Detail::Bdat {
            size: size.and_then(|size| size.parse().ok()),
            last: inner.argument.eq_ignore_ascii_case(b"LAST"),
            data: None,
        }
    }
}

/// How a line may be shown, and its verb.
pub struct Shown {
    /// The verb.
    pub verb: Verb,
    /// The verb as it was sent, where it is [`Verb::Other`].
    pub unknown: Option<Captured>,
    /// The line, masked where it had to be.
    pub line: Captured,
    /// Something was masked that a reply might repeat.
    pub masked: bool,
}

/// Decides what of a command line is shown. `suspect`: a credential is expected about here (behind AUTH, a gap, a late
/// start), so a line that is no known command is masked altogether.
pub fn shown(line: &[u8], suspect: bool) -> Shown {
    shown_as(line, &Command::read(line), suspect)
}

/// The same for a line that was taken apart before.
pub fn shown_as(line: &[u8], command: &Command<'_>, suspect: bool) -> Shown {
    if command.several {
        return first_of_several(line, suspect);
    }
    let plain = |verb, unknown| Shown {
        verb,
        unknown,
        line: Captured::new(line.get(..COMMAND_KEPT).unwrap_or(line)),
        masked: false,
    };
    match command.known() {
        Some(Verb::Auth) => authentication(command),
        Some(verb) => plain(verb, None),
        None if suspect && !line.is_empty() => masked(),
        None if carries_credential(command.word) => after_word(command),
        None if holds_credential(command.word) => masked(),
        None if holds_credential(line) => after_word(command),
        None => {
            let word = command.word.get(..VERB_KEPT).unwrap_or(command.word);
            plain(Verb::Other, Some(Captured::new(word)))
        }
    }
}

/// A client that ends lines with CR alone: what is behind the first is one line for us, and may be anything.
fn first_of_several(line: &[u8], suspect: bool) -> Shown {
    let first = line.split(|octet| *octet == b'\r').next().unwrap_or_default();
    let first = shown(first, suspect);
    Shown {
        line: Captured::new(&[first.line.bytes(), b"\r", MASK.as_bytes()].concat()),
        masked: true,
        ..first
    }
}

fn masked() -> Shown {
    Shown {
        verb: Verb::Other,
        unknown: Some(Captured::from(MASK)),
        line: Captured::from(MASK),
        masked: true,
    }
}

fn after_word(command: &Command<'_>) -> Shown {
    let word = command.word.get(..VERB_KEPT).unwrap_or(command.word);
    // "AUTH=PLAIN" and the like may have the credential glued to the word.
    let end = memchr::memchr2(b'=', b':', word).map_or(word.len(), |position| position + 1);
    let word = word.get(..end).unwrap_or(word);
    Shown {
        verb: Verb::Other,
        unknown: Some(Captured::new(word)),
        line: Captured::new(&[word, b" ", MASK.as_bytes()].concat()),
        masked: true,
    }
}

fn authentication(command: &Command<'_>) -> Shown {
    let (mechanism, response) = command.mechanism();
    let mut line = command.word.to_vec();
    if !mechanism.is_empty() {
        line.push(b' ');
        line.extend_from_slice(mechanism.bytes());
    }
    if response.is_some() {
        line.push(b' ');
        line.extend_from_slice(MASK.as_bytes());
    }
    Shown {
        verb: Verb::Auth,
        unknown: None,
        line: Captured::new(&line),
        masked: response.is_some() || mechanism.bytes() == MASK.as_bytes(),
    }
}

/// Words of other protocols and of misspelt commands that are followed by a password.
fn carries_credential(word: &[u8]) -> bool {
    let starts = |prefix: &[u8]| {
        word.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    starts(b"AUTH")
        || starts(b"PASS")
        || starts(b"LOGIN")
        || starts(b"APOP")
        || starts(b"PROXY-AUTH")
        || starts(b"COOKIE")
        || starts(b"SET-COOKIE")
        || starts(b"X-AUTH")
}

/// Some run of base64 digits in it may be a credential.
fn holds_credential(text: &[u8]) -> bool {
    let digit = |octet: &u8| base64::looks_like(&[*octet], 1) || *octet == b'=';
    text.chunk_by(|before, octet| digit(before) == digit(octet))
        .any(might_be_credential)
}

/// A word that may be base64 of something. One letter over and over is what a middlebox writes over commands.
fn might_be_credential(word: &[u8]) -> bool {
    let first = word.first().copied().unwrap_or_default();
    let overwritten = word.iter().all(|octet| octet.eq_ignore_ascii_case(&first));
    let least = if word.len().is_multiple_of(4) { 8 } else { 16 };
    !overwritten && base64::looks_like(word, least)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, suspect: bool) -> String {
        let shown = shown(text.as_bytes(), suspect);
        String::from_utf8(shown.line.bytes().to_vec()).unwrap()
    }

    #[test]
    fn what_might_be_a_credential_is_masked() {
        for (sent, expected) in [
            ("AUTH PLAIN AHRhcm8AczNjcmV0", "AUTH PLAIN ********"),
            ("  auth   plain   AHRhcm8AczNjcmV0  x", "auth PLAIN ********"),
            ("AUTH LOGIN", "AUTH LOGIN"),
            ("AUTH AHRhcm8AczNjcmV0", "AUTH ********"),
            ("AUTH XYZZY =", "AUTH XYZZY ********"),
            ("AUTH=PLAIN AHRhcm8AczNjcmV0", "AUTH= ********"),
            ("AUTHENTICATE PLAIN x", "AUTHENTICATE ********"),
            ("AHRhcm8AczNjcmV0", "********"),
            ("czNjcmV0LXBhc3M=", "********"),
            ("PASS hunter2", "PASS ********"),
            ("a1 LOGIN taro AHRhcm8AczNjcmV0", "a1 ********"),
            ("Authorization: Basic dGE6Yg==", "Authorization: ********"),
            ("XXXXXXXX", "XXXXXXXX"),
            (
                "MAIL FROM:<AHRhcm8AczNjcmV0@example.test>",
                "MAIL FROM:<AHRhcm8AczNjcmV0@example.test>",
            ),
            ("Subject: hello", "Subject: hello"),
            ("EHLO b\rAUTH PLAIN AHRhcm8AczNjcmV0", "EHLO b\r********"),
            ("x.czNjcmV0LXBhc3M= y", "********"),
        ] {
            assert_eq!(line(sent, false), expected, "{sent}");
        }
        assert_eq!(line("hunter2", true), "********");
        assert_eq!(line("QUIT", true), "QUIT");
    }

    #[test]
    fn only_sound_commands_are_plausible() {
        for (text, plausible) in [
            ("MAIL FROM:<a@b>", true),
            ("mail from:<a@b> SIZE=3", true),
            ("QUIT", true),
            ("BDAT 14 LAST", true),
            ("EHLO client.test", true),
            ("Mail from home", false),
            ("help me with this", false),
            ("Data is lost", false),
            ("Subject: QUIT", false),
            ("DATAX", false),
            ("", false),
        ] {
            assert_eq!(Command::read(text.as_bytes()).is_plausible(), plausible, "{text}");
        }
    }
}
