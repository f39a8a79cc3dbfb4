//! Handshakes made octet by octet: every phase of alerts, every way to split, every version.

use super::wire::*;
use crate::protocol::tls::{
    AlertLevel, ContentType, DowngradeSentinel, Likeness, Phase, TlsStart, Version, certificate, looks_like_record,
};
use crate::span::Direction;

const LEAF: &[u8] = include_bytes!("../testdata/leaf.der");
const ROOT: &[u8] = include_bytes!("../testdata/root.der");
const BMP: &[u8] = include_bytes!("../testdata/bmp.der");

fn alert(direction: Direction, level: u8, description: u8) -> Play {
    says(direction, record(21, &[level, description]))
}

fn chain(list: &[&[u8]]) -> Vec<u8> {
    vector24(&list.iter().flat_map(|der| vector24(der)).collect::<Vec<_>>())
}

/// The server's first flight of TLS 1.2 with ECDHE.
fn flight12() -> Vec<u8> {
    let exchange = [&[3, 0, 23][..], &vector8(&[4; 65]), &[4, 1], &vector16(&[0; 256])].concat();
    let messages = [
        message(2, &choice12(0xC02F)),
        message(11, &chain(&[LEAF, ROOT])),
        message(12, &exchange),
    ]
    .concat();
    [record(22, &messages), record(22, &message(14, &[]))].concat()
}

/// Up to both Finished of TLS 1.2.
fn complete12() -> Vec<Play> {
    vec![
        tells(C, 1, &offer12()),
        says(S, flight12()),
        says(
            C,
            [record(22, &message(16, &[0; 66])), record(20, &[1]), sealed(22, 40)].concat(),
        ),
        says(
            S,
            [record(22, &message(4, &[0; 100])), record(20, &[1]), sealed(22, 40)].concat(),
        ),
    ]
}

/// Up to the client's Finished of TLS 1.3 with SHA-384.
fn complete13() -> Vec<Play> {
    let encrypted = [sealed(23, 23), sealed(23, 900), sealed(23, 281), sealed(23, 69)].concat();
    vec![
        tells(C, 1, &offer13()),
        says(
            S,
            [record(22, &message(2, &choice13(0x1302))), record(20, &[1]), encrypted].concat(),
        ),
        says(C, [record(20, &[1]), sealed(23, 69)].concat()),
    ]
}

fn with(mut plays: Vec<Play>, more: impl IntoIterator<Item = Play>) -> Vec<Play> {
    plays.extend(more);
    plays
}

#[test]
fn an_old_client_is_refused_before_a_server_hello() {
    let hello = client_hello(0x0301, &[], &[0x002F, 0x00FF], None);
    let facts = play(
        TlsStart::Upgraded,
        &[tells(C, 1, &hello), alert(S, 2, 70), Play::Fin(S)],
    );
    let offer = facts.offer().unwrap();
    assert_eq!(
        (offer.maximum(), offer.minimum(), offer.malformed),
        (Version::TLS1_0, None, false)
    );
    let alert = facts.alerts[0];
    assert_eq!(
        (alert.span.direction, alert.level, alert.description),
        (S, AlertLevel::Fatal, 70)
    );
    assert_eq!(alert.phase, Phase::AfterClientHello);
    assert_eq!((alert.span.start, alert.span.end), (5, 7));
    assert!(facts.server_hello.is_none());
}

#[test]
fn a_full_handshake_of_tls12_is_read_to_its_end() {
    let facts = play(
        TlsStart::Upgraded,
        &with(complete12(), [says(C, sealed(23, 40)), says(S, sealed(23, 60))]),
    );
    let hello = facts.server_hello.as_ref().unwrap();
    assert_eq!((hello.version, hello.cipher_suite), (Version::TLS1_2, 0xC02F));
    let message = facts.server_certificate.as_ref().unwrap();
    assert_eq!((message.certificates.len(), message.unreadable), (2, 0));
    assert_eq!(facts.key_exchange_group, Some(23));
    assert_eq!(facts.server_hello_done, Some(at(2)));
    assert_eq!(facts.client_key_exchange, Some(at(3)));
    assert!(facts.session_ticket && !facts.resumed() && facts.renegotiation.is_none());
    let (client, server) = (&facts.directions.to_server, &facts.directions.to_client);
    assert_eq!((client.finished, server.finished), (Some(at(3)), Some(at(4))));
    assert_eq!(
        (client.first_application_data, server.first_application_data),
        (Some(at(5)), Some(at(6)))
    );
    assert_eq!((client.application_records, client.application_octets), (1, 40));
    assert_eq!(facts.phase, Phase::AfterApplicationData);
    assert_eq!(facts.unreadable_messages, 0);
}

