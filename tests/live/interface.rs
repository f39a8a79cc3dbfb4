//! A real interface: frames of real servers put on a veth, captured, and told as `analyze` tells their file; the walls around
//! the process while it runs; the terminal's keys. Needs root and network namespaces of its own; says so where it skips.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Folder, LONG, Live, analysed, fixture, parse, sessions};

/// Two namespaces joined by a veth; they go away again.
struct Net {
    names: [String; 2],
}

fn ip(arguments: &[&str]) -> bool {
    let status = Command::new("ip").args(arguments).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

impl Net {
    fn new(name: &str) -> Option<Self> {
        let id = std::process::id();
        let names = ["a", "b"].map(|side| format!("lv{name}{side}{id}"));
        let net = Self { names };
        let [a, b] = &net.names;
        let made = ip(&["netns", "add", a])
            && ip(&["netns", "add", b])
            && ip(&[
                "link", "add", "va", "netns", a, "type", "veth", "peer", "name", "vb", "netns", b,
            ])
            && ip(&["-n", a, "link", "set", "va", "mtu", "9000", "up"])
            && ip(&["-n", b, "link", "set", "vb", "mtu", "9000", "up"]);
        if !made {
            println!("skipped: no network namespaces (needs root and ip)");
            return None;
        }
        Some(net)
    }

    /// `smtpcap live -i vb` in the second namespace.
    fn watch(&self, arguments: &[&str]) -> Live {
        let mut command = Command::new("ip");
        command.args([
            "netns",
            "exec",
            &self.names[1],
            env!("CARGO_BIN_EXE_smtpcap"),
            "live",
            "-i",
            "vb",
        ]);
        command.args(arguments);
        let live = Live::of(command);
        live.errors.wait("Watching vb", LONG).expect("it starts");
        // The program that captures opens the interface now.
        std::thread::sleep(Duration::from_millis(1_000));
        live
    }

    /// Puts every frame of a capture on the wire at the first namespace's end.
    fn send(&self, capture: &Path) -> bool {
        const SENDER: &str = "
import socket, struct, sys, time
octets = open(sys.argv[1], 'rb').read()
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(('va', 0))
at = 24
while at < len(octets):
    length = struct.unpack('<I', octets[at + 8:at + 12])[0]
    wire.send(octets[at + 16:at + 16 + length])
    at += 16 + length
    time.sleep(0.0005)
";
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.names[0], "python3", "-c", SENDER])
            .arg(capture);
        command.status().is_ok_and(|status| status.success())
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for name in &self.names {
            ip(&["netns", "del", name]);
        }
    }
}

fn can_capture() -> bool {
    let beside = Path::new(env!("CARGO_BIN_EXE_smtpcap")).with_file_name("smtpcap-capture");
    let there = beside.exists()
        || ["dumpcap", "tcpdump"]
            .iter()
            .any(|name| Command::new(name).arg("-v").output().is_ok());
    if !there {
        println!("skipped: no program that captures (smtpcap-capture, dumpcap or tcpdump)");
    }
    there
}

/// Client, server, and what was found of weight, of each session.
fn gist(records: &[Value]) -> Vec<(String, String)> {
    let mut gist: Vec<(String, String)> = sessions(records)
        .iter()
        .map(|one| {
            let findings = one["findings"].as_array().unwrap();
            let root = findings.iter().find(|finding| finding["root_cause"] == true);
            let root = root.map_or_else(|| one["outcome"].to_string(), |finding| finding["id"].to_string());
            (format!("{} {}", one["client"], one["server"]), root)
        })
        .collect();
    gist.sort();
    gist
}

/// Captures of real servers over Ethernet whose findings do not hang on pauses, for they are sent without them.
const SEED: &[&str] = &[
    "auth-clear-rejected",
    "auth-requires-tls",
    "cert-expired",
    "cert-unknown-ca",
    "connection-refused",
    "intercom",
    "policy-rejections",
    "recipients",
    "retrieval-rejected",
    "starttls-not-offered",
    "starttls-refused-454",
    "tls-no-shared-cipher",
    "tls-on-plaintext-port",
    "vlan-qinq",
];

