//! `analyze` and `show`: captures in, a report out. The loop reads frames, feeds the analyzer, and takes finished sessions
//! as they come.

use std::ffi::OsString;
use std::io::Write;

use crate::analyzer::{DEFAULT_PORTS, Options, Router};
use crate::capture::{Ahead, CaptureFacts, Input, Reader};
use crate::cli::args::{Analyze, Format, Reading, Show};
use crate::cli::environment;
use crate::cli::exit::{self, Stop};
use crate::cli::filter::Filter;
use crate::cli::keylog;
use crate::cli::messages;
use crate::cli::output::Output;
use crate::cli::pipeline::{Pipeline, Take, Tell};
use crate::cli::progress::Progress;
use crate::cli::share::Crew;
use crate::diagnosis::Finding;
use crate::insight::{Digest, History};
use crate::protocol::Retention;
use crate::render::encode;
use crate::render::json::{self, CaptureRecord, Form, InsightRecord, SessionRecord, SummaryRecord, ToJson as _};
use crate::render::text::{Page, Style, health, ladder, sessions, stories, troubles};
use crate::report::{Entry, Health, Report};
use crate::secret::Keep;
use crate::session::{Session, SessionId};
use crate::text::{Language, Message};

/// Serialised sessions held back to put them in the order of first frames, in octets; beyond it they come as they end.
const HELD_OCTETS: usize = 64 << 20;
/// Frames between two looks at progress and finished sessions; the first of them say whether to read ahead.
const FRAMES_A_ROUND: u64 = 1024;
/// Frames between two further looks at whether to read ahead.
const FRAMES_A_LOOK: u64 = 16 * FRAMES_A_ROUND;

/// What the flags of reading say to the analyzer.
pub(super) fn options(reading: &Reading) -> Options {
    let mut ports = DEFAULT_PORTS.to_vec();
    ports.extend(&reading.ports);
    ports.sort_unstable();
    ports.dedup();
    let mut options = Options {
        ports,
        retention: Retention {
            secrets: if reading.show_secrets { Keep::Kept } else { Keep::Masked },
            message_text: reading.show_body,
        },
        ..Options::default()
    };
    options.limits.memory = reading.memory.saturating_mul(1_000_000);
    options
}

/// Frames at the last look, and how many of them were no mail.
#[derive(Default)]
struct Looked((u64, u64));

impl Looked {
    /// What came since the last look.
    fn replace(&mut self, now: (u64, u64)) -> (u64, u64) {
        let before = std::mem::replace(&mut self.0, now);
        (now.0 - before.0, now.1 - before.1)
    }
}

/// Reads every frame of the files, makes of each session what `tell` says, and hands that out in order. Files that cannot
/// be read are said on standard error and passed over.
fn read<T: Send>(
    files: &[OsString],
    reading: &Reading,
    crew: Crew,
    language: Language,
    tell: &Tell<'_, T>,
    sink: &mut Take<'_, T, Stop>,
) -> Result<Health, Stop> {
    let options = options(reading);
    keylog::read(&reading.keylog, &options.keys, language)?;
    let inputs: Vec<Input> = files.iter().cloned().map(Input::from_argument).collect();
    let mut reader = Reader::new(inputs).with_secrets(options.take_embedded_keys());
    let wanted = Router::wants(&options);
    let mut errors = 0_usize;
    let counted = std::thread::scope(|scope| {
        let mut pipeline = Pipeline::start(scope, crew, &options, tell);
        let mut progress = Progress::new();
        let mut ahead = None;
        let mut looked = Looked::default();
        loop {
            if let Some(ahead) = &mut ahead
                && let Some(stretch) = Ahead::next_stretch(ahead, &mut reader)
            {
                pipeline.push_stretch(&stretch, sink)?;
                ahead.give_back(stretch);
                looked.replace(pipeline.frames());
                progress.show(reader.progress());
                continue;
            }
            let before = reader.last().0;
            if ahead.as_ref().is_none_or(Ahead::is_over)
                && let Some(row) = reader.next_row(FRAMES_A_ROUND - before % FRAMES_A_ROUND)
            {
                pipeline.push_row(row);
            }
            if reader.last().0 == before {
                match reader.next_frame() {
                    Ok(Some(frame)) => pipeline.push(&frame),
                    Ok(None) => break,
                    Err(error) => {
                        errors += 1;
                        progress.suspend(|| messages::warn_or_error(&error, language));
                        continue;
                    }
                }
            }
            let frames = reader.last().0;
            if crew.threads > 1 && (frames == FRAMES_A_ROUND || frames.is_multiple_of(FRAMES_A_LOOK)) {
                let lately = looked.replace(pipeline.frames());
                if ahead.as_ref().is_none_or(Ahead::is_resting) {
                    ahead = Ahead::start(scope, &reader, crew.threads, &wanted, lately);
                }
            }
            if frames == 1 || frames.is_multiple_of(FRAMES_A_ROUND) {
                pipeline.set_digits(reader.facts().fraction_digits(), sink)?;
                pipeline.take(sink)?;
                if frames.is_multiple_of(64 * FRAMES_A_ROUND) {
                    progress.show(reader.progress());
                }
            }
        }
        progress.end();
        pipeline.set_digits(reader.facts().fraction_digits(), sink)?;
        pipeline.finish(sink)
    })?;
    if errors == files.len() && counted.frames.0 == 0 {
        // Every file was said on standard error already. Where one broke off, what came before it is reported.
        return Err(Stop::Mend(String::new()));
    }
    Ok(Health {
        capture: reader.into_facts(),
        packets: counted.packets,
        connections: counted.connections,
        frames: counted.frames,
        forgotten: 0,
        key_log: options.keys.counts(),
        keyless: 0,
        ports: options.ports,
    })
}

