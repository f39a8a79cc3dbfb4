//! Sessions with the same headline, told once: how many, whose, and a few in full.

use std::net::IpAddr;

use crate::diagnosis::{Finding, Severity};
use crate::report::counts::Addresses;
use crate::report::entry::Entry;
use crate::session::SessionId;
use crate::span::Stamp;

/// Sessions told in full for each cause.
pub const EXAMPLES: usize = 3;
/// Addresses counted for each cause; further ones are only counted together.
pub const ADDRESSES: usize = 1024;

/// An example in full.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The session.
    pub id: SessionId,
    /// Client and server.
    pub endpoints: (crate::packet::Endpoint, crate::packet::Endpoint),
    /// When.
    pub start: Stamp,
    /// Every finding of the session.
    pub findings: Vec<Finding>,
}

/// A cause with its sessions.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// The headline's slug.
    pub slug: &'static str,
    /// Its gravest severity.
    pub severity: Severity,
    /// Sessions.
    pub sessions: u64,
    /// Sessions by client address.
    pub clients: Addresses<IpAddr>,
    /// Sessions by server address and port.
    pub servers: Addresses<(IpAddr, u16)>,
    /// Sessions whose addresses found no room.
    pub further_addresses: u64,
    /// The first sessions in full, [`EXAMPLES`] of them, each from another client where there are several.
    pub examples: Vec<Example>,
    /// First and last time.
    pub seen: (Stamp, Stamp),
}

impl Cause {
    /// A cause that has not been seen yet but at `stamp`.
    #[must_use]
    pub(super) fn new(slug: &'static str, stamp: Stamp) -> Self {
        Self {
            slug,
            severity: Severity::Ok,
            sessions: 0,
            clients: Addresses::default(),
            servers: Addresses::default(),
            further_addresses: 0,
            examples: Vec::new(),
            seen: (stamp, stamp),
        }
    }

    /// Adds a session whose headline it is.
    pub(super) fn add(&mut self, entry: &Entry, severity: Severity, room: usize) {
        let line = &entry.line;
        self.sessions += 1;
        self.severity = self.severity.max(severity);
        self.seen.0 = self.seen.0.min(entry.first);
        self.seen.1 = self.seen.1.max(entry.first);
        if !self.clients.add(line.client.address, ADDRESSES) {
            self.further_addresses += 1;
        }
        self.servers.add((line.server.address, line.server.port), ADDRESSES);
        if self.examples.len() < room {
            self.examples.push(Example {
                id: line.id,
                endpoints: (line.client, line.server),
                start: entry.first,
                findings: entry.findings.clone(),
            });
        }
    }
}
