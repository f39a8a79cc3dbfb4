//! Which keys open the next record of a sender: epochs of TLS 1.3 (RFC 8446, section 7), cipher changes of TLS 1.2 and
//! older, sequence numbers, and how they are found again behind missing records.
//!
//! | state of a sender | next |
//! |---|---|
//! | idle | open with the first keys; shut where there are none |
//! | open, sequence known | a record that is not authentic is damaged; three in a row shut |
//! | open, records missing | the next [`AHEAD`] sequence numbers and the next keys are tried |
//! | shut | nothing is opened any more |
//!
//! TLS 1.3: early data → handshake → application data, generation after generation.

use std::ops::Range;

use zeroize::Zeroizing;

use super::cipher::{Cipher, Material, Outside, TAIL};
use super::derive::{Hash, expand_label, prf};
use super::log::{SecretOctets, SessionSecrets};
use super::store::Keys;
use super::suite::{Construction, Suite};
use crate::frame::FrameNumber;
use crate::protocol::tls::facts::{Unopened, Version};
use crate::protocol::tls::record::Header;
use crate::span::{Direction, PerDirection};

/// Sequence numbers tried ahead after a hole in one direction.
const AHEAD: u64 = 256;
/// Attempts behind holes in one direction, all together; a shut direction costs nothing.
const ATTEMPTS: u32 = 4_096;
/// The shortest record in octets, with its header: how many a hole can hold at most.
const SHORTEST_RECORD: u64 = 22;
/// Records in a row that are not authentic, before a direction is given up.
const FAILURES: u32 = 3;

/// What a handshake agreed on, as far as keys depend on it.
#[derive(Clone)]
pub(in crate::protocol::tls) struct Negotiated {
    /// Random of the ClientHello.
    pub(in crate::protocol::tls) client_random: [u8; 32],
    /// Random of the ServerHello.
    pub(in crate::protocol::tls) server_random: [u8; 32],
    /// The version.
    pub(in crate::protocol::tls) version: Version,
    /// The suite's number.
    pub(in crate::protocol::tls) suite: u16,
    /// encrypt_then_mac.
    pub(in crate::protocol::tls) encrypt_then_mac: bool,
    /// A compression method was chosen.
    pub(in crate::protocol::tls) compressed: bool,
}

/// What became of a protected record.
#[derive(Debug)]
pub(in crate::protocol::tls) enum Opened {
    /// Its content type (the inner one in TLS 1.3) and where its content stands in the fragment.
    Content(u8, Range<usize>),
    /// It was not opened.
    No,
}

/// The keys of both senders of one connection.
pub(in crate::protocol::tls) struct Opening {
    keys: Keys,
    sides: PerDirection<Side>,
    /// The client offered early data whose secret is not known: its first records open with nothing.
    unknown_early_data: bool,
}

#[derive(Default)]
struct Side {
    state: State,
    attempts: u32,
}

#[derive(Default)]
enum State {
    #[default]
    Idle,
    Open(Box<Opener>),
    Shut(Unopened),
}

/// Keys in use.
struct Opener {
    cipher: Cipher,
    sequence: u64,
    /// How many further sequence numbers may be the right one.
    ahead: u64,
    /// Records opened by this sender so far.
    opened: u64,
    failures: u32,
    epoch: Option<Epoch>,
}

/// Where a TLS 1.3 sender is, with what the next keys come from.
struct Epoch {
    suite: Suite,
    stage: Stage,
    sender: Direction,
    secrets: SessionSecrets,
    /// The traffic secret in use.
    current: SecretOctets,
}

/// What a TLS 1.3 sender protects with the keys in use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::protocol::tls) enum Stage {
    /// Early data.
    Early,
    /// Handshake.
    Handshake,
    /// Application data, of any generation.
    Application,
}

impl Opening {
    /// No keys in use yet.
    pub(in crate::protocol::tls) fn new(keys: Keys) -> Self {
        Self {
            keys,
            sides: PerDirection {
                to_server: Side::default(),
                to_client: Side::default(),
            },
            unknown_early_data: false,
        }
    }

    /// Records of a sender are worth collecting: keys for them are in use.
    pub(in crate::protocol::tls) const fn is_open(&self, direction: Direction) -> bool {
        matches!(self.sides.get(direction).state, State::Open(_))
    }

    /// Neither keys nor a reason for their absence.
    pub(in crate::protocol::tls) const fn is_idle(&self, direction: Direction) -> bool {
        matches!(self.sides.get(direction).state, State::Idle)
    }

    /// The run has no secrets up to a frame.
    pub(in crate::protocol::tls) fn has_none(&self, at: FrameNumber) -> bool {
        self.keys.is_empty(at)
    }

