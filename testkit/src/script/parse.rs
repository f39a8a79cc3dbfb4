//! Turns script text into a plan: comments and `repeat` blocks first, then line by line. The language is described in the
//! crate's documentation. Must not play anything.

use super::blocks::{Line, expand};
use super::header::{addresses, default_header, kind_and_code, options, port, times};
use super::plan::{Action, Delivery, Header, Opening, Part, Plan, SessionPlan, Settings, Statement};
use super::{ScriptError, Side, settings, shorthand};
use crate::bytes::{filler, unescape};
use crate::words::{Words, duration, number};
use std::net::{IpAddr, Ipv6Addr};

const SECOND: i64 = 1_000_000_000;
struct Parser {
    plan: Plan,
    defaults: Settings,
    settings: Settings,
    current: Option<SessionPlan>,
    default_port: u16,
    next_client_port: u16,
    secure: bool,
}

/// The plan of a script.
pub(crate) fn parse(text: &str) -> Result<Plan, ScriptError> {
    let lines: Vec<Line> = text
        .lines()
        .enumerate()
        .map(|(index, text)| Line {
            number: index + 1,
            text: text.trim_end_matches('\r').to_owned(),
        })
        .collect();
    let mut expanded = Vec::new();
    expand(&lines, &mut expanded)?;
    let mut parser = Parser {
        plan: Plan::default(),
        defaults: Settings::default(),
        settings: Settings::default(),
        current: None,
        default_port: 25,
        next_client_port: 50_000,
        secure: false,
    };
    let mut rest = expanded.iter();
    while let Some(line) = rest.next() {
        let trimmed = line.text.trim();
        let mut heredoc = None;
        if opens_heredoc(trimmed) {
            let indent = line.text.len() - line.text.trim_start().len();
            let mut body = Vec::new();
            loop {
                let inner = rest
                    .next()
                    .ok_or_else(|| ScriptError::new(line.number, "<< is never closed by a line >>"))?;
                if inner.text.trim() == ">>" {
                    break;
                }
                let blanks = inner.text.len() - inner.text.trim_start().len();
                let text = unescape(&inner.text[blanks.min(indent)..])
                    .map_err(|message| ScriptError::new(inner.number, message))?;
                body.extend_from_slice(&text);
                body.extend_from_slice(b"\r\n");
            }
            heredoc = Some(body);
        }
        parser
            .line(line.number, trimmed, heredoc)
            .map_err(|message| ScriptError::new(line.number, message))?;
    }
    parser.close_session();
    if parser.plan.sessions.is_empty() {
        return Err(ScriptError::new(
            1,
            "the script says nothing: no session and no line of a conversation",
        ));
    }
    Ok(parser.plan)
}

pub(crate) fn opens_heredoc(trimmed: &str) -> bool {
    side_line(trimmed).is_some_and(|(_, _, rest)| rest.trim() == "<<")
}

pub(crate) fn strip_comment(text: &str) -> &str {
    text.split(" #").next().unwrap_or(text).trim()
}

/// Splits `C+> text` into side, modifiers and text; none when the line is something else.
fn side_line(text: &str) -> Option<(Side, &str, &str)> {
    let side = match text.as_bytes().first()? {
        b'C' => Side::Client,
        b'S' => Side::Server,
        _ => return None,
    };
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let modifiers = &text[1..end];
    let known = !modifiers.is_empty() && modifiers.chars().all(|c| ":>+=!xr".contains(c) || c.is_ascii_digit());
    let rest = text[end..].strip_prefix(char::is_whitespace).unwrap_or_default();
    (known && !modifiers.starts_with(|c: char| c.is_ascii_digit())).then_some((side, modifiers, rest))
}

#[derive(Debug, Clone, Copy)]
struct Modifiers {
    join: bool,
    bare: bool,
    encrypted: bool,
    literal: bool,
    delivery: Delivery,
}

fn modifiers(text: &str) -> Result<Modifiers, String> {
    let mut out = Modifiers {
        join: text.contains('+'),
        bare: text.contains('>'),
        encrypted: text.contains('='),
        literal: text.contains("::"),
        delivery: Delivery::Normal,
    };
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let count: Option<u32> = if digits.is_empty() { None } else { digits.parse().ok() };
    out.delivery = match (text.contains('!'), text.contains('x'), text.contains('r')) {
        (false, false, false) if count.is_none() => Delivery::Normal,
        (true, false, false) if count.is_none() => Delivery::Missing,
        (false, true, false) => Delivery::Lost(count.unwrap_or(3)),
        (false, false, true) => Delivery::Late(count.unwrap_or(1).max(1)),
        _ => {
            return Err(format!(
                "the marks \"{text}\" do not fit together; put a blank after C: or S:"
            ));
        }
    };
    Ok(out)
}

