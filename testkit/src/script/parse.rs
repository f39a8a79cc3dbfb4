//! Turns script text into a plan: comments and `repeat` blocks first, then line by line. The language is described in the
//! crate's documentation. Must not play anything.

use super::plan::{Action, At, Delivery, Header, Opening, Part, Plan, SessionPlan, Settings, Statement};
use super::{ScriptError, Side, settings, shorthand};
use crate::bytes::{filler, unescape};
use crate::words::{Words, duration, number};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const SECOND: i64 = 1_000_000_000;
/// Nested `repeat` blocks must stay readable, and small enough to play.
const MAX_LINES: usize = 200_000;

/// One line of the script after `repeat` blocks were written out.
#[derive(Debug, Clone)]
struct Line {
    number: usize,
    text: String,
}

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

fn opens_heredoc(trimmed: &str) -> bool {
    side_line(trimmed).is_some_and(|(_, _, rest)| rest.trim() == "<<")
}

/// Writes `repeat N … end` blocks out; `{n}` inside becomes the round, counted from 1.
fn expand(lines: &[Line], out: &mut Vec<Line>) -> Result<(), ScriptError> {
    let mut index = 0;
    while index < lines.len() {
        let line = &lines[index];
        let trimmed = line.text.trim();
        if opens_heredoc(trimmed) {
            while index < lines.len() && lines[index].text.trim() != ">>" {
                out.push(lines[index].clone());
                index += 1;
            }
            continue;
        }
        let Some(arguments) = trimmed.strip_prefix("repeat ") else {
            out.push(line.clone());
            index += 1;
            continue;
        };
        let fail = |message: String| ScriptError::new(line.number, message);
        let words = Words::new(strip_comment(arguments));
        let times = number(words.next().unwrap_or_default()).map_err(fail)?;
        let every = words.value("every").map(str::to_owned);
        words.finish().map_err(fail)?;
        let end = block_end(lines, index).ok_or_else(|| fail("repeat is never closed by a line \"end\"".to_owned()))?;
        let mut body = Vec::new();
        expand(&lines[index + 1..end], &mut body)?;
        for round in 1..=times {
            if let Some(every) = every.as_ref().filter(|_| round > 1) {
                out.push(Line {
                    number: line.number,
                    text: format!("wait {every}"),
                });
            }
            let round = round.to_string();
            out.extend(body.iter().map(|line| Line {
                number: line.number,
                text: line.text.replace("{n}", &round),
            }));
            if out.len() > MAX_LINES {
                return Err(fail(format!("more than {MAX_LINES} lines after repeating")));
            }
        }
        index = end + 1;
    }
    Ok(())
}

fn block_end(lines: &[Line], start: usize) -> Option<usize> {
    let mut depth = 0;
    let mut inside_heredoc = false;
    for (index, line) in lines.iter().enumerate().skip(start) {
        let trimmed = line.text.trim();
        match trimmed {
            ">>" => inside_heredoc = false,
            _ if inside_heredoc => {}
            _ if opens_heredoc(trimmed) => inside_heredoc = true,
            _ if trimmed.starts_with("repeat ") => depth += 1,
            _ if strip_comment(trimmed) == "end" => {
                depth -= 1;
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    None
}

fn strip_comment(text: &str) -> &str {
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

fn kind_and_code(text: &str) -> Result<(u8, u8), String> {
    text.split_once('/')
        .and_then(|(kind, code)| Some((kind.parse().ok()?, code.parse().ok()?)))
        .ok_or_else(|| format!("\"{text}\" is no ICMP type and code like 3/13"))
}

/// The word `x5`, if it is there.
fn times(words: &Words) -> Result<Option<u32>, String> {
    words
        .times()
        .map(|count| count.parse().map_err(|_| format!("\"x{count}\" is no count like x5")))
        .transpose()
}

fn default_header(server_port: u16, client_port: u16) -> Header {
    Header {
        client: SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10)), client_port),
        server: SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 25)), server_port),
        at: At::AfterPrevious(SECOND),
        times: 1,
        every: 300 * SECOND,
        opening: Opening::Normal { lost: 0 },
        mss: [1460, 1460],
        ttl: [64, 57],
        timestamps: true,
    }
}

