//! PcapFlowLab's published captures against its own description of their layers. They are read where they lie, and
//! never copied here; where they are absent the test says so and passes.

use std::path::PathBuf;

use super::*;
use crate::packet::{PortSet, is_noise};

const FOLDER: &str = "AlexeyVasilev-PcapFlowLab";

fn captures() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = std::env::var_os("SMTPCAP_SHARED").map(PathBuf::from);
    let found = shared
        .into_iter()
        .chain([beside, PathBuf::from("/work/shared")])
        .map(|shared| shared.join("captures/public"))
        .find(|public| public.join(FOLDER).is_dir() && public.join("ORACLE.json").is_file());
    if found.is_none() {
        println!("skipped: no captures/public/{FOLDER} under SMTPCAP_SHARED, ../shared or /work/shared");
    }
    found
}

/// Records of a classic little-endian pcap file: link type, original length, octets.
fn records(file: &[u8]) -> Vec<(LinkType, u32, &[u8])> {
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    assert!(matches!(word(0), 0xa1b2_c3d4 | 0xa1b2_3c4d), "not a little-endian pcap");
    let link_type = LinkType(u16::try_from(word(20) & 0xffff).unwrap());
    let mut records = Vec::new();
    let mut at = 24;
    while at + 16 <= file.len() {
        let length = usize::try_from(word(at + 8)).unwrap();
        records.push((link_type, word(at + 12), &file[at + 16..at + 16 + length]));
        at += 16 + length;
    }
    records
}

/// Described as TCP, but no segment for us, with the reason.
const EXCEPTIONS: [(&str, &str); 2] = [
    ("gtpu__", "GTP-U is not decoded, only counted by its port"),
    (
        "19_tcp_syn_tcp_header_snaplen_truncated",
        "the snap length cut the TCP header itself",
    ),
];

/// What the description says of every frame of a file: TCP, something else, or nothing that can be read off it.
fn described(name: &str, says: &str) -> Option<bool> {
    let chain = ["Layer chain: ", "Inner: "]
        .into_iter()
        .find_map(|start| says.split_once(start))
        .map(|(_, rest)| rest.split(" - ").next().unwrap_or_default());
    match chain {
        Some(chain) if chain.contains("TCP") => Some(true),
        Some(chain)
            if ["UDP", "ARP", "ICMP", "IGMP", "partial", "Raw"]
                .iter()
                .any(|other| chain.contains(other)) =>
        {
            Some(false)
        }
        _ if name.contains("_tcp") || name.starts_with("tls__") => Some(true),
        _ => None,
    }
}

#[test]
fn frames_described_as_tcp_are_segments_and_others_are_not() {
    let Some(public) = captures() else { return };
    let oracle = std::fs::read(public.join("ORACLE.json")).unwrap();
    let oracle: serde_json::Value = serde_json::from_slice(&oracle).unwrap();
    let (mut tcp, mut other, mut silent, mut excepted) = (0, 0, 0, 0);
    for (path, entry) in oracle.as_object().unwrap() {
        let Some(name) = path.strip_prefix(FOLDER).and_then(|name| name.strip_prefix('/')) else {
            continue;
        };
        let says: Vec<_> = entry["oracles"][0]["facts"]["says"]
            .as_array()
            .into_iter()
            .flatten()
            .collect();
        let says = says
            .iter()
            .filter_map(|line| line.as_str())
            .collect::<Vec<_>>()
            .join(" - ");
        let Some(is_tcp) = described(name, &says) else {
            silent += 1;
            continue;
        };
        if is_tcp && EXCEPTIONS.iter().any(|(part, _)| name.contains(part)) {
            excepted += 1;
            continue;
        }
        let file = std::fs::read(public.join(path)).unwrap();
        for (link_type, original_length, bytes) in records(&file) {
            let mut frame = frame(link_type, bytes);
            frame.original_length = original_length;
            let (is_segment, counts) = decode_one(&frame, |packet| matches!(packet, Packet::Segment(_)));
            assert_eq!(is_segment, is_tcp, "{path}: {says}\n{counts:?}");
            assert_counted_once(&counts);
        }
        *if is_tcp { &mut tcp } else { &mut other } += 1;
    }
    println!("{tcp} files of TCP, {other} of other things, {silent} not described, {excepted} excepted");
    for (part, reason) in EXCEPTIONS {
        println!("excepted: {part}: {reason}");
    }
    assert!(tcp > 40 && other > 40);
}

#[test]
fn frames_of_every_public_capture_are_counted_once_and_agree_with_the_look_for_noise() {
    let Some(public) = captures() else { return };
    let ports: PortSet = [25, 443, 587].into_iter().collect();
    let mut frames = 0;
    for entry in std::fs::read_dir(public.join(FOLDER)).unwrap() {
        let file = std::fs::read(entry.unwrap().path()).unwrap();
        for (link_type, original_length, bytes) in records(&file) {
            let mut frame = frame(link_type, bytes);
            frame.original_length = original_length;
            let (is_ours, counts) = decode_one(&frame, |packet| match packet {
                Packet::Segment(segment) => {
                    ports.contains(segment.flow.source().port) || ports.contains(segment.flow.destination().port)
                }
                Packet::IcmpError(_) => true,
                Packet::Other => false,
            });
            assert!(!(is_ours && is_noise(&frame, &ports)));
            assert_counted_once(&counts);
            frames += 1;
        }
    }
    assert!(frames > 200);
}