impl Parser {
    fn line(&mut self, number: usize, text: &str, heredoc: Option<Vec<u8>>) -> Result<(), String> {
        if text.is_empty() || text.starts_with('#') {
            return Ok(());
        }
        if let Some((side, marks, rest)) = side_line(text) {
            return self.side(number, side, modifiers(marks)?, rest, heredoc);
        }
        let text = strip_comment(text);
        let (word, arguments) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        if word == "session" {
            return self.session(number, arguments);
        }
        if let Some(lines) = shorthand::expand(word, arguments, self.secure)? {
            for line in lines {
                self.line(number, &line, None)?;
            }
            return Ok(());
        }
        self.statement(number, word, arguments)
    }

    fn statement(&mut self, number: usize, word: &str, arguments: &str) -> Result<(), String> {
        let words = Words::new(arguments);
        let needs = |what: &str| format!("\"{word}\" needs {what}");
        match word {
            "port" => {
                self.default_port = port(words.next().ok_or_else(|| needs("a port"))?)?;
                match &mut self.current {
                    Some(session) if session.statements.is_empty() => session.header.server.set_port(self.default_port),
                    Some(_) => return Err("\"port\" must stand before the conversation".to_owned()),
                    None => {}
                }
            }
            "start" => {
                self.plan.start_ns = Some(settings::moment(words.next().ok_or_else(|| needs("a moment"))?)?);
            }
            "drops" => self.plan.drops = Some(crate::words::number(words.next().unwrap_or_default())?),
            "wait" => {
                let time = duration(words.next().ok_or_else(|| needs("a duration like 5s"))?)?;
                self.push(number, Action::Wait(time));
            }
            "dup" => self.push(number, Action::Duplicate),
            "reorder" => self.push(number, Action::Reorder),
            "lose" => {
                let from =
                    crate::words::number(words.next().ok_or_else(|| needs("the number of a segment"))?)? as usize;
                let times = times(&words)?.unwrap_or(3);
                self.push(number, Action::Lose { from, times });
            }
            "midstream" => self.push(number, Action::Midstream),
            "open" => self.push(number, Action::Open),
            "close" => {
                let first = match words.next() {
                    Some("client") => Side::Client,
                    Some("server") | None => Side::Server,
                    Some(other) => return Err(format!("\"close {other}\": client or server closes first")),
                };
                self.push(number, Action::Close { first });
            }
            "end" => return Err("\"end\" without \"repeat\"".to_owned()),
            _ => {
                let mut changed = self.settings.clone();
                if !settings::apply(&mut changed, word, &words)? {
                    return Err(format!(
                        "\"{word}\" begins no statement; a line begins with C: S: C+ C> C= C! Cx Cr, session, wait, \
                         tls handshake, smtp, starttls, repeat or a setting"
                    ));
                }
                self.settings = changed.clone();
                match &mut self.current {
                    None => self.defaults = changed,
                    Some(session) if session.statements.is_empty() => session.settings = changed,
                    // Frames already under way would overtake each other.
                    Some(_) if matches!(word, "capture" | "latency") => {
                        return Err(format!("\"{word}\" must stand before the conversation"));
                    }
                    Some(_) => self.push(number, Action::Settings(Box::new(changed))),
                }
            }
        }
        words.finish()
    }

    fn push(&mut self, line: usize, action: Action) {
        if self.current.is_none() {
            let header = default_header(self.default_port, self.next_client_port);
            self.begin(line, header);
        }
        if let Some(session) = &mut self.current {
            session.statements.push(Statement { line, action });
        }
    }

    fn begin(&mut self, line: usize, header: Header) {
        self.close_session();
        self.secure = false;
        self.next_client_port = self.next_client_port.wrapping_add(header.times as u16).max(1024);
        self.settings = self.defaults.clone();
        self.current = Some(SessionPlan {
            line,
            header,
            settings: self.defaults.clone(),
            statements: Vec::new(),
        });
    }

    fn close_session(&mut self) {
        if let Some(session) = self.current.take() {
            self.plan.sessions.push(session);
        }
    }

