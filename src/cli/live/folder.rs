//! A folder of numbered files of ours: made for their owner only, under names that no sender chooses, the oldest deleted
//! beyond a limit. Files of earlier runs count; other files are left alone.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::sandbox::{Identity, own_folder};

/// Every file of ours ends so.
const ENDING: &str = ".pcapng";

/// The folder.
pub struct Folder {
    path: PathBuf,
    prefix: &'static str,
    limit: usize,
    files: VecDeque<PathBuf>,
    next: u64,
}

impl Folder {
    /// Opens a folder, or makes it (0700) for whom the process becomes (`owner`); finds the files of earlier runs, which begin with `prefix` and a number.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(path: &Path, prefix: &'static str, limit: usize, owner: Option<&Identity>) -> io::Result<Self> {
        own_folder(path, owner)?;
        let mut known = Vec::new();
        for entry in std::fs::read_dir(path)? {
            let entry = entry?;
            if let Some(number) = number(&entry.file_name().to_string_lossy(), prefix)
                && entry.file_type()?.is_file()
            {
                known.push((number, entry.path()));
            }
        }
        known.sort();
        Ok(Self {
            path: path.to_owned(),
            prefix,
            limit: limit.max(1),
            next: known.last().map_or(1, |(number, _)| number + 1),
            files: known.into_iter().map(|(_, path)| path).collect(),
        })
    }

    /// A new file, 0600, that did not exist; `rest` says in letters, digits, "-" and "." what is in it. The oldest files
    /// beyond the limit are deleted first.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn create(&mut self, rest: &str) -> io::Result<(File, PathBuf)> {
        while self.files.len() >= self.limit {
            let Some(oldest) = self.files.pop_front() else { break };
            match std::fs::remove_file(&oldest) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    self.files.push_front(oldest);
                    return Err(error);
                }
            }
        }
        let safe = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.');
        let rest: String = rest.chars().filter(safe).collect();
        let name = format!("{}{:06}-{rest}{ENDING}", self.prefix, self.next);
        self.next += 1;
        let path = self.path.join(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits() as i32)
            .open(&path)?;
        self.files.push_back(path.clone());
        Ok((file, path))
    }

    /// Deletes the newest file, which could not be written.
    pub fn discard(&mut self, path: &Path) {
        if self.files.back().is_some_and(|newest| newest == path) {
            self.files.pop_back();
        }
        let _ = std::fs::remove_file(path);
    }
}

fn number(name: &str, prefix: &str) -> Option<u64> {
    let rest = name.strip_prefix(prefix)?.strip_suffix(ENDING)?;
    let digits = rest.split('-').next()?;
    digits.parse().ok().filter(|_| digits.len() >= 6)
}
