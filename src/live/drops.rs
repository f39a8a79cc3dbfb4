//! Packets that the kernel dropped while a run goes on: which sessions they may have hidden something of.

use crate::diagnosis::{self, Finding};
use crate::session::Session;
use crate::time::Timestamp;

/// When the count of dropped packets last rose. The capture program tells it each second.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drops {
    count: u64,
    rose: Option<Timestamp>,
}

impl Drops {
    /// Takes the count as it is at `now`, in packet time.
    pub fn note(&mut self, count: u64, now: Timestamp) {
        if count > self.count {
            self.count = count;
            self.rose = Some(now);
        }
    }

    /// Marks a session that was open when packets were dropped: what was not seen of it may have happened.
    ///
    /// A session that ended within the second before the count was told is not marked: its story is out by then.
    pub fn concern(&self, session: &mut Session, findings: &mut [Finding]) {
        if self.rose.is_some_and(|rose| rose >= session.connection.first.time) {
            session.quality.kernel_drops = true;
            diagnosis::lower_for_drops(findings);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzer::{Analyzer, Options};
    use crate::capture::{Input, Reader};
    use crate::diagnosis::Confidence;

    /// SYNs that nothing answered, with what is said of them: likely, not seen to be so.
    fn sessions() -> Vec<(Session, Vec<Finding>)> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/syn-no-answer/capture.pcap");
        let mut reader = Reader::new([Input::Path(path.into())]);
        let mut analyzer = Analyzer::new(&Options::default());
        while let Some(frame) = reader.next_frame().unwrap() {
            analyzer.push_frame(&frame);
        }
        analyzer.finish();
        std::iter::from_fn(|| analyzer.poll_session()).collect()
    }

    fn confidences(findings: &[Finding]) -> Vec<Confidence> {
        findings.iter().map(|finding| finding.confidence).collect()
    }

    #[test]
    fn drops_while_a_session_was_open_lower_what_is_not_said_in_clear() {
        let mut lowered = 0;
        for (mut session, mut findings) in sessions() {
            let before = confidences(&findings);
            let mut drops = Drops::default();
            drops.note(0, session.connection.last.time);
            drops.concern(&mut session, &mut findings);
            assert_eq!(
                (confidences(&findings), session.quality.kernel_drops),
                (before.clone(), false)
            );
            drops.note(3, session.connection.last.time);
            drops.concern(&mut session, &mut findings);
            assert!(session.quality.kernel_drops && !session.quality.is_complete());
            for (now, before) in confidences(&findings).into_iter().zip(before) {
                let expected = if before == Confidence::Confirmed {
                    before
                } else {
                    before.lowered()
                };
                assert_eq!(now, expected);
                lowered += usize::from(now != before);
            }
        }
        assert!(lowered > 0);
    }

    #[test]
    fn drops_before_a_session_do_not_concern_it() {
        let mut drops = Drops::default();
        drops.note(3, Timestamp::from_nanoseconds(1));
        for (mut session, mut findings) in sessions() {
            drops.concern(&mut session, &mut findings);
            assert!(!session.quality.kernel_drops);
        }
    }
}
