//! Folds an insight under another that explains it: what is said of some sessions is part of a story told of them and others.

use std::collections::HashMap;

use crate::diagnosis::Severity;
use crate::insight::history::Insight;
use crate::session::SessionId;

/// Marks what follows from another insight: one whose rule explains it, on all of its sessions.
pub(super) fn fold(insights: &mut [Insight]) {
    let mut explainers: HashMap<SessionId, Vec<usize>> = HashMap::new();
    for (place, insight) in insights.iter().enumerate() {
        if insight.finding.severity == Severity::Fail && !insight.finding.rule.explains_away.is_empty() {
            for id in &insight.sessions {
                explainers.entry(*id).or_default().push(place);
            }
        }
    }
    if explainers.is_empty() {
        return;
    }
    for place in 0..insights.len() {
        let reason = insights.get(place).and_then(|insight| {
            let here = explainers.get(insight.sessions.first()?)?;
            let mut reasons = here.iter().filter_map(|place| insights.get(*place));
            Some(reasons.find(|reason| reason.explains(insight))?.finding.rule.slug)
        });
        if let Some(insight) = insights.get_mut(place) {
            insight.finding.because_of = reason;
        }
    }
}

impl Insight {
    /// True where `other` is part of what this failure says: its rule explains it, and it stands on all of its sessions, as
    /// far as both list them.
    #[must_use]
    pub fn explains(&self, other: &Self) -> bool {
        let is_listed = |id: &SessionId| {
            let beyond = self.sessions_in_all > self.sessions.len() as u64 && self.sessions.last() < Some(id);
            beyond || self.sessions.binary_search(id).is_ok()
        };
        self.finding.severity == Severity::Fail
            && self.finding.rule.explains_away.contains(&other.finding.rule.slug)
            && other.sessions_in_all <= self.sessions_in_all
            && other.sessions.iter().all(is_listed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{Evidence, Finding, Note};
    use crate::insight::{LISTED_SESSIONS, rule};
    use crate::session::Stage;
    use crate::span::Stamp;

    fn insight(slug: &str, sessions: impl IntoIterator<Item = u64>) -> Insight {
        let finding = Finding::of(
            rule(slug).unwrap(),
            Stage::Tls,
            Evidence::frame(Stamp::default(), None, Note::of("ClientHello, at most {version}")),
        );
        Insight::of(finding, sessions.into_iter().map(SessionId))
    }

    fn reasons(mut insights: Vec<Insight>) -> Vec<Option<&'static str>> {
        fold(&mut insights);
        insights.iter().map(|insight| insight.finding.because_of).collect()
    }

    const MORE: &str = "cross-tls-version-differs-by-port";
    const LESS: &str = "cross-client-breaks-at-tls12";

    #[test]
    fn what_another_says_of_the_same_sessions_and_more_is_part_of_it() {
        assert_eq!(
            reasons(vec![insight(LESS, [1, 16]), insight(MORE, [1, 16, 31])]),
            [Some(MORE), None]
        );
        // The other way round nothing explains.
        assert_eq!(
            reasons(vec![insight(LESS, [1, 16, 31]), insight(MORE, [1, 16])]),
            [None, None]
        );
    }

    #[test]
    fn another_clients_sessions_and_another_rules_words_stay() {
        assert_eq!(
            reasons(vec![insight(LESS, [1, 17]), insight(MORE, [1, 16, 31])]),
            [None, None]
        );
        assert_eq!(
            reasons(vec![
                insight("cross-retry-without-change", [1, 16]),
                insight(MORE, [1, 16, 31])
            ]),
            [None, None]
        );
    }

    #[test]
    fn what_has_not_failed_explains_nothing() {
        let mut risk = insight(MORE, [1, 16, 31]);
        risk.finding.severity = Severity::Risk;
        assert_eq!(reasons(vec![insight(LESS, [1, 16]), risk]), [None, None]);
    }

    #[test]
    fn only_failures_that_the_rule_names_are_excused_and_only_in_its_sessions() {
        let sweep = insight("cross-version-probe-sweep", [1, 16, 31]);
        let refused = "tls-protocol-version-refused";
        assert!(!sweep.excuses(SessionId(1), refused));
        let sweep = sweep.excusing().but([SessionId(16), SessionId(99)]);
        assert!(sweep.excuses(SessionId(1), refused) && sweep.excuses(SessionId(31), refused));
        assert!(!sweep.excuses(SessionId(1), "auth-credentials-rejected"));
        assert!(!sweep.excuses(SessionId(16), refused) && !sweep.excuses(SessionId(2), refused));
    }

    #[test]
    fn sessions_that_are_not_listed_any_more_do_not_speak_against_it() {
        let many = || 0..10 * LISTED_SESSIONS as u64;
        let each = |step: usize| many().step_by(step);
        assert_eq!(
            reasons(vec![insight(MORE, many()), insight(LESS, each(3))]),
            [None, Some(MORE)]
        );
        assert_eq!(
            reasons(vec![insight(MORE, each(2)), insight(LESS, each(3))]),
            [None, None]
        );
    }
}
