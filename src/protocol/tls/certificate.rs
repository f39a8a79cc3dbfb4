//! X.509 certificates (RFC 5280): the list of a Certificate message (RFC 5246, section 7.4.2) → facts of each. What
//! cannot be parsed is counted, never guessed; nothing is judged, no clock is asked, no signature is verified.

use std::cell::RefCell;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use x509_parser::der_parser::asn1_rs::BitString;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::time::ASN1Time;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use crate::captured::Captured;
use crate::protocol::tls::der;
use crate::protocol::tls::distinguished_name as name;
use crate::protocol::tls::facts::{Certificate, CertificateMessage, PublicKey};
use crate::protocol::tls::fingerprint::hex;
use crate::protocol::tls::reader::Reader;
use crate::protocol::tls::registry::extension;
use crate::protocol::tls::remembered::Remembered;
use crate::span::Span;
use crate::time::Timestamp;

/// Certificates parsed of one message; later ones are counted as unreadable.
pub const CERTIFICATES: usize = 16;
/// Longest certificate parsed, in octets; longer ones are counted as unreadable.
pub const CERTIFICATE_OCTETS: usize = 64 * 1024;
/// subjectAltName entries kept of one certificate.
pub const ALTERNATIVE_NAMES: usize = 1000;

/// Reads the body of a Certificate message of TLS 1.2 and older; a list that ends early counts as one unreadable entry.
pub(super) fn message(body: &[u8], span: Span) -> CertificateMessage {
    let mut message = empty(span);
    read_list(body, &mut message, |_| Some(()));
    message
}

/// Reads the body of a Certificate message of TLS 1.3 (RFC 8446, section 4.4.2), and the length of the OCSP response
/// that is stapled to the first certificate.
pub(super) fn message13(body: &[u8], span: Span) -> (CertificateMessage, Option<u32>) {
    let mut message = CertificateMessage {
        decrypted: true,
        ..empty(span)
    };
    let mut reader = Reader::new(body);
    let mut stapled = None;
    if reader.vector8().is_none() {
        message.unreadable += 1;
        return (message, None);
    }
    read_list(reader.rest(), &mut message, |list| {
        let mut extensions = Reader::new(list.vector16()?);
        while !extensions.is_empty() {
            let kind = extensions.short()?;
            let mut content = Reader::new(extensions.vector16()?);
            if kind == extension::STATUS_REQUEST
                && let Some(response) = content.octet().and_then(|_| content.vector24())
            {
                stapled.get_or_insert(u32::try_from(response.len()).unwrap_or(u32::MAX));
            }
        }
        Some(())
    });
    (message, stapled)
}

const fn empty(span: Span) -> CertificateMessage {
    CertificateMessage {
        span,
        certificates: Vec::new(),
        unreadable: 0,
        decrypted: false,
    }
}

