//! A client's first octets → what it speaks, where that is neither POP3 nor IMAP.

/// Octets that are enough to tell.
pub const OPENING_OCTETS: usize = 8;

/// What the beginning looks like; `None` where it may be the expected protocol.
pub fn looks_like(opening: &[u8]) -> Option<&'static str> {
    const WORDS: [(&[u8], &str); 9] = [
        (b"GET ", "HTTP"),
        (b"POST ", "HTTP"),
        (b"HEAD ", "HTTP"),
        (b"PUT ", "HTTP"),
        (b"OPTIONS ", "HTTP"),
        (b"CONNECT ", "HTTP"),
        (b"SSH-", "SSH"),
        (b"EHLO ", "SMTP"),
        (b"HELO ", "SMTP"),
    ];
    let upper = opening.to_ascii_uppercase();
    if let Some((_, name)) = WORDS.iter().find(|(word, _)| upper.starts_with(word)) {
        return Some(name);
    }
    match opening {
        [0x16, 0x03, ..] => return Some("TLS"),
        // SSL 2.0 ClientHello: two octets of length, message type 1.
        [first, _, 1, ..] if first & 0x80 != 0 => return Some("TLS"),
        [3, 0, ..] => return Some("RDP"),
        _ => {}
    }
    let is_text = |octet: &u8| matches!(octet, b'\t' | b'\r' | b'\n' | 0x20..=0x7e);
    (!opening.iter().all(is_text)).then_some("binary")
}

/// Nothing behind the first line is read as commands.
pub fn is_opaque(name: &str) -> bool {
    name != "SMTP"
}

/// It has no lines at all.
pub fn is_binary(name: &str) -> bool {
    matches!(name, "TLS" | "RDP" | "binary")
}
