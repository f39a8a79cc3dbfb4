//! What the TCP room knows of one connection when it ends, in facts with frame numbers; no verdicts.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::packet::{Endpoint, IcmpError};
use crate::span::{Direction, PerDirection, Stamp};

/// How the connection began in this capture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opening {
    /// SYN and SYN-ACK seen (the last ACK may be missing: see [`ConnectionFacts::handshake_ack`]).
    Handshake,
    /// Only the client's SYN; nobody answered within the capture.
    SynOnly,
    /// Only the server's SYN-ACK; the SYN is not in the capture.
    SynAckOnly,
    /// No SYN at all: the capture started later.
    MidStream,
}

/// How the roles were told apart (catalogue, section 1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RoleEvidence {
    /// The client sent the SYN, or the server the SYN-ACK.
    Handshake,
    /// The side on a mail port is taken for the server.
    Port,
    /// The side that sent a mail greeting is taken for the server, or neither was clear: the higher port is the client.
    Guess,
}

/// How the connection ended in this capture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Both sides sent FIN; the direction is that of the first FIN.
    Closed(Direction),
    /// One side sent FIN, the other side's end is not seen.
    HalfClosed(Direction),
    /// A reset that fits the window; the direction is its sender's.
    Reset(Direction),
    /// A new SYN reused the ports.
    PortReused,
    /// Nothing for longer than the idle time-out.
    Idle,
    /// Room was needed: evicted by a limit.
    Evicted,
    /// The capture ended first.
    CaptureEnd,
    /// Whoever watched live stopped watching; the connection went on.
    Stopped,
}

/// A reset segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reset {
    /// Who claims to have sent it.
    pub direction: Direction,
    /// Where it was seen.
    pub stamp: Stamp,
    /// It fits the window and ended the connection; else it was noted and ignored.
    pub in_window: bool,
    /// It came after both sides' FIN, or after the FIN of the side that it was sent to.
    pub after_fin: bool,
    /// TTL, IP identification or TCP timestamps do not fit the other segments of the side it claims to come from.
    pub looks_forged: bool,
    /// Its time to live.
    pub time_to_live: u8,
    /// The usual time to live of that side's segments, where one was seen before.
    pub usual_time_to_live: Option<u8>,
}

/// A hole in one direction that nothing in the capture fills.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gap {
    /// The direction that lacks octets.
    pub direction: Direction,
    /// Offset of the first missing octet.
    pub offset: u64,
    /// How many octets are missing.
    pub length: u64,
    /// The frame behind the hole.
    pub found_at: Stamp,
    /// True where the receiver acknowledged the missing octets: lost by the capture, not by the network.
    pub acknowledged: bool,
    /// True where a snap length cut the octets off.
    pub cut_by_snap_length: bool,
}

/// A stretch during which a side's advertised window was zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ZeroWindow {
    /// The direction in which nothing may be sent: the side that closed its window is the receiver.
    pub blocked: Direction,
    /// First segment with window zero.
    pub from: Stamp,
    /// The window opened again, or the last segment seen with it closed.
    pub until: Stamp,
    /// True where the window opened again.
    pub reopened: bool,
}

/// A segment that was sent again without an answer until the connection ended or for at least three times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stuck {
    /// Who kept sending.
    pub direction: Direction,
    /// Stream offset of the segment.
    pub offset: u64,
    /// Its payload length in octets.
    pub length: u32,
    /// How often it was sent after the first time.
    pub retransmissions: u32,
    /// First sending.
    pub first: Stamp,
    /// Last sending.
    pub last: Stamp,
    /// It was acknowledged in the end.
    pub acknowledged: bool,
    /// IPv4 Don't Fragment was set, or it was IPv6.
    pub dont_fragment: bool,
}

