//! The whole run: lines, causes, counts.

use std::collections::BTreeMap;

use crate::diagnosis::Severity;
use crate::insight::Insight;
use crate::report::cause::{Cause, EXAMPLES};
use crate::report::counts::{Counted as _, Counts};
use crate::report::entry::Entry;
use crate::report::line::SessionLine;
use crate::session::{Outcome, Service};

/// Session lines kept; further sessions are counted.
pub const LISTED_LINES: usize = 10_000;
/// With at most this many failing sessions in a run each is told in full, not three for each cause.
pub const ALL_TOLD: usize = 20;

/// Counts of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Sessions.
    pub sessions: u64,
    /// Sessions by outcome.
    pub outcomes: Counts<Outcome>,
    /// Sessions by service.
    pub services: Counts<Service>,
    /// Sessions by negotiated TLS version (wire value). Whoever makes the packets chooses from 65,536: no list.
    pub versions: BTreeMap<u16, u64>,
    /// Sessions by highest offered TLS version (wire value).
    pub offered: BTreeMap<u16, u64>,
    /// Sessions in which a finding fired, by slug.
    pub findings: Counts<&'static str>,
    /// Sessions by their gravest finding.
    pub severities: Counts<Severity>,
    /// Messages accepted, as seen.
    pub accepted_messages: u64,
    /// Sessions whose inside was read with keys.
    pub decrypted: u64,
    /// Sessions with protected records of which no key came in time.
    pub keyless: u64,
}

/// Everything that is shown of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Lines, by first frame once [`Report::finish`] has run.
    pub lines: Vec<SessionLine>,
    /// Sessions without a line.
    pub lines_not_kept: u64,
    /// Causes as they came, a few dozen at most; ordered for reading by [`Report::causes_in_order`].
    causes: Vec<Cause>,
    told: usize,
    /// Counts.
    pub tally: Tally,
    /// What several sessions together show.
    pub insights: Vec<Insight>,
}

impl Report {
    /// An empty report.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a session. It is lent: nearly all that is kept of most sessions are counts.
    pub fn add(&mut self, entry: &Entry) {
        self.count(entry);
        let line = &entry.line;
        if let Some((slug, severity, _)) = line.headline {
            let place = self.causes.iter().position(|cause| cause.slug.is(slug));
            let place = place.unwrap_or_else(|| {
                self.causes.push(Cause::new(slug, entry.first));
                self.causes.len() - 1
            });
            let room = if self.told < ALL_TOLD { ALL_TOLD } else { EXAMPLES };
            if let Some(cause) = self.causes.get_mut(place) {
                let before = cause.examples.len();
                cause.add(entry, severity, room);
                self.told += cause.examples.len() - before;
            }
        }
        if self.lines.len() < LISTED_LINES {
            self.lines.push(entry.line.clone());
        } else {
            self.lines_not_kept += 1;
        }
    }

    fn count(&mut self, entry: &Entry) {
        let (tally, line) = (&mut self.tally, &entry.line);
        tally.sessions += 1;
        tally.outcomes.add(line.outcome);
        tally.services.add(line.service);
        if let Some(version) = line.version {
            *tally.versions.entry(version.0).or_default() += 1;
        }
        if let Some(version) = line.offered {
            *tally.offered.entry(version.0).or_default() += 1;
        }
        for finding in &entry.findings {
            tally.findings.add(finding.rule.slug);
        }
        if let Some(gravest) = entry.findings.iter().map(|finding| finding.severity).max() {
            tally.severities.add(gravest);
        }
        tally.decrypted += u64::from(entry.decrypted);
        tally.keyless += u64::from(entry.keyless);
        tally.accepted_messages += entry.accepted_messages;
    }

    /// Ends the run.
    pub fn finish(&mut self, insights: Vec<Insight>) {
        self.lines.sort_by_cached_key(|line| line.id);
        for cause in &mut self.causes {
            cause.examples.sort_by_key(|example| example.id);
        }
        self.insights = insights;
    }

    /// Causes, failures first, then by number of sessions, then by slug.
    #[must_use]
    pub fn causes_in_order(&self) -> Vec<&Cause> {
        let mut causes: Vec<&Cause> = self.causes.iter().collect();
        causes.sort_by_key(|cause| {
            (
                std::cmp::Reverse(cause.severity),
                std::cmp::Reverse(cause.sessions),
                cause.seen.0.frame,
                cause.slug,
            )
        });
        causes
    }

    /// The gravest severity of the run, insights included; for the exit code.
    #[must_use]
    pub fn gravest(&self) -> Option<Severity> {
        let sessions = self.tally.severities.greatest();
        sessions.max(self.insights.iter().map(|insight| insight.finding.severity).max())
    }
}
