//! Many sessions on end: memory stays, and none is lost. The ten million are `benches/soak.py`'s.

use std::io::{BufWriter, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{LONG, alone, fixture};

#[path = "../../examples/replay.rs"]
#[allow(dead_code)]
mod replay;

/// Sessions told so far and octets in memory, off the program's own page.
pub fn figures(address: SocketAddr) -> Option<(u64, f64)> {
    use std::io::Write;
    let mut connection = TcpStream::connect(address).ok()?;
    connection.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").ok()?;
    let mut page = String::new();
    connection.read_to_string(&mut page).ok()?;
    let value = |line: &str| line.rsplit(' ').next()?.parse::<f64>().ok();
    let sessions: f64 = page
        .lines()
        .filter(|line| line.starts_with("smtpcap_sessions_total{"))
        .filter_map(value)
        .sum();
    let memory = page
        .lines()
        .find(|line| line.starts_with("process_resident_memory_bytes"))?;
    Some((sessions as u64, value(memory)?))
}

#[test]
fn memory_is_flat_over_many_sessions() {
    let _alone = alone();
    // Unoptimised a session costs ten times as much.
    let default = if cfg!(debug_assertions) { 120_000 } else { 200_000 };
    let wanted: u64 = std::env::var("SOAK_SESSIONS").map_or(default, |text| text.parse().unwrap());
    // Sessions that close; those that do not wait for a minute, and fill the table for as long.
    let captures = [
        "greetings/capture.pcapng",
        "commands-rejected/capture.pcap.gz",
        "server-421/capture.pcapng",
    ];
    let mut live = Command::new(env!("CARGO_BIN_EXE_smtpcap"));
    live.args([
        "live",
        "-",
        "--format",
        "jsonl",
        "-o",
        "/dev/null",
        "--metrics",
        "127.0.0.1:0",
        "--window",
        "2s",
    ]);
    live.env("LC_ALL", "C").stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut live = live.spawn().unwrap();
    let address: SocketAddr = {
        let mut said = Vec::new();
        let mut errors = live.stderr.take().unwrap();
        let begun = Instant::now();
        loop {
            let mut octet = [0];
            errors.read_exact(&mut octet).unwrap();
            said.push(octet[0]);
            assert!(begun.elapsed() < LONG);
            let text = String::from_utf8_lossy(&said).into_owned();
            if let Some((_, rest)) = text.split_once("http://")
                && let Some((address, _)) = rest.split_once('/')
            {
                std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
                break address.parse().unwrap();
            }
        }
    };
    let mut input = BufWriter::with_capacity(1 << 16, live.stdin.take().unwrap());
    let source = std::thread::spawn(move || replay::replay(&captures.map(fixture), wanted, &mut input).unwrap());
    let mut samples = Vec::new();
    while live.try_wait().unwrap().is_none() {
        samples.extend(figures(address));
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(live.wait().unwrap().success());
    source.join().unwrap();
    // The median of each tenth of the second half.
    let tenths: Vec<f64> = (5..10)
        .map(|tenth| {
            let range = wanted / 10 * tenth..wanted / 10 * (tenth + 1);
            let within = samples.iter().filter(|(sessions, _)| range.contains(sessions));
            let mut memory: Vec<f64> = within.map(|(_, memory)| *memory).collect();
            memory.sort_by(f64::total_cmp);
            memory.get(memory.len() / 2).copied().expect("samples in each tenth")
        })
        .collect();
    let (first, last) = (tenths[0], tenths[tenths.len() - 1]);
    // On a loaded machine the allocator may take one more stretch at a time that no two runs share: one step, and flat
    // before and behind it, is no growth. What is kept for each session lifts every tenth.
    let steps: Vec<f64> = tenths.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let largest = steps.iter().copied().fold(0.0, f64::max);
    let besides = (last - first - largest) / first;
    let (growth, told) = (last / first - 1.0, format!("{tenths:?} octets"));
    println!("{told}, {:+.1} %", growth * 100.0);
    assert!(
        growth <= 0.10 || besides <= 0.03 && largest <= 16e6,
        "{:+.1} %, {:+.1} % besides one step: {told}",
        growth * 100.0,
        besides * 100.0
    );
}
