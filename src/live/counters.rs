//! Counts for a monitoring system. Every label has a fixed set of values, so that whoever sends packets cannot make the
//! monitoring system grow; everything else is "other".

use std::collections::BTreeMap;

use crate::diagnosis::{Finding, Severity};
use crate::insight::{AuthDigest, Digest, Insight};
use crate::protocol::tls::Version;
use crate::report::SessionLine;
use crate::session::{Outcome, Service, Session};

/// AUTH mechanisms that are counted by name; USER and LOGIN stand as well for the commands of POP3 and IMAP.
pub const MECHANISMS: [&str; 17] = [
    "ANONYMOUS",
    "APOP",
    "CRAM-MD5",
    "DIGEST-MD5",
    "EXTERNAL",
    "GSSAPI",
    "LOGIN",
    "NTLM",
    "OAUTHBEARER",
    "PLAIN",
    "SCRAM-SHA-1",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-256-PLUS",
    "USER",
    "XOAUTH",
    "XOAUTH2",
];

/// What became of an authentication attempt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum AuthResult {
    /// Accepted.
    Accepted,
    /// Rejected.
    Rejected,
    /// The reply was not seen.
    Unknown,
}

/// Everything counted since the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counters {
    /// Sessions by service and outcome.
    pub sessions: BTreeMap<(Service, Outcome), u64>,
    /// Findings by slug and severity.
    pub findings: BTreeMap<(&'static str, Severity), u64>,
    /// Insights by slug.
    pub insights: BTreeMap<&'static str, u64>,
    /// Sessions by highest TLS version offered; `None` is a version without a name.
    pub tls_offered: BTreeMap<Option<&'static str>, u64>,
    /// Sessions by TLS version negotiated.
    pub tls_negotiated: BTreeMap<Option<&'static str>, u64>,
    /// Authentication attempts in clear by mechanism (`None`: another than [`MECHANISMS`]) and result.
    pub auth: BTreeMap<(Option<&'static str>, AuthResult), u64>,
    /// Messages accepted, as seen.
    pub accepted_messages: u64,
    /// Stream octets of ended sessions from clients and from servers.
    pub octets: (u64, u64),
}

impl Counters {
    /// Counts a session.
    pub fn add(&mut self, session: &Session, findings: &[Finding], line: &SessionLine, digest: &Digest) {
        *self.sessions.entry((session.service, session.outcome)).or_default() += 1;
        for finding in findings {
            *self.findings.entry((finding.rule.slug, finding.severity)).or_default() += 1;
        }
        if let Some(version) = line.offered {
            *self.tls_offered.entry(Version::name(version)).or_default() += 1;
        }
        if let Some(version) = line.version {
            *self.tls_negotiated.entry(Version::name(version)).or_default() += 1;
        }
        for attempt in &digest.auth {
            *self.auth.entry((mechanism(attempt), result(attempt))).or_default() += 1;
        }
        self.accepted_messages += digest.transactions.iter().filter(|one| accepted(one.result)).count() as u64;
        let directions = &session.connection.directions;
        self.octets.0 += directions.to_server.octets;
        self.octets.1 += directions.to_client.octets;
    }

    /// Counts an insight that was said.
    pub fn add_insight(&mut self, insight: &Insight) {
        *self.insights.entry(insight.finding.rule.slug).or_default() += 1;
    }
}

fn accepted(result: crate::session::TransactionResult) -> bool {
    use crate::session::TransactionResult::{Accepted, PartlyAccepted};
    matches!(result, Accepted | PartlyAccepted)
}

fn mechanism(attempt: &AuthDigest) -> Option<&'static str> {
    let name = attempt.mechanism.bytes();
    MECHANISMS
        .into_iter()
        .find(|known| known.as_bytes().eq_ignore_ascii_case(name))
}

const fn result(attempt: &AuthDigest) -> AuthResult {
    match attempt.accepted {
        Some(true) => AuthResult::Accepted,
        Some(false) => AuthResult::Rejected,
        None => AuthResult::Unknown,
    }
}
