//! What is remembered of a session after it has been reported: enough to compare it with others, small enough to keep
//! thousands. No texts of mail, no secrets.

use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use crate::captured::Captured;
use crate::diagnosis::{Finding, Severity, lists};
use crate::protocol::retrieval::Status;
use crate::protocol::smtp::{Detail, Exchange, Reply, Verb, is_keyword};
use crate::protocol::tls::{Phase, Version};
use crate::session::{
    CaptureQuality, Outcome, Protocol, Security, Service, Session, SessionId, Stage, TransactionResult,
};
use crate::span::Stamp;
use crate::time::Timestamp;

/// Transactions remembered of a session.
const TRANSACTIONS: usize = 8;
/// Logins remembered of a session.
const LOGINS: usize = 8;
/// Longest name remembered, in octets.
const NAME: usize = 64;
/// Octets of the longest address that takes no memory to be hashed; most have half of that.
const ADDRESS: usize = 64;

/// TLS as remembered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsDigest {
    /// The ClientHello's place.
    pub hello: Option<Stamp>,
    /// Highest version offered.
    pub maximum: Option<Version>,
    /// Lowest version offered, where told.
    pub minimum: Option<Version>,
    /// JA4 of the offer: tells two TLS stacks apart.
    pub fingerprint: Option<String>,
    /// An AEAD or ECDHE suite is offered, so that TLS 1.2 can succeed.
    pub modern_suites: bool,
    /// server_name.
    pub server_name: Option<Captured>,
    /// Negotiated version with its place.
    pub negotiated: Option<(Version, Stamp)>,
    /// The server refused the version: alert 70 and its place.
    pub refused_version: Option<Stamp>,
    /// The handshake completed.
    pub completed: bool,
    /// SHA-256 of the server's certificate, where seen.
    pub certificate: Option<String>,
}

/// An authentication attempt as remembered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthDigest {
    /// Mechanism, upper case.
    pub mechanism: Captured,
    /// User name.
    pub identity: Option<Captured>,
    /// Accepted or rejected; `None` where not seen.
    pub accepted: Option<bool>,
    /// Reply code (SMTP).
    pub code: Option<u16>,
    /// A readable secret crossed.
    pub readable: bool,
    /// A challenge response crossed.
    pub response: bool,
    /// It was inside TLS, and decrypted.
    pub inside_tls: bool,
    /// Where it was decided, or asked.
    pub stamp: Stamp,
}

/// A transaction as remembered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransactionDigest {
    /// Reverse-path.
    pub reverse_path: Captured,
    /// First forward-path.
    pub first_recipient: Captured,
    /// Hash over reverse-path and all forward-paths.
    pub envelope: u64,
    /// Message-ID, where seen.
    pub message_id: Option<Captured>,
    /// Hash of the body with its size, where all of it was seen.
    pub body: Option<(u64, u64)>,
    /// Result.
    pub result: TransactionResult,
    /// The end of data was sent, and no final reply came.
    pub no_final_reply: bool,
    /// First refusing recipient reply code, if any.
    pub recipient_code: Option<u16>,
    /// MAIL's place.
    pub began: Stamp,
    /// Where it was decided.
    pub decided: Stamp,
}

/// One session as remembered.
#[derive(Clone, PartialEq, Debug)]
pub struct Digest {
    /// Its number.
    pub id: SessionId,
    /// Client address and port.
    pub client: crate::packet::Endpoint,
    /// Server address and port.
    pub server: crate::packet::Endpoint,
    /// Service.
    pub service: Service,
    /// Protocol.
    pub protocol: Option<Protocol>,
    /// Protection.
    pub security: Security,
    /// What the capture lacks.
    pub quality: CaptureQuality,
    /// First frame.
    pub first: Stamp,
    /// Last frame.
    pub last: Stamp,
    /// How far it came.
    pub stage: Stage,
    /// What became of it.
    pub outcome: Outcome,
    /// Slug of the root cause.
    pub root_cause: Option<&'static str>,
    /// Every slug that fired with `fail` or `risk`.
    pub said: Vec<&'static str>,
    /// EHLO or HELO name in clear.
    pub hello_name: Option<Captured>,
    /// First word of the greeting's text: the server's name.
    pub server_says: Option<Captured>,
    /// STARTTLS or STLS was offered before TLS; `None` where the list was not seen.
    pub starttls_offered: Option<bool>,
    /// STARTTLS or STLS was asked for.
    pub starttls_asked: bool,
    /// AUTH mechanisms offered in clear, sorted; `None` where no complete list was seen.
    pub mechanisms: Option<Arc<[Captured]>>,
    /// Place of that list.
    pub list_seen: Option<Stamp>,
    /// SIZE limit announced.
    pub size_limit: Option<u64>,
    /// TLS.
    pub tls: Option<Box<TlsDigest>>,
    /// Authentication attempts in clear.
    pub auth: Vec<AuthDigest>,
    /// Transactions in clear.
    pub transactions: Vec<TransactionDigest>,
    /// Mail data or retrieved messages crossed in clear.
    pub body_in_clear: bool,
    /// A POP3 or IMAP login succeeded here, as seen or (encrypted) as sizes suggest: where, and whether it was seen.
    pub retrieval_login: Option<(Stamp, bool)>,
    /// The TTL of the client's segments.
    pub client_time_to_live: Option<u8>,
    /// Application data octets inside TLS, both ways: nothing was exchanged where zero.
    pub application_octets: u64,
}

