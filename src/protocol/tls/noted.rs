//! A stamp that may be missing, in the 16 octets of a stamp.

use crate::frame::FrameNumber;
use crate::span::Stamp;
use crate::time::Timestamp;

/// When something was first seen, if it was. No capture has so many frames that one has the last number: it stands for none.
#[derive(Clone, Copy)]
pub(super) struct Noted(Stamp);

impl Noted {
    /// Not seen.
    pub(super) const NONE: Self = Self(Stamp {
        frame: FrameNumber(u64::MAX),
        time: Timestamp::MIN,
    });

    /// The stamp, where there is one.
    pub(super) fn get(self) -> Option<Stamp> {
        self.is_some().then_some(self.0)
    }

    pub(super) fn is_some(self) -> bool {
        self.0.frame.0 != u64::MAX
    }

    pub(super) fn is_none(self) -> bool {
        !self.is_some()
    }

    /// Notes the first stamp; later ones change nothing.
    pub(super) fn first(&mut self, stamp: Stamp) {
        if self.is_none() {
            self.0 = stamp;
        }
    }

    /// Notes a stamp in place of any other.
    pub(super) const fn set(&mut self, stamp: Stamp) {
        self.0 = stamp;
    }
}

impl Default for Noted {
    fn default() -> Self {
        Self::NONE
    }
}
