//! What the TCP room keeps at most, and what it counts when a limit is reached. Nothing is dropped in silence.

use std::time::Duration;

/// Open connections kept in full; the least recently active is evicted beyond it.
pub const FLOWS: usize = 262_144;
/// Unanswered SYNs kept, 64 octets each; the oldest is evicted beyond it.
pub const HALF_OPEN: usize = 262_144;
/// Octets of state in all, the streams' own weight included.
pub const MEMORY: usize = 256_000_000;
/// Octets kept out of order in one direction.
pub const OUT_OF_ORDER_OCTETS: usize = 1 << 20;
/// Pieces kept out of order in one direction.
pub const OUT_OF_ORDER_PIECES: usize = 4_096;
/// Octets kept out of order in all connections together.
pub const OUT_OF_ORDER_TOTAL: usize = 64 << 20;
/// Ended connections that still wait for late segments; the oldest is handed out beyond it. What waits leaves the caches of
/// the machine, and must come back when it is handed out: this is as many as it takes where fewer than 500 end in a second.
pub const LINGERING: usize = 1_024;
/// Connections that were handed out before their late segments could arrive: their ports and where they had come to, so
/// that what is late is known as that. The oldest is forgotten beyond it.
pub const DEPARTED: usize = 4_096;

/// The limits of one [`Table`](super::Table). All times are packet time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open connections kept in full: [`FLOWS`].
    pub flows: usize,
    /// Unanswered SYNs kept: [`HALF_OPEN`].
    pub half_open: usize,
    /// Octets of state in all, approximately: [`MEMORY`].
    pub memory: usize,
    /// Octets out of order in one direction: [`OUT_OF_ORDER_OCTETS`].
    pub out_of_order_octets: usize,
    /// Pieces out of order in one direction: [`OUT_OF_ORDER_PIECES`].
    pub out_of_order_pieces: usize,
    /// Octets out of order in all connections together: [`OUT_OF_ORDER_TOTAL`].
    pub out_of_order_total: usize,
    /// Ended connections that wait for late segments: [`LINGERING`].
    pub lingering: usize,
    /// Connections handed out before their time and remembered: [`DEPARTED`].
    pub departed: usize,
    /// A SYN, or SYN and SYN-ACK, without what follows: 60 s.
    pub half_open_time: Duration,
    /// Silence after which a connection is closed as idle while room is short: 600 s.
    pub idle_time: Duration,
    /// The same while less than half of the room is used: 3,600 s.
    pub idle_time_with_room: Duration,
    /// How long a closed connection waits for late segments: 2 s.
    pub linger_after_close: Duration,
    /// How long a reset connection does: 10 s, for the other side may not have heard the reset and send again.
    pub linger_after_reset: Duration,
    /// Set only where packets are watched live: a connection that ended is handed out after this silence already, and what arrives for it within the two
    /// times above is counted as late. `None`: it waits them out.
    pub report_after: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            flows: FLOWS,
            half_open: HALF_OPEN,
            memory: MEMORY,
            out_of_order_octets: OUT_OF_ORDER_OCTETS,
            out_of_order_pieces: OUT_OF_ORDER_PIECES,
            out_of_order_total: OUT_OF_ORDER_TOTAL,
            lingering: LINGERING,
            departed: DEPARTED,
            half_open_time: Duration::from_secs(60),
            idle_time: Duration::from_secs(600),
            idle_time_with_room: Duration::from_secs(3_600),
            linger_after_close: Duration::from_secs(2),
            linger_after_reset: Duration::from_secs(10),
            report_after: None,
        }
    }
}

impl Limits {
    /// The share of one of `shards` tables that keep these limits together: counts and octets divided, times and what
    /// one connection may hold as they are.
    #[must_use]
    pub fn shared_by(&self, shards: usize) -> Self {
        let share = |whole: usize| whole.div_ceil(shards.max(1));
        Self {
            flows: share(self.flows),
            half_open: share(self.half_open),
            memory: share(self.memory),
            out_of_order_total: share(self.out_of_order_total),
            lingering: share(self.lingering),
            departed: share(self.departed),
            ..self.clone()
        }
    }
}

/// What happened to a [`Table`](super::Table) as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Segments on a port of the set.
    pub segments: u64,
    /// Segments on no port of the set: ignored.
    pub other_ports: u64,
    /// Connections opened, half-open ones included.
    pub opened: u64,
    /// Connections evicted because there were too many, or too much memory was used.
    pub evicted: u64,
    /// Unanswered SYNs evicted because there were too many; nothing else is told of them.
    pub half_open_evicted: u64,
    /// Connections closed as idle, half-open ones included.
    pub idle: u64,
    /// Ports used again by a new connection while the old one had not ended.
    pub ports_reused: u64,
    /// Ended connections handed out before their time because too many lingered.
    pub lingering_cut_short: u64,
    /// Segments that arrived for a connection that had ended.
    pub late_segments: u64,
    /// Resets of connections that the capture knows nothing of: ignored.
    pub stray_resets: u64,
    /// ICMP errors that quote a connection on a port of the set that the capture knows nothing of.
    pub unmatched_icmp_errors: u64,
    /// Segments far outside the window of their connection: noted and ignored.
    pub out_of_window: u64,
    /// Holes given up because too much stood behind them.
    pub holes_given_up: u64,
    /// Octets sent again whose first copy was no longer kept, so that nobody can say whether they differ.
    pub uncompared_octets: u64,
    /// Resets that ended a connection whose sender went on sending.
    pub revived: u64,
}

impl Counts {
    /// Adds the counts of another table.
    pub const fn add(&mut self, other: &Self) {
        self.segments += other.segments;
        self.other_ports += other.other_ports;
        self.opened += other.opened;
        self.evicted += other.evicted;
        self.half_open_evicted += other.half_open_evicted;
        self.idle += other.idle;
        self.ports_reused += other.ports_reused;
        self.lingering_cut_short += other.lingering_cut_short;
        self.late_segments += other.late_segments;
        self.stray_resets += other.stray_resets;
        self.unmatched_icmp_errors += other.unmatched_icmp_errors;
        self.out_of_window += other.out_of_window;
        self.holes_given_up += other.holes_given_up;
        self.uncompared_octets += other.uncompared_octets;
        self.revived += other.revived;
    }
}
