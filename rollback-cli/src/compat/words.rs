//! What git says, word for word.

use rollback_core::conflict::{Conflict, ConflictKind};
use rollback_core::error::{InTheWay, ObjectError, RevisionError, SequenceError, WorkTreeError};
use rollback_core::merge::Merged;
use rollback_core::repo::GitRelease;
use rollback_core::sequence::{ChangeSummary, RerereEvent, SequenceAction, SummaryRow};
use rollback_core::{Error, RepoPath};

/// Lines for standard error, and the exit code.
pub(super) struct Said {
    pub(super) lines: Vec<String>,
    pub(super) code: u8,
}

/// What git says of a refusal.
pub(super) fn refusal(error: &Error, action: SequenceAction, advice: &dyn Fn(&str) -> bool) -> Said {
    let me = action.command();
    let mut lines = Vec::new();
    let mut last = Some(format!("fatal: {me} failed"));
    let mut error_line = |text: String| lines.push(format!("error: {text}"));
    match error {
        Error::WorkTree(WorkTreeError::Unmerged { .. }) => {
            let doing = if action == SequenceAction::Revert { "Reverting" } else { "Cherry-picking" };
            error_line(format!("{doing} is not possible because you have unmerged files."));
            if advice("resolveConflict") {
                lines.push("hint: Fix them up in the work tree, and then use 'git add/rm <file>'".into());
                lines.push("hint: as appropriate to mark resolution and make a commit.".into());
            }
        }
        Error::Sequence(SequenceError::IndexDiffers { .. }) => {
            error_line(format!("your local changes would be overwritten by {me}."));
            if advice("commitBeforeMerge") {
                lines.push("hint: commit your changes or stash them to proceed.".into());
            }
        }
        Error::WorkTree(WorkTreeError::InTheWay { reason, paths }) => {
            let untracked = matches!(reason, InTheWay::Untracked | InTheWay::Ignored);
            let (what, then) = match untracked {
                true => ("The following untracked working tree files", "move or remove them"),
                false => ("Your local changes to the following files", "commit your changes or stash them"),
            };
            error_line(format!("{what} would be overwritten by merge:"));
            lines.extend(paths.iter().map(|path| format!("\t{path}")));
            lines.push(format!("Please {then} before you merge."));
            lines.push("Aborting".into());
        }
        Error::Sequence(SequenceError::AlreadyInProgress { command, can_skip }) => {
            error_line(format!("{command} is already in progress"));
            if advice("sequencerInUse") {
                let skip = if *can_skip { "--skip | " } else { "" };
                lines.push(format!("hint: try \"git {command} (--continue | {skip}--abort | --quit)\""));
            }
        }
        Error::Sequence(SequenceError::NeedsMainline { commit }) => {
            error_line(format!("commit {commit} is a merge but no -m option was given."));
        }
        Error::Sequence(SequenceError::NoSuchParent { commit, parent }) => {
            error_line(format!("commit {commit} does not have parent {parent}"));
        }
        Error::Sequence(SequenceError::NothingInProgress) => {
            error_line("no cherry-pick or revert in progress".into());
        }
        Error::Sequence(SequenceError::NotInProgress { command }) => {
            error_line(format!("no {command} in progress"));
        }
        Error::Sequence(SequenceError::NothingToSkip { command }) => {
            error_line("there is nothing to skip".into());
            if advice("resolveConflict") {
                lines.push("hint: have you committed already?".into());
                lines.push(format!("hint: try \"git {command} --continue\""));
            }
        }
        Error::Sequence(SequenceError::BeganUnborn) => {
            error_line("cannot abort from a branch yet to be born".into());
        }
        Error::Sequence(SequenceError::OtherCommand { wanted, found }) => {
            error_line(format!("cannot {wanted} during a {found}."));
        }
        Error::Sequence(SequenceError::NothingToRevert) => {
            error_line("can't revert as initial commit".into());
        }
        Error::Sequence(SequenceError::UnreadableTodo { line, text }) => {
            error_line(format!("invalid line {line}: {text}"));
            error_line("unusable instruction sheet: '.git/sequencer/todo'".into());
        }
        Error::Revision(RevisionError::EmptyCommitSet { .. }) => error_line("empty commit set passed".into()),
        Error::Revision(RevisionError::NotACommit { spec, kind, .. }) => {
            error_line(format!("{spec}: can't cherry-pick a {kind}"));
        }
        Error::Revision(RevisionError::Unknown { spec, .. }) => {
            last = Some(format!("fatal: bad revision '{spec}'"));
        }
        Error::Object(ObjectError::Missing { id, .. }) => last = Some(format!("fatal: bad object {id}")),
        Error::Locked { path, .. } => {
            last = Some(format!("fatal: Unable to create '{}': File exists.", path.display()));
        }
        Error::Repository(error) if error.to_string().contains("work tree") => {
            last = Some("fatal: this operation must be run in a work tree".into());
        }
        other => {
            error_line(other.to_string());
            let mut cause = std::error::Error::source(other);
            while let Some(source) = cause {
                lines.push(format!("error: {source}"));
                cause = source.source();
            }
        }
    }
    lines.extend(last);
    Said { lines, code: 128 }
}

