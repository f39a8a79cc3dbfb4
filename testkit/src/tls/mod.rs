//! Turns `tls …` statements into TLS records and remembers what the next one needs: version, suite, who encrypts already.
//!
//! Handshake messages in the clear are real (RFC 8446, RFC 5246); encrypted ones are noise of the right length. Must not
//! know TCP.

pub mod alert;
pub mod hello;
pub mod suite;

use crate::bytes::{Noise, hex};
use crate::certificate;
use crate::script::Side;
use crate::words::{Words, number};
use hello::{Offer, counted, message};
use suite::KeyExchange;

/// What both ends know after the messages so far.
#[derive(Debug, Clone)]
pub struct TlsState {
    noise: Noise,
    offer: Offer,
    version: Option<u16>,
    suite: u16,
    leaf: String,
    java: bool,
    dhe_bits: usize,
    secure: [bool; 2],
}

impl TlsState {
    /// Nothing said yet; `seed` makes the randoms of sessions differ.
    pub fn new(seed: u64) -> TlsState {
        let offer = Offer {
            maximum: 0x0303,
            session_id: Vec::new(),
            extended_master_secret: true,
            record_version: 0x0301,
        };
        TlsState {
            noise: Noise::new(seed),
            offer,
            version: None,
            suite: 0xc02f,
            leaf: "valid".to_owned(),
            java: false,
            dhe_bits: 2048,
            secure: [false, false],
        }
    }

    fn negotiated(&self) -> u16 {
        self.version.unwrap_or(0x0303)
    }

    fn record_version(&self) -> u16 {
        self.version.unwrap_or(self.offer.maximum.max(0x0300)).min(0x0303)
    }

    /// Wraps a record body that is already as long as on the wire.
    fn record(kind: u8, version: u16, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(5 + body.len());
        // 16,384 bytes of plaintext and the expansion RFC 5246 allows.
        for piece in body.chunks(16_384 + 256) {
            out.push(kind);
            out.extend_from_slice(&version.to_be_bytes());
            out.extend_from_slice(&counted(piece));
        }
        out
    }

    /// Application data that hides `text` (or any plaintext of that length).
    pub fn encrypted(&mut self, side: Side, plaintext: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut left = plaintext;
        loop {
            let piece = left.min(16_384);
            out.extend_from_slice(&self.protected(side, 23, piece));
            left -= piece;
            if left == 0 {
                return out;
            }
        }
    }

    fn protected(&mut self, side: Side, kind: u8, plaintext: usize) -> Vec<u8> {
        let java = self.java && side == Side::Client;
        let length = suite::record_length(self.suite, self.negotiated(), plaintext, java);
        let kind = if self.negotiated() >= 0x0304 { 23 } else { kind };
        let body = self.noise.bytes(length);
        Self::record(kind, self.record_version(), &body)
    }

    fn handshake(&mut self, side: Side, bytes: &[u8]) -> Vec<u8> {
        match self.secure[side as usize] {
            true => self.protected(side, 22, bytes.len()),
            false => Self::record(22, self.record_version(), bytes),
        }
    }

    /// The records of one statement, `words` standing behind the word `tls`.
    pub fn say(&mut self, side: Side, words: &Words) -> Result<Vec<u8>, String> {
        let command = words
            .next()
            .ok_or("\"tls\" needs a word: hello, server-hello, alert, app, …")?
            .to_owned();
        let bytes = match command.as_str() {
            "hello" | "client-hello" => self.client_hello(words)?,
            "server-hello" => self.server_hello(words)?,
            "hello-retry" => self.hello_retry(words)?,
            "encrypted-extensions" => self.handshake(side, &message(8, &[0, 0])),
            "certificate" => self.certificate(side, words)?,
            "certificate-status" => self.certificate_status(side, words)?,
            "key-exchange" => self.server_key_exchange(side, words)?,
            "certificate-request" => self.certificate_request(side),
            "done" => self.handshake(side, &message(14, &[])),
            "client-key-exchange" => self.client_key_exchange(side),
            "certificate-verify" => self.certificate_verify(side),
            "ccs" => {
                let version = self.record_version();
                if self.negotiated() < 0x0304 {
                    self.secure[side as usize] = true;
                }
                Self::record(20, version, &[1])
            }
            "finished" => self.finished(side),
            "ticket" => self.ticket(side),
            "hello-request" => self.handshake(side, &message(0, &[])),
            "app" => {
                let length = number(words.next().ok_or("\"tls app\" needs the length of the record body")?)? as usize;
                let body = self.noise.bytes(length);
                Self::record(23, self.record_version(), &body)
            }
            "text" => self.encrypted(side, words.rest().join(" ").len() + 2),
            "alert" => self.alert(words)?,
            "encrypted-alert" => self.encrypted_alert(side, words)?,
            "close" => match self.secure[side as usize] {
                true => self.protected(side, 21, 2),
                false => Self::record(21, self.record_version(), &[1, 0]),
            },
            "record" => self.raw_record(words)?,
            "raw" => hex(&words.rest().join(" "))?,
            other => return Err(format!("\"tls {other}\" is not known")),
        };
        words.finish()?;
        Ok(bytes)
    }