fn options(header: &mut Header, words: &Words) -> Result<(), String> {
    if let Some(count) = times(words)? {
        header.times = count;
    }
    if let Some(every) = words.value("every") {
        header.every = duration(every)?;
    }
    if let Some(at) = words.value("at") {
        header.at = match at.strip_prefix('+') {
            Some(later) => At::AfterPrevious(duration(later)?),
            None if at.contains('T') => At::Absolute(settings::moment(at)?),
            None => At::SinceStart(duration(at)?),
        };
    }
    if let Some(mss) = words.value("mss") {
        let (client, server) = mss.split_once('/').unwrap_or((mss, mss));
        header.mss = [
            number(client)?.clamp(64, 9000) as u16,
            number(server)?.clamp(64, 9000) as u16,
        ];
    }
    if let Some(ttl) = words.value("ttl") {
        let (client, server) = ttl.split_once('/').unwrap_or((ttl, ttl));
        header.ttl = [number(client)? as u8, number(server)? as u8];
    }
    header.timestamps = !words.flag("notimestamps");
    let count = |key: &str, default: u64| -> Result<Option<u32>, String> {
        let count = words.number(key)?.or(words.flag(key).then_some(default));
        Ok(count.map(|count| count.clamp(1, 20) as u32))
    };
    if let Some(lost) = count("synlost", 1)? {
        header.opening = Opening::Normal { lost };
    }
    if let Some(syns) = count("unanswered", 5)? {
        header.opening = Opening::Unanswered { syns };
    }
    if words.flag("refused") {
        header.opening = Opening::Refused;
    }
    if let Some(text) = words.value("icmp") {
        let (kind, code) = kind_and_code(text)?;
        header.opening = Opening::Icmp { kind, code };
    }
    if let Some(answers) = count("halfopen", 4)? {
        header.opening = Opening::HalfOpen { answers };
    }
    if let Some(text) = words.value("port") {
        header.server.set_port(port(text)?);
    }
    Ok(())
}

fn port(text: &str) -> Result<u16, String> {
    Ok(match text {
        "smtp" => 25,
        "submission" => 587,
        "smtps" | "submissions" => 465,
        "pop3" => 110,
        "pop3s" => 995,
        "imap" => 143,
        "imaps" => 993,
        _ => text.parse().map_err(|_| format!("\"{text}\" is no port"))?,
    })
}

/// `client -> server`, `-> server`, `server` or only a port.
fn addresses(header: &mut Header, words: &[String]) -> Result<(), String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (client, server) = match words.as_slice() {
        [] => (None, None),
        [server] | ["->", server] => (None, Some(*server)),
        [client, "->"] => (Some(*client), None),
        [client, "->", server] => (Some(*client), Some(*server)),
        other => {
            return Err(format!(
                "\"{}\" is not understood; write session CLIENT -> SERVER:PORT …",
                other.join(" ")
            ));
        }
    };
    if let Some(text) = client {
        socket(&mut header.client, text)?;
    }
    if let Some(text) = server {
        socket(&mut header.server, text)?;
    }
    if header.client.is_ipv6() != header.server.is_ipv6() {
        return Err(format!(
            "{} and {} are of different IP versions",
            header.client.ip(),
            header.server.ip()
        ));
    }
    Ok(())
}

fn socket(socket: &mut SocketAddr, text: &str) -> Result<(), String> {
    if let Ok(whole) = text.parse::<SocketAddr>() {
        *socket = whole;
    } else if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        socket.set_ip(address);
    } else if let Ok(only_port) = port(text.trim_start_matches(':')) {
        socket.set_port(only_port);
    } else if let Some((address, Ok(named))) = text.rsplit_once(':').map(|(address, name)| (address, port(name))) {
        let address = address.trim_matches(['[', ']']).parse();
        *socket = SocketAddr::new(address.map_err(|_| format!("\"{text}\" holds no address"))?, named);
    } else {
        return Err(format!("\"{text}\" is no address, address:port or port"));
    }
    Ok(())
}
