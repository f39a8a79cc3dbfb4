//! Findings for people: what happened, why, what to do and who, proof, how sure; consequences folded under their cause.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::diagnosis::{Confidence, Evidence, Finding, Severity};
use crate::render::encode;
use crate::render::text::layout::{pad, width, wrap};
use crate::render::text::style::{Paint, Style};
use crate::render::text::words;
use crate::report::{Cause, Example};
use crate::session::SessionId;
use crate::text::{Explanation, Message, proof, tell};

/// Findings besides the headline that are shown of a session; the rest is counted.
const OBSERVATIONS: usize = 5;
/// Pieces of proof shown of a finding.
const PROOFS: usize = 4;
/// Addresses shown of a cause.
const ADDRESSES: usize = 5;
/// Addresses shown of a cause where each has one session.
const ALIKE: usize = 3;
/// Sessions of one cause from which on they are told together.
const GROUPED_FROM: u64 = 4;

/// Collects lines.
#[derive(Debug)]
pub struct Page<'a> {
    style: &'a Style,
    lines: Vec<String>,
}

impl<'a> Page<'a> {
    /// An empty page.
    #[must_use]
    pub const fn new(style: &'a Style) -> Self {
        Self {
            style,
            lines: Vec::new(),
        }
    }

    /// How they are written.
    #[must_use]
    pub const fn style(&self) -> &'a Style {
        self.style
    }

    /// The lines.
    #[must_use]
    pub fn into_lines(self) -> Vec<String> {
        self.lines
    }

    /// A blank line, never two.
    pub fn blank(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(String::new());
        }
    }

    /// A line that is already laid out.
    pub fn line(&mut self, line: String) {
        self.lines.push(line);
    }

    /// Wrapped text behind a label; later lines are indented under the first.
    pub fn labelled(&mut self, indent: usize, label: &str, paint: Option<Paint>, text: &str) {
        let label_width = width(label);
        let inner = self.style.columns.saturating_sub(indent + label_width).max(16);
        for (position, line) in wrap(&self.style.plain(text), inner).into_iter().enumerate() {
            let head = if position == 0 {
                paint.map_or_else(|| label.to_owned(), |paint| self.style.paint(paint, label))
            } else {
                " ".repeat(label_width)
            };
            self.lines
                .push(format!("{}{head}{line}", " ".repeat(indent)).trim_end().to_owned());
        }
    }

    /// Wrapped text.
    pub fn text(&mut self, indent: usize, text: &str) {
        self.labelled(indent, "", None, text);
    }

    /// A heading.
    pub fn heading(&mut self, text: &str) {
        self.blank();
        for line in wrap(&self.style.plain(text), self.style.columns) {
            self.lines.push(self.style.paint(Paint::Strong, &line));
        }
    }
}

/// How much of a finding is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Telling {
    /// Everything.
    Full,
    /// What happened, why, and the proof: several sessions together explained it before, and nothing is to be done.
    Explained,
}

/// A failure with its sessions; those in `excused` are explained above.
pub(super) fn failure(page: &mut Page<'_>, cause: &Cause, excused: &BTreeSet<SessionId>) {
    let style = page.style;
    let alike = alike(&cause.examples, excused, style);
    if cause.examples.len() as u64 == cause.sessions && (cause.sessions < GROUPED_FROM || alike.len() == 1) {
        for examples in alike {
            let Some((first, others)) = examples.split_first() else {
                continue;
            };
            let telling = if excused.contains(&first.id) {
                Telling::Explained
            } else {
                Telling::Full
            };
            session(page, first, telling);
            let ids: Vec<_> = others.iter().map(|example| example.id.0.to_string()).collect();
            if !ids.is_empty() {
                page.text(2, &style.say(Message::SameIn, &[("ids", &ids.join(", "))]));
            }
        }
        return;
    }
    let title = title_of(cause, style);
    page.heading(&style.say(
        Message::CauseCount,
        &[("sessions", &cause.sessions.to_string()), ("title", &title)],
    ));
    addresses(page, cause);
    if let Some(example) = cause.examples.first() {
        session(page, example, Telling::Full);
    }
}

