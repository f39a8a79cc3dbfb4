//! The command line: arguments in, exit code out. The only room besides `capture` that touches files, terminals and the
//! environment; it decides nothing about mail.

mod apart;
pub mod args;
mod batch;
pub mod capture_messages;
mod environment;
mod exit;
mod filter;
mod help;
mod keylog;
mod list;
mod live;
mod messages;
mod output;
mod pipeline;
mod pool;
mod progress;
mod run;
mod share;

pub use list::schema_document;

use crate::cli::args::Command;
use crate::cli::exit::{ANALYSED, INCOMPLETE, Stop};
use crate::text::Message;

/// Runs the program with the process's arguments; the exit code.
#[must_use]
pub fn run() -> u8 {
    let arguments = match help::parse() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let (result, lang) = match &arguments.command {
        Command::Analyze(command) => (run::analyze(command), command.look.lang),
        Command::Live(command) => (live::live(command), command.look.lang),
        Command::Show(command) => (run::show(command), command.look.lang),
        Command::Explain(command) => (list::explain(command), command.look.lang),
        Command::Rules(command) => (list::rules(command), command.look.lang),
        Command::Schema(command) => (list::schema(command), arguments.lang),
        Command::Completions(command) => (list::completions(command.shell), arguments.lang),
        Command::Man => (list::man(), arguments.lang),
    };
    match result {
        Ok(code) => code,
        Err(Stop::Closed) => ANALYSED,
        Err(Stop::Mend(what)) => {
            if !what.is_empty() {
                eprintln!(
                    "{}",
                    Message::ErrorPrefix.say(environment::language(lang), &[("what", &what)])
                );
            }
            INCOMPLETE
        }
    }
}
