//! The NSS key log format (SSLKEYLOGFILE, draft-ietf-tls-keylogfile): lines of text → secrets by the ClientHello's
//! random. Secrets stay inside this folder; what leaves it is counts.

use std::collections::HashMap;

use zeroize::Zeroizing;

use crate::frame::FrameNumber;
use crate::span::Direction;

/// Client randoms whose secrets are kept; lines of further ones are counted.
pub const KEYED_SESSIONS: usize = 65_536;
/// Longest line in octets: a label, a random of 32 octets and a secret of 64, in hex. Longer ones are damaged.
pub const KEY_LOG_LINE: usize = 1_024;

/// What the key logs of a run held, in lines. Secrets that are there twice count twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KeyLogCounts {
    /// Secrets that can open records.
    pub secrets: u64,
    /// Well-formed lines that open no record of a connection we read: exporter secrets, QUIC, unknown labels.
    pub unused: u64,
    /// Lines that are none: cut, not hex, of a wrong length.
    pub damaged: u64,
    /// Secrets beyond [`KEYED_SESSIONS`].
    pub not_kept: u64,
    /// Of the secrets, those that stand behind the first frame of the capture.
    pub behind_frames: u64,
}

/// Octets that open a connection: zeroed when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SecretOctets(Zeroizing<Vec<u8>>);

impl SecretOctets {
    /// Takes octets over.
    pub(super) const fn new(octets: Zeroizing<Vec<u8>>) -> Self {
        Self(octets)
    }

    /// The octets, for deriving keys.
    pub(super) fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for SecretOctets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(crate::secret::MASK)
    }
}

/// A secret, and the frame from which on it is known.
type Known = Option<(FrameNumber, SecretOctets)>;

/// All that the key logs say of one connection.
#[derive(Debug, Default)]
struct Entry {
    master: Known,
    early: Known,
    handshake: [Known; 2],
    application: [Known; 2],
}

impl Entry {
    fn slot(&mut self, label: Label) -> Option<&mut Known> {
        match label {
            Label::Master => Some(&mut self.master),
            Label::Early => Some(&mut self.early),
            Label::Handshake(direction) => self.handshake.get_mut(index(direction)),
            Label::Application(direction) => self.application.get_mut(index(direction)),
            Label::Unused => None,
        }
    }
}

/// What the key logs say of one connection, as far as it is known at a frame.
#[derive(Clone, Debug, Default)]
pub(super) struct SessionSecrets {
    /// TLS 1.2 and older: the master secret.
    pub(super) master: Option<SecretOctets>,
    /// TLS 1.3: client_early_traffic_secret.
    pub(super) early: Option<SecretOctets>,
    /// TLS 1.3, handshake: client, server.
    handshake: [Option<SecretOctets>; 2],
    /// TLS 1.3, application data of generation 0: client, server.
    application: [Option<SecretOctets>; 2],
}

impl SessionSecrets {
    /// The handshake traffic secret of a sender.
    pub(super) fn handshake(&self, direction: Direction) -> Option<&SecretOctets> {
        self.handshake.get(index(direction))?.as_ref()
    }

    /// The first application traffic secret of a sender.
    pub(super) fn application(&self, direction: Direction) -> Option<&SecretOctets> {
        self.application.get(index(direction))?.as_ref()
    }
}

const fn index(direction: Direction) -> usize {
    match direction {
        Direction::ToServer => 0,
        Direction::ToClient => 1,
    }
}

/// Which secret a label names.
#[derive(Clone, Copy, Debug)]
enum Label {
    Master,
    Early,
    Handshake(Direction),
    Application(Direction),
    /// A later generation follows from the first; exporters open nothing.
    Unused,
}

impl Label {
    fn of(word: &[u8]) -> Self {
        match word {
            b"CLIENT_RANDOM" => Self::Master,
            b"CLIENT_EARLY_TRAFFIC_SECRET" => Self::Early,
            b"CLIENT_HANDSHAKE_TRAFFIC_SECRET" => Self::Handshake(Direction::ToServer),
            b"SERVER_HANDSHAKE_TRAFFIC_SECRET" => Self::Handshake(Direction::ToClient),
            b"CLIENT_TRAFFIC_SECRET_0" => Self::Application(Direction::ToServer),
            b"SERVER_TRAFFIC_SECRET_0" => Self::Application(Direction::ToClient),
            _ => Self::Unused,
        }
    }

    /// Lengths that the secret can have, in octets.
    const fn fits(self, length: usize) -> bool {
        match self {
            Self::Master => length == 48,
            Self::Unused => true,
            _ => matches!(length, 32 | 48 | 64),
        }
    }
}

/// The secrets of key logs.
#[derive(Debug, Default)]
pub(super) struct KeyLog {
    sessions: HashMap<[u8; 32], Box<Entry>>,
    /// The frame from which on the first secret is known.
    first: Option<FrameNumber>,
    pub(super) counts: KeyLogCounts,
}

impl KeyLog {
    /// No secret is known at a frame.
    pub(super) fn is_empty(&self, at: FrameNumber) -> bool {
        self.first.is_none_or(|first| first > at)
    }

    /// The secrets for a client random that are known at a frame.
    pub(super) fn get(&self, random: &[u8; 32], at: FrameNumber) -> Option<SessionSecrets> {
        let known = |secret: &Known| {
            secret
                .as_ref()
                .filter(|(since, _)| *since <= at)
                .map(|(_, it)| it.clone())
        };
        let entry = self.sessions.get(random)?;
        Some(SessionSecrets {
            master: known(&entry.master),
            early: known(&entry.early),
            handshake: entry.handshake.each_ref().map(known),
            application: entry.application.each_ref().map(known),
        })
    }

