//! The truth of a capture: what was put in, counted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::Order;
use crate::plan::{Fault, Truth};
use crate::wire::{Address, Path};

/// Counts by name.
pub type Counts = BTreeMap<String, u64>;

/// What was put into a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Profile's name.
    pub profile: String,
    /// Seed.
    pub seed: u64,
    /// Format's name.
    pub format: String,
    /// Frames in the file.
    pub frames: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Frames of mail sessions, floods not counted.
    pub mail_frames: u64,
    /// Frames with one VLAN tag, with two, of IPv6.
    pub one_tag_frames: u64,
    /// Frames with two VLAN tags.
    pub two_tag_frames: u64,
    /// Frames of IPv6.
    pub ipv6_frames: u64,
    /// SYNs of a flood.
    pub flood_syns: u64,
    /// Mail sessions, floods not counted.
    pub sessions: u64,
    /// Sessions in which something failed.
    pub failed: u64,
    /// Sessions by what they were made as.
    pub kinds: Counts,
    /// Sessions by what they come to.
    pub outcomes: Counts,
    /// Sessions by server port.
    pub ports: Counts,
    /// Messages accepted in clear.
    pub messages_accepted: u64,
    /// Of these, sent with BDAT.
    pub messages_bdat: u64,
    /// Recipients accepted in clear.
    pub recipients_accepted: u64,
    /// TLS handshakes completed, and captured.
    pub handshakes: u64,
    /// Fatal alerts in clear, by number.
    pub alerts: Counts,
    /// Sessions refused, by reply code.
    pub rejections: Counts,
    /// refused, unanswered, reset.
    pub tcp_failures: Counts,
    /// Sessions with something wrong on the way.
    pub faults: Counts,
    /// Frames the capture lacks.
    pub lost_frames: u64,
    /// Octets of streams that it lacks because of them.
    pub lost_octets: u64,
}

impl Totals {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(order: &Order) -> Self {
        Self {
            profile: order.profile.name().to_owned(),
            seed: order.seed,
            format: format!("{:?}", order.format),
            ..Self::default()
        }
    }

    /// A frame was written.
    pub const fn frame(&mut self, mail: bool, path: &Path) {
        self.mail_frames += mail as u64;
        self.one_tag_frames += (path.vlans[0] != 0 && path.vlans[1] == 0) as u64;
        self.two_tag_frames += (path.vlans[1] != 0) as u64;
        self.ipv6_frames += matches!(path.client.0, Address::V6(_)) as u64;
        self.flood_syns += (!mail && path.server.1 == 25) as u64;
    }

    /// A session ended.
    pub fn session(&mut self, truth: &Truth) {
        let mut add = |counts: fn(&mut Self) -> &mut Counts, name: String| {
            *counts(self).entry(name).or_default() += 1;
        };
        add(|totals| &mut totals.kinds, truth.kind.to_string());
        add(|totals| &mut totals.outcomes, word(&truth.outcome));
        add(|totals| &mut totals.ports, truth.port.to_string());
        if let Some(alert) = truth.alert {
            add(|totals| &mut totals.alerts, alert.to_string());
        }
        if let Some(code) = truth.rejection {
            add(|totals| &mut totals.rejections, code.to_string());
        }
        if let Some(failure) = &truth.tcp_failure {
            add(|totals| &mut totals.tcp_failures, failure.to_string());
        }
        if let Some(fault) = truth.fault {
            add(|totals| &mut totals.faults, word::<Fault>(&fault));
        }
        self.sessions += 1;
        self.failed += u64::from(truth.failed);
        self.messages_accepted += truth.messages;
        self.messages_bdat += truth.bdat;
        self.recipients_accepted += truth.recipients;
        self.handshakes += u64::from(truth.handshake);
        self.lost_frames += truth.lost_frames;
        self.lost_octets += truth.lost_octets;
    }

    /// The file is complete.
    pub const fn file(&mut self, frames: u64, bytes: u64) {
        self.frames = frames;
        self.bytes = bytes;
    }
}

/// The word that stands for a value in JSON.
fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}
