//! Turns setting lines (`snap 96`, `capture at server` …) into settings, and moments into nanoseconds.

use super::Side;
use super::plan::{CapturePoint, Mirror, PathMtu, Settings};
use crate::words::{Words, duration, number};

/// Changes a setting; false when the word names none.
pub(crate) fn apply(settings: &mut Settings, word: &str, words: &Words) -> Result<bool, String> {
    let size = || -> Result<Option<usize>, String> {
        match words.next() {
            Some("off") => Ok(None),
            Some(text) => Ok(Some(number(text)? as usize)),
            None => Err(format!("\"{word}\" needs a number or off")),
        }
    };
    match word {
        "capture" => {
            words.flag("at");
            settings.capture_at = match words.next() {
                Some("client") => CapturePoint::Client,
                Some("server") => CapturePoint::Server,
                Some("middle") => CapturePoint::Middle,
                _ => return Err("write \"capture at client\", server or middle".to_owned()),
            };
        }
        "latency" => settings.latency = duration(words.next().unwrap_or_default())?,
        "snap" => settings.snap = size()?,
        "fragment" => settings.fragment = size()?,
        "split" => settings.split = size()?,
        "vlan" => {
            settings.vlans = match words.next() {
                Some("off") => Vec::new(),
                Some(text) => text
                    .split(',')
                    .map(|vlan| number(vlan).map(|vlan| vlan as u16))
                    .collect::<Result<_, _>>()?,
                None => return Err("\"vlan\" needs an identifier, several with commas, or off".to_owned()),
            };
        }
        "oneway" => {
            settings.only_from = match words.next() {
                Some("off") => None,
                Some(text) => Some(direction(text)?),
                None => return Err("write \"oneway c2s\", s2c or off".to_owned()),
            };
        }
        "offload" => {
            settings.offload = match words.next() {
                Some("client") => Some(Side::Client),
                Some("server") => Some(Side::Server),
                Some("off") => None,
                _ => return Err("write \"offload client\", server or off".to_owned()),
            };
        }
        "mirror" => {
            let off = words.flag("off");
            let routed = words.flag("routed");
            settings.mirror = (!off).then_some(Mirror { routed });
        }
        "hide" => settings.hidden = true,
        "show" => settings.hidden = false,
        "pmtu" => {
            let icmp = words.flag("icmp");
            let retries = words.number("retries")?.unwrap_or(4).min(12) as u32;
            let from = match (words.flag("c2s"), words.flag("s2c")) {
                (true, false) => Some(Side::Client),
                (false, true) => Some(Side::Server),
                _ => None,
            };
            settings.path_mtu = size()?.map(|size| PathMtu {
                size,
                from,
                icmp,
                retries,
            });
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// `c2s` or `s2c` as the side that is seen.
pub(crate) fn direction(text: &str) -> Result<Side, String> {
    match text {
        "c2s" | "client" => Ok(Side::Client),
        "s2c" | "server" => Ok(Side::Server),
        _ => Err(format!("\"{text}\" is no direction; c2s or s2c")),
    }
}

/// `2026-11-02T09:00:00Z` in nanoseconds since the epoch.
pub(crate) fn moment(text: &str) -> Result<i64, String> {
    let wrong = || format!("\"{text}\" is no moment like 2026-11-02T09:00:00Z");
    let numbers: Vec<i64> = text
        .trim_end_matches('Z')
        .split(['-', 'T', ':'])
        .map(|part| part.parse().map_err(|_| wrong()))
        .collect::<Result<_, _>>()?;
    let (year, month, day, hour, minute, second) = match numbers.as_slice() {
        [year, month, day] => (*year, *month, *day, 0, 0, 0),
        [year, month, day, hour, minute] => (*year, *month, *day, *hour, *minute, 0),
        [year, month, day, hour, minute, second] => (*year, *month, *day, *hour, *minute, *second),
        _ => return Err(wrong()),
    };
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1970..=2200).contains(&year) {
        return Err(wrong());
    }
    // Days from the civil date, counting years from March.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    Ok((days * 86_400 + hour * 3600 + minute * 60 + second) * 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_counted_from_the_epoch() {
        assert_eq!(moment("2026-11-02T09:00:00Z"), Ok(super::super::START_NS));
        assert_eq!(moment("1970-01-01"), Ok(0));
        assert_eq!(moment("2028-03-01T00:00"), Ok(1_835_481_600_000_000_000));
        assert!(moment("yesterday").is_err());
    }
}