#[test]
fn alerts_of_tls12_know_their_phase() {
    let hello = tells(C, 1, &offer12());
    let flight = says(S, flight12());
    let second = says(
        C,
        [record(22, &message(16, &[0; 66])), record(20, &[1]), sealed(22, 40)].concat(),
    );
    let cases = [
        (vec![alert(S, 2, 10)], S, Phase::BeforeClientHello),
        (vec![hello.clone(), alert(S, 2, 40)], S, Phase::AfterClientHello),
        (
            vec![hello.clone(), flight.clone(), alert(C, 2, 48)],
            C,
            Phase::AfterServerHello,
        ),
        (
            vec![hello, flight, second, alert(S, 2, 40)],
            S,
            Phase::AfterClientFlight,
        ),
    ];
    for (plays, sender, phase) in cases {
        let facts = play(TlsStart::Implicit, &plays);
        assert_eq!(facts.alerts.len(), 1);
        assert_eq!((facts.alerts[0].span.direction, facts.alerts[0].phase), (sender, phase));
        assert!(facts.encrypted_alerts.is_empty());
    }
}

#[test]
fn encrypted_alerts_of_tls12_know_their_phase() {
    let aborted = play(TlsStart::Implicit, &with(complete12(), [says(C, sealed(21, 26))]));
    assert_eq!(aborted.encrypted_alerts[0].phase, Phase::AfterHandshake);
    assert!(!aborted.encrypted_alerts[0].inferred);
    let closed = play(
        TlsStart::Implicit,
        &with(complete12(), [says(C, sealed(23, 40)), says(C, sealed(21, 26))]),
    );
    assert_eq!(closed.encrypted_alerts[0].phase, Phase::AfterApplicationData);
    // A greeting that crosses does not make the client's alert a normal close.
    let greeted = play(
        TlsStart::Implicit,
        &with(complete12(), [says(S, sealed(23, 60)), says(C, sealed(21, 26))]),
    );
    assert_eq!(greeted.encrypted_alerts[0].phase, Phase::AfterHandshake);
}

#[test]
fn an_empty_client_certificate_is_a_fact() {
    let request = tells(S, 13, &[1, 1, 0, 2, 4, 1, 0, 0]);
    let answer = tells(C, 11, &[0, 0, 0]);
    let facts = play(
        TlsStart::Upgraded,
        &[
            tells(C, 1, &offer12()),
            tells(S, 2, &choice12(0xC02F)),
            request,
            answer,
            alert(S, 2, 40),
        ],
    );
    assert!(facts.certificate_request.is_some());
    let sent = facts.client_certificate.unwrap();
    assert_eq!((sent.certificates.len(), sent.unreadable), (0, 0));
    assert_eq!(facts.alerts[0].phase, Phase::AfterClientFlight);
}

#[test]
fn a_resumed_session_sends_no_certificate() {
    let hello = client_hello(0x0303, &[5; 32], &[0xC02F], Some(&[]));
    let choice = server_hello(0x0303, &[8; 32], &[5; 32], 0xC02F, &[]);
    let end = [record(20, &[1]), sealed(22, 40)].concat();
    let facts = play(
        TlsStart::Implicit,
        &[
            tells(C, 1, &hello),
            tells(S, 2, &choice),
            says(S, end.clone()),
            says(C, end),
        ],
    );
    assert!(facts.offer().unwrap().offers_resumption && facts.server_hello.as_ref().unwrap().session_id_echoed);
    assert!(facts.resumed());
    assert_eq!(facts.phase, Phase::AfterHandshake);
}

#[test]
fn the_prime_of_dhe_is_measured_without_leading_zeros() {
    let prime = [&[0][..], &[0xFF; 128]].concat();
    let exchange = [
        vector16(&prime),
        vector16(&[2]),
        vector16(&[1; 128]),
        vec![4, 1],
        vector16(&[0; 256]),
    ]
    .concat();
    let facts = play(
        TlsStart::Upgraded,
        &[
            tells(C, 1, &offer12()),
            tells(S, 2, &choice12(0x0033)),
            tells(S, 12, &exchange),
            alert(C, 2, 40),
        ],
    );
    assert_eq!((facts.dhe_bits, facts.key_exchange_group), (Some(1024), None));
}

