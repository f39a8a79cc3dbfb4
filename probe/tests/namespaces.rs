//! Captures in a network namespace that the test makes for itself: veth pairs, frames sent raw, each of the three
//! capture programs, as root and by file capabilities, interfaces that go down and away.
//!
//! Without a harness, since a namespace belongs to a thread. Where it is not root, or namespaces cannot be made, it says
//! so and passes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod bench;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bench::{Running, Sender, frames, ip, request};
use smtpcap::capture::live::{Failure, Filter, Program, find};
use smtpcap::sandbox::Identity;

type Test = (&'static str, fn());

const TESTS: &[Test] = &[
    ("each_program_delivers_mail_and_nothing_else", each_program),
    ("tunnels_come_where_asked_for", tunnels),
    ("several_interfaces_come_in_the_order_of_time", several),
    ("any_sees_tagged_and_untagged_mail", any),
    ("a_frame_is_delivered_within_200_ms", prompt),
    ("the_program_holds_no_privilege_while_it_captures", privileges),
    ("file_capabilities_serve_a_user_without_rights", file_capabilities),
    ("without_permission_the_command_to_run_is_known", no_permission),
    ("what_does_not_exist_is_told", absent),
    ("a_stopped_program_ends_well_with_its_counters", stopped),
    ("kernel_drops_are_told_while_it_runs", drops),
    ("down_and_up_again_goes_on", down_and_up),
    ("an_interface_that_is_removed_ends_it", removed),
    ("nobody_reads_any_more", unread),
];

fn main() {
    if let Err(reason) = bench::enter() {
        println!("skipped: {reason}");
        return;
    }
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |name: &str| asked.is_empty() || asked.iter().any(|word| name.contains(word.as_str()));
    for (name, test) in TESTS.iter().filter(|(name, _)| wanted(name)) {
        bench::pairs();
        let began = Instant::now();
        test();
        println!("test {name} ... ok ({:.1} s)", began.elapsed().as_secs_f64());
    }
}

fn own() -> Program {
    Program::at(Path::new(env!("CARGO_BIN_EXE_smtpcap-capture")))
}

/// The programs there are.
fn programs() -> Vec<Program> {
    let mut programs = vec![own()];
    for name in ["dumpcap", "tcpdump"] {
        match find(Some(Path::new(name))) {
            Ok(program) => programs.push(program),
            Err(_) => println!("  skipped: {name} is not installed"),
        }
    }
    programs
}

fn mail() -> Filter {
    Filter::of_ports(&[25, 110, 143, 465, 587, 993, 995], false)
}

const MAIL: [&str; 8] = [
    "plain",
    "ipv6",
    "tagged",
    "twice-tagged",
    "fragment-1",
    "fragment-2",
    "tagged-fragment-2",
    "unreachable",
];

fn each_program() {
    for program in programs() {
        let mut sender = Sender::on("right0");
        let running = Running::start(&program, &request(&["left0"], mail()));
        running.warm(&mut sender);
        for (_, frame) in frames() {
            sender.send(&frame);
        }
        let seen = running.until_end(&mut sender);
        let mut expected: Vec<String> = MAIL.iter().map(ToString::to_string).collect();
        expected.sort();
        assert_eq!(seen.names(), expected, "{program:?}");
        let tagged = seen.frame("tagged");
        assert_eq!(tagged.get(12..14).unwrap(), [0x81, 0], "{program:?}: the tag is gone");
        let twice = seen.frame("twice-tagged");
        assert_eq!(
            twice.get(12..14).unwrap(),
            [0x88, 0xa8],
            "{program:?}: the outer tag is gone"
        );
        let ended = running.stop();
        assert!(ended.failure.is_none(), "{program:?}: {ended:?}");
    }
}

fn tunnels() {
    let mut sender = Sender::on("right0");
    let running = Running::start(&own(), &request(&["left0"], Filter::of_ports(&[25], true)));
    running.warm(&mut sender);
    for (_, frame) in frames() {
        sender.send(&frame);
    }
    let seen = running.until_end(&mut sender);
    for name in [
        "gre",
        "ip-in-ip",
        "vxlan",
        "mpls",
        "pppoe",
        "tagged-gre",
        "plain",
        "tagged",
    ] {
        assert!(seen.names().contains(&name.to_owned()), "{name}: {:?}", seen.names());
    }
    for name in ["web", "udp", "echo"] {
        assert!(!seen.names().contains(&name.to_owned()), "{name}");
    }
    running.stop();
}

fn several() {
    let (mut one, mut two) = (Sender::on("right0"), Sender::on("right1"));
    let running = Running::start(&own(), &request(&["left0", "left1"], mail()));
    running.warm(&mut one);
    for number in 0..200 {
        let sender = if number % 2 == 0 { &mut one } else { &mut two };
        sender.send(&bench::mail(&format!("#{number}")));
        std::thread::sleep(Duration::from_millis(2));
    }
    let seen = running.until_end(&mut one);
    let order: Vec<String> = seen.in_order().filter(|name| name.starts_with('#')).collect();
    let expected: Vec<String> = (0..200).map(|number| format!("#{number}")).collect();
    assert_eq!(order, expected);
    let facts = running.stop_and_facts();
    let names: Vec<String> = facts.files[0]
        .interfaces
        .kept()
        .iter()
        .map(|interface| String::from_utf8_lossy(interface.name.as_ref().unwrap().bytes()).into_owned())
        .collect();
    assert_eq!(names, ["left0", "left1"]);
    assert!(facts.is_sound());
}

fn any() {
    for program in programs() {
        let mut sender = Sender::on("right0");
        let running = Running::start(&program, &request(&["any"], mail()));
        running.warm(&mut sender);
        for (_, frame) in frames() {
            sender.send(&frame);
        }
        let seen = running.until_end(&mut sender);
        for name in ["plain", "ipv6", "tagged", "twice-tagged", "unreachable"] {
            assert!(
                seen.names().contains(&name.to_owned()),
                "{program:?} {name}: {:?}",
                seen.names()
            );
        }
        assert!(!seen.names().contains(&"web".to_owned()), "{program:?}");
        running.stop();
    }
}

fn prompt() {
    let mut sender = Sender::on("right0");
    for immediate in [false, true] {
        let mut request = request(&["left0"], mail());
        request.immediate = immediate;
        let running = Running::start(&own(), &request);
        running.warm(&mut sender);
        let mut longest = Duration::ZERO;
        for number in 0..10 {
            std::thread::sleep(Duration::from_millis(37 * number));
            let sent = Instant::now();
            let name = format!("#{number}");
            sender.send(&bench::mail(&name));
            running.wait_for(&name);
            longest = longest.max(sent.elapsed());
        }
        println!("  longest delay, immediate {immediate}: {longest:?}");
        assert!(longest < Duration::from_millis(200), "{longest:?}");
        running.stop();
    }
}

fn privileges() {
    let mut sender = Sender::on("right0");
    let running = Running::start(&own(), &request(&["left0"], mail()));
    running.warm(&mut sender);
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.pid)).unwrap();
    let line = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_once(':').unwrap().1.trim().to_owned()
    };
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(line(set), "0000000000000000", "{set}");
    }
    assert!(line("Uid").split_whitespace().all(|id| id != "0"));
    assert!(line("Gid").split_whitespace().all(|id| id != "0"));
    assert_eq!(
        (line("Groups"), line("NoNewPrivs"), line("Threads")),
        (String::new(), "1".into(), "1".into())
    );
    running.stop();
}

