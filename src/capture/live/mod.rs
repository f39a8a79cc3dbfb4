//! A capture program of its own → a stream of frames. The process that decodes never holds a privilege.
//!
//! In: [`Request`]. Out: an [`Input`](super::Input) that the reader reads like a file, and a [`Control`] to stop the
//! program and to learn how it ended. [`find`] chooses our own `smtpcap-capture`, else `dumpcap`, else `tcpdump`.
//! Decodes nothing, says no sentence: [`Failure`] has fields, the catalogue has the words.
//!
//! ```text
//! find → start (a child process, no thread) → [sandbox::enter] → attach (a thread reads the child's messages)
//!      → Input + Control → … → Control::stop → Control::ended
//! ```

mod command;
mod failure;
pub mod filter;
mod interfaces;
mod program;
mod running;
#[cfg(test)]
mod tests;

pub use failure::Failure;
pub use filter::Filter;
pub use interfaces::{ANY, ListedInterface, interfaces};
pub use program::{Program, find};
pub use running::{Control, Ended, MAX_MESSAGES, Started, start};

use crate::sandbox::Identity;

/// Octets captured of a packet at most, where nothing else is asked for: more than any frame has.
pub const SNAP_LENGTH: u32 = 262_144;
/// Kernel memory for packets that wait, in MiB for each interface, where nothing else is asked for.
pub const RING_MIB: u32 = 64;

/// What to capture.
#[derive(Clone, Debug)]
pub struct Request {
    /// Names of interfaces; [`ANY`] is all of them. At least one.
    pub interfaces: Vec<String>,
    /// Which packets.
    pub filter: Filter,
    /// Octets of a packet at most.
    pub snap_length: u32,
    /// Kernel memory for packets that wait, in MiB for each interface.
    pub ring: u32,
    /// Whether packets for other machines are captured: what a mirror port is for.
    pub promiscuous: bool,
    /// Whether each packet is delivered at once; otherwise within 200 ms, for less work.
    pub immediate: bool,
    /// Whom the capture program becomes once the interfaces are open, when started as root.
    pub user: Option<Identity>,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            interfaces: Vec::new(),
            filter: Filter::default(),
            snap_length: SNAP_LENGTH,
            ring: RING_MIB,
            promiscuous: true,
            immediate: false,
            user: None,
        }
    }
}
