//! What git, or rb, has left of a sequence that stopped: the files below `sequencer/`, and the commit at which it stands.

use bstr::{BString, ByteSlice, ByteVec};

use super::options::{SequenceAction, SequenceOptions};
use crate::apply::{durable, read_if_there};
use crate::error::{Error, Result, SequenceError};
use crate::id::CommitId;
use crate::journal::StateFile;
use crate::message;
use crate::repo::{Objects, Repo};

pub(super) const FOLDER: &str = "sequencer";
pub(super) const LIST_FILE: &str = "sequencer/todo";
pub(super) const HEAD_FILE: &str = "sequencer/head";
pub(super) const OPTS_FILE: &str = "sequencer/opts";
pub(super) const SAFETY_FILE: &str = "sequencer/abort-safety";

/// One commit of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) action: SequenceAction,
    pub(super) commit: CommitId,
}

/// The commits that are left, each with its line of `sequencer/todo`, the one in hand first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Todo {
    pub(super) rows: Vec<(Option<Item>, BString)>,
}

impl Todo {
    /// The list for these commits.
    pub(super) fn of(objects: &Objects, action: SequenceAction, commits: &[CommitId]) -> Result<Self> {
        let row = |commit: &CommitId| -> Result<_> {
            let message = objects.commit(*commit)?.message;
            let mut line =
                BString::from(format!("{} {} ", action.todo_word(), objects.abbreviation(commit.0)?));
            line.push_str(message::subject(&message));
            Ok((Some(Item { action, commit: *commit }), line))
        };
        Ok(Self { rows: commits.iter().map(row).collect::<Result<_>>()? })
    }

    /// Reads `sequencer/todo`; `None` where there is none.
    ///
    /// # Errors
    /// [`SequenceError::UnreadableTodo`] with the line that is none of git's.
    pub(super) fn read(repo: &Repo, action: SequenceAction) -> Result<Option<Self>> {
        let Some(text) = read_if_there(&repo.git_dir().join(LIST_FILE))? else { return Ok(None) };
        let comment = repo.message_style().comment;
        let mut rows = Vec::new();
        for (nth, line) in text.lines().enumerate() {
            let bare = line.trim_ascii_start();
            if bare.is_empty() || bare.starts_with(&comment) {
                rows.push((None, BString::from(line)));
                continue;
            }
            let item = item(repo, bare).ok_or_else(|| SequenceError::UnreadableTodo {
                line: nth + 1,
                text: line.to_str_lossy().into_owned(),
            })?;
            if item.action != action {
                return Err(SequenceError::OtherCommand {
                    wanted: action.command(),
                    found: item.action.command(),
                }
                .into());
            }
            rows.push((Some(item), BString::from(line)));
        }
        if !rows.iter().any(|(item, _)| item.is_some()) {
            return Err(SequenceError::UnreadableTodo { line: 1, text: String::new() }.into());
        }
        Ok(Some(Self { rows }))
    }

    /// The text of the file.
    pub(super) fn text(&self) -> BString {
        let mut text = BString::default();
        for (_, line) in &self.rows {
            text.push_str(line);
            text.push_byte(b'\n');
        }
        text
    }

    /// The first commit of the list, and the list after it.
    pub(super) fn split(&self) -> Option<(Item, Self)> {
        let at = self.rows.iter().position(|(item, _)| item.is_some())?;
        Some((self.rows[at].0?, Self { rows: self.rows[at + 1..].to_vec() }))
    }

    /// How many commits are left.
    pub(super) fn len(&self) -> usize {
        self.rows.iter().filter(|(item, _)| item.is_some()).count()
    }
}

fn item(repo: &Repo, line: &[u8]) -> Option<Item> {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let end = line.iter().position(blank)?;
    let action = action_of(&line[..end])?;
    let rest = line[end..].trim_ascii_start();
    let name = rest.split(blank).next()?.to_str().ok()?;
    Some(Item { action, commit: repo.resolve_commit(name).ok()? })
}

fn action_of(word: &[u8]) -> Option<SequenceAction> {
    match word {
        b"pick" | b"p" => Some(SequenceAction::Pick),
        b"revert" => Some(SequenceAction::Revert),
        _ => None,
    }
}

