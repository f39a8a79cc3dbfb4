//! Octets to fill messages and records with: prose, base64 and ciphertext, made once, read at any place.

use crate::random::Random;

/// Octets of one line, CR LF included.
pub const LINE: usize = 78;
/// Lines of a pool.
const LINES: usize = 13_000;
/// Octets behind a pool that repeat its beginning, so that any stretch up to this long is in one piece.
const OVERLAP: usize = LINE * 200;

/// Which octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Words in lines; one line in 500 begins with a dot, stuffed (RFC 5321, 4.5.2).
    Prose,
    /// The same where no dot is stuffed (BDAT).
    ProseUnstuffed,
    /// Base64 in lines.
    Base64,
    /// Random octets.
    Cipher,
}

/// The pools.
pub struct Pools {
    pools: [Vec<u8>; 4],
}

const WORDS: [&str; 24] = [
    "mail", "server", "received", "please", "invoice", "meeting", "regards", "delivery", "the", "and", "for", "with",
    "about", "report", "attached", "tomorrow", "thanks", "schedule", "from", "question", "answer", "contract", "to",
    "of",
];
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl Pools {
    /// Fills them; the same octets every time.
    #[must_use]
    pub fn new() -> Self {
        let mut random = Random::new(0x7465_7874);
        let prose = lines(&mut random, prose_line);
        let mut unstuffed = prose.clone();
        for line in unstuffed.chunks_mut(LINE).filter(|line| line[0] == b'.') {
            line[0] = b'-';
        }
        let base64 = lines(&mut random, |random, line| {
            while line.len() < LINE - 2 {
                line.push(*random.pick(BASE64));
            }
        });
        let mut cipher = Vec::with_capacity(LINE * LINES);
        while cipher.len() < LINE * LINES {
            cipher.extend_from_slice(&random.next().to_le_bytes());
        }
        cipher.truncate(LINE * LINES);
        let mut pools = [prose, unstuffed, base64, cipher];
        for pool in &mut pools {
            pool.extend_from_within(..OVERLAP);
        }
        Self { pools }
    }

    /// `length` octets (at most 15,600) from any place on.
    #[must_use]
    pub fn slice(&self, fill: Fill, place: usize, length: usize) -> &[u8] {
        let start = place % (LINE * LINES);
        &self.pools[fill as usize][start..start + length]
    }

    /// A place to begin at: the start of a line.
    pub fn place(random: &mut Random) -> usize {
        random.below(LINES as u64) as usize * LINE
    }
}

impl Default for Pools {
    fn default() -> Self {
        Self::new()
    }
}

fn lines(random: &mut Random, mut fill: impl FnMut(&mut Random, &mut Vec<u8>)) -> Vec<u8> {
    let mut pool = Vec::with_capacity(LINE * LINES + OVERLAP);
    let mut line = Vec::with_capacity(LINE + 10);
    for _ in 0..LINES {
        line.clear();
        fill(random, &mut line);
        line.truncate(LINE - 2);
        line.extend_from_slice(b"\r\n");
        pool.extend_from_slice(&line);
    }
    pool
}

fn prose_line(random: &mut Random, line: &mut Vec<u8>) {
    if random.chance(2) {
        line.extend_from_slice(b"..");
    }
    while line.len() < LINE - 2 {
        line.extend_from_slice(random.pick(&WORDS).as_bytes());
        line.push(if random.chance(60) { b',' } else { b' ' });
    }
}
