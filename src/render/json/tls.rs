//! The TLS part of the session record.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::protocol::tls::{
    self, AlertLevel, Certificate, CertificateMessage, ClientHello, Decryption, Phase, ServerHello, TlsFacts, TlsStart,
    Unopened, Version,
};
use crate::render::json::finding::direction;
use crate::render::json::hello::Hello;
use crate::render::json::schema::schema_like;
use crate::render::json::text::{Lines, Text, Word, word};
use crate::render::json::time::Time;
use crate::render::json::writer::{ToJson, list, record};
use crate::span::{Direction, Role};
use crate::time::Timestamp;

record! {
    /// A registry value with its name.
    pub struct CodeRecord {
        /// The value on the wire.
        pub code: u16,
        /// Its registered name, or the value in hex.
        pub name: Registered,
    }

    /// TLS as far as seen.
    pub struct TlsRecord<'a> {
        /// implicit, upgraded, inferred.
        pub start: Word,
        /// What the client offered.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub offer: Option<Hello<'a>>,
        /// What the server chose.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub choice: Option<ChoiceRecord<'a>>,
        /// HelloRetryRequests seen.
        pub hello_retry_requests: usize,
        /// The server's certificates, its own first; absent: not seen, which does not mean that there was none.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub certificates: Option<Vec<CertificateRecord<'a>>>,
        /// The server asked for a client certificate in clear.
        pub certificate_requested: bool,
        /// The client's certificates; an empty list: it sent none.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub client_certificates: Option<Vec<CertificateRecord<'a>>>,
        /// Alerts, in clear and as far as lengths tell.
        pub alerts: Vec<AlertRecord>,
        /// The phase reached.
        pub stopped_at: Word,
        /// The inside was read with keys: application data of both directions, as far as there was any.
        pub decrypted: bool,
        /// What keys opened; absent where the run had no key for the session and was given none.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub decryption: Option<DecryptionRecord>,
        /// The server's certificates were encrypted and read with keys.
        pub certificates_decrypted: bool,
        /// Application data octets, by sender.
        pub application_octets: ByRole,
    }

    /// What keys opened, by sender.
    pub struct DecryptionRecord {
        /// From the client.
        pub client: DecryptedRecord,
        /// From the server.
        pub server: DecryptedRecord,
    }

    /// What keys opened of one sender's records.
    pub struct DecryptedRecord {
        /// Records opened, handshake included.
        pub records_opened: u64,
        /// Protected records that stayed closed.
        pub records_unopened: u64,
        /// Why records stayed closed: no_secret, secret_too_late, no_hello, wrong_secret, unsupported, lost_place,
        /// not_authentic; absent where the keys were enough.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub stopped: Option<&'static str>,
        /// The frame from which on they did.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub stopped_at_frame: Option<u64>,
    }

    /// Octets by sender.
    pub struct ByRole {
        /// From the client.
        pub client: u64,
        /// From the server.
        pub server: u64,
    }

    /// The client's offer.
    pub struct OfferRecord<'a> {
        /// Frames of the ClientHello.
        pub frames: (u64, u64),
        /// Lowest version offered; absent where the hello does not tell.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub minimum_version: Option<CodeRecord>,
        /// Highest version offered.
        pub maximum_version: CodeRecord,
        /// supported_versions.
        pub versions: Codes<'a, Version>,
        /// Cipher suites.
        pub cipher_suites: Codes<'a, u16>,
        /// Groups.
        pub groups: Codes<'a, u16>,
        /// Signature algorithms; absent where the extension is absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub signature_algorithms: Option<Codes<'a, u16>>,
        /// Groups of key shares.
        pub key_shares: Codes<'a, (u16, u16)>,
        /// server_name.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub server_name: Option<Text<'a>>,
        /// ALPN names.
        pub alpn: Lines<'a>,
        /// encrypted_client_hello present.
        pub encrypted_client_hello: bool,
        /// GREASE present.
        pub grease: bool,
        /// TLS_FALLBACK_SCSV present.
        pub fallback_scsv: bool,
        /// SSL 2.0 record format.
        pub ssl2_format: bool,
        /// JA3.
        pub ja3: Text<'a>,
        /// JA4.
        pub ja4: Text<'a>,
        /// Parts that could not be read.
        pub malformed: bool,
    }

    /// The server's choice.
    pub struct ChoiceRecord<'a> {
        /// Frames of the ServerHello.
        pub frames: (u64, u64),
        /// Negotiated version.
        pub version: CodeRecord,
        /// Cipher suite.
        pub cipher_suite: CodeRecord,
        /// Key exchange group.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub group: Option<CodeRecord>,
        /// ALPN; absent where none was chosen or TLS 1.3 hides it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub alpn: Option<Text<'a>>,
        /// The session was resumed.
        pub resumed: bool,
        /// The server's mark that it could do a newer version.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub downgrade_sentinel: Option<&'static str>,
    }

    /// An alert.
    pub struct AlertRecord {
        /// client or server.
        pub sender: Word,
        /// warning, fatal; absent where encrypted.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub level: Option<Word>,
        /// Number; absent where encrypted.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub number: Option<u8>,
        /// Registered name; absent where encrypted.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub name: Option<Word>,
        /// The content cannot be read.
        pub encrypted: bool,
        /// It was encrypted and read with keys.
        pub decrypted: bool,
        /// Only its size says that it is an alert.
        pub inferred: bool,
        /// Phase of the handshake.
        pub phase: Word,
        /// Frame.
        pub frame: u64,
        /// to_server, to_client.
        pub direction: Word,
    }

    /// A certificate, judged at the time of the packet.
    pub struct CertificateRecord<'a> {
        /// Subject (RFC 4514).
        pub subject: Text<'a>,
        /// Issuer (RFC 4514).
        pub issuer: Text<'a>,
        /// dNSName entries.
        pub names: Lines<'a>,
        /// iPAddress entries.
        #[serde(skip_serializing_if = "Lines::is_empty")]
        pub ip_addresses: Lines<'a>,
        /// Start of validity.
        pub not_before: Time,
        /// End of validity.
        pub not_after: Time,
        /// valid, expired, not_yet_valid: at the time of the packet.
        pub validity: Word,
        /// Key algorithm.
        pub key_algorithm: Text<'a>,
        /// Key size in bits.
        pub key_bits: u32,
        /// Signature algorithm.
        pub signature_algorithm: Text<'a>,
        /// Subject equals issuer.
        pub self_issued: bool,
        /// Serial number, hex.
        pub serial: Text<'a>,
        /// SHA-256 of the DER form, hex.
        pub sha256: Text<'a>,
    }
}

