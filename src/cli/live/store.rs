//! Captures that a live run writes: a ring of the mail traffic, and the frames of each session that failed, with what we
//! found as comments on the frames that prove it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use smtpcap_pcapng::{Blocks, Interface, Packet, Section};

use crate::cli::args::Live;
use crate::cli::exit::Stop;
use crate::cli::live::folder::Folder;
use crate::cli::live::sink::{Sink, Written};
use crate::cli::live::{note, shown};
use crate::diagnosis::{Finding, Severity};
use crate::frame::{Frame, FrameNumber, LinkType};
use crate::live::{Keep, Kept};
use crate::render::encode;
use crate::render::json::GENERATOR;
use crate::sandbox::Identity;
use crate::session::Session;
use crate::text::{Language, Message, proof, tell};
use crate::time::Timestamp;

/// Sessions written a minute; further ones are counted.
const FAILED_A_MINUTE: u32 = 120;
/// Octets of the ring's file that are written at once; less is written when it is time.
const RING_WRITE: usize = 256 * 1024;
/// A file that cannot be made is tried again after this.
const AGAIN: Duration = Duration::from_secs(1);

/// What is written, if anything.
pub struct Store {
    keep: Option<Keep>,
    ring: Option<Ring>,
    failed: Option<Failed>,
    language: Language,
}

impl Store {
    /// Opens the folders that the flags name.
    ///
    /// # Errors
    /// A folder that cannot be used.
    pub fn open(arguments: &Live, ports: &[u16], owner: Option<&Identity>, language: Language) -> Result<Self, Stop> {
        let refuse = |path: &Path| {
            let folder = shown(path);
            move |error: std::io::Error| {
                let values = [("folder", folder.as_str()), ("reason", &error.to_string())];
                Stop::Mend(Message::LiveFolder.say(language, &values))
            }
        };
        let mut ring = None;
        if let Some(path) = &arguments.ring {
            let folder =
                Folder::open(path, "smtpcap-ring-", arguments.ring_files as usize, owner).map_err(refuse(path))?;
            ring = Some(Ring::new(folder, arguments.ring_size.saturating_mul(1_000_000)));
        }
        let mut failed = None;
        if let Some(path) = &arguments.write_failed {
            let folder = Folder::open(path, "smtpcap-failed-", arguments.write_failed_files as usize, owner);
            failed = Some(Failed::new(folder.map_err(refuse(path))?, shown(path)));
        }
        let capacity = if failed.is_some() {
            arguments.keep.saturating_mul(1_000_000)
        } else {
            0
        };
        let capacity = usize::try_from(capacity).unwrap_or(usize::MAX);
        Ok(Self {
            keep: (ring.is_some() || failed.is_some()).then(|| Keep::new(ports, capacity)),
            ring,
            failed,
            language,
        })
    }

    /// Takes a frame.
    pub fn frame(&mut self, frame: &Frame<'_>) {
        let Some(keep) = &mut self.keep else { return };
        if keep.push(frame)
            && let Some(ring) = &mut self.ring
        {
            ring.frame(frame, self.language);
        }
    }

    /// Writes the frames of a session that failed; where they went.
    pub fn failed(&mut self, session: &Session, findings: &[Finding], language: Language) -> Option<String> {
        let (failed, keep) = (self.failed.as_mut()?, self.keep.as_ref()?);
        let connection = &session.connection;
        let kept = keep.session(
            connection.client,
            connection.server,
            connection.first.frame,
            connection.last.frame,
        );
        failed.write(session, findings, &kept, language)
    }

    /// Writes what waits.
    pub fn tick(&mut self) {
        if let Some(ring) = &mut self.ring {
            ring.flush(self.language);
        }
        if let Some(failed) = &mut self.failed {
            failed.tell_skipped(self.language);
        }
    }

    /// SIGHUP: the ring goes on in a new file.
    pub fn reopen(&mut self) {
        if let Some(ring) = &mut self.ring {
            ring.close(self.language);
        }
    }

    /// The end: false where something could not be written.
    pub fn finish(&mut self) -> bool {
        self.reopen();
        let ring = self.ring.as_ref().is_none_or(|ring| !ring.had_trouble);
        let failed = self.failed.as_ref().is_none_or(|failed| !failed.had_trouble);
        ring && failed
    }

    /// Frames and sessions that could not be written: of the ring, and of failed sessions.
    pub fn lost(&self) -> (u64, u64) {
        let ring = self.ring.as_ref().map_or(0, Ring::lost);
        (ring, self.failed.as_ref().map_or(0, |failed| failed.lost))
    }
}

/// "20261126T131500Z"
fn stamp(time: Timestamp) -> String {
    time.rfc3339(0)
        .chars()
        .filter(|letter| !matches!(letter, '-' | ':'))
        .collect()
}

