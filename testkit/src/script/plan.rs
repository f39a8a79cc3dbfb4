//! What a parsed script is made of: sessions, statements, settings. Data only.

use super::Side;
use std::net::SocketAddr;

/// A whole script.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    pub start_ns: Option<i64>,
    pub drops: Option<u64>,
    pub sessions: Vec<SessionPlan>,
}

/// One connection and what happens on it.
#[derive(Debug, Clone)]
pub(crate) struct SessionPlan {
    pub line: usize,
    pub header: Header,
    pub settings: Settings,
    pub statements: Vec<Statement>,
}

/// What the `session` line says.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub client: SocketAddr,
    pub server: SocketAddr,
    pub at: At,
    pub times: u32,
    pub every: i64,
    pub opening: Opening,
    pub mss: [u16; 2],
    pub ttl: [u8; 2],
    pub timestamps: bool,
}

/// When a session begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum At {
    /// Nanoseconds after the end of the session before.
    AfterPrevious(i64),
    /// Nanoseconds after the start of the capture.
    SinceStart(i64),
    /// Nanoseconds since the epoch.
    Absolute(i64),
}

/// How the connection opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Handshake, after `lost` SYNs that got no answer.
    Normal { lost: u32 },
    /// SYNs only: this many.
    Unanswered { syns: u32 },
    /// RST,ACK.
    Refused,
    /// A router answers.
    Icmp { kind: u8, code: u8 },
    /// SYN-ACK this many times, never acknowledged.
    HalfOpen { answers: u32 },
}

/// Where the capture is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CapturePoint {
    Client,
    Middle,
    Server,
}

/// What stays true until changed.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub capture_at: CapturePoint,
    pub latency: i64,
    pub snap: Option<usize>,
    pub vlans: Vec<u16>,
    pub fragment: Option<usize>,
    pub split: Option<usize>,
    pub only_from: Option<Side>,
    pub offload: Option<Side>,
    pub mirror: Option<Mirror>,
    pub path_mtu: Option<PathMtu>,
    pub hidden: bool,
}

/// Every frame twice, as a mirror port or a router on `any` shows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mirror {
    /// The second one has a TTL smaller by one.
    pub routed: bool,
}

/// A path that swallows large packets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathMtu {
    pub size: usize,
    pub from: Option<Side>,
    pub icmp: bool,
    pub retries: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            capture_at: CapturePoint::Client,
            latency: 10_000_000,
            snap: None,
            vlans: Vec::new(),
            fragment: None,
            split: None,
            only_from: None,
            offload: None,
            mirror: None,
            path_mtu: None,
            hidden: false,
        }
    }
}

/// One thing that happens.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub line: usize,
    pub action: Action,
}

/// The things that can happen.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Payload {
        side: Side,
        parts: Vec<Part>,
        delivery: Delivery,
    },
    Fin {
        side: Side,
        only: bool,
    },
    Reset {
        side: Side,
        ttl: Option<u8>,
        acknowledges: bool,
        out_of_window: bool,
    },
    Icmp {
        toward: Side,
        kind: u8,
        code: u8,
        mtu: u32,
    },
    Window {
        side: Side,
        bytes: u32,
    },
    Probe {
        side: Side,
        times: u32,
        every: i64,
        answered: bool,
    },
    Retransmit {
        side: Side,
        times: u32,
        every: i64,
    },
    Conflict {
        side: Side,
        bytes: Vec<u8>,
    },
    Acknowledge {
        side: Side,
    },
    SynAgain {
        side: Side,
        times: u32,
    },
    Wait(i64),
    Settings(Box<Settings>),
    Duplicate,
    Reorder,
    Lose {
        from: usize,
        times: u32,
    },
    Midstream,
    Close {
        first: Side,
    },
    Open,
}

impl Action {
    /// The end that acts on purpose, if one does.
    pub fn speaker(&self) -> Option<Side> {
        match self {
            Action::Payload { side, .. } | Action::Fin { side, .. } | Action::Reset { side, .. } => Some(*side),
            _ => None,
        }
    }
}

/// What becomes of the segments of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Captured and received.
    Normal,
    /// Received, but missing from the capture.
    Missing,
    /// Captured, never received, this many retransmissions.
    Lost(u32),
    /// Captured, received with the last of this many retransmissions.
    Late(u32),
}

/// A piece of a payload.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Text(Vec<u8>),
    Encrypted(Vec<u8>),
    Tls(String),
}
