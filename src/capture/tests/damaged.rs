//! Damaged, cut and wrong files.

use super::super::{ByteOrder::*, *};
use super::build::*;
use super::*;

fn expect_damage(bytes: &[u8], lost: &[u8], count: u8, offset: u64, resumed: Option<u64>) -> FileFacts {
    let (frames, facts) = read(bytes);
    let expected: Vec<i64> = (0..count).filter(|n| !lost.contains(n)).map(time_of).collect();
    assert_eq!(times(&frames), expected, "{:?}", facts.damages);
    assert_eq!(facts.damages.total(), 1, "{:?}", facts.damages);
    let damage = &facts.damages.kept()[0];
    assert_eq!((damage.offset, damage.resumed_at), (offset, resumed));
    facts
}

#[test]
fn garbage_in_the_middle_of_a_pcap_file_costs_no_packet() {
    for garbage in [
        vec![0xee; 40],
        vec![0; 40],
        vec![0; 41],
        (0..40).collect(),
        vec![b'A'; 1_000_000],
    ] {
        let head = Pcap::new().packets(3).bytes;
        let all = Pcap::new().packets(20).bytes;
        let mut file = head.clone();
        file.extend(&garbage);
        file.extend(&all[head.len()..]);
        let at = head.len() as u64;
        let facts = expect_damage(&file, &[], 20, at, Some(at + garbage.len() as u64));
        assert_eq!(facts.damages.kept()[0].found.bytes(), &garbage[..16]);
        assert_eq!(facts.damages.kept()[0].expected, Expected::PcapRecord);
    }
}

#[test]
fn garbage_in_the_middle_of_a_pcapng_file_costs_no_packet() {
    for order in [Little, Big] {
        for garbage in [vec![0xee; 40], vec![0; 41], vec![b'A'; 70_001]] {
            let head = Pcapng::new(order).interface(1, 0, &[]).packets(3).bytes;
            let all = Pcapng::new(order).interface(1, 0, &[]).packets(20).bytes;
            let mut file = head.clone();
            file.extend(&garbage);
            file.extend(&all[head.len()..]);
            let at = head.len() as u64;
            expect_damage(&file, &[], 20, at, Some(at + garbage.len() as u64));
        }
    }
}

#[test]
fn a_broken_length_in_a_pcap_file_costs_one_packet() {
    let head = Pcap::new().packets(3).bytes.len();
    let all = Pcap::new().packets(20).bytes;
    let next = Pcap::new().packets(4).bytes.len();
    for claimed in [10_u32, 61, 1_000, 100_000, 250_000, 10_000_000, u32::MAX] {
        let mut file = all.clone();
        file[head + 8..head + 12].copy_from_slice(&claimed.to_le_bytes());
        expect_damage(&file, &[3], 20, head as u64, Some(next as u64));
    }
}

#[test]
fn a_broken_length_in_a_pcapng_file_costs_at_most_one_packet() {
    let build = |count| Pcapng::new(Little).interface(1, 0, &[]).packets(count).bytes;
    let (head, next) = (build(3).len(), build(4).len());
    for claimed in [0_u32, 11, 13, 40, 1_000, 1_000_000, u32::MAX] {
        let mut file = build(20);
        file[head + 4..head + 8].copy_from_slice(&claimed.to_le_bytes());
        expect_damage(&file, &[3], 20, head as u64, Some(next as u64));
        let mut file = build(20);
        file[next - 4..next].copy_from_slice(&claimed.to_le_bytes());
        let facts = expect_damage(&file, &[], 20, head as u64, Some(next as u64));
        assert_eq!(facts.damages.kept()[0].expected, Expected::BlockTrailer);
    }
}

#[test]
fn a_captured_length_longer_than_its_block_gives_what_is_there() {
    let head = Pcapng::new(Little).interface(1, 0, &[]).bytes.len();
    let mut file = Pcapng::new(Little).interface(1, 0, &[]).packets(3).bytes;
    file[head + 20..head + 24].copy_from_slice(&5_000_u32.to_le_bytes());
    let (frames, facts) = read(&file);
    assert_eq!(frames.len(), 3);
    assert_eq!(frames[0].bytes, payload(0));
    assert_eq!(facts.damages.kept()[0].expected, Expected::CapturedLength);
}

