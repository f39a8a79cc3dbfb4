//! What the program says about the captures in `fixtures/`, taken as a user takes it: no planted secret in any rendering,
//! the same octets on every run, the same records from standard input as from the file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Octets of a secret that must show up in base64 to count as found: below it chance would find it, too.
const TELLING_LETTERS: usize = 8;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Every capture in `fixtures/`, sorted.
fn captures() -> Vec<PathBuf> {
    let mut captures = Vec::new();
    for folder in std::fs::read_dir(fixtures())
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if !folder.is_dir() {
            continue;
        }
        for path in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.contains(".pcap") {
                captures.push(path);
            }
        }
    }
    captures.sort();
    assert!(!captures.is_empty(), "no captures in {}", fixtures().display());
    captures
}

/// Standard output and standard error of one run, and that it did not fail.
fn run(arguments: &[&str], input: Option<&Path>) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_smtpcap"))
        .args(arguments)
        .stdin(input.map_or_else(Stdio::null, |path| File::open(path).unwrap().into()))
        .env_remove("SMTPCAP_SHARED")
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap() + &errors
}

/// Every planted secret that any page or truth beside the captures names.
fn planted() -> BTreeSet<String> {
    let mut secrets = BTreeSet::new();
    for path in captures() {
        for file in std::fs::read_dir(path.parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            let Ok(text) = std::fs::read_to_string(&file) else {
                continue;
            };
            for (at, _) in text.match_indices("PLANTED") {
                let end = text[at..]
                    .find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-' || letter == '_'))
                    .unwrap_or(text.len() - at);
                if end > "PLANTED-".len() {
                    secrets.insert(text[at..at + end].to_owned());
                }
            }
        }
    }
    assert!(!secrets.is_empty());
    secrets
}

fn base64(octets: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in octets.chunks(3) {
        let value = group.iter().fold(0_u32, |value, octet| value << 8 | u32::from(*octet)) << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            text.push(char::from(LETTERS[(value >> (18 - 6 * place) & 63) as usize]));
        }
    }
    text
}

/// A secret as it may appear: as it is, in hex, and in base64 at each of the three places it can have behind other octets.
fn disguises(secret: &str) -> Vec<String> {
    let hex: String = secret.bytes().map(|octet| format!("{octet:02x}")).collect();
    let mut disguises = vec![secret.to_owned(), hex.to_uppercase(), hex];
    for before in 0..3 {
        let octets = [&vec![0; before][..], secret.as_bytes()].concat();
        let text = base64(&octets);
        // Letters that hold nothing but this secret.
        let from = (before * 8).div_ceil(6);
        let to = octets.len() * 8 / 6;
        assert!(to - from >= TELLING_LETTERS, "{secret} is too short to be looked for");
        disguises.push(text[from..to].to_owned());
    }
    disguises
}

/// The numbers of a capture's sessions.
fn sessions(path: &str) -> Vec<String> {
    run(&["analyze", "--format", "jsonl", path], None)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|record| record["type"] == "session")
        .map(|record| record["id"].to_string())
        .collect()
}

#[test]
fn no_planted_secret_appears_in_any_rendering() {
    let needles: Vec<(String, String)> = planted()
        .iter()
        .flat_map(|secret| disguises(secret).into_iter().map(|shape| (secret.clone(), shape)))
        .collect();
    let mut leaks = Vec::new();
    let mut pages = 0;
    let mut look = |what: String, page: &str| {
        pages += 1;
        for (secret, _) in needles.iter().filter(|(_, shape)| page.contains(shape)) {
            leaks.push(format!("{what}: {secret}"));
        }
    };
    for path in captures() {
        let path = path.to_str().unwrap();
        let sessions = sessions(path);
        for lang in ["en", "ja"] {
            for format in ["table", "json", "jsonl"] {
                let page = run(&["analyze", "-v", "--lang", lang, "--format", format, path], None);
                look(format!("{path} {format} {lang}"), &page);
            }
            for session in &sessions {
                let page = run(&["show", "--lang", lang, "--session", session, path], None);
                look(format!("{path} show {session} {lang}"), &page);
            }
        }
    }
    println!("{pages} pages, {} shapes of secrets", needles.len());
    assert!(leaks.is_empty(), "{} leaks:\n  {}", leaks.len(), leaks.join("\n  "));
}

