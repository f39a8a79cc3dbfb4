//! Lists of a session's record that are written from the session itself, one record at a time: nothing is collected before
//! it is written.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::diagnosis::Finding;
use crate::message::Mailbox;
use crate::protocol::smtp::{Exchange, Reply, Verb};
use crate::render::encode;
use crate::render::json::convert::{self, Form};
use crate::render::json::replied::Replied;
use crate::render::json::schema::schema_like;
use crate::render::json::session::{AuthRecord, ExchangeRecord, RecipientRecord, TimingRecord, TransactionRecord};
use crate::render::json::text::Text;
use crate::render::json::time::Seconds;
use crate::render::json::told::Told;
use crate::render::json::writer::{ToJson, captured, close, list};
use crate::session::{Session, Timing, Transaction, reply_delay};

/// Writes what `records` gives, as a list of `$record`.
macro_rules! one_by_one {
    ($name:ident of $record:ty) => {
        impl ToJson for $name<'_> {
            fn append(&self, json: &mut Vec<u8>) {
                list(self.records(), json);
            }

            fn is_absent(&self) -> bool {
                self.is_empty()
            }
        }

        impl Serialize for $name<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(self.records())
            }
        }

        schema_like!($name<'a> is Vec<$record>);
    };
}

/// The commands of a session with their replies.
#[derive(Clone, Copy, Debug)]
pub struct Exchanges<'a> {
    pub(super) session: &'a Session,
    pub(super) form: Form,
}

impl<'a> Exchanges<'a> {
    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.session.exchanges().is_empty() && self.session.commands().is_empty()
    }

    fn records(&self) -> impl Iterator<Item = ExchangeRecord<'a>> + use<'a> {
        let Self { session, form } = *self;
        let smtp = session.exchanges().iter().map(move |one| convert::exchange(one, form));
        smtp.chain(session.commands().iter().map(move |one| convert::command(one, form)))
    }
}

one_by_one!(Exchanges of ExchangeRecord<'static>);

/// The mail transactions of a session.
#[derive(Clone, Copy, Debug)]
pub struct Transactions<'a> {
    pub(super) session: &'a Session,
    pub(super) form: Form,
}

impl<'a> Transactions<'a> {
    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.session.transactions.is_empty()
    }

    fn records(&self) -> impl Iterator<Item = TransactionRecord<'a>> + use<'a> {
        let Self { session, form } = *self;
        let transactions = session.transactions.iter();
        transactions.map(move |one| convert::transaction(session, one, form))
    }
}

one_by_one!(Transactions of TransactionRecord<'static>);

/// The recipients of a mail transaction.
#[derive(Clone, Copy, Debug)]
pub struct Recipients<'a> {
    pub(super) exchanges: &'a [Exchange],
    pub(super) transaction: &'a Transaction,
    pub(super) form: Form,
}

impl<'a> Recipients<'a> {
    fn is_empty(&self) -> bool {
        self.transaction.recipients.is_empty()
    }

    fn records(&self) -> impl Iterator<Item = RecipientRecord<'a>> + use<'a> {
        let Self { exchanges, form, .. } = *self;
        let recipients = self.transaction.recipients.iter();
        recipients.map(move |recipient| RecipientRecord {
            forward_path: Text::from(&recipient.address),
            reply: exchanges
                .get(recipient.exchange)
                .and_then(|exchange| exchange.reply.yes())
                .map(|one| Replied::reply(one, form)),
        })
    }
}

one_by_one!(Recipients of RecipientRecord<'static>);

/// The attempts of a session to log in.
#[derive(Clone, Copy, Debug)]
pub struct Logins<'a> {
    pub(super) session: &'a Session,
    pub(super) form: Form,
}

impl<'a> Logins<'a> {
    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records().next().is_none()
    }

    fn records(&self) -> impl Iterator<Item = AuthRecord<'a>> + use<'a> {
        let Self { session, form } = *self;
        let smtp = session.exchanges().iter();
        let retrieval = session.commands().iter();
        smtp.filter_map(move |one| convert::smtp_auth(one, form))
            .chain(retrieval.filter_map(move |one| convert::retrieval_auth(one, form)))
    }
}

one_by_one!(Logins of AuthRecord<'static>);

/// What happened to a connection, each with its record.
#[derive(Clone, Copy, Debug)]
pub struct Each<'a, T, R> {
    pub(super) things: &'a [T],
    pub(super) record: fn(&T) -> R,
}

impl<T, R> Each<'_, T, R> {
    /// There is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.things.is_empty()
    }
}

impl<T, R: ToJson> ToJson for Each<'_, T, R> {
    fn append(&self, json: &mut Vec<u8>) {
        list(self.things.iter().map(self.record), json);
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl<T, R: Serialize> Serialize for Each<'_, T, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.things.iter().map(self.record))
    }
}

schema_like!(Each<'a, T, R: schemars::JsonSchema> is Vec<R>);

/// Replies in a row.
#[derive(Clone, Copy, Debug)]
pub struct Replies<'a> {
    pub(super) replies: &'a [Reply],
    pub(super) form: Form,
}

impl<'a> Replies<'a> {
    /// There is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.replies.is_empty()
    }

    fn records(&self) -> impl Iterator<Item = Replied<'a>> + use<'a> {
        let form = self.form;
        self.replies.iter().map(move |one| Replied::reply(one, form))
    }
}

one_by_one!(Replies of Replied<'static>);

/// What is said of a session.
#[derive(Clone, Copy, Debug)]
pub struct Findings<'a> {
    pub(super) findings: &'a [Finding],
    pub(super) form: Form,
}

