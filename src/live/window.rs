//! Insights while they become true: the sessions of the last while, concluded again and again, each insight said once.
//!
//! Concluding costs a walk over everything remembered, so the caller decides how often; between two looks nothing is lost,
//! it is only said later. An insight is said again in the same window only where it has grown: twice the sessions, or a
//! graver severity. What is said is true so far: where a later session contradicts it, it is taken back.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use crate::diagnosis::{Finding, Severity, Value};
use crate::insight::{Digest, History, Insight};
use crate::time::Timestamp;

/// Insights remembered as said; beyond it the oldest are said again.
pub const MAXIMUM_SAID: usize = 4_096;

/// The values of a finding that tell one group of sessions from another: what an insight is about, not how much of it.
const ABOUT: &[&str] = &[
    "client",
    "server",
    "port",
    "service",
    "mechanism",
    "mailbox",
    "cause",
    "failed",
    "worked",
    "old_port",
    "new_port",
    "late",
    "good",
];

#[derive(Debug)]
struct Said {
    sessions: u64,
    severity: Severity,
    at: Timestamp,
    /// As it was said, without its proof.
    insight: Insight,
    /// The place of its oldest session in the history: once that is forgotten, nothing contradicts it.
    oldest: Option<u64>,
}

/// What a look brings.
#[derive(Debug, Default)]
pub struct News {
    /// What was said and is contradicted by later sessions, without its proof.
    pub withdrawn: Vec<Insight>,
    /// What has become true.
    pub insights: Vec<Insight>,
}

/// The sliding window with what was said of it.
#[derive(Debug)]
pub struct Window {
    history: History,
    length: Duration,
    said: HashMap<Key, Said>,
    changed: bool,
    outlived: u64,
}

impl Window {
    /// An empty window of this length.
    #[must_use]
    pub fn new(length: Duration) -> Self {
        Self {
            history: History::new(),
            length,
            said: HashMap::new(),
            changed: false,
            outlived: 0,
        }
    }

    /// Remembers a session.
    pub fn remember(&mut self, digest: Digest) {
        self.history.remember(digest);
        self.changed = true;
    }

    /// True where sessions were remembered since the last look.
    #[must_use]
    pub const fn is_new(&self) -> bool {
        self.changed
    }

    /// Sessions remembered, and sessions forgotten so far.
    #[must_use]
    pub fn sessions(&self) -> (usize, u64) {
        (self.history.len(), self.history.forgotten())
    }

    /// Sessions that were forgotten because the window went on over them, not because there were too many.
    #[must_use]
    pub const fn outlived(&self) -> u64 {
        self.outlived
    }

    /// Forgets what is older than the window; for the time between two looks.
    pub fn forget(&mut self, now: Timestamp) {
        let before = self.history.forgotten();
        self.history.forget(now, self.length);
        self.outlived += self.history.forgotten() - before;
    }

    /// Forgets what is older than the window, and says what has become true since the last look, and what no longer is.
    /// `now` is the time that the table's time-outs go by.
    pub fn look(&mut self, now: Timestamp) -> News {
        self.forget(now);
        self.said
            .retain(|_, said| said.at <= now && now.since(said.at) <= self.length);
        self.changed = false;
        let mut insights = self.history.conclude();
        let withdrawn = self.withdraw(&insights);
        insights.retain(|insight| self.is_news(insight, now));
        News { withdrawn, insights }
    }

    /// Takes out what was said and no longer follows, though its sessions are all remembered. Where the same rule now says
    /// something else of the same sessions, that takes its place.
    fn withdraw(&mut self, concluded: &[Insight]) -> Vec<Insight> {
        let held: HashSet<Key> = concluded.iter().map(key).collect();
        let forgotten = self.history.forgotten();
        let replaced = |said: &Insight| {
            let same_rule = concluded
                .iter()
                .filter(|one| one.finding.rule.slug == said.finding.rule.slug);
            same_rule
                .filter_map(|one| said.sessions.first().map(|first| one.sessions.contains(first)))
                .any(|replaces| replaces)
        };
        let gone: Vec<Key> = self.said.keys().filter(|key| !held.contains(key)).copied().collect();
        let mut withdrawn = Vec::new();
        for key in gone {
            let stands = |said: &Said| said.oldest.is_some_and(|place| place >= forgotten);
            if self.said.get(&key).is_some_and(stands)
                && let Some(said) = self.said.remove(&key)
                && !replaced(&said.insight)
            {
                withdrawn.push(said.insight);
            }
        }
        withdrawn.sort_by_key(|one| (one.sessions.first().copied(), one.finding.rule.slug));
        withdrawn
    }

