//! What the frames turned out to be, counted: every frame in exactly one place, so that nothing is left out silently.

use std::collections::BTreeMap;

use super::position::{Header, Stop};

/// Distinct numbers that one [`Tally`] keeps apart; further ones are counted together in [`Tally::beyond`].
pub const MAXIMUM_TALLY_NUMBERS: usize = 64;

/// How often each number was seen, for a bounded set of numbers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    numbers: BTreeMap<u32, u64>,
    beyond: u64,
}

impl Tally {
    fn add(&mut self, number: u32) {
        if let Some(count) = self.numbers.get_mut(&number) {
            *count += 1;
        } else if self.numbers.len() < MAXIMUM_TALLY_NUMBERS {
            self.numbers.insert(number, 1);
        } else {
            self.beyond += 1;
        }
    }

    /// How often `number` was seen; 0 as well where it came after the table was full.
    #[must_use]
    pub fn get(&self, number: u32) -> u64 {
        self.numbers.get(&number).copied().unwrap_or(0)
    }

    /// Numbers and their counts, in the order of the numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        self.numbers.iter().map(|(number, count)| (*number, *count))
    }

    /// How many were of numbers that the table had no room for ([`MAXIMUM_TALLY_NUMBERS`]).
    #[must_use]
    pub const fn beyond(&self) -> u64 {
        self.beyond
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.numbers.values().sum::<u64>() + self.beyond
    }

    /// Adds another tally to this one, e.g. of another thread's decoder.
    pub fn merge(&mut self, other: &Self) {
        for (number, count) in other.iter() {
            if let Some(own) = self.numbers.get_mut(&number) {
                *own += count;
            } else if self.numbers.len() < MAXIMUM_TALLY_NUMBERS {
                self.numbers.insert(number, count);
            } else {
                self.beyond += count;
            }
        }
        self.beyond += other.beyond;
    }
}

/// What became of IP fragments.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FragmentCounts {
    /// Fragments seen, whole or not.
    pub fragments: u64,
    /// Fragments that did not complete a datagram when they came: the frames counted as nothing else.
    pub held: u64,
    /// Datagrams put together.
    pub reassembled: u64,
    /// Datagrams given up because a piece did not come within [`super::FRAGMENT_TIMEOUT`] of packet time.
    pub timed_out: u64,
    /// Datagrams given up because a limit was reached ([`super::MAXIMUM_DATAGRAMS`] and others).
    pub evicted: u64,
    /// Datagrams not complete when the capture ended; set by [`super::Decoder::finish`].
    pub incomplete_at_end: u64,
    /// Fragments that brought nothing new and the same octets: copies, as a mirror port makes them.
    pub duplicates: u64,
    /// Fragments that overlap others otherwise; the first octets seen are kept.
    pub overlapping: u64,
    /// Of the overlapping ones: those with other octets, or another end of the datagram, than those before.
    pub conflicting: u64,
}

/// What the checksums said, where they were looked at; see [`super::Decoder::verifying_checksums`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ChecksumCounts {
    /// IPv4 headers looked at.
    pub ipv4_verified: u64,
    /// IPv4 headers with a wrong checksum.
    pub ipv4_bad: u64,
    /// Whole TCP segments looked at.
    pub tcp_verified: u64,
    /// TCP segments with a wrong checksum; many on one side only mean offload.
    pub tcp_bad: u64,
}

/// What the frames given to a [`super::Decoder`] were. Frames that [`super::is_noise`] kept away are not in it.
///
/// Invariant: `frames` is the sum of all counts marked "outcome" below.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Frames decoded.
    pub frames: u64,
    /// TCP segments (outcome).
    pub segments: u64,
    /// Of the segments: those whose options a snap length cut.
    pub cut_options: u64,
    /// ICMP errors that quote a TCP segment (outcome).
    pub icmp_errors: u64,
    /// Other ICMP and ICMPv6 messages (outcome).
    pub icmp_other: u64,
    /// UDP datagrams that are no tunnel (outcome).
    pub udp: u64,
    /// UDP datagrams of tunnels that were not decoded, by port (outcome).
    pub udp_tunnels: Tally,
    /// ARP (outcome).
    pub arp: u64,
    /// Other IP protocols, by number (outcome).
    pub ip_protocols: Tally,
    /// EtherTypes not decoded, by number; of GRE and Geneve payloads as well (outcome).
    pub ether_types: Tally,
    /// LLC service access points not decoded, DSAP and SSAP as one number (outcome).
    pub logical_links: Tally,
    /// PPP protocols not decoded, by number (outcome).
    pub ppp_protocols: Tally,
    /// Link types not decoded, by number (outcome).
    pub link_types: Tally,
    /// Loopback address families not decoded, by number (outcome).
    pub link_families: Tally,
    /// MPLS payloads that look like nothing known (outcome).
    pub mpls_payloads: u64,
    /// Frames cut before the TCP header's (or another header's) fixed part ended, by a snap length (outcome).
    pub cut: u64,
    /// Frames with a header that cannot be, by header (outcome).
    pub malformed: BTreeMap<Header, u64>,
    /// Frames with more headers than [`super::MAXIMUM_LAYERS`] (outcome).
    pub too_many_layers: u64,
    /// Fragments; `held` of it is an outcome.
    pub fragments: FragmentCounts,
    /// Checksums.
    pub checksums: ChecksumCounts,
}

