//! The operation of git that is in progress: the files that say so, which a checkpoint keeps and brings back.
//!
//! A merge, a pick and a revert are a handful of small files in the git directory, and the commits that these name. A
//! rebase and `git am` have states of their own, which no checkpoint holds: they are refused by name.

use bstr::ByteSlice;

use crate::error::{Result, WorkTreeError};
use crate::id::{CommitId, ObjectId, TreeId};
use crate::journal::StateFile;
use crate::repo::state::InProgress;
use crate::repo::{Objects, Repo};

/// The files that make up an operation, and messages that wait for a commit.
const FILES: [&str; 11] = [
    "MERGE_MSG",
    "SQUASH_MSG",
    "MERGE_MODE",
    "MERGE_AUTOSTASH",
    "sequencer/opts",
    "sequencer/head",
    "sequencer/abort-safety",
    "sequencer/todo",
    // What tells git that something is in progress comes last.
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
];

/// What the last merge left in the work tree. Outside of an operation it may be older than everything else.
const AUTO_MERGE: &str = "AUTO_MERGE";

/// Refuses the operations that no checkpoint holds.
///
/// # Errors
/// [`WorkTreeError::OperationInProgress`].
pub(crate) fn refuse_unkept(repo: &Repo) -> Result<()> {
    match repo.operation_in_progress() {
        Some(other @ (InProgress::Rebase | InProgress::Am)) => {
            Err(WorkTreeError::OperationInProgress { operation: other.describe() }.into())
        }
        _ => Ok(()),
    }
}

/// The files of the operation in progress.
///
/// # Errors
/// As [`refuse_unkept`]; [`Error::Io`](crate::Error::Io).
pub(super) fn take(repo: &Repo) -> Result<Vec<StateFile>> {
    refuse_unkept(repo)?;
    let merged = repo.operation_in_progress().map(|_| AUTO_MERGE);
    let mut files = Vec::new();
    for name in merged.into_iter().chain(FILES) {
        if let Some(content) = repo.read_state(name)? {
            files.push(StateFile::write(name, content));
        }
    }
    Ok(files)
}

/// What has to be written and removed for one state to become another.
pub(super) fn changes(now: &[StateFile], then: &[StateFile]) -> Vec<StateFile> {
    let differs = |file: &&StateFile| !now.contains(file);
    let gone = now.iter().rev().filter(|file| !then.iter().any(|kept| kept.name == file.name));
    let removed = gone.map(|file| StateFile { name: file.name.clone(), content: None });
    removed.chain(then.iter().filter(differs).cloned()).collect()
}

/// What people call the operation that these files make up; `None` for messages alone.
pub(super) fn name(files: &[StateFile]) -> Option<&'static str> {
    let content = |name: &str| {
        let file = files.iter().find(|file| file.name == name)?;
        file.content.as_ref().map(|content| content.as_bytes())
    };
    let kind = if content("MERGE_HEAD").is_some() {
        InProgress::Merge
    } else if content("CHERRY_PICK_HEAD").is_some() {
        InProgress::Pick
    } else if content("REVERT_HEAD").is_some() {
        InProgress::Revert
    } else {
        let todo = content("sequencer/todo")?;
        if todo.starts_with(b"p") { InProgress::Pick } else { InProgress::Revert }
    };
    Some(kind.describe())
}

/// The commits that the files name, whether or not they are there; nothing else need keep them.
pub(super) fn commits(repo: &Repo, files: &[StateFile]) -> Vec<CommitId> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !file.name.ends_with("_MSG") && file.name != AUTO_MERGE) {
        let Some(content) = &file.content else { continue };
        for line in content.as_bytes().lines() {
            // A line is an id alone, or a command, an id and a subject.
            let words = line.split(|byte| *byte == b' ').take(2);
            found.extend(words.filter_map(|word| commit(repo, word)));
        }
    }
    found.dedup();
    found
}

fn commit(repo: &Repo, word: &[u8]) -> Option<CommitId> {
    let is_hex = word.len() >= 4 && word.iter().all(u8::is_ascii_hexdigit);
    let word = word.to_str().ok().filter(|_| is_hex)?;
    match word.parse::<CommitId>() {
        // Before the first commit git writes the null id.
        Ok(whole) => (!whole.0.is_null()).then_some(whole),
        Err(_) => repo.resolve_commit(word).ok(),
    }
}

/// The tree that the last merge left.
pub(super) fn merged_tree(objects: &Objects, files: &[StateFile]) -> Option<TreeId> {
    let content = files.iter().find(|file| file.name == AUTO_MERGE)?.content.as_ref()?;
    let id: ObjectId = content.as_bytes().to_str().ok()?.trim().parse().ok()?;
    objects.has(id).then_some(TreeId(id))
}
