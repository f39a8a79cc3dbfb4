//! The fast frames against the testkit's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::net::{IpAddr, SocketAddr};

use smtpcap_testkit::frame::Segment;
use smtpcap_workload::random::Random;
use smtpcap_workload::wire::{ACK, Address, Fields, PSH, Path, SYN, Template};

fn socket((address, port): (Address, u16)) -> SocketAddr {
    let address: IpAddr = match address {
        Address::V4(octets) => octets.into(),
        Address::V6(octets) => octets.into(),
    };
    SocketAddr::new(address, port)
}

#[test]
fn the_fast_frames_are_the_testkits_frames() {
    let mut random = Random::new(3);
    let v4 = |last| Address::V4([192, 0, 2, last]);
    let v6 = |last| Address::V6([0x20, 1, 0xd, 0xb8, 0xff, 0xee, 9, 8, 7, 6, 5, 4, 3, 2, 1, last]);
    for round in 0..400_usize {
        let (client, server) = if round % 2 == 0 {
            (v4(1), v4(200))
        } else {
            (v6(1), v6(200))
        };
        let vlans = [[0, 0], [100, 0], [200, 101]][round % 3];
        let path = Path {
            client: (client, 40_000 + round as u16),
            server: (server, 25),
            vlans,
            udp: false,
        };
        let from_client = round % 5 < 3;
        let payload: Vec<u8> = (0..random.below(1_449)).map(|_| random.next() as u8).collect();
        let options: &[u8] = if round % 7 == 0 {
            &[]
        } else {
            &[1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8]
        };
        let fields = Fields {
            sequence: random.next() as u32,
            acknowledgment: random.next() as u32,
            flags: if round % 11 == 0 { SYN } else { PSH | ACK },
            window: random.next() as u16,
            identification: random.next() as u16,
            options,
        };
        let mut fast = Vec::new();
        Template::new(&path, from_client).write(&fields, &mut fast, |frame| frame.extend_from_slice(&payload));

        let (source, destination) = if from_client {
            (path.client, path.server)
        } else {
            (path.server, path.client)
        };
        let mut slow = Segment::new(socket(source), socket(destination));
        if !from_client {
            std::mem::swap(&mut slow.source_mac, &mut slow.destination_mac);
        }
        slow.vlans = vlans.into_iter().filter(|vlan| *vlan > 0).collect();
        slow.ttl = if from_client { 57 } else { 63 };
        slow.identification = fields.identification;
        slow.sequence = fields.sequence;
        slow.acknowledgment = fields.acknowledgment;
        slow.flags = fields.flags;
        slow.window = fields.window;
        slow.options = options.to_vec();
        slow.payload = payload;
        assert_eq!(fast, slow.frame(), "round {round}");
    }
}
