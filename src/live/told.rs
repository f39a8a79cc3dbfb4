//! Remembers which stories were told, so that the tenth failure of one device is a line and not a page.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use crate::packet::Endpoint;
use crate::session::SessionId;
use crate::time::Timestamp;

/// Stories remembered; the oldest are forgotten, and told again.
pub const MAXIMUM_TOLD: usize = 4_096;

type Story = (&'static str, IpAddr, Endpoint);

/// The stories of the last while.
#[derive(Debug)]
pub struct Told {
    known: HashMap<Story, (SessionId, Timestamp)>,
    order: VecDeque<Story>,
    for_how_long: Duration,
}

impl Told {
    /// Nothing told yet; a story is told again after `for_how_long`.
    #[must_use]
    pub fn new(for_how_long: Duration) -> Self {
        Self {
            known: HashMap::new(),
            order: VecDeque::new(),
            for_how_long,
        }
    }

    /// The session in which this cause between these two was told in full; `None` where it is to be told now, as
    /// `session`.
    pub fn before(
        &mut self,
        slug: &'static str,
        client: IpAddr,
        server: Endpoint,
        session: SessionId,
        now: Timestamp,
    ) -> Option<SessionId> {
        let story = (slug, client, server);
        if let Some((told, at)) = self.known.get_mut(&story) {
            if now.since(*at) <= self.for_how_long {
                return Some(*told);
            }
            (*told, *at) = (session, now);
            return None;
        }
        if self.order.len() >= MAXIMUM_TOLD
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(story);
        self.known.insert(story, (session, now));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(last: u8) -> Endpoint {
        Endpoint {
            address: IpAddr::from([192, 0, 2, last]),
            port: 25,
        }
    }

    #[test]
    fn a_story_is_told_once_a_while_for_each_pair() {
        let mut told = Told::new(Duration::from_secs(60));
        let at = |seconds| Timestamp::from_parts(seconds, 0);
        let client = IpAddr::from([198, 51, 100, 1]);
        let mut ask =
            |slug, server, id, seconds| told.before(slug, client, endpoint(server), SessionId(id), at(seconds));
        assert_eq!(ask("a", 1, 1, 0), None);
        assert_eq!(ask("a", 1, 2, 30), Some(SessionId(1)));
        assert_eq!(ask("b", 1, 3, 30), None);
        assert_eq!(ask("a", 2, 4, 30), None);
        assert_eq!(ask("a", 1, 5, 61), None);
        assert_eq!(ask("a", 1, 6, 62), Some(SessionId(5)));
    }

    #[test]
    fn memory_is_bounded() {
        let mut told = Told::new(Duration::from_secs(60));
        for number in 0..3 * MAXIMUM_TOLD as u32 {
            let client = IpAddr::from(number.to_be_bytes());
            told.before("a", client, endpoint(1), SessionId(1), Timestamp::from_parts(0, 0));
        }
        assert_eq!(told.known.len(), MAXIMUM_TOLD);
        assert_eq!(told.order.len(), MAXIMUM_TOLD);
    }
}
