//! One direction of the record layer: all that a record touches which is only counted, in one line of the cache.

use crate::protocol::tls::facts::{ContentType, Version};
use crate::protocol::tls::inside::Collected;
use crate::protocol::tls::record::{Header, Search};
use crate::span::Stamp;

/// One direction.
#[derive(Default)]
pub(super) struct Side {
    pub(super) layer: Layer,
    /// Records, see [`super::TlsDirection`].
    pub(super) records: u64,
    pub(super) application_records: u64,
    pub(super) application_octets: u64,
    /// The last record, where there is one.
    last: Stamp,
    /// Version of the last record.
    pub(super) version: Option<Version>,
    /// The handshake is over, and application data was seen: further records of application data are only counted, but for
    /// those of an alert's size.
    pub(super) settled: bool,
    /// No key opens its records, and there is nothing to tell about that.
    pub(super) shut: bool,
    /// TLS 1.3: the sender pads its records as Java does.
    pub(super) padded: bool,
    /// Something of this direction's inside was for the owner.
    pub(super) opened: bool,
}

// Most frames of an encrypted session touch one side and nothing else.
const _: () = assert!(size_of::<Side>() <= 64);

/// State of the record layer of one direction.
#[derive(Default)]
pub(super) enum Layer {
    /// A header begins.
    #[default]
    Header,
    /// The rest of a header is missing.
    Partial(Box<PartialHeader>),
    Fragment(Fragment),
    Sealed(Box<Collected>),
    Ssl2(Box<Ssl2>),
    Search(Box<Search>),
    Opaque,
    Ended,
}

/// Octets of a header, and where the first stood.
#[derive(Clone, Copy)]
pub(super) struct PartialHeader {
    pub(super) octets: [u8; 5],
    pub(super) have: usize,
    pub(super) offset: u64,
    pub(super) stamp: Stamp,
}

/// What is left of a fragment.
#[derive(Clone, Copy)]
pub(super) struct Fragment {
    pub(super) content: ContentType,
    pub(super) version: Version,
    pub(super) remaining: u16,
    /// Handshake messages or alerts in it can be read.
    pub(super) clear: bool,
}

/// An SSL 2.0 hello that is being collected, from the fourth octet on.
pub(super) struct Ssl2 {
    pub(super) body: Vec<u8>,
    pub(super) remaining: u16,
    pub(super) start: u64,
    pub(super) first: Stamp,
    pub(super) server: bool,
}

impl Layer {
    /// What follows a header.
    #[inline]
    pub(super) const fn behind(header: Header, clear: bool) -> Self {
        match header.length {
            0 => Self::Header,
            remaining => Self::Fragment(Fragment {
                content: header.content,
                version: header.version,
                remaining,
                clear,
            }),
        }
    }
}

impl Side {
    /// Passes over octets of a fragment that is not read, as far as it goes; gives how many.
    #[inline]
    pub(super) fn pass(&mut self, octets: usize) -> usize {
        match &mut self.layer {
            Layer::Fragment(fragment) if !fragment.clear => match u16::try_from(octets) {
                Ok(octets) if octets < fragment.remaining => {
                    fragment.remaining -= octets;
                    usize::from(octets)
                }
                _ => {
                    let octets = usize::from(fragment.remaining);
                    self.layer = Layer::Header;
                    octets
                }
            },
            _ => 0,
        }
    }

    /// Counts a record.
    #[inline]
    pub(super) fn note(&mut self, stamp: Stamp) {
        self.records = self.records.saturating_add(1);
        self.last = stamp;
    }

    /// Counts a record as application data.
    #[inline]
    pub(super) fn note_application(&mut self, length: u16) {
        self.application_records = self.application_records.saturating_add(1);
        self.application_octets = self.application_octets.saturating_add(u64::from(length));
    }

    /// The last record.
    pub(super) fn last_record(&self) -> Option<Stamp> {
        (self.records > 0).then_some(self.last)
    }
}
