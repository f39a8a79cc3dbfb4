//! The main thread of a live run: takes events, feeds the analyzer, tells what ends, and keeps the clock going while nothing
//! comes.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use signal_hook::consts::{SIGHUP, SIGUSR1};

use crate::analyzer::{Analyzer, Options};
use crate::capture::{CaptureFacts, DecryptionSecrets, FileFacts};
use crate::cli::args::{Format, Live};
use crate::cli::capture_messages;
use crate::cli::environment;
use crate::cli::exit::{self, Stop};
use crate::cli::filter::Filter;
use crate::cli::keylog;
use crate::cli::live::clock::Clock;
use crate::cli::live::endpoint;
use crate::cli::live::feed::{Batch, Event, Feed};
use crate::cli::live::sink::{Sink, Written};
use crate::cli::live::store::Store;
use crate::cli::live::tell::Teller;
use crate::cli::live::{Times, note, shown};
use crate::cli::messages;
use crate::cli::run::options;
use crate::diagnosis::{Finding, Severity};
use crate::frame::FrameNumber;
use crate::insight::Digest;
use crate::live::{Clients, Counters, Drops, Window};
use crate::render::prometheus::{Gauges, prometheus};
use crate::render::text::{Style, Summary, troubles};
use crate::report::{Entry, Health, Report, SessionLine};
use crate::sandbox::Identity;
use crate::session::Session;
use crate::text::Message;
use crate::time::Timestamp;

/// How long to wait for an event before looking at the clock.
const TICK: Duration = Duration::from_millis(50);
/// Frames between two looks at sessions that have ended.
const FRAMES_A_ROUND: usize = 256;
/// How often the page for Prometheus is written.
const PUBLISH: Duration = Duration::from_secs(1);
/// Concluding on several sessions takes at most one part in this many of the time.
const CONCLUDING: u32 = 20;
/// Concluding happens at most this often.
const CONCLUDE: Duration = Duration::from_millis(500);
/// How often the messages of the program that captures are told.
const MESSAGES: Duration = Duration::from_secs(1);
/// How long the reader may take to end once it is asked to.
const ENDING: Duration = Duration::from_secs(1);
/// A summary names this many warnings and no more: they are in the report of every summary.
const TROUBLES: usize = 10;

/// Everything that a live run keeps.
pub struct Watch<'a> {
    arguments: &'a Live,
    filter: Filter,
    times: Times,
    options: Options,
    analyzer: Analyzer,
    clock: Clock,
    facts: CaptureFacts,
    drops: Drops,
    window: Window,
    counters: Counters,
    /// Since the last summary, and in all.
    reports: [Report; 2],
    clients: [Clients; 2],
    spans: [Option<(Timestamp, Timestamp)>; 2],
    teller: Teller,
    sink: Sink,
    store: Store,
    page: Option<endpoint::Page>,
    started: f64,
    status: Option<File>,
    next_look: Instant,
    next_page: Instant,
    next_messages: Instant,
    next_summary: Option<Instant>,
    gravest: Option<Severity>,
    unreadable: Option<String>,
    said_in_blocks: bool,
}

impl<'a> Watch<'a> {
    /// Opens the outputs.
    ///
    /// # Errors
    /// An output that cannot be opened.
    pub fn new(arguments: &'a Live, filter: Filter, times: Times, owner: Option<&Identity>) -> Result<Self, Stop> {
        let style = environment::style(&arguments.look, arguments.output.is_none());
        let language = style.language;
        let name = output_name(arguments);
        let sink = Sink::open(arguments.output.as_deref()).map_err(|error| Stop::output(&error, &name, language))?;
        let mut options = options(&arguments.reading);
        options.limits.report_after = Some(super::clock::REPORT_AFTER);
        keylog::read(&arguments.reading.keylog, &options.keys, language)?;
        let now = Instant::now();
        Ok(Self {
            store: Store::open(arguments, &options.ports, owner, language)?,
            analyzer: Analyzer::new(&options),

            options,
            filter,
            times,
            clock: Clock::default(),
            facts: CaptureFacts::default(),
            drops: Drops::default(),
            window: Window::new(times.window),
            counters: Counters::default(),
            reports: [Report::new(), Report::new()],
            clients: [Clients::default(), Clients::default()],
            spans: [None, None],
            teller: Teller::new(arguments.format, style, times.window),
            sink,
            page: None,
            started: since_1970(),
            status: File::open("/proc/self/status").ok(),
            next_look: now,
            next_page: now,
            next_messages: now + MESSAGES,
            next_summary: (!times.summary_every.is_zero()).then(|| now + times.summary_every),
            gravest: None,
            unreadable: None,
            said_in_blocks: false,
            arguments,
        })
    }

