//! The messages of a session that were seen in clear, and the questions that several message rules ask. Facts only.

use crate::captured::Captured;
use crate::message::MessageFacts;
use crate::session::{Session, Transaction};
use crate::span::Span;

/// A message seen in clear.
pub(super) struct Seen<'a> {
    /// Its header and structure.
    pub facts: &'a MessageFacts,
    /// Where it was seen.
    pub span: &'a Span,
    /// The transaction that carried it; none for a message that was retrieved.
    pub transaction: Option<&'a Transaction>,
}

/// Messages that were sent (SMTP, LMTP), then those that were retrieved (POP3, IMAP).
pub(super) fn messages(session: &Session) -> impl Iterator<Item = Seen<'_>> {
    sent(session).chain(retrieved(session))
}

/// Messages that were sent.
pub(super) fn sent(session: &Session) -> impl Iterator<Item = Seen<'_>> {
    session.transactions.iter().filter_map(|transaction| {
        let data = session.exchanges().get(transaction.data?)?.mail_data()?;
        Some(Seen {
            facts: data.message.as_deref()?,
            span: &data.span,
            transaction: Some(transaction),
        })
    })
}

fn retrieved(session: &Session) -> impl Iterator<Item = Seen<'_>> {
    session.commands().iter().filter_map(|command| {
        Some(Seen {
            facts: command.message.as_deref()?,
            span: &command.span,
            transaction: None,
        })
    })
}

/// The domain of an address in lower case; `None` without one.
pub(super) fn domain(address: &Captured) -> Option<String> {
    let (_, domain) = address.utf8()?.rsplit_once('@')?;
    let domain = domain.trim_end_matches(['.', '>', ' ']).to_ascii_lowercase();
    (!domain.is_empty()).then_some(domain)
}

/// The part of a domain that one organisation registers: the last two labels, or three below a country's own categories
/// (`co.jp`, `ne.jp`, `co.uk`). An estimate without the Public Suffix List; good enough to say "same" or "other".
pub(super) fn organisation(domain: &str) -> String {
    let labels: Vec<&str> = domain.rsplit('.').collect();
    let by_category =
        matches!(labels.as_slice(), [country, category, _, ..] if country.len() == 2 && category.len() <= 3);
    let keep = if by_category { 3 } else { 2 };
    let mut kept: Vec<&str> = labels.into_iter().take(keep).collect();
    kept.reverse();
    kept.join(".")
}
