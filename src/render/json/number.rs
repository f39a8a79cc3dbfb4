//! Whole numbers and fractions as JSON: a session holds sixty, most of them short. Eight digits are made in one number and
//! appended in one step; what is longer is left to the crate that serde_json uses.

use std::io::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::time::{ZEROS, eight_digits, nine_digits};

/// Appends a number.
pub(super) fn number(number: u64, json: &mut Vec<u8>) {
    match u32::try_from(number) {
        Ok(digit @ 0..10) => json.push(b'0' + digit as u8),
        Ok(below @ 0..100_000_000) => append_short(short(below), json),
        _ => long(number, json),
    }
}

/// Apart, for what its buffer needs would be made ready for each short one, too.
#[cold]
#[inline(never)]
fn long(number: u64, json: &mut Vec<u8>) {
    json.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// The digits of a number below 100,000,000, each in an octet, the first in the lowest, and how many there are.
const fn short(number: u32) -> (u64, usize) {
    let digits = eight_digits(number);
    // The last digit stays, whatever it is.
    let zeros = (digits | 1 << 56).trailing_zeros() / 8;
    ((digits | ZEROS) >> (8 * zeros), 8 - zeros as usize)
}

fn append_short((digits, length): (u64, usize), json: &mut Vec<u8>) {
    let end = json.len() + length;
    json.extend_from_slice(&digits.to_le_bytes());
    json.truncate(end);
}

/// The digits of a first and a last frame that are the same, and how many there are; `None` where they are not, or long.
pub(super) fn same((first, last): (u64, u64)) -> Option<([u8; 8], usize)> {
    match u32::try_from(first) {
        Ok(below @ 0..100_000_000) if first == last => {
            let (digits, length) = short(below);
            Some((digits.to_le_bytes(), length))
        }
        _ => None,
    }
}

/// Appends a first and a last frame.
pub(super) fn pair((first, last): (u64, u64), json: &mut Vec<u8>) {
    json.push(b'[');
    number(first, json);
    json.push(b',');
    number(last, json);
    json.push(b']');
}

/// Each octet as decimal number with a point behind it, and how many octets that takes.
static OCTETS: [([u8; 4], u8); 256] = {
    let mut table = [([b'.'; 4], 0); 256];
    let mut octet = 0;
    while octet < 256 {
        let (digits, length) = short(octet as u32);
        let [one, two, three, ..] = digits.to_le_bytes();
        table[octet] = match length {
            1 => ([one, b'.', b'.', b'.'], 2),
            2 => ([one, two, b'.', b'.'], 3),
            _ => ([one, two, three, b'.'], 4),
        };
        octet += 1;
    }
    table
};

/// Appends an IPv4 address.
pub(super) fn address_v4(address: Ipv4Addr, json: &mut Vec<u8>) {
    for octet in address.octets() {
        let (text, length) = OCTETS[usize::from(octet)];
        let end = json.len() + usize::from(length);
        json.extend_from_slice(&text);
        json.truncate(end);
    }
    // The last point.
    json.pop();
}

/// Appends seconds, a point and the nanoseconds of a second (below 1,000,000,000), without the zeros at the end; at least
/// one digit stays.
pub(super) fn decimal(seconds: u64, nanoseconds: u32, json: &mut Vec<u8>) {
    let mut whole = seconds as u8;
    if seconds >= 10 {
        number(seconds / 10, json);
        whole = (seconds % 10) as u8;
    }
    let (digits, last) = nine_digits(nanoseconds);
    let zeros = if last == 0 { 1 + digits.leading_zeros() / 8 } else { 0 };
    let end = json.len() + (11 - zeros as usize).max(3);
    let [a, b, c, d, e, f, g, h] = (digits | ZEROS).to_le_bytes();
    json.extend_from_slice(&[b'0' + whole, b'.', a, b, c, d, e, f, g, h, b'0' + last]);
    json.truncate(end);
}

/// Appends an IPv6 address (RFC 5952).
pub(super) fn address(address: Ipv6Addr, json: &mut Vec<u8>) {
    let segments = address.segments();
    let (start, end) = longest_zeros(&segments);
    if address.to_ipv4_mapped().is_some() || end == segments.len() {
        // With an IPv4 address in it, or as short as it may be: rare. A vector takes everything.
        _ = write!(json, "{address}");
        return;
    }
    for (position, segment) in segments.into_iter().enumerate() {
        if (start..end).contains(&position) {
            if position == start {
                json.push(b':');
            }
            continue;
        }
        let [first, last] = segment.to_be_bytes().map(|octet| u32::from(HEX[usize::from(octet)]));
        let digits = (4 - segment.leading_zeros() as usize / 4).max(1);
        let text = (first | last << 16) >> (8 * (4 - digits));
        if position > 0 {
            json.push(b':');
        }
        let end = json.len() + digits;
        json.extend_from_slice(&text.to_le_bytes());
        json.truncate(end);
    }
}

/// The two hexadecimal digits of each octet, the first in the lower half.
static HEX: [u16; 256] = {
    let digits = *b"0123456789abcdef";
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        table[octet] = u16::from_le_bytes([digits[octet / 16], digits[octet % 16]]);
        octet += 1;
    }
    table
};

