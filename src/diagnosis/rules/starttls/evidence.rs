//! What rules on STARTTLS and port modes read off a session, alike for SMTP, POP3 and IMAP. Facts only; no verdicts.

use crate::captured::Captured;
use crate::diagnosis::lists;
use crate::diagnosis::rules::facts;
use crate::diagnosis::{Evidence, Note};
use crate::protocol::retrieval::{Command, Status};
use crate::protocol::smtp::{Detail, Dialogue, Exchange, Verb};
use crate::protocol::tls::{TlsFacts, TlsStart};
use crate::session::{EndedBy, Protocol, Service, Session};
use crate::span::{Role, Span};

/// Octets of a TLS record header.
const RECORD_HEADER: u64 = 5;

/// How STARTTLS or STLS was answered.
pub(super) enum Answer {
    /// 220, +OK, OK.
    Accepted(Span),
    /// Anything else, in the server's words.
    Refused(Captured, Evidence),
    /// No answer was seen.
    NotSeen,
}

/// A STARTTLS or STLS command.
pub(super) struct Request {
    /// The command line.
    pub(super) command: Evidence,
    /// Its answer.
    pub(super) answer: Answer,
    /// It was sent inside TLS.
    pub(super) inside_tls: bool,
}

/// Every STARTTLS or STLS command of a session.
pub(super) fn requests(session: &Session) -> Vec<Request> {
    if !has_requests(session) {
        return Vec::new();
    }
    let smtp = session.exchanges().iter().filter_map(|exchange| {
        if !matches!(exchange.verb, Verb::StartTls | Verb::XAnonymousTls) {
            return None;
        }
        let answer = match exchange.reply.yes() {
            None => Answer::NotSeen,
            Some(reply) if reply.class() == 2 => Answer::Accepted(reply.span.get()),
            Some(reply) => Answer::Refused(facts::words(reply), Evidence::reply(reply)),
        };
        Some(Request {
            command: Evidence::command(exchange),
            answer,
            inside_tls: exchange.inside_tls,
        })
    });
    let retrieval = session
        .commands()
        .iter()
        .filter(|command| is_request(command))
        .map(|command| Request {
            command: Evidence::retrieval(command),
            answer: match command.answer.yes() {
                None => Answer::NotSeen,
                Some(answer) if answer.status == Status::Ok => Answer::Accepted(answer.span),
                Some(answer) => {
                    let evidence = Evidence::answer(command, answer);
                    Answer::Refused(evidence.quotation.clone(), evidence)
                }
            },
            inside_tls: command.inside_tls,
        });
    smtp.chain(retrieval).collect()
}

/// There is a STARTTLS or STLS command.
pub(super) fn has_requests(session: &Session) -> bool {
    let smtp = |one: &Exchange| matches!(one.verb, Verb::StartTls | Verb::XAnonymousTls);
    session.exchanges().iter().any(smtp) || session.commands().iter().any(is_request)
}

fn is_request(command: &Command) -> bool {
    matches!(command.verb.bytes(), b"STLS" | b"STARTTLS")
}

/// The server said 220, +OK or OK to STARTTLS: the last octets of that.
pub(in crate::diagnosis::rules) fn consent(session: &Session) -> Option<(Evidence, Span)> {
    requests(session)
        .into_iter()
        .find_map(|request| match (request.answer, request.inside_tls) {
            (Answer::Accepted(span), false) => Some((request.command, span)),
            _ => None,
        })
}

/// A complete capability list in clear.
pub(super) struct Offer {
    /// STARTTLS or STLS is in it.
    pub(super) has_starttls: bool,
    span: Span,
    command: &'static str,
    keyword: &'static str,
}

impl Offer {
    /// The list, as evidence of what is or is not in it.
    pub(super) fn list(&self) -> Evidence {
        let template = if self.has_starttls {
            "{command} reply: {keyword}"
        } else {
            "{command} reply: no {keyword}"
        };
        let note = Note::of(template)
            .with("command", self.command)
            .with("keyword", self.keyword);
        Evidence::quote(&self.span, note)
    }
}

