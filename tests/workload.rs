//! The correctness half of the benchmark (`benches/`): what the report says of generated captures is what was put in.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use smtpcap_workload::check::Report;
use smtpcap_workload::truth::Totals;
use smtpcap_workload::{Format, Order, Profile, Size, generate};

struct Made {
    capture: PathBuf,
    totals: Totals,
    /// One record a session.
    truths: Vec<u8>,
}

fn make(name: &str, profile: Profile, size: Size, format: Format, seed: u64) -> Made {
    let capture = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("workload-{name}.pcap"));
    let order = Order {
        profile,
        seed,
        size,
        format,
    };
    let mut truths = Vec::new();
    let totals = generate(&order, BufWriter::new(File::create(&capture).unwrap()), |truth| {
        serde_json::to_writer(&mut truths, truth)?;
        truths.write_all(b"\n")
    })
    .unwrap();
    Made {
        capture,
        totals,
        truths,
    }
}

fn report(made: &Made) -> Report {
    let written = made.capture.with_extension("jsonl");
    let run = |threads: &str| {
        let status = Command::new(env!("CARGO_BIN_EXE_smtpcap"))
            .args(["analyze", "--format", "jsonl", "--threads", threads, "-o"])
            .args([&written, &made.capture])
            .status()
            .unwrap();
        assert!(status.success());
        std::fs::read(&written).unwrap()
    };
    // The larger ones are walked ahead in chunks; that must not be seen.
    assert!(run("3") == run("1"), "{}: threads differ", made.capture.display());
    let report = Report::read(BufReader::new(File::open(&written).unwrap()), true).unwrap();
    std::fs::remove_file(written).unwrap();
    report
}

fn holds(name: &str, profile: Profile, size: Size, format: Format, seed: u64) {
    let made = make(name, profile, size, format, seed);
    let report = report(&made);
    let mut differences = report.differences(&made.totals);
    differences.extend(report.session_differences(made.truths.as_slice()).unwrap());
    assert!(
        differences.is_empty(),
        "{}:\n{}",
        made.capture.display(),
        differences.join("\n")
    );
    assert!(made.totals.sessions > 0);
    std::fs::remove_file(made.capture).unwrap();
}

#[test]
fn mail_heavy_is_reported_as_put_in() {
    holds("mail-ns", Profile::MailHeavy, Size::Sessions(300), Format::PcapNs, 11);
    holds("mail-us", Profile::MailHeavy, Size::Sessions(200), Format::PcapUs, 12);
    holds("mail-ng", Profile::MailHeavy, Size::Sessions(200), Format::Pcapng, 13);
}

#[test]
fn live_mix_is_reported_as_put_in() {
    holds("live", Profile::LiveMix, Size::Sessions(400), Format::Pcapng, 14);
}

#[test]
fn mirror_port_is_reported_as_put_in() {
    holds(
        "mirror",
        Profile::MirrorPort,
        Size::Bytes(30_000_000),
        Format::PcapNs,
        15,
    );
}

#[test]
fn many_short_is_reported_as_put_in() {
    holds("short", Profile::ManyShort, Size::Sessions(600), Format::PcapNs, 16);
}

#[test]
fn syn_flood_is_reported_as_put_in() {
    holds("flood", Profile::SynFlood, Size::Sessions(6), Format::PcapNs, 17);
}

#[test]
fn all_open_is_reported_as_put_in() {
    holds("open", Profile::AllOpen, Size::Sessions(600), Format::PcapNs, 18);
}

/// The comparison itself: each count that is wrong by one is found, and so is a session.
#[test]
fn a_wrong_truth_is_found() {
    let made = make("wrong", Profile::MailHeavy, Size::Sessions(120), Format::PcapNs, 19);
    let report = report(&made);
    assert_eq!(report.differences(&made.totals), Vec::<String>::new());
    type Change = fn(&mut Totals);
    let changes: [(&str, Change); 9] = [
        ("frames", |totals| totals.frames += 1),
        ("sessions", |totals| totals.sessions += 1),
        ("sessions with a failure", |totals| totals.failed += 1),
        ("messages accepted", |totals| totals.messages_accepted -= 1),
        ("recipients accepted", |totals| totals.recipients_accepted += 1),
        ("TLS handshakes", |totals| totals.handshakes += 1),
        ("octets lost", |totals| totals.lost_octets += 1),
        ("alert 70", |totals| {
            *totals.alerts.entry("70".to_owned()).or_default() += 1
        }),
        ("outcome accepted", |totals| {
            *totals.outcomes.entry("accepted".to_owned()).or_default() -= 1;
        }),
    ];
    for (name, change) in changes {
        let mut wrong = made.totals.clone();
        change(&mut wrong);
        let said = report.differences(&wrong);
        assert!(
            matches!(said.as_slice(), [only] if only.starts_with(&format!("{name}: "))),
            "{name}: {said:?}"
        );
    }
    let truths = String::from_utf8(made.truths).unwrap();
    let wrong = truths.replacen("\"outcome\":\"accepted\"", "\"outcome\":\"refused\"", 1);
    assert_ne!(wrong, truths);
    let said = report.session_differences(wrong.as_bytes()).unwrap();
    assert_eq!(said.len(), 1, "{said:?}");
    std::fs::remove_file(made.capture).unwrap();
}

/// Reading ahead begins and ends where the capture changes from noise to mail and back; that must not be seen.
#[test]
fn mail_and_noise_in_turns_are_reported_alike_by_any_number_of_threads() {
    let mail = |seed| ("turns-mail", Profile::MailHeavy, Size::Bytes(16_000_000), seed);
    let noise = |seed| ("turns-noise", Profile::MirrorPort, Size::Bytes(20_000_000), seed);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("workload-turns.pcap");
    let mut whole = Vec::new();
    for (name, profile, size, seed) in [mail(20), noise(21), mail(22), noise(23)] {
        let made = make(name, profile, size, Format::PcapNs, seed);
        let octets = std::fs::read(&made.capture).unwrap();
        std::fs::remove_file(made.capture).unwrap();
        whole.extend_from_slice(if whole.is_empty() { &octets } else { &octets[24..] });
    }
    std::fs::write(&path, whole).unwrap();
    let run = |threads| {
        let output = Command::new(env!("CARGO_BIN_EXE_smtpcap"))
            .args(["analyze", "--format", "jsonl", "--threads", threads])
            .arg(&path)
            .output()
            .unwrap();
        assert!(output.status.success());
        output.stdout
    };
    let alone = run("1");
    for threads in ["2", "3", "4"] {
        assert!(run(threads) == alone, "{threads} threads differ");
    }
    std::fs::remove_file(path).unwrap();
}
