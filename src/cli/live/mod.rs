//! `smtpcap live`: the same as `analyze`, session by session as they end, for days.
//!
//! ```text
//! feed (thread: pipe → frames) ─┐
//! signals, keys (threads) ──────┼→ events → watch: analyzer, window, counters → sink, store, endpoint (thread)
//! ```
//!
//! One thread analyses; the others wait for the system. This file reads the flags and brings the parts together.

mod clock;
mod endpoint;
mod feed;
mod folder;
mod signals;
mod sink;
mod store;
mod tell;
mod watch;

use std::io::Write;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::cli::args::{Format, Live};
use crate::cli::environment;
use crate::cli::exit::Stop;
use crate::cli::filter::Filter;
use crate::cli::live::feed::{BATCHES, Feed, From};
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
    if arguments.format == Format::Json {
        return Err(Stop::Mend(Message::LiveFormat.word(language).to_owned()));
    }
    let filter = Filter::parse(&arguments.filter).map_err(|reason| {
        let text = shown(arguments.filter.join(" "));
        Stop::Mend(Message::BadFilter.say(language, &[("text", &text), ("reason", &reason)]))
    })?;
    let times = Times {
        window: time("--window", &arguments.window, language)?,
        summary_every: time("--summary-every", &arguments.summary_every, language)?,
    };
    let (sender, events) = sync_channel(BATCHES);
    let mut watch = Watch::new(arguments, filter, times)?;
    if let Some(page) = metrics(arguments, language)? {
        watch.publish_to(page);
    }
    note(Message::LiveNotice.word(language));
    signals::listen(sender.clone()).map_err(|error| Stop::output(&error, "signals", language))?;
    let name = arguments.input.clone().unwrap_or_else(|| "-".into());
    let shown_name = shown(&name);
    let from = if name == "-" { From::Stdin } else { From::Path(name.clone().into()) };
    let feed = Feed::start(from, name, sender.clone()).map_err(|error| {
        let values = [("file", shown_name.as_str()), ("reason", &error.to_string())];
        Stop::Mend(Message::CannotOpen.say(language, &values))
    })?;
    note(&Message::LiveWatching.say(language, &[("name", &shown_name)]));
    let keys = arguments.input.is_none().then(|| Keys::listen(sender.clone())).flatten();
    if keys.is_some() {
        note(Message::LiveKeys.word(language));
    }
    drop(sender);
    watch.run(&events, &feed)
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

/// Starts the page for Prometheus, where it is asked for.
fn metrics(arguments: &Live, language: Language) -> Result<Option<endpoint::Page>, Stop> {
    let Some(text) = &arguments.metrics else {
        return Ok(None);
    };
    let shown = shown(text);
    let say = |message: Message| Stop::Mend(message.say(language, &[("address", &shown)]));
    let address = endpoint::address(text).ok_or_else(|| say(Message::LiveMetricsAddress))?;
    if !address.ip().is_loopback() && !arguments.metrics_on_network {
        return Err(say(Message::LiveMetricsNotLoopback));
    }
    let page: endpoint::Page = Arc::new(Mutex::new(Arc::from("")));
    let at = endpoint::serve(address, Arc::clone(&page)).map_err(|error| {
        let values = [("address", shown.as_str()), ("reason", &error.to_string())];
        Stop::Mend(Message::LiveMetricsCannot.say(language, &values))
    })?;
    note(&Message::LiveMetricsAt.say(language, &[("address", &at.to_string())]));
    Ok(Some(page))
}

/// What a user typed, safe for a terminal.
fn shown(text: impl AsRef<std::ffi::OsStr>) -> String {
    encode::terminal(text.as_ref().as_encoded_bytes()).into_owned()
}

/// Says something on standard error; whether anybody listens does not matter.
fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "smtpcap: {text}");
}
