//! One session as one line: what a table shows of it.

use std::time::Duration;

use crate::captured::Captured;
use crate::diagnosis::{Confidence, Finding, Severity};
use crate::packet::Endpoint;
use crate::protocol::smtp::Detail;
use crate::protocol::tls::Version;
use crate::session::{Outcome, Protocol, Security, Service, Session, SessionId, Stage};
use crate::time::Timestamp;

/// A session's line.
#[derive(Clone, PartialEq, Debug)]
pub struct SessionLine {
    /// Its number.
    pub id: SessionId,
    /// First frame's time.
    pub start: Timestamp,
    /// Length.
    pub duration: Duration,
    /// Client.
    pub client: Endpoint,
    /// Server.
    pub server: Endpoint,
    /// Service of the port.
    pub service: Service,
    /// Protocol.
    pub protocol: Option<Protocol>,
    /// Protection.
    pub security: Security,
    /// Negotiated TLS version.
    pub version: Option<Version>,
    /// Highest version offered.
    pub offered: Option<Version>,
    /// Stage.
    pub stage: Stage,
    /// Outcome.
    pub outcome: Outcome,
    /// Slug, severity and confidence of the headline: the root cause, else the gravest finding of at least a risk.
    pub headline: Option<(&'static str, Severity, Confidence)>,
    /// How many further findings of at least a risk there are.
    pub further: usize,
    /// EHLO name.
    pub hello: Option<Captured>,
    /// First reverse-path.
    pub reverse_path: Option<Captured>,
}

impl SessionLine {
    /// The line of a session.
    #[inline]
    #[must_use]
    pub fn of(session: &Session, findings: &[Finding]) -> Self {
        let grave = || findings.iter().filter(|finding| finding.severity >= Severity::Risk);
        let headline = findings
            .iter()
            .find(|finding| finding.root_cause)
            .or_else(|| grave().next());
        let tls = session.tls.as_deref();
        Self {
            id: session.id,
            start: session.connection.first.time,
            duration: session.duration(),
            client: session.connection.client,
            server: session.connection.server,
            service: session.service,
            protocol: session.protocol,
            security: session.security,
            version: tls.and_then(|tls| tls.server_hello.as_ref()).map(|hello| hello.version),
            offered: tls.and_then(|tls| tls.offer()).map(|hello| hello.maximum()),
            stage: session.stage,
            outcome: session.outcome,
            headline: headline.map(|finding| (finding.rule.slug, finding.severity, finding.confidence)),
            further: grave().count().saturating_sub(usize::from(headline.is_some())),
            hello: session.exchanges().iter().find_map(|exchange| match &exchange.detail {
                Detail::Hello { name } => Some(name.clone()),
                _ => None,
            }),
            reverse_path: session
                .transactions
                .first()
                .map(|transaction| transaction.reverse_path.clone()),
        }
    }

    /// The session failed: it has a root cause.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.headline.is_some_and(|(_, severity, _)| severity == Severity::Fail)
    }
}
