//! Short phrases that rules put into their sentences as [`Value::Phrase`](crate::diagnosis::Value::Phrase), by key.

use crate::text::Language;

/// Key, English, Japanese; sorted by key.
const PHRASES: &[(&str, &str, &str)] = &[
    ("client", "the client", "クライアント"),
    ("fault_early", "it is not valid yet", "有効期間がまだ始まっていません"),
    ("fault_expired", "it has expired", "期限が切れています"),
    (
        "fault_name",
        "it does not hold the name that the client uses",
        "クライアントが使う名前が含まれていません",
    ),
    ("fault_self_signed", "it is self-signed", "自己署名です"),
    (
        "icmp_host_unreachable",
        "the host cannot be reached",
        "ホストに到達できません",
    ),
    (
        "icmp_network_unreachable",
        "the network cannot be reached",
        "ネットワークに到達できません",
    ),
    (
        "icmp_port_unreachable",
        "the port is closed or rejected by a filter",
        "ポートが閉じているか、フィルターで拒否されています",
    ),
    (
        "icmp_prohibited",
        "communication is administratively prohibited (a filter)",
        "管理者のフィルターで禁止されています",
    ),
    (
        "icmp_unreachable",
        "the destination cannot be reached",
        "宛先に到達できません",
    ),
    ("implicit_tls", "implicit TLS", "接続時から暗号化・「SSL」"),
    (
        "name_bare_address",
        "an address without brackets",
        "角括弧のないIPアドレスです",
    ),
    (
        "name_localhost",
        "the computer's name for itself",
        "自分自身を指す名前(localhost)です",
    ),
    (
        "name_of_tool",
        "the default name of a test program (openssl s_client)",
        "テスト用プログラム(openssl s_client)の既定の名前です",
    ),
    (
        "name_underscore",
        "a name with an underscore, which no host name may have",
        "ホスト名に使えない下線を含む名前です",
    ),
    ("name_unqualified", "a name without a domain", "ドメインのない名前です"),
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
    (
        "reply_keyword_first",
        "a keyword stands on the first line of the EHLO reply, where clients expect a greeting",
        "EHLO応答の先頭行(挨拶の位置)にキーワードがあります",
    ),
    (
        "reply_mixed_codes",
        "the lines of one reply carry different codes",
        "1つの応答の中で行ごとにコードが異なります",
    ),
    (
        "reply_no_last_line",
        "its last line is missing (every line has \"-\" behind the code)",
        "最終行がありません(すべての行のコードの後に「-」があります)",
    ),
    (
        "reply_not_a_reply",
        "a line does not begin with three digits",
        "3桁の数字で始まらない行があります",
    ),
    ("server", "the server", "サーバー"),
    ("starttls", "STARTTLS", "STARTTLS"),
    ("unassigned", "unassigned", "未割り当て"),
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
    fn sources(folder: &std::path::Path, text: &mut String) {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                sources(&path, text);
            } else if path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("text/phrases.rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn every_phrase_is_said_somewhere() {
        let mut text = String::new();
        sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
        let dead: Vec<_> = super::PHRASES
            .iter()
            .map(|(key, _, _)| *key)
            .filter(|key| !text.contains(&format!("\"{key}\"")))
            .collect();
        assert!(dead.is_empty(), "phrases that nothing says: {dead:?}");
    }

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
