//! The documents tell the truth: pages about the rules are made from the register, blocks of output are real output, the
//! table of commands names the commands, links lead somewhere. `UPDATE_DOCS=1 cargo test --test docs` writes anew what is
//! generated.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use smtpcap::diagnosis::{Layer, Rule};
use smtpcap::insight::register;
use smtpcap::render::text::words;
use smtpcap::text::{Explanation, Language, generic};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn update() -> bool {
    std::env::var_os("UPDATE_DOCS").is_some()
}

fn run(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_smtpcap"))
        .args(arguments)
        .current_dir(root())
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// What a page calls its parts.
struct Headings {
    meaning: &'static str,
    what: &'static str,
    why: &'static str,
    remedies: &'static str,
    certainty: &'static str,
    references: &'static str,
    examples: &'static str,
    fires: &'static str,
    quiet: &'static str,
    table: &'static str,
    other: &'static str,
    index: &'static str,
    generated: &'static str,
}

const ENGLISH: Headings = Headings {
    meaning: "Meaning",
    what: "What a report says happened",
    why: "Why",
    remedies: "What to do",
    certainty: "How to be sure",
    references: "References",
    examples: "Examples",
    fires: "Reported",
    quiet: "Not reported",
    table: "| layer | severity | since |\n|---|---|---|",
    other: "日本語",
    index: "# What smtpcap diagnoses",
    generated: "A report chooses among these lines by what the session shows; `<name>` stands for a value seen in it.",
};

const JAPANESE: Headings = Headings {
    meaning: "意味",
    what: "レポートの表現",
    why: "理由",
    remedies: "対処",
    certainty: "確かめ方",
    references: "参考文献",
    examples: "例",
    fires: "報告する",
    quiet: "報告しない",
    table: "| 層 | 重大度 | 導入 |\n|---|---|---|",
    other: "English",
    index: "# smtpcapが診断できること",
    generated: "各欄の文は、セッションで得られた値に応じて選ばれます。`<name>`はその値が入る場所です。",
};

const fn headings(language: Language) -> &'static Headings {
    match language {
        Language::English => &ENGLISH,
        Language::Japanese => &JAPANESE,
    }
}

/// Text that Markdown shows as it is.
fn plain(text: &str) -> String {
    text.replace('<', "\\<")
        .replace('*', "\\*")
        .replace('_', "\\_")
        .replace('|', "\\|")
}

fn page(rule: &'static Rule, language: Language) -> String {
    let heading = headings(language);
    let texts = Explanation::of(rule, language);
    let (slug, other) = (rule.slug, if language == Language::English { "ja" } else { "en" });
    let mut page = format!(
        "# {}\n\n`{slug}` · [{}]({slug}.{other}.md)\n\n",
        plain(texts.title),
        heading.other
    );
    let severity = words::severity(rule.severity).word(language);
    writeln!(
        page,
        "{}\n| {} | {severity} | {} |\n",
        heading.table,
        rule.layer.name(),
        rule.since
    )
    .unwrap();
    writeln!(page, "## {}\n", heading.meaning).unwrap();
    for paragraph in &texts.meaning {
        writeln!(page, "{}\n", plain(paragraph)).unwrap();
    }
    let mut list = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            writeln!(page, "## {title}\n").unwrap();
            for line in lines {
                writeln!(page, "- {line}").unwrap();
            }
            page.push('\n');
        }
    };
    let said = |lines: &[&str]| lines.iter().map(|line| plain(&generic(line))).collect::<Vec<_>>();
    list(heading.what, said(&texts.what));
    list(heading.why, said(&texts.why));
    let remedies = texts.remedies.iter();
    list(
        heading.remedies,
        remedies
            .map(|(actor, text)| format!("**{}** {}", words::actor(*actor).word(language), plain(&generic(text))))
            .collect(),
    );
    list(heading.certainty, said(&texts.certainty));
    list(
        heading.references,
        rule.references.iter().map(|one| plain(one)).collect(),
    );
    writeln!(page, "{}\n", heading.generated).unwrap();
    writeln!(page, "## {}\n", heading.examples).unwrap();
    for example in rule.texts.examples.split("== ").skip(1) {
        let (name, script) = example.split_once('\n').unwrap();
        let name = if name.starts_with("fires") {
            heading.fires
        } else {
            heading.quiet
        };
        writeln!(page, "{name}:\n\n```text\n{}\n```\n", script.trim_end()).unwrap();
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

fn index(language: Language) -> String {
    let mut page = format!("{}\n", headings(language).index);
    let layers: BTreeSet<Layer> = register().map(|rule| rule.layer).collect();
    for layer in layers {
        writeln!(page, "\n## {}\n", layer.name()).unwrap();
        for rule in register().filter(|rule| rule.layer == layer) {
            let title = plain(Explanation::of(rule, language).title);
            let severity = words::severity(rule.severity).word(language);
            let (slug, code) = (rule.slug, language.code());
            writeln!(page, "- [`{slug}`]({slug}.{code}.md) ({severity}): {title}").unwrap();
        }
    }
    page
}

/// Every generated page: its path and its text.
fn pages() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    for language in Language::ALL {
        for rule in register() {
            pages.insert(format!("{}.{}.md", rule.slug, language.code()), page(rule, language));
        }
    }
    pages.insert("README.md".to_owned(), index(Language::English));
    pages.insert("README.ja.md".to_owned(), index(Language::Japanese));
    pages
}

