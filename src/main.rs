//! The program: parses arguments, runs a command, returns its exit code.

use std::process::ExitCode;

/// Sessions are many small pieces that come and go: glibc's allocator took a quarter of a run, this one a tenth.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(smtpcap::cli::run())
}
