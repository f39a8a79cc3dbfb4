//! Test kit.
pub mod bytes;
pub mod certificate;
pub mod container;
pub mod frame;
pub mod script;
pub mod tls;
pub(crate) mod words;

pub use container::{TimedFrame, pcap, pcapng};
pub use script::{Script, ScriptError, Side, frames};
