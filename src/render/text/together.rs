//! What several sessions together show, for people: insights, those of one rule together.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnosis::Finding;
use crate::insight::Insight;
use crate::render::encode;
use crate::render::text::story::{Page, Telling, brief, finding};
use crate::report::{Cause, Report};
use crate::session::SessionId;
use crate::text::{Message, tell};

/// More insights of one rule than this are grouped.
const INSIGHTS_IN_FULL: usize = 3;
/// Headlines shown of a group.
const INSIGHT_HEADLINES: usize = 5;

/// The insights of a run: the gravest first, harmless explanations last.
pub(super) fn insights(page: &mut Page<'_>, report: &Report) {
    if report.insights.is_empty() {
        return;
    }
    page.heading(page.style().word(Message::TogetherHeading).as_str());
    let (excusing, mut telling): (Vec<_>, Vec<_>) = report.insights.iter().partition(|insight| insight.excuses);
    telling.sort_by_key(|insight| std::cmp::Reverse(insight.finding.severity));
    let told = told_in_full(&telling);
    let (parts, whole): (Vec<_>, Vec<_>) = telling
        .into_iter()
        .partition(|insight| told.iter().any(|other| is_part(insight, other)));
    for kind in by_kind(whole.into_iter().chain(excusing)) {
        insights_of_a_kind(page, &kind, &parts);
    }
}

/// Sessions whose failure by this cause an insight explains as harmless.
pub(super) fn excused(report: &Report, cause: &Cause) -> BTreeSet<SessionId> {
    let ids = cause.examples.iter().map(|example| example.id);
    let excused = |id: &SessionId| report.insights.iter().any(|insight| insight.excuses(*id, cause.slug));
    ids.filter(excused).collect()
}

/// How many of so many insights of one rule are told in full.
const fn in_full(count: usize) -> usize {
    if count > INSIGHTS_IN_FULL { 1 } else { count }
}

/// Those under which others can be folded, for they are told in full: the first few of their rule that are part of none.
fn told_in_full<'a>(insights: &[&'a Insight]) -> Vec<&'a Insight> {
    let whole = insights.iter().filter(|insight| insight.finding.because_of.is_none());
    let kinds = by_kind(whole.copied());
    kinds
        .iter()
        .flat_map(|kind| kind.iter().take(in_full(kind.len())).copied())
        .collect()
}

/// True where the first says something that is part of the second.
fn is_part(insight: &Insight, whole: &Insight) -> bool {
    insight.finding.because_of == Some(whole.finding.rule.slug) && whole.explains(insight)
}

/// Insights of one rule together, in the order of their first.
fn by_kind<'a>(insights: impl Iterator<Item = &'a Insight>) -> Vec<Vec<&'a Insight>> {
    let mut kinds: Vec<Vec<&Insight>> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for insight in insights {
        let place = *places.entry(insight.finding.rule.slug).or_insert(kinds.len());
        match kinds.get_mut(place) {
            Some(kind) => kind.push(insight),
            None => kinds.push(vec![insight]),
        }
    }
    kinds
}

/// A few are told in full, with what is part of them; of many the first, then headlines, then a count.
fn insights_of_a_kind(page: &mut Page<'_>, kind: &[&Insight], parts: &[&Insight]) {
    let (told, further) = kind.split_at(in_full(kind.len()));
    for insight in told {
        let parts = parts.iter().filter(|part| is_part(part, insight));
        with_parts(page, insight, &parts.map(|part| &part.finding).collect::<Vec<_>>());
    }
    if further.is_empty() {
        return;
    }
    let style = page.style();
    page.text(
        2,
        &style.say(Message::InsightsAlike, &[("count", &further.len().to_string())]),
    );
    for insight in further.iter().take(INSIGHT_HEADLINES) {
        page.text(4, &tell(&insight.finding, style.language, encode::terminal).what);
    }
    let rest = further.len().saturating_sub(INSIGHT_HEADLINES);
    if rest > 0 {
        page.text(4, &style.say(Message::ListFurther, &[("count", &rest.to_string())]));
    }
}

pub(super) fn insight(page: &mut Page<'_>, insight: &Insight) {
    with_parts(page, insight, &[]);
}

fn with_parts(page: &mut Page<'_>, insight: &Insight, parts: &[&Finding]) {
    page.blank();
    finding(page, &insight.finding, Telling::Full);
    brief(page, Message::AlsoSeen, parts, &mut parts.len());
    on_sessions(page, insight);
}

/// The sessions an insight stands on.
pub(super) fn on_sessions(page: &mut Page<'_>, insight: &Insight) {
    let style = page.style();
    let shown: Vec<String> = insight.sessions.iter().take(10).map(|id| id.0.to_string()).collect();
    let mut ids = shown.join(", ");
    let more = insight.sessions_in_all.saturating_sub(shown.len() as u64);
    if more > 0 {
        ids.push_str(&format!(
            ", {}",
            style.say(Message::ListFurther, &[("count", &more.to_string())])
        ));
    }
    page.text(2, &style.say(Message::OnSessions, &[("ids", &ids)]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{Evidence, Note};
    use crate::insight::rule;
    use crate::render::text::Style;
    use crate::session::Stage;
    use crate::span::Stamp;

    fn insight(slug: &str, session: u64, because_of: Option<&'static str>) -> Insight {
        let note = Note::of("ClientHello, at most {version}").with("version", "TLS 1.0");
        let evidence = Evidence::frame(Stamp::default(), None, note);
        let mut finding = Finding::of(rule(slug).unwrap(), Stage::Tls, evidence)
            .with("client", format!("192.0.2.{session}"))
            .with("offered", "TLS 1.0")
            .with("port", 587_u16)
            .with("service", "submission")
            .with("sessions", 1_usize);
        finding.because_of = because_of;
        Insight::of(finding, [SessionId(session)])
    }

    /// What is told of so many devices with an old setting on one port and a newer one on another.
    fn told(devices: u64) -> String {
        let (more, less) = ("cross-tls-version-differs-by-port", "cross-client-breaks-at-tls12");
        let mut report = Report::new();
        for device in 1..=devices {
            report.insights.push(insight(less, device, Some(more)));
            report.insights.push(insight(more, device, None));
        }
        let style = Style::default();
        let mut page = Page::new(&style);
        insights(&mut page, &report);
        page.into_lines().join("\n")
    }

    fn count(text: &str, what: &str) -> usize {
        text.matches(what).count()
    }

    #[test]
    fn what_is_part_of_an_insight_is_folded_under_it_where_that_is_told_in_full() {
        let few = told(3);
        assert_eq!(
            (count(&few, "FAILED"), count(&few, "\nRISK"), count(&few, "    RISK")),
            (3, 0, 3),
            "{few}"
        );
        // Of four, three have no more than a headline: nothing that is said of these is folded away.
        let many = told(4);
        assert_eq!(
            (count(&many, "FAILED"), count(&many, "\nRISK"), count(&many, "    RISK")),
            (1, 3, 1),
            "{many}"
        );
        for device in 1..=4 {
            assert!(
                many.contains(&format!("192.0.2.{device} offers at most TLS 1.0")),
                "{many}"
            );
        }
    }
}
