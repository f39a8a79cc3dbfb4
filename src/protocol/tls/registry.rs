//! Names of TLS numbers (IANA TLS Parameters) and what a cipher suite implies: sorted tables and predicates, no facts
//! of any session. Suite data come from tls-parser's table; what it lacks stands here.

use tls_parser::{TlsCipherAu, TlsCipherEnc, TlsCipherEncMode, TlsCipherKx, TlsCipherMac, TlsCipherSuite, TlsPRF};

use crate::protocol::tls::facts::{AlertLevel, ContentType, Version};

/// TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746).
pub const RENEGOTIATION_SCSV: u16 = 0x00FF;
/// TLS_FALLBACK_SCSV (RFC 7507).
pub const FALLBACK_SCSV: u16 = 0x5600;

/// Extension types that are read here.
pub(super) mod extension {
    pub(in crate::protocol::tls) const SERVER_NAME: u16 = 0;
    pub(in crate::protocol::tls) const STATUS_REQUEST: u16 = 5;
    pub(in crate::protocol::tls) const SUPPORTED_GROUPS: u16 = 10;
    pub(in crate::protocol::tls) const POINT_FORMATS: u16 = 11;
    pub(in crate::protocol::tls) const SIGNATURE_ALGORITHMS: u16 = 13;
    pub(in crate::protocol::tls) const ALPN: u16 = 16;
    pub(in crate::protocol::tls) const ENCRYPT_THEN_MAC: u16 = 22;
    pub(in crate::protocol::tls) const SESSION_TICKET: u16 = 35;
    pub(in crate::protocol::tls) const PRE_SHARED_KEY: u16 = 41;
    pub(in crate::protocol::tls) const EARLY_DATA: u16 = 42;
    pub(in crate::protocol::tls) const SUPPORTED_VERSIONS: u16 = 43;
    pub(in crate::protocol::tls) const KEY_SHARE: u16 = 51;
    pub(in crate::protocol::tls) const ENCRYPTED_CLIENT_HELLO: u16 = 0xFE0D;
}

/// A reserved value that clients send to keep servers tolerant (RFC 8701).
#[must_use]
pub const fn is_grease(value: u16) -> bool {
    value & 0x0F0F == 0x0A0A && value >> 8 == value & 0xFF
}

/// TLS 1.3 or one of its drafts.
#[must_use]
pub const fn is_tls13(version: Version) -> bool {
    version.0 == Version::TLS1_3.0 || matches!(version.0 >> 8, 0x7F | 0xFB)
}

/// A suite number that carries a signal and cannot be chosen.
#[must_use]
pub const fn is_signalling(suite: u16) -> bool {
    matches!(suite, RENEGOTIATION_SCSV | FALLBACK_SCSV)
}

impl ContentType {
    /// The type for its number.
    #[must_use]
    pub const fn from_octet(octet: u8) -> Self {
        match octet {
            20 => Self::ChangeCipherSpec,
            21 => Self::Alert,
            22 => Self::Handshake,
            23 => Self::ApplicationData,
            24 => Self::Heartbeat,
            other => Self::Other(other),
        }
    }

    /// Its number.
    #[must_use]
    pub const fn octet(self) -> u8 {
        match self {
            Self::ChangeCipherSpec => 20,
            Self::Alert => 21,
            Self::Handshake => 22,
            Self::ApplicationData => 23,
            Self::Heartbeat => 24,
            Self::Other(octet) => octet,
        }
    }

    /// "change_cipher_spec"; `None` for a number without a name.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::ChangeCipherSpec => "change_cipher_spec",
            Self::Alert => "alert",
            Self::Handshake => "handshake",
            Self::ApplicationData => "application_data",
            Self::Heartbeat => "heartbeat",
            Self::Other(_) => return None,
        })
    }
}

impl AlertLevel {
    /// The level for its number.
    #[must_use]
    pub const fn from_octet(octet: u8) -> Self {
        match octet {
            1 => Self::Warning,
            2 => Self::Fatal,
            other => Self::Other(other),
        }
    }

    /// "warning", "fatal"; `None` for anything else.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Warning => Some("warning"),
            Self::Fatal => Some("fatal"),
            Self::Other(_) => None,
        }
    }
}

