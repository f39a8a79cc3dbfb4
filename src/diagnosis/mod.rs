//! Turns a session's facts into findings: runs every rule of the register, chooses one root cause, folds consequences.
//! Judges; never decodes, never renders. No rule names another but in `explains_away`.

mod finding;
mod root_cause;
mod rule;
pub mod rules;

pub use finding::{Confidence, Evidence, Finding, Quotation, Severity, Value};
pub use rule::{Actor, Check, Layer, Rule, Texts};

use crate::session::Session;

/// Everything that is to be said of one session, root cause first.
#[must_use]
pub fn diagnose(session: &Session) -> Vec<Finding> {
    let findings = rules::all()
        .filter_map(|rule| match rule.check {
            Check::Session(check) => check(rule, session),
            Check::Insight => None,
        })
        .collect();
    root_cause::settle(session, findings)
}

/// The rule with this slug.
#[must_use]
pub fn rule(slug: &str) -> Option<&'static Rule> {
    rules::all().find(|rule| rule.slug == slug)
}