    /// Takes the key logs inside a pcapng stream.
    pub fn take_embedded_keys(&self) -> impl FnMut(&DecryptionSecrets, FrameNumber) + Send + 'static {
        self.options.take_embedded_keys()
    }

    /// Figures go to this page.
    pub fn publish_to(&mut self, page: endpoint::Page) {
        self.page = Some(page);
        self.publish();
    }

    /// Watches until the capture ends or somebody says so; the exit code.
    ///
    /// # Errors
    /// Nothing could be analysed, or nobody reads the output any more.
    pub fn run(mut self, events: &Receiver<Event>, feed: &Feed) -> Result<u8, Stop> {
        loop {
            match events.recv_timeout(TICK) {
                Ok(Event::Signal(SIGUSR1) | Event::Key(b'o')) => self.tell_open(),
                Ok(Event::Key(b's')) => self.summarise(false),
                Ok(Event::Signal(SIGHUP)) => self.reopen()?,
                Ok(Event::Signal(_) | Event::Key(b'q')) => return self.stop(events, feed),
                Ok(Event::Key(_)) => {}
                Ok(event) => {
                    if self.take(event)? {
                        self.analyzer.finish();
                        return self.end(feed);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.analyzer.finish();
                    return self.end(feed);
                }
            }
            self.tick()?;
            self.tell_messages(feed);
        }
    }

    /// Takes what the reader hands over; true where that was the end.
    fn take(&mut self, event: Event) -> Result<bool, Stop> {
        match event {
            Event::Frames(batch) => self.frames(batch)?,
            Event::Failed(error) => {
                self.unreadable = Some(messages::sentence(&error, self.teller.style.language));
            }
            Event::Ended(facts) => {
                self.facts = *facts;
                return Ok(true);
            }
            Event::Signal(_) | Event::Key(_) => {}
        }
        Ok(false)
    }

    fn frames(&mut self, mut batch: Batch) -> Result<(), Stop> {
        if let Some(facts) = batch.facts.take() {
            self.facts = *facts;
            let dropped = self.facts.files.iter().filter_map(FileFacts::dropped).sum();
            let latest = self.facts.files.iter().filter_map(|file| file.latest).max();
            self.drops.note(dropped, latest.unwrap_or_default());
            self.teller.style.digits = self.facts.fraction_digits();
            let first = self.facts.files.iter().filter_map(|file| file.earliest).min();
            self.teller.style.origin = first.unwrap_or_default();
        }
        for (position, frame) in batch.frames().enumerate() {
            self.store.frame(&frame);
            self.analyzer.push_frame(&frame);
            if position % FRAMES_A_ROUND == FRAMES_A_ROUND - 1 {
                self.sessions();
            }
        }
        let moved = self.clock.heard(self.analyzer.now(), Instant::now(), batch.ends_inside);
        if moved && self.clock.is_in_blocks() && !self.said_in_blocks {
            self.said_in_blocks = true;
            note(self.teller.style.word(Message::LiveInBlocks).as_str());
        }
        self.sessions();
        self.flush()
    }

    /// What is to be done from time to time, whether something comes or not.
    fn tick(&mut self) -> Result<(), Stop> {
        let now = Instant::now();
        if let Some(time) = self.clock.now(now) {
            self.analyzer.advance(time);
            self.clock.advanced(self.analyzer.now());
            self.sessions();
        }
        self.window.forget(self.analyzer.now());
        if self.window.is_new() && now >= self.next_look {
            self.conclude();
            self.next_look = Instant::now() + CONCLUDE.max(now.elapsed() * CONCLUDING);
        }
        if self.next_summary.is_some_and(|at| now >= at) {
            self.summarise(false);
            self.next_summary = Some(now + self.times.summary_every);
        }
        self.store.tick();
        // First what is told, then the figures that count it.
        self.flush()?;
        if now >= self.next_page {
            self.publish();
            self.next_page = now + PUBLISH;
        }
        Ok(())
    }

    /// Tells every session that has ended.
    fn sessions(&mut self) {
        while let Some((mut session, mut findings)) = self.analyzer.poll_session() {
            self.drops.concern(&mut session, &mut findings);
            self.session(&session, &findings);
        }
    }

    fn session(&mut self, session: &Session, findings: &[Finding]) {
        let line = SessionLine::of(session, findings);
        let digest = Digest::of(session, findings);
        self.counters.add(session, findings, &line, &digest);
        self.window.remember(digest);
        if !self.filter.matches(session, findings) {
            return;
        }
        self.gravest = self.gravest.max(findings.iter().map(|finding| finding.severity).max());
        for part in 0..self.reports.len() {
            self.reports[part].add(&Entry::of(session, findings.to_vec()));
            // A summary shows causes; lines were told one by one.
            self.reports[part].lines.clear();
            self.clients[part].add(&line);
            let (first, last) = (session.connection.first.time, session.connection.last.time);
            let span = self.spans[part].get_or_insert((first, last));
            *span = (span.0.min(first), span.1.max(last));
        }
        let saved = if line.failed() {
            self.store.failed(session, findings, self.teller.style.language)
        } else {
            None
        };
        let record = self
            .teller
            .session(session, findings, &line, self.analyzer.now(), saved.as_deref());
        self.sink.push(&record);
    }

    fn conclude(&mut self) {
        let news = self.window.look(self.analyzer.now());
        for insight in news.withdrawn {
            let record = self.teller.withdrawn(&insight);
            self.sink.push(&record);
        }
        for insight in news.insights {
            self.counters.add_insight(&insight);
            self.gravest = self.gravest.max(Some(insight.finding.severity));
            let record = self.teller.insight(&insight);
            self.sink.push(&record);
        }
    }

    /// A summary of the time since the last one, or of everything.
    fn summarise(&mut self, is_last: bool) {
        let part = usize::from(is_last);
        let (_, half_open, _) = self.analyzer.held();
        // Those that only wait for late segments are not open.
        let open = self.analyzer.open_sessions().count();
        let plain = Style {
            colour: false,
            ..self.teller.style.clone()
        };
        let mut said = troubles(&self.health(), &plain);
        said.truncate(TROUBLES);
        let summary = Summary {
            report: &self.reports[part],
            clients: &self.clients[part],
            span: self.spans[part],
            is_last,
            open: (open, half_open),
            troubles: &said,
        };
        let record = self.teller.summary(&summary, &self.reports[1]);
        self.sink.push(&record);
        if !is_last {
            self.reports[0] = Report::new();
            self.clients[0] = Clients::default();
            self.spans[0] = None;
        }
    }

    fn tell_open(&mut self) {
        let open: Vec<_> = self.analyzer.open_sessions().collect();
        let (_, half_open, _) = self.analyzer.held();
        let now = self.analyzer.now();
        let text = self.teller.open(&open, half_open, now);
        if self.arguments.format == Format::Table {
            self.sink.push(&text);
        } else {
            // Among the records of a program it would be a broken line.
            note(String::from_utf8_lossy(&text).trim_end());
        }
    }

    fn health(&self) -> Health {
        let (_, forgotten) = self.window.sessions();
        Health {
            capture: self.facts.clone(),
            packets: self.analyzer.packet_counts().clone(),
            connections: self.analyzer.tcp_counts().clone(),
            frames: self.analyzer.frames(),
            // Forgetting what is older than the window is no limit that was reached.
            forgotten: forgotten.saturating_sub(self.window.outlived()),
            key_log: self.analyzer.key_log_counts(),
            keyless: self.reports[1].tally.keyless,
            ports: self.options.ports.clone(),
        }
    }

    /// SIGINT or SIGTERM: what is under way is taken, what is open is told as such.
    fn stop(mut self, events: &Receiver<Event>, feed: &Feed) -> Result<u8, Stop> {
        feed.stop();
        let until = Instant::now() + ENDING;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            match events.recv_timeout(left) {
                Ok(event) => {
                    if self.take(event)? {
                        break;
                    }
                }
                Err(_) => break,
            }
        }
        // It was us who cut it.
        for file in &mut self.facts.files {
            file.cut = None;
        }
        self.unreadable = None;
        self.analyzer.stop();
        self.end(feed)
    }

    fn end(mut self, feed: &Feed) -> Result<u8, Stop> {
        let captured = self.capture_ended(feed);
        self.sessions();
        self.conclude();
        let record = self.teller.capture(&self.health());
        self.sink.push(&record);
        self.summarise(true);
        self.publish();
        let stored = self.store.finish();
        self.flush()?;
        let lost = self.sink.give_up();
        if lost > 0 {
            let values = [("file", output_name(self.arguments)), ("lost", lost.to_string())];
            self.warn(Message::LiveNotWritten, &values);
        }
        // Where the program that captures failed, it said why.
        if let Some(what) = self.unreadable.as_deref().filter(|_| captured) {
            note_error(what, self.teller.style.language);
        }
        let nothing = self.unreadable.is_some() && self.analyzer.frames().0 == 0;
        let incomplete = self.sink.lost().1 || !stored || !captured || nothing;
        Ok(exit::code(incomplete, self.gravest, self.arguments.fail_on))
    }

    /// What the program that captures says while it runs.
    fn tell_messages(&mut self, feed: &Feed) {
        let now = Instant::now();
        let Some(control) = feed.control().filter(|_| now >= self.next_messages) else {
            return;
        };
        self.next_messages = now + MESSAGES;
        for line in control.lines() {
            note(&capture_messages::notice(
                control.program(),
                &line,
                self.teller.style.language,
            ));
        }
    }

    /// How the program that captures ended; false where it failed.
    fn capture_ended(&mut self, feed: &Feed) -> bool {
        let Some(ended) = feed.control().and_then(|control| control.ended(ENDING)) else {
            return true;
        };
        let language = self.teller.style.language;
        if let Some(count) = ended.dropped_by_kernel.filter(|count| *count > 0) {
            self.warn(Message::KernelDrops, &[("count", count.to_string())]);
        }
        if let Some(failure) = &ended.failure {
            note_error(&capture_messages::failure(failure, language), language);
        }
        ended.failure.is_none()
    }

    /// SIGHUP: every output is opened again.
    fn reopen(&mut self) -> Result<(), Stop> {
        self.store.reopen();
        match self.sink.reopen() {
            Ok(written) => {
                note(self.teller.style.word(Message::LiveReopened).as_str());
                self.written(written)
            }
            Err(error) => {
                let values = [("file", output_name(self.arguments)), ("reason", error.to_string())];
                self.warn(Message::LiveCannotReopen, &values);
                Ok(())
            }
        }
    }

    fn flush(&mut self) -> Result<(), Stop> {
        if !self.sink.is_due() {
            return Ok(());
        }
        let written = self.sink.flush();
        self.written(written)
    }

    fn written(&self, written: Written) -> Result<(), Stop> {
        let file = output_name(self.arguments);
        match written {
            Written::Fine => {}
            Written::Fails(error) => {
                self.warn(
                    Message::LiveWriteFailed,
                    &[("file", file), ("reason", error.to_string())],
                );
            }
            Written::Works(lost) => self.warn(Message::LiveWritesAgain, &[("file", file), ("lost", lost.to_string())]),
            Written::Closed => return Err(Stop::Closed),
        }
        Ok(())
    }

    fn warn(&self, message: Message, values: &[(&str, String)]) {
        let values: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        note(&message.say(self.teller.style.language, &values));
    }

    fn publish(&self) {
        let Some(page) = &self.page else { return };
        let text: Arc<str> = Arc::from(prometheus(&self.counters, &self.gauges()));
        *page.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    fn gauges(&self) -> Gauges {
        let (_, half_open, state) = self.analyzer.held();
        let open = self.analyzer.open_sessions().count();
        let (frames, other_frames) = self.analyzer.frames();
        let health = self.health();
        // The last in the capture's order: one frame from the future must not hide a silence.
        let last = self.facts.files.iter().filter_map(|file| Some(file.last?.time)).max();
        let connections = self.analyzer.tcp_counts();
        Gauges {
            started: self.started,
            open_sessions: open as u64,
            half_open: half_open as u64,
            state_bytes: state as u64,
            resident_bytes: resident(self.status.as_ref()),
            frames,
            frame_bytes: self.facts.files.iter().map(|file| file.frame_octets).sum(),
            other_frames,
            dropped: health.dropped(),
            last_frame: last.map(|time| time.nanoseconds() as f64 / 1e9),
            limits: vec![
                ("connections_evicted", connections.evicted),
                ("half_open_evicted", connections.half_open_evicted),
                ("holes_given_up", connections.holes_given_up),
                ("sessions_forgotten", health.forgotten),
            ],
            window_sessions: self.window.sessions().0 as u64,
            lost_records: vec![
                ("report", self.sink.lost().0),
                ("ring", self.store.lost().0),
                ("failed", self.store.lost().1),
            ],
        }
    }
}

fn output_name(arguments: &Live) -> String {
    arguments.output.as_ref().map_or_else(|| "-".to_owned(), shown)
}

fn note_error(what: &str, language: crate::text::Language) {
    use std::io::Write;
    let text = Message::ErrorPrefix.say(language, &[("what", what)]);
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn since_1970() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

/// Octets of this process in memory; the file was opened before the sandbox was entered.
fn resident(status: Option<&File>) -> Option<u64> {
    let mut octets = [0; 4_096];
    let count = status?.read_at(&mut octets, 0).ok()?;
    let text = std::str::from_utf8(octets.get(..count)?).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
