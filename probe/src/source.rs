//! An interface that is captured on: opened, filtered, counted, and watched for going away.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::time::Instant;

use pcap::{Active, Capture, Device, Error, Inactive, Linktype, Precision};
use smtpcap_pcapng::{Packet, Statistics};

use crate::arguments::Options;
use crate::output::now;
use crate::{Failure, say};

/// The name of all interfaces together.
const ANY: &str = "any";
/// How long the kernel collects packets before it hands them over, in milliseconds.
const COLLECT: i32 = 50;
/// Link types with an Ethernet header.
const ETHERNET: i32 = 1;

/// An interface.
pub struct Source {
    /// Its name.
    pub name: String,
    /// Its number in the stream.
    pub number: u32,
    /// The filter that chose its packets.
    pub filter: String,
    capture: Capture<Active>,
    state: State,
    counted: Counted,
    began: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Up,
    /// Taken down; looked at again from time to time.
    Down,
    /// Removed: cannot be opened again without a privilege.
    Gone,
}

/// Counters since the beginning. libpcap's are 32 bits wide and wrap within hours.
#[derive(Default)]
struct Counted {
    received: u64,
    dropped: u64,
    dropped_by_interface: u64,
    delivered: u64,
    last: [u32; 3],
}

impl Source {
    /// Opens an interface and sets its filter.
    pub fn open(name: &str, number: u32, options: &Options) -> Result<Self, Failure> {
        let promiscuous = options.promiscuous && name != ANY;
        let opened = match inactive(name, promiscuous, options)?.open() {
            // A mode that the interface does not have is a warning, which the crate takes for an error.
            Err(error) if promiscuous && says(&error, "promisc") => inactive(name, false, options)?.open(),
            other => other,
        };
        let capture = opened.map_err(|error| cannot_open(name, &error))?;
        let mut capture = capture
            .setnonblock()
            .map_err(|error| Failure::Other(format!("{name}: {error}")))?;
        let filter = if capture.get_datalink() == Linktype(ETHERNET) {
            options.filter.clone()
        } else {
            options.filter_other.clone().unwrap_or_else(|| options.filter.clone())
        };
        if !filter.is_empty() {
            capture
                .filter(&filter, true)
                .map_err(|error| Failure::Filter(format!("{name}: filter: {}", text(&error))))?;
        }
        Ok(Self {
            name: name.to_owned(),
            number,
            filter,
            capture,
            state: State::Up,
            counted: Counted::default(),
            began: now(),
        })
    }

    /// The link-layer header of its packets.
    pub fn link_type(&self) -> u16 {
        let Linktype(dlt) = self.capture.get_datalink();
        // libpcap hands out its own numbers; these three differ from those that files use.
        match dlt {
            12 => 101,
            14 => 101,
            other => u16::try_from(other).unwrap_or(u16::MAX),
        }
    }

    /// Whether it can be waited on.
    pub fn is_up(&self) -> bool {
        self.state == State::Up
    }

    /// Whether it is removed.
    pub fn is_gone(&self) -> bool {
        self.state == State::Gone
    }

    /// What to wait on.
    pub fn descriptor(&self) -> impl AsFd + '_ {
        self.capture.as_fd()
    }

    /// Hands over every packet that waits.
    pub fn dispatch(&mut self, mut each: impl FnMut(&Packet<'_>)) {
        let number = self.number;
        let mut delivered = 0;
        let result = self.capture.dispatch(None, |packet| {
            delivered += 1;
            each(&Packet {
                interface: number,
                nanoseconds: nanoseconds(packet.header),
                bytes: packet.data,
                original_length: packet.header.len,
                comment: None,
            });
        });
        self.counted.delivered += delivered;
        match result {
            Ok(0) => {}
            Ok(_) => self.back(),
            Err(Error::TimeoutExpired | Error::NoMorePackets) => {}
            Err(error) => self.failed(&error),
        }
    }

    /// Looks whether the interface was taken down, came back or was removed; call it from time to time. libpcap says
    /// nothing of the first two.
    pub fn look(&mut self, interfaces: &Interfaces) {
        if self.name == ANY || self.is_gone() {
            return;
        }
        match (interfaces.is_up(&self.name), self.state) {
            (Some(true), State::Down) => self.back(),
            (Some(false), State::Up) => self.down(""),
            (None, _) if !self.exists() => self.gone(),
            _ => {}
        }
    }

    fn down(&mut self, why: &str) {
        self.state = State::Down;
        say(&format!("{}: interface is down, waiting for it{why}", self.name));
    }

    fn back(&mut self) {
        if self.state == State::Down {
            self.state = State::Up;
            say(&format!("{}: interface is up again", self.name));
        }
    }

    fn gone(&mut self) {
        self.state = State::Gone;
        say(&format!("{}: interface is gone", self.name));
    }

    fn failed(&mut self, error: &Error) {
        if !self.exists() {
            self.gone();
        } else if self.state == State::Up {
            self.down(&format!(" ({})", text(error)));
        }
    }

    /// Whether an interface of that name is there.
    fn exists(&self) -> bool {
        self.name == ANY || rustix::net::netdevice::name_to_index(self.capture.as_fd(), &self.name).is_ok()
    }

    /// Packets that passed the filter so far, as the kernel counts them now.
    pub fn received(&mut self) -> u64 {
        if let Ok(stat) = self.capture.stats() {
            self.counted.add([stat.received, stat.dropped, stat.if_dropped]);
        }
        self.counted.received
    }

    /// Packets that were handed over or are known to be dropped.
    pub fn accounted_for(&self) -> u64 {
        self.counted.delivered.saturating_add(self.counted.dropped)
    }

    /// Reads the kernel's counters.
    pub fn statistics(&mut self, ended: bool) -> Statistics {
        self.received();
        let time = now();
        Statistics {
            interface: self.number,
            nanoseconds: time,
            began: Some(self.began),
            ended: ended.then_some(time),
            received: Some(self.counted.received),
            dropped: Some(self.counted.dropped_by_interface),
            dropped_by_system: Some(self.counted.dropped),
            delivered: Some(self.counted.delivered),
        }
    }
}