/// The longest run of two segments of zero or more, the first of them.
fn longest_zeros(segments: &[u16; 8]) -> (usize, usize) {
    let (mut longest, mut start) = ((0, 0), 0);
    for (position, segment) in segments.iter().enumerate() {
        if *segment != 0 {
            start = position + 1;
        } else if position > start && position + 1 - start > longest.1 - longest.0 {
            longest = (start, position + 1);
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers() -> impl Iterator<Item = u64> {
        let near = |number: u64| [number.wrapping_sub(1), number, number.saturating_add(1)];
        let powers = (0..20).map(|power| 10_u64.pow(power));
        let random = std::iter::successors(Some(1_u64), |last| {
            Some(last.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1))
        });
        let random = random.zip(0..).take(50_000).map(|(number, step)| number >> (step % 60));
        powers.flat_map(near).chain(0..20_000).chain([u64::MAX]).chain(random)
    }

    #[test]
    fn numbers_are_written_as_they_are() {
        for value in numbers() {
            let mut json = b"[".to_vec();
            number(value, &mut json);
            assert_eq!(String::from_utf8(json).unwrap(), format!("[{value}"));
        }
    }

    #[test]
    fn pairs_and_octets_are_written_as_they_are() {
        let mut before = 0;
        for value in numbers() {
            for (first, last) in [(value, value), (before, value)] {
                let mut json = Vec::new();
                pair((first, last), &mut json);
                assert_eq!(String::from_utf8(json).unwrap(), format!("[{first},{last}]"));
            }
            before = value;
        }
        for octet in 0..=255 {
            let one = Ipv4Addr::new(octet, 255 - octet, octet / 2, 7);
            let mut json = b"x".to_vec();
            address_v4(one, &mut json);
            assert_eq!(String::from_utf8(json).unwrap(), format!("x{one}"));
        }
    }

    #[test]
    fn addresses_are_written_as_the_library_writes_them() {
        let values = [0, 1, 0xa, 0x10, 0xffff];
        let mut random = numbers().skip(30_000);
        for pattern in 0..70_000_u32 {
            let next = random.next().unwrap_or(0x1234_5678);
            let segment = |place: u32| match pattern >> (2 * place) & 3 {
                0 | 1 => 0,
                2 => values[(next >> place) as usize % values.len()],
                _ => (next >> place) as u16,
            };
            let one = Ipv6Addr::from([0, 1, 2, 3, 4, 5, 6, 7].map(segment));
            let mut json = b"x".to_vec();
            address(one, &mut json);
            assert_eq!(String::from_utf8(json).unwrap(), format!("x{one}"));
        }
        for one in [
            "::",
            "::1",
            "::ffff:192.0.2.1",
            "::192.0.2.1",
            "1::",
            "1:0:0:2:0:0:0:3",
            "64:ff9b::192.0.2.1",
        ] {
            let one: Ipv6Addr = one.parse().unwrap();
            let mut json = Vec::new();
            address(one, &mut json);
            assert_eq!(String::from_utf8(json).unwrap(), one.to_string());
        }
    }

    #[test]
    fn fractions_end_where_their_zeros_begin() {
        for value in numbers() {
            let nanoseconds = (value % 1_000_000_000) as u32;
            let seconds = value >> 40;
            let mut json = b"x".to_vec();
            decimal(seconds, nanoseconds, &mut json);
            let plain = format!("x{seconds}.{nanoseconds:09}");
            let plain = plain.trim_end_matches('0');
            let point = if plain.ends_with('.') { "0" } else { "" };
            assert_eq!(String::from_utf8(json).unwrap(), format!("{plain}{point}"));
        }
    }
}
