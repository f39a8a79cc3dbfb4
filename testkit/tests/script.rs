//! The language: what lines mean, which frames come out, how mistakes are told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use smtpcap_testkit::{Script, TimedFrame, certificate, frames};

/// TCP fields of a plain IPv4 frame.
struct Seen {
    client: bool,
    flags: u8,
    sequence: u32,
    acknowledgment: u32,
    payload: Vec<u8>,
    time_ns: i64,
}

fn look(frame: &TimedFrame) -> Option<Seen> {
    let bytes = &frame.bytes;
    if bytes[12..14] != [8, 0] || bytes[23] != 6 {
        return None;
    }
    let total = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
    let tcp = &bytes[34..14 + total];
    let word = |at: usize| u32::from_be_bytes(tcp[at..at + 4].try_into().unwrap());
    let ports = [
        u16::from_be_bytes([tcp[0], tcp[1]]),
        u16::from_be_bytes([tcp[2], tcp[3]]),
    ];
    Some(Seen {
        client: ports[0] > ports[1],
        flags: tcp[13],
        sequence: word(4),
        acknowledgment: word(8),
        payload: tcp[usize::from(tcp[12] >> 4) * 4..].to_vec(),
        time_ns: frame.time_ns,
    })
}

fn seen(text: &str) -> Vec<Seen> {
    frames(text).iter().filter_map(look).collect()
}

/// Payload of one side in order of sequence numbers, each byte once; none where bytes are missing.
fn stream(seen: &[Seen], client: bool) -> Option<Vec<u8>> {
    let mut pieces: Vec<(u32, &[u8])> = seen
        .iter()
        .filter(|segment| segment.client == client && !segment.payload.is_empty())
        .map(|segment| (segment.sequence, segment.payload.as_slice()))
        .collect();
    pieces.sort_by_key(|piece| piece.0);
    let mut out = Vec::new();
    let first = pieces.first()?.0;
    for (sequence, payload) in pieces {
        let skip = out.len().checked_sub((sequence - first) as usize)?;
        out.extend_from_slice(payload.get(skip..).unwrap_or_default());
    }
    Some(out)
}

fn kinds(seen: &[Seen]) -> String {
    seen.iter()
        .map(|segment| {
            let flags: String = [(2, 'S'), (4, 'R'), (1, 'F'), (8, 'P')]
                .iter()
                .filter(|f| segment.flags & f.0 != 0)
                .map(|f| f.1)
                .collect();
            format!(
                "{}{}{} ",
                if segment.client { 'c' } else { 's' },
                flags,
                if segment.flags & 16 != 0 { "." } else { "" }
            )
        })
        .collect::<String>()
        .trim_end()
        .to_owned()
}

#[test]
fn a_conversation_opens_speaks_and_closes_after_quit() {
    let seen = seen("S: 220 hello\nC: QUIT\nS: 221 bye");
    assert_eq!(kinds(&seen), "cS sS. c. sP. cP. sP. c. sF. cF. s.");
    assert_eq!(stream(&seen, true).unwrap(), b"QUIT\r\n");
    assert_eq!(stream(&seen, false).unwrap(), b"220 hello\r\n221 bye\r\n");
}

#[test]
fn without_quit_or_with_open_the_session_stays_open() {
    assert!(!kinds(&seen("S: 220 hello\nC: NOOP\nS: 250 ok")).contains('F'));
    assert!(!kinds(&seen("S: 220 hello\nC: QUIT\nS: 221 ok\nopen")).contains('F'));
    assert!(!kinds(&seen("S: 220 hello\nC: QUIT")).contains('F'));
}

#[test]
fn the_same_script_gives_the_same_bytes() {
    let text = "session 465\ntls handshake 1.3\nsmtp hello\nsmtp mail size=9000\nsmtp quit";
    assert_eq!(Script::must(text).to_pcap(), Script::must(text).to_pcap());
    assert_eq!(Script::must(text).frames[0].time_ns, 1_793_610_000_000_000_000);
}

#[test]
fn joined_lines_share_a_segment_and_bare_text_has_no_line_end() {
    let seen = seen("S: 250-a\nS+ 250 b\nC> half\nC: {hex:00ff}\\x41");
    let texts: Vec<&[u8]> = seen
        .iter()
        .map(|s| s.payload.as_slice())
        .filter(|p| !p.is_empty())
        .collect();
    assert_eq!(texts, [&b"250-a\r\n250 b\r\n"[..], b"half", b"\x00\xffA\r\n"]);
}

