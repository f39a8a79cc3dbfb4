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
        "tcp-syn-no-answer",
        "96 octets of each frame",
        "the ICMPv6 error that answers the SYN quotes it behind octet 96: nobody can tell whose error it is",
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
    let lost_at_random = |seed: u64| {
        let mut state = seed;
        frames
            .iter()
            .filter(|_| {
                // xorshift64: the same frames at each run
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                !state.is_multiple_of(50)
            })
            .copied()
            .collect::<Vec<_>>()
    };
    let twice = frames.iter().flat_map(|frame| [*frame, *frame]).collect();
    let later = |part: usize| frames[frames.len() * part / 100..].to_vec();
    vec![
        ("2 % lost (1)", lost_at_random(0x9e37_79b9_7f4a_7c15)),
        ("2 % lost (2)", lost_at_random(0xbf58_476d_1ce4_e5b9)),
        ("every frame twice", twice),
        ("neighbours swapped", swapped(frames)),
        ("begins after a tenth", later(10)),
        ("begins after a quarter", later(25)),
        ("first half", frames[..middle].to_vec()),
        ("second half", frames[middle..].to_vec()),
        ("every tenth frame lost (3)", every_tenth(3)),
        ("every tenth frame lost (7)", every_tenth(7)),
        ("only the client", side(true)),
        ("only the server", side(false)),
        ("96 octets of each frame", snapped),
    ]
}

/// Each pair of neighbours changes places; the clock runs on.
fn swapped(frames: &[Frame<'static>]) -> Vec<Frame<'static>> {
    let mut frames = frames.to_vec();
    for pair in frames.chunks_exact_mut(2) {
        let (first, second) = (pair[0], pair[1]);
        pair[0] = Frame {
            number: first.number,
            time: first.time,
            ..second
        };
        pair[1] = Frame {
            number: second.number,
            time: second.time,
            ..first
        };
    }
    frames
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

/// A failure that a damaged capture tells and the whole one does not.
struct New {
    slug: &'static str,
    damage: &'static str,
    confidence: Confidence,
    root_cause: bool,
    /// The whole capture tells no failure of this session at all.
    healthy: bool,
    place: String,
}

/// All failures that damage makes up in one capture, and how many sessions were compared.
fn made_up(path: &Path) -> (Vec<New>, usize) {
    let frames = read(path);
    let whole = analyse(&frames);
    let mut known: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
    for (session, findings) in &whole {
        let failures = findings.iter().filter(|finding| finding.severity == Severity::Fail);
        known
            .entry(ends(session))
            .or_default()
            .extend(failures.map(|finding| finding.rule.slug));
    }
    let (mut new, mut compared) = (Vec::new(), 0);
    for (damage, kept) in damaged(&frames, &whole) {
        for (session, findings) in analyse(&kept) {
            compared += 1;
            let said = known.get(&ends(&session));
            let failures = findings.iter().filter(|finding| finding.severity == Severity::Fail);
            for finding in failures.filter(|one| !said.is_some_and(|said| said.contains(one.rule.slug))) {
                new.push(New {
                    slug: finding.rule.slug,
                    damage,
                    confidence: finding.confidence,
                    root_cause: finding.root_cause,
                    healthy: said.is_none_or(BTreeSet::is_empty),
                    place: format!(
                        "{} {}",
                        path.parent().unwrap().file_name().unwrap().to_string_lossy(),
                        session.connection.client
                    ),
                });
            }
        }
    }
    (new, compared)
}

#[test]
fn damage_makes_the_tool_more_modest_and_never_wrong() {
    let captures = captures();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let (mut new, mut compared) = (Vec::new(), 0);
    std::thread::scope(|scope| {
        let work = || {
            let take = || captures.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
            std::iter::from_fn(take).map(|path| made_up(path)).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for (found, sessions) in threads.into_iter().flat_map(|thread| thread.join().unwrap()) {
            new.extend(found);
            compared += sessions;
        }
    });
    let mut wrong: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    let mut used = BTreeSet::new();
    let (mut weak, mut suspected) = (0, BTreeMap::<(&str, &str), Vec<String>>::new());
    for one in new {
        let justified = JUSTIFIED
            .iter()
            .position(|(slug, damage, _)| *slug == one.slug && (damage.is_empty() || *damage == one.damage));
        if one.confidence < Confidence::Likely {
            weak += 1;
            if one.healthy && one.root_cause {
                suspected.entry((one.slug, one.damage)).or_default().push(one.place);
            }
        } else if let Some(reason) = justified {
            used.insert(reason);
        } else {
            let told = format!(
                "{:?} {}{}",
                one.confidence,
                one.place,
                if one.healthy { " (healthy)" } else { "" }
            );
            wrong.entry((one.slug, one.damage)).or_default().push(told);
        }
    }
    println!("{compared} damaged sessions; {weak} failures of them are told as possible or inferred only");
    println!("of these in sessions that are healthy when whole: {suspected:?}");
    for ((slug, what), places) in &wrong {
        let first: Vec<&str> = places.iter().take(5).map(String::as_str).collect();
        println!("{slug} ({what}): {} times: {}", places.len(), first.join(", "));
    }
    assert!(compared > 1000);
    assert!(
        wrong.is_empty(),
        "a damaged capture tells failures as sure that the whole one does not show"
    );
    assert_eq!(used.len(), JUSTIFIED.len(), "an exception that nothing needs");
}
