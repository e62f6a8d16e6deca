//! What can be wrong with a procedure although every value in it is well-formed.
//!
//! Every mistake is found, not only the first. Nothing here runs anything or looks at a repository: what depends on
//! one is refused when a run is prepared.

mod commands;
mod names;
mod placeholders;
mod shapes;

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use super::document::Document;
use super::limits;
use super::problem::{Problem, nearest};
use super::shape::Misshapen;
use super::source::{Part, Step, way};

/// All mistakes of a procedure, in the order of its files and lines.
pub(super) fn problems(parts: &[Part]) -> Vec<Problem> {
    let index = Index::new(parts);
    let documents: Vec<&Document> = parts.iter().map(|part| &part.document).collect();
    let mut found = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let mut report = Report { part, found: &mut found };
        if at == 0 {
            shapes::of_the_whole(&mut report);
        } else {
            shapes::of_an_include(&mut report);
        }
        names::unique(&mut report, &index, at);
        names::references(&mut report, &index);
        shapes::of_the_parts(&mut report);
        commands::check(&mut report, &documents);
        placeholders::check(&mut report, &index);
    }
    names::cycles(parts, &mut found);
    found.sort_by(|left, right| {
        (&left.file, left.line, left.column).cmp(&(&right.file, right.line, right.column))
    });
    found
}

/// Collects the problems of one file.
struct Report<'a> {
    part: &'a Part,
    found: &'a mut Vec<Problem>,
}

impl<'a> Report<'a> {
    fn document(&self) -> &'a Document {
        &self.part.document
    }

    /// Whether so many mistakes were found that more say nothing.
    fn is_full(&self) -> bool {
        self.found.len() >= limits::PROBLEMS
    }

    fn add(&mut self, code: &'static str, way: &[Step], message: impl Into<String>) {
        if self.is_full() {
            return;
        }
        self.found.push(self.part.problem(code, way, message.into()));
    }

    /// As [`Report::add`], with what stands under a key at the end of the way.
    fn add_at(&mut self, code: &'static str, way: &[Step], key: &str, message: impl Into<String>) {
        self.add(code, &[way, &way![key]].concat(), message);
    }

    fn misshapen<T>(&mut self, way: &[Step], shape: Result<T, Misshapen>) {
        if let Err(Misshapen { code, message }) = shape {
            self.add(code, way, message);
        }
    }

    fn unknown(&mut self, kind: &str, code: &'static str, way: &[Step], found: &str, known: &[&str]) {
        if self.is_full() {
            return;
        }
        let list = if known.is_empty() {
            "none is declared".to_owned()
        } else {
            format!("known: {}", known.join(", "))
        };
        let mut problem = self.part.problem(code, way, format!("unknown {kind} '{found}' ({list})"));
        problem.nearest = nearest(found, known.iter().copied());
        self.found.push(problem);
    }
}

/// The names that a procedure declares, over all its files: for each kind, the name and where it stands.
struct Index<'a> {
    declared: BTreeMap<Kind, Vec<Declared<'a>>>,
    known: HashSet<(Kind, &'a str)>,
}

struct Declared<'a> {
    name: &'a str,
    part: usize,
    way: Vec<Step>,
    /// Whether an earlier line or file has declared it.
    again: bool,
}

/// Declares the kinds of names: the key under which the format declares them, and the code for an unknown one.
macro_rules! kinds {
    ($($kind:ident $word:literal $code:literal;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        enum Kind {
            $($kind),*
        }

        impl Kind {
            const ALL: &[Self] = &[$(Self::$kind),*];

            fn word(self) -> &'static str {
                match self { $(Self::$kind => $word),* }
            }

            fn code(self) -> &'static str {
                match self { $(Self::$kind => $code),* }
            }
        }
    };
}

kinds! {
    Check "check" "unknown-check";
    Step "step" "unknown-step";
    Evidence "evidence" "unknown-name";
    Message "message" "unknown-name";
    Report "report" "unknown-name";
    Phase "phase" "unknown-phase";
    Input "input" "unknown-input";
    Metric "metric" "unknown-metric";
    Trigger "trigger" "unknown-name";
    Severity "severity" "unknown-name";
    Decision "decision" "unknown-name";
    Role "role" "unknown-role";
    Diagnose "diagnose" "unknown-name";
    Group "group" "unknown-name";
    Followup "followup" "unknown-name";
    Precheck "precheck" "unknown-name";
    Constraint "constraint" "unknown-name";
}

impl<'a> Index<'a> {
    fn new(parts: &'a [Part]) -> Self {
        let mut index = Self { declared: BTreeMap::new(), known: HashSet::new() };
        for (at, part) in parts.iter().enumerate() {
            Kind::ALL.iter().for_each(|kind| index.add(*kind, at, &part.value[kind.word()]));
        }
        index
    }

    /// Adds what a file declares of a kind: rows with an id, or named tables.
    fn add(&mut self, kind: Kind, part: usize, declared: &'a Value) {
        let mut add = |name: &'a str, way: Vec<Step>| {
            let again = !self.known.insert((kind, name));
            self.declared.entry(kind).or_default().push(Declared { name, part, way, again });
        };
        for (at, row) in declared.as_array().into_iter().flatten().enumerate() {
            add(row["id"].as_str().unwrap_or_default(), way![kind.word(), at, "id"].to_vec());
        }
        for name in declared.as_object().into_iter().flat_map(|tables| tables.keys()) {
            add(name, way![kind.word(), name.as_str()].to_vec());
        }
    }

    fn names(&self, kind: Kind) -> Vec<&'a str> {
        self.declared
            .get(&kind)
            .map_or_else(Vec::new, |all| all.iter().map(|declared| declared.name).collect())
    }

    fn has(&self, kind: Kind, name: &str) -> bool {
        self.known.contains(&(kind, name))
    }
}
