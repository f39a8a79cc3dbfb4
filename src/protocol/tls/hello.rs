//! ClientHello and ServerHello (RFC 8446 section 4.1, RFC 5246 section 7.4.1, SSL 2.0 format: RFC 5246 appendix E.2):
//! the body of one message → what was offered or chosen. Reads on as far as it can and says `malformed`; judges nothing.

use std::sync::Arc;

use crate::captured::Captured;
use crate::protocol::tls::facts::{ClientHello, DowngradeSentinel, Offer, ServerHello, Version};
use crate::protocol::tls::handshake::Origin;
use crate::protocol::tls::reader::{Reader, shorts};
use crate::protocol::tls::registry::{self, extension, is_grease, is_tls13};
use crate::protocol::tls::{fingerprint, offers};

/// ALPN names kept of one hello; more make it `malformed`.
pub const ALPN_NAMES: usize = 32;

/// The random that makes a ServerHello a HelloRetryRequest (RFC 8446, section 4.1.3).
const RETRY_RANDOM: [u8; 32] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2, 0xA2, 0x11,
    0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
];

/// A ClientHello and the session id that a server may echo.
pub(super) struct ReadClientHello<'a> {
    /// The facts.
    pub(super) hello: ClientHello,
    /// legacy_session_id.
    pub(super) session_id: &'a [u8],
    /// The random, by which key logs name a connection.
    pub(super) random: [u8; 32],
}

/// Reads a ClientHello body; `None` where not even version and random are there.
pub(super) fn client_hello<'a>(body: &'a [u8], origin: &Origin) -> Option<ReadClientHello<'a>> {
    let mut reader = Reader::new(body);
    reader.short()?;
    let random = reader.take(32)?.try_into().ok()?;
    let session_id = reader.vector8().unwrap_or_default();
    let (offer, server_name) = offers::of(body)?;
    Some(ReadClientHello {
        hello: seen(offer, server_name, origin),
        session_id,
        random,
    })
}

const fn seen(offer: Arc<Offer>, server_name: Option<Captured>, origin: &Origin) -> ClientHello {
    ClientHello {
        span: origin.span,
        record_version: origin.record_version,
        server_name,
        length: origin.length,
        records: origin.records,
        offer,
    }
}

/// What a ClientHello body offers, and to whom.
pub(super) fn offer(body: &[u8]) -> Option<(Offer, Option<Captured>)> {
    let mut reader = Reader::new(body);
    let mut hello = empty_offer(Version(reader.short()?));
    let mut server_name = None;
    reader.take(32)?;
    let session_id = reader.vector8();
    let complete = session_id.is_some() && read_client_lists(&mut reader, &mut hello, &mut server_name).is_some();
    if !complete || !reader.is_empty() {
        hello.malformed = true;
    }
    let offers_tls13 = hello.supported_versions.iter().any(|version| is_tls13(*version));
    hello.offers_resumption |= !session_id.unwrap_or_default().is_empty() && !offers_tls13;
    hello.ja3 = fingerprint::ja3(&hello);
    hello.ja4 = fingerprint::ja4(&hello);
    Some((hello, server_name))
}

/// Cipher suites, compression methods and, where present, extensions.
fn read_client_lists(reader: &mut Reader<'_>, hello: &mut Offer, server_name: &mut Option<Captured>) -> Option<()> {
    let (suites, odd) = shorts(reader.vector16()?);
    hello.malformed |= odd || suites.is_empty();
    hello.grease |= suites.iter().any(|suite| is_grease(*suite));
    hello.fallback_scsv = suites.contains(&registry::FALLBACK_SCSV);
    hello.cipher_suites = suites;
    hello.compression_methods = reader.vector8()?.to_vec();
    if reader.is_empty() {
        return Some(());
    }
    let (block, whole) = match reader.vector16() {
        Some(block) => (block, true),
        // A wrong total length: the extensions that are there still tell.
        None => (reader.rest().get(2..).unwrap_or_default(), false),
    };
    let mut extensions = Reader::new(block);
    while !extensions.is_empty() {
        let kind = extensions.short()?;
        let Some(content) = extensions.vector16() else {
            hello.malformed = true;
            return None;
        };
        hello.extensions.push(kind);
        hello.grease |= is_grease(kind);
        let read = match kind {
            extension::SERVER_NAME => read_server_name(content, server_name),
            _ => read_client_extension(kind, content, hello),
        };
        if read.is_none() {
            hello.malformed = true;
        }
    }
    whole.then_some(())
}

