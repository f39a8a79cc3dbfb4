//! A multi-line response (RFC 1939, section 3) → its octets without dot-stuffing, in whole runs, up to its end.

use memchr::memmem;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    LineStart,
    InLine,
    Dot,
    DotCarriageReturn,
}

/// Undoes dot-stuffing in any cutting.
#[derive(Debug)]
pub struct DotReader(State);

impl DotReader {
    /// At the start of the first line.
    pub const fn new() -> Self {
        Self(State::LineStart)
    }

    /// Takes octets and passes on what belongs to the text; how many were taken, and whether the end was reached.
    pub fn read(&mut self, bytes: &[u8], mut pass: impl FnMut(&[u8])) -> (usize, bool) {
        let mut taken = 0;
        while let Some(&octet) = bytes.get(taken) {
            match (self.0, octet) {
                (State::LineStart, b'.') => self.0 = State::Dot,
                (State::Dot, b'\r') => self.0 = State::DotCarriageReturn,
                (State::Dot | State::DotCarriageReturn, b'\n') => return (taken + 1, true),
                (State::DotCarriageReturn, _) => {
                    pass(b"\r");
                    self.0 = State::InLine;
                    continue;
                }
                (State::LineStart | State::Dot | State::InLine, _) => {
                    taken += self.run(bytes.get(taken..).unwrap_or_default(), &mut pass);
                    continue;
                }
            }
            taken += 1;
        }
        (taken, false)
    }

    /// Passes on octets up to the next line that begins with a dot.
    fn run(&mut self, bytes: &[u8], pass: &mut impl FnMut(&[u8])) -> usize {
        let (taken, state) = match memmem::find(bytes, b"\n.") {
            Some(at) => (at + 1, State::LineStart),
            None if bytes.ends_with(b"\n") => (bytes.len(), State::LineStart),
            None => (bytes.len(), State::InLine),
        };
        self.0 = state;
        pass(bytes.get(..taken).unwrap_or_default());
        taken
    }
}
