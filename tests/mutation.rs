//! Every fixture, damaged at random places (the seed is fixed), through the whole program: it must end by itself, without a
//! panic, and print nothing that a terminal would obey.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Damaged copies of each fixture.
const COPIES: u64 = 6;

/// Xorshift: the same damage on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap()
    }
}

fn damage(bytes: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.roll(24) {
        let at = dice.roll(bytes.len());
        match dice.roll(4) {
            0 => bytes[at] ^= 1 << dice.roll(8),
            1 => bytes[at] = 0x1B,
            2 => bytes[at] = u8::try_from(dice.roll(256)).unwrap(),
            _ => {
                let end = bytes.len().min(at + dice.roll(64));
                bytes.drain(at..end);
            }
        }
        if bytes.len() < 64 {
            return;
        }
    }
}

fn run(bytes: Vec<u8>, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_smtpcap"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || {
        // The program may stop reading at an error.
        let _ = input.write_all(&bytes);
    });
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the output is UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn damaged_fixtures_never_panic_and_never_reach_the_terminal() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut dice = Dice(0x5EED_CAFE_F00D_0001);
    let mut runs = 0;
    let mut folders: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    for folder in folders.iter().filter(|path| path.is_dir()) {
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        let capture = files
            .into_iter()
            .find(|path| path.file_name().unwrap().to_str().unwrap().starts_with("capture.pcap"))
            .unwrap();
        let whole = std::fs::read(&capture).unwrap();
        for copy in 0..COPIES {
            let mut bytes = whole.clone();
            damage(&mut bytes, &mut dice);
            let arguments: &[&str] = match copy % 3 {
                0 => &["analyze", "-", "--lang", "ja"],
                1 => &["analyze", "-", "--format", "json"],
                _ => &["analyze", "-", "--lang", "en"],
            };
            let (code, told, complained) = run(bytes, arguments);
            let place = format!("{} copy {copy}", capture.display());
            assert!(
                matches!(code, Some(0..=3)),
                "{place}: exit status {code:?}: {complained}"
            );
            assert!(!complained.contains("panicked"), "{place}: {complained}");
            for text in [&told, &complained] {
                let bad = text.chars().find(|sign| sign.is_control() && *sign != '\n');
                let line = text.lines().find(|line| line.chars().any(char::is_control));
                assert_eq!(bad, None, "{place}: control character in the output: {line:?}");
            }
            runs += 1;
        }
    }
    assert!(runs > 400, "{runs} runs");
}
