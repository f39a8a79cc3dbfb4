//! The whole room: messages in, facts out.

use super::*;
use crate::captured::Captured;
use proptest::prelude::*;

fn read(message: &[u8]) -> MessageFacts {
    let mut decoder = Decoder::new(true);
    decoder.push(message);
    decoder.end();
    *decoder.finish()
}

fn read_in_pieces(message: &[u8], cuts: &[usize]) -> MessageFacts {
    let mut decoder = Decoder::new(true);
    let mut rest = message;
    for cut in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (now, later) = rest.split_at((*cut).clamp(1, rest.len()));
        decoder.push(now);
        rest = later;
    }
    decoder.end();
    *decoder.finish()
}

fn subject_of(field: &[u8]) -> String {
    let message = [b"From: a@b\r\nSubject: ".as_slice(), field, b"\r\n\r\nbody\r\n"].concat();
    read(&message).subject.unwrap().utf8().unwrap().to_owned()
}

fn types(facts: &MessageFacts) -> Vec<(u16, String)> {
    facts
        .parts
        .iter()
        .map(|part| (part.depth, part.content_type.utf8().unwrap().to_owned()))
        .collect()
}

const HEADER: &str = "From: a@example.jp\r\nDate: Mon, 23 Nov 2026 18:41:16 +0900\r\nMessage-ID: <1@example.jp>\r\n";

const DSN: &[u8] = b"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.jp (Mail Delivery System)\r\n\
Subject: Undelivered Mail Returned to Sender\r\nTo: a@example.jp\r\nAuto-Submitted: auto-replied\r\n\
Date: Mon, 23 Nov 2026 18:41:16 +0900\r\nMessage-Id: <2@mx.example.jp>\r\nMIME-Version: 1.0\r\n\
Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"4ABC.1234/mx.example.jp\"\r\n\r\n\
This is a MIME-encapsulated message.\r\n\r\n--4ABC.1234/mx.example.jp\r\nContent-Description: Notification\r\n\
Content-Type: text/plain; charset=us-ascii\r\n\r\nThis is the mail system.\r\n\r\n--4ABC.1234/mx.example.jp\r\n\
Content-Description: Delivery report\r\nContent-Type: message/delivery-status\r\n\r\n\
Reporting-MTA: dns; mx.example.jp\r\nX-Postfix-Queue-ID: 4ABC\r\nArrival-Date: Mon, 23 Nov 2026 18:41:15 +0900\r\n\r\n\
Final-Recipient: rfc822; nobody@example.com\r\nOriginal-Recipient: rfc822;nobody@example.com\r\nAction: failed\r\n\
Status: 5.1.1\r\nRemote-MTA: dns; mail.example.com\r\nDiagnostic-Code: smtp; 550 5.1.1 <nobody@example.com>: Recipient\r\n\
\x20   address rejected: User unknown\r\n\r\nFinal-Recipient: rfc822; slow@example.net\r\nAction: delayed\r\n\
Status: 4.4.1 (no answer)\r\n\r\n--4ABC.1234/mx.example.jp\r\nContent-Description: Undelivered Message\r\n\
Content-Type: message/rfc822\r\n\r\nFrom: spoofed@example.org\r\nSubject: inner\r\n\
Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=in\r\n\r\n\
--in\r\n\r\nx\r\n--in--\r\n\r\n--4ABC.1234/mx.example.jp--\r\n";

