//! Key log files (SSLKEYLOGFILE) → the run's secrets. What they hold is never printed, not even in part.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::cli::exit::Stop;
use crate::frame::FrameNumber;
use crate::protocol::tls::{KEY_LOG_LINE, Keys};
use crate::render::encode;
use crate::text::{Language, Message};

/// Octets read at once.
const READ_SIZE: usize = 256 * 1024;

/// Reads key log files.
///
/// # Errors
/// A file that cannot be opened or read.
pub fn read(files: &[PathBuf], keys: &Keys, language: Language) -> Result<(), Stop> {
    for file in files {
        add(file, keys).map_err(|error| {
            let name = encode::terminal(file.as_os_str().as_encoded_bytes()).into_owned();
            Stop::Mend(Message::CannotOpen.say(language, &[("file", &name), ("reason", &error.to_string())]))
        })?;
    }
    Ok(())
}

fn add(path: &Path, keys: &Keys) -> std::io::Result<()> {
    add_stream(File::open(path)?, keys)
}

/// Whole lines are handed on; what is longer than any line can be is handed on as it stands, and counted as damaged.
fn add_stream(mut stream: impl Read, keys: &Keys) -> std::io::Result<()> {
    let mut buffer = Zeroizing::new(vec![0; READ_SIZE]);
    let mut held = 0;
    loop {
        let count = match stream.read(buffer.get_mut(held..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let filled = held + count;
        let text = buffer.get(..filled).unwrap_or_default();
        let whole = match text.iter().rposition(|octet| *octet == b'\n') {
            Some(end) => end + 1,
            None if filled > KEY_LOG_LINE => filled,
            None => 0,
        };
        keys.add(text.get(..whole).unwrap_or_default(), FrameNumber(0));
        buffer.copy_within(whole..filled, 0);
        held = filled - whole;
    }
    keys.add(buffer.get(..held).unwrap_or_default(), FrameNumber(0));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one octet, then two, then three …
    struct Drop<'a>(&'a [u8], usize);

    impl Read for Drop<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.1 += 1;
            let count = self.1.min(self.0.len()).min(buffer.len());
            let (now, later) = self.0.split_at(count);
            buffer[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    #[test]
    fn lines_are_whole_however_the_file_is_read() {
        let line = |number: u8| format!("CLIENT_RANDOM {number:064x} {}\n", "ab".repeat(48));
        let mut text: String = (0..200).map(line).collect();
        text.push_str(&"x".repeat(5_000));
        text.push('\n');
        text.push_str(&line(200));
        text.pop();
        let keys = Keys::default();
        add_stream(Drop(text.as_bytes(), 0), &keys).unwrap();
        assert_eq!((keys.counts().secrets, keys.counts().damaged > 0), (201, true));
    }
}
