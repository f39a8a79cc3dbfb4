//! smtpcap: the packet-capture analyzer for mail.
//!
//! Data flows left to right; a room uses only rooms to its left:
//!
//! ```text
//! frame → packet → tcp → message → protocol → session → diagnosis → insight → analyzer → report → live → text → render → cli
//!   ↑ capture (files)                                                              cli drives both ends
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod analyzer;
pub mod capture;
pub mod captured;
pub mod cli;
pub mod diagnosis;
pub mod frame;
pub mod insight;
pub mod live;
pub mod message;
pub mod packet;
pub mod protocol;
pub mod render;
pub mod report;
pub mod sandbox;
pub mod secret;
pub mod session;
pub mod span;
pub mod tcp;
pub mod text;
pub mod time;
