//! A TCP header (RFC 9293, 3.1) → [`Segment`]. Written by hand and not over a parsed slice, because a snap length may
//! cut the options: the ports, the sequence number and the flags are worth having without them.

use super::checksum;
use super::counts::ChecksumCounts;
use super::flow::Flow;
use super::position::{Octets, Passage, Position, Stop};
use super::segment::{Endpoint, Flags, Options, Segment};
use crate::span::Stamp;

const TCP_HEADER: usize = 20;

/// Why there is no segment.
pub(super) enum Fault {
    /// The file ends inside the header.
    Short,
    /// The header's length cannot be.
    Malformed,
}

/// The segment at `position`, and whether its options are cut.
pub(super) fn segment<'a>(
    position: &Position<'a>,
    stamp: Stamp,
    checksums: Option<&mut ChecksumCounts>,
) -> Result<(Segment<'a>, bool), Stop> {
    let (octets, network) = (position.octets, position.network);
    let flow = |source_port, destination_port| {
        let end = |address, port| Endpoint { address, port };
        Flow::of(
            &end(network.source, source_port),
            &end(network.destination, destination_port),
        )
    };
    let (passage, encapsulation) = (network.passage, position.encapsulation);
    let read = read(octets, flow, passage, encapsulation, stamp, |segment, is_cut| {
        (*segment, is_cut)
    });
    let read = read.map_err(|fault| match fault {
        Fault::Short => position.short(),
        Fault::Malformed => position.malformed(),
    })?;
    if let Some(checksums) = checksums
        && !octets.is_cut()
    {
        checksums.tcp_verified += 1;
        checksums.tcp_bad += u64::from(!checksum::tcp_is_right(&network, octets.bytes));
    }
    Ok(read)
}

/// Lends the segment in `octets`, whose ports lead to its `flow`, to `take`, and whether its options are cut. Inlined into
/// both of its callers, for every segment comes here; lent, because to hand it back would be to move it, several times over.
#[inline(always)]
pub(super) fn read<'a, R>(
    octets: Octets<'a>,
    flow: impl FnOnce(u16, u16) -> Flow,
    passage: Passage,
    encapsulation: u32,
    stamp: Stamp,
    take: impl FnOnce(&Segment<'a>, bool) -> R,
) -> Result<R, Fault> {
    let Some(header) = octets.bytes.first_chunk::<TCP_HEADER>() else {
        return Err(Fault::Short);
    };
    let [
        s0,
        s1,
        d0,
        d1,
        q0,
        q1,
        q2,
        q3,
        a0,
        a1,
        a2,
        a3,
        offset,
        flags,
        w0,
        w1,
        ..,
    ] = *header;
    let header_length = usize::from(offset >> 4) * 4;
    if header_length < TCP_HEADER || header_length > octets.wire {
        return Err(Fault::Malformed);
    }
    let (options, payload) = match octets.bytes.split_at_checked(header_length) {
        Some((header, payload)) => (header.get(TCP_HEADER..).unwrap_or_default(), payload),
        None => (octets.bytes.get(TCP_HEADER..).unwrap_or_default(), &[][..]),
    };
    let segment = Segment {
        stamp,
        flow: flow(u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])),
        sequence: u32::from_be_bytes([q0, q1, q2, q3]),
        acknowledgment: u32::from_be_bytes([a0, a1, a2, a3]),
        flags: Flags(flags),
        window: u16::from_be_bytes([w0, w1]),
        options: parse_options(options),
        payload,
        payload_length: u32::try_from(octets.wire - header_length).unwrap_or(u32::MAX),
        time_to_live: passage.time_to_live,
        ip_identification: passage.identification,
        dont_fragment: passage.dont_fragment,
        encapsulation,
    };
    Ok(take(&segment, octets.bytes.len() < header_length))
}

/// Reads what is needed and skips the rest; stops where an option's length cannot be.
#[inline(always)]
fn parse_options(rest: &[u8]) -> Options {
    match *rest {
        [] => Options::default(),
        // What all but the first segments of today's systems have, and nothing else.
        [1, 1, 8, 10, v0, v1, v2, v3, e0, e1, e2, e3] => Options {
            timestamps: Some((
                u32::from_be_bytes([v0, v1, v2, v3]),
                u32::from_be_bytes([e0, e1, e2, e3]),
            )),
            ..Options::default()
        },
        _ => parse_other_options(rest),
    }
}

#[inline(never)]
fn parse_other_options(rest: &[u8]) -> Options {
    match *rest {
        // The SYN and SYN-ACK of Linux: segment size, SACK, timestamps, window scale.
        [
            2,
            4,
            high,
            low,
            4,
            2,
            8,
            10,
            v0,
            v1,
            v2,
            v3,
            e0,
            e1,
            e2,
            e3,
            1,
            3,
            3,
            shift,
        ] => Options {
            maximum_segment_size: Some(u16::from_be_bytes([high, low])),
            window_scale: Some(shift),
            sack_permitted: true,
            timestamps: Some((
                u32::from_be_bytes([v0, v1, v2, v3]),
                u32::from_be_bytes([e0, e1, e2, e3]),
            )),
            sack: None,
        },
        _ => parse_each_option(rest),
    }
}

fn parse_each_option(mut rest: &[u8]) -> Options {
    let mut options = Options::default();
    while let [kind, tail @ ..] = rest {
        match kind {
            0 => break,
            1 => {
                rest = tail;
                continue;
            }
            _ => {}
        }
        let Some(length) = tail.first().map(|length| usize::from(*length)) else {
            break;
        };
        let Some((option, next)) = rest.split_at_checked(length).filter(|_| length >= 2) else {
            break;
        };
        read_option(option, &mut options);
        rest = next;
    }
    options
}

fn read_option(option: &[u8], options: &mut Options) {
    match *option {
        [2, 4, high, low] => options.maximum_segment_size = Some(u16::from_be_bytes([high, low])),
        [3, 3, shift] => options.window_scale = Some(shift),
        [4, 2] => options.sack_permitted = true,
        // Of several blocks the first is the newest (RFC 2018, section 4).
        [5, _, l0, l1, l2, l3, r0, r1, r2, r3, ..] => {
            options.sack = Some((
                u32::from_be_bytes([l0, l1, l2, l3]),
                u32::from_be_bytes([r0, r1, r2, r3]),
            ));
        }
        [8, 10, v0, v1, v2, v3, e0, e1, e2, e3] => {
            options.timestamps = Some((
                u32::from_be_bytes([v0, v1, v2, v3]),
                u32::from_be_bytes([e0, e1, e2, e3]),
            ));
        }
        _ => {}
    }
}
