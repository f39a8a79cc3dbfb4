//! What holds for any cut, any way of handing over the octets, any mutation.

use proptest::prelude::*;

use super::super::{ByteOrder::*, *};
use super::build::*;
use super::*;

/// A file of each kind, with everything in it.
fn samples() -> Vec<Vec<u8>> {
    let comment = option(Little, 1, b"a comment");
    let blocks = Pcapng::new(Little)
        .interface(1, 0, &option(Little, 9, &[9]))
        .interface(113, 64, &option(Little, 2, b"eth0"))
        .packets(4)
        .packet_with(1, 5, &[4; 33], &comment)
        .block(5, &[0; 12])
        .block(0x0bad, &[1; 8])
        .packets(4);
    let glued = Pcapng::new(Big)
        .interface(101, 0, &[])
        .packets(3)
        .raw(&blocks.bytes)
        .bytes;
    let odd = Pcap::new()
        .packets(3)
        .header(BASE + 3, 0, 40, 90)
        .raw(&[3; 40])
        .packets(8)
        .bytes;
    vec![
        Pcap::new().packets(12).bytes,
        Pcap::with(Big, 0xa1b2_cd34, 4, 65_535, 1).packets(8).bytes,
        odd,
        blocks.bytes,
        glued,
    ]
}

struct Dribble {
    bytes: Vec<u8>,
    at: usize,
    steps: Vec<usize>,
    turn: usize,
}