fn packet<'a>(frame: &Frame<'a>, interface: u32, comment: Option<&'a str>) -> Packet<'a> {
    Packet {
        interface,
        nanoseconds: u64::try_from(frame.time.nanoseconds()).unwrap_or(0),
        bytes: frame.bytes,
        original_length: frame.original_length,
        comment,
    }
}

/// One interface for each link type of a section.
#[derive(Default)]
struct Interfaces(BTreeMap<LinkType, u32>);

impl Interfaces {
    fn of(&mut self, link_type: LinkType, blocks: &mut Blocks) -> u32 {
        *self.0.entry(link_type).or_insert_with(|| {
            blocks.interface(&Interface {
                link_type: link_type.0,
                ..Interface::default()
            })
        })
    }
}

/// Rotated files of everything that is mail.
struct Ring {
    folder: Folder,
    size: u64,
    file: Option<(Sink, PathBuf)>,
    written: u64,
    blocks: Blocks,
    interfaces: Interfaces,
    refused: Option<Instant>,
    lost: u64,
    had_trouble: bool,
}

impl Ring {
    fn new(folder: Folder, size: u64) -> Self {
        Self {
            folder,
            size,
            file: None,
            written: 0,
            blocks: Blocks::default(),
            interfaces: Interfaces::default(),
            refused: None,
            lost: 0,
            had_trouble: false,
        }
    }

    fn lost(&self) -> u64 {
        self.lost + self.file.as_ref().map_or(0, |(sink, _)| sink.lost().0)
    }

    fn frame(&mut self, frame: &Frame<'_>, language: Language) {
        if self.file.is_none() && !self.begin(frame.time, language) {
            self.lost += 1;
            return;
        }
        let known = self.interfaces.0.len();
        let interface = self.interfaces.of(frame.link_type, &mut self.blocks);
        self.blocks.packet(&packet(frame, interface, None));
        let Some((sink, _)) = &mut self.file else { return };
        let kept = sink.push(self.blocks.octets());
        self.written += self.blocks.octets().len() as u64;
        self.blocks.clear();
        if !kept && self.interfaces.0.len() > known {
            // The file will never say what this interface is.
            self.close(language);
            return;
        }
        if sink.waiting() >= RING_WRITE {
            self.flush(language);
        }
        if self.written >= self.size {
            self.close(language);
        }
    }

    /// Begins a file; false where that is not possible now.
    fn begin(&mut self, time: Timestamp, language: Language) -> bool {
        if self.refused.is_some_and(|at| at.elapsed() < AGAIN) {
            return false;
        }
        match self.folder.create(&stamp(time)) {
            Ok((file, path)) => {
                self.refused = None;
                self.blocks.clear();
                self.blocks.section(&Section {
                    application: Some(GENERATOR),
                    ..Section::default()
                });
                self.interfaces = Interfaces::default();
                self.written = 0;
                self.file = Some((Sink::of(file), path));
                true
            }
            Err(error) => {
                if self.refused.is_none() {
                    tell_failure("--ring", &error, language);
                }
                self.refused = Some(Instant::now());
                self.had_trouble = true;
                false
            }
        }
    }

    fn flush(&mut self, language: Language) {
        let Some((sink, path)) = self.file.as_mut().filter(|(sink, _)| sink.is_due()) else {
            return;
        };
        match sink.flush() {
            Written::Fine | Written::Closed => {}
            Written::Fails(error) => {
                self.had_trouble = true;
                tell_failure(&shown(&*path), &error, language);
            }
            Written::Works(lost) => {
                let values = [("file", shown(&*path)), ("lost", lost.to_string())];
                tell_values(Message::LiveWritesAgain, &values, language);
            }
        }
    }

    fn close(&mut self, language: Language) {
        self.flush(language);
        if let Some((mut sink, path)) = self.file.take() {
            let lost = sink.give_up();
            self.lost += sink.lost().0;
            if lost > 0 {
                let values = [("file", shown(&path)), ("lost", lost.to_string())];
                tell_values(Message::LiveNotWritten, &values, language);
            }
        }
    }
}

/// Files of failed sessions.
struct Failed {
    folder: Folder,
    name: String,
    minute: Option<(Instant, u32)>,
    skipped: u64,
    lost: u64,
    is_failing: bool,
    had_trouble: bool,
}

impl Failed {
    const fn new(folder: Folder, name: String) -> Self {
        Self {
            folder,
            name,
            minute: None,
            skipped: 0,
            lost: 0,
            is_failing: false,
            had_trouble: false,
        }
    }

