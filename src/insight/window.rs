//! The remembered sessions as the rules look at them: sorted once, in groups that borrow. Sessions of a group come in the
//! order of first frames.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use foldhash::quality::RandomState;

use crate::insight::digest::Digest;

/// Every remembered session, and the same sessions by client, server and both.
#[derive(Debug)]
pub struct Window<'a> {
    sessions: Vec<&'a Digest>,
    by_client: Groups<'a>,
    by_pair: Groups<'a>,
    by_connection: Groups<'a>,
    by_server: Groups<'a>,
    by_host: Groups<'a>,
}

/// Sessions that share what a group is by; never empty.
pub type Group<'w, 'a> = &'w [&'a Digest];

impl<'a> Window<'a> {
    /// Sorts sessions.
    #[must_use]
    pub fn of(digests: impl Iterator<Item = &'a Digest>) -> Self {
        let mut sessions: Vec<&Digest> = digests.collect();
        sessions.sort_by_key(|digest| digest.id);
        let clients = Ranks::of(&sessions, |one| number(one.client.address));
        let servers = Ranks::of(&sessions, |one| (number(one.server.address), one.server.port));
        let hosts = Ranks::of(&sessions, |one| number(one.server.address));
        // What is sorted by the one and then by the other is sorted by both.
        let as_they_come: Vec<u32> = (0..).take(sessions.len()).collect();
        let (by_server, by_host) = (servers.sort(&as_they_come), hosts.sort(&as_they_come));
        Self {
            by_client: Groups::of(&sessions, &clients.sort(&as_they_come), &[&clients]),
            by_pair: Groups::of(&sessions, &clients.sort(&by_host), &[&clients, &hosts]),
            by_connection: Groups::of(&sessions, &clients.sort(&by_server), &[&clients, &servers]),
            by_server: Groups::of(&sessions, &by_server, &[&servers]),
            by_host: Groups::of(&sessions, &by_host, &[&hosts]),
            sessions,
        }
    }

    /// All, by first frame.
    pub fn sessions(&self) -> impl Iterator<Item = &'a Digest> + '_ {
        self.sessions.iter().copied()
    }

    /// By client address.
    pub fn by_client(&self) -> impl Iterator<Item = Group<'_, 'a>> {
        self.by_client.iter()
    }

    /// By client and server address.
    pub fn by_pair(&self) -> impl Iterator<Item = Group<'_, 'a>> {
        self.by_pair.iter()
    }

    /// By client address, and server address and port.
    pub fn by_connection(&self) -> impl Iterator<Item = Group<'_, 'a>> {
        self.by_connection.iter()
    }

    /// By server address and port.
    pub fn by_server(&self) -> impl Iterator<Item = Group<'_, 'a>> {
        self.by_server.iter()
    }

    /// By server address.
    pub fn by_host(&self) -> impl Iterator<Item = Group<'_, 'a>> {
        self.by_host.iter()
    }
}

/// An address as numbers, which are in the order of addresses and compared in one step.
fn number(address: IpAddr) -> (bool, u128) {
    match address {
        IpAddr::V4(address) => (false, address.to_bits().into()),
        IpAddr::V6(address) => (true, address.to_bits()),
    }
}

/// For each session the rank of an address of it: addresses are compared once, and not by each sort and each rule that
/// goes over groups.
struct Ranks(Vec<u32>);

impl Ranks {
    /// There are fewer addresses than sessions: only they are sorted.
    fn of<K: Ord + Copy + Hash>(sessions: &[&Digest], key: impl Fn(&Digest) -> K) -> Self {
        let mut numbers: HashMap<K, u32, RandomState> = HashMap::default();
        let mut ranks: Vec<u32> = sessions
            .iter()
            .map(|digest| {
                let next = numbers.len() as u32;
                *numbers.entry(key(digest)).or_insert(next)
            })
            .collect();
        let mut sorted: Vec<(K, u32)> = numbers.into_iter().collect();
        sorted.sort_unstable_by_key(|(key, _)| *key);
        let mut rank_of = vec![0; sorted.len()];
        for (rank, (_, number)) in (0..).zip(sorted) {
            if let Some(place) = rank_of.get_mut(number as usize) {
                *place = rank;
            }
        }
        for rank in &mut ranks {
            *rank = rank_of.get(*rank as usize).copied().unwrap_or_default();
        }
        Self(ranks)
    }

    fn at(&self, session: u32) -> u32 {
        self.0.get(session as usize).copied().unwrap_or_default()
    }

    /// Sorts sessions by their ranks; those of the same rank keep their order. There are no more ranks than sessions, so
    /// they are counted, not compared.
    fn sort(&self, sessions: &[u32]) -> Vec<u32> {
        let mut places = vec![0_u32; self.0.len() + 1];
        for rank in &self.0 {
            if let Some(behind) = places.get_mut(*rank as usize + 1) {
                *behind += 1;
            }
        }
        let mut before = 0;
        for place in &mut places {
            before += *place;
            *place = before;
        }
        let mut sorted = vec![0; sessions.len()];
        for session in sessions {
            if let Some(place) = places.get_mut(self.at(*session) as usize) {
                if let Some(free) = sorted.get_mut(*place as usize) {
                    *free = *session;
                }
                *place += 1;
            }
        }
        sorted
    }
}

