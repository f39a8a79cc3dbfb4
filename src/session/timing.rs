//! How long each side let the other wait, from the spans of commands and replies.

use std::time::Duration;

use crate::protocol::smtp::{Detail, Dialogue, Exchange, Reply, Verb};
use crate::protocol::tls::{TlsFacts, TlsStart};
use crate::protocol::{Seen, retrieval};
use crate::session::model::Timing;
use crate::span::Stamp;
use crate::tcp::ConnectionFacts;

/// Times per stage, and each side's share, into `timing`, where there was none yet.
pub(super) fn tell(
    timing: &mut Timing,
    connection: &ConnectionFacts,
    smtp: Option<&Dialogue>,
    retrieval: Option<&retrieval::Dialogue>,
    tls: Option<&TlsFacts>,
) {
    timing.connect = connect(connection);
    timing.tls = tls.and_then(handshake);
    let opened = tls
        .and_then(secured)
        .or(connection.handshake_ack)
        .or(connection.directions.to_client.syn);
    let greeting = smtp
        .and_then(|dialogue| dialogue.greeting.as_ref().map(|greeting| greeting.span.last()))
        .or_else(|| retrieval.and_then(|dialogue| dialogue.greeting.as_ref().map(|greeting| greeting.span.last)));
    if let (Some(opened), Some(greeting)) = (opened, greeting) {
        timing.greeting = Some(greeting.time.since(opened.time));
    }
    if let Some(dialogue) = smtp {
        smtp_stages(dialogue, timing);
    }
    timing.server_share += timing.greeting.unwrap_or_default();
    if let Some(dialogue) = retrieval {
        retrieval_stages(dialogue, timing);
    }
}

fn connect(connection: &ConnectionFacts) -> Option<Duration> {
    let syn = connection.directions.to_server.syn?;
    let answer = connection.directions.to_client.syn?;
    Some(answer.time.since(syn.time))
}

/// Implicit TLS: the end of its handshake, from which on the server can greet.
fn secured(tls: &TlsFacts) -> Option<Stamp> {
    let (client, server) = (tls.directions.to_server.finished, tls.directions.to_client.finished);
    client.max(server).filter(|_| tls.start == TlsStart::Implicit)
}

fn handshake(tls: &TlsFacts) -> Option<Duration> {
    let hello = tls.offer()?;
    let done = tls
        .directions
        .to_server
        .finished
        .or(tls.directions.to_server.first_application_data)?;
    Some(done.time.since(hello.span.first.time))
}

/// From the end of the command to the end of its final reply.
#[must_use]
pub fn reply_delay(exchange: &Exchange) -> Option<Duration> {
    let Seen::Yes(reply) = &exchange.reply else { return None };
    Some(reply.span.last().time.since(waited_since(exchange, reply)))
}

fn waited_since(exchange: &Exchange, reply: &Reply) -> crate::time::Timestamp {
    match &exchange.detail {
        Detail::Data(Some(data)) | Detail::Bdat { data: Some(data), .. } => {
            data.ended.map_or(data.span.last.time, |end| end.time)
        }
        _ => exchange
            .intermediate()
            .last()
            .filter(|last| last.span.last() < reply.span.last())
            .map_or(exchange.command.last().time, |last| last.span.last().time),
    }
}

fn smtp_stages(dialogue: &Dialogue, timing: &mut Timing) {
    let mut last_reply = None;
    for exchange in &dialogue.exchanges {
        let Some(delay) = reply_delay(exchange) else { continue };
        match exchange.verb {
            Verb::Ehlo | Verb::Helo | Verb::Lhlo => _ = timing.hello.get_or_insert(delay),
            Verb::StartTls | Verb::XAnonymousTls => _ = timing.start_tls.get_or_insert(delay),
            Verb::Auth => _ = timing.auth.get_or_insert(auth_time(exchange)),
            Verb::Mail => _ = timing.mail.get_or_insert(delay),
            Verb::Rcpt => timing.rcpt = Some(timing.rcpt.unwrap_or_default().max(delay)),
            Verb::Data | Verb::Bdat => data_times(exchange, delay, timing),
            _ => {}
        }
        timing.server_share += delay;
        if let Some(before) = last_reply {
            timing.client_share += exchange.command.first().time.since(before);
        }
        last_reply = exchange.reply.yes().map(|reply| reply.span.last().time);
    }
}

fn auth_time(exchange: &Exchange) -> Duration {
    exchange
        .reply
        .yes()
        .map(|reply| reply.span.last().time.since(exchange.command.first().time))
        .unwrap_or_default()
}

fn data_times(exchange: &Exchange, delay: Duration, timing: &mut Timing) {
    if let Detail::Data(Some(data)) | Detail::Bdat { data: Some(data), .. } = &exchange.detail {
        timing
            .data
            .get_or_insert(data.span.last.time.since(data.span.first.time));
        if data.ended.is_some() {
            timing.final_reply.get_or_insert(delay);
        }
    }
}

fn retrieval_stages(dialogue: &retrieval::Dialogue, timing: &mut Timing) {
    for command in &dialogue.commands {
        let Seen::Yes(answer) = &command.answer else { continue };
        let delay = answer.span.last.time.since(command.span.last.time);
        match command.verb.bytes() {
            b"CAPA" | b"CAPABILITY" => _ = timing.hello.get_or_insert(delay),
            b"STLS" | b"STARTTLS" => _ = timing.start_tls.get_or_insert(delay),
            _ if command.login.is_some() => _ = timing.auth.get_or_insert(delay),
            _ => {}
        }
        timing.server_share += delay;
    }
}