#[test]
fn a_stapled_response_is_measured() {
    let status = [&[1][..], &vector24(&[0; 471])].concat();
    let facts = play(TlsStart::Implicit, &[tells(S, 22, &status), tells(S, 22, &[1, 0, 9])]);
    assert_eq!((facts.certificate_status, facts.unreadable_messages), (Some(471), 1));
}

#[test]
fn renegotiation_is_told_from_the_first_finished() {
    let data = [says(C, sealed(23, 40)), says(C, sealed(22, 200))];
    let facts = play(TlsStart::Upgraded, &with(complete12(), data));
    assert_eq!(facts.renegotiation, Some((C, at(6))));
    // False start: data before the server's Finished is no renegotiation.
    let mut plays = complete12();
    plays.insert(3, says(C, sealed(23, 40)));
    assert_eq!(play(TlsStart::Upgraded, &plays).renegotiation, None);
}

#[test]
fn tls13_tells_finished_tickets_and_data_by_size_and_order() {
    let tickets = says(S, [sealed(23, 250), sealed(23, 250)].concat());
    let plays = with(
        complete13(),
        [tickets, says(C, sealed(23, 40)), says(S, sealed(23, 60))],
    );
    let facts = play(TlsStart::Upgraded, &plays);
    let (client, server) = (&facts.directions.to_server, &facts.directions.to_client);
    assert_eq!((client.finished, server.finished), (Some(at(3)), Some(at(2))));
    assert_eq!(
        (client.first_application_data, server.first_application_data),
        (Some(at(5)), Some(at(6)))
    );
    assert_eq!((client.application_records, server.application_records), (1, 1));
    assert_eq!(facts.server_hello.as_ref().unwrap().group, Some(29));
    assert!(facts.encrypted_alerts.is_empty() && !facts.resumed());
}

#[test]
fn tickets_that_cross_the_clients_first_data_are_not_its_answer() {
    let ticket = || says(S, sealed(23, 250));
    let [hello, answer] = [says(C, sealed(23, 43)), says(S, sealed(23, 156))];
    let one_late = [ticket(), hello.clone(), ticket(), answer.clone()];
    let both_late = [hello.clone(), ticket(), ticket(), answer.clone()];
    let none = [
        hello.clone(),
        says(S, sealed(23, 250)),
        answer.clone(),
        says(S, sealed(23, 156)),
    ];
    for (late, first, count) in [(one_late, 7, 1), (both_late, 7, 1), (none, 5, 3)] {
        let server = play(TlsStart::Upgraded, &with(complete13(), late)).directions.to_client;
        assert_eq!(
            (server.first_application_data, server.application_records),
            (Some(at(first)), count)
        );
    }
    let alone = play(TlsStart::Upgraded, &with(complete13(), [hello, ticket()]))
        .directions
        .to_client;
    assert_eq!(
        (alone.first_application_data, alone.application_records),
        (Some(at(5)), 1)
    );
}

#[test]
fn the_greeting_of_implicit_tls_is_the_last_record_before_the_client_speaks() {
    let early = [
        says(S, sealed(23, 250)),
        says(S, sealed(23, 250)),
        says(S, sealed(23, 61)),
    ];
    let facts = play(
        TlsStart::Implicit,
        &with(with(complete13(), early), [says(C, sealed(23, 40))]),
    );
    assert_eq!(facts.directions.to_client.first_application_data, Some(at(6)));
    assert_eq!(facts.directions.to_client.application_records, 1);
}