/// What git says of a continuation that has conflicts left.
pub(super) fn unmerged_at_commit(advice: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut lines = vec!["error: Committing is not possible because you have unmerged files.".to_owned()];
    if advice("resolveConflict") {
        lines.push("hint: Fix them up in the work tree, and then use 'git add/rm <file>'".into());
        lines.push("hint: as appropriate to mark resolution and make a commit.".into());
    }
    lines.push("fatal: Exiting because of an unresolved conflict.".into());
    lines
}

/// What git prints of a merge: the files it merged by lines, and the conflicts.
pub(super) fn merge(merged: &Merged, theirs: &str) -> Vec<String> {
    let mut rows: Vec<(&RepoPath, u8, String)> = Vec::new();
    for path in &merged.auto_merged {
        rows.push((path, 0, format!("Auto-merging {path}")));
    }
    for conflict in &merged.conflicts {
        rows.push((&conflict.path, 1, said(conflict, theirs)));
    }
    rows.sort_by(|one, other| (one.0, one.1).cmp(&(other.0, other.1)));
    rows.into_iter().map(|(.., line)| line).collect()
}

fn said(conflict: &Conflict, theirs: &str) -> String {
    let path = &conflict.path;
    match conflict.kind {
        ConflictKind::AddAdd => format!("CONFLICT (add/add): Merge conflict in {path}"),
        ConflictKind::ModifyDelete => {
            let (gone, kept) = match conflict.stages.ours {
                Some(_) => (theirs, "HEAD"),
                None => ("HEAD", theirs),
            };
            format!(
                "CONFLICT (modify/delete): {path} deleted in {gone} and modified in {kept}.  Version {kept} of {path} left in tree."
            )
        }
        ConflictKind::RenameDelete => {
            format!("CONFLICT (rename/delete): {path} renamed on one side, but deleted on the other.")
        }
        ConflictKind::RenameRename => format!("CONFLICT (rename/rename): {path} renamed to different names."),
        ConflictKind::FileDirectory => format!("CONFLICT (file/directory): directory in the way of {path}."),
        ConflictKind::DistinctTypes => format!(
            "CONFLICT (distinct types): {path} had different types on each side; renamed one of them so each can be recorded somewhere."
        ),
        ConflictKind::Submodule => format!("CONFLICT (submodule): Merge conflict in {path}"),
        _ => format!("CONFLICT (content): Merge conflict in {path}"),
    }
}

/// The advice after a conflict.
pub(super) fn advice_on_conflict(action: SequenceAction, no_commit: bool, git: GitRelease) -> Vec<String> {
    let me = action.command();
    let mut lines: Vec<String> = match no_commit {
        true => vec![
            "after resolving the conflicts, mark the corrected paths".into(),
            "with 'git add <paths>' or 'git rm <paths>'".into(),
        ],
        false => vec![
            "After resolving the conflicts, mark them with".into(),
            "\"git add/rm <pathspec>\", then run".into(),
            format!("\"git {me} --continue\"."),
            format!("You can instead skip this commit with \"git {me} --skip\"."),
            format!("To abort and get back to the state before \"git {me}\","),
            format!("run \"git {me} --abort\"."),
        ],
    };
    lines.push(how_to_disable(git));
    lines.into_iter().map(|line| format!("hint: {line}")).collect()
}

