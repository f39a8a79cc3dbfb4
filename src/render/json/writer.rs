//! JSON of session records, appended to a vector, with the escapes of [`SafeFormatter`](super::SafeFormatter).
//!
//! A report of a gigabyte of mail is some hundred megabytes of JSON, most of it names of fields and plain ASCII. serde_json
//! with our formatter looks through every name and every text three times, and any serializer of serde writes a field in
//! five steps: comma, mark, name, mark, colon. A [`record!`](super::record) knows `,"name":` when it is compiled, and a
//! plain text is looked through once, on the octets of the capture. Floating-point numbers are written by the crate that
//! serde_json uses. Every record derives `Serialize` as well, for users of the library, and a test holds both against
//! each other.

use std::borrow::Cow;
use std::cell::RefCell;
use std::net::IpAddr;

use crate::render::encode::{self, is_unsafe};
use crate::render::json::number::{self, number};

/// Octets of the longest line whose room is kept for the next one.
const KEPT_LINE: usize = 64 << 10;

thread_local! {
    /// Where a line is written before its length is known: it neither grows step by step nor takes more than it needs.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Can be appended to JSON.
pub trait ToJson {
    /// Appends the value.
    fn append(&self, json: &mut Vec<u8>);

    /// Appends the value and a newline.
    fn append_line(&self, json: &mut Vec<u8>) {
        self.append(json);
        json.push(b'\n');
    }

    /// The value and a newline.
    fn to_line(&self) -> Vec<u8> {
        LINE.with_borrow_mut(|line| {
            line.clear();
            line.shrink_to(KEPT_LINE);
            self.append_line(line);
            line.as_slice().to_vec()
        })
    }

    /// Where its field says `skip_serializing_if`: it is left out.
    fn is_absent(&self) -> bool {
        false
    }
}

/// Declares records: serde's `Serialize`, the schema, and [`ToJson`] from one list of fields. A field with
/// `skip_serializing_if` is left out where [`ToJson::is_absent`] says so, which is what the named function says. Frames that
/// are `written(with time)` are written together with the time behind them, which is `written(before)`; a field that is
/// `written(by …)` is written by that function, with those behind it.
macro_rules! record {
    ($(
        $(#[doc = $about:literal])*
        $(#[derive($derived:ident)])?
        pub struct $name:ident $(<$life:lifetime>)? {$(
            $(#[doc = $doc:literal])*
            $(#[serde(rename = $rename:literal)])?
            $(#[serde(skip_serializing_if = $skip:literal)])?
            $(#[schemars(with = $with:literal)])?
            $(#[written($($how:ident)+)])?
            pub $field:ident: $type:ty
        ),+ $(,)?}
    )+) => {$(
        $(#[doc = $about])*
        #[derive(Debug, serde::Serialize, schemars::JsonSchema $(, $derived)?)]
        pub struct $name $(<$life>)? {$(
            $(#[doc = $doc])*
            $(#[serde(rename = $rename)])?
            $(#[serde(skip_serializing_if = $skip)])?
            $(#[schemars(with = $with)])?
            pub $field: $type
        ),+}

        impl $(<$life>)? $crate::render::json::writer::ToJson for $name $(<$life>)? {
            fn append(&self, json: &mut Vec<u8>) {
                let start = json.len();
                $($crate::render::json::writer::record!(@field self, json, $field $(, as $rename)? $(, $skip)? $(, $($how)+)?);)+
                $crate::render::json::writer::close(json, start);
            }
        }
    )+};
    (@field $self:ident, $json:ident, $field:ident) => {
        $json.extend_from_slice(concat!(",\"", stringify!($field), "\":").as_bytes());
        $crate::render::json::writer::ToJson::append(&$self.$field, $json);
    };
    (@field $self:ident, $json:ident, $frames:ident, with $time:ident) => {
        $crate::render::json::time::when($self.$frames, $self.$time, $json);
    };
    (@field $self:ident, $json:ident, $field:ident, by $function:ident) => {
        $self.$function($json);
    };
    (@field $self:ident, $json:ident, $field:ident, $($skip:literal,)? before) => {};
    (@field $self:ident, $json:ident, $field:ident, as $rename:literal) => {
        $json.extend_from_slice(concat!(",\"", $rename, "\":").as_bytes());
        $crate::render::json::writer::ToJson::append(&$self.$field, $json);
    };
    (@field $self:ident, $json:ident, $field:ident, $skip:literal) => {
        if !$crate::render::json::writer::ToJson::is_absent(&$self.$field) {
            $crate::render::json::writer::record!(@field $self, $json, $field);
        }
    };
}
pub(crate) use record;

/// Ends an object whose fields were appended behind `start`, each behind a comma: the first becomes the brace.
pub(super) fn close(json: &mut Vec<u8>, start: usize) {
    match json.get_mut(start) {
        Some(first) => *first = b'{',
        None => json.push(b'{'),
    }
    json.push(b'}');
}

/// Appends octets of the capture as they stand between quotation marks, by the encoder for JSON ([`encode::json`]).
pub(super) fn captured(octets: &[u8], json: &mut Vec<u8>) {
    if is_plain(octets) {
        json.extend_from_slice(octets);
    } else {
        captured_with_marks(octets, json);
    }
}

#[inline(never)]
fn captured_with_marks(octets: &[u8], json: &mut Vec<u8>) {
    let start = json.len();
    if append_ascii(octets, json).is_none() {
        json.truncate(start);
        escape(&encode::json(octets), json);
    }
}

/// Appends ASCII without backslashes, to which the encoder has nothing to say: every line with a path. `None` where there is
/// anything else.
fn append_ascii(octets: &[u8], json: &mut Vec<u8>) -> Option<()> {
    let mut rest = octets;
    while !is_plain(rest) {
        let (plain, behind) = rest.split_at_checked(plain_length(rest))?;
        json.extend_from_slice(plain);
        rest = escape_first(behind, json)?;
    }
    json.extend_from_slice(rest);
    Some(())
}

/// Appends the first octet, which needs something, and gives the others.
fn escape_first<'a>(octets: &'a [u8], json: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (first, behind) = octets.split_first()?;
    match need(*first) {
        Need::Short(b'\\') | Need::Look => return None,
        Need::Short(letter) => json.extend_from_slice(&[b'\\', letter]),
        Need::Number => by_number(char::from(*first), json),
        Need::Plain => json.push(*first),
    }
    Some(behind)
}

/// Appends a list.
pub(super) fn list<T: ToJson>(items: impl Iterator<Item = T>, json: &mut Vec<u8>) {
    let start = json.len();
    items.for_each(|item| {
        json.push(b',');
        item.append(json);
    });
    match json.get_mut(start) {
        Some(first) => *first = b'[',
        None => json.push(b'['),
    }
    json.push(b']');
}

/// What an octet of UTF-8 text needs inside quotation marks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Nothing.
    Plain,
    /// A backslash and this letter.
    Short(u8),
    /// `\u` and its number.
    Number,
    /// A look at the whole character.
    Look,
}

static NEEDS: [Need; 256] = {
    let mut table = [Need::Plain; 256];
    let mut octet = 0;
    while octet < 256 {
        table[octet] = match octet as u8 {
            b'"' => Need::Short(b'"'),
            b'\\' => Need::Short(b'\\'),
            b'\n' => Need::Short(b'n'),
            b'\r' => Need::Short(b'r'),
            b'\t' => Need::Short(b't'),
            8 => Need::Short(b'b'),
            12 => Need::Short(b'f'),
            0..=31 | 127 | b'<' => Need::Number,
            128..=255 => Need::Look,
            _ => Need::Plain,
        };
        octet += 1;
    }
    table
};

fn need(octet: u8) -> Need {
    NEEDS.get(usize::from(octet)).copied().unwrap_or(Need::Look)
}

/// True where no octet needs anything: nearly every text. Sixteen at a time, the last ones overlap.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    if let Some(last) = bytes.last_chunk() {
        bytes.as_chunks().0.iter().all(are_plain) && are_plain(last)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let both = u128::from(u64::from_le_bytes(*first)) | u128::from(u64::from_le_bytes(*last)) << 64;
        are_plain(&both.to_le_bytes())
    } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let both = u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32;
        are_plain(&(u128::from(both) | u128::from(both) << 64).to_le_bytes())
    } else {
        bytes.iter().all(|octet| need(*octet) == Need::Plain)
    }
}

/// One search for each octet that needs something: of these the compiler makes a step each. Of a loop with all of them, and
/// of this one as a part of its user's, it makes a rearrangement of octets that takes several times as long.
#[inline(never)]
fn are_plain(block: &[u8; 16]) -> bool {
    let any = |needs: fn(u8) -> bool| block.iter().fold(false, |any, octet| any | needs(*octet));
    !(any(|octet| !matches!(octet, b' '..=b'~')) | any(|octet| octet == b'<'))
        && !(any(|octet| octet == b'"') | any(|octet| octet == b'\\'))
}

/// The highest bit of each octet that needs something. The first is right, and one above it may be marked for nothing.
const fn marks(octets: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    /// Marks the octets that are 0, and perhaps one above such an octet.
    const fn zeros(octets: u64) -> u64 {
        octets.wrapping_sub(ONES) & !octets
    }
    const fn equal(octets: u64, to: u8) -> u64 {
        zeros(octets ^ (ONES * to as u64))
    }
    let control = octets.wrapping_sub(ONES * 0x20) & !octets;
    let marks = equal(octets, b'"') | equal(octets, b'\\') | equal(octets, b'<') | equal(octets, 0x7f);
    (octets | control | marks) & HIGH
}

/// Appends a text between quotation marks.
pub(super) fn text(text: &str, json: &mut Vec<u8>) {
    json.push(b'"');
    escaped(text, json);
    json.push(b'"');
}

/// Appends a text as it stands between quotation marks.
pub(super) fn escaped(text: &str, json: &mut Vec<u8>) {
    if is_plain(text.as_bytes()) {
        json.extend_from_slice(text.as_bytes());
    } else {
        escape(text, json);
    }
}

fn escape(text: &str, json: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let (mut clean_from, mut at) = (0, plain_length(bytes));
    while let Some(octet) = bytes.get(at) {
        let mut length = 1;
        let escape = match need(*octet) {
            Need::Plain => None,
            Need::Short(letter) => Some(Err(letter)),
            Need::Number => Some(Ok(char::from(*octet))),
            Need::Look => {
                let character = text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or_default();
                length = character.len_utf8();
                is_unsafe(character).then_some(Ok(character))
            }
        };
        if let Some(escape) = escape {
            json.extend_from_slice(bytes.get(clean_from..at).unwrap_or_default());
            match escape {
                Ok(character) => by_number(character, json),
                Err(letter) => json.extend_from_slice(&[b'\\', letter]),
            }
            clean_from = at + length;
        }
        at += length;
        at += plain_length(bytes.get(at..).unwrap_or_default());
    }
    json.extend_from_slice(bytes.get(clean_from..).unwrap_or_default());
}

/// How many octets need nothing at the beginning.
fn plain_length(bytes: &[u8]) -> usize {
    let mut length = 0;
    let (eights, rest) = bytes.as_chunks::<8>();
    for eight in eights {
        let marks = marks(u64::from_le_bytes(*eight));
        if marks != 0 {
            return length + marks.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    match bytes.last_chunk::<8>() {
        Some(last) if !rest.is_empty() => {
            // The first of these were seen to need nothing.
            let unseen = marks(u64::from_le_bytes(*last)) >> (8 * (8 - rest.len()));
            length + (unseen.trailing_zeros() as usize / 8).min(rest.len())
        }
        _ => {
            let first = rest.iter().position(|octet| need(*octet) != Need::Plain);
            length + first.unwrap_or(rest.len())
        }
    }
}

fn by_number(character: char, json: &mut Vec<u8>) {
    if character == '<' {
        // In every path.
        return json.extend_from_slice(b"\\u003c");
    }
    let mut units = [0_u16; 2];
    for unit in character.encode_utf16(&mut units) {
        let digit = |shift: u16| char::from_digit(u32::from(*unit >> shift & 0xf), 16).unwrap_or('0') as u8;
        json.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
    }
}

macro_rules! integers {
    ($($type:ty),+) => {$(
        impl ToJson for $type {
            fn append(&self, json: &mut Vec<u8>) {
                number(*self as u64, json);
            }
            fn is_absent(&self) -> bool {
                *self == 0
            }
        }
    )+};
}
integers!(u8, u16, u32, u64, usize);

impl ToJson for bool {
    fn append(&self, json: &mut Vec<u8>) {
        json.extend_from_slice(if *self { b"true" } else { b"false" });
    }
    fn is_absent(&self) -> bool {
        !self
    }
}

impl ToJson for f64 {
    fn append(&self, json: &mut Vec<u8>) {
        if self.is_finite() {
            json.extend_from_slice(zmij::Buffer::new().format_finite(*self).as_bytes());
        } else {
            json.extend_from_slice(b"null");
        }
    }
}

impl ToJson for str {
    fn append(&self, json: &mut Vec<u8>) {
        text(self, json);
    }
}

impl ToJson for String {
    fn append(&self, json: &mut Vec<u8>) {
        text(self, json);
    }
}

impl ToJson for Cow<'_, str> {
    fn append(&self, json: &mut Vec<u8>) {
        text(self, json);
    }
}

impl ToJson for IpAddr {
    fn append(&self, json: &mut Vec<u8>) {
        json.push(b'"');
        match self {
            Self::V4(address) => number::address_v4(*address, json),
            Self::V6(address) => number::address(*address, json),
        }
        json.push(b'"');
    }
}

/// A first and a last frame.
impl ToJson for (u64, u64) {
    fn append(&self, json: &mut Vec<u8>) {
        number::pair(*self, json);
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn append(&self, json: &mut Vec<u8>) {
        match self {
            Some(value) => value.append(json),
            None => json.extend_from_slice(b"null"),
        }
    }
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: ToJson> ToJson for [T] {
    fn append(&self, json: &mut Vec<u8>) {
        list(self.iter(), json);
    }
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn append(&self, json: &mut Vec<u8>) {
        self.as_slice().append(json);
    }
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl<T: ToJson + ?Sized> ToJson for &T {
    fn append(&self, json: &mut Vec<u8>) {
        (**self).append(json);
    }
    fn is_absent(&self) -> bool {
        (**self).is_absent()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;
    use crate::render::json::SafeFormatter;

    record! {
        /// Of every kind of field.
        pub struct Sample<'a> {
            /// Left out at first, so that the brace goes to another.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub nothing: Option<u8>,
            /// Renamed.
            #[serde(rename = "type")]
            pub kind: &'static str,
            /// A text.
            pub text: Cow<'a, str>,
            /// Null.
            pub null: Option<bool>,
            /// Numbers.
            pub number: f64,
            /// Frames.
            pub frames: (u64, u64),
            /// A list.
            pub list: Vec<Option<String>>,
            /// Left out where empty.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            pub more: Vec<u64>,
            /// An address.
            #[schemars(with = "String")]
            pub address: IpAddr,
        }

        /// Of nothing, where its field is left out.
        pub struct Empty {
            /// Left out where false.
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            pub flag: bool,
        }
    }

    fn by_serde_json(value: &impl serde::Serialize) -> String {
        let mut written = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut written, SafeFormatter::compact());
        value.serialize(&mut serializer).unwrap();
        String::from_utf8(written).unwrap()
    }

    fn by_us(value: &impl ToJson) -> String {
        let mut written = Vec::new();
        value.append(&mut written);
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn what_is_plain_is_found_at_every_place() {
        for length in 0..40 {
            let clean = vec![b'~'; length];
            assert!(is_plain(&clean));
            for at in 0..length {
                for octet in 0..=255 {
                    let mut bytes = clean.clone();
                    bytes[at] = octet;
                    assert_eq!(
                        is_plain(&bytes),
                        need(octet) == Need::Plain,
                        "{octet} at {at} of {length}"
                    );
                    // Up to the first that needs something, whatever comes behind it.
                    for behind in [b'~', 0, b'"', 0xff] {
                        bytes[at + 1..].fill(behind);
                        let first = bytes.iter().position(|octet| need(*octet) != Need::Plain);
                        assert_eq!(plain_length(&bytes), first.unwrap_or(length), "{bytes:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn octets_of_the_capture_are_written_as_their_text_is() {
        let odd = [b'<', b'"', b'\\', b'\n', 0, 0x7f, 0xc3, b'~'];
        for length in 0..40 {
            for at in 0..length.max(1) {
                for (one, other) in odd.iter().flat_map(|one| odd.map(|other| (*one, other))) {
                    let mut octets = vec![b'a'; length];
                    for (place, octet) in [(at, one), (at * 7 / 3, other), (length - length.min(2), other)] {
                        if let Some(free) = octets.get_mut(place) {
                            *free = octet;
                        }
                    }
                    let (mut ours, mut theirs) = (b"x".to_vec(), b"x".to_vec());
                    captured(&octets, &mut ours);
                    escape(&encode::json(&octets), &mut theirs);
                    assert_eq!(String::from_utf8(ours), String::from_utf8(theirs), "{octets:?}");
                }
            }
        }
    }

    #[test]
    fn both_writers_write_the_same() {
        let everything: String = (0..0x300).chain(0x2000..0x2100).filter_map(char::from_u32).collect();
        for (position, text) in [
            "",
            "plain",
            "a\"b\\c\n\r\t\u{8}\u{c}\u{0}\u{1b}</script>",
            "日本語\u{202e}\u{e0041}🗾",
            &everything,
        ]
        .into_iter()
        .enumerate()
        {
            let v6 = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, position as u16);
            let sample = Sample {
                nothing: None,
                kind: "sample",
                text: text.into(),
                null: (position == 1).then_some(true),
                number: 0.1 + position as f64,
                frames: (0, u64::MAX),
                list: vec![None, Some(text.to_owned()), Some("x".to_owned())],
                more: (0..position as u64).collect(),
                address: if position == 2 {
                    [198, 51, 100, 7].into()
                } else {
                    v6.into()
                },
            };
            assert_eq!(by_us(&sample), by_serde_json(&sample));
        }
        for number in [
            0.0,
            -0.0,
            1.0,
            1.5e-9,
            123_456_789.123,
            f64::MAX,
            f64::NAN,
            f64::INFINITY,
        ] {
            assert_eq!(by_us(&number), by_serde_json(&number));
        }
        for flag in [false, true] {
            assert_eq!(by_us(&Empty { flag }), by_serde_json(&Empty { flag }));
        }
        assert_eq!(by_us(&Vec::<u64>::new()), "[]");
    }
}