/// One extension; `None` where its inside does not fit.
fn read_client_extension(kind: u16, content: &[u8], hello: &mut Offer) -> Option<()> {
    let mut reader = Reader::new(content);
    match kind {
        extension::ALPN => hello.alpn = protocol_names(&mut reader)?,
        extension::SUPPORTED_GROUPS => hello.groups = number_list(reader.vector16()?, &mut hello.grease)?,
        extension::POINT_FORMATS => hello.point_formats = reader.vector8()?.to_vec(),
        extension::SIGNATURE_ALGORITHMS => {
            hello.signature_algorithms = Some(number_list(reader.vector16()?, &mut hello.grease)?);
        }
        extension::SUPPORTED_VERSIONS => {
            let versions = number_list(reader.vector8()?, &mut hello.grease)?;
            let versions = versions.into_iter().filter(|version| !is_grease(*version));
            hello.supported_versions = versions.map(Version).collect();
        }
        extension::KEY_SHARE => {
            let mut shares = Reader::new(reader.vector16()?);
            while !shares.is_empty() {
                let group = shares.short()?;
                let length = shares.vector16()?.len();
                hello.grease |= is_grease(group);
                hello
                    .key_shares
                    .push((group, u16::try_from(length).unwrap_or(u16::MAX)));
            }
        }
        extension::PRE_SHARED_KEY => {
            hello.pre_shared_key = true;
            hello.offers_resumption = true;
            return Some(());
        }
        extension::SESSION_TICKET => {
            hello.offers_resumption |= !content.is_empty();
            return Some(());
        }
        extension::ENCRYPTED_CLIENT_HELLO => {
            hello.encrypted_client_hello = true;
            return Some(());
        }
        _ => return Some(()),
    }
    reader.is_empty().then_some(())
}

/// Two-octet values; GREASE is noted, an odd octet is an error.
fn number_list(bytes: &[u8], grease: &mut bool) -> Option<Vec<u16>> {
    let (numbers, odd) = shorts(bytes);
    *grease |= numbers.iter().any(|number| is_grease(*number));
    (!odd).then_some(numbers)
}

/// A server_name extension; `None` where it, or what stands behind its list, does not fit.
pub(super) fn read_server_name(content: &[u8], name: &mut Option<Captured>) -> Option<()> {
    let mut reader = Reader::new(content);
    *name = server_name(&mut reader)?;
    reader.is_empty().then_some(())
}

/// The host_name of a server_name extension; an empty list is allowed from servers only, but harmless.
fn server_name(reader: &mut Reader<'_>) -> Option<Option<Captured>> {
    if reader.is_empty() {
        return Some(None);
    }
    let mut list = Reader::new(reader.vector16()?);
    let mut name = None;
    while !list.is_empty() {
        let kind = list.octet()?;
        let value = list.vector16()?;
        if kind == 0 && name.is_none() {
            name = Some(Captured::new(value));
        }
    }
    Some(name)
}

/// The protocol that EncryptedExtensions choose (RFC 8446, section 4.3.1); `None` where they cannot be read.
pub(super) fn encrypted_extensions(body: &[u8]) -> Option<Option<Captured>> {
    let mut extensions = Reader::new(Reader::new(body).vector16()?);
    let mut alpn = None;
    while !extensions.is_empty() {
        let kind = extensions.short()?;
        let mut content = Reader::new(extensions.vector16()?);
        if kind == extension::ALPN {
            alpn = protocol_names(&mut content)?.into_iter().next();
        }
    }
    Some(alpn)
}

/// The names of an ALPN extension.
fn protocol_names(reader: &mut Reader<'_>) -> Option<Vec<Captured>> {
    let mut list = Reader::new(reader.vector16()?);
    let mut names = Vec::new();
    while !list.is_empty() {
        if names.len() == ALPN_NAMES {
            return None;
        }
        names.push(Captured::new(list.vector8()?));
    }
    Some(names)
}

/// An offer of nothing.
const fn empty_offer(legacy_version: Version) -> Offer {
    Offer {
        legacy_version,
        ssl2_format: false,
        supported_versions: Vec::new(),
        cipher_suites: Vec::new(),
        compression_methods: Vec::new(),
        extensions: Vec::new(),
        alpn: Vec::new(),
        groups: Vec::new(),
        point_formats: Vec::new(),
        signature_algorithms: None,
        key_shares: Vec::new(),
        encrypted_client_hello: false,
        grease: false,
        fallback_scsv: false,
        offers_resumption: false,
        pre_shared_key: false,
        ja3: String::new(),
        ja4: String::new(),
        malformed: false,
    }
}

