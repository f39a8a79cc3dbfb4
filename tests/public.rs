//! The public captures: every file is read without panic and in time; what Zeek says of envelopes and TLS is what we say;
//! the messages of the SMTP smuggling laboratory are counted. Read in place, never copied; no address is printed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use common::Analysed;
use serde_json::Value;
use smtpcap::analyzer::Options;
use smtpcap::diagnosis::Severity;
use smtpcap::protocol::smtp::{Detail, Verb};
use smtpcap::protocol::tls::{Version, cipher_suite_name};
use smtpcap::session::Session;

/// The longest that one file may take in a debug build; the largest has 3.3 MB.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// Where we differ from an oracle, and why that is right.
const EXPLAINED: &[(&str, &str, &str)] = &[
    (
        "LVy-H-smtp-smuggling-lab/case-a1.pcap",
        "messages",
        "the laboratory's counter read the first of the two connections; each has one CRLF . CRLF, and both are answered 250",
    ),
    (
        "LVy-H-smtp-smuggling-lab/case-p2p-a1-receiver.pcap",
        "messages",
        "the laboratory's counter read the first of the two connections; each has one CRLF . CRLF, and both are answered 250",
    ),
    (
        "LVy-H-smtp-smuggling-lab/case-p2p-a1-sender.pcap",
        "messages",
        "the laboratory's counter read the first of the two connections; each has one CRLF . CRLF, and both are answered 250",
    ),
    (
        "LVy-H-smtp-smuggling-lab/case-e2p-a1-sender.pcap",
        "messages",
        "the sender uses BDAT, which the laboratory's counter does not read; the server answers BDAT LAST with 250",
    ),
    (
        "LVy-H-smtp-smuggling-lab/case-e2p-a10-sender.pcap",
        "messages",
        "the sender uses BDAT, which the laboratory's counter does not read; the server answers BDAT LAST with 250",
    ),
    (
        "LVy-H-smtp-smuggling-lab/case-e2p-a3-sender.pcap",
        "messages",
        "the sender uses BDAT, which the laboratory's counter does not read; the server answers BDAT LAST with 250",
    ),
    (
        "zeek-zeek/rdp__rdp-to-ssl.pcap",
        "TLS version",
        "TLS inside the Remote Desktop handshake: no mail protocol",
    ),
    (
        "zeek-zeek/rdp__rdp-to-ssl.pcap",
        "TLS cipher",
        "TLS inside the Remote Desktop handshake: no mail protocol",
    ),
    (
        "zeek-zeek/tls__xmpp-dialback-starttls.pcap",
        "TLS version",
        "STARTTLS of XMPP: no mail protocol",
    ),
    (
        "zeek-zeek/tls__xmpp-dialback-starttls.pcap",
        "TLS cipher",
        "STARTTLS of XMPP: no mail protocol",
    ),
    (
        "zeek-zeek/tls__xmpp-starttls.pcap",
        "TLS version",
        "STARTTLS of XMPP: no mail protocol",
    ),
    (
        "zeek-zeek/tls__xmpp-starttls.pcap",
        "TLS cipher",
        "STARTTLS of XMPP: no mail protocol",
    ),
];

/// Sessions in which nothing failed, and in which a rule once said that something had.
const NO_FAILURE: &[&str] = &[
    "arkime-arkime/smtp-subject-windows.pcap",
    "OISF-suricata-verify/ruletype-firewall-132-smtp-nested-mail-from__smtp-nested-mail.pcap",
    "OISF-suricata-verify/smtp-pipelined-rset-data-replies__input.pcap",
    "realjimmy-sample-captures/pop-ssl.pcapng",
    "snort3-snort3_demo/alert_before_server_response.pcap",
    "snort3-snort3_demo/appids_smtp.pcap",
];

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn records<'a>(oracle: &'a Value, log: &str) -> impl Iterator<Item = &'a Value> {
    oracle["facts"][log].as_array().into_iter().flatten()
}

/// The default ports and those that the oracles of this file name.
fn options(oracles: &[&Value]) -> Options {
    let mut options = Options::default();
    for oracle in oracles {
        for log in ["smtp.log", "ssl.log"] {
            options
                .ports
                .extend(records(oracle, log).filter_map(|one| text(&one["id.resp_p"]).parse::<u16>().ok()));
        }
    }
    options
}

