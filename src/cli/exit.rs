//! Exit codes and the errors that a user must mend.

use std::io;

use crate::cli::args::FailOn;
use crate::diagnosis::Severity;
use crate::text::{Language, Message};

/// Analysed.
pub const ANALYSED: u8 = 0;
/// Findings at or above `--fail-on`.
pub const FOUND: u8 = 1;
/// Not all that was asked for could be done: usage, a file that is no capture or could not be read to its end (the rest is
/// reported), nothing analysed, or an output that could not be written. It stands above [`FOUND`].
pub const INCOMPLETE: u8 = 2;

/// The exit code of a run that reported: whether something of it is missing, and the gravest that was found, against what
/// the user wants to be told of.
pub fn code(is_incomplete: bool, gravest: Option<Severity>, fail_on: Option<FailOn>) -> u8 {
    let floor = fail_on.map(|floor| match floor {
        FailOn::Fail => Severity::Fail,
        FailOn::Risk => Severity::Risk,
        FailOn::Note => Severity::Note,
    });
    let is_found = floor.is_some_and(|floor| gravest.is_some_and(|gravest| gravest >= floor));
    match (is_incomplete, is_found) {
        (true, _) => INCOMPLETE,
        (false, true) => FOUND,
        (false, false) => ANALYSED,
    }
}

/// Why a command stopped.
#[derive(Debug)]
pub enum Stop {
    /// The reader of our output went away: a quiet end.
    Closed,
    /// Something that the user must mend, as a sentence.
    Mend(String),
}

impl Stop {
    /// An error of the output.
    #[must_use]
    pub fn output(error: &io::Error, name: &str, language: Language) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::Closed;
        }
        Self::Mend(Message::CannotWrite.say(language, &[("file", name), ("reason", &error.to_string())]))
    }
}
