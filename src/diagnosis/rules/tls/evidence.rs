//! What rules on TLS read off a session: what the first fatal alert stands for, who ended an unfinished handshake, which
//! encrypted records have the size of QUIT. One alert has one meaning, so that no two rules speak about the same one.

use std::time::Duration;

use crate::diagnosis::Evidence;
use crate::diagnosis::rules::starttls::evidence::is_hello_on_plaintext_port;
use crate::protocol::tls::{
    Alert, AlertLevel, ClientHello, ContentType, DowngradeSentinel, Phase, Record, ServerHello, TlsFacts, Version,
    expected_close_alert_length, is_aead, is_ecdhe, is_grease, is_signalling, is_tls13,
};
use crate::session::Session;
use crate::span::{Direction, Role, Stamp};

/// Silence after which a handshake counts as stalled.
pub(super) const STALLED: Duration = Duration::from_secs(5);
/// Smallest Diffie-Hellman prime and RSA modulus, in bits, that current clients take (RFC 9325, section 4.5).
pub(super) const STRONG_BITS: u32 = 2048;

/// What a fatal alert in clear stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Meaning {
    /// The server refused every version offered.
    VersionRefused,
    /// The client refused the version that the server chose.
    OldServerRefused,
    /// The server found no cipher suite.
    NoSharedCipher,
    /// The server found no group or signature algorithm.
    NoSharedGroup,
    /// The server wanted a client certificate and got none.
    ClientCertificateMissing,
    /// Signatures of old versions are barred on one side.
    LegacyInternalError,
    /// The client found the server's DH group or key too small.
    WeakKeyExchange,
    /// TLS_FALLBACK_SCSV was refused.
    Fallback,
    /// The server does not know the name.
    ServerName,
    /// ALPN without overlap.
    ApplicationProtocol,
    /// The client saw a downgrade mark that its offer contradicts.
    Downgrade,
    /// The client's echo of the server's close.
    EndEcho,
    /// A certificate was judged: the rules on certificates speak.
    Certificate,
    /// Anything else.
    Other,
}

/// The first fatal alert in clear, and what it stands for.
pub(super) fn fatal_alert(session: &Session) -> Option<(&TlsFacts, &Alert, Meaning)> {
    let tls = session.tls.as_deref()?;
    let alert = tls.alerts.iter().find(|alert| alert.level == AlertLevel::Fatal)?;
    Some((tls, alert, meaning(session, tls, alert)))
}

/// The first fatal alert where it stands for this.
pub(super) fn alert_of(session: &Session, wanted: Meaning) -> Option<(&TlsFacts, &Alert)> {
    let (tls, alert, meaning) = fatal_alert(session)?;
    (meaning == wanted).then_some((tls, alert))
}

fn meaning(session: &Session, tls: &TlsFacts, alert: &Alert) -> Meaning {
    match alert.description {
        86 => Meaning::Fallback,
        116 => Meaning::ClientCertificateMissing,
        _ => match alert.span.direction {
            Direction::ToClient => by_server(tls, alert),
            Direction::ToServer => by_client(session, tls, alert),
        },
    }
}

fn by_server(tls: &TlsFacts, alert: &Alert) -> Meaning {
    let early = alert.phase == Phase::AfterClientHello;
    let no_certificate = tls.certificate_request.is_some()
        && tls
            .client_certificate
            .as_ref()
            .is_some_and(|message| message.certificates.is_empty() && message.unreadable == 0);
    match alert.description {
        70 if early => Meaning::VersionRefused,
        112 => Meaning::ServerName,
        120 => Meaning::ApplicationProtocol,
        80 if tls.offer().is_some_and(|hello| hello.maximum() < Version::TLS1_2) => Meaning::LegacyInternalError,
        // SSL 3.0 has no alert 70 (RFC 6101).
        40 if early && tls.offer().is_some_and(|hello| hello.maximum() <= Version::SSL3) => Meaning::VersionRefused,
        40 | 47 | 109 if early && tls.offer().is_some_and(|hello| group_trouble(hello).is_some()) => {
            Meaning::NoSharedGroup
        }
        40 | 71 if early => Meaning::NoSharedCipher,
        10 | 40..=50 if alert.phase >= Phase::AfterClientFlight && no_certificate => Meaning::ClientCertificateMissing,
        42..=46 | 48 if tls.client_certificate.is_some() => Meaning::Certificate,
        _ => Meaning::Other,
    }
}

