//! The loop: one frame in, header after header, one [`Packet`] out, everything else counted.

use std::net::IpAddr;

use super::counts::{ChecksumCounts, Counts};
use super::fragments::{Fragment, Fragments, Outcome, Whole};
use super::ip::protocol;
use super::plain::Plain;
use super::position::{Header, Layer, Octets, Position, Stop};
use super::segment::{IcmpError, Packet, Segment};
use super::{icmp, ip, link, mpls, ppp, transport, tunnel};
use crate::frame::Frame;
use crate::span::Stamp;

/// Decodes frames one after another; keeps nothing of them but fragments of datagrams not complete yet.
///
/// Call [`Decoder::decode`] for each frame in order, [`Decoder::finish`] at the end, [`Decoder::counts`] at any time.
#[derive(Debug, Default)]
pub struct Decoder {
    fragments: Fragments,
    /// The datagram put together last, and the one found in fragments inside of it.
    outer: Vec<u8>,
    inner: Vec<u8>,
    counts: Counts,
    verify_checksums: bool,
}

/// What the loop came to.
enum Found<'a> {
    Segment(Segment<'a>),
    IcmpError(IcmpError),
    Fragment(Position<'a>),
    Nothing,
}

impl Decoder {
    /// A decoder that leaves checksums alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A decoder that verifies IPv4 header and TCP checksums into [`Counts::checksums`], at the cost of reading every
    /// payload octet. Wrong ones are counted, never dropped: offload leaves them wrong on the sending host.
    #[must_use]
    pub fn verifying_checksums() -> Self {
        Self {
            verify_checksums: true,
            ..Self::default()
        }
    }

    /// What the frames so far were.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Counts the datagrams that stay incomplete, and gives the counts.
    pub fn finish(&mut self) -> &Counts {
        self.counts.fragments.incomplete_at_end = self.fragments.waiting() as u64;
        &self.counts
    }

    #[cfg(test)]
    pub(super) fn places_kept(&self) -> usize {
        self.fragments.places()
    }

    /// The short way over a frame that was looked at before: its segment is lent to `take`. False where there is none, or
    /// where only the long way can tell: then the frame is yet to be [decoded](Self::decode). Both ways read the same.
    #[inline(always)]
    pub fn read_plain(&mut self, frame: &Frame<'_>, plain: &Plain, take: impl FnOnce(&Segment<'_>)) -> bool {
        if self.verify_checksums {
            return false;
        }
        let stamp = Stamp {
            frame: frame.number,
            time: frame.time,
        };
        let counts = &mut self.counts;
        let read = plain.segment(frame, stamp, |segment, is_cut| {
            counts.frames += 1;
            counts.segments += 1;
            counts.cut_options += u64::from(is_cut);
            take(segment);
        });
        read.is_some()
    }

    /// What a frame carries. The payload is borrowed from the frame, or, of a datagram that this frame completed, from
    /// the decoder; the segment then has this frame's stamp.
    pub fn decode<'a>(&'a mut self, frame: &Frame<'a>) -> Packet<'a> {
        self.counts.frames += 1;
        let stamp = Stamp {
            frame: frame.number,
            time: frame.time,
        };
        let octets = Octets::new(frame.bytes, frame.original_length as usize);
        let layer = match link::first_layer(frame.link_type) {
            Ok(layer) => layer,
            Err(stop) => {
                self.counts.stop(stop, false);
                return Packet::Other;
            }
        };
        let verify = self.verify_checksums;
        match walk(Position::new(octets, layer), stamp, verify, &mut self.counts) {
            Found::Segment(segment) => Packet::Segment(segment),
            Found::IcmpError(error) => Packet::IcmpError(error),
            Found::Nothing => Packet::Other,
            Found::Fragment(position) => self.reassemble(&position, stamp),
        }
    }

    /// Fragments inside of fragments happen (a tunnel whose packets are too long for the path, carrying fragments);
    /// a third time over is counted as too many layers.
    #[cold]
    fn reassemble<'a>(&'a mut self, position: &Position<'a>, stamp: Stamp) -> Packet<'a> {
        let Self {
            fragments,
            outer,
            inner,
            counts,
            verify_checksums,
        } = self;
        let Some(resumed) = resume(fragments, position, stamp, counts, outer) else {
            return Packet::Other;
        };
        let position = match walk(resumed, stamp, *verify_checksums, counts) {
            Found::Segment(segment) => return Packet::Segment(segment),
            Found::IcmpError(error) => return Packet::IcmpError(error),
            Found::Nothing => return Packet::Other,
            Found::Fragment(position) => position,
        };
        let Some(resumed) = resume(fragments, &position, stamp, counts, inner) else {
            return Packet::Other;
        };
        match walk(resumed, stamp, *verify_checksums, counts) {
            Found::Segment(segment) => Packet::Segment(segment),
            Found::IcmpError(error) => Packet::IcmpError(error),
            Found::Nothing => Packet::Other,
            Found::Fragment(_) => {
                counts.stop(Stop::Layers, false);
                Packet::Other
            }
        }
    }
}

