//! A user as the system knows it: whom a process started as root becomes.

use std::io;
use std::path::Path;

/// A user and a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The user id.
    pub uid: u32,
    /// The group id.
    pub gid: u32,
    /// The user's name, or the number where it has none.
    pub name: String,
}

/// The system has no such user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoSuchUser(pub String);

/// The overflow user of Linux, where the system names no `nobody`.
const NOBODY: u32 = 65_534;

impl Identity {
    /// A user by name, or by number.
    ///
    /// # Errors
    /// When the system has no such user.
    #[cfg(target_os = "linux")]
    pub fn named(name: &str) -> Result<Self, NoSuchUser> {
        use nix::unistd::{Uid, User};
        let found = match name.parse() {
            Ok(number) => User::from_uid(Uid::from_raw(number)),
            Err(_) => User::from_name(name),
        };
        match found {
            Ok(Some(user)) => Ok(Self {
                uid: user.uid.as_raw(),
                gid: user.gid.as_raw(),
                name: user.name,
            }),
            _ => Err(NoSuchUser(name.to_owned())),
        }
    }

    /// A user by name: not on this system.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(target_os = "linux"))]
    pub fn named(name: &str) -> Result<Self, NoSuchUser> {
        Err(NoSuchUser(name.to_owned()))
    }

    /// The user without rights.
    #[must_use]
    pub fn nobody() -> Self {
        Self::named("nobody").unwrap_or_else(|_| Self {
            uid: NOBODY,
            gid: NOBODY,
            name: NOBODY.to_string(),
        })
    }

    /// Whether the user or its group is root.
    #[must_use]
    pub const fn is_root(&self) -> bool {
        self.uid == 0 || self.gid == 0
    }

    /// Whether this process runs as root, so that it must become somebody else before it decodes.
    #[must_use]
    pub fn must_change() -> bool {
        #[cfg(target_os = "linux")]
        return nix::unistd::geteuid().is_root() || nix::unistd::getuid().is_root();
        #[cfg(not(target_os = "linux"))]
        return false;
    }
}

/// Makes a folder for output, 0700, where there is none; a new one belongs to the user that the process is going to
/// become (`None`: stays as it is). Call it before the sandbox is entered.
///
/// # Errors
/// What the system says.
pub fn own_folder(path: &Path, owner: Option<&Identity>) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)?;
    #[cfg(unix)]
    if let Some(owner) = owner {
        std::os::unix::fs::chown(path, Some(owner.uid), Some(owner.gid))?;
    }
    #[cfg(not(unix))]
    let _ = owner;
    Ok(())
}
