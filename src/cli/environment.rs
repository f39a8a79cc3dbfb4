//! What the surroundings say: language, terminal, colours, time zone. Read here and nowhere else.

use std::ffi::OsString;
use std::io::IsTerminal;

use crate::cli::args::{Color, Lang, Look, Time};
use crate::render::text::{Style, Times};
use crate::text::Language;

/// The language: the flag, else LC_ALL, LC_MESSAGES, LANG (the first that is set and not empty).
#[must_use]
pub fn language(flag: Option<Lang>) -> Language {
    match flag {
        Some(Lang::En) => Language::English,
        Some(Lang::Ja) => Language::Japanese,
        None => ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty())
            .map_or(Language::English, |value| Language::of_locale(&value)),
    }
}

/// Columns where the output is no terminal and nothing says otherwise.
const DEFAULT_COLUMNS: usize = 100;
/// Wider than this is hard to read.
const WIDEST: usize = 120;

/// The look of text output; `to_terminal` where it goes to standard output.
#[must_use]
pub fn style(look: &Look, to_stdout: bool) -> Style {
    let terminal = to_stdout && std::io::stdout().is_terminal();
    let columns = look
        .width
        .or_else(|| {
            std::env::var("COLUMNS")
                .ok()
                .and_then(|value| value.parse().ok())
                .filter(|_| terminal)
        })
        .or_else(|| if terminal { terminal_columns() } else { None })
        .map_or(DEFAULT_COLUMNS, |columns| {
            if look.width.is_some() {
                columns
            } else {
                columns.min(WIDEST)
            }
        });
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    Style {
        language: language(look.lang),
        columns: columns.max(20),
        colour: match look.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !no_color,
        },
        ascii: look.ascii,
        times: match look.time {
            Time::Utc => Times::Utc,
            Time::Local => Times::Zone(jiff::tz::TimeZone::system()),
            Time::Relative => Times::Relative,
            Time::Epoch => Times::Epoch,
        },
        ..Style::default()
    }
}

fn terminal_columns() -> Option<usize> {
    terminal_size::terminal_size().map(|(terminal_size::Width(columns), _)| usize::from(columns))
}

/// Captures smaller than this are read before threads could help, in octets.
const SMALL: u64 = 4 << 20;

/// Threads for a run over these files: as asked for, else one for each core, but one alone for small files.
#[must_use]
pub fn threads(asked: Option<usize>, files: &[OsString]) -> usize {
    let size = |file: &OsString| {
        std::fs::metadata(file).map_or(u64::MAX, |data| if data.is_file() { data.len() } else { u64::MAX })
    };
    let octets = files.iter().map(size).fold(0, u64::saturating_add);
    asked.unwrap_or_else(|| {
        if octets < SMALL {
            1
        } else {
            std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
        }
    })
}
