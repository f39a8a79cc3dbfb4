//! JSON, version 1: one document per run, or one record per line. Strict UTF-8, no character that a terminal or a page
//! could act on; octets that are not UTF-8 stand as `\xff` with every backslash doubled (see [`encode::json`](super::encode::json)).

mod convert;
mod each;
mod enhanced;
mod finding;
mod hello;
mod kinds;
mod number;
mod proof;
mod replied;
mod run;
mod safe;
mod schema;
mod session;
mod text;
mod time;
mod tls;
mod told;
pub mod words;
mod writer;

pub use convert::Form;
pub use each::{Each, Exchanges, Findings, Logins, Mailboxes, RcptDelays, Recipients, Replies, Stages, Transactions};
pub use enhanced::Enhanced;
pub use finding::{EvidenceRecord, FindingRecord, RemedyRecord, confidence, severity};
pub use hello::Hello;
pub use proof::Proof;
pub use replied::{Offered, Replied};
pub use run::*;
pub use safe::{SafeFormatter, write_document, write_line};
pub use session::*;
pub use text::{Lines, Quality, Text, Word};
pub use time::{Seconds, Time};
pub use tls::{Tls, TlsRecord};
pub use told::Told;
pub use writer::ToJson;