fn by_client(session: &Session, tls: &TlsFacts, alert: &Alert) -> Meaning {
    let chosen = tls.server_hello.as_ref();
    let fin = session.connection.directions.to_client.fin;
    match alert.description {
        50 if fin.is_some_and(|fin| fin.frame <= alert.span.first.frame) => Meaning::EndEcho,
        42..=46 | 48 => Meaning::Certificate,
        70 if chosen.is_some() => Meaning::OldServerRefused,
        40 | 47 | 71 if has_weak_key_exchange(tls) => Meaning::WeakKeyExchange,
        47 if is_contradicted(tls) => Meaning::Downgrade,
        80 if chosen.is_some_and(|hello| hello.version < Version::TLS1_2) => Meaning::LegacyInternalError,
        _ => Meaning::Other,
    }
}

/// A DHE prime below [`STRONG_BITS`].
fn has_weak_key_exchange(tls: &TlsFacts) -> bool {
    tls.dhe_bits.is_some_and(|bits| bits < STRONG_BITS)
}

/// The downgrade sentinel says that the server could do more, and the client had offered more.
pub(super) fn is_contradicted(tls: &TlsFacts) -> bool {
    let Some((hello, sentinel)) = sentinel(tls) else {
        return false;
    };
    let Some(offer) = tls.offer().map(ClientHello::maximum) else {
        return false;
    };
    match sentinel {
        DowngradeSentinel::CouldTls13 => offer >= Version::TLS1_3,
        DowngradeSentinel::CouldTls12 => offer >= Version::TLS1_2 && hello.version < Version::TLS1_2,
    }
}

/// The ServerHello with its downgrade sentinel.
pub(super) fn sentinel(tls: &TlsFacts) -> Option<(&ServerHello, DowngradeSentinel)> {
    let hello = tls.server_hello.as_ref()?;
    hello.sentinel.map(|sentinel| (hello, sentinel))
}

/// The cipher suites of an offer without GREASE and signals.
pub(super) fn suites(hello: &ClientHello) -> impl Iterator<Item = u16> {
    hello
        .cipher_suites
        .iter()
        .copied()
        .filter(|suite| !is_grease(*suite) && !is_signalling(*suite))
}

/// Why the groups or signature algorithms of an offer may fit no server although its suites are modern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum GroupTrouble {
    /// TLS 1.2 without the signature_algorithms extension.
    NoSignatureAlgorithms,
    /// Only SHA-1 and MD5 signatures.
    OldSignatureAlgorithms,
    /// Neither P-256 nor X25519 among the groups.
    UnusualGroups,
}

/// Judges the groups and signature algorithms of an offer; `None` where they are the usual ones or its suites are old.
pub(super) fn group_trouble(hello: &ClientHello) -> Option<GroupTrouble> {
    const P256: u16 = 23;
    const X25519: u16 = 29;
    let modern = suites(hello).any(|suite| is_aead(suite) || is_ecdhe(suite));
    if !modern || hello.malformed || hello.maximum() < Version::TLS1_2 {
        return None;
    }
    let groups: Vec<u16> = hello
        .groups
        .iter()
        .copied()
        .filter(|group| !is_grease(*group))
        .collect();
    match &hello.signature_algorithms {
        _ if !groups.is_empty() && !groups.contains(&P256) && !groups.contains(&X25519) => {
            Some(GroupTrouble::UnusualGroups)
        }
        None => Some(GroupTrouble::NoSignatureAlgorithms),
        Some(schemes) if !schemes.is_empty() && schemes.iter().all(|scheme| is_old_hash(*scheme)) => {
            Some(GroupTrouble::OldSignatureAlgorithms)
        }
        Some(_) => None,
    }
}

/// MD5, SHA-1 (hash numbers 1 and 2 of RFC 5246, section 7.4.1.4.1) or GREASE.
const fn is_old_hash(scheme: u16) -> bool {
    matches!(scheme >> 8, 1 | 2) || is_grease(scheme)
}

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct End {
    /// Who was first.
    pub(super) by: Role,
    /// The first FIN or RST.
    pub(super) stamp: Stamp,
    /// It was a reset.
    pub(super) reset: bool,
    /// The reset's marks do not fit the side that it claims to come from.
    pub(super) forged: bool,
}

impl End {
    /// As evidence.
    pub(super) fn evidence(&self) -> Evidence {
        let word = if self.reset { "RST" } else { "FIN" };
        Evidence::frame(self.stamp, Some(self.by.sends()), word)
    }
}

