//! Turns options into a ClientHello or ServerHello message (RFC 8446 section 4.1, RFC 5246 section 7.4.1) or an SSLv2-format
//! hello (RFC 5246 appendix E.2). Must not know records or who answers what.

use super::suite;
use crate::bytes::Noise;
use crate::words::{Words, number};

/// What the rest of the handshake needs to know of the ClientHello.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Highest version offered.
    pub maximum: u16,
    /// The legacy session identifier, echoed by the server.
    pub session_id: Vec<u8>,
    /// extended_master_secret was offered.
    pub extended_master_secret: bool,
    /// Record version of the hello.
    pub record_version: u16,
}

/// A protocol version by its usual name (`1.2`, `ssl3`, `ssl2`) or number (`0x0303`).
pub fn version(text: &str) -> Result<u16, String> {
    Ok(match text.to_ascii_lowercase().trim_start_matches("tls") {
        "1.3" => 0x0304,
        "1.2" => 0x0303,
        "1.1" => 0x0302,
        "1.0" | "1" => 0x0301,
        "ssl3" | "sslv3" | "3.0" => 0x0300,
        "ssl2" | "sslv2" | "2.0" => 0x0002,
        "0301" | "0302" | "0303" | "0304" | "0300" => {
            u16::from_str_radix(text, 16).map_err(|error| error.to_string())?
        }
        other => match number(text) {
            Ok(value) if other.starts_with("0x") => value as u16,
            _ => {
                return Err(format!(
                    "\"{text}\" is no version; write 1.0 … 1.3, ssl3, ssl2 or 0x0303"
                ));
            }
        },
    })
}

/// A named group by its usual name or number.
pub fn group(text: &str) -> Result<u16, String> {
    Ok(match text {
        "secp256r1" | "p256" => 0x0017,
        "secp384r1" | "p384" => 0x0018,
        "secp521r1" | "p521" => 0x0019,
        "secp224r1" | "p224" => 0x0015,
        "secp192r1" => 0x0013,
        "brainpool256" => 0x001a,
        "x25519" => 0x001d,
        "x448" => 0x001e,
        "ffdhe2048" => 0x0100,
        "ffdhe3072" => 0x0101,
        "mlkem" | "x25519mlkem768" => 0x11ec,
        _ => number(text).map_err(|_| format!("\"{text}\" is no group; write x25519, secp256r1, … or 0x0017"))? as u16,
    })
}

fn signature_scheme(text: &str) -> Result<u16, String> {
    Ok(match text {
        "ecdsa-sha256" => 0x0403,
        "ecdsa-sha384" => 0x0503,
        "ecdsa-sha1" => 0x0203,
        "rsa-sha1" => 0x0201,
        "rsa-sha256" => 0x0401,
        "rsa-sha384" => 0x0501,
        "rsa-sha512" => 0x0601,
        "pss-sha256" => 0x0804,
        "pss-sha384" => 0x0805,
        "pss-sha512" => 0x0806,
        "ed25519" => 0x0807,
        _ => number(text).map_err(|_| format!("\"{text}\" is no signature scheme; write rsa-sha256, … or 0x0401"))?
            as u16,
    })
}

fn list(text: &str, parse: fn(&str) -> Result<u16, String>) -> Result<Vec<u16>, String> {
    match text {
        "none" | "" => Ok(Vec::new()),
        _ => text.split(',').map(parse).collect(),
    }
}

fn sixteen(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

/// Bytes behind a two-byte length.
pub fn counted(bytes: &[u8]) -> Vec<u8> {
    let mut out = (bytes.len() as u16).to_be_bytes().to_vec();
    out.extend_from_slice(bytes);
    out
}

fn extension(out: &mut Vec<u8>, kind: u16, body: &[u8]) {
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&counted(body));
}

/// A handshake message: type, 24-bit length, body.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    out.extend_from_slice(&(body.len() as u32).to_be_bytes()[1..]);
    out.extend_from_slice(body);
    out
}