#[test]
fn a_block_keeps_its_lines_and_loses_its_indentation() {
    let seen = seen("  C: <<\n  Subject: x\n\n    # kept\n  .\n  >>\n");
    assert_eq!(stream(&seen, true).unwrap(), b"Subject: x\r\n\r\n  # kept\r\n.\r\n");
}

#[test]
fn keywords_can_be_said_literally() {
    let seen = seen("C:: fin is a word");
    assert_eq!(stream(&seen, true).unwrap(), b"fin is a word\r\n");
}

#[test]
fn long_payloads_are_cut_at_the_mss_and_split_cuts_further() {
    let long = seen("session mss=536\nC: fill 5000");
    assert!(long.iter().all(|segment| segment.payload.len() <= 524));
    assert_eq!(stream(&long, true).unwrap().len(), 5000);
    let tiny = seen("split 1\nC: QUIT");
    assert_eq!(tiny.iter().filter(|segment| segment.payload.len() == 1).count(), 6);
}

#[test]
fn a_missing_segment_is_acknowledged_but_not_there() {
    let seen = seen("S: 220 a\nC! EHLO secret\nS: 250 ok\nC: NOOP\nS: 250 ok");
    let ehlo = seen
        .iter()
        .find(|segment| segment.client && segment.flags & 2 != 0)
        .unwrap()
        .sequence
        + 1;
    assert!(
        seen.iter()
            .any(|segment| !segment.client && segment.acknowledgment == ehlo + 13)
    );
    assert!(!seen.iter().any(|segment| segment.payload.starts_with(b"EHLO")));
    assert_eq!(
        seen.iter()
            .find(|segment| segment.payload == b"NOOP\r\n")
            .unwrap()
            .sequence,
        ehlo + 13
    );
}

#[test]
fn a_lost_segment_is_retransmitted_and_never_acknowledged() {
    let seen = seen("S: 220 a\nCx4 EHLO a\nwait 2s\nC: rst");
    let tries: Vec<&Seen> = seen.iter().filter(|segment| segment.payload == b"EHLO a\r\n").collect();
    assert_eq!(tries.len(), 5);
    assert!(tries.windows(2).all(|pair| pair[0].sequence == pair[1].sequence));
    assert!(
        !seen
            .iter()
            .any(|segment| !segment.client && segment.acknowledgment > tries[0].sequence)
    );
}

#[test]
fn a_late_segment_arrives_with_its_retransmission() {
    let seen = seen("S: 220 a\nCr2 fill 4000\nS: 250 ok");
    assert_eq!(stream(&seen, true).unwrap().len(), 4000);
    let end = seen
        .iter()
        .filter(|s| s.client)
        .map(|s| s.sequence + s.payload.len() as u32)
        .max()
        .unwrap();
    assert!(
        seen.iter()
            .any(|segment| segment.payload == b"250 ok\r\n" && segment.acknowledgment == end)
    );
}

#[test]
fn a_path_with_a_small_mtu_swallows_full_segments_only() {
    let seen = seen("S: 220 a\npmtu 1400 retries=3\nC: fill 3000");
    assert_eq!(
        seen.iter().filter(|segment| segment.payload.len() == 1448).count(),
        2 + 3
    );
    assert_eq!(seen.iter().filter(|segment| segment.payload.len() == 104).count(), 1);
}

#[test]
fn a_payload_can_lose_its_second_segment() {
    let seen = seen("session 465\nlose 2 x4\nC: tls hello size=1800\nwait 20s");
    let sizes: Vec<usize> = seen
        .iter()
        .map(|segment| segment.payload.len())
        .filter(|length| *length > 0)
        .collect();
    assert_eq!(sizes, [1448, 352, 352, 352, 352, 352]);
    let acknowledged = seen
        .iter()
        .filter(|s| !s.client)
        .map(|s| s.acknowledgment)
        .max()
        .unwrap();
    assert_eq!(
        acknowledged,
        seen.iter().find(|s| s.payload.len() == 1448).unwrap().sequence + 1448
    );
}

fn assert_only_records(mut bytes: &[u8], about: &str) {
    while !bytes.is_empty() {
        assert!(matches!(bytes[0], 20..=23) && bytes[1] == 3, "{about}");
        let length = usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
        bytes = &bytes[5 + length..];
    }
}

