//! What can be wrong with a procedure although every value in it is well-formed.
//!
//! Every mistake is found, not only the first. Nothing here runs anything or looks at a repository: what depends on
//! one is refused when a run is prepared.

mod commands;
mod names;
mod placeholders;
mod shapes;

use std::collections::{BTreeMap, HashSet};

use super::document::Document;
use super::limits;
use super::problem::{Problem, nearest};
use super::source::{Part, Step};

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

/// Builds the way to a value.
macro_rules! way {
    ($($step:expr),* $(,)?) => { [$($crate::procedure::format::source::Step::from($step)),*] };
}
use way;

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

/// Kinds of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Check,
    Step,
    Evidence,
    Message,
    Report,
    Phase,
    Input,
    Metric,
    Trigger,
    Severity,
    Decision,
    Role,
    Diagnose,
    Group,
    Followup,
    Precheck,
    Constraint,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Step => "step",
            Self::Evidence => "evidence",
            Self::Message => "message",
            Self::Report => "report",
            Self::Phase => "phase",
            Self::Input => "input",
            Self::Metric => "metric",
            Self::Trigger => "trigger",
            Self::Severity => "severity",
            Self::Decision => "decision",
            Self::Role => "role",
            Self::Diagnose => "diagnose",
            Self::Group => "group",
            Self::Followup => "followup",
            Self::Precheck => "precheck",
            Self::Constraint => "constraint",
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Check => "unknown-check",
            Self::Step => "unknown-step",
            Self::Phase => "unknown-phase",
            Self::Input => "unknown-input",
            Self::Metric => "unknown-metric",
            Self::Role => "unknown-role",
            _ => "unknown-name",
        }
    }
}

impl<'a> Index<'a> {
    fn new(parts: &'a [Part]) -> Self {
        let mut index = Self { declared: BTreeMap::new(), known: HashSet::new() };
        for (at, part) in parts.iter().enumerate() {
            index.add_lists(at, &part.document);
            index.add_tables(at, &part.document);
        }
        index
    }

    fn add_lists(&mut self, part: usize, document: &'a Document) {
        macro_rules! lists {
            ($($field:ident: $kind:ident),* $(,)?) => {
                $(for (at, row) in document.$field.iter().enumerate() {
                    let way = way![stringify!($field), at, "id"].to_vec();
                    self.add(Kind::$kind, Declared { name: &row.id, part, way, again: false });
                })*
            };
        }
        lists!(
            check: Check, step: Step, evidence: Evidence, message: Message, report: Report, trigger: Trigger,
            severity: Severity, decision: Decision, diagnose: Diagnose, followup: Followup, precheck: Precheck,
            constraint: Constraint,
        );
    }

    fn add_tables(&mut self, part: usize, document: &'a Document) {
        macro_rules! tables {
            ($($field:ident: $kind:ident),* $(,)?) => {
                $(for name in document.$field.names() {
                    let way = way![stringify!($field), name].to_vec();
                    self.add(Kind::$kind, Declared { name, part, way, again: false });
                })*
            };
        }
        tables!(phase: Phase, input: Input, metric: Metric, role: Role, group: Group);
    }

    fn add(&mut self, kind: Kind, declared: Declared<'a>) {
        let again = !self.known.insert((kind, declared.name));
        self.declared.entry(kind).or_default().push(Declared { again, ..declared });
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
