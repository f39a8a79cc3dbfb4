//! The messages that a session shows in clear, sent or retrieved, each with its place and its envelope.

use crate::captured::Captured;
use crate::diagnosis::rules::facts;
use crate::message::MessageFacts;
use crate::protocol::smtp::{Detail, Exchange};
use crate::session::{Session, Transaction};
use crate::span::Span;

/// One message.
pub(super) struct Shown<'a> {
    /// Header and structure.
    pub(super) message: &'a MessageFacts,
    /// Where it was seen.
    pub(super) span: &'a Span,
    /// Its transaction, where it was sent.
    pub(super) transaction: Option<&'a Transaction>,
    /// Its MAIL command.
    pub(super) mail: Option<&'a Exchange>,
}

/// Every message of a session that was seen in clear.
pub(super) fn messages(session: &Session) -> impl Iterator<Item = Shown<'_>> {
    let sent = session
        .exchanges()
        .iter()
        .enumerate()
        .filter_map(|(position, exchange)| {
            let data = facts::mail_data(exchange)?;
            let transaction = session
                .transactions
                .iter()
                .find(|transaction| transaction.data == Some(position));
            Some(Shown {
                message: data.message.as_deref()?,
                span: &data.span,
                transaction,
                mail: transaction.and_then(|transaction| session.exchanges().get(transaction.mail)),
            })
        });
    let retrieved = session.commands().iter().filter_map(|command| {
        Some(Shown {
            message: command.message.as_deref()?,
            span: &command.span,
            transaction: None,
            mail: None,
        })
    });
    sent.chain(retrieved)
}

/// MAIL has this parameter.
pub(super) fn has_parameter(mail: &Exchange, keyword: &str) -> bool {
    match &mail.detail {
        Detail::Mail { parameters, .. } => parameters
            .iter()
            .any(|parameter| parameter.keyword.equals_ignoring_case(keyword)),
        _ => false,
    }
}

/// The domain of an address, in lower case.
pub(super) fn domain(address: &Captured) -> Option<Captured> {
    let at = address.bytes().iter().rposition(|byte| *byte == b'@')?;
    let domain = address.bytes().get(at.saturating_add(1)..)?;
    let domain = domain.strip_suffix(b".").unwrap_or(domain).to_ascii_lowercase();
    (!domain.is_empty()).then(|| Captured::new(&domain))
}

/// The part of a domain that one organisation registers, guessed without a list: two labels, or three where the second
/// one is short ("co.jp", "or.jp", "com.au").
pub(super) fn organisation(domain: &Captured) -> Vec<u8> {
    let labels: Vec<&[u8]> = domain.bytes().split(|byte| *byte == b'.').collect();
    let second_level = labels.len().checked_sub(2).and_then(|position| labels.get(position));
    let country = labels.last().is_some_and(|last| last.len() == 2);
    let wanted = if country && second_level.is_some_and(|label| label.len() <= 3) {
        3
    } else {
        2
    };
    let from = labels.len().saturating_sub(wanted);
    labels.get(from..).unwrap_or_default().join(&b'.')
}