/// What the first line of `sequencer/todo` says is going on; `None` where there is no such file, or no such word.
pub(super) fn last_command(repo: &Repo) -> Result<Option<SequenceAction>> {
    let Some(text) = read_if_there(&repo.git_dir().join(LIST_FILE))? else { return Ok(None) };
    let first = text.trim_ascii_start();
    Ok(first.find_byteset(b" \t").and_then(|end| action_of(&first[..end])))
}

/// The commit that `CHERRY_PICK_HEAD` or `REVERT_HEAD` names.
pub(super) fn stopped_at(repo: &Repo, action: SequenceAction) -> Result<Option<CommitId>> {
    let Some(text) = repo.read_state(action.head_file())? else { return Ok(None) };
    Ok(text.trim_ascii().to_str().ok().and_then(|id| id.parse().ok()))
}

/// Whether a sequence is in progress, and not a single commit.
pub(super) fn has_folder(repo: &Repo) -> Result<bool> {
    durable::is_folder(&repo.git_dir().join(FOLDER))
}

/// Where HEAD was when the sequence began: `None` without one, the null id for a branch without commits.
///
/// # Errors
/// [`SequenceError::UnreadableHead`].
pub(super) fn start(repo: &Repo) -> Result<Option<CommitId>> {
    let Some(text) = read_if_there(&repo.git_dir().join(HEAD_FILE))? else { return Ok(None) };
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let commit = line.to_str().ok().and_then(|id| id.parse().ok());
    commit.map(Some).ok_or_else(|| SequenceError::UnreadableHead.into())
}

/// Whether HEAD is where the last step left it.
pub(super) fn head_is_unmoved(repo: &Repo, head: Option<CommitId>) -> Result<bool> {
    let expected = read_if_there(&repo.git_dir().join(SAFETY_FILE))?;
    let expected: Option<CommitId> =
        expected.and_then(|text| text.trim_ascii().to_str().ok().and_then(|id| id.parse().ok()));
    Ok(expected == head)
}

/// The options that were kept.
pub(super) fn options(repo: &Repo) -> Result<SequenceOptions> {
    match read_if_there(&repo.git_dir().join(OPTS_FILE))? {
        Some(text) => SequenceOptions::from_file(&text),
        None => Ok(SequenceOptions::default()),
    }
    .map_err(|error| match error {
        Error::BadRequest(why) => SequenceError::UnreadableOptions { why }.into(),
        other => other,
    })
}

/// Whether the folder of a sequence goes with the rest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Folder {
    Stays,
    Too,
}

/// The files of an operation in progress that are there, to be removed.
pub(super) fn files_in_progress(repo: &Repo, folder: Folder) -> Result<Vec<StateFile>> {
    const NAMES: &[&str] = &[
        "CHERRY_PICK_HEAD",
        "REVERT_HEAD",
        "MERGE_HEAD",
        "MERGE_RR",
        "MERGE_MSG",
        "MERGE_MODE",
        "AUTO_MERGE",
        "SQUASH_MSG",
    ];
    let names: Vec<_> = NAMES.iter().copied().chain((folder == Folder::Too).then_some(FOLDER)).collect();
    removed(repo, &names)
}

/// Those of the files that are there, to be removed.
pub(super) fn removed(repo: &Repo, names: &[&str]) -> Result<Vec<StateFile>> {
    let mut found = Vec::new();
    for name in names {
        if is_there(repo, name)? {
            found.push(StateFile::remove(name));
        }
    }
    Ok(found)
}

/// Whether a file of git's state, or a folder, is there.
pub(super) fn is_there(repo: &Repo, name: &str) -> Result<bool> {
    match repo.keeps_as_reference(name) {
        true => Ok(repo.read_state(name)?.is_some()),
        false => durable::is_there(&repo.git_dir().join(name)),
    }
}

/// `sequencer/abort-safety`: where HEAD is after a step.
pub(super) fn safety(head: Option<CommitId>) -> StateFile {
    StateFile::write(SAFETY_FILE, head.map_or_else(String::new, |id| format!("{id}\n")))
}
