//! Keeps connections by number, and for each stage of their life a list with the least recently active first.
//!
//! They lie in pages of a few dozen, each where it stays: a number leads to its connection with one step, and none is
//! allocated or moved on its own. Pages are given back when the last connection of all is gone.

use std::num::NonZeroU64;

use crate::tcp::transport::{Stage, Transport};
use crate::time::Timestamp;

const NONE: u32 = u32::MAX;
const STAGES: usize = 4;
/// Connections in a page: with a reader of 56 octets, as a conversation is one, they fit into 20 KiB, which the allocator
/// has a size for, and leave next to nothing of it empty.
const PAGE: usize = 38;

/// A connection, its reader, and what the table needs of it.
pub(super) struct Connection<S> {
    pub transport: Transport,
    pub stream: Option<S>,
    /// Of its key, in the table's index.
    pub hash: u32,
    /// When it was last put at the end of its list: at most a second before its last segment.
    pub touched: Timestamp,
    /// What it was counted with in the table's memory.
    pub weight: u32,
}

/// A million dialogues may be open at once, so this must not grow unnoticed.
const _: () = assert!(PAGE * size_of::<Option<Connection<[NonZeroU64; 7]>>>() <= 20 << 10);

/// A connection is put at the end of its list once in so many nanoseconds, for that is precise enough.
const TOUCHED_EVERY: u64 = 1_000_000_000;

impl<S> Connection<S> {
    /// It must move: to the list of another stage, or to the end of its own.
    #[inline]
    pub fn is_to_be_touched(&self, now: Timestamp) -> bool {
        let stage = self.transport.stage;
        let since = now.nanoseconds().saturating_sub(self.touched.nanoseconds());
        let lingers = stage.is_end();
        self.transport.listed != stage || !lingers && since.unsigned_abs() >= TOUCHED_EVERY
    }

    pub fn new(mut transport: Transport, hash: u32, now: Timestamp) -> Self {
        transport.listed = transport.stage;
        Self {
            transport,
            stream: None,
            hash,
            touched: now,
            weight: 0,
        }
    }
}

/// The neighbours in a list.
#[derive(Clone, Copy)]
struct Links {
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
    pages: Vec<Box<[Option<Connection<S>>]>>,
    /// Of each number that was ever given.
    links: Vec<Links>,
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
            pages: Vec::new(),
            links: Vec::new(),
            free: Vec::new(),
            lists: [empty; STAGES],
        }
    }

    pub fn len(&self) -> usize {
        self.links.len() - self.free.len()
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
        let page = self.pages.get(number as usize / PAGE)?;
        page.get(number as usize % PAGE)?.as_ref()
    }

    #[inline]
    pub fn get_mut(&mut self, number: u32) -> Option<&mut Connection<S>> {
        self.place(number)?.as_mut()
    }

    #[inline]
    fn place(&mut self, number: u32) -> Option<&mut Option<Connection<S>>> {
        let page = self.pages.get_mut(number as usize / PAGE)?;
        page.get_mut(number as usize % PAGE)
    }

    pub fn insert(&mut self, connection: Connection<S>) -> u32 {
        let stage = connection.transport.listed;
        let number = self.free.pop().unwrap_or_else(|| self.new_number());
        if let Some(place) = self.place(number) {
            *place = Some(connection);
        }
        self.append(number, stage);
        number
    }

    fn new_number(&mut self) -> u32 {
        let number = self.links.len();
        if number == self.pages.len() * PAGE {
            self.pages.push((0..PAGE).map(|_| None).collect());
        }
        self.links.push(Links {
            before: NONE,
            after: NONE,
        });
        number as u32
    }

    /// Ends a connection: what it holds is given back, and its number is free.
    pub fn remove(&mut self, number: u32) {
        let Some(connection) = self.place(number) else { return };
        let Some(list) = connection.as_ref().map(|connection| connection.transport.listed) else {
            return;
        };
        *connection = None;
        self.unlink(number, list);
        self.free.push(number);
        if self.free.len() == self.links.len() {
            self.pages.clear();
            self.links.clear();
            self.free.clear();
            self.pages.shrink_to(1_024 / PAGE);
            self.links.shrink_to(1_024);
            self.free.shrink_to(1_024);
        }
    }

    /// Moves a connection to the end of the list of its stage, where that is due.
    pub fn touch(&mut self, number: u32, now: Timestamp) {
        let Some(connection) = self.get_mut(number).filter(|one| one.is_to_be_touched(now)) else {
            return;
        };
        let (old, new) = (connection.transport.listed, connection.transport.stage);
        connection.touched = now;
        connection.transport.listed = new;
        self.unlink(number, old);
        self.append(number, new);
    }

    /// Numbers of all.
    pub fn numbers(&self) -> impl Iterator<Item = (u32, &Connection<S>)> + '_ {
        let places = (0..).zip(self.pages.iter().flat_map(|page| page.iter()));
        places.filter_map(|(number, place)| place.as_ref().map(|connection| (number, connection)))
    }

    fn append(&mut self, number: u32, stage: Stage) {
        let list = &mut self.lists[stage as usize];
        let last = list.last;
        list.last = number;
        list.length += 1;
        if last == NONE {
            list.first = number;
        } else {
            self.links[last as usize].after = number;
        }
        let links = &mut self.links[number as usize];
        links.before = last;
        links.after = NONE;
    }

    fn unlink(&mut self, number: u32, stage: Stage) {
        let Links { before, after } = self.links[number as usize];
        let list = &mut self.lists[stage as usize];
        list.length -= 1;
        if before == NONE {
            list.first = after;
        }
        if after == NONE {
            list.last = before;
        }
        if before != NONE {
            self.links[before as usize].after = after;
        }
        if after != NONE {
            self.links[after as usize].before = before;
        }
    }
}
