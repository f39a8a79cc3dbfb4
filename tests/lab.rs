//! The visible lab: captures of real servers and clients with known truth, in ../shared/captures/lab and in fixtures/.
//! Sessions found, facts right, root causes right, no false alarm, no planted secret.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use smtpcap::analyzer::Options;
use smtpcap::diagnosis::{Finding, Severity};
use smtpcap::frame::FrameNumber;
use smtpcap::insight::Insight;
use smtpcap::protocol::smtp::{Detail, Verb};
use smtpcap::protocol::tls::AlertLevel;
use smtpcap::render::json::{self, Form, InsightRecord, SessionRecord, ToJson as _};
use smtpcap::session::{Session, TransactionResult};
use smtpcap::span::Direction;
use smtpcap::text::Language;

#[derive(Default)]
struct Score {
    sessions: usize,
    found: usize,
    facts: usize,
    facts_right: usize,
    sick: usize,
    cause_right: usize,
    healthy: usize,
    false_alarms: usize,
    risks: usize,
    risks_right: usize,
    leaks: usize,
    misses: Vec<String>,
}

fn strings(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one.as_str().map(str::to_owned))
        .collect()
}

fn version(value: u16) -> String {
    match value {
        0x0002 => "SSLv2".to_owned(),
        0x0300 => "SSLv3".to_owned(),
        0x0301..=0x0304 => format!("TLSv1.{}", value - 0x0301),
        other => format!("{other:#06x}"),
    }
}

fn lossy(text: &smtpcap::captured::Captured) -> String {
    String::from_utf8_lossy(text.bytes()).into_owned()
}

