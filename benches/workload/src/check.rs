//! smtpcap's report (JSON Lines) against the truth: read back into the same counts, compared count by count and, where the
//! truth of each session is at hand, session by session.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead};

use serde::Deserialize;

use crate::plan::{Fault, Outcome, Truth};
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

/// Any record of the report; what is not named here is not compared.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Record {
    Session(Box<Session>),
    Capture(Capture),
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Session {
    id: u64,
    server: Endpoint,
    outcome: Outcome,
    ended_by: String,
    #[serde(default)]
    exchanges: Vec<Exchange>,
    #[serde(default)]
    transactions: Vec<Transaction>,
    tls: Option<Tls>,
    tcp: Tcp,
}

#[derive(Deserialize)]
struct Endpoint {
    port: u16,
}

#[derive(Deserialize)]
struct Exchange {
    command: String,
}

#[derive(Deserialize)]
struct Transaction {
    forward_paths: Vec<ForwardPath>,
    result: String,
    final_reply: Option<Reply>,
}

#[derive(Deserialize)]
struct ForwardPath {
    reply: Option<Reply>,
}

#[derive(Deserialize)]
struct Reply {
    code: Option<u16>,
}

#[derive(Deserialize)]
struct Tls {
    choice: Option<serde::de::IgnoredAny>,
    alerts: Vec<Alert>,
    stopped_at: String,
}

#[derive(Deserialize)]
struct Alert {
    level: Option<String>,
    number: Option<u8>,
}

#[derive(Deserialize)]
struct Tcp {
    opening: String,
    to_server: Direction,
    to_client: Direction,
    #[serde(default)]
    resets: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Direction {
    retransmissions: u64,
    out_of_order: u64,
    missing_octets: u64,
}

#[derive(Deserialize)]
struct Capture {
    frames: u64,
    limits_reached: Vec<Count>,
    files: Vec<CaptureFile>,
}

#[derive(Deserialize)]
struct Count {
    what: String,
    count: u64,
}

#[derive(Deserialize)]
struct CaptureFile {
    octets: u64,
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

impl Session {
    /// What the report says of a session, in the truth's terms.
    fn truth(&self) -> Truth {
        let no_connection = self.outcome == Outcome::NoConnection;
        let alert = self.fatal_alert();
        Truth {
            first_frame: self.id,
            kind: "".into(),
            port: self.server.port,
            outcome: if self.is_left_open() {
                Outcome::LeftOpen
            } else {
                self.outcome
            },
            messages: self
                .transactions
                .iter()
                .filter(|one| one.result.ends_with("accepted"))
                .count() as u64,
            bdat: self
                .exchanges
                .iter()
                .filter(|one| one.command.starts_with("BDAT") && one.command.ends_with("LAST"))
                .count() as u64,
            recipients: self.recipients(),
            rejection: self.transactions.iter().find_map(Transaction::rejection),
            handshake: alert.is_none() && self.tls.as_ref().is_some_and(Tls::is_complete),
            alert,
            tcp_failure: match (no_connection, self.tcp.resets.is_empty()) {
                (true, true) => Some("unanswered".into()),
                (true, false) => Some("refused".into()),
                (false, _) => self.ended_by.ends_with("_reset").then(|| "reset".into()),
            },
            fault: self.tcp.fault(),
            lost_frames: 0,
            lost_octets: self.tcp.to_server.missing_octets + self.tcp.to_client.missing_octets,
        }
    }

    /// Neither side ended it, and nothing became of it.
    fn is_left_open(&self) -> bool {
        matches!(self.ended_by.as_str(), "capture_end" | "idle" | "limit")
            && matches!(self.outcome, Outcome::Unknown | Outcome::Aborted)
    }

    fn fatal_alert(&self) -> Option<u8> {
        let fatal = |alert: &&Alert| alert.level.as_deref() == Some("fatal");
        self.tls.as_ref()?.alerts.iter().find(fatal)?.number
    }

    fn recipients(&self) -> u64 {
        let paths = self.transactions.iter().flat_map(|one| &one.forward_paths);
        paths
            .filter(|path| {
                path.reply
                    .as_ref()
                    .and_then(|reply| reply.code)
                    .is_some_and(|code| code / 100 == 2)
            })
            .count() as u64
    }
}

impl Transaction {
    fn rejection(&self) -> Option<u16> {
        let of_recipients = self.forward_paths.iter().filter_map(|path| path.reply.as_ref());
        let mut replies = of_recipients.chain(&self.final_reply).filter_map(|reply| reply.code);
        matches!(self.result.as_str(), "refused" | "deferred").then(|| replies.find(|code| *code >= 400))?
    }
}

impl Tls {
    fn is_complete(&self) -> bool {
        self.choice.is_some() && matches!(self.stopped_at.as_str(), "after_handshake" | "after_application_data")
    }
}

impl Tcp {
    fn fault(&self) -> Option<Fault> {
        let directions = [&self.to_server, &self.to_client];
        let any = |count: fn(&Direction) -> u64| directions.iter().any(|one| count(one) > 0);
        if self.opening == "mid_stream" {
            Some(Fault::MidStream)
        } else if any(|one| one.missing_octets) {
            Some(Fault::Lost)
        } else if any(|one| one.out_of_order) {
            Some(Fault::Reordered)
        } else if any(|one| one.retransmissions) {
            Some(Fault::Retransmitted)
        } else {
            None
        }
    }
}
