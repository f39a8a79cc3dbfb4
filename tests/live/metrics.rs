//! The page for Prometheus: its form, its labels, and what hostile requests do to it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{LONG, Live, fixture, header, one_session, records, with_client_port};

/// A run whose page is at the address.
pub fn serving(arguments: &[&str]) -> (Live, SocketAddr) {
    let live = Live::start(&[&["--metrics", "127.0.0.1:0"], arguments].concat());
    let (_, line) = live.errors.wait("http://", LONG).expect("it says where");
    let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap();
    (live, address.parse().unwrap())
}

fn ask(address: SocketAddr, request: &[u8]) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(LONG)).unwrap();
    let _ = connection.write_all(request);
    let mut reply = Vec::new();
    let _ = connection.read_to_end(&mut reply);
    String::from_utf8_lossy(&reply).into_owned()
}

pub fn page(address: SocketAddr) -> String {
    let reply = ask(
        address,
        format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes(),
    );
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("Content-Type: text/plain; version=0.0.4"), "{head}");
    assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
    body.to_owned()
}

/// The samples of a page, by name with labels; checks the form on the way: HELP and TYPE once and first, the samples of a
/// family together, names and labels of the allowed letters, counters that end in `_total`, no sample twice.
fn samples(page: &str) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    let mut kinds: BTreeMap<String, String> = BTreeMap::new();
    let mut helped = BTreeSet::new();
    let mut current = String::new();
    assert!(page.ends_with('\n'));
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.starts_with(|letter: char| letter.is_ascii_digit())
            && name
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
    };
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(helped.insert(name.to_owned()), "{name} helped twice");
            assert!(help.ends_with('.'), "{help}");
            name.clone_into(&mut current);
            continue;
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(name, current, "TYPE follows HELP");
            assert!(matches!(kind, "counter" | "gauge"), "{kind}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{name} {kind}");
            kinds.insert(name.to_owned(), kind.to_owned());
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap();
        let value: f64 = value.parse().unwrap();
        assert!(value.is_finite() && value >= 0.0, "{line}");
        let (family, labels) = name
            .split_once('{')
            .map_or((name, None), |(family, rest)| (family, Some(rest)));
        assert_eq!(family, current, "samples stand under their family");
        assert!(is_name(family) && kinds.contains_key(family), "{family}");
        for pair in labels
            .iter()
            .flat_map(|labels| labels.strip_suffix('}').unwrap().split(','))
        {
            let (label, quoted) = pair.split_once('=').unwrap();
            assert!(is_name(label) && !label.starts_with("__"), "{label}");
            let inner = quoted.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
            assert!(!inner.is_empty() && !inner.contains(['"', '\\', '\n']), "{inner}");
        }
        assert!(samples.insert(name.to_owned(), value).is_none(), "{name} twice");
    }
    samples
}

#[test]
fn the_page_counts_what_was_seen_in_a_form_that_prometheus_reads() {
    let (mut live, address) = serving(&["--format", "jsonl"]);
    let empty = samples(&page(address));
    assert_eq!(empty["smtpcap_frames_total"], 0.0);
    live.feed(&std::fs::read(fixture("intercom/capture.pcapng")).unwrap());
    live.output.wait("\"id\":66", LONG).expect("the last session");
    std::thread::sleep(Duration::from_millis(1_300));
    let text = page(address);
    let seen = samples(&text);
    let is = |name: &str, value: f64| assert_eq!(seen.get(name), Some(&value), "{name} in {text}");
    is(
        "smtpcap_sessions_total{service=\"submission\",outcome=\"tls_failed\"}",
        2.0,
    );
    is(
        "smtpcap_sessions_total{service=\"submission\",outcome=\"accepted\"}",
        1.0,
    );
    is(
        "smtpcap_findings_total{id=\"tls-protocol-version-refused\",severity=\"fail\"}",
        2.0,
    );
    is("smtpcap_tls_offered_total{version=\"TLS 1.0\"}", 2.0);
    is("smtpcap_tls_negotiated_total{version=\"TLS 1.2\"}", 1.0);
    is(
        "smtpcap_auth_attempts_total{mechanism=\"LOGIN\",result=\"accepted\"}",
        1.0,
    );
    is("smtpcap_messages_accepted_total", 1.0);
    is("smtpcap_frames_total", 92.0);
    is("smtpcap_open_sessions", 0.0);
    assert!(seen["process_resident_memory_bytes"] > 1e6);
    promtool(&text);
}

