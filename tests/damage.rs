//! What a capture lacks makes the tool more modest, never wrong: every fixture (and, where it is present, the lab) is cut,
//! gapped, made one-sided and shortened, and no session may then have a failure told as sure that the whole capture does
//! not show.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use smtpcap::analyzer::{Analyzer, Options};
use smtpcap::capture::{Input, Reader};
use smtpcap::diagnosis::{Confidence, Finding, Severity};
use smtpcap::frame::Frame;
use smtpcap::session::Session;

/// Octets kept of each frame by the old default of tcpdump (with room for one more header).
const SNAP: usize = 96;

/// What may differ all the same: the slug, the damage (or "" for any), and why that is right.
const JUSTIFIED: &[(&str, &str, &str)] = &[
    (
        "smtp-no-greeting",
        "first half",
        "the greeting came after the client had given up: until then there was none, which is what this says",
    ),
    (
        "smtp-no-greeting",
        "every tenth frame lost (7)",
        "the late greeting is the frame that was lost, and nothing acknowledges it: the client was gone",
    ),
    (
        "starttls-client-abandons-after-220",
        "every tenth frame lost (3)",
        "the lost frame is the server's bare FIN, which leaves no trace; the client's own FIN is then the first",
    ),
];

type Sessions = Vec<(Session, Vec<Finding>)>;

/// The frames of a capture. Their octets are given away: the test process is short and the fixtures are small.
fn read(path: &Path) -> Vec<Frame<'static>> {
    let mut reader = Reader::new(vec![Input::Path(path.to_owned())]);
    let mut frames = Vec::new();
    loop {
        match reader.next_frame() {
            Ok(Some(frame)) => frames.push(Frame {
                bytes: Vec::leak(frame.bytes.to_vec()),
                ..frame
            }),
            Ok(None) | Err(_) => return frames,
        }
    }
}

fn analyse(frames: &[Frame<'static>]) -> Sessions {
    let mut analyzer = Analyzer::new(&Options::default());
    for frame in frames {
        analyzer.push_frame(frame);
    }
    analyzer.finish();
    std::iter::from_fn(|| analyzer.poll_session()).collect()
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(four) => four.octets().to_vec(),
        IpAddr::V6(six) => six.octets().to_vec(),
    }
}

/// The frame comes from one of these addresses: in an IP header the source stands before the destination.
fn is_from(frame: &Frame<'_>, sources: &BTreeSet<IpAddr>, others: &BTreeSet<IpAddr>) -> bool {
    let place = |addresses: &BTreeSet<IpAddr>| {
        addresses
            .iter()
            .filter_map(|address| memchr::memmem::find(frame.bytes, &octets(*address)))
            .min()
    };
    match (place(sources), place(others)) {
        (Some(source), Some(other)) => source < other,
        (Some(_), None) => true,
        _ => false,
    }
}

fn damaged(frames: &[Frame<'static>], whole: &Sessions) -> Vec<(&'static str, Vec<Frame<'static>>)> {
    let clients: BTreeSet<IpAddr> = whole
        .iter()
        .map(|(session, _)| session.connection.client.address)
        .collect();
    let servers: BTreeSet<IpAddr> = whole
        .iter()
        .map(|(session, _)| session.connection.server.address)
        .collect();
    let middle = frames.len() / 2;
    let every_tenth = |offset: usize| {
        frames
            .iter()
            .enumerate()
            .filter(|(position, _)| position % 10 != offset)
            .map(|(_, frame)| *frame)
            .collect::<Vec<_>>()
    };
    let side = |keep_client: bool| {
        frames
            .iter()
            .filter(|frame| is_from(frame, &clients, &servers) == keep_client)
            .copied()
            .collect::<Vec<_>>()
    };
    let snapped = frames
        .iter()
        .map(|frame| Frame {
            bytes: &frame.bytes[..frame.bytes.len().min(SNAP)],
            ..*frame
        })
        .collect();
    vec![
        ("first half", frames[..middle].to_vec()),
        ("second half", frames[middle..].to_vec()),
        ("every tenth frame lost (3)", every_tenth(3)),
        ("every tenth frame lost (7)", every_tenth(7)),
        ("only the client", side(true)),
        ("only the server", side(false)),
        ("96 octets of each frame", snapped),
    ]
}

/// A connection's two ends: what a session of the damaged capture has in common with its whole one.
fn ends(session: &Session) -> (String, String) {
    (
        session.connection.client.to_string(),
        session.connection.server.to_string(),
    )
}

fn captures() -> Vec<PathBuf> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut found: Vec<PathBuf> = std::fs::read_dir(fixtures)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()))
        .chain(
            common::shared("lab")
                .into_iter()
                .flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())),
        )
        .filter(|path| path.to_string_lossy().contains(".pcap"))
        .collect();
    found.sort();
    found
}

#[test]
fn damage_makes_the_tool_more_modest_and_never_wrong() {
    let mut wrong: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut used = BTreeSet::new();
    let (mut compared, mut weak) = (0, 0);
    for path in captures() {
        let frames = read(&path);
        let whole = analyse(&frames);
        let mut known: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
        for (session, findings) in &whole {
            known
                .entry(ends(session))
                .or_default()
                .extend(findings.iter().map(|finding| finding.rule.slug));
        }
        for (what, kept) in damaged(&frames, &whole) {
            for (session, findings) in analyse(&kept) {
                compared += 1;
                let said = known.get(&ends(&session));
                for finding in findings.iter().filter(|one| one.severity == Severity::Fail) {
                    let slug = finding.rule.slug;
                    if said.is_some_and(|said| said.contains(slug)) {
                        continue;
                    }
                    if finding.confidence < Confidence::Likely {
                        weak += 1;
                        continue;
                    }
                    if let Some(reason) = JUSTIFIED
                        .iter()
                        .position(|(one, damage, _)| *one == slug && (damage.is_empty() || *damage == what))
                    {
                        used.insert(reason);
                        continue;
                    }
                    wrong
                        .entry((slug.to_owned(), what.to_owned()))
                        .or_default()
                        .push(format!(
                            "{:?} {} {}",
                            finding.confidence,
                            path.parent().unwrap().file_name().unwrap().to_string_lossy(),
                            session.connection.client
                        ));
                }
            }
        }
    }
    println!("{compared} damaged sessions; {weak} failures of them are told as possible or inferred only");
    for ((slug, what), places) in &wrong {
        println!(
            "{slug} ({what}): {} times: {}",
            places.len(),
            places.iter().take(5).cloned().collect::<Vec<_>>().join(", ")
        );
    }
    assert!(compared > 1000);
    assert!(
        wrong.is_empty(),
        "a damaged capture tells failures as sure that the whole one does not show"
    );
    assert_eq!(used.len(), JUSTIFIED.len(), "an exception that nothing needs");
}
