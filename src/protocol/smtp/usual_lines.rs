//! Lines of mail data as nearly all are: they end in CRLF, hold no other CR, LF or NUL, and an octet stands behind them
//! that ends no mail data. Goes over them with the widest vectors that the machine has, 64 octets at once.

use fearless_simd::{Level, Simd, dispatch, i8x64, prelude::*};

/// Octets tested at once.
const BLOCK: usize = 64;
/// These, and the LF and the octet behind it that belong to a CR at their end.
const WINDOW: usize = BLOCK + 2;

/// The usual lines that some mail data begins with.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct UsualLines {
    /// How many.
    pub count: u64,
    /// Octets of the longest one, line end included.
    pub longest: u64,
    /// A line behind one of these begins with "-".
    pub dashes: bool,
    /// There is an octet above 0x7f in these lines or in `text`.
    pub eight_bit: bool,
    /// Octets behind these lines.
    pub behind: usize,
    /// Octets that follow and are neither CR, LF nor NUL, or fewer.
    pub text: usize,
}

impl UsualLines {
    /// The usual lines that `bytes` begin with; `begun` octets of the first line came before. `dotted`: a line that begins
    /// with a dot is not usual.
    #[inline(never)]
    pub fn of(bytes: &[u8], dotted: bool, begun: u64) -> Self {
        Self::at_level(Level::new(), bytes, dotted, begun)
    }

    #[inline(always)]
    fn at_level(level: Level, bytes: &[u8], dotted: bool, begun: u64) -> Self {
        dispatch!(level, simd => Walk::over(simd, bytes, dotted, begun))
    }
}

struct Walk {
    dotted: bool,
    /// Where the current line begins; for the first line, less what came of it before, in wrapping numbers.
    line: u64,
    count: u64,
    longest: u64,
    dashes: bool,
    eight_bit: bool,
}

impl Walk {
    #[inline(always)]
    fn over<S: Simd>(simd: S, bytes: &[u8], dotted: bool, begun: u64) -> UsualLines {
        let mut walk = Self {
            dotted,
            line: 0_u64.wrapping_sub(begun),
            count: 0,
            longest: 0,
            dashes: false,
            eight_bit: false,
        };
        let mut start = 0;
        let mut rest = bytes;
        let end = loop {
            let Some(window) = rest.first_chunk() else {
                // NUL ends the walk where the octets end.
                let mut padded = [0; WINDOW];
                if let Some(place) = padded.get_mut(..rest.len()) {
                    place.copy_from_slice(rest);
                }
                break walk.take(simd, start, &padded).unwrap_or(start + BLOCK);
            };
            if let Some(end) = walk.take(simd, start, window) {
                break end;
            }
            start += BLOCK;
            rest = rest.get(BLOCK..).unwrap_or_default();
        };
        let line = if walk.count > 0 { walk.line as usize } else { 0 };
        UsualLines {
            count: walk.count,
            longest: walk.longest,
            dashes: walk.dashes,
            eight_bit: walk.eight_bit,
            behind: bytes.len() - line,
            text: end - line,
        }
    }

    /// Goes over the block that begins at `start`; gives the place of what belongs to no usual line.
    #[inline(always)]
    fn take<S: Simd>(&mut self, simd: S, start: usize, window: &[u8; WINDOW]) -> Option<usize> {
        let mut odd = odd_octets(simd, window);
        while odd != 0 {
            let place = odd.trailing_zeros() as usize;
            odd &= odd - 1;
            let at = start + place;
            let [first, second, third] = window.get(place..).and_then(<[u8]>::first_chunk).copied()?;
            if [first, second] != *b"\r\n" {
                match first {
                    // Of the line that ended with the block before.
                    b'\n' if at as u64 + 1 == self.line => {}
                    0 | b'\r' | b'\n' => return Some(at),
                    0x80.. => {
                        self.eight_bit = true;
                        odd &= !eight_bit_octets(simd, window);
                    }
                    _ => {}
                }
                continue;
            }
            if third <= b'.' {
                match third {
                    // Most likely there is no octet.
                    0 => return Some(at),
                    b'.' if self.dotted => return Some(at),
                    b'-' => self.dashes = true,
                    _ => {}
                }
            }
            // The LF, if it lies in the block.
            odd &= odd.wrapping_sub(1);
            let next = at as u64 + 2;
            self.count += 1;
            self.longest = self.longest.max(next.wrapping_sub(self.line));
            self.line = next;
        }
        None
    }
}

/// A bit for each octet of the block that is up to 13, or 0x80 and above, which is below 14 as a signed number.
#[inline(always)]
fn odd_octets<S: Simd>(simd: S, window: &[u8; WINDOW]) -> u64 {
    signed(simd, window).simd_lt(14).to_bitmask()
}

#[inline(always)]
fn eight_bit_octets<S: Simd>(simd: S, window: &[u8; WINDOW]) -> u64 {
    signed(simd, window).simd_lt(0).to_bitmask()
}

#[inline(always)]
fn signed<S: Simd>(simd: S, window: &[u8; WINDOW]) -> i8x64<S> {
    let block: [i8; BLOCK] = std::array::from_fn(|place| window[place].cast_signed());
    i8x64::load_array(simd, block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same, one octet after the other.
    fn plainly(bytes: &[u8], dotted: bool, mut begun: u64) -> UsualLines {
        let mut lines = UsualLines::default();
        let mut rest = bytes;
        loop {
            lines.behind = rest.len();
            lines.text = rest.iter().take_while(|octet| !b"\r\n\0".contains(octet)).count();
            lines.eight_bit |= !rest[..lines.text].is_ascii();
            match rest[lines.text..] {
                [b'\r', b'\n', next, ..] if next != 0 && !(dotted && next == b'.') => {
                    lines.count += 1;
                    lines.longest = lines.longest.max(begun + lines.text as u64 + 2);
                    lines.dashes |= next == b'-';
                    begun = 0;
                    rest = &rest[lines.text + 2..];
                }
                _ => return lines,
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn usual_lines_are_what_is_found_octet_by_octet(
            pieces in prop::collection::vec(
                prop_oneof![
                    8 => "[ -~]{0,90}\r\n".prop_map(String::into_bytes),
                    1 => prop::collection::vec(prop::sample::select(b"\r\n.-\t\0 x\x0e\x7f\x80\xff".to_vec()), 1..4),
                ],
                0..12,
            ),
            dotted in any::<bool>(),
            begun in 0_u64..200,
        ) {
            let bytes = pieces.concat();
            let expected = plainly(&bytes, dotted, begun);
            for level in [Level::new(), Level::baseline()] {
                let mut found = UsualLines::at_level(level, &bytes, dotted, begun);
                // The last octet may be left out.
                if found.text + 1 == found.behind && expected.text == found.behind {
                    found.eight_bit |= bytes[bytes.len() - 1] >= 0x80;
                    found.text = expected.text;
                }
                prop_assert_eq!(&found, &expected);
            }
        }
    }
}
