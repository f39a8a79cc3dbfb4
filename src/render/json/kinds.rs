//! What a session is and what became of it, in the words of its record: of all the ways in which these go together a capture
//! has a few. Those are remembered as JSON, in each thread, and copied. Nothing but time depends on that; a test holds it
//! against the plain way, and the lab's holds whole records against serde.

use std::cell::RefCell;

use crate::render::json::session::SessionRecord;
use crate::render::json::text::{Quality, word};
use crate::render::json::writer::ToJson as _;
use crate::session::CaptureQuality;

/// Places for ways in each thread, one at each.
const REMEMBERED: usize = 128;

/// How the words go together. Each of ours lies at one place, which tells it from others.
#[derive(Clone, Copy, Debug)]
struct Way {
    /// Service, protocol (empty where absent), security, stage, who ended it, outcome.
    words: [&'static str; 6],
    is_confirmed: bool,
    quality: CaptureQuality,
}

impl Way {
    fn is(&self, other: &Self) -> bool {
        let same = |(one, other): (&&'static str, &&'static str)| std::ptr::eq(*one, *other);
        self.words.iter().zip(&other.words).all(same)
            && self.is_confirmed == other.is_confirmed
            && self.quality == other.quality
    }

    fn place(&self) -> usize {
        let address = |word: &&'static str| word.as_ptr().addr() as u64;
        let mixed = self
            .words
            .iter()
            .fold(0, |mixed: u64, word| mixed.rotate_left(9) ^ address(word));
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize % REMEMBERED
    }

    /// Appends the fields, each behind a comma.
    fn append(&self, json: &mut Vec<u8>) {
        let known = KNOWN.try_with(|known| {
            let mut known = known.borrow_mut();
            let known = known.get_mut(self.place())?;
            if !known.as_ref().is_some_and(|known| known.way.is(self)) {
                let mut fields = Vec::new();
                self.tell(&mut fields);
                *known = Some(Known { way: *self, fields });
            }
            json.extend_from_slice(&known.as_ref()?.fields);
            Some(())
        });
        if known.ok().flatten().is_none() {
            self.tell(json);
        }
    }

    #[cold]
    fn tell(&self, json: &mut Vec<u8>) {
        let [service, protocol, security, stage_reached, ended_by, outcome] = self.words;
        let field = |name: &str, value: &str, json: &mut Vec<u8>| {
            json.extend_from_slice(name.as_bytes());
            word(value, json);
        };
        field(",\"service\":", service, json);
        if !protocol.is_empty() {
            field(",\"protocol\":", protocol, json);
        }
        json.extend_from_slice(b",\"protocol_confirmed\":");
        self.is_confirmed.append(json);
        field(",\"security\":", security, json);
        field(",\"stage_reached\":", stage_reached, json);
        field(",\"ended_by\":", ended_by, json);
        field(",\"outcome\":", outcome, json);
        json.extend_from_slice(b",\"capture_quality\":");
        Quality(self.quality).append(json);
    }
}

/// A way, and its fields as JSON.
struct Known {
    way: Way,
    fields: Vec<u8>,
}

thread_local! {
    static KNOWN: RefCell<Vec<Option<Known>>> = RefCell::new((0..REMEMBERED).map(|_| None).collect());
}

impl SessionRecord<'_> {
    /// Appends the fields from `service` to `capture_quality`.
    pub(super) fn kinds(&self, json: &mut Vec<u8>) {
        let way = Way {
            words: [
                self.service.0,
                self.protocol.map_or("", |protocol| protocol.0),
                self.security.0,
                self.stage_reached.0,
                self.ended_by.0,
                self.outcome.0,
            ],
            is_confirmed: self.protocol_confirmed,
            quality: self.capture_quality.0,
        };
        way.append(json);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_what_is_told() {
        let words = ["smtp", "", "none", "quit", "limit"];
        for round in 0..2 {
            // More ways than there are places, and of each those that differ in little, twice and in turn.
            for number in 0..5_usize.pow(5) {
                let word = |place: u32| words[number / 5_usize.pow(place) % 5];
                for little in [0, 1, 2, 3, 0, 0, 4, 0] {
                    let way = Way {
                        words: [word(0), word(1), word(2), word(3), word(4), words[little % 2 + 1]],
                        is_confirmed: little == 2,
                        quality: CaptureQuality {
                            gaps: little == 4,
                            ..CaptureQuality::default()
                        },
                    };
                    let (mut ours, mut plain) = (Vec::new(), Vec::new());
                    way.append(&mut ours);
                    way.tell(&mut plain);
                    assert_eq!(
                        String::from_utf8(ours),
                        String::from_utf8(plain),
                        "{way:?} in round {round}"
                    );
                }
            }
        }
    }
}
