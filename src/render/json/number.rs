//! Whole numbers and fractions as JSON: a session holds sixty, most of them short. Eight digits are made in one number and
//! appended in one step; what is longer is left to the crate that serde_json uses.

const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The decimal digits of a number below 100,000,000, each in an octet, the first in the lowest; not yet letters.
const fn eight_digits(number: u32) -> u64 {
    // Halves of four digits, then of two, then of one: each half of a number stands behind the other in the same number.
    let number = number as u64;
    let fours = number / 10_000 | (number % 10_000) << 32;
    let hundreds = (fours * 10_486) >> 20 & 0x7f_0000_007f;
    let twos = hundreds | (fours - hundreds * 100) << 16;
    let tens = (twos * 103) >> 10 & 0x000f_000f_000f_000f;
    tens | (twos - tens * 10) << 8
}

/// Appends a number.
pub(super) fn number(number: u64, json: &mut Vec<u8>) {
    match u32::try_from(number) {
        Ok(digit @ 0..10) => json.push(b'0' + digit as u8),
        Ok(short @ 0..100_000_000) => {
            let digits = eight_digits(short);
            // The last digit stays, were it zero.
            let zeros = (digits.trailing_zeros() / 8).min(7);
            let end = json.len() + 8 - zeros as usize;
            json.extend_from_slice(&((digits | ZEROS) >> (8 * zeros)).to_le_bytes());
            json.truncate(end);
        }
        _ => json.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
    }
}

/// Appends a point and the nanoseconds of a second (below 1,000,000,000), without the zeros at the end; at least one digit
/// stays.
pub(super) fn fraction(nanoseconds: u32, json: &mut Vec<u8>) {
    let (digits, last) = (eight_digits(nanoseconds / 10), nanoseconds % 10);
    let zeros = if last == 0 { 1 + digits.leading_zeros() / 8 } else { 0 };
    let end = json.len() + (10 - zeros as usize).max(2);
    let [a, b, c, d, e, f, g, h] = (digits | ZEROS).to_le_bytes();
    json.extend_from_slice(&[b'.', a, b, c, d, e, f, g, h, b'0' + last as u8]);
    json.truncate(end);
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
    fn fractions_end_where_their_zeros_begin() {
        for value in numbers() {
            let nanoseconds = (value % 1_000_000_000) as u32;
            let mut json = b"0".to_vec();
            fraction(nanoseconds, &mut json);
            let plain = format!("0.{nanoseconds:09}");
            let plain = match plain.trim_end_matches('0') {
                "0." => "0.0",
                plain => plain,
            };
            assert_eq!(String::from_utf8(json).unwrap(), plain);
        }
    }
}
