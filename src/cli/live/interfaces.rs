//! Capturing on this machine: which interfaces there are, and the program that captures.

use std::io::Write;
use std::process::Command;

use crate::capture::live::{Failure, Filter, Program, Request, Started, find, interfaces, start};
use crate::cli::args::Live;
use crate::cli::capture_messages;
use crate::cli::exit::Stop;
use crate::cli::run::options;
use crate::sandbox::Identity;
use crate::text::{Language, Message};

/// Lists the interfaces; where the system has no list, the one of the program that captures.
///
/// # Errors
/// Standard output cannot be written; nobody has a list.
pub fn list(language: Language) -> Result<(), Stop> {
    let mut output = std::io::stdout().lock();
    let mut write = |line: String| {
        let written = writeln!(output, "{line}");
        written.map_err(|error| Stop::output(&error, "-", language))
    };
    let interfaces = interfaces();
    if interfaces.is_empty() {
        let program = find(None).ok();
        let listed = program.as_ref().and_then(list_of).unwrap_or_default();
        if listed.is_empty() {
            return Err(Stop::Mend(Message::LiveNoInterfaces.word(language).to_owned()));
        }
        return listed.lines().try_for_each(|line| write(super::shown(line)));
    }
    for one in interfaces {
        let state = match one.up {
            Some(true) => Message::LiveInterfaceUp.word(language),
            Some(false) => Message::LiveInterfaceDown.word(language),
            None => Message::LiveInterfaceAny.word(language),
        };
        let speed = one.speed.map_or_else(String::new, |speed| format!("  {speed} Mbit/s"));
        write(format!("{:<16} {state}{speed}", super::shown(&one.name)))?;
    }
    Ok(())
}

/// What the program that captures lists.
fn list_of(program: &Program) -> Option<String> {
    let output = Command::new(program.path())
        .arg("-D")
        .env("LC_ALL", "C")
        .output()
        .ok()?;
    let listed = String::from_utf8_lossy(&output.stdout).replace('\t', "  ");
    output.status.success().then_some(listed)
}

/// Starts the program that captures.
///
/// # Errors
/// It is not there, or cannot do what is asked.
pub fn start_capture(arguments: &Live, owner: Option<&Identity>, language: Language) -> Result<Started, Stop> {
    let capture = &arguments.capture;
    let failed = |failure: Failure| Stop::Mend(capture_messages::failure(&failure, language));
    let program = find(capture.capture_program.as_deref()).map_err(failed)?;
    let filter = match &capture.capture_filter {
        Some(text) => Filter::own(text),
        None => Filter::of_ports(&options(&arguments.reading).ports, capture.tunnels),
    };
    let request = Request {
        interfaces: capture.interface.clone(),
        filter,
        snap_length: capture.snap_length,
        ring: capture.kernel_buffer,
        promiscuous: !capture.no_promiscuous,
        user: owner.cloned(),
        ..Request::default()
    };
    start(&program, &request).map_err(failed)
}