    fn write(
        &mut self,
        session: &Session,
        findings: &[Finding],
        kept: &Kept<'_>,
        language: Language,
    ) -> Option<String> {
        let headline = findings.iter().find(|one| one.root_cause)?;
        let (_, count) = self.minute.get_or_insert_with(|| (Instant::now(), 0));
        *count += 1;
        if *count > FAILED_A_MINUTE {
            self.skipped += 1;
            return None;
        }
        let blocks = blocks(session, findings, kept, language);
        let (id, time) = (session.id.0, stamp(session.connection.first.time));
        let rest = format!("{time}-session-{id}-{}", headline.rule.slug);
        match self.put(&rest, &blocks) {
            Ok(path) => {
                self.is_failing = false;
                Some(shown(path))
            }
            Err(error) => {
                self.lost += 1;
                self.had_trouble = true;
                if !std::mem::replace(&mut self.is_failing, true) {
                    tell_failure(&self.name, &error, language);
                }
                None
            }
        }
    }

    /// A file with all of it, or none.
    fn put(&mut self, rest: &str, blocks: &Blocks) -> std::io::Result<PathBuf> {
        let (mut file, path) = self.folder.create(rest)?;
        if let Err(error) = file.write_all(blocks.octets()) {
            self.folder.discard(&path);
            return Err(error);
        }
        Ok(path)
    }

    fn tell_skipped(&mut self, language: Language) {
        if self
            .minute
            .is_none_or(|(begun, _)| begun.elapsed() < Duration::from_secs(60))
        {
            return;
        }
        self.minute = None;
        let skipped = std::mem::take(&mut self.skipped);
        if skipped > 0 {
            self.lost += skipped;
            let values = [
                ("count", skipped.to_string()),
                ("folder", self.name.clone()),
                ("limit", FAILED_A_MINUTE.to_string()),
            ];
            tell_values(Message::LiveFailedSkipped, &values, language);
        }
    }
}

/// A session as a capture: its frames, and comments where a finding stands on one.
fn blocks(session: &Session, findings: &[Finding], kept: &Kept<'_>, language: Language) -> Blocks {
    let comments = comments(findings, language);
    let connection = &session.connection;
    let missing = connection.frames.saturating_sub(kept.frames.len() as u64);
    let (client, server) = (connection.client, connection.server);
    let id = session.id.0.to_string();
    let mut about = format!(
        "{}: {client} → {server}",
        Message::Session.say(language, &[("id", &id)])
    );
    if missing > 0 {
        about.push('\n');
        about.push_str(&Message::LiveFramesMissing.say(language, &[("count", &missing.to_string())]));
    }
    let mut blocks = Blocks::default();
    blocks.section(&Section {
        application: Some(GENERATOR),
        comment: Some(&about),
        ..Section::default()
    });
    let mut interfaces = Interfaces::default();
    for frame in &kept.frames {
        let interface = interfaces.of(frame.link_type, &mut blocks);
        let comment = comments.get(&frame.number).map(String::as_str);
        blocks.packet(&packet(frame, interface, comment));
    }
    blocks
}

/// What is said of each frame: the root cause in full where it is decided, everything else of weight in a line.
fn comments(findings: &[Finding], language: Language) -> BTreeMap<FrameNumber, String> {
    let mut comments: BTreeMap<FrameNumber, String> = BTreeMap::new();
    let mut say = |frame: FrameNumber, text: &str| {
        let comment = comments.entry(frame).or_default();
        if !comment.is_empty() {
            comment.push('\n');
        }
        comment.push_str(text);
    };
    for finding in findings
        .iter()
        .filter(|one| one.root_cause || one.severity >= Severity::Risk)
    {
        let story = tell(finding, language, encode::terminal);
        let severity = crate::render::text::words::severity(finding.severity).word(language);
        for (position, evidence) in finding.evidence.iter().enumerate() {
            let quotation = proof(evidence, language, encode::terminal);
            if position > 0 {
                say(evidence.first.frame, &format!("{}: {quotation}", finding.rule.slug));
                continue;
            }
            let mut text = format!("{severity} {} ({}): {quotation}", story.what, finding.rule.slug);
            if finding.root_cause {
                for line in &story.why {
                    text.push_str(&format!("\n{}: {line}", Message::Why.word(language)));
                }
                for (actor, line) in &story.remedies {
                    let actor = crate::render::text::words::actor(*actor).word(language);
                    text.push_str(&format!("\n{}: [{actor}] {line}", Message::ToDo.word(language)));
                }
            }
            say(evidence.first.frame, &text);
        }
    }
    comments
}

fn tell_failure(file: &str, error: &std::io::Error, language: Language) {
    let values = [("file", file.to_owned()), ("reason", error.to_string())];
    tell_values(Message::LiveWriteFailed, &values, language);
}

fn tell_values(message: Message, values: &[(&str, String)], language: Language) {
    let values: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    note(&message.say(language, &values));
}
