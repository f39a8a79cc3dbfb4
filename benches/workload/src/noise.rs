//! Connections that are no mail, for the mirror port.

use crate::plan::{Piece, Plan, Source, Step};
use crate::random::Random;
use crate::recorded::Library;
use crate::text::{Fill, Pools};
use crate::wire::{Address, Path};

const CLIENT: bool = true;
const SERVER: bool = false;

/// One connection from `client` to some server of the same IP version.
pub fn connection(client: (Address, u16), random: &mut Random, library: &Library) -> Plan {
    let host = random.between(1, 254) as u8;
    let server = match client.0 {
        Address::V4(_) => Address::V4([203, 0, 113, host]),
        Address::V6(_) => Address::V6([0x20, 0x01, 0x0d, 0xb8, 0, 0x99, 0, 0, 0, 0, 0, 0, 0, 0, 0, host]),
    };
    let vlans = random.weighted(&[(78, [0, 0]), (20, [100, 0]), (2, [200, 101])]);
    let path = |port, udp| Path {
        client,
        server: (server, port),
        vlans,
        udp,
    };
    match random.below(100) {
        0..=39 => https(path(443, false), random, library),
        40..=54 => quic(path(443, true), random),
        55..=74 => dns(path(53, true), random),
        75..=82 => transfers(path(445, false), random, 8, 400_000.0),
        83..=89 => transfers(path(22, false), random, 60, 120.0),
        _ => {
            let port = *random.pick(&[80, 3389, 5432, 8080, 9100, 1883]);
            transfers(path(port, false), random, 5, 20_000.0)
        }
    }
}

fn random_octets(random: &mut Random, octets: f64) -> Piece {
    Piece {
        source: Source::Pool(Fill::Cipher),
        place: Pools::place(random),
        length: octets.clamp(16.0, 2e7) as usize,
    }
}

fn https(path: Path, random: &mut Random, library: &Library) -> Plan {
    let mut plan = Plan::new(path);
    plan.steps.push(Step::Open);
    plan.say(CLIENT, 100_000, &library.client_hello);
    plan.say(SERVER, 500_000, &library.server_hello);
    for _ in 0..random.between(1, 6) {
        let request = random.log_normal(500.0, 0.5);
        let answer = random.log_normal(30_000.0, 1.6);
        for (from_client, octets) in [(CLIENT, request), (SERVER, answer)] {
            let body = random_octets(random, octets.min(16_000.0));
            let header = plan.own(&[23, 3, 3, (body.length >> 8) as u8, body.length as u8]);
            let records = (octets / 16_000.0).ceil() as usize;
            plan.say_pieces(from_client, 2_000_000, &[header, body].repeat(records.max(1)));
        }
    }
    plan.steps.push(Step::Close { from_client: CLIENT });
    plan
}

fn quic(path: Path, random: &mut Random) -> Plan {
    let mut plan = Plan::new(path);
    for _ in 0..random.between(1, 4) {
        let (request, answer) = (random_octets(random, 1_200.0), random.log_normal(80_000.0, 1.4));
        plan.say_pieces(CLIENT, 1_000_000, &[request]);
        let answer = random_octets(random, answer);
        plan.say_pieces(SERVER, 1_000_000, &[answer]);
    }
    plan
}

fn dns(path: Path, random: &mut Random) -> Plan {
    let mut plan = Plan::new(path);
    let id = (random.next() as u16).to_be_bytes();
    let name = format!("h{:06}", random.below(1_000_000));
    let question = [&[7], name.as_bytes(), b"\x07example\0\0\x01\0\x01"].concat();
    let head = |flags: u8, answers: u8| [&id[..], &[flags, 0x80 * answers, 0, 1, 0, answers, 0, 0, 0, 0]].concat();
    plan.say(CLIENT, 0, &[head(1, 0), question.clone()].concat());
    let answer = b"\xc0\x0c\0\x01\0\x01\0\0\x0e\x10\0\x04\xc6\x33\x64\x0a".to_vec();
    plan.say(SERVER, 0, &[head(0x81, 1), question, answer].concat());
    plan
}

/// Requests and answers of random octets.
fn transfers(path: Path, random: &mut Random, turns: u64, median: f64) -> Plan {
    let mut plan = Plan::new(path);
    plan.steps.push(Step::Open);
    for _ in 0..random.between(1, turns) {
        let (request, answer) = (random.log_normal(100.0, 0.5), random.log_normal(median, 1.2));
        let (request, answer) = (random_octets(random, request), random_octets(random, answer));
        plan.say_pieces(CLIENT, 3_000_000, &[request]);
        plan.say_pieces(SERVER, 500_000, &[answer]);
    }
    plan.steps.push(Step::Close { from_client: CLIENT });
    plan
}