#[test]
fn alert_sized_records_of_tls13_are_alerts_only_at_the_end() {
    let before = play(
        TlsStart::Upgraded,
        &with(complete13()[..2].to_vec(), [says(C, sealed(23, 19)), Play::Fin(C)]),
    );
    let inferred = before.encrypted_alerts[0];
    assert_eq!(
        (inferred.direction, inferred.phase, inferred.inferred),
        (C, Phase::AfterServerHello, true)
    );
    assert_eq!(before.directions.to_server.finished, None);

    let refused = play(
        TlsStart::Upgraded,
        &with(complete13(), [says(S, sealed(23, 19)), Play::Fin(S)]),
    );
    assert_eq!(
        (refused.encrypted_alerts[0].direction, refused.encrypted_alerts[0].phase),
        (S, Phase::AfterHandshake)
    );

    let data = [
        says(C, sealed(23, 40)),
        says(C, sealed(23, 19)),
        says(C, sealed(23, 41)),
        says(C, sealed(23, 19)),
    ];
    let closed = play(TlsStart::Upgraded, &with(complete13(), data));
    assert_eq!(closed.encrypted_alerts.len(), 1);
    assert_eq!(
        (closed.encrypted_alerts[0].stamp, closed.encrypted_alerts[0].phase),
        (at(7), Phase::AfterApplicationData)
    );
    assert_eq!(closed.directions.to_server.application_records, 3);
}

#[test]
fn java_pads_its_alerts_and_others_do_not() {
    let prompt = |finished| {
        let mut plays = complete13();
        plays[2] = says(C, [record(20, &[1]), sealed(23, finished)].concat());
        play(
            TlsStart::Upgraded,
            &with(plays, [says(C, sealed(23, 60)), says(C, sealed(23, 35))]),
        )
    };
    assert_eq!(prompt(69).encrypted_alerts.len(), 0);
    assert_eq!(prompt(85).encrypted_alerts.len(), 1);
    let refused = play(
        TlsStart::Upgraded,
        &with(complete13()[..2].to_vec(), [says(C, sealed(23, 35))]),
    );
    assert_eq!(refused.encrypted_alerts[0].phase, Phase::AfterServerHello);
}

#[test]
fn an_empty_client_certificate_of_tls13_is_not_its_finished() {
    let mut plays = complete13();
    plays[2] = says(C, [record(20, &[1]), sealed(23, 25), sealed(23, 69)].concat());
    let facts = play(TlsStart::Upgraded, &with(plays, [says(S, sealed(23, 19))]));
    assert_eq!(facts.directions.to_server.finished, Some(at(3)));
    assert_eq!(
        (
            facts.directions.to_server.application_records,
            facts.encrypted_alerts.len()
        ),
        (0, 1)
    );
}

#[test]
fn a_client_flight_in_one_record_ends_when_the_server_goes_on() {
    let mut plays = complete13();
    plays[2] = says(C, sealed(23, 97));
    let facts = play(
        TlsStart::Upgraded,
        &with(plays, [says(S, sealed(23, 250)), says(C, sealed(23, 40))]),
    );
    assert_eq!(facts.directions.to_server.finished, Some(at(3)));
    assert_eq!(facts.directions.to_server.first_application_data, Some(at(5)));
}

#[test]
fn a_clear_alert_after_the_server_hello_of_tls13_is_legal() {
    let facts = play(TlsStart::Upgraded, &with(complete13()[..2].to_vec(), [alert(C, 2, 48)]));
    assert_eq!(
        (facts.alerts[0].phase, facts.alerts[0].description),
        (Phase::AfterServerHello, 48)
    );
}

#[test]
fn a_hello_retry_request_is_no_choice_and_the_second_hello_stays_in_clear() {
    let random: [u8; 32] = [
        0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2, 0xA2,
        0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
    ];
    let extensions = [extension(43, &numbers(&[0x0304])), extension(51, &numbers(&[23]))];
    let retry = server_hello(0x0303, &random, &[9; 32], 0x1302, &extensions);
    let facts = play(
        TlsStart::Upgraded,
        &[
            tells(C, 1, &offer13()),
            says(S, [record(22, &message(2, &retry)), record(20, &[1])].concat()),
            says(C, [record(20, &[1]), record(22, &message(1, &offer13()))].concat()),
            says(S, [record(22, &message(2, &choice13(0x1302))), sealed(23, 23)].concat()),
        ],
    );
    assert_eq!((facts.client_hellos.len(), facts.hello_retry_requests.len()), (2, 1));
    assert_eq!(facts.hello_retry_requests[0].group, Some(23));
    assert_eq!(facts.server_hello.unwrap().version, Version::TLS1_3);
    assert!(
        facts
            .records
            .iter()
            .all(|record| record.encrypted == (record.content == ContentType::ApplicationData))
    );
}

