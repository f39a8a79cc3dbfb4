//! A request → the command line of each capture program.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use super::Request;
use super::failure::Failure;
use super::interfaces::is_ethernet;
use super::program::Program;
use crate::sandbox::Identity;

/// The command that captures; standard output is the stream, standard error the messages.
pub(super) fn command(program: &Program, request: &Request) -> Result<Command, Failure> {
    if request.interfaces.is_empty() {
        return Err(Failure::NoInterface);
    }
    let mut command = match program {
        Program::Own(path) => {
            let mut command = Command::new(path);
            command.args(own(request));
            command
        }
        Program::Dumpcap(path) => with_network_rights(path.as_os_str(), request, dumpcap(request)),
        Program::Tcpdump(path) => {
            let mut command = Command::new(path);
            command.args(tcpdump(program, request)?);
            command
        }
    };
    command
        // So that their messages can be told apart.
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ok(command)
}

/// The filter for an interface; `None` for everything.
fn filter<'a>(request: &'a Request, interface: &str) -> Option<&'a str> {
    let filter = if is_ethernet(interface) {
        &request.filter.ethernet
    } else {
        &request.filter.other
    };
    Some(filter.as_str()).filter(|filter| !filter.is_empty())
}

fn own(request: &Request) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = Vec::new();
    for interface in &request.interfaces {
        arguments.push(format!("--interface={interface}").into());
    }
    arguments.push(format!("--filter={}", request.filter.ethernet).into());
    arguments.push(format!("--filter-other={}", request.filter.other).into());
    arguments.push(format!("--snap-length={}", request.snap_length).into());
    arguments.push(format!("--ring={}", request.ring).into());
    if !request.promiscuous {
        arguments.push("--no-promiscuous".into());
    }
    if request.immediate {
        arguments.push("--immediate".into());
    }
    if let Some(user) = &request.user {
        arguments.push(format!("--user={}:{}", user.uid, user.gid).into());
    }
    arguments
}

fn dumpcap(request: &Request) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["-q".into(), "-n".into(), "-w".into(), "-".into()];
    for interface in &request.interfaces {
        arguments.push("-i".into());
        arguments.push(interface.into());
        if let Some(filter) = filter(request, interface) {
            arguments.push("-f".into());
            arguments.push(filter.into());
        }
        arguments.push("-s".into());
        arguments.push(request.snap_length.to_string().into());
        arguments.push("-B".into());
        arguments.push(request.ring.to_string().into());
        if !request.promiscuous {
            arguments.push("-p".into());
        }
    }
    arguments
}

fn tcpdump(program: &Program, request: &Request) -> Result<Vec<OsString>, Failure> {
    let [interface] = request.interfaces.as_slice() else {
        return Err(Failure::OneInterfaceOnly(program.clone()));
    };
    let mut arguments: Vec<OsString> = ["-U", "-n", "--time-stamp-precision=nano", "-w", "-", "-i"]
        .map(OsString::from)
        .to_vec();
    arguments.push(interface.into());
    arguments.push("-s".into());
    arguments.push(request.snap_length.to_string().into());
    arguments.push("-B".into());
    arguments.push(request.ring.saturating_mul(1024).to_string().into());
    if !request.promiscuous {
        arguments.push("-p".into());
    }
    if request.immediate {
        arguments.push("--immediate-mode".into());
    }
    if let Some(user) = request.user.as_ref().filter(|_| Identity::must_change()) {
        arguments.push("-Z".into());
        arguments.push((&user.name).into());
    }
    if let Some(filter) = filter(request, interface) {
        arguments.push("--".into());
        arguments.push(filter.into());
    }
    Ok(arguments)
}

/// dumpcap stays root where root starts it, and could then not be stopped by the user we become. So it is started as
/// that user with the two network capabilities, through `setpriv` of util-linux.
fn with_network_rights(path: &std::ffi::OsStr, request: &Request, arguments: Vec<OsString>) -> Command {
    const CAPABILITIES: &str = "-all,+net_raw,+net_admin";
    let user = request.user.as_ref().filter(|_| Identity::must_change());
    let setpriv = super::program::on_path(std::path::Path::new("setpriv"));
    let (Some(user), Some(setpriv)) = (user, setpriv) else {
        let mut command = Command::new(path);
        command.args(arguments);
        return command;
    };
    let mut command = Command::new(setpriv);
    command
        .arg(format!("--reuid={}", user.uid))
        .arg(format!("--regid={}", user.gid))
        .arg("--clear-groups")
        .arg(format!("--inh-caps={CAPABILITIES}"))
        .arg(format!("--ambient-caps={CAPABILITIES}"))
        .arg("--")
        .arg(path)
        .args(arguments);
    command
}
