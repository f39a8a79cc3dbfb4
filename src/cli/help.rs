//! The command line in the reader's language: clap speaks English only, so its texts are exchanged before it parses, and
//! its errors are said by us.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches};

use crate::cli::args::{Arguments, Lang};
use crate::cli::environment;
use crate::render::encode;
use crate::render::text::layout::wrap;
use crate::text::{Language, Message, japanese_help};

/// Where lines are broken: clap breaks them at blanks alone, and Japanese has none.
#[derive(Clone, Copy)]
struct Layout {
    /// Columns of the help of an argument.
    help: usize,
    /// Columns of what a command does: it stands behind the command's name in a list.
    about: usize,
}

/// On the screen, readable at 80 columns.
const SCREEN: Layout = Layout { help: 66, about: 60 };
/// In the manual, whose formatter breaks lines itself and puts a blank where it finds one broken.
const MANUAL: Layout = Layout {
    help: usize::MAX,
    about: usize::MAX,
};

/// The parsed command line, or the exit code where there is none: help was asked for, or it is wrong.
///
/// # Errors
/// The exit code: 0 for help and version, 2 for a command line that cannot be understood.
pub fn parse() -> Result<Arguments, u8> {
    let language = asked();
    let parsed = command(language)
        .try_get_matches()
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    parsed.map_err(|error| {
        let help = matches!(
            error.kind(),
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        );
        if language == Language::English || help {
            let _ = error.print();
        } else {
            eprintln!("{}", japanese(&error));
        }
        u8::try_from(error.exit_code()).unwrap_or(2)
    })
}

/// The language that the arguments ask for, before they are parsed; else the environment's.
#[must_use]
pub fn asked() -> Language {
    let mut arguments = std::env::args_os()
        .skip(1)
        .map(|one| one.to_string_lossy().into_owned());
    let mut flag = None;
    while let Some(one) = arguments.next() {
        let value = match one.strip_prefix("--lang") {
            Some("") => arguments.next(),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => continue,
        };
        match value.as_deref() {
            Some("ja") => flag = Some(Lang::Ja),
            Some("en") => flag = Some(Lang::En),
            _ => {}
        }
    }
    environment::language(flag)
}

/// The command with its texts in a language.
#[must_use]
pub fn command(language: Language) -> Command {
    laid_out(language, SCREEN)
}

/// The same for the manual: lines are as long as their text.
#[must_use]
pub fn manual(language: Language) -> Command {
    laid_out(language, MANUAL)
}

fn laid_out(language: Language, layout: Layout) -> Command {
    let command = Arguments::command().disable_help_subcommand(true);
    match language {
        Language::English => command,
        Language::Japanese => translated(command, layout, "").disable_version_flag(true).arg(flag(
            "version",
            'V',
            ArgAction::Version,
            Message::HelpVersion,
        )),
    }
}

fn flag(name: &'static str, short: char, action: ArgAction, help: Message) -> Arg {
    Arg::new(name)
        .short(short)
        .long(name)
        .action(action)
        .help(help.word(Language::Japanese))
        .help_heading(Message::HelpOptions.word(Language::Japanese))
}

/// A command and those below it; `above` is what is typed before its name.
fn translated(mut command: Command, layout: Layout, above: &str) -> Command {
    if let Some(about) = command.get_about().map(ToString::to_string) {
        let about = japanese_help(&about).map_or(about, str::to_owned);
        command = command.about(wrap(&about, layout.about).join("\n"));
    }
    let word = |message: Message| message.word(Language::Japanese);
    let usage = word(Message::HelpUsage);
    let below = format!("{above}{} ", command.get_name());
    let command = command
        .help_template(format!("{{about-with-newline}}\n{usage}: {{usage}}\n\n{{all-args}}"))
        .subcommand_help_heading(word(Message::HelpCommands))
        .subcommand_value_name(word(Message::HelpCommand))
        .disable_help_flag(true)
        .next_line_help(true)
        .mut_args(|arg| argument(arg, layout))
        .arg(flag("help", 'h', ArgAction::Help, Message::HelpHelp))
        .mut_subcommands(|command| translated(command, layout, &below));
    let shown = shown_usage(&command, above);
    command.override_usage(shown)
}

/// What clap says of a command's usage, with its one English word in Japanese.
fn shown_usage(command: &Command, above: &str) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    let options = format!("[{}]", Message::HelpOptions.word(Language::Japanese));
    format!("{above}{}", usage.replace("[OPTIONS]", &options))
}

