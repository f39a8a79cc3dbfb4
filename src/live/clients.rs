//! Remembers which clients speak an old TLS version: those that break when it is switched off.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::protocol::tls::Version;
use crate::report::SessionLine;

/// Clients remembered; sessions of further ones are only counted.
pub const MAXIMUM_CLIENTS: usize = 1_024;

/// Clients whose TLS stays below 1.2 (RFC 8996 deprecates those versions).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clients {
    /// Highest version offered or used, and sessions, by client address.
    known: BTreeMap<IpAddr, (Version, u64)>,
    /// Sessions of clients that found no room.
    further: u64,
}

impl Clients {
    /// Takes a session.
    pub fn add(&mut self, line: &SessionLine) {
        let Some(version) = line.offered.or(line.version) else {
            return;
        };
        let version = line.version.filter(|used| is_deprecated(*used)).unwrap_or(version);
        if !is_deprecated(version) {
            return;
        }
        let address = line.client.address;
        if let Some((highest, sessions)) = self.known.get_mut(&address) {
            *highest = (*highest).max(version);
            *sessions += 1;
        } else if self.known.len() < MAXIMUM_CLIENTS {
            self.known.insert(address, (version, 1));
        } else {
            self.further += 1;
        }
    }

    /// Clients with the highest version they showed and their sessions, most sessions first.
    #[must_use]
    pub fn by_sessions(&self) -> Vec<(IpAddr, Version, u64)> {
        let mut clients: Vec<_> = self
            .known
            .iter()
            .map(|(address, (version, sessions))| (*address, *version, *sessions))
            .collect();
        clients.sort_by_key(|(address, _, sessions)| (std::cmp::Reverse(*sessions), *address));
        clients
    }

    /// Sessions of clients that are not listed.
    #[must_use]
    pub const fn further(&self) -> u64 {
        self.further
    }
}

/// SSL 3.0, TLS 1.0 and TLS 1.1 (RFC 7568, RFC 8996).
fn is_deprecated(version: Version) -> bool {
    version < Version::TLS1_2
}