impl Counted {
    fn add(&mut self, read: [u32; 3]) {
        let totals = [&mut self.received, &mut self.dropped, &mut self.dropped_by_interface];
        for ((total, read), last) in totals.into_iter().zip(read).zip(&mut self.last) {
            *total += u64::from(read.wrapping_sub(*last));
            *last = read;
        }
    }
}

fn inactive(name: &str, promiscuous: bool, options: &Options) -> Result<Capture<Inactive>, Failure> {
    let octets = i32::try_from(u64::from(options.ring) * 1024 * 1024).unwrap_or(i32::MAX);
    let capture = Capture::from_device(name).map_err(|error| cannot_open(name, &error))?;
    Ok(capture
        .snaplen(i32::try_from(options.snap_length).unwrap_or(i32::MAX))
        .buffer_size(octets)
        .promisc(promiscuous)
        .immediate_mode(options.immediate)
        .precision(Precision::Nano)
        .timeout(COLLECT))
}

/// In the nanosecond mode that was asked for, the field called microseconds holds nanoseconds.
fn nanoseconds(header: &pcap::PacketHeader) -> u64 {
    let seconds = u64::try_from(header.ts.tv_sec).unwrap_or(0);
    let fraction = u64::try_from(header.ts.tv_usec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(fraction)
}

fn cannot_open(name: &str, error: &Error) -> Failure {
    let told = text(error);
    let has = |words: &[&str]| words.iter().any(|word| says(error, word));
    if has(&["permi", "cap_net"]) {
        return Failure::Permission(format!("{name}: no permission to capture ({told})"));
    }
    if has(&["no such device", "disappeared", "siocgif"]) {
        return Failure::Interface(format!("{name}: no such interface"));
    }
    if has(&["not up", "down"]) {
        return Failure::Interface(format!("{name}: interface is down; ip link set {name} up"));
    }
    Failure::Other(format!("{name}: {told}"))
}

fn text(error: &Error) -> String {
    match error {
        Error::PcapError(text) => text.clone(),
        other => other.to_string(),
    }
}

fn says(error: &Error, word: &str) -> bool {
    text(error).to_lowercase().contains(word)
}

/// Which interfaces there are and whether they are up.
pub struct Interfaces(BTreeMap<String, bool>);

impl Interfaces {
    /// Asks the kernel; without an answer, none is known.
    pub fn now() -> Self {
        let listed = nix::ifaddrs::getifaddrs();
        let of = |address: nix::ifaddrs::InterfaceAddress| {
            let up = address.flags.contains(nix::net::if_::InterfaceFlags::IFF_UP);
            (address.interface_name, up)
        };
        Self(listed.map(|listed| listed.map(of).collect()).unwrap_or_default())
    }

    /// `None` where there is no such interface.
    fn is_up(&self, name: &str) -> Option<bool> {
        self.0.get(name).copied()
    }
}

/// One line an interface: name, state, addresses, description.
pub fn list() -> Result<(), Failure> {
    let devices = Device::list().map_err(|error| Failure::Other(text(&error)))?;
    for device in devices {
        let state = match (device.flags.is_up(), device.flags.is_running()) {
            (true, true) => "running",
            (true, false) => "up",
            (false, _) => "down",
        };
        let addresses: Vec<String> = device
            .addresses
            .iter()
            .map(|address| address.addr.to_string())
            .collect();
        let described = device.desc.unwrap_or_default();
        println!("{}\t{state}\t{}\t{described}", device.name, addresses.join(","));
    }
    Ok(())
}

/// The time the next round begins at the latest; kept here since `Source` decides how late packets may be.
pub fn round(from: Instant) -> Instant {
    from + std::time::Duration::from_millis(COLLECT.unsigned_abs().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_32_bits_wrap_without_a_loss() {
        let mut counted = Counted::default();
        counted.add([u32::MAX - 1, 0, 0]);
        counted.add([3, 0, 0]);
        assert_eq!(counted.received, u64::from(u32::MAX) + 4);
    }
}
