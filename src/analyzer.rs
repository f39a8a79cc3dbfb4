//! Frames in, sessions with findings out: the one file that wires packet, tcp, protocol, session and diagnosis together.
//!
//! Call order: [`Analyzer::push_frame`] for every frame in capture order, [`Analyzer::poll_session`] until it is empty after
//! each (or after some) of them, [`Analyzer::finish`] once, [`Analyzer::poll_session`] again until it is empty. Sans-I/O:
//! no file, no clock, no thread; the same frames give the same sessions.

use crate::diagnosis::{Finding, diagnose};
use crate::frame::Frame;
use crate::packet::{self, Packet, PortSet, is_noise};
use crate::protocol::{Conversation, Expected, Retention, Spoken};
use crate::session::{self, Protocol, Service, Session, SessionId, Transcript};
use crate::span::Stamp;
use crate::tcp::{self, Ending, Finished, Limits, OpenConnection, Opened, Opening, Table};
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
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ports: DEFAULT_PORTS.to_vec(),
            retention: Retention::default(),
            limits: Limits::default(),
        }
    }
}

/// Analyses the frames of a capture.
pub struct Analyzer {
    ports: PortSet,
    decoder: packet::Decoder,
    table: Table<Conversation>,
    frames: u64,
    noise: u64,
    last: Option<Stamp>,
    ended: bool,
    live: bool,
}

impl Analyzer {
    /// An analyzer that has seen nothing.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        let mut ports = PortSet::new();
        for port in &options.ports {
            ports.insert(*port);
        }
        let retention = options.retention;
        let known = ports.clone();
        Self {
            table: Table::new(
                options.limits.clone(),
                move |port| known.contains(port),
                move |opened: &Opened| converse(opened, retention),
            ),
            ports,
            decoder: packet::Decoder::new(),
            frames: 0,
            noise: 0,
            last: None,
            ended: false,
            live: options.limits.report_after.is_some(),
        }
    }

    /// Takes the next frame.
    pub fn push_frame(&mut self, frame: &Frame<'_>) {
        self.frames += 1;
        let stamp = Stamp {
            frame: frame.number,
            time: frame.time,
        };
        self.last = Some(
            self.last
                .map_or(stamp, |last| if last.time > stamp.time { last } else { stamp }),
        );
        if is_noise(frame, &self.ports) {
            self.noise += 1;
            if self.live {
                // Whatever comes shows that time passed.
                self.table.hear(frame.time);
            }
            return;
        }
        match self.decoder.decode(frame) {
            Packet::Segment(segment) => self.table.push(&segment),
            Packet::IcmpError(error) => self.table.push_icmp(&error),
            Packet::Other if self.live => self.table.hear(frame.time),
            Packet::Other => {}
        }
    }

    /// Ends the capture: every connection still open is handed out as the capture's end left it.
    pub fn finish(&mut self) {
        self.ended = true;
        self.decoder.finish();
        self.table.finish();
    }

    /// Live: no packet came, and it is `now` by the capture's clock, so that silent connections end.
    pub fn advance(&mut self, now: Timestamp) {
        self.table.advance(now);
    }

    /// Live: whoever watched stops. Every connection still open is handed out as [`Ending::Stopped`]: nothing is
    /// concluded from what it did not do.
    pub fn stop(&mut self) {
        self.ended = true;
        self.decoder.finish();
        self.table.stop();
    }

    /// The time that time-outs go by: that of the segments, or what [`Analyzer::advance`] said since.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.table.now()
    }

    /// The connections that are open now, in no order, and whether TLS has begun in them.
    pub fn open_sessions(&self) -> impl Iterator<Item = (OpenConnection, bool)> + '_ {
        let tls = |stream: Option<&Conversation>| stream.is_some_and(Conversation::is_tls);
        self.table
            .open_connections()
            .map(move |(connection, stream)| (connection, tls(stream)))
    }

    /// Connections kept, unanswered SYNs kept, and octets of their state, approximately.
    #[must_use]
    pub fn held(&self) -> (usize, usize, usize) {
        (self.table.open(), self.table.half_open(), self.table.memory())
    }

    /// How long the capture ran on after a session, as far as known when it is handed out.
    fn ran_on(&self, ending: Ending) -> Option<Stamp> {
        let last = self.last.filter(|_| ending != Ending::Stopped)?;
        if self.live {
            // Over days a frame from the future comes by; the table's clock does not believe it.
            let time = self.table.now();
            Some(Stamp { time, ..last })
        } else {
            self.ended.then_some(last)
        }
    }

    /// The next session that is over, in the order in which they ended.
    pub fn poll_session(&mut self) -> Option<(Session, Vec<Finding>)> {
        let Finished { facts, stream } = self.table.poll_finished()?;
        let transcript = stream.map(|conversation| transcript(conversation.finish(), facts.server.port));
        let id = SessionId(facts.first.frame.0);
        let capture_end = self.ran_on(facts.ending);
        let session = session::build(id, facts, transcript.unwrap_or_default(), capture_end);
        let findings = diagnose(&session);
        Some((session, findings))
    }

    /// Counts of the packet room.
    #[must_use]
    pub fn packet_counts(&self) -> &packet::Counts {
        self.decoder.counts()
    }

    /// Counts of the TCP room.
    #[must_use]
    pub fn tcp_counts(&self) -> &tcp::Counts {
        self.table.counts()
    }

    /// Frames taken, and how many of them one look at their ports told to be no mail.
    #[must_use]
    pub const fn frames(&self) -> (u64, u64) {
        (self.frames, self.noise)
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