/// A name of a registry, or a number in hex: it needs no escape.
#[derive(Clone, Debug)]
pub struct Registered(Cow<'static, str>);

impl ToJson for Registered {
    fn append(&self, json: &mut Vec<u8>) {
        word(&self.0, json);
    }
}

impl Serialize for Registered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

schema_like!(Registered is String);

/// Registry values, written one at a time.
#[derive(Clone, Copy, Debug)]
pub struct Codes<'a, T> {
    values: &'a [T],
    record: fn(&T) -> CodeRecord,
}

impl<T> ToJson for Codes<'_, T> {
    fn append(&self, json: &mut Vec<u8>) {
        list(self.values.iter().map(self.record), json);
    }
}

impl<T> Serialize for Codes<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.values.iter().map(self.record))
    }
}

schema_like!(Codes<'a, T> is Vec<CodeRecord>);

fn code(code: u16, name: Option<&'static str>) -> CodeRecord {
    CodeRecord {
        code,
        name: Registered(name.map_or_else(|| format!("0x{code:04x}").into(), Cow::Borrowed)),
    }
}

fn suite(value: u16) -> CodeRecord {
    code(value, tls::cipher_suite_name(value))
}

fn group(value: u16) -> CodeRecord {
    code(value, tls::group_name(value))
}

fn version(value: Version) -> CodeRecord {
    code(value.0, value.name())
}

const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::BeforeClientHello => "before_client_hello",
        Phase::AfterClientHello => "after_client_hello",
        Phase::AfterServerHello => "after_server_hello",
        Phase::AfterClientFlight => "after_client_flight",
        Phase::AfterHandshake => "after_handshake",
        Phase::AfterApplicationData => "after_application_data",
    }
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Client => "client",
        Role::Server => "server",
    }
}

