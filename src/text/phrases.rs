//! Short phrases that rules put into their sentences as [`Value::Phrase`](crate::diagnosis::Value::Phrase), by key.

use crate::text::Language;

/// Key, English, Japanese; sorted by key.
const PHRASES: &[(&str, &str, &str)] = &[
    ("client", "the client", "クライアント"),
    ("implicit_tls", "implicit TLS", "接続時から暗号化・「SSL」"),
    ("network", "the network", "経路"),
    (
        "payload_cram_form",
        "the CRAM-MD5 answer is not \"user, blank, 32 hex digits\"",
        "CRAM-MD5の応答が「ユーザー名 空白 16進32桁」の形ではありません",
    ),
    ("payload_empty_password", "the password is empty", "パスワードが空です"),
    ("payload_empty_user", "the user name is empty", "ユーザー名が空です"),
    ("payload_not_base64", "it is not base64", "base64ではありません"),
    (
        "payload_nul_count",
        "PLAIN needs exactly two NUL octets",
        "PLAINに必要なNULが2つではありません",
    ),
    (
        "payload_trailing_newline",
        "the decoded data ends in a newline",
        "復号結果の末尾に改行が混入しています",
    ),
    ("server", "the server", "サーバー"),
    ("starttls", "STARTTLS", "STARTTLS"),
];

/// The phrase behind a key; the key itself where there is none, which a test forbids.
#[must_use]
pub fn phrase(key: &'static str, language: Language) -> &'static str {
    match PHRASES.binary_search_by_key(&key, |(known, _, _)| *known) {
        Ok(position) => match (PHRASES.get(position), language) {
            (Some((_, english, _)), Language::English) => english,
            (Some((_, _, japanese)), Language::Japanese) => japanese,
            (None, _) => key,
        },
        Err(_) => key,
    }
}

/// True where the key has a phrase.
#[must_use]
pub fn is_known(key: &str) -> bool {
    PHRASES.binary_search_by_key(&key, |(known, _, _)| *known).is_ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn phrases_are_sorted_and_complete() {
        assert!(super::PHRASES.is_sorted_by_key(|(key, _, _)| *key));
        assert!(
            super::PHRASES
                .iter()
                .all(|(_, english, japanese)| !english.is_empty() && !japanese.is_empty())
        );
    }
}
