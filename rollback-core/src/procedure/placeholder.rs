//! Placeholders in the texts of a procedure: `{input.pr}`, `{run.duration}`, `{check.smoke.found}`.
//!
//! A placeholder is a namespace, a dot and a name within braces; any other brace is text, and `{{a.b}}` writes
//! `{a.b}`. A value is put in once and never read again for placeholders, so that it cannot smuggle one in.

use std::sync::LazyLock;

use regex::Regex;

static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\{(\{)?([a-z][a-z_-]*)\.([A-Za-z0-9_][A-Za-z0-9_.-]*)\}(\})?")
        .expect("the pattern is a literal")
});

/// What the values of a placeholder can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// Letters, digits and marks that no program reads as anything else: it may stand anywhere in an argument.
    Plain,
    /// Any text: it is a whole argument, or follows `NAME=`.
    Free,
}

/// Declares what a run knows by itself: the checker accepts these, the filler must fill each, the reference lists them.
macro_rules! known {
    ($($variant:ident: $namespace:literal . $name:literal $shape:ident $about:literal;)*) => {
        /// What a run knows by itself.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Known {
            $(#[doc = $about] $variant),*
        }

        impl Known {
            /// All of them: namespace, name, what the values can be, and what it stands for.
            pub const ALL: &[(Known, &'static str, &'static str, Shape, &'static str)] =
                &[$((Known::$variant, $namespace, $name, Shape::$shape, $about)),*];
        }
    };
}

known! {
    RunId: "run"."id" Plain "The id of the run.";
    RunStarted: "run"."started" Plain "When it began.";
    RunFinished: "run"."finished" Plain "When it ended, or now.";
    RunDuration: "run"."duration" Plain "How long it has taken.";
    RunMinutes: "run"."minutes" Plain "The same in minutes, rounded up; at least 1.";
    RunOperator: "run"."operator" Free "The roles of the operator.";
    RunReason: "run"."reason" Free "Why it runs; what triggered it where no reason was given.";
    RunStatus: "run"."status" Free "How it stands.";
    RunResults: "run"."results" Free "The outcome of each check, a line each.";
    RunEvidence: "run"."evidence" Free "The names of what was kept.";
    RunTimeline: "run"."timeline" Free "What happened when, a line each.";
    DateIso: "date"."iso" Plain "The day it began, as 2025-10-14.";
    DateCompact: "date"."compact" Plain "The same as 20251014.";
    DateStamp: "date"."stamp" Plain "Day and time, as 20251014-093000.";
    DateTime: "date"."time" Plain "Day and time for people, in UTC.";
    PhaseId: "phase"."id" Plain "The name of the phase.";
    PhaseTitle: "phase"."title" Free "The title of the phase.";
    PhaseRto: "phase"."rto" Plain "Within which time it should be done.";
    PhaseSeverity: "phase"."severity" Free "The severity that was given.";
    TargetCommit: "target"."commit" Plain "The commit that is rolled back.";
    TargetShort: "target"."short" Plain "The same, abbreviated.";
    TargetSubject: "target"."subject" Free "Its subject.";
    TargetPath: "target"."path" Free "The first path of the phase.";
    TargetParent: "target"."parent" Plain "The parent of the oldest commit that is rolled back.";
    SourceCommit: "source"."commit" Plain "The commit that the content comes from.";
    SourceShort: "source"."short" Plain "The same, abbreviated.";
    ResultCommit: "result"."commit" Plain "The commit that landed last.";
    ResultShort: "result"."short" Plain "The same, abbreviated.";
    ResultBranch: "result"."branch" Free "The reference it landed on.";
    ResultStrategy: "result"."strategy" Plain "The strategy of the rung that was taken.";
    ResultTree: "result"."tree" Plain "The tree of the commit that landed last.";
    TipCommit: "tip"."commit" Plain "The tip that the run began on.";
    TipShort: "tip"."short" Plain "The same, abbreviated.";
    TipBranch: "tip"."branch" Free "Its branch.";
    TriggerId: "trigger"."id" Free "What triggered the run.";
    TriggerText: "trigger"."text" Free "The same.";
    EachValue: "each"."value" Free "The member of the list for which values are set.";
    CandidateFolder: "candidate"."folder" Free "The folder of the candidate that waits for a person.";
    ProcedureId: "procedure"."id" Plain "The name of the procedure.";
    ProcedureTitle: "procedure"."title" Free "Its title.";
}

impl Known {
    /// What its values can be.
    pub fn shape(self) -> Shape {
        Self::ALL.iter().find(|(known, ..)| *known == self).map_or(Shape::Free, |(.., shape, _)| *shape)
    }
}

/// What can be told of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OfCheck {
    /// Its outcome, such as `pass`.
    Outcome,
    /// What was expected.
    Expected,
    /// What was found.
    Found,
}

impl OfCheck {
    /// The names by which they are called.
    pub const ALL: [(&'static str, Self); 3] =
        [("outcome", Self::Outcome), ("expected", Self::Expected), ("found", Self::Found)];
}

/// What a placeholder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Word<'a> {
    /// The value of an input.
    Input(&'a str),
    /// What is told of a check.
    Check(&'a str, OfCheck),
    /// A declared secret.
    Secret(&'a str),
    /// What the run knows by itself.
    Known(Known),
}

/// Why a placeholder stands for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unknown<'a> {
    /// There is no such namespace; these are there.
    Namespace(Vec<&'static str>),
    /// The namespace has no such name; these are there.
    Name(&'a str, Vec<&'static str>),
}

/// The namespaces whose names a procedure declares.
const DECLARED: [&str; 3] = ["input", "check", "secret"];

/// A placeholder as a text spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Placeholder<'a> {
    /// What stands before the first dot.
    pub namespace: &'a str,
    /// What stands after it.
    pub name: &'a str,
}

impl<'a> Placeholder<'a> {
    /// What it stands for. Whether a declared name is declared is for the caller to look up.
    ///
    /// # Errors
    /// [`Unknown`], with what there is.
    pub fn word(self) -> Result<Word<'a>, Unknown<'a>> {
        match self.namespace {
            "input" => return Ok(Word::Input(self.name)),
            "secret" => return Ok(Word::Secret(self.name)),
            "check" => {
                let (check, what) = self.name.rsplit_once('.').unwrap_or((self.name, ""));
                let known = || OfCheck::ALL.iter().map(|(name, _)| *name).collect();
                let found = OfCheck::ALL.iter().find(|(name, _)| *name == what);
                let found = found.map(|(_, what)| Word::Check(check, *what));
                return found.ok_or_else(|| Unknown::Name(what, known()));
            }
            _ => {}
        }
        let here = || Known::ALL.iter().filter(|(_, namespace, ..)| *namespace == self.namespace);
        if let Some((known, ..)) = here().find(|(_, _, name, ..)| *name == self.name) {
            return Ok(Word::Known(*known));
        }
        let known: Vec<_> = here().map(|(_, _, name, ..)| *name).collect();
        if !known.is_empty() {
            return Err(Unknown::Name(self.name, known));
        }
        let mut namespaces = DECLARED.to_vec();
        namespaces.extend(Known::ALL.iter().map(|(_, namespace, ..)| *namespace));
        namespaces.dedup();
        Err(Unknown::Namespace(namespaces))
    }
}

impl std::fmt::Display for Placeholder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{{{}.{}}}", self.namespace, self.name)
    }
}

/// The placeholders of a text, in order.
pub fn placeholders(text: &str) -> impl Iterator<Item = Placeholder<'_>> {
    PLACEHOLDER.captures_iter(text).filter(|found| found.get(1).is_none()).filter_map(|found| {
        Some(Placeholder { namespace: found.get(2)?.as_str(), name: found.get(3)?.as_str() })
    })
}

/// The text with every placeholder replaced.
///
/// # Errors
/// The first error of `lookup`.
pub fn fill<'t, E>(
    text: &'t str,
    mut lookup: impl FnMut(Placeholder<'t>) -> Result<String, E>,
) -> Result<String, E> {
    let mut filled = String::with_capacity(text.len());
    let mut at = 0;
    for found in PLACEHOLDER.captures_iter(text) {
        let (Some(whole), Some(namespace), Some(name)) = (found.get(0), found.get(2), found.get(3)) else {
            continue;
        };
        let placeholder = Placeholder { namespace: namespace.as_str(), name: name.as_str() };
        filled.push_str(&text[at..whole.start()]);
        if found.get(1).is_some() {
            filled.push_str(&placeholder.to_string());
        } else {
            filled.push_str(&lookup(placeholder)?);
            // A brace that belongs to what stands around the placeholder.
            filled.push_str(found.get(4).map_or("", |brace| brace.as_str()));
        }
        at = whole.end();
    }
    filled.push_str(&text[at..]);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        fill(text, |found| Ok::<_, ()>(format!("<{} {}>", found.namespace, found.name))).unwrap()
    }

    #[test]
    fn placeholders_are_filled_and_other_braces_stay() {
        assert_eq!(filled("merge {input.pr} of {phase.id}"), "merge <input pr> of <phase id>");
        assert_eq!(filled(r#"{"status": "x", "n": {run.id}}"#), r#"{"status": "x", "n": <run id>}"#);
        assert_eq!(filled("stash@{0} {} {word} ${HOME}"), "stash@{0} {} {word} ${HOME}");
        assert_eq!(filled("{{input.pr}}"), "{input.pr}");
        assert_eq!(filled("{check.lane-guard.found}"), "<check lane-guard.found>");
    }

    #[test]
    fn every_known_placeholder_is_found_by_its_name_and_no_other() {
        for (known, namespace, name, ..) in Known::ALL {
            assert_eq!(Placeholder { namespace, name }.word(), Ok(Word::Known(*known)));
        }
        let word = |text| placeholders(text).next().unwrap().word();
        assert_eq!(word("{check.lane-guard.found}"), Ok(Word::Check("lane-guard", OfCheck::Found)));
        assert!(matches!(word("{check.smoke}"), Err(Unknown::Name(..))));
        assert!(matches!(word("{run.nothing}"), Err(Unknown::Name(..))));
        assert!(matches!(word("{environment.HOME}"), Err(Unknown::Namespace(_))));
    }

    #[test]
    fn a_value_is_not_read_again() {
        let text = fill("{input.a}", |_| Ok::<_, ()>("{input.b}".to_owned())).unwrap();
        assert_eq!(text, "{input.b}");
    }

    #[test]
    fn placeholders_are_listed_in_order() {
        let found: Vec<_> = placeholders("{a.b} {{c.d}} {e.f-g}").map(|found| found.to_string()).collect();
        assert_eq!(found, ["{a.b}", "{e.f-g}"]);
    }
}