/// What our facts say under the truth's names; a name that is not here is not compared.
fn facts(session: &Session) -> BTreeMap<&'static str, Value> {
    let mut facts = BTreeMap::new();
    let exchanges = session.exchanges();
    if let Some(tls) = session.tls.as_deref() {
        if let Some(hello) = tls.offer() {
            facts.insert("tls_offer_max", version(hello.maximum().0).into());
            facts.insert(
                "tls_offer_min",
                hello.minimum().map(|minimum| version(minimum.0)).into(),
            );
            facts.insert("tls_sni", hello.server_name.as_ref().map(lossy).into());
        }
        if let Some(hello) = &tls.server_hello {
            facts.insert("tls_negotiated", version(hello.version.0).into());
            facts.insert("tls_cipher", format!("{:#06x}", hello.cipher_suite).into());
        }
        let alerts: Vec<String> = tls
            .alerts
            .iter()
            .map(|alert| {
                let way = if alert.span.direction == Direction::ToServer {
                    "c2s"
                } else {
                    "s2c"
                };
                let level = match alert.level {
                    AlertLevel::Warning => "warning",
                    AlertLevel::Fatal => "fatal",
                    AlertLevel::Other(_) => "other",
                };
                format!("{way}:{level}:{}", alert.description)
            })
            .collect();
        facts.insert("tls_alerts", alerts.into());
        facts.insert("tls_certificate_seen", tls.server_certificate.is_some().into());
        facts.insert(
            "tls_client_certificate_requested",
            tls.certificate_request.is_some().into(),
        );
        facts.insert(
            "tls_offered_suites",
            tls.offer().map(|hello| hello.cipher_suites.len()).into(),
        );
        // Of type alert on the outside, whether they were decrypted or not.
        let opened = tls.alerts.iter().filter(|alert| alert.decrypted);
        let older = tls.server_hello.as_ref().is_some_and(|hello| hello.version.0 < 0x0304);
        let opened = if older { opened.count() } else { 0 };
        facts.insert("tls_encrypted_alerts", (tls.encrypted_alerts.len() + opened).into());
        facts.insert("tls_client_hellos", tls.client_hellos.len().into());
        facts.insert("tls_hello_retry_request", (!tls.hello_retry_requests.is_empty()).into());

        if let Some(one) = tls
            .server_certificate
            .as_ref()
            .and_then(|message| message.certificates.first())
        {
            facts.insert("server_cert_subject", lossy(&one.subject).into());
            facts.insert("server_cert_not_after", one.not_after.rfc3339(0).into());
        }
    }
    facts.insert(
        "starttls_used",
        (session.upgraded()
            || session
                .smtp
                .as_ref()
                .is_some_and(|dialogue| dialogue.switched_to_tls.is_some())
            || session
                .retrieval
                .as_ref()
                .is_some_and(|dialogue| dialogue.switched_to_tls.is_some()))
        .into(),
    );
    if let Some(dialogue) = session.smtp.as_deref() {
        facts.insert(
            "banner_code",
            dialogue.greeting.as_ref().map(|greeting| greeting.code).into(),
        );
        let hello = exchanges.iter().rev().find_map(|exchange| match &exchange.detail {
            Detail::Hello { name } => Some(lossy(name)),
            _ => None,
        });
        facts.insert("ehlo", hello.into());
        let starttls = exchanges.iter().find(|exchange| exchange.verb == Verb::StartTls);
        facts.insert(
            "starttls_code",
            starttls
                .and_then(|exchange| exchange.reply.yes())
                .map(|reply| reply.code)
                .into(),
        );
        let list = exchanges.iter().rev().find(|exchange| {
            matches!(exchange.verb, Verb::Ehlo | Verb::Lhlo)
                && exchange.reply.yes().is_some_and(|reply| reply.class() == 2)
        });
        let words = |keyword: &str| -> Vec<Vec<String>> {
            list.map(Session::extensions)
                .unwrap_or_default()
                .iter()
                .map(lossy)
                .map(|line| line.split([' ', '=']).map(str::to_ascii_uppercase).collect::<Vec<_>>())
                .filter(|words: &Vec<String>| words.first().is_some_and(|first| first == keyword))
                .collect()
        };
        // A server does not offer it again inside TLS: the list in clear counts.
        let clear = exchanges.iter().rev().find(|exchange| {
            matches!(exchange.verb, Verb::Ehlo | Verb::Lhlo)
                && !exchange.inside_tls
                && exchange.reply.yes().is_some_and(|reply| reply.class() == 2)
        });
        let offered = clear.map(Session::extensions).unwrap_or_default();
        let offers = |line: &smtpcap::captured::Captured| lossy(line).to_ascii_uppercase().starts_with("STARTTLS");
        facts.insert("starttls_offered", offered.iter().any(offers).into());
        let mut offered: Vec<String> = words("AUTH")
            .into_iter()
            .flat_map(|words| words.into_iter().skip(1))
            .collect();
        offered.sort();
        offered.dedup();
        facts.insert("auth_offered", offered.into());
        facts.insert(
            "size_limit",
            words("SIZE")
                .first()
                .and_then(|words| words.get(1)?.parse::<u64>().ok())
                .into(),
        );
        let mut last: Vec<_> = exchanges
            .iter()
            .filter_map(|exchange| exchange.reply.yes())
            .chain(&dialogue.unsolicited)
            .chain(dialogue.greeting.iter())
            .chain(exchanges.iter().flat_map(|exchange| exchange.intermediate()))
            .map(|reply| (reply.span.last().frame, reply.span.get().end, reply.code))
            .collect();
        last.sort();
        facts.insert("last_code", last.last().map(|(_, _, code)| *code).into());
        facts.insert(
            "mail_from",
            session
                .transactions
                .iter()
                .map(|one| lossy(&one.reverse_path))
                .collect::<Vec<_>>()
                .into(),
        );
        let recipients: Vec<Value> = session
            .transactions
            .iter()
            .flat_map(|one| &one.recipients)
            .map(|one| Value::Array(vec![lossy(&one.address).into(), one.code.into()]))
            .collect();
        facts.insert("rcpts", recipients.into());
        let accepted = session
            .transactions
            .iter()
            .filter(|one| {
                matches!(
                    one.result,
                    TransactionResult::Accepted | TransactionResult::PartlyAccepted
                )
            })
            .count();
        facts.insert("messages_accepted", accepted.into());
        let sizes: Vec<u64> = session
            .transactions
            .iter()
            .filter_map(|one| exchanges.get(one.data?))
            .filter_map(|one| match &one.detail {
                Detail::Data(data) | Detail::Bdat { data, .. } => data.as_ref().map(|data| data.size),
                _ => None,
            })
            .collect();
        facts.insert("message_sizes", sizes.into());
        let auth: Vec<Value> = exchanges
            .iter()
            .filter_map(|exchange| match &exchange.detail {
                Detail::Auth(auth) => Some(Value::Array(vec![
                    lossy(&auth.mechanism).into(),
                    exchange.reply.yes().map(|reply| reply.code).into(),
                ])),
                _ => None,
            })
            .collect();
        facts.insert("auth", auth.into());
    }
    let mut users: Vec<String> = exchanges
        .iter()
        .filter_map(|exchange| match &exchange.detail {
            Detail::Auth(auth) => auth.identity.as_ref().map(lossy),
            _ => None,
        })
        .chain(
            session
                .commands()
                .iter()
                .filter_map(|command| command.login.as_ref()?.identity.as_ref().map(lossy)),
        )
        .collect();
    // POP3: a server that refuses USER never gets to PASS, so there is no login to carry the name.
    users.extend(
        session
            .commands()
            .iter()
            .filter(|command| command.verb.bytes() == b"USER")
            .filter(|command| {
                command
                    .answer
                    .yes()
                    .is_some_and(|answer| answer.status != smtpcap::protocol::retrieval::Status::Ok)
            })
            .filter_map(|command| lossy(&command.line).split_once(' ').map(|(_, user)| user.to_owned())),
    );
    facts.insert("auth_users", users.into());
    if let Some(dialogue) = session.retrieval.as_deref() {
        let logins: Vec<Value> = dialogue
            .commands
            .iter()
            .filter_map(|command| {
                let ok = command.answer.yes()?.status == smtpcap::protocol::retrieval::Status::Ok;
                let mechanism = match &command.login {
                    Some(login) => lossy(&login.mechanism),
                    None if command.verb.bytes() == b"USER" && !ok => "USER/PASS".to_owned(),
                    None => return None,
                };
                Some(Value::Array(vec![mechanism.into(), ok.into()]))
            })
            .collect();
        facts.insert("auth", logins.into());
        let keywords: Vec<String> = dialogue
            .capabilities
            .iter()
            .filter(|list| !list.inside_tls)
            .flat_map(|list| &list.keywords)
            .map(lossy)
            .collect();
        facts.insert(
            "starttls_offered",
            keywords
                .iter()
                .any(|word| matches!(word.as_str(), "STARTTLS" | "STLS"))
                .into(),
        );
        facts.insert(
            "logindisabled",
            keywords.iter().any(|word| word == "LOGINDISABLED").into(),
        );
    }
    facts.insert(
        "icmp",
        session
            .connection
            .icmp_errors
            .first()
            .map(|error| vec![error.kind, error.code])
            .into(),
    );
    facts.insert(
        "refused_by_rst",
        session
            .connection
            .resets
            .iter()
            .any(|reset| reset.direction == Direction::ToClient)
            .into(),
    );
    facts.insert("midstream", session.quality.started_late.into());
    facts
}

