//! The certificate ends within days.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::session::{Session, Stage};

/// `cert-expiring-soon`.
pub static RULE: Rule = Rule {
    slug: "cert-expiring-soon",
    layer: Layer::Cert,
    severity: Severity::Note,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Server],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 5280 4.1.2.5"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let message = session.tls.as_deref()?.server_certificate.as_ref()?;
    let leaf = message.certificates.first()?;
    let at = message.span.first.time;
    if at > leaf.not_after || at < leaf.not_before || !session.service.is_for_users() {
        return None;
    }
    let left = leaf.not_after.since(at);
    let whole = leaf.not_after.since(leaf.not_before);
    // A certificate that lives ten days is renewed every week: there, two thirds of its life must be over.
    let soon = if whole.as_secs() <= 10 * 86_400 {
        left < whole / 3
    } else {
        left.as_secs() < 14 * 86_400
    };
    let finding = Finding::of(rule, Stage::Tls, Evidence::quote(&message.span, &leaf.subject))
        .with("left", left)
        .with("until", leaf.not_after);
    soon.then(|| {
        if left.as_secs() < 3 * 86_400 && whole.as_secs() > 10 * 86_400 {
            finding.as_severity(Severity::Risk)
        } else {
            finding
        }
    })
}