/// The capability list in clear that counts: the last EHLO reply, or the last CAPA or CAPABILITY list before a login.
/// `None` where no complete list was seen.
pub(super) fn offer(session: &Session) -> Option<Offer> {
    if let Some(list) = facts::clear_list(session) {
        let reply = list.reply.yes()?;
        // A server that put the keyword on its first line meant to offer it; clients differ in whether they see it.
        let misplaced = reply
            .lines
            .first()
            .is_some_and(|line| facts::is_keyword(line, "STARTTLS"));
        if misplaced {
            return None;
        }
        return Some(Offer {
            has_starttls: lists::of(reply).starttls,
            span: reply.span.get(),
            command: "EHLO",
            keyword: "STARTTLS",
        });
    }
    let dialogue = session.retrieval.as_ref()?;
    let login = session
        .commands()
        .iter()
        .find(|command| is_login(command) && !command.inside_tls);
    let before = |span: &Span| login.is_none_or(|login| span.last.frame <= login.span.first.frame);
    let list = dialogue
        .capabilities
        .iter()
        .rfind(|list| !list.inside_tls && before(&list.span) && !list.keywords.is_empty())?;
    let (command, keyword) = match session.protocol {
        Some(Protocol::Pop3) => ("CAPA", "STLS"),
        _ => ("CAPABILITY", "STARTTLS"),
    };
    Some(Offer {
        has_starttls: list.keywords.iter().any(|word| word.equals_ignoring_case(keyword)),
        span: list.span,
        command,
        keyword,
    })
}

fn is_login(command: &Command) -> bool {
    command.login.is_some() || command.verb.bytes() == b"USER"
}

/// What crossed in clear although TLS would have hidden it.
pub(super) struct Crossed {
    /// The first command.
    pub(super) command: Evidence,
    /// A login was among it.
    pub(super) login: bool,
}

/// MAIL, AUTH, USER or LOGIN in clear.
pub(super) fn crossed(session: &Session) -> Option<Crossed> {
    let smtp = || {
        session
            .exchanges()
            .iter()
            .filter(|exchange| matches!(exchange.verb, Verb::Mail | Verb::Auth) && facts::in_clear(session, exchange))
    };
    if let Some(first) = smtp().next() {
        return Some(Crossed {
            command: Evidence::command(first),
            login: smtp().any(|exchange| exchange.verb == Verb::Auth),
        });
    }
    let login = session
        .commands()
        .iter()
        .find(|command| is_login(command) && !command.inside_tls)?;
    Some(Crossed {
        command: Evidence::retrieval(login),
        login: true,
    })
}

/// What follows STARTTLS in clear was inside TLS on the wire: somebody decrypted it before the capture point.
pub(in crate::diagnosis::rules) fn is_decrypted_copy(session: &Session) -> bool {
    session.smtp.as_ref().is_some_and(|dialogue| dialogue.decrypting_mirror)
        || session
            .retrieval
            .as_ref()
            .is_some_and(|dialogue| dialogue.decrypting_mirror)
}

/// The whole session was in clear, and its beginning is in the capture.
pub(super) fn is_clear(session: &Session) -> bool {
    session.tls.is_none()
        && !session.service.is_implicit_tls()
        && session.protocol != Some(Protocol::Lmtp)
        && session.service != Service::Lmtp
        && !is_decrypted_copy(session)
}

/// The client left of its own accord: it said QUIT or LOGOUT, or closed first.
pub(super) fn client_left(session: &Session) -> bool {
    let said = session.exchanges().iter().any(|exchange| exchange.verb == Verb::Quit)
        || session
            .commands()
            .iter()
            .any(|command| matches!(command.verb.bytes(), b"QUIT" | b"LOGOUT"));
    said || matches!(
        session.ended_by,
        EndedBy::Fin(Role::Client) | EndedBy::Reset(Role::Client)
    )
}

