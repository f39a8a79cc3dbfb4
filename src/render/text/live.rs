//! Live for people: one line for a session when it ends, its story under it where it failed, what is open, and a summary
//! from time to time.

use crate::diagnosis::{Finding, Severity};
use crate::insight::Insight;
use crate::live::Clients;
use crate::render::encode;
use crate::render::text::layout::{cut, pad, width};
use crate::render::text::sessions::{headline, protection};
use crate::render::text::story::{Page, Telling, addresses, title_of, told};
use crate::render::text::style::{Paint, Style};
use crate::render::text::together::{insight, on_sessions};
use crate::render::text::words;
use crate::report::{Report, SessionLine};
use crate::session::{EndedBy, SessionId};
use crate::tcp::OpenConnection;
use crate::text::{Message, duration, tell};
use crate::time::Timestamp;

/// Below this width a line is broken in two.
const ONE_LINE_FROM: usize = 80;
/// Causes of a summary.
const CAUSES: usize = 10;
/// Clients of a summary.
const CLIENTS: usize = 10;
/// Open sessions listed; the rest is counted.
pub const OPEN_LISTED: usize = 50;
/// Pieces of proof in a story: it scrolls by.
const PROOFS: usize = 2;

/// Writes lines whose columns widen as they need to, and never shrink again.
#[derive(Debug)]
pub struct LiveLines {
    way: usize,
    protection: usize,
}

impl Default for LiveLines {
    fn default() -> Self {
        Self {
            way: 30,
            protection: 12,
        }
    }
}

impl LiveLines {
    /// The line of a session that has ended; `as_in`: the session in which the same story was told.
    pub fn session(
        &mut self,
        page: &mut Page<'_>,
        line: &SessionLine,
        ended_by: EndedBy,
        as_in: Option<SessionId>,
        style: &Style,
    ) {
        let way = style.plain(&format!("{} → {}", line.client.address, line.server));
        let protection = protection(line, style);
        let outcome = style.word(words::outcome(line.outcome));
        let headline = headline(line, style);
        let mut result = match (line.failed(), headline.is_empty()) {
            (_, true) => outcome,
            (true, false) => headline,
            (false, false) => format!("{outcome}; {headline}"),
        };
        if ended_by == EndedBy::Operator {
            result = style.word(Message::LiveStillOpen);
        }
        let as_in = as_in.map_or_else(String::new, |id| {
            format!(" {}", style.say(Message::LiveAsIn, &[("id", &id.0.to_string())]))
        });
        let paint = line.headline.map(|(_, severity, _)| Paint::Severity(severity));
        let (clock, id) = (style.clock(line.start), format!("#{}", line.id.0));
        if style.columns < ONE_LINE_FROM {
            page.labelled(0, &format!("{clock} "), Some(Paint::Faint), &format!("{way} {id}"));
            page.labelled(2, "", paint, &format!("{protection}: {result}{as_in}"));
            return;
        }
        self.way = self.way.max(width(&way)).min(style.columns / 2);
        self.protection = self.protection.max(width(&protection)).min(28);
        let mut text = format!(
            "{clock}  {}  {}  {}  {result}",
            pad(&way, self.way),
            pad(&protection, self.protection),
            pad(&id, 6),
        );
        text = cut(&style.plain(&text), style.columns.saturating_sub(width(&as_in)));
        text.push_str(&as_in);
        page.line(match paint {
            Some(paint) => style.paint(paint, &text),
            None => text,
        });
    }
}

/// The story under a line: the same as in a report, shorter and indented.
pub fn live_story(page: &mut Page<'_>, findings: &[Finding], style: &Style) {
    indented(page, style, |inner| {
        let mut findings = findings.to_vec();
        for finding in &mut findings {
            finding.evidence.truncate(PROOFS);
        }
        let grave = findings.iter().any(|one| one.severity >= Severity::Risk);
        findings.retain(|one| one.root_cause || (one.severity >= Severity::Risk) == grave);
        told(inner, &findings, Telling::Full);
    });
}

/// What several sessions together show, when it has become true.
pub fn live_insight(page: &mut Page<'_>, one: &Insight, style: &Style) {
    page.line(style.paint(Paint::Strong, &style.word(Message::TogetherSoFar)));
    indented(page, style, |inner| insight(inner, one));
}

/// What was said of several sessions, and what later ones contradict.
pub fn live_withdrawn(page: &mut Page<'_>, one: &Insight, style: &Style) {
    let what = tell(&one.finding, style.language, encode::terminal).what;
    page.line(style.paint(Paint::Strong, &style.word(Message::TogetherSoFar)));
    indented(page, style, |inner| {
        inner.blank();
        inner.text(0, &style.say(Message::NoLongerSo, &[("what", &what)]));
        on_sessions(inner, one);
    });
}

fn indented(page: &mut Page<'_>, style: &Style, write: impl FnOnce(&mut Page<'_>)) {
    const INDENT: usize = 4;
    let narrow = Style {
        columns: style.columns.saturating_sub(INDENT).max(20),
        ..style.clone()
    };
    let mut inner = Page::new(&narrow);
    write(&mut inner);
    for line in inner.into_lines().into_iter().filter(|line| !line.is_empty()) {
        page.line(format!("{}{line}", " ".repeat(INDENT)));
    }
}

