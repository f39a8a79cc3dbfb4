//! Counters as Prometheus' text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats): base units,
//! `_total` behind counters, HELP and TYPE before each family, and only labels whose values are known beforehand.

use std::fmt::Write;

use crate::live::{AuthResult, Counters};
use crate::render::json::{severity, words};

/// Content-Type of the format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What is not counted session by session: figures of the moment, and totals that other rooms keep.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gauges {
    /// When the program started, in seconds since 1970.
    pub started: f64,
    /// Connections open.
    pub open_sessions: u64,
    /// Unanswered SYNs waiting.
    pub half_open: u64,
    /// Octets of connection state, approximately.
    pub state_bytes: u64,
    /// Octets of the process in memory, where the system tells.
    pub resident_bytes: Option<u64>,
    /// Frames read.
    pub frames: u64,
    /// Octets of these frames.
    pub frame_bytes: u64,
    /// Frames that were no mail by their ports.
    pub other_frames: u64,
    /// Packets dropped while capturing, as far as the capturing program tells.
    pub dropped: u64,
    /// Time of the last frame, in seconds since 1970.
    pub last_frame: Option<f64>,
    /// Limits of the analysis by name, and how often each was reached.
    pub limits: Vec<(&'static str, u64)>,
    /// Sessions in the window for insights.
    pub window_sessions: u64,
    /// Records lost because an output could not be written, by output ("report", "ring", "failed").
    pub lost_records: Vec<(&'static str, u64)>,
}

struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.0.push_str(name);
        for (position, (label, value)) in labels.iter().enumerate() {
            self.0.push(if position == 0 { '{' } else { ',' });
            // Values come from fixed lists; escaped all the same.
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{label}=\"{value}\"");
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "counter", help);
        self.sample(name, &[], value);
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.family(name, "gauge", help);
        self.sample(name, &[], value);
    }
}

/// The page that is scraped.
#[must_use]
pub fn prometheus(counters: &Counters, gauges: &Gauges) -> String {
    let mut text = Text(String::with_capacity(8_192));
    sessions(&mut text, counters);
    tls(&mut text, counters);
    auth(&mut text, counters);
    capture(&mut text, counters, gauges);
    process(&mut text, gauges);
    text.0
}

fn sessions(text: &mut Text, counters: &Counters) {
    let name = "smtpcap_sessions_total";
    text.family(
        name,
        "counter",
        "Mail sessions that have ended, by service and outcome.",
    );
    for ((service, outcome), count) in &counters.sessions {
        let labels = [
            ("service", words::service(*service)),
            ("outcome", words::outcome(*outcome)),
        ];
        text.sample(name, &labels, count);
    }
    let name = "smtpcap_findings_total";
    text.family(
        name,
        "counter",
        "Sessions in which a finding was made, by its id and severity.",
    );
    for ((slug, grade), count) in &counters.findings {
        text.sample(name, &[("id", slug), ("severity", severity(*grade))], count);
    }
    let name = "smtpcap_insights_total";
    text.family(name, "counter", "Findings on several sessions together, by id.");
    for (slug, count) in &counters.insights {
        text.sample(name, &[("id", slug)], count);
    }
    text.counter(
        "smtpcap_messages_accepted_total",
        "Messages whose acceptance was seen.",
        counters.accepted_messages,
    );
}

fn tls(text: &mut Text, counters: &Counters) {
    let families = [
        (
            "smtpcap_tls_offered_total",
            "Sessions by the highest TLS version the client offered.",
            &counters.tls_offered,
        ),
        (
            "smtpcap_tls_negotiated_total",
            "Sessions by the TLS version that was agreed on.",
            &counters.tls_negotiated,
        ),
    ];
    for (name, help, versions) in families {
        text.family(name, "counter", help);
        for (version, count) in versions {
            text.sample(name, &[("version", version.unwrap_or("other"))], count);
        }
    }
}

fn auth(text: &mut Text, counters: &Counters) {
    let name = "smtpcap_auth_attempts_total";
    let help = "Logins that could be read (not inside TLS), by mechanism and result.";
    text.family(name, "counter", help);
    for ((mechanism, result), count) in &counters.auth {
        let result = match result {
            AuthResult::Accepted => "accepted",
            AuthResult::Rejected => "rejected",
            AuthResult::Unknown => "unknown",
        };
        text.sample(
            name,
            &[("mechanism", mechanism.unwrap_or("other")), ("result", result)],
            count,
        );
    }
}

fn capture(text: &mut Text, counters: &Counters, gauges: &Gauges) {
    let name = "smtpcap_stream_bytes_total";
    text.family(
        name,
        "counter",
        "Octets that clients and servers said in sessions that have ended.",
    );
    text.sample(name, &[("direction", "to_server")], counters.octets.0);
    text.sample(name, &[("direction", "to_client")], counters.octets.1);
    text.counter("smtpcap_frames_total", "Frames read from the capture.", gauges.frames);
    text.counter(
        "smtpcap_frame_bytes_total",
        "Octets of these frames.",
        gauges.frame_bytes,
    );
    let help = "Frames that were no mail by their ports.";
    text.counter("smtpcap_other_frames_total", help, gauges.other_frames);
    let help = "Packets lost while capturing, as far as the capturing program tells.";
    text.counter("smtpcap_capture_dropped_packets_total", help, gauges.dropped);
    let name = "smtpcap_limits_reached_total";
    text.family(
        name,
        "counter",
        "How often a limit of the analysis was reached, by limit.",
    );
    for (limit, count) in &gauges.limits {
        text.sample(name, &[("limit", limit)], count);
    }
    let name = "smtpcap_lost_records_total";
    text.family(name, "counter", "Records that could not be written, by output.");
    for (output, count) in &gauges.lost_records {
        text.sample(name, &[("output", output)], count);
    }
    if let Some(time) = gauges.last_frame {
        let help = "Capture time of the last frame, in seconds since 1970.";
        text.gauge("smtpcap_last_frame_timestamp_seconds", help, time);
    }
}

fn process(text: &mut Text, gauges: &Gauges) {
    text.gauge(
        "smtpcap_open_sessions",
        "Connections that are open now.",
        gauges.open_sessions,
    );
    let help = "SYNs that wait for an answer now.";
    text.gauge("smtpcap_half_open_sessions", help, gauges.half_open);
    let help = "Sessions remembered for findings on several sessions.";
    text.gauge("smtpcap_window_sessions", help, gauges.window_sessions);
    let help = "Memory for the state of connections, approximately.";
    text.gauge("smtpcap_state_bytes", help, gauges.state_bytes);
    if let Some(octets) = gauges.resident_bytes {
        text.gauge(
            "process_resident_memory_bytes",
            "Resident memory size in bytes.",
            octets,
        );
    }
    let help = "Start time of the process since unix epoch in seconds.";
    text.gauge("process_start_time_seconds", help, gauges.started);
    let name = "smtpcap_build_info";
    text.family(name, "gauge", "1, labelled with the version of the program.");
    text.sample(name, &[("version", env!("CARGO_PKG_VERSION"))], 1);
}