#[test]
fn japanese_subjects_are_decoded_in_every_form() {
    let table: &[(&str, &[u8], &str)] = &[
        (
            "iso-2022-jp",
            b"=?ISO-2022-JP?B?GyRCRnxLXDhsGyhC?=",
            "\u{65e5}\u{672c}\u{8a9e}",
        ),
        // 日本語 cut inside of 本, without and with a return to ASCII in between.
        (
            "cut",
            b"=?ISO-2022-JP?B?GyRCRnxL?=\r\n =?ISO-2022-JP?B?XDhsGyhC?=",
            "\u{65e5}\u{672c}\u{8a9e}",
        ),
        (
            "cut with escapes",
            b"=?ISO-2022-JP?B?GyRCRnxLGyhC?=\r\n =?ISO-2022-JP?B?GyRCXDhsGyhC?=",
            "\u{65e5}\u{672c}\u{8a9e}",
        ),
        (
            "two words",
            b"=?iso-2022-jp?B?GyRCRnwbKEI=?= =?ISO-2022-JP?B?GyRCS1wbKEI=?=",
            "\u{65e5}\u{672c}",
        ),
        ("circled one in CP50221", b"=?ISO-2022-JP?B?GyRCLSEbKEI=?=", "\u{2460}"),
        (
            "half-width katakana",
            b"=?ISO-2022-JP?B?GyhJNkUbKEI=?=",
            "\u{ff76}\u{ff85}",
        ),
        ("cp932", b"=?Shift_JIS?B?h0CHigo=?=", "\u{2460}\u{3231}"),
        ("cp932 by name", b"=?CP932?Q?=87=40=87=8A?=", "\u{2460}\u{3231}"),
        ("euc-jp", b"=?EUC-JP?Q?=C6=FC=CB=DC?=", "\u{65e5}\u{672c}"),
        (
            "utf-8 cut",
            b"=?UTF-8?B?5pel5g==?= =?UTF-8?B?nKw=?=",
            "\u{65e5}\u{672c}",
        ),
        ("utf-8 in q", b"=?UTF-8?Q?=E6=97=A5_a?=", "\u{65e5} a"),
        (
            "raw iso-2022-jp",
            b"Re: \x1b$BF|K\\8l\x1b(B!",
            "Re: \u{65e5}\u{672c}\u{8a9e}!",
        ),
        ("raw utf-8", "\u{65e5}\u{672c}".as_bytes(), "\u{65e5}\u{672c}"),
        ("raw shift_jis", b"\x93\xfa\x96{", "\u{65e5}\u{672c}"),
        (
            "mixed",
            b"Re: =?UTF-8?B?5pel?= and =?UTF-8?B?5pys?= end",
            "Re: \u{65e5} and \u{672c} end",
        ),
        ("language", b"=?UTF-8*ja?B?5pel?=", "\u{65e5}"),
        ("no word", b"a =?b c =?UTF-8?X?d?= e", "a =?b c =?UTF-8?X?d?= e"),
        ("escape at the end", b"\x1b$BF|K", "\u{65e5}\u{fffd}"),
    ];
    for (name, field, expected) in table {
        assert_eq!(subject_of(field).trim_end(), *expected, "{name}");
    }
}

#[test]
fn the_header_is_unfolded_and_its_mailboxes_are_read() {
    let facts = read(
        b"Received: from a by b with ESMTPS; Mon, 23 Nov 2026 18:41:16 +0900\r\nReceived: from x by y with SMTP; bad\r\n\
          From: =?UTF-8?B?5pel?= <a@example.jp>\r\nSender: s@example.jp\r\nReply-To: r@example.jp\r\nTo: b@c,\r\n\td@e\r\n\
          Cc: f@g\r\nSubject: one\r\n two\r\nDate: Mon, 23 Nov 2026 18:41:16 +0900\r\nMessage-ID: <1@x>\r\n\
          List-Id: <l>\r\nPrecedence: bulk\r\nAuthentication-Results: mx; spf=pass\r\n\r\nbody\r\n",
    );
    assert_eq!(facts.subject, Some(Captured::from("one two")));
    assert_eq!(facts.from[0].name, Some(Captured::from("\u{65e5}")));
    assert_eq!(facts.sender.as_ref().unwrap().address, Captured::from("s@example.jp"));
    assert_eq!(facts.reply_to.len(), 1);
    assert_eq!(facts.recipients.len(), 3);
    assert_eq!(facts.received_count, 2);
    assert_eq!(facts.hops[0].date, Some(1_795_426_876));
    assert_eq!(facts.hops[1].with, Some(Captured::from("SMTP")));
    assert!(facts.mailing_list && facts.header_complete);
    assert_eq!(facts.auto_submitted, Some(Captured::from("bulk")));
    assert_eq!(facts.authentication_results.len(), 1);
    assert_eq!(facts.defects, []);
    assert_eq!(facts.body_octets, 6);
    assert_eq!(facts.text, Some(Captured::from("body\r\n")));
    assert_eq!(types(&facts), [(0, "text/plain".to_owned())]);
}