    /// Why nothing of a sender is opened any more.
    pub(in crate::protocol::tls) const fn shut(&self, direction: Direction) -> Option<Unopened> {
        match self.sides.get(direction).state {
            State::Shut(reason) => Some(reason),
            _ => None,
        }
    }

    /// TLS 1.2 and older: a sender changed to the keys of the last handshake. `missed`: ChangeCipherSpec was not seen.
    pub(in crate::protocol::tls) fn change(
        &mut self,
        direction: Direction,
        negotiated: &Negotiated,
        missed: bool,
        at: FrameNumber,
    ) {
        let state = match self.derive(direction, negotiated, at) {
            Ok(cipher) if missed && !cipher.can_skip() => State::Shut(Unopened::LostPlace),
            Ok(mut cipher) => {
                if missed {
                    cipher.lose();
                }
                State::Open(Box::new(Opener {
                    cipher,
                    sequence: 0,
                    ahead: if missed { AHEAD } else { 0 },
                    opened: 0,
                    failures: 0,
                    epoch: None,
                }))
            }
            Err(reason) => State::Shut(reason),
        };
        self.sides.get_mut(direction).state = state;
    }

    fn secrets(&self, negotiated: &Negotiated, at: FrameNumber) -> Result<(SessionSecrets, Suite), Unopened> {
        let secrets = self.keys.of(&negotiated.client_random, at).ok_or(Unopened::NoSecret)?;
        if negotiated.compressed {
            return Err(Unopened::Unsupported);
        }
        let suite = Suite::of(negotiated.version, negotiated.suite).ok_or(Unopened::Unsupported)?;
        Ok((secrets, suite))
    }

    fn derive(&self, direction: Direction, negotiated: &Negotiated, at: FrameNumber) -> Result<Cipher, Unopened> {
        let (secrets, suite) = self.secrets(negotiated, at)?;
        let master = secrets.master.ok_or(Unopened::NoSecret)?;
        let (mac, key, iv) = (suite.mac_key(), suite.key, suite.key_block_iv(negotiated.version));
        let seed = [negotiated.server_random, negotiated.client_random].concat();
        let block = prf(
            suite.hash,
            master.octets(),
            b"key expansion",
            &seed,
            2 * (mac + key + iv),
        );
        // Client's and server's MAC keys, then ciphers' keys, then IVs (RFC 5246, section 6.3).
        let server = usize::from(direction == Direction::ToClient);
        let part = |start: usize, length: usize| {
            let from = start + server * length;
            let octets = block.get(from..from + length).unwrap_or_default();
            SecretOctets::new(Zeroizing::new(octets.to_vec()))
        };
        let material = Material {
            mac: part(0, mac),
            key: part(2 * mac, key),
            iv: part(2 * (mac + key), iv),
        };
        let mac_first = !(negotiated.encrypt_then_mac && matches!(suite.construction, Construction::Cbc(..)));
        Cipher::tls12(&suite, material, mac_first).ok_or(Unopened::Unsupported)
    }

    /// TLS 1.3: a sender's first protected record behind the ServerHello comes. `missed`: records before it are missing.
    pub(in crate::protocol::tls) fn begin(
        &mut self,
        direction: Direction,
        negotiated: &Negotiated,
        missed: bool,
        at: FrameNumber,
    ) {
        let begun = self.secrets(negotiated, at).and_then(|(secrets, suite)| {
            let secret = secrets.handshake(direction).cloned();
            // One that is too short for the hash was cut: it is none.
            let secret = secret
                .filter(|secret| secret.octets().len() == suite.hash.length())
                .ok_or(Unopened::NoSecret)?;
            Opener::of(suite, (direction, Stage::Handshake), secrets, secret).ok_or(Unopened::Unsupported)
        });
        self.sides.get_mut(direction).state = match begun {
            Ok(mut opener) => {
                opener.ahead = if missed { AHEAD } else { 0 };
                State::Open(Box::new(opener))
            }
            Err(reason) => State::Shut(reason),
        };
    }

    /// TLS 1.3: the client offered early data with a suite that it hopes for. Where the secret is there its records open
    /// with it; else the first records behind the ServerHello may not open.
    pub(in crate::protocol::tls) fn begin_early(&mut self, random: &[u8; 32], suites: &[u16], at: FrameNumber) {
        self.unknown_early_data = true;
        let Some(secrets) = self.keys.of(random, at) else {
            return;
        };
        let Some(secret) = secrets.early.clone() else { return };
        // The suite of the session that is resumed: only its hash is told, by the secret's length.
        let fits = |suite: &Suite| match suite.hash {
            Hash::Sha384 => secret.octets().len() == 48,
            _ => secret.octets().len() == 32,
        };
        let suite = suites
            .iter()
            .filter_map(|number| Suite::of(Version::TLS1_3, *number))
            .find(fits);
        let opener = suite.and_then(|suite| Opener::of(suite, (Direction::ToServer, Stage::Early), secrets, secret));
        if let Some(opener) = opener {
            self.sides.to_server.state = State::Open(Box::new(opener));
        }
    }

