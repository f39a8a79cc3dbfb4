//! From the session model to its JSON record: copies and names, nothing else.

use crate::diagnosis::Finding;
use crate::message::{MessageFacts, Protection};
use crate::packet::IcmpError;
use crate::protocol::Seen;
use crate::protocol::retrieval::{Command, Status};
use crate::protocol::smtp::{Detail, Exchange, Verb};
use crate::render::json::each::{
    Each, Exchanges, Findings, Logins, Mailboxes, RcptDelays, Recipients, Replies, Stages, Transactions,
};
use crate::render::json::replied::{Offered, Replied};
use crate::render::json::session::*;
use crate::render::json::text::{Quality, Text, Word};
use crate::render::json::time::{Seconds, Time};
use crate::render::json::tls::Tls;
use crate::render::json::words;
use crate::session::{Session, Timing, Transaction, reply_delay};
use crate::span::{Direction, Span};
use crate::tcp::{ConnectionFacts, DirectionFacts, Gap, Reset, ZeroWindow};
use crate::text::Language;
use crate::time::Timestamp;

/// What the records need to know besides the session.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Language of the texts.
    pub language: Language,
    /// Fractional digits of times: the capture's precision.
    pub digits: u8,
}

impl Form {
    pub(super) const fn time(self, at: Timestamp) -> Time {
        Time {
            at,
            digits: self.digits,
        }
    }
}

pub(super) fn frames(span: &Span) -> (u64, u64) {
    (span.first.frame.0, span.last.frame.0)
}

impl<'a> SessionRecord<'a> {
    /// One session with its findings.
    #[must_use]
    #[inline]
    pub fn of(session: &'a Session, findings: &'a [Finding], form: Form) -> Self {
        let connection = &session.connection;
        Self {
            kind: Word("session"),
            id: session.id.0,
            client: endpoint(connection.client),
            server: endpoint(connection.server),
            start: form.time(connection.first.time),
            end: form.time(connection.last.time),
            duration_seconds: Seconds(session.duration()),
            first_frame: connection.first.frame.0,
            last_frame: connection.last.frame.0,
            frames: connection.frames,
            service: Word(words::service(session.service)),
            protocol: session.protocol.map(words::protocol).map(Word),
            protocol_confirmed: session.protocol_confirmed,
            security: Word(words::security(session.security)),
            stage_reached: Word(words::stage(session.stage)),
            ended_by: Word(words::ended_by(session.ended_by)),
            outcome: Word(words::outcome(session.outcome)),
            capture_quality: Quality(session.quality),
            greeting: greeting(session, form),
            hello: hello(session),
            extensions: extensions(session, form.language),
            exchanges: Exchanges { session, form },
            exchanges_not_kept: session.smtp.as_ref().map_or(0, |dialogue| dialogue.exchanges_not_kept)
                + session
                    .retrieval
                    .as_ref()
                    .map_or(0, |dialogue| dialogue.commands_not_kept),
            auth: Logins { session, form },
            transactions: Transactions { session, form },
            tls: session.tls.as_deref().map(Tls),
            tcp: transport(connection),
            timing: Stages {
                timing: &session.timing,
                exchanges: session.exchanges(),
            },
            findings: Findings { findings, form },
        }
    }
}

fn endpoint(endpoint: crate::packet::Endpoint) -> EndpointRecord {
    EndpointRecord {
        address: endpoint.address,
        port: endpoint.port,
    }
}

#[inline]
fn greeting(session: &Session, form: Form) -> Option<Replied<'_>> {
    if let Some(greeting) = session.smtp.as_ref().and_then(|dialogue| dialogue.greeting.as_ref()) {
        return Some(Replied::reply(greeting, form));
    }
    let greeting = session.retrieval.as_ref()?.greeting.as_ref()?;
    Some(Replied::greeting(greeting, form))
}

fn is_hello(verb: &Verb) -> bool {
    matches!(verb, Verb::Ehlo | Verb::Helo | Verb::Lhlo)
}

#[inline]
fn hello(session: &Session) -> Option<HelloRecord<'_>> {
    let exchange = session
        .exchanges()
        .iter()
        .rev()
        .find(|exchange| is_hello(&exchange.verb))?;
    let Detail::Hello { name } = &exchange.detail else {
        return None;
    };
    Some(HelloRecord {
        verb: Word(words::verb(exchange.verb)),
        name: name.into(),
    })
}

#[inline]
fn extensions<'a>(session: &'a Session, language: Language) -> Option<ExtensionsRecord<'a>> {
    let of = |inside: bool| -> Option<Offered<'a>> {
        let reply = session.exchanges().iter().rev().find_map(|exchange| {
            let reply = exchange.reply.yes().filter(|reply| reply.class() == 2)?;
            (matches!(exchange.verb, Verb::Ehlo | Verb::Lhlo) && exchange.inside_tls == inside).then_some(reply)
        })?;
        Some(Offered::by(reply, language))
    };
    let retrieved = |inside: bool| -> Option<Offered<'a>> {
        let lists = &session.retrieval.as_ref()?.capabilities;
        let list = lists.iter().rfind(|list| list.inside_tls == inside)?;
        Some(Offered::from(&*list.keywords))
    };
    let told = |inside: bool| of(inside).or_else(|| retrieved(inside));
    let (before_tls, after_tls) = (told(false), told(true));
    (before_tls.is_some() || after_tls.is_some()).then_some(ExtensionsRecord { before_tls, after_tls })
}

