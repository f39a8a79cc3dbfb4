//! A paced sender: sends the frames of a capture file on an interface at a fixed rate, for `benches/rate.py`.
//!
//! `pace INTERFACE FILE PACKETS-PER-SECOND SECONDS`. Ends when the time is up or the file is; tells how many it sent,
//! how long it took, and the longest time it was behind. Keeps the frames in memory, so that nothing is read meanwhile.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::time::{Duration, Instant};

use pcap::Capture;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [interface, file, rate, seconds] = arguments.as_slice() else {
        eprintln!("pace INTERFACE FILE PACKETS-PER-SECOND SECONDS");
        std::process::exit(2);
    };
    let (rate, seconds): (f64, f64) = (rate.parse().expect("a rate"), seconds.parse().expect("a time"));
    let most = (rate * seconds) as usize;
    let (octets, ends) = frames(file, most);
    let mut to = Capture::from_device(interface.as_str()).unwrap().open().unwrap();
    let began = Instant::now();
    let mut behind = Duration::ZERO;
    let mut start = 0;
    let mut sent = 0_usize;
    for end in ends {
        let due = Duration::from_secs_f64(sent as f64 / rate);
        loop {
            let now = began.elapsed();
            if now >= due {
                behind = behind.max(now - due);
                break;
            }
            std::hint::spin_loop();
        }
        to.sendpacket(&octets[start..end])
            .expect("the interface takes the frame");
        start = end;
        sent += 1;
    }
    let took = began.elapsed().as_secs_f64();
    println!(
        "{{\"sent\": {sent}, \"seconds\": {took:.3}, \"behind_ms\": {:.1}}}",
        behind.as_secs_f64() * 1e3
    );
}

/// The octets of at most so many frames in a row, and where each ends.
fn frames(file: &str, most: usize) -> (Vec<u8>, Vec<usize>) {
    let mut from = Capture::from_file(file).expect("a capture file");
    let (mut octets, mut ends) = (Vec::new(), Vec::new());
    while ends.len() < most {
        let Ok(packet) = from.next_packet() else { break };
        octets.extend_from_slice(packet.data);
        ends.push(octets.len());
    }
    (octets, ends)
}