#[test]
fn header_defects_are_named() {
    use HeaderDefect as D;
    let repeated = |name: &str| D::Repeated(Captured::from(name));
    let rest = "Date: x\r\nMessage-ID: <1>\r\n";
    let table: Vec<(String, Vec<D>)> = vec![
        (format!("{HEADER}\r\nbody"), vec![]),
        (
            "Subject: x\r\n\r\n".into(),
            vec![D::MissingFrom, D::MissingDate, D::MissingMessageId],
        ),
        (
            format!("{HEADER}Subject: a\r\nsubject: b\r\n\r\n"),
            vec![repeated("Subject")],
        ),
        (
            format!("From: a@b, c@d\r\n{rest}\r\n"),
            vec![D::SeveralFromWithoutSender],
        ),
        (format!("From: a@b, c@d\r\nSender: a@b\r\n{rest}\r\n"), vec![]),
        (format!("{HEADER}X: \u{e9}\r\n\r\n"), vec![D::RawEightBit]),
        (format!("{HEADER}stray\r\nX: y\r\n\r\n"), vec![D::NotAField]),
        (format!("{HEADER}stray\r\n\r\n"), vec![D::NotAField]),
        (format!("{HEADER}Hello\r\nWorld\r\n\r\n"), vec![D::NoSeparator]),
        (format!("{HEADER}Hello"), vec![D::NoSeparator]),
        (format!("From a Mon\r\n{HEADER}\r\n"), vec![D::NotAField]),
        (
            format!("{HEADER}X: {}\r\n\r\n", "y".repeat(HEADER_OCTETS)),
            vec![D::TooLong],
        ),
        (HEADER.to_owned(), vec![]),
    ];
    for (message, expected) in table {
        let facts = read(message.as_bytes());
        assert_eq!(
            facts.defects,
            expected,
            "{}",
            message.get(..message.len().min(200)).unwrap()
        );
        assert!(facts.header_complete);
    }
    let headless = read(b"Hello world\r\nthis is no header\r\n");
    assert!(headless.defects.contains(&D::NoSeparator));
    assert_eq!(headless.body_octets, 32);
}

#[test]
fn a_header_whose_end_is_not_seen_lacks_nothing() {
    let mut decoder = Decoder::new(false);
    decoder.push(b"Subject: x\r\nTo: a@");
    let facts = decoder.finish();
    assert!(!facts.header_complete);
    assert_eq!(facts.defects, []);
    let mut decoder = Decoder::new(false);
    decoder.push(b"Subject: x\r\nTo: a@");
    decoder.gap(50);
    decoder.push(b"est of a line\r\nFrom: y@z\r\n\r\nbody");
    let facts = decoder.finish();
    assert!(!facts.header_complete);
    assert_eq!(facts.from.len(), 1);
    assert_eq!((facts.defects.len(), facts.missing, facts.body_octets), (0, 50, 4));
}