/// Counts for one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectionFacts {
    /// Segments seen, without duplicates made by the capture.
    pub segments: u64,
    /// Segments with payload.
    pub data_segments: u64,
    /// Stream octets delivered in order (gaps not counted).
    pub octets: u64,
    /// Octets on the wire, with retransmissions.
    pub octets_on_wire: u64,
    /// Segments that brought octets already seen, or that filled a hole so late that only a retransmission explains it.
    /// Keep-alives, window probes and duplicates made by the capture do not count.
    pub retransmissions: u32,
    /// Of these, sent after the side had sent no payload for at least 200 ms: retransmission time-outs.
    pub retransmission_timeouts: u32,
    /// Segments that arrived after a later one, soon enough to be reordering.
    pub out_of_order: u32,
    /// Keep-alive probes.
    pub keep_alives: u32,
    /// The same packet twice in the capture (mirror port, "any" interface): not counted anywhere else.
    pub capture_duplicates: u32,
    /// Octets that differ between two copies of the same sequence range; the first were kept.
    pub conflicting_octets: u64,
    /// First frame with a conflict.
    pub first_conflict: Option<Stamp>,
    /// Segments cut by the snap length.
    pub cut_segments: u32,
    /// Gaps found, also those that are not in the list.
    pub gaps: u32,
    /// Octets missing in gaps.
    pub missing_octets: u64,
    /// The peer acknowledged octets that the capture never showed.
    pub acknowledged_unseen: bool,
    /// First SYN or SYN-ACK of this direction.
    pub syn: Option<Stamp>,
    /// How often the SYN or SYN-ACK was sent again.
    pub syn_retransmissions: u32,
    /// Last SYN or SYN-ACK sent.
    pub last_syn: Option<Stamp>,
    /// The first FIN of this direction.
    pub fin: Option<Stamp>,
    /// First segment with payload.
    pub first_data: Option<Stamp>,
    /// Last segment with new payload.
    pub last_data: Option<Stamp>,
    /// Last segment of any kind.
    pub last: Option<Stamp>,
    /// Largest payload seen in one segment, in octets.
    pub largest_segment: u32,
    /// Largest payload that the peer acknowledged, in octets.
    pub largest_acknowledged_segment: u32,
    /// Maximum segment size announced by this side.
    pub maximum_segment_size: Option<u16>,
    /// Window scale announced by this side.
    pub window_scale: Option<u8>,
    /// Time to live of this side's first segment.
    pub time_to_live: Option<u8>,
    /// TCP timestamps in use.
    pub timestamps: bool,
    /// Initial sequence number, or the first one seen.
    pub initial_sequence: u32,
    /// Octets behind this direction's FIN: no receiver takes them, they were not delivered.
    pub octets_after_fin: u64,
    /// Octets sent and, at the end, neither acknowledged nor lost.
    pub unacknowledged_at_end: u64,
    /// Octets at the end of the stream that this side's own empty segments count as sent and that never came: where the
    /// first of these segments stood, and how many octets. Nothing where the peer acknowledged octets not seen.
    pub sent_unseen: Option<(Stamp, u64)>,
}

/// How many entries of each list are kept; the rest is counted.
pub const LISTED_FACTS: usize = 32;

/// Everything known of one connection's transport.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionFacts {
    /// Who opened it.
    pub client: Endpoint,
    /// Who accepted it.
    pub server: Endpoint,
    /// How the roles were told apart.
    pub roles: RoleEvidence,
    /// How it began.
    pub opening: Opening,
    /// How it ended.
    pub ending: Ending,
    /// First frame.
    pub first: Stamp,
    /// Last frame.
    pub last: Stamp,
    /// Frames that belong to it, duplicates and ICMP errors included.
    pub frames: u64,
    /// The ACK that completed the handshake.
    pub handshake_ack: Option<Stamp>,
    /// SYN to SYN-ACK plus SYN-ACK to ACK: the round trip over the whole path, where neither was retransmitted.
    pub round_trip: Option<Duration>,
    /// Per direction.
    pub directions: PerDirection<DirectionFacts>,
    /// Resets, the first [`LISTED_FACTS`].
    pub resets: Vec<Reset>,
    /// Gaps, the first [`LISTED_FACTS`].
    pub gaps: Vec<Gap>,
    /// Zero-window episodes, the first [`LISTED_FACTS`].
    pub zero_windows: Vec<ZeroWindow>,
    /// Segments that got stuck, the first [`LISTED_FACTS`].
    pub stuck: Vec<Stuck>,
    /// ICMP errors that quote this connection, the first [`LISTED_FACTS`].
    pub icmp_errors: Vec<IcmpError>,
    /// The longest silence between two frames: where it began and where it ended.
    pub longest_silence: Option<(Stamp, Stamp)>,
    /// Segments that stood in the capture before the octets that they acknowledge, and waited for them.
    pub early_segments: u32,
    /// Facts that were counted but not listed.
    pub unlisted: u32,
    /// Encapsulations the same packet was seen under ("same packet on two VLANs").
    pub encapsulations: u32,
}

impl Default for ConnectionFacts {
    /// Of a connection of which nothing is known: to be filled in. Inlined, so that a `Box` of it is made where it stays.
    #[inline]
    fn default() -> Self {
        let nobody = Endpoint {
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            port: 0,
        };
        Self {
            client: nobody,
            server: nobody,
            roles: RoleEvidence::Guess,
            opening: Opening::MidStream,
            ending: Ending::CaptureEnd,
            first: Stamp::default(),
            last: Stamp::default(),
            frames: 0,
            handshake_ack: None,
            round_trip: None,
            directions: PerDirection::default(),
            resets: Vec::new(),
            gaps: Vec::new(),
            zero_windows: Vec::new(),
            stuck: Vec::new(),
            icmp_errors: Vec::new(),
            longest_silence: None,
            early_segments: 0,
            unlisted: 0,
            encapsulations: 1,
        }
    }
}