/// TLS as far as seen: as JSON what [`TlsRecord`] says of it.
#[derive(Clone, Copy, Debug)]
pub struct Tls<'a>(pub &'a TlsFacts);

impl ToJson for Tls<'_> {
    fn append(&self, json: &mut Vec<u8>) {
        TlsRecord::of(self.0).append(json);
    }
}

impl Serialize for Tls<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        TlsRecord::of(self.0).serialize(serializer)
    }
}

schema_like!(Tls<'a> is TlsRecord<'static>);

impl<'a> TlsRecord<'a> {
    /// The record; certificates judged at the time of their own packet.
    #[must_use]
    pub fn of(facts: &'a TlsFacts) -> Self {
        Self {
            start: match facts.start {
                TlsStart::Implicit => Word("implicit"),
                TlsStart::Upgraded => Word("upgraded"),
                TlsStart::Inferred => Word("inferred"),
            },
            offer: facts.offer().map(Hello),
            choice: facts.server_hello.as_ref().map(|hello| choice(hello, facts)),
            hello_retry_requests: facts.hello_retry_requests.len(),
            certificates: facts.server_certificate.as_ref().map(certificates),
            certificate_requested: facts.certificate_request.is_some(),
            client_certificates: facts.client_certificate.as_ref().map(certificates),
            alerts: alerts(facts),
            stopped_at: Word(phase(facts.phase)),
            decrypted: facts.decrypted,
            decryption: decryption(facts),
            certificates_decrypted: facts
                .server_certificate
                .as_ref()
                .is_some_and(|message| message.decrypted),
            application_octets: ByRole {
                client: facts.directions.to_server.application_octets,
                server: facts.directions.to_client.application_octets,
            },
        }
    }
}

impl<'a> OfferRecord<'a> {
    /// The record.
    #[must_use]
    pub fn of(hello: &'a ClientHello) -> Self {
        Self {
            frames: Self::frames(hello),
            minimum_version: hello.minimum().map(version),
            maximum_version: version(hello.maximum()),
            versions: Codes {
                values: &hello.supported_versions,
                record: |value| version(*value),
            },
            cipher_suites: Codes {
                values: &hello.cipher_suites,
                record: |value| suite(*value),
            },
            groups: Codes {
                values: &hello.groups,
                record: |value| group(*value),
            },
            signature_algorithms: hello.signature_algorithms.as_ref().map(|list| Codes {
                values: list,
                record: |value| code(*value, tls::signature_scheme_name(*value)),
            }),
            key_shares: Codes {
                values: &hello.key_shares,
                record: |(value, _)| group(*value),
            },
            server_name: hello.server_name.as_ref().map(Text::from),
            alpn: Lines(&hello.alpn),
            encrypted_client_hello: hello.encrypted_client_hello,
            grease: hello.grease,
            fallback_scsv: hello.fallback_scsv,
            ssl2_format: hello.ssl2_format,
            ja3: Text(hello.ja3.as_bytes()),
            ja4: Text(hello.ja4.as_bytes()),
            malformed: hello.malformed,
        }
    }

    /// Frames of the ClientHello.
    pub(super) const fn frames(hello: &ClientHello) -> (u64, u64) {
        (hello.span.first.frame.0, hello.span.last.frame.0)
    }
}

