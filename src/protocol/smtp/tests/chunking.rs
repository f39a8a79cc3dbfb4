//! Any cut gives the same dialogue; no mutation and no hole makes the decoder panic or lose what follows.

use proptest::prelude::*;

use super::{Step, dialogue_of, steps, summary};
use crate::protocol::smtp::Detail;
use crate::span::Direction;

const SCRIPTS: [&str; 6] = [
    "S: 220-a\nS: 220 a\nC: EHLO b\nS: 250-a\n+: 250 PIPELINING\nC: MAIL FROM:<a@b> SIZE=3\n+: RCPT TO:<c@d>\n+: DATA\nS: 250 2.1.0 ok\n+: 550 5.1.1 no\n+: 354 go\nc: x\\r\\n..\\r\\n\\n.\\n\\r.\\r\\n\\r\\n.\\rz\\xff\\r\\n.\\r\\nRSET\\r\\n\nS: 250 queued\n+: 250 ok\nC: QUIT\nS: 221 bye",
    "S: 220 a\nC: EHLO b\nS: 250 a\nc: BDAT 7\\r\\nab\\r\\n.\\r\\nBDAT 4 LAST\\r\\nx\\r\\n\\n\nS: 250 ok\n+: 250 queued\nC: AUTH LOGIN dGFybw==\nS: 334 UGFzc3dvcmQ6\nC: czNjcmV0LXBhc3M=\nS: 535 5.7.8 no\nC: QUIT\nS: 221 bye",
    "S: 220 a\nC: EHLO b\nS: 250 STARTTLS\nC: STARTTLS\n+: RSET\n+: NOOP\nS: 454 no\n+: 250 ok\n+: 250 ok\nC: STARTTLS\n+: evil\nS: 220 go\n",
    "C: PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n+: EHLO b\nS: 220 a\n+: 250 a\nC: DATA\n+: body\n+: .\n+: DATA\n+: again\n+: .\n+: QUIT\nS: 354 go\n+: 250 ok\n+: 354 go\n+: 250 ok\n+: 221 bye",
    "S: 220 a\nC: LHLO b\nS: 250 a\nC: RCPT TO:<a@b>\n+: RCPT TO:<c@d>\nS: 250 ok\n+: 250 ok\nC: DATA\nS: 354 go\nC: x\n+: .\nS: 250 a\n+: 452 b\nGS 10\nC: NOOP\n+: RSET\nS: 250 ok\nGC 5\nC: QUIT\nS: 221 bye",
    "C: GET / HTTP/1.1\n+: Host: x\n+: Authorization: Basic dGFybzpzM2NyZXQ=\n+:\nS: 220 a\n+: 500 a\n+: 500 b\n+: 221 bye",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_cut_gives_the_same_dialogue(
        script in 0..SCRIPTS.len(),
        cuts in proptest::collection::vec(1_usize..20, 1..40),
    ) {
        let steps = steps(SCRIPTS[script]);
        let whole = dialogue_of(&steps, |length| length);
        let mut next = cuts.iter().cycle();
        let cut = dialogue_of(&steps, |_| *next.next().unwrap());
        prop_assert_eq!(cut, whole);
    }

    #[test]
    fn mutations_never_panic_and_cuts_still_agree(
        script in 0..SCRIPTS.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut steps = steps(SCRIPTS[script]);
        for (step, octet, value) in changes {
            let step = step.index(steps.len());
            if let Step::Octets(_, octets) = &mut steps[step] {
                let position = octet.index(octets.len());
                match value % 4 {
                    0 => { octets.insert(position, b'\n'); }
                    1 if octets.len() > 1 => { octets.remove(position); }
                    2 => octets[position] = b'.',
                    _ => octets[position] = value,
                }
            }
        }
        let whole = dialogue_of(&steps, |length| length);
        prop_assert_eq!(dialogue_of(&steps, |_| 1), whole);
    }

    #[test]
    fn later_exchanges_are_found_behind_any_hole(
        script in proptest::sample::select(vec![0_usize, 1, 4]),
        at in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        length in 1_usize..60,
    ) {
        let mut steps = steps(SCRIPTS[script]);
        let at = at.index(steps.len());
        if let Step::Octets(direction, octets) = steps[at].clone() {
            let from = from.index(octets.len());
            let to = (from + length).min(octets.len());
            let pieces = [
                Step::Octets(direction, octets[..from].to_vec()),
                Step::Gap(direction, (to - from) as u64),
                Step::Octets(direction, octets[to..].to_vec()),
            ];
            steps.splice(at..=at, pieces);
        }
        steps.extend(super::steps("C: RSET\nS: 250 ok\nC: VRFY someone\nS: 252 maybe\nC: EXPN list\nS: 550 no"));
        let dialogue = dialogue_of(&steps, |length| length);
        prop_assert_eq!(&dialogue_of(&steps, |_| 1), &dialogue);
        let summary = summary(&dialogue);
        prop_assert!(summary.ends_with(&["VRFY someone =252".into(), "EXPN list =550".into()]), "{summary:?}");
    }

    #[test]
    fn noise_never_panics_and_cuts_still_agree(
        frames in proptest::collection::vec((any::<bool>(), any::<bool>(), proptest::collection::vec(any::<u8>(), 1..60)), 1..40),
    ) {
        let steps: Vec<Step> = frames
            .into_iter()
            .map(|(server, gap, octets)| {
                let direction = if server { Direction::ToClient } else { Direction::ToServer };
                if gap { Step::Gap(direction, octets.len() as u64) } else { Step::Octets(direction, octets) }
            })
            .collect();
        let whole = dialogue_of(&steps, |length| length);
        prop_assert_eq!(dialogue_of(&steps, |_| 1), whole);
    }

    #[test]
    fn talk_in_any_order_agrees_and_keeps_secrets(
        words in proptest::collection::vec((0..CLIENT.len() + SERVER.len() + 2, any::<bool>()), 1..60),
        joined_late in any::<bool>(),
    ) {
        let mut steps: Vec<Step> = Vec::new();
        for (word, join) in words {
            let (direction, octets) = match word.checked_sub(CLIENT.len()) {
                None => (Direction::ToServer, CLIENT[word]),
                Some(word) if word < SERVER.len() => (Direction::ToClient, SERVER[word]),
                Some(word) => {
                    let direction = if word == SERVER.len() { Direction::ToServer } else { Direction::ToClient };
                    steps.push(Step::Gap(direction, 7));
                    continue;
                }
            };
            match steps.last_mut() {
                Some(Step::Octets(last, before)) if join && *last == direction => before.extend(octets.as_bytes()),
                _ => steps.push(Step::Octets(direction, octets.as_bytes().to_vec())),
            }
        }
        let play = |cut: fn(usize) -> usize| {
            let mut owner = super::Owner::new(crate::protocol::Retention::default());
            if joined_late {
                owner.decoder().joined_late();
            }
            for step in &steps {
                owner.play(step, cut);
            }
            owner.finish()
        };
        let whole = play(|length| length);
        // What a client sends as mail data is a mail's text, whatever it looks like.
        let mut logins = whole.clone();
        for exchange in &mut logins.exchanges {
            if let Detail::Data(Some(data)) | Detail::Bdat { data: Some(data), .. } = &mut exchange.detail {
                data.message = None;
            }
        }
        let shown = format!("{logins:?}");
        prop_assert!(!shown.contains("czNjcmV0") && !shown.contains("AHRhcm8A") && !shown.contains("s3cret"), "{shown}");
        prop_assert_eq!(play(|_| 1), whole);
    }
}

