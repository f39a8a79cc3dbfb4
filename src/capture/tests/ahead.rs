//! Files walked ahead in chunks → the same frames and facts as read in a row.

use smtpcap_testkit::bytes::Noise;
use smtpcap_testkit::{TimedFrame, pcap, pcapng};

use super::*;

/// Frames of every length, some of them earlier than the one before; one in twenty holds a capture file, one in ten may be
/// longer than what is read behind a chunk at first.
fn frames(seed: u64, count: usize) -> Vec<TimedFrame> {
    let mut noise = Noise::new(seed);
    let inner: Vec<_> = (0..8).map(|at| TimedFrame::new(at, vec![at as u8; 60])).collect();
    let inner = [pcap(&inner), pcapng(&inner, None)];
    (0..count as i64)
        .map(|at| {
            let random = noise.bytes(4);
            let jitter = i64::from(random[0]) * 20_000;
            let time = 1_700_000_000_000_000_000 + at * 1_000_000 + jitter;
            let bytes = match random[1] {
                0..=12 => inner[usize::from(random[1]) % 2].clone(),
                13..=40 => noise.bytes(usize::from(random[2]) * 20),
                _ => noise.bytes(1 + usize::from(random[2]) * 6),
            };
            TimedFrame::new(time, bytes)
        })
        .collect()
}

fn wanted(frame: &Frame<'_>) -> bool {
    frame.bytes.first().is_some_and(|first| first % 3 == 0)
}

/// What a run sees of a file that is walked ahead: wanted frames and the facts, the number of frames that were walked
/// ahead, and the last of the latest ones among these.
fn read_ahead(path: &std::path::Path, chunk: usize, threads: usize) -> (Vec<Kept>, FileFacts, u64, Option<i64>) {
    let mut reader = Reader::new([Input::Path(path.to_owned())]);
    let (mut seen, mut walked, mut latest) = (Vec::new(), 0, None);
    std::thread::scope(|scope| {
        let mut ahead = None;
        loop {
            if let Some(ahead) = &mut ahead
                && let Some(stretch) = Ahead::next_stretch(ahead, &mut reader)
            {
                seen.extend(stretch.frames().map(|frame| kept(&frame)));
                assert_eq!(stretch.counts().0 - stretch.counts().1, stretch.frames().count() as u64);
                walked += stretch.counts().0;
                latest = latest.max(stretch.latest().map(|stamp| stamp.time.nanoseconds()));
                ahead.give_back(stretch);
                continue;
            }
            let Some(frame) = reader.next_frame().unwrap() else {
                return;
            };
            seen.extend(wanted(&frame).then(|| kept(&frame)));
            if frame.number.0 == 1 {
                ahead = Ahead::in_chunks_of(chunk, scope, &reader, threads, &wanted);
            }
        }
    });
    let facts = reader.into_facts().files.remove(0);
    (seen, facts, walked, latest)
}

