//! gzip, zstd and lz4: several members, cut, damaged, nested, bombs.

use std::io::Write;

use super::super::*;
use super::build::*;
use super::*;

/// Four packets, as the zstd tool wrote them.
const ZSTD: &str = "28b52ffd046875020022840c14e0690c53674e4040a08a96d9de03e5c22da54c01371ef94f73cf461bbf69aed558e22fcdad31fc6bee7f7d4a83ad9883020d20e03ec5c15cb3c3389a6b766e867875cf4cc443f2222e178cfb7dc0";
/// Four packets, as the lz4 tool wrote them.
const LZ4_LINKED: &str = "04224d186440a77800000084d4c3b2a102000400010050ffff0000010d0030f153650700133c040008020018080d000f0200104001f153655400133d0400170101002708000d000f0200119302f15365020000003e0400170201002708000d000f0200129303f15365030000003f0400170301002708000d000f02000e500303030303000000007a19d1ad";
/// Four packets, as the lz4 tool wrote them.
const LZ4_LEGACY: &str = "02214c187800000084d4c3b2a102000400010050ffff0000010d0030f153650700133c040008020018080d000f0200104001f153655400133d0400170101002708000d000f0200119302f15365020000003e0400170201002708000d000f0200129303f15365030000003f0400170301002708000d000f02000e500303030303";

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let small = lz4_flex::frame::FrameInfo::new().block_size(lz4_flex::frame::BlockSize::Max64KB);
    let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(small, Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

type Compressor = fn(&[u8]) -> Vec<u8>;
const ALL: [(Compression, Compressor); 3] = [
    (Compression::Gzip, gzip),
    (Compression::Zstd, zstd),
    (Compression::Lz4, lz4),
];

/// Packets whose octets do not compress, so that members are large and cuts fall inside them.
fn noise(count: u32) -> Vec<u8> {
    let mut state = 7_u32;
    let mut file = Pcap::new();
    for n in 0..count {
        let data: Vec<u8> = (0..1_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        file = file.packet(1_000 + n, 0, &data);
    }
    file.bytes
}

#[test]
fn one_member_and_many_members_give_the_same_frames() {
    let plain = noise(300);
    let (expected, _) = read(&plain);
    for (compression, compress) in ALL {
        let one = compress(&plain);
        let many: Vec<u8> = plain.chunks(70_001).flat_map(compress).collect();
        for file in [one, many] {
            let (frames, facts) = read(&file);
            assert_eq!(frames, expected, "{compression}");
            assert_eq!(facts.compression, Some(compression));
            assert_eq!(facts.octets, plain.len() as u64);
            assert!(facts.is_sound(), "{compression}: {:?}", facts.damages);
        }
    }
}

#[test]
fn files_of_the_tools_are_read() {
    for (text, compression) in [
        (ZSTD, Compression::Zstd),
        (LZ4_LINKED, Compression::Lz4),
        (LZ4_LEGACY, Compression::Lz4),
    ] {
        let (frames, facts) = read(&hex(text));
        assert_eq!(times(&frames), [0, 1, 2, 3].map(time_of));
        assert_eq!(facts.compression, Some(compression));
        assert!(facts.is_sound(), "{:?}", facts.damages);
    }
}

#[test]
fn skippable_frames_and_padding_are_passed_over() {
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5];
    let plain = Pcap::new().packets(6).bytes;
    for (compression, compress) in [ALL[1], ALL[2]] {
        let (head, tail) = plain.split_at(200);
        let file = [&skippable[..], &compress(head), &skippable, &compress(tail), &skippable].concat();
        let (frames, facts) = read(&file);
        assert_eq!(frames.len(), 6, "{compression}");
        assert!(facts.is_sound());
    }
    let mut file = gzip(&plain);
    file.extend([0; 5_000]);
    let (frames, facts) = read(&file);
    assert!(frames.len() == 6 && facts.is_sound());
}

#[test]
fn a_cut_compressed_file_yields_what_came_before() {
    let plain = noise(400);
    let (whole, _) = read(&plain);
    for (compression, compress) in ALL {
        let file = compress(&plain);
        for cut in [file.len() - 1, file.len() * 3 / 4, file.len() / 2] {
            let (frames, facts) = read(&file[..cut]);
            assert_eq!(frames, whole[..frames.len()], "{compression}");
            // Blocks of lz4 and zstd are lost as a whole.
            let least = (cut.saturating_sub(270_000)) / 1_016;
            assert!(
                frames.len() >= least.min(399),
                "{compression}: {} of {least} at {cut}",
                frames.len()
            );
            let damage = &facts.damages.kept()[0];
            assert_eq!(damage.expected, Expected::MoreCompressedData(compression));
            assert_eq!((damage.place, damage.resumed_at), (Place::CompressedFile, None));
        }
    }
}

#[test]
fn a_damaged_member_costs_no_packet_of_the_members_behind() {
    let plain = noise(300);
    let (whole, _) = read(&plain);
    for (compression, compress) in ALL {
        let members: Vec<Vec<u8>> = plain.chunks(100_000).map(compress).collect();
        let mut file = members.concat();
        let second = members[0].len();
        // The magic number stays, the header behind it does not.
        file[second + 4..second + 40].fill(0xff);
        let (frames, facts) = read(&file);
        let behind = 300 - 200_000 / 1_016 - 2;
        assert_eq!(frames[..98], whole[..98], "{compression}");
        assert!(frames.len() >= 98 + behind, "{compression}: {}", frames.len());
        assert!(
            frames
                .iter()
                .all(|frame| whole.iter().any(|other| other.bytes == frame.bytes))
        );
        assert!(
            facts.damages.kept().iter().any(|damage| damage.resumed_at.is_some()),
            "{compression}"
        );
    }
}

#[test]
fn a_compressed_file_inside_a_compressed_file_is_refused() {
    let plain = Pcap::new().packets(3).bytes;
    for (outer, around) in ALL {
        for (inner, compress) in ALL {
            match read_input(stream(&around(&compress(&plain)))) {
                Err(Error::CompressedTwice {
                    outer: found,
                    inner: within,
                    ..
                }) => {
                    assert_eq!((found, within), (outer, inner));
                }
                other => panic!("{outer} around {inner}: {other:?}"),
            }
        }
        let text = around(b"no capture at all, but a letter");
        assert!(matches!(
            read_input(stream(&text)),
            Err(Error::NotACapture {
                likeness: Likeness::Text,
                within: Some(_),
                ..
            })
        ));
    }
}

#[test]
fn a_window_above_the_limit_is_refused() {
    // A frame header with a window of 2^31 octets.
    let file = [0x28, 0xb5, 0x2f, 0xfd, 0, (31 - 10) << 3, 1, 0, 0];
    match read_input(stream(&file)) {
        Err(Error::NotDecompressed { expected, .. }) => assert_eq!(expected, Expected::SmallerWindow),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bomb_is_read_in_constant_memory() {
    let mut plain = Pcap::new().packets(3).bytes;
    plain.resize(plain.len() + 3_000_000, 0);
    for (compression, compress) in ALL {
        let (frames, facts) = read(&compress(&plain));
        assert_eq!(frames.len(), 3, "{compression}");
        assert_eq!(facts.damages.kept()[0].resumed_at, None);
        assert_eq!(facts.octets, plain.len() as u64);
    }
}
