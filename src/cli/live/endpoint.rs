//! The page for Prometheus: a thread that answers GET /metrics with what the main thread wrote last. Small on purpose: one
//! request a connection, a few connections at a time, each with a time it must be done in.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::render::prometheus::CONTENT_TYPE;

/// Longest request head, in octets.
const REQUEST: usize = 8 * 1024;
/// A connection must be over after this.
const PATIENCE: Duration = Duration::from_secs(2);
/// Connections at a time.
const CONNECTIONS: usize = 8;

/// The page as it was written last.
pub type Page = Arc<Mutex<Arc<str>>>;

/// Begins to answer on a listener that was bound before the sandbox was entered.
///
/// # Errors
/// What the operating system says.
pub fn serve(listener: TcpListener, page: Page) -> io::Result<()> {
    let only_local = listener.local_addr()?.ip().is_loopback();
    let busy = Arc::new(AtomicUsize::new(0));
    std::thread::Builder::new().name("metrics".to_owned()).spawn(move || {
        for connection in listener.incoming() {
            let Ok(connection) = connection else {
                // Out of file descriptors, for example: not a reason to spin.
                std::thread::sleep(Duration::from_millis(100));
                continue;
            };
            if busy.load(Ordering::Relaxed) >= CONNECTIONS {
                continue;
            }
            busy.fetch_add(1, Ordering::Relaxed);
            let (page, counter) = (Arc::clone(&page), Arc::clone(&busy));
            let started = std::thread::Builder::new().name("metrics".to_owned()).spawn(move || {
                let _ = answer(connection, &page, only_local);
                counter.fetch_sub(1, Ordering::Relaxed);
            });
            if started.is_err() {
                busy.fetch_sub(1, Ordering::Relaxed);
            }
        }
    })?;
    Ok(())
}

fn answer(mut connection: TcpStream, page: &Page, only_local: bool) -> io::Result<()> {
    let begun = Instant::now();
    let head = read_head(&mut connection, begun)?;
    let (status, body) = match reply(&head, only_local) {
        Ok(()) => {
            let page = page.lock().unwrap_or_else(PoisonError::into_inner);
            ("200 OK", Arc::clone(&page))
        }
        Err(status) => (status, Arc::from(format!("{status}\n"))),
    };
    let kind = if status == "200 OK" {
        CONTENT_TYPE
    } else {
        "text/plain; charset=utf-8"
    };
    let length = body.len();
    let body = if head.starts_with(b"HEAD ") { "" } else { &*body };
    let allow = if status.starts_with("405") {
        "Allow: GET, HEAD\r\n"
    } else {
        ""
    };
    let reply = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\n{allow}Connection: close\r\n\r\n{body}"
    );
    let mut rest = reply.as_bytes();
    while !rest.is_empty() {
        connection.set_write_timeout(Some(left(begun)?))?;
        match connection.write(rest)? {
            0 => break,
            count => rest = rest.get(count..).unwrap_or_default(),
        }
    }
    connection.shutdown(std::net::Shutdown::Write)
}

/// What is left of a connection's time.
fn left(begun: Instant) -> io::Result<Duration> {
    PATIENCE
        .checked_sub(begun.elapsed())
        .filter(|left| !left.is_zero())
        .ok_or_else(|| io::ErrorKind::TimedOut.into())
}

fn read_head(connection: &mut TcpStream, begun: Instant) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        connection.set_read_timeout(Some(left(begun)?))?;
        let count = connection.read(&mut buffer)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(buffer.get(..count).unwrap_or_default());
        if memchr::memmem::find(&head, b"\r\n\r\n").is_some() || head.len() > REQUEST {
            return Ok(head);
        }
    }
}

/// Whether the request gets the page, or the status that says why not.
fn reply(head: &[u8], only_local: bool) -> Result<(), &'static str> {
    if head.len() > REQUEST {
        return Err("431 Request Header Fields Too Large");
    }
    let head = std::str::from_utf8(head).map_err(|_| "400 Bad Request")?;
    let mut lines = head.split("\r\n");
    let mut request = lines.next().unwrap_or_default().split(' ');
    let (method, target, version) = (request.next(), request.next(), request.next());
    if request.next().is_some() || !version.is_some_and(|version| version.starts_with("HTTP/1.")) {
        return Err("400 Bad Request");
    }
    if !matches!(method, Some("GET" | "HEAD")) {
        return Err("405 Method Not Allowed");
    }
    // A page in somebody's browser must not read this through a name that it made point here.
    let hosts = lines.filter_map(|line| line.split_once(':'));
    let mut hosts = hosts.filter(|(name, _)| name.eq_ignore_ascii_case("host"));
    if only_local && !hosts.next().is_none_or(|(_, host)| is_local(host.trim())) {
        return Err("403 Forbidden");
    }
    let path = target.unwrap_or_default();
    match path.split('?').next() {
        Some("/metrics") => Ok(()),
        _ => Err("404 Not Found"),
    }
}

fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Reads an address with a port; a port alone means 127.0.0.1.
#[must_use]
pub fn address(text: &str) -> Option<SocketAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let local = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let port = text.strip_prefix(':').or_else(|| text.strip_prefix("localhost:"))?;
    port.parse().ok().map(local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_get_of_the_page_from_here_is_answered() {
        let ask = |text: &str| reply(text.as_bytes(), true);
        assert!(ask("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9465\r\n\r\n").is_ok());
        assert!(ask("GET /metrics?x=1 HTTP/1.1\r\nHost: [::1]:9465\r\n\r\n").is_ok());
        assert!(ask("HEAD /metrics HTTP/1.0\r\n\r\n").is_ok());
        assert_eq!(ask("GET / HTTP/1.1\r\n\r\n"), Err("404 Not Found"));
        assert_eq!(ask("POST /metrics HTTP/1.1\r\n\r\n"), Err("405 Method Not Allowed"));
        assert_eq!(ask("GET /metrics\r\n\r\n"), Err("400 Bad Request"));
        assert_eq!(
            ask("GET /metrics HTTP/1.1\r\nhost: evil.example\r\n\r\n"),
            Err("403 Forbidden")
        );
        assert!(reply(b"GET /metrics HTTP/1.1\r\nhost: prometheus.example\r\n\r\n", false).is_ok());
        assert!(reply(&[0xff; 40], true).is_err());
        assert!(reply(&vec![b'a'; REQUEST + 1], true).is_err());
    }

    #[test]
    fn an_address_needs_a_port() {
        assert_eq!(address("127.0.0.1:9465").unwrap().port(), 9465);
        assert!(address(":9465").unwrap().ip().is_loopback());
        assert!(address("[::1]:1").unwrap().ip().is_loopback());
        assert!(address("127.0.0.1").is_none());
        assert!(address("9465").is_none());
    }
}