    /// TLS 1.3: a stage of a sender is over: behind EndOfEarlyData, Finished, KeyUpdate.
    pub(in crate::protocol::tls) fn advance(&mut self, direction: Direction, over: Stage) {
        let side = self.sides.get_mut(direction);
        if let State::Open(opener) = &side.state
            && opener.is_at(over)
        {
            side.state = match opener.following() {
                Some(next) => State::Open(Box::new(next)),
                None => State::Shut(Unopened::NoSecret),
            };
        }
    }

    /// TLS 1.3: the suite of the ServerHello holds for what early data did not use.
    pub(in crate::protocol::tls) fn settle_suite(&mut self, negotiated: &Negotiated) {
        if let State::Open(opener) = &mut self.sides.to_server.state
            && let Some(epoch) = &mut opener.epoch
            && let Some(suite) = Suite::of(negotiated.version, negotiated.suite)
        {
            epoch.suite = suite;
        }
    }

    /// Keys are in use and have opened nothing yet: most likely those of another connection.
    pub(in crate::protocol::tls) fn is_unproven(&self, direction: Direction) -> bool {
        match &self.sides.get(direction).state {
            State::Open(opener) => opener.opened == 0 && opener.failures > 0,
            _ => false,
        }
    }

    /// Application data of both senders can be opened, as far as secrets are there; of one alone nothing is told.
    pub(in crate::protocol::tls) fn opens_both(&self, client_random: &[u8; 32], at: FrameNumber) -> bool {
        self.keys.of(client_random, at).is_some_and(|secrets| {
            secrets.master.is_some()
                || Direction::BOTH
                    .into_iter()
                    .all(|direction| secrets.application(direction).is_some())
        })
    }

    /// Records of a sender are missing, `octets` long together.
    pub(in crate::protocol::tls) fn miss(&mut self, direction: Direction, octets: u64) {
        let side = self.sides.get_mut(direction);
        if let State::Open(opener) = &mut side.state {
            if !opener.cipher.can_skip() {
                side.state = State::Shut(Unopened::LostPlace);
                return;
            }
            opener.cipher.lose();
            let most = octets / SHORTEST_RECORD + 1;
            opener.ahead = opener.ahead.saturating_add(most).min(AHEAD);
        }
    }

    /// One record of a sender is not whole.
    pub(in crate::protocol::tls) fn skip(&mut self, direction: Direction) {
        let side = self.sides.get_mut(direction);
        if let State::Open(opener) = &mut side.state {
            if opener.cipher.can_skip() {
                opener.cipher.lose();
                opener.sequence = opener.sequence.saturating_add(1);
            } else {
                side.state = State::Shut(Unopened::LostPlace);
            }
        }
    }

    /// Opens a record's fragment in place.
    pub(in crate::protocol::tls) fn open(
        &mut self,
        direction: Direction,
        header: Header,
        fragment: &mut [u8],
    ) -> Opened {
        let patient = self.unknown_early_data && direction == Direction::ToServer;
        let side = self.sides.get_mut(direction);
        let State::Open(opener) = &mut side.state else {
            return Opened::No;
        };
        let outside = Outside {
            content: header.content.octet(),
            version: header.version.0.to_be_bytes(),
        };
        if !opener.is_certain() {
            return side.search(outside, fragment, patient);
        }
        let last = tail(fragment);
        match opener.open(outside, fragment) {
            Some(opened) => opened,
            None => {
                opener.cipher.pass(last);
                side.fail(patient)
            }
        }
    }
}

impl Side {
    /// A record with a known sequence number is not authentic.
    fn fail(&mut self, patient: bool) -> Opened {
        let State::Open(opener) = &mut self.state else {
            return Opened::No;
        };
        if opener.opened == 0 && patient && opener.is_at(Stage::Handshake) {
            return Opened::No;
        }
        opener.failures = opener.failures.saturating_add(1);
        opener.sequence = opener.sequence.saturating_add(1);
        if opener.failures >= FAILURES {
            self.state = State::Shut(match opener.opened {
                _ if opener.ahead > 0 => Unopened::LostPlace,
                0 => Unopened::WrongSecret,
                _ => Unopened::NotAuthentic,
            });
        }
        Opened::No
    }

