//! Questions that rules on POP3 and IMAP share. Facts only; no verdicts.

use crate::captured::Captured;
use crate::diagnosis::Evidence;
use crate::protocol::retrieval::{Answer, Command, Login, Status};
use crate::session::{Protocol, Session};

/// Logins with what they showed.
pub(super) fn logins(session: &Session) -> impl Iterator<Item = (&Command, &Login)> {
    session
        .commands()
        .iter()
        .filter_map(|command| Some((command, command.login.as_deref()?)))
}

/// A login succeeded at some point.
pub(super) fn logged_in(session: &Session) -> bool {
    logins(session).any(|(command, _)| command.answer.yes().is_some_and(|answer| answer.status == Status::Ok))
}

/// The answer where it is a refusal: -ERR, NO or BAD.
pub(super) fn refusal(command: &Command) -> Option<&Answer> {
    command.answer.yes().filter(|answer| answer.status != Status::Ok)
}

/// The command crossed readable for everybody on the path: neither decrypted nor seen on a mirror that shows the inside
/// of TLS.
pub(in crate::diagnosis::rules) fn in_clear(session: &Session, command: &Command) -> bool {
    !command.inside_tls
        && session
            .retrieval
            .as_ref()
            .is_some_and(|dialogue| !dialogue.decrypting_mirror)
}

/// The answer with status and response code, as the server's words.
pub(super) fn words(command: &Command, answer: &Answer) -> Captured {
    Evidence::answer(command, answer).quotation
}

/// The response code is one of these.
pub(super) fn has_code(answer: &Answer, codes: &[&str]) -> bool {
    answer
        .code
        .as_ref()
        .is_some_and(|code| codes.iter().any(|one| code.equals_ignoring_case(one)))
}

/// One of the phrases stands in the text, ASCII case ignored.
pub(super) fn says_any(text: &Captured, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| text.contains_ignoring_case(phrase))
}

/// The server refuses because the login is not protected, whatever the response code says.
pub(super) fn wants_tls(answer: &Answer) -> bool {
    has_code(answer, &["PRIVACYREQUIRED"])
        || says_any(
            &answer.text,
            &[
                "plaintext authentication disallowed",
                "plaintext authentication not allowed",
                "cleartext authentication disallowed",
                "cleartext authentication not allowed",
                "clear text passwords disabled",
                "non-secure (ssl/tls)",
                "must use tls",
                "requires tls",
                "tls required",
                "starttls first",
                "stls first",
                "login is disabled",
                "login disabled",
                "logindisabled",
                "only available under a layer",
            ],
        )
}

/// The mailbox or the account's connections are taken, or the server is out of order.
pub(super) fn is_busy(answer: &Answer) -> bool {
    has_code(
        answer,
        &[
            "IN-USE",
            "LOGIN-DELAY",
            "SYS/TEMP",
            "SYS/PERM",
            "INUSE",
            "LIMIT",
            "UNAVAILABLE",
            "SERVERBUG",
        ],
    ) || says_busy(&answer.text)
}

/// The same, said without a response code, or with one that the decoder left in the text (greetings).
pub(super) fn says_busy(text: &Captured) -> bool {
    says_any(
        text,
        &[
            "[in-use]",
            "[login-delay]",
            "[sys/temp]",
            "[sys/perm]",
            "[inuse]",
            "[limit]",
            "[unavailable]",
            "too many",
            "maximum number of connections",
            "maximum number of simultaneous",
            "already locked",
            "is locked by",
            "unable to lock",
            "maildrop locked",
            "mailbox locked",
            "mailbox in use",
            "minimum wait interval",
            "login too frequent",
        ],
    )
}

/// The server says that it has no APOP.
pub(super) fn says_no_apop(answer: &Answer) -> bool {
    says_any(
        &answer.text,
        &[
            "unknown command",
            "unrecognized command",
            "unimplemented",
            "not implemented",
            "not supported",
            "unsupported",
            "apop disabled",
            "apop not",
            "not available",
            "invalid command",
        ],
    )
}

/// "POP3" or "IMAP".
pub(super) fn protocol_name(session: &Session) -> &'static str {
    match session.protocol {
        Some(Protocol::Imap) => "IMAP",
        _ => "POP3",
    }
}