impl<'a> Findings<'a> {
    const fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    fn records(&self) -> impl Iterator<Item = Told<'a>> + use<'a> {
        let form = self.form;
        self.findings.iter().map(move |finding| Told { finding, form })
    }
}

one_by_one!(Findings of Told<'static>);

/// Seconds per stage of a session.
#[derive(Clone, Copy, Debug)]
pub struct Stages<'a> {
    pub(super) timing: &'a Timing,
    pub(super) exchanges: &'a [Exchange],
}

impl ToJson for Stages<'_> {
    /// As [`TimingRecord`] has it, without one: it would be a large one, of a few numbers.
    fn append(&self, json: &mut Vec<u8>) {
        let Self { timing, exchanges } = *self;
        let start = json.len();
        let stage = |name: &str, seconds: Option<Duration>, json: &mut Vec<u8>| {
            if let Some(seconds) = seconds {
                json.extend_from_slice(name.as_bytes());
                Seconds(seconds).append(json);
            }
        };
        stage(",\"connect\":", timing.connect, json);
        stage(",\"greeting\":", timing.greeting, json);
        stage(",\"ehlo\":", timing.hello, json);
        stage(",\"starttls\":", timing.start_tls, json);
        stage(",\"tls\":", timing.tls, json);
        stage(",\"auth\":", timing.auth, json);
        stage(",\"mail\":", timing.mail, json);
        let rcpt = RcptDelays(exchanges);
        if !rcpt.is_empty() {
            json.extend_from_slice(b",\"rcpt\":");
            rcpt.append(json);
        }
        stage(",\"data\":", timing.data, json);
        stage(",\"final_reply\":", timing.final_reply, json);
        stage(",\"server_share\":", Some(timing.server_share), json);
        stage(",\"client_share\":", Some(timing.client_share), json);
        close(json, start);
    }
}

impl Serialize for Stages<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        convert::timing(self.timing, self.exchanges).serialize(serializer)
    }
}

schema_like!(Stages<'a> is TimingRecord<'static>);

/// How long the reply to each RCPT took.
#[derive(Clone, Copy, Default, Debug)]
pub struct RcptDelays<'a>(pub(super) &'a [Exchange]);

impl<'a> RcptDelays<'a> {
    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records().next().is_none()
    }

    fn records(&self) -> impl Iterator<Item = Seconds> + use<'a> {
        let rcpts = self.0.iter().filter(|exchange| exchange.verb == Verb::Rcpt);
        rcpts.filter_map(reply_delay).map(Seconds)
    }
}

one_by_one!(RcptDelays of Seconds);

/// Mailboxes of a header field, each as one text.
#[derive(Clone, Copy, Debug)]
pub struct Mailboxes<'a>(pub(super) &'a [Mailbox]);

impl<'a> Mailboxes<'a> {
    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn records(&self) -> impl Iterator<Item = Address<'a>> + use<'a> {
        self.0.iter().map(Address)
    }
}

one_by_one!(Mailboxes of String);

/// A mailbox as one text: its name, decoded, and its address between "<" and ">".
struct Address<'a>(&'a Mailbox);

impl ToJson for Address<'_> {
    fn append(&self, json: &mut Vec<u8>) {
        json.push(b'"');
        match &self.0.name {
            Some(name) => {
                captured(name.bytes(), json);
                json.extend_from_slice(b" \\u003c");
                captured(self.0.address.bytes(), json);
                json.push(b'>');
            }
            None => captured(self.0.address.bytes(), json),
        }
        json.push(b'"');
    }
}

impl Serialize for Address<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let address = encode::json(self.0.address.bytes());
        match &self.0.name {
            Some(name) => serializer.collect_str(&format_args!("{} <{address}>", encode::json(name.bytes()))),
            None => serializer.serialize_str(&address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured::Captured;
    use crate::render::json::SafeFormatter;

    #[test]
    fn stages_are_written_as_serde_writes_them() {
        for seen in 0..1_u32 << 9 {
            let stage = |number: u32| (seen >> number & 1 > 0).then(|| Duration::from_micros(123_456 << number));
            let timing = Timing {
                connect: stage(0),
                greeting: stage(1),
                hello: stage(2),
                start_tls: stage(3),
                tls: stage(4),
                auth: stage(5),
                mail: stage(6),
                data: stage(7),
                final_reply: stage(8),
                server_share: Duration::from_nanos(7),
                client_share: Duration::from_secs(u64::from(seen)),
                ..Timing::default()
            };
            let stages = Stages {
                timing: &timing,
                exchanges: &[],
            };
            let mut ours = Vec::new();
            stages.append(&mut ours);
            assert_eq!(
                String::from_utf8(ours).unwrap(),
                serde_json::to_string(&stages).unwrap()
            );
        }
    }

    #[test]
    fn mailboxes_are_written_as_serde_writes_them() {
        let names = [
            None,
            Some(&b""[..]),
            Some(b"A. B"),
            Some(b"\xff\\<\"\x1b"),
            Some("日本".as_bytes()),
        ];
        let boxes: Vec<Mailbox> = names
            .into_iter()
            .flat_map(|name| {
                [&b"a@b.example"[..], b"", b"\"<\\\"@\xe3"].map(|address| Mailbox {
                    name: name.map(Captured::new),
                    address: Captured::new(address),
                })
            })
            .collect();
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        Mailboxes(&boxes).append(&mut ours);
        let mut serializer = serde_json::Serializer::with_formatter(&mut theirs, SafeFormatter::compact());
        Mailboxes(&boxes).serialize(&mut serializer).unwrap();
        assert_eq!(String::from_utf8(ours).unwrap(), String::from_utf8(theirs).unwrap());
    }
}
