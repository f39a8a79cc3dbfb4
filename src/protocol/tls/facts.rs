//! What was seen of TLS on one connection (RFC 8446, 5246, 4346, 2246, SSL 3.0, SSL 2.0 hello): facts, no verdicts.

use std::sync::Arc;

use crate::captured::Captured;
use crate::span::{Direction, PerDirection, Span, Stamp};
use crate::time::Timestamp;

/// Records listed from the beginning of the connection, both directions together; later ones go to a ring of
/// [`LAST_RECORDS`].
pub const FIRST_RECORDS: usize = 64;
/// Records listed from the end of the connection.
pub const LAST_RECORDS: usize = 16;

/// A protocol version by its wire value: 0x0002 SSL 2.0, 0x0300 SSL 3.0, 0x0301 TLS 1.0 … 0x0304 TLS 1.3.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Version(pub u16);

impl Version {
    /// SSL 2.0.
    pub const SSL2: Self = Self(0x0002);
    /// SSL 3.0.
    pub const SSL3: Self = Self(0x0300);
    /// TLS 1.0.
    pub const TLS1_0: Self = Self(0x0301);
    /// TLS 1.1.
    pub const TLS1_1: Self = Self(0x0302);
    /// TLS 1.2.
    pub const TLS1_2: Self = Self(0x0303);
    /// TLS 1.3.
    pub const TLS1_3: Self = Self(0x0304);

    /// "TLS 1.2"; `None` for a value without a name (drafts, GREASE, nonsense).
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x0002 => "SSL 2.0",
            0x0300 => "SSL 3.0",
            0x0301 => "TLS 1.0",
            0x0302 => "TLS 1.1",
            0x0303 => "TLS 1.2",
            0x0304 => "TLS 1.3",
            _ => return None,
        })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.name() {
            Some(name) => formatter.write_str(name),
            None => write!(formatter, "0x{:04x}", self.0),
        }
    }
}

/// How TLS began on the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TlsStart {
    /// From the first octet (implicit TLS).
    Implicit,
    /// After STARTTLS or STLS was accepted.
    Upgraded,
    /// Record octets appeared where plaintext was expected and no accepted STARTTLS was seen: inferred.
    Inferred,
}

/// A ClientHello (RFC 8446 4.1.2; RFC 5246 7.4.1.2; SSL 2.0 format: RFC 5246 E.2): where it was seen, and what it offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// Where it was seen.
    pub span: Span,
    /// Version of the record that carried it: cosmetic, never a verdict.
    pub record_version: Version,
    /// server_name (RFC 6066).
    pub server_name: Option<Captured>,
    /// Length of the handshake message in octets.
    pub length: u32,
    /// Records that it was split over.
    pub records: u32,
    /// What it offers; one program's hellos share it.
    pub offer: Arc<Offer>,
}

impl std::ops::Deref for ClientHello {
    type Target = Offer;

    fn deref(&self) -> &Offer {
        &self.offer
    }
}

/// What a ClientHello offers: what a program says in the same words each time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// legacy_version, or the version of an SSL 2.0 hello.
    pub legacy_version: Version,
    /// SSL 2.0 record format.
    pub ssl2_format: bool,
    /// supported_versions as sent, without GREASE; empty where the extension is absent.
    pub supported_versions: Vec<Version>,
    /// Cipher suites as sent, GREASE and signalling values included; an SSL 2.0 hello's three-octet specs only where
    /// they map to a suite.
    pub cipher_suites: Vec<u16>,
    /// Compression methods.
    pub compression_methods: Vec<u8>,
    /// Extension types in order, GREASE included.
    pub extensions: Vec<u16>,
    /// ALPN protocol names.
    pub alpn: Vec<Captured>,
    /// supported_groups.
    pub groups: Vec<u16>,
    /// ec_point_formats.
    pub point_formats: Vec<u8>,
    /// signature_algorithms; `None` where the extension is absent.
    pub signature_algorithms: Option<Vec<u16>>,
    /// Groups of the key shares, with the length of each in octets.
    pub key_shares: Vec<(u16, u16)>,
    /// encrypted_client_hello is present.
    pub encrypted_client_hello: bool,
    /// Some GREASE value was sent (RFC 8701).
    pub grease: bool,
    /// TLS_FALLBACK_SCSV (RFC 7507).
    pub fallback_scsv: bool,
    /// A session id, ticket or pre-shared key asks for resumption.
    pub offers_resumption: bool,
    /// pre_shared_key is present.
    pub pre_shared_key: bool,
    /// JA3 string's MD5, 32 hex digits.
    pub ja3: String,
    /// JA4 (TLS client). Like JA3 empty for an SSL 2.0 format hello, for which neither is defined.
    pub ja4: String,
    /// Extensions that could not be read, octets left over, or other oddities.
    pub malformed: bool,
}

