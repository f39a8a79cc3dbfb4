//! "value; name=value" fields (Content-Type, Content-Disposition) → value and parameters: RFC 2045 with the extensions of
//! RFC 2231, and with the encoded words in quoted strings that mailers send although RFC 2047 forbids them.

use super::charset;
use super::lexer::{plain_octets, unquote, without_comments};
use super::transfer::decode_percent;
use super::words::{cut, decode_text};

/// Parameters read of one field.
const PARAMETERS: usize = 128;
/// Octets kept of a parameter's text.
const PARAMETER_OCTETS: usize = 1024;

/// A field body taken apart.
pub struct Parameters<'a> {
    /// What stands before the first ";", comments removed, in lower case.
    pub value: Vec<u8>,
    list: Vec<Parameter<'a>>,
}

struct Parameter<'a> {
    name: &'a [u8],
    /// Place in a continued value (RFC 2231, section 3).
    section: Option<u32>,
    /// Percent-encoded (RFC 2231, section 4).
    extended: bool,
    raw: &'a [u8],
}

impl<'a> Parameters<'a> {
    /// Takes an unfolded field body apart.
    pub fn parse(body: &'a [u8]) -> Self {
        let mut cuts = plain_octets(body, |octet| octet == b';')
            .map(|(index, _)| index)
            .chain([body.len()]);
        let first = cuts.next().unwrap_or(body.len());
        let value = lower_value(body.get(..first).unwrap_or_default());
        let mut start = first + 1;
        let mut list = Vec::new();
        for end in cuts.take(PARAMETERS) {
            list.extend(body.get(start..end).and_then(parameter));
            start = end + 1;
        }
        Self { value, list }
    }

    /// The value alone.
    pub fn value_of(body: &[u8]) -> Vec<u8> {
        let end = plain_octets(body, |octet| octet == b';').next();
        let end = end.map_or(body.len(), |(index, _)| index);
        lower_value(body.get(..end).unwrap_or_default())
    }

    /// A parameter as sent, quotes undone: for boundaries and protocols.
    pub fn raw(&self, name: &str) -> Option<Vec<u8>> {
        let found = self
            .list
            .iter()
            .find(|one| one.name.eq_ignore_ascii_case(name.as_bytes()))?;
        Some(unquote(found.raw))
    }

    /// A parameter as text, decoded.
    pub fn text(&self, name: &str) -> Option<String> {
        let mut pieces: Vec<&Parameter<'_>> = self
            .list
            .iter()
            .filter(|one| one.name.eq_ignore_ascii_case(name.as_bytes()))
            .collect();
        let encoded = pieces.iter().any(|one| one.extended || one.section.is_some());
        if !encoded {
            return Some(shorten(&decode_text(&unquote(pieces.first()?.raw))));
        }
        // Mailers send name="fallback" next to name*0*=: the extended form is the true one.
        pieces.retain(|one| one.extended || one.section.is_some());
        pieces.sort_by_key(|one| one.section.unwrap_or(0));
        pieces.dedup_by_key(|one| one.section.unwrap_or(0));
        let mut octets = Vec::new();
        let mut label: &[u8] = b"";
        for (position, piece) in pieces.iter().enumerate() {
            let mut raw = piece.raw;
            if position == 0
                && piece.extended
                && let Some((charset, text)) = split_charset(raw)
            {
                label = charset;
                raw = text;
            }
            if piece.extended {
                octets.extend(decode_percent(&unquote(raw)));
            } else {
                octets.extend(unquote(raw));
            }
        }
        let text = if label.is_empty() {
            decode_text(&octets)
        } else {
            charset::decode(label, &octets).into()
        };
        Some(shorten(&text))
    }
}

fn lower_value(octets: &[u8]) -> Vec<u8> {
    let mut value = without_comments(octets);
    value.make_ascii_lowercase();
    value
}

fn shorten(text: &str) -> String {
    cut(text, PARAMETER_OCTETS).to_owned()
}