fn compare(bytes: &[u8], name: &str, chunks: &[usize]) -> u64 {
    let path = std::env::temp_dir().join(format!("smtpcap-ahead-{}-{name}", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    let (mut expected, facts) = read_input(Input::Path(path.clone())).unwrap();
    let latest = facts.latest.map(Timestamp::nanoseconds);
    expected.retain(|frame| frame.bytes.first().is_some_and(|first| first % 3 == 0));
    let mut most = 0;
    for chunk in chunks {
        for threads in [1, 2, 3] {
            let (seen, told, walked, latest_walked) = read_ahead(&path, *chunk, threads);
            assert_eq!(seen, expected, "{name}, chunks of {chunk}");
            assert_eq!(told, facts, "{name}, chunks of {chunk}");
            assert!(latest_walked <= latest);
            most = most.max(walked);
        }
    }
    std::fs::remove_file(&path).unwrap();
    most
}

#[test]
fn few_threads_leave_a_file_of_wanted_frames_to_the_reader() {
    let path = std::env::temp_dir().join(format!("smtpcap-ahead-{}-wanted", std::process::id()));
    std::fs::write(&path, pcap(&frames(3, 2_000))).unwrap();
    for (threads, all) in [(2, false), (4, true)] {
        let mut reader = Reader::new([Input::Path(path.clone())]);
        let mut walked = 0;
        std::thread::scope(|scope| {
            assert_eq!(reader.next_frame().unwrap().unwrap().number.0, 1);
            let mut ahead = Ahead::in_chunks_of(40_000, scope, &reader, threads, &|_| true).unwrap();
            loop {
                if let Some(stretch) = ahead.next_stretch(&mut reader) {
                    walked += stretch.counts().0;
                    ahead.give_back(stretch);
                } else if reader.next_frame().unwrap().is_none() {
                    assert_eq!(ahead.is_resting(), !all, "{threads} threads");
                    return;
                }
            }
        });
        assert_eq!(walked > 1_800, all, "{threads} threads: {walked} frames walked ahead");
        assert_eq!(reader.facts().frames(), 2_000);
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn threads_begin_where_the_frames_before_say_that_it_is_worth_it() {
    let path = std::env::temp_dir().join(format!("smtpcap-ahead-{}-worth", std::process::id()));
    std::fs::write(&path, pcap(&frames(5, 4_000))).unwrap();
    let mut reader = Reader::new([Input::Path(path.clone())]);
    reader.next_frame().unwrap();
    let begun = |threads, frames| {
        std::thread::scope(|scope| Ahead::start(scope, &reader, threads, &|_| true, frames).is_some())
    };
    assert!(begun(2, (100, 50)), "half of the frames are for nobody");
    assert!(!begun(2, (100, 49)) && !begun(3, (100, 0)));
    assert!(begun(4, (100, 0)), "the reader's thread is what four wait for");
    std::fs::remove_file(path).unwrap();
}

const CHUNKS: [usize; 4] = [700, 5_000, 40_000, 300_000];

#[test]
fn a_sound_file_is_walked_ahead_nearly_whole() {
    let frames = frames(1, 2_000);
    for (name, bytes) in [("pcap", pcap(&frames)), ("pcapng", pcapng(&frames, None))] {
        let walked = compare(&bytes, name, &CHUNKS);
        assert!(walked > 1_900, "{name}: {walked} of 2000 frames walked ahead");
    }
}

#[test]
fn a_damaged_file_is_read_as_without_threads() {
    for seed in 0..12 {
        let frames = frames(seed, 400);
        for (name, mut bytes) in [("pcap", pcap(&frames)), ("pcapng", pcapng(&frames, Some(3)))] {
            let mut noise = Noise::new(seed + 100);
            for _ in 0..seed {
                let random = noise.bytes(6);
                let at = u32::from_le_bytes([random[0], random[1], random[2], 0]) as usize % bytes.len();
                match random[3] % 4 {
                    0 => bytes[at] ^= random[4] | 1,
                    1 => drop(bytes.drain(at..(at + usize::from(random[4])).min(bytes.len()))),
                    2 => bytes.splice(at..at, noise.bytes(usize::from(random[4]))).for_each(drop),
                    _ => bytes.truncate(bytes.len() - usize::from(random[4])),
                }
            }
            // What no longer is a capture says nothing here.
            if read_input(stream(&bytes)).is_ok() {
                compare(&bytes, &format!("{name}-{seed}"), &CHUNKS);
            }
        }
    }
}

#[test]
fn glued_captures_and_late_interfaces_are_read_as_without_threads() {
    let (one, other) = (frames(50, 500), frames(51, 500));
    let glued = [pcapng(&one, None), pcapng(&other, None)].concat();
    compare(&glued, "glued-pcapng", &CHUNKS);
    let mixed = [pcap(&one), pcap(&other), pcapng(&one, None)].concat();
    compare(&mixed, "glued-pcap", &CHUNKS);
}