/// A session that is over, what is said of it, and how many digits its times have.
type Ended = (Session, Vec<Finding>, u8);

/// What `analyze` keeps of a session once it was told.
struct Told<R> {
    id: SessionId,
    digest: Digest,
    /// Its entry, and what became of its record; `None` where the filter hides it.
    shown: Option<(Entry, R)>,
}

impl<R> Told<R> {
    fn of(session: &Session, findings: Vec<Finding>, filter: &Filter, record: impl FnOnce(&[Finding]) -> R) -> Self {
        let shown = filter.matches(session, &findings);
        Self {
            id: session.id,
            // Large: made where it stays.
            digest: Digest::of(session, &findings),
            shown: if shown {
                let record = record(&findings);
                Some((Entry::of(session, findings), record))
            } else {
                None
            },
        }
    }
}

/// What a run knows of all its sessions.
struct Books {
    history: History,
    report: Report,
}

impl Books {
    /// Takes a session, and gives what became of its record where it is shown.
    fn take<R>(&mut self, told: Told<R>) -> Option<(SessionId, R)> {
        self.history.remember(told.digest);
        let (entry, record) = told.shown?;
        self.report.add(&entry);
        Some((told.id, record))
    }
}

/// True where a file is not in the report, or not to its end, because it could not be read.
fn is_incomplete(capture: &CaptureFacts) -> bool {
    capture.files.iter().any(|file| file.failed)
}

