//! Where in the capture something was seen: which direction, which octets of the stream, which frames, when.
//! Every fact and every piece of evidence carries one.

use crate::frame::FrameNumber;
use crate::time::Timestamp;

/// Which way octets travel between the two roles of a session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

impl Direction {
    /// Both, client first.
    pub const BOTH: [Self; 2] = [Self::ToServer, Self::ToClient];

    /// The other way.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::ToServer => Self::ToClient,
            Self::ToClient => Self::ToServer,
        }
    }

    /// Who sends in this direction.
    #[must_use]
    pub const fn sender(self) -> Role {
        match self {
            Self::ToServer => Role::Client,
            Self::ToClient => Role::Server,
        }
    }
}

/// The two ends of a session (catalogue, section 1: the client sent the first SYN).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// Opened the connection.
    Client,
    /// Accepted it.
    Server,
}

impl Role {
    /// The direction in which this role sends.
    #[must_use]
    pub const fn sends(self) -> Direction {
        match self {
            Self::Client => Direction::ToServer,
            Self::Server => Direction::ToClient,
        }
    }
}

/// One value for each direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PerDirection<T> {
    /// The client's sending direction.
    pub to_server: T,
    /// The server's sending direction.
    pub to_client: T,
}

impl<T> PerDirection<T> {
    /// The value for one direction.
    pub const fn get(&self, direction: Direction) -> &T {
        match direction {
            Direction::ToServer => &self.to_server,
            Direction::ToClient => &self.to_client,
        }
    }

    /// The value for one direction, to change.
    pub const fn get_mut(&mut self, direction: Direction) -> &mut T {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }
}

/// A frame and its time: the smallest proof.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Stamp {
    /// The frame.
    pub frame: FrameNumber,
    /// When it was captured.
    pub time: Timestamp,
}

/// Where a run of stream octets was seen.
///
/// Invariants: `start <= end`; `first.frame <= last.frame` unless segments were reordered on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Span {
    /// Who sent it.
    pub direction: Direction,
    /// Offset of its first octet in that direction's stream, from 0 after the SYN (or from the first octet seen).
    pub start: u64,
    /// Offset just behind its last octet.
    pub end: u64,
    /// The frame that brought its first octet.
    pub first: Stamp,
    /// The frame that brought its last octet.
    pub last: Stamp,
}

impl Span {
    /// The smallest span over both; keeps `self`'s direction.
    #[must_use]
    pub fn through(self, later: Self) -> Self {
        Self {
            end: later.end.max(self.end),
            last: later.last,
            ..self
        }
    }

    /// How many octets it covers.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}