/// A copy of the program in a folder that everybody may enter; with file capabilities where asked for.
fn copy(name: &str, capable: bool) -> Option<PathBuf> {
    let folder = std::env::temp_dir().join(format!("smtpcap-probe-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::chown(&folder, Some(0), Some(0)).unwrap();
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&folder, permissions).unwrap();
    let copy = folder.join("smtpcap-capture");
    std::fs::copy(env!("CARGO_BIN_EXE_smtpcap-capture"), &copy).unwrap();
    if !capable {
        return Some(copy);
    }
    let setcap = Command::new("setcap")
        .arg("cap_net_raw,cap_net_admin+ep")
        .arg(&copy)
        .output();
    match setcap {
        Ok(output) if output.status.success() => Some(copy),
        other => {
            println!("  skipped: setcap: {other:?}");
            None
        }
    }
}

/// Starts a program as nobody, without a capability, and reads its stream.
fn as_nobody(program: &Path, arguments: &[&str]) -> Command {
    let nobody = Identity::nobody();
    let mut command = Command::new("setpriv");
    command
        .args([format!("--reuid={}", nobody.uid), format!("--regid={}", nobody.gid)])
        .args(["--clear-groups", "--inh-caps=-all", "--"])
        .arg(program)
        .args(arguments);
    command
}

fn file_capabilities() {
    let Some(program) = copy("capable", true) else { return };
    assert!(Program::at(&program).may_capture());
    let mut sender = Sender::on("right0");
    let running = Running::of_command(as_nobody(&program, &["-i", "left0"]));
    running.warm(&mut sender);
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.pid)).unwrap();
    assert!(status.contains("CapEff:\t0000000000000000"), "{status}");
    assert!(status.contains("CapPrm:\t0000000000000000"), "{status}");
    running.stop();
    std::fs::remove_dir_all(program.parent().unwrap()).unwrap();
}