impl Digest {
    /// Remembers a session.
    #[must_use]
    pub fn of(session: &Session, findings: &[Finding]) -> Self {
        let said_in_clear = InClear::of(session);
        let list = said_in_clear.list;
        let facts = list.map(lists::of);
        let (mechanisms, list_seen) = match (list, &facts) {
            (Some(reply), Some(facts)) => (Some(Arc::clone(&facts.mechanisms)), Some(reply.span.first())),
            _ => mechanisms(session),
        };
        Self {
            id: session.id,
            client: session.connection.client,
            server: session.connection.server,
            service: session.service,
            protocol: session.protocol,
            security: session.security,
            quality: session.quality,
            first: session.connection.first,
            last: session.connection.last,
            stage: session.stage,
            outcome: session.outcome,
            root_cause: findings
                .iter()
                .find(|finding| finding.root_cause)
                .map(|finding| finding.rule.slug),
            said: said(findings),
            hello_name: said_in_clear.hello.map(cut),
            server_says: server_says(session),
            starttls_offered: facts
                .as_ref()
                .map_or_else(|| starttls_offered(session), |facts| Some(facts.starttls)),
            starttls_asked: said_in_clear.starttls || stls_asked(session),
            mechanisms,
            list_seen,
            size_limit: facts.as_ref().and_then(|facts| facts.size_limit),
            tls: tls(session).map(Box::new),
            auth: if said_in_clear.login || !session.commands().is_empty() {
                authentication(session)
            } else {
                Vec::new()
            },
            transactions: transactions(session),
            body_in_clear: said_in_clear.body || retrieved_in_clear(session),
            retrieval_login: retrieval_login(session),
            client_time_to_live: session.connection.directions.to_server.time_to_live,
            application_octets: session.tls.as_ref().map_or(0, |tls| {
                tls.directions.to_server.application_octets + tls.directions.to_client.application_octets
            }),
        }
    }

    /// Client address.
    #[must_use]
    pub const fn client_address(&self) -> IpAddr {
        self.client.address
    }

    /// When it began.
    #[must_use]
    pub const fn start(&self) -> Timestamp {
        self.first.time
    }

    /// A mail was accepted in it, as seen.
    #[must_use]
    pub fn accepted_mail(&self) -> bool {
        self.transactions.iter().any(|transaction| {
            matches!(
                transaction.result,
                TransactionResult::Accepted | TransactionResult::PartlyAccepted
            )
        })
    }

    /// It reached its purpose, or at least worked as far as can be seen: mail accepted, logged in, or an encrypted
    /// dialogue that went on after the handshake.
    #[must_use]
    pub fn worked(&self) -> bool {
        self.root_cause.is_none()
            && (matches!(self.outcome, Outcome::Accepted | Outcome::LoggedIn)
                || (self.outcome == Outcome::Encrypted && self.application_octets > 0))
    }

    /// Approximate octets of memory.
    #[must_use]
    pub fn weight(&self) -> usize {
        let tls = self.tls.as_ref().map_or(0, |_| size_of::<TlsDigest>());
        size_of::<Self>() + tls + 64 * (self.transactions.len() + self.auth.len() + 4)
    }
}

/// What the exchanges of SMTP have, at one look at them.
#[derive(Default)]
struct InClear<'a> {
    /// The name of the first hello.
    hello: Option<&'a Captured>,
    /// The list that answered the last hello in clear.
    list: Option<&'a Reply>,
    /// STARTTLS.
    starttls: bool,
    /// AUTH.
    login: bool,
    /// Mail data, not inside TLS.
    body: bool,
}

impl<'a> InClear<'a> {
    fn of(session: &'a Session) -> Self {
        let mut has = Self::default();
        for exchange in session.exchanges() {
            match &exchange.detail {
                Detail::Hello { name } => {
                    has.hello = has.hello.or(Some(name));
                    has.list = clear_list_of(exchange).or(has.list);
                }
                Detail::Auth(_) => has.login = true,
                Detail::Data(Some(data)) | Detail::Bdat { data: Some(data), .. } => {
                    has.body |= !exchange.inside_tls && data.size > 0;
                }
                _ => has.starttls |= exchange.verb == Verb::StartTls,
            }
        }
        has
    }
}