/// Equal, or the same written another way: "3/13" for [3, 13].
fn same(found: &Value, expected: &Value) -> bool {
    let slashed = |value: &Value| {
        let numbers: Option<Vec<String>> = value
            .as_array()?
            .iter()
            .map(|one| one.as_u64().map(|one| one.to_string()))
            .collect();
        numbers.map(|numbers| numbers.join("/"))
    };
    found == expected || (expected.is_string() && slashed(found).as_deref() == expected.as_str())
}

fn compare_facts(place: &str, truth: &Value, session: &Session, score: &mut Score) {
    let ours = facts(session);
    let keyed = truth["facts_with_keys"].as_object();
    // With keys the facts inside take the place of those in clear.
    let outside = truth["facts"].as_object().into_iter().flatten();
    let outside = outside.filter(|(name, _)| keyed.is_none_or(|keyed| !keyed.contains_key(*name)));
    for (name, expected) in outside.chain(keyed.into_iter().flatten()) {
        score.facts += 1;
        match ours.get(name.as_str()) {
            Some(found) if same(found, expected) => score.facts_right += 1,
            found => score
                .misses
                .push(format!("fact  {place}: {name}: expected {expected}, found {found:?}")),
        }
    }
}

fn compare_cause(
    place: &str,
    truth: &Value,
    findings: &[Finding],
    insights: &[Insight],
    session: &Session,
    score: &mut Score,
) {
    let root = findings
        .iter()
        .find(|finding| finding.root_cause)
        .map(|finding| finding.rule.slug);
    let said: Vec<&str> = findings
        .iter()
        .map(|finding| finding.rule.slug)
        .chain(
            insights
                .iter()
                .filter(|insight| insight.sessions.contains(&session.id))
                .map(|insight| insight.finding.rule.slug),
        )
        .collect();
    let also = strings(&truth["also_right"]);
    if truth["healthy"] == Value::Bool(true) {
        score.healthy += 1;
        let alarms: Vec<&str> = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Fail)
            .map(|finding| finding.rule.slug)
            .filter(|slug| !also.iter().any(|one| one == slug))
            .collect();
        if root.is_some_and(|root| !also.iter().any(|one| one == root)) || !alarms.is_empty() {
            score.false_alarms += 1;
            score.misses.push(format!("alarm {place}: {alarms:?} (root {root:?})"));
        }
    } else {
        score.sick += 1;
        let right = match truth["root_cause"].as_str() {
            Some(expected) => root.is_some_and(|root| root == expected || also.iter().any(|one| one == root)),
            None => {
                root.is_none_or(|root| also.iter().any(|one| one == root))
                    && also.iter().any(|one| said.contains(&one.as_str()))
            }
        };
        if right {
            score.cause_right += 1;
        } else {
            score.misses.push(format!(
                "cause {place}: expected {} or {also:?}, root {root:?}, said {said:?}: {}",
                truth["root_cause"], truth["sentence"]
            ));
        }
    }
    for group in truth["risks"].as_array().into_iter().flatten() {
        score.risks += 1;
        let group = strings(group);
        if group.iter().any(|one| said.contains(&one.as_str())) {
            score.risks_right += 1;
        } else {
            score
                .misses
                .push(format!("risk  {place}: none of {group:?} in {said:?}"));
        }
    }
}