/// `smtpcap analyze`.
///
/// # Errors
/// What the user must mend.
pub fn analyze(arguments: &Analyze) -> Result<u8, Stop> {
    let style = environment::style(&arguments.look, arguments.output.is_none());
    let language = style.language;
    let filter = Filter::parse(&arguments.filter, language).map_err(|reason| {
        let text = encode::terminal(arguments.filter.join(" ").as_bytes()).into_owned();
        Stop::Mend(Message::BadFilter.say(language, &[("text", &text), ("reason", &reason)]))
    })?;
    let name = arguments.output.as_ref().map_or_else(
        || "-".to_owned(),
        |path| encode::terminal(path.as_os_str().as_encoded_bytes()).into_owned(),
    );
    let failed = |error: std::io::Error| Stop::output(&error, &name, language);
    let format = arguments.format;
    let crew = Crew {
        threads: environment::threads(arguments.reading.threads, &arguments.files),
        records: format != Format::Table,
    };
    let mut output = Output::open(arguments.output.as_deref(), crew.threads).map_err(failed)?;
    let mut books = Books {
        history: History::new(),
        report: Report::new(),
    };
    let mut emitter = Emitter::new(arguments.format, language);
    let (files, reading) = (&arguments.files, &arguments.reading);
    let health = if crew.threads > 1 || format != Format::Jsonl {
        let tell = |session: Session, findings, digits| {
            let form = Form { language, digits };
            Told::of(&session, findings, &filter, |findings| match format {
                Format::Table => Vec::new(),
                Format::Json | Format::Jsonl => SessionRecord::of(&session, findings, form).to_line(),
            })
        };
        read(files, reading, crew, language, &tell, &mut |told| {
            let shown = books.take(told);
            shown.map_or(Ok(()), |(id, record)| {
                emitter.session(id, record, &mut output).map_err(failed)
            })
        })
    } else {
        // Lines come as sessions end: each is made where it is written from.
        let end = |session, findings, digits| (session, findings, digits);
        read(files, reading, crew, language, &end, &mut |ended: Ended| {
            let (session, findings, digits) = ended;
            let form = Form { language, digits };
            let told = Told::of(&session, findings, &filter, |findings| {
                output.append(|json| SessionRecord::of(&session, findings, form).append_line(json))
            });
            books.take(told).map_or(Ok(()), |(_, written)| written.map_err(failed))
        })
    };
    let (mut health, Books { history, mut report }) = (health?, books);
    health.forgotten = history.forgotten();
    health.keyless = report.tally.keyless;
    report.finish(history.conclude());
    // The run ends soon, and its memory with it: nothing is gained by giving that back piece by piece.
    std::mem::forget(history);
    for trouble in troubles(
        &health,
        &Style {
            colour: false,
            ..style.clone()
        },
    ) {
        eprintln!("{}", Message::WarningPrefix.say(language, &[("what", &trouble)]));
    }
    emitter.finish(&report, &health, &style, &mut output).map_err(failed)?;
    output.finish().map_err(failed)?;
    let incomplete = is_incomplete(&health.capture);
    Ok(exit::code(incomplete, report.gravest(), arguments.fail_on))
}

/// Writes sessions in the format asked for.
struct Emitter {
    format: Format,
    language: Language,
    held: Vec<(u64, Vec<u8>)>,
    held_octets: usize,
    overflowed: bool,
    begun: bool,
}

impl Emitter {
    fn new(format: Format, language: Language) -> Self {
        Self {
            format,
            language,
            held: Vec::new(),
            held_octets: 0,
            overflowed: false,
            begun: false,
        }
    }

    fn session(&mut self, id: SessionId, record: Vec<u8>, output: &mut Output) -> std::io::Result<()> {
        match self.format {
            Format::Table => Ok(()),
            Format::Jsonl => output.write_all(&record),
            Format::Json => {
                self.held_octets += record.len();
                self.held.push((id.0, record));
                if self.held_octets > HELD_OCTETS || self.overflowed {
                    self.overflowed = true;
                    self.release(output)?;
                }
                Ok(())
            }
        }
    }

    /// Writes the held sessions into the document's list, by first frame.
    fn release(&mut self, output: &mut Output) -> std::io::Result<()> {
        if !self.begun {
            self.begun = true;
            writeln!(output, "{{\"schema_version\":{},", json::SCHEMA_VERSION)?;
            writeln!(output, "\"generator\":\"{}\",", json::GENERATOR)?;
            write!(output, "\"sessions\":[\n ")?;
        } else if !self.held.is_empty() {
            write!(output, ",")?;
        }
        self.held.sort_by_key(|(id, _)| *id);
        for (position, (_, written)) in self.held.iter().enumerate() {
            if position > 0 {
                write!(output, ",")?;
            }
            output.write_all(written)?;
        }
        self.held.clear();
        self.held_octets = 0;
        Ok(())
    }

    fn finish(&mut self, report: &Report, health: &Health, style: &Style, output: &mut Output) -> std::io::Result<()> {
        let form = Form {
            language: self.language,
            digits: health.capture.fraction_digits(),
        };
        match self.format {
            Format::Table => table(report, health, style, output),
            Format::Jsonl => {
                for insight in &report.insights {
                    json::write_line(&InsightRecord::of(insight, form), output)?;
                }
                json::write_line(&CaptureRecord::of(health, form), output)?;
                json::write_line(&SummaryRecord::of(report), output)
            }
            Format::Json => {
                self.release(output)?;
                let insights: Vec<_> = report.insights.iter().map(|one| InsightRecord::of(one, form)).collect();
                write!(output, "],\n\"insights\":")?;
                json::write_line(&insights, output)?;
                write!(output, ",\"capture\":")?;
                json::write_line(&CaptureRecord::of(health, form), output)?;
                write!(output, ",\"summary\":")?;
                json::write_line(&SummaryRecord::of(report), output)?;
                writeln!(output, "}}")
            }
        }
    }
}

