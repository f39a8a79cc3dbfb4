//! Command lines, filters and the words of other programs. Captures themselves: `probe/tests/`.

use std::path::{Path, PathBuf};

use super::command::command;
use super::failure::{dropped_by_kernel, explain, is_chatter};
use super::{Failure, Filter, Program, Request, find};

fn request(interfaces: &[&str]) -> Request {
    Request {
        interfaces: interfaces.iter().map(ToString::to_string).collect(),
        filter: Filter::own("tcp"),
        ..Request::default()
    }
}

fn arguments(program: &Program, request: &Request) -> Vec<String> {
    command(program, request)
        .unwrap()
        .get_args()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect()
}

#[test]
fn the_same_expression_stands_behind_none_one_and_two_tags() {
    let filter = Filter::of_ports(&[465, 25, 24, 25], false);
    assert_eq!(
        filter.ethernet.matches("tcp portrange 24-25 or tcp port 465").count(),
        3
    );
    assert_eq!(filter.ethernet.matches("vlan").count(), 2);
    assert!(!filter.other.contains("vlan"));
    assert!(!filter.ethernet.contains("proto 47"));
    assert!(Filter::of_ports(&[25], true).other.contains("proto 47"));
}

#[test]
fn each_program_is_asked_in_its_own_words() {
    let dumpcap = Program::at(Path::new("/usr/bin/dumpcap"));
    let told = arguments(&dumpcap, &request(&["lo", "any"]));
    assert_eq!(told.iter().filter(|word| *word == "-f").count(), 2);
    let tcpdump = Program::at(Path::new("/usr/bin/tcpdump"));
    let told = arguments(&tcpdump, &request(&["lo"]));
    assert!(told.ends_with(&["--".to_owned(), "tcp".to_owned()]), "{told:?}");
    assert!(told.contains(&"65536".to_owned()));
    let several = command(&tcpdump, &request(&["lo", "any"]));
    assert!(matches!(several, Err(Failure::OneInterfaceOnly(_))));
    assert!(matches!(command(&tcpdump, &request(&[])), Err(Failure::NoInterface)));
    let own = Program::at(Path::new("/x/smtpcap-capture"));
    let odd = request(&["-w/etc/passwd"]);
    assert_eq!(arguments(&own, &odd).first().unwrap(), "--interface=-w/etc/passwd");
}

#[test]
fn what_other_programs_say_is_told_apart() {
    let tcpdump = Program::at(Path::new("tcpdump"));
    let ended = |line: &str| explain(&tcpdump, &[line.to_owned()], Some(1), None);
    let may_not = "tcpdump: eth0: You don't have permission to perform this capture on that device";
    assert!(matches!(ended(may_not), Failure::NoPermission(_)));
    let absent = "tcpdump: eth7: No such device exists";
    assert!(matches!(ended(absent), Failure::NoSuchInterface(..)));
    assert!(matches!(
        ended("tcpdump: can't parse filter expression: syntax error"),
        Failure::BadFilter(..)
    ));
    assert!(matches!(
        ended("tcpdump: pcap_loop: The interface disappeared"),
        Failure::InterfaceGone(..)
    ));
    assert!(matches!(ended("Killed"), Failure::Stopped { .. }));
    assert_eq!(dropped_by_kernel("12 packets dropped by kernel"), Some(12));
    assert_eq!(dropped_by_kernel("12 packets captured"), None);
    for line in ["File: -", "Capturing on 'lo'", "12 packets received by filter"] {
        assert!(is_chatter(line), "{line}");
    }
    assert!(!is_chatter("smtpcap-capture: eth0: interface is down, waiting for it"));
}

#[test]
fn a_program_asked_for_and_absent_is_no_other_program() {
    let absent = PathBuf::from("/nowhere/smtpcap-capture");
    assert!(matches!(find(Some(&absent)), Err(Failure::ProgramNotFound(path)) if path == absent));
}
