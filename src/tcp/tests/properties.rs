//! What must hold whatever the wire does.

use super::*;
use proptest::prelude::*;

fn text(length: usize, direction: Direction) -> Vec<u8> {
    let salt = if direction == Direction::ToServer { 3 } else { 101 };
    (0..length)
        .map(|place| ((place * 31 + place / 7 + salt) % 251) as u8)
        .collect()
}

/// Segments of both directions, in the order of sending: direction, offset, length.
fn segmentation() -> impl Strategy<Value = Vec<(Direction, usize, usize)>> {
    prop::collection::vec((any::<bool>(), 1usize..40), 1..40).prop_map(|cuts| {
        let mut next = [0usize; 2];
        cuts.into_iter()
            .map(|(to_server, length)| {
                let direction = if to_server {
                    Direction::ToServer
                } else {
                    Direction::ToClient
                };
                let place = usize::from(!to_server);
                let start = next[place];
                next[place] += length;
                (direction, start, length)
            })
            .collect()
    })
}

fn total(segments: &[(Direction, usize, usize)], direction: Direction) -> usize {
    let mine = segments.iter().filter(|segment| segment.0 == direction);
    mine.map(|(_, start, length)| start + length).max().unwrap_or(0)
}

/// A segment with both sequence numbers moved, so that they may wrap.
fn shifted(segment: Segment<'_>, direction: Direction, shift: u32) -> Segment<'_> {
    let acknowledges = segment.flags.has(ACK);
    let (sequence, acknowledgment) = match direction {
        Direction::ToServer => (shift, shift.rotate_left(7)),
        Direction::ToClient => (shift.rotate_left(7), shift),
    };
    Segment {
        sequence: segment.sequence.wrapping_add(sequence),
        acknowledgment: if acknowledges {
            segment.acknowledgment.wrapping_add(acknowledgment)
        } else {
            0
        },
        ..segment
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_order_any_repetition_gives_the_same_octets(
        segments in segmentation(),
        moves in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..30),
        again in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0usize..30), 0..20),
        delays in prop::collection::vec(prop::sample::select(vec![0.001, 0.3, 5.0, 400.0]), 80),
        shift in prop::sample::select(vec![0u32, 0xffff_fc00, 0xffff_f000, 0x7fff_fff0, 0x1234_5678]),
    ) {
        let mut order = segments.clone();
        for (start, to, more) in &again {
            // A repetition with other borders.
            let (direction, from, length) = segments[start.index(segments.len())];
            let end = (from + length + more).min(total(&segments, direction));
            let place = to.index(order.len() + 1);
            order.insert(place, (direction, from.saturating_sub(more / 2), end - from.saturating_sub(more / 2)));
        }
        for (one, two) in &moves {
            let (one, two) = (one.index(order.len()), two.index(order.len()));
            order.swap(one, two);
        }
        let texts = Direction::BOTH.map(|direction| text(total(&segments, direction), direction));
        let mut wire = Wire::new();
        wire.send(shifted(syn(), Direction::ToServer, shift));
        wire.send(shifted(syn_ack(), Direction::ToClient, shift));
        for ((direction, from_offset, length), delay) in order.iter().zip(delays.iter().cycle()) {
            let octets = &texts[usize::from(*direction == Direction::ToClient)][*from_offset..from_offset + length];
            wire.after(*delay, shifted(from(*direction, *from_offset as u32, 0, octets), *direction, shift));
        }
        let ends = Direction::BOTH.map(|direction| total(&segments, direction) as u32);
        let fin = with(FIN | ACK, client(ends[0], ends[1], b""));
        wire.send(shifted(fin, Direction::ToServer, shift));
        wire.send(shifted(with(FIN | ACK, server(ends[1], ends[0] + 1, b"")), Direction::ToClient, shift));
        wire.send(shifted(client(ends[0] + 1, ends[1] + 1, b""), Direction::ToServer, shift));
        let (facts, record) = wire.only();
        prop_assert_eq!(&record.to_server, &texts[0]);
        prop_assert_eq!(&record.to_client, &texts[1]);
        prop_assert!(record.gaps.is_empty());
        prop_assert_eq!(facts.ending, Ending::Closed(Direction::ToServer));
        for direction in Direction::BOTH {
            let sent = facts.directions.get(direction);
            prop_assert_eq!(sent.conflicting_octets, 0);
            prop_assert_eq!(sent.octets, record.octets(direction).len() as u64);
            prop_assert_eq!(sent.unacknowledged_at_end, 0);
        }
    }

    #[test]
    fn lost_segments_leave_gaps_of_the_right_place_and_length(
        segments in segmentation(),
        lost in prop::collection::vec(any::<bool>(), 40),
        delay in prop::sample::select(vec![0.01, 1.0, 100.0]),
    ) {
        let texts = Direction::BOTH.map(|direction| text(total(&segments, direction), direction));
        let mut wire = Wire::new();
        wire.handshake();
        let mut acknowledged = [0u32; 2];
        let mut expected: [Vec<u8>; 2] = [Vec::new(), Vec::new()];
        let mut missing: [Vec<(u64, u64)>; 2] = [Vec::new(), Vec::new()];
        for ((direction, offset, length), lost) in segments.iter().zip(&lost) {
            let place = usize::from(*direction == Direction::ToClient);
            let octets = &texts[place][*offset..offset + length];
            let opposite = acknowledged[1 - place];
            if *lost {
                match missing[place].last_mut() {
                    Some((start, long)) if *start + *long == *offset as u64 => *long += *length as u64,
                    _ => missing[place].push((*offset as u64, *length as u64)),
                }
            } else {
                wire.after(delay, from(*direction, *offset as u32, opposite, octets));
                expected[place].extend_from_slice(octets);
            }
            acknowledged[place] = (offset + length) as u32;
            wire.after(delay, from(direction.opposite(), acknowledged[1 - place], acknowledged[place], b""));
        }
        wire.close(acknowledged[0], acknowledged[1]);
        let (facts, record) = wire.only();
        prop_assert_eq!(&record.to_server, &expected[0]);
        prop_assert_eq!(&record.to_client, &expected[1]);
        for direction in Direction::BOTH {
            let place = usize::from(direction == Direction::ToClient);
            let sent = facts.directions.get(direction);
            let mut told: Vec<(u64, u64)> = Vec::new();
            for gap in record.gaps.iter().filter(|gap| gap.direction == direction) {
                prop_assert!(gap.acknowledged);
                match told.last_mut() {
                    Some((start, long)) if *start + *long == gap.offset => *long += gap.length,
                    _ => told.push((gap.offset, gap.length)),
                }
            }
            prop_assert_eq!(&told, &missing[place]);
            prop_assert_eq!(sent.missing_octets, missing[place].iter().map(|gap| gap.1).sum::<u64>());
            prop_assert_eq!(sent.acknowledged_unseen, !missing[place].is_empty());
        }
    }

    #[test]
    fn random_segments_never_panic_and_keep_the_limits(
        segments in prop::collection::vec(
            (0u8..6, any::<bool>(), any::<u8>(), prop_oneof![0u32..4_000, any::<u32>()], prop_oneof![0u32..4_000, any::<u32>()],
             0usize..300, 0u32..3, prop_oneof![Just(0.001), Just(3.0), Just(90_000.0), Just(-500.0)]),
            1..400),
    ) {
        let limits = Limits { flows: 4, half_open: 2, memory: 60_000, out_of_order_total: 8_000, lingering: 1, ..Limits::default() };
        let mut wire = Wire::with_limits(limits);
        let octets = [b'x'; 300];
        for (host, to_server, flags, sequence, acknowledgment, length, cut, delay) in segments {
            let direction = if to_server { Direction::ToServer } else { Direction::ToClient };
            let mut segment = with(flags & 0x1f, from(direction, sequence, acknowledgment, &octets[..length]));
            segment.payload_length += cut * 70_000;
            segment.window = sequence as u16;
            match direction {
                Direction::ToServer => segment.change_ends(|source, _| source.port += u16::from(host)),
                Direction::ToClient => segment.change_ends(|_, destination| destination.port += u16::from(host)),
            }
            wire.after(delay, segment);
            prop_assert!(wire.table.open() <= 4);
            prop_assert!(wire.table.half_open() <= 2);
            prop_assert!(wire.table.memory() <= 60_000);
        }
        wire.finish();
    }

    /// Most segments are usual and some are not, in one connection: the wire holds both ways against each other.
    #[test]
    fn the_short_way_leaves_what_the_long_way_leaves(
        steps in prop::collection::vec(
            (any::<bool>(), 0u8..24, 0usize..40, 0u32..60, prop_oneof![8 => Just(0.2), 2 => Just(40.0), 1 => Just(700.0), 1 => Just(-3.0)]),
            1..120),
        shift in prop::sample::select(vec![0u32, 0xffff_ff00, 0x7fff_ff80]),
    ) {
        let octets = text(64, Direction::ToServer);
        let mut wire = Wire::new();
        wire.send(shifted(syn(), Direction::ToServer, shift));
        wire.send(shifted(syn_ack(), Direction::ToClient, shift));
        wire.send(shifted(client(0, 0, b""), Direction::ToServer, shift));
        let mut sent = [0u32; 2];
        for (to_server, kind, length, other, delay) in steps {
            let (direction, mine) = if to_server { (Direction::ToServer, 0) } else { (Direction::ToClient, 1) };
            let (next, acknowledged) = (sent[mine], sent[1 - mine]);
            let usual = from(direction, next, acknowledged, &octets[..length]);
            let mut segment = match kind {
                0 => from(direction, next, acknowledged.wrapping_sub(other), &octets[..length]),
                1 => from(direction, next, acknowledged + other, &octets[..length]),
                2 => from(direction, next.saturating_sub(other * 9), acknowledged, &octets[..length]),
                3 => from(direction, next + other, acknowledged, &octets[..length]),
                4 => Segment { window: other as u16 % 2, ..usual },
                5 => Segment { payload_length: length as u32 + other, ..usual },
                6 if other == 0 => with(FIN | ACK, usual),
                7 if other == 0 => with(RST | ACK, usual),
                8 => Segment { time_to_live: 9, encapsulation: other, ..usual },
                9 => Segment { options: Options { timestamps: Some((other, 1)), ..Options::default() }, ..usual },
                _ => usual,
            };
            segment.payload = segment.payload.get(..segment.payload_length as usize).unwrap_or(segment.payload);
            let segment = shifted(segment, direction, shift);
            if kind < 4 || segment.payload_length as usize == length {
                let place = if kind == 3 { next + other } else { next };
                sent[mine] = sent[mine].max(if kind == 2 { 0 } else { place + segment.payload_length });
            }
            match kind {
                10 | 11 => {
                    // The same packet twice, as a mirror port shows it.
                    let segment = Segment { ip_identification: Some(7_000 + other as u16), ..segment };
                    wire.exactly(delay, segment);
                    wire.exactly(0.1, segment);
                }
                12 => _ = wire.exactly(delay, segment),
                _ => _ = wire.after(delay, segment),
            }
        }
        wire.finish();
    }

    #[test]
    fn two_runs_give_the_same_facts(
        segments in prop::collection::vec((0u16..40, any::<bool>(), any::<u8>(), 0u32..2_000, 0usize..50), 1..200),
    ) {
        let run = || {
            let mut wire = Wire::with_limits(Limits { flows: 6, half_open: 5, ..Limits::default() });
            for (host, to_server, flags, sequence, length) in &segments {
                let direction = if *to_server { Direction::ToServer } else { Direction::ToClient };
                let octets = [b'y'; 50];
                let mut segment = with(flags & 0x1f, from(direction, *sequence, *sequence, &octets[..*length]));
                match direction {
                    Direction::ToServer => segment.change_ends(|source, _| source.port += host),
                    Direction::ToClient => segment.change_ends(|_, destination| destination.port += host),
                }
                wire.after(700.0, segment);
            }
            let counts = wire.table.counts().clone();
            let finished = wire.finish();
            (counts, finished.into_iter().map(|one| (one.facts, one.stream)).collect::<Vec<_>>())
        };
        prop_assert_eq!(run(), run());
    }
}
