//! The sliding window of remembered sessions, and what is concluded from it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::diagnosis::Finding;
use crate::insight::digest::Digest;
use crate::insight::explained;
use crate::insight::rules;
use crate::insight::window::Window;
use crate::session::SessionId;
use crate::time::Timestamp;

/// Sessions remembered at most; the oldest are forgotten and counted.
pub const MAXIMUM_DIGESTS: usize = 32_768;
/// Sessions listed in an insight; the rest is counted.
pub const LISTED_SESSIONS: usize = 100;

/// A finding that stands on several sessions.
#[derive(Clone, PartialEq, Debug)]
pub struct Insight {
    /// What it says.
    pub finding: Finding,
    /// The sessions it stands on, in order, the first [`LISTED_SESSIONS`].
    pub sessions: Vec<SessionId>,
    /// How many there are in all.
    pub sessions_in_all: u64,
    /// It is a harmless explanation of these sessions' failures (a probe, a greylisted first try): they need no alarm.
    pub excuses: bool,
    /// Listed sessions of which it does not explain everything.
    pub unexcused: Vec<SessionId>,
}

impl Insight {
    /// An insight on some sessions.
    #[must_use]
    pub fn on<'a>(finding: Finding, sessions: impl IntoIterator<Item = &'a Digest>) -> Self {
        Self::of(finding, sessions.into_iter().map(|digest| digest.id))
    }

    /// An insight on the sessions with these numbers.
    #[must_use]
    pub fn of(finding: Finding, sessions: impl IntoIterator<Item = SessionId>) -> Self {
        let mut ids: Vec<SessionId> = sessions.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        let sessions_in_all = ids.len() as u64;
        ids.truncate(LISTED_SESSIONS);
        Self {
            finding,
            sessions: ids,
            sessions_in_all,
            excuses: false,
            unexcused: Vec::new(),
        }
    }

    /// Marks the insight as a harmless explanation.
    #[must_use]
    pub fn excusing(mut self) -> Self {
        self.excuses = true;
        self
    }

    /// Marks those of its sessions in which something else failed as well.
    #[must_use]
    pub fn but(mut self, sessions: impl IntoIterator<Item = SessionId>) -> Self {
        let listed = sessions
            .into_iter()
            .filter(|id| self.sessions.binary_search(id).is_ok());
        self.unexcused = listed.collect();
        self.unexcused.sort_unstable();
        self.unexcused.dedup();
        self
    }

    /// True where it explains a failure with this slug in this session as harmless.
    #[must_use]
    pub fn excuses(&self, session: SessionId, slug: &str) -> bool {
        self.excuses
            && self.finding.rule.explains_away.contains(&slug)
            && self.sessions.binary_search(&session).is_ok()
            && !self.unexcused.contains(&session)
    }
}

/// The remembered sessions, in the order in which they ended.
#[derive(Debug, Default)]
pub struct History {
    digests: VecDeque<Digest>,
    forgotten: u64,
    window: Option<Duration>,
}

impl History {
    /// A window over a whole run of files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A window that forgets sessions which ended longer than `window` ago.
    #[must_use]
    pub fn sliding(window: Duration) -> Self {
        Self {
            window: Some(window),
            ..Self::default()
        }
    }

    /// Remembers a session.
    #[inline]
    pub fn remember(&mut self, digest: Digest) {
        if let Some(window) = self.window {
            let now = digest.last.time;
            while self
                .digests
                .front()
                .is_some_and(|old| now.since(old.last.time) > window)
            {
                self.digests.pop_front();
                self.forgotten += 1;
            }
        }
        let full = self.digests.len() >= MAXIMUM_DIGESTS;
        match self.digests.front_mut() {
            // It takes the place of the oldest, which becomes the newest.
            Some(oldest) if full => {
                *oldest = digest;
                self.digests.rotate_left(1);
                self.forgotten += 1;
            }
            _ => self.digests.push_back(digest),
        }
    }

    /// Forgets sessions that ended longer than `window` before `now`, or after it (the capture's clock was set back).
    pub fn forget(&mut self, now: Timestamp, window: Duration) {
        let outside = |old: &Digest| now.since(old.last.time) > window || old.last.time.since(now) > window;
        while self.digests.front().is_some_and(outside) {
            self.digests.pop_front();
            self.forgotten += 1;
        }
    }

    /// Sessions remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.digests.len()
    }

    /// True where nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    /// Sessions that were forgotten to keep the window.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The place of the oldest of these sessions in the order in which sessions were remembered, counted from 0; `None`
    /// where none is remembered any more. It is remembered while its place is not below [`History::forgotten`].
    #[must_use]
    pub fn oldest_place(&self, sessions: &[SessionId]) -> Option<u64> {
        let at = self.digests.iter().position(|digest| sessions.contains(&digest.id))?;
        Some(self.forgotten.saturating_add(at as u64))
    }

    /// When the window begins.
    #[must_use]
    pub fn began(&self) -> Option<Timestamp> {
        self.digests.iter().map(Digest::start).min()
    }

    /// Everything that the remembered sessions together show, in the register's order. What is part of another insight says
    /// of which ([`Finding::because_of`]).
    #[must_use]
    pub fn conclude(&self) -> Vec<Insight> {
        let window = Window::of(self.digests.iter());
        let mut insights: Vec<Insight> = rules::all().flat_map(|(rule, check)| check(rule, &window)).collect();
        explained::fold(&mut insights);
        insights
    }
}
