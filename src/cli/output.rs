//! Where a report goes: standard output, or a file that appears whole and readable only by its owner.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::cli::apart::Apart;

/// Octets written at once. A pipe holds no more, and a terminal shows them sooner; a file's pages are then taken from those
/// that the kernel has at hand, where larger blocks want stretches of memory that nobody has touched (docs/decisions/0028).
pub(super) const BLOCK: usize = 64 << 10;

/// Names tried for the file while it is written: one that a killed run of the same process number left is not taken.
const NAMES_TRIED: u32 = 100;

/// A report's destination. Dropped without [`Output::finish`], a file is left under its temporary name with what was
/// written of it; where that is nothing, it is removed.
pub struct Output {
    writer: Writer,
    // Dropped behind the writer, which writes until then.
    names: Option<Names>,
}

/// A file's name while it is written, and the one it gets in the end.
struct Names {
    temporary: PathBuf,
    last: PathBuf,
}

impl Drop for Names {
    fn drop(&mut self) {
        if std::fs::metadata(&self.temporary).is_ok_and(|file| file.len() == 0) {
            // Where it cannot be removed an empty file is left, as nobody can be told any more.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

enum Writer {
    Here(Here),
    Apart(Apart<File>),
}

/// Writes whole blocks of octets, from where they were made.
struct Here {
    target: File,
    made: Vec<u8>,
}

impl Here {
    fn new(target: File) -> Self {
        Self {
            target,
            made: Vec::with_capacity(2 * BLOCK),
        }
    }

    /// Writes the blocks that are full.
    fn write_full(&mut self) -> io::Result<()> {
        if self.made.len() < BLOCK {
            return Ok(());
        }
        self.write_made(self.made.len() - self.made.len() % BLOCK)
    }

    /// Writes the first of what was made. What could not be written is not tried again.
    fn write_made(&mut self, count: usize) -> io::Result<()> {
        let made = self.made.get(..count).unwrap_or(&self.made);
        let written = self.target.write_all(made);
        self.made
            .drain(..if written.is_ok() { made.len() } else { self.made.len() });
        // Nor is the room kept that a record longer than a block has taken.
        self.made.shrink_to(2 * BLOCK);
        written
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        // Of a run that broke off: nobody asks any more.
        let _ = self.write_made(self.made.len());
    }
}

impl Output {
    /// Opens the destination. With more than one thread what is long is written by a thread of its own.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(path: Option<&Path>, threads: usize) -> io::Result<Self> {
        let (target, names) = match path {
            None => (File::from(io::stdout().as_fd().try_clone_to_owned()?), None),
            Some(path) => open(path)?,
        };
        let writer = if threads > 1 {
            Writer::Apart(Apart::new(target))
        } else {
            Writer::Here(Here::new(target))
        };
        Ok(Self { writer, names })
    }

    /// Takes what `make` appends: with one thread it is made where it is written from.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn append(&mut self, make: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        match &mut self.writer {
            Writer::Here(writer) => {
                make(&mut writer.made);
                writer.write_full()
            }
            Writer::Apart(writer) => {
                let mut made = Vec::new();
                make(&mut made);
                writer.write_all(&made)
            }
        }
    }

    /// Ends the report: everything is written, and a file gets its name.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn finish(self) -> io::Result<()> {
        match self.writer {
            Writer::Here(mut writer) => writer.write_made(writer.made.len())?,
            Writer::Apart(writer) => writer.finish()?,
        }
        match self.names {
            Some(names) => std::fs::rename(&names.temporary, &names.last),
            None => Ok(()),
        }
    }
}

/// A file under a temporary name beside its own; a device or a pipe is written as it is: there is nothing to rename.
fn open(path: &Path) -> io::Result<(File, Option<Names>)> {
    if path.exists() && !path.is_file() {
        let file = OpenOptions::new().write(true).open(path)?;
        return Ok((file, None));
    }
    let mut number = 0;
    loop {
        match create(path, number) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < NAMES_TRIED => number += 1,
            created => {
                let (file, temporary) = created?;
                let last = path.to_owned();
                return Ok((file, Some(Names { temporary, last })));
            }
        }
    }
}

