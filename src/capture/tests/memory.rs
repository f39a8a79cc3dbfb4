//! Rows whose memory is kept → the octets that were in it, however far the reader goes on, and no more memory than that.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use smtpcap_testkit::{TimedFrame, pcap};

use super::*;

#[test]
fn the_memory_of_a_row_stays_as_it_is_while_somebody_has_it() {
    let frames: Vec<_> = (0..60_000)
        .map(|at| TimedFrame::new(at, vec![at as u8; 40 + (at as usize * 7) % 200]))
        .collect();
    let bytes = pcap(&frames);
    for held in [1, 3, usize::MAX] {
        let mut reader = Reader::new([stream(&bytes)]);
        let (mut rows, mut blocks, mut count) = (VecDeque::new(), HashSet::new(), 0);
        let check = |(block, seen): (Arc<Vec<u8>>, Vec<[usize; 3]>)| {
            for [from, number, length] in seen {
                let expected = (number - 1) as u8;
                assert!(
                    block[from..from + length].iter().all(|octet| *octet == expected),
                    "frame {number}"
                );
            }
        };
        while reader.next_frame().unwrap().is_some() {
            count += 1;
            let Some(row) = reader.next_row(1_000) else { continue };
            let block = Arc::clone(row.block());
            let start = block.as_ptr().addr();
            let seen: Vec<_> = row
                .map(|frame| {
                    [
                        frame.bytes.as_ptr().addr() - start,
                        frame.number.0 as usize,
                        frame.bytes.len(),
                    ]
                })
                .collect();
            count += seen.len();
            blocks.insert(start);
            rows.push_back((block, seen));
            while rows.len() > held {
                rows.pop_front().into_iter().for_each(check);
            }
        }
        rows.into_iter().for_each(check);
        assert_eq!(count, frames.len());
        // 10 MB of capture: only what is held is more than the one block.
        let most = if held == usize::MAX {
            bytes.len() / READ_SIZE + 2
        } else {
            4
        };
        assert!(
            blocks.len() > 1 && blocks.len() <= most,
            "{} blocks, {held} rows held",
            blocks.len()
        );
    }
}
