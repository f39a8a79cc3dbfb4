//! Frames → told sessions, with one thread or many: the same sessions in the same order, octet for octet.
//!
//! ```text
//! chunks of a large plain file, walked by whoever has time → its frames of mail
//! main thread: Reader (or such a chunk) → Router → its own share, and batches, one for each worker ─┐ ┌→ merge → sink
//! worker: its share of the 16 shards: segments → sessions → findings → told ┘
//! ```
//!
//! The order is that of the frames at which sessions ended: one frame ends sessions of one shard only, so the answers to
//! one round of batches are merged by frame number. What the end of the capture cuts comes by first frame. This file is
//! the run as its owner sees it; `pool` hands out and merges, `share` is what one thread has of the shards.

use std::thread::Scope;

use crate::analyzer::{Analyzer, Options};
use crate::capture::{Row, Stretch};
use crate::cli::pool::Pool;
use crate::cli::share::Crew;
use crate::diagnosis::Finding;
use crate::frame::Frame;
use crate::packet;
use crate::session::Session;
use crate::tcp;

/// Frames of a stretch between two looks at whether a round is full.
const FRAMES_A_LOOK: usize = 64;

/// What a run makes of a session: it runs in the workers.
pub type Tell<'a, T> = dyn Fn(Session, Vec<Finding>, u8) -> T + Sync + 'a;
/// Takes what was told, in order.
pub type Take<'a, T, E> = dyn FnMut(T) -> Result<(), E> + 'a;

/// What a run counted.
pub struct Counted {
    /// What the frames were.
    pub packets: packet::Counts,
    /// What happened to the connections.
    pub connections: tcp::Counts,
    /// Frames, and how many of them were no mail by their ports.
    pub frames: (u64, u64),
}

/// A run in one thread or several. [`push`](Self::push) frames, [`take`](Self::take) what is ready now and then,
/// [`finish`](Self::finish) once.
#[allow(clippy::large_enum_variant, reason = "one in a run")]
pub enum Pipeline<'a, T> {
    /// Everything in the thread that reads.
    Alone {
        /// The whole way from frames to sessions.
        analyzer: Analyzer,
        /// What is made of a session.
        tell: &'a Tell<'a, T>,
        /// Fractional digits of times.
        digits: u8,
    },
    /// Shards in several threads.
    Shared(Pool<'a, T>),
}

impl<'a, T: Send + 'a> Pipeline<'a, T> {
    /// A run with so many threads; with one there is no thread but this.
    pub fn start<'scope>(scope: &'scope Scope<'scope, '_>, crew: Crew, options: &Options, tell: &'a Tell<'a, T>) -> Self
    where
        'a: 'scope,
    {
        if crew.threads > 1 {
            Self::Shared(Pool::start(scope, crew, options, tell))
        } else {
            Self::Alone {
                analyzer: Analyzer::new(options),
                tell,
                digits: 0,
            }
        }
    }

    /// Takes the next frame.
    pub fn push(&mut self, frame: &Frame<'_>) {
        match self {
            Self::Alone { analyzer, .. } => analyzer.push_frame(frame),
            Self::Shared(pool) => pool.push(frame, None),
        }
    }

    /// Takes frames that lie in memory one behind another.
    pub fn push_row(&mut self, row: Row<'_>) {
        let block = row.block();
        match self {
            Self::Alone { analyzer, .. } => row.for_each(|frame| analyzer.push_frame(&frame)),
            Self::Shared(pool) => row.for_each(|frame| pool.push(&frame, Some(block))),
        }
    }

    /// Takes frames that were walked ahead, and hands on what is ready meanwhile.
    ///
    /// # Errors
    /// What `sink` gives.
    pub fn push_stretch<E>(&mut self, stretch: &Stretch, sink: &mut Take<'_, T, E>) -> Result<(), E> {
        for (position, frame) in stretch.frames().enumerate() {
            self.push(&frame);
            if position % FRAMES_A_LOOK == 0 {
                self.take(sink)?;
            }
        }
        match self {
            Self::Alone { analyzer, .. } => analyzer.pass(stretch.counts().1, stretch.latest()),
            Self::Shared(pool) => pool.pass(stretch.counts().1, stretch.latest()),
        }
        Ok(())
    }

    /// Frames taken, and how many of them were no mail by their ports.
    pub const fn frames(&self) -> (u64, u64) {
        match self {
            Self::Alone { analyzer, .. } => analyzer.frames(),
            Self::Shared(pool) => pool.frames(),
        }
    }

    /// Tells sessions that end from here on with `digits` fractional digits of times. To be called behind the same
    /// frames whatever the number of threads.
    ///
    /// # Errors
    /// What `sink` gives.
    pub fn set_digits<E>(&mut self, digits: u8, sink: &mut Take<'_, T, E>) -> Result<(), E> {
        let changed = match self {
            Self::Alone { digits: known, .. } => *known != digits,
            Self::Shared(pool) => pool.digits() != digits,
        };
        if changed {
            self.take(sink)?;
            match self {
                Self::Alone { digits: known, .. } => *known = digits,
                Self::Shared(pool) => pool.set_digits(digits),
            }
        }
        Ok(())
    }

    /// Hands on what is ready.
    ///
    /// # Errors
    /// What `sink` gives.
    pub fn take<E>(&mut self, sink: &mut Take<'_, T, E>) -> Result<(), E> {
        match self {
            Self::Alone { analyzer, tell, digits } => {
                while let Some((session, findings)) = analyzer.poll_session() {
                    sink(tell(session, findings, *digits))?;
                }
                Ok(())
            }
            Self::Shared(pool) => pool.take(sink),
        }
    }

    /// Ends the capture and hands on what is left.
    ///
    /// # Errors
    /// What `sink` gives.
    pub fn finish<E>(mut self, sink: &mut Take<'_, T, E>) -> Result<Counted, E> {
        if let Self::Alone { analyzer, .. } = &mut self {
            analyzer.finish();
        }
        self.take(sink)?;
        match self {
            Self::Alone { analyzer, .. } => Ok(Counted {
                packets: analyzer.packet_counts().clone(),
                connections: analyzer.tcp_counts(),
                frames: analyzer.frames(),
            }),
            Self::Shared(pool) => pool.finish(sink),
        }
    }
}