/// Sessions of the same two hosts whose stories read the same are told once.
fn alike<'a>(examples: &'a [Example], excused: &BTreeSet<SessionId>, style: &Style) -> Vec<Vec<&'a Example>> {
    let reads = |example: &Example| {
        let headline = example
            .findings
            .iter()
            .find(|one| one.root_cause)
            .or_else(|| example.findings.first());
        let story = headline.map(|finding| tell(finding, style.language, encode::terminal));
        let further: Vec<_> = example.findings.iter().map(|finding| finding.rule.slug).collect();
        (
            example.endpoints.0.address,
            example.endpoints.1,
            story.map(|story| (story.what, story.why)),
            further,
            excused.contains(&example.id),
        )
    };
    let mut groups: Vec<Vec<&Example>> = Vec::new();
    for example in examples {
        match groups
            .iter_mut()
            .find(|group| group.first().is_some_and(|first| reads(first) == reads(example)))
        {
            Some(group) => group.push(example),
            None => groups.push(vec![example]),
        }
    }
    groups
}

pub(super) fn title_of(cause: &Cause, style: &Style) -> String {
    crate::insight::rule(cause.slug)
        .map_or(cause.slug, |rule| Explanation::of(rule, style.language).title)
        .to_owned()
}

pub(super) fn addresses(page: &mut Page<'_>, cause: &Cause) {
    let style = page.style;
    let list = |mut entries: Vec<(String, u64)>, beyond: u64| {
        entries.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        let further = entries.len().saturating_sub(ADDRESSES) as u64 + beyond;
        // Many with one session each: the count of each says nothing, and a few names are enough.
        let alike = further > ADDRESSES as u64 && entries.first().is_some_and(|(_, count)| *count == 1);
        if alike {
            let names: Vec<String> = entries.into_iter().take(ALIKE).map(|(name, _)| name).collect();
            let further = further + (ADDRESSES - ALIKE) as u64;
            let further = style.say(Message::ListFurther, &[("count", &further.to_string())]);
            return style.say(
                Message::ListOneEach,
                &[("names", &names.join(", ")), ("further", &further)],
            );
        }
        let mut shown: Vec<String> = entries
            .into_iter()
            .take(ADDRESSES)
            .map(|(name, count)| style.say(Message::ListEntry, &[("name", &name), ("count", &count.to_string())]))
            .collect();
        if further > 0 {
            shown.push(style.say(Message::ListFurther, &[("count", &further.to_string())]));
        }
        shown.join(", ")
    };
    let clients = cause
        .clients
        .iter()
        .map(|(address, count)| (address.to_string(), *count))
        .collect();
    let servers = cause
        .servers
        .iter()
        .map(|((address, port), count)| {
            (
                crate::packet::Endpoint {
                    address: *address,
                    port: *port,
                }
                .to_string(),
                *count,
            )
        })
        .collect();
    page.text(
        2,
        &style.say(
            Message::CauseClients,
            &[("list", &list(clients, cause.further_addresses))],
        ),
    );
    page.text(2, &style.say(Message::CauseServers, &[("list", &list(servers, 0))]));
}

/// One session's story with everything that was found.
pub fn session(page: &mut Page<'_>, example: &Example, telling: Telling) {
    let style = page.style;
    let (client, server) = example.endpoints;
    let head = style.say(Message::Session, &[("id", &example.id.0.to_string())]);
    let at = style.say(
        Message::StoryAt,
        &[
            ("client", &client.to_string()),
            ("server", &server.to_string()),
            ("time", &style.time(example.start.time)),
        ],
    );
    page.heading(&format!("{head}: {at}"));
    told(page, &example.findings, telling);
}

/// A session's findings, headline first.
pub fn told(page: &mut Page<'_>, findings: &[Finding], telling: Telling) {
    let Some(headline) = findings.iter().find(|one| one.root_cause).or_else(|| findings.first()) else {
        return;
    };
    finding(page, headline, telling);
    let style = page.style;
    let (consequences, others): (Vec<&Finding>, Vec<&Finding>) = findings
        .iter()
        .filter(|one| one.rule.slug != headline.rule.slug)
        .partition(|one| one.because_of.is_some() && one.severity > Severity::Limit);
    let mut room = OBSERVATIONS;
    brief(page, Message::Consequences, &consequences, &mut room);
    brief(page, Message::AlsoSeen, &others, &mut room);
    let left = (consequences.len() + others.len()).saturating_sub(OBSERVATIONS - room);
    if left > 0 {
        page.text(2, &style.say(Message::AndFurther, &[("count", &left.to_string())]));
    }
}

