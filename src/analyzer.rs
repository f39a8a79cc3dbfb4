//! Frames in, sessions with findings out: the one file that wires packet, tcp, protocol, session and diagnosis together.
//!
//! Call order: [`Analyzer::push_frame`] for every frame in capture order, [`Analyzer::poll_session`] until it is empty after
//! each (or after some) of them, [`Analyzer::finish`] once, [`Analyzer::poll_session`] again until it is empty. Sans-I/O:
//! no file, no clock, no thread; the same frames give the same sessions.

use std::collections::VecDeque;
use std::time::Duration;

use crate::capture::DecryptionSecrets;
use crate::diagnosis::{Finding, diagnose};
use crate::frame::{Frame, FrameNumber};
use crate::packet::{self, Carried, Plain, PortSet};
use crate::protocol::tls::{KeyLogCounts, Keys};
use crate::protocol::{Conversation, Expected, Retention, Spoken};
use crate::session::{self, Protocol, Service, Session, SessionId, Transcript};
use crate::span::Stamp;
use crate::tcp::{self, Clock, Ending, Finished, Limits, OpenConnection, Opened, Opening, Table};
use crate::time::Timestamp;

/// The ports that are looked at where the user names none.
pub const DEFAULT_PORTS: [u16; 9] = [24, 25, 110, 143, 465, 587, 993, 995, 2525];

/// What a run wants.
#[derive(Clone, Debug)]
pub struct Options {
    /// Server ports whose connections are mail.
    pub ports: Vec<u16>,
    /// What outlives decoding.
    pub retention: Retention,
    /// Limits of the TCP room.
    pub limits: Limits,
    /// Secrets that open TLS. Clones share them, so that more can be added while shards read ([`Keys::add`]).
    pub keys: Keys,
}

impl Options {
    /// Takes the key logs of decryption secrets blocks into [`Options::keys`]: for [`crate::capture::Reader::with_secrets`].
    pub fn take_embedded_keys(&self) -> impl FnMut(&DecryptionSecrets, FrameNumber) + Send + 'static {
        let keys = self.keys.clone();
        move |secrets, since| {
            if secrets.kind == DecryptionSecrets::TLS_KEY_LOG {
                keys.add(secrets.secret.reveal().unwrap_or_default(), since);
            }
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ports: DEFAULT_PORTS.to_vec(),
            retention: Retention::default(),
            limits: Limits::default(),
            keys: Keys::default(),
        }
    }
}

/// Parts into which the connections of a run are divided, whatever the number of threads: each keeps its share of the
/// limits, so that one thread and many report the same.
pub const SHARDS: usize = 16;

/// What a frame carries, where it belongs, and what time it is.
#[derive(Clone, Copy, Debug)]
pub struct Routed<'a> {
    /// The shard, below [`SHARDS`].
    pub shard: usize,
    /// The run's clock: packet time that one odd frame cannot move.
    pub now: Timestamp,
    /// A segment on a mail port, or an ICMP error that quotes one.
    pub carried: Carried<'a>,
}

impl<'a> Routed<'a> {
    #[inline]
    fn new(carried: Carried<'a>, now: Timestamp) -> Self {
        Self {
            shard: carried.flow().shard(SHARDS),
            now,
            carried,
        }
    }
}

/// The time that a segment of ours shows; live every frame showed it already.
#[inline]
fn segment_time(clock: &mut Clock, live: bool, stamp: Stamp) -> Timestamp {
    if live { clock.now() } else { clock.advance(stamp.time) }
}

/// Frames → what they carry and which shard's it is. One for a run: it puts fragments together and keeps the clock.
pub struct Router {
    ports: PortSet,
    decoder: packet::Decoder,
    clock: Clock,
    frames: u64,
    noise: u64,
    other_ports: u64,
    last: Option<Stamp>,
    live: bool,
}