fn is_of(session: &Session, record: &Value) -> bool {
    let (client, server) = (session.connection.client, session.connection.server);
    client.address.to_string() == text(&record["id.orig_h"])
        && client.port.to_string() == text(&record["id.orig_p"])
        && server.address.to_string() == text(&record["id.resp_h"])
        && server.port.to_string() == text(&record["id.resp_p"])
}

#[derive(Default)]
struct Score {
    compared: usize,
    agreed: usize,
    explained: BTreeSet<(&'static str, &'static str)>,
    wrong: Vec<String>,
}

impl Score {
    fn compare(&mut self, file: &str, what: &str, agrees: bool, difference: impl FnOnce() -> String) {
        self.compared += 1;
        if agrees {
            self.agreed += 1;
            return;
        }
        let known = EXPLAINED.iter().find(|(one, name, _)| *one == file && *name == what);
        match known {
            Some((one, name, _)) => {
                self.explained.insert((one, name));
            }
            None => self.wrong.push(format!("{file}: {what}: {}", difference())),
        }
    }
}

/// MAIL and RCPT of a session, accepted or not, in lower case.
fn envelope(session: &Session) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut paths = (BTreeSet::new(), BTreeSet::new());
    for exchange in session.exchanges() {
        let set = match exchange.verb {
            Verb::Mail => &mut paths.0,
            _ => &mut paths.1,
        };
        if let Detail::Envelope { path: Some(path), .. } = &exchange.detail {
            set.insert(String::from_utf8_lossy(path.address.bytes()).to_ascii_lowercase());
        }
    }
    paths
}

