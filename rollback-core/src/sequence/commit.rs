//! Making the commit of a step: as git's sequencer makes it without an editor, and as `git commit` makes it with one.

use std::fs;

use bstr::{BString, ByteSlice, ByteVec};

use super::logged::NewEntry;
use super::pick::{Change, Start};
use super::run::{Run, Step};
use super::state::{FOLDER, Item, Todo, removed, stopped_at};
use super::{SequenceAction, SequenceEvent, SequenceStatus, SignCommits, rerere};
use crate::apply::{CommitHooks, Landing, NewCommit, message_file, open_root, write_message_file};
use crate::error::{Error, ObjectError, Result, WorkTreeError};
use crate::hooks::Hook;
use crate::id::{CommitId, TreeId};
use crate::journal::StateFile;
use crate::message::{self, Cleanup, Message, MessageOptions};
use crate::receipt::CommitTime;
use crate::repo::identity::Role;
use crate::repo::{Commit, Signature};

/// How a commit comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Its message was edited: `git commit -n -e`.
    Edited,
    /// Its message goes through `prepare-commit-msg` and lands.
    Hooked,
    /// A conflict was resolved: `git commit`, with all hooks.
    Resolved,
}

/// What a commit is made of, beside its tree and its message.
pub(super) struct Making<'a> {
    /// The commit that is taken; its author is kept by a pick.
    pub(super) commit: &'a Commit,
    pub(super) action: SequenceAction,
    /// HEAD; none on a branch without commits.
    pub(super) parent: Option<CommitId>,
}

/// A commit that was made, and is to land.
pub(super) struct Made {
    /// The commit that was taken.
    pub(super) taken: CommitId,
    pub(super) commit: CommitId,
    pub(super) tree: TreeId,
    pub(super) reflog: BString,
}

/// A message, or why there is none.
type Worded = std::result::Result<Message, SequenceStatus>;

impl<'a> Run<'a> {
    pub(super) fn hooks(&self) -> CommitHooks<'a> {
        CommitHooks::new(self.repo, self.context.hooks.as_deref(), self.context.as_git)
    }
}

