//! The client left without QUIT, or gave up waiting.

use crate::diagnosis::rules::facts;
use crate::diagnosis::{Actor, Check, Confidence, Evidence, Finding, Layer, Rule, Severity};
use crate::protocol::Seen;
use crate::protocol::smtp::Verb;
use crate::session::{EndedBy, Session, TransactionResult};
use crate::span::{Direction, Role};

/// `smtp-client-vanished`.
pub static RULE: Rule = Rule {
    slug: "smtp-client-vanished",
    layer: Layer::Smtp,
    severity: Severity::Note,
    confidence: Confidence::Likely,
    precedence: Some(85),
    actors: &[Actor::Client],
    explains_away: &[],
    leans_on_absence: false,
    references: &["RFC 5321 4.1.1.10, 4.5.3.2"],
    since: "0.1.0",
    texts: crate::rule_texts!(),
    check: Check::Session(check),
};

/// The last transaction has a sender and an accepted recipient, and no mail data.
fn begun(session: &Session) -> bool {
    session.transactions.last().is_some_and(|one| {
        one.data.is_none()
            && !one.reverse_path.is_empty()
            && one
                .recipients
                .iter()
                .any(|recipient| recipient.code.is_some_and(|code| code < 300))
    })
}

fn check(rule: &'static Rule, session: &Session) -> Option<Finding> {
    let dialogue = session.smtp.as_deref()?;
    let left = match session.ended_by {
        EndedBy::Fin(Role::Client) => session.connection.directions.to_server.fin?,
        EndedBy::Reset(Role::Client) => {
            session
                .connection
                .resets
                .iter()
                .find(|reset| reset.direction == Direction::ToServer)?
                .stamp
        }
        _ => return None,
    };
    if dialogue.greeting.is_none()
        || session.tls.as_ref().is_some_and(|tls| !tls.decrypted)
        || dialogue.exchanges.iter().any(|exchange| exchange.verb == Verb::Quit)
        || dialogue.foreign.is_some()
    {
        return None;
    }
    let last = dialogue.exchanges.last()?;
    let accepted = session.transactions.iter().any(|one| {
        matches!(
            one.result,
            TransactionResult::Accepted | TransactionResult::PartlyAccepted
        )
    });
    let unfinished = (last.reply == Seen::No && session.quality.only_direction.is_none())
        .then(|| facts::unfinished_octets(last))
        .flatten();
    let waiting = (last.reply == Seen::No && unfinished.is_none()).then_some(last);
    let waited = waiting.map(|exchange| left.time.since(exchange.command.last().time));
    if accepted && waiting.is_none() && unfinished.is_none() {
        return None;
    }
    let refused = dialogue
        .exchanges
        .iter()
        .any(|exchange| facts::refusal(exchange).is_some());
    let finding = Finding::of(
        rule,
        session.stage,
        Evidence::frame(left, Some(Direction::ToServer), "the client closes without QUIT"),
    )
    .with("last", &last.line)
    .with_some("waited", waited)
    .with_some("octets", unfinished)
    .with_some("refused", refused.then_some("yes"))
    .and(Evidence::command(last));
    Some(match waited {
        _ if unfinished.is_some() => finding.as_severity(Severity::Fail).as_sure_as(Confidence::Confirmed),
        Some(waited) if waited.as_secs() >= 2 => finding.as_severity(Severity::Fail),
        // A mail was begun, its recipient taken, and then not sent. Without a sender it was a check of the address.
        _ if begun(session) && !refused => finding.as_severity(Severity::Fail),
        _ => finding,
    })
}
