//! Handshake messages, in clear or decrypted → facts (RFC 5246 section 7.4, RFC 8446 section 4). Each message is read on its own;
//! what does not fit is flagged or counted.

use crate::protocol::tls::certificate;
use crate::protocol::tls::decoder::Decoder;
use crate::protocol::tls::facts::{CertificateMessage, ClientHello, ServerHello, Version};
use crate::protocol::tls::handshake::{Message, Origin};
use crate::protocol::tls::hello::{self, ReadServerHello};
use crate::protocol::tls::keys::Stage;
use crate::protocol::tls::reader::Reader;
use crate::protocol::tls::registry::{is_dhe, is_ecdhe, is_pre_shared_key};
use crate::span::{Direction, Stamp};

/// ClientHellos kept; later ones are counted as unreadable.
pub const CLIENT_HELLOS: usize = 8;
/// HelloRetryRequests kept; later ones are counted as unreadable.
pub const HELLO_RETRY_REQUESTS: usize = 4;

/// Handshake types (RFC 8446 appendix B.3, RFC 5246 section 7.4, RFC 6066).
mod kind {
    pub(super) const HELLO_REQUEST: u8 = 0;
    pub(super) const CLIENT_HELLO: u8 = 1;
    pub(super) const SERVER_HELLO: u8 = 2;
    pub(super) const NEW_SESSION_TICKET: u8 = 4;
    pub(super) const END_OF_EARLY_DATA: u8 = 5;
    pub(super) const ENCRYPTED_EXTENSIONS: u8 = 8;
    pub(super) const CERTIFICATE: u8 = 11;
    pub(super) const SERVER_KEY_EXCHANGE: u8 = 12;
    pub(super) const CERTIFICATE_REQUEST: u8 = 13;
    pub(super) const SERVER_HELLO_DONE: u8 = 14;
    pub(super) const CERTIFICATE_VERIFY: u8 = 15;
    pub(super) const CLIENT_KEY_EXCHANGE: u8 = 16;
    pub(super) const FINISHED: u8 = 20;
    pub(super) const CERTIFICATE_STATUS: u8 = 22;
    pub(super) const KEY_UPDATE: u8 = 24;
}

impl Decoder {
    /// One complete message.
    pub(super) fn read_message(&mut self, message: &Message<'_>) {
        let Message { kind, origin, .. } = *message;
        let body = message.body();
        let (direction, stamp) = (origin.span.direction, origin.span.first);
        let decrypted = self.handshakes.get(direction).decrypted;
        let inside13 = decrypted && self.is_tls13();
        match kind {
            kind::CLIENT_HELLO => self.read_client_hello(body, &origin),
            kind::SERVER_HELLO => self.read_server_hello(body, &origin),
            kind::CERTIFICATE => self.read_certificate(body, &origin),
            kind::CERTIFICATE_STATUS => self.read_certificate_status(body),
            kind::SERVER_KEY_EXCHANGE => self.read_server_key_exchange(body),
            kind::CERTIFICATE_REQUEST => {
                self.facts.rare_mut().certificate_request.get_or_insert(origin.span);
            }
            kind::SERVER_HELLO_DONE => self.facts.answered_mut().server_hello_done.first(stamp),
            kind::CLIENT_KEY_EXCHANGE => self.facts.answered_mut().client_key_exchange.first(stamp),
            kind::NEW_SESSION_TICKET => self.facts.session_ticket = true,
            kind::ENCRYPTED_EXTENSIONS if inside13 => self.read_encrypted_extensions(body),
            kind::FINISHED if inside13 => self.read_finished(direction, stamp),
            kind::END_OF_EARLY_DATA if inside13 => self.advance_keys(direction, Stage::Early),
            kind::KEY_UPDATE if inside13 => self.advance_keys(direction, Stage::Application),
            kind::HELLO_REQUEST | kind::CERTIFICATE_VERIFY | kind::FINISHED => {}
            _ => self.count_unreadable(),
        }
        let old = !decrypted
            && matches!(
                kind,
                kind::CERTIFICATE
                    | kind::CERTIFICATE_STATUS
                    | kind::SERVER_KEY_EXCHANGE
                    | kind::CERTIFICATE_REQUEST
                    | kind::SERVER_HELLO_DONE
                    | kind::CLIENT_KEY_EXCHANGE
                    | kind::NEW_SESSION_TICKET
            );
        self.old_protocol |= old;
    }

    fn count_unreadable(&mut self) {
        self.facts.unreadable_messages = self.facts.unreadable_messages.saturating_add(1);
    }

    fn read_client_hello(&mut self, body: &[u8], origin: &Origin) {
        match hello::client_hello(body, origin) {
            Some(read) => {
                if self.facts.server_hello.is_none() {
                    self.session_id = read.session_id.into();
                }
                if let Some(vault) = &mut self.vault {
                    vault.client_random = Some(read.random);
                }
                // A renegotiation inside TLS is not what the client offered.
                if !self.handshakes.get(origin.span.direction).decrypted {
                    self.keep_client_hello(read.hello);
                }
            }
            None => self.count_unreadable(),
        }
    }

