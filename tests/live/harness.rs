//! The program with its pipes, and captures as octets to feed it with.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use smtpcap::capture::{Input, Reader};

/// Longer than anything here may take on a busy machine.
pub const LONG: Duration = Duration::from_secs(30);

/// Lines of a stream with the time they came at.
pub struct Lines(Receiver<(Instant, String)>);

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            loop {
                let mut line = Vec::new();
                match stream.read_until(b'\n', &mut line) {
                    Ok(0) | Err(_) => break,
                    Ok(_) => {}
                }
                let text = String::from_utf8(line).expect("output is UTF-8");
                if sender.send((Instant::now(), text)).is_err() {
                    break;
                }
            }
        });
        Self(receiver)
    }

    /// The next line that holds `text`, within `time`.
    pub fn wait(&self, text: &str, time: Duration) -> Option<(Instant, String)> {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            let (at, line) = self.0.recv_timeout(left).ok()?;
            if line.contains(text) {
                return Some((at, line));
            }
        }
        None
    }

    /// Every line until the stream ends.
    pub fn rest(&self) -> Vec<String> {
        let until = Instant::now() + LONG;
        let mut lines = Vec::new();
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            match self.0.recv_timeout(left) {
                Ok((_, line)) => lines.push(line),
                Err(_) => break,
            }
        }
        lines
    }
}

/// A running `smtpcap live -`.
pub struct Live {
    pub child: Child,
    pub input: Option<ChildStdin>,
    pub output: Lines,
    pub errors: Lines,
}

pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smtpcap"));
    command.args(["live", "-"]).args(arguments);
    command
}

impl Live {
    pub fn start(arguments: &[&str]) -> Self {
        Self::of(command(arguments))
    }

    pub fn of(mut command: Command) -> Self {
        let mut child = command
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take(),
            output: Lines::of(child.stdout.take().unwrap()),
            errors: Lines::of(child.stderr.take().unwrap()),
            child,
        }
    }

    pub fn feed(&mut self, octets: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(octets).unwrap();
        input.flush().unwrap();
    }

    /// Closes the pipe.
    pub fn close(&mut self) {
        self.input = None;
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits for the end; how it ended, and after how long.
    pub fn end(&mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, begun.elapsed());
            }
            assert!(begun.elapsed() < LONG, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// A frame on its way into a pipe.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Nanoseconds since 1970.
    pub time: i64,
    pub bytes: Vec<u8>,
}

/// The frames of an Ethernet capture.
pub fn packets(name: &str) -> Vec<Packet> {
    let mut reader = Reader::new([Input::Path(fixture(name))]);
    let mut packets = Vec::new();
    while let Some(frame) = reader.next_frame().unwrap() {
        assert_eq!(frame.link_type.0, 1, "{name}");
        packets.push(Packet {
            time: frame.time.nanoseconds(),
            bytes: frame.bytes.to_vec(),
        });
    }
    packets
}

/// The header of a pcap file with nanoseconds, of Ethernet.
pub fn header() -> Vec<u8> {
    let mut header = Vec::new();
    header.extend(0xa1b2_3c4d_u32.to_le_bytes());
    header.extend(2_u16.to_le_bytes());
    header.extend(4_u16.to_le_bytes());
    header.extend([0; 8]);
    header.extend(262_144_u32.to_le_bytes());
    header.extend(1_u32.to_le_bytes());
    header
}

/// A record of such a file.
pub fn record(packet: &Packet) -> Vec<u8> {
    let mut record = Vec::with_capacity(16 + packet.bytes.len());
    record.extend(((packet.time / 1_000_000_000) as u32).to_le_bytes());
    record.extend(((packet.time % 1_000_000_000) as u32).to_le_bytes());
    record.extend((packet.bytes.len() as u32).to_le_bytes());
    record.extend((packet.bytes.len() as u32).to_le_bytes());
    record.extend(&packet.bytes);
    record
}

pub fn records<'a>(packets: impl IntoIterator<Item = &'a Packet>) -> Vec<u8> {
    packets.into_iter().flat_map(record).collect()
}

/// The same packets from another client port: another session. Checksums are left as they are.
pub fn with_client_port(packets: &[Packet], port: u16) -> Vec<Packet> {
    let tcp = |packet: &Packet| 14 + usize::from(packet.bytes[14] & 15) * 4;
    let syn = packets.first().expect("a SYN");
    let client = syn.bytes[tcp(syn)..tcp(syn) + 2].to_vec();
    let mut packets = packets.to_vec();
    for packet in &mut packets {
        let at = tcp(packet);
        let from_client = packet.bytes[at..at + 2] == client[..];
        let at = if from_client { at } else { at + 2 };
        packet.bytes[at..at + 2].copy_from_slice(&port.to_be_bytes());
    }
    packets
}

/// The same packets at another time: the first at `time`, in nanoseconds.
pub fn from_time(packets: &[Packet], time: i64) -> Vec<Packet> {
    let first = packets.first().expect("a packet").time;
    let mut packets = packets.to_vec();
    for packet in &mut packets {
        packet.time = packet.time - first + time;
    }
    packets
}

/// One whole session of a delivery over IPv4, from SYN to the last ACK.
pub fn one_session() -> Vec<Packet> {
    let packets = packets("recipients/capture.pcapng");
    let ends = |packet: &Packet| {
        let bytes = &packet.bytes;
        assert_eq!(bytes[12..14], [8, 0], "IPv4");
        let at = 14 + usize::from(bytes[14] & 15) * 4;
        let port = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let mut ends = [port(at), port(at + 2)];
        ends.sort_unstable();
        ends
    };
    let first = ends(&packets[0]);
    packets.into_iter().filter(|packet| ends(packet) == first).collect()
}

/// Records of JSON lines; every line must be one.
pub fn parse(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// What `analyze` says of a file.
pub fn analysed(path: &Path) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_smtpcap"))
        .args(["analyze", "--format", "jsonl"])
        .arg(path)
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    parse(&String::from_utf8(output.stdout).unwrap())
}

/// The session records, by their numbers.
pub fn sessions(records: &[Value]) -> Vec<Value> {
    let mut sessions: Vec<Value> = records.iter().filter(|one| one["type"] == "session").cloned().collect();
    sessions.sort_by_key(|session| session["id"].as_u64().unwrap());
    sessions
}

/// The insights that stand at the end: said, and not taken back since.
pub fn standing(records: &[Value]) -> Vec<String> {
    let sessions = |one: &Value| one["sessions"].as_array().unwrap().clone();
    let mut said: Vec<&Value> = Vec::new();
    for one in records {
        if one["type"] == "insight" {
            said.push(one);
        } else if one["type"] == "insight_withdrawn" {
            assert!(said.iter().any(|said| said["what"] == one["what"]), "never said: {one}");
            // It may have been said before, of fewer sessions.
            let withdrawn = sessions(one);
            let fewer = |said: &Value| sessions(said).iter().all(|id| withdrawn.contains(id));
            said.retain(|said| said["id"] != one["id"] || !fewer(said));
        }
    }
    let mut ids: Vec<String> = said.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// Tests that need the machine for themselves hold it.
pub fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A folder that goes away again; everybody may write into it, for as root the program becomes nobody.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("smtpcap-live-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