impl ClientHello {
    /// The highest version offered (P3): supported_versions without GREASE, else legacy_version. Never the record's.
    #[must_use]
    pub fn maximum(&self) -> Version {
        self.offer.maximum()
    }

    /// The lowest version offered, where supported_versions says it; without the extension it is not told.
    #[must_use]
    pub fn minimum(&self) -> Option<Version> {
        self.supported_versions.iter().copied().min()
    }
}

impl Offer {
    /// The highest version, see [`ClientHello::maximum`].
    pub(super) fn maximum(&self) -> Version {
        self.supported_versions
            .iter()
            .copied()
            .max()
            .unwrap_or(self.legacy_version)
    }
}

/// The mark that a newer server leaves in its random when it negotiates an old version (RFC 8446, section 4.1.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DowngradeSentinel {
    /// …01: it could speak TLS 1.3.
    CouldTls13,
    /// …00: it could speak TLS 1.2 or newer.
    CouldTls12,
}

/// A ServerHello or HelloRetryRequest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHello {
    /// Where it was seen.
    pub span: Span,
    /// Version of its record.
    pub record_version: Version,
    /// legacy_version.
    pub legacy_version: Version,
    /// The negotiated version (P4): supported_versions where present, else legacy_version.
    pub version: Version,
    /// The chosen cipher suite.
    pub cipher_suite: u16,
    /// The chosen or requested key-share group, TLS 1.3.
    pub group: Option<u16>,
    /// ALPN; TLS 1.3 hides it, unless it was decrypted.
    pub alpn: Option<Captured>,
    /// Extension types in order.
    pub extensions: Vec<u16>,
    /// pre_shared_key was selected (TLS 1.3 resumption).
    pub pre_shared_key: bool,
    /// The session id echoes the client's non-empty one (TLS ≤ 1.2 resumption).
    pub session_id_echoed: bool,
    /// Downgrade sentinel.
    pub sentinel: Option<DowngradeSentinel>,
    /// encrypt_then_mac was agreed (RFC 7366).
    pub encrypt_then_mac: bool,
    /// Something in it could not be read.
    pub malformed: bool,
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// "RSA", "EC P-256", "Ed25519", "DSA", or the OID.
    pub algorithm: String,
    /// Size in bits.
    pub bits: u32,
}

/// An X.509 certificate (RFC 5280). Judged elsewhere, at the time of the packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Length of the DER form in octets.
    pub length: u32,
    /// Subject as an RFC 4514 string, in the certificate's own order reversed as that RFC says.
    pub subject: Captured,
    /// Common name of the subject.
    pub common_name: Option<Captured>,
    /// Issuer, the same way.
    pub issuer: Captured,
    /// dNSName entries of subjectAltName.
    pub dns_names: Vec<Captured>,
    /// iPAddress entries, as text.
    pub ip_addresses: Vec<Captured>,
    /// Serial number, hex.
    pub serial: String,
    /// Start of validity.
    pub not_before: Timestamp,
    /// End of validity.
    pub not_after: Timestamp,
    /// Public key.
    pub key: PublicKey,
    /// Signature algorithm: "sha256WithRSAEncryption", or the OID.
    pub signature_algorithm: String,
    /// Signed with SHA-1, MD5 or MD2.
    pub weak_signature: bool,
    /// Subject equals issuer.
    pub self_issued: bool,
    /// basicConstraints says CA.
    pub is_authority: bool,
    /// extendedKeyUsage: `None` where the extension is absent, else whether serverAuth or anyExtendedKeyUsage is there.
    pub server_authentication: Option<bool>,
    /// extendedKeyUsage: whether clientAuth is there.
    pub client_authentication: Option<bool>,
    /// Subject key identifier, hex.
    pub subject_key_identifier: Option<String>,
    /// Authority key identifier, hex.
    pub authority_key_identifier: Option<String>,
    /// SHA-256 of the DER form, hex.
    pub fingerprint: String,
}

