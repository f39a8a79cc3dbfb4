//! Real servers and clients on a wire: Postfix and Dovecot in a network namespace, swaks, `openssl s_client` and devices made of
//! scripts in another, and `smtpcap live` with its capture program on the interface between them while the seed cases are
//! played. What it says is what was done (the cases carry their truth), and what `analyze` says of the same frames.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Folder, LONG, Live, analysed, parse, sessions, standing};

/// The cases take half of it on an idle machine.
const CASES: Duration = Duration::from_secs(150);

/// `scripts/fixtures/seeds_live.py`; closing its standard input takes the laboratory down.
struct Laboratory {
    child: Child,
    input: Option<ChildStdin>,
    says: Receiver<String>,
    namespace: String,
    interface: String,
}

impl Laboratory {
    /// The laboratory, up; `None` where this machine cannot, after saying why.
    fn open() -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/fixtures/seeds_live.py");
        let started = Command::new("python3")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = started else {
            println!("skipped: python3 is not installed");
            return None;
        };
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, says) = channel();
        std::thread::spawn(move || {
            output
                .lines()
                .map_while(Result::ok)
                .all(|line| sender.send(line).is_ok())
        });
        let mut laboratory = Self {
            input: child.stdin.take(),
            child,
            says,
            namespace: String::new(),
            interface: String::new(),
        };
        let line = laboratory.says.recv_timeout(CASES).expect("it says that it is ready");
        if line.starts_with("skipped") {
            println!("{line}");
            return None;
        }
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!((words.len(), words[0]), (3, "ready"), "{line}");
        laboratory.namespace = words[1].to_owned();
        laboratory.interface = words[2].to_owned();
        Some(laboratory)
    }

    /// Plays the cases; what was done in each session.
    fn play(&mut self) -> Vec<Value> {
        self.input.as_mut().unwrap().write_all(b"go\n").unwrap();
        let mut truth = Vec::new();
        loop {
            let line = self.says.recv_timeout(CASES).expect("the cases end");
            if line == "done" {
                return truth;
            }
            assert!(!line.starts_with("failed"), "{line}");
            truth.push(serde_json::from_str(&line).unwrap());
        }
    }

    /// `smtpcap live` on the interface that the clients use, through a capture program that keeps a copy of its octets.
    fn watch(&self, program: &Path) -> Live {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.namespace, env!("CARGO_BIN_EXE_smtpcap"), "live"])
            .args(["-i", &self.interface, "--format", "jsonl", "--capture-program"])
            .arg(program);
        Live::of(command)
    }
}

impl Drop for Laboratory {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
}

/// The real capture program behind a copy of what it writes; it keeps its number, which is written down.
fn recording(folder: &Path) -> Option<(PathBuf, PathBuf, PathBuf)> {
    let real = Path::new(env!("CARGO_BIN_EXE_smtpcap")).with_file_name("smtpcap-capture");
    if !real.exists() {
        println!("skipped: smtpcap-capture is not built (cargo build --workspace)");
        return None;
    }
    let [program, copy, number] = ["smtpcap-capture", "copy.pcapng", "pid"].map(|name| folder.join(name));
    let text = format!(
        "#!/bin/bash\necho $$ >{}\nexec > >(exec tee {})\nexec {} \"$@\"\n",
        number.display(),
        copy.display(),
        real.display()
    );
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    Some((program, copy, number))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

/// An end of a connection as the truth writes it.
fn end(session: &Value, side: &str) -> (String, String) {
    let host = text(&session[side], "address");
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    let with_port = format!("{host}:{}", session[side]["port"]);
    (host, with_port)
}

/// Whether the truth means this session: same server, same client or, where the case left the port to the system, host.
fn is_of(session: &Value, label: &Value) -> bool {
    let (host, client) = end(session, "client");
    let wanted = text(label, "client");
    (client == wanted || host == wanted) && end(session, "server").1 == text(label, "server")
}

fn root(session: &Value) -> Option<&str> {
    let findings = session["findings"].as_array().unwrap();
    let root = findings.iter().find(|finding| finding["root_cause"] == true)?;
    root["id"].as_str()
}

/// What is wrong with what was said of a session that was played.
fn contradiction(session: &Value, label: &Value) -> Option<String> {
    let also: Vec<&str> = label["also_right"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let said = root(session);
    let right = match (label["root_cause"].as_str(), said) {
        (Some(wanted), Some(said)) => wanted == said || also.contains(&said),
        (Some(_), None) => false,
        (None, Some(said)) => also.contains(&said),
        (None, None) => true,
    };
    (!right).then(|| {
        format!(
            "{}: {} -> {}: said {said:?}, was {}",
            label["case"],
            end(session, "client").1,
            end(session, "server").1,
            label["root_cause"]
        )
    })
}

#[test]
fn the_seed_cases_with_real_servers_are_told_right_and_as_from_a_file() {
    let folder = Folder::new("servers");
    let Some((program, copy, number)) = recording(&folder.0) else {
        return;
    };
    let Some(mut laboratory) = Laboratory::open() else {
        return;
    };
    let begun = Instant::now();
    let mut live = laboratory.watch(&program);
    live.errors.wait("Watching eth0", LONG).expect("it starts");
    // The section and the interface stand in the copy once the interface is open.
    while std::fs::metadata(&copy).map_or(0, |data| data.len()) == 0 {
        assert!(begun.elapsed() < LONG, "the capture program opens the interface");
        std::thread::sleep(Duration::from_millis(20));
    }
    let truth = laboratory.play();
    // The capture ends, not the watch: all is concluded as at the end of a file.
    let capture = std::fs::read_to_string(&number).unwrap();
    let stopped = Command::new("kill").args(["-TERM", capture.trim()]).status().unwrap();
    assert!(stopped.success());
    let (status, _) = live.end();
    let said = parse(&live.output.rest().concat());
    println!("{} sessions played in {:?}", truth.len(), begun.elapsed());
    assert_eq!(status.code(), Some(0), "{:?}", live.errors.rest());

    let told = sessions(&said);
    let mut wrong = Vec::new();
    for label in &truth {
        let mut of_it = told.iter().filter(|session| is_of(session, label)).peekable();
        if of_it.peek().is_none() {
            wrong.push(format!("{label}: not seen"));
        }
        wrong.extend(of_it.filter_map(|session| contradiction(session, label)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(truth.len() >= 100, "{}", truth.len());

    let file = analysed(&copy);
    assert_eq!(told, sessions(&file));
    assert_eq!(standing(&said), standing(&file));
    assert_eq!(said.last(), file.last());
}
