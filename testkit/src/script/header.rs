//! Turns a `session` line into addresses, ports, start and the way the connection opens.

use super::plan::{At, Header, Opening};
use super::settings;
use crate::words::{Words, duration, number};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

const SECOND: i64 = 1_000_000_000;

pub(crate) fn kind_and_code(text: &str) -> Result<(u8, u8), String> {
    text.split_once('/')
        .and_then(|(kind, code)| Some((kind.parse().ok()?, code.parse().ok()?)))
        .ok_or_else(|| format!("\"{text}\" is no ICMP type and code like 3/13"))
}

/// The word `x5`, if it is there.
pub(crate) fn times(words: &Words) -> Result<Option<u32>, String> {
    words
        .times()
        .map(|count| count.parse().map_err(|_| format!("\"x{count}\" is no count like x5")))
        .transpose()
}

pub(crate) fn default_header(server_port: u16, client_port: u16) -> Header {
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

pub(crate) fn options(header: &mut Header, words: &Words) -> Result<(), String> {
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

pub(crate) fn port(text: &str) -> Result<u16, String> {
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
pub(crate) fn addresses(header: &mut Header, words: &[String]) -> Result<(), String> {
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

pub(crate) fn socket(socket: &mut SocketAddr, text: &str) -> Result<(), String> {
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