/// Takes a fragment in; where it completes a datagram, that is put into `buffer` and the way goes on there.
fn resume<'b>(
    fragments: &mut Fragments,
    position: &Position<'_>,
    stamp: Stamp,
    counts: &mut Counts,
    buffer: &'b mut Vec<u8>,
) -> Option<Position<'b>> {
    let Layer::Fragment {
        identification,
        offset,
        more,
        protocol,
    } = position.layer
    else {
        return None;
    };
    let fragment = Fragment {
        network: position.network,
        encapsulation: position.encapsulation,
        identification,
        offset,
        more,
        protocol,
        octets: position.octets,
        time: stamp.time,
    };
    let Whole {
        bytes,
        wire,
        network,
        protocol,
    } = match fragments.push(&fragment, &mut counts.fragments) {
        Outcome::Whole(whole) => whole,
        Outcome::Held => return None,
        Outcome::Impossible => {
            counts.stop(Stop::Malformed(Header::Fragment), false);
            return None;
        }
    };
    *buffer = bytes;
    Some(Position {
        octets: Octets::new(buffer, wire),
        layer: Layer::Protocol(protocol),
        network,
        encapsulation: position.encapsulation,
        layers: position.layers,
    })
}

/// Follows the headers to their end and counts what was there; all but fragments, which are not at their end.
fn walk<'a>(mut position: Position<'a>, stamp: Stamp, verify: bool, counts: &mut Counts) -> Found<'a> {
    loop {
        let checksums = verify.then_some(&mut counts.checksums);
        let stop = match position.layer {
            Layer::Protocol(protocol::TCP) => match transport::segment(&position, stamp, checksums) {
                Ok((segment, is_cut)) => {
                    counts.segments += 1;
                    counts.cut_options += u64::from(is_cut);
                    return Found::Segment(segment);
                }
                Err(stop) => stop,
            },
            Layer::Protocol(number @ (protocol::ICMP | protocol::ICMPV6)) => match icmp_error(&position, number, stamp)
            {
                Ok(error) => {
                    counts.icmp_errors += 1;
                    return Found::IcmpError(error);
                }
                Err(stop) => stop,
            },
            Layer::Fragment { .. } => return Found::Fragment(position),
            layer => match step(layer, &mut position, checksums) {
                Ok(()) => continue,
                Err(stop) => stop,
            },
        };
        counts.stop(stop, position.octets.is_cut());
        return Found::Nothing;
    }
}

fn icmp_error(position: &Position<'_>, number: u8, stamp: Stamp) -> Result<IcmpError, Stop> {
    let version6 = number == protocol::ICMPV6;
    if matches!(position.network.source, IpAddr::V6(_)) != version6 {
        return Err(Stop::Protocol(number));
    }
    icmp::error(position, version6, stamp)
}

/// Goes past one header.
fn step(layer: Layer, position: &mut Position<'_>, checksums: Option<&mut ChecksumCounts>) -> Result<(), Stop> {
    match layer {
        Layer::Ethernet => link::ethernet(position),
        Layer::EtherType(ether_type) => link::ether_type(position, ether_type),
        Layer::LogicalLinkControl => link::logical_link_control(position),
        Layer::BackboneTag => link::backbone_tag(position),
        Layer::LinuxCooked => link::linux_cooked(position),
        Layer::LinuxCooked2 => link::linux_cooked_2(position),
        Layer::Loopback => link::loopback(position),
        Layer::Ppp => ppp::ppp(position),
        Layer::PppoeSession => ppp::pppoe_session(position),
        Layer::CiscoHdlc => ppp::cisco_hdlc(position),
        Layer::Mpls => mpls::label(position),
        Layer::Ip => ip::either(position),
        Layer::Ipv4 => ip::ipv4(position, checksums),
        Layer::Ipv6 => ip::ipv6(position),
        Layer::Protocol(protocol::UDP) => tunnel::udp(position),
        Layer::Protocol(protocol::GRE) => tunnel::gre(position),
        Layer::Protocol(protocol::ETHER_IP) => tunnel::ether_ip(position),
        Layer::Protocol(number) => ip::protocol(position, number),
        Layer::Erspan2 => tunnel::erspan_2(position),
        Layer::Erspan3 => tunnel::erspan_3(position),
        Layer::Fragment { .. } => Err(position.malformed()),
    }
}