const CLIENT: [&str; 24] = [
    "EHLO b\r\n",
    "LHLO b\r\n",
    "MAIL FROM:<a@b>\r\n",
    "RCPT TO:<c@d>\r\n",
    "DATA\r\n",
    "Subject: x\r\n",
    "\r\n",
    ".\r\n",
    "..x\n",
    ".\n",
    "\r.\r",
    "BDAT 9\r\n",
    "BDAT 4 LAST\r\n",
    "BDAT x\r\n",
    "RSET\r\n",
    "QUIT\r\n",
    "STARTTLS\r\n",
    "AUTH PLAIN AHRhcm8AczNjcmV0LXBhc3M=\r\n",
    "AUTH LOGIN\r\ndGFybw==\r\nczNjcmV0LXBhc3M=\r\n",
    "AUTH CRAM-MD5\r\n",
    "czNjcmV0LXBhc3M=\r\n",
    "*\r\n",
    "NOOP",
    "RSE",
];

const SERVER: [&str; 16] = [
    "220 a\r\n",
    "220-a\r\n",
    "250 ok\r\n",
    "250-more\r\n",
    "250 2.1.5 ok\n",
    "354 go\r\n",
    "334 UGFzc3dvcmQ6\r\n",
    "334 \r\n",
    "235 ok\r\n",
    "535 no\r\n",
    "500 what\r\n",
    "502 what is AHRhcm8AczNjcmV0LXBhc3M=\r\n",
    "554 no\r\n",
    "421 bye\r\n",
    "221 bye\r\n",
    "garb",
];