/// The name of a cipher suite as IANA writes it; `None` for an unassigned number (GREASE included).
#[must_use]
pub fn cipher_suite_name(suite: u16) -> Option<&'static str> {
    match TlsCipherSuite::from_id(suite) {
        Some(entry) => Some(entry.name),
        None => look_up(MORE_SUITES, suite),
    }
}

/// The name of a key exchange group: "x25519", "secp256r1", "X25519MLKEM768".
#[must_use]
pub fn group_name(group: u16) -> Option<&'static str> {
    look_up(GROUPS, group)
}

/// The name of a signature scheme (TLS 1.3) or of a TLS 1.2 hash and signature pair.
#[must_use]
pub fn signature_scheme_name(scheme: u16) -> Option<&'static str> {
    look_up(SIGNATURE_SCHEMES, scheme)
}

/// The name of an alert description: "handshake_failure".
#[must_use]
pub fn alert_name(description: u8) -> Option<&'static str> {
    look_up(ALERTS, description)
}

fn look_up<K: Ord + Copy>(table: &'static [(K, &'static str)], key: K) -> Option<&'static str> {
    let index = table.binary_search_by_key(&key, |(number, _)| *number).ok()?;
    table.get(index).map(|(_, name)| *name)
}

/// Authenticated encryption: GCM, CCM, ChaCha20-Poly1305 and the TLS 1.3 suites.
#[must_use]
pub fn is_aead(suite: u16) -> bool {
    TlsCipherSuite::from_id(suite)
        .is_some_and(|entry| entry.mac == TlsCipherMac::Aead || entry.kx == TlsCipherKx::Tls13)
}

/// Ephemeral elliptic-curve key exchange; anonymous and PSK forms included, TLS 1.3 suites not.
#[must_use]
pub fn is_ecdhe(suite: u16) -> bool {
    cipher_suite_name(suite).is_some_and(|name| name.starts_with("TLS_ECDHE_") || name.starts_with("TLS_ECDH_anon_"))
}

/// Ephemeral finite-field Diffie-Hellman; anonymous and PSK forms included.
#[must_use]
pub fn is_dhe(suite: u16) -> bool {
    let name = cipher_suite_name(suite).unwrap_or_default();
    name.starts_with("TLS_DHE_") || name.starts_with("TLS_DH_anon_") || name.starts_with("TLS_PSK_DHE_")
}

/// A pre-shared key suite of TLS 1.2 and older: its ServerKeyExchange begins with an identity hint.
#[must_use]
pub fn is_pre_shared_key(suite: u16) -> bool {
    cipher_suite_name(suite).is_some_and(|name| name.contains("_PSK_"))
}

/// Key exchange by RSA encryption: no forward secrecy.
#[must_use]
pub fn is_static_rsa(suite: u16) -> bool {
    TlsCipherSuite::from_id(suite).is_some_and(|entry| entry.kx == TlsCipherKx::Rsa && entry.au == TlsCipherAu::Rsa)
}

/// Needs an ECDSA (or EdDSA) certificate.
#[must_use]
pub fn is_ecdsa(suite: u16) -> bool {
    cipher_suite_name(suite).is_some_and(|name| name.contains("_ECDSA_"))
}

/// Nobody is authenticated: DH_anon, ECDH_anon.
#[must_use]
pub fn is_anonymous(suite: u16) -> bool {
    cipher_suite_name(suite).is_some_and(|name| name.contains("_anon_"))
}

/// A block cipher in CBC mode with HMAC-SHA-1: old, a note rather than a fault.
#[must_use]
pub fn is_cbc_sha1(suite: u16) -> bool {
    TlsCipherSuite::from_id(suite)
        .is_some_and(|entry| entry.enc_mode == TlsCipherEncMode::Cbc && entry.mac == TlsCipherMac::HmacSha1)
}

/// Why a cipher suite must not be used any more, worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Weakness {
    /// No encryption at all.
    NoEncryption,
    /// Nobody is authenticated.
    Anonymous,
    /// Export grade: 40 or 56 bits by law of the nineties.
    Export,
    /// DES, 56 bits.
    Des,
    /// RC2.
    Rc2,
    /// RC4 (RFC 7465).
    Rc4,
    /// Triple DES: 64-bit blocks.
    TripleDes,
    /// HMAC-MD5.
    Md5,
}