/// Sessions in groups, one behind the other.
#[derive(Debug)]
struct Groups<'a> {
    sessions: Vec<&'a Digest>,
    /// How many sessions each group has.
    lengths: Vec<u32>,
}

impl<'a> Groups<'a> {
    /// Groups of the sessions that stand next to each other in `order` and share all ranks.
    fn of(sessions: &[&'a Digest], order: &[u32], ranks: &[&Ranks]) -> Self {
        let same = |one: &u32, next: &u32| ranks.iter().all(|ranks| ranks.at(*one) == ranks.at(*next));
        Self {
            sessions: order
                .iter()
                .filter_map(|at| sessions.get(*at as usize).copied())
                .collect(),
            lengths: order.chunk_by(same).map(|group| group.len() as u32).collect(),
        }
    }

    fn iter(&self) -> impl Iterator<Item = Group<'_, 'a>> {
        self.lengths.iter().scan(&*self.sessions, |rest, length| {
            let (group, behind) = rest.split_at_checked(*length as usize)?;
            *rest = behind;
            Some(group)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Endpoint;
    use crate::session::{CaptureQuality, Outcome, Security, Service, SessionId, Stage};
    use crate::span::Stamp;

    fn digest(id: u64, client: &str, server: &str, port: u16) -> Digest {
        let endpoint = |address: &str, port| Endpoint {
            address: address.parse().unwrap(),
            port,
        };
        Digest {
            id: SessionId(id),
            client: endpoint(client, id as u16),
            server: endpoint(server, port),
            service: Service::Smtp,
            protocol: None,
            security: Security::None,
            quality: CaptureQuality::default(),
            first: Stamp::default(),
            last: Stamp::default(),
            stage: Stage::Connect,
            outcome: Outcome::Unknown,
            root_cause: None,
            said: Vec::new(),
            hello_name: None,
            server_says: None,
            starttls_offered: None,
            starttls_asked: false,
            mechanisms: None,
            list_seen: None,
            size_limit: None,
            tls: None,
            auth: Vec::new(),
            transactions: Vec::new(),
            body_in_clear: false,
            retrieval_login: None,
            client_time_to_live: None,
            application_octets: 0,
        }
    }

    /// The plain way: sorted by comparing, cut where the key changes.
    fn grouped<K: Ord>(sessions: &[&Digest], key: impl Fn(&Digest) -> K) -> Vec<Vec<SessionId>> {
        let mut sorted = sessions.to_vec();
        sorted.sort_by_key(|one| (key(one), one.id));
        let groups = sorted.chunk_by(|one, next| key(one) == key(next));
        groups.map(|group| group.iter().map(|one| one.id).collect()).collect()
    }

    fn ids<'w, 'a: 'w>(groups: impl Iterator<Item = Group<'w, 'a>>) -> Vec<Vec<SessionId>> {
        groups.map(|group| group.iter().map(|one| one.id).collect()).collect()
    }

    #[test]
    fn groups_are_those_that_comparing_makes() {
        let addresses = ["10.0.0.9", "10.0.0.10", "2001:db8::1", "9.0.0.1", "::ffff:10.0.0.9"];
        for count in [0, 1, 2, 7, 500] {
            let digests: Vec<Digest> = (0..count)
                .map(|number: usize| {
                    let client = addresses[number * 7 % addresses.len()];
                    let server = addresses[number * number / 3 % addresses.len()];
                    // Not in the order of their numbers: they are remembered as they end.
                    digest(
                        (number * 263 % 503) as u64,
                        client,
                        server,
                        [25, 587, 465][number / 5 % 3],
                    )
                })
                .collect();
            let window = Window::of(digests.iter());
            let all: Vec<&Digest> = digests.iter().collect();
            assert_eq!(ids(window.by_client()), grouped(&all, |one| one.client.address));
            assert_eq!(ids(window.by_host()), grouped(&all, |one| one.server.address));
            assert_eq!(ids(window.by_server()), grouped(&all, |one| one.server));
            let pair = |one: &Digest| (one.client.address, one.server.address);
            assert_eq!(ids(window.by_pair()), grouped(&all, pair));
            let connection = |one: &Digest| (one.client.address, one.server);
            assert_eq!(ids(window.by_connection()), grouped(&all, connection));
            assert!(window.sessions().map(|one| one.id).is_sorted());
        }
    }

    #[test]
    fn a_full_history_forgets_the_oldest_and_keeps_the_order() {
        use crate::insight::{History, MAXIMUM_DIGESTS};
        let mut history = History::new();
        let count = MAXIMUM_DIGESTS as u64 + 3;
        for id in 0..count {
            history.remember(digest(id, "10.0.0.9", "10.0.0.10", 25));
        }
        assert_eq!((history.len(), history.forgotten()), (MAXIMUM_DIGESTS, 3));
        let places = [0, 2, 3, count - 1].map(|id| history.oldest_place(&[SessionId(id)]));
        assert_eq!(places, [None, None, Some(3), Some(count - 1)]);
    }
}
