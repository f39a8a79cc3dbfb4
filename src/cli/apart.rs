//! Writes in a thread of its own, so that whoever makes the octets does not wait for the file: of a report of gigabytes the
//! kernel's copy is seconds. What is short is written where it is made.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::cli::output;

/// Octets handed over at once.
const BLOCK: usize = 256 << 10;
/// Blocks that may wait to be written; whoever makes more waits.
const WAITING: usize = 4;

/// Hands octets to a thread that writes them, once there is a block of them.
///
/// An error of the thread's comes with a later write, or with [`finish`](Self::finish); dropped before, what was handed over
/// may not be written.
pub struct Apart<W> {
    filling: Vec<u8>,
    state: State<W>,
}

enum State<W> {
    /// Not a block yet.
    Here(W),
    Running(Running),
    /// An error was told.
    Failed,
}

struct Running {
    full: SyncSender<Vec<u8>>,
    empty: Receiver<Vec<u8>>,
    thread: JoinHandle<io::Result<()>>,
}

impl Running {
    fn start(target: impl Write + Send + 'static) -> io::Result<Self> {
        let (full, received) = sync_channel(WAITING);
        let (returned, empty) = sync_channel(WAITING + 1);
        let thread = std::thread::Builder::new().spawn(move || write_all(target, &received, &returned))?;
        Ok(Self { full, empty, thread })
    }

    /// What the thread came to; it ends when all is written.
    fn end(self) -> io::Result<()> {
        drop(self.full);
        let ended = self.thread.join();
        ended.unwrap_or_else(|_| Err(io::Error::other("the thread that writes has ended")))
    }
}

fn write_all(mut target: impl Write, full: &Receiver<Vec<u8>>, empty: &SyncSender<Vec<u8>>) -> io::Result<()> {
    while let Ok(mut block) = full.recv() {
        for part in block.chunks(output::BLOCK) {
            target.write_all(part)?;
        }
        block.clear();
        // Where there are enough of them its memory is given back.
        let _ = empty.try_send(block);
    }
    target.flush()
}

impl<W: Write + Send + 'static> Apart<W> {
    /// Nothing is written yet, and there is no thread.
    pub const fn new(target: W) -> Self {
        Self {
            filling: Vec::new(),
            state: State::Here(target),
        }
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    /// What writing it came to.
    pub fn finish(mut self) -> io::Result<()> {
        if let State::Here(mut target) = self.state {
            target.write_all(&self.filling)?;
            return target.flush();
        }
        self.hand_over()?;
        match self.state {
            State::Running(running) => running.end(),
            State::Here(_) | State::Failed => Ok(()),
        }
    }

    fn hand_over(&mut self) -> io::Result<()> {
        let running = match std::mem::replace(&mut self.state, State::Failed) {
            State::Here(target) => Running::start(target)?,
            State::Running(running) => running,
            State::Failed => return Err(io::Error::other("writing has failed before")),
        };
        let mut next = running.empty.try_recv().unwrap_or_default();
        next.reserve_exact(BLOCK);
        if running.full.send(std::mem::replace(&mut self.filling, next)).is_err() {
            // It ended early: it says why.
            return running.end();
        }
        self.state = State::Running(running);
        Ok(())
    }
}

impl<W: Write + Send + 'static> Write for Apart<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let is_full = self.filling.len() >= BLOCK && !bytes.is_empty();
        if is_full || matches!(self.state, State::Failed) {
            self.hand_over()?;
        }
        // To the brim: the kernel takes whole blocks with less work.
        let count = bytes.len().min(BLOCK - self.filling.len());
        self.filling.extend(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    /// Nothing: what is written is complete with [`finish`](Self::finish).
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Takes so many octets, a thousand at a time, and then no more.
    #[derive(Clone)]
    struct Disk {
        written: Arc<Mutex<Vec<u8>>>,
        room: usize,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut written = self.written.lock().unwrap();
            let count = bytes.len().min(1_000).min(self.room - written.len());
            if count == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            written.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn disk(room: usize) -> Disk {
        Disk {
            written: Arc::default(),
            room,
        }
    }

    fn octets(count: usize) -> Vec<u8> {
        (0..count).map(|at| (at / 7 % 251) as u8).collect()
    }

    #[test]
    fn all_octets_are_written_in_order() {
        for (count, step) in [
            (0, 1),
            (100, 7),
            (BLOCK, BLOCK),
            (9 * BLOCK + 5, 70_001),
            (3 * BLOCK, 2 * BLOCK),
        ] {
            let (disk, octets) = (disk(usize::MAX), octets(count));
            let mut apart = Apart::new(disk.clone());
            for part in octets.chunks(step) {
                apart.write_all(part).unwrap();
            }
            let threaded = matches!(apart.state, State::Running(_));
            assert_eq!(threaded, count > BLOCK, "{count} octets");
            apart.finish().unwrap();
            assert!(*disk.written.lock().unwrap() == octets, "{count} octets by {step}");
        }
    }

    #[test]
    fn a_full_disk_is_told_and_what_came_before_is_there() {
        for room in [0, 10, BLOCK / 2, 3 * BLOCK] {
            let (disk, octets) = (disk(room), octets(room + 20 * BLOCK));
            let mut apart = Apart::new(disk.clone());
            let told = octets.chunks(10_000).try_for_each(|part| apart.write_all(part));
            assert_eq!(told.unwrap_err().kind(), io::ErrorKind::StorageFull);
            assert!(apart.write_all(&octets).is_err());
            assert!(*disk.written.lock().unwrap() == octets[..room], "room for {room}");
        }
    }

    #[test]
    fn an_error_with_the_last_octets_is_told_at_the_end() {
        for count in [100, BLOCK + 100] {
            let mut apart = Apart::new(disk(count - 1));
            octets(count).chunks(50).for_each(|part| apart.write_all(part).unwrap());
            assert_eq!(apart.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
        }
    }
}
