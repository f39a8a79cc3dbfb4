//! What a live run says, in the form asked for: lines and stories for people, the records of `analyze` for programs.

use crate::cli::args::Format;
use crate::diagnosis::Finding;
use crate::insight::Insight;
use crate::live::Told;
use crate::render::json::{
    self, CaptureRecord, Form, InsightRecord, SessionRecord, SummaryRecord, ToJson as _, WithdrawnRecord,
};
use crate::render::text::{self, LiveLines, Page, Style};
use crate::report::{Health, Report, SessionLine};
use crate::session::Session;
use crate::tcp::OpenConnection;
use crate::time::Timestamp;

/// Writes records.
pub struct Teller {
    format: Format,
    /// The look; digits and origin follow the capture.
    pub style: Style,
    lines: LiveLines,
    told: Told,
}

impl Teller {
    /// A teller that tells a story again after `window`.
    #[must_use]
    pub fn new(format: Format, style: Style, window: std::time::Duration) -> Self {
        Self {
            format,
            style,
            lines: LiveLines::default(),
            told: Told::new(window),
        }
    }

    fn form(&self) -> Form {
        Form {
            language: self.style.language,
            digits: self.style.digits,
        }
    }

    fn is_for_programs(&self) -> bool {
        self.format == Format::Jsonl
    }

    /// A session that has ended; `saved`: where its frames went.
    pub fn session(
        &mut self,
        session: &Session,
        findings: &[Finding],
        line: &SessionLine,
        now: Timestamp,
        saved: Option<&str>,
    ) -> Vec<u8> {
        if self.is_for_programs() {
            return SessionRecord::of(session, findings, self.form()).to_line();
        }
        let headline = line.headline.filter(|_| line.failed());
        let story = headline.map(|(slug, _, _)| {
            let client = line.client.address;
            self.told.before(slug, client, line.server, line.id, now)
        });
        let mut page = Page::new(&self.style);
        let as_in = story.flatten();
        self.lines
            .session(&mut page, line, session.ended_by, as_in, &self.style);
        if story == Some(None) {
            text::live_story(&mut page, findings, &self.style);
        }
        if let Some(file) = saved {
            text::live_saved(&mut page, file, &self.style);
        }
        lines(page)
    }

    /// What several sessions together show.
    pub fn insight(&self, insight: &Insight) -> Vec<u8> {
        if self.is_for_programs() {
            return record(&InsightRecord::of(insight, self.form()));
        }
        let mut page = Page::new(&self.style);
        text::live_insight(&mut page, insight, &self.style);
        lines(page)
    }

    /// What was said of several sessions and later ones contradict.
    pub fn withdrawn(&self, insight: &Insight) -> Vec<u8> {
        if self.is_for_programs() {
            return record(&WithdrawnRecord::of(insight, self.form()));
        }
        let mut page = Page::new(&self.style);
        text::live_withdrawn(&mut page, insight, &self.style);
        lines(page)
    }

    /// A summary; for programs the counts of the whole run so far.
    pub fn summary(&self, summary: &text::Summary<'_>, whole: &Report) -> Vec<u8> {
        if self.is_for_programs() {
            return record(&SummaryRecord::of(whole));
        }
        let mut page = Page::new(&self.style);
        text::summary(&mut page, summary, &self.style);
        lines(page)
    }

    /// The capture, at the end; for people the summary's warnings say it.
    pub fn capture(&self, health: &Health) -> Vec<u8> {
        if self.is_for_programs() {
            return record(&CaptureRecord::of(health, self.form()));
        }
        Vec::new()
    }

    /// What is open: always for people, for who asks is one.
    pub fn open(&self, open: &[(OpenConnection, bool)], half_open: usize, now: Timestamp) -> Vec<u8> {
        let mut page = Page::new(&self.style);
        text::open_sessions(&mut page, open, half_open, now, &self.style);
        lines(page)
    }
}

fn record(value: &impl serde::Serialize) -> Vec<u8> {
    let mut written = Vec::new();
    // Writing to memory cannot fail.
    let _ = json::write_line(value, &mut written);
    written
}

fn lines(page: Page<'_>) -> Vec<u8> {
    let mut written = String::new();
    for line in page.into_lines() {
        written.push_str(&line);
        written.push('\n');
    }
    written.into_bytes()
}
