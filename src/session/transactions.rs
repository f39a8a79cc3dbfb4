//! Groups SMTP exchanges into mail transactions (RFC 5321, section 3.3): MAIL, its RCPTs, DATA or BDAT, the decision.

use crate::captured::Captured;
use crate::protocol::Seen;
use crate::protocol::smtp::{Detail, Exchange, Parameter, Reply, Verb};
use crate::session::model::{Recipient, Transaction, TransactionResult};

/// Recipients listed of a transaction.
const LISTED_RECIPIENTS: usize = 1000;

/// Reads the transactions off a dialogue's exchanges, in order. `cut_off`: the capture ended before the session did.
pub(super) fn transactions(exchanges: &[Exchange], cut_off: bool) -> Vec<Transaction> {
    let is_mail = |exchange: &Exchange| exchange.verb == Verb::Mail;
    if !exchanges.iter().any(is_mail) {
        return Vec::new();
    }
    let mut done = Vec::with_capacity(1);
    let mut open: Option<Transaction> = None;
    for (position, exchange) in exchanges.iter().enumerate() {
        match &exchange.verb {
            // RFC 5321, section 4.1.4: a MAIL inside a transaction is refused and changes nothing.
            Verb::Mail if open.is_some() && exchange.reply.yes().is_some_and(|reply| reply.code == 503) => {}
            Verb::Mail => {
                done.extend(open.take());
                open = Some(begin(position, exchange, cut_off));
                if refused(exchange) {
                    done.extend(open.take().map(|mut transaction| {
                        transaction.result = by_code(exchange);
                        transaction
                    }));
                }
            }
            Verb::Rcpt => add_recipient(open.as_mut(), position, exchange),
            Verb::Data | Verb::Bdat => {
                let is_end = exchange.verb == Verb::Data || matches!(exchange.detail, Detail::Bdat { last: true, .. });
                if let Some(transaction) = open.as_mut() {
                    transaction.data = Some(position);
                    if is_end || refused(exchange) {
                        decide(transaction, exchange, cut_off);
                        done.extend(open.take());
                    }
                }
            }
            Verb::Rset | Verb::Ehlo | Verb::Helo | Verb::Lhlo | Verb::Quit if open.is_some() => {
                done.extend(open.take().map(|one| settle_without_data(one, exchanges, cut_off)));
            }
            _ => {}
        }
    }
    // Most sessions have one at most, and it is no small thing to move.
    if open.is_some() {
        done.extend(open.map(|one| settle_without_data(one, exchanges, cut_off)));
    }
    done
}

fn begin(position: usize, exchange: &Exchange, cut_off: bool) -> Transaction {
    let (address, declared_size) = match &exchange.detail {
        Detail::Envelope { path, parameters } => (
            path.as_ref().map(|path| path.address.clone()).unwrap_or_default(),
            declared_size(parameters),
        ),
        _ => (Captured::default(), None),
    };
    Transaction {
        mail: position,
        reverse_path: address,
        declared_size,
        recipients: Vec::new(),
        recipients_not_listed: 0,
        data: None,
        result: if exchange.reply.yes().is_some() {
            TransactionResult::Abandoned
        } else {
            without_reply(exchange, cut_off)
        },
    }
}

/// What a command without a reply makes of its transaction.
fn without_reply(exchange: &Exchange, cut_off: bool) -> TransactionResult {
    match exchange.reply {
        Seen::No if !cut_off => TransactionResult::Abandoned,
        _ => TransactionResult::Unknown,
    }
}

fn declared_size(parameters: &[Parameter]) -> Option<u64> {
    parameters
        .iter()
        .find(|parameter| parameter.keyword.equals_ignoring_case("SIZE"))
        .and_then(|parameter| parameter.value.as_ref()?.utf8()?.parse().ok())
}

fn add_recipient(open: Option<&mut Transaction>, position: usize, exchange: &Exchange) {
    let Some(transaction) = open else { return };
    if transaction.recipients.len() >= LISTED_RECIPIENTS {
        transaction.recipients_not_listed += 1;
        return;
    }
    let address = match &exchange.detail {
        Detail::Envelope { path: Some(path), .. } => path.address.clone(),
        _ => Captured::default(),
    };
    transaction.recipients.push(Recipient {
        exchange: position,
        address,
        code: exchange.reply.yes().map(|reply| reply.code),
    });
}

fn refused(exchange: &Exchange) -> bool {
    exchange.reply.yes().is_some_and(|reply| reply.class() >= 4)
}

fn by_code(exchange: &Exchange) -> TransactionResult {
    match exchange.reply.yes().map(Reply::class) {
        Some(2) => TransactionResult::Accepted,
        Some(4) => TransactionResult::Deferred,
        Some(5) => TransactionResult::Refused,
        _ => TransactionResult::Unknown,
    }
}

fn decide(transaction: &mut Transaction, exchange: &Exchange, cut_off: bool) {
    let replies = || exchange.reply.yes().into_iter().chain(exchange.further_replies());
    let accepted = replies().filter(|reply| reply.class() == 2).count();
    let total = replies().count();
    transaction.result = if total == 0 {
        without_reply(exchange, cut_off)
    } else if accepted == 0 {
        by_code(exchange)
    } else if accepted < total
        || transaction
            .recipients
            .iter()
            .any(|one| one.code.is_some_and(|code| code >= 400))
    {
        TransactionResult::PartlyAccepted
    } else {
        TransactionResult::Accepted
    };
    // "No valid recipients" after every RCPT was refused is a consequence: the recipients decided.
    if accepted == 0 && all_recipients_refused(transaction) {
        transaction.result = recipients_decided(transaction);
    }
}

fn all_recipients_refused(transaction: &Transaction) -> bool {
    !transaction.recipients.is_empty()
        && transaction
            .recipients
            .iter()
            .all(|one| one.code.is_some_and(|code| code >= 400))
}

fn recipients_decided(transaction: &Transaction) -> TransactionResult {
    if transaction
        .recipients
        .iter()
        .any(|one| one.code.is_some_and(|code| code >= 500))
    {
        TransactionResult::Refused
    } else {
        TransactionResult::Deferred
    }
}

fn settle_without_data(mut transaction: Transaction, exchanges: &[Exchange], cut_off: bool) -> Transaction {
    let unknown = |recipient: &Recipient| {
        let exchange = exchanges.get(recipient.exchange).filter(|_| recipient.code.is_none());
        exchange.is_some_and(|exchange| without_reply(exchange, cut_off) == TransactionResult::Unknown)
    };
    if all_recipients_refused(&transaction) {
        transaction.result = recipients_decided(&transaction);
    } else if transaction.recipients.iter().any(unknown) {
        transaction.result = TransactionResult::Unknown;
    }
    transaction
}