/// The worst weakness of a cipher suite; `None` where it has none of these or is unknown.
#[must_use]
pub fn is_weak(suite: u16) -> Option<Weakness> {
    let name = cipher_suite_name(suite)?;
    if is_signalling(suite) {
        return None;
    }
    // A sign begins the name or a word, with one of few letters.
    let starts = name
        .as_bytes()
        .windows(2)
        .enumerate()
        .filter(|(at, two)| *at == 0 || matches!(two, [b'_', b'W' | b'a' | b'E' | b'M']));
    let sign = |(at, _)| {
        SIGNS
            .iter()
            .position(|(sign, _)| name.get(at..).is_some_and(|rest| rest.starts_with(sign)))
    };
    let worst = starts.filter_map(sign).min().and_then(|worst| SIGNS.get(worst));
    worst.map(|(_, weakness)| *weakness)
}

/// Signs of weakness in a suite's name, the worst first.
const SIGNS: [(&str, Weakness); 10] = [
    ("TLS_SHA256_SHA256", Weakness::NoEncryption),
    ("TLS_SHA384_SHA384", Weakness::NoEncryption),
    ("_WITH_NULL_", Weakness::NoEncryption),
    ("_anon_", Weakness::Anonymous),
    ("_EXPORT", Weakness::Export),
    ("_WITH_DES_", Weakness::Des),
    ("_WITH_RC2_", Weakness::Rc2),
    ("_WITH_RC4_", Weakness::Rc4),
    ("_WITH_3DES_", Weakness::TripleDes),
    ("_MD5", Weakness::Md5),
];

/// Octets of the handshake hash of a TLS 1.3 or AEAD suite: 32 (SHA-256), 48 (SHA-384) or 64; 32 where unknown.
#[must_use]
pub fn hash_length(suite: u16) -> u16 {
    match TlsCipherSuite::from_id(suite).map(|entry| entry.prf) {
        Some(TlsPRF::Sha384) => 48,
        Some(TlsPRF::Sha512) => 64,
        _ if cipher_suite_name(suite).is_some_and(|name| name.ends_with("_SHA384")) => 48,
        _ if cipher_suite_name(suite).is_some_and(|name| name.ends_with("_SHA512")) => 64,
        _ => 32,
    }
}

/// Lengths that a protected alert can have.
static CLOSE_ALERTS: [u16; 24] = [
    18, 19, 22, 24, 26, 28, 32, 34, 35, 36, 40, 44, 48, 50, 52, 56, 60, 64, 68, 72, 76, 80, 84, 96,
];

/// Lengths of an encrypted close alert in octets, by version, suite and encrypt-then-MAC (catalogue, section 2);
/// empty where it cannot be told.
#[must_use]
pub fn expected_close_alert_length(version: Version, suite: u16, encrypt_then_mac: bool) -> &'static [u16] {
    if is_tls13(version) {
        return &[19, 35];
    }
    let length = TlsCipherSuite::from_id(suite).and_then(|entry| close_alert(version, entry, encrypt_then_mac));
    match length.and_then(|length| CLOSE_ALERTS.iter().find(|known| **known == length)) {
        Some(known) => std::slice::from_ref(known),
        None => &[],
    }
}

/// Two octets of alert, protected as TLS 1.2 and older do (RFC 5246 section 6.2.3, RFC 7366).
fn close_alert(version: Version, suite: &TlsCipherSuite, encrypt_then_mac: bool) -> Option<u16> {
    const ALERT: u16 = 2;
    let mac = u16::try_from(suite.mac_length()).ok()?;
    if suite.mac == TlsCipherMac::Aead {
        let explicit_nonce = if suite.enc == TlsCipherEnc::Chacha20_Poly1305 {
            0
        } else {
            8
        };
        let tag = if suite.name.ends_with("_CCM_8") || suite.name.contains("_CCM_8_") {
            8
        } else {
            16
        };
        return Some(ALERT + explicit_nonce + tag);
    }
    let block = match suite.enc_mode {
        TlsCipherEncMode::Cbc => u16::try_from(suite.enc_block_size()).ok()?,
        _ => return Some(ALERT + mac),
    };
    if block == 0 {
        return None;
    }
    let vector = if version >= Version::TLS1_1 { block } else { 0 };
    let inside = if encrypt_then_mac { ALERT } else { ALERT + mac };
    let padded = (inside / block + 1) * block;
    Some(vector + padded + if encrypt_then_mac { mac } else { 0 })
}

