//! The bench of the capture tests: a namespace, veth pairs, frames with a name inside, a program that runs.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use pcap::{Active, Capture};
use smtpcap::capture::live::{Control, Ended, Filter, Program, Request, start};
use smtpcap::capture::{CaptureFacts, Input, Reader};
use smtpcap::sandbox::Identity;
use smtpcap_testkit::frame::{ACK, PSH, Segment, ethernet, fragments, icmp_error, ip_packet};

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Moves this process, of one thread, into a network of its own, with a /sys that shows it.
pub fn enter() -> Result<(), String> {
    if !nix::unistd::geteuid().is_root() {
        return Err("not root: no network namespace can be made".to_owned());
    }
    if Command::new("ip").arg("-V").output().is_err() {
        return Err("ip (iproute2) is not installed".to_owned());
    }
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS)
        .map_err(|error| format!("no network namespace: {error}"))?;
    let none = None::<&str>;
    let private = mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none);
    private.map_err(|error| format!("no mounts of its own: {error}"))?;
    // Without it /sys shows the other network; everything but the list works all the same.
    let _ = mount(Some("sysfs"), "/sys", Some("sysfs"), MsFlags::empty(), none);
    let pair = ["link", "add", "left0", "type", "veth", "peer", "name", "right0"];
    let made = Command::new("ip").args(pair).output();
    match made {
        Ok(output) if output.status.success() => Ok(()),
        other => Err(format!("no veth pair: {other:?}")),
    }
}

/// Runs ip(8).
pub fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().unwrap();
    assert!(output.status.success(), "ip {arguments:?}: {output:?}");
}

/// Fresh pairs left0–right0 and left1–right1, up, without addresses of their own.
pub fn pairs() {
    ip(&["link", "set", "lo", "up"]);
    for number in ["0", "1"] {
        let (left, right) = (format!("left{number}"), format!("right{number}"));
        let _ = Command::new("ip").args(["link", "del", &left]).output();
        ip(&["link", "add", &left, "type", "veth", "peer", "name", &right]);
        for end in [&left, &right] {
            // The kernel's own chatter (router solicitations) stays out.
            let _ = std::fs::write(format!("/proc/sys/net/ipv6/conf/{end}/disable_ipv6"), "1");
            ip(&["link", "set", end, "up"]);
        }
    }
}

/// What to capture, with the defaults of the program.
pub fn request(interfaces: &[&str], filter: Filter) -> Request {
    Request {
        interfaces: interfaces.iter().map(ToString::to_string).collect(),
        filter,
        user: Some(Identity::nobody()),
        ..Request::default()
    }
}

/// Sends frames as they are.
pub struct Sender(Capture<Active>);

impl Sender {
    pub fn on(interface: &str) -> Self {
        Self(Capture::from_device(interface).unwrap().open().unwrap())
    }

    pub fn send(&mut self, frame: &[u8]) {
        self.0.sendpacket(frame).unwrap();
    }
}

fn socket(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn segment(name: &str, port: u16) -> Segment {
    let mut segment = Segment::new(
        socket("192.0.2.9:40000"),
        SocketAddr::new(address("198.51.100.7"), port),
    );
    segment.flags = PSH | ACK;
    segment.payload = marked(name);
    segment
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The name of a frame, as it lies in it.
fn marked(name: &str) -> Vec<u8> {
    format!("<frame {name}>").into_bytes()
}

/// A frame of port 25.
pub fn mail(name: &str) -> Vec<u8> {
    segment(name, 25).frame()
}

/// A frame of port 25 and 1,400 octets.
pub fn large_mail() -> Vec<u8> {
    let mut segment = segment("large", 25);
    segment.payload.resize(1_400, b'x');
    segment.frame()
}

fn tagged(name: &str, vlans: &[u16]) -> Vec<u8> {
    let mut segment = segment(name, 25);
    segment.vlans = vlans.to_vec();
    segment.frame()
}

fn outer(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ip_packet(
        address("203.0.113.1"),
        address("203.0.113.2"),
        64,
        1,
        false,
        protocol,
        payload,
    )
}

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 7];

/// An Ethernet frame of another EtherType.
fn with_type(kind: u16, payload: &[u8]) -> Vec<u8> {
    [&MAC[..], &MAC[..], &kind.to_be_bytes(), payload].concat()
}

fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).unwrap();
    let header = [40_000, port, length, 0].map(u16::to_be_bytes).concat();
    outer(17, &[header.as_slice(), payload].concat())
}

