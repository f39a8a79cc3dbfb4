//! Where a report goes: standard output, or a file that appears whole and readable only by its owner.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A report's destination. Dropped without [`Output::finish`], a file is left under its temporary name.
pub enum Output {
    /// Standard output.
    Stdout(BufWriter<io::Stdout>),
    /// A file, written under a temporary name beside it.
    File {
        /// The open temporary file.
        writer: BufWriter<File>,
        /// Its name.
        temporary: PathBuf,
        /// The name it gets in the end.
        name: PathBuf,
    },
}

impl Output {
    /// Opens the destination.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(path: Option<&Path>) -> io::Result<Self> {
        let Some(path) = path else {
            return Ok(Self::Stdout(BufWriter::with_capacity(1 << 16, io::stdout())));
        };
        // A device or a pipe is written as it is: there is nothing to rename.
        if path.exists() && !path.is_file() {
            let file = OpenOptions::new().write(true).open(path)?;
            return Ok(Self::File {
                writer: BufWriter::with_capacity(1 << 16, file),
                temporary: path.to_owned(),
                name: path.to_owned(),
            });
        }
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(format!(".{}.part", std::process::id()));
        let temporary = PathBuf::from(temporary);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        Ok(Self::File {
            writer: BufWriter::with_capacity(1 << 16, file),
            temporary,
            name: path.to_owned(),
        })
    }

    /// Ends the report: everything is written, and a file gets its name.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn finish(self) -> io::Result<()> {
        match self {
            Self::Stdout(mut writer) => writer.flush(),
            Self::File {
                writer,
                temporary,
                name,
            } => {
                writer.into_inner().map_err(io::IntoInnerError::into_error)?;
                if temporary == name {
                    Ok(())
                } else {
                    std::fs::rename(temporary, name)
                }
            }
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(writer) => writer.write(bytes),
            Self::File { writer, .. } => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(writer) => writer.flush(),
            Self::File { writer, .. } => writer.flush(),
        }
    }
}