fn table(report: &Report, run: &Health, style: &Style, output: &mut Output) -> std::io::Result<()> {
    let style = &Style {
        digits: run.capture.fraction_digits(),
        origin: run
            .capture
            .files
            .iter()
            .filter_map(|file| file.earliest)
            .min()
            .unwrap_or_default(),
        ..style.clone()
    };
    let mut page = Page::new(style);
    health(&mut page, run, report.tally.decrypted, style);
    if report.tally.sessions == 0 {
        let ports: Vec<_> = run.ports.iter().map(u16::to_string).collect();
        page.text(0, &style.say(Message::NoMail, &[("ports", &ports.join(", "))]));
    }
    sessions(&mut page, report, style);
    stories(&mut page, report);
    for line in page.into_lines() {
        writeln!(output, "{line}")?;
    }
    Ok(())
}

/// `smtpcap show`.
///
/// # Errors
/// What the user must mend.
pub fn show(arguments: &Show) -> Result<u8, Stop> {
    let style = environment::style(&arguments.look, true);
    let language = style.language;
    let wanted = arguments.session;
    // Sessions end in another order than they begin, so the first few are kept until all are known.
    let mut kept: Vec<(Session, Vec<Finding>)> = Vec::new();
    let mut ids: Vec<u64> = Vec::new();
    let ordinals = usize::try_from(wanted).unwrap_or(usize::MAX).min(1000);
    let files = std::slice::from_ref(&arguments.file);
    let run = read(
        files,
        &arguments.reading,
        Crew {
            threads: environment::threads(arguments.reading.threads, files),
            records: false,
        },
        language,
        &|session, findings, digits| (session, findings, digits),
        &mut |(session, findings, _): Ended| {
            ids.push(session.id.0);
            kept.push((session, findings));
            kept.sort_by_key(|(session, _)| session.id);
            let exact = kept.iter().position(|(session, _)| session.id.0 == wanted);
            while kept.len() > ordinals + 1 {
                let last = kept.len() - 1;
                kept.remove(if exact == Some(last) { last - 1 } else { last });
            }
            Ok(())
        },
    )?;
    ids.sort_unstable();
    let exact = kept.iter().position(|(session, _)| session.id.0 == wanted);
    let ordinal = wanted
        .checked_sub(1)
        .and_then(|position| ids.get(usize::try_from(position).ok()?))
        .copied();
    let found = exact.or_else(|| kept.iter().position(|(session, _)| Some(session.id.0) == ordinal));
    let Some((session, findings)) = found.and_then(|position| kept.get(position)) else {
        let shown: Vec<_> = ids.iter().take(50).map(u64::to_string).collect();
        let message = Message::NoSuchSession.say(language, &[("id", &wanted.to_string()), ("ids", &shown.join(", "))]);
        return Err(Stop::Mend(message));
    };
    if exact.is_none() {
        let values = [("id", wanted.to_string()), ("found", session.id.0.to_string())];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        eprintln!("{}", style.say(Message::SessionByOrdinal, &values));
    }
    let style = Style {
        digits: run.capture.fraction_digits(),
        origin: run
            .capture
            .files
            .iter()
            .filter_map(|file| file.earliest)
            .min()
            .unwrap_or_default(),
        ..style
    };
    let mut page = Page::new(&style);
    ladder(&mut page, session, findings, &style);
    let mut output = Output::open(None, 1).map_err(|error| Stop::output(&error, "-", language))?;
    for line in page.into_lines() {
        writeln!(output, "{line}").map_err(|error| Stop::output(&error, "-", language))?;
    }
    output.finish().map_err(|error| Stop::output(&error, "-", language))?;
    Ok(exit::code(is_incomplete(&run.capture), None, None))
}