#[test]
fn a_lost_interface_block_does_not_cost_the_packets() {
    let head = Pcapng::new(Little).bytes.len();
    let mut file = Pcapng::new(Little).interface(1, 0, &[]).packets(5).bytes;
    file[head..head + 8].fill(0xff);
    let (frames, facts) = read(&file);
    assert_eq!(times(&frames), [0, 1, 2, 3, 4].map(time_of));
    assert_eq!((facts.odd.assumed_interfaces, facts.damages.total()), (5, 1));
}

#[test]
fn damage_up_to_the_end_is_reported_without_a_place_to_resume() {
    let mut file = Pcap::new().packets(3).bytes;
    let at = file.len() as u64;
    file.extend([0xee; 5_000]);
    expect_damage(&file, &[], 3, at, None);
    let mut file = Pcapng::new(Big).interface(1, 0, &[]).packets(3).bytes;
    let at = file.len() as u64;
    file.extend([0xee; 5_000]);
    expect_damage(&file, &[], 3, at, None);
}

#[test]
fn a_file_that_ends_in_a_record_is_cut_and_not_damaged() {
    let whole = Pcap::new().packets(5).bytes;
    let last = Pcap::new().packets(4).bytes.len();
    for (present, needed) in [(10, 16), (16, 80), (79, 80)] {
        let (frames, facts) = read(&whole[..last + present]);
        assert_eq!(frames.len(), 4);
        assert_eq!(facts.damages.total(), 0);
        let cut = facts.cut.unwrap();
        assert_eq!(
            (cut.offset, cut.present, cut.needed),
            (last as u64, present as u64, needed)
        );
    }
    let (frames, facts) = read(&Pcapng::new(Little).bytes[..11]);
    assert!(frames.is_empty() && facts.cut.is_some());
}

