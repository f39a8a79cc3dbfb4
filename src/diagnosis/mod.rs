//! Turns a session's facts into findings: runs every rule of the register, chooses one root cause, folds consequences.
//! Judges; never decodes, never renders. No rule names another but in `explains_away`.

mod finding;
mod needs;
pub mod providers;
mod root_cause;
mod rule;
pub mod rules;
mod wording;

pub use finding::{Confidence, Evidence, Finding, Note, Quotation, Severity, Value};
pub use root_cause::lower_for_drops;
pub use rule::{Actor, Check, Layer, RefusalKind, Rule, Texts};

use std::sync::LazyLock;

use crate::diagnosis::needs::{Needs, Traits};
use crate::diagnosis::providers::Place;
use crate::session::{Outcome, Session};

/// A rule, and what it needs.
type Asked = (Needs, &'static Rule);

/// Every layer's rules, each with what it needs.
static ASKED: LazyLock<Vec<(Layer, Vec<Asked>)>> = LazyLock::new(|| {
    let with_needs = |rules: &'static [&'static Rule]| rules.iter().map(|rule| (needs::of(rule), *rule)).collect();
    rules::layers()
        .filter_map(|rules| Some((rules.first()?.layer, with_needs(rules))))
        .collect()
});

/// Everything that is to be said of one session, root cause first.
#[must_use]
pub fn diagnose(session: &Session) -> Vec<Finding> {
    let refusals = rules::refusals(session);
    let traits = Traits::of(session);
    let mut findings: Vec<Finding> = ASKED
        .iter()
        .filter(|(layer, _)| traits.concern(*layer))
        .flat_map(|(_, rules)| rules)
        .filter(|(needs, _)| traits.meet(*needs))
        .filter_map(|(_, rule)| match rule.check {
            Check::Session(check) => check(rule, session),
            Check::Refusal(_) if refusals.is_empty() => None,
            Check::Refusal(kind) => rules::refusal(rule, kind, session, &refusals),
            Check::Insight => None,
        })
        .collect();
    debug_assert_eq!(missed(session), Vec::<&str>::new());
    let causes = |finding: &Finding| finding.severity == Severity::Fail && finding.rule.precedence.is_some();
    if matches!(session.outcome, Outcome::Refused | Outcome::Deferred) && !findings.iter().any(causes) {
        // No refused mail is passed over in silence.
        findings.extend(rules::unexplained(session, &refusals));
    }
    name_providers(session, &refusals, &mut findings);
    root_cause::settle(session, findings)
}

/// Puts beside a finding what the server's provider is known to mean by the words that decided it.
fn name_providers(session: &Session, refusals: &[rules::Refusal<'_>], findings: &mut [Finding]) {
    if findings.is_empty() {
        return;
    }
    let sorted = refusals.iter().filter_map(|one| Some((one.reply, one.text?)));
    let others = session.exchanges().iter().filter_map(|one| {
        let place = Place::of(one);
        let reply = one
            .reply
            .yes()
            .filter(|_| matches!(place, Place::Auth | Place::Other))?;
        Some((reply, providers::find(session, place, reply)?))
    });
    for (reply, text) in sorted.chain(others) {
        let decided = |finding: &&mut Finding| {
            let quoted = finding.evidence.iter().any(|one| one.first == reply.span.first);
            finding.rule.slug == text.meaning && quoted
        };
        for finding in findings.iter_mut().filter(decided) {
            finding.provider.get_or_insert(text);
        }
    }
}

/// What the tests hold against every session that they see: rules that were not asked and would have spoken.
fn missed(session: &Session) -> Vec<&'static str> {
    let traits = Traits::of(session);
    rules::all()
        .filter(|rule| !traits.concern(rule.layer) || !traits.meet(needs::of(rule)))
        .filter(|rule| matches!(rule.check, Check::Session(check) if check(rule, session).is_some()))
        .map(|rule| rule.slug)
        .collect()
}

/// The rule with this slug.
#[must_use]
pub fn rule(slug: &str) -> Option<&'static Rule> {
    rules::all().find(|rule| rule.slug == slug)
}