    /// Which sequence number, and which of the next keys, open the record?
    fn search(&mut self, outside: Outside, fragment: &mut [u8], patient: bool) -> Opened {
        let State::Open(opener) = &mut self.state else {
            return Opened::No;
        };
        let whole = fragment.to_vec();
        let first = opener.sequence;
        let mut next = opener.following();
        for ahead in 0..=opener.ahead {
            if self.attempts >= ATTEMPTS {
                self.state = State::Shut(Unopened::LostPlace);
                return Opened::No;
            }
            self.attempts = self.attempts.saturating_add(1);
            opener.sequence = first.saturating_add(ahead);
            if let Some(opened) = opener.open(outside, fragment) {
                return opened;
            }
            fragment.copy_from_slice(&whole);
            if let Some(candidate) = &mut next {
                candidate.sequence = ahead;
                if let Some(opened) = candidate.open(outside, fragment) {
                    if let Some(candidate) = next {
                        self.state = State::Open(Box::new(candidate));
                    }
                    return opened;
                }
                fragment.copy_from_slice(&whole);
            }
        }
        opener.sequence = first;
        opener.cipher.pass(tail(&whole));
        if opener.ahead > 0 {
            opener.ahead = opener.ahead.saturating_add(1).min(AHEAD);
        }
        self.fail(patient)
    }
}

impl Opener {
    /// The opener of a TLS 1.3 stage.
    fn of(
        suite: Suite,
        (sender, stage): (Direction, Stage),
        secrets: SessionSecrets,
        current: SecretOctets,
    ) -> Option<Self> {
        let key = expand_label(suite.hash, current.octets(), "key", suite.key)?;
        let iv = expand_label(suite.hash, current.octets(), "iv", 12)?;
        Some(Self {
            cipher: Cipher::tls13(&suite, &key, &iv)?,
            sequence: 0,
            ahead: 0,
            opened: 0,
            failures: 0,
            epoch: Some(Epoch {
                suite,
                stage,
                sender,
                secrets,
                current,
            }),
        })
    }

    /// The opener of the keys that come next; the client's handshake keys follow early data.
    fn following(&self) -> Option<Self> {
        let epoch = self.epoch.as_ref()?;
        let (stage, secret) = match epoch.stage {
            Stage::Early => (Stage::Handshake, epoch.secrets.handshake(epoch.sender)?.clone()),
            Stage::Handshake => (Stage::Application, epoch.secrets.application(epoch.sender)?.clone()),
            Stage::Application => {
                let hash = epoch.suite.hash;
                let length = epoch.current.octets().len();
                let next = expand_label(hash, epoch.current.octets(), "traffic upd", length)?;
                (Stage::Application, SecretOctets::new(next))
            }
        };
        Self::of(epoch.suite, (epoch.sender, stage), epoch.secrets.clone(), secret)
    }

    /// The next record has the next number and these keys.
    fn is_certain(&self) -> bool {
        // A TLS 1.3 record that did not open may have been the one that changes keys.
        let changed = self.failures > 0 && self.epoch.is_some();
        self.ahead == 0 && !changed && !self.is_at(Stage::Early)
    }

    fn is_at(&self, stage: Stage) -> bool {
        self.epoch.as_ref().is_some_and(|epoch| epoch.stage == stage)
    }

    fn open(&mut self, outside: Outside, fragment: &mut [u8]) -> Option<Opened> {
        let range = self.cipher.open(self.sequence, outside, fragment)?;
        let (content, range) = match self.epoch {
            Some(_) => inner(fragment, range)?,
            None => (outside.content, range),
        };
        self.sequence = self.sequence.saturating_add(1);
        self.opened = self.opened.saturating_add(1);
        (self.ahead, self.failures) = (0, 0);
        Some(Opened::Content(content, range))
    }
}

/// The last octets of a fragment; zeros before a shorter one.
fn tail(fragment: &[u8]) -> [u8; TAIL] {
    let mut tail = [0; TAIL];
    for (slot, octet) in tail.iter_mut().rev().zip(fragment.iter().rev()) {
        *slot = *octet;
    }
    tail
}

/// TLSInnerPlaintext (RFC 8446, section 5.4): content, type, zeros.
fn inner(fragment: &[u8], range: Range<usize>) -> Option<(u8, Range<usize>)> {
    let text = fragment.get(range.clone())?;
    let kind = text.iter().rposition(|octet| *octet != 0)?;
    Some((*text.get(kind)?, range.start..range.start + kind))
}
