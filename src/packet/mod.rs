//! Turns a [`Frame`](crate::frame::Frame) into a TCP segment or an ICMP error, through every link layer, tag and tunnel
//! on the way. Reassembles IP fragments. Never keeps payload (but fragments, within limits), never looks into TCP payload.
//!
//! Not decoded, but counted by number: MACsec, IEEE 802.11 and other link types, GTP-U, Teredo, L2TP, IPsec, compressed
//! or encrypted PPP. What is decoded is one loop ([`Decoder`]) over one header at a time, bounded by [`MAXIMUM_LAYERS`].

mod checksum;
mod compact;
mod counts;
mod decoder;
mod flow;
mod fragments;
mod icmp;
mod ip;
mod link;
mod mpls;
mod plain;
mod ports;
mod position;
mod ppp;
mod segment;
mod transport;
mod tunnel;

#[cfg(test)]
mod tests;

pub use compact::{Compact, LongAddresses};
pub use counts::{ChecksumCounts, Counts, FragmentCounts, MAXIMUM_TALLY_NUMBERS, Tally};
pub use decoder::Decoder;
pub use flow::Flow;
pub(crate) use flow::Key;
pub use fragments::{FRAGMENT_TIMEOUT, MAXIMUM_DATAGRAMS, MAXIMUM_FRAGMENT_OCTETS, MAXIMUM_PIECES};
pub use plain::{Plain, is_noise};
pub use ports::PortSet;
pub use position::{Header, MAXIMUM_LAYERS};
pub use segment::{Carried, Endpoint, Flags, IcmpError, Options, Packet, Segment};
