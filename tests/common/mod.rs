//! What several integration tests need: reading a capture to sessions, and finding the shared captures.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::{Path, PathBuf};

use smtpcap::analyzer::{Analyzer, Options};
use smtpcap::capture::{CaptureFacts, Input, Reader};
use smtpcap::diagnosis::Finding;
use smtpcap::frame::{Frame, FrameNumber, LinkType};
use smtpcap::insight::{Digest, History, Insight};
use smtpcap::session::Session;
use smtpcap::time::Timestamp;
use smtpcap_testkit::Script;

pub struct Analysed {
    pub sessions: Vec<(Session, Vec<Finding>)>,
    pub insights: Vec<Insight>,
    pub capture: CaptureFacts,
    pub errors: Vec<String>,
}

/// Everything that is told of a conversation written down as text, in the order in which sessions ended.
pub fn play(script: &str) -> Vec<(Session, Vec<Finding>)> {
    play_script(&Script::must(script))
}

pub fn play_script(script: &Script) -> Vec<(Session, Vec<Finding>)> {
    play_without(script, &[])
}

/// The same, where the capture lacks the frames at these positions, counted from 0.
pub fn play_without(script: &Script, lost: &[usize]) -> Vec<(Session, Vec<Finding>)> {
    let mut analyzer = Analyzer::new(&Options::default());
    let frames = script.frames.iter().enumerate();
    for (position, frame) in frames.filter(|(position, _)| !lost.contains(position)) {
        analyzer.push_frame(&Frame {
            number: FrameNumber(position as u64 + 1),
            time: Timestamp::from_nanoseconds(frame.time_ns),
            link_type: LinkType::ETHERNET,
            bytes: &frame.bytes,
            original_length: frame.original_length,
        });
    }
    analyzer.finish();
    std::iter::from_fn(|| analyzer.poll_session()).collect()
}

/// The first session of a conversation written down as text.
pub fn play_one(script: &str) -> (Session, Vec<Finding>) {
    play(script).into_iter().next().expect("one session")
}

pub fn analyse_file(path: &Path) -> Analysed {
    analyse_with(path, &Options::default())
}

pub fn analyse_with(path: &Path, options: &Options) -> Analysed {
    let mut analyzer = Analyzer::new(options);
    let mut reader = Reader::new(vec![Input::Path(path.to_owned())]).with_secrets(options.take_embedded_keys());
    let mut errors = Vec::new();
    loop {
        match reader.next_frame() {
            Ok(Some(frame)) => analyzer.push_frame(&frame),
            Ok(None) => break,
            Err(error) => errors.push(error.to_string()),
        }
    }
    analyzer.finish();
    let mut history = History::new();
    let mut sessions = Vec::new();
    while let Some((session, findings)) = analyzer.poll_session() {
        history.remember(Digest::of(&session, &findings));
        sessions.push((session, findings));
    }
    sessions.sort_by_key(|(session, _)| session.id);
    Analysed {
        sessions,
        insights: history.conclude(),
        capture: reader.facts().clone(),
        errors,
    }
}

/// The shared captures, or `None` with a printed reason.
pub fn shared(folder: &str) -> Option<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let candidates = [
        std::env::var_os("SMTPCAP_SHARED").map(PathBuf::from),
        Some(manifest.join("../shared")),
        Some(PathBuf::from("/work/shared")),
    ];
    let found = candidates
        .into_iter()
        .flatten()
        .map(|base| base.join("captures").join(folder))
        .find(|path| path.exists());
    if found.is_none() {
        println!("skipped: ../shared/captures/{folder} is absent");
    }
    found
}