#[test]
fn downgrade_marks_are_read() {
    for (mark, expected) in [(1, DowngradeSentinel::CouldTls13), (0, DowngradeSentinel::CouldTls12)] {
        let mut random = [8; 32];
        random[24..31].copy_from_slice(b"DOWNGRD");
        random[31] = mark;
        let facts = play(
            TlsStart::Implicit,
            &[tells(S, 2, &server_hello(0x0303, &random, &[], 0xC02F, &[]))],
        );
        assert_eq!(facts.server_hello.unwrap().sentinel, Some(expected));
    }
}

#[test]
fn a_client_hello_may_be_cut_into_records_of_one_octet() {
    let whole = message(1, &offer13());
    let octets: Vec<u8> = whole.iter().flat_map(|octet| record(22, &[*octet])).collect();
    let facts = play(TlsStart::Implicit, &[says(C, octets)]);
    let hello = facts.offer().unwrap();
    assert_eq!(hello.records as usize, whole.len());
    assert_eq!(hello.length as usize, whole.len() - 4);
    assert_eq!(hello.server_name.as_ref().unwrap().bytes(), b"mail.hinata.example");
    assert_eq!(hello.supported_versions, [Version::TLS1_3, Version::TLS1_2]);
    assert_eq!(hello.key_shares, [(29, 32)]);
    assert!(!hello.malformed);
}

#[test]
fn alerts_may_be_split_over_records_or_share_one() {
    let split = says(S, [record(21, &[1]), record(21, &[]), record(21, &[112])].concat());
    let pair = says(S, record(21, &[9, 90, 1, 0]));
    let facts = play(TlsStart::Implicit, &[tells(C, 1, &offer13()), split, pair]);
    let seen: Vec<_> = facts
        .alerts
        .iter()
        .map(|alert| (alert.level, alert.description))
        .collect();
    assert_eq!(
        seen,
        [
            (AlertLevel::Warning, 112),
            (AlertLevel::Other(9), 90),
            (AlertLevel::Warning, 0)
        ]
    );
}

#[test]
fn a_malformed_hello_yields_what_can_be_read() {
    let mut body = offer13();
    let last = body.len();
    body.truncate(last - 10);
    let facts = play(TlsStart::Implicit, &[tells(C, 1, &body)]);
    let hello = facts.offer().unwrap();
    assert!(hello.malformed && hello.server_name.is_some() && hello.cipher_suites.len() == 3);
    let short = play(TlsStart::Implicit, &[tells(C, 1, &[3, 3, 0])]);
    assert_eq!((short.client_hellos.len(), short.unreadable_messages), (0, 1));
}

#[test]
fn an_ssl2_format_hello_may_be_answered_in_tls() {
    let specs = [0, 0, 0x2F, 7, 0, 0xC0, 0, 0, 0x0A, 1, 0, 0x80];
    let body = [&[1, 3, 1][..], &numbers(&[12, 0, 16]), &specs, &[6; 16]].concat();
    let hello = [&[0x80, u8::try_from(body.len()).unwrap()][..], &body].concat();
    assert_eq!(looks_like_record(&hello), Likeness::Yes);
    let choice = server_hello(0x0301, &[8; 32], &[], 0x002F, &[]);
    let exchange = record(22, &message(16, &[0; 66]));
    let facts = play(
        TlsStart::Implicit,
        &[says(C, hello), tells(S, 2, &choice), says(C, exchange)],
    );
    let offer = facts.offer().unwrap();
    assert!(offer.ssl2_format && !offer.malformed && offer.ja3.is_empty());
    assert_eq!(
        (offer.maximum(), &offer.cipher_suites[..]),
        (Version::TLS1_0, &[0x002F, 0x000A][..])
    );
    assert_eq!(facts.server_hello.unwrap().version, Version::TLS1_0);
    assert!(facts.client_key_exchange.is_some());
}

#[test]
fn a_server_that_answers_in_ssl2_is_named_and_then_opaque() {
    let body = [&[1, 0, 2][..], &numbers(&[3, 0, 16]), &[7, 0, 0xC0], &[6; 16]].concat();
    let hello = [&[0x80, u8::try_from(body.len()).unwrap()][..], &body].concat();
    let answer = [&[4, 0, 1, 0, 2][..], &numbers(&[0, 3, 16]), &[7, 0, 0xC0], &[6; 16]].concat();
    let answer = [&[0x80, u8::try_from(answer.len()).unwrap()][..], &answer, &[0x80, 30]].concat();
    let facts = play(TlsStart::Implicit, &[says(C, hello), says(S, answer)]);
    assert_eq!(facts.offer().unwrap().maximum(), Version::SSL2);
    assert_eq!(facts.server_hello.unwrap().version, Version::SSL2);
    assert_eq!(facts.directions.to_client.lost, Some(at(2)));
}

