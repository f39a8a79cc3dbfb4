//! What tshark makes of scripts: a reader that shares nothing with us. Skipped, with a printed reason, where it is absent.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use smtpcap_testkit::Script;
use std::process::Command;

/// Runs tshark over a script; none where tshark is not installed.
fn tshark(name: &str, script: &str, filter: &str, fields: &[&str]) -> Option<Vec<Vec<String>>> {
    if Command::new("tshark").arg("--version").output().is_err() {
        eprintln!("skipped: tshark is not installed");
        return None;
    }
    let path = std::env::temp_dir().join(format!("smtpcap-testkit-{}-{name}.pcapng", std::process::id()));
    std::fs::write(&path, Script::must(script).to_pcapng()).unwrap();
    let mut command = Command::new("tshark");
    command.args([
        "-n",
        "-o",
        "tcp.check_checksum:TRUE",
        "-o",
        "ip.check_checksum:TRUE",
        "-T",
        "fields",
        "-r",
    ]);
    command.arg(&path).args(["-Y", filter]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(
        text.lines()
            .map(|line| line.split('\t').map(str::to_owned).collect())
            .collect(),
    )
}

fn column(rows: &[Vec<String>]) -> Vec<&str> {
    rows.iter().map(|row| row[0].as_str()).collect()
}

#[test]
fn healthy_sessions_raise_no_warning() {
    let script = "
        session 587
        smtp hello
        starttls
        tls handshake 1.2
        smtp ehlo
        smtp auth
        smtp mail size=100000
        smtp quit
        session 465
        tls handshake 1.3
        smtp hello
        smtp mail
        smtp quit
        session v6 587
        smtp hello
        smtp mail size=30000
        smtp quit
    ";
    for point in ["client", "server", "middle"] {
        let script = format!("capture at {point}\n{script}");
        // 0x600000 is tshark's \"warning\".
        let Some(rows) = tshark(
            "healthy",
            &script,
            "_ws.expert.severity >= 0x600000",
            &["frame.number", "_ws.expert.message"],
        ) else {
            return;
        };
        assert!(rows.is_empty(), "{point}: {rows:?}");
    }
}

#[test]
fn smtp_is_read_line_by_line() {
    let script = "smtp hello\nC: AUTH PLAIN {b64:\\0user\\0PLANTED-pass}\nS: 535 5.7.8 no\nsmtp quit";
    let Some(rows) = tshark("smtp", script, "smtp.req", &["smtp.req.command"]) else {
        return;
    };
    assert_eq!(column(&rows), ["EHLO", "AUTH", "QUIT"]);
    let Some(rows) = tshark("reply", script, "smtp.response", &["smtp.response.code"]) else {
        return;
    };
    assert_eq!(column(&rows), ["220", "250", "535", "221"]);
}

#[test]
fn handshake_messages_are_read_in_order() {
    let script = "
        session 465
        tls handshake 1.2 suite=0x009e dhe=1024 clientcert=client ocsp=good
        session 465
        tls handshake 1.3 retry=secp256r1 group=secp256r1
        session 465
        tls handshake 1.0 suite=0x002f resumed
    ";
    let Some(rows) = tshark(
        "handshake",
        script,
        "tls.handshake.type",
        &["tcp.stream", "tls.handshake.type"],
    ) else {
        return;
    };
    let of = |stream: &str| -> Vec<String> {
        rows.iter()
            .filter(|row| row[0] == stream)
            .flat_map(|row| row[1].split(',').map(str::to_owned))
            .collect()
    };
    assert_eq!(of("0"), ["1", "2", "11", "22", "12", "13", "14", "11", "16", "15"]);
    assert_eq!(of("1"), ["1", "2", "1", "2"]);
    assert_eq!(of("2"), ["1", "2"]);
    let Some(rows) = tshark("prime", script, "tls.handshake.p_len", &["tls.handshake.p_len"]) else {
        return;
    };
    assert_eq!(column(&rows), ["128"]);
}

#[test]
fn hellos_offer_what_they_say() {
    let script = "
        session 465
        C: tls hello max=1.2 suites=0xc02f,0x002f groups=x25519,secp256r1 sigalgs=rsa-sha256 sni=mx.example.org alpn=smtp,h2 fallback noscsv
        session 465
        C: tls hello max=1.3 min=1.1 nosni
    ";
    let fields = [
        "tls.handshake.ciphersuite",
        "tls.handshake.extensions_supported_group",
        "tls.handshake.sig_hash_alg",
        "tls.handshake.extensions_server_name",
        "tls.handshake.extensions_alpn_str",
        "tls.handshake.extensions.supported_version",
        "tls.handshake.version",
    ];
    let Some(rows) = tshark("hello", script, "tls.handshake.type == 1", &fields) else {
        return;
    };
    let expected = [
        "0xc02f,0x002f,0x5600",
        "0x001d,0x0017",
        "0x0401",
        "mx.example.org",
        "smtp,h2",
        "",
        "0x0303",
    ];
    assert_eq!(rows[0], expected);
    assert_eq!((rows[1][3].as_str(), rows[1][5].as_str()), ("", "0x0304,0x0303,0x0302"));
}

#[test]
fn alerts_carry_level_number_and_version() {
    let script = "
        session 465
        C: tls hello max=1.0
        S: tls alert fatal protocol_version
        session 465
        C: tls hello
        S: tls alert warning 112 version=1.2
    ";
    let fields = [
        "tls.alert_message.level",
        "tls.alert_message.desc",
        "tls.record.version",
    ];
    let Some(rows) = tshark("alerts", script, "tls.alert_message", &fields) else {
        return;
    };
    assert_eq!(rows, [["2", "70", "0x0301"], ["1", "112", "0x0303"]]);
}

#[test]
fn certificates_are_what_their_names_say() {
    let script = "
        session 465
        tls handshake 1.2 cert=expired
        session 465
        tls handshake 1.2 cert=notyet
        session 465
        tls handshake 1.2 cert=selfsigned
        session 465
        tls handshake 1.2 cert=wrongname
        session 465
        tls handshake 1.2 cert=sha1
    ";
    let fields = ["x509af.utcTime", "x509ce.dNSName", "x509af.algorithm.id"];
    let Some(rows) = tshark("certificates", script, "tls.handshake.type == 11", &fields) else {
        return;
    };
    assert!(
        rows[0][0].contains("2026-09-01") || rows[0][0].starts_with("26-06-01"),
        "{rows:?}"
    );
    assert!(
        rows[1][0].starts_with("2027-01-01") || rows[1][0].starts_with("27-01-01"),
        "{rows:?}"
    );
    assert_eq!(rows[2][1], "mail.example.com");
    assert_eq!(rows[3][1], "www.example.net");
    assert!(rows[4][2].starts_with("1.2.840.113549.1.1.5"), "{rows:?}");
}

#[test]
fn path_trouble_is_recognised() {
    let script = "
        S: 220 a
        Cr2 EHLO b
        S: 250 c
        S: window 0
        C: probe x2
        S: window 64000
        dup
        C: NOOP
        C! lost
        S: 250 ok
        wait 5s
        S: rst
    ";
    let count = |filter: &str| tshark("path", script, filter, &["frame.number"]).map(|rows| rows.len());
    let Some(retransmissions) = count("tcp.analysis.retransmission") else {
        return;
    };
    assert_eq!(retransmissions, 3);
    assert_eq!(count("tcp.analysis.zero_window"), Some(3));
    assert_eq!(count("tcp.analysis.ack_lost_segment and tcp.len > 0"), Some(1));
    assert_eq!(count("tcp.flags.reset == 1"), Some(1));
    let unanswered = tshark("syn", "session unanswered=4", "tcp.flags.syn == 1", &["tcp.seq_raw"]).unwrap();
    assert!(unanswered.len() == 4 && unanswered.windows(2).all(|pair| pair[0] == pair[1]));
    let reordered = "S: 220 a\nreorder\nC: A\nC: B\nS: 250 ok";
    let rows = tshark("reorder", reordered, "tcp.analysis.out_of_order", &["tcp.len"]).unwrap();
    assert_eq!(column(&rows), ["3"]);
    assert!(
        tshark("acks", reordered, "tcp.analysis.ack_lost_segment", &["tcp.len"])
            .unwrap()
            .is_empty()
    );
    let fragments = tshark(
        "fragments",
        "fragment 600\nS: 220 a\nC: fill 1400",
        "ip.fragment.count == 3",
        &["tcp.len"],
    );
    assert_eq!(column(&fragments.unwrap()), ["1400"]);
}