fn default_suites(maximum: u16, minimum: u16) -> Vec<u16> {
    let mut suites = Vec::new();
    if maximum >= 0x0304 {
        suites.extend([0x1302, 0x1303, 0x1301]);
    }
    if maximum >= 0x0303 && minimum <= 0x0303 {
        suites.extend([
            0xc02c, 0xc030, 0x009f, 0xcca9, 0xcca8, 0xccaa, 0xc02b, 0xc02f, 0x009e, 0xc024, 0xc028, 0x006b,
        ]);
        suites.extend([0xc023, 0xc027, 0x0067]);
    }
    if minimum <= 0x0303 {
        suites.extend([0xc00a, 0xc014, 0x0039, 0xc009, 0xc013, 0x0033]);
        suites.extend(if maximum >= 0x0303 {
            &[0x009d, 0x009c, 0x003d, 0x003c, 0x0035, 0x002f][..]
        } else {
            &[0x0035, 0x002f]
        });
    }
    if maximum <= 0x0301 {
        suites.extend([0x000a, 0x0005, 0x0004]);
    }
    suites
}

/// A ClientHello message and what it offered. For `sslv2` the bytes are a whole SSLv2 record instead.
pub fn client_hello(words: &Words, noise: &mut Noise) -> Result<(Vec<u8>, Offer), String> {
    let maximum = version(words.value("max").unwrap_or("1.3"))?;
    let minimum_given = words.value("min").map(version).transpose()?;
    let sslv2 = words.flag("sslv2") || maximum == 0x0002;
    let minimum = minimum_given.unwrap_or(if maximum >= 0x0304 { 0x0303 } else { 0x0300 });
    let mut suites = match words.value("suites") {
        Some(text) => list(text, suite::parse)?,
        None => default_suites(maximum, minimum),
    };
    let (scsv, fallback, grease) = (words.flag("scsv"), words.flag("fallback"), words.flag("grease"));
    if grease {
        suites.insert(0, 0x3a3a);
    }
    if scsv || (!words.flag("noscsv") && minimum <= 0x0303) {
        suites.push(0x00ff);
    }
    if fallback {
        suites.push(0x5600);
    }
    if sslv2 {
        return Ok((
            sslv2_hello(maximum, &suites, noise),
            Offer::of(maximum, Vec::new(), false, 0x0002),
        ));
    }
    let record_version = match words.value("record") {
        Some(text) => version(text)?,
        None => maximum.clamp(0x0300, 0x0301),
    };
    let session_id = match maximum >= 0x0304 || words.flag("resume") {
        true => noise.bytes(32),
        false => Vec::new(),
    };
    let mut body = match words.value("legacy") {
        Some(text) => version(text)?.to_be_bytes().to_vec(),
        None => maximum.min(0x0303).to_be_bytes().to_vec(),
    };
    body.extend_from_slice(&noise.bytes(32));
    body.push(session_id.len() as u8);
    body.extend_from_slice(&session_id);
    body.extend_from_slice(&counted(&sixteen(&suites)));
    body.extend_from_slice(&[1, 0]);
    let mut extensions = Vec::new();
    let extended_master_secret = maximum >= 0x0301 && !words.flag("noextensions");
    if extended_master_secret {
        extensions = hello_extensions(words, maximum, minimum, minimum_given.is_some(), grease, noise)?;
        pad(words, &mut extensions, body.len(), maximum)?;
        body.extend_from_slice(&counted(&extensions));
    }
    let _ = extensions;
    Ok((
        message(1, &body),
        Offer::of(maximum, session_id, extended_master_secret, record_version),
    ))
}

impl Offer {
    fn of(maximum: u16, session_id: Vec<u8>, extended_master_secret: bool, record_version: u16) -> Offer {
        Offer {
            maximum,
            session_id,
            extended_master_secret,
            record_version,
        }
    }
}