/// The list of extensions that answered a hello in clear.
fn clear_list_of(exchange: &Exchange) -> Option<&Reply> {
    let asks = matches!(exchange.verb, Verb::Ehlo | Verb::Lhlo) && !exchange.inside_tls;
    let reply = exchange.reply.yes().filter(|_| asks)?;
    (reply.class() == 2 && !reply.incomplete).then_some(reply)
}

/// The list of these, at most so many. Tens of thousands are kept: room that is not used would be a third of them.
fn fitting<T>(items: impl Iterator<Item = T>, expected: usize) -> Vec<T> {
    let mut list = Vec::with_capacity(expected);
    list.extend(items);
    list.shrink_to_fit();
    list
}

fn said(findings: &[Finding]) -> Vec<&'static str> {
    let grave = || findings.iter().filter(|finding| finding.severity >= Severity::Risk);
    fitting(grave().map(|finding| finding.rule.slug), grave().count())
}

fn cut(text: &Captured) -> Captured {
    cut_octets(text.bytes())
}

fn cut_octets(octets: &[u8]) -> Captured {
    Captured::new(octets.get(..NAME).unwrap_or(octets))
}

fn server_says(session: &Session) -> Option<Captured> {
    let line = session.smtp.as_ref()?.greeting.as_ref()?.lines.first()?;
    let line = line.bytes();
    let word = memchr::memchr(b' ', line).map_or(line, |end| line.get(..end).unwrap_or_default());
    (!word.is_empty()).then(|| cut_octets(word))
}

/// STARTTLS or STLS among the capabilities of POP3 or IMAP.
fn starttls_offered(session: &Session) -> Option<bool> {
    let capabilities = session.retrieval.as_ref()?.capabilities.first()?;
    if capabilities.inside_tls {
        return None;
    }
    Some(
        capabilities
            .keywords
            .iter()
            .any(|word| is_keyword(word, "STARTTLS") || is_keyword(word, "STLS")),
    )
}

/// STARTTLS or STLS was asked for by POP3 or IMAP.
fn stls_asked(session: &Session) -> bool {
    let mut commands = session.commands().iter();
    commands.any(|command| matches!(command.verb.bytes(), b"STARTTLS" | b"STLS"))
}

/// The mechanisms of POP3 or IMAP, and where they were seen.
fn mechanisms(session: &Session) -> (Option<Arc<[Captured]>>, Option<Stamp>) {
    let capabilities = session
        .retrieval
        .as_ref()
        .and_then(|dialogue| dialogue.capabilities.first());
    let Some(list) = capabilities else {
        return (None, None);
    };
    let lines = list
        .keywords
        .iter()
        .filter(|line| is_keyword(line, "AUTH") || is_keyword(line, "SASL"));
    (Some(lists::mechanisms(lines).into()), Some(list.span.first))
}

fn tls(session: &Session) -> Option<TlsDigest> {
    use crate::protocol::tls::{is_aead, is_ecdhe};
    let facts = session.tls.as_deref()?;
    let offer = facts.offer();
    Some(TlsDigest {
        hello: offer.map(|hello| hello.span.first),
        maximum: offer.map(|hello| hello.maximum()),
        minimum: offer.and_then(|hello| hello.minimum()),
        fingerprint: offer.map(|hello| hello.ja4.clone()),
        modern_suites: offer.is_some_and(|hello| {
            hello
                .cipher_suites
                .iter()
                .any(|suite| is_aead(*suite) || is_ecdhe(*suite))
        }),
        server_name: offer.and_then(|hello| hello.server_name.as_ref()).map(cut),
        negotiated: facts
            .server_hello
            .as_ref()
            .map(|hello| (hello.version, hello.span.first)),
        refused_version: facts
            .alerts
            .iter()
            .find(|alert| alert.description == 70 && alert.span.direction == crate::span::Direction::ToClient)
            .map(|alert| alert.span.first),
        completed: facts.phase >= Phase::AfterHandshake,
        certificate: facts
            .server_certificate
            .as_ref()
            .and_then(|message| message.certificates.first())
            .map(|certificate| certificate.fingerprint.clone()),
    })
}