#[test]
fn every_shorthand_is_understood_in_clear_and_encrypted() {
    let shorthands = [
        "smtp greeting",
        "smtp hello with=\"AUTH PLAIN LOGIN,SMTPUTF8\" without=STARTTLS,dsn",
        "smtp ehlo name=x",
        "smtp auth reply=\"535 5.7.8 no\"",
        "smtp envelope to=a@example.org,b@example.org",
        "smtp mail size=100 subject=\"two words\"",
        "smtp quit",
        "pop3 hello",
        "pop3 login user=bob",
        "pop3 retrieve",
        "pop3 quit",
        "imap hello",
        "imap login",
        "imap fetch",
        "imap quit",
    ];
    for shorthand in shorthands {
        let clear = stream(&seen(&format!("port 587\n{shorthand}")), false).unwrap();
        assert!(clear.ends_with(b"\r\n"), "{shorthand}");
        let encrypted = seen(&format!("port 465\ntls handshake 1.3\n{shorthand}"));
        assert_only_records(&stream(&encrypted, true).unwrap(), shorthand);
        assert_only_records(&stream(&encrypted, false).unwrap(), shorthand);
    }
    let hello = seen("smtp hello with=\"AUTH PLAIN LOGIN\" without=STARTTLS,dsn");
    let text = String::from_utf8(stream(&hello, false).unwrap()).unwrap();
    assert!(
        text.contains("250-CHUNKING\r\n250 AUTH PLAIN LOGIN\r\n") && !text.contains("DSN"),
        "{text}"
    );
}

#[test]
fn waits_are_seen_between_the_frames() {
    let seen = seen("S: 220 a\nwait 90s\nC: NOOP");
    let greeting = seen.iter().find(|segment| !segment.payload.is_empty()).unwrap().time_ns;
    let command = seen
        .iter()
        .rfind(|segment| segment.payload == b"NOOP\r\n")
        .unwrap()
        .time_ns;
    assert!(
        (90_000_000_000..90_100_000_000).contains(&(command - greeting)),
        "{}",
        command - greeting
    );
}

#[test]
fn openings_that_fail_show_only_what_happens() {
    assert_eq!(kinds(&seen("session unanswered=3")), "cS cS cS");
    assert_eq!(kinds(&seen("session refused")), "cS sR.");
    assert_eq!(kinds(&seen("session halfopen")), "cS sS. sS. sS. sS.");
    assert_eq!(kinds(&seen("session synlost=2")), "cS cS cS sS. c.");
    assert_eq!(kinds(&seen("C: syn x4")), "cS cS cS cS");
    let icmp = frames("session icmp=3/13");
    assert_eq!(icmp.len(), 2);
    assert_eq!(icmp[1].bytes[34..36], [3, 13]);
}

#[test]
fn a_capture_can_lack_a_direction_or_its_beginning() {
    assert!(
        seen("oneway s2c\nS: 220 a\nC: QUIT\nS: 221 b")
            .iter()
            .all(|segment| !segment.client)
    );
    assert!(!kinds(&seen("session midstream\nS: 250 ok")).contains('S'));
    assert_eq!(
        kinds(&seen("S: 220 a\nC: EHLO b\nhide\nS: 250 c\nshow\nC: QUIT")),
        "cS sS. c. sP. cP. cP. s."
    );
}

#[test]
fn resets_can_be_forged() {
    let seen = frames("S: 220 a\nS: rst ttl=200 noack\n");
    let reset = seen.last().unwrap();
    assert_eq!((reset.bytes[22], reset.bytes[47]), (200, 4));
}

#[test]
fn sessions_follow_each_other_overlap_or_repeat() {
    let text = "session 25\nS: 220 a\nsession 25 at=0s\nS: 220 b\nsession 25 x3 every=60s\nS: 220 c";
    let starts: Vec<i64> = seen(text)
        .iter()
        .filter(|s| s.flags == 2)
        .map(|s| (s.time_ns - 1_793_610_000_000_000_000) / 1_000_000_000)
        .collect();
    assert_eq!(starts, [0, 0, 1, 61, 121]);
}

