//! Japanese output holds no English prose of our own (rule of two languages). Every pair of neighbouring lower-case English
//! words in a `golden.ja.txt`, and in a ladder shown in Japanese, must come from somewhere else: from the capture's octets, from a
//! line that the session's facts carry (decrypted, decompressed, or put together from several segments), or from a log text
//! that a Japanese explanation quotes in 「」.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn run(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_smtpcap"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("COLUMNS")
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Pairs of lower-case words with one blank between them; parts of names, paths and addresses are no words.
fn pairs(text: &str) -> Vec<String> {
    let is_word = |word: &str| word.len() > 1 && word.bytes().all(|letter| letter.is_ascii_lowercase());
    let mut found = Vec::new();
    for line in text.lines() {
        // Japanese needs no blank around a word: whatever is not of an ASCII token ends one.
        let tokens: Vec<&str> = line
            .split_inclusive(|one: char| !(one.is_ascii_alphanumeric() || "_./-@".contains(one)))
            .collect();
        for pair in tokens.windows(2) {
            let [first, second] = pair else { continue };
            let Some(first) = first.strip_suffix(' ') else { continue };
            let second = second.trim_end_matches(|one: char| !one.is_ascii_alphanumeric());
            if is_word(first) && is_word(second) {
                found.push(format!("{first} {second}"));
            }
        }
    }
    found
}

/// The lines of the conversation among a record's facts; the findings are what is judged, and names are our own words.
fn wire_lines(value: &Value, key: &str, lines: &mut String) {
    match value {
        Value::String(text) if matches!(key, "text" | "command") => {
            lines.push_str(text);
            lines.push(' ');
        }
        Value::Array(values) => values.iter().for_each(|one| wire_lines(one, key, lines)),
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| *name != "findings")
            .for_each(|(name, one)| wire_lines(one, name, lines)),
        _ => {}
    }
}

/// What the explanations of a folder and below quote in 「」.
fn quoted(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            quoted(&path, text);
        } else if path.ends_with("explain.ja.md") {
            for part in std::fs::read_to_string(path).unwrap().split('「').skip(1) {
                text.push_str(part.split('」').next().unwrap());
                text.push('\n');
            }
        }
    }
}

/// What stays English: our own command lines.
const COMMANDS: &str = "smtpcap analyze";

struct Fixture {
    golden: String,
    /// Path from the root of the repository.
    capture: String,
    octets: Vec<u8>,
    lines: String,
    sessions: Vec<String>,
}

impl Fixture {
    fn read(folder: &Path) -> Self {
        let mut captures: Vec<PathBuf> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("capture.pcap"))
            .collect();
        captures.sort();
        let path = captures.first().unwrap();
        let capture = path
            .strip_prefix(env!("CARGO_MANIFEST_DIR"))
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let mut lines = String::new();
        let mut sessions = Vec::new();
        for line in run(&["analyze", &capture, "--format", "jsonl"]).lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            if record["type"] == "session" {
                wire_lines(&record, "", &mut lines);
                sessions.push(record["id"].to_string());
            }
        }
        Self {
            golden: std::fs::read_to_string(folder.join("golden.ja.txt")).unwrap(),
            octets: std::fs::read(path).unwrap(),
            capture,
            lines,
            sessions,
        }
    }

    /// Pairs of this text that nobody but us can have written.
    fn prose(&self, text: &str, quoted: &str) -> Vec<String> {
        let said = |pair: &str| memchr::memmem::find(&self.octets, pair.as_bytes()).is_some();
        let own = pairs(text).into_iter();
        own.filter(|pair| !self.lines.contains(pair) && !quoted.contains(pair) && !said(pair))
            .map(|pair| format!("{}: {pair}", self.capture))
            .collect()
    }
}

fn fixtures() -> Vec<Fixture> {
    let mut folders: Vec<_> = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders.iter().map(|folder| Fixture::read(folder)).collect()
}

#[test]
fn japanese_reports_and_ladders_hold_no_english_prose_of_our_own() {
    let mut texts = COMMANDS.to_owned() + "\n";
    quoted(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
    let fixtures = fixtures();
    assert!(fixtures.len() >= 60, "{} fixtures", fixtures.len());
    let mut prose = Vec::new();
    let mut compared = 0;
    for fixture in &fixtures {
        compared += pairs(&fixture.golden).len();
        prose.extend(fixture.prose(&fixture.golden, &texts));
        // The first sessions of a capture are enough: a ladder's words are few.
        for session in fixture.sessions.iter().take(2) {
            let ladder = run(&["show", &fixture.capture, "--session", session, "--lang", "ja"]);
            assert!(!ladder.is_empty(), "{}: no ladder of {session}", fixture.capture);
            prose.extend(fixture.prose(&ladder, &texts));
        }
    }
    assert!(compared > 100, "only {compared} pairs of words were looked at");
    assert!(prose.is_empty(), "{prose:#?}");
}

#[test]
fn pairs_are_of_prose_only() {
    assert_eq!(pairs("証拠: sent without TLS"), ["sent without"]);
    assert_eq!(pairs("ClientHello, at most TLS1.0"), ["at most"]);
    assert_eq!(pairs("「no shared cipher」を"), ["no shared", "shared cipher"]);
    assert!(pairs("AUTH LOGIN mx.b.example my_pc ok\nso on.example a b").is_empty());
}
