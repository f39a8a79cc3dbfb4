//! Blocks → standard output, in large writes.

use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::time::{SystemTime, UNIX_EPOCH};

use smtpcap_pcapng::Blocks;

/// Octets collected before they are written in any case.
const FULL: usize = 256 * 1024;
/// Asked for as the pipe's size: the analyzer may be busy for a while before the kernel's ring has to hold packets.
const PIPE: usize = 1024 * 1024;

/// The stream of blocks.
pub struct Output {
    /// What is written next.
    pub blocks: Blocks,
    to: io::Stdout,
    /// What ended the writing; nothing is written after it.
    failure: Option<io::Error>,
}

impl Output {
    /// Takes standard output; an enlarged pipe where it is one.
    pub fn new() -> Self {
        let to = io::stdout();
        // Not a pipe, or the user's limit is reached: it works as it is.
        let _ = rustix::pipe::fcntl_setpipe_size(to.as_fd(), PIPE);
        Self {
            blocks: Blocks::default(),
            to,
            failure: None,
        }
    }

    /// Whether it is a terminal, where nobody wants octets.
    pub fn is_terminal() -> bool {
        rustix::termios::isatty(io::stdout())
    }

    /// Writes where enough was collected.
    pub fn write_when_full(&mut self) {
        if self.blocks.octets().len() >= FULL {
            self.write();
        }
    }

    /// Writes what was collected, whole blocks only.
    pub fn write(&mut self) {
        if self.failure.is_none() && !self.blocks.is_empty() {
            let mut to = self.to.lock();
            let written = to.write_all(self.blocks.octets()).and_then(|()| to.flush());
            self.failure = written.err();
        }
        self.blocks.clear();
    }

    /// What ended the writing: `None` while it goes on, `Some(None)` where the reader simply went away.
    pub fn ended(&self) -> Option<Option<&io::Error>> {
        let failure = self.failure.as_ref()?;
        Some(Some(failure).filter(|failure| failure.kind() != ErrorKind::BrokenPipe))
    }
}

/// Nanoseconds since 1970; 0 before.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
