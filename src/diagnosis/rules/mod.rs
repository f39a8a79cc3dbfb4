//! The register: one folder per rule, grouped by layer. A new rule is its folder and its two lines in its layer's list.

use crate::diagnosis::finding::Finding;
use crate::diagnosis::rule::Rule;
use crate::session::Session;

mod auth;
mod capture;
mod cert;
mod facts;
mod healthy;
mod message;
mod net;
mod retrieval;
mod smtp;
mod starttls;
mod tls;

/// Every layer's rules, in the catalogue's order.
static LAYERS: &[&[&Rule]] = &[
    capture::RULES,
    net::RULES,
    smtp::RULES,
    auth::RULES,
    starttls::RULES,
    tls::RULES,
    cert::RULES,
    retrieval::RULES,
    message::RULES,
    healthy::RULES,
];

/// Every layer's rules that look at one session; no list is empty, and all rules of a list are of its layer.
pub fn layers() -> impl Iterator<Item = &'static [&'static Rule]> {
    LAYERS.iter().copied()
}

pub use smtp::diagnosis_of_words;

/// What is said of a refused mail where no rule found the cause of the refusal.
pub(super) fn of_unexplained_refusal(session: &Session) -> Option<Finding> {
    smtp::of_unexplained(session)
}

/// Every rule that looks at one session.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    LAYERS.iter().copied().flatten().copied()
}
