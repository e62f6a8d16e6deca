//! PROCEDURES.md is made from the types of the format, the table of placeholders, the template of `rb procedure new` and
//! the examples of the procedures that come with rb; the text around them is `procedure_reference.md` beside this file.
//!
//! `RB_BLESS=1 cargo test --workspace --test house reference` writes the page.
#![expect(clippy::unwrap_used, reason = "what fails in a test says so by its line")]

use std::collections::BTreeMap;

use rollback_core::bounded;
use rollback_core::procedure::Procedure;
use rollback_core::procedure::format::{
    Effect, EvidenceTime, GroupTime, InputKind, NoData, Occasion, Pick, RungKind, TriggerAction,
};
use rollback_core::procedure::placeholder::{Known, OfCheck, Shape};
use serde::Serialize;
use serde_json::{Map, Value};
use test_kit::mutants::project;
use test_kit::page::{filled, hold, item, wrapped};

/// An example that is longer helps less than none.
const LONGEST_EXAMPLE: usize = 70;

fn read(path: &str) -> String {
    std::fs::read_to_string(project().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// How a table is written, such as `[[check]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    path: String,
    is_list: bool,
}

impl Place {
    fn heading(&self) -> String {
        match self.is_list {
            true => format!("[[{}]]", self.path),
            false => format!("[{}]", self.path),
        }
    }

    /// The anchor that GitHub gives to the heading.
    fn anchor(&self) -> String {
        self.path.to_lowercase().chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    }

    fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// The schema of the format, and where each of its tables stands.
struct Format {
    root: Value,
    /// The names of the tables, in the order of the format, each with its places.
    tables: Vec<(String, Vec<Place>)>,
    /// The names of the values with a rule or a list of words, in order.
    values: Vec<String>,
    /// By table and key.
    examples: BTreeMap<(String, String), String>,
    /// By the name of the value.
    defaults: BTreeMap<&'static str, Value>,
}

/// The schema without the alternative of being absent.
fn present(schema: &Value) -> &Value {
    let alternatives = schema["anyOf"].as_array();
    alternatives.and_then(|all| all.iter().find(|one| one["type"] != "null")).unwrap_or(schema)
}

/// The name of the type that a schema refers to.
fn referred(schema: &Value) -> Option<&str> {
    present(schema)["$ref"].as_str()?.strip_prefix("#/$defs/")
}

impl Format {
    fn new() -> Self {
        fn default<T: Default + Serialize>() -> Value {
            serde_json::to_value(T::default()).unwrap()
        }
        let defaults = BTreeMap::from([
            ("InputKind", default::<InputKind>()),
            ("GroupTime", default::<GroupTime>()),
            ("Pick", default::<Pick>()),
            ("RungKind", default::<RungKind>()),
            ("Effect", default::<Effect>()),
            ("EvidenceTime", default::<EvidenceTime>()),
            ("Occasion", default::<Occasion>()),
            ("NoData", default::<NoData>()),
            ("TriggerAction", default::<TriggerAction>()),
        ]);
        let root = serde_json::to_value(Procedure::json_schema()).unwrap();
        let (tables, values, examples) = (Vec::new(), Vec::new(), BTreeMap::new());
        let mut format = Self { root, tables, values, examples, defaults };
        let top = Place { path: String::new(), is_list: false };
        format.table("", format.root.clone(), top);
        // The nearest to the top is where a table is described.
        let depth = |place: &Place| place.path.matches('.').count();
        format.tables.iter_mut().for_each(|(_, places)| places.sort_by_key(depth));
        format.take_examples();
        format
    }

    /// The definition of a type; the document itself has no name.
    fn definition(&self, name: &str) -> &Value {
        if name.is_empty() { &self.root } else { &self.root["$defs"][name] }
    }

    fn table(&mut self, name: &str, definition: Value, place: Place) {
        if let Some((_, places)) = self.tables.iter_mut().find(|(known, _)| known == name) {
            // A variant holds what its phase holds, and variants of its own lead no further.
            if !places.contains(&place) && place.path.matches("variant").count() < 2 {
                places.push(place);
            }
            return;
        }
        self.tables.push((name.to_owned(), vec![place.clone()]));
        for (key, schema) in definition["properties"].as_object().into_iter().flatten() {
            self.visit(schema, Place { path: place.key(key), is_list: false });
        }
    }

    fn visit(&mut self, schema: &Value, place: Place) {
        let schema = present(schema);
        if let Some(name) = referred(schema) {
            let (name, definition) = (name.to_owned(), self.definition(name).clone());
            if definition.get("properties").is_some() {
                self.table(&name, definition, place);
            } else if definition.get("description").is_some() && !self.values.contains(&name) {
                self.values.push(name);
            }
        } else if let Some(items) = schema.get("items") {
            self.visit(items, Place { is_list: true, ..place });
        } else if let Some(members) = schema.get("additionalProperties").filter(|members| members.is_object())
        {
            self.visit(members, Place { path: place.key("NAME"), is_list: false });
        }
    }

    /// Takes the first short example of each key from the template and the procedures that come with rb.
    fn take_examples(&mut self) {
        let mut texts =
            vec![read("rollback-cli/src/command/procedure/new.toml").replace("@NAME@", "shop-down")];
        texts.extend(
            ["wp5", "matriz", "hal9", "mdm"]
                .map(|name| read(&format!("rollback-cli/procedures/{name}.toml"))),
        );
        for text in texts {
            let document: Map<String, Value> = toml_edit::de::from_str(&text).unwrap();
            self.examples_of("", &Value::Object(document));
        }
    }

    fn examples_of(&mut self, table: &str, value: &Value) {
        let properties = self.definition(table)["properties"].as_object().unwrap().clone();
        for (key, value) in value.as_object().into_iter().flatten() {
            let Some(schema) = properties.get(key) else { continue };
            let written = format!("{key} = {}", toml(value));
            if written.chars().count() <= LONGEST_EXAMPLE && !written.contains('`') {
                self.examples.entry((table.to_owned(), key.clone())).or_insert(written);
            }
            self.examples_below(schema, value);
        }
    }

    fn examples_below(&mut self, schema: &Value, value: &Value) {
        let schema = present(schema);
        if let Some(name) = referred(schema) {
            if self.definition(name).get("properties").is_some() {
                self.examples_of(name, value);
            }
        } else if let Some(items) = schema.get("items") {
            value.as_array().into_iter().flatten().for_each(|value| self.examples_below(items, value));
        } else if let Some(members) = schema.get("additionalProperties").filter(|members| members.is_object())
        {
            value
                .as_object()
                .into_iter()
                .flatten()
                .for_each(|(_, value)| self.examples_below(members, value));
        }
    }

    /// What kind of value a key has, with a link to where it is described.
    fn kind(&self, schema: &Value, place: &Place) -> String {
        let schema = present(schema);
        if let Some(name) = referred(schema) {
            if let Some((_, places)) = self.tables.iter().find(|(known, _)| known == name) {
                return format!("[table](#{})", places[0].anchor());
            }
            return match self.values.iter().any(|known| known == name) {
                true => format!("[{}](#{})", title(name), title(name).replace(' ', "-")),
                false => self.kind(self.definition(name), place),
            };
        }
        if let Some(items) = schema.get("items") {
            return match self.kind(items, place) {
                kind if kind.starts_with("[table]") => kind.replace("[table]", "[tables]"),
                kind => format!("list of {kind}"),
            };
        }
        if let Some(members) = schema.get("additionalProperties").filter(|members| members.is_object()) {
            return match self.kind(members, place) {
                kind if kind.starts_with("[table]") => kind.replace("[table]", "[tables by name]"),
                kind => format!("table: a {kind} for each name"),
            };
        }
        let kind = |name: &Value| match name.as_str().unwrap_or_default() {
            "string" => "text",
            "integer" => "whole number",
            "number" => "number",
            "boolean" => "true or false",
            other => panic!("{place:?}: {other}"),
        };
        match schema["type"].as_array() {
            Some(kinds) if kinds.len() > 2 => "text, number, true or false".to_owned(),
            Some(kinds) => kind(kinds.iter().find(|one| *one != "null").unwrap()).to_owned(),
            None => kind(&schema["type"]).to_owned(),
        }
    }

    /// What counts where the key is left out, as far as the type says it.
    fn default(&self, schema: &Value) -> Option<String> {
        let is_optional = schema.get("anyOf").is_some() || schema["type"].is_array();
        let default = match (schema.get("default"), referred(schema)) {
            (Some(default), _) => default.clone(),
            (None, Some(name)) if !is_optional => self.defaults.get(name).cloned()?,
            (None, _) if schema["type"] == "boolean" => Value::Bool(false),
            (None, _) if schema["type"] == "integer" => Value::from(0),
            _ => return None,
        };
        Some(toml(&default))
    }

    /// The tables with their keys.
    fn keys(&self) -> String {
        let of = |(name, places): &(String, Vec<Place>)| {
            let definition = self.definition(name);
            let described = description(definition);
            let mut text = match places[0].path.as_str() {
                "" => "### At the top of the file\n\n".to_owned(),
                _ => format!("### `{}`\n\n{}\n\n", places[0].heading(), wrapped(&described, "")),
            };
            if places.len() > 1 {
                let others: Vec<_> =
                    places[1..].iter().map(|place| format!("`{}`", place.heading())).collect();
                text += &format!("{}\n\n", wrapped(&format!("Also: {}.", others.join(", ")), ""));
            }
            let properties = definition["properties"].as_object().unwrap();
            let rows =
                properties.iter().map(|(key, schema)| self.key(name, definition, &places[0], key, schema));
            text + &rows.collect::<Vec<_>>().join("\n")
        };
        self.tables.iter().map(of).collect::<Vec<_>>().join("\n\n")
    }

    fn key(&self, table: &str, definition: &Value, place: &Place, key: &str, schema: &Value) -> String {
        let is_required =
            definition["required"].as_array().is_some_and(|keys| keys.iter().any(|known| known == key));
        let mut about = self.kind(schema, place);
        match self.default(schema) {
            _ if is_required => about += ", required",
            Some(default) => about += &format!(", `{default}` unless given"),
            None if referred(schema).is_some_and(|name| self.values.iter().any(|known| known == name)) => {
                let is_optional = schema.get("anyOf").is_some();
                assert!(is_optional, "no default is known of {table}.{key}");
            }
            None => {}
        }
        let mut rest = vec![description(schema)];
        if let Some(example) = self.examples.get(&(table.to_owned(), key.to_owned())) {
            rest.push(format!("`{example}`"));
        }
        item(&format!("**`{key}`**: {about}"), &rest)
    }

    /// The values that have a rule or a list of words.
    fn values(&self) -> String {
        let of = |name: &String| {
            let definition = self.definition(name);
            let text = format!("### {}\n\n{}", capital(&title(name)), wrapped(&description(definition), ""));
            match self.words(name) {
                Some(words) => format!("{text}\n\n{words}"),
                None => text,
            }
        };
        self.values.iter().map(of).collect::<Vec<_>>().join("\n\n")
    }

    /// The words of a value that is one of a list.
    fn words(&self, name: &str) -> Option<String> {
        let words = self.definition(name)["oneOf"].as_array()?;
        let word = |word: &Value| {
            let spelled = word["const"].as_str().unwrap();
            item(&format!("`{spelled}`: {}", small(&description(word))), &[])
        };
        Some(words.iter().map(word).collect::<Vec<_>>().join("\n"))
    }
}

/// What the type says of itself, on one line.
fn description(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_else(|| panic!("no description: {schema}"));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The name of a type in words.
fn title(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
}

fn capital(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

fn small(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_lowercase() + rest
}

/// A value as a procedure spells it on one line.
fn toml(value: &Value) -> String {
    match value {
        Value::Array(values) => format!("[{}]", values.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let is_bare = |key: &str| key.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
            let key = |key: &str| if is_bare(key) { key.to_owned() } else { Value::from(key).to_string() };
            let members = members.iter().map(|(name, value)| format!("{} = {}", key(name), toml(value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// The constants of a source file, each with its comment.
fn constants(path: &str) -> Vec<(String, String, String)> {
    let text = read(path).replace("\\\n", "").replace(" =\n", " =");
    let mut found = Vec::new();
    let mut comment = String::new();
    for line in text.lines() {
        if let Some(more) = line.strip_prefix("/// ") {
            comment += if comment.is_empty() { "" } else { " " };
            comment += more;
            continue;
        }
        if let Some((name, value)) = line.split_once("const ").and_then(|(_, rest)| rest.split_once(": ")) {
            let value = value.split_once(" =").map_or("", |(_, value)| value.trim().trim_end_matches(';'));
            found.push((name.to_owned(), comment.clone(), value.to_owned()));
        }
        comment.clear();
    }
    found
}

fn placeholders() -> String {
    let of = |(_, namespace, name, shape, about): &(Known, &str, &str, Shape, &str)| {
        let shape = if *shape == Shape::Plain { "plain" } else { "any text" };
        format!("| `{{{namespace}.{name}}}` | {shape} | {about} |")
    };
    let rows: Vec<_> = Known::ALL.iter().map(of).collect();
    format!("| placeholder | value | what it stands for |\n|---|---|---|\n{}", rows.join("\n"))
}

/// The programs that read code, by kind.
fn programs() -> String {
    let constants = constants("rollback-core/src/procedure/format/commands.rs");
    let kinds = ["SHELLS", "TEXTS", "LANGUAGES", "INTERPRETERS"];
    let of = |kind: &str| {
        let (_, about, names) = constants.iter().find(|(name, ..)| name == kind).unwrap();
        let names = names.trim_matches('"').split_whitespace().map(|name| format!("`{name}`"));
        item(
            &format!(
                "{} {}",
                about.trim_end_matches('.').to_owned() + ":",
                names.collect::<Vec<_>>().join(" ")
            ),
            &[],
        )
    };
    kinds.map(of).join("\n")
}

fn limits() -> String {
    let constants = constants("rollback-core/src/procedure/format/limits.rs");
    let of = |(name, about, value): &(String, String, String)| {
        let value = if name == "BYTES" { bounded::PROCEDURE.to_string() } else { value.replace('_', "") };
        let number: u64 = value.parse().ok()?;
        let digits = number.to_string();
        let groups = digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap());
        Some(format!("- {}: {}", about.trim_end_matches('.'), groups.collect::<Vec<_>>().join(",")))
    };
    constants.iter().filter_map(of).collect::<Vec<_>>().join("\n")
}

fn page() -> String {
    let format = Format::new();
    let template = read("rollback-cli/src/command/procedure/new.toml").replace("@NAME@", "shop-down");
    let of_check = OfCheck::ALL.map(|(name, _)| format!("`{name}`")).join(", ");
    let text = read("tests/house/procedure_reference.md");
    let mut in_code = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        in_code ^= line.starts_with("```");
        let indent = if line.starts_with("- ") { "  " } else { "" };
        lines.push(if in_code { line.to_owned() } else { wrapped(line, indent) });
    }
    let values = BTreeMap::from([
        ("template", template.trim_end().to_owned()),
        ("programs", programs()),
        ("operators", format.words("Operator").unwrap()),
        ("units", format.words("Unit").unwrap()),
        ("of check", of_check),
        ("placeholders", placeholders()),
        ("keys", format.keys()),
        ("values", format.values()),
        ("limits", limits()),
    ]);
    filled(&lines.join("\n"), &values) + "\n"
}

#[test]
fn the_reference_of_procedures_is_made_from_the_format() {
    hold("PROCEDURES.md", &page(), str::to_owned);
}

#[test]
fn every_link_of_the_reference_leads_to_a_heading() {
    let page = page();
    let heading = |line: &str| {
        let text = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        text.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect::<String>()
    };
    let headings: Vec<_> = page.lines().filter(|line| line.starts_with('#')).map(heading).collect();
    for link in page.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(headings.iter().any(|heading| heading == link), "{link} leads nowhere");
    }
    let mut once = headings.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), headings.len(), "two headings of one name");
}
