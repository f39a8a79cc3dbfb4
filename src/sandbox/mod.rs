//! The walls around the process that decodes hostile octets: no privilege, no new one, few system calls, few files.
//!
//! In: [`Permissions`], what the rest of the run still needs. Out: [`Applied`], each [`Piece`] with what became of it, or
//! [`Refused`]. Must be entered before the first frame is decoded and before any thread is started (capabilities and
//! Landlock belong to a thread). Knows no other room and says no sentence. Linux; elsewhere every piece is
//! [`State::NotSupported`].
//!
//! ```text
//! identity (whom to become) → privileges (ids, capabilities, no_new_privs) → files (Landlock) → calls (seccomp) → verify
//! ```
//!
//! Privileges are given up at every [`Level`], or the run is refused: what cannot be had on an older kernel is only
//! Landlock and seccomp. What is said to be applied was asked back from the kernel.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod files;
mod identity;
#[cfg(target_os = "linux")]
mod privileges;

use std::io;
use std::path::PathBuf;

pub use identity::{Identity, NoSuchUser, own_folder};

/// How much of the sandbox must be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Level {
    /// Every piece, or no run.
    Strict,
    /// What the kernel has; the rest is told.
    #[default]
    Auto,
    /// No Landlock, no seccomp, no no_new_privs. Privileges are given up all the same.
    Off,
}

/// What the run still needs once the sandbox is entered. Everything else is refused by the kernel.
#[derive(Clone, Debug, Default)]
pub struct Permissions {
    /// How much must be there.
    pub level: Level,
    /// Whom to become when started as root; nobody where `None`.
    pub user: Option<Identity>,
    /// Folders below which files are made, written, renamed and removed. They must exist.
    pub write_below: Vec<PathBuf>,
    /// Files and folders that are opened for reading later on, besides the time zones.
    pub read: Vec<PathBuf>,
    /// A listening socket was bound before: connections to it are accepted. No socket can be made either way.
    pub listener: bool,
    /// The one process that may be sent a signal: the capture program.
    pub child: Option<u32>,
}

/// A part of the sandbox.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Piece {
    /// Neither a user nor a group id of root.
    User,
    /// No capability in any set.
    Capabilities,
    /// No program that is executed can give a privilege (`no_new_privs`).
    NoNewPrivileges,
    /// Landlock: only the files and folders permitted, no TCP.
    Files,
    /// seccomp: only the system calls on a list.
    Calls,
}

impl Piece {
    /// All of them, in the order they are applied.
    pub const ALL: [Self; 5] = [
        Self::User,
        Self::Capabilities,
        Self::NoNewPrivileges,
        Self::Files,
        Self::Calls,
    ];
}

/// What became of a piece.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// In force, as asked back from the kernel where the kernel can tell.
    Applied,
    /// In force as far as this kernel goes: it is older than some of what was asked for (Landlock).
    Partly,
    /// This kernel or system does not have it.
    NotSupported,
    /// Left out, because [`Level::Off`] was asked for.
    LeftOut,
    /// The kernel has it and refused it.
    Failed(String),
}

/// The sandbox as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    /// Each piece and what became of it, in the order of [`Piece::ALL`].
    pub pieces: Vec<(Piece, State)>,
}

impl Applied {
    /// What became of a piece.
    #[must_use]
    pub fn state(&self, piece: Piece) -> &State {
        self.pieces
            .iter()
            .find(|(of, _)| *of == piece)
            .map_or(&State::NotSupported, |(_, state)| state)
    }
}

/// Why the run must not go on.
#[derive(Debug)]
pub enum Refused {
    /// The user to become is root.
    Root,
    /// Threads were running already: their capabilities could not be taken.
    Threads(usize),
    /// User, groups or capabilities could not be given up.
    Privileges(io::Error),
    /// A privilege is still there after it was given up.
    StillPrivileged,
    /// A folder or file that was permitted cannot be opened.
    Path(PathBuf, io::Error),
    /// The user we became cannot write into a folder that was permitted.
    Unwritable(PathBuf),
    /// [`Level::Strict`], and these pieces are not in force.
    Missing(Vec<(Piece, State)>),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{self:?}")
    }
}

impl std::error::Error for Refused {}

/// Enters the sandbox; there is no way back. Call it before any thread is started and before the first frame.
///
/// # Errors
/// See [`Refused`]: the caller must end the run, for part of the sandbox may be in force already.
#[cfg(target_os = "linux")]
pub fn enter(permissions: &Permissions) -> Result<Applied, Refused> {
    let off = permissions.level == Level::Off;
    let mut pieces = privileges::give_up(permissions)?;
    let mut piece = |piece: Piece, apply: &dyn Fn() -> Result<State, Refused>| {
        let state = if off { State::LeftOut } else { apply()? };
        pieces.push((piece, state));
        Ok(())
    };
    piece(Piece::NoNewPrivileges, &|| Ok(privileges::no_new()))?;
    piece(Piece::Files, &|| files::restrict(permissions))?;
    piece(Piece::Calls, &|| Ok(calls::restrict(permissions)))?;
    demand(permissions.level, pieces)
}

/// Enters the sandbox: this system has none of its pieces.
///
/// # Errors
/// Under [`Level::Strict`].
#[cfg(not(target_os = "linux"))]
pub fn enter(permissions: &Permissions) -> Result<Applied, Refused> {
    let pieces = Piece::ALL.map(|piece| (piece, State::NotSupported)).to_vec();
    demand(permissions.level, pieces)
}

/// Under [`Level::Strict`], every piece must be in force.
fn demand(level: Level, pieces: Vec<(Piece, State)>) -> Result<Applied, Refused> {
    let in_force = |state: &State| matches!(state, State::Applied | State::Partly);
    if level == Level::Strict && !pieces.iter().all(|(_, state)| in_force(state)) {
        let missing = pieces.into_iter().filter(|(_, state)| !in_force(state)).collect();
        return Err(Refused::Missing(missing));
    }
    Ok(Applied { pieces })
}
