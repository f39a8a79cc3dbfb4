//! Outputs that fail, and a process that is killed: whole lines or none, nothing lost that was older than a second.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::{
    Folder, LONG, Live, Packet, alone, from_time, header, one_session, parse, records, sessions, with_client_port,
};
use crate::metrics::serving;
use crate::soak::figures;

/// Many sessions, one after another, a millisecond apart.
pub fn many(count: u16) -> Vec<Vec<Packet>> {
    let packets = one_session();
    (0..count)
        .map(|number| {
            let mut session = with_client_port(&packets, 20_000 + number);
            for packet in &mut session {
                packet.time += i64::from(number) * 1_000_000;
            }
            session
        })
        .collect()
}

#[test]
fn a_full_device_is_said_once_and_the_analysis_goes_on() {
    let mut live = Live::start(&["--format", "jsonl", "-o", "/dev/full", "--metrics", "127.0.0.1:0"]);
    live.feed(&header());
    for session in many(50) {
        live.feed(&records(&session));
    }
    live.errors
        .wait("/dev/full: cannot be written", LONG)
        .expect("it says so");
    std::thread::sleep(Duration::from_millis(2_500));
    live.close();
    assert_eq!(live.end().0.code(), Some(2));
    let said = live.errors.rest();
    assert!(said.iter().all(|line| !line.contains("cannot be written:")), "{said:?}");
    assert!(
        said.iter().any(|line| line.contains("could not be written")),
        "{said:?}"
    );
}

#[test]
fn a_link_is_not_followed() {
    let folder = Folder::new("link");
    let (target, link) = (folder.0.join("target"), folder.0.join("link"));
    std::fs::write(&target, "precious\n").unwrap();
    symlink(&target, &link).unwrap();
    let mut live = Live::start(&["-o", link.to_str().unwrap()]);
    live.close();
    assert_eq!(live.end().0.code(), Some(2));
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "precious\n");
}

#[test]
fn a_disk_that_fills_and_empties_again_leaves_whole_lines() {
    let folder = Folder::new("tmpfs");
    let path = folder.0.to_str().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=4m tmpfs {path} && head -c 3900000 /dev/zero > {path}/filler && exec {} live - --format jsonl -o {path}/log",
        env!("CARGO_BIN_EXE_smtpcap"),
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script]);
    let probe = Command::new("unshare")
        .args(["--mount", "mount", "-t", "tmpfs", "tmpfs", path])
        .status();
    if !probe.is_ok_and(|status| status.success()) {
        println!("skipped: no mount namespace of its own (needs root)");
        return;
    }
    let mut live = Live::of(command);
    live.feed(&header());
    let sessions_fed = many(1_000);
    let (first, rest) = sessions_fed.split_at(400);
    for session in first {
        live.feed(&records(session));
    }
    live.errors.wait("cannot be written", LONG).expect("the disk is full");
    let inside = PathBuf::from(format!("/proc/{}/root{path}", live.child.id()));
    let log = inside.join("log");
    // However often it is looked at, there is no half line behind which a good one could come.
    for _ in 0..20 {
        let text = std::fs::read_to_string(&log).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'));
        parse(&text);
        std::thread::sleep(Duration::from_millis(100));
    }
    std::fs::remove_file(inside.join("filler")).unwrap();
    live.errors.wait("writing again", LONG).expect("it goes on");
    for session in rest {
        live.feed(&records(session));
    }
    std::thread::sleep(Duration::from_millis(1_500));
    let text = std::fs::read_to_string(&log).unwrap();
    let told = sessions(&parse(&text));
    live.close();
    assert_eq!(live.end().0.code(), Some(2), "the disk was full");
    let mut ids: Vec<_> = told.iter().map(|one| one["id"].as_u64().unwrap()).collect();
    ids.dedup();
    assert_eq!(ids.len(), told.len(), "nothing twice");
    assert!(told.len() > 250, "{}", told.len());
}

#[test]
fn killed_at_any_time_it_has_written_what_ended_more_than_a_second_before() {
    let _alone = alone();
    let rounds = std::env::var("KILLS").map_or(5, |text| text.parse().unwrap());
    let (packet, start) = (one_session(), one_session()[0].time);
    let mut seed = 12_345_u64;
    let mut fewest = u64::MAX;
    for round in 0..rounds {
        let folder = Folder::new(&format!("kill-{round}"));
        let log = folder.0.join("log");
        let (mut live, page) = serving(&["--format", "jsonl", "-o", log.to_str().unwrap()]);
        live.feed(&header());
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        // Counted from the first session that it has told, however long a busy machine takes to get there.
        let alive = Duration::from_millis(1_200 + (seed >> 33) % 1_800);
        let (begun, mut first) = (Instant::now(), None);
        // Sessions that it has told, by its own count, and when it said so.
        let mut counted: Vec<(Instant, u64)> = Vec::new();
        for number in (0..3_000).cycle() {
            let passed = begun.elapsed();
            assert!(passed < LONG + alive, "it tells sessions");
            if first.is_some_and(|first: Instant| first.elapsed() >= alive) {
                break;
            }
            // The capture's clock goes as ours does.
            let session = from_time(
                &with_client_port(&packet, 20_000 + number),
                start + passed.as_nanos() as i64,
            );
            live.feed(&records(&session));
            if number % 8 == 0 {
                counted.extend(figures(page).map(|(sessions, _)| (Instant::now(), sessions)));
                let told = counted.last().is_some_and(|(_, sessions)| *sessions > 0);
                first = first.or(told.then(Instant::now));
            }
            std::thread::sleep(Duration::from_millis(4));
        }
        live.child.kill().unwrap();
        let killed = Instant::now();
        live.child.wait().unwrap();
        let text = std::fs::read_to_string(&log).unwrap();
        // Only the last line can be half, for the process died in it.
        let whole = &text[..text.rfind('\n').map_or(0, |at| at + 1)];
        let told = sessions(&parse(whole)).len() as u64;
        let old = |at: &Instant| killed.duration_since(*at) >= Duration::from_secs(1);
        let due = counted.iter().filter(|(at, _)| old(at)).map(|(_, count)| *count).max();
        assert!(told >= due.unwrap_or(0), "round {round}: {told} of {due:?}");
        fewest = fewest.min(due.unwrap_or(0));
    }
    assert!(fewest > 0, "something was told a second before each kill");
}
