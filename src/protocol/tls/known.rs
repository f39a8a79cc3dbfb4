//! What a decoder knows so far: what becomes [`TlsFacts`] at the end, held small while thousands of connections are open.
//! What is rarely seen lies behind one pointer; what each record touches lies in [`super::side`].

use crate::protocol::tls::facts::{
    Alert, CertificateMessage, ClientHello, EncryptedAlert, Phase, ServerHello, TlsDirection, TlsFacts, TlsStart,
};
use crate::protocol::tls::listing::Listing;
use crate::protocol::tls::noted::Noted;
use crate::protocol::tls::side::Side;
use crate::span::{Direction, PerDirection, Span, Stamp};

/// Facts in the making; fields without a word of their own are those of [`TlsFacts`].
pub(super) struct Known {
    pub(super) start: TlsStart,
    pub(super) began: Stamp,
    pub(super) client_hellos: Vec<ClientHello>,
    pub(super) server_hello: Option<ServerHello>,
    pub(super) session_ticket: bool,
    pub(super) encrypted_alerts: Vec<EncryptedAlert>,
    pub(super) directions: PerDirection<Milestones>,
    pub(super) unreadable_messages: u32,
    pub(super) gaps: u32,
    /// Octets of hellos and certificates, about. What other sessions may share counts whole: how many do depends on the
    /// threads of a run, and the limits of memory must not.
    held: u32,
    answered: Option<Box<Answered>>,
    rare: Option<Box<Rare>>,
}

/// What TLS 1.2 and older say in clear behind the ServerHello, and TLS 1.3 shows only where it is opened.
#[derive(Default)]
pub(super) struct Answered {
    pub(super) server_certificate: Option<CertificateMessage>,
    pub(super) certificate_status: Option<u32>,
    pub(super) key_exchange_group: Option<u16>,
    pub(super) dhe_bits: Option<u32>,
    pub(super) server_hello_done: Noted,
    pub(super) client_key_exchange: Noted,
}

/// What most connections never show.
#[derive(Default)]
pub(super) struct Rare {
    pub(super) hello_retry_requests: Vec<ServerHello>,
    pub(super) certificate_request: Option<Span>,
    pub(super) client_certificate: Option<CertificateMessage>,
    pub(super) alerts: Vec<Alert>,
    pub(super) renegotiation: Option<(Direction, Stamp)>,
    pub(super) plaintext_after: Option<Span>,
}

/// What happens once in a direction, see [`TlsDirection`].
#[derive(Default)]
pub(super) struct Milestones {
    pub(super) change_cipher_spec: Noted,
    pub(super) finished: Noted,
    pub(super) first_application_data: Noted,
    pub(super) lost: Noted,
}

impl Known {
    pub(super) fn new(start: TlsStart, began: Stamp) -> Self {
        Self {
            start,
            began,
            client_hellos: Vec::new(),
            server_hello: None,
            session_ticket: false,
            encrypted_alerts: Vec::new(),
            directions: PerDirection::default(),
            unreadable_messages: 0,
            gaps: 0,
            held: 0,
            answered: None,
            rare: None,
        }
    }

    /// What followed the ServerHello, where any of it was seen.
    pub(super) fn answered(&self) -> Option<&Answered> {
        self.answered.as_deref()
    }

    /// What followed the ServerHello, to add to it.
    pub(super) fn answered_mut(&mut self) -> &mut Answered {
        self.answered.get_or_insert_default()
    }

    /// What is rarely seen, where any of it was.
    pub(super) fn rare(&self) -> Option<&Rare> {
        self.rare.as_deref()
    }

    /// What is rarely seen, to add to it.
    pub(super) fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// A HelloRetryRequest was seen.
    pub(super) fn retried(&self) -> bool {
        self.rare().is_some_and(|rare| !rare.hello_retry_requests.is_empty())
    }

    /// Takes a ClientHello.
    pub(super) fn keep_client_hello(&mut self, hello: ClientHello) {
        // Nearly always one, rarely a second one: no room for more.
        self.client_hellos.reserve_exact(1);
        self.hold(size_of::<ClientHello>() as u32 + hello.length.saturating_mul(2));
        self.client_hellos.push(hello);
    }

    /// Takes the sender's certificates, where there are none of it yet.
    pub(super) fn keep_certificates(&mut self, sender: Direction, message: CertificateMessage) {
        let lengths = message.certificates.iter().map(|certificate| certificate.length);
        self.hold(lengths.sum());
        match sender {
            Direction::ToClient => self.answered_mut().server_certificate = Some(message),
            Direction::ToServer => self.rare_mut().client_certificate = Some(message),
        }
    }

    /// The sender's certificates were seen.
    pub(super) fn has_certificates(&self, sender: Direction) -> bool {
        match sender {
            Direction::ToClient => self
                .answered()
                .is_some_and(|answered| answered.server_certificate.is_some()),
            Direction::ToServer => self.rare().is_some_and(|rare| rare.client_certificate.is_some()),
        }
    }

    const fn hold(&mut self, octets: u32) {
        self.held = self.held.saturating_add(octets);
    }

    /// Octets of memory in use, about; looks at nothing that lies elsewhere.
    pub(super) fn weight(&self) -> usize {
        self.held as usize
            + self.answered().map_or(0, |_| size_of::<Answered>())
            + self.rare().map_or(0, |_| size_of::<Rare>())
    }

    /// The facts, with all that the other parts of the decoder held.
    pub(super) fn tell(self, sides: &PerDirection<Side>, listing: &Listing, phase: Phase) -> TlsFacts {
        let answered = self.answered.map_or_else(Answered::default, |answered| *answered);
        let rare = self.rare.map_or_else(Rare::default, |rare| *rare);
        let (records, records_not_listed) = listing.told();
        TlsFacts {
            start: self.start,
            began: self.began,
            client_hellos: self.client_hellos,
            hello_retry_requests: rare.hello_retry_requests,
            server_hello: self.server_hello,
            server_certificate: answered.server_certificate,
            certificate_status: answered.certificate_status,
            key_exchange_group: answered.key_exchange_group,
            dhe_bits: answered.dhe_bits,
            certificate_request: rare.certificate_request,
            client_certificate: rare.client_certificate,
            server_hello_done: answered.server_hello_done.get(),
            client_key_exchange: answered.client_key_exchange.get(),
            session_ticket: self.session_ticket,
            alerts: rare.alerts,
            encrypted_alerts: self.encrypted_alerts,
            records,
            records_not_listed,
            directions: PerDirection {
                to_server: self.directions.to_server.tell(&sides.to_server),
                to_client: self.directions.to_client.tell(&sides.to_client),
            },
            renegotiation: rare.renegotiation,
            plaintext_after: rare.plaintext_after,
            unreadable_messages: self.unreadable_messages,
            gaps: self.gaps,
            decrypted: false,
            decryption: PerDirection::default(),
            phase,
        }
    }
}

impl Milestones {
    fn tell(&self, side: &Side) -> TlsDirection {
        TlsDirection {
            records: side.records,
            application_records: side.application_records,
            application_octets: side.application_octets,
            change_cipher_spec: self.change_cipher_spec.get(),
            finished: self.finished.get(),
            first_application_data: self.first_application_data.get(),
            last_record: side.last_record(),
            lost: self.lost.get(),
        }
    }
}