fn mailbox(value: &str) -> String {
    value
        .trim_matches(['<', '>', ' '])
        .split("> ")
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

fn compare_envelopes(file: &str, oracle: &Value, analysed: &Analysed, score: &mut Score) {
    for record in records(oracle, "smtp.log") {
        let of = analysed.sessions.iter().find(|(session, _)| is_of(session, record));
        let Some((session, _)) = of else {
            score.compare(file, "connection", false, || "not found".to_owned());
            continue;
        };
        let (senders, recipients) = envelope(session);
        if record["mailfrom"].is_string() {
            let found = senders.contains(&mailbox(text(&record["mailfrom"])));
            score.compare(file, "MAIL", found, || format!("{} of ours, not Zeek's", senders.len()));
        }
        for one in text(&record["rcptto"]).split(',').filter(|one| !one.is_empty()) {
            let found = recipients.contains(&mailbox(one));
            score.compare(file, "RCPT", found, || {
                format!("{} of ours, not Zeek's", recipients.len())
            });
        }
        if let Some(tls) = record["tls"].as_str() {
            score.compare(file, "STARTTLS", session.upgraded() == (tls == "T"), || {
                format!("Zeek says {tls}")
            });
        }
    }
}

fn version(name: &str) -> Option<Version> {
    Some(match name {
        "SSLv3" => Version::SSL3,
        "TLSv10" => Version::TLS1_0,
        "TLSv11" => Version::TLS1_1,
        "TLSv12" => Version::TLS1_2,
        "TLSv13" => Version::TLS1_3,
        "TLSv13-draft23" => Version(0x7f17),
        _ => return None,
    })
}

fn compare_tls(file: &str, oracle: &Value, analysed: &Analysed, score: &mut Score) {
    for record in records(oracle, "ssl.log") {
        let name = text(&record["version"]);
        if name.starts_with("DTLS") {
            continue;
        }
        let hello = analysed
            .sessions
            .iter()
            .filter(|(session, _)| is_of(session, record))
            .find_map(|(session, _)| session.tls.as_ref()?.server_hello.as_ref());
        score.compare(
            file,
            "TLS version",
            hello.map(|hello| hello.version) == version(name),
            || format!("Zeek {name}, ours {:?}", hello.map(|hello| hello.version)),
        );
        let cipher = hello.and_then(|hello| cipher_suite_name(hello.cipher_suite));
        score.compare(file, "TLS cipher", cipher == record["cipher"].as_str(), || {
            format!("Zeek {}, ours {cipher:?}", record["cipher"])
        });
    }
}

/// Messages whose end of data was seen.
fn complete_messages(analysed: &Analysed) -> usize {
    let ended = |detail: &Detail| match detail {
        Detail::Data(Some(data)) => data.ended.is_some(),
        Detail::Bdat {
            last, data: Some(data), ..
        } => *last && data.ended.is_some(),
        _ => false,
    };
    analysed
        .sessions
        .iter()
        .flat_map(|(session, _)| session.exchanges())
        .filter(|exchange| matches!(exchange.verb, Verb::Data | Verb::Bdat) && ended(&exchange.detail))
        .count()
}

fn compare_smuggling(file: &str, oracle: &Value, analysed: &Analysed, score: &mut Score) {
    let facts = &oracle["facts"];
    let expected = match (
        facts["rfc_strict_server_events"].as_array(),
        facts["rfc_strict_messages_on_this_wire"].as_u64(),
    ) {
        (Some(events), _) => events.iter().filter(|event| event["type"] == "data_complete").count(),
        (_, Some(count)) => usize::try_from(count).unwrap(),
        _ => return,
    };
    let found = complete_messages(analysed);
    score.compare(file, "messages", found == expected, || {
        format!("the laboratory counts {expected}, ours {found}")
    });
}

fn compare(file: &str, oracles: &[&Value], analysed: &Analysed, score: &mut Score) {
    for oracle in oracles {
        match text(&oracle["peer"]) {
            "zeek" => {
                compare_envelopes(file, oracle, analysed, score);
                compare_tls(file, oracle, analysed, score);
            }
            "smtp-smuggling-lab" => compare_smuggling(file, oracle, analysed, score),
            _ => {}
        }
    }
}

fn files(folder: &Path) -> Vec<String> {
    std::fs::read_to_string(folder.join("INDEX.tsv"))
        .unwrap()
        .lines()
        .skip(1)
        .filter_map(|line| line.split('\t').next().map(str::to_owned))
        .collect()
}

#[test]
fn sessions_of_public_captures_without_a_failure_raise_no_alarm() {
    let Some(folder) = common::shared("public") else { return };
    for file in NO_FAILURE.iter().filter(|file| folder.join(file).exists()) {
        let analysed = common::analyse_file(&folder.join(file));
        let findings = analysed.sessions.iter().flat_map(|(_, findings)| findings);
        let failed: Vec<_> = findings
            .filter(|finding| finding.severity == Severity::Fail)
            .map(|finding| finding.rule.slug)
            .collect();
        assert!(failed.is_empty(), "{file}: {failed:?}");
    }
}

#[test]
fn every_public_capture_is_read_in_time_and_agrees_with_its_oracles() {
    let Some(folder) = common::shared("public") else { return };
    let oracle: BTreeMap<String, Value> =
        serde_json::from_slice(&std::fs::read(folder.join("ORACLE.json")).unwrap()).unwrap();
    let (mut read, mut sessions, mut failed, mut slowest) = (0, 0, Vec::new(), (Duration::ZERO, String::new()));
    let mut score = Score::default();
    for file in files(&folder) {
        let path = folder.join(&file);
        if !path.exists() {
            println!("skipped: {file} is absent");
            continue;
        }
        let oracles: Vec<&Value> = oracle
            .get(&file)
            .and_then(|of| of["oracles"].as_array())
            .into_iter()
            .flatten()
            .collect();
        let began = Instant::now();
        let analysed = catch_unwind(AssertUnwindSafe(|| common::analyse_with(&path, &options(&oracles))));
        let took = began.elapsed();
        read += 1;
        if took > TIME_LIMIT {
            failed.push(format!("{file}: {took:?}"));
        }
        if took > slowest.0 {
            slowest = (took, file.clone());
        }
        let Ok(analysed) = analysed else {
            failed.push(format!("{file}: panics"));
            continue;
        };
        sessions += analysed.sessions.len();
        compare(&file, &oracles, &analysed, &mut score);
    }
    println!(
        "public: {read} files, {sessions} sessions, slowest {:?} ({}); compared {}, agreed {}, explained differences {}",
        slowest.0,
        slowest.1,
        score.compared,
        score.agreed,
        score.compared - score.agreed - score.wrong.len()
    );
    for (file, what, reason) in EXPLAINED {
        println!("  {file}: {what}: {reason}");
        assert!(
            score.explained.contains(&(*file, *what)) || !folder.join(file).exists(),
            "{file}: {what}: explained, but there is no difference"
        );
    }
    assert!(failed.is_empty(), "\n  {}", failed.join("\n  "));
    assert!(score.wrong.is_empty(), "\n  {}", score.wrong.join("\n  "));
}
