//! The same order gives the same bytes: on every machine, in every build.
//!
//! Where one of these sums changes on purpose (another mix, other fixtures), dated baselines before and after it are of
//! different captures: say so in the next one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use smtpcap_workload::{Format, Order, Profile, Size, generate};

/// FNV-1a, 64 bits.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

fn make(profile: Profile, size: Size, format: Format, seed: u64) -> Vec<u8> {
    let mut file = Vec::new();
    let order = Order {
        profile,
        seed,
        size,
        format,
    };
    let totals = generate(&order, &mut file, |_| Ok(())).unwrap();
    assert_eq!(totals.bytes, file.len() as u64);
    file
}

#[test]
fn the_same_order_gives_the_same_bytes() {
    let orders = [
        (
            Profile::MailHeavy,
            Size::Sessions(40),
            Format::PcapNs,
            0x72d9_a77d_4c4e_03ee,
        ),
        (
            Profile::MailHeavy,
            Size::Sessions(40),
            Format::PcapUs,
            0xda3e_00c6_0bc5_2329,
        ),
        (
            Profile::MailHeavy,
            Size::Sessions(40),
            Format::Pcapng,
            0x7eba_1622_0908_7b3b,
        ),
        (
            Profile::LiveMix,
            Size::Sessions(40),
            Format::PcapNs,
            0x3bda_ea53_fc1f_2426,
        ),
        (
            Profile::MirrorPort,
            Size::Bytes(2_000_000),
            Format::PcapNs,
            0x9089_a65b_ab19_3a56,
        ),
        (
            Profile::ManyShort,
            Size::Sessions(100),
            Format::PcapNs,
            0xc64d_1a66_ada5_9759,
        ),
        (
            Profile::SynFlood,
            Size::Sessions(2),
            Format::PcapNs,
            0x9989_1d03_8fdd_1b42,
        ),
        (
            Profile::AllOpen,
            Size::Sessions(100),
            Format::PcapNs,
            0x7ab8_62bc_9e6f_6bff,
        ),
    ];
    let now = orders.map(|(profile, size, format, _)| (profile.name(), format, sum(&make(profile, size, format, 1))));
    let known = orders.map(|(profile, _, format, sum)| (profile.name(), format, sum));
    assert_eq!(now, known, "{now:#x?}");
}

#[test]
fn another_seed_gives_another_capture() {
    let of = |seed| make(Profile::MailHeavy, Size::Sessions(5), Format::PcapNs, seed);
    assert_ne!(of(1), of(2));
}

#[test]
fn a_size_in_bytes_is_met_within_a_tenth() {
    for profile in [
        Profile::MailHeavy,
        Profile::MirrorPort,
        Profile::ManyShort,
        Profile::SynFlood,
    ] {
        let wanted = 40_000_000;
        let size = make(profile, Size::Bytes(wanted), Format::PcapNs, 1).len() as u64;
        assert!(
            size > wanted * 9 / 10 && size < wanted * 11 / 10 + 12_000_000,
            "{}: {size}",
            profile.name()
        );
    }
}
