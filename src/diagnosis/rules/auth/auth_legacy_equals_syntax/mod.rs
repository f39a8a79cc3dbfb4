//! The EHLO reply carries the old "AUTH=" line.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `auth-legacy-equals-syntax`.
pub static RULE: Rule = Rule {
    slug: "auth-legacy-equals-syntax",
    layer: Layer::Auth,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Server],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 4954 3", "Postfix broken_sasl_auth_clients"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let list = facts::clear_list(session)?;
    let old = Session::extensions(list).iter().find(|line| {
        line.bytes()
            .get(..5)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"AUTH="))
    })?;
    let also = Session::extensions(list).iter().any(|line| {
        line.bytes()
            .get(..5)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"AUTH "))
    });
    let reply = list.reply.yes()?;
    let finding = Finding::of(rule, Stage::Hello, Evidence::quote(&reply.span.get(), old)).with("line", old);
    Some(if also { finding.with("also", "yes") } else { finding })
}