#[test]
fn the_pages_about_the_rules_are_made_from_the_register() {
    let folder = root().join("docs/diagnoses");
    let pages = pages();
    if update() {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in &pages {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    let mut differ = Vec::new();
    for (name, text) in &pages {
        if std::fs::read_to_string(folder.join(name)).ok().as_ref() != Some(text) {
            differ.push(name.clone());
        }
    }
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !pages.contains_key(&name) {
            differ.push(format!("{name} belongs to no rule"));
        }
    }
    assert!(
        differ.is_empty(),
        "UPDATE_DOCS=1 cargo test --test docs writes anew: {differ:#?}"
    );
}

/// The marker above a block of real output: `<!-- output of: analyze … -->`.
const MARKER: &str = "<!-- output of: ";

/// A document with every marked block replaced by what the program prints now.
fn with_real_output(document: &str) -> (String, usize) {
    let mut written = String::new();
    let mut blocks = 0;
    let mut rest = document;
    while let Some(at) = rest.find(MARKER) {
        let (before, marked) = rest.split_at(at);
        let (command, behind) = marked[MARKER.len()..].split_once(" -->").unwrap();
        let (gap, block) = behind
            .split_once("```text\n")
            .expect("a block of text follows the marker");
        assert!(gap.trim().is_empty(), "a block of text follows {command}");
        let (_, after) = block.split_once("```").expect("the block ends");
        let output = run(&command.split(' ').collect::<Vec<_>>());
        write!(
            written,
            "{before}{MARKER}{command} -->{gap}```text\n{}\n```",
            output.trim_end()
        )
        .unwrap();
        blocks += 1;
        rest = after;
    }
    written.push_str(rest);
    (written, blocks)
}

/// The document with the number of rules put right.
fn with_counted_rules(document: &str) -> String {
    let (before, behind) = document.split_once("<!-- rules -->").unwrap();
    let (_, after) = behind.split_once("<!-- /rules -->").unwrap();
    format!("{before}<!-- rules -->{}<!-- /rules -->{after}", register().count())
}

#[test]
fn the_readme_shows_real_output_and_counts_the_rules() {
    let path = root().join("README.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let (real, blocks) = with_real_output(&with_counted_rules(&document));
    assert!(blocks >= 2, "{blocks} blocks");
    if update() {
        std::fs::write(&path, &real).unwrap();
    } else {
        assert!(
            document == real,
            "README.md shows something else: UPDATE_DOCS=1 cargo test --test docs"
        );
    }
}

#[test]
fn the_readme_names_every_command_and_no_other() {
    let help = run(&["--help"]);
    let commands: BTreeSet<&str> = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.contains("analyze"), "{help}");
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let named: BTreeSet<&str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `smtpcap ")?.split([' ', '`']).next())
        .collect();
    assert_eq!(named, commands);
}

fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
    {
        if path.is_dir() {
            documents(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

#[test]
fn links_lead_somewhere() {
    if update() {
        println!("skipped: pages are being written");
        return;
    }
    let mut found = vec![root().join("README.md")];
    documents(&root().join("docs"), &mut found);
    let mut broken = Vec::new();
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap();
        for piece in text.split("](").skip(1) {
            let target = piece.split([')', '#']).next().unwrap();
            if !target.is_empty() && !target.contains("://") && !path.parent().unwrap().join(target).exists() {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// The field names that `docs/json.md` maps must be in the schema.
#[test]
fn the_map_of_json_names_names_fields_that_exist() {
    let schema = run(&["schema", "--format", "json"]) + &run(&["schema", "--format", "jsonl"]);
    let map = std::fs::read_to_string(root().join("docs/json.md")).unwrap();
    let mut names = 0;
    for line in map.lines().filter(|line| line.starts_with("| `")) {
        let cell = line.split('|').nth(1).unwrap();
        for path in cell.split('`').skip(1).step_by(2) {
            for name in path.split('.') {
                let name = name.trim_end_matches("[]");
                assert!(
                    schema.contains(&format!("\"{name}\": {{")),
                    "{path}: {name} is not in the schema"
                );
                names += 1;
            }
        }
    }
    assert!(names > 20, "{names} names");
}
