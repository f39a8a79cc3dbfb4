//! User, groups, capabilities: given up once the interfaces are open, before a thread or a packet exists.

use nix::unistd::{Gid, Group, Uid, User, geteuid, getgid, getuid, setgroups, setresgid, setresuid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set, set_capabilities, set_no_new_privs,
};

use crate::Failure;

/// The user without rights, where the system names none.
const NOBODY: u32 = 65_534;

/// Whom to become, looked up before anything is opened; `None` where the program does not run as root.
pub fn user(asked: Option<&str>) -> Result<Option<(Uid, Gid)>, Failure> {
    if !geteuid().is_root() && !getuid().is_root() {
        return Ok(None);
    }
    let (uid, gid) = match asked {
        Some(asked) => look_up(asked).ok_or_else(|| Failure::Usage(format!("{asked}: no such user")))?,
        None => look_up("nobody").unwrap_or((Uid::from_raw(NOBODY), Gid::from_raw(NOBODY))),
    };
    if uid.is_root() || gid.as_raw() == 0 {
        return Err(Failure::Usage("--user: root is what is given up".to_owned()));
    }
    Ok(Some((uid, gid)))
}

/// `name`, `name:group`, numbers for either.
fn look_up(asked: &str) -> Option<(Uid, Gid)> {
    let (user, group) = asked
        .split_once(':')
        .map_or((asked, None), |(user, group)| (user, Some(group)));
    let known = match user.parse() {
        Ok(number) => User::from_uid(Uid::from_raw(number)),
        Err(_) => User::from_name(user),
    };
    let known = known.ok().flatten();
    let uid = known
        .as_ref()
        .map(|user| user.uid)
        .or_else(|| user.parse().ok().map(Uid::from_raw))?;
    let gid = match group {
        Some(group) => group
            .parse()
            .ok()
            .map(Gid::from_raw)
            .or_else(|| Some(Group::from_name(group).ok()??.gid))?,
        None => known?.gid,
    };
    Some((uid, gid))
}

/// Gives everything up, and asks the kernel whether it is gone.
pub fn give_up(user: Option<(Uid, Gid)>) -> Result<(), Failure> {
    let failed = |what: &str| Failure::Other(format!("cannot give up {what}"));
    if let Some((uid, gid)) = user {
        setgroups(&[]).map_err(|_| failed("groups"))?;
        setresgid(gid, gid, gid).map_err(|_| failed("the group"))?;
        setresuid(uid, uid, uid).map_err(|_| failed("root"))?;
    } else {
        // Behind a set-user-id bit: back to who started it.
        let (uid, gid) = (getuid(), getgid());
        setresgid(gid, gid, gid).map_err(|_| failed("the group"))?;
        setresuid(uid, uid, uid).map_err(|_| failed("the user"))?;
    }
    // Kernels before 4.3 have no ambient set.
    let _ = clear_ambient_capability_set();
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, none).map_err(|_| failed("capabilities"))?;
    let left = capabilities(None).map_err(|_| failed("capabilities"))?;
    let _ = set_no_new_privs(true);
    if !(left.effective.is_empty() && left.permitted.is_empty()) || geteuid().is_root() {
        return Err(failed("every privilege"));
    }
    Ok(())
}