/// The first FIN or valid reset.
pub(super) fn end(session: &Session) -> Option<End> {
    let connection = &session.connection;
    let fins = Direction::BOTH.into_iter().filter_map(|direction| {
        connection.directions.get(direction).fin.map(|stamp| End {
            by: direction.sender(),
            stamp,
            reset: false,
            forged: false,
        })
    });
    let resets = connection
        .resets
        .iter()
        .filter(|reset| reset.in_window)
        .map(|reset| End {
            by: reset.direction.sender(),
            stamp: reset.stamp,
            reset: true,
            forged: reset.looks_forged,
        });
    fins.chain(resets).min_by_key(|end| end.stamp.frame)
}

/// TLS facts of a handshake that did not complete although nothing is missing and no alert says why. A client's echo of
/// the server's close is no reason.
pub(super) fn unfinished(session: &Session) -> Option<&TlsFacts> {
    let tls = session
        .tls
        .as_deref()
        .filter(|tls| tls.phase < Phase::AfterHandshake && !tls.decrypted)?;
    let told = fatal_alert(session).is_some_and(|(_, _, meaning)| meaning != Meaning::EndEcho);
    let hidden = session.quality.only_direction.is_some() || tls.gaps > 0 || tls.client_hellos.is_empty();
    let elsewhere = is_hello_on_plaintext_port(session) || !tls.encrypted_alerts.is_empty();
    (!told && !hidden && !elsewhere).then_some(tls)
}

/// The last record of either side up to the end: what comes behind it (an alert into a closed connection) is an echo.
pub(super) fn last_before(tls: &TlsFacts, end: Option<&End>) -> Option<Stamp> {
    tls.records
        .iter()
        .map(|record| record.stamp)
        .filter(|stamp| end.is_none_or(|end| stamp.frame <= end.stamp.frame))
        .max_by_key(|stamp| stamp.frame)
}

/// The last record that a side sent.
pub(super) fn last_record(tls: &TlsFacts, direction: Direction) -> Option<Stamp> {
    tls.directions.get(direction).last_record
}

/// The handshake completed on both sides, as far as can be seen.
pub(super) fn completed(session: &Session) -> Option<&TlsFacts> {
    session.tls.as_deref().filter(|tls| tls.phase >= Phase::AfterHandshake)
}

/// The client's application data records in order, alerts left out; handshake records of TLS 1.3 as well.
pub(super) fn client_data(tls: &TlsFacts) -> impl DoubleEndedIterator<Item = &Record> {
    let first = tls.directions.to_server.first_application_data;
    tls.records.iter().filter(move |record| {
        record.direction == Direction::ToServer
            && record.content == ContentType::ApplicationData
            && first.is_some_and(|first| record.stamp.frame >= first.frame)
            && !tls.encrypted_alerts.iter().any(|alert| {
                alert.direction == record.direction && alert.stamp == record.stamp && alert.length == record.length
            })
            && !is_finished_beside(tls, record)
    })
}

/// A Finished in the same frame as the first application data.
fn is_finished_beside(tls: &TlsFacts, record: &Record) -> bool {
    let own = &tls.directions.to_server;
    own.finished == Some(record.stamp)
        && tls.server_hello.as_ref().is_some_and(|hello| is_tls13(hello.version))
        && matches!(record.length, 53 | 69 | 85)
}

/// QUIT with its line end.
const QUIT_OCTETS: u16 = 6;
/// An alert.
const ALERT_OCTETS: u16 = 2;

/// A record that may hold QUIT: exactly so with AEAD suites; with block ciphers it is not longer than one would be.
pub(super) fn may_be_quit(tls: &TlsFacts, record: &Record) -> bool {
    let Some(hello) = &tls.server_hello else { return false };
    let alerts = expected_close_alert_length(hello.version, hello.cipher_suite, hello.encrypt_then_mac);
    let exact = is_tls13(hello.version) || is_aead(hello.cipher_suite);
    alerts.iter().any(|alert| {
        let more = QUIT_OCTETS - ALERT_OCTETS;
        if exact {
            record.length == alert + more
        } else {
            record.length <= alert + 2 * more
        }
    })
}

/// TLS 1.3: the client's flight has a record of the size of an empty Certificate (25 octets, Java pads by 16).
pub(super) fn empty_certificate_sized(tls: &TlsFacts) -> Option<&Record> {
    let finished = tls.directions.to_server.finished?;
    tls.server_hello.as_ref().filter(|hello| is_tls13(hello.version))?;
    tls.records.iter().find(|record| {
        record.direction == Direction::ToServer
            && record.content == ContentType::ApplicationData
            && matches!(record.length, 25 | 41)
            && record.stamp.frame <= finished.frame
    })
}
