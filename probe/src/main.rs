//! The capture program: opens interfaces, gives up every privilege, writes what it sees as pcapng to a pipe.
//!
//! The only code of smtpcap that links libpcap and that ever holds a privilege; `setcap` goes on this file alone. It
//! decodes nothing. Messages are in English, for the program that started it: that one has the reader's language.
//!
//! ```text
//! arguments → source (open, filter) → privileges (gone) → run: poll, dispatch → merge (several interfaces) → output
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod arguments;
mod merge;
mod output;
mod privileges;
mod run;
mod source;

use std::process::ExitCode;

use arguments::{Asked, arguments};

/// Why the program ends early: its exit code says it to the program that started it. The analyzer has the same list
/// (`capture::live`).
#[derive(Debug, PartialEq, Eq)]
enum Failure {
    /// Anything else.
    Other(String),
    /// The arguments.
    Usage(String),
    /// It may not open the interface.
    Permission(String),
    /// There is no such interface, or it is down.
    Interface(String),
    /// The filter does not compile.
    Filter(String),
    /// All interfaces went away.
    Gone(String),
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Self::Other(_) => 1,
            Self::Usage(_) => 2,
            Self::Permission(_) => 3,
            Self::Interface(_) => 4,
            Self::Filter(_) => 5,
            Self::Gone(_) => 6,
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Other(text)
            | Self::Usage(text)
            | Self::Permission(text)
            | Self::Interface(text)
            | Self::Filter(text)
            | Self::Gone(text) => text,
        }
    }
}

/// One line on standard error.
fn say(text: &str) {
    eprintln!("smtpcap-capture: {}", text.replace(char::is_control, "?"));
}

fn main() -> ExitCode {
    let result = match arguments() {
        Ok(Asked::Help) => {
            print!("{}", arguments::HELP);
            Ok(())
        }
        Ok(Asked::Version) => {
            println!("smtpcap-capture {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        Ok(Asked::List) => source::list(),
        Ok(Asked::Capture(options)) => run::run(&options),
        Err(failure) => Err(failure),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(failure.text());
            ExitCode::from(failure.code())
        }
    }
}