/// The server's greeting in clear.
pub(super) fn greeting(session: &Session) -> Option<Evidence> {
    // Behind implicit TLS a greeting that is known was decrypted.
    let greeted_inside = |tls: &TlsFacts| tls.start == TlsStart::Implicit && tls.directions.to_client.records > 0;
    if session.tls.as_deref().is_some_and(greeted_inside) {
        return None;
    }
    let smtp = session
        .smtp
        .as_ref()
        .and_then(|dialogue| dialogue.greeting.as_ref())
        .map(Evidence::reply);
    let retrieval = || {
        let greeting = session.retrieval.as_ref()?.greeting.as_ref()?;
        let mut text = greeting.kind.bytes().to_vec();
        text.push(b' ');
        text.extend_from_slice(greeting.text.bytes());
        Some(Evidence::quote(&greeting.span, &Captured::new(&text)))
    };
    smtp.or_else(retrieval)
}

/// The client began TLS with its first octet on a port where the server speaks first in clear.
pub(in crate::diagnosis::rules) fn is_hello_on_plaintext_port(session: &Session) -> bool {
    let Some(tls) = session.tls.as_ref().filter(|tls| tls.start == TlsStart::Implicit) else {
        return false;
    };
    // A handshake message begins behind the header of its record.
    let first = tls
        .client_hellos
        .first()
        .map_or(tls.directions.to_server.records > 0, |hello| {
            hello.span.start <= RECORD_HEADER
        });
    // Behind a hole the rest of a certificate may look like a line.
    let greeted = !session.quality.gaps && greeting(session).is_some();
    let answered = tls.directions.to_client.records > 0;
    let plaintext_port = !session.service.is_implicit_tls() && session.service != Service::Other;
    first && !session.quality.started_late && !answered && (greeted || plaintext_port)
}

/// Lines that a middlebox overwrote: letters X of the same length as the keyword, a greeting of asterisks.
pub(super) fn masked(session: &Session) -> Option<(&'static str, Evidence)> {
    let dialogue = session.smtp.as_ref()?;
    let mut hellos = session.exchanges().iter().filter(|one| one.verb == Verb::Ehlo);
    let keyword = hellos.find_map(|exchange| {
        let reply = exchange.reply.yes()?;
        let line = Session::extensions(exchange)
            .iter()
            .find(|line| line.bytes().starts_with(b"XXXX") && is_crossed_out(facts::keyword(line)))?;
        Some(("keyword", Evidence::quote(&reply.span.get(), line)))
    });
    keyword
        .or_else(|| masked_command(session))
        .or_else(|| masked_greeting(dialogue))
}

fn masked_command(session: &Session) -> Option<(&'static str, Evidence)> {
    let exchange = session.exchanges().iter().find(|exchange| match &exchange.detail {
        Detail::Unknown(word) => {
            is_crossed_out(&word.bytes().to_ascii_uppercase()) && facts::refusal(exchange).is_some()
        }
        _ => false,
    })?;
    Some(("command", Evidence::command(exchange)))
}

fn masked_greeting(dialogue: &Dialogue) -> Option<(&'static str, Evidence)> {
    let greeting = dialogue.greeting.as_ref()?;
    let line = greeting.lines.first()?.bytes();
    let masked = line.iter().all(|octet| matches!(octet, b'*' | b'2' | b'0' | b' '))
        && line.iter().filter(|octet| **octet == b'*').count() >= 4;
    masked.then(|| ("greeting", Evidence::reply(greeting)))
}

/// "XXXX", "XXXXXXXA": nothing but X, with one letter of a running mark at the end.
fn is_crossed_out(word: &[u8]) -> bool {
    match word {
        [all @ .., b'A'..=b'D'] if all.len() >= 4 => all.iter().all(|octet| *octet == b'X'),
        all => all.len() >= 4 && all.iter().all(|octet| *octet == b'X'),
    }
}

/// Plaintext behind STARTTLS or its answer, before TLS began: the first run of octets.
pub(super) fn injected(session: &Session) -> Option<&(Span, Captured)> {
    let injected = match (&session.smtp, &session.retrieval) {
        (Some(dialogue), _) => &*dialogue.injected,
        (None, Some(dialogue)) => &*dialogue.injected,
        (None, None) => return None,
    };
    injected.first().filter(|_| !is_decrypted_copy(session))
}
