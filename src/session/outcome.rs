//! How far a session came and what became of it, read off the facts. Order: mail first, then login, TLS, transport.

use crate::protocol::smtp::{Dialogue, Verb};
use crate::protocol::tls::{Phase, TlsFacts};
use crate::protocol::{Seen, retrieval};
use crate::session::model::{CaptureQuality, Outcome, Stage, Transaction, TransactionResult};
use crate::span::Direction;
use crate::tcp::{ConnectionFacts, Ending, Opening};

/// What [`stage`] and [`outcome`] read.
pub(super) struct View<'a> {
    pub(super) connection: &'a ConnectionFacts,
    pub(super) smtp: Option<&'a Dialogue>,
    pub(super) retrieval: Option<&'a retrieval::Dialogue>,
    pub(super) tls: Option<&'a TlsFacts>,
    pub(super) transactions: &'a [Transaction],
    pub(super) quality: CaptureQuality,
    pub(super) implicit_tls_port: bool,
}

/// True where the TLS handshake completed as far as the capture can tell.
pub(super) fn handshake_completed(tls: &TlsFacts) -> bool {
    tls.phase >= Phase::AfterHandshake
}

/// The furthest stage reached.
pub(super) fn stage(view: &View<'_>) -> Stage {
    let mut stage = Stage::Connect;
    let opened = !matches!(view.connection.opening, Opening::SynOnly);
    if opened {
        stage = Stage::Greeting;
    }
    if let Some(dialogue) = view.smtp {
        for exchange in &dialogue.exchanges {
            stage = stage.max(smtp_stage(&exchange.verb, matches!(exchange.reply, Seen::Yes(_))));
        }
    }
    if let Some(dialogue) = view.retrieval {
        for command in &dialogue.commands {
            stage = stage.max(retrieval_stage(command));
        }
    }
    if let Some(tls) = view.tls
        && !tls.decrypted
    {
        let inside = if handshake_completed(tls) {
            Stage::Encrypted
        } else {
            Stage::Tls
        };
        stage = stage.max(inside);
    }
    stage
}

const fn smtp_stage(verb: &Verb, replied: bool) -> Stage {
    match verb {
        Verb::StartTls | Verb::XAnonymousTls => Stage::StartTls,
        Verb::Auth => Stage::Auth,
        Verb::Mail => Stage::Mail,
        Verb::Rcpt => Stage::Rcpt,
        Verb::Data | Verb::Bdat if replied => Stage::FinalReply,
        Verb::Data | Verb::Bdat => Stage::Data,
        Verb::Quit => Stage::Quit,
        _ => Stage::Hello,
    }
}

fn retrieval_stage(command: &retrieval::Command) -> Stage {
    match command.verb.bytes() {
        b"STLS" | b"STARTTLS" => Stage::StartTls,
        b"CAPA" | b"CAPABILITY" | b"ID" | b"NOOP" => Stage::Hello,
        b"QUIT" | b"LOGOUT" => Stage::Quit,
        b"USER" => Stage::Auth,
        _ if command.login.is_some() => Stage::Auth,
        _ => Stage::Mailbox,
    }
}

/// What became of the session.
pub(super) fn outcome(view: &View<'_>) -> Outcome {
    // A SYN alone: what carried octets did come about, and its SYN-ACK is missing from the capture.
    let carried = Direction::BOTH
        .into_iter()
        .any(|direction| view.connection.directions.get(direction).octets > 0);
    if matches!(view.connection.opening, Opening::SynOnly) && !carried {
        // Whoever stopped watching did not wait for the answer.
        return if view.connection.ending == Ending::Stopped {
            Outcome::Unknown
        } else {
            Outcome::NoConnection
        };
    }
    if let Some(outcome) = by_transactions(view.transactions) {
        return outcome;
    }
    if let Some(outcome) = view
        .retrieval
        .and_then(by_login)
        .or_else(|| view.smtp.and_then(by_authentication))
    {
        return outcome;
    }
    if let Some(tls) = view.tls
        && !tls.decrypted
    {
        return by_tls(tls, view.quality);
    }
    by_dialogue(view)
}

fn by_transactions(transactions: &[Transaction]) -> Option<Outcome> {
    let has = |result| transactions.iter().any(|transaction| transaction.result == result);
    let accepted = has(TransactionResult::Accepted);
    let failed = has(TransactionResult::Refused) || has(TransactionResult::Deferred);
    Some(if has(TransactionResult::PartlyAccepted) || (accepted && failed) {
        Outcome::PartlyAccepted
    } else if accepted {
        Outcome::Accepted
    } else if has(TransactionResult::Refused) {
        Outcome::Refused
    } else if has(TransactionResult::Deferred) {
        Outcome::Deferred
    } else {
        return None;
    })
}

fn by_login(dialogue: &retrieval::Dialogue) -> Option<Outcome> {
    let answers = || {
        dialogue
            .commands
            .iter()
            .filter(|command| command.login.is_some() || command.verb.bytes() == b"USER")
            .filter_map(|command| Some((command.login.is_some(), command.answer.yes()?.status)))
    };
    if answers().any(|(login, status)| login && status == retrieval::Status::Ok) {
        Some(Outcome::LoggedIn)
    } else if answers().any(|(_, status)| status != retrieval::Status::Ok) {
        Some(Outcome::AuthenticationFailed)
    } else {
        None
    }
}

