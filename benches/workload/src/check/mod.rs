//! smtpcap's report (JSON Lines) against the truth: read back into the same counts, compared count by count and, where the
//! truth of each session is at hand, session by session.

mod record;

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead};

use self::record::{Count, Record};
use crate::plan::{Fault, Truth};
use crate::truth::{Counts, Totals};

/// Differences between two sessions that are told one by one.
const TOLD: usize = 10;

/// What a report says.
#[derive(Debug, Default)]
pub struct Report {
    /// The counts, where the report gives them.
    pub totals: Totals,
    /// Each session, by first frame.
    sessions: HashMap<u64, Truth>,
    /// Connections without an answer that a limit made it forget.
    forgotten_syns: u64,
}

impl Report {
    /// Reads a report. `each` keeps every session for a comparison one by one.
    ///
    /// # Errors
    /// Where it cannot be read, or is no report.
    pub fn read(mut input: impl BufRead, each: bool) -> io::Result<Self> {
        let mut report = Self::default();
        let mut line = Vec::new();
        while input.read_until(b'\n', &mut line)? > 0 {
            match serde_json::from_slice(&line)? {
                Record::Session(session) => {
                    let seen = session.truth();
                    report.totals.session(&seen);
                    if each {
                        report.sessions.insert(seen.first_frame, seen);
                    }
                }
                Record::Capture(capture) => {
                    report
                        .totals
                        .file(capture.frames, capture.files.iter().map(|file| file.octets).sum());
                    let forgotten = |count: &&Count| count.what == "unanswered SYNs forgotten";
                    report.forgotten_syns = capture
                        .limits_reached
                        .iter()
                        .filter(forgotten)
                        .map(|one| one.count)
                        .sum();
                }
                Record::Other => {}
            }
            line.clear();
        }
        Ok(report)
    }

    /// Says every count that differs: name, truth, report.
    #[must_use]
    pub fn differences(&self, truth: &Totals) -> Vec<String> {
        let truth = comparable(truth.clone());
        let mut seen = comparable(self.totals.clone());
        if truth.flood_syns > 0 {
            self.take_flood_out(&mut seen, &truth);
        }
        let mut numbers = numbers(&truth);
        for (name, number) in self::numbers(&seen) {
            numbers.entry(name).or_default().1 = number.0;
        }
        numbers
            .into_iter()
            .filter(|(_, (truth, seen))| truth != seen)
            .map(|(name, (truth, seen))| format!("{name}: put in {truth}, reported {seen}"))
            .collect()
    }

    /// The SYNs of a flood are reported as connections without an answer, or as forgotten: they are counted apart.
    fn take_flood_out(&self, seen: &mut Totals, truth: &Totals) {
        let count = |counts: &Counts| counts.get("no_connection").copied().unwrap_or(0);
        let of_flood = count(&seen.outcomes).saturating_sub(count(&truth.outcomes));
        seen.flood_syns = of_flood + self.forgotten_syns;
        seen.sessions -= of_flood;
        seen.failed = seen.failed.saturating_sub(of_flood);
        for (counts, name) in [
            (&mut seen.outcomes, "no_connection"),
            (&mut seen.ports, "25"),
            (&mut seen.tcp_failures, "unanswered"),
        ] {
            if let Some(count) = counts.get_mut(name) {
                *count = count.saturating_sub(of_flood);
            }
        }
    }

    /// Says the first sessions that differ; `truths` is the file of `--session-truth`.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn session_differences(&self, truths: impl BufRead) -> io::Result<Vec<String>> {
        let mut said = Vec::new();
        for line in truths.lines() {
            let mut truth: Truth = serde_json::from_str(&line?)?;
            truth.fault = truth.fault.map(as_seen);
            let Some(seen) = self.sessions.get(&truth.first_frame) else {
                said.push(format!("session {}: not reported ({})", truth.first_frame, truth.kind));
                continue;
            };
            let seen = Truth {
                kind: truth.kind.clone(),
                lost_frames: truth.lost_frames,
                ..seen.clone()
            };
            if seen != truth {
                said.push(format!(
                    "session {}:\n  put in   {truth:?}\n  reported {seen:?}",
                    truth.first_frame
                ));
            }
        }
        let further = said.len().saturating_sub(TOLD);
        said.truncate(TOLD);
        if further > 0 {
            said.push(format!("and {further} further sessions"));
        }
        Ok(said)
    }
}

/// An overlapping segment is a retransmission cut otherwise: a capture does not tell them apart.
const fn as_seen(fault: Fault) -> Fault {
    match fault {
        Fault::Overlapping => Fault::Retransmitted,
        other => other,
    }
}

/// Every count that is compared, by name, as the truth's; none is reported yet.
fn numbers(totals: &Totals) -> BTreeMap<String, (u64, u64)> {
    let mut numbers = BTreeMap::from(
        [
            ("frames", totals.frames),
            ("bytes", totals.bytes),
            ("SYNs of the flood", totals.flood_syns),
            ("sessions", totals.sessions),
            ("sessions with a failure", totals.failed),
            ("messages accepted", totals.messages_accepted),
            ("messages by BDAT", totals.messages_bdat),
            ("recipients accepted", totals.recipients_accepted),
            ("TLS handshakes", totals.handshakes),
            ("octets lost", totals.lost_octets),
        ]
        .map(|(name, number)| (name.to_owned(), (number, 0))),
    );
    for (name, counts) in [
        ("outcome", &totals.outcomes),
        ("port", &totals.ports),
        ("alert", &totals.alerts),
        ("rejection", &totals.rejections),
        ("TCP failure", &totals.tcp_failures),
        ("fault", &totals.faults),
    ] {
        numbers.extend(counts.iter().map(|(key, count)| (format!("{name} {key}"), (*count, 0))));
    }
    numbers
}

/// The counts with what a report cannot tell apart put together.
fn comparable(mut totals: Totals) -> Totals {
    if let Some(overlapping) = totals.faults.remove("overlapping") {
        *totals.faults.entry("retransmitted".to_owned()).or_default() += overlapping;
    }
    totals
}