/// The capture of a case, if it is Ethernet and every frame fits on the wire; as pcap.
fn on_the_wire(case: &str, folder: &Path) -> Option<PathBuf> {
    use smtpcap::capture::{Input, Reader};
    let files = std::fs::read_dir(fixture(case))
        .ok()?
        .map(|entry| entry.unwrap().path());
    let path = files
        .into_iter()
        .find(|path| path.to_str().unwrap().contains("capture.pcap"))?;
    let mut reader = Reader::new([Input::Path(path)]);
    let mut octets = crate::harness::header();
    while let Some(frame) = reader.next_frame().unwrap() {
        if frame.link_type.0 != 1 || frame.bytes.len() > 9_000 || frame.is_cut() {
            return None;
        }
        octets.extend(crate::harness::record(&crate::harness::Packet {
            time: frame.time.nanoseconds(),
            bytes: frame.bytes.to_vec(),
        }));
    }
    let copy = folder.join(format!("{case}.pcap"));
    std::fs::write(&copy, octets).unwrap();
    Some(copy)
}

#[test]
fn seed_cases_on_a_wire_are_told_as_from_their_files() {
    if !can_capture() {
        return;
    }
    let folder = Folder::new("wire");
    let mut seen = 0;
    for case in SEED {
        let Some(capture) = on_the_wire(case, &folder.0) else {
            println!("{case}: not for this wire");
            continue;
        };
        let Some(net) = Net::new("w") else { return };
        let mut live = net.watch(&["--format", "jsonl"]);
        assert!(net.send(&capture), "{case}");
        std::thread::sleep(Duration::from_millis(1_500));
        live.signal("INT");
        let (status, took) = live.end();
        assert_eq!(status.code(), Some(0), "{case}");
        assert!(took < Duration::from_secs(3), "{case}: {took:?}");
        let told = parse(&live.output.rest().concat());
        assert_eq!(gist(&told), gist(&analysed(&capture)), "{case}");
        seen += 1;
    }
    assert!(seen >= 10, "{seen}");
}

/// Whether an interface has its carrier; behind `ip link set up` it takes up to a second.
fn has_carrier(namespace: &str, name: &str) -> bool {
    let shown = Command::new("ip")
        .args(["-n", namespace, "link", "show", name])
        .output()
        .unwrap();
    String::from_utf8_lossy(&shown.stdout).contains("LOWER_UP")
}

#[test]
fn an_interface_that_goes_down_and_comes_back_is_said_in_a_line_and_costs_nothing_behind_it() {
    // The other programs say nothing of it (docs/capture.md).
    if !Path::new(env!("CARGO_BIN_EXE_smtpcap"))
        .with_file_name("smtpcap-capture")
        .exists()
    {
        println!("skipped: smtpcap-capture is not built (cargo build --workspace)");
        return;
    }
    let folder = Folder::new("flap");
    let [before, behind, later] = ["recipients", "auth-clear-rejected", "policy-rejections"]
        .map(|case| on_the_wire(case, &folder.0).expect("a capture for this wire"));
    let Some(net) = Net::new("f") else { return };
    let [near, far] = &net.names;
    let mut live = net.watch(&["--format", "jsonl"]);
    assert!(net.send(&before));
    assert!(ip(&["-n", far, "link", "set", "vb", "down"]));
    live.errors
        .wait("vb is down", LONG)
        .expect("it is said that it is down");
    assert!(ip(&["-n", far, "link", "set", "vb", "up"]));
    let begun = Instant::now();
    while !has_carrier(near, "va") {
        assert!(begun.elapsed() < LONG, "the wire is back");
        std::thread::sleep(Duration::from_millis(5));
    }
    // At once, before the capture program can have looked.
    assert!(net.send(&behind));
    live.errors
        .wait("vb is up again", LONG)
        .expect("it is said that it is back");
    // Too short to be looked at: nothing is said, or both are; nothing is lost.
    assert!(ip(&["-n", far, "link", "set", "vb", "down"]) && ip(&["-n", far, "link", "set", "vb", "up"]));
    while !has_carrier(near, "va") {
        assert!(begun.elapsed() < LONG, "the wire is back");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(net.send(&later));
    std::thread::sleep(Duration::from_millis(1_500));
    live.signal("INT");
    assert_eq!(live.end().0.code(), Some(0));
    let told = parse(&live.output.rest().concat());
    let mut expected: Vec<_> = [&before, &behind, &later]
        .into_iter()
        .flat_map(|capture| gist(&analysed(capture)))
        .collect();
    expected.sort();
    assert_eq!(gist(&told), expected);
    let said = live.errors.rest();
    let count = |text: &str| said.iter().filter(|line| line.contains(text)).count();
    assert!(
        count("is down") <= 1 && count("is down") == count("is up again"),
        "{said:?}"
    );
}

#[test]
fn while_it_decodes_it_has_no_privilege_and_few_ways_out() {
    if !can_capture() {
        return;
    }
    let Some(net) = Net::new("p") else { return };
    let mut live = net.watch(&["--metrics", "127.0.0.1:0"]);
    let status = std::fs::read_to_string(format!("/proc/{}/status", live.child.id())).unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(field("Uid:").iter().all(|uid| uid != "0"), "{status}");
    assert!(field("Gid:").iter().all(|gid| gid != "0"), "{status}");
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert!(field(set)[0].trim_start_matches('0').is_empty(), "{set} {status}");
    }
    assert_eq!(field("NoNewPrivs:"), ["1"]);
    assert_eq!(field("Seccomp:"), ["2"]);
    live.signal("TERM");
    assert_eq!(live.end().0.code(), Some(0));
}