impl Counts {
    /// Frames of which no TCP segment or ICMP error came out for want of a decoder or of octets, not because they
    /// carry something else.
    #[must_use]
    pub fn not_decoded(&self) -> u64 {
        self.udp_tunnels.total()
            + self.ether_types.total()
            + self.logical_links.total()
            + self.ppp_protocols.total()
            + self.link_types.total()
            + self.link_families.total()
            + self.mpls_payloads
            + self.cut
            + self.malformed.values().sum::<u64>()
            + self.too_many_layers
    }

    /// Adds another decoder's counts to these.
    pub fn merge(&mut self, other: &Self) {
        self.frames += other.frames;
        self.segments += other.segments;
        self.cut_options += other.cut_options;
        self.icmp_errors += other.icmp_errors;
        self.icmp_other += other.icmp_other;
        self.udp += other.udp;
        self.udp_tunnels.merge(&other.udp_tunnels);
        self.arp += other.arp;
        self.ip_protocols.merge(&other.ip_protocols);
        self.ether_types.merge(&other.ether_types);
        self.logical_links.merge(&other.logical_links);
        self.ppp_protocols.merge(&other.ppp_protocols);
        self.link_types.merge(&other.link_types);
        self.link_families.merge(&other.link_families);
        self.mpls_payloads += other.mpls_payloads;
        self.cut += other.cut;
        for (header, count) in &other.malformed {
            *self.malformed.entry(*header).or_default() += count;
        }
        self.too_many_layers += other.too_many_layers;
        self.fragments.merge(&other.fragments);
        self.checksums.merge(&other.checksums);
    }

    /// Counts why a frame was not followed; `is_cut` where the wire had more octets than the file.
    pub(super) fn stop(&mut self, stop: Stop, is_cut: bool) {
        match stop {
            Stop::Short(_) if is_cut => self.cut += 1,
            Stop::Short(header) | Stop::Malformed(header) => *self.malformed.entry(header).or_default() += 1,
            Stop::LinkType(number) => self.link_types.add(number.into()),
            Stop::LinkFamily(number) => self.link_families.add(number),
            Stop::EtherType(number) => self.ether_types.add(number.into()),
            Stop::LogicalLink(number) => self.logical_links.add(number.into()),
            Stop::PppProtocol(number) => self.ppp_protocols.add(number.into()),
            Stop::Protocol(number) => self.ip_protocols.add(number.into()),
            Stop::UdpTunnel(number) => self.udp_tunnels.add(number.into()),
            Stop::MplsPayload => self.mpls_payloads += 1,
            Stop::Arp => self.arp += 1,
            Stop::Udp => self.udp += 1,
            Stop::Icmp => self.icmp_other += 1,
            Stop::Layers => self.too_many_layers += 1,
        }
    }
}

impl FragmentCounts {
    fn merge(&mut self, other: &Self) {
        self.fragments += other.fragments;
        self.held += other.held;
        self.reassembled += other.reassembled;
        self.timed_out += other.timed_out;
        self.evicted += other.evicted;
        self.incomplete_at_end += other.incomplete_at_end;
        self.duplicates += other.duplicates;
        self.overlapping += other.overlapping;
        self.conflicting += other.conflicting;
    }
}

impl ChecksumCounts {
    fn merge(&mut self, other: &Self) {
        self.ipv4_verified += other.ipv4_verified;
        self.ipv4_bad += other.ipv4_bad;
        self.tcp_verified += other.tcp_verified;
        self.tcp_bad += other.tcp_bad;
    }
}