impl Router {
    /// A router that has seen nothing.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        Self {
            ports: options.ports.iter().copied().collect(),
            decoder: packet::Decoder::new(),
            clock: Clock::new(),
            frames: 0,
            noise: 0,
            other_ports: 0,
            last: None,
            live: options.limits.report_after.is_some(),
        }
    }

    /// Takes the next frame, and hands what it carries to `take`, where that is mail.
    #[inline]
    pub fn route(&mut self, frame: &Frame<'_>, mut take: impl FnMut(Routed<'_>)) {
        self.frames += 1;
        let stamp = Stamp {
            frame: frame.number,
            time: frame.time,
        };
        if self.last.is_none_or(|last| last.time <= stamp.time) {
            self.last = Some(stamp);
        }
        if self.live {
            // Whatever comes shows that time passed.
            self.clock.advance(stamp.time);
        }
        if let Some(plain) = Plain::of(frame) {
            if plain.is_noise(&self.ports) {
                self.noise += 1;
                return;
            }
            let (clock, live) = (&mut self.clock, self.live);
            let is_read = self.decoder.read_plain(frame, &plain, |segment| {
                let carried = Carried::Segment(segment);
                take(Routed::new(carried, segment_time(clock, live, stamp)));
            });
            if is_read {
                return;
            }
        }
        self.route_decoded(frame, stamp, &mut take);
    }

    /// The long way: header after header.
    #[inline(never)]
    fn route_decoded(&mut self, frame: &Frame<'_>, stamp: Stamp, take: &mut impl FnMut(Routed<'_>)) {
        let packet = self.decoder.decode(frame);
        let Some(carried) = packet.carried() else { return };
        let (source, destination) = carried.flow().ports();
        let is_segment = matches!(carried, Carried::Segment(_));
        if !self.ports.contains(destination) && !self.ports.contains(source) {
            self.other_ports += u64::from(is_segment);
            return;
        }
        let now = if is_segment {
            segment_time(&mut self.clock, self.live, stamp)
        } else {
            self.clock.now()
        };
        take(Routed::new(carried, now));
    }

    /// What a run with these options wants to see of a capture: every frame that is not certainly none of ours.
    pub fn wants(options: &Options) -> impl Fn(&Frame<'_>) -> bool + Sync + use<> {
        let ports: PortSet = options.ports.iter().copied().collect();
        move |frame| !packet::is_noise(frame, &ports)
    }

    /// Counts frames that [`Router::wants`] does not want to see; `latest`: the last frame, in time, among these and
    /// others that are routed.
    pub fn pass(&mut self, frames: u64, latest: Option<Stamp>) {
        self.frames += frames;
        self.noise += frames;
        let order = |stamp: &Stamp| (stamp.time, stamp.frame);
        self.last = self.last.into_iter().chain(latest).max_by_key(order);
    }

    /// Ends the capture.
    pub fn finish(&mut self) {
        self.decoder.finish();
    }

    /// The run's clock: packet time, or what [`Analyzer::advance`] said since.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The run's clock, and the last frame in time.
    #[must_use]
    pub fn end(&self) -> (Timestamp, Option<Stamp>) {
        (self.clock.now(), self.last)
    }

    /// Counts of the packet room.
    #[must_use]
    pub const fn packet_counts(&self) -> &packet::Counts {
        self.decoder.counts()
    }

    /// What the router counts of the TCP room: segments that no shard was given. To be added to the shards' counts.
    #[must_use]
    pub fn connection_counts(&self) -> tcp::Counts {
        tcp::Counts {
            other_ports: self.other_ports,
            ..tcp::Counts::default()
        }
    }

    /// Frames taken, and how many of them one look at their ports told to be no mail.
    #[must_use]
    pub const fn frames(&self) -> (u64, u64) {
        (self.frames, self.noise)
    }
}

/// The connections of one shard, from segments to sessions with findings.
pub struct Shard {
    table: Table<Conversation>,
    capture_end: Option<Stamp>,
}