    /// Reads lines of text that are known from frame `since` on; one that does not end in a line feed is read as it stands.
    pub(super) fn read(&mut self, text: &[u8], since: FrameNumber) {
        for line in text.split(|octet| *octet == b'\n') {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            self.read_line(line, since);
        }
    }

    fn read_line(&mut self, line: &[u8], since: FrameNumber) {
        let Some((label, random, secret)) = parse(line) else {
            self.counts.damaged = self.counts.damaged.saturating_add(1);
            return;
        };
        if matches!(label, Label::Unused) {
            self.counts.unused = self.counts.unused.saturating_add(1);
            return;
        }
        if self.sessions.len() >= KEYED_SESSIONS && !self.sessions.contains_key(&random) {
            self.counts.not_kept = self.counts.not_kept.saturating_add(1);
            return;
        }
        self.counts.secrets = self.counts.secrets.saturating_add(1);
        self.counts.behind_frames = self.counts.behind_frames.saturating_add(u64::from(since.0 > 1));
        self.first = Some(self.first.map_or(since, |first| first.min(since)));
        // What is known first stays: what comes later must not depend on who reads when.
        if let Some(slot) = self.sessions.entry(random).or_default().slot(label) {
            slot.get_or_insert((since, secret));
        }
    }
}

/// Label, client random, secret; `None` for a damaged line. Of an unknown label only the shape is asked: two or more
/// words.
fn parse(line: &[u8]) -> Option<(Label, [u8; 32], SecretOctets)> {
    if line.len() > KEY_LOG_LINE {
        return None;
    }
    let mut words = line
        .split(|octet| octet.is_ascii_whitespace())
        .filter(|word| !word.is_empty());
    let label = words.next().map(Label::of)?;
    let (random, secret) = (words.next()?, words.next());
    if matches!(label, Label::Unused) {
        let named = line.first().is_some_and(u8::is_ascii_uppercase);
        return named.then(|| (label, [0; 32], SecretOctets::new(Zeroizing::default())));
    }
    let random: [u8; 32] = octets_of_hex(random)?.as_slice().try_into().ok()?;
    let secret = octets_of_hex(secret?)?;
    (words.next().is_none() && label.fits(secret.len())).then(|| (label, random, SecretOctets::new(secret)))
}

fn octets_of_hex(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let digit = |octet: u8| {
        char::from(octet)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let (pairs, []) = text.as_chunks::<2>() else {
        return None;
    };
    // Of the right size from the beginning, so that no copy is left behind where it grew.
    let mut octets = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for [high, low] in pairs {
        octets.push(digit(*high)? << 4 | digit(*low)?);
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(label: &str, random: &str, secret: &str) -> String {
        format!("{label} {} {}\r\n", random.repeat(32), secret.repeat(48))
    }

    #[test]
    fn lines_become_secrets_and_what_is_none_is_counted() {
        let mut log = KeyLog::default();
        let text = [
            "# comment\n\n".to_owned(),
            line("CLIENT_RANDOM", "ab", "01"),
            line("CLIENT_TRAFFIC_SECRET_0", "AB", "02"),
            line("SERVER_TRAFFIC_SECRET_1", "ab", "03"),
            line("EXPORTER_SECRET", "ab", "04"),
            "RSA 0011223344556677 aabb\n".to_owned(),
            // Cut in the middle, not hex, of a wrong length, of too few words, no key log at all.
            "CLIENT_RANDOM abab".to_owned() + "\n",
            line("CLIENT_RANDOM", "ab", "xy"),
            line("CLIENT_RANDOM", "ab", "1"),
            line("SERVER_HANDSHAKE_TRAFFIC_SECRET", "a", "01"),
            "220 mail.example ESMTP\n".to_owned(),
        ]
        .concat();
        log.read(text.as_bytes(), FrameNumber(7));
        assert_eq!(
            log.counts,
            KeyLogCounts {
                secrets: 2,
                unused: 3,
                damaged: 5,
                not_kept: 0,
                behind_frames: 2
            }
        );
        let secrets = log.get(&[0xAB; 32], FrameNumber(7)).unwrap();
        assert_eq!(secrets.master.as_ref().unwrap().octets(), [1; 48]);
        assert_eq!(secrets.application(Direction::ToServer).unwrap().octets(), [2; 48]);
        assert!(secrets.application(Direction::ToClient).is_none());
        let before = FrameNumber(6);
        assert!(log.is_empty(before) && log.get(&[0xAB; 32], before).unwrap().master.is_none());
        assert!(!format!("{log:?}").contains("[1, 1"), "a secret is printed");
    }

    #[test]
    fn memory_is_bounded() {
        let mut log = KeyLog::default();
        for number in 0..KEYED_SESSIONS as u64 + 10 {
            log.read(
                format!("CLIENT_RANDOM {number:064x} {}\n", "00".repeat(48)).as_bytes(),
                FrameNumber(0),
            );
        }
        assert_eq!(
            (log.sessions.len(), log.counts.not_kept),
            (KEYED_SESSIONS, 10),
            "{:?}",
            log.counts
        );
        log.read(&vec![b'A'; 10 * KEY_LOG_LINE], FrameNumber(0));
        assert_eq!(log.counts.damaged, 1);
    }
}