#[test]
fn drops_are_told_while_no_frame_comes() {
    use smtpcap::capture::write::{Blocks, Interface, Packet, Section, Statistics};
    let (mut live, address) = serving(&["--format", "jsonl"]);
    let packets = one_session();
    let last = packets.last().unwrap().time.unsigned_abs();
    let mut blocks = Blocks::default();
    blocks.section(&Section::default());
    blocks.interface(&Interface {
        link_type: 1,
        snap_length: 262_144,
        name: Some("eth0"),
        description: None,
        filter: None,
    });
    for packet in &packets {
        blocks.packet(&Packet {
            interface: 0,
            nanoseconds: packet.time.unsigned_abs(),
            bytes: &packet.bytes,
            original_length: packet.bytes.len() as u32,
            comment: None,
        });
    }
    live.feed(blocks.octets());
    live.output.wait("session", LONG).expect("the session is told");
    // As smtpcap-capture does: a block of counters each second, and no frame.
    for second in 1..=8_u64 {
        blocks.clear();
        blocks.statistics(&Statistics {
            interface: 0,
            nanoseconds: last + second * 1_000_000_000,
            began: None,
            ended: None,
            received: Some(100),
            dropped: Some(0),
            dropped_by_system: Some(7 * second),
            delivered: Some(100),
        });
        live.feed(blocks.octets());
        std::thread::sleep(Duration::from_millis(500));
    }
    let seen = samples(&page(address));
    let dropped = seen["smtpcap_capture_dropped_packets_total"];
    assert!((35.0..=56.0).contains(&dropped), "{dropped}");
    live.signal("INT");
    live.end();
}

/// Prometheus' own opinion, where its tool is installed.
fn promtool(page: &str) {
    let Ok(mut child) = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    else {
        println!("skipped: promtool is not installed (apt-get install prometheus)");
        return;
    };
    child.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
}

#[test]
fn senders_cannot_make_the_page_grow() {
    let (mut live, address) = serving(&["--format", "jsonl"]);
    live.feed(&header());
    let packets = one_session();
    let evil = b"XEVIL-";
    for port in 20_000..20_200 {
        // Another mechanism, name and address in every session would be another label, if senders chose labels.
        let mut session = with_client_port(&packets, port);
        for packet in &mut session {
            if let Some(at) = memchr::memmem::find(&packet.bytes, b"EHLO ") {
                packet.bytes[at..at + 6].copy_from_slice(b"AUTH X");
                let end = (at + 6 + evil.len()).min(packet.bytes.len() - 2);
                let part = end - at - 6;
                packet.bytes[at + 6..end].copy_from_slice(&evil[..part]);
            }
        }
        live.feed(&records(&session));
    }
    std::thread::sleep(Duration::from_millis(2_500));
    let text = page(address);
    let seen = samples(&text);
    assert!(seen.len() < 120, "{} samples: {text}", seen.len());
    assert!(!text.contains("EVIL") && !text.contains("203.0.113."), "{text}");
    let other = seen
        .keys()
        .any(|name| name.starts_with("smtpcap_auth_attempts_total{mechanism=\"other\""));
    assert!(other, "{text}");
}

#[test]
fn hostile_requests_are_refused_and_the_page_stays() {
    let (mut live, address) = serving(&[]);
    let status = |request: &[u8]| ask(address, request).lines().next().unwrap_or_default().to_owned();
    assert!(status(b"GET / HTTP/1.1\r\n\r\n").contains("404"));
    assert!(status(b"POST /metrics HTTP/1.1\r\n\r\n").contains("405"));
    assert!(status(b"GET /metrics HTTP/1.1\r\nHost: rebound.example\r\n\r\n").contains("403"));
    assert!(status(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n").contains("400"));
    assert!(status(&[b'A'; 100_000]).contains("431") || status(&[b'A'; 100_000]).is_empty());
    let head = ask(address, b"HEAD /metrics HTTP/1.1\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
    // Connections that say nothing, or one octet now and then, do not keep others out for longer than their time.
    let mut idle: Vec<TcpStream> = (0..64).filter_map(|_| TcpStream::connect(address).ok()).collect();
    for connection in &mut idle {
        let _ = connection.write_all(b"G");
    }
    let begun = Instant::now();
    loop {
        let mut connection = TcpStream::connect(address).unwrap();
        let _ = connection.write_all(b"GET /metrics HTTP/1.1\r\n\r\n");
        let mut reply = String::new();
        let _ = connection.read_to_string(&mut reply);
        if reply.starts_with("HTTP/1.1 200") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(8));
        std::thread::sleep(Duration::from_millis(100));
    }
    live.feed(&header());
    live.close();
    assert!(live.end().0.success());
}

#[test]
fn the_network_gets_the_page_only_where_that_is_asked_for() {
    for (address, words) in [
        ("0.0.0.0:0", "--metrics-on-network"),
        ("192.0.2.1:9465", "--metrics-on-network"),
        ("[::]:0", "--metrics-on-network"),
        ("nonsense", "127.0.0.1:9465"),
        ("127.0.0.1", "127.0.0.1:9465"),
    ] {
        let mut live = Live::start(&["--metrics", address]);
        live.close();
        assert_eq!(live.end().0.code(), Some(2), "{address}");
        assert!(live.errors.rest().concat().contains(words), "{address}");
    }
    let (mut live, address) = {
        let live = Live::start(&["--metrics", "0.0.0.0:0", "--metrics-on-network"]);
        let (_, line) = live.errors.wait("http://", LONG).unwrap();
        let port = line.rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
        (live, format!("127.0.0.1:{port}").parse().unwrap())
    };
    assert!(!samples(&page(address)).is_empty());
    live.feed(&header());
    live.close();
    assert!(live.end().0.success());
}
