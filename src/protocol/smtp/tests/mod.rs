//! Plays scripts of both sides to the decoder: one line of a script is one frame.

mod authentication;
mod chunking;
mod commands;
mod data;
mod gaps;
mod mail_data;
mod secrets;

use crate::frame::FrameNumber;
use crate::protocol::smtp::{Decoder, Detail, Dialogue, Exchange, Reply};
use crate::protocol::{Progress, Retention, Upgrade};
use crate::span::{Direction, Span, Stamp};
use crate::tcp::{Chunk, Gap};
use crate::time::Timestamp;

/// One frame, or a hole.
#[derive(Clone, Debug)]
pub enum Step {
    Octets(Direction, Vec<u8>),
    Gap(Direction, u64),
}

/// "C: line" and "S: line" are frames with CRLF added; "c:" and "s:" add nothing; "+" adds a line to the frame before;
/// "GC 10" and "GS 10" are holes. Backslash escapes: \r \n \0 \t \xHH \\.
pub fn steps(script: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in script.lines().map(str::trim_start).filter(|line| !line.is_empty()) {
        let (key, text) = line.split_at(2.min(line.len()));
        let text = text.strip_prefix(' ').unwrap_or(text);
        let mut octets = unescaped(text);
        if key != "c:" && key != "s:" {
            octets.extend(b"\r\n");
        }
        match key {
            "C:" | "c:" => steps.push(Step::Octets(Direction::ToServer, octets)),
            "S:" | "s:" => steps.push(Step::Octets(Direction::ToClient, octets)),
            "+:" => match steps.last_mut() {
                Some(Step::Octets(_, before)) => before.extend(octets),
                _ => panic!("nothing to add to: {line}"),
            },
            "GC" => steps.push(Step::Gap(Direction::ToServer, text.parse().unwrap())),
            "GS" => steps.push(Step::Gap(Direction::ToClient, text.parse().unwrap())),
            _ => panic!("{line}"),
        }
    }
    steps
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((octet, behind)) = rest.split_first() {
        rest = behind;
        if *octet != b'\\' {
            octets.push(*octet);
            continue;
        }
        let (kind, behind) = rest.split_first().unwrap();
        rest = behind;
        octets.push(match kind {
            b'r' => b'\r',
            b'n' => b'\n',
            b't' => b'\t',
            b'0' => 0,
            b'x' => {
                let digits = std::str::from_utf8(&rest[..2]).unwrap();
                rest = &rest[2..];
                u8::from_str_radix(digits, 16).unwrap()
            }
            other => *other,
        });
    }
    octets
}

/// Plays the owner: cuts frames into pieces, holds the client's octets behind STARTTLS.
pub struct Owner {
    decoder: Decoder,
    frame: u64,
    offsets: [u64; 2],
    held: Option<Vec<(u64, Stamp, Vec<u8>)>>,
    tls: bool,
}

impl Owner {
    pub fn new(retention: Retention) -> Self {
        Self {
            decoder: Decoder::new(retention),
            frame: 0,
            offsets: [0; 2],
            held: None,
            tls: false,
        }
    }

    pub fn decoder(&mut self) -> &mut Decoder {
        &mut self.decoder
    }

    pub fn play(&mut self, step: &Step, mut cut: impl FnMut(usize) -> usize) {
        self.frame += 1;
        let stamp = Stamp {
            frame: FrameNumber(self.frame),
            time: Timestamp::from_parts(self.frame.cast_signed(), 0),
        };
        match step {
            Step::Octets(direction, octets) => {
                let mut rest = octets.as_slice();
                while !rest.is_empty() {
                    let count = cut(rest.len()).clamp(1, rest.len());
                    let offset = self.advance(*direction, count as u64);
                    self.feed(*direction, offset, stamp, &rest[..count]);
                    rest = &rest[count..];
                }
            }
            Step::Gap(direction, length) => {
                let offset = self.advance(*direction, *length);
                self.decoder.gap(&Gap {
                    direction: *direction,
                    offset,
                    length: *length,
                    found_at: stamp,
                    acknowledged: true,
                    cut_by_snap_length: false,
                });
            }
        }
    }