/// Suites that tls-parser 0.12.2 does not name.
static MORE_SUITES: &[(u16, &str)] = &[
    (0x0081, "TLS_GOSTR341001_WITH_28147_CNT_IMIT"),
    (0x0083, "TLS_GOSTR341001_WITH_NULL_GOSTR3411"),
    (0xC100, "TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC"),
    (0xC101, "TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC"),
    (0xC102, "TLS_GOSTR341112_256_WITH_28147_CNT_IMIT"),
    (0xC103, "TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_L"),
    (0xC104, "TLS_GOSTR341112_256_WITH_MAGMA_MGM_L"),
    (0xC105, "TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_S"),
    (0xC106, "TLS_GOSTR341112_256_WITH_MAGMA_MGM_S"),
];

static GROUPS: &[(u16, &str)] = &[
    (1, "sect163k1"),
    (2, "sect163r1"),
    (3, "sect163r2"),
    (4, "sect193r1"),
    (5, "sect193r2"),
    (6, "sect233k1"),
    (7, "sect233r1"),
    (8, "sect239k1"),
    (9, "sect283k1"),
    (10, "sect283r1"),
    (11, "sect409k1"),
    (12, "sect409r1"),
    (13, "sect571k1"),
    (14, "sect571r1"),
    (15, "secp160k1"),
    (16, "secp160r1"),
    (17, "secp160r2"),
    (18, "secp192k1"),
    (19, "secp192r1"),
    (20, "secp224k1"),
    (21, "secp224r1"),
    (22, "secp256k1"),
    (23, "secp256r1"),
    (24, "secp384r1"),
    (25, "secp521r1"),
    (26, "brainpoolP256r1"),
    (27, "brainpoolP384r1"),
    (28, "brainpoolP512r1"),
    (29, "x25519"),
    (30, "x448"),
    (31, "brainpoolP256r1tls13"),
    (32, "brainpoolP384r1tls13"),
    (33, "brainpoolP512r1tls13"),
    (34, "GC256A"),
    (35, "GC256B"),
    (36, "GC256C"),
    (37, "GC256D"),
    (38, "GC512A"),
    (39, "GC512B"),
    (40, "GC512C"),
    (41, "curveSM2"),
    (256, "ffdhe2048"),
    (257, "ffdhe3072"),
    (258, "ffdhe4096"),
    (259, "ffdhe6144"),
    (260, "ffdhe8192"),
    (512, "MLKEM512"),
    (513, "MLKEM768"),
    (514, "MLKEM1024"),
    (0x11EB, "SecP256r1MLKEM768"),
    (0x11EC, "X25519MLKEM768"),
    (0x11ED, "SecP384r1MLKEM1024"),
    (0x6399, "X25519Kyber768Draft00"),
    (0x639A, "SecP256r1Kyber768Draft00"),
    (0xFF01, "arbitrary_explicit_prime_curves"),
    (0xFF02, "arbitrary_explicit_char2_curves"),
];