fn by_authentication(dialogue: &Dialogue) -> Option<Outcome> {
    let codes = || {
        dialogue
            .exchanges
            .iter()
            .filter(|exchange| exchange.verb == Verb::Auth)
            .filter_map(|exchange| exchange.reply.yes().map(|reply| reply.code))
    };
    (codes().next().is_some() && !codes().any(|code| code == 235)).then_some(Outcome::AuthenticationFailed)
}

fn by_tls(tls: &TlsFacts, quality: CaptureQuality) -> Outcome {
    // TLS 1.3: the server judges the client's flight when the handshake is complete for the client.
    let ended_unused = |alert: &crate::protocol::tls::Alert| {
        alert.level == crate::protocol::tls::AlertLevel::Fatal && alert.phase < Phase::AfterApplicationData
    };
    if handshake_completed(tls) && !tls.alerts.iter().any(ended_unused) {
        return Outcome::Encrypted;
    }
    let ended_in_handshake = tls
        .alerts
        .iter()
        .any(|alert| alert.level == crate::protocol::tls::AlertLevel::Fatal);
    if !ended_in_handshake && (quality.cut_off || quality.gaps || quality.only_direction.is_some()) {
        return Outcome::Unknown;
    }
    if tls.offer().is_none() && quality.started_late {
        return Outcome::Encrypted;
    }
    Outcome::TlsFailed
}

fn by_dialogue(view: &View<'_>) -> Outcome {
    if view.quality.only_direction.is_some() || view.transactions.iter().any(unknown) {
        return Outcome::Unknown;
    }
    if let Some(dialogue) = view.smtp {
        return smtp_dialogue(dialogue, view);
    }
    if let Some(dialogue) = view.retrieval {
        let quit = dialogue
            .commands
            .iter()
            .any(|command| matches!(command.verb.bytes(), b"QUIT" | b"LOGOUT"));
        return match (&dialogue.greeting, quit) {
            (_, true) => Outcome::NothingTried,
            (Some(_), false) => aborted(view),
            (None, false) if view.quality.started_late => Outcome::Unknown,
            (None, false) => Outcome::NoDialogue,
        };
    }
    if view.quality.started_late || view.quality.cut_off {
        Outcome::Unknown
    } else {
        Outcome::NoDialogue
    }
}

fn unknown(transaction: &Transaction) -> bool {
    transaction.result == TransactionResult::Unknown
}

fn aborted(view: &View<'_>) -> Outcome {
    if view.quality.cut_off {
        Outcome::Unknown
    } else {
        Outcome::Aborted
    }
}

fn smtp_dialogue(dialogue: &Dialogue, view: &View<'_>) -> Outcome {
    if let Some(greeting) = &dialogue.greeting
        && greeting.class() != 2
    {
        return if greeting.class() == 4 {
            Outcome::Deferred
        } else {
            Outcome::Refused
        };
    }
    if dialogue.greeting.is_none() && !view.quality.started_late && dialogue.exchanges.is_empty() {
        return if view.quality.cut_off {
            Outcome::Unknown
        } else {
            Outcome::NoDialogue
        };
    }
    if dialogue.greeting.is_none() && view.implicit_tls_port {
        return Outcome::NoDialogue;
    }
    if !view.transactions.is_empty() {
        return aborted(view);
    }
    let refused = dialogue.exchanges.iter().find_map(|exchange| {
        exchange
            .reply
            .yes()
            .map(|reply| reply.class())
            .filter(|class| *class >= 4)
    });
    // MAIL was in a hole: the reply to the message tells all the same.
    let taken = dialogue.exchanges.iter().any(|exchange| {
        let over = exchange.mail_data().is_some_and(|data| data.ended.is_some());
        over && exchange.reply.yes().is_some_and(|reply| reply.class() == 2)
    });
    // Not where the session began before the capture: what became of the mails before is not known.
    if taken && !began_unseen(dialogue, view) {
        return Outcome::Accepted;
    }
    let quit = dialogue.exchanges.iter().any(|exchange| exchange.verb == Verb::Quit);
    match (refused, quit) {
        (Some(4), _) => Outcome::Deferred,
        (Some(_), _) => Outcome::Refused,
        (None, true) if began_unseen(dialogue, view) || view.quality.gaps => Outcome::Unknown,
        (None, true) => Outcome::NothingTried,
        (None, false) => aborted(view),
    }
}

/// True where the capture begins behind the hello: mail may have been sent before.
fn began_unseen(dialogue: &Dialogue, view: &View<'_>) -> bool {
    let hello = |verb: &Verb| matches!(verb, Verb::Ehlo | Verb::Helo | Verb::Lhlo);
    view.quality.started_late && !dialogue.exchanges.first().is_some_and(|first| hello(&first.verb))
}
