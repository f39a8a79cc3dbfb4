//! The decoder against captures with a known truth, read in place and never copied.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::reading::{Connection, captures, connections, decode};
use crate::protocol::tls::{AlertLevel, ClientHello, TlsFacts, Version, alert_name};
use crate::span::Direction;

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn label(version: Version) -> String {
    version
        .name()
        .map_or_else(|| format!("0x{:04x}", version.0), |name| name.replace("TLS ", "TLSv"))
}

/// The alerts as the truth writes them: `s2c:fatal:70`.
fn alerts(facts: &TlsFacts) -> Vec<String> {
    let side = |direction| if direction == Direction::ToServer { "c2s" } else { "s2c" };
    let level = |level: AlertLevel| level.name().unwrap_or("other");
    let written = facts.alerts.iter();
    written
        .map(|alert| {
            format!(
                "{}:{}:{}",
                side(alert.span.direction),
                level(alert.level),
                alert.description
            )
        })
        .collect()
}

/// Differences between a session's facts and its truth.
fn compare(facts: Option<&TlsFacts>, truth: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    let mut check = |what: &str, ours: Value| {
        if let Some(theirs) = truth.get(what).filter(|theirs| **theirs != ours) {
            differences.push(format!("{what}: truth {theirs}, ours {ours}"));
        }
    };
    let Some(facts) = facts else {
        check("tls_negotiated", Value::Null);
        return differences;
    };
    let offer = facts.offer();
    let server = facts.server_hello.as_ref();
    let leaf = facts
        .server_certificate
        .as_ref()
        .and_then(|message| message.certificates.first());
    check("tls_offer_max", offer.map(|hello| label(hello.maximum())).into());
    if let Some(minimum) = offer.and_then(|hello| hello.minimum()) {
        check("tls_offer_min", label(minimum).into());
    }
    let name = offer
        .and_then(|hello| hello.server_name.as_ref())
        .and_then(|name| name.utf8());
    check("tls_sni", name.into());
    check("tls_negotiated", server.map(|hello| label(hello.version)).into());
    check(
        "tls_cipher",
        server.map(|hello| format!("0x{:04x}", hello.cipher_suite)).into(),
    );
    check("tls_alerts", alerts(facts).into());
    check(
        "server_cert_not_after",
        leaf.map(|leaf| leaf.not_after.rfc3339(0)).into(),
    );
    check("server_cert_subject", leaf.and_then(|leaf| leaf.subject.utf8()).into());
    differences
}