/// Frames by name: mail in every wrapping, and what is no mail.
pub fn frames() -> Vec<(&'static str, Vec<u8>)> {
    let mut ipv6 = Segment::new(socket("[2001:db8::9]:40000"), socket("[2001:db8::7]:587"));
    ipv6.flags = PSH | ACK;
    ipv6.payload = marked("ipv6");
    let mut long = segment("fragment-1", 25);
    long.payload.resize(100, b'.');
    long.payload.extend(marked("fragment-2"));
    let pieces = fragments(&long.packet(), 104, 7);
    let [first, second, ..] = pieces.as_slice() else {
        panic!("{} fragments", pieces.len())
    };
    let mut other = segment("x", 25);
    other.payload = vec![b'.'; 100];
    other.payload.extend(marked("tagged-fragment-2"));
    let tagged_pieces = fragments(&other.packet(), 104, 8);
    let inner = |name: &str| segment(name, 25).packet();
    let gre = |name: &str| outer(47, &[&[0, 0, 8, 0][..], &inner(name)].concat());
    let vxlan = [&[8, 0, 0, 0, 0, 0, 1, 0][..], &mail("vxlan")].concat();
    let pppoe_length = u16::try_from(inner("pppoe").len() + 2).unwrap().to_be_bytes();
    let pppoe = [&[0x11, 0, 0, 1][..], &pppoe_length, &[0, 0x21], &inner("pppoe")].concat();
    let router = address("192.0.2.1");
    vec![
        ("plain", mail("plain")),
        ("ipv6", ipv6.frame()),
        ("tagged", tagged("tagged", &[100])),
        ("twice-tagged", tagged("twice-tagged", &[200, 100])),
        ("fragment-1", ethernet(MAC, MAC, &[], first)),
        ("fragment-2", ethernet(MAC, MAC, &[], second)),
        (
            "tagged-fragment-2",
            ethernet(MAC, MAC, &[9], tagged_pieces.get(1).unwrap()),
        ),
        (
            "unreachable",
            ethernet(MAC, MAC, &[], &icmp_error(router, &inner("unreachable"), 3, 1, 0, 200)),
        ),
        ("web", segment("web", 443).frame()),
        ("tagged-web", {
            let mut web = segment("tagged-web", 443);
            web.vlans = vec![100];
            web.frame()
        }),
        (
            "echo",
            ethernet(
                MAC,
                MAC,
                &[],
                &outer(1, &[&[8, 0, 0, 0, 0, 1, 0, 1][..], &marked("echo")].concat()),
            ),
        ),
        ("udp", ethernet(MAC, MAC, &[], &udp(25, &marked("udp")))),
        ("gre", ethernet(MAC, MAC, &[], &gre("gre"))),
        ("tagged-gre", ethernet(MAC, MAC, &[100], &gre("tagged-gre"))),
        ("ip-in-ip", ethernet(MAC, MAC, &[], &outer(4, &inner("ip-in-ip")))),
        ("vxlan", ethernet(MAC, MAC, &[], &udp(4789, &vxlan))),
        (
            "mpls",
            with_type(0x8847, &[&[0, 0, 0x11, 64][..], &inner("mpls")].concat()),
        ),
        ("pppoe", with_type(0x8864, &pppoe)),
    ]
}

/// The frames that were read, by the names in them.
#[derive(Default)]
pub struct Seen(Vec<(String, Vec<u8>)>);

impl Seen {
    /// The names, once each, sorted; without the bench's own.
    pub fn names(&self) -> Vec<String> {
        let kept = self
            .0
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "warm" | "end"));
        let names: BTreeMap<&String, ()> = kept.map(|(name, _)| (name, ())).collect();
        names.into_keys().cloned().collect()
    }

    pub fn in_order(&self) -> impl Iterator<Item = String> + '_ {
        self.0.iter().map(|(name, _)| name.clone())
    }

    pub fn frame(&self, name: &str) -> &[u8] {
        let found = self.0.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("{name} is not there")).1
    }
}

/// The name in a frame.
fn name_of(bytes: &[u8]) -> Option<String> {
    let at = bytes.windows(7).position(|window| window == b"<frame ")? + 7;
    let rest = bytes.get(at..)?;
    let end = rest.iter().position(|octet| *octet == b'>')?;
    String::from_utf8(rest.get(..end)?.to_vec()).ok()
}

