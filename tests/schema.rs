//! `docs/schema.json` and `docs/schema.jsonl.json` are what `smtpcap schema` prints, and what the program really writes
//! about the captures in `fixtures/` is valid against them. `UPDATE_DOCS=1 cargo test --test schema` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn run(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_smtpcap"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn captures() -> Vec<PathBuf> {
    let list = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect()
    };
    let mut captures: Vec<PathBuf> = list(&root().join("fixtures"))
        .iter()
        .filter(|folder| folder.is_dir())
        .flat_map(|folder| list(folder))
        .filter(|path| path.file_name().unwrap().to_str().unwrap().contains(".pcap"))
        .collect();
    captures.sort();
    assert!(!captures.is_empty());
    captures
}

/// A validator for the part of JSON Schema 2020-12 that schemars writes. A keyword that it does not know is an error, so
/// that nothing is taken for checked that is not.
struct Validator<'a> {
    schema: &'a Value,
    failures: Vec<String>,
}

impl Validator<'_> {
    fn resolve(&self, reference: &str) -> &Value {
        let pointer = reference.strip_prefix('#').unwrap();
        self.schema
            .pointer(pointer)
            .unwrap_or_else(|| panic!("{reference} leads nowhere"))
    }

    fn holds(&self, schema: &Value, value: &Value) -> bool {
        let mut inner = Validator {
            schema: self.schema,
            failures: Vec::new(),
        };
        inner.check(schema, value, "");
        inner.failures.is_empty()
    }

    fn fail(&mut self, place: &str, what: &str) {
        self.failures.push(format!("{place}: {what}"));
    }

    fn check(&mut self, schema: &Value, value: &Value, place: &str) {
        let Some(keywords) = schema.as_object() else {
            if schema == &Value::Bool(false) {
                self.fail(place, "nothing is allowed here");
            }
            return;
        };
        for (keyword, expected) in keywords {
            match keyword.as_str() {
                "$schema" | "title" | "description" | "$defs" | "format" | "default" | "additionalProperties" => {}
                "$ref" => {
                    let referred = self.resolve(expected.as_str().unwrap()).clone();
                    self.check(&referred, value, place);
                }
                "type" => {
                    let kinds = expected.as_array().cloned().unwrap_or_else(|| vec![expected.clone()]);
                    if !kinds.iter().any(|kind| is_kind(kind.as_str().unwrap(), value)) {
                        self.fail(place, &format!("expected {expected}, found {value}"));
                    }
                }
                "const" if expected != value => self.fail(place, &format!("expected {expected}, found {value}")),
                "enum" if !expected.as_array().unwrap().contains(value) => {
                    self.fail(place, &format!("{value} is not one of {expected}"));
                }
                "const" | "enum" => {}
                "minimum" | "maximum" => {
                    let (number, bound) = (value.as_f64(), expected.as_f64().unwrap());
                    let outside = number.is_some_and(|number| {
                        if keyword == "minimum" {
                            number < bound
                        } else {
                            number > bound
                        }
                    });
                    if outside {
                        self.fail(place, &format!("{keyword} {expected}, found {value}"));
                    }
                }
                "required" => {
                    for name in expected.as_array().unwrap().iter().filter_map(Value::as_str) {
                        if value.is_object() && value.get(name).is_none() {
                            self.fail(place, &format!("{name} is missing"));
                        }
                    }
                }
                "properties" => {
                    for (name, schema) in expected.as_object().unwrap() {
                        if let Some(value) = value.get(name) {
                            self.check(schema, value, &format!("{place}/{name}"));
                        }
                    }
                }
                "prefixItems" => {
                    for (position, (schema, item)) in expected
                        .as_array()
                        .unwrap()
                        .iter()
                        .zip(value.as_array().into_iter().flatten())
                        .enumerate()
                    {
                        self.check(schema, item, &format!("{place}/{position}"));
                    }
                }
                "minItems" | "maxItems" => {
                    let (count, bound) = (value.as_array().map(Vec::len), expected.as_u64().unwrap() as usize);
                    let outside = count.is_some_and(|count| {
                        if keyword == "minItems" {
                            count < bound
                        } else {
                            count > bound
                        }
                    });
                    if outside {
                        self.fail(place, &format!("{keyword} {expected}, found {value}"));
                    }
                }
                "items" => {
                    for (position, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(expected, item, &format!("{place}/{position}"));
                    }
                }
                "anyOf" | "oneOf" => {
                    let alternatives = expected.as_array().unwrap();
                    let holding = alternatives.iter().filter(|one| self.holds(one, value)).count();
                    if holding == 0 || (keyword == "oneOf" && holding > 1) {
                        self.fail(
                            place,
                            &format!("{holding} of {} alternatives of {keyword} hold", alternatives.len()),
                        );
                    }
                }
                other => self.fail(place, &format!("the schema's {other} is not known to this test")),
            }
        }
        self.check_names(schema, value, place);
    }

    /// A field that the schema does not name would be a field that nobody documented.
    fn check_names(&mut self, schema: &Value, value: &Value, place: &str) {
        if let Some(map) = schema.get("additionalProperties").filter(|map| map.is_object()) {
            for (name, value) in value.as_object().into_iter().flatten() {
                if schema
                    .get("properties")
                    .is_none_or(|properties| properties.get(name).is_none())
                {
                    self.check(map, value, &format!("{place}/{name}"));
                }
            }
            return;
        }
        let (Some(properties), Some(object)) = (schema.get("properties"), value.as_object()) else {
            return;
        };
        let referred = schema
            .get("$ref")
            .and_then(Value::as_str)
            .map(|reference| self.resolve(reference).clone());
        for name in object.keys() {
            let known = properties.get(name).is_some()
                || referred
                    .as_ref()
                    .is_some_and(|referred| referred["properties"].get(name).is_some());
            if !known {
                self.fail(place, &format!("{name} is not in the schema"));
            }
        }
    }
}

