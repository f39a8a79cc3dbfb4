//! What `smtpcap analyze` says about every capture in `fixtures/`, word for word, in English and Japanese: `golden.en.txt`
//! and `golden.ja.txt` beside the capture. `UPDATE_GOLDENS=1 cargo test --test goldens` writes them anew; read the
//! difference before committing it. Whether what is said is true is judged by `tests/lab.rs` against `truth.json`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;
use std::process::Command;

fn said(capture: &str, language: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_smtpcap"))
        .args(["analyze", capture, "--lang", language])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("COLUMNS")
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_capture_is_told_as_it_was_read_and_agreed_in_both_languages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let update = std::env::var_os("UPDATE_GOLDENS").is_some();
    let mut compared = 0;
    let mut differ = Vec::new();
    let mut folders: Vec<_> = std::fs::read_dir(root.join("fixtures"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    for folder in folders {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let files = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let mut captures: Vec<String> = files
            .filter_map(|file| file.into_string().ok())
            .filter(|file| file.starts_with("capture.pcap"))
            .collect();
        captures.sort();
        let capture = captures.first().unwrap_or_else(|| panic!("{name} has no capture"));
        for language in ["en", "ja"] {
            let told = said(&format!("fixtures/{name}/{capture}"), language);
            assert!(!told.is_empty(), "{name}: nothing is said");
            let golden = folder.join(format!("golden.{language}.txt"));
            if update {
                std::fs::write(&golden, &told).unwrap();
            }
            compared += 1;
            if std::fs::read_to_string(&golden).ok().as_deref() != Some(&told) {
                differ.push(format!("{name} ({language})"));
            }
        }
    }
    assert!(compared >= 60, "{compared} goldens");
    assert!(
        differ.is_empty(),
        "UPDATE_GOLDENS=1 cargo test --test goldens writes anew: {differ:#?}"
    );
}
