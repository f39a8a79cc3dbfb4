//! The interfaces of this machine, as /sys lists them: no privilege and no capture program is needed to ask.

use std::path::Path;

/// The name of all interfaces together.
pub const ANY: &str = "any";

const FOLDER: &str = "/sys/class/net";
/// ARPHRD_ETHER, and ARPHRD_LOOPBACK, which has an Ethernet header too.
const ETHERNET: [&str; 2] = ["1", "772"];

/// An interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedInterface {
    /// Its name.
    pub name: String,
    /// Whether it is up; `None` where the driver does not tell.
    pub up: Option<bool>,
    /// Its frames begin with an Ethernet header.
    pub ethernet: bool,
    /// Its speed in Mbit/s, where the driver tells.
    pub speed: Option<u32>,
    /// Its MTU in octets, where told.
    pub mtu: Option<u32>,
}

/// All interfaces by name, [`ANY`] last; empty where the system does not tell.
#[must_use]
pub fn interfaces() -> Vec<ListedInterface> {
    let Ok(entries) = std::fs::read_dir(FOLDER) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        // A bonding master's control file lies among the interfaces.
        .filter(|name| Path::new(FOLDER).join(name).is_dir())
        .collect();
    names.sort();
    let mut listed: Vec<ListedInterface> = names.into_iter().map(look_up).collect();
    listed.push(ListedInterface {
        name: ANY.to_owned(),
        up: None,
        ethernet: false,
        speed: None,
        mtu: None,
    });
    listed
}

/// Whether frames of an interface begin with an Ethernet header; true where it is not known.
pub(super) fn is_ethernet(name: &str) -> bool {
    name != ANY && read(name, "type").is_none_or(|kind| ETHERNET.contains(&kind.as_str()))
}

fn look_up(name: String) -> ListedInterface {
    let up = match read(&name, "operstate").as_deref() {
        Some("up") => Some(true),
        Some("down" | "lowerlayerdown" | "notpresent" | "dormant") => Some(false),
        // The loopback and some tunnels are never told apart: then the flag IFF_UP decides.
        _ => read(&name, "flags")
            .and_then(|flags| u32::from_str_radix(flags.trim_start_matches("0x"), 16).ok())
            .map(|flags| flags & 1 != 0),
    };
    ListedInterface {
        up,
        ethernet: is_ethernet(&name),
        speed: read(&name, "speed").and_then(|speed| speed.parse().ok()),
        mtu: read(&name, "mtu").and_then(|mtu| mtu.parse().ok()),
        name,
    }
}

/// A property of an interface. A name with a slash is none.
fn read(name: &str, property: &str) -> Option<String> {
    if name.contains('/') || name.starts_with('.') {
        return None;
    }
    let text = std::fs::read_to_string(Path::new(FOLDER).join(name).join(property)).ok()?;
    Some(text.trim().to_owned())
}