impl Run<'_> {
    /// The message that lands as it is.
    pub(super) fn unedited(&self, draft: &[u8]) -> Message {
        message::unedited(draft, &self.message_options(), &self.repo.message_style())
    }

    /// Commits what is staged, after editor or hooks have seen it.
    pub(super) fn commit_staged(
        &mut self,
        item: Item,
        change: &Change,
        ending: Ending,
        rest: Option<&Todo>,
    ) -> Result<Step> {
        let head = self.repo.head()?;
        let making = Making { commit: &change.commit, action: item.action, parent: head.commit() };
        let message = match self.worded(ending)? {
            Ok(message) => message,
            Err(status) => return self.stop(item, status),
        };
        let tree = self.repo.index_tree(&self.objects)?;
        let (commit, message) = self.make_commit(&making, tree, message)?;
        let gone: &[&str] = match ending {
            Ending::Edited => {
                &["CHERRY_PICK_HEAD", "REVERT_HEAD", "MERGE_MSG", "MERGE_MODE", "SQUASH_MSG", "AUTO_MERGE"]
            }
            _ => &["CHERRY_PICK_HEAD", "MERGE_MSG"],
        };
        let mut state_files = removed(self.repo, gone)?;
        state_files.extend(self.after_commit(rest, commit));
        let reflog = message.reflog_line(&self.reflog_word());
        let made = Made { taken: item.commit, commit, tree, reflog };
        self.land_commit(&Start { head, tree }, made, state_files)?;
        self.committed(commit);
        Ok(Step::Taken)
    }

    /// Commits a resolved conflict, as `git commit` does.
    pub(super) fn commit_resolved(&mut self, rest: Option<&Todo>) -> Result<Step> {
        let Some(item) = self.stopped_item()? else { return Ok(Step::Taken) };
        let Item { action, commit } = item;
        let unmerged = self.repo.unmerged_paths()?;
        if !unmerged.is_empty() {
            return Err(WorkTreeError::Unmerged { paths: unmerged }.into());
        }
        let mut hooks = self.hooks();
        let ran = hooks.run(Hook::PreCommit, None, self.edits_resolved())?;
        self.note_hooks(hooks.into_runs());
        if ran.is_err() {
            return self.stop(item, SequenceStatus::HookFailed);
        }
        let head = self.repo.head()?;
        let tree = self.repo.index_tree(&self.objects)?;
        if tree == self.objects.tree_of(head.commit())? {
            return self.stop(item, SequenceStatus::Empty);
        }
        let message = match self.worded(Ending::Resolved)? {
            Ok(message) => message,
            Err(status) => return self.stop(item, status),
        };
        let source = self.objects.commit(commit)?;
        let making = Making { commit: &source, action, parent: head.commit() };
        // `git commit` knows no key but that of the configuration.
        let sign = std::mem::take(&mut self.options.sign);
        let made = self.make_commit(&making, tree, message);
        self.options.sign = sign;
        let (new, message) = made?;
        let gone = [
            "CHERRY_PICK_HEAD",
            "REVERT_HEAD",
            "MERGE_HEAD",
            "MERGE_MSG",
            "MERGE_MODE",
            "SQUASH_MSG",
            "AUTO_MERGE",
        ];
        let mut state_files = removed(self.repo, &gone)?;
        if self.is_last(rest)? {
            state_files.extend(removed(self.repo, &[FOLDER])?);
        }
        let reflog = message.reflog_line(self.word_of_commit(action, head.commit()));
        let made = Made { taken: commit, commit: new, tree, reflog };
        self.land_commit(&Start { head, tree }, made, state_files)?;
        let recorded = self.record_resolutions();
        self.later(recorded);
        self.committed(new);
        Ok(Step::Taken)
    }

    /// The commit at which it stopped.
    fn stopped_item(&self) -> Result<Option<Item>> {
        for action in [SequenceAction::Pick, SequenceAction::Revert] {
            if let Some(commit) = stopped_at(self.repo, action)? {
                return Ok(Some(Item { action, commit }));
            }
        }
        Ok(None)
    }

    /// What `git commit` calls itself in the logs of references.
    fn word_of_commit(&self, action: SequenceAction, head: Option<CommitId>) -> &str {
        match (&self.context.reflog_action, action, head) {
            (Some(word), ..) => word.as_str(),
            (None, SequenceAction::Pick, _) => "commit (cherry-pick)",
            (None, _, None) => "commit (initial)",
            (None, SequenceAction::Revert, _) => "commit",
        }
    }

    fn record_resolutions(&mut self) -> Result<()> {
        let recorded = rerere::record(self.repo, &self.objects, &open_root(self.repo)?)?;
        recorded.keep(self.repo)?;
        recorded.events.iter().for_each(|event| self.front.tell(SequenceEvent::Rerere(event)));
        Ok(())
    }

    /// Leaves everything as it is staged, for a person.
    fn stop(&mut self, item: Item, status: SequenceStatus) -> Result<Step> {
        self.report.status = status;
        self.report.stopped_at = Some(item.commit);
        Ok(Step::Stopped)
    }

    fn edits_resolved(&self) -> bool {
        self.options.edit.unwrap_or(self.context.edits_resolved)
    }

    /// The message of what is staged: `MERGE_MSG`, as hooks and editor leave it.
    fn worded(&mut self, ending: Ending) -> Result<Worded> {
        let draft = self.read_state("MERGE_MSG")?.unwrap_or_default();
        let edited = match ending {
            Ending::Edited => true,
            Ending::Hooked => false,
            Ending::Resolved => self.edits_resolved(),
        };
        let text = if edited { self.template(&draft) } else { BString::from(draft) };
        let mut hooks = self.hooks();
        if !edited && !hooks.has(Hook::PrepareCommitMsg)? && !hooks.has(Hook::CommitMsg)? {
            self.pending.push(StateFile::write("COMMIT_EDITMSG", text.clone()));
            return Ok(self.cleaned(ending, edited, &text));
        }
        write_message_file(self.repo, &text)?;
        let source = if ending == Ending::Hooked { "message" } else { "merge" };
        let mut ran = hooks.run(Hook::PrepareCommitMsg, Some(source), edited)?;
        if ran.is_ok() && edited && self.front.edit(&message_file(self.repo)).is_err() {
            self.note_hooks(hooks.into_runs());
            return Ok(Err(SequenceStatus::EditorFailed));
        }
        if ran.is_ok() && ending == Ending::Resolved {
            ran = hooks.run(Hook::CommitMsg, None, edited)?;
        }
        self.note_hooks(hooks.into_runs());
        if ran.is_err() {
            return Ok(Err(SequenceStatus::HookFailed));
        }
        let file = message_file(self.repo);
        let left = fs::read(&file).map_err(|error| Error::io("read", &file, error))?;
        Ok(self.cleaned(ending, edited, &left))
    }

    /// The message of what hooks and editor have left.
    fn cleaned(&self, ending: Ending, edited: bool, left: &[u8]) -> Worded {
        let style = self.repo.message_style();
        if ending == Ending::Hooked {
            return Ok(message::unedited(left, &self.message_options(), &style));
        }
        let mut options = MessageOptions::default();
        if !edited {
            options.cleanup = Some(Cleanup::Strip);
        }
        message::edited(left, &options, &style).ok_or(SequenceStatus::EmptyMessage)
    }

    /// What an editor shows: the message, and git's note below it.
    fn template(&self, draft: &[u8]) -> BString {
        let style = self.repo.message_style();
        let comment = style.comment.to_str_lossy().into_owned();
        let mut text = BString::from(draft);
        if text.last().is_some_and(|last| *last != b'\n') {
            text.push_byte(b'\n');
        }
        let note = [
            "Please enter the commit message for your changes. Lines starting".to_owned(),
            format!("with '{comment}' will be ignored, and an empty message aborts the commit."),
        ];
        text.push_byte(b'\n');
        for line in note {
            text.push_str(format!("{comment} {line}\n"));
        }
        text.push_str(format!("{comment}\n"));
        text
    }

    /// Builds the commit in memory.
    pub(super) fn make_commit(
        &self,
        making: &Making<'_>,
        tree: TreeId,
        message: Message,
    ) -> Result<(CommitId, Message)> {
        let committer = self.actor(Role::Committer)?;
        let author = match making.action {
            SequenceAction::Revert => self.actor(Role::Author)?.line(),
            SequenceAction::Pick => message::author_of_pick(making.commit, &self.repo.message_style())
                .ok_or_else(|| {
                    Error::from(ObjectError::Corrupt {
                        kind: "commit",
                        id: making.commit.id.0,
                        source: "it names no author".into(),
                    })
                })?,
        };
        let commit = NewCommit {
            tree,
            parent: making.parent,
            merged: None,
            author: &author,
            committer: &committer,
            message: &message,
        };
        let signed = match &self.options.sign {
            SignCommits::No => commit.write(&self.objects, false)?,
            SignCommits::AsConfigured => commit.write(&self.objects, self.repo.signs_commits())?,
            SignCommits::WithKey(key) => commit.write_signed_with(&self.objects, key)?,
        };
        Ok((signed, message))
    }

    /// Lands a commit: index and work tree go from where the step began to its tree.
    pub(super) fn land_commit(
        &mut self,
        start: &Start,
        made: Made,
        state_files: Vec<StateFile>,
    ) -> Result<()> {
        let landing = Landing {
            objects: self.objects.take_new(),
            checkout: true,
            reference: Some(self.moved(&start.head, made.commit, made.reflog)?),
            state_files,
            ..Landing::of_trees(start.tree, made.tree)
        };
        self.land(landing, NewEntry::of_commit(made.taken))
    }

    /// Who does it, and when.
    pub(super) fn actor(&self, role: Role) -> Result<Signature> {
        Ok(self.with_time(match &self.context.identity {
            Some(given) => Signature {
                name: given.name.as_str().into(),
                email: given.email.as_str().into(),
                ..Signature::default()
            },
            None => self.repo.identity(role)?,
        }))
    }

    pub(super) fn with_time(&self, mut actor: Signature) -> Signature {
        if let Some(time) = self.context.time.or_else(|| actor.time.is_empty().then(CommitTime::now)) {
            (actor.seconds, actor.time) = (time.seconds, time.to_string());
        }
        actor
    }

    /// Tells of the commit, and runs what follows it.
    pub(super) fn committed(&mut self, commit: CommitId) {
        self.report.commit_ids.push(commit);
        let mut hooks = self.hooks();
        let failure = match hooks.run(Hook::PostCommit, None, false) {
            Ok(ran) => ran.err().map(|why| format!("the post-commit hook failed: {why}")),
            Err(error) => Some(error.to_string()),
        };
        self.report.later_failure = self.report.later_failure.take().or(failure);
        self.note_hooks(hooks.into_runs());
        self.front.tell(SequenceEvent::Committed(commit));
    }
}