#[test]
fn parts_are_listed_with_depth_size_and_file_name() {
    let message = format!(
        "{HEADER}Content-Type: multipart/mixed; boundary=\"out\"\r\n\r\npreamble\r\n--out\r\n\
         Content-Type: multipart/alternative; boundary=out-in\r\n\r\n--out-in\r\n\r\nplain\r\n--out-in\r\n\
         Content-Type: text/html\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\n<p>\r\n--\r\n--out-inner\r\n\
         --out-in--\r\nepilogue\r\n--out \r\nContent-Type: application/zip; name=\"=?UTF-8?B?6KaL?=.zip\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\nUEsDBDMAAQBjAOlW\r\n--out\r\nContent-Type: message/rfc822\r\n\r\n\
         From: x@y\r\nContent-Type: text/html\r\n\r\nhi\r\n--out--\r\n"
    );
    let facts = read(message.as_bytes());
    let expected = [
        (0, "multipart/mixed"),
        (1, "multipart/alternative"),
        (2, "text/plain"),
        (2, "text/html"),
        (1, "application/zip"),
        (1, "message/rfc822"),
        (2, "text/html"),
    ];
    assert_eq!(types(&facts), expected.map(|(depth, name)| (depth, name.to_owned())));
    let sizes: Vec<u64> = facts.parts.iter().map(|part| part.encoded_octets).collect();
    assert_eq!(sizes[2..7], [5, 3 + 2 + 2 + 2 + 11, 16, 40, 2]);
    assert_eq!(sizes[0], facts.body_octets);
    assert_eq!(facts.parts[4].file_name, Some(Captured::from("\u{898b}.zip")));
    assert_eq!(facts.parts[4].encrypted_zip, Some(true));
    assert!(facts.parts[4].attachment);
    assert_eq!(facts.text, Some(Captured::from("plain")));
    assert_eq!(
        facts.from.len(),
        1,
        "fields of a message within the message do not count"
    );
}

#[test]
fn a_postfix_bounce_is_read_per_recipient() {
    let facts = read(DSN);
    assert_eq!(facts.report_type, Some(Captured::from("delivery-status")));
    assert_eq!(facts.delivery_statuses.len(), 2);
    let first = &facts.delivery_statuses[0];
    assert_eq!(first.final_recipient, Captured::from("nobody@example.com"));
    assert_eq!(first.action, Captured::from("failed"));
    assert_eq!(first.status, Captured::from("5.1.1"));
    assert_eq!(first.remote_mta, Some(Captured::from("mail.example.com")));
    let said = "550 5.1.1 <nobody@example.com>: Recipient address rejected: User unknown";
    assert_eq!(first.diagnostic, Some(Captured::from(said)));
    assert_eq!(facts.delivery_statuses[1].status, Captured::from("4.4.1"));
    assert_eq!(
        facts.protection, None,
        "the returned message's protection is not this message's"
    );
    assert_eq!(facts.auto_submitted, Some(Captured::from("auto-replied")));
}

#[test]
fn recipients_of_a_bounce_over_the_limit_are_counted() {
    let mut message = b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n".to_vec();
    for _ in 0..1010 {
        message.extend_from_slice(b"\r\nFinal-Recipient: rfc822; a@b\r\nAction: failed\r\n");
    }
    let facts = read(&message);
    assert_eq!(
        (facts.delivery_statuses.len(), facts.delivery_statuses_not_kept),
        (1000, 10)
    );
}

#[test]
fn protection_is_told_from_types_and_first_octets() {
    use Protection as P;
    let table: &[(&str, &str, Option<P>)] = &[
        (
            "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m",
            "",
            Some(P::SmimeEncrypted),
        ),
        (
            "application/x-pkcs7-mime; smime-type=authEnveloped-data",
            "",
            Some(P::SmimeEncrypted),
        ),
        (
            "application/pkcs7-mime; smime-type=signed-data",
            "",
            Some(P::SmimeSignedOpaque),
        ),
        ("application/pkcs7-mime; smime-type=certs-only", "", None),
        (
            "application/pkcs7-mime; name=smime.p7m",
            "MIIBqQYJKoZIhvcNAQcDoIIBmjCCAZYCAQAx",
            Some(P::SmimeEncrypted),
        ),
        (
            "application/octet-stream; name=smime.p7m",
            "MIAGCSqGSIb3DQEHAqCAMIACAQExDzANBglg",
            Some(P::SmimeSignedOpaque),
        ),
        (
            "multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b",
            "",
            Some(P::SmimeSigned),
        ),
        (
            "multipart/signed; protocol=\"application/pgp-signature\"; boundary=b",
            "",
            Some(P::PgpSigned),
        ),
        (
            "multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b",
            "",
            Some(P::PgpEncrypted),
        ),
        (
            "text/plain",
            "hi\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nx",
            Some(P::PgpInline),
        ),
        ("text/plain", "> -----BEGIN PGP MESSAGE-----\r\n", None),
        ("text/plain", "hi", None),
    ];
    for (content_type, body, expected) in table {
        let encoding = if content_type.starts_with("app") {
            "base64"
        } else {
            "7bit"
        };
        let message =
            format!("{HEADER}Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n");
        assert_eq!(read(message.as_bytes()).protection, *expected, "{content_type}");
    }
}

