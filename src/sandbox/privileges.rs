//! User and group ids, capabilities, `no_new_privs`: given up for good, then asked back from the kernel.

use std::io;

use nix::unistd::{Gid, Uid, getegid, geteuid, getgid, getuid, setgroups, setresgid, setresuid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set, clear_ambient_capability_set,
    no_new_privs, remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

use super::{Identity, Level, Permissions, Piece, Refused, State};

/// Becomes the user asked for where it runs as root, and gives up every capability.
pub(super) fn give_up(permissions: &Permissions) -> Result<Vec<(Piece, State)>, Refused> {
    match threads() {
        Some(1) => {}
        // Without /proc the count is not known; strict wants to know.
        None if permissions.level != Level::Strict => {}
        count => return Err(Refused::Threads(count.unwrap_or(0))),
    }
    become_user(permissions)?;
    // Only the sets of this thread can be emptied; there is no other.
    ignore_missing(clear_ambient_capability_set())?;
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, none).map_err(|error| Refused::Privileges(error.into()))?;
    verify()?;
    Ok(vec![
        (Piece::User, State::Applied),
        (Piece::Capabilities, State::Applied),
    ])
}

fn become_user(permissions: &Permissions) -> Result<(), Refused> {
    if !Identity::must_change() {
        // Started by somebody else through a set-user-id bit: back to the one who started it.
        let (uid, gid) = (getuid(), getgid());
        if (uid, gid) != (geteuid(), getegid()) {
            change(uid, gid)?;
        }
        return Ok(());
    }
    let user = permissions.user.clone().unwrap_or_else(Identity::nobody);
    if user.is_root() {
        return Err(Refused::Root);
    }
    empty_bounding_set()?;
    setgroups(&[]).map_err(|error| Refused::Privileges(error.into()))?;
    change(Uid::from_raw(user.uid), Gid::from_raw(user.gid))
}

fn change(uid: Uid, gid: Gid) -> Result<(), Refused> {
    setresgid(gid, gid, gid).map_err(|error| Refused::Privileges(error.into()))?;
    setresuid(uid, uid, uid).map_err(|error| Refused::Privileges(error.into()))
}

/// So that not even a program with file capabilities could bring one back.
fn empty_bounding_set() -> Result<(), Refused> {
    for number in 0..64 {
        let one = CapabilitySet::from_bits_retain(1 << number);
        match capability_is_in_bounding_set(one) {
            Ok(true) => match remove_capability_from_bounding_set(one) {
                // Root in a container may lack CAP_SETPCAP; no_new_privs does the same work there.
                Ok(()) | Err(rustix::io::Errno::PERM) => {}
                Err(error) => return Err(Refused::Privileges(error.into())),
            },
            Ok(false) => {}
            // Behind the last capability this kernel knows.
            Err(_) => break,
        }
    }
    Ok(())
}

/// Kernels before 4.3 have no ambient set.
fn ignore_missing(result: rustix::io::Result<()>) -> Result<(), Refused> {
    match result {
        Ok(()) | Err(rustix::io::Errno::INVAL) => Ok(()),
        Err(error) => Err(Refused::Privileges(error.into())),
    }
}

/// Asks the kernel what is left.
fn verify() -> Result<(), Refused> {
    let left = capabilities(None).map_err(|error| Refused::Privileges(error.into()))?;
    let empty = left.effective.is_empty() && left.permitted.is_empty() && left.inheritable.is_empty();
    let root = [getuid(), geteuid()].iter().any(|id| id.is_root());
    // Whoever can become root again still is.
    let way_back = setresuid(Uid::from_raw(0), Uid::from_raw(0), Uid::from_raw(0)).is_ok();
    if empty && !root && !way_back {
        Ok(())
    } else {
        Err(Refused::StillPrivileged)
    }
}

/// Sets `no_new_privs` and asks it back.
pub(super) fn no_new() -> State {
    let set = set_no_new_privs(true).and_then(|()| no_new_privs());
    match set {
        Ok(true) => State::Applied,
        Ok(false) => State::NotSupported,
        Err(rustix::io::Errno::INVAL) => State::NotSupported,
        Err(error) => State::Failed(io::Error::from(error).to_string()),
    }
}

/// Threads of this process; `None` where /proc does not tell.
fn threads() -> Option<usize> {
    std::fs::read_dir("/proc/self/task").ok().map(Iterator::count)
}
