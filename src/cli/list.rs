//! `explain`, `rules`, `schema`, `completions`, `man`: answers that need no capture.

use std::io::{self, Write};

use clap::CommandFactory;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use crate::cli::args::{Arguments, Explain, Format, Rules, Schema};
use crate::cli::environment;
use crate::cli::exit::{ANALYSED, Stop};
use crate::cli::help;
use crate::diagnosis::Severity;
use crate::insight::register;
use crate::render::encode;
use crate::render::json::{self, Document, Record};
use crate::render::text::layout::{pad, width};
use crate::render::text::{Page, Paint, Style, words};
use crate::text::{Answer, Explanation, Language, Message, did_you_mean, explain as answers};

fn write_page(page: Page<'_>) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for line in page.into_lines() {
        writeln!(stdout, "{line}")?;
    }
    stdout.flush()
}

fn closed(language: Language) -> impl Fn(io::Error) -> Stop {
    move |error| Stop::output(&error, "-", language)
}

/// `smtpcap explain`.
///
/// # Errors
/// Where nothing is known by that name, with what is near; or where the output could not be written.
pub fn explain(arguments: &Explain) -> Result<u8, Stop> {
    let style = environment::style(&arguments.look, true);
    let found = answers(&arguments.what, style.language);
    if found.is_empty() {
        let what = encode::terminal(arguments.what.as_bytes()).into_owned();
        let near = did_you_mean(&arguments.what);
        return Err(Stop::Mend(if near.is_empty() {
            style.say(Message::NothingKnown, &[("what", &what)])
        } else {
            style.say(Message::DidYouMean, &[("what", &what), ("list", &near.join(", "))])
        }));
    }
    let mut page = Page::new(&style);
    for answer in &found {
        tell(&mut page, answer, &style);
    }
    write_page(page).map_err(closed(style.language))?;
    Ok(ANALYSED)
}

fn tell(page: &mut Page<'_>, answer: &Answer, style: &Style) {
    let title = answer
        .title
        .as_ref()
        .map_or_else(String::new, |title| format!(": {title}"));
    page.heading(&format!("{} {}{title}", style.word(answer.kind), answer.name));
    for line in &answer.meaning {
        page.text(2, line);
    }
    if !answer.remedies.is_empty() {
        page.text(2, &format!("{}:", style.word(Message::ToDo)));
        for (actor, text) in &answer.remedies {
            page.text(4, &format!("[{}] {text}", style.word(words::actor(*actor))));
        }
    }
    let lists = [
        (Message::HeadSlug, answer.rules.join(", ")),
        (Message::References, answer.references.join(", ")),
    ];
    for (label, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        page.labelled(2, &format!("{}: ", style.word(label)), Some(Paint::Faint), &list);
    }
}

/// A rule in the list.
#[derive(Serialize)]
struct RuleRecord {
    id: &'static str,
    layer: &'static str,
    severity: &'static str,
    confidence: &'static str,
    title: String,
    actors: Vec<&'static str>,
    references: &'static [&'static str],
    since: &'static str,
}

fn rule_records(language: Language) -> Vec<RuleRecord> {
    register()
        .map(|rule| RuleRecord {
            id: rule.slug,
            layer: rule.layer.name(),
            severity: json::severity(rule.severity),
            confidence: json::confidence(rule.confidence),
            title: Explanation::of(rule, language).title.to_owned(),
            actors: rule.actors.iter().map(|actor| actor.name()).collect(),
            references: rule.references,
            since: rule.since,
        })
        .collect()
}

/// `smtpcap rules`.
///
/// # Errors
/// Where the output could not be written.
pub fn rules(arguments: &Rules) -> Result<u8, Stop> {
    let style = environment::style(&arguments.look, true);
    let closed = closed(style.language);
    let mut stdout = io::stdout().lock();
    match arguments.format {
        Format::Json => json::write_document(&rule_records(style.language), &mut stdout).map_err(&closed)?,
        Format::Jsonl => {
            for record in rule_records(style.language) {
                json::write_line(&record, &mut stdout).map_err(&closed)?;
            }
        }
        Format::Table => {
            drop(stdout);
            write_page(rule_table(&style)).map_err(&closed)?;
            return Ok(ANALYSED);
        }
    }
    stdout.flush().map_err(&closed)?;
    Ok(ANALYSED)
}

fn rule_table(style: &Style) -> Page<'_> {
    let mut page = Page::new(style);
    let column = register().map(|rule| width(rule.slug)).max().unwrap_or(0) + 2;
    for severity in [
        Severity::Fail,
        Severity::Risk,
        Severity::Note,
        Severity::Limit,
        Severity::Ok,
    ] {
        page.heading(&style.word(words::severity(severity)));
        for rule in register().filter(|rule| rule.severity == severity) {
            let title = Explanation::of(rule, style.language).title;
            page.labelled(2, &pad(rule.slug, column), Some(Paint::Severity(severity)), title);
        }
    }
    page
}

/// `smtpcap schema`: the JSON Schema as a document.
#[must_use]
pub fn schema_document(format: Format) -> schemars::Schema {
    // What is written, not what could be read back: fields that may be left out are not required.
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    match format {
        Format::Jsonl => generator.into_root_schema_for::<Record>(),
        Format::Json | Format::Table => generator.into_root_schema_for::<Document>(),
    }
}

/// `smtpcap schema`.
///
/// # Errors
/// Where the output could not be written.
pub fn schema(arguments: &Schema) -> Result<u8, Stop> {
    let mut stdout = io::stdout().lock();
    json::write_document(&schema_document(arguments.format), &mut stdout).map_err(closed(Language::English))?;
    stdout.flush().map_err(closed(Language::English))?;
    Ok(ANALYSED)
}

/// `smtpcap completions`.
///
/// # Errors
/// Where the output could not be written.
pub fn completions(shell: clap_complete::Shell) -> Result<u8, Stop> {
    let mut written = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "smtpcap", &mut written);
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(&written)
        .and_then(|()| stdout.flush())
        .map_err(closed(Language::English))?;
    Ok(ANALYSED)
}

/// `smtpcap man`.
///
/// # Errors
/// Where the output could not be written.
pub fn man() -> Result<u8, Stop> {
    let mut written = Vec::new();
    let language = help::asked();
    let command = help::manual(language);
    clap_mangen::Man::new(command.clone())
        .render(&mut written)
        .map_err(closed(Language::English))?;
    for page in command.get_subcommands() {
        let title = format!("smtpcap-{}", page.get_name());
        let man = clap_mangen::Man::new(page.clone()).title(title);
        man.render(&mut written).map_err(closed(Language::English))?;
    }
    let written = help::with_sections(&String::from_utf8_lossy(&written), language);
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(written.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(closed(Language::English))?;
    Ok(ANALYSED)
}