#[test]
fn session_lines_take_addresses_and_ports_in_every_usual_way() {
    let ports = |text: &str| {
        let first = frames(&format!("{text}\nS: 220 a")).remove(0).bytes;
        let at = if first[12..14] == [0x86, 0xdd] { 54 } else { 34 };
        (
            u16::from_be_bytes([first[at], first[at + 1]]),
            u16::from_be_bytes([first[at + 2], first[at + 3]]),
        )
    };
    assert_eq!(
        ports("session 192.0.2.31 -> 198.51.100.28:587 ttl=64/57 at=+5m"),
        (50_000, 587)
    );
    assert_eq!(ports("session 192.0.2.31:40000 -> 198.51.100.28:imaps"), (40_000, 993));
    assert_eq!(ports("session -> 198.51.100.28"), (50_000, 25));
    assert_eq!(ports("port 465\nsession -> 198.51.100.28"), (50_000, 465));
    assert_eq!(ports("session 587"), (50_000, 587));
    assert_eq!(ports("session pop3s"), (50_000, 995));
    assert_eq!(ports("session v6 :submission"), (50_000, 587));
    assert_eq!(ports("session [2001:db8::1] -> [2001:db8::2]:imap"), (50_000, 143));
    assert_eq!(ports("session 2001:db8::1 -> 2001:db8::2 port=110"), (50_000, 110));
}

#[test]
fn repeat_blocks_number_their_rounds() {
    let seen = seen("repeat 3 every=2s\nC: RCPT TO:<u{n}@example.org>\nend");
    let text = String::from_utf8(stream(&seen, true).unwrap()).unwrap();
    assert_eq!(
        text,
        "RCPT TO:<u1@example.org>\r\nRCPT TO:<u2@example.org>\r\nRCPT TO:<u3@example.org>\r\n"
    );
}

#[test]
fn snap_keeps_the_original_length() {
    let cut = frames("snap 60\nC: fill 500");
    let data = cut.iter().find(|frame| frame.original_length > 500).unwrap();
    assert_eq!(data.bytes.len(), 60);
}

#[test]
fn encrypted_lines_have_the_record_sizes_of_the_catalogue() {
    let seen = seen("session 465\ntls handshake 1.3\nC= QUIT\nS= 235 2.7.0 Authentication successful\nC: rst");
    let sizes: Vec<usize> = seen
        .iter()
        .rev()
        .filter(|s| s.payload.first() == Some(&23))
        .map(|s| s.payload.len() - 5)
        .take(2)
        .collect();
    assert_eq!(sizes, [54, 23]);
    let prompts = self::seen("session 465\ntls handshake 1.2\nS= 334 VXNlcm5hbWU6");
    assert_eq!(
        prompts
            .iter()
            .rfind(|s| s.payload.first() == Some(&23))
            .unwrap()
            .payload
            .len(),
        5 + 18 + 24
    );
}

#[test]
fn the_downgrade_sentinel_and_the_size_of_a_hello_are_as_asked() {
    let seen = seen("session 465\nC: tls hello size=1800 keyshare=mlkem\nS: tls server-hello version=1.2 sentinel=1.2");
    assert_eq!(stream(&seen, true).unwrap().len(), 1800);
    let server = stream(&seen, false).unwrap();
    assert_eq!(&server[11 + 24..11 + 32], b"DOWNGRD\x01");
}

#[test]
fn every_certificate_is_there() {
    for name in certificate::NAMES {
        assert!(certificate::der(name).unwrap().starts_with(&[0x30, 0x82]), "{name}");
        frames(&format!("session 465\ntls handshake 1.2 cert={name}"));
    }
}

#[test]
fn mistakes_name_their_line() {
    let cases = [
        ("S: 220 a\n\nbanana", 3, "banana"),
        ("# comment\nwait soon", 2, "soon"),
        ("C: tls hello max=9", 1, "9"),
        ("C: NOOP\nS+ joined", 2, "other side"),
        ("S+ joined", 1, "no segment"),
        ("session 1.2.3.4 -> [::1]:25", 1, "different IP versions"),
        ("session nowhere", 1, "nowhere"),
        ("C: <<\nnever closed", 1, ">>"),
        ("repeat 3\nC: x", 1, "end"),
        ("S: 220 a\nC: {b64:open", 2, "closed"),
        ("S: tls server-hello suite=fast", 1, "cipher suite"),
        ("S: tls certificate leaf=nice", 1, "nice"),
        ("tls handshake 1.2 colour=red", 1, "colour"),
        ("session unanswered\nC: NOOP", 2, "never opens"),
        ("C: window wide", 1, "C::"),
        ("S: 220 a\ncapture at server", 2, "before the conversation"),
        ("C: retransmit", 1, "no data"),
        ("S:220 x", 1, "blank"),
        ("", 1, "says nothing"),
    ];
    for (text, line, part) in cases {
        let error = Script::parse(text).expect_err(text);
        assert_eq!(error.line, line, "{text}: {error}");
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
}