#[inline]
pub(super) fn exchange(exchange: &Exchange, form: Form) -> ExchangeRecord<'_> {
    ExchangeRecord {
        command: Text::from(&exchange.line),
        frames: frames(&exchange.command.get()),
        time: form.time(exchange.command.last().time),
        intermediate: Replies {
            replies: exchange.intermediate(),
            form,
        },
        reply: exchange.reply.yes().map(|one| Replied::reply(one, form)),
        no_reply: words::not_seen(&exchange.reply),
        delay_seconds: reply_delay(exchange).map(Seconds),
        pipelined: exchange.pipelined,
        inside_tls: exchange.inside_tls,
        further_replies: Replies {
            replies: exchange.further_replies(),
            form,
        },
    }
}

pub(super) fn command(command: &Command, form: Form) -> ExchangeRecord<'_> {
    ExchangeRecord {
        command: Text::from(&command.line),
        frames: frames(&command.span),
        time: form.time(command.span.last.time),
        intermediate: Replies { replies: &[], form },
        reply: command.answer.yes().map(|one| Replied::answer(one, form)),
        no_reply: words::not_seen(&command.answer),
        delay_seconds: command
            .answer
            .yes()
            .map(|answer| Seconds(answer.span.last.time.since(command.span.last.time))),
        pipelined: false,
        inside_tls: command.inside_tls,
        further_replies: Replies { replies: &[], form },
    }
}

fn exposure(readable: bool, response: bool, encrypted: bool) -> &'static str {
    match (encrypted, readable, response) {
        (true, _, _) => "encrypted",
        (false, true, _) => "readable",
        (false, false, true) => "challenge_response",
        (false, false, false) => "none",
    }
}

fn shown(secret: Option<&crate::secret::Secret>) -> Option<Text<'_>> {
    secret.map(|secret| Text(secret.reveal().unwrap_or(crate::secret::MASK.as_bytes())))
}

/// An exchange's, where it was to log in.
pub(super) fn smtp_auth(exchange: &Exchange, form: Form) -> Option<AuthRecord<'_>> {
    let Detail::Auth(facts) = &exchange.detail else {
        return None;
    };
    Some(AuthRecord {
        mechanism: Text::from(&facts.mechanism),
        identity: facts.identity.as_ref().map(Text::from),
        authorisation_identity: facts.authorisation_identity.as_ref().map(Text::from),
        initial_response: facts.initial_response,
        exposure: exposure(facts.secret.is_some(), facts.response.is_some(), exchange.inside_tls),
        secret: shown(facts.secret.as_ref()),
        secret_frames: facts.credential.as_ref().map(frames),
        result: match &exchange.reply {
            Seen::Yes(reply) if reply.code == 235 => "accepted",
            Seen::Yes(_) if facts.cancelled => "cancelled",
            Seen::Yes(_) => "rejected",
            Seen::No => "not_seen",
            Seen::Hidden => "hidden",
        },
        reply: exchange.reply.yes().map(|one| Replied::reply(one, form)),
        oauth_error: facts.oauth_error.as_ref().map(Text::from),
    })
}

/// A command's, where it was to log in.
pub(super) fn retrieval_auth(command: &Command, form: Form) -> Option<AuthRecord<'_>> {
    let login = command.login.as_ref()?;
    Some(AuthRecord {
        mechanism: Text::from(&login.mechanism),
        identity: login.identity.as_ref().map(Text::from),
        authorisation_identity: None,
        initial_response: false,
        exposure: exposure(login.secret.is_some(), login.response.is_some(), command.inside_tls),
        secret: shown(login.secret.as_ref()),
        secret_frames: None,
        result: match &command.answer {
            Seen::Yes(answer) if answer.status == Status::Ok => "accepted",
            Seen::Yes(_) if login.cancelled => "cancelled",
            Seen::Yes(_) => "rejected",
            Seen::No => "not_seen",
            Seen::Hidden => "hidden",
        },
        reply: command.answer.yes().map(|one| Replied::answer(one, form)),
        oauth_error: login.oauth_error.as_ref().map(Text::from),
    })
}