#[test]
fn what_is_no_capture_is_refused_with_its_first_octets() {
    let cases: [(&[u8], Likeness); 8] = [
        (b"", Likeness::Empty),
        (b"\n", Likeness::Text),
        (b"Dear help desk,\r\nmy mail does not go.\r\n", Likeness::Text),
        (b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0", Likeness::Elf),
        (&[0; 4_096], Likeness::Zeros),
        (b"snoop\0\0\0\0\0\0\x02", Likeness::Snoop),
        (b"\xd4\xc3\xb2", Likeness::Text),
        (b"\x89PNG\r\n\x1a\n\0\0\0\x0d", Likeness::Other),
    ];
    for (bytes, expected) in cases {
        match read_input(stream(bytes)) {
            Err(Error::NotACapture { found, likeness, .. }) => {
                assert_eq!(found.bytes(), &bytes[..bytes.len().min(16)]);
                if bytes != b"\xd4\xc3\xb2" {
                    assert_eq!(likeness, expected);
                }
            }
            other => panic!("{bytes:?}: {other:?}"),
        }
    }
}

#[test]
fn a_missing_file_and_a_folder_are_errors_that_name_them() {
    for path in ["/nonexistent/mail.pcap", "/tmp"] {
        let error = read_input(Input::Path(path.into())).unwrap_err();
        assert_eq!(error.file(), path);
        assert!(matches!(error, Error::Open { .. }));
    }
}

#[test]
fn a_read_error_in_the_middle_ends_the_file_with_an_error_behind_its_frames() {
    struct Failing(std::io::Cursor<Vec<u8>>);
    impl std::io::Read for Failing {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(into)? {
                0 => Err(std::io::Error::other("the disk is broken")),
                count => Ok(count),
            }
        }
    }
    let file = Pcap::new().packets(5).bytes;
    let mut reader = Reader::new([
        Input::Stream {
            name: "broken".into(),
            octets: Box::new(Failing(std::io::Cursor::new(file))),
        },
        stream(&Pcap::new().packets(7).bytes),
    ]);
    let mut frames = 0;
    let mut errors = 0;
    loop {
        match reader.next_frame() {
            Ok(Some(_)) => frames += 1,
            Ok(None) => break,
            Err(Error::Read { .. }) => errors += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((frames, errors), (12, 1));
}

#[test]
fn listed_damage_is_bounded_and_counted() {
    let mut file = Pcapng::new(Little).interface(1, 0, &[]).interface(113, 0, &[]);
    let packets = MAX_DAMAGES as u64 + 50;
    for _ in 0..packets {
        file = file.packet(9, 0, &[1; 60]);
    }
    let (_, facts) = read(&file.bytes);
    assert_eq!(facts.damages.kept().len(), MAX_DAMAGES);
    assert_eq!(facts.damages.total(), packets);
}

#[test]
fn resync_finds_the_first_record_of_a_chunk_at_any_cut() {
    let pcap = Pcap::new().packets(30).bytes;
    let walker = PcapWalker::from_header(&pcap, 0).unwrap();
    let starts: Vec<usize> = (0..=30).map(|count| Pcap::new().packets(count).bytes.len()).collect();
    for cut in 24..starts[22] {
        let next = *starts.iter().find(|start| **start >= cut).unwrap();
        assert_eq!(walker.resync(&pcap[cut..], 0, usize::MAX, true), Resync::At(next - cut));
    }
    let build = |count| Pcapng::new(Big).interface(1, 0, &[]).packets(count).bytes;
    let blocks = build(30);
    let walker = PcapngWalker::new(Big, 0);
    let starts: Vec<usize> = (0..=30).map(|count| build(count).len()).collect();
    for cut in starts[0]..starts[28] {
        let next = *starts.iter().find(|start| **start >= cut).unwrap();
        assert_eq!(
            walker.resync(&blocks[cut..], 0, usize::MAX, true),
            Resync::At(next - cut)
        );
    }
}

#[test]
fn hostile_lengths_take_linear_time() {
    // Each header claims as much as can be believed; quadratic reading would take minutes.
    let mut pcap = Pcap::new();
    let mut blocks = Pcapng::new(Little).interface(1, 0, &[]);
    for n in 0..4_000 {
        pcap = pcap.header(1_000, 0, MAX_PACKET - n, MAX_PACKET);
        for _ in 0..7 {
            pcap = pcap.packet(1_000, 0, &[1; 20]);
        }
        blocks.bytes.extend([6, 0, 0, 0, 0, 0, 0, 1, 9, 9, 9, 9]);
    }
    let start = std::time::Instant::now();
    let (frames, facts) = read(&pcap.bytes);
    assert_eq!((frames.len(), facts.damages.total()), (28_000, 4_000));
    let (_, facts) = read(&blocks.bytes);
    assert!(!facts.is_sound());
    // Generous: the machine may be busy with something else.
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn a_lost_section_header_of_the_other_byte_order_costs_no_packet() {
    for (first, second) in [(Little, Big), (Big, Little)] {
        let head = Pcapng::new(first).interface(1, 0, &[]).packets(3);
        let at = head.bytes.len();
        let tail = Pcapng::new(second).interface(113, 0, &[]).packets(6);
        let mut file = head.raw(&tail.bytes).bytes;
        file[at..at + 12].fill(0xff);
        let (frames, facts) = read(&file);
        assert_eq!(times(&frames), [0, 1, 2, 0, 1, 2, 3, 4, 5].map(time_of));
        assert_eq!(frames[8].link, 113);
        assert_eq!(
            (facts.damages.total(), facts.odd.assumed_interfaces),
            (1, 0),
            "{:?}",
            facts.damages
        );
        assert_eq!(facts.interfaces.kept()[1].packets, 6);
    }
}

#[test]
fn each_error_and_damage_can_be_read_by_a_developer() {
    let error = read_input(stream(b"a letter")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"built\" is not a capture: expected pcap or pcapng, found Text [61 20 6c 65 74 74 65 72]"
    );
    let (_, facts) = read(&Pcap::new().packets(1).raw(&[0xee; 20]).bytes);
    assert_eq!(
        facts.damages.kept()[0].to_string(),
        "offset 100: expected a pcap record header, found ee ee ee ee ee ee ee ee ee ee ee ee ee ee ee ee; nothing more was found"
    );
}
