//! Stopping at any frame: a session that the operator cut never gets a graver finding than the same frames as a file.

use smtpcap::analyzer::{Analyzer, Options};
use smtpcap::capture::{Input, Reader};
use smtpcap::diagnosis::{Finding, Severity};
use smtpcap::session::{EndedBy, Session};

use crate::harness::fixture;

fn up_to(path: &std::path::Path, frames: usize, stop: bool) -> Vec<(Session, Vec<Finding>)> {
    let mut analyzer = Analyzer::new(&Options::default());
    let mut reader = Reader::new([Input::Path(path.to_owned())]);
    for _ in 0..frames {
        let Ok(Some(frame)) = reader.next_frame() else { break };
        analyzer.push_frame(&frame);
    }
    if stop {
        analyzer.stop();
    } else {
        analyzer.finish();
    }
    std::iter::from_fn(|| analyzer.poll_session()).collect()
}

#[test]
fn no_finding_blames_anyone_for_the_cut() {
    let mut stopped = 0;
    for name in [
        "data-lost/capture.pcapng",
        "healthy-delivery/capture.pcap",
        "intercom/capture.pcapng",
        "syn-no-answer/capture.pcap",
        "tls-server-dies/capture.pcap",
        "zero-window/capture.pcapng.gz",
    ] {
        let path = fixture(name);
        if !path.exists() {
            panic!("{name} is gone");
        }
        for frames in 1..120 {
            let (file, live) = (up_to(&path, frames, false), up_to(&path, frames, true));
            assert_eq!(file.len(), live.len());
            for (session, findings) in live {
                if session.ended_by != EndedBy::Operator {
                    continue;
                }
                stopped += 1;
                let same = file.iter().find(|(one, _)| one.id == session.id).unwrap();
                assert_ne!(same.0.ended_by, EndedBy::Operator);
                let grave = |findings: &[Finding]| {
                    let grave = findings.iter().filter(|one| one.severity >= Severity::Risk);
                    grave.map(|one| one.rule.slug).collect::<Vec<_>>()
                };
                let known = grave(&same.1);
                for slug in grave(&findings) {
                    assert!(
                        known.contains(&slug),
                        "{name}, {frames} frames, session {}: {slug}",
                        session.id.0
                    );
                }
                assert!(findings.iter().any(|one| one.rule.slug == "capture-partial-session"));
            }
        }
    }
    assert!(stopped > 100, "{stopped}");
}
