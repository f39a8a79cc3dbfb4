//! An old version was negotiated, and the server ended the session after a few records.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{ContentType, Phase, Version};
use crate::session::{EndedBy, Service, Session, Stage};
use crate::span::{Direction, Role};

/// `tls-policy-refusal-after-handshake`.
pub static RULE: Rule = Rule {
    slug: "tls-policy-refusal-after-handshake",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Inferred,
    precedence: Some(48),
    actors: &[Actor::Client],
    explains_away: &[],
    references: &["Microsoft \"421 4.7.66 TLS 1.0 and 1.1 are not supported\"", "RFC 8997"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session
        .tls
        .as_deref()
        .filter(|tls| tls.phase >= Phase::AfterHandshake && !tls.decrypted)?;
    let hello = tls
        .server_hello
        .as_ref()
        .filter(|hello| hello.version < Version::TLS1_2)?;
    let client = &tls.directions.to_server;
    let few = (1..=4).contains(&client.application_records) && client.application_octets < 1200;
    let by_server = matches!(
        session.ended_by,
        EndedBy::Fin(Role::Server) | EndedBy::Reset(Role::Server)
    );
    // A last client record of the size of QUIT (CBC: at most 48 octets) means that the client had ended by itself.
    let last = tls.records.iter().rev().find(|record| {
        record.direction == Direction::ToServer && record.content == ContentType::ApplicationData && record.length > 32
    });
    let quit = last.is_none_or(|record| record.length <= 48);
    if !few || !by_server || quit || session.service == Service::Pop3 {
        return None;
    }
    let end = tls.directions.to_client.last_record?;
    Some(
        Finding::of(
            rule,
            Stage::Encrypted,
            Evidence::frame(
                end,
                Some(Direction::ToClient),
                "last encrypted record, then the server closes",
            ),
        )
        .with("chosen", hello.version)
        .and(Evidence::server_hello(hello)),
    )
}