fn hello_extensions(
    words: &Words,
    maximum: u16,
    minimum: u16,
    versions_wanted: bool,
    grease: bool,
    noise: &mut Noise,
) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    if grease {
        extension(&mut out, 0x2a2a, &[]);
    }
    let name = words.value("sni").unwrap_or("mail.example.com");
    if name != "none" && !words.flag("nosni") {
        let mut entry = vec![0];
        entry.extend_from_slice(&counted(name.as_bytes()));
        extension(&mut out, 0, &counted(&entry));
    }
    let mut groups = list(
        words
            .value("groups")
            .unwrap_or("x25519,secp256r1,x448,secp521r1,secp384r1"),
        group,
    )?;
    let keyshare = words.value("keyshare");
    if keyshare == Some("mlkem") && words.value("groups").is_none() {
        groups.insert(0, 0x11ec);
    }
    if grease {
        groups.insert(0, 0x4a4a);
    }
    if !groups.is_empty() {
        extension(&mut out, 11, &[1, 0]);
        extension(&mut out, 10, &counted(&sixteen(&groups)));
    }
    if !words.flag("noticket") {
        let ticket = if words.flag("resume") && maximum <= 0x0303 {
            noise.bytes(192)
        } else {
            Vec::new()
        };
        extension(&mut out, 35, &ticket);
    }
    if let Some(protocols) = words.value("alpn") {
        let mut names = Vec::new();
        for protocol in protocols.split(',') {
            names.push(protocol.len() as u8);
            names.extend_from_slice(protocol.as_bytes());
        }
        extension(&mut out, 16, &counted(&names));
    }
    extension(&mut out, 22, &[]);
    extension(&mut out, 23, &[]);
    let schemes = words
        .value("sigalgs")
        .map(|text| list(text, signature_scheme))
        .transpose()?;
    let schemes = match schemes {
        Some(schemes) => schemes,
        None if maximum >= 0x0303 => vec![
            0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501,
            0x0601,
        ],
        None => Vec::new(),
    };
    if !schemes.is_empty() {
        extension(&mut out, 13, &counted(&sixteen(&schemes)));
    }
    if words.flag("ech") {
        let mut body = vec![0, 0, 1, 0, 1, 0x42];
        body.extend_from_slice(&counted(&noise.bytes(32)));
        body.extend_from_slice(&counted(&noise.bytes(208)));
        extension(&mut out, 0xfe0d, &body);
    }
    if maximum >= 0x0304 || versions_wanted {
        let mut versions: Vec<u16> = (minimum.max(0x0300)..=maximum).rev().collect();
        if grease {
            versions.insert(0, 0x5a5a);
        }
        let mut body = vec![(versions.len() * 2) as u8];
        body.extend_from_slice(&sixteen(&versions));
        extension(&mut out, 43, &body);
    }
    if maximum >= 0x0304 {
        extension(&mut out, 45, &[1, 1]);
        let shares = match keyshare {
            Some("none") => Vec::new(),
            Some("mlkem") => vec![0x11ec, 0x001d],
            Some(text) => list(text, group)?,
            None => groups
                .iter()
                .copied()
                .find(|group| group & 0x0f0f != 0x0a0a)
                .into_iter()
                .collect(),
        };
        let mut body = Vec::new();
        for share in shares {
            body.extend_from_slice(&share.to_be_bytes());
            body.extend_from_slice(&counted(&noise.bytes(share_length(share))));
        }
        extension(&mut out, 51, &counted(&body));
        if words.flag("resume") {
            let mut identity = counted(&noise.bytes(208));
            identity.extend_from_slice(&[0, 1, 2, 3]);
            let mut binders = vec![32];
            binders.extend_from_slice(&noise.bytes(32));
            let mut body = counted(&identity);
            body.extend_from_slice(&counted(&binders));
            extension(&mut out, 41, &body);
        }
    }
    Ok(out)
}

/// Bytes of a client's key share of a group.
pub fn share_length(group: u16) -> usize {
    match group {
        0x0017 => 65,
        0x0018 => 97,
        0x0019 => 133,
        0x001e => 56,
        0x0100 => 256,
        0x0101 => 384,
        0x11ec => 1216,
        _ => 32,
    }
}

/// Pads to `size` bytes of record, or past 255 to 512 as OpenSSL does (RFC 7685).
fn pad(words: &Words, extensions: &mut Vec<u8>, before: usize, maximum: u16) -> Result<(), String> {
    // Record header 5, message header 4, length of the extensions 2.
    let length = 4 + before + 2 + extensions.len();
    let wanted = match words.number("size")? {
        Some(size) => size as usize - 5,
        None if maximum >= 0x0303 && (256..512).contains(&length) && !words.flag("resume") => 512,
        None => return Ok(()),
    };
    if wanted < length + 4 {
        match words.value("size") {
            Some(size) => return Err(format!("size={size} is too small, the hello has {} bytes", length + 5)),
            None => return Ok(()),
        }
    }
    extension(extensions, 21, &vec![0; wanted - length - 4]);
    Ok(())
}

