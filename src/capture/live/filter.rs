//! Mail ports → a filter in libpcap's language (pcap-filter(7)) that the kernel runs.
//!
//! What it lets through: TCP of the ports, whatever follows the first fragment of TCP (a fragment has no ports), the
//! ICMP errors the diagnosis reads; each untagged and behind one or two VLAN tags. With tunnels: the outer packets of
//! every tunnel that is decoded, whole, since their inside cannot be looked at in the kernel — on a link that is all
//! tunnel, the filter then lets everything through.
//!
//! `vlan` moves the offsets of all that stands behind it, so the same expression stands there three times. Only
//! Ethernet knows `vlan`: on `any` the kernel looks behind the tag by itself where the card took it off, and tagged
//! frames are let through as such where it did not.
//!
//! Not matched: TCP behind IPv6 extension headers other than the fragment header, three and more tags.

use std::fmt::Write;

/// A filter for Ethernet, and the same for other links. Empty for everything.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// For links with an Ethernet header.
    pub ethernet: String,
    /// For all others: `any`, tunnels, PPP.
    pub other: String,
}

impl Filter {
    /// The user's own, for every link as it stands.
    #[must_use]
    pub fn own(text: &str) -> Self {
        Self {
            ethernet: text.to_owned(),
            other: text.to_owned(),
        }
    }

    /// Lets the mail of these ports through; with the outer packets of tunnels where asked for.
    #[must_use]
    pub fn of_ports(ports: &[u16], tunnels: bool) -> Self {
        let mut one = format!("{} or {FRAGMENTS} or {ERRORS}", tcp(ports));
        if tunnels {
            one = format!("{one} or {TUNNELS}");
        }
        let other = if tunnels {
            format!("{one} or {TUNNELS_BY_ETHERTYPE} or {TAGGED}")
        } else {
            format!("{one} or {TAGGED}")
        };
        if tunnels {
            one = format!("{one} or {TUNNELS_BY_ETHERTYPE}");
        }
        Self {
            ethernet: format!("{one} or (vlan and ({one} or (vlan and ({one}))))"),
            other,
        }
    }
}

/// TCP behind the first fragment: IPv4 by its offset, IPv6 by its fragment header.
const FRAGMENTS: &str = "(ip proto 6 and ip[6:2] & 0x1fff != 0) or (ip6[6] = 44 and ip6[40] = 6)";
/// Unreachable, source quench, time exceeded, parameter problem; of ICMPv6 all errors.
const ERRORS: &str = "(icmp and (icmp[0] = 3 or icmp[0] = 4 or icmp[0] = 11 or icmp[0] = 12)) \
                      or (ip6[6] = 58 and ip6[40] >= 1 and ip6[40] <= 4)";
/// IP in IP, IPv6 in IP, GRE, EtherIP; VXLAN (both ports) and Geneve.
const TUNNELS: &str = "ip proto 4 or ip proto 41 or ip proto 47 or ip proto 97 \
                       or ip6 proto 4 or ip6 proto 41 or ip6 proto 47 or ip6 proto 97 \
                       or udp dst port 4789 or udp dst port 8472 or udp dst port 6081";
/// PPPoE sessions and MPLS.
const TUNNELS_BY_ETHERTYPE: &str = "ether proto 0x8864 or ether proto 0x8847 or ether proto 0x8848";
/// Frames whose tag is still in front, where `vlan` is not known.
const TAGGED: &str = "ether proto 0x8100 or ether proto 0x88a8";

/// `tcp port 25 or tcp portrange 110-111`: neighbours together, for a shorter program.
fn tcp(ports: &[u16]) -> String {
    let mut ports = ports.to_vec();
    ports.sort_unstable();
    ports.dedup();
    let mut text = String::new();
    for range in ports.chunk_by(|one, next| one.checked_add(1) == Some(*next)) {
        let (Some(first), Some(last)) = (range.first(), range.last()) else {
            continue;
        };
        let or = if text.is_empty() { "" } else { " or " };
        // Writing into a string cannot fail.
        let _ = if first == last {
            write!(text, "{or}tcp port {first}")
        } else {
            write!(text, "{or}tcp portrange {first}-{last}")
        };
    }
    if text.is_empty() { "tcp".to_owned() } else { text }
}
