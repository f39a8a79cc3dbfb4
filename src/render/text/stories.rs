//! The stories of a run in their order.

use crate::diagnosis::Severity;
use crate::render::text::story::{Page, failure, risk};
use crate::render::text::together;
use crate::report::Report;
use crate::text::Message;

/// The stories of a run: several sessions together, then failures, then what works but is exposed.
pub fn stories(page: &mut Page<'_>, report: &Report) {
    together::insights(page, report);
    let style = page.style();
    let causes = report.causes_in_order();
    let (failures, risks): (Vec<_>, Vec<_>) = causes.into_iter().partition(|cause| cause.severity == Severity::Fail);
    for cause in failures {
        failure(page, cause, &together::excused(report, cause));
    }
    let many = risks.iter().map(|cause| cause.sessions).sum::<u64>();
    if !risks.is_empty() {
        page.heading(style.word(Message::RisksHeading).as_str());
        for cause in &risks {
            risk(page, cause, many);
        }
    }
    page.blank();
    closing(page, report);
}

fn closing(page: &mut Page<'_>, report: &Report) {
    let failed = report.tally.severities.get(&Severity::Fail).copied().unwrap_or(0);
    let encrypted = report
        .tally
        .outcomes
        .get(&crate::session::Outcome::Encrypted)
        .copied()
        .unwrap_or(0);
    let style = page.style();
    if failed == 0 && report.tally.sessions > 0 {
        let text = if encrypted > 0 {
            style.say(Message::AllHealthyEncrypted, &[("count", &encrypted.to_string())])
        } else {
            style.word(Message::AllHealthy)
        };
        page.text(0, &text);
    }
    let exposes = |slug: &str| slug.ends_with("-cleartext-credentials") || slug == "auth-cram-md5-exposed";
    if report.tally.findings.keys().any(|slug| exposes(slug)) {
        page.text(0, &style.word(Message::SecretNotice));
    }
}
