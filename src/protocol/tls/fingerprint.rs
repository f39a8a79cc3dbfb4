//! Fingerprints of a ClientHello: JA3 (MD5 of five lists) and JA4 (TLS client, FoxIO's BSD-3 part of the family).
//! Both ignore GREASE (RFC 8701). The other members of the JA4 family are under a licence we do not take.

use md5::Md5;
use sha2::{Digest as _, Sha256};

use crate::protocol::tls::facts::{Offer, Version};
use crate::protocol::tls::registry::{extension, is_grease};

/// JA3: MD5 of `version,suites,extensions,groups,point formats` in decimal, as 32 hex digits.
pub(super) fn ja3(hello: &Offer) -> String {
    let points: Vec<u16> = hello.point_formats.iter().copied().map(u16::from).collect();
    let text = format!(
        "{},{},{},{},{}",
        hello.legacy_version.0,
        decimal(&hello.cipher_suites),
        decimal(&hello.extensions),
        decimal(&hello.groups),
        decimal(&points),
    );
    hex(&Md5::digest(text.as_bytes()))
}

/// JA4, TLS client over TCP: `t13d1516h2_8daaf6152771_e5627efa2ab1`.
pub(super) fn ja4(hello: &Offer) -> String {
    let mut suites = plain(&hello.cipher_suites);
    let mut extensions = plain(&hello.extensions);
    let head = format!(
        "t{}{}{:02}{:02}{}",
        version_code(hello),
        if extensions.contains(&extension::SERVER_NAME) {
            'd'
        } else {
            'i'
        },
        suites.len().min(99),
        extensions.len().min(99),
        alpn_code(hello),
    );
    suites.sort_unstable();
    extensions.retain(|kind| !matches!(*kind, extension::SERVER_NAME | extension::ALPN));
    extensions.sort_unstable();
    let algorithms = hello.signature_algorithms.as_deref().map(plain).unwrap_or_default();
    let mut tail = hexadecimal(&extensions);
    if !algorithms.is_empty() {
        tail.push('_');
        tail.push_str(&hexadecimal(&algorithms));
    }
    let tail = if extensions.is_empty() { String::new() } else { tail };
    format!("{head}_{}_{}", short_hash(&hexadecimal(&suites)), short_hash(&tail))
}

/// Two characters for the highest version offered.
fn version_code(hello: &Offer) -> &'static str {
    match hello.maximum() {
        Version::TLS1_3 => "13",
        Version::TLS1_2 => "12",
        Version::TLS1_1 => "11",
        Version::TLS1_0 => "10",
        Version::SSL3 => "s3",
        Version::SSL2 => "s2",
        _ => "00",
    }
}

/// First and last character of the first ALPN name; of its hex form where one of them is not alphanumeric.
fn alpn_code(hello: &Offer) -> String {
    let name = hello.alpn.first().map(|name| name.bytes()).unwrap_or_default();
    let (Some(&first), Some(&last)) = (name.first(), name.last()) else {
        return "00".to_owned();
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [char::from(first), char::from(last)].into_iter().collect();
    }
    let (high, low) = (format!("{first:02x}"), format!("{last:02x}"));
    high.chars().take(1).chain(low.chars().skip(1)).collect()
}

/// The values without GREASE.
fn plain(values: &[u16]) -> Vec<u16> {
    values.iter().copied().filter(|value| !is_grease(*value)).collect()
}

/// `4865-4866`, without GREASE.
fn decimal(values: &[u16]) -> String {
    let mut number = itoa::Buffer::new();
    joined(values, '-', |text, value| text.push_str(number.format(value)))
}

/// `1301,1302`, without GREASE.
fn hexadecimal(values: &[u16]) -> String {
    joined(values, ',', |text, value| {
        let [high, low] = value.to_be_bytes();
        push_hex(text, high);
        push_hex(text, low);
    })
}

fn joined(values: &[u16], separator: char, mut put: impl FnMut(&mut String, u16)) -> String {
    let mut text = String::with_capacity(values.len().saturating_mul(6));
    for value in values.iter().copied().filter(|value| !is_grease(*value)) {
        if !text.is_empty() {
            text.push(separator);
        }
        put(&mut text, value);
    }
    text
}

/// First twelve hex digits of the SHA-256; zeros for an empty list.
fn short_hash(text: &str) -> String {
    if text.is_empty() {
        return "000000000000".to_owned();
    }
    let digest = Sha256::digest(text.as_bytes());
    hex(digest.get(..6).unwrap_or_default())
}

/// Lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        push_hex(&mut text, *byte);
    }
    text
}

fn push_hex(text: &mut String, byte: u8) {
    for digit in [byte >> 4, byte & 15] {
        text.push(char::from(if digit < 10 { b'0' + digit } else { b'a' - 10 + digit }));
    }
}
