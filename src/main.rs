//! The program: parses arguments, runs a command, returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(smtpcap::cli::run())
}