fn no_permission() {
    let program = copy("incapable", false).unwrap();
    let output = as_nobody(&program, &["-i", "left0"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    std::fs::remove_dir_all(program.parent().unwrap()).unwrap();
}

fn absent() {
    for program in programs() {
        let ended = Running::start(&program, &request(&["nothere7"], mail())).ended();
        assert!(
            matches!(ended.failure, Some(Failure::NoSuchInterface(..))),
            "{program:?}: {ended:?}"
        );
        let nonsense = request(&["left0"], Filter::own("tcp prot 25"));
        let ended = Running::start(&program, &nonsense).ended();
        assert!(
            matches!(ended.failure, Some(Failure::BadFilter(..))),
            "{program:?}: {ended:?}"
        );
    }
}

fn stopped() {
    let mut sender = Sender::on("right0");
    let running = Running::start(&own(), &request(&["left0"], mail()));
    running.warm(&mut sender);
    for number in 0..1000 {
        sender.send(&bench::mail(&format!("#{number}")));
    }
    running.control.stop();
    running.control.stop();
    let ended = running.ended_ref();
    assert_eq!((ended.status, ended.failure.is_none()), (Some(0), true), "{ended:?}");
    // What was sent before it was stopped is there, and the last counters agree with it.
    let facts = running.facts();
    let interface = &facts.files[0].interfaces.kept()[0];
    assert_eq!(interface.statistics.dropped_by_system, Some(0));
    assert_eq!(interface.statistics.received, Some(interface.packets));
    assert!(interface.packets >= 1001);
    assert!(facts.is_sound());
}

fn drops() {
    let mut sender = Sender::on("right0");
    let mut request = request(&["left0"], mail());
    request.ring = 1;
    let running = Running::start(&own(), &request);
    running.warm(&mut sender);
    running.pause(true);
    let large = bench::large_mail();
    for _ in 0..20_000 {
        sender.send(&large);
    }
    running.pause(false);
    let dropped = running.wait_for_drops(&mut sender);
    println!("  dropped: {dropped}");
    let facts = running.stop_and_facts();
    let interface = &facts.files[0].interfaces.kept()[0];
    let (received, dropped) = (
        interface.statistics.received.unwrap(),
        interface.statistics.dropped_by_system.unwrap(),
    );
    assert!(dropped > 0);
    assert_eq!(received, interface.packets + dropped);
}

fn down_and_up() {
    for program in programs() {
        let mut sender = Sender::on("right0");
        let running = Running::start(&program, &request(&["left0"], mail()));
        running.warm(&mut sender);
        let tells = matches!(program, Program::Own(_));
        ip(&["link", "set", "left0", "down"]);
        if tells {
            running.wait_for_line("interface is down");
        }
        ip(&["link", "set", "left0", "up"]);
        if tells {
            running.wait_for_line("interface is up again");
        }
        running.wait_for_again("back", &mut sender);
        let ended = running.stop();
        assert!(ended.failure.is_none(), "{program:?}: {ended:?}");
    }
}

fn removed() {
    for program in programs() {
        bench::pairs();
        let mut sender = Sender::on("right0");
        let running = Running::start(&program, &request(&["left0"], mail()));
        running.warm(&mut sender);
        ip(&["link", "del", "left0"]);
        let ended = running.ended();
        let gone = matches!(ended.failure, Some(Failure::InterfaceGone(..)));
        assert!(gone, "{program:?}: {ended:?}");
    }
}

fn unread() {
    use std::process::Stdio;
    let mut command = Command::new(env!("CARGO_BIN_EXE_smtpcap-capture"));
    command.args(["-i", "left0"]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let began = Instant::now();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
    assert!(began.elapsed() < Duration::from_millis(1_500), "{:?}", began.elapsed());
}
