//! Keeps connections by number, and for each stage of their life a list with the least recently active first.

use crate::tcp::transport::{Stage, Transport};
use crate::time::Timestamp;

const NONE: u32 = u32::MAX;
const STAGES: usize = 4;

/// A connection, its reader, and what the table needs of it.
pub(super) struct Connection<S> {
    pub transport: Transport,
    pub stream: Option<S>,
    pub hash: u32,
    /// When it was last put at the end of its list: at most a second before its last segment.
    pub touched: Timestamp,
    /// What it was counted with in the table's memory.
    pub weight: usize,
    pub out_of_order: usize,
    list: Stage,
}

/// A connection is put at the end of its list once in so many nanoseconds, for that is precise enough.
const TOUCHED_EVERY: u64 = 1_000_000_000;

impl<S> Connection<S> {
    /// It must move: to the list of another stage, or to the end of its own.
    #[inline]
    pub fn is_to_be_touched(&self, now: Timestamp) -> bool {
        let stage = self.transport.stage;
        let since = now.nanoseconds().saturating_sub(self.touched.nanoseconds());
        let lingers = matches!(stage, Stage::Closed | Stage::Reset);
        self.list != stage || !lingers && since.unsigned_abs() >= TOUCHED_EVERY
    }

    pub fn new(transport: Transport, hash: u32, now: Timestamp) -> Self {
        Self {
            list: transport.stage,
            transport,
            stream: None,
            hash,
            touched: now,
            weight: 0,
            out_of_order: 0,
        }
    }
}

struct Slot<S> {
    connection: Option<Box<Connection<S>>>,
    before: u32,
    after: u32,
}

#[derive(Clone, Copy)]
struct List {
    first: u32,
    last: u32,
    length: usize,
}

/// All connections kept in full.
pub(super) struct Slots<S> {
    slots: Vec<Slot<S>>,
    free: Vec<u32>,
    lists: [List; STAGES],
}

impl<S> Slots<S> {
    pub fn new() -> Self {
        let empty = List {
            first: NONE,
            last: NONE,
            length: 0,
        };
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            lists: [empty; STAGES],
        }
    }

    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub fn length(&self, stage: Stage) -> usize {
        self.lists[stage as usize].length
    }

    /// The least recently active in a stage.
    pub fn oldest(&self, stage: Stage) -> Option<u32> {
        let first = self.lists[stage as usize].first;
        (first != NONE).then_some(first)
    }

    #[inline]
    pub fn get(&self, number: u32) -> Option<&Connection<S>> {
        self.slots.get(number as usize)?.connection.as_deref()
    }

    #[inline]
    pub fn get_mut(&mut self, number: u32) -> Option<&mut Connection<S>> {
        self.slots.get_mut(number as usize)?.connection.as_deref_mut()
    }

    pub fn insert(&mut self, connection: Connection<S>) -> u32 {
        let stage = connection.list;
        let slot = Slot {
            connection: Some(Box::new(connection)),
            before: NONE,
            after: NONE,
        };
        let number = match self.free.pop() {
            Some(number) => {
                self.slots[number as usize] = slot;
                number
            }
            None => {
                self.slots.push(slot);
                (self.slots.len() - 1) as u32
            }
        };
        self.append(number, stage);
        number
    }

    pub fn remove(&mut self, number: u32) -> Option<Box<Connection<S>>> {
        let connection = self.slots.get_mut(number as usize)?.connection.take()?;
        self.unlink(number, connection.list);
        self.free.push(number);
        if self.free.len() == self.slots.len() {
            self.slots.clear();
            self.free.clear();
            self.slots.shrink_to(1_024);
            self.free.shrink_to(1_024);
        }
        Some(connection)
    }

    /// Moves a connection to the end of the list of its stage, where that is due.
    pub fn touch(&mut self, number: u32, now: Timestamp) {
        let Some(connection) = self.get_mut(number).filter(|one| one.is_to_be_touched(now)) else {
            return;
        };
        let (old, new) = (connection.list, connection.transport.stage);
        connection.touched = now;
        connection.list = new;
        self.unlink(number, old);
        self.append(number, new);
    }

    /// Numbers of all.
    pub fn numbers(&self) -> impl Iterator<Item = (u32, &Connection<S>)> + '_ {
        let slots = self.slots.iter().enumerate();
        slots.filter_map(|(number, slot)| slot.connection.as_deref().map(|connection| (number as u32, connection)))
    }

    fn append(&mut self, number: u32, stage: Stage) {
        let list = &mut self.lists[stage as usize];
        let last = list.last;
        list.last = number;
        list.length += 1;
        if last == NONE {
            list.first = number;
        } else {
            self.slots[last as usize].after = number;
        }
        let slot = &mut self.slots[number as usize];
        slot.before = last;
        slot.after = NONE;
    }

    fn unlink(&mut self, number: u32, stage: Stage) {
        let Slot { before, after, .. } = self.slots[number as usize];
        let list = &mut self.lists[stage as usize];
        list.length -= 1;
        if before == NONE {
            list.first = after;
        }
        if after == NONE {
            list.last = before;
        }
        if before != NONE {
            self.slots[before as usize].after = after;
        }
        if after != NONE {
            self.slots[after as usize].before = before;
        }
    }
}
