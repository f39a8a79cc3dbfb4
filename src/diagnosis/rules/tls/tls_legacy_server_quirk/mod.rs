//! The server behaves as old Windows TLS stacks do.

use crate::diagnosis::rules::tls::evidence;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::tls::{Phase, Version};
use crate::session::{Session, Stage};
use crate::span::{Direction, Role};

/// `tls-legacy-server-quirk`.
pub static RULE: Rule = Rule {
    slug: "tls-legacy-server-quirk",
    layer: Layer::Tls,
    severity: Severity::Fail,
    confidence: Confidence::Possible,
    precedence: Some(44),
    actors: &[Actor::Server],
    explains_away: &[
        "auth-requires-tls-first",
        "smtp-client-ignored-error",
        "smtp-client-vanished",
        "smtp-no-greeting",
        "smtp-server-421",
        "starttls-fallback-to-cleartext",
        "starttls-required",
        "tcp-reset-before-greeting",
        "tcp-reset-mid-session",
        "tls-close-notify-missing",
        "tls-decode-error-after-eof",
        "tls-no-shared-cipher",
        "tls-other-fatal-alert",
        "tls-server-closes-without-alert",
    ],
    references: &["RFC 7507 1", "RFC 8701", "Microsoft KB 938857"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// Suites of a ClientHello that Schannel of Windows Server 2003 reads.
const READ_SUITES: usize = 64;
/// What it can do: RC4-SHA, RC4-MD5, 3DES-SHA, with its update also AES-SHA.
const KNOWN_SUITES: [u16; 5] = [0x0004, 0x0005, 0x000A, 0x002F, 0x0035];

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    list_limit(rule, session).or_else(|| breaks_at_data(rule, session))
}

/// The only suites that such a server has stand behind the part of the list that it reads.
fn list_limit(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session
        .tls
        .as_deref()
        .filter(|tls| tls.phase == Phase::AfterClientHello)?;
    let hello = tls.offer()?;
    let position = hello
        .cipher_suites
        .iter()
        .position(|suite| KNOWN_SUITES.contains(suite))
        .filter(|position| *position >= READ_SUITES)?;
    let alert = evidence::fatal_alert(session)
        .filter(|(_, alert, _)| alert.span.direction == Direction::ToClient)
        .map(|(_, alert, _)| alert);
    let close = || {
        evidence::unfinished(session)?;
        evidence::end(session).filter(|end| end.by == Role::Server)
    };
    let decisive = match alert {
        Some(alert) if matches!(alert.description, 10 | 40 | 47 | 50) => Evidence::alert(alert),
        Some(_) => return None,
        None => close()?.evidence(),
    };
    Some(
        Finding::of(rule, Stage::Tls, decisive)
            .with("position", position + 1)
            .with("read", READ_SUITES)
            .and(Evidence::client_hello(hello)),
    )
}

/// Exchange 2003 with 3DES: the handshake is fine, the first data breaks the connection.
fn breaks_at_data(rule: &'static Rule, session: &Session) -> Option<Finding> {
    const TRIPLE_DES_SHA: u16 = 0x000A;
    let tls = evidence::completed(session)?;
    let hello = tls
        .server_hello
        .as_ref()
        .filter(|hello| hello.cipher_suite == TRIPLE_DES_SHA && hello.version == Version::TLS1_0)?;
    let sent = tls.directions.to_server.first_application_data?;
    let answered = tls.directions.to_client.first_application_data.is_some();
    let end = evidence::end(session).filter(|end| end.by == Role::Server && end.stamp.frame >= sent.frame)?;
    let alone = session.upgraded() && !answered && !session.quality.gaps && session.quality.only_direction.is_none();
    alone.then(|| {
        Finding::of(rule, Stage::Encrypted, end.evidence())
            .with("triple", "yes")
            .and(Evidence::server_hello(hello))
    })
}
