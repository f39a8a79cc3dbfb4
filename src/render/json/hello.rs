//! What a client offers, as a session's record holds it: nearly all of it is lists of suites and groups that one program says
//! in each of its ClientHellos, which share their [`Offer`]. Those are remembered as JSON, in each thread, and copied. Nothing
//! but time depends on that; a test holds it against the plain record.

use std::cell::RefCell;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::protocol::tls::{ClientHello, Offer};
use crate::render::json::schema::schema_like;
use crate::render::json::text::Text;
use crate::render::json::tls::OfferRecord;
use crate::render::json::writer::ToJson;

/// Offers remembered in each thread.
const REMEMBERED: usize = 128;
/// Octets of JSON of the longest that is remembered.
const LONGEST: usize = 8192;

/// A ClientHello: as JSON what `OfferRecord` says of it.
#[derive(Clone, Copy, Debug)]
pub struct Hello<'a>(pub &'a ClientHello);

/// Around what is each hello's own: its frames and the server's name. In a text the quotation marks would be escaped.
const FRAMES: &[u8] = b"{\"frames\":";
const SERVER_NAME: &[u8] = b",\"server_name\":";
const ALPN: &[u8] = b",\"alpn\":";

/// An offer as JSON, without frames and name.
struct Known {
    offer: Arc<Offer>,
    before_name: Vec<u8>,
    behind_name: Vec<u8>,
}

thread_local! {
    static KNOWN: RefCell<Vec<Option<Known>>> = RefCell::new((0..REMEMBERED).map(|_| None).collect());
}

/// Offers lie sixteen octets apart at least.
fn place(offer: &Arc<Offer>) -> usize {
    let address = Arc::as_ptr(offer).addr() >> 4;
    (address ^ address >> 7) % REMEMBERED
}

impl Known {
    /// `None` where it is too long.
    fn of(hello: &ClientHello) -> Option<Self> {
        let record = OfferRecord {
            frames: (0, 0),
            server_name: None,
            ..OfferRecord::of(hello)
        };
        let mut json = Vec::new();
        record.append(&mut json);
        let own = [FRAMES, b"[0,0]"].concat();
        let name = memchr::memmem::find(&json, ALPN)?;
        (json.len() <= LONGEST).then_some(Self {
            offer: Arc::clone(&hello.offer),
            before_name: json.get(own.len()..name)?.to_vec(),
            behind_name: json.get(name..)?.to_vec(),
        })
    }

    fn append(&self, hello: &ClientHello, json: &mut Vec<u8>) {
        json.extend_from_slice(FRAMES);
        OfferRecord::frames(hello).append(json);
        json.extend_from_slice(&self.before_name);
        if let Some(name) = &hello.server_name {
            json.extend_from_slice(SERVER_NAME);
            Text::from(name).append(json);
        }
        json.extend_from_slice(&self.behind_name);
    }
}

impl ToJson for Hello<'_> {
    fn append(&self, json: &mut Vec<u8>) {
        let known = KNOWN.with_borrow_mut(|known| {
            // With GREASE (RFC 8701) no hello comes twice.
            let known = known.get_mut(place(&self.0.offer)).filter(|_| !self.0.grease)?;
            let is_it = |known: &Known| Arc::ptr_eq(&known.offer, &self.0.offer);
            if !known.as_ref().is_some_and(is_it) {
                *known = Known::of(self.0);
            }
            known.as_ref()?.append(self.0, json);
            Some(())
        });
        if known.is_none() {
            OfferRecord::of(self.0).append(json);
        }
    }
}

impl Serialize for Hello<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        OfferRecord::of(self.0).serialize(serializer)
    }
}

schema_like!(Hello<'a> is OfferRecord<'a>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured::Captured;
    use crate::frame::FrameNumber;
    use crate::protocol::tls::Version;
    use crate::span::{Direction, Span, Stamp};

    fn offer(suites: &[u16]) -> Arc<Offer> {
        Arc::new(Offer {
            legacy_version: Version::TLS1_2,
            ssl2_format: false,
            supported_versions: vec![Version::TLS1_3, Version::TLS1_2],
            cipher_suites: suites.to_vec(),
            compression_methods: vec![0],
            extensions: vec![0, 16, 10],
            alpn: vec![Captured::from("smtp\",\"alpn\":")],
            groups: vec![29, 0x11EC],
            point_formats: vec![0],
            signature_algorithms: Some(vec![0x0804]),
            key_shares: vec![(29, 32)],
            encrypted_client_hello: false,
            grease: false,
            fallback_scsv: true,
            offers_resumption: false,
            pre_shared_key: false,
            ja3: "3".to_owned(),
            ja4: "4".to_owned(),
            malformed: false,
        })
    }

    fn hello(frame: u64, name: Option<&str>, offer: &Arc<Offer>) -> ClientHello {
        let at = |frame| Stamp {
            frame: FrameNumber(frame),
            ..Stamp::default()
        };
        ClientHello {
            span: Span {
                direction: Direction::ToServer,
                start: 0,
                end: 9,
                first: at(frame),
                last: at(frame + 1),
            },
            record_version: Version::TLS1_0,
            server_name: name.map(Captured::from),
            length: 9,
            records: 1,
            offer: Arc::clone(offer),
        }
    }

    #[test]
    fn what_is_remembered_says_what_the_record_says() {
        let long: Vec<u16> = (0..2_000).collect();
        // More than there are places.
        let short = (0..3 * REMEMBERED as u16).map(|suite| offer(&[0x1301, suite]));
        let offers: Vec<Arc<Offer>> = short.chain([offer(&[]), offer(&long)]).collect();
        let names = [None, Some("mail.hinata.example"), Some("\",\"alpn\":<\\")];
        for round in 0..3 {
            for (offer, name) in offers.iter().flat_map(|offer| names.map(|name| (offer, name))) {
                let hello = hello(7 * round, name, offer);
                let (mut told, mut plain) = (Vec::new(), Vec::new());
                Hello(&hello).append(&mut told);
                OfferRecord::of(&hello).append(&mut plain);
                assert_eq!(String::from_utf8(told), String::from_utf8(plain));
            }
        }
        let is_remembered = |offer: &Arc<Offer>| {
            KNOWN.with_borrow(|known| {
                known[place(offer)]
                    .as_ref()
                    .is_some_and(|known| Arc::ptr_eq(&known.offer, offer))
            })
        };
        assert!(
            offers.last().is_some_and(|long| !is_remembered(long)),
            "memory is not bounded"
        );
        assert!(offers.iter().any(is_remembered));
    }
}
