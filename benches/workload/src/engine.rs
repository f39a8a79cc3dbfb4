//! Interleaves the connections of a profile by time, writes the capture, and sums up what is true of it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Write};

use crate::container::{Format, Writer};
use crate::plan::{Plan, Step, Truth};
use crate::player::Player;
use crate::profile::{Arrival, Planner, Profile, SYNS_PER_SESSION};
use crate::text::Pools;
use crate::truth::Totals;

/// 2026-11-02T09:00:00Z.
const START: u64 = 1_793_610_000_000_000_000;
/// Connections of a closed profile begin within this time, so that they do not march in step.
const SPREAD: u64 = 400_000_000;
/// Bytes of a capture file for a real session of a flood with its share of the SYNs.
const FLOOD_SESSION_OCTETS: u64 = SYNS_PER_SESSION * 90 + 8_000;

/// How much of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// So many mail sessions.
    Sessions(u64),
    /// About so many bytes of capture file.
    Bytes(u64),
}

/// What to make.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// Made of what.
    pub profile: Profile,
    /// Other numbers, other capture.
    pub seed: u64,
    /// How much.
    pub size: Size,
    /// In which format.
    pub format: Format,
}

/// Writes the capture to `output` (buffered); `each` sees the truth of every session as it ends.
///
/// # Errors
/// What the output or `each` says.
pub fn generate<W: Write>(
    order: &Order,
    output: W,
    mut each: impl FnMut(&Truth) -> io::Result<()>,
) -> io::Result<Totals> {
    let mut engine = Engine::new(order);
    let mut writer = Writer::new(output, order.format)?;
    let mut totals = Totals::new(order);
    let pools = Pools::new();
    let mut frame = Vec::with_capacity(2048);
    engine.begin();
    while let Some(Reverse((time, slot))) = engine.due.pop() {
        let Some(player) = engine.slots.get_mut(slot).and_then(Option::as_mut) else {
            // An open profile's next connection is due.
            engine.arrive(time);
            continue;
        };
        player.write(&pools, &mut frame);
        writer.frame(time, &frame)?;
        totals.frame(player.plan.truth.is_some(), &player.plan.path);
        if player.frames == 1
            && let Some(truth) = &mut player.plan.truth
        {
            truth.first_frame = writer.frames;
        }
        match player.due() {
            Some(next) => engine.due.push(Reverse((next, slot))),
            None => {
                if let Some(truth) = &player.plan.truth {
                    totals.session(truth);
                    each(truth)?;
                }
                engine.slots[slot] = None;
                engine.replace(slot, time);
            }
        }
    }
    writer.finish()?;
    totals.file(writer.frames, writer.bytes);
    Ok(totals)
}

struct Engine {
    order: Order,
    planner: Planner,
    slots: Vec<Option<Player>>,
    free: Vec<usize>,
    due: BinaryHeap<Reverse<(u64, usize)>>,
    sessions: u64,
    planned: u64,
}

/// The slot that stands for "a connection arrives".
const ARRIVAL: usize = usize::MAX;

impl Engine {
    fn new(order: &Order) -> Self {
        let mut order = *order;
        if let (Profile::SynFlood, Size::Bytes(bytes)) = (order.profile, order.size) {
            order.size = Size::Sessions((bytes / FLOOD_SESSION_OCTETS).max(1));
        }
        Self {
            order,
            planner: Planner::new(order.profile, order.seed),
            slots: vec![],
            free: vec![],
            due: BinaryHeap::new(),
            sessions: 0,
            planned: 0,
        }
    }

    fn begin(&mut self) {
        match self.order.profile.arrival() {
            Arrival::Closed(count) => {
                for _ in 0..count {
                    if let Some(plan) = self.plan() {
                        let start = START + self.planner.random().below(SPREAD);
                        self.play(plan, start, None);
                    }
                }
            }
            Arrival::Every(_) => self.due.push(Reverse((START, ARRIVAL))),
        }
    }

    /// The next connection, unless there is enough.
    fn plan(&mut self) -> Option<Plan> {
        let enough = match self.order.size {
            Size::Sessions(count) => self.sessions >= count,
            Size::Bytes(count) => self.planned >= count,
        };
        if enough {
            return None;
        }
        let mut plan = self.planner.connection();
        if let ([Step::Flood(count)], Size::Sessions(sessions)) = (&mut plan.steps[..], self.order.size) {
            *count = sessions * SYNS_PER_SESSION;
        }
        self.planned += plan.file_octets();
        self.sessions += u64::from(plan.truth.is_some());
        Some(plan)
    }

    fn play(&mut self, plan: Plan, start: u64, slot: Option<usize>) {
        let player = Player::new(plan, start, self.planner.random());
        let slot = slot.unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        if let Some(due) = player.due() {
            self.due.push(Reverse((due, slot)));
            self.slots[slot] = Some(player);
        }
    }

    /// An open profile's next connection begins.
    fn arrive(&mut self, time: u64) {
        let Arrival::Every(gap) = self.order.profile.arrival() else {
            return;
        };
        if let Some(plan) = self.plan() {
            let slot = self.free.pop();
            self.play(plan, time, slot);
            self.due.push(Reverse((time + gap, ARRIVAL)));
        }
    }

    /// A connection ended.
    fn replace(&mut self, slot: usize, time: u64) {
        match self.order.profile.arrival() {
            Arrival::Every(_) => self.free.push(slot),
            Arrival::Closed(_) => {
                if let Some(plan) = self.plan() {
                    let start = time + self.planner.random().below(2_000_000);
                    self.play(plan, start, Some(slot));
                }
            }
        }
    }
}