/// The sections of a Japanese manual; clap_mangen writes these in English.
const SECTIONS: [(&str, Message); 4] = [
    (".SH NAME\n", Message::ManName),
    (".SH SYNOPSIS\n", Message::ManSynopsis),
    (".SH DESCRIPTION\n", Message::ManDescription),
    (".SH VERSION\n", Message::ManVersion),
];

/// A manual's page with its sections named in a language.
#[must_use]
pub fn with_sections(page: &str, language: Language) -> String {
    match language {
        Language::English => page.to_owned(),
        Language::Japanese => SECTIONS.iter().fold(page.to_owned(), |page, (english, message)| {
            page.replace(english, &format!(".SH {}\n", message.word(language)))
        }),
    }
}

/// An argument with its help, its possible values and its default in Japanese.
fn argument(arg: Arg, layout: Layout) -> Arg {
    let Some(english) = arg.get_help().map(ToString::to_string) else {
        return arg;
    };
    let mut help = japanese_help(&english).map_or(english, str::to_owned);
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| value.get_name().to_owned())
        .collect();
    let takes_value = arg.get_action().takes_values();
    if takes_value && !values.is_empty() {
        help.push_str(&Message::HelpValues.say(Language::Japanese, &[("values", &values.join(", "))]));
    }
    let defaults: Vec<String> = arg
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    if takes_value && !defaults.is_empty() {
        help.push_str(&Message::HelpDefault.say(Language::Japanese, &[("value", &defaults.join(", "))]));
    }
    let heading = if arg.is_positional() {
        Message::HelpArguments
    } else {
        Message::HelpOptions
    };
    let arg = arg
        .help(wrap(&help, layout.help).join("\n"))
        .help_heading(heading.word(Language::Japanese));
    if takes_value {
        arg.hide_possible_values(true).hide_default_value(true)
    } else {
        arg
    }
}

