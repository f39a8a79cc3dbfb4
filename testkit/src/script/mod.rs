//! Turns a script text into captured frames: lines → sessions of statements (`parse`) → TCP connections (`connection`)
//! → frames in time order. The language is described in the crate's documentation.
//!
//! Deterministic: no clock, no randomness, no I/O.

pub(crate) mod blocks;
pub(crate) mod connection;
pub(crate) mod header;
pub(crate) mod parse;
pub(crate) mod plan;
pub(crate) mod play;
pub(crate) mod settings;
pub(crate) mod shorthand;

use crate::container::{TimedFrame, pcap, pcapng};
use std::fmt;

/// Where scripts start unless they say otherwise: 2026-11-02T09:00:00Z in nanoseconds since the epoch.
pub const START_NS: i64 = 1_793_610_000_000_000_000;

/// One of the two ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The end that opens the connection.
    Client = 0,
    /// The end that is connected to.
    Server = 1,
}

impl Side {
    /// The opposite end.
    pub fn other(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

/// What is wrong with a script, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError {
    /// Line of the script, counted from 1.
    pub line: usize,
    /// What was not understood, and often what was expected.
    pub message: String,
}

impl ScriptError {
    pub(crate) fn new(line: usize, message: impl Into<String>) -> ScriptError {
        ScriptError {
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ScriptError {}

/// A script that was understood and played: its capture.
#[derive(Debug, Clone)]
pub struct Script {
    /// Frames in the order of their timestamps.
    pub frames: Vec<TimedFrame>,
    /// What `drops N` said: frames the capturing host lost, for the statistics block of pcapng.
    pub drops: Option<u64>,
}

impl Script {
    /// Parses and plays a script.
    pub fn parse(text: &str) -> Result<Script, ScriptError> {
        let plan = parse::parse(text)?;
        let frames = play::play(&plan)?;
        Ok(Script {
            frames,
            drops: plan.drops,
        })
    }

    /// Parses and plays a script of a test; panics with the offending line.
    pub fn must(text: &str) -> Script {
        match Script::parse(text) {
            Ok(script) => script,
            Err(error) => {
                let line = text.lines().nth(error.line.saturating_sub(1)).unwrap_or_default();
                panic!("script {error}\n    {line}")
            }
        }
    }

    /// The capture as pcap file with nanosecond timestamps.
    pub fn to_pcap(&self) -> Vec<u8> {
        pcap(&self.frames)
    }

    /// The capture as pcapng file, with an interface statistics block when the script says `drops N`.
    pub fn to_pcapng(&self) -> Vec<u8> {
        pcapng(&self.frames, self.drops)
    }
}

/// The frames of a script of a test; panics with the offending line.
pub fn frames(text: &str) -> Vec<TimedFrame> {
    Script::must(text).frames
}
