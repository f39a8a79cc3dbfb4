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

/// The domain of an address; `None` without one.
pub(super) fn domain(address: &Captured) -> Option<&str> {
    let (_, domain) = address.utf8()?.rsplit_once('@')?;
    let domain = domain.trim_end_matches(['.', '>', ' ']);
    (!domain.is_empty()).then_some(domain)
}

/// Both domains are below what one organisation registers.
pub(super) fn are_related(one: &str, other: &str) -> bool {
    organisation(one).eq_ignore_ascii_case(organisation(other))
}

/// The part of a domain that one organisation registers: the last two labels, or three below a country's own categories
/// (`co.jp`, `ne.jp`, `co.uk`). An estimate without the Public Suffix List; good enough to say "same" or "other".
fn organisation(domain: &str) -> &str {
    let point = |before: usize| {
        domain
            .as_bytes()
            .get(..before)?
            .iter()
            .rposition(|octet| *octet == b'.')
    };
    let behind = |point: Option<usize>| point.map_or(domain, |point| domain.get(point + 1..).unwrap_or_default());
    let Some(last) = point(domain.len()) else {
        return domain;
    };
    let second = point(last);
    let country = domain.len() - last - 1;
    let category = second.map(|second| last - second - 1);
    if country == 2 && category.is_some_and(|length| length <= 3) {
        behind(second.and_then(point))
    } else {
        behind(second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisation_is_two_labels_or_three_below_a_countrys_categories() {
        for (domain, expected) in [
            ("", ""),
            ("localhost", "localhost"),
            ("a.example", "a.example"),
            ("mx.a.example", "a.example"),
            ("co.jp", "co.jp"),
            ("a.co.jp", "a.co.jp"),
            ("mx.a.co.jp", "a.co.jp"),
            ("mx.a.example.jp", "example.jp"),
            ("x.y.abc.jp", "y.abc.jp"),
            ("x..jp", "x..jp"),
            (".a.b", "a.b"),
        ] {
            assert_eq!(organisation(domain), expected, "{domain}");
        }
        assert!(are_related("MX.A.example", "b.a.EXAMPLE"));
        assert!(!are_related("a.co.jp", "b.co.jp"));
    }
}