#[inline]
pub(super) fn transaction<'a>(session: &'a Session, transaction: &'a Transaction, form: Form) -> TransactionRecord<'a> {
    let exchanges = session.exchanges();
    let deciding = transaction.data.and_then(|position| exchanges.get(position));
    let data = deciding.and_then(Exchange::mail_data);
    TransactionRecord {
        reverse_path: Text::from(&transaction.reverse_path),
        forward_paths: Recipients {
            exchanges,
            transaction,
            form,
        },
        recipients_not_listed: transaction.recipients_not_listed,
        declared_size: transaction.declared_size,
        message_size: data.filter(|data| data.ended.is_some()).map(|data| data.size),
        result: Word(words::transaction(transaction.result)),
        final_reply: deciding
            .or_else(|| exchanges.get(transaction.mail))
            .and_then(|exchange| exchange.reply.yes())
            .map(|one| Replied::reply(one, form)),
        message: data.and_then(|data| data.message.as_deref()).map(message),
    }
}

fn message(facts: &MessageFacts) -> MessageRecord<'_> {
    MessageRecord {
        from: Mailboxes(&facts.from),
        to: Mailboxes(&facts.recipients),
        subject: facts.subject.as_ref().map(Text::from),
        date: facts.date.as_ref().map(Text::from),
        message_id: facts.message_id.as_ref().map(Text::from),
        end_to_end_protection: facts.protection.map(|protection| match protection {
            Protection::SmimeEncrypted => "smime_encrypted",
            Protection::SmimeSigned | Protection::SmimeSignedOpaque => "smime_signed",
            Protection::PgpEncrypted => "pgp_encrypted",
            Protection::PgpSigned => "pgp_signed",
            Protection::PgpInline => "pgp_inline",
        }),
        attachments: facts
            .parts
            .iter()
            .filter(|part| part.attachment)
            .map(|part| AttachmentRecord {
                file_name: part.file_name.as_ref().map(Text::from),
                content_type: Text::from(&part.content_type),
                encoded_octets: part.encoded_octets,
                encrypted_zip: part.encrypted_zip.is_some(),
            })
            .collect(),
        text: facts.text.as_ref().map(Text::from),
    }
}

#[inline]
fn direction_record(facts: &DirectionFacts) -> DirectionRecord {
    DirectionRecord {
        segments: facts.segments,
        octets: facts.octets,
        retransmissions: facts.retransmissions,
        out_of_order: facts.out_of_order,
        missing_octets: facts.missing_octets,
        capture_duplicates: facts.capture_duplicates,
        conflicting_octets: facts.conflicting_octets,
    }
}

#[inline]
fn transport(connection: &ConnectionFacts) -> TcpRecord<'_> {
    TcpRecord {
        opening: Word(words::opening(connection.opening)),
        handshake_round_trip_seconds: connection.round_trip.map(Seconds),
        to_server: direction_record(connection.directions.get(Direction::ToServer)),
        to_client: direction_record(connection.directions.get(Direction::ToClient)),
        resets: Each {
            things: &connection.resets,
            record: reset,
        },
        gaps: Each {
            things: &connection.gaps,
            record: gap,
        },
        zero_windows: Each {
            things: &connection.zero_windows,
            record: zero_window,
        },
        icmp_errors: Each {
            things: &connection.icmp_errors,
            record: icmp_error,
        },
    }
}

const fn reset(reset: &Reset) -> ResetRecord {
    ResetRecord {
        sender: words::role(reset.direction.sender()),
        frame: reset.stamp.frame.0,
        in_window: reset.in_window,
        after_fin: reset.after_fin,
        looks_forged: reset.looks_forged,
    }
}

const fn gap(gap: &Gap) -> GapRecord {
    GapRecord {
        sender: words::role(gap.direction.sender()),
        offset: gap.offset,
        length: gap.length,
        frame: gap.found_at.frame.0,
        acknowledged: gap.acknowledged,
    }
}

const fn zero_window(zero: &ZeroWindow) -> ZeroWindowRecord {
    ZeroWindowRecord {
        receiver: words::role(zero.blocked.opposite().sender()),
        frame: zero.from.frame.0,
        seconds: Seconds(zero.until.time.since(zero.from.time)),
        reopened: zero.reopened,
    }
}

const fn icmp_error(error: &IcmpError) -> IcmpRecord {
    IcmpRecord {
        reporter: error.reporter,
        version: if error.version6 { 6 } else { 4 },
        kind: error.kind,
        code: error.code,
        name: words::icmp(error.version6, error.kind, error.code),
        next_hop_mtu: if error.next_hop_mtu > 0 {
            Some(error.next_hop_mtu)
        } else {
            None
        },
        frame: error.stamp.frame.0,
    }
}

pub(super) fn timing<'a>(timing: &Timing, exchanges: &'a [Exchange]) -> TimingRecord<'a> {
    TimingRecord {
        connect: timing.connect.map(Seconds),
        greeting: timing.greeting.map(Seconds),
        ehlo: timing.hello.map(Seconds),
        starttls: timing.start_tls.map(Seconds),
        tls: timing.tls.map(Seconds),
        auth: timing.auth.map(Seconds),
        mail: timing.mail.map(Seconds),
        rcpt: RcptDelays(exchanges),
        data: timing.data.map(Seconds),
        final_reply: timing.final_reply.map(Seconds),
        server_share: Seconds(timing.server_share),
        client_share: Seconds(timing.client_share),
    }
}