/// "charset'language'text".
fn split_charset(raw: &[u8]) -> Option<(&[u8], &[u8])> {
    let raw = raw.strip_prefix(b"\"").unwrap_or(raw);
    let mut parts = raw.splitn(3, |&octet| octet == b'\'');
    let charset = parts.next()?;
    parts.next()?;
    Some((charset, parts.next()?))
}

fn parameter(piece: &[u8]) -> Option<Parameter<'_>> {
    let equals = memchr::memchr(b'=', piece)?;
    let name = piece.get(..equals)?.trim_ascii();
    let raw = piece.get(equals + 1..)?.trim_ascii();
    let mut parts = name.split(|&octet| octet == b'*');
    let base = parts.next()?;
    let (mut section, mut extended) = (None, false);
    for part in parts {
        if part.is_empty() {
            extended = true;
        } else {
            section = std::str::from_utf8(part).ok()?.parse().ok();
        }
    }
    (!base.is_empty()).then_some(Parameter {
        name: base,
        section,
        extended,
        raw,
    })
}

#[cfg(test)]
mod tests {
    use super::Parameters;

    #[test]
    fn file_names_are_decoded_in_every_form() {
        let table: &[(&[u8], &str)] = &[
            (b"attachment; filename=\"plain.txt\"", "plain.txt"),
            (b"attachment; filename=\"a;b \\\"c\\\".txt\"", "a;b \"c\".txt"),
            (
                b"attachment; filename*=UTF-8''%E8%A6%8B%E7%A9%8D.pdf",
                "\u{898b}\u{7a4d}.pdf",
            ),
            (
                b"attachment; filename*0*=UTF-8''%E8%A6; filename*1*=%8B%E7%A9%8D; filename*2=\".pdf\"",
                "\u{898b}\u{7a4d}.pdf",
            ),
            (
                b"attachment; filename*1*=%8B.pdf; filename*0*=UTF-8''%E8%A6",
                "\u{898b}.pdf",
            ),
            (
                b"attachment; filename=\"x.pdf\"; filename*=UTF-8''%E8%A6%8B.pdf",
                "\u{898b}.pdf",
            ),
            (
                b"attachment; filename=\"=?ISO-2022-JP?B?GyRCOCtAURsoQi5wZGY=?=\"",
                "\u{898b}\u{7a4d}.pdf",
            ),
            (
                b"attachment; filename=\"=?UTF-8?B?6KaL?= =?UTF-8?B?56mNLnBkZg==?=\"",
                "\u{898b}\u{7a4d}.pdf",
            ),
            (
                b"attachment; filename=\"\x1b$B8+@Q\x1b(B.pdf\"; size=3",
                "\u{898b}\u{7a4d}.pdf",
            ),
            (
                b"attachment; filename=\"\x83\\\x83t\x83g.pdf\"",
                "\u{30bd}\u{30d5}\u{30c8}.pdf",
            ),
            (
                b"attachment; filename*=iso-2022-jp''%1B%24B8%2B%40Q%1B%28B.pdf",
                "\u{898b}\u{7a4d}.pdf",
            ),
            (b"attachment; filename=a.txt (comment; x=y)", "a.txt (comment; x=y)"),
        ];
        for (body, expected) in table {
            let text = Parameters::parse(body).text("filename").unwrap();
            assert_eq!(text, *expected, "{}", body.escape_ascii());
        }
    }

    #[test]
    fn the_value_is_in_lower_case_and_absent_parameters_are_none() {
        let parameters = Parameters::parse(b"Text/PLAIN (c); charset=UTF-8; =x; y");
        assert_eq!(parameters.value, b"text/plain");
        assert_eq!(Parameters::value_of(b" Base64 (c; d) ; x"), b"base64");
        assert_eq!(parameters.raw("Charset").unwrap(), b"UTF-8");
        assert_eq!(parameters.text("name"), None);
    }
}
