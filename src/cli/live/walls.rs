//! The sandbox of a live run: whom to become, and what must stay reachable.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::cli::args::{Capture, Live, Sandbox};
use crate::cli::capture_messages;
use crate::cli::exit::Stop;
use crate::cli::live::{note, shown};
use crate::sandbox::{self, Identity, Level, Permissions, Piece, State};
use crate::text::{Language, Message};

/// Whom the process becomes: nobody but itself where it is not root.
///
/// # Errors
/// There is no such user.
pub fn owner(capture: &Capture, language: Language) -> Result<Option<Identity>, Stop> {
    if !Identity::must_change() {
        return Ok(None);
    }
    match &capture.user {
        None => Ok(Some(Identity::nobody())),
        Some(name) => Identity::named(name).map(Some).map_err(|_| {
            let values = [("user", shown(name))];
            let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
            Stop::Mend(Message::LiveNoSuchUser.say(language, &values))
        }),
    }
}

/// Enters the sandbox.
///
/// # Errors
/// A privilege is left, a folder cannot be written, or `--sandbox=strict` asks for more than the kernel has.
pub fn enter(
    arguments: &Live,
    owner: Option<Identity>,
    child: Option<u32>,
    listener: bool,
    language: Language,
) -> Result<(), Stop> {
    let folders = [&arguments.ring, &arguments.write_failed];
    let mut write_below: Vec<PathBuf> = folders.into_iter().flatten().cloned().collect();
    write_below.extend(reopened(arguments, owner.as_ref()));
    let permissions = Permissions {
        level: match arguments.capture.sandbox {
            Sandbox::Strict => Level::Strict,
            Sandbox::Auto => Level::Auto,
            Sandbox::Off => Level::Off,
        },
        user: owner,
        write_below,
        read: Vec::new(),
        listener,
        child,
    };
    let applied =
        sandbox::enter(&permissions).map_err(|refused| Stop::Mend(capture_messages::refused(&refused, language)))?;
    let lacks = |(_, state): &(Piece, State)| matches!(state, State::NotSupported | State::Failed(_));
    if arguments.verbose > 0 || applied.pieces.iter().any(lacks) {
        note(&capture_messages::applied(&applied, language));
    }
    Ok(())
}

/// The folder of `-o FILE`, where the file can be opened again in it; where it cannot, SIGHUP says so.
fn reopened(arguments: &Live, owner: Option<&Identity>) -> Option<PathBuf> {
    let file = arguments.output.as_ref()?;
    let folder = match file.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let data = std::fs::metadata(&folder).ok().filter(|data| data.is_dir())?;
    use std::os::unix::fs::MetadataExt;
    let mode = data.mode();
    let may = match owner {
        None => access(&folder, Access::WRITE_OK | Access::EXEC_OK).is_ok(),
        Some(owner) if owner.uid == data.uid() => mode & 0o300 == 0o300,
        Some(owner) if owner.gid == data.gid() => mode & 0o030 == 0o030,
        Some(_) => mode & 0o003 == 0o003,
    };
    may.then_some(folder)
}