/// How the advice after a conflict is switched off.
pub(super) fn how_to_disable(git: GitRelease) -> String {
    let set = if git.is_at_least(2, 48) { "set " } else { "" };
    format!("Disable this message with \"git config {set}advice.mergeConflict false\"")
}

/// The numbers below the line of a commit.
pub(super) fn counts(summary: &ChangeSummary) -> Vec<String> {
    if summary.files == 0 {
        return Vec::new();
    }
    let plural = |number: usize| if number == 1 { "" } else { "s" };
    let mut line = format!(" {} file{} changed", summary.files, plural(summary.files));
    if summary.insertions > 0 || summary.deletions == 0 {
        line.push_str(&format!(", {} insertion{}(+)", summary.insertions, plural(summary.insertions)));
    }
    if summary.deletions > 0 || summary.insertions == 0 {
        line.push_str(&format!(", {} deletion{}(-)", summary.deletions, plural(summary.deletions)));
    }
    let row = |row: &SummaryRow| match row {
        SummaryRow::Created(mode, path) => format!(" create mode {mode} {path}"),
        SummaryRow::Deleted(mode, path) => format!(" delete mode {mode} {path}"),
        SummaryRow::ModeChanged(old, new, path) => format!(" mode change {old} => {new} {path}"),
        SummaryRow::Renamed(from, to) => format!(" rename {from} => {to} (100%)"),
        _ => String::new(),
    };
    std::iter::once(line).chain(summary.rows.iter().map(row)).collect()
}

/// What git says of a conflict that is kept or resolved.
pub(super) fn rerere(event: &RerereEvent) -> String {
    match event {
        RerereEvent::RecordedPreimage(path) => format!("Recorded preimage for '{path}'"),
        RerereEvent::RecordedResolution(path) => format!("Recorded resolution for '{path}'."),
        RerereEvent::Resolved(path) => format!("Resolved '{path}' using previous resolution."),
        RerereEvent::Staged(path) => format!("Staged '{path}' using previous resolution."),
    }
}

/// What git says where nothing is left to commit.
pub(super) fn empty(action: SequenceAction, in_sequence: bool) -> Vec<String> {
    match action {
        SequenceAction::Revert => Vec::new(),
        SequenceAction::Pick => {
            let mut lines = vec![
                "The previous cherry-pick is now empty, possibly due to conflict resolution.".to_owned(),
                "If you wish to commit it anyway, use:".into(),
                String::new(),
                "    git commit --allow-empty".into(),
                String::new(),
            ];
            if in_sequence {
                lines.extend([
                    "and then use:".to_owned(),
                    String::new(),
                    "    git cherry-pick --continue".into(),
                    String::new(),
                    "to resume cherry-picking the remaining commits.".into(),
                    "If you wish to skip this commit, use:".into(),
                    String::new(),
                    "    git cherry-pick --skip".into(),
                    String::new(),
                ]);
            } else {
                lines.push("Otherwise, please use 'git cherry-pick --skip'".into());
            }
            lines
        }
    }
}

/// How a command is used.
pub(super) fn usage(action: SequenceAction) -> String {
    match action {
        SequenceAction::Revert => "usage: git revert [--[no-]edit] [-n] [-m <parent-number>] [-s] [-S[<keyid>]] <commit>...\n   or: git revert (--continue | --skip | --abort | --quit)\n\n".into(),
        SequenceAction::Pick => "usage: git cherry-pick [--edit] [-n] [-m <parent-number>] [-s] [-x] [--ff]\n                       [-S[<keyid>]] <commit>...\n   or: git cherry-pick (--continue | --skip | --abort | --quit)\n\n".into(),
    }
}

/// The first line of a message, as git takes it for a subject.
pub(super) fn subject(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}
