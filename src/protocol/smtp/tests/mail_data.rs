//! The short ways of mail data against the plain one: octets that come one by one take none of them.

use proptest::prelude::*;

use crate::frame::FrameNumber;
use crate::message;
use crate::protocol::line::span_of;
use crate::protocol::smtp::DataFacts;
use crate::protocol::smtp::data::{Form, MailData};
use crate::span::{Direction, Stamp};
use crate::tcp::Chunk;
use crate::time::Timestamp;

/// What mail data consists of: usual lines, and all that a walk must not miss.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let usual = "[ -~]{0,90}\r\n".prop_map(String::into_bytes);
    let odd = prop::sample::select(vec![
        "\r\n",
        "\n",
        "\r",
        ".",
        "..",
        ".\n",
        ".\r",
        "\t",
        "-",
        "--",
        "--b\r\n",
        "--b--\r\n",
        "\0",
        "\u{65e5}",
        "\u{e9}",
        "-----BEGIN PGP MESSAGE-----\r\n",
        "Content-Type: text/html\r\n",
    ]);
    prop_oneof![3 => usual, 2 => odd.prop_map(|text| text.as_bytes().to_vec())]
}

fn mail_data() -> impl Strategy<Value = Vec<u8>> {
    let header = prop::sample::select(vec![
        "",
        "From: a@b\r\n\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
    ]);
    (header, prop::collection::vec(piece(), 0..30))
        .prop_map(|(header, pieces)| [header.as_bytes().to_vec(), pieces.concat()].concat())
}

/// The facts, and how many octets were read.
fn read(octets: &[u8], form: Form, cuts: &[usize]) -> (DataFacts, usize) {
    let stamp = Stamp {
        frame: FrameNumber(1),
        time: Timestamp::default(),
    };
    let mut chunk = Chunk {
        direction: Direction::ToServer,
        offset: 0,
        bytes: octets,
        stamp,
    };
    let mut data = MailData::new(form, true);
    let mut cuts = cuts.iter().cycle();
    while !chunk.bytes.is_empty() && data.ended.is_none() {
        let length = (*cuts.next().unwrap()).clamp(1, chunk.bytes.len());
        let bytes = &chunk.bytes[..length];
        let count = data.read(&Chunk { bytes, ..chunk });
        chunk = chunk.skip(count);
    }
    let command = span_of(&chunk, 0);
    data.end_at(command);
    (data.finish_at(command).unwrap(), octets.len() - chunk.bytes.len())
}

/// Dots undone in front of lines that begin behind CRLF, up to the end of data.
fn unstuffed(octets: &[u8]) -> Vec<u8> {
    let mut rest = octets;
    let mut message = Vec::new();
    while !rest.is_empty() && !rest.starts_with(b".\r\n") {
        rest = rest.strip_prefix(b".").unwrap_or(rest);
        let end = memchr::memmem::find(rest, b"\r\n").map_or(rest.len(), |at| at + 2);
        message.extend_from_slice(&rest[..end]);
        rest = &rest[end..];
    }
    message
}

#[test]
fn a_cut_at_any_one_place_tells_the_same() {
    let long = "x".repeat(100);
    let octets = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n{long}\r\n..{long}\r\n-{long}\r\n--{long}\r\n\r\n\
         {long}\n.{long}\n-\r\n{long}\t{long}\r\n\u{65e5}{long}\r\n--b--\r\n.\r{long}\r\r\n{long}\r\n.\r\nQUIT\r\n"
    );
    let octets = octets.as_bytes();
    for form in [Form::Dotted, Form::Counted] {
        let one_by_one = read(octets, form, &[1]);
        for at in 1..=octets.len() {
            assert_eq!(
                read(octets, form, &[at, usize::MAX]),
                one_by_one,
                "{form:?} cut at {at}"
            );
        }
    }
    assert_eq!(read(octets, Form::Dotted, &[1]).1, octets.len() - "QUIT\r\n".len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn short_ways_tell_what_one_octet_after_the_other_tells(
        octets in mail_data(),
        dotted in any::<bool>(),
        cuts in prop::collection::vec(1_usize..400, 1..8),
    ) {
        let form = if dotted { Form::Dotted } else { Form::Counted };
        prop_assert_eq!(read(&octets, form, &cuts), read(&octets, form, &[1]));
        prop_assert_eq!(read(&octets, form, &[usize::MAX]), read(&octets, form, &[1]));
    }

    #[test]
    fn the_message_is_what_a_search_through_all_of_it_finds(
        octets in mail_data(),
        dotted in any::<bool>(),
        cuts in prop::collection::vec(1_usize..400, 1..8),
    ) {
        let form = if dotted { Form::Dotted } else { Form::Counted };
        let octets = [octets.as_slice(), if dotted { b"\r\n.\r\n" } else { b"" }].concat();
        let message = if dotted { unstuffed(&octets) } else { octets.clone() };
        let mut decoder = message::Decoder::new(true);
        decoder.push(&message);
        decoder.end();
        let (facts, _) = read(&octets, form, &cuts);
        prop_assert_eq!(facts.size, message.len() as u64);
        prop_assert_eq!(facts.message.unwrap(), decoder.finish());
    }

    #[test]
    fn line_facts_are_what_counting_finds(octets in mail_data(), cuts in prop::collection::vec(1_usize..400, 1..8)) {
        let facts = read(&octets, Form::Counted, &cuts).0.line_facts;
        let longest = octets.split_inclusive(|octet| *octet == b'\n').map(<[u8]>::len).max();
        let line_feeds = octets.iter().filter(|octet| **octet == b'\n').count();
        let pairs = memchr::memmem::find_iter(&octets, b"\r\n").count();
        let returns = octets.iter().filter(|octet| **octet == b'\r').count();
        let open = usize::from(octets.ends_with(b"\r"));
        prop_assert_eq!(facts.longest, longest.unwrap_or_default() as u64);
        prop_assert_eq!(facts.lines, octets.split_inclusive(|octet| *octet == b'\n').count() as u64);
        prop_assert_eq!(facts.bare_line_feeds, (line_feeds - pairs) as u64);
        prop_assert_eq!(facts.bare_carriage_returns, (returns - pairs - open) as u64);
        prop_assert_eq!(facts.eight_bit, !octets.is_ascii());
    }
}
