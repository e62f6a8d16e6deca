//! The hunks of a conflict, for people: what stands between the markers, and where.

use serde::{Deserialize, Serialize};

use crate::conflict::Conflict;
use crate::error::Result;
use crate::id::TreeId;
use crate::merge::{MarkerSize, MarkerSizes};
use crate::path::RepoPath;
use crate::repo::Objects;

/// How many hunks are kept of a merge.
const MOST_HUNKS: usize = 20;

/// How many lines are kept of a hunk.
const MOST_LINES: usize = 60;

/// A stretch of a file on which the sides of a merge differ, with its conflict markers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ConflictHunk {
    /// The file.
    pub path: RepoPath,
    /// The line of its first marker in the merged file, from 1.
    pub line: usize,
    /// The lines, markers included, as text for people.
    pub text: String,
    /// How many lines are left out at its end.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// The first hunks of the files in conflict, as they stand in the merged tree.
pub(crate) fn of(objects: &Objects, tree: TreeId, conflicts: &[Conflict]) -> Result<Vec<ConflictHunk>> {
    let mut hunks = Vec::new();
    let mut sizes = MarkerSizes::of(objects)?;
    for conflict in conflicts {
        let Some(entry) = objects.entry_at(tree, &conflict.path)?.filter(|entry| entry.mode.is_file()) else {
            continue;
        };
        let bytes = objects.blob(entry.id)?;
        let size = sizes.at(&conflict.path)?;
        in_file(&conflict.path, &String::from_utf8_lossy(&bytes), size, &mut hunks);
        if hunks.len() >= MOST_HUNKS {
            break;
        }
    }
    Ok(hunks)
}

fn in_file(path: &RepoPath, text: &str, size: MarkerSize, hunks: &mut Vec<ConflictHunk>) {
    let [begin, end] = ["<", ">"].map(|letter| letter.repeat(size.0));
    let mut open: Option<ConflictHunk> = None;
    let mut lines = 0;
    for (nth, line) in text.split_inclusive('\n').enumerate() {
        if open.is_none() && line.starts_with(&begin) && hunks.len() < MOST_HUNKS {
            lines = 0;
            open = Some(ConflictHunk { path: path.clone(), line: nth + 1, text: String::new(), left_out: 0 });
        }
        let Some(mut hunk) = open.take() else { continue };
        match lines < MOST_LINES {
            true => hunk.text.push_str(line),
            false => hunk.left_out += 1,
        }
        lines += 1;
        match line.starts_with(&end) {
            true => hunks.push(hunk),
            false => open = Some(hunk),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_are_what_stands_between_markers() {
        let text = "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> x\nd\n<<<<<<< HEAD\n";
        let mut hunks = Vec::new();
        in_file(&"f".into(), text, MarkerSize::default(), &mut hunks);
        let text = "<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> x\n".to_owned();
        assert_eq!(hunks, [ConflictHunk { path: "f".into(), line: 2, text, left_out: 0 }]);

        let long = format!("<<<<<<< HEAD\n{}=======\n>>>>>>> x\n", "x\n".repeat(100));
        let mut hunks = Vec::new();
        in_file(&"f".into(), &long, MarkerSize::default(), &mut hunks);
        assert_eq!((hunks[0].text.lines().count(), hunks[0].left_out), (60, 43));
    }
}