fn sslv2_hello(maximum: u16, suites: &[u16], noise: &mut Noise) -> Vec<u8> {
    let mut specifications = Vec::new();
    if maximum == 0x0002 {
        specifications.extend_from_slice(&[1, 0, 0x80, 7, 0, 0xc0, 3, 0, 0x80]);
    } else {
        for suite in suites {
            specifications.push(0);
            specifications.extend_from_slice(&suite.to_be_bytes());
        }
    }
    let mut body = vec![1];
    body.extend_from_slice(&maximum.min(0x0303).to_be_bytes());
    body.extend_from_slice(&(specifications.len() as u16).to_be_bytes());
    body.extend_from_slice(&[0, 0, 0, 16]);
    body.extend_from_slice(&specifications);
    body.extend_from_slice(&noise.bytes(16));
    let mut record = ((body.len() as u16) | 0x8000).to_be_bytes().to_vec();
    record.extend_from_slice(&body);
    record
}

/// The random of a HelloRetryRequest (RFC 8446 section 4.1.3).
const RETRY: &str = "CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C";

/// A ServerHello message (a HelloRetryRequest when `retry` names a group).
pub fn server_hello(
    words: &Words,
    version_chosen: u16,
    suite: u16,
    retry: Option<u16>,
    offer: &Offer,
    noise: &mut Noise,
) -> Result<Vec<u8>, String> {
    let resumed = words.flag("resumed");
    let mut random = match retry {
        Some(_) => crate::bytes::hex(RETRY)?,
        None => noise.bytes(32),
    };
    match words.value("sentinel") {
        Some("1.2") => random[24..].copy_from_slice(b"DOWNGRD\x01"),
        Some("1.1") => random[24..].copy_from_slice(b"DOWNGRD\x00"),
        Some(other) => return Err(format!("sentinel={other} must be 1.2 or 1.1")),
        None => {}
    }
    let legacy13 = version_chosen >= 0x0304;
    let session_id = match (legacy13, resumed, offer.session_id.is_empty()) {
        (true, _, _) | (false, true, false) => offer.session_id.clone(),
        _ => noise.bytes(32),
    };
    let mut body = version_chosen.min(0x0303).to_be_bytes().to_vec();
    body.extend_from_slice(&random);
    body.push(session_id.len() as u8);
    body.extend_from_slice(&session_id);
    body.extend_from_slice(&suite.to_be_bytes());
    body.push(0);
    let mut extensions = Vec::new();
    if legacy13 {
        extension(&mut extensions, 43, &version_chosen.to_be_bytes());
        match retry {
            Some(group) => extension(&mut extensions, 51, &group.to_be_bytes()),
            None => {
                let chosen = words.value("group").map(group).transpose()?.unwrap_or(0x001d);
                let mut share = chosen.to_be_bytes().to_vec();
                let length = if chosen == 0x11ec { 1120 } else { share_length(chosen) };
                share.extend_from_slice(&counted(&noise.bytes(length)));
                extension(&mut extensions, 51, &share);
            }
        }
        if resumed {
            extension(&mut extensions, 41, &[0, 0]);
        }
    } else if version_chosen >= 0x0301 {
        extension(&mut extensions, 0xff01, &[0]);
        if offer.extended_master_secret {
            extension(&mut extensions, 23, &[]);
        }
        if let Some(protocol) = words.value("alpn") {
            let mut name = vec![protocol.len() as u8];
            name.extend_from_slice(protocol.as_bytes());
            extension(&mut extensions, 16, &counted(&name));
        }
        if words.flag("sni-acknowledged") {
            extension(&mut extensions, 0, &[]);
        }
    }
    if !extensions.is_empty() {
        body.extend_from_slice(&counted(&extensions));
    }
    Ok(message(2, &body))
}