static SIGNATURE_SCHEMES: &[(u16, &str)] = &[
    (0x0101, "rsa_pkcs1_md5"),
    (0x0201, "rsa_pkcs1_sha1"),
    (0x0202, "dsa_sha1"),
    (0x0203, "ecdsa_sha1"),
    (0x0301, "rsa_pkcs1_sha224"),
    (0x0302, "dsa_sha224"),
    (0x0303, "ecdsa_sha224"),
    (0x0401, "rsa_pkcs1_sha256"),
    (0x0402, "dsa_sha256"),
    (0x0403, "ecdsa_secp256r1_sha256"),
    (0x0420, "rsa_pkcs1_sha256_legacy"),
    (0x0501, "rsa_pkcs1_sha384"),
    (0x0502, "dsa_sha384"),
    (0x0503, "ecdsa_secp384r1_sha384"),
    (0x0520, "rsa_pkcs1_sha384_legacy"),
    (0x0601, "rsa_pkcs1_sha512"),
    (0x0602, "dsa_sha512"),
    (0x0603, "ecdsa_secp521r1_sha512"),
    (0x0620, "rsa_pkcs1_sha512_legacy"),
    (0x0704, "eccsi_sha256"),
    (0x0705, "iso_ibs1"),
    (0x0706, "iso_ibs2"),
    (0x0707, "iso_chinese_ibs"),
    (0x0708, "sm2sig_sm3"),
    (0x0709, "gostr34102012_256a"),
    (0x070A, "gostr34102012_256b"),
    (0x070B, "gostr34102012_256c"),
    (0x070C, "gostr34102012_256d"),
    (0x070D, "gostr34102012_512a"),
    (0x070E, "gostr34102012_512b"),
    (0x070F, "gostr34102012_512c"),
    (0x0804, "rsa_pss_rsae_sha256"),
    (0x0805, "rsa_pss_rsae_sha384"),
    (0x0806, "rsa_pss_rsae_sha512"),
    (0x0807, "ed25519"),
    (0x0808, "ed448"),
    (0x0809, "rsa_pss_pss_sha256"),
    (0x080A, "rsa_pss_pss_sha384"),
    (0x080B, "rsa_pss_pss_sha512"),
    (0x081A, "ecdsa_brainpoolP256r1tls13_sha256"),
    (0x081B, "ecdsa_brainpoolP384r1tls13_sha384"),
    (0x081C, "ecdsa_brainpoolP512r1tls13_sha512"),
    (0x0904, "mldsa44"),
    (0x0905, "mldsa65"),
    (0x0906, "mldsa87"),
];

