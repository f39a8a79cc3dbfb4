//! Signals and keys, as events among the frames.

use std::io::{self, IsTerminal, Read};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::SyncSender;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;

use crate::cli::live::feed::Event;

/// What a second SIGINT or SIGTERM ends the process with, at once: 128 + SIGINT.
const IMPATIENT: i32 = 130;

/// Takes the signals over; no thread yet. A second SIGINT or SIGTERM ends the process on the spot, whatever it waits for.
///
/// # Errors
/// What the operating system says.
pub fn register() -> io::Result<Signals> {
    let stopping = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal only sets the flag.
        signal_hook::flag::register_conditional_shutdown(signal, IMPATIENT, Arc::clone(&stopping))?;
        signal_hook::flag::register(signal, Arc::clone(&stopping))?;
    }
    Signals::new([SIGINT, SIGTERM, SIGHUP, SIGUSR1])
}

/// Hands the signals over, as a thread of its own.
///
/// # Errors
/// What the operating system says.
pub fn listen(mut signals: Signals, sender: SyncSender<Event>) -> io::Result<()> {
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            if sender.send(Event::Signal(signal)).is_err() {
                break;
            }
        }
    })?;
    Ok(())
}

/// The terminal gives its keys at once and shows them not; dropped, it is as it was.
pub struct Keys {
    before: Termios,
}

impl Keys {
    /// Begins to read keys where standard input is a terminal.
    #[must_use]
    pub fn listen(sender: SyncSender<Event>) -> Option<Self> {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return None;
        }
        let before = tcgetattr(stdin.as_fd()).ok()?;
        let mut keys = before.clone();
        keys.local_modes &= !(LocalModes::ICANON | LocalModes::ECHO);
        tcsetattr(stdin.as_fd(), OptionalActions::Now, &keys).ok()?;
        let reading = std::thread::Builder::new().name("keys".to_owned()).spawn(move || {
            let mut key = [0];
            while matches!(io::stdin().read(&mut key), Ok(1)) && sender.send(Event::Key(key[0])).is_ok() {}
        });
        let keys = Self { before };
        reading.ok().map(|_| keys)
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin().as_fd(), OptionalActions::Now, &self.before);
    }
}
