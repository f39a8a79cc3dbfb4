//! How fast this machine's memory is just now, and how near its processors are to each other: on a shared one the seconds of
//! a program that keeps much state, or shares it among threads, follow them.

use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// Octets of a cache line: each read is of another one.
const LINE: usize = 64;
/// Words of a line; the first says which line is read next.
const WORDS: usize = LINE / size_of::<u32>();
/// Reads of one measurement.
const READS: u32 = 4_000_000;
/// Times that a line goes to the other processor and back.
const CROSSINGS: u32 = 200_000;
/// Looks at a line in a row before another thread may have the processor.
const LOOKS: u32 = 10_000;
/// Octets of a page.
const PAGE: usize = 4096;

/// One line that says how long reads take that depend on each other, and what new memory costs.
#[must_use]
pub fn yardstick() -> String {
    let reads =
        [1_usize, 16, 128].map(|mebibytes| format!("{:.0} ns in {mebibytes} MiB", random_read(mebibytes << 20)));
    let (first, again) = (touch(512 << 20), touch(512 << 20));
    let line = crossing().map_or_else(String::new, |line| {
        format!("; a line to the other processor {line:.0} ns")
    });
    format!(
        "a read at random {}; a new page {first:.1} µs, then {again:.1} µs{line}",
        reads.join(", ")
    )
}

/// Nanoseconds until one processor sees what another one wrote; `None` where there is only one.
fn crossing() -> Option<f64> {
    if std::thread::available_parallelism().is_ok_and(|number| number.get() < 2) {
        return None;
    }
    let turn = AtomicU32::new(0);
    let await_turn = |wanted: u32| {
        let mut looks = 0_u32;
        while turn.load(Ordering::Acquire) != wanted {
            looks += 1;
            if looks.is_multiple_of(LOOKS) {
                std::thread::yield_now();
            }
            spin_loop();
        }
    };
    let took = std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..CROSSINGS {
                await_turn(2 * number + 1);
                turn.store(2 * number + 2, Ordering::Release);
            }
        });
        let begin = Instant::now();
        for number in 0..CROSSINGS {
            turn.store(2 * number + 1, Ordering::Release);
            await_turn(2 * number + 2);
        }
        begin.elapsed()
    });
    Some(took.as_secs_f64() * 1e9 / f64::from(2 * CROSSINGS))
}

/// Nanoseconds of a read whose place is known by the read before.
fn random_read(octets: usize) -> f64 {
    let lines = octets / LINE;
    let mut next = vec![0_u32; lines * WORDS];
    // One circle through all lines: a step of a full-period generator modulo a power of two.
    let mut at = 0_usize;
    for _ in 0..lines {
        let then = (at.wrapping_mul(0x19_660d).wrapping_add(0x3c6_ef35)) % lines;
        if let Some(place) = next.get_mut(at * WORDS) {
            *place = u32::try_from(then).unwrap_or_default();
        }
        at = then;
    }
    let mut line = 0_u32;
    let begin = Instant::now();
    for _ in 0..READS {
        line = next.get(line as usize * WORDS).copied().unwrap_or_default();
    }
    black_box(line);
    begin.elapsed().as_secs_f64() * 1e9 / f64::from(READS)
}

/// Microseconds of a page of memory that this process never had.
fn touch(octets: usize) -> f64 {
    let mut memory = vec![0_u8; octets];
    let begin = Instant::now();
    memory.iter_mut().step_by(PAGE).for_each(|octet| *octet = 1);
    let took = begin.elapsed().as_secs_f64();
    black_box(memory);
    took * 1e6 / (octets / PAGE) as f64
}
