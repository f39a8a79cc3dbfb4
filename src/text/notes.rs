//! The notes beside pieces of proof ([`Note`](crate::diagnosis::Note)): the English template is the key, the Japanese one
//! stands beside it. Filled like the sentences of the rules.

use crate::diagnosis::{Evidence, Note};
use crate::text::Language;
use crate::text::explanation::fill;
use crate::text::values::{Encoder, show};

/// English, Japanese; sorted by the English.
const NOTES: &[(&str, &str)] = &[
    ("AUTH {mechanisms}", "AUTH {mechanisms}"),
    ("AUTH {mechanism} in clear", "AUTH {mechanism}(平文)"),
    ("Alert (fatal) {number} {name}", "アラート(fatal){number} {name}"),
    (
        "Alert (fatal) {number} {name}, decrypted",
        "アラート(fatal){number} {name}(復号済み)",
    ),
    (
        "Alert (level {level}) {number} {name}",
        "アラート(レベル{level}){number} {name}",
    ),
    (
        "Alert (level {level}) {number} {name}, decrypted",
        "アラート(レベル{level}){number} {name}(復号済み)",
    ),
    ("Alert (warning) {number} {name}", "アラート(warning){number} {name}"),
    (
        "Alert (warning) {number} {name}, decrypted",
        "アラート(warning){number} {name}(復号済み)",
    ),
    ("Alert 70 protocol_version", "アラート70 protocol_version"),
    ("CAPABILITY … LOGINDISABLED", "CAPABILITY … LOGINDISABLED"),
    ("Certificate (empty)", "Certificate(空)"),
    ("CertificateRequest", "CertificateRequest"),
    (
        "ClientHello on {port} ({mode}), at most {version}",
        "{port}番({mode})のClientHello、最高{version}",
    ),
    ("ClientHello, at most {version}", "ClientHello、最高{version}"),
    (
        "ClientHello, at most {version}: handshake completed",
        "ClientHello、最高{version}:ハンドシェイク完了",
    ),
    (
        "ClientHello, at most {version}: no handshake",
        "ClientHello、最高{version}:ハンドシェイク不成立",
    ),
    ("EHLO reply: STARTTLS, no AUTH", "EHLO応答:STARTTLSあり、AUTHなし"),
    ("FIN", "FIN"),
    ("LF without CR, or CR without LF", "CRのないLF、またはLFのないCR"),
    ("MAIL without AUTH, relayed", "AUTHなしのMAIL、中継された"),
    (
        "PROXY protocol, version {version}",
        "PROXYプロトコル バージョン{version}",
    ),
    ("QUIT, the first command inside TLS", "TLS内の最初のコマンドがQUIT"),
    ("RST", "RST"),
    ("RST after the end of the conversation", "通信終了後のRST"),
    ("RST right after the silence", "無通信の直後のRST"),
    ("RST, ACK to the SYN", "SYNへのRST, ACK"),
    ("SIZE {limit}", "SIZE {limit}"),
    ("STARTTLS", "STARTTLS"),
    ("STARTTLS accepted", "STARTTLS受諾"),
    ("SYN", "SYN"),
    ("SYN to {server}, no answer", "{server} へのSYN、応答なし"),
    ("SYN, ACK, sent {times} times", "SYN, ACKを{times}回送信"),
    ("SYN, sent {times} times", "SYNを{times}回送信"),
    ("ServerHello {version}", "ServerHello {version}"),
    ("ServerHello {version} {suite}", "ServerHello {version} {suite}"),
    ("TLS record", "TLSレコード"),
    (
        "a dot alone on its line: the end of the mail",
        "行頭のドットだけの行(メールの終わりを示す)",
    ),
    ("accepted", "受理"),
    ("accepted on a later try", "後の再送で受理"),
    ("certificate {fingerprint}", "証明書 {fingerprint}"),
    ("client Finished", "クライアントのFinished"),
    (
        "client octets before the end of the greeting",
        "グリーティングの完了前に届いたクライアントのデータ",
    ),
    ("closed without a final reply", "最終応答なしで切断"),
    ("connected; no greeting followed", "接続は成立。グリーティングなし"),
    ("connection to {server}, no mail", "{server} への接続、メールなし"),
    (
        "copies of packets: {copies}, largest segment: {large} octets",
        "パケットの重複{copies}個、最大のセグメント{large}オクテット",
    ),
    (
        "counts on from {octets} octets that did not arrive",
        "届いていない{octets}オクテットの続きから番号が始まる",
    ),
    (
        "data of one direction; the other side's ACKs prove more",
        "片方向のデータのみ。反対側のACKから、ほかにもデータがあったことが分かる",
    ),
    ("encrypted alert", "暗号化アラート"),
    ("encrypted alert, {length} octets", "暗号化アラート、{length}オクテット"),
    (
        "encrypted alert, {length} octets, then FIN",
        "暗号化アラート、{length}オクテット、続いてFIN",
    ),
    (
        "encrypted record of the size of QUIT",
        "QUITに相当する長さの暗号化レコード",
    ),
    (
        "encrypted record of the size of a {result}-octet reply",
        "{result}オクテットの応答に相当する長さの暗号化レコード",
    ),
    (
        "encrypted record of {length} octets, the size of an alert",
        "{length}オクテットの暗号化レコード(アラートに相当する長さ)",
    ),
    (
        "encrypted record of {length} octets, the size of an empty Certificate",
        "{length}オクテットの暗号化レコード(空のCertificateに相当する長さ)",
    ),
    (
        "encrypted record of {length} octets: the length of the EHLO line",
        "{length}オクテットの暗号化レコード(EHLO行に相当する長さ)",
    ),
    (
        "encrypted record that the keys did not open",
        "鍵で復号できなかった暗号化レコード",
    ),
    ("end of data, no final reply", "メールデータの終わり、最終応答なし"),
    ("end of the mail data", "メールデータの終わり"),
    ("first encrypted record", "最初の暗号化レコード"),
    ("first frame: no SYN before it", "最初のフレーム(その前にSYNなし)"),
    ("first try, refused with {code}", "1回目の送信、{code}で拒否"),
    ("last SYN", "最後のSYN"),
    (
        "last frame before the watch was stopped",
        "監視を止める前の最後のフレーム",
    ),
    ("last frame: no FIN and no RST", "最後のフレーム(FINもRSTもなし)"),
    ("last retransmission", "最後の再送"),
    (
        "mail data before the reply to DATA",
        "DATAの応答より前に送られたメールデータ",
    ),
    ("mailbox login accepted", "メールボックスへのログイン成功"),
    ("message", "メール"),
    ("message header", "メールのヘッダー"),
    ("no AUTH", "AUTHなし"),
    ("no next flight for {silence}", "次のメッセージが{silence}届かない"),
    ("nothing from either side for {waited}", "双方とも{waited}無通信"),
    (
        "nothing from the client for {silence}",
        "クライアントから{silence}何も届かない",
    ),
    (
        "octets missing before this frame, acknowledged by the receiver: {length}",
        "このフレームの前で{length}オクテットが欠落(受信側はACK済み)",
    ),
    ("octets of 0x80 and above", "0x80以上のオクテット(8ビット文字)"),
    ("offered {version}: {answer}", "{version}を提示:{answer}"),
    (
        "record version {shown} around the ClientHello",
        "ClientHelloのレコードバージョンは{shown}",
    ),
    ("refused", "拒否"),
    (
        "relayed without AUTH after a mailbox login",
        "メールボックスへのログイン後、AUTHなしで中継",
    ),
    ("relaying refused, no AUTH", "中継拒否、AUTHなし"),
    (
        "segments shorter in the file than on the wire: {cut}",
        "{cut}セグメントが記録時に切り詰められている",
    ),
    ("sent without TLS", "TLSなしで送信"),
    ("session {id} to {server}: worked", "セッション{id}({server}):成功"),
    ("session {id}: no success", "セッション{id}:成功せず"),
    ("session {id}: {cause}", "セッション{id}:{cause}"),
    ("still closed", "閉じたまま"),
    ("the client closes", "クライアントが切断"),
    ("the client closes without QUIT", "クライアントがQUITなしで切断"),
    ("the client gives up", "クライアントが断念"),
    (
        "the server closes inside the mail data",
        "メールデータの途中でサーバーが切断",
    ),
    ("the server closes without a reply", "サーバーが応答せずに切断"),
    ("until then no final reply", "この時点まで最終応答なし"),
    (
        "until then not one octet from the server",
        "この時点までサーバーからのデータなし",
    ),
    ("window 0", "ウィンドウ0"),
    ("window open again", "ウィンドウ再開"),
    ("{again} of {all} segments sent again", "{all}セグメント中{again}を再送"),
    ("{cause}", "{cause}"),
    ("{command} reply: no {keyword}", "{command}応答:{keyword}なし"),
    ("{command} reply: {keyword}", "{command}応答:{keyword}あり"),
    (
        "{length} octets, sent {times} times without an acknowledgment",
        "{length}オクテットを{times}回送信、ACKなし",
    ),
    (
        "{length} octets, sent {times} times without an answer",
        "{length}オクテットを{times}回送信、応答なし",
    ),
    ("{mechanism} accepted", "{mechanism} 成功"),
    ("{mechanism} refused", "{mechanism} 拒否"),
    ("{server}: ServerHello {version}", "{server}:ServerHello {version}"),
    ("{server}: {quote}", "{server}:{quote}"),
    (
        "{tries} handshakes, each with one version",
        "バージョンを1つだけ提示したハンドシェイク{tries}回",
    ),
    ("{version} accepted", "{version} 受け付け"),
    ("{version} negotiated", "{version}で合意"),
    ("{version} refused", "{version} 拒否"),
    (
        "{version} {kind}/{code} from {reporter}",
        "{version} {kind}/{code}(送信元 {reporter})",
    ),
    (
        "{way}: inside TLS; {accepted} accepted, {refused} refused",
        "{way}:TLS内、成功{accepted}回、拒否{refused}回",
    ),
    (
        "{way}: user name readable, password not readable; {accepted} accepted, {refused} refused",
        "{way}:ユーザー名は平文、パスワードは平文でない、成功{accepted}回、拒否{refused}回",
    ),
    (
        "{way}: user name readable, password readable; {accepted} accepted, {refused} refused",
        "{way}:ユーザー名・パスワードとも平文、成功{accepted}回、拒否{refused}回",
    ),
];

