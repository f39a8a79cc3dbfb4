//! Signals: the operator ends it, asks what is open, rotates the logs; the reader of the output leaves.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::harness::{
    Folder, LONG, Live, analysed, command, header, one_session, packets, parse, record, records, sessions,
};

/// A session up to its fifth packet with payload: open, in the middle of the dialogue.
fn half() -> Vec<u8> {
    let packets = one_session();
    [header(), records(&packets[..packets.len() / 2])].concat()
}

#[test]
fn open_sessions_are_told_as_cut_by_the_operator_and_blame_nobody() {
    for (signal, lang, words) in [
        ("INT", "en", "You stopped watching"),
        ("TERM", "ja", "監視を終了しました"),
    ] {
        let mut live = Live::start(&["--format", "jsonl", "--lang", lang, "--fail-on", "fail"]);
        live.feed(&half());
        std::thread::sleep(Duration::from_millis(300));
        live.signal(signal);
        let (status, took) = live.end();
        assert!(took < Duration::from_secs(2), "{took:?}");
        assert_eq!(status.code(), Some(0));
        let said = parse(&live.output.rest().concat());
        let told = sessions(&said);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["ended_by"], "stopped_by_operator");
        assert_eq!(told[0]["outcome"], "unknown");
        let findings = told[0]["findings"].as_array().unwrap();
        assert!(findings.iter().all(|one| one["severity"] != "fail"), "{findings:?}");
        let partial = findings
            .iter()
            .find(|one| one["id"] == "capture-partial-session")
            .unwrap();
        assert!(partial["what"].as_str().unwrap().contains(words), "{partial}");
        assert_eq!(said.last().unwrap()["type"], "summary");
    }
}

#[test]
fn a_table_says_that_a_session_was_still_open() {
    let mut live = Live::start(&[]);
    live.feed(&half());
    std::thread::sleep(Duration::from_millis(300));
    live.signal("INT");
    assert_eq!(live.end().0.code(), Some(0));
    let text = live.output.rest().concat();
    assert!(text.contains("still open when stopped"), "{text}");
    assert!(text.contains("The whole watch"), "{text}");
}

#[test]
fn a_signal_comes_through_although_the_pipe_never_stops() {
    let mut live = Live::start(&["--format", "jsonl"]);
    let packets = one_session();
    let mut input = live.input.take().unwrap();
    let writer = std::thread::spawn(move || {
        use std::io::Write;
        let octets = records(&packets);
        if input.write_all(&header()).is_ok() {
            while input.write_all(&octets).is_ok() {}
        }
    });
    live.output.wait("session", LONG).expect("something is told");
    live.signal("INT");
    let (status, took) = live.end();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(2), "{took:?}");
    writer.join().unwrap();
}

#[test]
fn usr1_lists_what_is_open() {
    let mut live = Live::start(&[]);
    live.feed(&half());
    std::thread::sleep(Duration::from_millis(300));
    live.signal("USR1");
    live.output.wait("Open now: sessions 1,", LONG).expect("a heading");
    let (_, line) = live.output.wait("#1 ", LONG).expect("the session");
    assert!(line.contains("plaintext"), "{line}");
    live.feed(&[]);
    live.signal("TERM");
    assert_eq!(live.end().0.code(), Some(0));
}

#[test]
fn hup_opens_the_output_again_and_nothing_is_lost_or_doubled() {
    let folder = Folder::new("hup");
    let (log, old) = (folder.0.join("log"), folder.0.join("log.1"));
    // A file whose records' ends can be seen in the stream: while the octets end inside one nothing is concluded from the
    // silence, so it does not matter how long a busy machine lets the rest wait.
    let path = folder.0.join("capture.pcap");
    let packets = packets("intercom/capture.pcapng");
    let octets = [header(), records(&packets)].concat();
    std::fs::write(&path, &octets).unwrap();
    let ends = packets.iter().scan(header().len(), |at, packet| {
        *at += record(packet).len();
        Some(*at)
    });
    // Each part ends 20 octets into a record, the last with the file.
    let cuts: Vec<usize> = ends.map(|end| end + 20).collect();
    let (mut from, mut parts) = (0, Vec::new());
    for cut in cuts.iter().skip(cuts.len() / 7).step_by(cuts.len() / 7) {
        let to = (*cut).min(octets.len());
        parts.push(&octets[from..to]);
        from = to;
    }
    parts.push(&octets[from..]);
    let mut live = Live::start(&["--format", "jsonl", "-o", log.to_str().unwrap()]);
    // Before that, a signal ends it.
    live.errors.wait("Watching", LONG).expect("it starts");
    // Rotated at many places, in the middle of sessions and records.
    let mut files = Vec::new();
    for (round, part) in parts.into_iter().enumerate() {
        live.feed(part);
        std::thread::sleep(Duration::from_millis(50));
        std::fs::rename(&log, &old).unwrap();
        live.signal("HUP");
        live.errors.wait("opened again", LONG).expect("it says so");
        files.push(std::fs::read_to_string(&old).unwrap());
        assert!(log.exists(), "round {round}");
    }
    live.close();
    assert_eq!(live.end().0.code(), Some(0));
    files.push(std::fs::read_to_string(&log).unwrap());
    let filled = files.iter().filter(|file| !parse(file).is_empty()).count();
    assert!(filled >= 3, "rotated between records: {filled} files have some");
    assert_eq!(sessions(&parse(&files.concat())), sessions(&analysed(&path)));
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let mut command = command(&["--format", "jsonl"]);
    let mut child = command
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    use std::io::Write;
    let packets = one_session();
    let begun = Instant::now();
    let _ = input.write_all(&header());
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < LONG);
        for packet in &packets {
            let _ = input.write_all(&record(packet));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!errors.contains("error") && !errors.contains("panic"), "{errors}");
}
