//! How far octets are plain: neither CR, LF nor another octet up to 13, nor 0x80 and above. One comparison of signed
//! octets tells all of these apart from text, which the compiler does for 16 octets at once.

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
/// 14 in each octet.
const FIRST_PLAIN: u64 = 0x0e0e_0e0e_0e0e_0e0e;

/// The number of plain octets at the start.
#[inline(always)]
pub fn plain_run(octets: &[u8]) -> usize {
    let (rows, rest) = octets.as_chunks::<16>();
    let is_odd = |row: &[u8; 16]| row.iter().fold(false, |odd, octet| odd | !is_plain(*octet));
    match rows.iter().position(is_odd) {
        Some(index) => 16 * index + rows.get(index).map_or(0, |row| plain_words(row)),
        None => 16 * rows.len() + plain_words(rest),
    }
}

const fn is_plain(octet: u8) -> bool {
    octet.cast_signed() >= 14
}

/// The same for few octets, eight at once.
fn plain_words(octets: &[u8]) -> usize {
    let (words, rest) = octets.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // With its high bit set, an octet gives up no more than itself: the bit stays where the octet was 14 or above.
        let not_below = (word | HIGH_BITS).wrapping_sub(FIRST_PLAIN);
        let odd = (!not_below | word) & HIGH_BITS;
        if odd != 0 {
            return 8 * index + (odd.trailing_zeros() / 8) as usize;
        }
    }
    8 * words.len() + rest.iter().take_while(|octet| is_plain(**octet)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_octet_at_every_place_is_found() {
        for octet in 0..=u8::MAX {
            let plain = (14..0x80).contains(&octet);
            for length in [1, 7, 8, 9, 31, 32, 33, 75] {
                for place in 0..length {
                    let mut octets = vec![b'x'; length];
                    octets[place] = octet;
                    let expected = if plain { length } else { place };
                    assert_eq!(plain_run(&octets), expected, "{octet} at {place} of {length}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn it_ends_where_one_octet_after_the_other_ends_it(
            plain in prop::collection::vec(14_u8..0x80, 0..200),
            rest in prop::collection::vec(any::<u8>(), 0..50),
        ) {
            let octets = [plain, rest].concat();
            let expected = octets.iter().position(|octet| *octet < 14 || *octet >= 0x80);
            prop_assert_eq!(plain_run(&octets), expected.unwrap_or(octets.len()));
        }
    }
}