    fn client_hello(&mut self, words: &Words) -> Result<Vec<u8>, String> {
        match words.value("client") {
            Some("java") => self.java = true,
            Some("openssl" | "gnutls" | "nss") | None => {}
            Some(other) => return Err(format!("client={other} must be openssl, gnutls, nss or java")),
        }
        let (bytes, offer) = hello::client_hello(words, &mut self.noise)?;
        self.offer = offer;
        self.version = None;
        match self.offer.record_version {
            0x0002 => Ok(bytes),
            version if self.secure[0] => {
                let _ = version;
                Ok(self.protected(Side::Client, 22, bytes.len()))
            }
            version => Ok(Self::record(22, version, &bytes)),
        }
    }

    fn server_hello(&mut self, words: &Words) -> Result<Vec<u8>, String> {
        let version = match words.value("version") {
            Some(text) => hello::version(text)?,
            None => self.offer.maximum,
        };
        self.suite = match words.value("suite") {
            Some(text) => suite::parse(text)?,
            None if version >= 0x0304 => 0x1302,
            None if version == 0x0303 => 0xc02f,
            None => 0xc014,
        };
        self.version = Some(version);
        let offer = self.offer.clone();
        let bytes = hello::server_hello(words, version, self.suite, None, &offer, &mut self.noise)?;
        let out = Self::record(22, version.min(0x0303), &bytes);
        if version >= 0x0304 {
            // Everything after the ServerHello is encrypted on the server's side (RFC 8446 section 2).
            self.secure[1] = true;
        }
        Ok(out)
    }

    fn hello_retry(&mut self, words: &Words) -> Result<Vec<u8>, String> {
        let group = hello::group(words.value("group").unwrap_or("secp256r1"))?;
        let suite = words.value("suite").map(suite::parse).transpose()?.unwrap_or(0x1302);
        let offer = self.offer.clone();
        let bytes = hello::server_hello(words, 0x0304, suite, Some(group), &offer, &mut self.noise)?;
        Ok(Self::record(22, 0x0303, &bytes))
    }

    fn certificate(&mut self, side: Side, words: &Words) -> Result<Vec<u8>, String> {
        let name = match words.value("leaf") {
            Some(name) => name.to_owned(),
            None => words.next().unwrap_or("valid").to_owned(),
        };
        let chain = certificate::chain(&name)?;
        let version13 = self.negotiated() >= 0x0304;
        let mut entries = Vec::new();
        for der in chain {
            entries.extend_from_slice(&(der.len() as u32).to_be_bytes()[1..]);
            entries.extend_from_slice(der);
            if version13 {
                entries.extend_from_slice(&[0, 0]);
            }
        }
        let mut body = if version13 { vec![0] } else { Vec::new() };
        body.extend_from_slice(&(entries.len() as u32).to_be_bytes()[1..]);
        body.extend_from_slice(&entries);
        if version13 && side == Side::Client {
            self.secure[0] = true;
        }
        if side == Side::Server {
            self.leaf = name;
        }
        Ok(self.handshake(side, &message(11, &body)))
    }

    fn certificate_status(&mut self, side: Side, words: &Words) -> Result<Vec<u8>, String> {
        let state = words.next().unwrap_or("good");
        let response =
            certificate::ocsp(state).ok_or_else(|| format!("no OCSP answer \"{state}\"; good or revoked"))?;
        let mut body = vec![1];
        body.extend_from_slice(&(response.len() as u32).to_be_bytes()[1..]);
        body.extend_from_slice(response);
        Ok(self.handshake(side, &message(22, &body)))
    }

    fn signature(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.negotiated() >= 0x0303 {
            out.extend_from_slice(if self.leaf == "ecdsa" { &[4, 3] } else { &[8, 4] });
        }
        let bytes = self.noise.bytes(certificate::signature_length(&self.leaf));
        out.extend_from_slice(&counted(&bytes));
        out
    }