#[test]
fn the_search_for_secrets_would_find_one() {
    // The same search finds the password where the user asks for it.
    let path = fixtures().join("intercom/capture.pcapng");
    let path = path.to_str().unwrap();
    let found = |arguments: &[&str]| {
        let page = run(arguments, None);
        planted()
            .iter()
            .any(|secret| disguises(secret).iter().any(|shape| page.contains(shape)))
    };
    assert!(found(&["analyze", "--show-secrets", "--format", "json", path]));
    assert!(!found(&["analyze", "--format", "json", path]));
    assert_eq!(base64(b"\0user\0pass"), "AHVzZXIAcGFzcw");
    let hidden = base64(b"\0user\0PLANTED-DOOR-4f1c9a");
    assert!(
        disguises("PLANTED-DOOR-4f1c9a")
            .iter()
            .any(|shape| hidden.contains(shape))
    );
}

#[test]
fn two_runs_give_the_same_octets() {
    for path in captures() {
        let path = path.to_str().unwrap();
        for arguments in [
            ["analyze", "--format", "table", "--lang", "ja", path],
            ["analyze", "--format", "json", "--lang", "en", path],
            ["analyze", "--format", "jsonl", "--lang", "en", path],
        ] {
            assert!(run(&arguments, None) == run(&arguments, None), "{arguments:?}");
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_octets() {
    // All captures as one long run: sessions of every kind, several links and clocks, damage.
    let paths: Vec<String> = captures()
        .iter()
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    for (format, counts) in [("jsonl", &["2", "3", "4"][..]), ("json", &["3"]), ("table", &["3"])] {
        let with = |threads: &str| {
            let mut arguments = vec!["analyze", "--format", format, "--threads", threads];
            arguments.extend(paths.iter().map(String::as_str));
            run(&arguments, None)
        };
        let alone = with("1");
        assert!(alone.len() > 100_000 || format == "table", "{} octets", alone.len());
        for threads in counts {
            assert!(with(threads) == alone, "{format} with {threads} threads differs");
        }
    }
}

#[test]
fn standard_input_gives_the_same_sessions_as_the_file() {
    let sessions = |page: String| -> Vec<String> {
        page.lines()
            .filter(|line| serde_json::from_str::<Value>(line).is_ok_and(|record| record["type"] == "session"))
            .map(str::to_owned)
            .collect()
    };
    let mut seen = 0;
    for path in captures() {
        let from_file = sessions(run(&["analyze", "--format", "jsonl", path.to_str().unwrap()], None));
        let from_input = sessions(run(&["analyze", "--format", "jsonl", "-"], Some(&path)));
        assert_eq!(from_file, from_input, "{}", path.display());
        seen += from_file.len();
    }
    assert!(seen > 0);
}

/// A connection as standard input, reset behind the last octet: reading fails in the middle of the only capture.
#[test]
fn what_came_before_a_failed_read_is_reported() {
    let script = "session 192.0.2.20 -> 198.51.100.11:25 x3 every=1s
        smtp hello
        C: QUIT
        S: 221 Bye";
    let capture = smtpcap_testkit::Script::must(script).to_pcap();
    for threads in ["1", "2"] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let mut sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut receiver, _) = listener.accept().unwrap();
        // What the sender leaves unread makes a reset of its end.
        receiver.write_all(b"unread").unwrap();
        sender.peek(&mut [0]).unwrap();
        sender.write_all(&capture).unwrap();
        drop(sender);
        let output = Command::new(env!("CARGO_BIN_EXE_smtpcap"))
            .args([
                "analyze",
                "--lang",
                "en",
                "--threads",
                threads,
                "--format",
                "jsonl",
                "-",
            ])
            .stdin(OwnedFd::from(receiver))
            .output()
            .unwrap();
        let (records, errors) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        let place = format!("cannot be read at offset {}", capture.len());
        assert!(errors.contains(&place), "{errors}");
        let told = records.matches("\"type\":\"session\"").count();
        assert_eq!(told, 3, "{threads} threads: {records}{errors}");
        assert!(records.contains("\"failed\":true"), "{records}");
        assert!(errors.contains("-: could not be read, or not to its end"), "{errors}");
        assert_eq!(output.status.code(), Some(2), "{errors}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told_by_the_exit_code_and_the_others_are_reported() {
    let folder = std::env::temp_dir().join(format!("smtpcap-unreadable-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let script = "session 192.0.2.20 -> 198.51.100.11:25
        S: 554 5.7.1 No";
    let (capture, text) = (folder.join("capture.pcap"), folder.join("notes.txt"));
    std::fs::write(&capture, smtpcap_testkit::Script::must(script).to_pcap()).unwrap();
    std::fs::write(&text, "no capture").unwrap();
    let run = |files: &[&std::path::Path], further: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_smtpcap"))
            .arg("analyze")
            .args(files)
            .args(["--lang", "en", "--format", "jsonl"])
            .args(further)
            .output()
            .unwrap()
    };
    let told = |output: &std::process::Output| String::from_utf8_lossy(&output.stdout).contains("\"type\":\"session\"");
    let missing = folder.join("missing.pcap");
    let fail_on = ["--fail-on", "fail"];
    for (files, further, code) in [
        (vec![&*capture], &[][..], 0),
        (vec![&*capture], &fail_on[..], 1),
        (vec![&*capture, &*text], &[][..], 2),
        (vec![&*missing, &*capture], &[][..], 2),
        (vec![&*text, &*capture], &fail_on[..], 2),
    ] {
        let output = run(&files, further);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{files:?} {further:?}: {errors}");
        assert!(told(&output), "{files:?}: {errors}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// A greylisted session of which one mail passed later, and the other not, or all.
#[test]
fn a_failure_is_called_explained_only_where_all_of_it_is() {
    let put_off = |from: &str| {
        format!(
            "C: MAIL FROM:<{from}@example.org>
            S: 250 2.1.0 Ok
            C: RCPT TO:<yuki@example.com>
            S: 450 4.2.0 <yuki@example.com>: Recipient address rejected: Greylisted, try again later
            C: RSET
            S: 250 Ok
            "
        )
    };
    let script = |first: &[&str]| {
        let first: String = first.iter().map(|from| put_off(from)).collect();
        format!(
            "session 192.0.2.29 -> 198.51.100.11:25
            smtp hello
            {first}smtp quit
            session 192.0.2.29 -> 198.51.100.11:25 at=+5m
            smtp hello
            smtp mail from=one@example.org to=yuki@example.com
            smtp quit"
        )
    };
    let path = std::env::temp_dir().join(format!("smtpcap-explained-{}.pcap", std::process::id()));
    for (first, explained) in [(&["one"][..], true), (&["one", "two"], false)] {
        std::fs::write(&path, smtpcap_testkit::Script::must(&script(first)).to_pcap()).unwrap();
        let told = run(&["analyze", "--lang", "en", path.to_str().unwrap()], None);
        assert!(told.contains("was accepted by 198.51.100.11:25 on try 2"), "{told}");
        assert_eq!(told.contains("Nothing of its own"), explained, "{told}");
        assert_eq!(told.contains("Try again from the same address"), !explained, "{told}");
        let records = run(&["analyze", "--format", "jsonl", path.to_str().unwrap()], None);
        assert_eq!(records.contains("\"unexcused\":[1]"), !explained, "{records}");
    }
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_run_of_many_sessions_begins_with_its_causes_and_their_numbers() {
    let script = "session 192.0.2.20 -> 198.51.100.11:25 x40 every=1s
        smtp hello
        C: MAIL FROM:<a@example.com>
        S: 250 Ok
        C: RCPT TO:<b@example.net>
        S: 550 5.1.1 User unknown
        C: QUIT
        S: 221 Bye
        session 192.0.2.21 -> 198.51.100.12:25 x30 every=1s
        smtp hello
        C: QUIT
        S: 221 Bye";
    let capture = std::env::temp_dir().join(format!("smtpcap-many-{}.pcap", std::process::id()));
    std::fs::write(&capture, smtpcap_testkit::Script::must(script).to_pcap()).unwrap();
    let path = capture.to_str().unwrap();
    let (english, japanese) = (
        run(&["analyze", path], None),
        run(&["analyze", path, "--lang", "ja"], None),
    );
    std::fs::remove_file(&capture).unwrap();
    let place = |text: &str| {
        english
            .find(text)
            .unwrap_or_else(|| panic!("{text} is missing in\n{english}"))
    };
    let glance = place("70 sessions at a glance:");
    let outcome = place("refused 40, no mail tried 30");
    let cause = place("40  Recipient does not exist (or the receiver pretends so) (clients: 1, servers: 1)");
    let table = place("The first 15 of the sessions that failed (40)");
    let story = place("40 sessions, one cause:");
    assert!(glance < outcome && outcome < cause && cause < table && table < story);
    assert!(
        japanese.contains("40  宛先不明(User unknown): クライアント1、サーバー1"),
        "{japanese}"
    );
}
