//! What several sessions together show, for people: insights, those of one rule together.

use std::collections::BTreeMap;

use crate::insight::Insight;
use crate::render::encode;
use crate::render::text::story::{Page, finding};
use crate::report::Report;
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
    for kind in by_kind(telling.into_iter().chain(excusing)) {
        insights_of_a_kind(page, &kind);
    }
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

/// A few are told in full; of many the first, then headlines, then a count.
fn insights_of_a_kind(page: &mut Page<'_>, kind: &[&Insight]) {
    let in_full = if kind.len() > INSIGHTS_IN_FULL { 1 } else { kind.len() };
    let (told, further) = kind.split_at(in_full);
    for insight in told {
        self::insight(page, insight);
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
    page.blank();
    finding(page, &insight.finding, None);
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