#[test]
fn an_interface_that_is_not_there_is_said_in_one_line() {
    if !can_capture() {
        return;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_smtpcap"));
    command.args(["live", "-i", "no-such-if0"]);
    let mut live = Live::of(command);
    assert_eq!(live.end().0.code(), Some(2));
    let said = live.errors.rest();
    let errors: Vec<_> = said.iter().filter(|line| line.contains("error")).collect();
    assert_eq!(errors.len(), 1, "{said:?}");
    assert!(errors[0].contains("no-such-if0"), "{said:?}");
}

#[test]
fn keys_of_a_terminal_are_heard_and_the_terminal_is_given_back() {
    if !can_capture() {
        return;
    }
    let Some(net) = Net::new("k") else { return };
    const TERMINAL: &str = "
import os, pty, sys, termios, time, select
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
before = termios.tcgetattr(fd)
text = b''
def read(until, seconds):
    global text
    end = time.time() + seconds
    while time.time() < end and until not in text:
        if select.select([fd], [], [], 0.1)[0]:
            try: text += os.read(fd, 4096)
            except OSError: break
    return until in text
assert read(b'Keys:', 10), text
time.sleep(0.5)
assert not termios.tcgetattr(fd)[3] & termios.ECHO, 'keys are not shown'
os.write(fd, b'o')
assert read(b'Open now', 5), text
os.write(fd, b'q')
assert read(b'has ended', 5), text
end = time.time() + 5
while time.time() < end:
    done, status = os.waitpid(pid, os.WNOHANG)
    if done: break
    time.sleep(0.05)
assert done and os.WEXITSTATUS(status) == 0, status
assert termios.tcgetattr(fd) == before, 'the terminal is as it was'
";
    let output = Command::new("ip")
        .args(["netns", "exec", &net.names[1], "python3", "-c", TERMINAL])
        .args([env!("CARGO_BIN_EXE_smtpcap"), "live", "-i", "vb"])
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_interfaces_are_listed() {
    let begun = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_smtpcap"))
        .args(["live", "-D"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("any"), "{text}");
    assert!(begun.elapsed() < LONG);
}

#[test]
fn without_sys_the_interfaces_are_those_of_the_capture_program_or_it_is_said_why_there_are_none() {
    let list = |path: &str| {
        let script = "mount -t tmpfs none /sys && exec \"$0\" live -D";
        Command::new("unshare")
            .args(["--mount", "sh", "-c", script, path])
            .env("LC_ALL", "C")
            .output()
    };
    let own = env!("CARGO_BIN_EXE_smtpcap");
    let Ok(output) = list(own) else {
        println!("skipped: unshare is not installed");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.contains("unshare:") || said.contains("mount:") {
        println!("skipped: no mount namespaces: {said}");
        return;
    }
    if output.status.success() {
        let listed = String::from_utf8(output.stdout).unwrap();
        assert!(listed.lines().any(|line| line.contains("lo")), "{listed}");
    } else {
        assert!(
            output.status.code() == Some(2) && said.contains("/sys is not mounted"),
            "{said}"
        );
    }
}
