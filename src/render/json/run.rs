//! The records of JSON version 1 that speak of the whole run: capture, insights, summary.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::capture::FileFacts;
use crate::insight::Insight;
use crate::protocol::tls::KeyLogCounts;
use crate::render::encode;
use crate::render::json::convert::Form;
use crate::render::json::finding::{FindingRecord, severity};
use crate::render::json::session::SessionRecord;
use crate::render::json::words;
use crate::report::{Health, Report};
use crate::text::tell;

/// Version of the JSON output.
pub const SCHEMA_VERSION: u32 = 1;

/// The whole run as one document.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Document<'a> {
    /// 1.
    pub schema_version: u32,
    /// Program and version.
    pub generator: &'static str,
    /// The capture.
    pub capture: CaptureRecord,
    /// Sessions by first frame.
    pub sessions: Vec<SessionRecord<'a>>,
    /// What several sessions together show.
    pub insights: Vec<InsightRecord<'a>>,
    /// Counts.
    pub summary: SummaryRecord,
}

/// Program and version.
pub const GENERATOR: &str = concat!("smtpcap ", env!("CARGO_PKG_VERSION"));

/// One line of JSON lines.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant, reason = "one at a time, never in a collection")]
pub enum Record<'a> {
    /// A session.
    Session(SessionRecord<'a>),
    /// An insight.
    Insight(InsightRecord<'a>),
    /// An insight that is taken back; of live runs only.
    Withdrawn(WithdrawnRecord),
    /// The capture.
    Capture(CaptureRecord),
    /// The summary, last of all.
    Summary(SummaryRecord),
}

/// The capture.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CaptureRecord {
    /// "capture".
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// 1.
    pub schema_version: u32,
    /// Frames of all files.
    pub frames: u64,
    /// Frames that were no mail by their ports.
    pub frames_on_other_ports: u64,
    /// Packets dropped while capturing, as far as the files tell.
    pub dropped_while_capturing: u64,
    /// Frames cut by a snap length.
    pub frames_cut: u64,
    /// Frames that could not be decoded, by type.
    pub not_decoded: Vec<CountRecord>,
    /// Limits of the analysis that were reached.
    pub limits_reached: Vec<CountRecord>,
    /// What the key logs held (`--keylog`, decryption secrets blocks); absent where there were none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_log: Option<KeyLogRecord>,
    /// Ports that were looked at.
    pub ports: Vec<u16>,
    /// The files, as named.
    pub files: Vec<FileRecord>,
}

/// Key logs, in lines; never what they say.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyLogRecord {
    /// Secrets that can open TLS.
    pub secrets: u64,
    /// Lines that open nothing: exporter secrets, unknown labels.
    pub unused_lines: u64,
    /// Damaged lines.
    pub damaged_lines: u64,
    /// Secrets beyond the limit, not kept.
    pub secrets_not_kept: u64,
}

/// Something counted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CountRecord {
    /// What.
    pub what: String,
    /// How many.
    pub count: u64,
}

/// A file.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FileRecord {
    /// As the user named it.
    pub name: String,
    /// pcap, pcap (nanoseconds), pcap (modified), pcapng; absent where it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// gzip, zstd, lz4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<String>,
    /// Frames.
    pub frames: u64,
    /// Octets read, decompressed.
    pub octets: u64,
    /// Earliest time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_time: Option<String>,
    /// Latest time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_time: Option<String>,
    /// Interfaces.
    pub interfaces: Vec<InterfaceRecord>,
    /// Comments in the file.
    pub comments: u64,
    /// Blocks with decryption secrets.
    pub secrets_blocks: u64,
    /// Frames with a time before that of the frame before.
    pub times_backwards: u64,
    /// Damaged places.
    pub damages: Vec<DamageRecord>,
    /// Damaged places in all.
    pub damages_in_all: u64,
    /// Offset of the record in whose middle the file ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_at: Option<u64>,
    /// True where it could not be opened or read, or not to its end: the rest is not in this report.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
}

