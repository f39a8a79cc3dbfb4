//! A file, the standard input or any other stream → its octets, counted; with a small window to look ahead in.
//!
//! Needs no seeking, so a pipe is as good as a file; never asks for more than the caller needs, so a live pipe is not waited
//! for longer than necessary.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

/// The window in front of a decompressor, in octets.
pub const WINDOW: usize = 128 * 1024;

/// Where a capture comes from.
pub enum Input {
    /// A file, a named pipe, a device.
    Path(PathBuf),
    /// The standard input of the process.
    StandardInput,
    /// Any other stream; the name is only shown.
    Stream {
        /// What to call it.
        name: OsString,
        /// Where its octets come from.
        octets: Box<dyn Read + Send>,
    },
}

impl Input {
    /// A command-line argument: `-` is the standard input, everything else a path.
    #[must_use]
    pub fn from_argument(argument: OsString) -> Self {
        if argument == "-" {
            Self::StandardInput
        } else {
            Self::Path(PathBuf::from(argument))
        }
    }

    /// As the user named it.
    #[must_use]
    pub fn name(&self) -> OsString {
        match self {
            Self::Path(path) => path.clone().into_os_string(),
            Self::StandardInput => OsString::from("-"),
            Self::Stream { name, .. } => name.clone(),
        }
    }

    pub(super) fn open(self) -> io::Result<Octets> {
        let (from, length) = match self {
            Self::Path(path) => {
                let file = File::open(path)?;
                (From::File(file), None)
            }
            Self::StandardInput => (From::StandardInput(io::stdin()), None),
            Self::Stream { octets, .. } => (From::Stream(octets), None),
        };
        let mut octets = Octets { from, read: 0, length };
        if let From::File(file) = &octets.from {
            octets.length = file
                .metadata()
                .ok()
                .filter(std::fs::Metadata::is_file)
                .map(|data| data.len());
        }
        Ok(octets)
    }
}

impl std::fmt::Debug for Input {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Input({:?})", self.name())
    }
}

enum From {
    File(File),
    StandardInput(io::Stdin),
    Stream(Box<dyn Read + Send>),
}

/// A stream that counts.
pub(super) struct Octets {
    from: From,
    read: u64,
    length: Option<u64>,
}

impl Octets {
    pub(super) const fn count(&self) -> u64 {
        self.read
    }

    pub(super) const fn length(&self) -> Option<u64> {
        self.length
    }

    /// A regular file once more, and its length.
    pub(super) fn file(&self) -> Option<(File, u64)> {
        match (&self.from, self.length) {
            (From::File(file), Some(length)) => Some((file.try_clone().ok()?, length)),
            _ => None,
        }
    }

    /// Goes on at an offset of a regular file.
    pub(super) fn go_to(&mut self, offset: u64) -> io::Result<()> {
        if let From::File(file) = &mut self.from {
            file.seek(SeekFrom::Start(offset))?;
            self.read = offset;
        }
        Ok(())
    }

    /// Reads once; 0 only at the end.
    pub(super) fn pull(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let result = match &mut self.from {
                From::File(file) => file.read(into),
                From::StandardInput(input) => input.read(into),
                From::Stream(stream) => stream.read(into),
            };
            match result {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(count) => {
                    // A stream of the caller's may claim more than it was asked for.
                    let count = count.min(into.len());
                    self.read = self.read.saturating_add(count as u64);
                    return Ok(count);
                }
            }
        }
    }
}

/// Octets with a window of [`WINDOW`] to look ahead in.
pub(super) struct Window {
    octets: Octets,
    kept: Vec<u8>,
    start: usize,
    end: usize,
    /// A reader asked for more than there was.
    pub(super) ran_dry: bool,
    /// Kept because the decompressors wrap errors beyond recognition.
    failure: Option<io::Error>,
}

impl Window {
    /// Begins with octets that were already read.
    pub(super) fn new(octets: Octets, already: &[u8]) -> Self {
        let mut kept = already.to_vec();
        kept.resize(WINDOW.max(already.len()), 0);
        Self {
            octets,
            kept,
            start: 0,
            end: already.len(),
            ran_dry: false,
            failure: None,
        }
    }

    pub(super) const fn octets(&self) -> &Octets {
        &self.octets
    }

    /// The offset of the next octet in the file.
    pub(super) const fn offset(&self) -> u64 {
        self.octets.count().saturating_sub((self.end - self.start) as u64)
    }

    pub(super) fn kept(&self) -> &[u8] {
        self.kept.get(self.start..self.end).unwrap_or_default()
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
    }

    /// At least `count` octets (no more than [`WINDOW`]), or all that are left.
    pub(super) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.end - self.start < count.min(WINDOW) {
            if self.start > 0 {
                self.kept.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
            let Some(free) = self.kept.get_mut(self.end..).filter(|free| !free.is_empty()) else {
                break;
            };
            let read = self.octets.pull(free)?;
            if read == 0 {
                break;
            }
            self.end += read;
        }
        Ok(self.kept())
    }

    /// The error of the stream itself, if one happened inside a decompressor.
    pub(super) fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }
}

impl Read for Window {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        let kept = match self.peek(1) {
            Ok(kept) => kept,
            Err(error) => {
                let kind = error.kind();
                self.failure = Some(error);
                return Err(kind.into());
            }
        };
        let count = kept.len().min(into.len());
        for (to, from) in into.iter_mut().zip(kept) {
            *to = *from;
        }
        self.consume(count);
        self.ran_dry |= count == 0;
        Ok(count)
    }
}