#[test]
fn ssl3_hellos_have_no_extensions() {
    let hello = versioned(22, 0x0300, &message(1, &client_hello(0x0300, &[], &[0x0005], None)));
    let facts = play(
        TlsStart::Implicit,
        &[says(C, hello), says(S, versioned(21, 0x0300, &[2, 40]))],
    );
    assert_eq!(
        (facts.offer().unwrap().maximum(), facts.alerts[0].record_version),
        (Version::SSL3, Version::SSL3)
    );
    assert!(!facts.offer().unwrap().malformed);
}

#[test]
fn plaintext_after_a_fatal_alert_goes_back_to_the_owner() {
    let plays = [
        tells(C, 1, &offer13()),
        alert(S, 2, 40),
        says(C, b"MAIL FROM:<a@hinata.example>\r\n".to_vec()),
    ];
    let (facts, read) = play_counting(TlsStart::Upgraded, &plays, usize::MAX);
    let plaintext = facts.plaintext_after.unwrap();
    assert_eq!(
        (plaintext.direction, plaintext.start, plaintext.first),
        (C, read[0], at(3))
    );
    assert_eq!(play_counting(TlsStart::Upgraded, &plays, 1), (facts, read));
}

#[test]
fn a_plaintext_answer_to_a_client_hello_goes_to_the_owner() {
    let plays = [
        tells(C, 1, &offer13()),
        says(S, b"500 5.5.2 Error: bad syntax\r\n".to_vec()),
    ];
    let (facts, read) = play_counting(TlsStart::Inferred, &plays, usize::MAX);
    assert_eq!(
        (read[1], facts.plaintext_after.map(|span| span.direction)),
        (0, Some(S))
    );
    assert_eq!(facts.directions.to_client.lost, None);
}

#[test]
fn a_hole_inside_application_data_does_no_harm() {
    let (mut head, data) = (sealed(23, 5000), sealed(23, 70));
    head.truncate(1000);
    let more = [says(S, head), Play::Hole(S, 4005), says(S, data)];
    let facts = play(TlsStart::Upgraded, &with(complete12(), more));
    assert_eq!(
        (
            facts.directions.to_client.application_records,
            facts.directions.to_client.lost
        ),
        (2, None)
    );
    assert_eq!(facts.gaps, 4005);
}

#[test]
fn a_hole_over_a_records_end_is_survived_where_a_record_begins_behind_it() {
    let more = [Play::Hole(S, 3000), says(S, [sealed(23, 70), sealed(21, 26)].concat())];
    let facts = play(TlsStart::Upgraded, &with(complete12(), more));
    assert_eq!(
        (
            facts.directions.to_client.application_records,
            facts.directions.to_client.lost
        ),
        (1, None)
    );
    assert_eq!(facts.encrypted_alerts.len(), 1);
}

#[test]
fn a_hole_that_ends_inside_a_record_needs_two_headers_in_a_row() {
    let tail = |count: usize| [vec![0xE5; 500], (0..count).flat_map(|_| sealed(23, 70)).collect()].concat();
    let once = play(
        TlsStart::Upgraded,
        &with(complete12(), [Play::Hole(S, 3000), says(S, tail(1))]),
    );
    assert_eq!(
        (
            once.directions.to_client.lost,
            once.directions.to_client.application_records
        ),
        (Some(at(5)), 0)
    );
    let twice = play(
        TlsStart::Upgraded,
        &with(complete12(), [Play::Hole(S, 3000), says(S, tail(2))]),
    );
    assert_eq!(
        (
            twice.directions.to_client.lost,
            twice.directions.to_client.application_records
        ),
        (None, 2)
    );
}

