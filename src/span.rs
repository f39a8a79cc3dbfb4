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

/// A [`Span`] as facts keep it for as long as a session lasts: exact, and small where one frame brought all its octets, as
/// nearly always.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptSpan(Kept);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Kept {
    OneFrame {
        start: u64,
        stamp: Stamp,
        length: u32,
        direction: Direction,
    },
    /// Several frames, or more than 4 GiB.
    Other(Box<Span>),
}

// Every command and every reply has one, and a busy mirror port holds a hundred thousand of them.
const _: () = assert!(size_of::<KeptSpan>() <= 32);

impl KeptSpan {
    /// The span.
    #[must_use]
    pub fn get(&self) -> Span {
        match &self.0 {
            Kept::OneFrame {
                start,
                stamp,
                length,
                direction,
            } => Span {
                direction: *direction,
                start: *start,
                end: start + u64::from(*length),
                first: *stamp,
                last: *stamp,
            },
            Kept::Other(span) => **span,
        }
    }

    /// The frame that brought its first octet.
    #[must_use]
    pub const fn first(&self) -> Stamp {
        match &self.0 {
            Kept::OneFrame { stamp, .. } => *stamp,
            Kept::Other(span) => span.first,
        }
    }

    /// The frame that brought its last octet.
    #[must_use]
    pub const fn last(&self) -> Stamp {
        match &self.0 {
            Kept::OneFrame { stamp, .. } => *stamp,
            Kept::Other(span) => span.last,
        }
    }

    /// Who sent it.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        match &self.0 {
            Kept::OneFrame { direction, .. } => *direction,
            Kept::Other(span) => span.direction,
        }
    }

    /// Heap octets held.
    #[must_use]
    pub const fn weight(&self) -> usize {
        match &self.0 {
            Kept::OneFrame { .. } => 0,
            Kept::Other(_) => size_of::<Span>(),
        }
    }

    /// How many octets it covers.
    #[must_use]
    pub const fn length(&self) -> u64 {
        match &self.0 {
            Kept::OneFrame { length, .. } => *length as u64,
            Kept::Other(span) => span.length(),
        }
    }
}

impl From<Span> for KeptSpan {
    #[inline]
    fn from(span: Span) -> Self {
        let length = span.end.checked_sub(span.start).map(u32::try_from);
        Self(match length {
            Some(Ok(length)) if span.first == span.last => Kept::OneFrame {
                start: span.start,
                stamp: span.first,
                length,
                direction: span.direction,
            },
            _ => Kept::Other(Box::new(span)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_span_comes_out_as_it_went_in() {
        let stamp = |frame| Stamp {
            frame: FrameNumber(frame),
            time: Timestamp::from_nanoseconds(frame.cast_signed() - 7),
        };
        let small = u64::from(u32::MAX);
        for direction in Direction::BOTH {
            for start in [0, 1, small, u64::MAX - small, u64::MAX] {
                for length in [0, 1, small - 1, small, small + 1, u64::MAX] {
                    for (first, last) in [(1, 1), (1, 2), (2, 1), (u64::MAX, u64::MAX)] {
                        let span = Span {
                            direction,
                            start,
                            end: start.saturating_add(length),
                            first: stamp(first),
                            last: stamp(last),
                        };
                        let kept = KeptSpan::from(span);
                        assert_eq!(kept.get(), span);
                        assert_eq!(
                            (kept.first(), kept.last(), kept.direction(), kept.length()),
                            (span.first, span.last, span.direction, span.length())
                        );
                        let fits = first == last && span.length() <= small;
                        assert_eq!(kept.weight() == 0, fits);
                    }
                }
            }
        }
        // An end before the start, which no decoder makes.
        let span = Span {
            direction: Direction::ToServer,
            start: 2,
            end: 1,
            first: stamp(1),
            last: stamp(1),
        };
        assert_eq!(KeptSpan::from(span).get(), span);
    }
}
