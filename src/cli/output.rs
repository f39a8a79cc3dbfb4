//! Where a report goes: standard output, or a file that appears whole and readable only by its owner.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::cli::apart::Apart;

/// Octets held back before they are written.
const HELD: usize = 1 << 16;

/// A report's destination. Dropped without [`Output::finish`], a file is left under its temporary name.
pub struct Output {
    writer: Writer,
    /// The name of the file while it is written, and the one it gets in the end.
    names: Option<(PathBuf, PathBuf)>,
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
            Some((temporary, name)) => std::fs::rename(temporary, name),
            None => Ok(()),
        }
    }
}

/// A file under a temporary name beside its own; a device or a pipe is written as it is: there is nothing to rename.
fn open(path: &Path) -> io::Result<(Target, Option<(PathBuf, PathBuf)>)> {
    if path.exists() && !path.is_file() {
        let file = OpenOptions::new().write(true).open(path)?;
        return Ok((Target::File(file), None));
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.part", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)?;
    Ok((Target::File(file), Some((temporary, path.to_owned()))))
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