fn leaks(secrets: &[String], outputs: &[String]) -> Vec<String> {
    secrets
        .iter()
        .filter(|secret| outputs.iter().any(|output| output.contains(secret.as_str())))
        .cloned()
        .collect()
}

fn compare_capture(folder: &Path, truth: &Value, score: &mut Score) {
    let file = truth["file"].as_str().unwrap();
    let options = Options::default();
    if let Some(keylog) = truth["keylog"].as_str() {
        options
            .keys
            .add(&std::fs::read(folder.join(keylog)).unwrap(), FrameNumber(0));
    }
    let analysed = common::analyse_with(&folder.join(file), &options);
    let mut matched = Vec::new();
    let mut outputs = Vec::new();
    for language in Language::ALL {
        let form = Form { language, digits: 9 };
        for (session, findings) in &analysed.sessions {
            let mut written = Vec::new();
            let record = SessionRecord::of(session, findings, form);
            let start = written.len();
            json::write_line(&record, &mut written).unwrap();
            // The program's own writer, which has no serde in it, writes the same.
            assert_eq!(written[start..], record.to_line(), "session {}", record.id);
            outputs.push(String::from_utf8(written).unwrap());
            outputs.push(format!("{session:?}"));
        }
        for insight in &analysed.insights {
            let mut written = Vec::new();
            json::write_line(&InsightRecord::of(insight, form), &mut written).unwrap();
            outputs.push(String::from_utf8(written).unwrap());
        }
    }
    for expected in truth["sessions"].as_array().unwrap() {
        score.sessions += 1;
        let (client, server) = (
            expected["client"].as_str().unwrap(),
            expected["server"].as_str().unwrap(),
        );
        let start = expected["start"].as_f64();
        let place = format!("{file} {client}>{server}");
        let found = analysed
            .sessions
            .iter()
            .enumerate()
            .filter(|(position, (session, _))| {
                !matched.contains(position)
                    && session.connection.client.to_string() == client
                    && session.connection.server.to_string() == server
            })
            .min_by(|(_, (one, _)), (_, (other, _))| {
                let distance = |session: &Session| {
                    let began = session.connection.first.time.nanoseconds() as f64 / 1e9;
                    start.map_or(0.0, |start| (began - start).abs())
                };
                distance(one).total_cmp(&distance(other))
            });
        let Some((position, (session, findings))) = found else {
            score.misses.push(format!("lost  {place}"));
            continue;
        };
        matched.push(position);
        score.found += 1;
        compare_facts(&place, expected, session, score);
        compare_cause(&place, expected, findings, &analysed.insights, session, score);
        let leaked = leaks(&strings(&expected["secrets"]), &outputs);
        score.leaks += leaked.len();
        for _ in leaked {
            score.misses.push(format!("LEAK  {place}"));
        }
    }
    let extra = analysed.sessions.len() - matched.len();
    if extra > 0 {
        score
            .misses
            .push(format!("extra {file}: {extra} sessions that the truth does not know"));
    }
}

