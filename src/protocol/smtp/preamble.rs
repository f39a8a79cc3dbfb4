//! Reads what may stand in front of SMTP: the PROXY protocol (versions 1 and 2, as HAProxy defines it), and the first line
//! of clients that do not speak SMTP at all. Octets → [`Preamble`] or [`ForeignClient`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::captured::Captured;
use crate::protocol::smtp::ForeignClient;
use crate::span::Span;

/// How a PROXY header of version 2 begins.
pub const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Length of a version 2 header in front of its addresses.
pub const FIXED: usize = 16;
/// Octets of the addresses that are read (IPv6: 2 × 16 + 2 × 2).
pub const ADDRESSES: usize = 36;
/// Octets kept of a foreign client's first line.
const FIRST_KEPT: usize = 64;

/// The source that a version 1 line names, empty for UNKNOWN; `None` where it is no such line.
pub fn version_1(line: &[u8]) -> Option<Captured> {
    let text = std::str::from_utf8(line.strip_prefix(b"PROXY ")?).ok()?;
    let mut words = text.split(' ');
    match words.next()? {
        "TCP4" | "TCP6" => {
            let address: IpAddr = words.next()?.parse().ok()?;
            let _destination = words.next()?;
            let port: u16 = words.next()?.parse().ok()?;
            Some(endpoint(address, port))
        }
        "UNKNOWN" => Some(Captured::default()),
        _ => None,
    }
}

/// How many octets follow the fixed part of a version 2 header; `None` where it is none.
pub fn version_2_length(fixed: &[u8]) -> Option<usize> {
    let version = fixed.get(12)? >> 4;
    let length: [u8; 2] = fixed.get(14..16)?.try_into().ok()?;
    (fixed.starts_with(&SIGNATURE) && version == 2).then(|| usize::from(u16::from_be_bytes(length)))
}

/// The source that a version 2 header names; empty for LOCAL, UNIX sockets and what is not known.
pub fn version_2_source(header: &[u8]) -> Captured {
    let source = || {
        let command = header.get(12)? & 0x0f;
        let port = |at: usize| Some(u16::from_be_bytes(header.get(at..at + 2)?.try_into().ok()?));
        match (command, header.get(13)? >> 4) {
            (1, 1) => {
                let address: [u8; 4] = header.get(16..20)?.try_into().ok()?;
                Some(endpoint(Ipv4Addr::from(address).into(), port(24)?))
            }
            (1, 2) => {
                let address: [u8; 16] = header.get(16..32)?.try_into().ok()?;
                Some(endpoint(Ipv6Addr::from(address).into(), port(48)?))
            }
            _ => None,
        }
    };
    source().unwrap_or_default()
}

fn endpoint(address: IpAddr, port: u16) -> Captured {
    Captured::from(std::net::SocketAddr::new(address, port).to_string().as_str())
}

/// What the client's first line is, where it is no SMTP.
pub fn foreign(line: &[u8], span: Span) -> Option<ForeignClient> {
    const METHODS: [&[u8]; 9] = [
        b"GET ",
        b"POST ",
        b"HEAD ",
        b"PUT ",
        b"DELETE ",
        b"CONNECT ",
        b"OPTIONS ",
        b"TRACE ",
        b"Host:",
    ];
    let first = line.first().copied().unwrap_or_default();
    let may_be_method = matches!(first, b'C' | b'D' | b'G' | b'H' | b'O' | b'P' | b'T');
    // Not lazy: so the compiler looks at many octets at once.
    let is_binary = line.iter().fold(!first.is_ascii(), |binary, octet| {
        binary | (octet.is_ascii_control() & (*octet != b'\t') & (*octet != b'\r'))
    });
    let looks_like = if may_be_method && METHODS.iter().any(|method| line.starts_with(method)) {
        "HTTP"
    } else if line.starts_with(b"SSH-") {
        "SSH"
    } else if line.starts_with(&[3, 0]) {
        "RDP"
    } else if is_binary {
        "binary"
    } else {
        return None;
    };
    Some(ForeignClient {
        looks_like,
        first: Captured::new(line.get(..FIRST_KEPT).unwrap_or(line)),
        span,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxy_headers_name_their_source() {
        let first = |line: &str| version_1(line.as_bytes()).map(|source| source.utf8().unwrap().to_owned());
        assert_eq!(
            first("PROXY TCP4 192.0.2.1 192.0.2.2 4711 25").as_deref(),
            Some("192.0.2.1:4711")
        );
        assert_eq!(
            first("PROXY TCP6 2001:db8::1 2001:db8::2 4711 25").as_deref(),
            Some("[2001:db8::1]:4711")
        );
        assert_eq!(first("PROXY UNKNOWN").as_deref(), Some(""));
        assert_eq!(first("PROXY TCP4 nonsense"), None);
        let mut header = SIGNATURE.to_vec();
        header.extend([0x21, 0x11, 0, 12, 192, 0, 2, 1, 192, 0, 2, 2, 0x12, 0x67, 0, 25]);
        assert_eq!(version_2_length(&header), Some(12));
        assert_eq!(version_2_source(&header), Captured::from("192.0.2.1:4711"));
        assert_eq!(version_2_source(&header[..20]), Captured::default());
    }
}
