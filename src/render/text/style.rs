//! How text output looks: language, width, colours, ornaments, times.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::diagnosis::Severity;
use crate::text::{Language, Message};
use crate::time::Timestamp;

/// How times are shown.
#[derive(Clone, Debug, Default)]
pub enum Times {
    /// UTC, RFC 3339.
    #[default]
    Utc,
    /// A time zone that the caller looked up.
    Zone(TimeZone),
    /// Seconds since the first frame of the capture.
    Relative,
    /// Seconds since 1970.
    Epoch,
}

/// Everything that decides the look.
#[derive(Clone, Debug)]
pub struct Style {
    /// Language.
    pub language: Language,
    /// Columns of the terminal, or of the page.
    pub columns: usize,
    /// Colours.
    pub colour: bool,
    /// Only ASCII ornaments.
    pub ascii: bool,
    /// Times.
    pub times: Times,
    /// Fractional digits of times: the capture's precision, at most what people want to read.
    pub digits: u8,
    /// Time of the first frame, for relative times.
    pub origin: Timestamp,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            language: Language::English,
            columns: 80,
            colour: false,
            ascii: false,
            times: Times::Utc,
            digits: 6,
            origin: Timestamp::default(),
        }
    }
}

/// Colours, named by use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Headings.
    Strong,
    /// Side remarks.
    Faint,
    /// By severity.
    Severity(Severity),
}

impl Style {
    /// A message.
    #[must_use]
    pub fn say(&self, message: Message, values: &[(&str, &str)]) -> String {
        self.plain(&message.say(self.language, values))
    }

    /// A word.
    #[must_use]
    pub fn word(&self, message: Message) -> String {
        self.plain(message.word(self.language))
    }

    /// With ASCII ornaments only, arrows and dashes are replaced; letters stay.
    #[must_use]
    pub fn plain(&self, text: &str) -> String {
        if !self.ascii {
            return text.to_owned();
        }
        text.replace('→', "->")
            .replace('–', "-")
            .replace('…', "...")
            .replace('●', "*")
            .replace('│', "|")
    }

    /// Text in a colour, where colours are wanted.
    #[must_use]
    pub fn paint(&self, paint: Paint, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Strong => "1",
            Paint::Faint => "2",
            Paint::Severity(Severity::Fail) => "1;31",
            Paint::Severity(Severity::Risk) => "33",
            Paint::Severity(Severity::Note) => "36",
            Paint::Severity(Severity::Limit) => "35",
            Paint::Severity(Severity::Ok) => "32",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// A point in time with date.
    #[must_use]
    pub fn time(&self, time: Timestamp) -> String {
        let digits = self.digits.min(6);
        match &self.times {
            Times::Utc => time.rfc3339(digits),
            Times::Zone(zone) => match jiff::Timestamp::from_nanosecond(i128::from(time.nanoseconds())) {
                Ok(stamp) => stamp
                    .to_zoned(zone.clone())
                    .strftime("%Y-%m-%d %H:%M:%S%.f %:z")
                    .to_string(),
                Err(_) => time.rfc3339(digits),
            },
            Times::Relative => seconds(time.since(self.origin), digits),
            Times::Epoch => format!(
                "{}.{:0width$}",
                time.seconds(),
                fraction(time, digits),
                width = usize::from(digits.max(1))
            ),
        }
    }

    /// The time of day alone, for tables and ladders.
    #[must_use]
    pub fn clock(&self, time: Timestamp) -> String {
        match &self.times {
            Times::Utc => time
                .rfc3339(3)
                .get(11..23)
                .map_or_else(|| time.rfc3339(3), str::to_owned),
            Times::Zone(zone) => match jiff::Timestamp::from_nanosecond(i128::from(time.nanoseconds())) {
                Ok(stamp) => stamp.to_zoned(zone.clone()).strftime("%H:%M:%S%.3f").to_string(),
                Err(_) => time.rfc3339(3),
            },
            Times::Relative => seconds(time.since(self.origin), 3),
            Times::Epoch => format!("{}.{:03}", time.seconds(), fraction(time, 3)),
        }
    }
}

fn seconds(duration: Duration, digits: u8) -> String {
    format!("+{:.*}s", usize::from(digits), duration.as_secs_f64())
}

fn fraction(time: Timestamp, digits: u8) -> i64 {
    time.nanoseconds().rem_euclid(1_000_000_000) / 10_i64.pow(9 - u32::from(digits.clamp(1, 9)))
}
