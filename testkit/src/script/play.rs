//! Plays a plan: sessions one after the other (or where `at=` puts them), each statement on its connection, the closing
//! that follows from the last words; out come frames in time order. Must not read script text.

use super::connection::Connection;
use super::plan::{Action, At, Opening, Part, Plan, SessionPlan, Statement};
use super::{START_NS, ScriptError, Side};
use crate::container::TimedFrame;
use crate::tls::TlsState;
use crate::words::Words;

const SECOND: i64 = 1_000_000_000;

/// All frames of a plan.
pub(crate) fn play(plan: &Plan) -> Result<Vec<TimedFrame>, ScriptError> {
    let start = plan.start_ns.unwrap_or(START_NS);
    let mut frames = Vec::new();
    let mut previous_end = start - SECOND;
    let mut index = 0u64;
    for session in &plan.sessions {
        let first = match session.header.at {
            At::AfterPrevious(delay) => previous_end + delay,
            At::SinceStart(delay) => start + delay,
            At::Absolute(time) => time,
        };
        for round in 0..session.header.times {
            let mut session = session.clone();
            session
                .header
                .client
                .set_port(session.header.client.port() + round as u16);
            let at = first + i64::from(round) * session.header.every;
            let (captured, end) = play_session(&session, at, index)?;
            frames.extend(captured);
            previous_end = end;
            index += 1;
        }
    }
    frames.sort_by_key(|frame: &TimedFrame| frame.time_ns);
    Ok(frames)
}

fn play_session(session: &SessionPlan, start: i64, index: u64) -> Result<(Vec<TimedFrame>, i64), ScriptError> {
    let mut connection = Connection::new(&session.header, session.settings.clone(), start, index);
    let mut tls = TlsState::new(index + 1);
    for (position, statement) in session.statements.iter().enumerate() {
        let rest = &session.statements[position + 1..];
        play_statement(&mut connection, &mut tls, statement, rest)
            .map_err(|message| ScriptError::new(statement.line, message))?;
    }
    connection.open();
    if closes_itself(session) && !connection.reset {
        let encrypted = session
            .statements
            .iter()
            .rev()
            .find_map(last_words)
            .is_some_and(|(_, encrypted)| encrypted);
        for side in [Side::Server, Side::Client] {
            if encrypted {
                let bytes = tls
                    .say(side, &Words::new("close"))
                    .map_err(|message| ScriptError::new(session.line, message))?;
                connection.send(side, &bytes, super::plan::Delivery::Normal);
            }
            if !connection.finished(side) {
                connection.fin(side);
            }
        }
    }
    Ok((connection.finish(), connection.end_time()))
}

fn play_statement(
    connection: &mut Connection,
    tls: &mut TlsState,
    statement: &Statement,
    rest: &[Statement],
) -> Result<(), String> {
    match &statement.action {
        Action::Settings(settings) => {
            connection.settings = (**settings).clone();
            return Ok(());
        }
        Action::Duplicate => {
            connection.duplicate_next = true;
            return Ok(());
        }
        Action::Reorder => {
            connection.reorder_next = true;
            return Ok(());
        }
        Action::Lose { from, times } => {
            connection.lose_next = Some((*from, *times));
            return Ok(());
        }
        Action::Open => return Ok(()),
        _ => {}
    }
    if !connection.open() {
        return match &statement.action {
            Action::Wait(duration) => {
                connection.wait(*duration);
                Ok(())
            }
            Action::Icmp {
                toward,
                kind,
                code,
                mtu,
            } => {
                connection.icmp(*toward, *kind, *code, *mtu);
                Ok(())
            }
            _ => Err("nothing can happen on a connection that never opens".to_owned()),
        };
    }
    match &statement.action {
        Action::Payload { side, parts, delivery } => {
            let mut bytes = Vec::new();
            for part in parts {
                match part {
                    Part::Text(text) => bytes.extend_from_slice(text),
                    Part::Encrypted(text) => bytes.extend_from_slice(&tls.encrypted(*side, text.len())),
                    Part::Tls(words) => bytes.extend_from_slice(&tls.say(*side, &Words::new(words))?),
                }
            }
            connection.send(*side, &bytes, *delivery);
        }
        Action::Fin { side, only } => {
            connection.fin(*side);
            let peer = side.other();
            let peer_goes_on = rest.iter().any(|later| later.action.speaker() == Some(peer));
            if !only && !peer_goes_on && !connection.finished(peer) {
                connection.fin(peer);
            }
        }
        Action::Reset {
            side,
            ttl,
            acknowledges,
            out_of_window,
        } => {
            connection.abort(*side, *ttl, *acknowledges, *out_of_window);
        }
        Action::Icmp {
            toward,
            kind,
            code,
            mtu,
        } => connection.icmp(*toward, *kind, *code, *mtu),
        Action::Window { side, bytes } => connection.window(*side, *bytes),
        Action::Probe {
            side,
            times,
            every,
            answered,
        } => connection.probe(*side, *times, *every, *answered),
        Action::Retransmit { side, times, every } => {
            if !connection.retransmit(*side, *times, *every) {
                return Err("this side has sent no data to retransmit".to_owned());
            }
        }
        Action::Conflict { side, bytes } => {
            if !connection.conflict(*side, bytes) {
                return Err("this side has sent no data to conflict with".to_owned());
            }
        }
        Action::Acknowledge { side } => connection.acknowledge(*side),
        Action::SynAgain { side, times } => connection.syn_again(*side, *times),
        Action::Wait(duration) => connection.wait(*duration),
        Action::Midstream => connection.forget(),
        Action::Close { first } => {
            for side in [*first, first.other()] {
                if !connection.finished(side) {
                    connection.fin(side);
                }
            }
        }
        Action::Settings(_) | Action::Duplicate | Action::Reorder | Action::Lose { .. } | Action::Open => {}
    }
    Ok(())
}

/// True when the session ends with a QUIT or LOGOUT that was answered and nothing else says how it ends.
fn closes_itself(session: &SessionPlan) -> bool {
    if !matches!(session.header.opening, Opening::Normal { .. }) {
        return false;
    }
    let Some(farewell) = session.statements.iter().rposition(|statement| {
        last_words(statement).is_some_and(|(words, _)| {
            let words = words.to_ascii_uppercase();
            words == "QUIT" || words == "LOGOUT" || words.ends_with(" LOGOUT")
        })
    }) else {
        return false;
    };
    let after = &session.statements[farewell + 1..];
    let answered = after
        .iter()
        .any(|statement| matches!(statement.action, Action::Payload { side: Side::Server, .. }));
    let told = after.iter().any(|statement| {
        matches!(
            statement.action,
            Action::Fin { .. } | Action::Reset { .. } | Action::Open | Action::Close { .. }
        )
    });
    let more = after.iter().any(|statement| last_words(statement).is_some());
    answered && !told && !more
}

/// The last line a client's text payload says, and whether it is encrypted.
fn last_words(statement: &Statement) -> Option<(String, bool)> {
    let Action::Payload {
        side: Side::Client,
        parts,
        ..
    } = &statement.action
    else {
        return None;
    };
    let (text, encrypted) = match parts.last()? {
        Part::Text(text) => (text, false),
        Part::Encrypted(text) => (text, true),
        Part::Tls(_) => return None,
    };
    let text = String::from_utf8_lossy(text);
    Some((text.trim_end().lines().last().unwrap_or_default().to_owned(), encrypted))
}
