//! The register: one folder per rule, grouped by layer. A new rule is its folder and its two lines in its layer's list.

use crate::diagnosis::rule::Rule;

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

pub(super) use smtp::envelope::{Refusal, check as refusal, refusals, unexplained};

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

/// Every rule that looks at one session.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    LAYERS.iter().copied().flatten().copied()
}