/// Findings in one line each, with the frame that proves them, while there is room.
pub(super) fn brief(page: &mut Page<'_>, heading: Message, findings: &[&Finding], room: &mut usize) {
    let style = page.style;
    let shown = findings.len().min(*room);
    if shown == 0 {
        return;
    }
    *room -= shown;
    page.text(2, &format!("{}:", style.word(heading)));
    for one in findings.iter().take(shown) {
        let story = tell(one, style.language, encode::terminal);
        let label = format!("{} ", style.word(words::severity(one.severity)));
        let frames = proof_place(one.evidence.first(), style);
        page.labelled(
            4,
            &label,
            Some(Paint::Severity(one.severity)),
            &format!("{} ({frames})", story.what),
        );
    }
}

/// One finding.
pub fn finding(page: &mut Page<'_>, finding: &Finding, telling: Telling) {
    let style = page.style;
    let story = tell(finding, style.language, encode::terminal);
    let label = format!("{} ", style.word(words::severity(finding.severity)));
    page.labelled(0, &label, Some(Paint::Severity(finding.severity)), &story.what);
    let remedies = story
        .remedies
        .iter()
        .map(|(actor, text)| format!("[{}] {text}", style.word(words::actor(*actor))).into());
    let to_do: Vec<Cow<'_, str>> = match telling {
        Telling::Full => remedies.collect(),
        Telling::Explained => vec![style.word(Message::ExplainedAbove).into()],
    };
    let shown = finding.evidence.iter().take(PROOFS);
    let proof = shown.map(|evidence| proof_line(evidence, style).into()).collect();
    let mut sure = Vec::new();
    if finding.confidence != Confidence::Confirmed && telling == Telling::Full {
        sure.push(style.word(words::confidence(finding.confidence)).into());
        sure.extend(story.certainty);
    }
    parts(
        page,
        &[
            (Message::Why, story.why),
            (Message::ToDo, to_do),
            (Message::Proof, proof),
            (Message::HowSure, sure),
        ],
    );
}

/// Labelled lines, one label for all lines of a part, their texts under each other.
fn parts(page: &mut Page<'_>, parts: &[(Message, Vec<Cow<'_, str>>)]) {
    let style = page.style;
    let labels = parts.iter().map(|(label, _)| width(&style.word(*label)));
    let column = labels.max().unwrap_or(0) + 2;
    for (label, lines) in parts {
        let mut label = format!("{}:", style.word(*label));
        for line in lines {
            page.labelled(2, &pad(&label, column), Some(Paint::Faint), line);
            label.clear();
        }
    }
}

fn proof_place(evidence: Option<&Evidence>, style: &Style) -> String {
    let Some(evidence) = evidence else { return String::new() };
    if evidence.first.frame == evidence.last.frame {
        style.say(Message::Frame, &[("frame", &evidence.first.frame.to_string())])
    } else {
        let (first, last) = (evidence.first.frame.to_string(), evidence.last.frame.to_string());
        style.say(Message::Frames, &[("first", &first), ("last", &last)])
    }
}

fn proof_line(evidence: &Evidence, style: &Style) -> String {
    let sender = evidence.direction.map_or_else(String::new, |direction| {
        format!(" {}", style.word(words::sender(direction.sender())))
    });
    format!(
        "{}, {}{sender}: {}",
        proof_place(Some(evidence), style),
        style.clock(evidence.first.time),
        proof(evidence, style.language, encode::terminal)
    )
}

pub(super) fn risk(page: &mut Page<'_>, cause: &Cause, many: u64) {
    page.blank();
    if many <= 3 || cause.examples.len() as u64 == cause.sessions && cause.sessions == 1 {
        for example in &cause.examples {
            session(page, example, Telling::Full);
        }
        return;
    }
    let Some(headline) = cause
        .examples
        .first()
        .and_then(|example| example.findings.iter().find(|finding| finding.rule.slug == cause.slug))
    else {
        return;
    };
    finding(page, headline, Telling::Full);
    addresses(page, cause);
}
