//! `smtpcap live`: the same as `analyze`, session by session as they end, for days.
//!
//! ```text
//! feed (thread: pipe → frames) ─┐
//! signals, keys (threads) ──────┼→ events → watch: analyzer, window, counters → sink, store, endpoint (thread)
//! ```
//!
//! One thread analyses; the others wait for the system. This file reads the flags and brings the parts together, in an
//! order that matters: what needs a right or a name is opened first, then the sandbox is entered, then threads start, and
//! only then the first octet is read.

mod clock;
mod endpoint;
mod feed;
mod folder;
mod interfaces;
mod signals;
mod sink;
mod store;
mod tell;
mod walls;
mod watch;

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::capture::Input;
use crate::capture::live::{Control, Started};
use crate::cli::args::{Format, Live};
use crate::cli::environment;
use crate::cli::exit::{ANALYSED, Stop};
use crate::cli::filter::Filter;
use crate::cli::live::feed::{BATCHES, Feed, Source};
use crate::cli::live::signals::Keys;
use crate::cli::live::watch::Watch;
use crate::render::encode;
use crate::text::{Language, Message};

/// `smtpcap live`.
///
/// # Errors
/// What the user must mend.
pub fn live(arguments: &Live) -> Result<u8, Stop> {
    let language = environment::language(arguments.look.lang);
    if arguments.capture.list_interfaces {
        interfaces::list(language)?;
        return Ok(ANALYSED);
    }
    let (filter, times) = flags(arguments, language)?;
    let owner = walls::owner(&arguments.capture, language)?;
    let origin = Origin::open(arguments, owner.as_ref(), language)?;
    let listener = listener(arguments, language)?;
    let mut watch = Watch::new(arguments, filter, times, owner.as_ref())?;
    let signals = signals::register().map_err(|error| Stop::output(&error, "signals", language))?;
    note(Message::LiveNotice.word(language));
    walls::enter(arguments, owner, origin.child(), listener.is_some(), language)?;
    let threads = |error: std::io::Error| Stop::output(&error, "threads", language);
    let (sender, events) = sync_channel(BATCHES);
    signals::listen(signals, sender.clone()).map_err(threads)?;
    if let Some(listener) = listener {
        let page: endpoint::Page = Arc::new(Mutex::new(Arc::from("")));
        watch.publish_to(Arc::clone(&page));
        endpoint::serve(listener, page).map_err(threads)?;
    }
    let (source, name, control) = origin.attach();
    note(&Message::LiveWatching.say(language, &[("name", &shown(&name))]));
    let feed = Feed::start(source, name, control, watch.take_embedded_keys(), sender.clone()).map_err(threads)?;
    let keys = arguments
        .input
        .is_none()
        .then(|| Keys::listen(sender.clone()))
        .flatten();
    if keys.is_some() {
        note(Message::LiveKeys.word(language));
    }
    drop(sender);
    watch.run(&events, &feed)
}

/// The flags that have a form of their own.
fn flags(arguments: &Live, language: Language) -> Result<(Filter, Times), Stop> {
    if arguments.format == Format::Json {
        return Err(Stop::Mend(Message::LiveFormat.word(language).to_owned()));
    }
    let filter = Filter::parse(&arguments.filter, language).map_err(|reason| {
        let text = shown(arguments.filter.join(" "));
        Stop::Mend(Message::BadFilter.say(language, &[("text", &text), ("reason", &reason)]))
    })?;
    let times = Times {
        window: time("--window", &arguments.window, language)?,
        summary_every: time("--summary-every", &arguments.summary_every, language)?,
    };
    Ok((filter, times))
}

/// Where the frames come from, opened and not read yet.
enum Origin {
    Pipe(File, OsString),
    Program(Started),
}

impl Origin {
    fn open(arguments: &Live, owner: Option<&crate::sandbox::Identity>, language: Language) -> Result<Self, Stop> {
        let Some(name) = arguments.input.clone() else {
            return interfaces::start_capture(arguments, owner, language).map(Self::Program);
        };
        let file = if name == "-" { feed::stdin() } else { File::open(&name) };
        match file {
            Ok(file) => Ok(Self::Pipe(file, name)),
            Err(error) => {
                let values = [("file", shown(&name)), ("reason", error.to_string())];
                let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
                Err(Stop::Mend(Message::CannotOpen.say(language, &values)))
            }
        }
    }

    fn child(&self) -> Option<u32> {
        match self {
            Self::Pipe(..) => None,
            Self::Program(started) => Some(started.pid()),
        }
    }

    /// Begins to listen to it; for the time after the sandbox was entered.
    fn attach(self) -> (Source, OsString, Option<Control>) {
        match self {
            Self::Pipe(file, name) => (Source::File(file), name, None),
            Self::Program(started) => {
                let (input, control) = started.attach();
                let name = input.name();
                let source = match input {
                    Input::Stream { octets, .. } => Source::Program(octets),
                    Input::Path(_) | Input::StandardInput => Source::Program(Box::new(std::io::empty())),
                };
                (source, name, Some(control))
            }
        }
    }
}

/// The durations that the flags name.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// How long sessions are remembered.
    pub window: Duration,
    /// How often a summary is told; zero for never.
    pub summary_every: Duration,
}

fn time(flag: &str, text: &str, language: Language) -> Result<Duration, Stop> {
    let parsed = text.parse::<jiff::SignedDuration>().ok();
    parsed.and_then(|time| Duration::try_from(time).ok()).ok_or_else(|| {
        let values = [("flag", flag), ("text", &shown(text))];
        Stop::Mend(Message::LiveBadDuration.say(language, &values))
    })
}

/// Binds the address of the page for Prometheus, where it is asked for.
fn listener(arguments: &Live, language: Language) -> Result<Option<TcpListener>, Stop> {
    let Some(text) = &arguments.metrics else {
        return Ok(None);
    };
    let shown = shown(text);
    let say = |message: Message| Stop::Mend(message.say(language, &[("address", &shown)]));
    let address = endpoint::address(text).ok_or_else(|| say(Message::LiveMetricsAddress))?;
    if !address.ip().is_loopback() && !arguments.metrics_on_network {
        return Err(say(Message::LiveMetricsNotLoopback));
    }
    let bound = TcpListener::bind(address).and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (at, listener) = bound.map_err(|error| {
        let values = [("address", shown.as_str()), ("reason", &error.to_string())];
        Stop::Mend(Message::LiveMetricsCannot.say(language, &values))
    })?;
    note(&Message::LiveMetricsAt.say(language, &[("address", &at.to_string())]));
    Ok(Some(listener))
}

/// What a user typed, safe for a terminal.
fn shown(text: impl AsRef<std::ffi::OsStr>) -> String {
    encode::terminal(text.as_ref().as_encoded_bytes()).into_owned()
}

/// Says something on standard error; whether anybody listens does not matter.
fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "smtpcap: {text}");
}