/// A program that captures, and the thread that reads its stream.
pub struct Running {
    pub pid: u32,
    pub control: Control,
    seen: Arc<Mutex<Seen>>,
    facts: Arc<Mutex<CaptureFacts>>,
    paused: Arc<AtomicBool>,
    lines: Mutex<Vec<String>>,
    reader: Mutex<Option<JoinHandle<()>>>,
}

impl Running {
    pub fn start(program: &Program, request: &Request) -> Self {
        let started = start(program, request).unwrap();
        let pid = started.pid();
        let (input, control) = started.attach();
        Self::read(pid, input, control)
    }

    /// A program started in another way: through a script that stands in for it.
    pub fn of_command(command: Command) -> Self {
        let quoted: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| format!("'{}'", word.to_str().unwrap()))
            .collect();
        let script = std::env::temp_dir().join(format!("smtpcap-probe-{}.sh", std::process::id()));
        std::fs::write(&script, format!("#!/bin/sh\nexec {}\n", quoted.join(" "))).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&script, mode).unwrap();
        Self::start(&Program::at(&script), &request(&["left0"], Filter::default()))
    }

    fn read(pid: u32, input: Input, control: Control) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let facts = Arc::new(Mutex::new(CaptureFacts::default()));
        let paused = Arc::new(AtomicBool::new(false));
        let reader = {
            let (seen, facts, paused) = (Arc::clone(&seen), Arc::clone(&facts), Arc::clone(&paused));
            std::thread::spawn(move || {
                let mut reader = Reader::new([input]);
                // An error is an empty stream: the program says why.
                while let Ok(Some(frame)) = reader.next_frame() {
                    if let Some(name) = name_of(frame.bytes) {
                        seen.lock().unwrap().0.push((name, frame.bytes.to_vec()));
                    }
                    while paused.load(Ordering::Relaxed) {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    facts.lock().unwrap().clone_from(reader.facts());
                }
                *facts.lock().unwrap() = reader.into_facts();
            })
        };
        Self {
            pid,
            control,
            seen,
            facts,
            paused,
            lines: Mutex::new(Vec::new()),
            reader: Mutex::new(Some(reader)),
        }
    }

    fn wait(&self, what: &str, mut there: impl FnMut() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !there() {
            assert!(
                Instant::now() < until,
                "{what} did not come; the program said {:?}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn said(&self) -> Vec<String> {
        let mut lines = self.lines.lock().unwrap();
        lines.extend(self.control.lines());
        lines.clone()
    }

    fn has(&self, name: &str) -> bool {
        self.seen.lock().unwrap().0.iter().any(|(known, _)| known == name)
    }

    /// Sends until something arrives: the program is ready then.
    pub fn warm(&self, sender: &mut Sender) {
        self.wait_for_again("warm", sender);
    }

    pub fn wait_for_again(&self, name: &str, sender: &mut Sender) {
        let mut last: Option<Instant> = None;
        self.wait(name, || {
            if last.is_none_or(|last| last.elapsed() > Duration::from_millis(50)) {
                sender.send(&mail(name));
                last = Some(Instant::now());
            }
            self.has(name)
        });
    }

    pub fn wait_for(&self, name: &str) {
        self.wait(name, || self.has(name));
    }

    pub fn wait_for_line(&self, text: &str) {
        self.wait(text, || self.said().iter().any(|line| line.contains(text)));
    }

    /// Everything up to a last frame.
    pub fn until_end(&self, sender: &mut Sender) -> Seen {
        self.wait_for_again("end", sender);
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    pub fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::Relaxed);
    }

    /// The reader tells what it knows with each frame, so frames go on.
    pub fn wait_for_drops(&self, sender: &mut Sender) -> u64 {
        let mut dropped = 0;
        self.wait("a count of drops", || {
            sender.send(&mail("warm"));
            let facts = self.facts.lock().unwrap();
            let count = facts.files.first().and_then(smtpcap::capture::FileFacts::dropped);
            dropped = count.unwrap_or(0);
            dropped > 0
        });
        dropped
    }

    pub fn stop(self) -> Ended {
        self.control.stop();
        self.ended()
    }

    pub fn ended(self) -> Ended {
        self.ended_ref()
    }

    pub fn ended_ref(&self) -> Ended {
        self.control.ended(PATIENCE).expect("it does not end")
    }

    pub fn stop_and_facts(self) -> CaptureFacts {
        self.control.stop();
        self.facts()
    }

    /// The facts behind the last frame.
    pub fn facts(&self) -> CaptureFacts {
        let reader = self.reader.lock().unwrap().take();
        reader.unwrap().join().unwrap();
        self.facts.lock().unwrap().clone()
    }
}