/// An interface.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InterfaceRecord {
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Link type number.
    pub link_type: u16,
    /// Snap length; 0 for none.
    pub snap_length: u32,
    /// Frames.
    pub frames: u64,
}

/// A damaged place.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DamageRecord {
    /// Offset in octets.
    pub offset: u64,
    /// What should have been there.
    pub expected: String,
    /// What was there, hex.
    pub found: String,
    /// Where reading went on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumed_at: Option<u64>,
}

/// An insight.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InsightRecord<'a> {
    /// "insight".
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Sessions it stands on, the first 100.
    pub sessions: Vec<u64>,
    /// How many there are in all.
    pub sessions_in_all: u64,
    /// It explains these sessions' failures harmlessly, but for those in `unexcused` and for failures of another kind.
    pub excuses: bool,
    /// Of these sessions those in which something else failed as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unexcused: Vec<u64>,
    /// What it says.
    #[serde(flatten)]
    pub finding: FindingRecord<'a>,
}

/// An insight of a live run that later sessions contradict: it is taken back.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WithdrawnRecord {
    /// "insight_withdrawn".
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The rule's slug.
    pub id: &'static str,
    /// What was said.
    pub what: String,
    /// Sessions it stood on, the first 100, as they were said.
    pub sessions: Vec<u64>,
    /// How many there were in all.
    pub sessions_in_all: u64,
}

/// Counts of the run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SummaryRecord {
    /// "summary".
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Sessions.
    pub sessions: u64,
    /// Messages accepted, as seen.
    pub accepted_messages: u64,
    /// Sessions whose inside was read with keys.
    pub decrypted_sessions: u64,
    /// By outcome.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// By service.
    pub services: BTreeMap<&'static str, u64>,
    /// By negotiated TLS version.
    pub tls_versions: BTreeMap<String, u64>,
    /// By highest offered TLS version.
    pub tls_offered: BTreeMap<String, u64>,
    /// Sessions in which a finding fired.
    pub findings: BTreeMap<&'static str, u64>,
    /// Causes, gravest and most frequent first.
    pub causes: Vec<CauseRecord>,
}

/// A cause.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CauseRecord {
    /// The headline's slug.
    pub id: &'static str,
    /// fail, risk, note, limit, ok.
    pub severity: &'static str,
    /// Sessions.
    pub sessions: u64,
    /// Sessions by client address.
    pub clients: BTreeMap<String, u64>,
    /// Sessions by server.
    pub servers: BTreeMap<String, u64>,
}

impl CaptureRecord {
    /// The capture of a run.
    #[must_use]
    pub fn of(health: &Health, form: Form) -> Self {
        let limits = [
            ("connections evicted", health.connections.evicted),
            ("unanswered SYNs forgotten", health.connections.half_open_evicted),
            ("holes given up", health.connections.holes_given_up),
            ("sessions forgotten for insights", health.forgotten),
        ];
        Self {
            kind: "capture",
            schema_version: SCHEMA_VERSION,
            frames: health.capture.frames(),
            frames_on_other_ports: health.frames.1,
            dropped_while_capturing: health.dropped(),
            frames_cut: health.cut_frames(),
            not_decoded: health
                .not_decoded()
                .into_iter()
                .map(|(what, count)| CountRecord { what, count })
                .collect(),
            limits_reached: limits
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .map(|(what, count)| CountRecord {
                    what: what.to_owned(),
                    count,
                })
                .collect(),
            key_log: key_log(health.key_log),
            ports: health.ports.clone(),
            files: health.capture.files.iter().map(|file| self::file(file, form)).collect(),
        }
    }
}

fn key_log(counts: KeyLogCounts) -> Option<KeyLogRecord> {
    (counts != KeyLogCounts::default()).then_some(KeyLogRecord {
        secrets: counts.secrets,
        unused_lines: counts.unused,
        damaged_lines: counts.damaged,
        secrets_not_kept: counts.not_kept,
    })
}

