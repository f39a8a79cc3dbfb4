//! What goes wrong on the way: retransmitted, reordered, overlapping, lost, begun late.

use super::{Player, Saying, advance};
use crate::plan::Fault;
use crate::wire::ACK;

/// Longer than any copy that a capture makes of a packet, shorter than a retransmission time-out's minimum.
const RETRANSMISSION_DELAY: u64 = 40_000_000;

impl Player {
    /// What the plan says goes wrong with the next segments; at least four full ones are left, but for a late beginning.
    pub(super) fn go_wrong(&mut self, saying: &mut Saying) {
        let Some((fault, _)) = self.plan.fault else { return };
        let side = usize::from(saying.from_client);
        let full = self.plan.path.full_payload();
        match fault {
            Fault::Retransmitted => {
                let (at, sequence) = (saying.at, self.next[side]);
                self.segment(saying);
                for _ in 0..2 {
                    self.segment(saying);
                    let next = std::mem::replace(&mut self.next[side], sequence);
                    self.now += 4_000;
                    self.control(!saying.from_client, ACK);
                    self.next[side] = next;
                }
                let next = std::mem::replace(&mut self.next[side], sequence);
                self.now += RETRANSMISSION_DELAY;
                self.push(saying.from_client, ACK, at, full);
                self.next[side] = next;
            }
            Fault::Reordered => {
                self.segment(saying);
                self.segment(saying);
                if let [.., first, second] = self.queue.make_contiguous() {
                    std::mem::swap(first, second);
                    std::mem::swap(&mut first.time, &mut second.time);
                }
            }
            Fault::Overlapping => {
                let half = full / 2;
                let at = advance(&self.plan.pieces, saying.at, half);
                self.segment(saying);
                self.now += RETRANSMISSION_DELAY;
                self.next[side] = self.next[side].wrapping_sub((full - half) as u32);
                self.push(saying.from_client, ACK, at, full);
                self.next[side] = self.next[side].wrapping_add((full - half) as u32);
                self.pass(saying, half);
            }
            Fault::Lost => {
                let count = self.random.between(1, 3);
                for _ in 0..count {
                    self.pass(saying, full);
                }
                self.plan.note(|truth| {
                    truth.lost_frames = count;
                    truth.lost_octets = count * full as u64;
                });
            }
            Fault::MidStream => self.hidden = false,
        }
        saying.unacknowledged = 2;
        self.acknowledge(saying, 2);
    }
}
