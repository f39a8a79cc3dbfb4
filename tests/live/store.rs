//! The captures that a live run writes: a ring of the mail traffic, and the frames of failed sessions.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::disk::many;
use crate::harness::{Folder, Live, analysed, fixture, header, parse, records, sessions};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in &files {
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(file.to_str().unwrap().ends_with(".pcapng"));
    }
    assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    files
}

fn run(name: &str, arguments: &[&str]) -> Vec<Value> {
    let mut command = crate::harness::command(&[&["--format", "jsonl"], arguments].concat());
    let input = std::fs::File::open(fixture(name)).unwrap();
    let output = command.stdin(input).env("LC_ALL", "C").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    parse(&String::from_utf8(output.stdout).unwrap())
}

/// Everything of a session that does not count frames from the beginning of the capture.
fn gist(sessions: &[Value]) -> Vec<(String, String, Vec<String>)> {
    let mut gist: Vec<_> = sessions
        .iter()
        .map(|one| {
            let findings = one["findings"].as_array().unwrap();
            let ids = findings
                .iter()
                .map(|finding| finding["id"].as_str().unwrap().to_owned());
            (
                one["client"].to_string() + &one["server"].to_string(),
                one["outcome"].to_string(),
                ids.collect(),
            )
        })
        .collect();
    gist.sort();
    gist
}

const CAPTURES: &[&str] = &[
    "any-sll/capture.pcap",
    "connection-refused/capture.pcap.gz",
    "intercom/capture.pcapng",
    "pmtu-black-hole/capture.pcapng",
    "router-any-twice/capture.pcapng",
    "vlan-qinq/capture.pcapng",
];

