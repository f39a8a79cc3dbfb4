//! One line per session: a table where the terminal is wide enough, a list where it is not.

use comfy_table::{ContentArrangement, Table};

use crate::diagnosis::Severity;
use crate::render::text::layout::{cut, width};
use crate::render::text::story::{Page, title_of};
use crate::render::text::style::{Paint, Style};
use crate::render::text::words;
use crate::report::{Report, SessionLine};
use crate::session::{Outcome, Security};
use crate::text::{Explanation, Message};

/// Below this width a table is no help.
const TABLE_FROM: usize = 60;
/// Lines shown on a terminal; further sessions are counted.
pub const SHOWN: usize = 50;
/// Failed sessions listed of a run with more sessions than that: its causes are told below, with an example each.
const SHOWN_OF_MANY: usize = 15;

/// The sessions of a run.
pub fn sessions(page: &mut Page<'_>, report: &Report, style: &Style) {
    let total = report.tally.sessions;
    if total == 0 {
        return;
    }
    page.blank();
    if total > SHOWN as u64 {
        many(page, report, style);
        return;
    }
    let heading = if total == 1 {
        Message::OneSession
    } else {
        Message::SessionsCounted
    };
    page.text(0, &style.say(heading, &[("count", &total.to_string())]));
    let shown: Vec<&SessionLine> = report.lines.iter().collect();
    lines(page, &shown, style);
    let further = total.saturating_sub(shown.len() as u64);
    if further > 0 {
        page.text(
            0,
            &style.say(Message::FurtherSessions, &[("count", &further.to_string())]),
        );
    }
}

fn lines(page: &mut Page<'_>, shown: &[&SessionLine], style: &Style) {
    if style.columns < TABLE_FROM {
        list(page, shown, style);
    } else {
        table(page, shown, style);
    }
}

/// A run of more sessions than anybody reads: what became of them, the causes with their numbers, and the first failures.
fn many(page: &mut Page<'_>, report: &Report, style: &Style) {
    let tally = &report.tally;
    page.text(
        0,
        &style.say(Message::SessionsAtAGlance, &[("count", &tally.sessions.to_string())]),
    );
    let mut outcomes: Vec<_> = tally.outcomes.iter().collect();
    outcomes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let entry = |(outcome, count): &(&Outcome, &u64)| {
        let name = style.word(words::outcome(**outcome));
        style.say(
            Message::OutcomeEntry,
            &[("name", name.as_str()), ("count", &count.to_string())],
        )
    };
    let list: Vec<String> = outcomes.iter().map(entry).collect();
    page.text(2, &style.say(Message::GlanceOutcomes, &[("list", &list.join(", "))]));
    let causes = report.causes_in_order();
    let shown = causes.iter().filter(|cause| cause.severity >= Severity::Risk);
    let digits = tally.sessions.to_string().len();
    for cause in shown {
        let title = title_of(cause, style);
        let more = if cause.further_addresses > 0 { "+" } else { "" };
        let told = style.say(
            Message::GlanceCause,
            &[
                ("title", &title),
                ("clients", &format!("{}{more}", cause.clients.len())),
                ("servers", &cause.servers.len().to_string()),
            ],
        );
        let label = format!("{:>digits$}  ", cause.sessions);
        page.labelled(2, &label, Some(Paint::Severity(cause.severity)), &told);
    }
    let failed = || report.lines.iter().filter(|line| line.failed());
    let first: Vec<&SessionLine> = failed().take(SHOWN_OF_MANY).collect();
    if !first.is_empty() {
        page.blank();
        let count = causes.iter().filter(|cause| cause.severity == Severity::Fail);
        let count: u64 = count.map(|cause| cause.sessions).sum();
        page.text(
            0,
            &style.say(
                Message::FailedSessions,
                &[("shown", &first.len().to_string()), ("count", &count.to_string())],
            ),
        );
        lines(page, &first, style);
    }
    page.text(0, &style.word(Message::EverySessionHint));
}

