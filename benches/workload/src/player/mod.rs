//! Plays a plan: steps → frames with times, a few at a time, so that thousands of connections stay small.

mod faults;
mod flood;

use std::collections::VecDeque;

use crate::plan::{Fault, Piece, Plan, Source, Step};
use crate::random::Random;
use crate::text::Pools;
use crate::wire::{ACK, Address, FIN, Fields, PSH, RST, SYN, Template};

/// Segments made in one go.
const BATCH: usize = 16;
/// Time between two frames of one connection at least.
const TICK: u64 = 1_000;
/// Time between two SYNs of a flood, besides.
const FLOOD_GAP: u64 = 1_000;
/// Window announced, not scaled.
const WINDOW: u16 = 502;

/// Where in the plan's pieces a stretch begins.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    piece: usize,
    offset: usize,
}

/// A frame that waits for its time.
#[derive(Clone, Copy, Debug)]
struct Queued {
    time: u64,
    from_client: bool,
    flags: u8,
    sequence: u32,
    acknowledgment: u32,
    payload: Cursor,
    length: usize,
}

/// What is left of a `Say` step.
#[derive(Clone, Copy, Debug)]
struct Saying {
    from_client: bool,
    at: Cursor,
    left: u64,
    /// Segments before the one at which something goes wrong.
    calm: Option<u32>,
    unacknowledged: u32,
}

/// One connection being played.
pub struct Player {
    /// What is played.
    pub plan: Plan,
    random: Random,
    templates: [Template; 2],
    queue: VecDeque<Queued>,
    now: u64,
    step: usize,
    saying: Option<Saying>,
    /// The capture has not begun.
    hidden: bool,
    /// Next sequence number: server's, client's.
    next: [u32; 2],
    identification: [u16; 2],
    round_trip: u64,
    gap: u64,
    flood_left: u64,
    flood_number: u64,
    /// Frames handed out.
    pub frames: u64,
}

impl Player {
    /// A connection that begins at `start`.
    #[must_use]
    pub fn new(plan: Plan, start: u64, mut random: Random) -> Self {
        let templates = [Template::new(&plan.path, false), Template::new(&plan.path, true)];
        let mut player = Self {
            next: [random.next() as u32, random.next() as u32],
            identification: [random.next() as u16, random.next() as u16],
            round_trip: random.between(400_000, 60_000_000),
            gap: random.between(8_000, 60_000),
            plan,
            random,
            templates,
            queue: VecDeque::new(),
            now: start,
            step: 0,
            saying: None,
            hidden: false,
            flood_left: 0,
            flood_number: 0,
            frames: 0,
        };
        player.fill();
        player
    }

    /// When the next frame is due; `None` when all is played.
    #[must_use]
    pub fn due(&self) -> Option<u64> {
        self.queue.front().map(|frame| frame.time)
    }

    /// Writes the next frame.
    pub fn write(&mut self, pools: &Pools, frame: &mut Vec<u8>) {
        let Some(queued) = self.queue.pop_front() else { return };
        let side = usize::from(queued.from_client);
        let mut options = [0; 20];
        let version6 = matches!(self.plan.path.client.0, Address::V6(_));
        let length = options_of(&queued, version6, &mut options);
        self.identification[side] = self.identification[side].wrapping_add(1);
        let fields = Fields {
            sequence: queued.sequence,
            acknowledgment: queued.acknowledgment,
            flags: queued.flags,
            window: if queued.flags & SYN != 0 { 64_240 } else { WINDOW },
            identification: self.identification[side],
            options: &options[..length],
        };
        let plan = &self.plan;
        self.templates[side].write(&fields, frame, |frame| {
            copy(plan, pools, queued.payload, queued.length, frame);
        });
        self.frames += 1;
        if self.queue.is_empty() {
            self.fill();
        }
    }

    /// Plays on until there is a frame to hand out, or the end.
    fn fill(&mut self) {
        while self.queue.is_empty() {
            if self.flood_left > 0 {
                self.flood_left -= 1;
                self.now += FLOOD_GAP;
                self.flood();
                continue;
            }
            if let Some(saying) = self.saying.take() {
                self.say(saying);
                continue;
            }
            let Some(step) = self.plan.steps.get(self.step).cloned() else {
                return;
            };
            self.hidden |= matches!(self.plan.fault, Some((Fault::MidStream, _))) && self.step == 0;
            self.begin(&step);
            self.step += 1;
        }
    }

    fn begin(&mut self, step: &Step) {
        match step {
            Step::Open => {
                self.control(true, SYN);
                self.now += self.round_trip;
                self.control(false, SYN | ACK);
                self.now += 30_000;
                self.control(true, ACK);
            }
            Step::Refused => {
                self.control(true, SYN);
                self.now += self.round_trip;
                self.next[0] = 0;
                self.control(false, RST | ACK);
            }
            Step::Unanswered(count) => {
                let sequence = self.next[1];
                for attempt in 0..*count {
                    self.next[1] = sequence;
                    self.control(true, SYN);
                    self.now += 1_000_000_000 << attempt;
                }
            }
            Step::Say {
                from_client,
                think,
                pieces,
            } => {
                self.now += self.round_trip + think;
                let left: u64 = self.plan.pieces[pieces.0..pieces.1]
                    .iter()
                    .map(|piece| piece.length as u64)
                    .sum();
                let segments = left / self.plan.path.full_payload() as u64;
                let faulty = self.plan.fault.is_some_and(|(_, step)| step == self.step);
                let calm = faulty.then(|| match segments {
                    0..=4 => 0,
                    _ => self.random.between(1, segments - 4) as u32,
                });
                let at = Cursor {
                    piece: pieces.0,
                    offset: 0,
                };
                self.saying = Some(Saying {
                    from_client: *from_client,
                    at,
                    left,
                    calm,
                    unacknowledged: 0,
                });
            }
            Step::Close { from_client } => {
                self.now += 100_000;
                self.control(*from_client, FIN | ACK);
                self.now += self.round_trip;
                self.control(!from_client, FIN | ACK);
                self.now += self.round_trip;
                self.control(*from_client, ACK);
            }
            Step::Reset { from_client } => {
                self.now += self.round_trip;
                self.control(*from_client, RST | ACK);
            }
            Step::Flood(count) => self.flood_left = *count,
        }
    }

