//! Turns a [`Frame`](crate::frame::Frame) into a TCP segment or an ICMP error, through every link layer, tag and tunnel
//! on the way. Reassembles IP fragments. Never keeps payload (but fragments, within limits), never looks into TCP payload.

mod segment;

pub use segment::{Endpoint, Flags, IcmpError, Options, Packet, Segment};
