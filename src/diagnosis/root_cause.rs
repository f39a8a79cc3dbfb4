//! Chooses the one root cause of a session and folds its consequences under it (catalogue, section 4).

use crate::diagnosis::finding::{Confidence, Finding, Severity};
use crate::diagnosis::rule::Layer;
use crate::frame::FrameNumber;
use crate::session::{Outcome, Session, Stage};

/// Marks root cause and consequences, lowers confidence where the capture lacks packets, sorts: root first, then other
/// failures, risks (those that expose passwords first), notes, limits, healthy entries.
pub(super) fn settle(session: &Session, mut findings: Vec<Finding>) -> Vec<Finding> {
    if findings.is_empty() {
        return findings;
    }
    lower_by_quality(session, &mut findings);
    if let Some(root) = choose(session, &findings) {
        let slug = findings.get(root).map(|finding| finding.rule.slug);
        for (position, finding) in findings.iter_mut().enumerate() {
            finding.root_cause = position == root;
        }
        fold(session, &mut findings, slug);
    }
    findings.sort_by_key(|finding| {
        (
            !finding.root_cause,
            std::cmp::Reverse(finding.severity),
            finding.because_of.is_some(),
            !exposes_password(finding.rule.slug),
            finding.decisive().map_or(FrameNumber(u64::MAX), |stamp| stamp.frame),
            finding.rule.slug,
        )
    });
    findings
}

fn exposes_password(slug: &str) -> bool {
    slug.ends_with("-cleartext-credentials")
}

/// An accepted mail or a successful login has no root cause, only risks and notes (rule 1 of section 4); except where a
/// rule says `fail` of something that did fail on the way (a recipient, a refused STARTTLS).
fn choose(session: &Session, findings: &[Finding]) -> Option<usize> {
    let candidate = |finding: &Finding| {
        finding.severity == Severity::Fail && finding.rule.precedence.is_some() && allowed(session, finding)
    };
    let explained = |finding: &Finding| {
        findings.iter().any(|other| {
            other.severity == Severity::Fail
                && other.rule.slug != finding.rule.slug
                && explains(session, other, finding)
        })
    };
    let rank = |finding: &Finding| {
        (
            finding.decisive().map_or(FrameNumber(u64::MAX), |stamp| stamp.frame),
            finding.rule.precedence,
            finding.rule.slug,
        )
    };
    let best = |only_unexplained: bool| {
        findings
            .iter()
            .enumerate()
            .filter(|(_, finding)| candidate(finding) && !(only_unexplained && explained(finding)))
            .min_by_key(|(_, finding)| rank(finding))
            .map(|(position, _)| position)
    };
    best(true).or_else(|| best(false))
}

fn allowed(session: &Session, finding: &Finding) -> bool {
    match session.outcome {
        // What follows an accepted mail (a reset, a missing QUIT) has cost nothing.
        Outcome::Accepted | Outcome::LoggedIn => finding.rule.precedence.is_some_and(|precedence| precedence < 80),
        Outcome::Refused
        | Outcome::Deferred
        | Outcome::AuthenticationFailed
        | Outcome::TlsFailed
        | Outcome::NoConnection
        | Outcome::NoDialogue
        | Outcome::Aborted
        | Outcome::PartlyAccepted
        | Outcome::NothingTried
        | Outcome::Encrypted
        | Outcome::Unknown => true,
    }
}

/// A finding that the root cause (or another failing finding) explains becomes its consequence.
fn fold(session: &Session, findings: &mut [Finding], root: Option<&'static str>) {
    for position in 0..findings.len() {
        let reason = findings
            .get(position)
            .and_then(|finding| reason(session, findings, finding, root));
        if let Some(finding) = findings.get_mut(position) {
            finding.because_of = reason;
        }
    }
}

fn reason(
    session: &Session,
    findings: &[Finding],
    finding: &Finding,
    root: Option<&'static str>,
) -> Option<&'static str> {
    if finding.root_cause {
        return None;
    }
    let failures = || findings.iter().filter(|other| other.severity == Severity::Fail);
    let explainers = || {
        failures()
            .filter(|other| explains(session, other, finding))
            .map(|other| other.rule.slug)
    };
    let by_root = explainers().find(|slug| Some(*slug) == root);
    let alone = failures().any(|other| Some(other.rule.slug) == root && concern_others(session, other, finding));
    let follows = finding.severity == Severity::Fail && !alone;
    by_root.or_else(|| explainers().next()).or(root.filter(|_| follows))
}

/// The other finding is a consequence of this one.
fn explains(session: &Session, this: &Finding, other: &Finding) -> bool {
    this.rule.explains_away.contains(&other.rule.slug) && !concern_others(session, this, other)
}

/// Both speak of one recipient, and not of the same, or of two mails: each recipient and each mail transaction has its
/// own result (RFC 5321, section 3.3).
fn concern_others(session: &Session, this: &Finding, other: &Finding) -> bool {
    let recipients = match (this.value("recipient"), other.value("recipient")) {
        (Some(this), Some(other)) => this != other,
        _ => false,
    };
    recipients
        || match (transaction(session, this), transaction(session, other)) {
            (Some(this), Some(other)) => this != other,
            _ => false,
        }
}

/// The mail transaction that a finding is about, by its place: the last one whose MAIL came before the decisive frame.
fn transaction(session: &Session, finding: &Finding) -> Option<usize> {
    if !matches!(
        finding.stage,
        Stage::Mail | Stage::Rcpt | Stage::Data | Stage::FinalReply
    ) {
        return None;
    }
    let decisive = finding.decisive()?;
    session.transactions.iter().rposition(|one| {
        session
            .exchanges()
            .get(one.mail)
            .is_some_and(|mail| mail.command.first().frame <= decisive.frame)
    })
}

/// Lower by one step what is not said in clear in one frame: the kernel dropped packets while the session was open, so
/// what was not seen may have happened. Rules about the capture itself are not touched.
pub fn lower_for_drops(findings: &mut [Finding]) {
    for finding in findings {
        if finding.confidence != Confidence::Confirmed && finding.rule.layer != Layer::Capture {
            finding.confidence = finding.confidence.lowered();
        }
    }
}

/// Lower by one step where a gap, a cut or a missing direction lies between the last good event and the failure.
/// Rules about the capture itself, and what the wire says in clear in one frame, are not touched.
fn lower_by_quality(session: &Session, findings: &mut [Finding]) {
    let quality = &session.quality;
    if quality.is_complete() && !quality.disordered {
        return;
    }
    let blind = quality.gaps || quality.only_direction.is_some() || quality.started_late || quality.disordered;
    let hole = session.connection.gaps.iter().map(|gap| gap.found_at.frame).min();
    for finding in findings.iter_mut().filter(|finding| finding.severity >= Severity::Note) {
        let after_hole = match (hole, finding.decisive()) {
            (Some(hole), Some(decisive)) => decisive.frame >= hole,
            _ => false,
        };
        let said_in_clear = finding.confidence == Confidence::Confirmed && !after_hole;
        if session.quality.only_direction.is_some() || after_hole || (session.quality.started_late && !said_in_clear) {
            finding.confidence = finding.confidence.lowered();
        }
        if blind && finding.rule.leans_on_absence {
            finding.confidence = finding.confidence.min(Confidence::Possible);
        }
    }
}
