//! smtpcap: the packet-capture analyzer for mail.
//!
//! Data flows left to right; a room uses only rooms to its left:
//!
//! ```text
//! frame → packet → tcp → message → protocol → session → diagnosis → insight → analyzer → report → text → render → cli
//!   ↑ capture (files)                                                              cli drives both ends
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod capture;
pub mod captured;
pub mod frame;
pub mod packet;
pub mod secret;
pub mod span;
pub mod tcp;
pub mod time;
