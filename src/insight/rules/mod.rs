//! The register of rules that look at several sessions: one folder each, as in the diagnosis room, and its line here.

use crate::diagnosis::Rule;
use crate::insight::history::{History, Insight};

/// How such a rule looks at the window.
pub type Check = fn(&'static Rule, &History) -> Vec<Insight>;

/// Every rule with its check, in the catalogue's order.
static RULES: &[(&Rule, Check)] = &[];

/// Every rule with its check.
pub fn all() -> impl Iterator<Item = (&'static Rule, Check)> {
    RULES.iter().copied()
}
