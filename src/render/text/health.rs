//! Capture health for people: one line when all is well, and plain words when it is not.

use crate::capture::{Damage, FileFacts};
use crate::render::encode;
use crate::render::text::story::Page;
use crate::render::text::style::{Paint, Style};
use crate::report::Health;
use crate::text::{Message, duration};

/// Damaged places told of each file; the rest is counted.
const DAMAGES: usize = 3;
/// Types of frames told.
const TYPES: usize = 4;

/// The capture's health, first of all; `decrypted` sessions were read with keys.
pub fn health(page: &mut Page<'_>, health: &Health, decrypted: u64, style: &Style) {
    let troubles = troubles(health, style);
    let names: Vec<_> = health
        .capture
        .files
        .iter()
        .map(|file| encode::terminal(file.name.as_encoded_bytes()).into_owned())
        .collect();
    let span = match (
        health.capture.files.iter().filter_map(|file| file.earliest).min(),
        health.capture.files.iter().filter_map(|file| file.latest).max(),
    ) {
        (Some(first), Some(last)) => duration(last.since(first), style.language),
        _ => duration(std::time::Duration::ZERO, style.language),
    };
    let frames = health.capture.frames().to_string();
    let values = [("name", names.join(", ")), ("frames", frames), ("duration", span)];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    let message = if troubles.is_empty() {
        Message::CaptureSound
    } else {
        Message::CaptureWithLimits
    };
    page.text(0, &style.say(message, &values));
    for trouble in troubles {
        page.labelled(
            2,
            "! ",
            Some(Paint::Severity(crate::diagnosis::Severity::Limit)),
            &trouble,
        );
    }
    if health.key_log.secrets > 0 {
        let (secrets, count) = (health.key_log.secrets.to_string(), decrypted.to_string());
        page.text(
            0,
            &style.say(Message::KeyLogUsed, &[("secrets", &secrets), ("count", &count)]),
        );
    }
}

/// Everything that a reader must know before believing the rest.
#[must_use]
pub fn troubles(health: &Health, style: &Style) -> Vec<String> {
    let mut said = Vec::new();
    for file in &health.capture.files {
        file_troubles(file, style, &mut said);
    }
    let mut count = |message: Message, number: u64| {
        if number > 0 {
            said.push(style.say(message, &[("count", &number.to_string())]));
        }
    };
    count(Message::KernelDrops, health.dropped());
    count(Message::SnapLength, health.cut_frames());
    let types = health.not_decoded();
    if !types.is_empty() {
        let number: u64 = types.iter().map(|(_, count)| count).sum();
        let shown: Vec<_> = types
            .iter()
            .take(TYPES)
            .map(|(name, count)| format!("{name} ({count})"))
            .collect();
        said.push(style.say(
            Message::NotDecoded,
            &[("count", &number.to_string()), ("types", &shown.join(", "))],
        ));
    }
    let keys = health.key_log;
    if keys.damaged > 0 {
        said.push(style.say(Message::KeyLogDamaged, &[("count", &keys.damaged.to_string())]));
    }
    if keys.secrets == 0 && keys.unused + keys.damaged > 0 {
        let others = (keys.unused + keys.damaged).to_string();
        said.push(style.say(Message::KeyLogNothing, &[("count", &others)]));
    }
    if keys.behind_frames > 0 && health.keyless > 0 {
        let values = [
            ("count", keys.behind_frames.to_string()),
            ("sessions", health.keyless.to_string()),
        ];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        said.push(style.say(Message::KeysBehindFrames, &values));
    }
    let limits = [
        (Message::LimitEvicted, health.connections.evicted),
        (Message::LimitHalfOpen, health.connections.half_open_evicted),
        (Message::LimitForgotten, health.forgotten),
        (Message::LimitKeys, keys.not_kept),
    ];
    for (what, number) in limits.into_iter().filter(|(_, number)| *number > 0) {
        let what = style.word(what);
        said.push(style.say(
            Message::LimitReached,
            &[("what", &what), ("count", &number.to_string())],
        ));
    }
    said
}

fn file_troubles(file: &FileFacts, style: &Style, said: &mut Vec<String>) {
    let name = encode::terminal(file.name.as_encoded_bytes());
    for damage in file.damages.kept().iter().take(DAMAGES) {
        said.push(self::damage(&name, damage, style));
    }
    let further = file.damages.total().saturating_sub(DAMAGES as u64);
    if further > 0 {
        said.push(style.say(
            Message::FurtherDamages,
            &[("file", &name), ("count", &further.to_string())],
        ));
    }
    if let Some(cut) = file.cut {
        said.push(style.say(
            Message::CaptureCut,
            &[("file", &name), ("offset", &cut.offset.to_string())],
        ));
    }
    if file.failed {
        said.push(style.say(Message::CaptureNotRead, &[("file", &name)]));
    }
    if let Some(first) = file.odd.first_backwards {
        said.push(style.say(
            Message::TimeBackwards,
            &[
                ("count", &file.odd.backwards.to_string()),
                ("frame", &first.to_string()),
            ],
        ));
    }
}

/// One damaged place.
#[must_use]
pub fn damage(name: &str, damage: &Damage, style: &Style) -> String {
    let (offset, expected, found) = (
        damage.offset.to_string(),
        damage.expected.to_string(),
        damage.found.to_string(),
    );
    let resumed = damage.resumed_at.map(|resumed| resumed.to_string());
    let mut values = vec![
        ("file", name),
        ("offset", offset.as_str()),
        ("expected", expected.as_str()),
        ("found", found.as_str()),
    ];
    match &resumed {
        Some(resumed) => {
            values.push(("resumed", resumed));
            style.say(Message::CaptureDamaged, &values)
        }
        None => style.say(Message::CaptureDamagedToEnd, &values),
    }
}
