//! Turns many sessions into what only several of them together show: retries, fallback, versions per port, who breaks when
//! an old TLS version is switched off. Works on [`Digest`]s in a sliding window with bounded memory; judges like the
//! diagnosis room, renders nothing.

mod digest;
mod explained;
mod history;
mod kinship;
pub mod rules;
mod window;

pub use digest::{AuthDigest, Digest, TlsDigest, TransactionDigest};
pub use history::{History, Insight, LISTED_SESSIONS, MAXIMUM_DIGESTS};

pub use window::{Group, Window};

use crate::diagnosis::Rule;

/// Every rule of the product: those on one session, then those on several.
pub fn register() -> impl Iterator<Item = &'static Rule> {
    crate::diagnosis::rules::all().chain(rules::all().map(|(rule, _)| rule))
}

/// The rule with this slug.
#[must_use]
pub fn rule(slug: &str) -> Option<&'static Rule> {
    register().find(|rule| rule.slug == slug)
}
