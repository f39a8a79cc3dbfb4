//! Date and time of a header field (RFC 5322, section 3.3, obsolete forms of section 4.3 included) → seconds since the
//! epoch. Reads no clock.

use std::borrow::Cow;

use memchr::memchr2;

/// Seconds since the epoch; `None` where it cannot be read or says an impossible day.
#[must_use]
pub fn parse_date(text: &[u8]) -> Option<i64> {
    let plain = without_comments(text);
    let mut words = plain
        .split(|octet| octet.is_ascii_whitespace() || *octet == b',')
        .filter(|word| !word.is_empty())
        .peekable();
    if words.peek()?.first()?.is_ascii_alphabetic() {
        words.next();
    }
    let day = number(words.next()?)?;
    let month = month(words.next()?)?;
    let written = words.next()?;
    let year = match (number(written)?, written.len()) {
        (short @ 0..=49, 2) => short + 2000,
        (short, 2 | 3) => short + 1900,
        (year, _) => year,
    };
    let mut clock = words.next()?.split(|&octet| octet == b':');
    let hour = number(clock.next()?)?;
    let minute = number(clock.next()?)?;
    let second = clock.next().map_or(Some(0), number)?;
    let zone = words.next().map_or(Some(0), zone)?;
    let sound = (1..=days_in(year, month)).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    let year_is_sound = (1900..=9999).contains(&year);
    (sound && year_is_sound)
        .then(|| days_since_epoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - zone)
}

fn without_comments(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr2(b'(', b')', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut depth = 0_u32;
    let mut plain = Vec::with_capacity(text.len().min(128));
    for &octet in text {
        match octet {
            b'(' => depth = depth.saturating_add(1),
            b')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(octet),
            _ => {}
        }
    }
    Cow::Owned(plain)
}

fn number(digits: &[u8]) -> Option<i64> {
    if !(1..=4).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        digits
            .iter()
            .fold(0, |number, digit| 10 * number + i64::from(digit - b'0')),
    )
}

fn month(word: &[u8]) -> Option<i64> {
    let letters = word.first_chunk::<3>()?.map(|letter| letter.to_ascii_lowercase());
    Some(match &letters {
        b"jan" => 1,
        b"feb" => 2,
        b"mar" => 3,
        b"apr" => 4,
        b"may" => 5,
        b"jun" => 6,
        b"jul" => 7,
        b"aug" => 8,
        b"sep" => 9,
        b"oct" => 10,
        b"nov" => 11,
        b"dec" => 12,
        _ => return None,
    })
}

/// Seconds east of Greenwich. Military letters and unknown names mean "no zone known": zero (RFC 5322, section 4.3).
fn zone(word: &[u8]) -> Option<i64> {
    let sign = match word.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => {
            let hours = match word.to_ascii_uppercase().as_slice() {
                b"EDT" => -4,
                b"EST" | b"CDT" => -5,
                b"CST" | b"MDT" => -6,
                b"MST" | b"PDT" => -7,
                b"PST" => -8,
                b"JST" => 9,
                _ => 0,
            };
            return Some(hours * 3600);
        }
    };
    let digits = word.get(1..)?;
    if digits.len() != 4 {
        return None;
    }
    let value = number(digits)?;
    Some(sign * (value / 100 * 3600 + value % 100 * 60))
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar; years begin in March so that the leap day is the last.
const fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::parse_date;

    #[test]
    fn dates_are_read_with_numeric_obsolete_and_missing_parts() {
        let table: &[(&str, Option<i64>)] = &[
            ("Thu, 01 Jan 1970 00:00:00 +0000", Some(0)),
            ("Mon, 23 Nov 2026 18:41:16 +0900 (JST)", Some(1_795_426_876)),
            ("23 Nov 26 09:41 GMT", Some(1_795_426_860)),
            ("Mon, 23 Nov 2026 04:41:16 EST", Some(1_795_426_876)),
            ("29 Feb 2000 12:00:00 -0000", Some(951_825_600)),
            ("29 Feb 2001 12:00:00 -0000", None),
            ("1 Jan 1999 00:00:00 Z", Some(915_148_800)),
            ("Mon, 32 Nov 2026 18:41:16 +0900", None),
            ("yesterday", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse_date(text.as_bytes()), *expected, "{text}");
        }
    }
}