fn is_kind(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("the schema's type {other} is not known to this test"),
    }
}

fn failures(schema: &Value, value: &Value) -> Vec<String> {
    let mut validator = Validator {
        schema,
        failures: Vec::new(),
    };
    validator.check(schema, value, "");
    validator.failures
}

fn schema(format: &str) -> Value {
    serde_json::from_str(&run(&["schema", "--format", format])).unwrap()
}

#[test]
fn the_committed_schemas_are_what_the_program_prints() {
    for (format, file) in [("json", "docs/schema.json"), ("jsonl", "docs/schema.jsonl.json")] {
        let path = root().join(file);
        let printed = run(&["schema", "--format", format]);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &printed).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == printed,
            "{file} is not what the program prints: UPDATE_DOCS=1 cargo test --test schema"
        );
    }
}

#[test]
fn every_document_about_the_fixtures_is_valid() {
    let schema = schema("json");
    for path in captures() {
        for lang in ["en", "ja"] {
            let page = run(&["analyze", "--lang", lang, "--format", "json", path.to_str().unwrap()]);
            let failures = failures(&schema, &serde_json::from_str(&page).unwrap());
            assert!(failures.is_empty(), "{}: {failures:#?}", path.display());
        }
    }
}

#[test]
fn every_record_about_the_fixtures_is_valid() {
    let schema = schema("jsonl");
    let mut records = 0;
    for path in captures() {
        for line in run(&[
            "analyze",
            "--show-secrets",
            "--show-body",
            "--format",
            "jsonl",
            path.to_str().unwrap(),
        ])
        .lines()
        {
            let failures = failures(&schema, &serde_json::from_str(line).unwrap());
            assert!(failures.is_empty(), "{}: {failures:#?}", path.display());
            records += 1;
        }
    }
    assert!(records > 3, "{records} records");
}

#[test]
fn the_validator_finds_what_is_wrong() {
    let schema = schema("json");
    let page = run(&[
        "analyze",
        "--format",
        "json",
        root().join("fixtures/intercom/capture.pcapng").to_str().unwrap(),
    ]);
    let right: Value = serde_json::from_str(&page).unwrap();
    assert!(failures(&schema, &right).is_empty());
    for (place, wrong) in [
        ("/schema_version", json!("1")),
        ("/sessions/0/id", json!(-1)),
        ("/sessions/0/client", json!({"address": "192.0.2.1"})),
        ("/sessions/0/findings/0/evidence", json!(null)),
        ("/sessions/0/tls/offer", json!([1])),
        ("/insights", json!([{"surprise": 1}])),
    ] {
        let mut document = right.clone();
        *document.pointer_mut(place).unwrap() = wrong;
        assert!(!failures(&schema, &document).is_empty(), "{place} is not noticed");
    }
    let mut document = right;
    document["sessions"][0]["not_in_the_schema"] = json!(1);
    assert!(!failures(&schema, &document).is_empty());
}
