//! Any cut gives the same dialogue; no mutation and no hole makes the decoder panic or lose what follows.

use proptest::prelude::*;

use super::{Step, dialogue_of, steps, summary};
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
    #![proptest_config(ProptestConfig::with_cases(96))]

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
        let summary = summary(&dialogue);
        prop_assert!(summary.ends_with(&["VRFY someone =252".into(), "EXPN list =550".into()]), "{summary:?}");
    }

    #[test]
    fn noise_never_panics(
        frames in proptest::collection::vec((any::<bool>(), any::<bool>(), proptest::collection::vec(any::<u8>(), 1..60)), 1..40),
    ) {
        let steps: Vec<Step> = frames
            .into_iter()
            .map(|(server, gap, octets)| {
                let direction = if server { Direction::ToClient } else { Direction::ToServer };
                if gap { Step::Gap(direction, octets.len() as u64) } else { Step::Octets(direction, octets) }
            })
            .collect();
        let _ = dialogue_of(&steps, |length| length);
    }
}