/// The sessions that are open at `now`, the oldest first.
pub fn open_sessions(
    page: &mut Page<'_>,
    open: &[(OpenConnection, bool)],
    half_open: usize,
    now: Timestamp,
    style: &Style,
) {
    let values = [("count", open.len().to_string()), ("syns", half_open.to_string())];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    page.heading(&style.say(Message::LiveOpenHeading, &values));
    let mut sorted: Vec<_> = open.iter().collect();
    sorted.sort_by_key(|(connection, _)| connection.first);
    for (connection, tls) in sorted.iter().take(OPEN_LISTED) {
        let tls = style.word(if *tls { Message::LiveTls } else { Message::LivePlain });
        let values = [
            ("client", connection.client.to_string()),
            ("server", connection.server.to_string()),
            ("age", duration(now.since(connection.first.time), style.language)),
            ("silent", duration(now.since(connection.last.time), style.language)),
            ("up", connection.octets.to_server.to_string()),
            ("down", connection.octets.to_client.to_string()),
            ("tls", tls),
        ];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        page.labelled(
            2,
            &format!("#{} ", connection.first.frame),
            Some(Paint::Strong),
            &style.say(Message::LiveOpenLine, &values),
        );
    }
    let further = sorted.len().saturating_sub(OPEN_LISTED);
    if further > 0 {
        page.text(
            2,
            &style.say(Message::FurtherSessions, &[("count", &further.to_string())]),
        );
    }
    page.blank();
}

/// What a summary tells.
pub struct Summary<'a> {
    /// Sessions since the last summary, or since the start.
    pub report: &'a Report,
    /// Clients with an old TLS version, of the same time.
    pub clients: &'a Clients,
    /// From when to when.
    pub span: Option<(Timestamp, Timestamp)>,
    /// The last one, of the whole run.
    pub is_last: bool,
    /// Connections open, and unanswered SYNs.
    pub open: (usize, usize),
    /// What a reader must know before believing the rest.
    pub troubles: &'a [String],
}

/// A summary.
pub fn summary(page: &mut Page<'_>, summary: &Summary<'_>, style: &Style) {
    let tally = &summary.report.tally;
    let (from, to) = summary
        .span
        .map_or_else(Default::default, |(from, to)| (style.time(from), style.time(to)));
    let values = [("count", tally.sessions.to_string()), ("from", from), ("to", to)];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    let heading = match (summary.is_last, summary.span.is_some()) {
        (_, false) => Message::LiveSummaryNothing,
        (true, true) => Message::LiveSummaryAll,
        (false, true) => Message::LiveSummary,
    };
    page.heading(&style.say(heading, &values));
    counts(page, summary, style);
    causes(page, summary.report, style);
    old_clients(page, summary.clients, style);
    if !summary.is_last {
        let values = [
            ("count", summary.open.0.to_string()),
            ("syns", summary.open.1.to_string()),
        ];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        page.text(2, &style.say(Message::LiveOpenHeading, &values));
    }
    for trouble in summary.troubles {
        page.labelled(2, "! ", Some(Paint::Severity(Severity::Limit)), trouble);
    }
    page.blank();
}

fn counts(page: &mut Page<'_>, summary: &Summary<'_>, style: &Style) {
    let tally = &summary.report.tally;
    let list = |entries: Vec<(String, u64)>| {
        let shown: Vec<_> = entries
            .into_iter()
            .map(|(name, count)| style.say(Message::ListEntry, &[("name", &name), ("count", &count.to_string())]))
            .collect();
        shown.join(", ")
    };
    let mut outcomes: Vec<_> = tally
        .outcomes
        .iter()
        .map(|(outcome, count)| (*outcome, *count))
        .collect();
    outcomes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let outcomes = outcomes
        .into_iter()
        .map(|(outcome, count)| (style.word(words::outcome(outcome)), count))
        .collect::<Vec<_>>();
    let versions = tally
        .versions
        .iter()
        .filter_map(|(version, count)| {
            let name = crate::protocol::tls::Version(*version).name()?;
            Some((crate::text::named(name, style.language), *count))
        })
        .collect::<Vec<_>>();
    if !outcomes.is_empty() {
        page.text(2, &style.say(Message::LiveOutcomes, &[("list", &list(outcomes))]));
    }
    if !versions.is_empty() {
        page.text(2, &style.say(Message::LiveVersions, &[("list", &list(versions))]));
    }
}

fn causes(page: &mut Page<'_>, report: &Report, style: &Style) {
    let causes = report.causes_in_order();
    for cause in causes.iter().take(CAUSES) {
        let label = format!("{} ", style.word(words::severity(cause.severity)));
        let values = [
            ("sessions", cause.sessions.to_string()),
            ("title", title_of(cause, style)),
        ];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        page.labelled(
            2,
            &label,
            Some(Paint::Severity(cause.severity)),
            &style.say(Message::LiveCause, &values),
        );
        indented(page, style, |inner| addresses(inner, cause));
    }
    let further = causes.len().saturating_sub(CAUSES);
    if further > 0 {
        page.text(2, &style.say(Message::AndFurther, &[("count", &further.to_string())]));
    }
}

fn old_clients(page: &mut Page<'_>, clients: &Clients, style: &Style) {
    let sorted = clients.by_sessions();
    if sorted.is_empty() {
        return;
    }
    let mut shown: Vec<_> = sorted
        .iter()
        .take(CLIENTS)
        .map(|(address, version, sessions)| {
            let name = format!("{address} {version}");
            style.say(Message::ListEntry, &[("name", &name), ("count", &sessions.to_string())])
        })
        .collect();
    let further = sorted.len().saturating_sub(CLIENTS);
    if further > 0 {
        shown.push(style.say(Message::ListFurther, &[("count", &further.to_string())]));
    }
    page.text(2, &style.say(Message::LiveOldClients, &[("list", &shown.join(", "))]));
}

/// Where the frames of a session went.
pub fn live_saved(page: &mut Page<'_>, file: &str, style: &Style) {
    indented(page, style, |inner| {
        inner.text(2, &style.say(Message::LiveFailedFile, &[("file", file)]));
    });
}
