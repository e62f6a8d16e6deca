//! The format of a procedure: a typed, versioned TOML document.
//!
//! [`Procedure::parse`] reads a file with its includes, each exactly once, and refuses it whole with every mistake
//! named by file, line and column. Nothing here runs anything or looks at a repository.

mod check;
mod commands;
mod document;
mod figure;
mod limits;
mod named;
mod phase;
mod problem;
mod shape;
mod source;
mod step;
mod texts;
mod trigger;
mod validate;
mod value;

pub use check::{Bounds, Check, Count, Expect, JsonExpect};
pub(crate) use commands::{Located, Role as ArgumentRole, roles, started_by};
pub use document::{
    Avoid, Backup, Change, Checkpoint, Constraint, Contact, Diagnose, Document, Group, GroupTime, Input,
    InputKind, Link, Meta, Policy, Precheck, Retry, Role, SCHEMA_VERSION, Signoff, Success, Undo,
};
pub(crate) use figure::unit_of;
pub use figure::{Operator, Threshold, Unit};
pub use named::Named;
pub use phase::{CommitFilter, CommitText, Gradual, Phase, Pick, Reason, Risk, Rung, RungKind, Soak, Target};
pub(crate) use problem::nearest;
pub use problem::{Problem, Problems};
pub(crate) use shape::{Action, Demand, Origin, Rule, Source, Subject, Way};
pub use step::{
    CopyFiles, Effect, EnvFile, Evidence, EvidenceTime, Followup, Insert, Message, Occasion, Publish, Report,
    Restore, Step, WriteFile,
};
pub(crate) use texts::each_text;
pub use trigger::{Condition, Decision, Metric, NoData, Severity, Trigger, TriggerAction};
pub(crate) use value::split_while;
pub use value::{BadValue, FileName, Pattern, Period, PeriodRange, Remote, Scalar, TreePath};

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::Value;

use crate::bounded;
use source::{Part, way};

/// How deep includes may go.
const DEEPEST_INCLUDE: usize = 8;

/// Reads the files that a procedure includes.
pub trait Files {
    /// The bytes of a file beside the one that is being read, by the name the procedure gives.
    ///
    /// # Errors
    /// What the system says.
    fn read(&self, name: &str) -> std::io::Result<Vec<u8>>;
}

/// No file can be included.
impl Files for () {
    fn read(&self, name: &str) -> std::io::Result<Vec<u8>> {
        Err(std::io::Error::new(std::io::ErrorKind::NotFound, format!("there is no file '{name}' beside it")))
    }
}

/// Files of a folder.
impl Files for std::path::PathBuf {
    fn read(&self, name: &str) -> std::io::Result<Vec<u8>> {
        bounded::read(&self.join(name), bounded::PROCEDURE)
    }
}

/// A procedure that fits together: every name it uses exists, every value is possible.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Procedure {
    /// Its name.
    pub id: String,
    /// All that the file and its includes say.
    pub document: Document,
    /// The files it was read from, the procedure's own first: name and bytes.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Procedure {
    /// Reads a procedure. `file` names it in problems, and its stem is the id that the file must declare.
    ///
    /// # Errors
    /// Every mistake that can be found without running it.
    pub fn parse(file: &str, bytes: &[u8], files: &dyn Files) -> Result<Self, Problems> {
        let mut parts = vec![Part::parse(file, bytes)?];
        include(&mut parts, 0, files, &mut vec![base_name(file).to_owned()])?;
        let problems = validate::problems(&parts);
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        let files = parts.iter().map(|part| (part.file.clone(), part.text.clone().into_bytes())).collect();
        let mut parts = parts.into_iter().map(|part| part.document);
        let mut document = parts.next().unwrap_or_default();
        parts.for_each(|part| join(&mut document, part));
        Ok(Self { id: document.id.clone().unwrap_or_default(), document, files })
    }

    /// The JSON Schema of the format.
    pub fn json_schema() -> schemars::Schema {
        let absent =
            |default: &Value| default.is_null() || *default == Value::Array(Vec::new()) || *default == 0;
        let plain = RecursiveTransform(move |schema: &mut schemars::Schema| {
            if schema.get("default").is_some_and(absent) {
                schema.remove("default");
            }
        });
        let settings = SchemaSettings::default().with_transform(plain);
        let mut schema = settings.into_generator().into_root_schema_for::<Document>();
        // A default for the version would be none: the reader asks for it first.
        schema.insert("required".to_owned(), Value::from(["schema"].as_slice()));
        schema
    }

    /// The check of this name.
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.document.check.iter().find(|check| check.id == id)
    }

    /// The step of this name.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.document.step.iter().find(|step| step.id == id)
    }

    /// The phase of this name, with a variant where one is named.
    ///
    /// # Errors
    /// A problem that names what there is.
    pub fn phase(&self, name: &str, variant: Option<&str>) -> Result<Phase, UnknownName> {
        let unknown = || UnknownName::new("phase", name, self.document.phase.names());
        let phase = self.document.phase.get(name).ok_or_else(unknown)?;
        let Some(variant) = variant else { return Ok(phase.clone()) };
        let unknown = || UnknownName::new("variant", variant, phase.variants.names());
        phase.with_variant(variant).ok_or_else(unknown)
    }

    /// The name of the phase that runs where none is named: the declared one, or the only one.
    pub fn default_phase(&self) -> Option<&str> {
        let only = || self.document.phase.names().next().filter(|_| self.document.phase.len() == 1);
        self.document.default_phase.as_deref().or_else(only)
    }
}