    fn advance(&mut self, direction: Direction, count: u64) -> u64 {
        let offset = &mut self.offsets[usize::from(direction == Direction::ToClient)];
        *offset += count;
        *offset - count
    }

    fn feed(&mut self, direction: Direction, offset: u64, stamp: Stamp, bytes: &[u8]) {
        if self.tls {
            return;
        }
        if direction == Direction::ToServer
            && let Some(held) = &mut self.held
        {
            held.push((offset, stamp, bytes.to_vec()));
            return;
        }
        let mut chunk = Chunk {
            direction,
            offset,
            bytes,
            stamp,
        };
        while !chunk.bytes.is_empty() && !self.tls {
            let Progress { octets, upgrade } = self.decoder.push(chunk);
            assert!(octets <= chunk.bytes.len());
            if upgrade == Upgrade::None {
                assert_eq!(octets, chunk.bytes.len());
            } else {
                assert!(octets > 0);
            }
            chunk = chunk.skip(octets);
            self.switch(upgrade);
            if upgrade == Upgrade::Asked {
                self.held = Some(vec![(chunk.offset, stamp, chunk.bytes.to_vec())]);
                return;
            }
        }
    }

    fn switch(&mut self, upgrade: Upgrade) {
        let held = match upgrade {
            Upgrade::Accepted | Upgrade::Refused => self.held.take().unwrap_or_default(),
            _ => return,
        };
        self.tls = upgrade == Upgrade::Accepted;
        for (offset, stamp, bytes) in held.into_iter().filter(|(_, _, bytes)| !bytes.is_empty()) {
            if self.tls {
                let span = Span {
                    direction: Direction::ToServer,
                    start: offset,
                    end: offset + bytes.len() as u64,
                    first: stamp,
                    last: stamp,
                };
                self.decoder.inject(span, &bytes);
            } else {
                self.feed(Direction::ToServer, offset, stamp, &bytes);
            }
        }
    }

    pub fn finish(self) -> Dialogue {
        *Box::new(self.decoder).finish()
    }
}

pub fn dialogue_of(steps: &[Step], mut cut: impl FnMut(usize) -> usize) -> Dialogue {
    let mut owner = Owner::new(Retention::default());
    for step in steps {
        owner.play(step, &mut cut);
    }
    owner.finish()
}

/// The dialogue of a script, octet by octet and frame by frame: both must be the same.
pub fn dialogue(script: &str) -> Dialogue {
    let steps = steps(script);
    let whole = dialogue_of(&steps, |length| length);
    assert_eq!(dialogue_of(&steps, |_| 1), whole, "octet by octet");
    whole
}

pub fn text(captured: &crate::captured::Captured) -> String {
    captured.bytes().escape_ascii().to_string()
}

fn reply_text(reply: &crate::protocol::Seen<Reply>) -> String {
    match reply {
        crate::protocol::Seen::Yes(reply) => reply.code.to_string(),
        crate::protocol::Seen::No => "no".into(),
        crate::protocol::Seen::Hidden => "hidden".into(),
    }
}

/// "line=code" of every exchange; intermediate and further replies between and behind.
pub fn summary(dialogue: &Dialogue) -> Vec<String> {
    let one = |exchange: &Exchange| {
        let mut shown = text(&exchange.line);
        for reply in exchange.intermediate() {
            shown += &format!(" {}", reply.code);
        }
        shown += &format!(" ={}", reply_text(&exchange.reply));
        for reply in exchange.further_replies() {
            shown += &format!(" +{}", reply.code);
        }
        shown
    };
    dialogue.exchanges.iter().map(one).collect()
}

pub fn unsolicited(dialogue: &Dialogue) -> Vec<u16> {
    dialogue.unsolicited.iter().map(|reply| reply.code).collect()
}

pub fn data_of(dialogue: &Dialogue, index: usize) -> &crate::protocol::smtp::DataFacts {
    match &dialogue.exchanges[index].detail {
        Detail::Data(Some(data)) | Detail::Bdat { data: Some(data), .. } => data,
        other => panic!("no mail data: {other:?}"),
    }
}
