//! What is counted of frames that are walked one behind another, before the facts of their file take it in at once.

use super::walk::Record;
use crate::time::Timestamp;

/// What is counted of all frames of a stretch or a row.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) frames: u64,
    pub(super) octets: u64,
    pub(super) cut: u64,
    /// Frames earlier than the frame before, and the position of the first such.
    pub(super) backwards: (u64, Option<u64>),
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    pub(super) earliest: Option<Timestamp>,
    /// The latest time, and the position of the last frame that has it.
    pub(super) latest: Option<(Timestamp, u64)>,
    /// Frames by interface.
    pub(super) interfaces: Vec<(Option<usize>, u64)>,
}

impl Tally {
    #[inline]
    pub(super) fn add(&mut self, record: &Record) {
        let (position, time) = (self.frames, record.time);
        self.frames += 1;
        self.octets += record.packet.len() as u64;
        self.cut += u64::from(record.original_length as usize > record.packet.len());
        match &mut self.latest {
            Some((latest, at)) if *latest <= time => (*latest, *at) = (time, position),
            _ => self.add_earlier(time, position),
        }
        self.last = Some(time);
        match self.interfaces.iter_mut().find(|(known, _)| *known == record.interface) {
            Some((_, frames)) => *frames += 1,
            None => self.interfaces.push((record.interface, 1)),
        }
    }

    /// The first frame, or one that is earlier than another before it.
    #[cold]
    fn add_earlier(&mut self, time: Timestamp, position: u64) {
        if self.last.is_some_and(|last| last > time) {
            self.backwards.0 += 1;
            self.backwards.1.get_or_insert(position);
        }
        self.first.get_or_insert(time);
        self.earliest = Some(self.earliest.map_or(time, |earliest| earliest.min(time)));
        self.latest.get_or_insert((time, position));
    }
}
