//! What is told of sessions, and when.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::{Live, analysed, fixture, header, one_session, parse, record, records, sessions, standing};

/// Every capture in `fixtures/`.
fn captures() -> Vec<std::path::PathBuf> {
    let mut captures = Vec::new();
    for folder in std::fs::read_dir(fixture(""))
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if folder.is_dir() {
            let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            captures.extend(files.filter(|path| path.to_str().unwrap().contains(".pcap")));
        }
    }
    captures.sort();
    assert!(captures.len() > 60);
    captures
}

#[test]
fn every_fixture_seen_live_gives_the_sessions_and_insights_of_analyze() {
    let mut taken_back = 0;
    for path in captures() {
        let output = Command::new(env!("CARGO_BIN_EXE_smtpcap"))
            .args(["live", "-", "--format", "jsonl"])
            .stdin(std::fs::File::open(&path).unwrap())
            .env("LC_ALL", "C")
            .output()
            .unwrap();
        let live = parse(&String::from_utf8(output.stdout).unwrap());
        let file = analysed(&path);
        let name = path.display();
        assert_eq!(sessions(&live), sessions(&file), "{name}");
        // Live an insight may be said twice: when it becomes true, and when it has grown. What later sessions contradict
        // is taken back.
        assert_eq!(standing(&live), standing(&file), "{name}");
        taken_back += live.iter().filter(|one| one["type"] == "insight_withdrawn").count();
        let last = live.last().unwrap();
        assert_eq!(last["type"], "summary", "{name}");
        assert_eq!(last, file.last().unwrap(), "{name}");
        assert!(
            output.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    // java-old-versions: two settings at first sight, then a session that shows two programs behind one address.
    assert!((1..10).contains(&taken_back), "{taken_back}");
}

#[test]
fn a_session_is_told_within_a_second_of_its_end_while_the_pipe_stays_open() {
    for format in ["table", "jsonl"] {
        let mut live = Live::start(&["--format", format]);
        live.feed(&header());
        for packet in one_session() {
            live.feed(&record(&packet));
            std::thread::sleep(Duration::from_millis(1));
        }
        let ended = Instant::now();
        let (told, line) = live
            .output
            .wait("198.51.100.", Duration::from_secs(5))
            .expect("a line while the pipe is open");
        // Half a second of grace for a busy machine; a session that waits out its late segments comes after 2.3 s.
        let after = told.duration_since(ended);
        assert!(after < Duration::from_millis(1_500), "{format}: {after:?}: {line}");
        live.close();
        let (status, _) = live.end();
        assert!(status.success());
    }
}

#[test]
fn nothing_is_concluded_from_the_silence_of_a_writer_that_writes_in_blocks() {
    let mut live = Live::start(&["--format", "jsonl"]);
    let packets = one_session();
    live.feed(&header());
    live.feed(&records(&packets));
    // Half a record: the block is full, the writer waits for the next.
    let next = record(&packets[0]);
    live.feed(&next[..20]);
    assert!(live.output.wait("session", Duration::from_millis(2_500)).is_none());
    live.feed(&next[20..]);
    let said = live.errors.wait("-U", Duration::from_secs(5));
    assert!(said.is_some(), "it says what to change");
}

#[test]
fn a_filter_shows_what_it_names_and_the_story_stands_under_a_failure() {
    let run = |arguments: &[&str]| {
        let mut command = crate::harness::command(arguments);
        let input = std::fs::File::open(fixture("intercom/capture.pcapng")).unwrap();
        let output = command.stdin(input).env("LC_ALL", "C").output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, all) = run(&[]);
    assert_eq!(code, Some(0));
    assert!(
        all.contains("    FAILED The server refused the client's TLS version TLS 1.0"),
        "{all}"
    );
    assert!(
        all.contains("What to do: [client]") && all.contains("frame 12"),
        "{all}"
    );
    // The same failure of the same device again is a line.
    assert!(all.contains("#16") && all.contains("(as in #1)"), "{all}");
    let (code, some) = run(&["--filter", "outcome=accepted", "--fail-on", "fail"]);
    assert!(some.contains("#66") && !some.contains("#16 "), "{some}");
    assert_eq!(code, Some(1), "an insight says that something failed");
    let (code, _) = run(&["--fail-on", "risk", "--format", "jsonl"]);
    assert_eq!(code, Some(1));
    for columns in ["40", "60", "80", "120"] {
        for lang in ["en", "ja"] {
            let (_, text) = run(&["--width", columns, "--lang", lang]);
            let widest = text.lines().map(unicode_width::UnicodeWidthStr::width).max().unwrap();
            assert!(widest <= columns.parse().unwrap(), "{columns} {lang}: {widest}");
        }
    }
}

#[test]
fn what_is_no_capture_is_refused_with_one_line() {
    let mut live = Live::start(&[]);
    live.feed(b"this is a text and no capture at all, of any kind\n");
    live.close();
    let (status, _) = live.end();
    assert_eq!(status.code(), Some(2));
    assert!(live.errors.rest().iter().any(|line| line.contains("not a capture")));
}

#[test]
fn the_notice_is_said_once_in_both_languages() {
    for (lang, words) in [("en", "secrecy of communications"), ("ja", "通信の秘密")] {
        let mut live = Live::start(&["--lang", lang]);
        live.close();
        live.end();
        let said = live.errors.rest().iter().filter(|line| line.contains(words)).count();
        assert_eq!(said, 1, "{lang}");
    }
}
