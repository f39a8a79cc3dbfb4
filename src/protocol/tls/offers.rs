//! What ClientHellos offer, read once for each program: reading one and its two fingerprints costs as much as twenty
//! segments, and all that differs between two hellos of one program are a few numbers that no offer depends on.

use std::cell::RefCell;
use std::sync::Arc;

use crate::captured::Captured;
use crate::protocol::tls::facts::Offer;
use crate::protocol::tls::hello;
use crate::protocol::tls::reader::Reader;
use crate::protocol::tls::registry::{extension, is_grease};
use crate::protocol::tls::remembered::Remembered;

/// Offers read last, with room for what the next one depends on.
#[derive(Default)]
struct Offers {
    read: Remembered<Offer>,
    distinct: Vec<u8>,
}

thread_local! {
    static OFFERS: RefCell<Offers> = RefCell::default();
}

/// What a ClientHello body offers, and to whom; `None` where not even version and random are there. Only a well-formed one is
/// remembered.
pub(super) fn of(body: &[u8]) -> Option<(Arc<Offer>, Option<Captured>)> {
    OFFERS.with_borrow_mut(|Offers { read, distinct }| {
        distinct.clear();
        let Some(server_name) = distinguish(body, distinct) else {
            let (offer, server_name) = hello::offer(body)?;
            return Some((Arc::new(offer), server_name));
        };
        let offer = read.get(distinct, || hello::offer(body).map(|(offer, _)| offer))?;
        Some((offer, server_name))
    })
}

/// Puts down all that the offer of a ClientHello body depends on, and gives what it says apart from that: the server's name.
/// `None` where something does not fit, and where GREASE (RFC 8701) makes each hello another. What is put down can be told
/// apart again: lists have their lengths before them.
fn distinguish(body: &[u8], distinct: &mut Vec<u8>) -> Option<Option<Captured>> {
    let mut reader = Reader::new(body);
    distinct.extend_from_slice(reader.take(2)?);
    reader.take(32)?;
    distinct.push(u8::from(reader.vector8()?.is_empty()));
    let suites = reader.vector16()?;
    if starts_with_grease(suites) {
        return None;
    }
    put(distinct, suites);
    put(distinct, reader.vector8()?);
    let mut server_name = None;
    if reader.is_empty() {
        return Some(server_name);
    }
    let mut extensions = Reader::new(reader.vector16()?);
    while !extensions.is_empty() {
        let kind = extensions.short()?;
        let content = extensions.vector16()?;
        if is_grease(kind) {
            return None;
        }
        distinct.extend_from_slice(&kind.to_be_bytes());
        match kind {
            extension::SERVER_NAME => hello::read_server_name(content, &mut server_name)?,
            extension::SESSION_TICKET => distinct.push(u8::from(content.is_empty())),
            extension::KEY_SHARE => put_key_shares(distinct, content)?,
            extension::ALPN
            | extension::SUPPORTED_GROUPS
            | extension::POINT_FORMATS
            | extension::SIGNATURE_ALGORITHMS
            | extension::SUPPORTED_VERSIONS => put(distinct, content),
            // Of the others only is told that they are there.
            _ => {}
        }
    }
    reader.is_empty().then_some(server_name)
}

/// Programs that send GREASE send it first.
fn starts_with_grease(numbers: &[u8]) -> bool {
    numbers
        .first_chunk()
        .is_some_and(|first| is_grease(u16::from_be_bytes(*first)))
}

/// A list whose length is below 65,536, as the wire says.
fn put(distinct: &mut Vec<u8>, list: &[u8]) {
    let length = u16::try_from(list.len()).unwrap_or(u16::MAX);
    distinct.extend_from_slice(&length.to_be_bytes());
    distinct.extend_from_slice(list);
}

/// Groups and lengths of key shares, without the keys.
fn put_key_shares(distinct: &mut Vec<u8>, content: &[u8]) -> Option<()> {
    let mut reader = Reader::new(content);
    let shares = reader.vector16()?;
    distinct.extend_from_slice(content.get(..2)?);
    let mut shares = Reader::new(shares);
    while !shares.is_empty() {
        distinct.extend_from_slice(shares.rest().get(..4)?);
        shares.take(2)?;
        shares.vector16()?;
    }
    reader.is_empty().then_some(())
}
