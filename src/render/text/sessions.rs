//! One line per session: a table where the terminal is wide enough, a list where it is not.

use comfy_table::{ContentArrangement, Table};

use crate::render::text::layout::{cut, width};
use crate::render::text::story::Page;
use crate::render::text::style::{Paint, Style};
use crate::render::text::words;
use crate::report::{Report, SessionLine};
use crate::text::{Explanation, Message};

/// Below this width a table is no help.
const TABLE_FROM: usize = 60;
/// Lines shown on a terminal; further sessions are counted.
pub const SHOWN: usize = 50;

/// The sessions of a run.
pub fn sessions(page: &mut Page<'_>, report: &Report, style: &Style) {
    let total = report.tally.sessions;
    if total == 0 {
        return;
    }
    page.blank();
    let heading = if total == 1 {
        Message::OneSession
    } else {
        Message::SessionsCounted
    };
    page.text(0, &style.say(heading, &[("count", &total.to_string())]));
    let shown = report.lines.get(..SHOWN.min(report.lines.len())).unwrap_or_default();
    if style.columns < TABLE_FROM {
        list(page, shown, style);
    } else {
        table(page, shown, style);
    }
    let further = total.saturating_sub(shown.len() as u64);
    if further > 0 {
        page.text(
            0,
            &style.say(Message::FurtherSessions, &[("count", &further.to_string())]),
        );
    }
}

/// "STARTTLS 1.2", "implicit TLS", "none".
fn protection(line: &SessionLine, style: &Style) -> String {
    let mode = style.word(words::security(line.security));
    match line.version.and_then(crate::protocol::tls::Version::name) {
        Some(version) => format!("{mode} {}", version.trim_start_matches("TLS ")),
        None => mode,
    }
}

fn headline(line: &SessionLine, style: &Style) -> String {
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

fn table(page: &mut Page<'_>, lines: &[SessionLine], style: &Style) {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    let rows: Vec<[String; 6]> = lines.iter().map(|line| cells(line, style)).collect();
    let heads = [
        Message::HeadSession,
        Message::HeadTime,
        Message::HeadServer,
        Message::HeadSecurity,
        Message::HeadOutcome,
        Message::HeadCause,
    ]
    .map(|head| style.word(head));
    let mut widths = heads.clone().map(|head| width(&head));
    for row in &rows {
        for (column, cell) in widths.iter_mut().zip(row) {
            *column = (*column).max(width(cell));
        }
    }
    // The last column takes what is left; two blanks stand between columns.
    let fixed: usize = widths.iter().take(5).map(|column| column + 2).sum();
    let last = style.columns.saturating_sub(fixed + 1).max(12);
    table.set_header(heads.map(|head| cut(&head, last.max(12))));
    for (row, line) in rows.iter().zip(lines) {
        let mut row = row.clone();
        if let Some(cell) = row.last_mut() {
            *cell = style.plain(&cut(cell, last));
        }
        let _ = line;
        table.add_row(row);
    }
    for (position, text) in table.lines().enumerate() {
        let text = text.trim_end().to_owned();
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

fn cells(line: &SessionLine, style: &Style) -> [String; 6] {
    [
        line.id.0.to_string(),
        style.clock(line.start),
        style.plain(&format!("{} → {}", line.client.address, line.server)),
        protection(line, style),
        style.word(words::outcome(line.outcome)),
        headline(line, style),
    ]
}

fn list(page: &mut Page<'_>, lines: &[SessionLine], style: &Style) {
    for line in lines {
        let [id, time, way, protection, outcome, headline] = cells(line, style);
        page.labelled(0, &format!("#{id} "), Some(Paint::Strong), &format!("{time} {way}"));
        page.text(2, &format!("{protection}, {outcome}"));
        if let Some((_, severity, _)) = line.headline {
            page.labelled(2, "", Some(Paint::Severity(severity)), &headline);
        }
    }
}
