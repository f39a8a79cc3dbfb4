//! The capture program and the sandbox as sentences in the user's language.

use std::path::Path;

use crate::capture::live::{Failure, Program};
use crate::render::encode;
use crate::sandbox::{Applied, Piece, Refused, State};
use crate::text::{Language, Message};

/// Why nothing is captured, and what to install or which command to run.
#[must_use]
pub fn failure(failure: &Failure, language: Language) -> String {
    match failure {
        Failure::NoProgram => Message::NoCaptureProgram.word(language).to_owned(),
        Failure::ProgramNotFound(path) => Message::CaptureProgramNotFound.say(language, &[("path", &shown(path))]),
        Failure::NoInterface => Message::NoInterfaceNamed.word(language).to_owned(),
        Failure::OneInterfaceOnly(program) => Message::OneInterfaceOnly.say(language, &[("program", &name(program))]),
        Failure::CannotStart(program, error) => Message::CannotStartProgram.say(
            language,
            &[("path", &shown(program.path())), ("reason", &error.to_string())],
        ),
        Failure::NoPermission(program) => Message::NoCapturePermission.say(
            language,
            &[("program", &name(program)), ("path", &shown(program.path()))],
        ),
        Failure::NoSuchInterface(program, said) => about(Message::NoSuchInterface, program, said, language),
        Failure::BadFilter(program, said) => about(Message::BadCaptureFilter, program, said, language),
        Failure::InterfaceGone(program, said) => about(Message::InterfaceGone, program, said, language),
        Failure::Stopped {
            program,
            said,
            status,
            signal,
        } => {
            let (how, number) = match (status, signal) {
                (_, Some(signal)) => (Message::EndedBySignal, *signal),
                (status, None) => (Message::EndedWithStatus, status.unwrap_or_default()),
            };
            let how = how.say(language, &[("number", &number.to_string())]);
            let sentence = if said.is_empty() {
                Message::CaptureStoppedSilently
            } else {
                Message::CaptureStopped
            };
            let said = own_words(program, said);
            sentence.say(language, &[("program", &name(program)), ("how", &how), ("said", &said)])
        }
    }
}

/// A line that the capture program said while it runs; what it says of interfaces is said in the user's language.
#[must_use]
pub fn notice(program: &Program, line: &str, language: Language) -> String {
    let told = own_words(program, line);
    let known = told.rsplit_once(": ").and_then(|(interface, what)| {
        let message = match what {
            _ if what.starts_with("interface is down") => Message::InterfaceIsDown,
            "interface is up again" => Message::InterfaceIsUp,
            "interface is gone" => Message::InterfaceIsGone,
            _ => return None,
        };
        Some(message.say(language, &[("name", interface)]))
    });
    known.unwrap_or_else(|| format!("{}: {told}", name(program)))
}

/// Why the sandbox does not let the run go on.
#[must_use]
pub fn refused(refused: &Refused, language: Language) -> String {
    match refused {
        Refused::Root => Message::SandboxRoot.word(language).to_owned(),
        Refused::Threads(count) => Message::SandboxThreads.say(language, &[("count", &count.to_string())]),
        Refused::Privileges(error) => Message::SandboxPrivileges.say(language, &[("reason", &error.to_string())]),
        Refused::StillPrivileged => Message::SandboxStillPrivileged.word(language).to_owned(),
        Refused::Path(path, error) => {
            Message::SandboxPath.say(language, &[("path", &shown(path)), ("reason", &error.to_string())])
        }
        Refused::Unwritable(path) => Message::SandboxUnwritable.say(language, &[("path", &shown(path))]),
        Refused::Missing(pieces) => Message::SandboxMissing.say(language, &[("list", &list(pieces, language))]),
    }
}

/// The sandbox as it stands, in one line.
#[must_use]
pub fn applied(applied: &Applied, language: Language) -> String {
    Message::SandboxInForce.say(language, &[("list", &list(&applied.pieces, language))])
}

fn list(pieces: &[(Piece, State)], language: Language) -> String {
    let separator = match language {
        Language::English => "; ",
        Language::Japanese => "、",
    };
    let said: Vec<String> = pieces
        .iter()
        .map(|(of, state)| {
            let state = match state {
                State::Applied => Message::StateApplied.word(language).to_owned(),
                State::Partly => Message::StatePartly.word(language).to_owned(),
                State::NotSupported => Message::StateNotSupported.word(language).to_owned(),
                State::LeftOut => Message::StateLeftOut.word(language).to_owned(),
                State::Failed(reason) => Message::StateFailed.say(language, &[("reason", reason)]),
            };
            Message::SandboxPiece.say(language, &[("piece", piece(*of).word(language)), ("state", &state)])
        })
        .collect();
    said.join(separator)
}

const fn piece(piece: Piece) -> Message {
    match piece {
        Piece::User => Message::PieceUser,
        Piece::Capabilities => Message::PieceCapabilities,
        Piece::NoNewPrivileges => Message::PieceNoNewPrivileges,
        Piece::Files => Message::PieceFiles,
        Piece::Calls => Message::PieceCalls,
    }
}

fn about(message: Message, program: &Program, said: &str, language: Language) -> String {
    message.say(language, &[("said", &own_words(program, said))])
}

/// What a program said, without its name in front, safe for the terminal.
fn own_words(program: &Program, line: &str) -> String {
    let own = format!("{}: ", name(program));
    encode::terminal(line.strip_prefix(&own).unwrap_or(line).as_bytes()).into_owned()
}

fn name(program: &Program) -> String {
    shown(Path::new(program.path().file_name().unwrap_or_default()))
}

fn shown(path: &Path) -> String {
    encode::terminal(path.as_os_str().as_encoded_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Program {
        Program::at(Path::new("/opt/smtpcap/smtpcap-capture"))
    }

    #[test]
    fn a_missing_permission_names_the_command_to_run() {
        for language in Language::ALL {
            let sentence = failure(&Failure::NoPermission(own()), language);
            assert!(
                sentence.contains("setcap cap_net_raw,cap_net_admin+ep /opt/smtpcap/smtpcap-capture"),
                "{sentence}"
            );
            assert!(!sentence.contains('\n'));
        }
    }

    #[test]
    fn what_happens_to_an_interface_is_said_in_the_users_language() {
        let down = "smtpcap-capture: eth0: interface is down, waiting for it";
        let japanese = notice(&own(), down, Language::Japanese);
        assert!(japanese.starts_with("インターフェースeth0"), "{japanese}");
        let other = notice(&own(), "smtpcap-capture: \x1b[31mred", Language::English);
        assert_eq!(other, "smtpcap-capture: \\x1b[31mred");
    }

    #[test]
    fn the_sandbox_is_one_line() {
        let pieces = vec![
            (Piece::User, State::Applied),
            (Piece::Files, State::NotSupported),
            (Piece::Calls, State::Failed("why".to_owned())),
        ];
        let line = applied(&Applied { pieces }, Language::English);
        assert_eq!(
            line,
            "Sandbox: not root: in force; files and network (Landlock): not supported by this kernel; \
             system calls (seccomp): refused (why)"
        );
    }
}
