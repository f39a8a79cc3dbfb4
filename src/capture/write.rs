//! Frames and what is known about them → pcapng, for ring files and the frames of one session.
//!
//! The blocks are made by the small crate that the privileged capture program uses too; this is its place in the house.

pub use smtpcap_pcapng::{Blocks, Interface, MAX_TEXT, Packet, Section, Statistics};
