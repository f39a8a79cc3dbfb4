//! Turns a session's facts into findings: runs every rule of the register, chooses one root cause, folds consequences.
//! Judges; never decodes, never renders. No rule names another but in `explains_away`.

mod finding;
mod issuers;
pub(crate) mod lists;
mod needs;
pub mod providers;
mod root_cause;
mod rule;
pub mod rules;
mod wording;

pub use finding::{Confidence, Evidence, Finding, Note, Quotation, Severity, Value};
pub use root_cause::lower_for_drops;
pub use rule::{Actor, Check, Layer, RefusalKind, Rule, Texts};

use std::cell::RefCell;
use std::rc::Rc;

use crate::diagnosis::needs::Traits;
use crate::diagnosis::providers::Place;
use crate::session::{Outcome, Session};

/// Lists of rules remembered in each thread.
const REMEMBERED: usize = 256;

/// Rules that can have anything to say of sessions with these traits, in the register's order.
type Asked = (Traits, Rc<[&'static Rule]>);

thread_local! {
    static ASKED: RefCell<Vec<Option<Asked>>> = RefCell::new(vec![None; REMEMBERED]);
}

/// The rules to ask of a session with these traits: most sessions are alike in that.
fn asked(traits: Traits) -> Rc<[&'static Rule]> {
    let meets = |rule: &&Rule| traits.concern(rule.layer) && traits.meet(needs::of(rule));
    let asked = ASKED.with_borrow_mut(|known| match known.get_mut(traits.place(REMEMBERED)) {
        Some(Some((same, rules))) if *same == traits => Rc::clone(rules),
        free => {
            let rules: Rc<[&Rule]> = rules::all().filter(meets).collect();
            if let Some(free) = free {
                *free = Some((traits, Rc::clone(&rules)));
            }
            rules
        }
    });
    debug_assert!(asked.iter().copied().eq(rules::all().filter(meets)));
    asked
}

/// Everything that is to be said of one session, root cause first.
#[must_use]
pub fn diagnose(session: &Session) -> Vec<Finding> {
    let refusals = rules::refusals(session);
    let traits = Traits::of(session);
    let mut findings: Vec<Finding> = asked(traits)
        .iter()
        .filter_map(|rule| match rule.check {
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
            let quoted = finding.evidence.iter().any(|one| one.first == reply.span.first());
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
