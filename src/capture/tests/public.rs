//! The public captures: every file is read without a crash, and the frames agree with the index.

use std::path::PathBuf;

use super::super::*;
use super::*;

/// Files whose count differs from the index, with the reason.
const DIFFERENT: &[(&str, u64, &str)] = &[
    (
        "DanieleDeSensi-peafowl/imap.cap",
        123,
        "damaged in the middle; read on behind it",
    ),
    (
        "OISF-suricata-verify/bug-1450-04__tls_DER-incomplete-header.pcap",
        13,
        "damaged in the middle; read on behind it",
    ),
    (
        "ntop-nDPI/fuzz-2021-10-13.pcap",
        1,
        "version 2.0: original length first; capinfos counts 1 as well",
    ),
    (
        "seladb-PcapPlusPlus/clusterfuzz-testcase-FuzzTarget-5781142119907328",
        0,
        "the only header has a fraction of 2533 s and 2 GB on the wire: not believed",
    ),
    (
        "seladb-PcapPlusPlus/clusterfuzz-testcase-minimized-FuzzTarget-5165927376355328",
        0,
        "the only header is spaces: not believed",
    ),
    (
        "seladb-PcapPlusPlus/clusterfuzz-testcase-minimized-FuzzTarget-5685520970809344",
        0,
        "the only header is spaces: not believed",
    ),
    (
        "seladb-PcapPlusPlus/clusterfuzz-testcase-minimized-FuzzTarget-5717750942269440",
        0,
        "headers of zeros: noted as damage",
    ),
    (
        "seladb-PcapPlusPlus/clusterfuzz-testcase-minimized-FuzzTarget-6604968558198784",
        1,
        "version 2.2: original length first; capinfos counts 1 as well",
    ),
    (
        "Technica-Engineering-LightPcapNg/blocks.merged.pcapng",
        561,
        "a section header in mixed byte order; read on behind it",
    ),
    (
        "the-tcpdump-group-tcpdump/vtp_asan.pcap",
        2,
        "three headers of zeros at the end: noted as damage",
    ),
];

fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("SMTPCAP_SHARED").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let candidates = named.into_iter().chain([beside, PathBuf::from("/work/shared")]);
    candidates
        .map(|path| path.join("captures/public"))
        .find(|path| path.join("INDEX.tsv").is_file())
}

#[test]
fn frames_of_the_public_captures_agree_with_the_index() {
    let Some(folder) = folder() else {
        eprintln!("skipped: no ../shared/captures/public");
        return;
    };
    let index = std::fs::read_to_string(folder.join("INDEX.tsv")).unwrap();
    let mut columns = index.lines().next().unwrap().split('\t');
    let records = columns.position(|column| column == "records").unwrap();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for line in index.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let result = read_input(Input::Path(folder.join(fields[0])));
        if fields[8] == "snoop" {
            assert!(matches!(
                result,
                Err(Error::NotACapture {
                    likeness: Likeness::Snoop,
                    ..
                })
            ));
            continue;
        }
        seen += 1;
        let (frames, facts) = result.unwrap_or_else(|error| panic!("{error}"));
        let listed = DIFFERENT.iter().find(|(file, ..)| *file == fields[0]);
        let expected = listed.map_or_else(|| fields[records].parse().unwrap(), |(_, count, _)| *count);
        if frames.len() as u64 != expected {
            wrong.push(format!(
                "{} {}: {} frames, expected {expected}; cut {:?}; {:?}",
                fields[0],
                fields[8],
                frames.len(),
                facts.cut,
                facts.damages.kept().first()
            ));
        }
        if facts.damages.total() > 0 && std::env::var_os("SMTPCAP_VERBOSE").is_some() {
            eprintln!(
                "{}: {} damages, {}",
                fields[0],
                facts.damages.total(),
                facts.damages.kept()[0]
            );
        }
    }
    assert!(wrong.is_empty(), "{} of {seen}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(seen > 800);
}