impl Shard {
    /// A shard of [`SHARDS`] that has seen nothing.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        let retention = options.retention;
        let keys = options.keys.for_part();
        Self {
            table: Table::new(
                options.limits.shared_by(SHARDS),
                options.ports.iter().copied().collect(),
                move |opened: &Opened| converse(opened, retention).with_keys(keys.clone()),
            ),
            capture_end: None,
        }
    }

    /// Takes what a frame carries.
    #[inline]
    pub fn push(&mut self, carried: Carried<'_>, now: Timestamp) {
        match carried {
            Carried::Segment(segment) => self.table.push_at(segment, now),
            Carried::IcmpError(error) => self.table.push_icmp(error),
        }
    }

    /// Ends the capture (see [`Router::end`]): every connection still open is handed out as the capture's end left it.
    pub fn finish(&mut self, (now, last): (Timestamp, Option<Stamp>)) {
        self.capture_end = last;
        self.table.finish_at(now);
    }

    /// Time goes on without a packet: what was silent for too long ends.
    pub fn advance(&mut self, now: Timestamp) {
        self.table.advance_to(now);
    }

    /// Whoever watches stops at `now`: every connection still open is handed out as [`Ending::Stopped`].
    pub fn stop(&mut self, now: Timestamp) {
        self.table.stop_at(now);
    }

    /// Sessions that are over and not yet taken.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.table.finished()
    }

    /// After [`finish`](Self::finish): the first frame of the session that [`poll_session`](Self::poll_session) gives
    /// next. The shards' sessions are then taken in the order of these, the lowest shard first among equals.
    #[must_use]
    pub fn next_remaining(&self) -> Option<Stamp> {
        self.table.next_remaining()
    }

    /// The next session that is over, in the order in which they ended.
    pub fn poll_session(&mut self) -> Option<(Session, Vec<Finding>)> {
        let Finished { facts, stream, at } = self.table.poll_finished()?;
        let transcript = stream.map(|conversation| transcript(conversation.finish(), facts.server.port));
        let id = SessionId(facts.first.frame.0);
        // Of what was cut off by the operator nothing is known but that it went on.
        let end = self
            .capture_end
            .or(Some(at))
            .filter(|_| facts.ending != Ending::Stopped);
        // A session is large: it is made where it is handed out, and looked at there.
        let mut over = Some((
            session::build(id, facts, transcript.unwrap_or_default(), end),
            Vec::new(),
        ));
        if let Some((session, findings)) = &mut over {
            *findings = diagnose(session);
        }
        over
    }

    /// Counts of the TCP room.
    #[must_use]
    pub fn tcp_counts(&self) -> &tcp::Counts {
        self.table.counts()
    }
}

/// Analyses the frames of a capture: a [`Router`] and its [`Shard`]s in one thread.
pub struct Analyzer {
    router: Router,
    shards: Vec<Shard>,
    /// The shards of the sessions that are over, in the order in which they ended.
    ended: VecDeque<usize>,
    end: End,
    /// Live: when the shards look at their time-outs again.
    next_sweep: Timestamp,
    keys: Keys,
}

/// How far the end of a run is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// It goes on, or its end was handed to the shards.
    Not,
    /// The capture is over.
    Finished,
    /// Whoever watched stopped.
    Stopped,
}

/// Live: how often the shards look at their time-outs, in packet time.
const SWEEP: Duration = Duration::from_millis(250);