/// A note in a language.
///
/// # Panics
/// In debug builds, where the catalogue does not have it or a value is missing: a rule that was not finished.
#[must_use]
pub fn note(note: &Note, language: Language, encode: Encoder) -> String {
    let template = template(note, language);
    let filled = fill(template, &note.values, &|value| show(value, language, encode));
    debug_assert!(filled.is_some(), "a value is missing: {note:?}");
    filled.unwrap_or(template.into()).into_owned()
}

/// What a note says in a language, with `{names}` for its values.
pub(crate) fn template(note: &Note, language: Language) -> &'static str {
    debug_assert!(row(note).is_some(), "no note in the catalogue: {:?}", note.template);
    match language {
        Language::English => note.template,
        Language::Japanese => row(note).map_or(note.template, |(_, japanese)| japanese),
    }
}

/// Every note of the catalogue, in English.
#[cfg(test)]
pub(crate) fn templates() -> impl Iterator<Item = &'static str> {
    NOTES.iter().map(|(english, _)| *english)
}

fn row(note: &Note) -> Option<&'static (&'static str, &'static str)> {
    let known = NOTES.binary_search_by_key(&note.template, |(english, _)| english);
    known.ok().and_then(|position| NOTES.get(position))
}

/// What a piece of proof shows: the quoted octets, or its note in a language.
#[must_use]
pub fn proof(evidence: &Evidence, language: Language, encode: Encoder) -> String {
    match &evidence.note {
        Some(one) => note(one, language, encode),
        None => encode(evidence.quotation.bytes()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn names(template: &str) -> BTreeSet<&str> {
        template
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}'))
            .map(|(name, _)| name)
            .collect()
    }

    #[test]
    fn notes_are_sorted_and_use_the_same_values_in_both_languages() {
        assert!(NOTES.is_sorted_by(|one, next| one.0 < next.0));
        for (english, japanese) in NOTES {
            assert!(!english.is_empty() && !japanese.is_empty());
            assert_eq!(names(english), names(japanese), "{english}");
        }
    }

    #[test]
    fn japanese_notes_hold_no_english_prose() {
        for (_, japanese) in NOTES {
            let small = |word: &str| word.len() > 1 && word.chars().all(|letter| letter.is_ascii_lowercase());
            let words: Vec<&str> = japanese.split(' ').collect();
            let prose = words.windows(2).any(|pair| pair.iter().all(|word| small(word)));
            assert!(!prose, "{japanese}");
        }
    }

    #[test]
    fn every_note_is_said_by_some_rule_and_every_rule_says_notes_of_the_catalogue() {
        let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
        let mut code = String::new();
        for room in ["diagnosis", "insight"] {
            let mut folders = vec![std::path::Path::new(rules).join(room)];
            while let Some(folder) = folders.pop() {
                for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                    let path = entry.path();
                    if path.is_dir() {
                        folders.push(path);
                    } else if path.extension().is_some_and(|end| end == "rs") {
                        code.push_str(&std::fs::read_to_string(path).unwrap());
                    }
                }
            }
        }
        for (english, _) in NOTES {
            assert!(code.contains(&format!("\"{english}\"")), "nothing says {english:?}");
        }
        let mut said = 0;
        for template in code.split("Note::of(").skip(1).filter_map(literal) {
            said += 1;
            assert!(is_known(template), "no note in the catalogue: {template:?}");
        }
        // A literal that stands directly as the last argument becomes a note, too.
        for call in ["Evidence::frame(", "Evidence::quote("] {
            let last_arguments = code
                .split(call)
                .skip(1)
                .filter_map(|rest| arguments(rest)?.last().copied());
            for template in last_arguments.filter_map(literal) {
                said += 1;
                assert!(is_known(template), "no note in the catalogue: {template:?}");
            }
        }
        assert!(said > 70, "{said} notes found in the rules");
    }

    fn is_known(template: &str) -> bool {
        NOTES.binary_search_by_key(&template, |(english, _)| english).is_ok()
    }

    /// The string literal that code begins with.
    fn literal(code: &str) -> Option<&str> {
        code.trim_start().strip_prefix('"')?.split('"').next()
    }

    /// The arguments of a call, from behind its opening parenthesis.
    fn arguments(code: &str) -> Option<Vec<&str>> {
        let (mut depth, mut in_text, mut from) = (0_u32, false, 0);
        let mut found = Vec::new();
        for (at, one) in code.char_indices() {
            match one {
                '"' => in_text = !in_text,
                _ if in_text => {}
                ')' if depth == 0 => {
                    found.push(code.get(from..at)?.trim());
                    found.retain(|argument| !argument.is_empty());
                    return Some(found);
                }
                '(' => depth += 1,
                ')' => depth -= 1,
                ',' if depth == 0 => {
                    found.push(code.get(from..at)?.trim());
                    from = at + 1;
                }
                _ => {}
            }
        }
        None
    }
}