fn file(file: &FileFacts, form: Form) -> FileRecord {
    FileRecord {
        name: encode::json(file.name.as_encoded_bytes()).into_owned(),
        format: file.format.map(|format| format.to_string()),
        compression: file.compression.map(|compression| compression.to_string()),
        frames: file.frames,
        octets: file.octets,
        first_time: file.earliest.map(|time| time.rfc3339(form.digits)),
        last_time: file.latest.map(|time| time.rfc3339(form.digits)),
        interfaces: file
            .interfaces
            .kept()
            .iter()
            .map(|interface| InterfaceRecord {
                name: interface
                    .name
                    .as_ref()
                    .map(|name| encode::json(name.bytes()).into_owned()),
                link_type: interface.link_type.0,
                snap_length: interface.snap_length,
                frames: interface.packets,
            })
            .collect(),
        comments: file.comments.total(),
        secrets_blocks: file.secrets.total(),
        times_backwards: file.odd.backwards,
        damages: file
            .damages
            .kept()
            .iter()
            .map(|damage| DamageRecord {
                offset: damage.offset,
                expected: damage.expected.to_string(),
                found: damage.found.to_string(),
                resumed_at: damage.resumed_at,
            })
            .collect(),
        damages_in_all: file.damages.total(),
        cut_at: file.cut.map(|cut| cut.offset),
        failed: file.failed,
    }
}

impl<'a> InsightRecord<'a> {
    /// An insight.
    #[must_use]
    pub fn of(insight: &'a Insight, form: Form) -> Self {
        Self {
            kind: "insight",
            sessions: insight.sessions.iter().map(|id| id.0).collect(),
            sessions_in_all: insight.sessions_in_all,
            excuses: insight.excuses,
            unexcused: insight.unexcused.iter().map(|id| id.0).collect(),
            finding: FindingRecord::of(&insight.finding, form.language, form.digits),
        }
    }
}

impl WithdrawnRecord {
    /// An insight that is taken back.
    #[must_use]
    pub fn of(insight: &Insight, form: Form) -> Self {
        Self {
            kind: "insight_withdrawn",
            id: insight.finding.rule.slug,
            what: tell(&insight.finding, form.language, encode::json).what.into_owned(),
            sessions: insight.sessions.iter().map(|id| id.0).collect(),
            sessions_in_all: insight.sessions_in_all,
        }
    }
}

impl SummaryRecord {
    /// The summary of a run.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let tally = &report.tally;
        let version = |(value, count): (&u16, &u64)| (crate::protocol::tls::Version(*value).to_string(), *count);
        Self {
            kind: "summary",
            sessions: tally.sessions,
            accepted_messages: tally.accepted_messages,
            decrypted_sessions: tally.decrypted,
            outcomes: tally
                .outcomes
                .iter()
                .map(|(outcome, count)| (words::outcome(*outcome), *count))
                .collect(),
            services: tally
                .services
                .iter()
                .map(|(service, count)| (words::service(*service), *count))
                .collect(),
            tls_versions: tally.versions.iter().map(version).collect(),
            tls_offered: tally.offered.iter().map(version).collect(),
            findings: tally.findings.iter().map(|(slug, count)| (*slug, *count)).collect(),
            causes: report.causes_in_order().into_iter().map(cause).collect(),
        }
    }
}

fn cause(cause: &crate::report::Cause) -> CauseRecord {
    CauseRecord {
        id: cause.slug,
        severity: severity(cause.severity),
        sessions: cause.sessions,
        clients: cause
            .clients
            .iter()
            .map(|(address, count)| (address.to_string(), *count))
            .collect(),
        servers: cause
            .servers
            .iter()
            .map(|((address, port), count)| {
                (
                    crate::packet::Endpoint {
                        address: *address,
                        port: *port,
                    }
                    .to_string(),
                    *count,
                )
            })
            .collect(),
    }
}