/// A new file, readable by its owner only, under a temporary name.
fn create(path: &Path, number: u32) -> io::Result<(File, PathBuf)> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}", std::process::id()));
    if number > 0 {
        temporary.push(format!("-{number}"));
    }
    temporary.push(".part");
    let temporary = PathBuf::from(temporary);
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)?;
    Ok((file, temporary))
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.writer {
            Writer::Here(writer) => {
                writer.made.extend_from_slice(bytes);
                writer.write_full()?;
                Ok(bytes.len())
            }
            Writer::Apart(writer) => writer.write(bytes),
        }
    }

    /// Nothing: what is written is complete with [`finish`](Self::finish).
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own, gone with its guard.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("smtpcap-output-{name}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&path);
            std::fs::create_dir(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_report_that_never_began_leaves_no_file_and_one_that_broke_off_leaves_what_was_written() {
        let folder = Folder::new("begun");
        let path = folder.0.join("report");
        for threads in [1, 2] {
            drop(Output::open(Some(&path), threads).unwrap());
            assert_eq!(names_in(&folder.0), [""; 0]);
        }
        let mut output = Output::open(Some(&path), 1).unwrap();
        output.write_all(b"half").unwrap();
        drop(output);
        let left = names_in(&folder.0);
        assert_eq!(left.len(), 1);
        assert_eq!(std::fs::read(folder.0.join(&left[0])).unwrap(), b"half");
    }

    #[test]
    fn a_file_is_written_in_whole_blocks_from_where_its_octets_were_made() {
        let folder = Folder::new("blocks");
        let path = folder.0.join("report");
        let octets: Vec<u8> = (0..3 * BLOCK + BLOCK / 2).map(|at| (at / 7 % 251) as u8).collect();
        for threads in [1, 2] {
            let mut output = Output::open(Some(&path), threads).unwrap();
            let written = |output: &Output| {
                std::fs::metadata(&output.names.as_ref().unwrap().temporary)
                    .unwrap()
                    .len()
            };
            for (number, part) in octets.chunks(BLOCK / 3 + 7).enumerate() {
                if number % 2 == 0 {
                    output.append(|made| made.extend_from_slice(part)).unwrap();
                } else {
                    output.write_all(part).unwrap();
                }
                assert_eq!(written(&output) % BLOCK as u64, 0);
            }
            assert!(threads > 1 || written(&output) == 3 * BLOCK as u64);
            // Longer than a block, its room is not kept.
            output.append(|made| made.extend_from_slice(&octets)).unwrap();
            if let Writer::Here(here) = &output.writer {
                assert!(here.made.len() < BLOCK && here.made.capacity() <= 2 * BLOCK);
            }
            output.finish().unwrap();
            assert!(std::fs::read(&path).unwrap() == [&octets[..], &octets[..]].concat());
        }
    }

    #[test]
    fn what_is_watched_waits_no_longer_than_a_pipe_holds() {
        let output = Output::open(Some(Path::new("/dev/full")), 1);
        let mut output = output.unwrap();
        output.append(|made| made.resize(BLOCK - 1, b'x')).unwrap();
        let told = output.append(|made| made.push(b'x')).unwrap_err();
        assert_eq!(told.kind(), io::ErrorKind::StorageFull);
        // It is told once, and not tried again.
        output.finish().unwrap();
    }

    #[test]
    fn a_name_that_a_killed_run_left_is_in_nobodys_way() {
        let folder = Folder::new("left");
        let path = folder.0.join("report");
        let left = format!("report.{}.part", std::process::id());
        std::fs::write(folder.0.join(&left), b"of a run before").unwrap();
        let mut output = Output::open(Some(&path), 1).unwrap();
        output.write_all(b"whole").unwrap();
        output.finish().unwrap();
        assert_eq!(names_in(&folder.0), ["report", left.as_str()]);
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
    }
}