fn choice<'a>(hello: &'a ServerHello, facts: &TlsFacts) -> ChoiceRecord<'a> {
    ChoiceRecord {
        frames: (hello.span.first.frame.0, hello.span.last.frame.0),
        version: version(hello.version),
        cipher_suite: suite(hello.cipher_suite),
        group: hello.group.or(facts.key_exchange_group).map(group),
        alpn: hello.alpn.as_ref().map(Text::from),
        resumed: facts.resumed(),
        downgrade_sentinel: hello.sentinel.map(|sentinel| match sentinel {
            tls::DowngradeSentinel::CouldTls13 => "server_could_tls_1_3",
            tls::DowngradeSentinel::CouldTls12 => "server_could_tls_1_2",
        }),
    }
}

fn decryption(facts: &TlsFacts) -> Option<DecryptionRecord> {
    let of = |direction| {
        let keys = facts.decryption.get(direction);
        DecryptedRecord {
            records_opened: keys.opened,
            records_unopened: keys.unopened,
            stopped: keys.stopped.map(|(reason, _)| match reason {
                Unopened::NoSecret => "no_secret",
                Unopened::TooLate => "secret_too_late",
                Unopened::NoHello => "no_hello",
                Unopened::WrongSecret => "wrong_secret",
                Unopened::Unsupported => "unsupported",
                Unopened::LostPlace => "lost_place",
                Unopened::NotAuthentic => "not_authentic",
            }),
            stopped_at_frame: keys.stopped.map(|(_, stamp)| stamp.frame.0),
        }
    };
    let told = Direction::BOTH
        .into_iter()
        .any(|direction| *facts.decryption.get(direction) != Decryption::default());
    told.then(|| DecryptionRecord {
        client: of(Direction::ToServer),
        server: of(Direction::ToClient),
    })
}

fn alerts(facts: &TlsFacts) -> Vec<AlertRecord> {
    let clear = facts.alerts.iter().map(|alert| AlertRecord {
        sender: Word(role(alert.span.direction.sender())),
        level: Some(Word(match alert.level {
            AlertLevel::Warning => "warning",
            AlertLevel::Fatal => "fatal",
            AlertLevel::Other(_) => "other",
        })),
        number: Some(alert.description),
        name: Some(Word(tls::alert_name(alert.description).unwrap_or("unassigned"))),
        encrypted: false,
        decrypted: alert.decrypted,
        inferred: false,
        phase: Word(phase(alert.phase)),
        frame: alert.span.first.frame.0,
        direction: Word(direction(alert.span.direction)),
    });
    let encrypted = facts.encrypted_alerts.iter().map(|alert| AlertRecord {
        sender: Word(role(alert.direction.sender())),
        level: None,
        number: None,
        name: None,
        encrypted: true,
        decrypted: false,
        inferred: alert.inferred,
        phase: Word(phase(alert.phase)),
        frame: alert.stamp.frame.0,
        direction: Word(direction(alert.direction)),
    });
    let mut all: Vec<_> = clear.chain(encrypted).collect();
    all.sort_by_key(|alert| alert.frame);
    all
}

fn certificates(message: &CertificateMessage) -> Vec<CertificateRecord<'_>> {
    message
        .certificates
        .iter()
        .map(|one| certificate(one, message.span.first.time))
        .collect()
}

const fn whole_seconds(at: Timestamp) -> Time {
    Time { at, digits: 0 }
}

fn certificate(certificate: &Certificate, at: Timestamp) -> CertificateRecord<'_> {
    CertificateRecord {
        subject: Text::from(&certificate.subject),
        issuer: Text::from(&certificate.issuer),
        names: Lines(&certificate.dns_names),
        ip_addresses: Lines(&certificate.ip_addresses),
        not_before: whole_seconds(certificate.not_before),
        not_after: whole_seconds(certificate.not_after),
        validity: if at > certificate.not_after {
            Word("expired")
        } else if at < certificate.not_before {
            Word("not_yet_valid")
        } else {
            Word("valid")
        },
        key_algorithm: Text(certificate.key.algorithm.as_bytes()),
        key_bits: certificate.key.bits,
        signature_algorithm: Text(certificate.signature_algorithm.as_bytes()),
        self_issued: certificate.self_issued,
        serial: Text(certificate.serial.as_bytes()),
        sha256: Text(certificate.fingerprint.as_bytes()),
    }
}