/// A list of certificates; `behind` reads what stands behind each.
fn read_list(body: &[u8], message: &mut CertificateMessage, mut behind: impl FnMut(&mut Reader<'_>) -> Option<()>) {
    let mut reader = Reader::new(body);
    let list = match reader.vector24() {
        Some(list) if reader.is_empty() => list,
        Some(list) => {
            message.unreadable += 1;
            list
        }
        None => {
            message.unreadable += 1;
            body.get(3..).unwrap_or_default()
        }
    };
    let mut list = Reader::new(list);
    while !list.is_empty() {
        let Some(der) = list.vector24() else {
            message.unreadable = message.unreadable.saturating_add(1);
            break;
        };
        let room = message.certificates.len() < CERTIFICATES && message.unreadable < CERTIFICATES as u32;
        match room.then(|| remembered(der)).flatten() {
            Some(certificate) => message.certificates.push(certificate),
            None => message.unreadable = message.unreadable.saturating_add(1),
        }
        if behind(&mut list).is_none() {
            message.unreadable = message.unreadable.saturating_add(1);
            break;
        }
    }
}

thread_local! {
    /// Reading a certificate costs as much as a hundred segments.
    static READ: RefCell<Remembered<Certificate>> = RefCell::default();
}

/// [`certificate`], asked once for the same octets.
fn remembered(der: &[u8]) -> Option<Arc<Certificate>> {
    READ.with_borrow_mut(|read| read.get(der, || certificate(der)))
}

/// Reads one certificate; `None` where it is too large, nested too deep, or not a certificate.
#[must_use]
pub fn certificate(der: &[u8]) -> Option<Certificate> {
    if der.len() > CERTIFICATE_OCTETS || !der::is_shallow(der) {
        return None;
    }
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    let (signature_algorithm, weak_signature) = signature(&parsed.signature_algorithm);
    let mut certificate = Certificate {
        length: u32::try_from(der.len()).unwrap_or(u32::MAX),
        subject: name::text(parsed.subject()),
        common_name: name::common_name(parsed.subject()),
        issuer: name::text(parsed.issuer()),
        dns_names: Vec::new(),
        ip_addresses: Vec::new(),
        serial: hex(parsed.raw_serial()),
        not_before: time(parsed.validity().not_before),
        not_after: time(parsed.validity().not_after),
        key: public_key(parsed.public_key()),
        signature_algorithm,
        weak_signature,
        self_issued: parsed.subject().as_raw() == parsed.issuer().as_raw(),
        is_authority: false,
        server_authentication: None,
        client_authentication: None,
        subject_key_identifier: None,
        authority_key_identifier: None,
        fingerprint: hex(&Sha256::digest(der)),
    };
    for extension in parsed.iter_extensions() {
        read_extension(extension.parsed_extension(), &mut certificate);
    }
    Some(certificate)
}

/// What one extension says.
fn read_extension(extension: &ParsedExtension<'_>, certificate: &mut Certificate) {
    match extension {
        ParsedExtension::SubjectAlternativeName(names) => {
            for name in names.general_names.iter().take(ALTERNATIVE_NAMES) {
                match name {
                    GeneralName::DNSName(name) => certificate.dns_names.push(Captured::from(*name)),
                    GeneralName::IPAddress(octets) => certificate.ip_addresses.push(address(octets)),
                    _ => {}
                }
            }
        }
        ParsedExtension::BasicConstraints(constraints) => certificate.is_authority = constraints.ca,
        ParsedExtension::ExtendedKeyUsage(usage) => {
            certificate.server_authentication = Some(usage.server_auth || usage.any);
            certificate.client_authentication = Some(usage.client_auth || usage.any);
        }
        ParsedExtension::SubjectKeyIdentifier(identifier) => {
            certificate.subject_key_identifier = Some(hex(identifier.0));
        }
        ParsedExtension::AuthorityKeyIdentifier(identifier) => {
            certificate.authority_key_identifier = identifier.key_identifier.as_ref().map(|key| hex(key.0));
        }
        _ => {}
    }
}

/// An iPAddress as text; hex where it has neither 4 nor 16 octets.
fn address(octets: &[u8]) -> Captured {
    let text = if let Ok(four) = <[u8; 4]>::try_from(octets) {
        Ipv4Addr::from(four).to_string()
    } else if let Ok(sixteen) = <[u8; 16]>::try_from(octets) {
        Ipv6Addr::from(sixteen).to_string()
    } else {
        hex(octets)
    };
    Captured::new(text.as_bytes())
}

/// Clamped to what a capture's clock can say (years 1678 to 2261).
fn time(time: ASN1Time) -> Timestamp {
    Timestamp::from_parts(time.timestamp(), 0)
}

/// Algorithm and size of a key.
fn public_key(key: &SubjectPublicKeyInfo<'_>) -> PublicKey {
    let oid = key.algorithm.algorithm.to_id_string();
    let point = key.subject_public_key.data.len();
    match oid.as_str() {
        "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => PublicKey {
            algorithm: "RSA".to_owned(),
            bits: modulus_bits(&key.subject_public_key),
        },
        "1.2.840.10045.2.1" => elliptic_curve(key, point),
        "1.2.840.10040.4.1" => PublicKey {
            algorithm: "DSA".to_owned(),
            bits: dsa_bits(&key.algorithm),
        },
        "1.3.101.112" => PublicKey {
            algorithm: "Ed25519".to_owned(),
            bits: 256,
        },
        "1.3.101.113" => PublicKey {
            algorithm: "Ed448".to_owned(),
            bits: 456,
        },
        _ => PublicKey {
            bits: bits_of_octets(point),
            algorithm: oid,
        },
    }
}

fn bits_of_octets(octets: usize) -> u32 {
    u32::try_from(octets).unwrap_or(u32::MAX).saturating_mul(8)
}

/// Bits of an unsigned number, leading zeros not counted.
pub(super) fn bits_of_number(number: &[u8]) -> u32 {
    let significant = number
        .iter()
        .position(|octet| *octet != 0)
        .map(|start| number.get(start..).unwrap_or_default());
    match significant {
        Some([first, ..]) => bits_of_octets(significant.map_or(0, <[u8]>::len)).saturating_sub(first.leading_zeros()),
        _ => 0,
    }
}

/// RSAPublicKey ::= SEQUENCE { modulus, publicExponent }.
fn modulus_bits(key: &BitString<'_>) -> u32 {
    x509_parser::public_key::RSAPublicKey::from_der(&key.data).map_or(0, |(_, key)| bits_of_number(key.modulus))
}

