//! The paths that a misspelled one may have meant. A suggestion only; it decides nothing.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::repo::Objects;

use super::change::paths_between;

/// At most this many are named.
const NAMED: usize = 3;

/// The files and folders at the tip that are spelled almost like `path`, and those of the same name in other folders, the
/// most alike first.
///
/// # Errors
/// Those of reading trees.
pub(super) fn paths(objects: &Objects, tip: CommitId, path: &RepoPath) -> Result<Vec<RepoPath>> {
    let tree = objects.commit_header(tip)?.tree;
    let mut ranked = BTreeSet::new();
    let mut folders = BTreeSet::new();
    for file in paths_between(objects, objects.empty_tree(), tree)? {
        let mut folder = file.path.parent();
        while let Some(outer) = folder.filter(|outer| !outer.is_root() && folders.insert(outer.clone())) {
            ranked.extend(rank(path, &outer).map(|rank| (rank, outer.clone())));
            folder = outer.parent();
        }
        ranked.extend(rank(path, &file.path).map(|rank| (rank, file.path.clone())));
    }
    Ok(ranked.into_iter().take(NAMED).map(|(_, path)| path).collect())
}

/// How far a candidate is from the path that was asked for; `None` for one that is too far to be meant.
fn rank(asked: &RepoPath, candidate: &RepoPath) -> Option<usize> {
    let (one, other) = (asked.as_bytes(), candidate.as_bytes());
    let most = 1 + one.len().min(18) / 6;
    if one.len().abs_diff(other.len()) <= most {
        let distance = strsim::generic_damerau_levenshtein(one, other);
        if distance <= most {
            return Some(distance);
        }
    }
    (asked.file_name() == candidate.file_name()).then_some(most + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank_of(asked: &str, candidate: &str) -> Option<usize> {
        rank(&asked.into(), &candidate.into())
    }

    #[test]
    fn slips_of_the_finger_rank_before_namesakes_and_strangers_do_not_rank() {
        assert_eq!(rank_of("src/shmi.py", "src/shim.py"), Some(1));
        assert!(rank_of("src/shim.py", "lib/old/shim.py") > rank_of("src/shim.py", "src/shim2.py"));
        assert_eq!(rank_of("typo.md", "docs.md"), None);
        assert_eq!(rank_of("a", "b"), Some(1));
    }
}