fn japanese(error: &clap::Error) -> String {
    let value = |kind| {
        error.get(kind).map(|value| match value {
            ContextValue::String(text) => text.clone(),
            ContextValue::Strings(texts) => texts.join(", "),
            other => other.to_string(),
        })
    };
    let shown = |kind| encode::terminal(value(kind).unwrap_or_default().as_bytes()).into_owned();
    let (argument, given) = (shown(ContextKind::InvalidArg), shown(ContextKind::InvalidValue));
    let say = |message: Message, values: &[(&str, &str)]| message.say(Language::Japanese, values);
    let what = match error.kind() {
        ErrorKind::UnknownArgument => say(Message::UsageUnknown, &[("argument", &argument)]),
        ErrorKind::InvalidSubcommand => say(
            Message::UsageCommand,
            &[("command", &shown(ContextKind::InvalidSubcommand))],
        ),
        ErrorKind::InvalidValue if given.is_empty() => say(Message::UsageNoValue, &[("argument", &argument)]),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            say(Message::UsageValue, &[("argument", &argument), ("value", &given)])
        }
        ErrorKind::MissingSubcommand => say(
            Message::UsageMissing,
            &[("argument", Message::HelpCommand.word(Language::Japanese))],
        ),
        ErrorKind::MissingRequiredArgument => say(Message::UsageMissing, &[("argument", &argument)]),
        ErrorKind::ArgumentConflict => say(
            Message::UsageConflict,
            &[("argument", &argument), ("other", &shown(ContextKind::PriorArg))],
        ),
        _ => say(Message::UsageOther, &[]),
    };
    let mut text = say(Message::ErrorPrefix, &[("what", &what)]);
    for (kind, message) in [
        (ContextKind::ValidValue, Message::UsageValid),
        (ContextKind::SuggestedArg, Message::UsageSuggestion),
        (ContextKind::SuggestedSubcommand, Message::UsageSuggestion),
        (ContextKind::SuggestedValue, Message::UsageSuggestion),
    ] {
        let found = shown(kind);
        if !found.is_empty() {
            text.push('\n');
            text.push_str(&say(message, &[("value", &found)]));
        }
    }
    text.push('\n');
    text.push_str(&say(Message::UsageMore, &[]));
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::text::helped;

    /// Every English help of a command and those below it.
    fn texts(command: &Command, into: &mut BTreeSet<String>) {
        into.extend(command.get_about().map(ToString::to_string));
        let helps = command.get_arguments().filter_map(|arg| arg.get_help());
        into.extend(helps.map(ToString::to_string));
        for one in command.get_subcommands() {
            texts(one, into);
        }
    }

    #[test]
    fn every_help_exists_in_japanese_and_none_is_left_over() {
        let mut english = BTreeSet::new();
        texts(&Arguments::command(), &mut english);
        let japanese: BTreeSet<String> = helped().map(str::to_owned).collect();
        let missing: Vec<_> = english.difference(&japanese).collect();
        let left_over: Vec<_> = japanese.difference(&english).collect();
        assert!(
            missing.is_empty() && left_over.is_empty(),
            "missing {missing:#?}, left over {left_over:#?}"
        );
    }

    #[test]
    fn japanese_help_is_japanese_and_fits_the_terminal() {
        let mut command = command(Language::Japanese).term_width(80);
        for name in [
            "",
            "analyze",
            "live",
            "show",
            "explain",
            "rules",
            "schema",
            "completions",
        ] {
            let help = if name.is_empty() {
                command.render_help()
            } else {
                command
                    .find_subcommand_mut(name)
                    .unwrap()
                    .clone()
                    .term_width(80)
                    .render_help()
            };
            let help = help.to_string();
            assert!(
                help.contains("使い方") && !help.contains("Options:") && !help.contains("default"),
                "{help}"
            );
            for line in help.lines().filter(|line| !line.contains("使い方")) {
                assert!(line.width() <= 82, "{} columns: {line}", line.width());
            }
        }
    }

    #[test]
    fn the_manual_leaves_the_breaking_of_lines_to_its_formatter() {
        let mut said = BTreeSet::new();
        texts(&manual(Language::Japanese), &mut said);
        let broken: Vec<_> = said.iter().filter(|text| text.contains('\n')).collect();
        assert!(said.len() > 20 && broken.is_empty(), "{broken:#?}");
        let mut screen = BTreeSet::new();
        texts(&command(Language::Japanese), &mut screen);
        assert!(
            screen.iter().any(|text| text.contains('\n')),
            "the screen needs broken lines"
        );
    }

    #[test]
    fn usage_and_sections_are_japanese() {
        for name in ["analyze", "live", "show", "explain"] {
            let error = command(Language::Japanese)
                .try_get_matches_from(["smtpcap", name, "--help"])
                .unwrap_err();
            let help = error.to_string();
            assert!(help.contains(&format!("使い方: smtpcap {name} [オプション]")), "{help}");
            assert!(!help.contains("OPTIONS"), "{help}");
        }
        let page = ".TH x\n.SH NAME\na\n.SH SYNOPSIS\nb\n.SH DESCRIPTION\nc\n";
        let japanese = with_sections(page, Language::Japanese);
        assert_eq!(japanese, ".TH x\n.SH 名前\na\n.SH 書式\nb\n.SH 説明\nc\n");
        assert_eq!(with_sections(page, Language::English), page);
    }

    #[test]
    fn the_language_may_be_asked_for_before_and_behind_every_command() {
        for language in Language::ALL {
            for arguments in [
                "rules",
                "schema",
                "man",
                "completions bash",
                "explain 550",
                "analyze x",
                "show x -s 1",
            ] {
                for line in [
                    format!("smtpcap --lang ja {arguments}"),
                    format!("smtpcap {arguments} --lang ja"),
                ] {
                    let parsed = command(language).try_get_matches_from(line.split(' '));
                    let matches = parsed.unwrap_or_else(|error| panic!("{line}: {error}"));
                    let (_, inner) = matches.subcommand().unwrap();
                    assert_eq!(inner.get_one::<Lang>("lang"), Some(&Lang::Ja), "{line}");
                    Arguments::from_arg_matches(&matches).unwrap();
                }
            }
        }
    }

    #[test]
    fn errors_of_the_command_line_are_said_in_japanese() {
        for (arguments, expected) in [
            (&["smtpcap", "analyze", "--treads", "2", "x"][..], "--threads"),
            (&["smtpcap", "analyse"], "analyze"),
            (&["smtpcap", "analyze", "x", "--format", "xml"], "jsonl"),
            (&["smtpcap", "analyze"], "FILE"),
            (&["smtpcap", "--lang", "ja"], "コマンド"),
            (&["smtpcap", "analyze", "x", "--memory", "much"], "much"),
        ] {
            let error = command(Language::Japanese).try_get_matches_from(arguments).unwrap_err();
            let text = japanese(&error);
            assert!(
                text.contains(expected) && text.contains("--help"),
                "{arguments:?}: {text}"
            );
            assert!(!text.contains("error:") && !text.contains("tip"), "{text}");
        }
    }
}