/// A Certificate message seen in clear (TLS 1.2 and older, or decrypted).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateMessage {
    /// Where it was seen.
    pub span: Span,
    /// In the order sent; the first is the sender's own. Empty: the sender has none.
    pub certificates: Vec<Arc<Certificate>>,
    /// Entries that could not be parsed or went over the limit.
    pub unreadable: u32,
    /// It was encrypted and read with a known secret.
    pub decrypted: bool,
}

/// Severity of an alert.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AlertLevel {
    /// 1.
    Warning,
    /// 2.
    Fatal,
    /// Anything else.
    Other(u8),
}

/// In which phase of its sender an alert came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Phase {
    /// Nothing of TLS from either side yet.
    BeforeClientHello,
    /// After the ClientHello, before a ServerHello.
    AfterClientHello,
    /// After the ServerHello, before the client's next flight.
    AfterServerHello,
    /// The client's second flight began (Certificate, key exchange or CCS), handshake not complete.
    AfterClientFlight,
    /// Handshake complete as far as can be seen, no application data yet.
    AfterHandshake,
    /// After application data.
    AfterApplicationData,
}

/// An alert in clear, or decrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Alert {
    /// Where it was seen; the direction names its sender.
    pub span: Span,
    /// Level.
    pub level: AlertLevel,
    /// Description number (IANA TLS Alerts).
    pub description: u8,
    /// Version in the record header: cosmetic.
    pub record_version: Version,
    /// Phase of the handshake.
    pub phase: Phase,
    /// It was encrypted and read with a known secret.
    pub decrypted: bool,
}

/// Record content types.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ContentType {
    /// 20.
    ChangeCipherSpec,
    /// 21.
    Alert,
    /// 22.
    Handshake,
    /// 23.
    ApplicationData,
    /// 24.
    Heartbeat,
    /// Anything else.
    Other(u8),
}

/// One record, for reasoning on sizes and order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// Who sent it.
    pub direction: Direction,
    /// Content type on the outside.
    pub content: ContentType,
    /// Length of the fragment in octets, header not counted.
    pub length: u16,
    /// It is encrypted as far as the handshake tells (after ChangeCipherSpec, or TLS 1.3 outer type 23).
    pub encrypted: bool,
    /// Where it began.
    pub stamp: Stamp,
}

/// Which encrypted records can be told to be alerts (P7, catalogue section 2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EncryptedAlert {
    /// Where.
    pub stamp: Stamp,
    /// Who sent it.
    pub direction: Direction,
    /// Length of the record.
    pub length: u16,
    /// Phase in which it came: [`Phase::AfterApplicationData`] is the normal close_notify.
    pub phase: Phase,
    /// True where only the size says so (TLS 1.3, outer type 23): inferred.
    pub inferred: bool,
}

/// Counts of one direction.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TlsDirection {
    /// Records.
    pub records: u64,
    /// Application data records; TLS 1.3: without the handshake, session tickets and closing alerts, as far as inferred.
    pub application_records: u64,
    /// Octets in application data records.
    pub application_octets: u64,
    /// First ChangeCipherSpec.
    pub change_cipher_spec: Option<Stamp>,
    /// First record that looks like this side's Finished: the first encrypted handshake record (TLS ≤ 1.2), or, in TLS
    /// 1.3, inferred from sizes.
    pub finished: Option<Stamp>,
    /// First application data that is not part of the handshake. TLS 1.2 and older: the first record of type 23. TLS 1.3:
    /// inferred from size and order; what the server sends between the client's Finished and its first data counts as
    /// session tickets, but for the last record with implicit TLS, the greeting. With tickets of unusual number or size
    /// it may be one record off.
    pub first_application_data: Option<Stamp>,
    /// Last record.
    pub last_record: Option<Stamp>,
    /// Record parsing stopped (gap or nonsense) here; later octets are opaque.
    pub lost: Option<Stamp>,
}

/// Why protected records of a sender were not opened although a run had secrets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Unopened {
    /// No secret for this connection, or not the one for this sender.
    NoSecret,
    /// The secret came later in the capture than the first record that it opens.
    TooLate,
    /// The hello messages, by which a secret is found, are not in the capture.
    NoHello,
    /// The first record did not open: the secret belongs to another connection.
    WrongSecret,
    /// A suite, version or compression that is not opened here.
    Unsupported,
    /// Records are missing, and the place was not found again.
    LostPlace,
    /// Records in the middle were not authentic: damaged or forged on the way.
    NotAuthentic,
}

