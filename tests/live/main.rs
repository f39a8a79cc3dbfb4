//! `smtpcap live`, taken as an operator takes it: a pipe, a terminal's signals, a disk that fills, a scraper.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod contrib;
mod disk;
mod harness;
mod interface;
mod jumps;
mod metrics;
mod servers;
mod sessions;
mod signals;
mod soak;
mod stop;
mod store;