#[test]
fn limits_are_counted_not_silent() {
    let parts = "--b\r\n\r\nx\r\n".repeat(1500);
    let facts = read(format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{parts}").as_bytes());
    assert_eq!((facts.parts.len(), facts.parts_not_kept), (MIME_PARTS, 501));
    let deep = "Content-Type: message/rfc822\r\n\r\n".repeat(300);
    let facts = read(deep.as_bytes());
    assert!(facts.too_deep);
    assert_eq!(facts.parts.len(), MIME_DEPTH + 1);
    let nested: String = (0..300)
        .map(|depth| format!("Content-Type: multipart/mixed; boundary=b{depth}x\r\n\r\n--b{depth}x\r\n"))
        .collect();
    assert!(read(nested.as_bytes()).too_deep);
}

#[test]
fn the_body_hash_tells_bodies_apart_and_ignores_the_header() {
    let hash = |message: &str| read(message.as_bytes()).body_hash;
    assert_eq!(hash("A: b\r\n\r\nsame body\r\n"), hash("C: d\r\n\r\nsame body\r\n"));
    assert_ne!(hash("A: b\r\n\r\nsame body\r\n"), hash("A: b\r\n\r\nsame bodz\r\n"));
    assert_ne!(hash("A: b\r\n\r\nx\0"), hash("A: b\r\n\r\nx"));
}

fn corpus() -> Vec<Vec<u8>> {
    let pgp = format!("{HEADER}\r\nhi\r\n-----BEGIN PGP MESSAGE-----\r\n--\r\n-");
    let long_line = format!("{}\r\nbody: x\r\n", "word ".repeat(400));
    let bad = format!("{HEADER}stray\r\nmore\r\n\r\n{}", "x\n-\n--\n".repeat(20));
    vec![
        DSN.to_vec(),
        pgp.into_bytes(),
        long_line.into_bytes(),
        bad.into_bytes(),
        b"a\rb: c\n\nd".to_vec(),
    ]
}

#[test]
fn one_octet_at_a_time_gives_the_same_facts() {
    for message in corpus() {
        assert_eq!(read_in_pieces(&message, &[1]), read(&message));
    }
}

#[test]
fn a_cut_at_any_one_place_gives_the_same_facts() {
    for message in corpus() {
        let whole = read(&message);
        for at in 1..message.len() {
            assert_eq!(read_in_pieces(&message, &[at, message.len()]), whole, "cut at {at}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_cutting_of_any_mutant_gives_the_same_facts(
        which in 0_usize..5,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cuts in prop::collection::vec(1_usize..200, 1..8),
    ) {
        let mut message = corpus().swap_remove(which);
        for (at, octet) in edits {
            let at = at.index(message.len());
            message[at] = octet;
        }
        prop_assert_eq!(read_in_pieces(&message, &cuts), read(&message));
    }

    #[test]
    fn gaps_anywhere_never_panic_and_are_counted(
        which in 0_usize..5,
        at in any::<prop::sample::Index>(),
        length in 0_usize..400,
    ) {
        let message = corpus().swap_remove(which);
        let (before, rest) = message.split_at(at.index(message.len()));
        let mut decoder = Decoder::new(true);
        decoder.push(before);
        decoder.gap(length as u64);
        decoder.push(rest.get(length..).unwrap_or_default());
        prop_assert_eq!(decoder.finish().missing, length as u64);
    }

    #[test]
    fn header_text_of_any_octets_is_decoded(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode_text(&octets);
        let _ = super::parameter::Parameters::parse(&octets).text("name");
        super::address::parse_mailboxes(&octets, 10, &mut Vec::new());
        let _ = super::received::parse_hop(&octets);
    }
}
