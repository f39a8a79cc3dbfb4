//! Why nothing is captured: what the capture program said, told apart so that the reader can be told what to do.

use std::io;
use std::path::PathBuf;

use super::program::Program;

/// Why a capture did not begin, or did not go on.
#[derive(Debug)]
pub enum Failure {
    /// No capture program is installed.
    NoProgram,
    /// The program asked for is not there, or cannot be executed.
    ProgramNotFound(PathBuf),
    /// No interface was named.
    NoInterface,
    /// This program captures one interface only.
    OneInterfaceOnly(Program),
    /// The system did not start it.
    CannotStart(Program, io::Error),
    /// It may not open the interface.
    NoPermission(Program),
    /// There is no such interface; what the program said.
    NoSuchInterface(Program, String),
    /// The filter is not one; what the program said.
    BadFilter(Program, String),
    /// The interface went away; what the program said.
    InterfaceGone(Program, String),
    /// It ended for another reason: its last words, and how it ended.
    Stopped {
        /// The program.
        program: Program,
        /// Its last line on standard error; empty where it said nothing.
        said: String,
        /// Its exit code.
        status: Option<i32>,
        /// The signal that killed it.
        signal: Option<i32>,
    },
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{self:?}")
    }
}

impl std::error::Error for Failure {}

/// Exit codes of `smtpcap-capture`; the program has the same list.
const NO_PERMISSION: i32 = 3;
const NO_SUCH_INTERFACE: i32 = 4;
const BAD_FILTER: i32 = 5;
const INTERFACE_GONE: i32 = 6;

/// What the end of a program that failed means.
pub(super) fn explain(program: &Program, lines: &[String], status: Option<i32>, signal: Option<i32>) -> Failure {
    let said = lines.last().cloned().unwrap_or_default();
    let program = program.clone();
    if let Program::Own(_) = program {
        match status {
            Some(NO_PERMISSION) => return Failure::NoPermission(program),
            Some(NO_SUCH_INTERFACE) => return Failure::NoSuchInterface(program, said),
            Some(BAD_FILTER) => return Failure::BadFilter(program, said),
            Some(INTERFACE_GONE) => return Failure::InterfaceGone(program, said),
            _ => {}
        }
    }
    by_words(program, lines, said, status, signal)
}

/// What dumpcap, tcpdump and libpcap say in English.
fn by_words(program: Program, lines: &[String], said: String, status: Option<i32>, signal: Option<i32>) -> Failure {
    let find = |phrases: &[&str]| {
        let says = |line: &&String| phrases.iter().any(|phrase| line.to_lowercase().contains(phrase));
        lines.iter().find(says).cloned()
    };
    if find(&[
        "permission denied",
        "don't have permission",
        "operation not permitted",
        "not permitted",
    ])
    .is_some()
    {
        return Failure::NoPermission(program);
    }
    if let Some(line) = find(&["no such device", "does not exist", "there is no device"]) {
        return Failure::NoSuchInterface(program, line);
    }
    if let Some(line) = find(&[
        "syntax error",
        "invalid capture filter",
        "not a valid capture filter",
        "can't parse filter",
        "expression rejects all packets",
    ]) {
        return Failure::BadFilter(program, line);
    }
    if let Some(gone) = gone(&program, lines) {
        return gone;
    }
    Failure::Stopped {
        program,
        said,
        status,
        signal,
    }
}

/// Whether the interface went away. dumpcap ends with success then.
pub(super) fn gone(program: &Program, lines: &[String]) -> Option<Failure> {
    const WORDS: [&str; 3] = ["went down", "interface disappeared", "no longer attached"];
    let line = lines
        .iter()
        .find(|line| WORDS.iter().any(|words| line.contains(words)))?;
    Some(Failure::InterfaceGone(program.clone(), line.clone()))
}

/// What dumpcap and tcpdump say of every run: that they began, and counts that the statistics have as well.
pub(super) fn is_chatter(line: &str) -> bool {
    const BEGINNINGS: [&str; 5] = [
        "Capturing on ",
        "File: ",
        "Packets: ",
        "Packets captured: ",
        "Packets received/dropped ",
    ];
    const ENDS: [&str; 3] = [" captured", " received by filter", " dropped by kernel"];
    line.starts_with("tcpdump: listening on ")
        || BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
        || (line.starts_with(|letter: char| letter.is_ascii_digit()) && ENDS.iter().any(|end| line.ends_with(end)))
}

/// The count in tcpdump's last words: `12 packets dropped by kernel`.
pub(super) fn dropped_by_kernel(line: &str) -> Option<u64> {
    let (count, rest) = line.split_once(' ')?;
    let dropped = matches!(rest, "packets dropped by kernel" | "packet dropped by kernel");
    dropped.then(|| count.parse().ok())?
}
