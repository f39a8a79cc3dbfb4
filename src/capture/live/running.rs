//! A capture program that runs: its stream, its messages, its end.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::command::command;
use super::failure::{Failure, explain, gone};
use super::program::Program;
use super::{Request, failure};
use crate::capture::Input;

/// Lines of standard error kept until somebody takes them; older ones are dropped and counted.
pub const MAX_MESSAGES: usize = 256;
/// Octets of a line kept.
const MAX_LINE: usize = 1_024;
/// How long the last messages are waited for behind the end of the program: a grandchild may hold the descriptor.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Between two looks at whether the program has ended.
const PAUSE: Duration = Duration::from_millis(10);

/// Starts the program. Starts no thread, so the sandbox can be entered between this and [`Started::attach`].
///
/// # Errors
/// Where the request cannot be said to this program, or the system does not start it. What the program itself finds
/// (permission, interface, filter) is told at its end: [`Control::ended`].
pub fn start(program: &Program, request: &Request) -> Result<Started, Failure> {
    let mut command = command(program, request)?;
    let mut child = command
        .spawn()
        .map_err(|error| Failure::CannotStart(program.clone(), error))?;
    let streams = child.stdout.take().zip(child.stderr.take());
    let Some((stream, messages)) = streams else {
        return Err(Failure::CannotStart(
            program.clone(),
            std::io::ErrorKind::BrokenPipe.into(),
        ));
    };
    Ok(Started {
        name: request.interfaces.join(",").into(),
        program: program.clone(),
        child,
        stream,
        messages,
    })
}

/// A capture program that was started and is not listened to yet.
#[derive(Debug)]
pub struct Started {
    name: OsString,
    program: Program,
    child: Child,
    stream: ChildStdout,
    messages: ChildStderr,
}

impl Started {
    /// The number of its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its stream of frames, named after its interfaces, and the handle on it. Starts the thread that reads its
    /// messages: enter the sandbox before.
    #[must_use]
    pub fn attach(self) -> (Input, Control) {
        let said = Arc::new(Mutex::new(Said::default()));
        let reader = {
            let said = Arc::clone(&said);
            let messages = self.messages;
            std::thread::spawn(move || listen(messages, &said))
        };
        let input = Input::Stream {
            name: self.name,
            octets: Box::new(self.stream),
        };
        let running = Running {
            child: self.child,
            reader: Some(reader),
            ended: None,
        };
        let control = Control {
            program: self.program,
            running: Arc::new(Mutex::new(running)),
            said,
        };
        (input, control)
    }
}

struct Running {
    child: Child,
    reader: Option<JoinHandle<()>>,
    ended: Option<ExitStatus>,
}

/// What the program said on standard error.
#[derive(Default)]
struct Said {
    /// Not yet taken by [`Control::lines`].
    fresh: Vec<String>,
    /// The last ones, taken or not: they tell why it ended.
    last: Vec<String>,
    dropped_by_kernel: Option<u64>,
    asked_to_stop: bool,
}

/// Stops a capture program and tells how it ended. Clones share it.
#[derive(Clone)]
pub struct Control {
    program: Program,
    running: Arc<Mutex<Running>>,
    said: Arc<Mutex<Said>>,
}

/// How a capture program ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code.
    pub status: Option<i32>,
    /// The signal that killed it.
    pub signal: Option<i32>,
    /// Packets the kernel dropped, where the program told so only at its end (tcpdump).
    pub dropped_by_kernel: Option<u64>,
    /// Why it failed; `None` where it ended well, or was asked to stop.
    pub failure: Option<Failure>,
}

impl Control {
    /// The program.
    #[must_use]
    pub const fn program(&self) -> &Program {
        &self.program
    }

    /// Asks the program to stop (SIGTERM): it writes what it has, then the stream ends. May be called again.
    pub fn stop(&self) {
        lock(&self.said).asked_to_stop = true;
        let mut running = lock(&self.running);
        // The number stays the child's until it is waited for, which needs the same lock.
        if running.ended.is_none() && !running.look() {
            terminate(running.child.id());
        }
    }

    /// The lines it said on standard error since the last call, as it said them: to be encoded before they are shown.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.said).fresh)
    }

    /// How it ended; waits for that long at most. `None` while it still runs.
    #[must_use]
    pub fn ended(&self, wait: Duration) -> Option<Ended> {
        let until = Instant::now() + wait;
        let status = loop {
            let mut running = lock(&self.running);
            if running.look() {
                let reader = running.reader.take();
                let status = running.ended;
                drop(running);
                finish(reader);
                break status?;
            }
            drop(running);
            if Instant::now() >= until {
                return None;
            }
            std::thread::sleep(PAUSE);
        };
        Some(self.tell(status))
    }

    fn tell(&self, status: ExitStatus) -> Ended {
        let said = lock(&self.said);
        let (code, signal) = (status.code(), signal_of(status));
        let failure = if said.asked_to_stop {
            None
        } else if status.success() {
            gone(&self.program, &said.last)
        } else {
            Some(explain(&self.program, &said.last, code, signal))
        };
        Ended {
            status: code,
            signal,
            dropped_by_kernel: said.dropped_by_kernel,
            failure,
        }
    }
}

impl Running {
    /// Whether it has ended.
    fn look(&mut self) -> bool {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended.is_some()
    }
}

/// Waits for the last messages, but not for ever.
fn finish(reader: Option<JoinHandle<()>>) {
    let Some(reader) = reader else { return };
    let until = Instant::now() + LAST_WORDS;
    while !reader.is_finished() && Instant::now() < until {
        std::thread::sleep(PAUSE);
    }
    if reader.is_finished() {
        // It cannot panic; if it did, its messages are what is missing.
        let _ = reader.join();
    }
}

fn listen(messages: ChildStderr, said: &Mutex<Said>) {
    let mut messages = BufReader::new(messages);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A line without an end is cut into pieces: memory stays bounded.
        match messages.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => note(&String::from_utf8_lossy(&line), said),
        }
    }
}

fn note(line: &str, said: &Mutex<Said>) {
    let line = line.trim_end();
    // dumpcap rewrites one line to count packets.
    let line = line.rsplit('\r').next().unwrap_or_default().trim();
    if line.is_empty() {
        return;
    }
    let mut said = lock(said);
    if let Some(count) = failure::dropped_by_kernel(line) {
        said.dropped_by_kernel = Some(count);
    }
    let said = &mut *said;
    keep(&mut said.last, line);
    if !failure::is_chatter(line) {
        keep(&mut said.fresh, line);
    }
}

fn keep(lines: &mut Vec<String>, line: &str) {
    if lines.len() >= MAX_MESSAGES {
        lines.remove(0);
    }
    lines.push(line.to_owned());
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(target_os = "linux")]
fn terminate(pid: u32) {
    use rustix::process::{Pid, Signal, kill_process};
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // Where it is not ours to stop, or gone: the closed stream ends it.
        let _ = kill_process(pid, Signal::TERM);
    }
}

#[cfg(not(target_os = "linux"))]
fn terminate(_: u32) {}

#[cfg(unix)]
fn signal_of(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal_of(_: ExitStatus) -> Option<i32> {
    None
}
