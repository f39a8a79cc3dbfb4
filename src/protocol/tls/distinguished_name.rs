//! X.501 names → RFC 4514 text (`CN=mail.kiri.example,O=Kiri Lab,C=JP`), in UTF-8 whatever string type was used.

use std::fmt::Write as _;

use x509_parser::der_parser::asn1_rs::{Any, Tag};
use x509_parser::prelude::X509Name;

use crate::captured::Captured;
use crate::protocol::tls::fingerprint::hex;

/// commonName.
const COMMON_NAME: &str = "2.5.4.3";

/// The name as RFC 4514 says: last relative name first, `+` between values of one, special characters escaped. Types
/// that RFC 4514 does not name, but everybody does (`emailAddress`), go by that name; the rest as dotted OID.
pub(super) fn text(name: &X509Name<'_>) -> Captured {
    let relative: Vec<_> = name.iter_rdn().collect();
    let mut text = String::new();
    for (index, set) in relative.iter().rev().enumerate() {
        if index > 0 {
            text.push(',');
        }
        for (position, attribute) in set.iter().enumerate() {
            if position > 0 {
                text.push('+');
            }
            let oid = attribute.attr_type().to_id_string();
            text.push_str(short_name(&oid).unwrap_or(&oid));
            text.push('=');
            match value(attribute.attr_value()) {
                Some(value) => escape(&value, &mut text),
                None => {
                    text.push('#');
                    text.push_str(&hex(attribute.attr_value().data));
                }
            }
        }
    }
    Captured::new(text.as_bytes())
}

/// The most specific commonName, not escaped.
pub(super) fn common_name(name: &X509Name<'_>) -> Option<Captured> {
    let attributes = name.iter_attributes();
    let last = attributes
        .filter(|attribute| attribute.attr_type().to_id_string() == COMMON_NAME)
        .last()?;
    match value(last.attr_value()) {
        Some(value) => Some(Captured::new(value.as_bytes())),
        None => Some(Captured::new(last.attr_value().data)),
    }
}

/// A string of any of the ASN.1 types as UTF-8; octets that are not valid become U+FFFD. `None`: not a string.
fn value(value: &Any<'_>) -> Option<String> {
    let data = value.data;
    Some(match value.tag() {
        Tag::BmpString => {
            let pairs = data
                .chunks_exact(2)
                .filter_map(|pair| pair.try_into().ok().map(u16::from_be_bytes));
            char::decode_utf16(pairs)
                .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect()
        }
        Tag::UniversalString => data
            .chunks_exact(4)
            .filter_map(|four| four.try_into().ok().map(u32::from_be_bytes))
            .map(|point| char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
        // T.61 in certificates is Latin-1 or UTF-8 in practice.
        Tag::T61String => match std::str::from_utf8(data) {
            Ok(text) => text.to_owned(),
            Err(_) => data.iter().copied().map(char::from).collect(),
        },
        Tag::Utf8String
        | Tag::PrintableString
        | Tag::Ia5String
        | Tag::NumericString
        | Tag::VisibleString
        | Tag::GeneralString => String::from_utf8_lossy(data).into_owned(),
        _ => return None,
    })
}

/// Escapes of RFC 4514, section 2.4.
fn escape(value: &str, text: &mut String) {
    let last = value.chars().count().saturating_sub(1);
    for (index, character) in value.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => {
                text.push('\\');
                text.push(character);
            }
            ' ' if index == 0 || index == last => text.push_str("\\ "),
            '#' if index == 0 => text.push_str("\\#"),
            // Control characters may be written as hex pairs; only NUL must.
            control if control.is_ascii_control() => {
                let _ = write!(text, "\\{:02X}", control as u32);
            }
            other => text.push(other),
        }
    }
}

/// Names of RFC 4514 section 3, RFC 4519 and common use.
fn short_name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        COMMON_NAME => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "title",
        "2.5.4.13" => "description",
        "2.5.4.15" => "businessCategory",
        "2.5.4.17" => "postalCode",
        "2.5.4.42" => "GN",
        "2.5.4.46" => "dnQualifier",
        "2.5.4.65" => "pseudonym",
        "2.5.4.97" => "organizationIdentifier",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        _ => return None,
    })
}
