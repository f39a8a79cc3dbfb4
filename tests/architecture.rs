//! The house's invariants that the compiler does not check: rooms import only to their left, rules and protocols do not
//! know each other, the core has no clock, file, socket, thread or print, and every file says what it is for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The rooms from left to right. Rooms of one line do not know each other.
const ROOMS: &[&[&str]] = &[
    &["sandbox"],
    &["time"],
    &["frame"],
    &["span"],
    &["secret"],
    &["captured"],
    &["capture", "packet"],
    &["tcp"],
    &["message"],
    &["protocol"],
    &["session"],
    &["diagnosis"],
    &["insight"],
    &["analyzer"],
    &["report"],
    &["live"],
    &["text"],
    &["render"],
    &["cli"],
];

/// Lines of a file: above the first, it is named; above the second, the test fails.
const LONG_FILE: usize = 500;
const LONGEST_FILE: usize = 900;

/// A source file: its path from the repository's root, its text, and its text without comments and string contents.
struct Source {
    path: String,
    text: String,
    code: String,
}

impl Source {
    fn room(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or("");
        let end = inside.find(['/', '.']).unwrap_or(inside.len());
        &inside[..end]
    }

    /// Code of a test, which may read files and print.
    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs") || self.path.starts_with("tests/")
    }

    /// Every path from the crate's root that the code names: `protocol::smtp::Reply`.
    fn crate_paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        for piece in self.code.split("crate::").skip(1) {
            if let Some(group) = piece.strip_prefix('{') {
                let group = group.split('}').next().unwrap();
                paths.extend(group.split(',').map(|one| one.trim().to_owned()));
            } else {
                let end = piece
                    .find(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == ':'))
                    .unwrap_or(piece.len());
                let path = piece[..end].trim_end_matches(':');
                // `protocol::{smtp, tls}` names both.
                match piece[end..].strip_prefix('{') {
                    Some(group) if piece[..end].ends_with("::") => {
                        let group = group.split('}').next().unwrap();
                        paths.extend(group.split(',').map(|one| format!("{path}::{}", one.trim())));
                    }
                    _ => paths.push(path.to_owned()),
                }
            }
        }
        paths
    }
}

/// The code of a text: comments dropped, contents of string and character literals blanked.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let letters: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < letters.len() {
        let rest = &letters[at..];
        match rest {
            ['/', '/', ..] => at += rest.iter().position(|letter| *letter == '\n').unwrap_or(rest.len()),
            ['r', '#', '"', ..] => {
                let end = rest.windows(2).skip(3).position(|pair| pair == ['"', '#']);
                at += end.map_or(rest.len(), |end| end + 5);
            }
            ['"', ..] => {
                at += 1;
                while at < letters.len() && letters[at] != '"' {
                    at += if letters[at] == '\\' { 2 } else { 1 };
                }
                at += 1;
                code.push_str("\"\"");
            }
            ['\'', '\\', _, '\'', ..] => at += 4,
            ['\'', _, '\'', ..] => at += 3,
            [letter, ..] => {
                code.push(*letter);
                at += 1;
            }
            [] => {}
        }
    }
    code
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn collect(folder: &Path, sources: &mut Vec<Source>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            sources.push(Source {
                path: path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned(),
                code: code_of(&text),
                text,
            });
        }
    }
}

/// Every Rust file below these folders.
fn sources(folders: &[&str]) -> Vec<Source> {
    let mut sources = Vec::new();
    for folder in folders
        .iter()
        .map(|folder| root().join(folder))
        .filter(|folder| folder.exists())
    {
        collect(&folder, &mut sources);
    }
    assert!(sources.len() > 10, "no sources found in {folders:?}");
    sources
}

fn none(failures: &[String]) {
    assert!(
        failures.is_empty(),
        "{} failures:\n  {}",
        failures.len(),
        failures.join("\n  ")
    );
}

fn level(room: &str) -> Option<usize> {
    ROOMS.iter().position(|level| level.contains(&room))
}

#[test]
fn a_room_uses_only_rooms_to_its_left() {
    let mut failures = Vec::new();
    for source in sources(&["src"]) {
        let room = source.room();
        if matches!(room, "lib" | "main") {
            continue;
        }
        let Some(own) = level(room) else {
            failures.push(format!("{}: room {room} is not in the list of rooms", source.path));
            continue;
        };
        for path in source.crate_paths() {
            let other = path.split("::").next().unwrap();
            if other != room && level(other).is_some_and(|other| other >= own) {
                failures.push(format!("{}: {room} uses {path}", source.path));
            }
        }
    }
    none(&failures);
}

#[test]
fn every_room_of_the_library_has_its_place() {
    let library = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let declared: BTreeSet<&str> = library
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    let placed: BTreeSet<&str> = ROOMS.iter().copied().flatten().copied().collect();
    assert_eq!(declared, placed);
}