/// Dss-Parms ::= SEQUENCE { p, q, g }: the size is that of p.
fn dsa_bits(algorithm: &AlgorithmIdentifier<'_>) -> u32 {
    let Some(parameters) = &algorithm.parameters else {
        return 0;
    };
    let first = x509_parser::der_parser::der::parse_der_integer(parameters.data);
    let Ok((_, object)) = first else { return 0 };
    object.as_slice().map_or(0, bits_of_number)
}

/// The curve by its OID; its size from the point where the curve is not known.
fn elliptic_curve(key: &SubjectPublicKeyInfo<'_>, point: usize) -> PublicKey {
    let parameters = key.algorithm.parameters.as_ref();
    let oid = parameters
        .and_then(|parameters| parameters.as_oid().ok())
        .map(|oid| oid.to_id_string());
    let (curve, bits) = match oid.as_deref() {
        Some("1.2.840.10045.3.1.7") => ("P-256", 256),
        Some("1.3.132.0.34") => ("P-384", 384),
        Some("1.3.132.0.35") => ("P-521", 521),
        Some("1.2.840.10045.3.1.1") => ("P-192", 192),
        Some("1.3.132.0.33") => ("P-224", 224),
        Some("1.3.132.0.10") => ("secp256k1", 256),
        Some("1.3.36.3.3.2.8.1.1.7") => ("brainpoolP256r1", 256),
        Some("1.3.36.3.3.2.8.1.1.11") => ("brainpoolP384r1", 384),
        Some("1.3.36.3.3.2.8.1.1.13") => ("brainpoolP512r1", 512),
        Some("1.2.156.10197.1.301") => ("SM2", 256),
        Some(other) => (other, bits_of_octets(point.saturating_sub(1) / 2)),
        None => ("explicit", bits_of_octets(point.saturating_sub(1) / 2)),
    };
    PublicKey {
        algorithm: format!("EC {curve}"),
        bits,
    }
}

/// Name of a signature algorithm, and whether its hash is MD2, MD5 or SHA-1.
fn signature(algorithm: &AlgorithmIdentifier<'_>) -> (String, bool) {
    let oid = algorithm.algorithm.to_id_string();
    let (name, weak) = match oid.as_str() {
        "1.2.840.113549.1.1.2" => ("md2WithRSAEncryption", true),
        "1.2.840.113549.1.1.3" => ("md4WithRSAEncryption", true),
        "1.2.840.113549.1.1.4" | "1.3.14.3.2.25" => ("md5WithRSAEncryption", true),
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => ("sha1WithRSAEncryption", true),
        "1.2.840.113549.1.1.10" => return pss(algorithm),
        "1.2.840.113549.1.1.11" => ("sha256WithRSAEncryption", false),
        "1.2.840.113549.1.1.12" => ("sha384WithRSAEncryption", false),
        "1.2.840.113549.1.1.13" => ("sha512WithRSAEncryption", false),
        "1.2.840.113549.1.1.14" => ("sha224WithRSAEncryption", false),
        "1.2.840.10040.4.3" => ("dsa-with-sha1", true),
        "2.16.840.1.101.3.4.3.1" => ("dsa-with-sha224", false),
        "2.16.840.1.101.3.4.3.2" => ("dsa-with-sha256", false),
        "1.2.840.10045.4.1" => ("ecdsa-with-SHA1", true),
        "1.2.840.10045.4.3.1" => ("ecdsa-with-SHA224", false),
        "1.2.840.10045.4.3.2" => ("ecdsa-with-SHA256", false),
        "1.2.840.10045.4.3.3" => ("ecdsa-with-SHA384", false),
        "1.2.840.10045.4.3.4" => ("ecdsa-with-SHA512", false),
        "1.3.101.112" => ("Ed25519", false),
        "1.3.101.113" => ("Ed448", false),
        _ => return (oid, false),
    };
    (name.to_owned(), weak)
}

/// RSASSA-PSS names its hash in the parameters; without them it is SHA-1 (RFC 4055, section 3.1).
fn pss(algorithm: &AlgorithmIdentifier<'_>) -> (String, bool) {
    use x509_parser::signature_algorithm::SignatureAlgorithm;
    let weak = match SignatureAlgorithm::try_from(algorithm) {
        Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) => {
            matches!(
                parameters.hash_algorithm_oid().to_id_string().as_str(),
                "1.3.14.3.2.26" | "1.2.840.113549.2.5"
            )
        }
        _ => algorithm.parameters.is_none(),
    };
    ("rsassaPss".to_owned(), weak)
}