/// A name that the procedure does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} '{found}'{} (known: {})", nearest.as_ref().map_or(String::new(), |nearest| format!("; did you mean '{nearest}'?")), known.join(", "))]
#[non_exhaustive]
pub struct UnknownName {
    /// What was looked for, such as `phase`.
    pub kind: &'static str,
    /// The name that was given.
    pub found: String,
    /// The name that was probably meant.
    pub nearest: Option<String>,
    /// The names there are.
    pub known: Vec<String>,
}

impl UnknownName {
    /// A name of this kind that is not among `known`; the one that was probably meant is looked for.
    pub fn new<'a>(kind: &'static str, found: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<String> = known.into_iter().map(ToOwned::to_owned).collect();
        let nearest = nearest(found, known.iter().map(String::as_str));
        Self { kind, found: found.to_owned(), nearest, known }
    }
}

/// A value as text, or nothing.
pub(crate) fn text<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// A value of an enum as the file spells it.
pub(crate) fn spelled(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn base_name(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}

/// Reads what `parts[at]` includes, depth first; `open` holds the files on the way there.
fn include(
    parts: &mut Vec<Part>,
    at: usize,
    files: &dyn Files,
    open: &mut Vec<String>,
) -> Result<(), Problems> {
    for (index, name) in parts[at].document.include.clone().into_iter().enumerate() {
        let way = way!["include", index];
        let refuse = |code, message| Err(Problems(vec![parts[at].problem(code, &way, message)]));
        if name.contains(['/', '\\']) || name.starts_with('.') || !name.ends_with(".toml") {
            let why = format!("'{name}' is not the name of a .toml file beside this one");
            return refuse("bad-include", why);
        }
        if open.contains(&name) || open.len() >= DEEPEST_INCLUDE {
            let why = format!("including '{name}' never ends: {} -> {name}", open.join(" -> "));
            return refuse("include-cycle", why);
        }
        if parts.iter().any(|part| base_name(&part.file) == name) {
            continue;
        }
        if parts.len() >= limits::FILES {
            return refuse("too-large", format!("a procedure has at most {} files", limits::FILES));
        }
        let bytes = match files.read(&name) {
            Ok(bytes) => bytes,
            Err(error) => return refuse("bad-include", format!("cannot read '{name}': {error}")),
        };
        let folder = parts[at].file.strip_suffix(base_name(&parts[at].file)).unwrap_or("").to_owned();
        parts.push(Part::parse(&format!("{folder}{name}"), &bytes)?);
        open.push(name);
        include(parts, parts.len() - 1, files, open)?;
        open.pop();
    }
    Ok(())
}

/// Adds what an included file may bring.
fn join(document: &mut Document, part: Document) {
    macro_rules! lists {
        ($($field:ident),*) => { $(document.$field.extend(part.$field);)* };
    }
    macro_rules! tables {
        ($($field:ident),*) => { $(for (name, value) in part.$field { document.$field.push(name, value); })* };
    }
    lists!(
        contact, links, constraint, trigger, avoid, decision, precheck, check, step, evidence, message,
        report, followup, diagnose, signoff
    );
    tables!(role, input, metric, group, phase);
}
