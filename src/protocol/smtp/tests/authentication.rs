//! AUTH dialogues of every mechanism.

use super::{dialogue, summary, text};
use crate::protocol::smtp::{AuthFacts, Detail, PayloadDefect};

pub const OPENING: &str = "S: 220 a\nC: EHLO b\nS: 250-a\n+: 250 AUTH PLAIN LOGIN\n";

fn encoded(octets: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in octets.chunks(3) {
        let mut word = [0_u8; 4];
        word[1..=group.len()].copy_from_slice(group);
        let word = u32::from_be_bytes(word);
        for index in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * index)) as usize & 63];
            text.push(if index <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

fn facts(script: &str) -> (AuthFacts, String) {
    let dialogue = dialogue(&format!("{OPENING}{script}\nC: QUIT\nS: 221 bye"));
    let summary = summary(&dialogue);
    assert_eq!(summary.last().unwrap(), "QUIT =221", "{summary:?}");
    let Detail::Auth(facts) = &dialogue.exchanges[1].detail else {
        panic!("{summary:?}")
    };
    ((**facts).clone(), summary[1].clone())
}

fn name(facts: &AuthFacts) -> String {
    facts.identity.as_ref().map(text).unwrap_or_default()
}

#[test]
fn plain_shows_the_name_and_hides_the_password() {
    for (script, shown) in [
        (
            "C: AUTH PLAIN AHRhcm8AczNjcmV0LXBhc3M=\nS: 235 2.7.0 ok",
            "AUTH PLAIN ******** =235",
        ),
        (
            "C: AUTH PLAIN\nS: 334 \nC: AHRhcm8AczNjcmV0LXBhc3M=\nS: 235 ok",
            "AUTH PLAIN 334 =235",
        ),
        (
            "C: auth plain\nS: 334\nC: AHRhcm8AczNjcmV0LXBhc3M=\nS: 535 5.7.8 no",
            "auth PLAIN 334 =535",
        ),
        (
            "C: AUTH PLAIN\n+: AHRhcm8AczNjcmV0LXBhc3M=\nS: 334\n+: 235 ok",
            "AUTH PLAIN 334 =235",
        ),
    ] {
        let (facts, summary) = facts(script);
        assert_eq!(summary, shown);
        assert_eq!(name(&facts), "taro");
        assert!(facts.secret.is_some() && facts.response.is_none());
        assert_eq!(facts.defects, []);
        assert_eq!(facts.initial_response, shown.contains("***"));
    }
}

#[test]
fn login_shows_the_name_wherever_it_comes() {
    for script in [
        "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: dGFybw==\nS: 334 UGFzc3dvcmQ6\nC: czNjcmV0LXBhc3M=\nS: 235 ok",
        "C: AUTH LOGIN dGFybw==\nS: 334 UGFzc3dvcmQ6\nC: czNjcmV0LXBhc3M=\nS: 235 ok",
        "C: AUTH LOGIN dGFybw==\nS: 334 VXNlcm5hbWU6\nC: czNjcmV0LXBhc3M=\nS: 235 ok",
        "C: AUTH LOGIN\n+: dGFybw==\n+: czNjcmV0LXBhc3M=\nS: 334 VXNlcm5hbWU6\n+: 334 UGFzc3dvcmQ6\n+: 235 ok",
    ] {
        let (facts, _) = facts(script);
        assert_eq!(name(&facts), "taro", "{script}");
        assert!(facts.secret.is_some());
        assert_eq!(facts.defects, []);
    }
    let (facts, _) =
        facts("C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: dGFybw==\nS: 334 UGFzc3dvcmQ6\nC: *\nS: 501 cancelled");
    assert!(facts.cancelled && facts.secret.is_none());
    assert_eq!(facts.challenges, 2);
    assert_eq!(text(facts.first_challenge.as_ref().unwrap()), "Username:");
}

#[test]
fn every_other_mechanism_shows_its_name() {
    let ntlm = |unicode: bool| {
        let name: Vec<u8> = if unicode {
            "taro".bytes().flat_map(|octet| [octet, 0]).collect()
        } else {
            b"taro".to_vec()
        };
        let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
        message.resize(36, 0);
        message.extend([name.len() as u8, 0, name.len() as u8, 0, 64, 0, 0, 0]);
        message.resize(60, 0);
        message.extend([u8::from(unicode), 0, 0, 0]);
        message.extend(name);
        encoded(&message)
    };
    let type_1 = encoded(b"NTLMSSP\0\x01\0\0\0\0\0\0\0");
    for (mechanism, initial, response) in [
        (
            "CRAM-MD5",
            String::new(),
            encoded(b"taro d41d8cd98f00b204e9800998ecf8427e"),
        ),
        (
            "DIGEST-MD5",
            String::new(),
            encoded(b"charset=utf-8,username=\"taro\",realm=\"x\",response=abc"),
        ),
        (
            "SCRAM-SHA-256",
            encoded(b"n,,n=taro,r=nonce"),
            encoded(b"c=biws,r=nonce,p=proof"),
        ),
        ("NTLM", type_1.clone(), ntlm(true)),
        ("NTLM", type_1, ntlm(false)),
    ] {
        let script = format!("C: AUTH {mechanism} {initial}\nS: 334 bm9uY2U=\nC: {response}\nS: 235 ok");
        let (facts, _) = facts(&script);
        assert_eq!(name(&facts), "taro", "{mechanism}");
        assert!(facts.response.is_some() && facts.secret.is_none(), "{mechanism}");
        assert_eq!(facts.defects, [], "{mechanism}");
    }
    for (mechanism, octets) in [
        ("XOAUTH2", &b"user=taro\x01auth=Bearer ya29.secret\x01\x01"[..]),
        ("OAUTHBEARER", b"n,a=taro,\x01host=h\x01auth=Bearer ya29.secret\x01\x01"),
    ] {
        let error = encoded(b"{\"status\":\"401\",\"schemes\":\"bearer\"}");
        let initial = encoded(octets);
        let (facts, _) = facts(&format!(
            "C: AUTH {mechanism} {initial}\nS: 334 {error}\nC: AQ==\nS: 535 no"
        ));
        assert_eq!(name(&facts), "taro");
        assert!(facts.secret.is_some());
        assert!(facts.oauth_error.unwrap().contains_ignoring_case("401"));
        assert_eq!(facts.defects, []);
    }
    let (facts, shown) = facts("C: AUTH EXTERNAL =\nS: 235 ok");
    assert_eq!((facts.identity, facts.authorisation_identity), (None, None));
    assert_eq!(shown, "AUTH EXTERNAL ******** =235");
}

#[test]
fn unknown_mechanisms_hide_what_they_carry() {
    for mechanism in ["GSSAPI", "X-OWN", "KERBEROS_V4"] {
        let (facts, _) = facts(&format!(
            "C: AUTH {mechanism} czNjcmV0LXBhc3M=\nS: 334 \nC: czNjcmV0LXBhc3M=\nS: 235 ok"
        ));
        assert_eq!(facts.identity, None);
        assert!(facts.response.is_some());
    }
}

#[test]
fn malformed_payloads_are_told_without_being_shown() {
    let plain = |octets: &[u8]| facts(&format!("C: AUTH PLAIN {}\nS: 535 no", encoded(octets))).0;
    assert_eq!(plain(b"\0taro").defects, [PayloadDefect::NulCount(1)]);
    assert_eq!(plain(b"taro0pass").defects, [PayloadDefect::NulCount(0)]);
    assert_eq!(plain(b"\0taro\0pass\n").defects, [PayloadDefect::TrailingNewline]);
    assert_eq!(plain(b"\0\0pass").defects, [PayloadDefect::EmptyUser]);
    assert_eq!(plain(b"\0taro\0").defects, [PayloadDefect::EmptyPassword]);
    assert_eq!(
        facts("C: AUTH PLAIN AHRhcm8AcGFzcw\nS: 501 no").0.defects,
        [PayloadDefect::NotBase64]
    );
    assert_eq!(
        facts("C: AUTH PLAIN not!base64\nS: 501 no").0.defects,
        [PayloadDefect::NotBase64]
    );
    let (cram, _) = facts(&format!(
        "C: AUTH CRAM-MD5\nS: 334 eA==\nC: {}\nS: 535 no",
        encoded(b"taro abc")
    ));
    assert_eq!(cram.defects, [PayloadDefect::CramForm]);
    let (login, _) = facts("C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: dGFybwo=\nS: 334 UGFzc3dvcmQ6\nC: eA==\nS: 535 no");
    assert_eq!(login.defects, [PayloadDefect::TrailingNewline]);
    assert_eq!(name(&login), "taro");
}

#[test]
fn a_client_that_quits_at_the_challenge_sent_no_response() {
    let dialogue = dialogue(&format!(
        "{OPENING}C: AUTH CRAM-MD5\nS: 334 eA==\nC: QUIT\nS: 535 5.7.8 failed"
    ));
    assert_eq!(summary(&dialogue)[1..], ["AUTH CRAM-MD5 334 =535", "QUIT =no"]);
    let Detail::Auth(facts) = &dialogue.exchanges[1].detail else {
        panic!()
    };
    assert!(facts.response.is_none() && facts.defects.is_empty());
}
