//! How fast a large file is read; run by hand:
//! `cargo test --release --lib capture::tests::speed -- --ignored --nocapture`.

use std::io::Write;
use std::time::Instant;

use super::super::*;
use super::build::*;

#[test]
#[ignore = "writes 1 GB"]
fn speed_of_a_gigabyte() {
    let path = std::env::temp_dir().join(format!("smtpcap-speed-{}.pcap", std::process::id()));
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    file.write_all(&Pcap::new().bytes).unwrap();
    let data = [7; 1_460];
    let (mut written, mut packets) = (24_u64, 0_u64);
    while written < 1_000_000_000 {
        let length = [66, 1_460, 1_460, 120, 66, 600][(packets % 6) as usize];
        let mut record = Pcap::new();
        record.bytes.clear();
        let record = record.packet(
            1_000 + (packets / 1_000) as u32,
            (packets % 1_000) as u32,
            &data[..length],
        );
        file.write_all(&record.bytes).unwrap();
        written += record.bytes.len() as u64;
        packets += 1;
    }
    file.into_inner().unwrap();
    for _ in 0..5 {
        let before = ticks();
        let start = Instant::now();
        let mut reader = Reader::new([Input::Path(path.clone())]);
        let (mut count, mut octets) = (0_u64, 0_u64);
        while let Some(frame) = reader.next_frame().unwrap() {
            count += 1;
            octets += frame.bytes.len() as u64;
        }
        let took = start.elapsed();
        let [user, system] = ticks();
        println!(
            "CPU: user {} ms, system {} ms",
            (user - before[0]) * 10,
            (system - before[1]) * 10
        );
        assert_eq!(count, packets);
        assert!(octets < written);
        println!(
            "{packets} packets, {written} octets in {took:?}: {:.2} GB/s, {:.1} ns a packet",
            written as f64 / took.as_secs_f64() / 1e9,
            took.as_secs_f64() * 1e9 / packets as f64
        );
    }
    std::fs::remove_file(path).unwrap();
}

/// CPU time of this process in hundredths of a second: user, system.
fn ticks() -> [u64; 2] {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    [fields[11], fields[12]].map(|field| field.parse().unwrap())
}