/// "STARTTLS 1.2", "implicit TLS", "none".
pub(super) fn protection(line: &SessionLine, style: &Style) -> String {
    let version = line.version.and_then(crate::protocol::tls::Version::name);
    let message = match line.security {
        Security::StartTls => Message::SecurityStartTlsVersion,
        Security::Implicit => Message::SecurityImplicitVersion,
        Security::None => return style.word(words::security(line.security)),
    };
    match version {
        Some(version) => style.say(message, &[("version", version.trim_start_matches("TLS "))]),
        None => style.word(words::security(line.security)),
    }
}

pub(super) fn headline(line: &SessionLine, style: &Style) -> String {
    let Some((slug, _, _)) = line.headline else {
        return String::new();
    };
    let title = crate::insight::rule(slug).map_or(slug, |rule| Explanation::of(rule, style.language).title);
    if line.further > 0 {
        format!(
            "{title} {}",
            style.say(Message::Further, &[("count", &line.further.to_string())])
        )
    } else {
        title.to_owned()
    }
}

/// Below this width the time column gives its room to the result.
const TIME_FROM: usize = 100;

fn table(page: &mut Page<'_>, lines: &[&SessionLine], style: &Style) {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    let with_time = style.columns >= TIME_FROM;
    let one_client = lines
        .iter()
        .all(|line| Some(line.client.address) == lines.first().map(|first| first.client.address));
    let shown = |[id, time, way, protection, result]: [String; 5]| {
        let mut row = vec![id];
        if with_time {
            row.push(time);
        }
        row.extend([way, protection, result]);
        row
    };
    let heads = [
        Message::HeadSession,
        Message::HeadTime,
        if one_client {
            Message::HeadServer
        } else {
            Message::HeadClientServer
        },
        Message::HeadSecurity,
        Message::HeadResult,
    ];
    let heads = shown(heads.map(|head| style.word(head)));
    let rows: Vec<Vec<String>> = lines.iter().map(|line| shown(cells(line, one_client, style))).collect();
    let fixed: usize = (0..heads.len() - 1)
        .map(|column| {
            let cells = rows.iter().chain([&heads]).filter_map(|row| row.get(column));
            cells.map(|cell| width(cell)).max().unwrap_or(0) + 2
        })
        .sum();
    let last = style.columns.saturating_sub(fixed + 2).max(12);
    table.set_header(heads);
    for mut row in rows {
        if let Some(cell) = row.last_mut() {
            *cell = cut(cell, last);
        }
        table.add_row(row);
    }
    for (position, text) in table.lines().enumerate() {
        let text = cut(text.trim_end(), style.columns);
        let painted = match position.checked_sub(1).and_then(|row| lines.get(row)) {
            None => style.paint(Paint::Faint, &text),
            Some(line) => match line.headline {
                Some((_, severity, _)) => style.paint(Paint::Severity(severity), &text),
                None => text,
            },
        };
        page.line(painted);
    }
}

fn cells(line: &SessionLine, one_client: bool, style: &Style) -> [String; 5] {
    let way = if one_client {
        line.server.to_string()
    } else {
        format!("{} → {}", line.client.address, line.server)
    };
    let outcome = style.word(words::outcome(line.outcome));
    let headline = headline(line, style);
    let result = match (line.failed(), headline.is_empty()) {
        (_, true) => outcome,
        (true, false) => headline,
        (false, false) => format!("{outcome}; {headline}"),
    };
    [
        line.id.0.to_string(),
        style.clock(line.start),
        style.plain(&way),
        protection(line, style),
        style.plain(&result),
    ]
}

fn list(page: &mut Page<'_>, lines: &[&SessionLine], style: &Style) {
    for line in lines {
        let [id, time, way, protection, result] = cells(line, false, style);
        page.labelled(0, &format!("#{id} "), Some(Paint::Strong), &format!("{time} {way}"));
        let paint = line.headline.map(|(_, severity, _)| Paint::Severity(severity));
        page.labelled(2, "", paint, &format!("{protection}: {result}"));
    }
}
