//! What will happen on one connection, before it is played: who says what, what goes wrong, and what is true of it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::text::Fill;
use crate::wire::Path;

/// Where octets come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The plan's own octets.
    Own,
    /// A pool.
    Pool(Fill),
}

/// A stretch of octets.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// Where they come from.
    pub source: Source,
    /// Where they begin there.
    pub place: usize,
    /// How many.
    pub length: usize,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Step {
    /// The TCP handshake.
    Open,
    /// A SYN, answered by a reset.
    Refused,
    /// So many SYNs without an answer.
    Unanswered(u32),
    /// One side speaks.
    Say {
        /// Which side.
        from_client: bool,
        /// It waits so long before it speaks, in nanoseconds.
        think: u64,
        /// First piece and the one behind the last.
        pieces: (usize, usize),
    },
    /// Both sides close; this one first.
    Close {
        /// Which side.
        from_client: bool,
    },
    /// This side breaks off with a reset.
    Reset {
        /// Which side.
        from_client: bool,
    },
    /// SYNs of so many other connections, never answered.
    Flood(u64),
}

/// What goes wrong on the way of a session that ends well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A segment is sent twice, both are captured.
    Retransmitted,
    /// Two segments are captured in the wrong order.
    Reordered,
    /// A segment repeats the second half of the one before it.
    Overlapping,
    /// One to three segments of the mail data are not in the capture.
    Lost,
    /// The capture begins at EHLO, or within the mail data.
    MidStream,
}

/// What the session comes to, in the words of smtpcap's report; but for `LeftOpen`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All messages accepted.
    Accepted,
    /// Refused, 5xx.
    Refused,
    /// Refused for now, 4xx.
    Deferred,
    /// TLS completed.
    Encrypted,
    /// TLS did not complete.
    TlsFailed,
    /// No TCP connection.
    NoConnection,
    /// Broken off.
    Aborted,
    /// Greeting, EHLO, QUIT.
    NothingTried,
    /// The capture does not show it.
    Unknown,
    /// Never ended within the capture. (What smtpcap calls unknown up to a minute of silence, and aborted after it.)
    LeftOpen,
    /// What smtpcap may report and no session here comes to.
    #[serde(other)]
    Other,
}

impl Outcome {
    /// A session that comes to this failed.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(
            self,
            Self::Refused | Self::Deferred | Self::TlsFailed | Self::NoConnection | Self::Aborted
        )
    }
}

/// What is true of one session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// Number of its first frame in the capture.
    pub first_frame: u64,
    /// What it was made as.
    pub kind: Cow<'static, str>,
    /// Port of the server.
    pub port: u16,
    /// What it comes to.
    pub outcome: Outcome,
    /// Something failed: a report without a failure misses it, and a failure in any other session is a false alarm.
    pub failed: bool,
    /// Messages accepted in clear.
    pub messages: u64,
    /// Of these, sent with BDAT.
    pub bdat: u64,
    /// Recipients accepted in clear.
    pub recipients: u64,
    /// The code that refused.
    pub rejection: Option<u16>,
    /// A TLS handshake completed, and was captured.
    pub handshake: bool,
    /// The fatal alert.
    pub alert: Option<u8>,
    /// refused, unanswered, reset.
    pub tcp_failure: Option<Cow<'static, str>>,
    /// What went wrong on the way.
    pub fault: Option<Fault>,
    /// Frames of it that the capture lacks (not those before its beginning).
    pub lost_frames: u64,
    /// Octets of the stream that the capture lacks because of it.
    pub lost_octets: u64,
}

/// A message that is accepted in clear.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    /// The step in which the last of it is sent.
    pub step: usize,
    /// Recipients accepted.
    pub recipients: u64,
    /// Sent with BDAT.
    pub bdat: bool,
}

/// The plan of one connection.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Both ends.
    pub path: Path,
    /// What happens.
    pub steps: Vec<Step>,
    /// What is said, referred to by the steps.
    pub pieces: Vec<Piece>,
    /// Octets of the plan's own.
    pub own: Vec<u8>,
    /// Messages accepted in clear.
    pub messages: Vec<Message>,
    /// What goes wrong, and in which step.
    pub fault: Option<(Fault, usize)>,
    /// What is true of it; `None` for connections that are no mail.
    pub truth: Option<Truth>,
}