#[test]
fn a_hole_inside_a_certificate_costs_that_message_only() {
    let octets = flight12();
    let (head, tail) = (octets[..300].to_vec(), octets[900..].to_vec());
    let facts = play(
        TlsStart::Upgraded,
        &[
            tells(C, 1, &offer12()),
            says(S, head),
            Play::Hole(S, 600),
            says(S, tail),
            alert(C, 2, 48),
        ],
    );
    assert!(facts.server_hello.is_some() && facts.server_certificate.is_none());
    assert_eq!((facts.key_exchange_group, facts.unreadable_messages), (Some(23), 1));
    assert!(facts.server_hello_done.is_some());
    assert_eq!(facts.alerts[0].phase, Phase::AfterServerHello);
}

#[test]
fn a_capture_that_begins_inside_tls_finds_the_records() {
    let plays = [
        says(
            C,
            [vec![0xA7; 90], sealed(23, 60), sealed(23, 61), sealed(21, 26)].concat(),
        ),
        says(S, [sealed(23, 300), sealed(23, 19)].concat()),
    ];
    let facts = play(TlsStart::Implicit, &plays);
    assert_eq!(
        (
            facts.directions.to_server.application_records,
            facts.directions.to_client.application_records
        ),
        (2, 1)
    );
    assert_eq!(facts.encrypted_alerts.len(), 2);
    assert!(facts.client_hellos.is_empty() && facts.alerts.is_empty());
}

#[test]
fn what_is_not_tls_is_not_made_into_tls() {
    let facts = play(
        TlsStart::Implicit,
        &[
            says(C, b"EHLO client.hinata.example\r\n".to_vec()),
            says(S, vec![0xE5; 900]),
        ],
    );
    assert_eq!(
        (facts.directions.to_server.records, facts.directions.to_client.records),
        (0, 0)
    );
    assert!(facts.directions.to_server.lost.is_some() && facts.records.is_empty());
    assert_eq!(facts.phase, Phase::BeforeClientHello);
}

#[test]
fn a_message_too_large_to_keep_is_counted_and_passed_over() {
    let mut octets = vec![];
    let huge = message(11, &vec![0; 300 * 1024]);
    for part in huge.chunks(16_384) {
        octets.extend(record(22, part));
    }
    octets.extend(record(22, &message(14, &[])));
    let (facts, _) = play_counting(TlsStart::Implicit, &[says(S, octets)], 1460);
    assert_eq!((facts.unreadable_messages, facts.server_hello_done), (1, Some(at(1))));
}

#[test]
fn records_are_listed_from_both_ends() {
    let data = (0..200).map(|index| says(S, sealed(23, 20 + index)));
    let facts = play(TlsStart::Implicit, &with(complete12(), data));
    let total = facts.directions.to_client.records + facts.directions.to_server.records;
    assert_eq!(facts.records.len(), 80);
    assert_eq!(facts.records_not_listed, total - 80);
    assert_eq!(facts.records.last().unwrap().length, 219);
}

#[test]
fn plaintext_is_told_from_tls_by_content() {
    for text in [
        &b"EHLO a\r\n"[..],
        b"220 mail",
        b"\r\n",
        b"\x16hello",
        b"\x16\x03\x09",
        b"\x16\x03\x01\xFF\xFF",
        b"\x80\x05\x01\x03\x01",
    ] {
        assert_eq!(looks_like_record(text), Likeness::No, "{text:?}");
    }
    for short in [
        &b""[..],
        b"\x16",
        b"\x16\x03",
        b"\x16\x03\x01\x00",
        b"\x80\x2E",
        b"\x80\x2E\x01\x00",
    ] {
        assert_eq!(looks_like_record(short), Likeness::NeedMore, "{short:?}");
    }
    for tls in [
        &b"\x16\x03\x01\x02\x00"[..],
        b"\x15\x03\x00\x00\x02",
        b"\x80\x2E\x01\x00\x02",
        b"\x17\x03\x03\x00\x00",
    ] {
        assert_eq!(looks_like_record(tls), Likeness::Yes, "{tls:?}");
    }
}