    /// Makes the next segments of a step.
    fn say(&mut self, mut saying: Saying) {
        for _ in 0..BATCH {
            if saying.left == 0 {
                break;
            }
            match saying.calm {
                Some(0) => {
                    saying.calm = None;
                    self.go_wrong(&mut saying);
                }
                calm => {
                    saying.calm = calm.map(|calm| calm - 1);
                    self.segment(&mut saying);
                    self.acknowledge(&mut saying, 2);
                }
            }
        }
        if saying.left > 0 {
            self.saying = Some(saying);
        } else if !self.is_answered(saying.from_client) {
            self.acknowledge(&mut saying, 1);
        }
    }

    /// True where the other side speaks next, so that its segment carries the acknowledgment.
    fn is_answered(&self, from_client: bool) -> bool {
        matches!(self.plan.steps.get(self.step), Some(Step::Say { from_client: other, .. }) if *other != from_client)
    }

    /// Sends the next segment's worth of what is left.
    fn segment(&mut self, saying: &mut Saying) {
        let length = saying.left.min(self.plan.path.full_payload() as u64) as usize;
        let flags = if length as u64 == saying.left { PSH | ACK } else { ACK };
        self.now += self.gap;
        self.push(saying.from_client, flags, saying.at, length);
        self.pass(saying, length);
    }

    /// Moves on without sending.
    fn pass(&mut self, saying: &mut Saying, length: usize) {
        let side = usize::from(saying.from_client);
        if !self.plan.path.udp {
            self.next[side] = self.next[side].wrapping_add(length as u32);
        }
        saying.at = advance(&self.plan.pieces, saying.at, length);
        saying.left -= length as u64;
        saying.unacknowledged += 1;
    }

    fn acknowledge(&mut self, saying: &mut Saying, from: u32) {
        if saying.unacknowledged >= from && !self.plan.path.udp {
            saying.unacknowledged = 0;
            self.now += 4_000;
            self.control(!saying.from_client, ACK);
        }
    }

    /// A segment without payload; SYN and FIN count as one octet.
    fn control(&mut self, from_client: bool, flags: u8) {
        self.push(from_client, flags, Cursor::default(), 0);
        if flags & (SYN | FIN) != 0 {
            let side = usize::from(from_client);
            self.next[side] = self.next[side].wrapping_add(1);
        }
    }

    /// Queues a segment at the present time, unless the capture begins later.
    fn push(&mut self, from_client: bool, flags: u8, payload: Cursor, length: usize) {
        self.now += TICK;
        if self.hidden {
            return;
        }
        let side = usize::from(from_client);
        let acknowledgment = if flags & ACK == 0 { 0 } else { self.next[1 - side] };
        let sequence = self.next[side];
        self.queue.push_back(Queued {
            time: self.now,
            from_client,
            flags,
            sequence,
            acknowledgment,
            payload,
            length,
        });
    }
}

/// The cursor `length` octets further on.
fn advance(pieces: &[Piece], mut at: Cursor, length: usize) -> Cursor {
    at.offset += length;
    while let Some(piece) = pieces.get(at.piece) {
        if at.offset < piece.length {
            break;
        }
        at.offset -= piece.length;
        at.piece += 1;
    }
    at
}

/// Appends `length` octets from the cursor on.
fn copy(plan: &Plan, pools: &Pools, mut at: Cursor, mut length: usize, frame: &mut Vec<u8>) {
    while length > 0 {
        let piece = plan.pieces[at.piece];
        let now = length.min(piece.length - at.offset);
        match piece.source {
            Source::Own => frame.extend_from_slice(&plan.own[piece.place + at.offset..][..now]),
            Source::Pool(fill) => frame.extend_from_slice(pools.slice(fill, piece.place + at.offset, now)),
        }
        at = advance(&plan.pieces, at, now);
        length -= now;
    }
}

/// TCP options: of a SYN as Linux sends them, else timestamps; their length.
fn options_of(queued: &Queued, version6: bool, options: &mut [u8; 20]) -> usize {
    let milliseconds = (queued.time / 1_000_000) as u32;
    let clocks = [
        milliseconds.wrapping_add(7_000_000),
        milliseconds.wrapping_add(9_000_000),
    ];
    let side = usize::from(queued.from_client);
    let value = clocks[side].to_be_bytes();
    let echo = if queued.acknowledgment == 0 {
        [0; 4]
    } else {
        clocks[1 - side].to_be_bytes()
    };
    if queued.flags & RST != 0 {
        0
    } else if queued.flags & SYN != 0 {
        options[..10].copy_from_slice(&[
            2,
            4,
            5,
            if version6 { 0xa0 } else { 0xb4 },
            4,
            2,
            8,
            10,
            value[0],
            value[1],
        ]);
        options[10..12].copy_from_slice(&value[2..]);
        options[12..16].copy_from_slice(&echo);
        options[16..20].copy_from_slice(&[1, 3, 3, 7]);
        20
    } else {
        options[..4].copy_from_slice(&[1, 1, 8, 10]);
        options[4..8].copy_from_slice(&value);
        options[8..12].copy_from_slice(&echo);
        12
    }
}