fn captures() -> Vec<String> {
    let mut found = Vec::new();
    for name in CAPTURES {
        let folder = fixture(name.split('/').next().unwrap());
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.to_str().unwrap().contains(".pcap") {
                found.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    assert!(found.len() >= CAPTURES.len());
    found
}

#[test]
fn the_ring_holds_all_mail() {
    for name in captures() {
        let folder = Folder::new("ring");
        let ring = folder.0.join("ring");
        run(&name, &["--ring", ring.to_str().unwrap()]);
        let written = files(&ring);
        assert_eq!(written.len(), 1, "{name}");
        let (file, again) = (analysed(Path::new(&name)), analysed(&written[0]));
        assert_eq!(gist(&sessions(&again)), gist(&sessions(&file)), "{name}");
        assert_eq!(again[again.len() - 2]["files"][0]["damages_in_all"], 0);
    }
}

#[test]
fn the_ring_is_rotated_and_bounded_over_several_runs() {
    let folder = Folder::new("rotated");
    let ring = folder.0.join("ring");
    let mut names = Vec::new();
    for _ in 0..2 {
        let arguments = [
            "--ring",
            ring.to_str().unwrap(),
            "--ring-files",
            "3",
            "--ring-size",
            "1",
        ];
        let mut live = Live::start(&[&["--format", "jsonl"], &arguments[..]].concat());
        live.feed(&header());
        for session in many(1_500) {
            live.feed(&records(&session));
        }
        live.close();
        assert!(live.end().0.success());
        let written = files(&ring);
        assert_eq!(written.len(), 3);
        for file in &written {
            assert!(std::fs::metadata(file).unwrap().len() < 1_100_000);
            let records = analysed(file);
            assert_eq!(records[records.len() - 2]["files"][0]["damages_in_all"], 0);
        }
        names.push(written);
    }
    assert!(
        names[0].iter().all(|name| !names[1].contains(name)),
        "names are not used again: {names:?}"
    );
}

#[test]
fn hup_begins_a_new_file_of_the_ring() {
    let folder = Folder::new("hup-ring");
    let ring = folder.0.join("ring");
    let mut live = Live::start(&["--ring", ring.to_str().unwrap()]);
    live.feed(&header());
    let all = many(2);
    live.feed(&records(&all[0]));
    // The signal must not overtake the frames.
    let begun = std::time::Instant::now();
    let kept = || ring.exists() && files(&ring).iter().any(|file| !sessions(&analysed(file)).is_empty());
    while !kept() {
        assert!(begun.elapsed() < crate::harness::LONG, "the frames are written");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    live.signal("HUP");
    live.errors.wait("opened again", crate::harness::LONG).unwrap();
    live.feed(&records(&all[1]));
    live.close();
    assert!(live.end().0.success());
    let told: Vec<usize> = files(&ring)
        .iter()
        .map(|file| sessions(&analysed(file)).len())
        .collect();
    assert_eq!(told, [1, 1]);
}

#[test]
fn each_failed_session_is_a_capture_with_its_finding_as_comment() {
    for name in captures() {
        let folder = Folder::new("failed");
        let failed = folder.0.join("failed");
        let live = run(&name, &["--write-failed", failed.to_str().unwrap()]);
        let wanted: BTreeMap<u64, Value> = sessions(&live)
            .into_iter()
            .filter(|one| {
                one["findings"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|finding| finding["root_cause"] == true)
            })
            .map(|one| (one["id"].as_u64().unwrap(), one))
            .collect();
        let written = files(&failed);
        assert_eq!(written.len(), wanted.len(), "{name}");
        for file in &written {
            let stem = file.file_name().unwrap().to_str().unwrap();
            let id: u64 = stem
                .split("-session-")
                .nth(1)
                .unwrap()
                .split('-')
                .next()
                .unwrap()
                .parse()
                .unwrap();
            let session = &wanted[&id];
            let again = sessions(&analysed(file));
            assert_eq!(again.len(), 1, "{name} {stem}");
            let root = |session: &Value| {
                let findings = session["findings"].as_array().unwrap().clone();
                findings
                    .into_iter()
                    .find(|one| one["root_cause"] == true)
                    .map(|one| one["id"].clone())
            };
            assert_eq!(root(&again[0]), root(session), "{name} {stem}");
            assert_eq!(
                again[0]["frames"], session["frames"],
                "{name} {stem}: all its frames are there"
            );
            let slug = root(session).unwrap().as_str().unwrap().to_owned();
            assert!(stem.contains(&slug), "{stem}");
            shows(file, &slug);
        }
    }
}

/// Wireshark's opinion: the comment stands on a frame.
fn shows(file: &Path, slug: &str) {
    let Ok(output) = Command::new("tshark")
        .arg("-r")
        .arg(file)
        .args(["-T", "fields", "-e", "frame.comment"])
        .output()
    else {
        println!("skipped: tshark is not installed");
        return;
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !errors.contains("damaged"), "{errors}");
    let comments = String::from_utf8(output.stdout).unwrap();
    assert!(comments.contains(slug), "{}: {comments}", file.display());
}

#[test]
fn what_is_no_longer_kept_is_counted() {
    // A ring of one megabyte, and a failing session whose beginning has left it.
    let folder = Folder::new("missing");
    let failed = folder.0.join("failed");
    let refused = crate::harness::packets("intercom/capture.pcapng");
    let first: Vec<_> = refused.iter().take(15).cloned().collect();
    let mut live = Live::start(&[
        "--format",
        "jsonl",
        "--keep",
        "1",
        "--write-failed",
        failed.to_str().unwrap(),
    ]);
    live.feed(&header());
    live.feed(&records(&first[..8]));
    for mut session in many(1_000) {
        for packet in &mut session {
            packet.time = first[8].time;
        }
        live.feed(&records(&session));
    }
    live.feed(&records(&first[8..]));
    live.close();
    assert!(live.end().0.success());
    let file = files(&failed)
        .into_iter()
        .find(|file| file.to_str().unwrap().contains("-session-1-"))
        .unwrap();
    let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
    assert!(
        text.contains("8 frames of this session were no longer kept"),
        "{}",
        file.display()
    );
}

#[test]
fn a_folder_that_cannot_be_is_refused_and_the_oldest_files_leave() {
    let folder = Folder::new("limit");
    let file = folder.0.join("file");
    std::fs::write(&file, "x").unwrap();
    let mut live = Live::start(&["--write-failed", file.to_str().unwrap()]);
    live.close();
    assert_eq!(live.end().0.code(), Some(2));
    let failed = folder.0.join("failed");
    std::fs::create_dir(&failed).unwrap();
    std::fs::set_permissions(&failed, std::fs::Permissions::from_mode(0o777)).unwrap();
    let other = failed.join("holiday.pcapng");
    std::fs::write(&other, "x").unwrap();
    std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o600)).unwrap();
    for _ in 0..3 {
        run(
            "connection-refused/capture.pcap.gz",
            &["--write-failed", failed.to_str().unwrap(), "--write-failed-files", "2"],
        );
    }
    std::fs::set_permissions(&failed, std::fs::Permissions::from_mode(0o700)).unwrap();
    let names = files(&failed);
    assert_eq!(names.len(), 3, "two of ours and what was there: {names:?}");
    assert!(other.exists());
}
