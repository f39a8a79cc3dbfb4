//! A client whose every ClientHello for a service stops at TLS 1.1: it breaks when the server requires TLS 1.2.

use std::collections::BTreeMap;

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::insight::digest::Digest;
use crate::insight::history::Insight;
use crate::insight::window::Window;
use crate::protocol::tls::Version;
use crate::session::{Service, Stage};
use crate::span::Direction;

/// `cross-client-breaks-at-tls12`.
pub static RULE: Rule = Rule {
    slug: "cross-client-breaks-at-tls12",
    layer: Layer::Cross,
    severity: Severity::Risk,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 8996", "RFC 8997"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Insight,
};

pub(super) fn check(rule: &'static Rule, window: &Window<'_>) -> Vec<Insight> {
    let mut groups: BTreeMap<_, Vec<&Digest>> = BTreeMap::new();
    for digest in window
        .sessions()
        .filter(|digest| digest.tls.as_ref().is_some_and(|tls| tls.maximum.is_some()))
    {
        groups
            .entry((digest.client_address(), digest.service, digest.server.port))
            .or_default()
            .push(digest);
    }
    groups
        .into_iter()
        .filter_map(|((_, service, _), sessions)| of_service(rule, service, &sessions))
        .collect()
}

fn of_service(rule: &'static Rule, service: Service, sessions: &[&Digest]) -> Option<Insight> {
    let offers = || {
        sessions
            .iter()
            .filter_map(|digest| Some((*digest, digest.tls.as_ref()?)))
    };
    let highest = offers().filter_map(|(_, tls)| tls.maximum).max()?;
    // A relay that meets an old client only passes mail on; its users cannot change it, so the same words fit.
    if highest >= Version::TLS1_2 || sessions.iter().any(|digest| digest.quality.started_late) {
        return None;
    }
    let (last, last_tls) = offers().next_back()?;
    let worked = offers().filter(|(_, tls)| tls.completed).count();
    let refused = offers().filter(|(_, tls)| tls.refused_version.is_some()).count();
    let finding = Finding::of(
        rule,
        Stage::Tls,
        Evidence::frame(
            last_tls.hello?,
            Some(Direction::ToServer),
            Note::of("ClientHello, at most {version}").with("version", highest),
        ),
    )
    .with("client", last.client.address.to_string())
    .with("offered", highest)
    .with("port", last.server.port)
    .with("service", service_name(service))
    .with("sessions", sessions.len())
    .with_some(
        "hello_name",
        offers().rev().find_map(|(digest, _)| digest.hello_name.as_ref()),
    )
    // Where every session was refused, the minimum was raised already.
    .with_some(
        "to_tell",
        (refused < sessions.len()).then(|| last.client.address.to_string()),
    )
    .with_some("still_works", (worked > 0).then_some(worked))
    .with_some("already_refused", (refused > 0).then_some(refused));
    Some(Insight::on(finding, sessions.iter().copied()))
}

const fn service_name(service: Service) -> &'static str {
    match service {
        Service::Smtp => "SMTP",
        Service::Submission | Service::Submissions => "submission",
        Service::Lmtp => "LMTP",
        Service::Pop3 | Service::Pop3s => "POP3",
        Service::Imap | Service::Imaps => "IMAP",
        Service::Other => "mail",
    }
}