#[test]
fn protocols_do_not_know_each_other() {
    const PROTOCOLS: [&str; 4] = ["smtp", "tls", "pop3", "imap"];
    let mut failures = Vec::new();
    for source in sources(&["src/protocol"]) {
        let inside = source.path.strip_prefix("src/protocol/").unwrap();
        // These two choose the protocol and hand over between them; mod.rs lists them.
        if matches!(inside, "conversation.rs" | "detect.rs" | "mod.rs") {
            continue;
        }
        let own = inside.split('/').next().unwrap();
        for path in source.crate_paths() {
            let Some(rest) = path.strip_prefix("protocol::") else {
                continue;
            };
            let other = rest.split("::").next().unwrap();
            if PROTOCOLS.contains(&other) && other != own {
                failures.push(format!("{}: uses {path}", source.path));
            }
        }
    }
    none(&failures);
}

#[test]
fn rules_do_not_know_each_other() {
    let mut rules = BTreeSet::new();
    let mut failures = Vec::new();
    let all = sources(&["src/diagnosis/rules", "src/insight/rules"]);
    for source in &all {
        let folder = Path::new(&source.path).parent().unwrap();
        if folder.join("explain.en.md").exists() || root().join(folder).join("explain.en.md").exists() {
            rules.insert(folder.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    assert!(rules.len() > 30, "{} rules", rules.len());
    for source in all.iter().filter(|source| !source.path.ends_with("/rules/mod.rs")) {
        let own = Path::new(&source.path).parent().unwrap();
        // A layer's list names its rules; so does nobody else.
        if !root().join(own).join("explain.en.md").exists() {
            continue;
        }
        let own = own.file_name().unwrap().to_str().unwrap();
        let words = source
            .code
            .split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
        for word in words.filter(|word| *word != own && rules.contains(*word)) {
            failures.push(format!("{}: names {word}", source.path));
        }
    }
    none(&failures);
}

#[test]
fn clocks_files_sockets_threads_and_prints_live_in_capture_sandbox_and_cli() {
    const FORBIDDEN: &[&str] = &[
        "std::fs",
        "File::",
        "std::thread",
        "thread::spawn",
        "SystemTime",
        "Instant",
        "TcpStream",
        "UdpSocket",
        "TcpListener",
        "std::process",
        "std::env",
        "std::io::std",
        "io::stdout",
        "io::stderr",
        "io::stdin",
        "println!",
        "eprintln!",
        "print!",
        "eprint!",
        "dbg!",
    ];
    let mut failures = Vec::new();
    for source in sources(&["src"]) {
        if matches!(source.room(), "capture" | "sandbox" | "cli" | "main") || source.is_test() {
            continue;
        }
        // Unit tests at the end of a file may do it.
        let code = source.code.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for word in FORBIDDEN {
            let named = code.match_indices(word).any(|(at, _)| {
                let before = code[..at].chars().next_back();
                !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
            });
            if named {
                failures.push(format!("{}: {word}", source.path));
            }
        }
    }
    none(&failures);
}

#[test]
fn nothing_is_unsafe_and_every_crate_forbids_it() {
    let mut failures = Vec::new();
    for source in sources(&[
        "src", "pcapng", "probe", "testkit", "tests", "benches", "examples", "fuzz",
    ]) {
        let words = source
            .code
            .split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
        if words.into_iter().any(|word| word == "unsafe") {
            failures.push(format!("{}: unsafe", source.path));
        }
    }
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"forbid\""));
    for member in [
        "Cargo.toml",
        "pcapng/Cargo.toml",
        "probe/Cargo.toml",
        "testkit/Cargo.toml",
    ] {
        let manifest = std::fs::read_to_string(root().join(member)).unwrap();
        if !manifest.contains("[lints]\nworkspace = true") {
            failures.push(format!("{member}: does not take the workspace's lints"));
        }
    }
    none(&failures);
}

#[test]
fn every_file_says_what_it_is_for_and_none_is_too_long() {
    let mut failures = Vec::new();
    for source in sources(&[
        "src", "pcapng", "probe", "testkit", "tests", "benches", "examples", "fuzz",
    ]) {
        if !source.text.starts_with("//! ") {
            failures.push(format!("{}: does not open with //!", source.path));
        }
        let lines = source.text.lines().count();
        if lines > LONGEST_FILE {
            failures.push(format!("{}: {lines} lines, at most {LONGEST_FILE}", source.path));
        } else if lines > LONG_FILE {
            println!("long: {} has {lines} lines", source.path);
        }
    }
    none(&failures);
}

#[test]
fn the_scanner_sees_code_and_nothing_else() {
    let code =
        code_of("let a = \"unsafe \\\" \"; // unsafe\nlet b = '\"'; let c = crate::tcp::Gap; /// crate::render\n");
    assert!(!code.contains("unsafe") && code.contains("let c = crate::tcp::Gap;") && !code.contains("render"));
    let source = Source {
        path: "src/tcp/x.rs".to_owned(),
        text: String::new(),
        code: "use crate::protocol::{smtp, tls::Version}; use crate::{span, time}; crate::packet::Endpoint".to_owned(),
    };
    assert_eq!(
        source.crate_paths(),
        [
            "protocol::smtp",
            "protocol::tls::Version",
            "span",
            "time",
            "packet::Endpoint"
        ]
    );
    assert_eq!(source.room(), "tcp");
}