impl std::io::Read for Dribble {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let step = self.steps[self.turn % self.steps.len()].max(1);
        self.turn += 1;
        if self.turn % 7 == 3 {
            return Err(std::io::ErrorKind::Interrupted.into());
        }
        let count = step.min(into.len()).min(self.bytes.len() - self.at);
        into[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

fn dribbled(bytes: &[u8], steps: Vec<usize>) -> Input {
    Input::Stream {
        name: "dribble".into(),
        octets: Box::new(Dribble {
            bytes: bytes.to_vec(),
            at: 0,
            steps,
            turn: 0,
        }),
    }
}

/// Frames and facts, or the error's text.
fn outcome(input: Input) -> Result<(Vec<Kept>, FileFacts), String> {
    outcome_of(input, drain)
}

fn outcome_of(
    input: Input,
    drain: impl Fn(&mut Reader) -> Result<Vec<Kept>, Error>,
) -> Result<(Vec<Kept>, FileFacts), String> {
    let mut reader = Reader::new([input]);
    let frames = drain(&mut reader).map_err(|error| error.to_string())?;
    let mut facts = reader.into_facts().files.remove(0);
    facts.name.clear();
    Ok((frames, facts))
}

#[test]
fn any_prefix_of_a_file_gives_a_prefix_of_its_frames() {
    for file in samples() {
        let (whole, _) = read(&file);
        for cut in 4..file.len() {
            let (frames, facts) = read(&file[..cut]);
            assert_eq!(frames, whole[..frames.len()], "cut at {cut}");
            assert_eq!(facts.damages.total(), 0, "cut at {cut}: {:?}", facts.damages);
            assert!(facts.cut.is_some() || facts.octets == cut as u64, "cut at {cut}");
        }
        for cut in 0..4 {
            assert!(matches!(
                read_input(stream(&file[..cut])),
                Err(Error::NotACapture { .. })
            ));
        }
    }
}

#[test]
fn one_octet_at_a_time_gives_the_same_frames_and_facts() {
    for file in samples() {
        assert_eq!(
            outcome(dribbled(&file, vec![1])),
            outcome(stream(&file))
                .map(|(frames, mut facts)| {
                    facts.name.clear();
                    (frames, facts)
                })
                .map_err(|error| error.replace("built", "dribble"))
        );
    }
}

/// Walks all of it; how many packets were usual.
fn usual_agrees<W: Clone + PartialEq + std::fmt::Debug>(
    mut walker: W,
    mut bytes: &[u8],
    step: impl Fn(&mut W, &[u8], bool) -> Step,
    usual: impl Fn(&mut W, &[u8]) -> Option<Record>,
) -> usize {
    let mut found = 0;
    loop {
        let (mut asked, before) = (walker.clone(), walker.clone());
        let record = usual(&mut asked, bytes);
        let step = step(&mut walker, bytes, true);
        if let Some(record) = record {
            assert_eq!(Step::Packet(record), step);
            assert_eq!(asked, walker);
            found += 1;
        } else {
            assert_eq!(asked, before);
        }
        let length = match step {
            Step::Packet(record) => record.length,
            Step::Block { length, .. } | Step::Unusable { length, .. } => length,
            Step::Header(_) | Step::NeedMore(_) | Step::Damaged(_) => return found,
        };
        bytes = bytes.get(length..).unwrap_or_default();
    }
}

#[test]
fn the_packets_of_sound_files_are_usual() {
    for (file, packets) in samples().into_iter().zip([12, 8, 11]) {
        let walker = PcapWalker::from_header(&file, 0).unwrap();
        let rest = &file[walker.header_length()..];
        assert_eq!(usual_agrees(walker, rest, PcapWalker::step, PcapWalker::usual), packets);
    }
    for (sample, order, packets) in [(3, Little, 8), (4, Big, 11)] {
        let file = samples().swap_remove(sample);
        let walker = PcapngWalker::new(order, 0);
        assert_eq!(
            usual_agrees(walker, &file, PcapngWalker::step, PcapngWalker::usual),
            packets
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_way_octets_arrive_changes_nothing_not_even_over_damage(
        sample in 0_usize..5,
        steps in prop::collection::vec(1_usize..90, 1..8),
        mutations in prop::collection::vec((24_usize..2_000, any::<u8>()), 0..6),
        most in 1_u64..20,
    ) {
        let mut file = samples().swap_remove(sample);
        for (at, value) in mutations {
            let length = file.len();
            file[at % length] = value;
        }
        let whole = outcome(stream(&file));
        let in_rows = |reader: &mut Reader| drain_in_rows(reader, most);
        prop_assert_eq!(&outcome_of(stream(&file), in_rows), &whole);
        for drain in [&drain as &dyn Fn(&mut Reader) -> Result<Vec<Kept>, Error>, &in_rows] {
            let left = outcome_of(dribbled(&file, steps.clone()), drain);
            prop_assert_eq!(&left.map_err(|error| error.replace("dribble", "built")), &whole);
        }
    }

    #[test]
    fn the_usual_packet_is_what_a_step_finds(
        sample in 0_usize..5,
        mutations in prop::collection::vec((24_usize..2_000, any::<u8>()), 0..6),
    ) {
        let mut file = samples().swap_remove(sample);
        for (at, value) in mutations {
            let length = file.len();
            file[at % length] = value;
        }
        let usual = match beginning(&file) {
            Beginning::Capture(Format::Pcap { .. }) => {
                let walker = PcapWalker::from_header(&file, 3).unwrap();
                let rest = &file[walker.header_length()..];
                usual_agrees(walker, rest, PcapWalker::step, PcapWalker::usual)
            }
            Beginning::Capture(Format::Pcapng { order }) => {
                usual_agrees(PcapngWalker::new(order, 3), &file, PcapngWalker::step, PcapngWalker::usual)
            }
            Beginning::No | Beginning::Perhaps(_) => 0,
        };
        prop_assert!(usual <= 12);
    }

    #[test]
    fn any_mutation_is_read_to_its_end_without_a_panic(
        sample in 0_usize..5,
        mutations in prop::collection::vec((0_usize..3_000, any::<u8>()), 1..12),
        removed in prop::option::of((0_usize..3_000, 0_usize..200)),
        inserted in prop::option::of((0_usize..3_000, prop::collection::vec(any::<u8>(), 1..300))),
    ) {
        let mut file = samples().swap_remove(sample);
        for (at, value) in mutations {
            let length = file.len();
            file[at % length] ^= value;
        }
        if let Some((at, count)) = removed {
            let at = at % file.len();
            let end = (at + count).min(file.len());
            file.drain(at..end);
        }
        if let Some((at, octets)) = inserted {
            let at = at % (file.len() + 1);
            file.splice(at..at, octets);
        }
        if let Ok((frames, facts)) = outcome(stream(&file)) {
            let octets: usize = frames.iter().map(|frame| frame.bytes.len()).sum();
            prop_assert!(octets <= file.len());
            prop_assert_eq!(facts.octets, file.len() as u64);
        }
    }

    #[test]
    fn any_mutation_of_a_compressed_file_is_read_to_its_end_without_a_panic(
        which in 0_usize..3,
        mutations in prop::collection::vec((0_usize..3_000, any::<u8>()), 1..6),
        steps in prop::collection::vec(1_usize..200, 1..4),
    ) {
        use std::io::Write;
        let plain = samples().swap_remove(0);
        let mut file = Vec::new();
        for part in plain.chunks(400) {
            match which {
                0 => {
                    let mut encoder = flate2::write::GzEncoder::new(&mut file, flate2::Compression::fast());
                    encoder.write_all(part).unwrap();
                }
                1 => file.extend(ruzstd::encoding::compress_to_vec(part, ruzstd::encoding::CompressionLevel::Fastest)),
                _ => {
                    let mut encoder = lz4_flex::frame::FrameEncoder::new(&mut file);
                    encoder.write_all(part).unwrap();
                    encoder.finish().unwrap();
                }
            }
        }
        for (at, value) in mutations {
            let length = file.len();
            file[at % length] ^= value;
        }
        let left = outcome(dribbled(&file, steps)).map(|(frames, _)| frames).map_err(|_| ());
        prop_assert_eq!(left, outcome(stream(&file)).map(|(frames, _)| frames).map_err(|_| ()));
    }
}
