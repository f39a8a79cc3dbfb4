//! Octets that somebody chose: nothing panics, nothing grows, every cut gives the same facts.

use proptest::prelude::*;

use super::wire::*;
use crate::protocol::tls::{Decoder, TlsStart, certificate, looks_like_record};
use crate::tcp::Chunk;

const LEAF: &[u8] = include_bytes!("../testdata/leaf.der");
const ROOT: &[u8] = include_bytes!("../testdata/root.der");

/// A plausible conversation to break: TLS 1.2 or TLS 1.3.
fn conversation(new: bool) -> Vec<Play> {
    let chain = vector24(&[vector24(LEAF), vector24(ROOT)].concat());
    if new {
        let encrypted = [sealed(23, 23), sealed(23, 200), sealed(23, 69)].concat();
        return vec![
            tells(C, 1, &offer13()),
            says(
                S,
                [record(22, &message(2, &choice13(0x1302))), record(20, &[1]), encrypted].concat(),
            ),
            says(C, [record(20, &[1]), sealed(23, 69), sealed(23, 40)].concat()),
            says(S, [sealed(23, 250), sealed(23, 61), sealed(23, 19)].concat()),
            says(C, sealed(23, 19)),
        ];
    }
    let flight = [message(2, &choice12(0xC02F)), message(11, &chain), message(14, &[])].concat();
    vec![
        tells(C, 1, &offer12()),
        says(S, record(22, &flight)),
        says(
            C,
            [record(22, &message(16, &[0; 66])), record(20, &[1]), sealed(22, 40)].concat(),
        ),
        says(S, [record(20, &[1]), sealed(22, 40), record(21, &[2, 40])].concat()),
        says(C, [sealed(23, 40), sealed(21, 26), b"QUIT\r\n".to_vec()].concat()),
    ]
}

/// Changes octets: `(entry, position, value)`, all taken modulo what there is.
fn mutate(plays: &mut [Play], changes: &[(usize, usize, u8)]) {
    let count = plays.len();
    for (entry, position, value) in changes {
        if let Play::Octets(_, octets) = &mut plays[entry % count] {
            let length = octets.len();
            octets[position % length] = *value;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn changed_octets_never_panic_and_every_cut_agrees(
        new: bool,
        changes in prop::collection::vec((0_usize..8, prop_oneof![0_usize..64, 0_usize..4000], any::<u8>()), 0..12),
        step in 1_usize..40,
    ) {
        let mut plays = conversation(new);
        mutate(&mut plays, &changes);
        let whole = play_counting(TlsStart::Upgraded, &plays, usize::MAX);
        prop_assert_eq!(play_counting(TlsStart::Upgraded, &plays, step), whole);
    }

    #[test]
    fn holes_never_panic_and_every_cut_agrees(
        new: bool,
        holes in prop::collection::vec((0_usize..8, 0_usize..3000, 1_usize..3000), 1..4),
        step in 1_usize..40,
    ) {
        let mut plays = conversation(new);
        for (entry, position, length) in holes {
            let index = entry % plays.len();
            let Play::Octets(direction, octets) = plays[index].clone() else { continue };
            let start = position % octets.len();
            let end = (start + length).min(octets.len());
            let parts = [
                says(direction, octets[..start].to_vec()),
                Play::Hole(direction, (end - start) as u64),
                says(direction, octets[end..].to_vec()),
            ];
            plays.splice(index..=index, parts.into_iter().filter(|part| !matches!(part, Play::Octets(_, rest) if rest.is_empty())));
        }
        let whole = play_counting(TlsStart::Implicit, &plays, usize::MAX);
        prop_assert_eq!(play_counting(TlsStart::Implicit, &plays, step), whole);
    }

    #[test]
    fn noise_never_panics(octets in prop::collection::vec(any::<u8>(), 0..600), step in 1_usize..20) {
        let _ = looks_like_record(&octets);
        let plays = [says(C, octets.clone()), says(S, octets)];
        prop_assert_eq!(play_counting(TlsStart::Inferred, &plays, step), play_counting(TlsStart::Inferred, &plays, usize::MAX));
    }

    #[test]
    fn damaged_certificates_never_panic(changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..8), root: bool, cut: Option<u16>) {
        let mut der = if root { ROOT.to_vec() } else { LEAF.to_vec() };
        for (position, value) in changes {
            let length = der.len();
            der[position % length] = value;
        }
        if let Some(cut) = cut {
            der.truncate(usize::from(cut) % der.len());
        }
        let _ = certificate(&der);
    }
}

#[test]
fn endless_handshakes_do_not_grow_the_decoder() {
    let hello = record(22, &message(1, &offer13()));
    let huge = record(22, &[11, 0xFF, 0xFF, 0xFF]);
    let mut decoder = Decoder::new(TlsStart::Implicit, at(1));
    let mut offset = 0;
    let mut push = |decoder: &mut Decoder, bytes: &[u8]| {
        decoder.push(Chunk {
            direction: C,
            offset,
            bytes,
            stamp: at(1),
        });
        offset += bytes.len() as u64;
    };
    for _ in 0..20_000 {
        push(&mut decoder, &hello);
    }
    push(&mut decoder, &huge);
    for _ in 0..1_000 {
        push(&mut decoder, &record(22, &[0; 16_000]));
    }
    assert!(decoder.weight() < 64 * 1024, "{}", decoder.weight());
    let facts = decoder.finish();
    assert_eq!(facts.client_hellos.len(), crate::protocol::tls::CLIENT_HELLOS);
    assert!(facts.unreadable_messages > 10_000);
}

#[test]
fn what_a_hello_makes_a_session_hold_is_counted() {
    let suites: Vec<u16> = (0..5_000).collect();
    let hello = record(22, &message(1, &client_hello(0x0303, &[], &suites, None)));
    let (most, last) = hello.split_at(hello.len() - 1);
    let mut decoder = Decoder::new(TlsStart::Implicit, at(1));
    let push = |decoder: &mut Decoder, bytes: &[u8], offset| {
        decoder.push(Chunk {
            direction: C,
            offset,
            bytes,
            stamp: at(1),
        });
        assert!(decoder.weight() > size_of_val(&suites[..]), "{}", decoder.weight());
    };
    push(&mut decoder, most, 0);
    assert!(decoder.handshakes.to_server.weight() >= size_of_val(&suites[..]));
    push(&mut decoder, last, most.len() as u64);
    assert_eq!(
        decoder.handshakes.to_server.weight(),
        0,
        "the message is over, what put it together is given back"
    );
}
