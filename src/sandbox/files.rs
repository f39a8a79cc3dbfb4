//! Landlock: the folders and files that stay reachable, and no TCP.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
};

use super::{Permissions, Refused, State};

/// What is asked for; an older kernel gives what it has.
const ASKED: ABI = ABI::V6;

/// Read by the time library when local times are shown; absent on some systems.
const TIME_ZONES: [&str; 3] = ["/usr/share/zoneinfo", "/etc/localtime", "/etc/timezone"];

/// Restricts this thread, and all that it starts, to the paths permitted.
pub(super) fn restrict(permissions: &Permissions) -> Result<State, Refused> {
    writable(permissions)?;
    let rules = match create() {
        Ok(rules) => rules,
        Err(error) => return Ok(State::Failed(error.to_string())),
    };
    let rules = permit(rules, permissions)?;
    let status = match rules.and_then(RulesetCreated::restrict_self) {
        Ok(status) => status,
        Err(error) => return Ok(State::Failed(error.to_string())),
    };
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => State::Applied,
        RulesetStatus::PartiallyEnforced => State::Partly,
        RulesetStatus::NotEnforced => State::NotSupported,
    })
}

fn create() -> Result<RulesetCreated, landlock::RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ASKED))?
        .handle_access(AccessNet::from_all(ASKED))?
        // Not Scope::Signal: the capture program was started outside and must be stopped.
        .scope(Scope::AbstractUnixSocket)?
        .create()
}

type Rules = Result<RulesetCreated, landlock::RulesetError>;

fn permit(mut rules: RulesetCreated, permissions: &Permissions) -> Result<Rules, Refused> {
    let zones = TIME_ZONES
        .iter()
        .map(PathBuf::from)
        .filter(|path| path.exists())
        .collect::<Vec<_>>();
    let wanted = [
        (zones.as_slice(), reading()),
        (permissions.read.as_slice(), reading()),
        (permissions.write_below.as_slice(), reading() | writing()),
    ];
    for (paths, access) in wanted {
        for path in paths {
            let opened = PathFd::new(path).map_err(|_| refusal(path))?;
            let access = if path.is_dir() {
                access
            } else {
                access & AccessFs::from_file(ASKED)
            };
            rules = match rules.add_rule(PathBeneath::new(opened, access)) {
                Ok(rules) => rules,
                Err(error) => return Ok(Err(error)),
            };
        }
    }
    Ok(Ok(rules))
}

fn reading() -> BitFlags<AccessFs> {
    AccessFs::ReadFile | AccessFs::ReadDir
}

fn writing() -> BitFlags<AccessFs> {
    AccessFs::WriteFile | AccessFs::MakeReg | AccessFs::RemoveFile | AccessFs::Truncate
}

/// The crate's error hides the system's; a second look brings it out.
fn refusal(path: &Path) -> Refused {
    let error = std::fs::metadata(path).map_or_else(
        |error| error,
        |_| std::io::Error::from(std::io::ErrorKind::PermissionDenied),
    );
    Refused::Path(path.to_owned(), error)
}

/// Tells now, not at the first failed session, that the user we became cannot write where it must.
fn writable(permissions: &Permissions) -> Result<(), Refused> {
    use rustix::fs::{Access as Mode, access};
    for folder in &permissions.write_below {
        if let Err(error) = std::fs::metadata(folder) {
            return Err(Refused::Path(folder.clone(), error));
        }
        if access(folder, Mode::WRITE_OK | Mode::EXEC_OK).is_err() {
            return Err(Refused::Unwritable(folder.clone()));
        }
    }
    Ok(())
}
