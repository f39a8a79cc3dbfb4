//! How values look inside sentences, in each language.

use std::borrow::Cow;
use std::time::Duration;

use crate::diagnosis::Value;
use crate::text::Language;
use crate::text::explanation::Explanation;
use crate::text::notes::note;
use crate::text::phrases::phrase;

/// Turns captured octets into text that is safe for the sink.
pub type Encoder = fn(&[u8]) -> Cow<'_, str>;

/// A value as it stands inside a sentence.
#[must_use]
pub fn show(value: &Value, language: Language, encode: Encoder) -> String {
    match value {
        Value::Captured(text) => encode(text.bytes()).into_owned(),
        // A name may hold octets of the capture all the same: a mechanism, a host.
        Value::Name(name) => named(&encode(name.as_bytes()), language),
        Value::Number(number) => grouped(*number),
        Value::Duration(duration) => self::duration(*duration, language),
        Value::Time(time) => time.rfc3339(0),
        Value::Phrase(key) => phrase(key, language).to_owned(),
        Value::Note(one) => note(one, language, encode),
        Value::Rule(slug) => crate::insight::rule(slug).map_or_else(
            || (*slug).to_owned(),
            |rule| Explanation::of(rule, language).title.to_owned(),
        ),
        Value::List(values) => values
            .iter()
            .map(|one| show(one, language, encode))
            .collect::<Vec<_>>()
            .join(match language {
                Language::English => ", ",
                Language::Japanese => "、",
            }),
    }
}

/// A name as a language writes it: Japanese operators write "TLS1.2", without the space.
#[must_use]
pub fn named(name: &str, language: Language) -> String {
    match language {
        Language::English => name.to_owned(),
        Language::Japanese => name
            .replace("TLS 1.", "TLS1.")
            .replace("SSL 2.0", "SSL2.0")
            .replace("SSL 3.0", "SSL3.0"),
    }
}

/// Numbers of five digits and more with separators; ports, codes and small counts as they are.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    if digits.len() < 6 {
        return digits;
    }
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A duration in the unit that a reader thinks in: "0.4 ms", "1.2 s", "3 min 20 s", "2 h 5 min", "41 days".
#[must_use]
pub fn duration(duration: Duration, language: Language) -> String {
    let english = language == Language::English;
    let seconds = duration.as_secs_f64();
    let whole = duration.as_secs();
    if seconds < 0.001 {
        format!("{}{}", duration.as_micros(), if english { " µs" } else { "µs" })
    } else if seconds < 1.0 {
        format!("{:.0}{}", seconds * 1000.0, if english { " ms" } else { "ミリ秒" })
    } else if seconds < 120.0 {
        let text = if whole >= 10 {
            format!("{seconds:.0}")
        } else {
            format!("{seconds:.1}")
        };
        format!("{text}{}", if english { " s" } else { "秒" })
    } else if whole < 7200 {
        pair(
            whole / 60,
            whole % 60,
            if english { (" min", " s") } else { ("分", "秒") },
            english,
        )
    } else if whole < 172_800 {
        pair(
            whole / 3600,
            whole % 3600 / 60,
            if english { (" h", " min") } else { ("時間", "分") },
            english,
        )
    } else {
        format!("{}{}", whole / 86_400, if english { " days" } else { "日" })
    }
}

fn pair(large: u64, small: u64, (large_unit, small_unit): (&str, &str), spaced: bool) -> String {
    if small == 0 {
        format!("{large}{large_unit}")
    } else {
        format!(
            "{large}{large_unit}{}{small}{small_unit}",
            if spaced { " " } else { "" }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_speak_in_the_readers_unit() {
        let english = |milliseconds| duration(Duration::from_millis(milliseconds), Language::English);
        assert_eq!(english(12), "12 ms");
        assert_eq!(english(4_200), "4.2 s");
        assert_eq!(english(200_000), "3 min 20 s");
        assert_eq!(english(86_400_000 * 41), "41 days");
        assert_eq!(duration(Duration::from_millis(4_200), Language::Japanese), "4.2秒");
    }

    #[test]
    fn large_numbers_are_grouped_and_ports_are_not() {
        assert_eq!(grouped(10_240_000), "10,240,000");
        assert_eq!(grouped(65_535), "65535");
    }
}