    fn server_key_exchange(&mut self, side: Side, words: &Words) -> Result<Vec<u8>, String> {
        let bits = words.number("dhe")?;
        let finite = words.flag("dhe") || bits.is_some();
        let elliptic = words.flag("ecdhe");
        let group = words.value("group").map(hello::group).transpose()?.unwrap_or(0x001d);
        let exchange = suite::key_exchange(self.suite);
        let finite = finite || (!elliptic && matches!(exchange, KeyExchange::Dhe { .. }));
        let mut body = Vec::new();
        if finite {
            self.dhe_bits = bits.unwrap_or(2048) as usize;
            let mut prime = self.noise.bytes(self.dhe_bits.div_ceil(8));
            if let Some(first) = prime.first_mut() {
                *first |= 0x80;
            }
            let mut public = self.noise.bytes(prime.len());
            if let Some(first) = public.first_mut() {
                *first &= 0x7f;
            }
            body.extend_from_slice(&counted(&prime));
            body.extend_from_slice(&counted(&[2]));
            body.extend_from_slice(&counted(&public));
        } else {
            body.push(3);
            body.extend_from_slice(&group.to_be_bytes());
            let public = self.noise.bytes(hello::share_length(group));
            body.push(public.len() as u8);
            body.extend_from_slice(&public);
        }
        if !matches!(
            exchange,
            KeyExchange::Dhe { anonymous: true } | KeyExchange::Ecdhe { anonymous: true }
        ) {
            let signature = self.signature();
            body.extend_from_slice(&signature);
        }
        Ok(self.handshake(side, &message(12, &body)))
    }

    fn certificate_request(&mut self, side: Side) -> Vec<u8> {
        let schemes = [0x04, 0x03, 0x08, 0x04, 0x04, 0x01, 0x05, 0x01];
        let body = match self.negotiated() {
            0x0304 => {
                let mut body = vec![0];
                let mut extension = vec![0, 13];
                extension.extend_from_slice(&counted(&counted(&schemes)));
                body.extend_from_slice(&counted(&extension));
                body
            }
            version => {
                let mut body = vec![3, 1, 2, 64];
                if version == 0x0303 {
                    body.extend_from_slice(&counted(&schemes));
                }
                body.extend_from_slice(&[0, 0]);
                body
            }
        };
        self.handshake(side, &message(13, &body))
    }

    fn client_key_exchange(&mut self, side: Side) -> Vec<u8> {
        let body = match suite::key_exchange(self.suite) {
            KeyExchange::Ecdhe { .. } => {
                let mut body = vec![32];
                body.extend_from_slice(&self.noise.bytes(32));
                body
            }
            KeyExchange::Dhe { .. } => {
                let bytes = self.noise.bytes(self.dhe_bits / 8);
                counted(&bytes)
            }
            _ => {
                let bytes = self.noise.bytes(certificate::signature_length(&self.leaf));
                if self.negotiated() == 0x0300 {
                    bytes
                } else {
                    counted(&bytes)
                }
            }
        };
        self.handshake(side, &message(16, &body))
    }

    fn certificate_verify(&mut self, side: Side) -> Vec<u8> {
        let body = self.signature();
        self.handshake(side, &message(15, &body))
    }

    fn finished(&mut self, side: Side) -> Vec<u8> {
        self.secure[side as usize] = true;
        let length = suite::finished_length(self.suite, self.negotiated());
        self.protected(side, 22, length)
    }

    fn ticket(&mut self, side: Side) -> Vec<u8> {
        let ticket = self.noise.bytes(208);
        if self.negotiated() >= 0x0304 {
            return self.protected(side, 22, 4 + 4 + 4 + 9 + 2 + ticket.len() + 2);
        }
        let mut body = vec![0, 0, 0x1c, 0x20];
        body.extend_from_slice(&counted(&ticket));
        self.handshake(side, &message(4, &body))
    }

    fn alert(&mut self, words: &Words) -> Result<Vec<u8>, String> {
        let level = match words.next() {
            Some("fatal" | "2") => 2,
            Some("warning" | "1") => 1,
            _ => return Err("write \"tls alert fatal 70\" or \"tls alert warning close_notify\"".to_owned()),
        };
        let description = alert::description(words.next().ok_or("the alert's number or name is missing")?)?;
        let version = match words.value("version") {
            Some(text) => hello::version(text)?,
            None => self.record_version(),
        };
        Ok(Self::record(21, version, &[level, description]))
    }

    fn encrypted_alert(&mut self, side: Side, words: &Words) -> Result<Vec<u8>, String> {
        match words.next() {
            Some(length) => {
                let body = self.noise.bytes(number(length)? as usize);
                let kind = if self.negotiated() >= 0x0304 { 23 } else { 21 };
                Ok(Self::record(kind, self.record_version(), &body))
            }
            None => Ok(self.protected(side, 21, 2)),
        }
    }

    fn raw_record(&mut self, words: &Words) -> Result<Vec<u8>, String> {
        let kind = words.number("type")?.unwrap_or(22) as u8;
        let version = words
            .value("version")
            .map(hello::version)
            .transpose()?
            .unwrap_or(self.record_version());
        let body = match words.number("length")? {
            Some(length) => self.noise.bytes(length as usize),
            None => hex(&words.rest().join(" "))?,
        };
        Ok(Self::record(kind, version, &body))
    }
}
