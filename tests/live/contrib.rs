//! The samples for operators: what they name is there, and the tools they are for take them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Live, header};
use crate::metrics::{page, serving};

fn contrib(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib").join(name)
}

#[test]
fn alerts_speak_of_figures_that_are_there() {
    let (mut live, address) = serving(&[]);
    let page = page(address);
    live.feed(&header());
    live.close();
    live.end();
    // A family without samples is announced all the same; the time of the last frame comes with the first frame.
    let known: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    let text = std::fs::read_to_string(contrib("prometheus-alerts.yml")).unwrap();
    let mut named = 0;
    for word in text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')) {
        if word.starts_with("smtpcap_") && word != "smtpcap_last_frame_timestamp_seconds" {
            named += 1;
            assert!(known.contains(word), "{word}");
        }
    }
    assert!(named > 4);
    let check = |arguments: &[&str], file: &Path| match Command::new("promtool").args(arguments).arg(file).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => println!("skipped: promtool is not installed (apt-get install prometheus)"),
    };
    check(&["check", "rules"], &contrib("prometheus-alerts.yml"));
    check(&["check", "config"], &contrib("prometheus.yml"));
}

#[test]
fn the_unit_is_one_that_systemd_takes_and_its_command_line_one_that_we_take() {
    let unit = std::fs::read_to_string(contrib("smtpcap-live.service")).unwrap();
    let command = unit
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/smtpcap live "))
        .unwrap();
    // With an interface that is not there: everything before that is accepted.
    let folder = crate::harness::Folder::new("unit");
    let place = folder.0.to_str().unwrap();
    let command = command
        .replace("${INTERFACE}", "no-such-if0")
        .replace("/var/log/smtpcap", place)
        .replace("/var/lib/smtpcap", place)
        .replace(":9465", ":0");
    let mut program = Command::new(env!("CARGO_BIN_EXE_smtpcap"));
    program.arg("live").args(command.split(' '));
    let mut live = Live::of(program);
    live.end();
    let said = live.errors.rest().concat();
    assert!(
        !said.contains("Usage") && !said.contains("unexpected argument"),
        "{said}"
    );
    // systemd's own opinion, on a copy whose program exists.
    let copy = folder.0.join("smtpcap-live.service");
    std::fs::write(&copy, unit.replace("/usr/local/bin/smtpcap", "/bin/true")).unwrap();
    match Command::new("systemd-analyze").arg("verify").arg(&copy).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let ours = said
                .lines()
                .filter(|line| line.contains("smtpcap-live"))
                .collect::<Vec<_>>();
            assert!(ours.is_empty(), "{ours:?}");
        }
        Err(_) => println!("skipped: systemd-analyze is not installed"),
    }
}
