//! SYNs of other connections, from sources that never come twice.

use super::{Cursor, Player};
use crate::wire::{Address, Path, SYN, Template};

/// The address block from which floods come: 10.0.0.0/8.
const FLOOD_BLOCK: u32 = 10;

impl Player {
    /// Another connection's SYN. The queue is empty: its template goes for this frame only.
    pub(super) fn flood(&mut self) {
        let (source, port) = self.flood_source();
        let path = Path {
            client: (Address::V4(source.to_be_bytes()), port),
            ..self.plan.path
        };
        self.templates[1] = Template::new(&path, true);
        self.next[1] = self.random.next() as u32;
        self.push(true, SYN, Cursor::default(), 0);
    }

    /// A source that looks random and never comes twice.
    fn flood_source(&mut self) -> (u32, u16) {
        const MASK: u64 = (1 << 40) - 1;
        loop {
            self.flood_number += 1;
            // Bijections of 40 bits.
            let mut mixed = self.flood_number.wrapping_mul(0x9e_3779_b97f_4a7d) & MASK;
            mixed ^= mixed >> 19;
            mixed = mixed.wrapping_mul(0xff_51af_d7ed_558d) & MASK;
            mixed ^= mixed >> 21;
            let port = mixed as u16;
            if port >= 1_024 && !matches!(port, 2_525) {
                return ((mixed >> 16) as u32 | FLOOD_BLOCK << 24, port);
            }
        }
    }
}