impl Plan {
    /// A connection on which nothing happens yet.
    #[must_use]
    pub const fn new(path: Path) -> Self {
        Self {
            path,
            steps: vec![],
            pieces: vec![],
            own: vec![],
            messages: vec![],
            fault: None,
            truth: None,
        }
    }

    /// A mail session; what is true of it is filled in with [`Plan::truth`].
    #[must_use]
    pub fn session(path: Path, kind: &'static str, outcome: Outcome) -> Self {
        let truth = Truth {
            first_frame: 0,
            kind: Cow::Borrowed(kind),
            port: path.server.1,
            outcome,
            failed: outcome.is_failure(),
            messages: 0,
            bdat: 0,
            recipients: 0,
            rejection: None,
            handshake: false,
            alert: None,
            tcp_failure: None,
            fault: None,
            lost_frames: 0,
            lost_octets: 0,
        };
        let mut plan = Self::new(path);
        plan.truth = Some(truth);
        plan
    }

    /// Changes what is true of the session.
    pub fn note(&mut self, change: impl FnOnce(&mut Truth)) {
        if let Some(truth) = &mut self.truth {
            change(truth);
        }
    }

    /// Counts the messages whose data the capture shows from the beginning, which is in this step.
    pub fn note_messages(&mut self, begin: usize) {
        let seen = self.messages.iter().filter(|message| message.step > begin);
        let (mut messages, mut bdat, mut recipients) = (0, 0, 0);
        for message in seen {
            messages += 1;
            bdat += u64::from(message.bdat);
            recipients += message.recipients;
        }
        self.note(|truth| (truth.messages, truth.bdat, truth.recipients) = (messages, bdat, recipients));
    }

    /// A piece of the plan's own.
    pub fn own(&mut self, bytes: &[u8]) -> Piece {
        let place = self.own.len();
        self.own.extend_from_slice(bytes);
        Piece {
            source: Source::Own,
            place,
            length: bytes.len(),
        }
    }

    /// One side says pieces.
    pub fn say_pieces(&mut self, from_client: bool, think: u64, pieces: &[Piece]) {
        let begin = self.pieces.len();
        self.pieces.extend_from_slice(pieces);
        self.steps.push(Step::Say {
            from_client,
            think,
            pieces: (begin, self.pieces.len()),
        });
    }

    /// One side says octets.
    pub fn say(&mut self, from_client: bool, think: u64, bytes: &[u8]) {
        let piece = self.own(bytes);
        self.say_pieces(from_client, think, &[piece]);
    }

    /// The client says a line (CR LF is added).
    pub fn client(&mut self, line: &str) {
        self.say(true, 20_000, format!("{line}\r\n").as_bytes());
    }

    /// The server says a line (CR LF is added).
    pub fn server(&mut self, line: &str) {
        self.say(false, 300_000, format!("{line}\r\n").as_bytes());
    }

    /// Octets that a step says.
    #[must_use]
    pub fn step_octets(&self, step: &Step) -> u64 {
        match step {
            Step::Say {
                pieces: (begin, end), ..
            } => self.pieces[*begin..*end].iter().map(|piece| piece.length as u64).sum(),
            _ => 0,
        }
    }

    /// About how many frames it makes.
    #[must_use]
    pub fn frames(&self) -> u64 {
        let frames = |step| match step {
            &Step::Say { .. } => {
                let segments = self.step_octets(step).div_ceil(self.path.full_payload() as u64);
                segments + if self.path.udp { 0 } else { segments / 2 }
            }
            Step::Flood(count) => *count,
            Step::Open | Step::Close { .. } => 3,
            Step::Refused => 2,
            Step::Reset { .. } => 1,
            Step::Unanswered(count) => u64::from(*count),
        };
        self.steps.iter().map(frames).sum()
    }

    /// About how many bytes of a capture file it makes: records, headers, octets.
    #[must_use]
    pub fn file_octets(&self) -> u64 {
        const HEADERS: u64 = 16 + 14 + 20 + 32;
        self.frames() * HEADERS + self.steps.iter().map(|step| self.step_octets(step)).sum::<u64>()
    }
}