fn print(name: &str, score: &Score) {
    println!(
        "{name}: sessions {}/{}, facts {}/{}, root cause {}/{} of the sick, false alarms {} of {} healthy, risks said {}/{}, leaks {}",
        score.found,
        score.sessions,
        score.facts_right,
        score.facts,
        score.cause_right,
        score.sick,
        score.false_alarms,
        score.healthy,
        score.risks_right,
        score.risks,
        score.leaks
    );
    for miss in &score.misses {
        println!("  {miss}");
    }
}

fn demand(score: &Score) {
    assert_eq!(score.found, score.sessions, "sessions are lost");
    assert!(score.facts_right * 100 >= score.facts * 98, "facts");
    assert!(score.cause_right * 100 >= score.sick * 90, "root causes");
    assert_eq!(score.false_alarms, 0, "false alarms");
    assert_eq!(score.leaks, 0, "leaks");
}

#[test]
fn the_visible_lab_is_told_right() {
    let Some(folder) = common::shared("lab") else { return };
    let truth: Value = serde_json::from_slice(&std::fs::read(folder.join("truth.json")).unwrap()).unwrap();
    let mut score = Score::default();
    for capture in truth["captures"].as_array().unwrap() {
        compare_capture(&folder, capture, &mut score);
    }
    print("lab", &score);
    demand(&score);
}

#[test]
fn the_fixtures_are_told_right() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut score = Score::default();
    let mut folders: Vec<_> = std::fs::read_dir(&fixtures)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    let mut captures = 0;
    for folder in folders.iter().filter(|folder| folder.join("truth.json").exists()) {
        let truth: Value = serde_json::from_slice(&std::fs::read(folder.join("truth.json")).unwrap()).unwrap();
        let list = truth["captures"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![truth.clone()]);
        for capture in &list {
            captures += 1;
            compare_capture(folder, capture, &mut score);
        }
    }
    print(&format!("fixtures ({captures} captures)"), &score);
    assert!(captures >= 30, "{captures} captures");
    demand(&score);
}
