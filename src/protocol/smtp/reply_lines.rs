//! The texts of a reply's lines. A server greets everybody alike and sends everybody the same list of extensions, so those
//! that came last are remembered, in each thread, and shared: half of what an open session would hold. Nothing but memory
//! depends on that.

use std::cell::RefCell;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use crate::captured::Captured;

/// Replies remembered in each thread.
const REMEMBERED: usize = 256;
/// Those of several lines among them.
const LISTS: usize = 64;
/// Octets of the longest reply that is remembered, all lines together.
const LONGEST: usize = 1024;

/// Lines that cannot be changed any more; used as the slice that they are.
#[derive(Clone, Default)]
pub struct ReplyLines(Option<Arc<Lines>>);

/// Nearly all replies have one line.
enum Lines {
    One([Captured; 1]),
    /// And the octets of all of them.
    Several(Box<[Captured]>, usize),
}

// Every reply has them, and a busy mirror port holds hundreds of thousands of replies.
const _: () = assert!(size_of::<ReplyLines>() <= 8);

thread_local! {
    static KNOWN: RefCell<Vec<Option<ReplyLines>>> = RefCell::new(vec![None; REMEMBERED]);
}

impl ReplyLines {
    /// Takes the lines out of `lines`; the same ones that came before are used again.
    pub(super) fn take(lines: &mut Vec<Captured>) -> Self {
        let mut hasher = foldhash::fast::FixedState::default().build_hasher();
        let mut octets = 0;
        for line in lines.iter() {
            octets += line.bytes().len();
            hasher.write(line.bytes());
        }
        if octets > LONGEST {
            return std::mem::take(lines).into();
        }
        // Every second reply of one line is said to nobody else ("queued as ..."): the lists have places of their own.
        let place = match (&**lines, hasher.finish() as usize) {
            ([] | [_], hash) => LISTS + hash % (REMEMBERED - LISTS),
            (_, hash) => hash % LISTS,
        };
        KNOWN.with_borrow_mut(|known| match known.get_mut(place) {
            Some(Some(one)) if **one == **lines => {
                lines.clear();
                one.clone()
            }
            Some(place) => place.insert(std::mem::take(lines).into()).clone(),
            None => std::mem::take(lines).into(),
        })
    }

    /// Octets of all lines together.
    pub(super) fn octets(&self) -> usize {
        match self.0.as_deref() {
            None => 0,
            Some(Lines::One([line])) => line.bytes().len(),
            Some(Lines::Several(_, octets)) => *octets,
        }
    }

    /// They lie at the same place, and so are the same.
    pub(crate) fn is_shared_with(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }
}

impl Deref for ReplyLines {
    type Target = [Captured];

    fn deref(&self) -> &[Captured] {
        match self.0.as_deref() {
            None => &[],
            Some(Lines::One(line)) => line,
            Some(Lines::Several(lines, _)) => lines,
        }
    }
}

impl From<Vec<Captured>> for ReplyLines {
    fn from(lines: Vec<Captured>) -> Self {
        let lines = match <[Captured; 1]>::try_from(lines) {
            Ok(line) => Lines::One(line),
            Err(lines) if lines.is_empty() => return Self(None),
            Err(lines) => {
                let octets = lines.iter().map(|line| line.bytes().len()).sum();
                Lines::Several(lines.into(), octets)
            }
        };
        Self(Some(Arc::new(lines)))
    }
}

impl PartialEq for ReplyLines {
    fn eq(&self, other: &Self) -> bool {
        self.is_shared_with(other) || **self == **other
    }
}

impl Eq for ReplyLines {}

impl fmt::Debug for ReplyLines {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(texts: &[&str]) -> ReplyLines {
        ReplyLines::take(&mut texts.iter().map(|text| Captured::from(*text)).collect())
    }

    #[test]
    fn the_same_lines_are_shared_and_others_are_not() {
        let one = taken(&["mx.example", "PIPELINING"]);
        assert_eq!(
            (one.octets(), taken(&["mx.example"]).octets(), taken(&[]).octets()),
            (20, 10, 0)
        );
        assert!(one.is_shared_with(&taken(&["mx.example", "PIPELINING"])));
        // The same octets with other ends of lines, and what is too long to be remembered.
        assert_ne!(one, taken(&["mx.exampleP", "IPELINING"]));
        let long = "x".repeat(LONGEST + 1);
        assert!(!taken(&[&long]).is_shared_with(&taken(&[&long])));
        assert_eq!(taken(&[&long]), taken(&[&long]));
        for number in 0..2_000 {
            let text = format!("250 {number}");
            assert_eq!(taken(&[&text])[0], Captured::from(&*text));
        }
    }
}