    fn keep_client_hello(&mut self, hello: ClientHello) {
        if self.facts.client_hellos.len() < CLIENT_HELLOS {
            self.facts.keep_client_hello(hello);
        } else {
            self.count_unreadable();
        }
    }

    /// An SSL 2.0 format ClientHello, from the version on.
    pub(super) fn read_ssl2_client_hello(&mut self, body: &[u8], origin: &Origin) {
        match hello::ssl2_client_hello(body, origin) {
            Some(hello) => self.keep_client_hello(hello),
            None => self.count_unreadable(),
        }
        self.sides.get_mut(origin.span.direction).note(origin.span.first);
    }

    /// A ServerHello of SSL 2.0 itself: session-id-hit, certificate type, version … of which only the version is told.
    pub(super) fn read_ssl2_server_hello(&mut self, body: &[u8], origin: &Origin) {
        self.old_protocol = true;
        let version = Reader::new(body.get(2..).unwrap_or_default())
            .short()
            .map_or(Version::SSL2, Version);
        self.facts.server_hello.get_or_insert(ServerHello {
            span: origin.span,
            record_version: Version::SSL2,
            legacy_version: version,
            version,
            cipher_suite: 0,
            group: None,
            alpn: None,
            extensions: Vec::new(),
            pre_shared_key: false,
            session_id_echoed: false,
            sentinel: None,
            encrypt_then_mac: false,
            malformed: false,
        });
    }

    /// The first ServerHello counts: later ones in clear would belong to another handshake.
    fn read_server_hello(&mut self, body: &[u8], origin: &Origin) {
        match hello::server_hello(body, origin, &self.session_id) {
            Some(ReadServerHello::Hello(hello, random, compressed)) => {
                self.note_negotiated(random, compressed, &hello);
                self.facts.server_hello.get_or_insert(hello);
                self.session_id = Box::default();
            }
            Some(ReadServerHello::Retry(hello)) => {
                let requests = &mut self.facts.rare_mut().hello_retry_requests;
                if requests.len() < HELLO_RETRY_REQUESTS {
                    requests.push(hello);
                } else {
                    self.count_unreadable();
                }
            }
            None => self.count_unreadable(),
        }
    }

    /// The first one of each side counts; a renegotiation inside TLS sends them again.
    fn read_certificate(&mut self, body: &[u8], origin: &Origin) {
        let decrypted = self.handshakes.get(origin.span.direction).decrypted;
        let inside13 = decrypted && self.is_tls13();
        let sender = origin.span.direction;
        if self.facts.has_certificates(sender) {
            if !decrypted {
                self.count_unreadable();
            }
            return;
        }
        if inside13 {
            let (message, stapled) = certificate::message13(body, origin.span);
            self.facts.keep_certificates(sender, message);
            if let Some(length) = stapled {
                self.facts.answered_mut().certificate_status.get_or_insert(length);
            }
        } else {
            let message = CertificateMessage {
                decrypted,
                ..certificate::message(body, origin.span)
            };
            self.facts.keep_certificates(sender, message);
        }
    }

    fn read_encrypted_extensions(&mut self, body: &[u8]) {
        match (hello::encrypted_extensions(body), &mut self.facts.server_hello) {
            (Some(alpn), Some(hello)) => hello.alpn = alpn,
            _ => self.count_unreadable(),
        }
    }

    /// Finished of TLS 1.3 says what sizes only suggest.
    fn read_finished(&mut self, direction: Direction, stamp: Stamp) {
        self.facts.directions.get_mut(direction).finished.first(stamp);
        self.advance_keys(direction, Stage::Handshake);
    }

    /// CertificateStatus (RFC 6066, section 8): the length of the OCSP response.
    fn read_certificate_status(&mut self, body: &[u8]) {
        let mut reader = Reader::new(body);
        match reader.octet().and_then(|_| reader.vector24()) {
            Some(response) => {
                let length = u32::try_from(response.len()).unwrap_or(u32::MAX);
                self.facts.answered_mut().certificate_status.get_or_insert(length);
            }
            None => self.count_unreadable(),
        }
    }

    /// ServerKeyExchange (RFC 5246 section 7.4.3, RFC 8422 section 5.4, RFC 4279): the group or the prime.
    fn read_server_key_exchange(&mut self, body: &[u8]) {
        let Some(suite) = self.facts.server_hello.as_ref().map(|hello| hello.cipher_suite) else {
            return;
        };
        let mut reader = Reader::new(body);
        if is_pre_shared_key(suite) && reader.vector16().is_none() {
            self.count_unreadable();
            return;
        }
        if is_ecdhe(suite) {
            match (reader.octet(), reader.short()) {
                (Some(3), Some(group)) => {
                    self.facts.answered_mut().key_exchange_group.get_or_insert(group);
                }
                // Explicit curves have no number.
                (Some(1 | 2), _) => {}
                _ => self.count_unreadable(),
            }
        } else if is_dhe(suite) {
            match reader.vector16() {
                Some(prime) => {
                    self.facts
                        .answered_mut()
                        .dhe_bits
                        .get_or_insert(certificate::bits_of_number(prime));
                }
                None => self.count_unreadable(),
            }
        }
    }
}