/// Reads an SSL 2.0 format ClientHello, from the version on. JA3 and JA4 are not defined for it: both stay empty.
pub(super) fn ssl2_client_hello(body: &[u8], origin: &Origin) -> Option<ClientHello> {
    let mut reader = Reader::new(body);
    let mut offer = empty_offer(Version(reader.short()?));
    offer.ssl2_format = true;
    offer.malformed = read_ssl2_lists(&mut reader, &mut offer).is_none() || !reader.is_empty();
    Some(seen(Arc::new(offer), None, origin))
}

/// Cipher specs, session id and challenge of an SSL 2.0 hello.
fn read_ssl2_lists(reader: &mut Reader<'_>, hello: &mut Offer) -> Option<()> {
    let specs = usize::from(reader.short()?);
    let session = usize::from(reader.short()?);
    let challenge = usize::from(reader.short()?);
    let specs = reader.take(specs)?.chunks_exact(3);
    let odd = !specs.remainder().is_empty();
    hello.cipher_suites = specs
        .filter_map(|spec| match *spec {
            [0, high, low] => Some(u16::from_be_bytes([high, low])),
            _ => None,
        })
        .collect();
    hello.fallback_scsv = hello.cipher_suites.contains(&registry::FALLBACK_SCSV);
    hello.offers_resumption = session > 0;
    reader.take(session)?;
    reader.take(challenge)?;
    (!odd).then_some(())
}

/// What a ServerHello message turned out to be.
pub(super) enum ReadServerHello {
    /// A choice, with the random, and whether a compression method was chosen.
    Hello(ServerHello, [u8; 32], bool),
    /// A request for another key share.
    Retry(ServerHello),
}

/// Reads a ServerHello body; `None` where it ends before the cipher suite.
///
/// `client_session_id` is the last ClientHello's legacy_session_id, to tell resumption.
pub(super) fn server_hello(body: &[u8], origin: &Origin, client_session_id: &[u8]) -> Option<ReadServerHello> {
    let mut reader = Reader::new(body);
    let legacy_version = Version(reader.short()?);
    let random = reader.take(32)?;
    // Drafts of TLS 1.3 before 22 had neither session id nor compression method here, and the version itself.
    let sized = reader.rest().first().is_some_and(|length| matches!(length, 0 | 32));
    let old_draft = is_tls13(legacy_version) && !(sized && legacy_version == Version::TLS1_3);
    let session_id = if old_draft { &[][..] } else { reader.vector8()? };
    let cipher_suite = reader.short()?;
    let mut hello = ServerHello {
        span: origin.span,
        record_version: origin.record_version,
        legacy_version,
        version: legacy_version,
        cipher_suite,
        group: None,
        alpn: None,
        extensions: Vec::new(),
        pre_shared_key: false,
        session_id_echoed: false,
        sentinel: None,
        encrypt_then_mac: false,
        malformed: session_id.len() > 32,
    };
    let compression = if old_draft { Some(0) } else { reader.octet() };
    if compression.is_none() || read_server_extensions(&mut reader, &mut hello).is_none() || !reader.is_empty() {
        hello.malformed = true;
    }
    if *random == RETRY_RANDOM {
        return Some(ReadServerHello::Retry(hello));
    }
    if !is_tls13(hello.version) {
        hello.session_id_echoed = !session_id.is_empty() && session_id == client_session_id;
        hello.sentinel = sentinel(random);
    }
    let random = random.try_into().ok()?;
    Some(ReadServerHello::Hello(
        hello,
        random,
        compression.is_some_and(|method| method != 0),
    ))
}

/// The extensions of a ServerHello; none at all is legal up to TLS 1.2.
fn read_server_extensions(reader: &mut Reader<'_>, hello: &mut ServerHello) -> Option<()> {
    if reader.is_empty() {
        return Some(());
    }
    let mut extensions = Reader::new(reader.vector16()?);
    while !extensions.is_empty() {
        let kind = extensions.short()?;
        let mut content = Reader::new(extensions.vector16()?);
        hello.extensions.push(kind);
        match kind {
            extension::SUPPORTED_VERSIONS => hello.version = Version(content.short()?),
            extension::KEY_SHARE => hello.group = Some(content.short()?),
            extension::PRE_SHARED_KEY => hello.pre_shared_key = true,
            extension::ENCRYPT_THEN_MAC => hello.encrypt_then_mac = true,
            extension::ALPN => hello.alpn = protocol_names(&mut content)?.into_iter().next(),
            _ => {}
        }
    }
    Some(())
}

/// The downgrade mark in the last eight octets of the random.
fn sentinel(random: &[u8]) -> Option<DowngradeSentinel> {
    match random.strip_prefix(random.get(..24)?)? {
        b"DOWNGRD\x01" => Some(DowngradeSentinel::CouldTls13),
        b"DOWNGRD\x00" => Some(DowngradeSentinel::CouldTls12),
        _ => None,
    }
}
