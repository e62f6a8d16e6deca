//! What a plan changes, as text for people: the unified form of a diff.
//!
//! It is for reading and never for applying: names are escaped, and files that are not text are only named.

use std::fmt::Write;

use bstr::{BString, ByteSlice};
use gix::diff::blob::unified_diff::{ConsumeBinaryHunk, ContextSize};
use gix::diff::blob::{
    Algorithm, InternedInput, UnifiedDiff, diff_with_slider_heuristics, sources::byte_lines,
};

use super::Plan;
use crate::error::{Error, Result};
use crate::id::{Entry, EntryKind};
use crate::merge::looks_binary;
use crate::repo::{Objects, Repo};

/// How many unchanged lines stand around a change.
const CONTEXT: u32 = 3;

impl Repo {
    /// The diff of what landing `plan` would change; empty where nothing of it is chosen.
    ///
    /// # Errors
    /// [`ObjectError::Missing`](crate::error::ObjectError::Missing) and
    /// [`ObjectError::Corrupt`](crate::error::ObjectError::Corrupt) for what cannot be read.
    pub fn plan_diff(&self, plan: &Plan) -> Result<String> {
        let objects = self.objects();
        objects.insert_new(plan.prepared.objects())?;
        let mut text = String::new();
        for change in plan.chosen_attempt().map_or(&[][..], |attempt| &attempt.changes) {
            let name = |side: &str, entry: Option<Entry>| match entry {
                Some(_) => format!("{side}/{}", change.path),
                None => "/dev/null".to_owned(),
            };
            let (from, to) = (name("a", change.before), name("b", change.after));
            let contents = content(&objects, change.before)
                .and_then(|before| Ok((before, content(&objects, change.after)?)));
            let (before, after) = match contents {
                Err(Error::TooLarge { .. }) => {
                    let _ = writeln!(text, "Large files {from} and {to} differ");
                    continue;
                }
                contents => contents?,
            };
            if before == after {
                let _ = writeln!(text, "{to}: only its mode changes");
            } else if looks_binary(&before) || looks_binary(&after) {
                let _ = writeln!(text, "Binary files {from} and {to} differ");
            } else {
                let _ = write!(text, "--- {from}\n+++ {to}\n{}", hunks(&before, &after)?.to_str_lossy());
            }
        }
        Ok(text)
    }
}

fn content(objects: &Objects, entry: Option<Entry>) -> Result<Vec<u8>> {
    match entry {
        None => Ok(Vec::new()),
        Some(entry) if entry.mode.kind() == EntryKind::Submodule => {
            Ok(format!("Subproject commit {}\n", entry.id).into_bytes())
        }
        Some(entry) => objects.blob(entry.id),
    }
}

fn hunks(before: &[u8], after: &[u8]) -> Result<BString> {
    let input = InternedInput::new(byte_lines(before), byte_lines(after));
    let diff = diff_with_slider_heuristics(Algorithm::Myers, &input);
    let sink = ConsumeBinaryHunk::new(BString::default(), "\n");
    UnifiedDiff::new(&diff, &input, sink, ContextSize::symmetrical(CONTEXT))
        .consume()
        .map_err(|error| Error::internal("cannot write a diff", error))
}
