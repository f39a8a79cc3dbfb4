//! One client offers different highest TLS versions to different ports of mail servers: two TLS settings in one device.

use std::collections::BTreeMap;

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::insight::digest::Digest;
use crate::insight::history::Insight;
use crate::insight::window::Window;
use crate::protocol::tls::Version;
use crate::session::{Security, Stage};
use crate::span::{Direction, Stamp};

/// `cross-tls-version-differs-by-port`.
pub static RULE: Rule = Rule {
    slug: "cross-tls-version-differs-by-port",
    layer: Layer::Cross,
    severity: Severity::Fail,
    confidence: Confidence::Confirmed,
    precedence: Some(39),
    actors: &[Actor::Client],
    explains_away: &["cross-client-breaks-at-tls12"],
    leans_on_absence: false,
    references: &["RFC 8314 3", "RFC 8446 4.2.1"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Insight,
};

/// One way of connecting that a client uses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    port: u16,
    implicit: bool,
}

/// What a client offers on one way: the same in every session, or it is no setting of that way.
struct Offer<'a> {
    maximum: Version,
    hello: Stamp,
    sessions: Vec<&'a Digest>,
}

pub(super) fn check(rule: &'static Rule, window: &Window<'_>) -> Vec<Insight> {
    window
        .by_client()
        .filter(|sessions| sessions.len() > 1)
        .filter_map(|sessions| of_client(rule, sessions))
        .collect()
}

fn of_client(rule: &'static Rule, sessions: &[&Digest]) -> Option<Insight> {
    let offers = offers(sessions)?;
    let (old_way, old) = offers.iter().min_by_key(|(_, offer)| offer.maximum)?;
    let (new_way, new) = offers.iter().max_by_key(|(_, offer)| offer.maximum)?;
    // TLS 1.2 here and 1.3 there harms nobody.
    if old.maximum >= new.maximum || old.maximum >= Version::TLS1_2 {
        return None;
    }
    let refused = old
        .sessions
        .iter()
        .find(|digest| digest.tls.as_ref().is_some_and(|tls| !tls.completed));
    let works = new.sessions.iter().find(|digest| digest.worked());
    let clear = sessions
        .iter()
        .copied()
        .find(|digest| digest.security == Security::None && digest.accepted_mail());
    let exposed = clear.filter(|digest| digest.auth.iter().any(|auth| auth.readable));
    let hello = |stamp, version: Version, way: &Way| {
        let mode = if way.implicit {
            Phrase::IMPLICIT
        } else {
            Phrase::STARTTLS
        };
        Evidence::frame(
            stamp,
            Some(Direction::ToServer),
            Note::of("ClientHello on {port} ({mode}), at most {version}")
                .with("port", way.port)
                .with("mode", mode)
                .with("version", version),
        )
    };
    let finding = Finding::of(rule, Stage::Tls, hello(old.hello, old.maximum, old_way))
        .and(hello(new.hello, new.maximum, new_way))
        .as_severity(if refused.is_some() {
            Severity::Fail
        } else {
            Severity::Risk
        })
        .with("client", old.sessions.first()?.client.address.to_string())
        .with("old", old.maximum)
        .with("old_port", old_way.port)
        .with(
            "old_mode",
            if old_way.implicit {
                Phrase::IMPLICIT
            } else {
                Phrase::STARTTLS
            },
        )
        .with("new", new.maximum)
        .with("new_port", new_way.port)
        .with(
            "new_mode",
            if new_way.implicit {
                Phrase::IMPLICIT
            } else {
                Phrase::STARTTLS
            },
        )
        .with_some(
            "hello_name",
            sessions.iter().rev().find_map(|digest| digest.hello_name.as_ref()),
        )
        .with_some("refused", refused.map(|digest| digest.id))
        .with_some("works", works.map(|digest| digest.id))
        .with_some("clear", clear.map(|digest| digest.id))
        .with_some("clear_port", clear.map(|digest| digest.server.port))
        .with_some("exposed", exposed.map(|digest| digest.id));
    let stand_on = old
        .sessions
        .iter()
        .copied()
        .chain(new.sessions.iter().copied())
        .chain(clear);
    Some(Insight::on(finding, stand_on))
}

/// Phrase keys of the two modes.
struct Phrase;
impl Phrase {
    const IMPLICIT: crate::diagnosis::Value = crate::diagnosis::Value::Phrase("implicit_tls");
    const STARTTLS: crate::diagnosis::Value = crate::diagnosis::Value::Phrase("starttls");
}

/// The offers by way; `None` where there is one way only, or where one way's offers differ among themselves (several
/// programs behind one address, or a version sweep).
fn offers<'a>(sessions: &[&'a Digest]) -> Option<BTreeMap<Way, Offer<'a>>> {
    let mut offers: BTreeMap<Way, Offer<'a>> = BTreeMap::new();
    for digest in sessions {
        let Some(tls) = &digest.tls else { continue };
        let (Some(maximum), Some(hello)) = (tls.maximum, tls.hello) else {
            continue;
        };
        let way = Way {
            port: digest.server.port,
            implicit: digest.security == Security::Implicit,
        };
        let offer = offers.entry(way).or_insert_with(|| Offer {
            maximum,
            hello,
            sessions: Vec::new(),
        });
        if offer.maximum != maximum {
            return None;
        }
        offer.sessions.push(digest);
    }
    (offers.len() >= 2).then_some(offers)
}