fn authentication(session: &Session) -> Vec<AuthDigest> {
    let smtp = session.exchanges().iter().filter_map(|exchange| {
        let Detail::Auth(facts) = &exchange.detail else {
            return None;
        };
        let reply = exchange.reply.yes();
        Some(AuthDigest {
            mechanism: cut(&facts.mechanism),
            identity: facts.identity.as_ref().map(cut),
            accepted: reply.map(|reply| reply.code == 235),
            code: reply.map(|reply| reply.code),
            readable: facts.secret.is_some() && !exchange.inside_tls,
            response: facts.response.is_some() && !exchange.inside_tls,
            inside_tls: exchange.inside_tls,
            stamp: reply.map_or(exchange.command.first(), |reply| reply.span.first()),
        })
    });
    let retrieval = session.commands().iter().filter_map(|command| {
        let login = command.login.as_ref()?;
        let answer = command.answer.yes();
        Some(AuthDigest {
            mechanism: cut(&login.mechanism),
            identity: login.identity.as_ref().map(cut),
            accepted: answer.map(|answer| answer.status == Status::Ok),
            code: None,
            readable: login.secret.is_some() && !command.inside_tls,
            response: login.response.is_some() && !command.inside_tls,
            inside_tls: command.inside_tls,
            stamp: answer.map_or(command.span.first, |answer| answer.span.first),
        })
    });
    fitting(smtp.chain(retrieval).take(LOGINS), 0)
}

/// A hash of texts in lower case that does not change from run to run.
fn stable_hash<'a>(parts: impl Iterator<Item = &'a Captured>) -> u64 {
    let mut hasher = foldhash::fast::FixedState::with_seed(25).build_hasher();
    let mut room = [0; ADDRESS];
    for part in parts {
        let part = part.bytes();
        match room.get_mut(..part.len()) {
            Some(lower) => {
                lower.copy_from_slice(part);
                lower.make_ascii_lowercase();
                hasher.write(lower);
            }
            None => hasher.write(&part.to_ascii_lowercase()),
        }
        hasher.write_u8(0);
    }
    hasher.finish()
}

fn transactions(session: &Session) -> Vec<TransactionDigest> {
    let exchanges = session.exchanges();
    let transactions = session.transactions.iter().take(TRANSACTIONS);
    let expected = transactions.len();
    let digests = transactions.filter_map(|transaction| {
        let mail = exchanges.get(transaction.mail)?;
        let deciding = transaction
            .data
            .and_then(|position| exchanges.get(position))
            .unwrap_or(mail);
        let data = match &deciding.detail {
            Detail::Data(data) | Detail::Bdat { data, .. } => data.as_deref(),
            _ => None,
        };
        let message = data.and_then(|data| data.message.as_deref());
        let recipients = transaction.recipients.iter().map(|one| &one.address);
        let envelope = std::iter::once(&transaction.reverse_path).chain(recipients);
        Some(TransactionDigest {
            reverse_path: cut(&transaction.reverse_path),
            first_recipient: transaction
                .recipients
                .first()
                .map(|one| cut(&one.address))
                .unwrap_or_default(),
            envelope: stable_hash(envelope),
            message_id: message.and_then(|message| message.message_id.as_ref()).map(cut),
            body: data
                .filter(|data| data.missing == 0 && data.ended.is_some())
                .and_then(|data| Some((data.message.as_deref()?.body_hash, data.size))),
            result: transaction.result,
            no_final_reply: data.is_some_and(|data| data.ended.is_some()) && deciding.reply.yes().is_none(),
            recipient_code: transaction
                .recipients
                .iter()
                .filter_map(|recipient| recipient.code)
                .find(|code| *code >= 400),
            began: mail.command.first(),
            decided: deciding
                .reply
                .yes()
                .map_or(deciding.command.last(), |reply| reply.span.first()),
        })
    });
    fitting(digests, expected)
}

/// A message of POP3 or IMAP, not inside TLS.
fn retrieved_in_clear(session: &Session) -> bool {
    let mut commands = session.commands().iter();
    commands.any(|command| !command.inside_tls && command.data_octets > 0)
}

fn retrieval_login(session: &Session) -> Option<(Stamp, bool)> {
    let seen = session
        .commands()
        .iter()
        .filter(|command| command.login.is_some())
        .find_map(|command| {
            command
                .answer
                .yes()
                .filter(|answer| answer.status == Status::Ok)
                .map(|answer| answer.span.first)
        });
    if let Some(stamp) = seen {
        return Some((stamp, true));
    }
    let retrieval = matches!(
        session.service,
        Service::Pop3 | Service::Pop3s | Service::Imap | Service::Imaps
    );
    let tls = session.tls.as_deref()?;
    let exchanged =
        tls.directions.to_server.application_records >= 3 && tls.directions.to_client.application_records >= 3;
    (retrieval && tls.phase >= Phase::AfterApplicationData && exchanged)
        .then(|| tls.directions.to_client.last_record.map(|stamp| (stamp, false)))
        .flatten()
}
