//! Where a report goes: standard output, or a file that appears whole and readable only by its owner.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::cli::apart::Apart;

/// Octets held back before they are written.
const HELD: usize = 1 << 16;

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
    Here(BufWriter<Target>),
    Apart(Apart<Target>),
}

enum Target {
    Stdout(io::Stdout),
    File(File),
}

impl Output {
    /// Opens the destination. With more than one thread what is long is written by a thread of its own.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(path: Option<&Path>, threads: usize) -> io::Result<Self> {
        let (target, names) = match path {
            None => (Target::Stdout(io::stdout()), None),
            Some(path) => open(path)?,
        };
        let writer = if threads > 1 {
            Writer::Apart(Apart::new(target))
        } else {
            Writer::Here(BufWriter::with_capacity(HELD, target))
        };
        Ok(Self { writer, names })
    }

    /// Ends the report: everything is written, and a file gets its name.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn finish(self) -> io::Result<()> {
        match self.writer {
            Writer::Here(mut writer) => writer.flush()?,
            Writer::Apart(writer) => writer.finish()?,
        }
        match self.names {
            Some(names) => std::fs::rename(&names.temporary, &names.last),
            None => Ok(()),
        }
    }
}

/// A file under a temporary name beside its own; a device or a pipe is written as it is: there is nothing to rename.
fn open(path: &Path) -> io::Result<(Target, Option<Names>)> {
    if path.exists() && !path.is_file() {
        let file = OpenOptions::new().write(true).open(path)?;
        return Ok((Target::File(file), None));
    }
    let mut number = 0;
    loop {
        match create(path, number) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < NAMES_TRIED => number += 1,
            created => {
                let (file, temporary) = created?;
                let last = path.to_owned();
                return Ok((Target::File(file), Some(Names { temporary, last })));
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
            Writer::Here(writer) => writer.write(bytes),
            Writer::Apart(writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.writer {
            Writer::Here(writer) => writer.flush(),
            Writer::Apart(writer) => writer.flush(),
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            Self::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::File(file) => file.flush(),
        }
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
