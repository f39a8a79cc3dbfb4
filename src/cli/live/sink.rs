//! Where records go in a run that lasts for days: standard output or a file, written record by record, whole or not at all.
//!
//! | state | on | next |
//! |---|---|---|
//! | writing | error of the disk | failing: the started record is taken back, it is said once, the analysis goes on |
//! | failing | a second has passed | tried again; records wait up to a limit, beyond it they are counted as lost |
//! | either | SIGHUP | what waits is written to the old file, then the name is opened again |

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

/// Octets of records that wait while the disk is full; further records are lost, and counted.
const WAITING_OCTETS: usize = 4 << 20;
/// How long to wait before a failed output is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// What became of an attempt to write.
#[derive(Debug)]
pub enum Written {
    /// As before: nothing to say.
    Fine,
    /// It has begun to fail.
    Fails(io::Error),
    /// It works again; so many records were lost in between.
    Works(u64),
    /// The reader went away: a quiet end.
    Closed,
}

/// An output of records.
pub struct Sink {
    file: File,
    path: Option<PathBuf>,
    waiting: Vec<u8>,
    /// Ends of the records in `waiting`.
    ends: Vec<usize>,
    failed: Option<Instant>,
    lost: u64,
    lost_in_all: u64,
    had_trouble: bool,
}

impl Sink {
    /// Opens a file to be added to, or standard output.
    ///
    /// # Errors
    /// What the operating system says; a symbolic link is refused.
    pub fn open(path: Option<&Path>) -> io::Result<Self> {
        let file = match path {
            Some(path) => open(path)?,
            None => File::from(io::stdout().as_fd().try_clone_to_owned()?),
        };
        Ok(Self {
            path: path.map(Path::to_owned),
            ..Self::of(file)
        })
    }

    /// Writes to a file that is open.
    #[must_use]
    pub const fn of(file: File) -> Self {
        Self {
            file,
            path: None,
            waiting: Vec::new(),
            ends: Vec::new(),
            failed: None,
            lost: 0,
            lost_in_all: 0,
            had_trouble: false,
        }
    }

    /// Takes a record: whole lines, or a whole block. False where it is lost.
    pub fn push(&mut self, record: &[u8]) -> bool {
        if self.waiting.len() + record.len() > WAITING_OCTETS && self.failed.is_some() {
            self.lost += 1;
            self.lost_in_all += 1;
            return false;
        }
        self.waiting.extend_from_slice(record);
        self.ends.push(self.waiting.len());
        true
    }

    /// True where records wait and may be written.
    #[must_use]
    pub fn is_due(&self) -> bool {
        !self.waiting.is_empty() && self.failed.is_none_or(|at| at.elapsed() >= AGAIN)
    }

    /// Octets that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Records that were lost so far, and whether writing ever failed.
    #[must_use]
    pub const fn lost(&self) -> (u64, bool) {
        (self.lost_in_all, self.had_trouble)
    }

    /// Writes what waits.
    pub fn flush(&mut self) -> Written {
        let mut done = 0;
        while let Some(rest) = self.waiting.get(done..).filter(|rest| !rest.is_empty()) {
            match self.file.write(rest) {
                Ok(0) => return self.fail(done, io::ErrorKind::WriteZero.into()),
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait(),
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Written::Closed,
                Err(error) => return self.fail(done, error),
            }
        }
        self.waiting.clear();
        self.ends.clear();
        if self.failed.take().is_some() {
            return Written::Works(std::mem::take(&mut self.lost));
        }
        Written::Fine
    }

    /// The name is opened again, after what waits was written to the old file.
    ///
    /// # Errors
    /// The name cannot be opened; the old file is kept.
    pub fn reopen(&mut self) -> io::Result<Written> {
        let Some(path) = &self.path else {
            return Ok(Written::Fine);
        };
        let next = open(path)?;
        // Where the old disk is full, what waits goes to the new file.
        let written = self.flush();
        self.file = next;
        if self.failed.is_some() {
            self.failed = Instant::now().checked_sub(AGAIN);
        }
        Ok(written)
    }

    /// Everything is over: what still waits is lost, and counted.
    pub fn give_up(&mut self) -> u64 {
        let lost = self.ends.len() as u64;
        self.lost_in_all += lost;
        self.waiting.clear();
        self.ends.clear();
        lost
    }

    /// A reader that asked for a pipe which does not block.
    fn wait(&self) {
        use rustix::event::{PollFd, PollFlags, poll};
        let mut fds = [PollFd::from_borrowed_fd(self.file.as_fd(), PollFlags::OUT)];
        let _ = poll(&mut fds, None);
    }

    fn fail(&mut self, done: usize, error: io::Error) -> Written {
        let whole = self.ends.partition_point(|end| *end <= done);
        let kept = whole
            .checked_sub(1)
            .and_then(|last| self.ends.get(last))
            .copied()
            .unwrap_or(0);
        // The record that was begun is taken back where that can be done; else its rest comes first when writing works.
        let torn = done - kept;
        let gone = if torn > 0 && self.take_back(torn as u64).is_ok() {
            kept
        } else {
            done
        };
        self.waiting.drain(..gone);
        self.ends.drain(..whole);
        for end in &mut self.ends {
            *end -= gone;
        }
        let news = self.failed.is_none();
        self.failed = Some(Instant::now());
        self.had_trouble = true;
        if news { Written::Fails(error) } else { Written::Fine }
    }

    fn take_back(&mut self, octets: u64) -> io::Result<()> {
        let data = self.file.metadata()?;
        if !data.is_file() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let length = data.len().saturating_sub(octets);
        self.file.set_len(length)?;
        self.file.seek(SeekFrom::Start(length))?;
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NOCTTY;
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(flags.bits() as i32)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> (PathBuf, Sink) {
        let path = std::env::temp_dir().join(format!("smtpcap-sink-{name}-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let sink = Sink::open(Some(&path)).unwrap();
        (path, sink)
    }

    #[test]
    fn a_record_that_was_begun_is_taken_back_and_written_whole_later() {
        let (path, mut sink) = file("torn");
        sink.push(b"first\n");
        sink.push(b"second\n");
        sink.push(b"third\n");
        // The disk took this much of the second, and no more.
        std::fs::write(&path, "first\nsec").unwrap();
        assert!(matches!(
            sink.fail(9, io::ErrorKind::StorageFull.into()),
            Written::Fails(_)
        ));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first\n");
        assert!(!sink.is_due(), "not at once again");
        assert!(matches!(sink.flush(), Written::Works(0)));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first\nsecond\nthird\n");
        assert_eq!(sink.lost(), (0, true));
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn what_finds_no_room_while_it_fails_is_counted() {
        let (path, mut sink) = file("room");
        sink.push(b"one\n");
        assert!(matches!(
            sink.fail(0, io::ErrorKind::StorageFull.into()),
            Written::Fails(_)
        ));
        assert!(!sink.push(&vec![b'x'; WAITING_OCTETS]));
        assert!(sink.push(b"two\n"));
        assert!(matches!(sink.flush(), Written::Works(1)));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        std::fs::remove_file(path).unwrap();
    }
}
