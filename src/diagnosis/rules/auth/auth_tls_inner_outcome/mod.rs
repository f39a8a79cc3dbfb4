//! Record sizes inside TLS look like a login and its result.

use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Note, Rule, Severity};
use crate::protocol::tls::{ContentType, Phase, Version, cipher_suite_name};
use crate::session::{Service, Session, Stage};
use crate::span::{Direction, Stamp};

/// `auth-tls-inner-outcome`.
pub static RULE: Rule = Rule {
    slug: "auth-tls-inner-outcome",
    layer: Layer::Auth,
    severity: Severity::Note,
    confidence: Confidence::Inferred,
    precedence: None,
    actors: &[Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &[
        "RFC 8446 5.2, 5.4",
        "RFC 5246 6.2.3",
        "measured with swaks and Postfix 3.7/OpenSSL 3.0",
    ],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let tls = session
        .tls
        .as_deref()
        .filter(|tls| !tls.decrypted && tls.phase >= Phase::AfterHandshake)?;
    if !matches!(
        session.service,
        Service::Submission | Service::Submissions | Service::Smtp
    ) {
        return None;
    }
    let overhead = overhead(tls)?;
    let inside: Vec<(Direction, u16, Stamp)> = tls
        .records
        .iter()
        .filter(|record| record.content == ContentType::ApplicationData && record.encrypted)
        .filter_map(|record| Some((record.direction, record.length.checked_sub(overhead)?, record.stamp)))
        .collect();
    let (result, stamp) = after_login_prompts(&inside).or_else(|| after_single_command(&inside))?;
    let looks_refused = result != ACCEPTED;
    // A refused login is followed by QUIT or the end; an accepted one by MAIL and more.
    let finding = Finding::of(
        rule,
        Stage::Encrypted,
        Evidence::frame(
            stamp,
            Some(Direction::ToClient),
            Note::of("encrypted record of the size of a {result}-octet reply").with("result", result),
        ),
    );
    Some(if looks_refused {
        finding.with("refused", "yes")
    } else {
        finding.with("accepted", "yes")
    })
}

/// "334 VXNlcm5hbWU6" and "334 UGFzc3dvcmQ6" with their line ends.
const PROMPT: u16 = 18;
/// Postfix: "235 2.7.0 Authentication successful".
const ACCEPTED: u16 = 37;
/// QUIT with its line end.
const QUIT: u16 = 6;

/// Octets that protection adds to a plaintext; `None` where it is not constant (CBC) or not known.
fn overhead(tls: &crate::protocol::tls::TlsFacts) -> Option<u16> {
    let hello = tls.server_hello.as_ref()?;
    if hello.version == Version::TLS1_3 {
        return Some(17);
    }
    let name = cipher_suite_name(hello.cipher_suite)?;
    if name.contains("CHACHA20") || name.contains("CCM_8") {
        Some(16)
    } else if name.contains("GCM") || name.contains("CCM") {
        Some(24)
    } else {
        None
    }
}

/// Two prompts of AUTH LOGIN, each behind a client record; then the result.
fn after_login_prompts(inside: &[(Direction, u16, Stamp)]) -> Option<(u16, Stamp)> {
    let to_client = |record: &(Direction, u16, Stamp), size: u16| record.0 == Direction::ToClient && record.1 == size;
    let start = inside.windows(3).position(|three| match three {
        [one, two, three] => to_client(one, PROMPT) && two.0 == Direction::ToServer && to_client(three, PROMPT),
        _ => false,
    })?;
    let rest = inside.get(start + 3..)?;
    let result = rest.iter().find(|record| record.0 == Direction::ToClient)?;
    Some((result.1, result.2))
}

/// AUTH PLAIN in one command: only the size of the refusal and a QUIT right behind it are telling.
fn after_single_command(inside: &[(Direction, u16, Stamp)]) -> Option<(u16, Stamp)> {
    inside.windows(4).find_map(|four| match four {
        [list, auth, result, next]
            if list.0 == Direction::ToClient
                && list.1 > 100
                && auth.0 == Direction::ToServer
                && (20..=200).contains(&auth.1)
                && result.0 == Direction::ToClient
                && (50..=110).contains(&result.1)
                && next.0 == Direction::ToServer
                && next.1 == QUIT
                && result.2.time.since(auth.2.time) >= std::time::Duration::from_millis(800) =>
        {
            Some((result.1, result.2))
        }
        _ => None,
    })
}
