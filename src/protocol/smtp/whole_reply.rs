//! A sound reply that is all that a segment carries: nearly every reply there is. It is read at once, and a server's
//! segments that came last are remembered, in each thread, so that the same greeting or list of extensions is not taken
//! apart again. What is not sound, or stands in several segments, is read line by line ([`super::server`]); both read alike
//! (tests/chunking.rs cuts every conversation into octets).

use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher};

use memchr::memchr_iter;

use crate::captured::Captured;
use crate::protocol::smtp::reply_lines::ReplyLines;
use crate::protocol::smtp::server::{LONGEST_LINE, REPLY_LINES, ReplyLine, enhanced};

/// Segments remembered in each thread.
const REMEMBERED: usize = 256;
/// Octets of the longest that is remembered.
const LONGEST: usize = 1024;

/// What a sound reply says.
#[derive(Clone)]
pub(super) struct WholeReply {
    pub(super) code: u16,
    pub(super) enhanced: Option<(u8, u16, u16)>,
    pub(super) lines: ReplyLines,
}

/// A segment, and what it says.
type Known = Option<(Box<[u8]>, WholeReply)>;

thread_local! {
    static KNOWN: RefCell<Vec<Known>> = RefCell::new(vec![None; REMEMBERED]);
}

/// The reply that these octets are, all of them and nothing else; `None` where they are none, several, or not sound.
pub(super) fn read(octets: &[u8]) -> Option<WholeReply> {
    if octets.len() > LONGEST {
        return parse(octets);
    }
    let mut hasher = foldhash::fast::FixedState::default().build_hasher();
    hasher.write(octets);
    let place = hasher.finish() as usize % REMEMBERED;
    KNOWN.with_borrow_mut(|known| {
        let place = known.get_mut(place)?;
        if let Some((of, reply)) = place
            && **of == *octets
        {
            return Some(reply.clone());
        }
        let reply = parse(octets)?;
        *place = Some((octets.into(), reply.clone()));
        Some(reply)
    })
}

fn parse(octets: &[u8]) -> Option<WholeReply> {
    let mut lines = Vec::new();
    let mut found: Option<WholeReply> = None;
    let mut from = 0;
    for line_feed in memchr_iter(b'\n', octets) {
        let line = octets.get(from..line_feed)?.strip_suffix(b"\r")?;
        from = line_feed + 1;
        let read = ReplyLine::read(line).filter(ReplyLine::is_sound)?;
        let long = line.len() as u64 + 2 > LONGEST_LINE;
        if long || lines.len() >= REPLY_LINES {
            return None;
        }
        let reply = found.get_or_insert_with(|| WholeReply {
            code: read.code,
            enhanced: None,
            lines: ReplyLines::default(),
        });
        if reply.code != read.code {
            return None;
        }
        reply.enhanced = reply.enhanced.or_else(|| enhanced(read.text));
        lines.push(Captured::new(read.text));
        if !read.more {
            break;
        }
        // More must follow.
        if from == octets.len() {
            return None;
        }
    }
    let mut reply = found.filter(|_| from == octets.len())?;
    reply.lines = ReplyLines::take(&mut lines);
    Some(reply)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Code, enhanced code, number of lines.
    type Told = (u16, Option<(u8, u16, u16)>, usize);

    fn told(octets: &[u8]) -> Option<Told> {
        let reply = read(octets)?;
        let again = read(octets)?;
        assert_eq!(reply.lines, again.lines);
        Some((reply.code, reply.enhanced, reply.lines.len()))
    }

    #[test]
    fn only_one_sound_reply_and_nothing_else_is_read() {
        assert_eq!(told(b"220 mx.example ESMTP\r\n"), Some((220, None, 1)));
        assert_eq!(
            told(b"250-mx\r\n250-2.1.0 x\r\n250 y\r\n"),
            Some((250, Some((2, 1, 0)), 3))
        );
        for octets in [
            &b"250 one\r\n250 two\r\n"[..],
            b"250-mx\r\n",
            b"250-mx\r\n250 y",
            b"250-mx\r\n251 y\r\n",
            b"250 mx\n",
            b"250\tmx\r\n",
            b"199 mx\r\n",
            b"\r\n",
            b"",
            b"+OK\r\n",
        ] {
            assert_eq!(told(octets), None, "{}", octets.escape_ascii());
        }
        let long = |length: usize| [b"250 ", vec![b'x'; length].as_slice(), b"\r\n"].concat();
        assert!(told(&long(506)).is_some());
        assert!(told(&long(507)).is_none());
    }
}
