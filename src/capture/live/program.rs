//! Which capture program is installed, and which of them may capture.

use std::path::{Path, PathBuf};

use super::failure::Failure;

/// Our own, beside this program or on the search path.
const OWN: &str = "smtpcap-capture";
/// Where administrators' programs lie that an ordinary user's search path leaves out.
const FURTHER_FOLDERS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// A capture program and where it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Program {
    /// `smtpcap-capture`: several interfaces, drops told every second, restart of an interface survived.
    Own(PathBuf),
    /// Wireshark's: several interfaces, drops told at the end.
    Dumpcap(PathBuf),
    /// One interface, drops told at the end.
    Tcpdump(PathBuf),
}

impl Program {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Own(path) | Self::Dumpcap(path) | Self::Tcpdump(path) => path,
        }
    }

    /// The program at a path, by its name; anything unknown is taken for one that understands our own arguments.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match name.as_ref() {
            "dumpcap" => Self::Dumpcap(path.to_owned()),
            "tcpdump" => Self::Tcpdump(path.to_owned()),
            _ => Self::Own(path.to_owned()),
        }
    }

    /// Whether it may open an interface when we start it: as root, by file capabilities, by a set-user-id bit, or by
    /// capabilities that are handed on to it.
    #[must_use]
    pub fn may_capture(&self) -> bool {
        may_capture(self.path())
    }
}

/// The program to capture with: the one asked for, else the best that may capture, else the best there is.
///
/// # Errors
/// [`Failure::NoProgram`] where none is installed, [`Failure::ProgramNotFound`] where the one asked for is not there.
pub fn find(asked: Option<&Path>) -> Result<Program, Failure> {
    if let Some(asked) = asked {
        let found = if asked.components().count() > 1 {
            Some(asked.to_owned()).filter(|path| is_program(path))
        } else {
            on_path(asked)
        };
        return found
            .map(|path| Program::at(&path))
            .ok_or_else(|| Failure::ProgramNotFound(asked.to_owned()));
    }
    let candidates = candidates();
    candidates
        .iter()
        .find(|program| program.may_capture())
        .or(candidates.first())
        .cloned()
        .ok_or(Failure::NoProgram)
}

/// What is installed, the best first.
fn candidates() -> Vec<Program> {
    let beside = std::env::current_exe()
        .ok()
        .map(|path| path.with_file_name(OWN))
        .filter(|path| is_program(path));
    let own = beside.or_else(|| on_path(Path::new(OWN))).map(Program::Own);
    let dumpcap = on_path(Path::new("dumpcap")).map(Program::Dumpcap);
    let tcpdump = on_path(Path::new("tcpdump")).map(Program::Tcpdump);
    [own, dumpcap, tcpdump].into_iter().flatten().collect()
}

pub(super) fn on_path(name: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        // An empty entry would be the current folder: nothing is started from there.
        .filter(|folder| folder.is_absolute())
        .chain(FURTHER_FOLDERS.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|path| is_program(path))
}

#[cfg(target_os = "linux")]
fn is_program(path: &Path) -> bool {
    use rustix::fs::{Access, access};
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(target_os = "linux")]
fn may_capture(path: &Path) -> bool {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use rustix::fs::getxattr;
    use rustix::thread::{CapabilitySet, capabilities, capability_is_in_ambient_set};

    let own = capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::NET_RAW));
    let handed_on = capability_is_in_ambient_set(CapabilitySet::NET_RAW).unwrap_or(false);
    if (own && rustix::process::geteuid().is_root()) || handed_on {
        return true;
    }
    // Neither helps where no program may gain a privilege.
    if rustix::thread::no_new_privs().unwrap_or(false) {
        return false;
    }
    let mut value = [0_u8; 64];
    let capable = getxattr(path, "security.capability", &mut value[..]).is_ok_and(|length| length > 0);
    let as_root = std::fs::metadata(path).is_ok_and(|data| data.uid() == 0 && data.permissions().mode() & 0o4000 != 0);
    capable || as_root
}

#[cfg(not(target_os = "linux"))]
fn may_capture(_: &Path) -> bool {
    false
}