/// From the catalogue's `tls-alerts.tsv`.
static ALERTS: &[(u8, &str)] = &[
    (0, "close_notify"),
    (10, "unexpected_message"),
    (20, "bad_record_mac"),
    (21, "decryption_failed_RESERVED"),
    (22, "record_overflow"),
    (30, "decompression_failure_RESERVED"),
    (40, "handshake_failure"),
    (41, "no_certificate_RESERVED"),
    (42, "bad_certificate"),
    (43, "unsupported_certificate"),
    (44, "certificate_revoked"),
    (45, "certificate_expired"),
    (46, "certificate_unknown"),
    (47, "illegal_parameter"),
    (48, "unknown_ca"),
    (49, "access_denied"),
    (50, "decode_error"),
    (51, "decrypt_error"),
    (52, "too_many_cids_requested"),
    (60, "export_restriction_RESERVED"),
    (70, "protocol_version"),
    (71, "insufficient_security"),
    (80, "internal_error"),
    (86, "inappropriate_fallback"),
    (90, "user_canceled"),
    (100, "no_renegotiation_RESERVED"),
    (109, "missing_extension"),
    (110, "unsupported_extension"),
    (111, "certificate_unobtainable_RESERVED"),
    (112, "unrecognized_name"),
    (113, "bad_certificate_status_response"),
    (114, "bad_certificate_hash_value_RESERVED"),
    (115, "unknown_psk_identity"),
    (116, "certificate_required"),
    (117, "general_error"),
    (120, "no_application_protocol"),
    (121, "ech_required"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_so_that_they_can_be_searched() {
        assert!(MORE_SUITES.is_sorted_by_key(|entry| entry.0));
        assert!(GROUPS.is_sorted_by_key(|entry| entry.0));
        assert!(SIGNATURE_SCHEMES.is_sorted_by_key(|entry| entry.0));
        assert!(ALERTS.is_sorted_by_key(|entry| entry.0));
        assert!(CLOSE_ALERTS.is_sorted());
    }

    #[test]
    fn names_come_from_every_table() {
        assert_eq!(cipher_suite_name(0x1302), Some("TLS_AES_256_GCM_SHA384"));
        assert_eq!(
            cipher_suite_name(0xC102),
            Some("TLS_GOSTR341112_256_WITH_28147_CNT_IMIT")
        );
        assert_eq!(cipher_suite_name(0x0A0A), None);
        assert_eq!(group_name(0x11EC), Some("X25519MLKEM768"));
        assert_eq!(signature_scheme_name(0x0804), Some("rsa_pss_rsae_sha256"));
        assert_eq!(alert_name(40), Some("handshake_failure"));
        assert_eq!(alert_name(70), Some("protocol_version"));
        assert_eq!(alert_name(200), None);
    }

    #[test]
    fn grease_needs_two_equal_octets() {
        assert!(is_grease(0x0A0A) && is_grease(0xFAFA));
        assert!(!is_grease(0x0A1A) && !is_grease(0x1301));
    }

    #[test]
    fn close_alert_lengths_are_those_of_the_catalogue() {
        let length = expected_close_alert_length;
        assert_eq!(length(Version::TLS1_2, 0xC030, false), [26]);
        assert_eq!(length(Version::TLS1_2, 0xC09C, false), [26]);
        assert_eq!(length(Version::TLS1_2, 0xC0A0, false), [18]);
        assert_eq!(length(Version::TLS1_2, 0xCCA8, false), [18]);
        assert_eq!(length(Version::TLS1_0, 0x002F, false), [32]);
        assert_eq!(length(Version::TLS1_0, 0x002F, true), [36]);
        assert_eq!(length(Version::TLS1_1, 0x002F, false), [48]);
        assert_eq!(length(Version::TLS1_2, 0x002F, false), [48]);
        assert_eq!(length(Version::TLS1_2, 0x002F, true), [52]);
        assert_eq!(length(Version::TLS1_2, 0x003C, false), [64]);
        assert_eq!(length(Version::TLS1_2, 0x003C, true), [64]);
        assert_eq!(length(Version::TLS1_2, 0xC028, false), [80]);
        assert_eq!(length(Version::TLS1_2, 0xC028, true), [80]);
        assert_eq!(length(Version::TLS1_0, 0x000A, false), [24]);
        assert_eq!(length(Version::TLS1_2, 0x000A, false), [32]);
        assert_eq!(length(Version::TLS1_2, 0x0005, false), [22]);
        assert_eq!(length(Version::TLS1_2, 0x0004, false), [18]);
        assert_eq!(length(Version::TLS1_3, 0x1301, false), [19, 35]);
        assert!(length(Version::TLS1_2, 0x0A0A, false).is_empty());
    }

    #[test]
    fn weak_suites_name_their_worst_fault() {
        assert_eq!(is_weak(0x0018), Some(Weakness::Anonymous));
        assert_eq!(is_weak(0x0003), Some(Weakness::Export));
        assert_eq!(is_weak(0x0002), Some(Weakness::NoEncryption));
        assert_eq!(is_weak(0x0009), Some(Weakness::Des));
        assert_eq!(is_weak(0x0004), Some(Weakness::Rc4));
        assert_eq!(is_weak(0x000A), Some(Weakness::TripleDes));
        assert_eq!(is_weak(0x1301), None);
        assert_eq!(is_weak(0xC02F), None);
        assert_eq!(is_weak(RENEGOTIATION_SCSV), None);
    }

    #[test]
    fn signs_of_weakness_are_found_wherever_they_stand() {
        for suite in 0..=u16::MAX {
            let sign = cipher_suite_name(suite)
                .filter(|_| !is_signalling(suite))
                .and_then(|name| SIGNS.iter().find(|(sign, _)| name.contains(sign)));
            assert_eq!(is_weak(suite), sign.map(|(_, weakness)| *weakness), "{suite:04x}");
        }
    }

    #[test]
    fn predicates_follow_the_suite_names() {
        assert!(is_aead(0x1301) && is_aead(0xCCA8) && !is_aead(0x002F));
        assert!(is_ecdhe(0xC013) && is_ecdhe(0xC018) && !is_ecdhe(0x1301));
        assert!(is_dhe(0x0033) && is_dhe(0x0018) && !is_dhe(0xC013));
        assert!(is_static_rsa(0x002F) && !is_static_rsa(0xC013));
        assert!(is_ecdsa(0xC02B) && is_anonymous(0x0018) && is_cbc_sha1(0x002F));
        assert_eq!((hash_length(0x1301), hash_length(0x1302)), (32, 48));
    }
}
