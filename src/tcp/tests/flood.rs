//! Floods cost what the limits say, and no more.

use super::*;
use crate::packet::PortSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fn flood_address(number: u32, version6: bool) -> IpAddr {
    let scattered = number.wrapping_mul(0x9e37_79b9);
    if version6 {
        IpAddr::V6(Ipv6Addr::from(u128::from(scattered) << 64 | 7))
    } else {
        IpAddr::V4(Ipv4Addr::from(scattered))
    }
}

#[test]
fn two_million_syns_cost_a_bounded_table_and_no_real_session() {
    let limits = Limits {
        half_open: 100_000,
        ..Limits::default()
    };
    let mut table = Table::new(limits, PortSet::from_iter([25]), |_: &Opened| Record::default());
    let mut real = 0;
    for number in 0..2_000_000u32 {
        let time = f64::from(number) * 0.001;
        let mut segment = syn();
        segment.change_ends(|source, _| source.address = flood_address(number, false));
        segment.stamp = stamp(u64::from(number) + 1, time);
        table.push(&segment);
        if number % 50_000 == 0 {
            for segment in [syn(), syn_ack(), server(0, 0, b"220"), with(RST, client(0, 3, b""))] {
                let mut segment = segment;
                let port = 1_024 + (number / 50_000) as u16;
                if segment.flow.source().port == 25 {
                    segment.change_ends(|_, destination| destination.port = port);
                } else {
                    segment.change_ends(|source, _| source.port = port);
                }
                segment.stamp = stamp(u64::from(number) + 1, time);
                table.push(&segment);
            }
            real += 1;
        }
        if number % 1_024 == 0 {
            assert!(table.half_open() <= 100_000);
            assert!(table.memory() < 16_000_000, "{}", table.memory());
            assert!(table.poll_finished().is_none());
        }
    }
    assert_eq!(table.half_open(), 100_000);
    assert!(table.counts().half_open_evicted >= 1_900_000);
    table.finish();
    let (mut full, mut half, mut last) = (0, 0, 0);
    while let Some(one) = table.poll_finished() {
        assert!(one.facts.first.frame.0 >= last, "in the order of first frames");
        last = one.facts.first.frame.0;
        match one.stream {
            Some(record) => {
                assert_eq!(record.to_client, b"220");
                full += 1;
            }
            None => half += 1,
        }
    }
    assert_eq!((full, half), (real, 100_000));
}

#[test]
fn version_6_syns_time_out_in_order() {
    let mut table = Table::new(Limits::default(), PortSet::from_iter([25]), |_: &Opened| {
        Record::default()
    });
    let mut last = 0;
    let mut finished = 0;
    for number in 0..100_000u32 {
        let mut segment = syn();
        segment.change_ends(|source, _| source.address = flood_address(number, true));
        segment.change_ends(|_, destination| destination.address = flood_address(3, true));
        segment.stamp = stamp(u64::from(number) + 1, f64::from(number) * 10.0);
        table.push(&segment);
        while let Some(one) = table.poll_finished() {
            assert!(one.facts.first.frame.0 > last);
            last = one.facts.first.frame.0;
            finished += 1;
        }
        assert!(table.half_open() <= 6_100);
    }
    assert!(finished > 93_000);
}

#[test]
fn answered_syns_that_go_nowhere_leave_before_real_sessions() {
    let limits = Limits {
        flows: 1_000,
        ..Limits::default()
    };
    let mut wire = Wire::with_limits(limits);
    wire.handshake();
    wire.send(server(0, 0, b"220"));
    for number in 0..5_000u32 {
        let (mut there, mut back) = (syn(), syn_ack());
        there.change_ends(|source, _| source.address = flood_address(number, false));
        back.change_ends(|_, destination| destination.address = flood_address(number, false));
        wire.after(0.5, there);
        wire.after(0.5, back);
    }
    wire.send(client(0, 3, b"QUIT"));
    let finished = wire.finish();
    let real = finished.iter().find(|one| one.stream.is_some()).unwrap();
    assert_eq!(real.stream.as_ref().unwrap().to_server, b"QUIT");
    assert_eq!(finished.len(), 5_001);
}

#[test]
fn many_short_sessions_leave_nothing_behind() {
    let mut wire = Wire::new();
    for number in 0..20_000u32 {
        let port = 1_024 + (number % 60_000) as u16;
        for mut segment in [
            syn(),
            syn_ack(),
            client(0, 0, b""),
            server(0, 0, b"421\r\n"),
            with(RST, client(0, 5, b"")),
        ] {
            if segment.flow.source().port == 25 {
                segment.change_ends(|_, destination| destination.port = port);
            } else {
                segment.change_ends(|source, _| source.port = port);
            }
            wire.after(0.2, segment);
        }
    }
    assert!(wire.table.open() <= 10_300, "{}", wire.table.open());
    assert_eq!(wire.table.half_open(), 0);
    assert!(wire.table.memory() < 20_000_000);
    assert_eq!(wire.finish().len(), 20_000);
}