/// What known secrets opened of one direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Decryption {
    /// Records opened, handshake included.
    pub opened: u64,
    /// Records of application data opened.
    pub application_opened: u64,
    /// Protected records that were not opened, of a direction of which some were, or should have been.
    pub unopened: u64,
    /// Why the direction was given up, and at which record.
    pub stopped: Option<(Unopened, Stamp)>,
}

/// All that was seen of TLS on one connection.
#[derive(Clone, Debug, PartialEq)]
pub struct TlsFacts {
    /// How it began.
    pub start: TlsStart,
    /// First octet.
    pub began: Stamp,
    /// ClientHellos: more than one after a HelloRetryRequest or a renegotiation in clear.
    pub client_hellos: Vec<ClientHello>,
    /// HelloRetryRequests.
    pub hello_retry_requests: Vec<ServerHello>,
    /// The ServerHello.
    pub server_hello: Option<ServerHello>,
    /// The server's Certificate message.
    pub server_certificate: Option<CertificateMessage>,
    /// A stapled OCSP response was sent (status_request), with its length in octets.
    pub certificate_status: Option<u32>,
    /// ServerKeyExchange: the named group of ECDHE.
    pub key_exchange_group: Option<u16>,
    /// ServerKeyExchange: bits of the DHE prime.
    pub dhe_bits: Option<u32>,
    /// CertificateRequest, in clear or decrypted.
    pub certificate_request: Option<Span>,
    /// The client's Certificate message, in clear or decrypted.
    pub client_certificate: Option<CertificateMessage>,
    /// ServerHelloDone seen.
    pub server_hello_done: Option<Stamp>,
    /// ClientKeyExchange seen.
    pub client_key_exchange: Option<Stamp>,
    /// NewSessionTicket, in clear or decrypted.
    pub session_ticket: bool,
    /// Alerts in clear or decrypted, at most 16.
    pub alerts: Vec<Alert>,
    /// Encrypted alerts that were not decrypted, as far as lengths allow, at most 16.
    pub encrypted_alerts: Vec<EncryptedAlert>,
    /// The first [`FIRST_RECORDS`] records, then the last [`LAST_RECORDS`].
    pub records: Vec<Record>,
    /// Records in between that are not listed.
    pub records_not_listed: u64,
    /// Counts.
    pub directions: PerDirection<TlsDirection>,
    /// An encrypted handshake record after application data: renegotiation (TLS 1.2) asked by this side.
    pub renegotiation: Option<(Direction, Stamp)>,
    /// Plaintext followed the end of TLS.
    pub plaintext_after: Option<Span>,
    /// Handshake messages too large to keep, or unreadable.
    pub unreadable_messages: u32,
    /// Octets missing in gaps while TLS was spoken.
    pub gaps: u32,
    /// The inside was read with known secrets: application data of both directions, as far as there was any.
    pub decrypted: bool,
    /// What known secrets opened.
    pub decryption: PerDirection<Decryption>,
    /// The phase reached.
    pub phase: Phase,
}

impl TlsFacts {
    /// The last ClientHello of the first handshake: what the client offered in the end.
    #[must_use]
    pub fn offer(&self) -> Option<&ClientHello> {
        self.client_hellos.first()
    }

    /// There are protected records, and no secret of this connection came in time.
    #[must_use]
    pub fn lacks_secrets(&self) -> bool {
        self.records.iter().any(|record| {
            let keys = self.decryption.get(record.direction);
            let lacking = keys
                .stopped
                .is_none_or(|(reason, _)| matches!(reason, Unopened::NoSecret | Unopened::TooLate));
            record.encrypted && keys.opened == 0 && lacking
        })
    }

    /// Records inside were not opened although others were: what they held is not known.
    #[must_use]
    pub fn has_unopened_records(&self) -> bool {
        let opened = |direction| self.decryption.get(direction).application_opened > 0;
        Direction::BOTH.into_iter().any(opened)
            && Direction::BOTH
                .into_iter()
                .any(|direction| self.decryption.get(direction).unopened > 0)
    }

    /// The session was resumed, so that no certificate was sent (TLS ≤ 1.2: abbreviated handshake; 1.3: PSK).
    #[must_use]
    pub fn resumed(&self) -> bool {
        self.server_hello.as_ref().is_some_and(|hello| {
            hello.pre_shared_key
                || (hello.version < Version::TLS1_3
                    && self.server_certificate.is_none()
                    && self.server_hello_done.is_none()
                    && self.directions.to_client.change_cipher_spec.is_some())
        })
    }
}