    fn is_news(&mut self, insight: &Insight, now: Timestamp) -> bool {
        let key = key(insight);
        let (sessions, severity) = (insight.sessions_in_all, insight.finding.severity);
        if let Some(said) = self.said.get_mut(&key)
            && sessions < said.sessions.saturating_mul(2)
            && severity <= said.severity
        {
            if said.oldest.is_none_or(|place| place < self.history.forgotten()) {
                said.oldest = self.history.oldest_place(&insight.sessions);
            }
            return false;
        }
        if self.said.len() >= MAXIMUM_SAID
            && let Some(oldest) = self.said.iter().min_by_key(|(_, said)| said.at).map(|(key, _)| *key)
        {
            self.said.remove(&oldest);
        }
        let mut kept = insight.clone();
        kept.finding.evidence.clear();
        let said = Said {
            sessions,
            severity,
            at: now,
            insight: kept,
            oldest: self.history.oldest_place(&insight.sessions),
        };
        self.said.insert(key, said);
        true
    }
}

/// What tells one insight from another.
type Key = (&'static str, u64);

fn key(insight: &Insight) -> Key {
    (insight.finding.rule.slug, group(&insight.finding))
}

/// A number that is the same for the same group.
fn group(finding: &Finding) -> u64 {
    let mut hasher = foldhash::fast::FixedState::with_seed(5).build_hasher();
    for (name, value) in finding.values.iter().filter(|(name, _)| ABOUT.contains(name)) {
        hasher.write(name.as_bytes());
        match value {
            Value::Captured(text) => hasher.write(text.bytes()),
            Value::Name(name) => hasher.write(name.as_bytes()),
            Value::Number(number) => hasher.write_u64(*number),
            Value::Phrase(key) | Value::Rule(key) => hasher.write(key.as_bytes()),
            Value::Note(note) => hasher.write(note.template.as_bytes()),
            // How long and when is not what it is about.
            Value::Duration(_) | Value::Time(_) | Value::List(_) => {}
        }
        hasher.write_u8(0);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{Evidence, Finding};
    use crate::session::SessionId;
    use crate::span::Stamp;

    fn insight(client: &str, sessions: u64, severity: Severity) -> Insight {
        let rule = crate::insight::rule("cross-client-breaks-at-tls12").unwrap();
        let stamp = Stamp {
            frame: crate::frame::FrameNumber(1),
            time: Timestamp::default(),
        };
        let mut finding = Finding::of(rule, crate::session::Stage::Tls, Evidence::frame(stamp, None, "x"))
            .with("client", client.to_owned())
            .with("sessions", sessions);
        finding.severity = severity;
        let mut insight = Insight::of(finding, [SessionId(1)]);
        insight.sessions_in_all = sessions;
        insight
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_parts(seconds, 0)
    }

    #[test]
    fn an_insight_is_said_once_for_a_group_unless_it_grows() {
        let mut window = Window::new(Duration::from_secs(60));
        let mut says = |client, sessions, severity| window.is_news(&insight(client, sessions, severity), at(1));
        assert!(says("192.0.2.1", 2, Severity::Risk));
        assert!(!says("192.0.2.1", 2, Severity::Risk));
        assert!(!says("192.0.2.1", 3, Severity::Risk));
        assert!(says("192.0.2.2", 2, Severity::Risk), "another group");
        assert!(says("192.0.2.1", 4, Severity::Risk), "twice as many");
        assert!(!says("192.0.2.1", 7, Severity::Risk));
        assert!(says("192.0.2.1", 7, Severity::Fail), "graver");
    }

    #[test]
    fn after_a_window_it_is_said_again_and_after_a_jump_back_too() {
        for later in [62, -4_000] {
            let mut window = Window::new(Duration::from_secs(60));
            assert!(window.is_news(&insight("192.0.2.1", 2, Severity::Risk), at(1)));
            assert!(window.look(at(30)).insights.is_empty());
            assert!(!window.is_news(&insight("192.0.2.1", 2, Severity::Risk), at(30)));
            window.look(at(later));
            assert!(window.is_news(&insight("192.0.2.1", 2, Severity::Risk), at(later)));
        }
    }

    #[test]
    fn what_was_said_is_bounded() {
        let mut window = Window::new(Duration::from_secs(60));
        for number in 0..MAXIMUM_SAID + 100 {
            window.is_news(&insight(&number.to_string(), 2, Severity::Risk), at(1));
        }
        assert_eq!(window.said.len(), MAXIMUM_SAID);
    }
}
