//! The server offers the logins only inside TLS, and the client asks again there.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::protocol::smtp::Verb;
use crate::protocol::tls::ContentType;
use crate::session::{Session, Stage};
use crate::span::Direction;

/// `ok-capabilities-change-after-tls`.
pub static RULE: Rule = Rule {
    slug: "ok-capabilities-change-after-tls",
    layer: Layer::Healthy,
    severity: Severity::Ok,
    confidence: Confidence::Confirmed,
    precedence: None,
    actors: &[Actor::Server],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 3207 4.2", "RFC 2595 3.1", "RFC 4954 4"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// What encryption adds to a line: TLS 1.3, TLS 1.2 with GCM, with ChaCha20, TLS 1.3 of Java.
const OVERHEADS: [u64; 4] = [17, 24, 16, 33];
/// Records of the client in which the repeated EHLO is looked for.
const LOOKED_AT: usize = 8;

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let list = facts::clear_list(session).filter(|_| session.upgraded())?;
    if !facts::offers(list, "STARTTLS") || facts::offers_mechanism(list, &["PLAIN", "LOGIN"]) {
        return None;
    }
    let seen = session
        .exchanges()
        .iter()
        .find(|exchange| exchange.inside_tls && exchange.verb == Verb::Ehlo);
    if let Some(exchange) = seen {
        return Some(Finding::of(rule, Stage::Hello, Evidence::command(exchange)));
    }
    let tls = session.tls.as_deref()?;
    let line = list.line_length();
    let record = tls
        .records
        .iter()
        .filter(|record| record.direction == Direction::ToServer && record.content == ContentType::ApplicationData)
        .take(LOOKED_AT)
        .find(|record| {
            OVERHEADS
                .iter()
                .any(|overhead| line.saturating_add(*overhead) == u64::from(record.length))
        })?;
    Some(
        Finding::of(
            rule,
            Stage::Hello,
            Evidence::frame(
                record.stamp,
                Some(Direction::ToServer),
                Note::of("encrypted record of {length} octets: the length of the EHLO line")
                    .with("length", record.length),
            ),
        )
        .as_sure_as(Confidence::Inferred)
        .with("length", record.length)
        .with("line", &list.line),
    )
}