#[test]
fn certificates_are_read_field_by_field() {
    let leaf = certificate(LEAF).unwrap();
    assert_eq!(
        leaf.subject.utf8(),
        Some("CN=mail.hinata.example,O=ひなた株式会社\\, 東京,C=JP")
    );
    assert_eq!(leaf.common_name.as_ref().unwrap().utf8(), Some("mail.hinata.example"));
    assert_eq!(leaf.issuer.utf8(), Some("CN=Hinata Root,O=Hinata Test,C=JP"));
    let names: Vec<_> = leaf.dns_names.iter().filter_map(|name| name.utf8()).collect();
    assert_eq!(names, ["mail.hinata.example", "*.hinata.example"]);
    let addresses: Vec<_> = leaf.ip_addresses.iter().filter_map(|name| name.utf8()).collect();
    assert_eq!(addresses, ["192.0.2.25", "2001:db8::25"]);
    assert_eq!(
        (leaf.key.algorithm.as_str(), leaf.key.bits, leaf.serial.as_str()),
        ("EC P-256", 256, "1f2e3d")
    );
    assert_eq!(
        (leaf.signature_algorithm.as_str(), leaf.weak_signature),
        ("sha256WithRSAEncryption", false)
    );
    assert_eq!(
        (leaf.server_authentication, leaf.client_authentication),
        (Some(true), Some(false))
    );
    assert!(!leaf.is_authority && !leaf.self_issued);

    let root = certificate(ROOT).unwrap();
    assert_eq!((root.key.algorithm.as_str(), root.key.bits), ("RSA", 1024));
    assert_eq!(
        (root.signature_algorithm.as_str(), root.weak_signature),
        ("sha1WithRSAEncryption", true)
    );
    assert!(root.is_authority && root.self_issued && root.server_authentication.is_none());
    assert_eq!(leaf.authority_key_identifier, root.subject_key_identifier);
    assert_eq!(leaf.not_after.since(leaf.not_before).as_secs(), 365 * 86_400);
}

#[test]
fn a_japanese_name_in_any_string_type_becomes_utf8() {
    let certificate = certificate(BMP).unwrap();
    assert_eq!(certificate.subject.utf8(), Some("CN=日向ルート,O=日向メール,C=JP"));
    assert_eq!(
        (certificate.key.algorithm.as_str(), certificate.key.bits),
        ("Ed25519", 256)
    );
}

#[test]
fn seventeen_certificates_are_one_too_many() {
    let list: Vec<&[u8]> = (0..17).map(|_| ROOT).collect();
    let body = message(11, &chain(&list));
    let octets: Vec<u8> = body.chunks(16_000).flat_map(|part| record(22, part)).collect();
    let facts = play(TlsStart::Implicit, &[says(S, octets)]);
    let message = facts.server_certificate.unwrap();
    assert_eq!((message.certificates.len(), message.unreadable), (16, 1));
}

#[test]
fn nonsense_after_records_ends_the_reading_of_that_side() {
    let nonsense = [vec![0xE5; 40], sealed(23, 70), sealed(23, 71), sealed(21, 26)].concat();
    let facts = play(
        TlsStart::Upgraded,
        &with(complete12(), [says(S, nonsense), says(C, sealed(23, 40))]),
    );
    assert_eq!(
        (
            facts.directions.to_client.lost,
            facts.directions.to_client.application_records
        ),
        (Some(at(5)), 0)
    );
    assert!(facts.encrypted_alerts.is_empty());
    assert_eq!(facts.directions.to_server.application_records, 1);
}

#[test]
fn half_an_alert_before_a_hole_is_not_paired_with_octets_behind_it() {
    let head = record(21, &[2, 40])[..6].to_vec();
    let plays = [
        tells(C, 1, &offer13()),
        says(S, head),
        Play::Hole(S, 1),
        alert(S, 2, 80),
    ];
    let facts = play(TlsStart::Implicit, &plays);
    let seen: Vec<_> = facts
        .alerts
        .iter()
        .map(|alert| (alert.level, alert.description))
        .collect();
    assert_eq!(seen, [(AlertLevel::Fatal, 80)]);
}

#[test]
fn handshake_octets_behind_a_hole_are_read_only_where_a_message_begins() {
    // The rest of a certificate in a record of its own, then a real message in the next one.
    let rest = record(22, &[0xAB; 900]);
    let plays = [
        tells(C, 1, &offer12()),
        Play::Hole(S, 2000),
        says(S, rest),
        tells(S, 14, &[]),
        alert(C, 2, 48),
    ];
    let facts = play(TlsStart::Upgraded, &plays);
    assert_eq!((facts.server_hello_done, facts.unreadable_messages), (Some(at(4)), 0));
    assert!(facts.server_certificate.is_none());
}