#[test]
fn lab_captures_agree_with_their_truth() {
    let Some(folder) = captures() else { return };
    let (mut compared, mut differences) = (0, Vec::new());
    for capture in json(&folder.join("lab/truth.json"))["captures"].as_array().unwrap() {
        let file = capture["file"].as_str().unwrap();
        let list = connections(&folder.join("lab").join(file));
        for session in capture["sessions"].as_array().unwrap() {
            let Some(truth) = session
                .get("facts")
                .filter(|truth| truth.get("tls_offer_max").is_some())
            else {
                continue;
            };
            let (client, server) = (session["client"].as_str().unwrap(), session["server"].as_str().unwrap());
            let wanted = |connection: &&Connection| connection.client == client && connection.server == server;
            let Some(connection) = list.iter().find(wanted) else {
                differences.push(format!("{file} {client}: not found"));
                continue;
            };
            compared += 1;
            let found = compare(decode(connection, usize::MAX).as_ref(), truth);
            differences.extend(
                found
                    .into_iter()
                    .map(|difference| format!("{file} {client}: {difference}")),
            );
        }
    }
    assert!(compared > 30, "only {compared} sessions compared");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Every string under a key that is `prefix` or begins with `prefix.` and a number, below `value`.
fn strings_under(value: &Value, keys: &[&str], found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, inside) in map {
                let stem = key.split('.').next().unwrap_or(key);
                match inside {
                    Value::String(text) if keys.contains(&stem) => {
                        found.insert(text.clone());
                    }
                    Value::Array(list) if keys.contains(&stem) => {
                        found.extend(list.iter().filter_map(|item| item.as_str().map(str::to_owned)));
                    }
                    _ => strings_under(inside, keys, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|item| strings_under(item, keys, found)),
        _ => {}
    }
}

/// A JA4 as nDPI writes it, which leaves the specification in three places: always `d` for the server name, the first
/// two characters of the ALPN name instead of first and last, and the hash of nothing instead of zeros.
fn as_ndpi(hello: &ClientHello) -> String {
    let name = hello
        .alpn
        .first()
        .and_then(|name| name.utf8())
        .and_then(|name| name.get(..2))
        .unwrap_or("00");
    let (counts, hashes) = (
        hello.ja4.get(4..8).unwrap_or_default(),
        hello.ja4.get(10..).unwrap_or_default(),
    );
    let head = hello.ja4.get(..3).unwrap_or_default();
    format!(
        "{head}d{counts}{name}{}",
        hashes.replace("000000000000", "e3b0c44298fc")
    )
}

/// Fingerprints that differ from a peer's, and why.
const KNOWN: &[(&str, &str)] = &[(
    "t13d151699_8daaf6152771_e5627efa2ab1",
    "FoxIO's Python writes 99; the specification wants the hex form of the octets",
)];

/// Fingerprints that a peer tells of a file; nDPI's flows over UDP (QUIC, DTLS) left out.
fn told(oracle: &Value, peer: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let keys = ["JA4", "ja4", "ja3c", "ja3"];
    for entry in oracle["oracles"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["peer"] == peer)
    {
        match entry["facts"]["flows"].as_array() {
            Some(flows) => flows.iter().filter(|flow| flow["l4"] == "TCP").for_each(|flow| {
                strings_under(flow, &keys, &mut found);
            }),
            None => strings_under(&entry["facts"], &keys, &mut found),
        }
    }
    found.retain(|print| print.len() == 32 || print.starts_with('t'));
    found
}

#[test]
fn fingerprints_agree_with_other_tools() {
    let Some(folder) = captures() else { return };
    let oracle = json(&folder.join("public/ORACLE.json"));
    let (mut agreed, mut differences) = (0, Vec::new());
    for (file, entry) in oracle.as_object().unwrap() {
        let peers = ["foxio-ja4", "arkime", "ndpi"].map(|peer| (peer, told(entry, peer)));
        if peers.iter().all(|(_, prints)| prints.is_empty()) {
            continue;
        }
        let list = connections(&folder.join("public").join(file));
        let hellos: Vec<_> = list
            .iter()
            .filter_map(|list| decode(list, usize::MAX))
            .flat_map(|facts| facts.client_hellos)
            .collect();
        for (peer, prints) in peers {
            let ja4 = |hello: &ClientHello| {
                if peer == "ndpi" {
                    as_ndpi(hello)
                } else {
                    hello.ja4.clone()
                }
            };
            let ours: BTreeSet<_> = hellos
                .iter()
                .flat_map(|hello| [hello.ja3.clone(), ja4(hello)])
                .collect();
            for print in prints {
                if ours.contains(&print) {
                    agreed += 1;
                } else if !KNOWN.iter().any(|(known, _)| *known == print) {
                    differences.push(format!("{file}: {peer} {print} not among {ours:?}"));
                }
            }
        }
    }
    println!("{agreed} fingerprints agree");
    assert!(agreed > 100, "only {agreed} agree");
    assert!(differences.is_empty(), "{} agree\n{}", agreed, differences.join("\n"));
}

#[test]
fn any_cut_of_real_captures_gives_the_same_facts() {
    let Some(folder) = captures() else { return };
    let mut sessions = 0;
    for part in ["acceptance", "lab"] {
        let mut files: Vec<_> = std::fs::read_dir(folder.join(part))
            .unwrap()
            .flatten()
            .map(|file| file.path())
            .collect();
        files.sort();
        for file in files
            .into_iter()
            .filter(|file| !file.to_string_lossy().ends_with(".json"))
        {
            for connection in connections(&file) {
                let Some(whole) = decode(&connection, usize::MAX) else {
                    continue;
                };
                sessions += 1;
                for step in [1, 2, 3, 5, 7, 64] {
                    assert_eq!(
                        decode(&connection, step).as_ref(),
                        Some(&whole),
                        "{} in steps of {step}",
                        file.display()
                    );
                }
            }
        }
    }
    assert!(sessions > 30, "only {sessions} sessions");
}

/// The alerts as the table of streams writes them: `C:fatal:unknown_ca +enc1`, without the names' RESERVED marks.
fn alerts_as_tshark(facts: &TlsFacts) -> String {
    let mut words: Vec<_> = facts
        .alerts
        .iter()
        .map(|alert| {
            let side = if alert.span.direction == Direction::ToServer {
                'C'
            } else {
                'S'
            };
            let name = alert_name(alert.description).unwrap_or("?");
            format!("{side}:{}:{name}", alert.level.name().unwrap_or("other"))
        })
        .collect();
    let encrypted = facts.encrypted_alerts.iter().filter(|alert| !alert.inferred).count();
    if encrypted > 0 {
        words.push(format!("+enc{encrypted}"));
    }
    if words.is_empty() {
        "-".to_owned()
    } else {
        words.join(" ")
    }
}

/// Streams where tshark's reading is not ours, and why.
const STREAMS: &[(&str, &str)] = &[
    (
        "AlexeyVasilev-PcapFlowLab/tls__ipv6_tls_strong_constrict_1.pcap",
        "tshark waits for the rest of a segment that the snap length cut",
    ),
    (
        "OISF-suricata-verify/tls13-draft14__tls13_draft14.pcap",
        "tshark takes the random of a draft for a session id",
    ),
    (
        "zeek-zeek/postgresql__psql-aws-ssl-preferred.pcap",
        "tshark misses the ServerHello behind PostgreSQL's answer",
    ),
    ("zeek-zeek/tls__ssl-v2.pcap", "the table has no name for SSL 2.0"),
];

#[test]
fn public_captures_agree_with_tshark() {
    let Some(folder) = captures() else { return };
    let table = std::fs::read_to_string(folder.join("public/STREAMS.tsv")).unwrap();
    let mut lines = table.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let column = |name: &str| head.iter().position(|title| *title == name).unwrap();
    let [negotiated, cipher, sni, hello, told] = ["tls_negotiated", "cipher", "sni", "hello", "alerts"].map(column);
    let (mut list, mut list_of) = (Vec::new(), String::new());
    let (mut compared, mut differences) = (0, Vec::new());
    for row in lines.filter(|row| row[hello].starts_with("CH") && !row[hello].starts_with("CH0")) {
        if list_of != row[0] {
            row[0].clone_into(&mut list_of);
            list = connections(&folder.join("public").join(row[0]));
        }
        let wanted = list
            .iter()
            .filter(|connection| connection.client == row[2] && connection.server == row[3]);
        let decoded: Vec<_> = wanted.filter_map(|connection| decode(connection, usize::MAX)).collect();
        let ours: Vec<_> = decoded
            .iter()
            .map(|facts| {
                let server = facts.server_hello.as_ref();
                let name = facts
                    .offer()
                    .and_then(|hello| hello.server_name.as_ref())
                    .and_then(|name| name.utf8());
                let version = server.map_or("-".to_owned(), |hello| label(hello.version));
                let suite = server.map_or("-".to_owned(), |hello| format!("0x{:04x}", hello.cipher_suite));
                let alerts = alerts_as_tshark(facts);
                let version = version.replace("TLSv", "TLS").replace("SSL 3.0", "SSL3");
                format!("{version} {suite} {} {alerts}", name.unwrap_or("-"))
            })
            .collect();
        compared += 1;
        let theirs = format!("{} {} {} {}", row[negotiated], row[cipher], row[sni], row[told]);
        if !ours.contains(&theirs) && !STREAMS.iter().any(|(file, _)| *file == row[0]) {
            differences.push(format!(
                "{} {}: tshark {theirs}, ours {ours:?} ({})",
                row[0], row[1], row[hello]
            ));
        }
    }
    assert!(compared > 200, "only {compared} streams compared");
    assert!(differences.is_empty(), "of {compared}:\n{}", differences.join("\n"));
}
