//! Key logs as a user gives them: by `--keylog` or inside the capture, whole, wrong, cut, of one side, too late. What was
//! inside TLS is told like what is in clear, never as if somebody on the way could have read it, and no key is printed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use smtpcap::analyzer::{Analyzer, Options};
use smtpcap::capture::{Input, Reader};
use smtpcap::diagnosis::{Finding, Layer};
use smtpcap::frame::Frame;
use smtpcap::protocol::smtp;
use smtpcap::session::Session;

const FIXTURES: [&str; 6] = [
    "keys-cbc",
    "keys-embedded",
    "keys-handshake",
    "keys-old-suites",
    "keys-retrieval",
    "keys-suites",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn key_log(name: &str) -> String {
    std::fs::read_to_string(folder(name).join("capture.keys")).unwrap()
}

/// A file of this test's own; removed when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("smtpcap-keys-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }

    fn name(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

/// The blocks of a little-endian pcapng file: type and octets.
fn blocks(file: &[u8]) -> Vec<(u32, &[u8])> {
    let mut blocks = Vec::new();
    let mut rest = file;
    while let (Some(kind), Some(length)) = (rest.first_chunk::<4>(), rest.get(4..8)) {
        let length = u32::from_le_bytes(length.try_into().unwrap()) as usize;
        let (block, behind) = rest.split_at(length);
        blocks.push((u32::from_le_bytes(*kind), block));
        rest = behind;
    }
    blocks
}

const SECRETS: u32 = 10;

/// The capture with its secrets taken out, or moved behind its last packet.
fn capture(name: &str, late: bool) -> Vec<u8> {
    let file = std::fs::read(folder(name).join("capture.pcapng")).unwrap();
    let blocks = blocks(&file);
    let of = |secrets: bool| {
        let wanted = blocks.iter().filter(move |(kind, _)| (*kind == SECRETS) == secrets);
        wanted.flat_map(|(_, block)| block.iter().copied())
    };
    assert!(of(true).count() > 0, "{name} holds no secrets");
    of(false).chain(of(true).filter(|_| late)).collect()
}

/// Standard output and standard error of a run that went well.
fn run(arguments: &[&str]) -> (String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_smtpcap"))
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {errors}");
    (String::from_utf8(output.stdout).unwrap(), errors)
}

fn document(arguments: &[&str]) -> Value {
    let arguments = [&["analyze", "--format", "json", "--lang", "en"], arguments].concat();
    serde_json::from_str(&run(&arguments).0).unwrap()
}

fn sessions(document: &Value) -> &Vec<Value> {
    document["sessions"].as_array().unwrap()
}

fn slugs(session: &Value) -> Vec<&str> {
    let findings = session["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["id"].as_str().unwrap()).collect()
}

fn reasons(session: &Value) -> Vec<&str> {
    let sides = ["client", "server"].map(|side| &session["tls"]["decryption"][side]["stopped"]);
    sides.into_iter().filter_map(Value::as_str).collect()
}

#[test]
fn a_key_log_file_says_what_the_keys_inside_the_capture_say() {
    for name in FIXTURES {
        let bare = Scratch::new(&format!("{name}.pcapng"), &capture(name, false));
        let keys = folder(name).join("capture.keys");
        let with_file = document(&[bare.name(), "--keylog", keys.to_str().unwrap()]);
        let inside = document(&[folder(name).join("capture.pcapng").to_str().unwrap()]);
        assert_eq!(with_file["sessions"], inside["sessions"], "{name}");
        assert_eq!(with_file["insights"], inside["insights"], "{name}");
        assert_eq!(with_file["capture"]["key_log"], inside["capture"]["key_log"], "{name}");
        let without = document(&[bare.name()]);
        assert!(without["capture"]["key_log"].is_null());
        assert_ne!(without["sessions"], inside["sessions"], "{name}");
        assert!(
            sessions(&without)
                .iter()
                .all(|session| session["tls"]["decryption"].is_null())
        );
    }
}

#[test]
fn what_was_inside_tls_is_told_and_never_as_readable_on_the_way() {
    const EXPOSING: [&str; 7] = [
        "apop-weak",
        "auth-cleartext-credentials",
        "auth-cram-md5-exposed",
        "imap-preauth-cleartext",
        "retrieval-cleartext-credentials",
        "starttls-offered-not-used",
        "tls-content-opaque",
    ];
    let (mut inside, mut logins) = (0, 0);
    for name in FIXTURES {
        let document = document(&[folder(name).join("capture.pcapng").to_str().unwrap()]);
        for session in sessions(&document) {
            for slug in slugs(session) {
                assert!(
                    !EXPOSING.contains(&slug) && slug != "auth-tls-inner-outcome",
                    "{name}: {slug}"
                );
            }
            for exchange in session["exchanges"].as_array().into_iter().flatten() {
                let command = exchange["command"].as_str().unwrap();
                let upgrade = ["STARTTLS", "a0 STARTTLS", "STLS"].contains(&command);
                assert!(!upgrade || exchange["inside_tls"].is_null(), "{name} {command}");
                let login = ["AUTH", "PASS", "MAIL"].iter().any(|verb| command.starts_with(verb));
                assert!(!login || exchange["inside_tls"] == true, "{name} {command}");
                inside += u64::from(exchange["inside_tls"] == true);
            }
            for auth in session["auth"].as_array().into_iter().flatten() {
                assert_eq!(auth["exposure"], "encrypted", "{name}");
                logins += 1;
            }
        }
        for insight in document["insights"].as_array().unwrap() {
            let said = insight["why"].to_string() + &insight["evidence"].to_string();
            assert!(!said.contains("readable"), "{name}: {insight}");
        }
    }
    assert!(inside > 100 && logins >= 15, "{inside} commands, {logins} logins");
}

#[test]
fn no_key_and_no_password_is_printed_in_any_form() {
    let number = std::cell::Cell::new(0);
    for name in FIXTURES {
        let path = folder(name).join("capture.pcapng");
        let keys = folder(name).join("capture.keys");
        let (path, keys) = (path.to_str().unwrap(), keys.to_str().unwrap());
        let text = key_log(name);
        let secrets: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_whitespace().nth(2))
            .collect();
        assert!(!secrets.is_empty());
        let check = |arguments: &[&str]| {
            let (output, errors) = run(arguments);
            let said = output + &errors;
            number.set(number.get() + 1);
            assert!(!said.contains("PLANTED"), "{arguments:?}");
            for secret in &secrets {
                assert!(!said.to_lowercase().contains(&secret[..16]), "{arguments:?}");
            }
        };
        for language in ["en", "ja"] {
            for format in ["table", "json", "jsonl"] {
                check(&[
                    "analyze", path, "--keylog", keys, "--format", format, "--lang", language, "-v", "-v",
                ]);
            }
            for session in ["1", "2", "3"].iter().take(sessions(&document(&[path])).len()) {
                check(&["show", path, "--session", session, "--lang", language]);
            }
        }
    }
    assert!(number.get() > 60);
}

#[test]
fn wrong_keys_are_told_and_show_nothing() {
    for name in ["keys-suites", "keys-retrieval", "keys-cbc"] {
        let wrong: String = key_log(name)
            .lines()
            .map(|line| match line.strip_suffix('0') {
                Some(start) => format!("{start}1\n"),
                None => format!("{}0\n", &line[..line.len() - 1]),
            })
            .collect();
        let bare = Scratch::new(&format!("wrong-{name}.pcapng"), &capture(name, false));
        let wrong = Scratch::new(&format!("wrong-{name}.keys"), wrong.as_bytes());
        let document = document(&[bare.name(), "--keylog", wrong.name()]);
        for session in sessions(&document) {
            assert_eq!(session["tls"]["decrypted"], false);
            assert!(reasons(session).iter().all(|reason| *reason == "wrong_secret") && !reasons(session).is_empty());
            assert_eq!(session["outcome"], "encrypted", "{name}");
            let told = session["findings"]
                .as_array()
                .unwrap()
                .iter()
                .find(|finding| finding["id"] == "tls-content-opaque");
            let why = told.unwrap()["why"].to_string();
            assert!(why.contains("does not open it"), "{why}");
            assert!(!session["exchanges"].to_string().contains("MAIL"));
        }
        for language in ["en", "ja"] {
            let (page, _) = run(&[
                "show",
                bare.name(),
                "--keylog",
                wrong.name(),
                "-s",
                "1",
                "--lang",
                language,
            ]);
            assert!(!page.contains("MAIL FROM") && !page.contains("LOGIN "), "{page}");
        }
    }
}

#[test]
fn a_cut_key_log_loses_sessions_and_says_so() {
    let text = key_log("keys-suites");
    let bare = Scratch::new("cut.pcapng", &capture("keys-suites", false));
    let half = Scratch::new("cut.keys", &text.as_bytes()[..text.len() - 20]);
    let (page, errors) = run(&["analyze", bare.name(), "--keylog", half.name(), "--lang", "en"]);
    assert!(errors.contains("1 damaged line"), "{errors}");
    assert!(page.contains("Key logs: 1 damaged line"), "{page}");
    let document = document(&[bare.name(), "--keylog", half.name()]);
    assert_eq!(document["capture"]["key_log"]["damaged_lines"], 1);
    let decrypted = sessions(&document)
        .iter()
        .filter(|session| session["tls"]["decrypted"] == true);
    assert_eq!(decrypted.count(), sessions(&document).len() - 1);
    assert!(
        sessions(&document)
            .iter()
            .any(|session| reasons(session).contains(&"no_secret"))
    );
}

#[test]
fn keys_of_one_direction_give_no_half_dialogue() {
    let bare = Scratch::new("half.pcapng", &capture("keys-embedded", false));
    for missing in ["CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"] {
        let text: String = key_log("keys-embedded")
            .lines()
            .filter(|line| !line.starts_with(missing))
            .map(|line| format!("{line}\n"))
            .collect();
        let keys = Scratch::new(&format!("half-{missing}.keys"), text.as_bytes());
        let document = document(&[bare.name(), "--keylog", keys.name()]);
        let first = &sessions(&document)[0];
        assert_eq!(first["tls"]["decrypted"], false);
        assert_eq!(first["outcome"], "encrypted");
        assert_eq!(reasons(first), ["no_secret"]);
        assert_eq!(first["tls"]["certificates_decrypted"], true);
        assert!(slugs(first).contains(&"tls-content-opaque"));
        let inside = |exchange: &&Value| exchange["inside_tls"] == true;
        assert_eq!(first["exchanges"].as_array().unwrap().iter().filter(inside).count(), 0);
    }
}

#[test]
fn keys_behind_the_packets_are_told_to_be_late() {
    let late = Scratch::new("late.pcapng", &capture("keys-handshake", true));
    for threads in ["1", "4"] {
        let (page, errors) = run(&["analyze", late.name(), "--lang", "en", "--threads", threads]);
        assert!(page.contains("0 sessions were decrypted"), "{page}");
        assert!(errors.contains("keys stand behind packets"), "{errors}");
    }
}

#[test]
fn what_is_no_key_log_is_told() {
    let bare = folder("keys-embedded").join("capture.pcapng");
    let text = Scratch::new("none.keys", b"This is no key log.\nNeither is this.\n");
    let (_, errors) = run(&[
        "analyze",
        folder("healthy-delivery").join("capture.pcap").to_str().unwrap(),
        "--keylog",
        text.name(),
    ]);
    assert!(errors.contains("not one secret"), "{errors}");
    let output = Command::new(env!("CARGO_BIN_EXE_smtpcap"))
        .args(["analyze", bare.to_str().unwrap(), "--keylog", "/nonexistent/keys"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nonexistent/keys: cannot be opened"));
}

/// A frame's TCP segment in pieces of one octet each; other frames as they are. Ethernet and IPv4 only.
fn pieces(frame: &[u8]) -> Vec<Vec<u8>> {
    let header = 14 + usize::from(frame[14] & 15) * 4;
    let data = header + usize::from(frame[header + 12] >> 4) * 4;
    let end = 14 + usize::from(u16::from_be_bytes([frame[16], frame[17]]));
    if frame[23] != 6 || end <= data + 1 {
        return vec![frame.to_vec()];
    }
    let sequence = u32::from_be_bytes(frame[header + 4..header + 8].try_into().unwrap());
    (data..end)
        .map(|at| {
            let mut piece = [&frame[..data], &frame[at..=at]].concat();
            let total = u16::try_from(piece.len() - 14).unwrap();
            piece[16..18].copy_from_slice(&total.to_be_bytes());
            let number = sequence.wrapping_add(u32::try_from(at - data).unwrap());
            piece[header + 4..header + 8].copy_from_slice(&number.to_be_bytes());
            if at + 1 < end {
                // FIN and PSH belong to the last one.
                piece[header + 13] &= !9;
            }
            piece
        })
        .collect()
}

/// Commands with their replies, outcome, what was decrypted and what is said, of every session.
fn told(name: &str, cut: bool) -> Vec<String> {
    let options = Options::default();
    let path = folder(name).join("capture.pcapng");
    let mut reader = Reader::new([Input::Path(path)]).with_secrets(options.take_embedded_keys());
    let mut analyzer = Analyzer::new(&options);
    while let Some(frame) = reader.next_frame().unwrap() {
        let parts = if cut {
            pieces(frame.bytes)
        } else {
            vec![frame.bytes.to_vec()]
        };
        for bytes in parts {
            let original_length = u32::try_from(bytes.len()).unwrap();
            analyzer.push_frame(&Frame {
                bytes: &bytes,
                original_length,
                ..frame
            });
        }
    }
    analyzer.finish();
    let mut sessions: Vec<_> = std::iter::from_fn(|| analyzer.poll_session()).collect();
    sessions.sort_by_key(|(session, _)| session.id);
    let tell = |(session, findings): &(Session, Vec<Finding>)| {
        let reply = |exchange: &smtp::Exchange| exchange.reply.yes().map(|reply| reply.code);
        let smtp: Vec<_> = session
            .exchanges()
            .iter()
            .map(|exchange| {
                (
                    exchange.line.clone(),
                    exchange.inside_tls,
                    reply(exchange),
                    exchange.command.first(),
                )
            })
            .collect();
        let retrieval: Vec<_> = session
            .commands()
            .iter()
            .map(|command| {
                (
                    &command.line,
                    command.inside_tls,
                    command.answer.yes().map(|answer| answer.status),
                )
            })
            .collect();
        let tls = session.tls.as_deref().unwrap();
        let slugs: Vec<_> = findings
            .iter()
            .filter(|finding| !matches!(finding.rule.layer, Layer::Net | Layer::Capture))
            .map(|finding| (finding.rule.slug, finding.root_cause))
            .collect();
        format!(
            "{smtp:?} {retrieval:?} {:?} {:?} {:?} {:?} {slugs:?}",
            session.outcome, tls.decryption, tls.alerts, tls.server_certificate
        )
    };
    sessions.iter().map(tell).collect()
}

#[test]
fn octet_by_octet_the_inside_is_told_the_same() {
    for name in FIXTURES {
        let (whole, cut) = (told(name, false), told(name, true));
        assert!(!whole.is_empty());
        for (whole, cut) in whole.iter().zip(&cut) {
            assert_eq!(whole, cut, "{name}");
        }
        assert_eq!(whole.len(), cut.len(), "{name}");
    }
}
