//! What the writer of pcapng writes is what Wireshark's programs and our own reader read: times to the nanosecond, names,
//! link types, comments, counters. Without tshark the comparison with it says that it is skipped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;

use smtpcap::capture::write::{Blocks, Interface, Packet, Section, Statistics};
use smtpcap::capture::{CaptureFacts, Input, Reader};
use smtpcap_testkit::frame::Segment;

const COMMENT: &str = "サーバーが拒否しました: 550 <user@example> \u{1b}[31m";
const TIME: u64 = 1_764_000_000_123_456_789;

fn written() -> Vec<u8> {
    let segment = Segment::new("192.0.2.1:40000".parse().unwrap(), "198.51.100.1:25".parse().unwrap());
    let (frame, packet) = (segment.frame(), segment.packet());
    let mut blocks = Blocks::default();
    blocks.section(&Section {
        system: Some("linux"),
        application: Some("smtpcap 0.1.0"),
        comment: Some("one failed session"),
    });
    let ethernet = blocks.interface(&Interface {
        link_type: 1,
        snap_length: 262_144,
        name: Some("eth0"),
        description: None,
        filter: Some("tcp port 25"),
    });
    let raw = blocks.interface(&Interface {
        link_type: 101,
        snap_length: 0,
        name: Some("tun0"),
        ..Interface::default()
    });
    for (number, comment) in [(0, None), (1, Some(COMMENT))] {
        blocks.packet(&Packet {
            interface: ethernet,
            nanoseconds: TIME + number,
            bytes: &frame,
            original_length: 2_000,
            comment,
        });
    }
    blocks.packet(&Packet {
        interface: raw,
        nanoseconds: TIME + 2,
        bytes: &packet,
        original_length: 0,
        comment: None,
    });
    blocks.statistics(&Statistics {
        interface: ethernet,
        nanoseconds: TIME + 3,
        began: Some(TIME),
        ended: Some(TIME + 3),
        received: Some(9),
        dropped: Some(0),
        dropped_by_system: Some(7),
        delivered: Some(2),
    });
    blocks.octets().to_vec()
}

fn file(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("smtpcap-pcapng-{}-{name}", std::process::id()));
    std::fs::write(&path, written()).unwrap();
    path
}

/// Times, link types and lengths of the frames, and the facts.
fn read(path: &Path) -> (Vec<(i64, u16, usize, u32)>, CaptureFacts) {
    let mut reader = Reader::new([Input::Path(path.to_owned())]);
    let mut frames = Vec::new();
    while let Some(frame) = reader.next_frame().unwrap() {
        let time = frame.time.nanoseconds();
        frames.push((time, frame.link_type.0, frame.bytes.len(), frame.original_length));
    }
    (frames, reader.into_facts())
}

#[test]
fn our_reader_reads_what_was_written() {
    let path = file("own.pcapng");
    let (frames, facts) = read(&path);
    std::fs::remove_file(path).unwrap();
    let time = i64::try_from(TIME).unwrap();
    assert_eq!(
        frames,
        [(time, 1, 60, 2_000), (time + 1, 1, 60, 2_000), (time + 2, 101, 40, 40)]
    );
    assert!(facts.is_sound());
    let file = &facts.files[0];
    assert_eq!((file.interfaces.kept().len(), file.dropped()), (2, Some(7)));
    let comments: Vec<&[u8]> = file
        .comments
        .kept()
        .iter()
        .map(|comment| comment.text.bytes())
        .collect();
    assert!(comments.contains(&COMMENT.as_bytes()), "{comments:?}");
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    assert!(output.status.success(), "{command:?}: {output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn tshark_and_capinfos_read_what_was_written() {
    let path = file("tshark.pcapng");
    let fields = [
        "frame.time_epoch",
        "frame.interface_name",
        "frame.len",
        "frame.comment",
        "tcp.dstport",
    ];
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(&path).args(["-T", "fields", "-E", "separator=|"]);
    for field in fields {
        tshark.args(["-e", field]);
    }
    let Some(told) = output(&mut tshark) else {
        println!("skipped: tshark is not installed");
        return;
    };
    let lines: Vec<Vec<&str>> = told.lines().map(|line| line.split('|').collect()).collect();
    assert_eq!(lines[0], ["1764000000.123456789", "eth0", "2000", "", "25"]);
    assert_eq!(lines[2], ["1764000000.123456791", "tun0", "40", "", "25"]);
    assert!(lines[1][3].starts_with("サーバーが拒否しました"), "{lines:?}");
    if let Some(told) = output(Command::new("capinfos").arg(&path)) {
        for line in [
            "Capture application: smtpcap 0.1.0",
            "Number of stat entries = 1",
            "one failed session",
        ] {
            assert!(told.contains(line), "{line}: {told}");
        }
    }
    std::fs::remove_file(path).unwrap();
}