impl Analyzer {
    /// An analyzer that has seen nothing.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        Self {
            router: Router::new(options),
            shards: (0..SHARDS).map(|_| Shard::new(options)).collect(),
            ended: VecDeque::new(),
            end: End::Not,
            next_sweep: Timestamp::MIN,
            keys: options.keys.clone(),
        }
    }

    /// Takes lines of a key log (SSLKEYLOGFILE) between two frames, as a file or a decryption secrets block holds them; a
    /// line must not be split over two calls. A connection finds only secrets that came before its first protected record.
    pub fn add_secrets(&mut self, key_log: &[u8]) {
        let next = self.router.end().1.map_or(0, |last| last.frame.0.saturating_add(1));
        self.keys.add(key_log, FrameNumber(next));
    }

    /// What the key logs held.
    #[must_use]
    pub fn key_log_counts(&self) -> KeyLogCounts {
        self.keys.counts()
    }

    /// Takes the next frame.
    pub fn push_frame(&mut self, frame: &Frame<'_>) {
        let Self {
            router, shards, ended, ..
        } = self;
        router.route(frame, |routed| {
            let Some(shard) = shards.get_mut(routed.shard) else {
                return;
            };
            let before = shard.waiting();
            shard.push(routed.carried, routed.now);
            for _ in before..shard.waiting() {
                ended.push_back(routed.shard);
            }
        });
        if self.router.live {
            let now = self.router.now();
            if now >= self.next_sweep || self.next_sweep.since(now) > SWEEP {
                self.sweep(now);
            }
        }
    }

    /// Counts frames that were not worth a look ([`Router::pass`]).
    pub fn pass(&mut self, frames: u64, latest: Option<Stamp>) {
        self.router.pass(frames, latest);
    }

    /// Live: no packet came, and it is `now` by the capture's clock, so that silent connections end. A time before the
    /// clock's is ignored.
    pub fn advance(&mut self, now: Timestamp) {
        if let Some(now) = self.router.clock.go_on(now) {
            self.sweep(now);
        }
    }

    /// Looks at the time-outs of all shards, those without packets too.
    fn sweep(&mut self, now: Timestamp) {
        self.next_sweep = now.plus(SWEEP);
        for (number, shard) in self.shards.iter_mut().enumerate() {
            let before = shard.waiting();
            shard.advance(now);
            for _ in before..shard.waiting() {
                self.ended.push_back(number);
            }
        }
    }

    /// Ends the capture: every connection still open is handed out as the capture's end left it, behind those that ended
    /// before.
    pub fn finish(&mut self) {
        self.router.finish();
        self.end = End::Finished;
    }

    /// Live: whoever watched stops. Every connection still open is handed out as [`Ending::Stopped`]: nothing is
    /// concluded from what it did not do.
    pub fn stop(&mut self) {
        self.router.finish();
        self.end = End::Stopped;
    }

    /// The time that time-outs go by: that of the packets, or what [`Analyzer::advance`] said since.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.router.now()
    }

    /// The connections that are open now, in no order, and whether TLS has begun in them.
    pub fn open_sessions(&self) -> impl Iterator<Item = (OpenConnection, bool)> + '_ {
        let tls = |stream: Option<&Conversation>| stream.is_some_and(Conversation::is_tls);
        self.shards
            .iter()
            .flat_map(|shard| shard.table.open_connections())
            .map(move |(connection, stream)| (connection, tls(stream)))
    }

    /// Connections kept, unanswered SYNs kept, and octets of their state, approximately.
    #[must_use]
    pub fn held(&self) -> (usize, usize, usize) {
        let held = self.shards.iter().map(|shard| &shard.table);
        held.fold((0, 0, 0), |(open, half_open, memory), table| {
            (
                open + table.open(),
                half_open + table.half_open(),
                memory + table.memory(),
            )
        })
    }

    /// The next session that is over, in the order in which they ended; at the end of the capture by first frame.
    pub fn poll_session(&mut self) -> Option<(Session, Vec<Finding>)> {
        if let Some(shard) = self.ended.pop_front() {
            return self.shards.get_mut(shard)?.poll_session();
        }
        let end = self.router.end();
        match std::mem::replace(&mut self.end, End::Not) {
            End::Not => {}
            End::Finished => self.shards.iter_mut().for_each(|shard| shard.finish(end)),
            End::Stopped => self.shards.iter_mut().for_each(|shard| shard.stop(end.0)),
        }
        let remaining = self
            .shards
            .iter_mut()
            .filter_map(|shard| Some((shard.next_remaining()?, shard)));
        let (_, shard) = remaining.min_by_key(|(first, _)| *first)?;
        shard.poll_session()
    }

    /// Counts of the packet room.
    #[must_use]
    pub const fn packet_counts(&self) -> &packet::Counts {
        self.router.packet_counts()
    }

    /// Counts of the TCP room.
    #[must_use]
    pub fn tcp_counts(&self) -> tcp::Counts {
        let mut counts = self.router.connection_counts();
        for shard in &self.shards {
            counts.add(shard.tcp_counts());
        }
        counts
    }

    /// Frames taken, and how many of them one look at their ports told to be no mail.
    #[must_use]
    pub const fn frames(&self) -> (u64, u64) {
        self.router.frames()
    }
}

fn converse(opened: &Opened, retention: Retention) -> Conversation {
    let service = Service::of_port(opened.server.port);
    let expected = match service {
        Service::Pop3 | Service::Pop3s => Expected::Pop3,
        Service::Imap | Service::Imaps => Expected::Imap,
        _ => Expected::Smtp,
    };
    let late = opened.opening == Opening::MidStream;
    Conversation::new(expected, service.is_implicit_tls(), late, retention)
}

fn transcript(spoken: Spoken, port: u16) -> Transcript {
    let protocol = if let Some(dialogue) = &spoken.smtp {
        Some(if dialogue.lmtp { Protocol::Lmtp } else { Protocol::Smtp })
    } else if spoken.pop3.is_some() {
        Some(Protocol::Pop3)
    } else if spoken.imap.is_some() {
        Some(Protocol::Imap)
    } else {
        match Service::of_port(port) {
            Service::Pop3 | Service::Pop3s => Some(Protocol::Pop3),
            Service::Imap | Service::Imaps => Some(Protocol::Imap),
            Service::Lmtp => Some(Protocol::Lmtp),
            Service::Smtp | Service::Submission | Service::Submissions => Some(Protocol::Smtp),
            Service::Other => None,
        }
    };
    Transcript {
        protocol,
        protocol_confirmed: spoken.confirmed,
        smtp: spoken.smtp,
        retrieval: spoken.pop3.or(spoken.imap),
        tls: spoken.tls,
    }
}
