//! Whether the capture itself can be trusted: what was read, what is missing, what was not understood.

use crate::capture::CaptureFacts;
use crate::packet;
use crate::protocol::tls::KeyLogCounts;
use crate::tcp;

/// Everything that lowers trust in a run, and how much was read.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// The files.
    pub capture: CaptureFacts,
    /// What the frames were.
    pub packets: packet::Counts,
    /// What happened to the connections as a whole.
    pub connections: tcp::Counts,
    /// Frames, and how many of them were no mail by their ports.
    pub frames: (u64, u64),
    /// Sessions that cross-session insights no longer remember.
    pub forgotten: u64,
    /// The ports that were looked at.
    pub ports: Vec<u16>,
    /// What the key logs held.
    pub key_log: KeyLogCounts,
    /// Sessions with protected records of which no key came in time.
    pub keyless: u64,
}

impl Health {
    /// Frames that could not be decoded, by type in words, largest first.
    #[must_use]
    pub fn not_decoded(&self) -> Vec<(String, u64)> {
        let counts = &self.packets;
        let mut types: Vec<(String, u64)> = Vec::new();
        let tallies: [(&str, &packet::Tally); 6] = [
            ("link type", &counts.link_types),
            ("EtherType 0x", &counts.ether_types),
            ("LLC 0x", &counts.logical_links),
            ("PPP 0x", &counts.ppp_protocols),
            ("loopback family", &counts.link_families),
            ("UDP tunnel", &counts.udp_tunnels),
        ];
        for (name, tally) in tallies {
            for (number, count) in tally.iter() {
                let shown = if name.ends_with("0x") {
                    format!("{name}{number:04x}")
                } else {
                    format!("{name} {number}")
                };
                types.push((shown, count));
            }
        }
        for (header, count) in &counts.malformed {
            types.push((format!("malformed {header:?}"), *count));
        }
        types.push(("cut before the TCP header".to_owned(), counts.cut));
        types.push(("too many layers".to_owned(), counts.too_many_layers));
        types.push(("MPLS payload".to_owned(), counts.mpls_payloads));
        types.push(("fragments never completed".to_owned(), {
            counts.fragments.timed_out + counts.fragments.evicted + counts.fragments.incomplete_at_end
        }));
        types.retain(|(_, count)| *count > 0);
        types.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        types
    }

    /// Packets dropped while capturing, as far as the files tell.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.capture
            .files
            .iter()
            .map(|file| file.dropped().unwrap_or(0).saturating_add(file.drops_between))
            .sum()
    }

    /// Frames cut by a snap length.
    #[must_use]
    pub fn cut_frames(&self) -> u64 {
        self.capture.files.iter().map(|file| file.odd.cut).sum()
    }
}
