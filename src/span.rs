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
    OneFrame(OneFrame),
    /// Several frames, or numbers that do not fit.
    Other(Box<Span>),
}

/// Octets that one frame brought: numbers below a trillion, and less than 16 MiB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct OneFrame {
    time: Timestamp,
    frame: [u8; 5],
    start: [u8; 5],
    length: [u8; 3],
    direction: Direction,
}

// Every command and every reply has one, and a busy mirror port holds a hundred thousand of them.
const _: () = assert!(size_of::<KeptSpan>() <= 24);

/// The lower octets of a number; `None` where there are more.
fn packed<const N: usize>(number: u64) -> Option<[u8; N]> {
    let octets = number.to_le_bytes();
    let (low, high) = octets.split_first_chunk()?;
    high.iter().all(|octet| *octet == 0).then_some(*low)
}

const fn unpacked([a, b, c, d, e]: [u8; 5]) -> u64 {
    u64::from_le_bytes([a, b, c, d, e, 0, 0, 0])
}

impl OneFrame {
    fn of(span: &Span) -> Option<Self> {
        if span.first != span.last {
            return None;
        }
        Some(Self {
            time: span.first.time,
            frame: packed(span.first.frame.0)?,
            start: packed(span.start)?,
            length: packed(span.end.checked_sub(span.start)?)?,
            direction: span.direction,
        })
    }

    const fn stamp(self) -> Stamp {
        Stamp {
            frame: FrameNumber(unpacked(self.frame)),
            time: self.time,
        }
    }

    const fn length(self) -> u64 {
        let [a, b, c] = self.length;
        u32::from_le_bytes([a, b, c, 0]) as u64
    }
}

impl KeptSpan {
    /// The span.
    #[must_use]
    pub fn get(&self) -> Span {
        match &self.0 {
            Kept::OneFrame(one) => Span {
                direction: one.direction,
                start: unpacked(one.start),
                end: unpacked(one.start) + one.length(),
                first: one.stamp(),
                last: one.stamp(),
            },
            Kept::Other(span) => **span,
        }
    }

    /// The frame that brought its first octet.
    #[must_use]
    pub const fn first(&self) -> Stamp {
        match &self.0 {
            Kept::OneFrame(one) => one.stamp(),
            Kept::Other(span) => span.first,
        }
    }

    /// The frame that brought its last octet.
    #[must_use]
    pub const fn last(&self) -> Stamp {
        match &self.0 {
            Kept::OneFrame(one) => one.stamp(),
            Kept::Other(span) => span.last,
        }
    }

    /// Who sent it.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        match &self.0 {
            Kept::OneFrame(one) => one.direction,
            Kept::Other(span) => span.direction,
        }
    }

    /// Heap octets held.
    #[must_use]
    pub const fn weight(&self) -> usize {
        match &self.0 {
            Kept::OneFrame(_) => 0,
            Kept::Other(_) => size_of::<Span>(),
        }
    }

    /// How many octets it covers.
    #[must_use]
    pub const fn length(&self) -> u64 {
        match &self.0 {
            Kept::OneFrame(one) => one.length(),
            Kept::Other(span) => span.length(),
        }
    }
}

impl From<Span> for KeptSpan {
    #[inline]
    fn from(span: Span) -> Self {
        Self(OneFrame::of(&span).map_or_else(|| Kept::Other(Box::new(span)), Kept::OneFrame))
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
        let (short, low) = ((1 << 24) - 1, (1 << 40) - 1);
        for direction in Direction::BOTH {
            for start in [0, 1, low, low + 1, u64::MAX - short, u64::MAX] {
                for length in [0, 1, short - 1, short, short + 1, u64::MAX] {
                    for (first, last) in [
                        (1, 1),
                        (1, 2),
                        (2, 1),
                        (low, low),
                        (low + 1, low + 1),
                        (u64::MAX, u64::MAX),
                    ] {
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
                        let fits = first == last && first <= low && start <= low && span.length() <= short;
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
