//! Turns a cipher suite and a protocol version into record sizes, so that encrypted records have the length real ones have.
//!
//! Overheads from RFC 5246, RFC 5288, RFC 7905, RFC 8446. Must not encrypt anything.

use crate::words::number;

/// How records are protected, as far as their length shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protection {
    Aead { explicit: usize, tag: usize },
    Block { block: usize, hash: usize },
    Stream { hash: usize },
}

/// How the keys are agreed, as far as the handshake messages show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyExchange {
    /// No ServerKeyExchange, ClientKeyExchange of the key's size.
    Rsa,
    /// Finite-field Diffie-Hellman, `anonymous` without certificate.
    Dhe {
        /// No Certificate message.
        anonymous: bool,
    },
    /// Elliptic-curve Diffie-Hellman, `anonymous` without certificate.
    Ecdhe {
        /// No Certificate message.
        anonymous: bool,
    },
    /// TLS 1.3: key shares.
    Share,
}

const NAMES: &[(&str, u16)] = &[
    ("aes128-gcm", 0xc02f),
    ("aes256-gcm", 0xc030),
    ("chacha20", 0xcca8),
    ("aes128-sha", 0x002f),
    ("aes256-sha", 0x0035),
    ("ecdhe-aes128-sha", 0xc013),
    ("ecdhe-aes256-sha", 0xc014),
    ("dhe-aes128-gcm", 0x009e),
    ("dhe-aes256-sha", 0x0039),
    ("3des", 0x000a),
    ("rc4-sha", 0x0005),
    ("rc4-md5", 0x0004),
    ("null-sha", 0x0002),
    ("export-rc4", 0x0003),
    ("des", 0x0009),
    ("ecdh-anon", 0xc019),
    ("dh-anon", 0x003a),
    ("ecdsa-aes128-gcm", 0xc02b),
    ("tls13-aes128", 0x1301),
    ("tls13-aes256", 0x1302),
    ("tls13-chacha20", 0x1303),
];

/// A suite by number (`0xc02f`) or by one of a few short names.
pub fn parse(text: &str) -> Result<u16, String> {
    if let Some((_, suite)) = NAMES.iter().find(|(name, _)| *name == text) {
        return Ok(*suite);
    }
    number(text).map(|value| value as u16).map_err(|_| {
        let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        format!(
            "\"{text}\" is no cipher suite; write 0xc02f or one of {}",
            names.join(", ")
        )
    })
}

/// The key exchange of a suite.
pub fn key_exchange(suite: u16) -> KeyExchange {
    match suite {
        0x1301..=0x1305 => KeyExchange::Share,
        0x0017..=0x001b | 0x0034 | 0x003a | 0x006c | 0x006d | 0x00a6 | 0x00a7 => KeyExchange::Dhe { anonymous: true },
        0xc015..=0xc019 => KeyExchange::Ecdhe { anonymous: true },
        0xc001..=0xc014 | 0xc023..=0xc032 | 0xc072..=0xc07d | 0xc0ac..=0xc0af | 0xcca8 | 0xcca9 => {
            KeyExchange::Ecdhe { anonymous: false }
        }
        0x000b..=0x0016 | 0x0032 | 0x0033 | 0x0038 | 0x0039 | 0x0040 | 0x0067 | 0x006a | 0x006b => {
            KeyExchange::Dhe { anonymous: false }
        }
        0x009e | 0x009f | 0x00a2 | 0x00a3 | 0xccaa => KeyExchange::Dhe { anonymous: false },
        _ => KeyExchange::Rsa,
    }
}

fn protection(suite: u16) -> Protection {
    match suite {
        0xc0a0..=0xc0a3 | 0xc0ae | 0xc0af => Protection::Aead { explicit: 8, tag: 8 },
        0x009c..=0x00a7 | 0xc02b..=0xc032 | 0xc09c..=0xc09f | 0xc0ac | 0xc0ad => {
            Protection::Aead { explicit: 8, tag: 16 }
        }
        0xcca8..=0xccae => Protection::Aead { explicit: 0, tag: 16 },
        0x0001 => Protection::Stream { hash: 16 },
        0x0002 => Protection::Stream { hash: 20 },
        0x003b => Protection::Stream { hash: 32 },
        0x0003 | 0x0004 | 0x0017 | 0x0018 => Protection::Stream { hash: 16 },
        0x0005 | 0xc007 | 0xc011 | 0xc016 => Protection::Stream { hash: 20 },
        0x0006..=0x0016 | 0x0019..=0x001b | 0xc003 | 0xc008 | 0xc00d | 0xc012 | 0xc017 => {
            Protection::Block { block: 8, hash: 20 }
        }
        0x003c..=0x0040 | 0x0067..=0x006d | 0xc023 | 0xc025 | 0xc027 | 0xc029 => {
            Protection::Block { block: 16, hash: 32 }
        }
        0xc024 | 0xc026 | 0xc028 | 0xc02a => Protection::Block { block: 16, hash: 48 },
        _ => Protection::Block { block: 16, hash: 20 },
    }
}

/// Length of a Finished message's verify_data plus header in TLS 1.3 (the suite's hash).
pub fn finished_length(suite: u16, version: u16) -> usize {
    match (version >= 0x0304, suite) {
        (true, 0x1302) => 4 + 48,
        (true, _) => 4 + 32,
        (false, _) if version == 0x0300 => 4 + 36,
        (false, _) => 4 + 12,
    }
}

/// Length of the record body that carries `plaintext` bytes; `java` pads TLS 1.3 records by 16 as JSSE does.
pub fn record_length(suite: u16, version: u16, plaintext: usize, java: bool) -> usize {
    if version >= 0x0304 {
        let tag = if suite == 0x1305 { 8 } else { 16 };
        return plaintext + 1 + tag + if java { 16 } else { 0 };
    }
    match protection(suite) {
        Protection::Aead { explicit, tag } => explicit + plaintext + tag,
        Protection::Stream { hash } => plaintext + hash,
        Protection::Block { block, hash } => {
            let vector = if version >= 0x0302 { block } else { 0 };
            vector + (plaintext + hash + 1).div_ceil(block) * block
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_alerts_have_the_measured_lengths() {
        let measured = [
            (0xc02f, 0x0303, 26),
            (0xcca8, 0x0303, 18),
            (0x002f, 0x0301, 32),
            (0x0035, 0x0302, 48),
            (0x003c, 0x0303, 64),
            (0xc028, 0x0303, 80),
            (0x000a, 0x0301, 24),
            (0x000a, 0x0303, 32),
            (0x0005, 0x0301, 22),
            (0x0004, 0x0303, 18),
            (0x1301, 0x0304, 19),
        ];
        for (suite, version, length) in measured {
            assert_eq!(
                record_length(suite, version, 2, false),
                length,
                "{suite:04x} {version:04x}"
            );
        }
        assert_eq!(record_length(0x1302, 0x0304, 2, true), 35);
    }

    #[test]
    fn finished_records_have_the_measured_lengths() {
        assert_eq!(
            record_length(0x1301, 0x0304, finished_length(0x1301, 0x0304), false),
            53
        );
        assert_eq!(
            record_length(0x1302, 0x0304, finished_length(0x1302, 0x0304), false),
            69
        );
        assert_eq!(
            record_length(0xc02f, 0x0303, finished_length(0xc02f, 0x0303), false),
            40
        );
    }
}
