//! The record layer of one direction (RFC 8446 section 5.1, RFC 5246 section 6.2): header octets → content type,
//! version, length; and how to find a header again behind a hole. Never looks into a fragment.

use crate::protocol::tls::facts::{ContentType, Version};
use crate::span::Stamp;

/// Longest fragment in octets: 2^14 and 2,048 for compression and protection (RFC 5246, section 6.2.3).
pub const RECORD_OCTETS: u16 = 18_432;

/// Octets searched for a record header after record parsing lost its place; later ones are opaque.
pub const SEARCHED_OCTETS: u32 = 64 * 1024;

/// Longest SSL 2.0 hello in octets that is taken for one.
const SSL2_HELLO_OCTETS: u16 = 4095;

/// Whether octets look like the start of TLS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Likeness {
    /// A record header or an SSL 2.0 ClientHello.
    Yes,
    /// Neither.
    No,
    /// Too few octets to tell; all so far fit.
    NeedMore,
}

/// Tells TLS from plaintext by content: a record header (`14`..`18` `03` `0x`, sane length) or an SSL 2.0 format
/// ClientHello (`8x xx 01`, version 2.0 or 3.x). Reads at most five octets (RFC 5246 6.2.1 and E.2).
#[must_use]
pub fn looks_like_record(bytes: &[u8]) -> Likeness {
    match bytes {
        [] => Likeness::NeedMore,
        [first, ..] if first & 0x80 != 0 => looks_like_ssl2(bytes),
        &[kind, 3, minor, high, low, ..] if minor <= 4 => {
            let length = u16::from_be_bytes([high, low]);
            let sane = match kind {
                20 => length == 1,
                21 => (1..=512).contains(&length),
                22 => (1..=RECORD_OCTETS).contains(&length),
                23 | 24 => length <= RECORD_OCTETS,
                _ => false,
            };
            if sane { Likeness::Yes } else { Likeness::No }
        }
        [20..=24] | [20..=24, 3] | [20..=24, 3, 0..=4] | [20..=24, 3, 0..=4, _] => Likeness::NeedMore,
        _ => Likeness::No,
    }
}

/// The same for the SSL 2.0 format.
fn looks_like_ssl2(bytes: &[u8]) -> Likeness {
    let fits = |octet: Option<&u8>, test: fn(u8) -> bool| octet.is_none_or(|octet| test(*octet));
    let version = match bytes.get(3) {
        Some(0) => fits(bytes.get(4), |minor| minor == 2),
        Some(3) => fits(bytes.get(4), |minor| minor <= 4),
        Some(_) => false,
        None => true,
    };
    if !fits(bytes.first(), |octet| octet & 0xF0 == 0x80) || !fits(bytes.get(2), |kind| kind == 1) || !version {
        return Likeness::No;
    }
    match bytes {
        &[high, low, _, _, _, ..] if ssl2_length(high, low) < 12 => Likeness::No,
        [_, _, _, _, _, ..] => Likeness::Yes,
        _ => Likeness::NeedMore,
    }
}

/// The length in a two-octet SSL 2.0 record header.
fn ssl2_length(high: u8, low: u8) -> u16 {
    u16::from_be_bytes([high & 0x7F, low])
}

/// A record header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) content: ContentType,
    pub(super) version: Version,
    pub(super) length: u16,
}

/// What five octets say where a header must stand.
pub(super) enum Reading {
    /// A record.
    Record(Header),
    /// An SSL 2.0 format ClientHello with so many octets behind the five.
    Ssl2ClientHello(u16),
    /// An SSL 2.0 ServerHello with so many octets behind the five.
    Ssl2ServerHello(u16),
    /// Not TLS.
    Nonsense,
}

/// Reads five octets.
pub(super) fn read_header(octets: [u8; 5]) -> Reading {
    let [kind, major, minor, high, low] = octets;
    let length = u16::from_be_bytes([high, low]);
    if (20..=24).contains(&kind) && major == 3 && minor <= 4 && length <= RECORD_OCTETS {
        return Reading::Record(Header {
            content: ContentType::from_octet(kind),
            version: Version(u16::from_be_bytes([major, minor])),
            length,
        });
    }
    let ssl2 = ssl2_length(kind, major);
    if looks_like_ssl2(&octets) == Likeness::Yes && ssl2 <= SSL2_HELLO_OCTETS {
        return Reading::Ssl2ClientHello(ssl2.saturating_sub(3));
    }
    if kind & 0x80 != 0 && minor == 4 && high <= 1 && low == 1 && ssl2 >= 11 {
        return Reading::Ssl2ServerHello(ssl2.saturating_sub(3));
    }
    Reading::Nonsense
}

