//! The remembered sessions as the rules look at them: sorted once, in groups that borrow. Sessions of a group come in the
//! order of first frames.

use crate::insight::digest::Digest;

/// Every remembered session, and the same sessions by client, server and both.
#[derive(Debug)]
pub struct Window<'a> {
    sessions: Vec<&'a Digest>,
    by_client: Vec<&'a Digest>,
    by_pair: Vec<&'a Digest>,
    by_connection: Vec<&'a Digest>,
    by_server: Vec<&'a Digest>,
    by_host: Vec<&'a Digest>,
}

/// Sessions that share what a group is by; never empty.
pub type Group<'w, 'a> = &'w [&'a Digest];

impl<'a> Window<'a> {
    /// Sorts sessions.
    #[must_use]
    pub fn of(digests: impl Iterator<Item = &'a Digest>) -> Self {
        let mut sessions: Vec<&Digest> = digests.collect();
        sessions.sort_by_key(|digest| digest.id);
        Self {
            by_client: sorted(&sessions, |one| one.client_address()),
            by_pair: sorted(&sessions, |one| (one.client_address(), one.server.address)),
            by_connection: sorted(&sessions, |one| (one.client_address(), one.server)),
            by_server: sorted(&sessions, |one| one.server),
            by_host: sorted(&sessions, |one| one.server.address),
            sessions,
        }
    }

    /// All, by first frame.
    pub fn sessions(&self) -> impl Iterator<Item = &'a Digest> + '_ {
        self.sessions.iter().copied()
    }

    /// By client address.
    pub fn by_client(&self) -> impl Iterator<Item = Group<'_, 'a>> {
        let same = |one: &&Digest, next: &&Digest| one.client_address() == next.client_address();
        self.by_client.chunk_by(same)
    }

    /// By client and server address.
    pub fn by_pair(&self) -> impl Iterator<Item = Group<'_, 'a>> {
        self.by_pair.chunk_by(|one, next| {
            (one.client_address(), one.server.address) == (next.client_address(), next.server.address)
        })
    }

    /// By client address, and server address and port.
    pub fn by_connection(&self) -> impl Iterator<Item = Group<'_, 'a>> {
        self.by_connection
            .chunk_by(|one, next| (one.client_address(), one.server) == (next.client_address(), next.server))
    }

    /// By server address and port.
    pub fn by_server(&self) -> impl Iterator<Item = Group<'_, 'a>> {
        self.by_server.chunk_by(|one, next| one.server == next.server)
    }

    /// By server address.
    pub fn by_host(&self) -> impl Iterator<Item = Group<'_, 'a>> {
        self.by_host
            .chunk_by(|one, next| one.server.address == next.server.address)
    }
}

fn sorted<'a, K: Ord>(sessions: &[&'a Digest], key: impl Fn(&Digest) -> K) -> Vec<&'a Digest> {
    let mut sorted = sessions.to_vec();
    sorted.sort_by_key(|digest| key(digest));
    sorted
}