    fn session(&mut self, line: usize, arguments: &str) -> Result<(), String> {
        let words = Words::new(arguments);
        let mut header = default_header(self.default_port, self.next_client_port);
        options(&mut header, &words)?;
        let midstream = words.flag("midstream");
        let only = words.value("oneway").map(settings::direction).transpose()?;
        let latency = words.value("latency").map(duration).transpose()?;
        if words.flag("v6") {
            header
                .client
                .set_ip(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0x10)));
            header
                .server
                .set_ip(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, 0x25)));
        }
        addresses(&mut header, &words.rest())?;
        self.begin(line, header);
        if let Some(session) = &mut self.current {
            session.settings.only_from = only.or(session.settings.only_from);
            session.settings.latency = latency.unwrap_or(session.settings.latency);
            self.settings = session.settings.clone();
        }
        if midstream {
            self.push(line, Action::Midstream);
        }
        Ok(())
    }

    fn side(
        &mut self,
        line: usize,
        side: Side,
        marks: Modifiers,
        rest: &str,
        heredoc: Option<Vec<u8>>,
    ) -> Result<(), String> {
        if let Some(body) = heredoc {
            let part = if marks.encrypted {
                Part::Encrypted(body)
            } else {
                Part::Text(body)
            };
            return self.payload(line, side, marks, part);
        }
        let (word, arguments) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let keyword = !marks.literal && !marks.bare;
        if keyword && word == "fill" && !arguments.is_empty() {
            let bytes = filler(number(arguments.trim())? as usize);
            let part = if marks.encrypted {
                Part::Encrypted(bytes)
            } else {
                Part::Text(bytes)
            };
            return self.payload(line, side, marks, part);
        }
        if keyword && !marks.encrypted {
            if word == "tls" {
                return self.tls(line, side, marks, arguments);
            }
            if let Some(action) = event(side, word, arguments)? {
                return self.event(line, action);
            }
        }
        let mut text = unescape(rest)?;
        if !marks.bare {
            text.extend_from_slice(b"\r\n");
        }
        let part = if marks.encrypted {
            Part::Encrypted(text)
        } else {
            Part::Text(text)
        };
        self.payload(line, side, marks, part)
    }

    fn tls(&mut self, line: usize, side: Side, marks: Modifiers, arguments: &str) -> Result<(), String> {
        if arguments.starts_with("finished") {
            self.secure = true;
        }
        self.payload(line, side, marks, Part::Tls(strip_comment(arguments).to_owned()))
    }

    fn event(&mut self, line: usize, action: Action) -> Result<(), String> {
        if let Action::SynAgain {
            side: Side::Client,
            times,
        } = &action
        {
            let untouched = self
                .current
                .as_ref()
                .is_none_or(|session| session.statements.is_empty());
            if untouched {
                self.push(line, Action::Open);
                let session = self.current.as_mut().ok_or("no session")?;
                session.header.opening = Opening::Unanswered { syns: *times };
                return Ok(());
            }
            if let Some(session) = &mut self.current
                && let Opening::Unanswered { syns } = &mut session.header.opening
            {
                *syns += times;
                return Ok(());
            }
        }
        self.push(line, action);
        Ok(())
    }

    fn payload(&mut self, line: usize, side: Side, marks: Modifiers, part: Part) -> Result<(), String> {
        if !marks.join {
            self.push(
                line,
                Action::Payload {
                    side,
                    parts: vec![part],
                    delivery: marks.delivery,
                },
            );
            return Ok(());
        }
        let last = self.current.as_mut().and_then(|session| session.statements.last_mut());
        let Some(Statement {
            action: Action::Payload {
                side: before, parts, ..
            },
            ..
        }) = last
        else {
            return Err("there is no segment to join: C+ and S+ follow a line of the same side".to_owned());
        };
        if *before != side {
            return Err("the line before is of the other side: C+ joins C, S+ joins S".to_owned());
        }
        match (parts.last_mut(), part) {
            (Some(Part::Encrypted(text)), Part::Encrypted(more) | Part::Text(more)) => text.extend_from_slice(&more),
            (_, part) => parts.push(part),
        }
        Ok(())
    }
}

/// What a keyword after `C:` or `S:` stands for; none when the line is ordinary text.
fn event(side: Side, word: &str, arguments: &str) -> Result<Option<Action>, String> {
    if !matches!(
        word,
        "fin" | "rst" | "icmp" | "window" | "probe" | "keepalive" | "retransmit" | "conflict" | "ack" | "syn"
    ) {
        return Ok(None);
    }
    if word == "conflict" {
        let mut bytes = unescape(arguments)?;
        bytes.extend_from_slice(b"\r\n");
        return Ok(Some(Action::Conflict { side, bytes }));
    }
    let words = Words::new(strip_comment(arguments));
    let hint = |message: String| format!("{message} (to say a line that begins with \"{word}\", write C:: or S::)");
    let times = times(&words).map_err(hint)?;
    let every = words.value("every").map(duration).transpose().map_err(hint)?;
    let action = match word {
        "fin" => Action::Fin {
            side,
            only: words.flag("only"),
        },
        "rst" => Action::Reset {
            side,
            ttl: words.number("ttl").map_err(hint)?.map(|ttl| ttl as u8),
            acknowledges: !words.flag("noack"),
            out_of_window: words.flag("outofwindow"),
        },
        "icmp" => {
            let (kind, code) = kind_and_code(words.next().unwrap_or_default()).map_err(hint)?;
            let mtu = words.number("mtu").map_err(hint)?.unwrap_or(0) as u32;
            Action::Icmp {
                toward: side.other(),
                kind,
                code,
                mtu,
            }
        }
        "window" => Action::Window {
            side,
            bytes: number(words.next().unwrap_or_default()).map_err(hint)? as u32,
        },
        "probe" | "keepalive" => Action::Probe {
            side,
            times: times.unwrap_or(1),
            every: every.unwrap_or(5 * SECOND),
            answered: !words.flag("unanswered"),
        },
        "retransmit" => Action::Retransmit {
            side,
            times: times.unwrap_or(1),
            every: every.unwrap_or(SECOND * 3 / 10),
        },
        "ack" => Action::Acknowledge { side },
        _ => Action::SynAgain {
            side,
            times: times.unwrap_or(1),
        },
    };
    words.finish().map_err(hint)?;
    Ok(Some(action))
}
