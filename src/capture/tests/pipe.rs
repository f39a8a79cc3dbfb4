//! A pipe that somebody still writes to: every frame is delivered before the next one is there.

use std::io::Write;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::{ETHERNET, FileFacts, Input, Reader};
use crate::capture::write::{Blocks, Interface, Packet, Section, Statistics};

const FRAMES: u32 = 5;
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads in a thread of its own; tells the number of every frame, and the packets known to be dropped by then.
fn reader(stream: impl std::io::Read + Send + 'static) -> (Receiver<(u64, Option<u64>)>, Receiver<FileFacts>) {
    let (tell, told) = channel();
    let (end, ended) = channel();
    std::thread::spawn(move || {
        let mut reader = Reader::new([Input::Stream {
            name: "pipe".into(),
            octets: Box::new(stream),
        }]);
        while let Some(number) = reader.next_frame().unwrap().map(|frame| frame.number.0) {
            tell.send((number, reader.facts().files[0].dropped())).unwrap();
        }
        end.send(reader.into_facts().files.remove(0)).unwrap();
    });
    (told, ended)
}

/// Writes the beginning, then piece after piece, each only when the frame of the piece before was delivered.
fn play(beginning: &[u8], pieces: &[Vec<u8>]) -> (Vec<Option<u64>>, FileFacts) {
    let (stream, mut to) = std::io::pipe().unwrap();
    let (told, ended) = reader(stream);
    to.write_all(beginning).unwrap();
    let mut dropped = Vec::new();
    for (piece, number) in pieces.iter().zip(1..) {
        to.write_all(piece).unwrap();
        let (delivered, known) = told.recv_timeout(PATIENCE).expect("the frame waits for more octets");
        assert_eq!(delivered, number);
        dropped.push(known);
    }
    drop(to);
    (dropped, ended.recv_timeout(PATIENCE).unwrap())
}

/// A pcap file's beginning, and its records.
fn pcap() -> (Vec<u8>, Vec<Vec<u8>>) {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let beginning = words(&[0xa1b2_3c4d, 0x0004_0002, 0, 0, 65_535, u32::from(ETHERNET)]);
    let record = |number: u32| [words(&[number, 0, 20, 20]), vec![7; 20]].concat();
    (beginning, (1..=FRAMES).map(record).collect())
}

/// A pcapng stream's beginning, and blocks: a frame, then the counters as they stand.
fn pcapng() -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut blocks = Blocks::default();
    blocks.section(&Section::default());
    let interface = blocks.interface(&Interface {
        link_type: ETHERNET,
        ..Interface::default()
    });
    let beginning = blocks.octets().to_vec();
    let piece = |number: u32| {
        let mut blocks = Blocks::default();
        blocks.statistics(&Statistics {
            interface,
            dropped_by_system: Some(u64::from(number) * 10),
            ..Statistics::default()
        });
        blocks.packet(&Packet {
            interface,
            nanoseconds: u64::from(number),
            bytes: &[7; 21],
            original_length: 21,
            comment: None,
        });
        blocks.octets().to_vec()
    };
    (beginning, (1..=FRAMES).map(piece).collect())
}

#[test]
fn frames_of_a_pcap_pipe_do_not_wait_for_the_next() {
    let (beginning, records) = pcap();
    let (_, facts) = play(&beginning, &records);
    assert!(facts.is_sound());
}

#[test]
fn frames_and_counters_of_a_pcapng_pipe_do_not_wait_for_the_next() {
    let (beginning, pieces) = pcapng();
    let (dropped, facts) = play(&beginning, &pieces);
    assert_eq!(dropped, [10, 20, 30, 40, 50].map(Some));
    assert!(facts.is_sound());
}

#[test]
fn a_pipe_cut_in_a_record_is_noted_and_keeps_what_came() {
    for (beginning, mut pieces) in [pcap(), pcapng()] {
        let (stream, mut to) = std::io::pipe().unwrap();
        let (told, ended) = reader(stream);
        pieces.last_mut().unwrap().truncate(11);
        to.write_all(&[beginning, pieces.concat()].concat()).unwrap();
        drop(to);
        let facts = ended.recv_timeout(PATIENCE).unwrap();
        assert_eq!(told.iter().count(), FRAMES as usize - 1);
        assert!(facts.cut.is_some() && facts.damages.total() == 0);
    }
}
