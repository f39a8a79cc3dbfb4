//! Turns 32-bit sequence numbers that wrap around into distances (RFC 9293, section 3.4).

/// How far `to` lies behind `from`: negative where it lies before. Right for distances below 2 GiB.
pub(super) const fn distance(from: u32, to: u32) -> i64 {
    to.wrapping_sub(from) as i32 as i64
}

/// True where `number` lies behind `other`.
pub(super) const fn is_after(number: u32, other: u32) -> bool {
    distance(other, number) > 0
}

/// The later of two.
pub(super) const fn later(one: u32, two: u32) -> u32 {
    if is_after(one, two) { one } else { two }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_goes_over_the_wrap() {
        assert_eq!(distance(0xffff_fff0, 0x10), 0x20);
        assert_eq!(distance(0x10, 0xffff_fff0), -0x20);
        assert!(is_after(3, 0xffff_ffff));
        assert_eq!(later(3, 0xffff_ffff), 3);
    }
}