/// Stricter than [`read_header`], for octets that may be anything: the version must be the one seen before where one
/// was seen, lengths must be those that real records have.
fn convincing(octets: [u8; 5], expected: Option<Version>) -> Option<Header> {
    let Reading::Record(header) = read_header(octets) else {
        return None;
    };
    let version = match expected {
        Some(version) => header.version == version,
        None => (0x0301..=0x0303).contains(&header.version.0),
    };
    let length = match header.content {
        ContentType::ChangeCipherSpec => header.length == 1,
        ContentType::Alert => header.length == 2 || (18..=256).contains(&header.length),
        ContentType::Handshake => header.length >= 4,
        ContentType::ApplicationData => header.length >= 17,
        ContentType::Heartbeat | ContentType::Other(_) => false,
    };
    (version && length).then_some(header)
}

/// A header that was found, with the stamp of its first octet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) header: Header,
    pub(super) stamp: Stamp,
}

/// What one octet of a search brought.
pub(super) enum Step {
    /// Nothing yet.
    On,
    /// In step again: the record whose fragment begins now, and the one before it that proves it.
    Synchronised { before: Option<Found>, now: Found },
    /// [`SEARCHED_OCTETS`] are used up.
    GivenUp,
}

/// Looks for a record header. The very first position is believed at once (after a hole, segments often begin with a
/// record); anywhere else only two headers in a row are, the second exactly behind the first one's fragment.
#[derive(Clone, Debug)]
pub(super) struct Search {
    window: [(u8, Option<Stamp>); 5],
    have: usize,
    expected: Option<Version>,
    candidate: Option<Found>,
    /// Octets of the candidate's fragment still to pass.
    passing: u32,
    at_start: bool,
    searched: u32,
}

impl Search {
    /// A search that begins at the next octet; `at_start` where that octet may well begin a record.
    pub(super) const fn new(expected: Option<Version>, at_start: bool) -> Self {
        Self {
            window: [(0, None); 5],
            have: 0,
            expected,
            candidate: None,
            passing: 0,
            at_start,
            searched: 0,
        }
    }

    /// Octets that can be passed without a look.
    pub(super) const fn passing(&self) -> u32 {
        self.passing
    }

    /// Passes octets of the candidate's fragment.
    pub(super) fn pass(&mut self, count: u32) {
        self.passing = self.passing.saturating_sub(count);
    }

    /// A hole of `length` octets; inside the candidate's fragment it does not matter.
    pub(super) fn gap(&mut self, length: u64) {
        match u32::try_from(length) {
            Ok(length) if length <= self.passing => self.passing -= length,
            _ => {
                *self = Self {
                    searched: self.searched,
                    ..Self::new(self.expected, true)
                }
            }
        }
    }

    /// Looks at one octet.
    pub(super) fn step(&mut self, octet: u8, stamp: Stamp) -> Step {
        self.searched = self.searched.saturating_add(1);
        if self.searched > SEARCHED_OCTETS {
            return Step::GivenUp;
        }
        if let Some(slot) = self.window.get_mut(self.have) {
            *slot = (octet, Some(stamp));
            self.have += 1;
        }
        if self.have < self.window.len() {
            return Step::On;
        }
        let header = convincing(self.window.map(|(octet, _)| octet), self.expected);
        let first = self.window.first().and_then(|(_, stamp)| *stamp).unwrap_or(stamp);
        let at_start = std::mem::take(&mut self.at_start);
        match header {
            Some(header) if at_start || self.candidate.is_some() => Step::Synchronised {
                before: self.candidate,
                now: Found { header, stamp: first },
            },
            Some(header) => {
                self.candidate = Some(Found { header, stamp: first });
                self.passing = u32::from(header.length);
                self.have = 0;
                Step::On
            }
            None => {
                self.candidate = None;
                self.window.rotate_left(1);
                self.have = self.window.len() - 1;
                Step::On
            }
        }
    }
}
