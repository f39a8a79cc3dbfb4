//! What several rules on STARTTLS ask of a session.

use crate::captured::Captured;
use crate::diagnosis::Evidence;
use crate::diagnosis::rules::facts;
use crate::protocol::smtp::Verb;
use crate::session::Session;
use crate::span::Span;

/// A mark that something between changed the dialogue (catalogue P14), with the key of the phrase that names it.
pub(super) fn stripped(session: &Session) -> Option<(Evidence, &'static str)> {
    let dialogue = session.smtp.as_deref()?;
    if let Some(greeting) = &dialogue.greeting
        && greeting.lines.first().is_some_and(is_starred)
    {
        return Some((Evidence::reply(greeting), "stripped_greeting"));
    }
    for exchange in &dialogue.exchanges {
        let masked = match &exchange.verb {
            Verb::Other(verb) => is_masked(verb.bytes()),
            _ => false,
        };
        if masked && facts::refusal(exchange).is_some() {
            return Some((Evidence::command(exchange), "stripped_command"));
        }
        if matches!(exchange.verb, Verb::Ehlo | Verb::Lhlo)
            && let Some(reply) = exchange.reply.yes()
            && let Some(line) = Session::extensions(exchange)
                .iter()
                .find(|line| is_masked(facts::keyword(line)))
        {
            return Some((Evidence::quote(&reply.span, line), "stripped_keyword"));
        }
    }
    None
}

/// "220 ****": only stars, blanks, "2" and "0" are left.
fn is_starred(line: &Captured) -> bool {
    let bytes = line.bytes();
    bytes.iter().filter(|byte| **byte == b'*').count() >= 4
        && bytes.iter().all(|byte| matches!(byte, b'*' | b' ' | b'2' | b'0'))
}

/// "XXXXXXXX" or "XXXXXXXA": a keyword overwritten at its own length.
fn is_masked(word: &[u8]) -> bool {
    let word = word.to_ascii_uppercase();
    word.len() >= 4
        && word.iter().take(word.len() - 1).all(|byte| *byte == b'X')
        && word
            .last()
            .is_some_and(|last| matches!(last, b'X' | b'A' | b'B' | b'C'))
}

/// Where STARTTLS or STLS is on offer in clear.
pub(super) fn offer(session: &Session) -> Option<Span> {
    if let Some(list) = facts::clear_list(session).filter(|list| facts::offers(list, "STARTTLS")) {
        return list.reply.yes().map(|reply| reply.span);
    }
    session.retrieval.as_ref()?.capabilities.iter().find_map(|list| {
        let offered = list.keywords.iter().any(|word| {
            let word = facts::keyword(word);
            word.eq_ignore_ascii_case(b"STARTTLS") || word.eq_ignore_ascii_case(b"STLS")
        });
        offered.then_some(list.span)
    })
}

/// The client sent mail, a login or mailbox commands in clear.
pub(super) fn sent_something(session: &Session) -> bool {
    facts::goes_on(session).is_some() || session.commands().iter().any(|command| is_step(command.verb.bytes()))
}

fn is_step(verb: &[u8]) -> bool {
    !matches!(
        verb,
        b"CAPA" | b"CAPABILITY" | b"QUIT" | b"LOGOUT" | b"NOOP" | b"STLS" | b"STARTTLS" | b"ID"
    )
}

/// The first of these.
pub(super) fn first_step(session: &Session) -> Option<Evidence> {
    session
        .exchanges()
        .iter()
        .find(|exchange| matches!(exchange.verb, Verb::Mail | Verb::Rcpt | Verb::Auth))
        .map(Evidence::command)
        .or_else(|| {
            session
                .commands()
                .iter()
                .find(|command| is_step(command.verb.bytes()))
                .map(Evidence::retrieval)
        })
}

/// A readable password or token crossed.
pub(super) fn password_in_clear(session: &Session) -> bool {
    facts::auth_attempts(session).any(|(exchange, auth)| auth.secret.is_some() && facts::in_clear(session, exchange))
        || session
            .commands()
            .iter()
            .any(|command| command.login.as_ref().is_some_and(|login| login.secret.is_some()))
}
