//! Reverts and picks one after the other, with a stop where a person is needed: git's sequencer.
//!
//! Each commit is one merge and one landing; the files by which git knows what is in progress are written with it, so that
//! git can go on with what rb began, and rb with what git began. What git writes where, and when it stops, is mirrored from
//! `sequencer.c` and `builtin/commit.c` of git 2.47.
//!
//! Every landing of a sequence goes on with the entry of the operation log that the one before it left, so that taking
//! the last one back takes back all of it.

mod commit;
mod from_plan;
mod named;
mod on_branch;
mod options;
mod pick;
mod rerere;
mod reset;
mod state;
mod summary;

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use named::NamedCommits;
pub use options::{SequenceAction, SequenceOptions, SignCommits, WhenEmpty};
pub use rerere::RerereEvent;
pub use summary::{ChangeSummary, SummaryRow};

use self::state::{FOLDER, HEAD_FILE, LIST_FILE, OPTS_FILE, SAFETY_FILE, Todo};
use crate::apply::log::{LOG_VERSION, LogDraft, LoggedOperation};
use crate::apply::{LandOptions, Landing, land, read_if_there};
use crate::conflict::Conflict;
use crate::error::{Error, Result, SequenceError, WorkTreeError};
use crate::hooks::{HookRun, Hooks};
use crate::id::{CommitId, ObjectId, TreeId};
use crate::journal::StateFile;
use crate::merge::Merged;
use crate::message::MessageOptions;
use crate::operation::OperationId;
use crate::path::RepoPath;
use crate::receipt::{CommitTime, Identity, Recovery};
use crate::repo::{Objects, Repo};
use crate::strategy::{ConflictHunk, Restriction};

/// What is to be undone or replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SequenceRequest {
    /// What is done with the commits.
    pub action: SequenceAction,
    /// The commits, in the order in which they are taken.
    pub commits: Vec<CommitId>,
    /// Whether it is one commit that was named, which may be taken while a sequence waits.
    pub single: bool,
    /// How.
    pub options: SequenceOptions,
    /// How a single commit is restricted to paths; all of it is taken where absent.
    pub restriction: Option<Restriction>,
    /// What is said of the message beyond what the options say.
    pub wording: MessageOptions,
    /// What was asked for, as text for people; the operation log has it.
    pub target: String,
}

impl SequenceRequest {
    /// These commits, as git takes them.
    pub fn new(action: SequenceAction, commits: Vec<CommitId>) -> Self {
        let target = commits.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let (single, options) = (commits.len() == 1, SequenceOptions::default());
        let (restriction, wording) = (None, MessageOptions::default());
        Self { action, commits, single, options, restriction, wording, target }
    }
}

/// What a sequence works with beside the repository.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SequenceContext {
    /// Who runs hooks; none is run where absent.
    pub hooks: Option<Arc<dyn Hooks>>,
    /// Whether hooks of the repository run although it is not trusted, as under git.
    pub hooks_as_git: bool,
    /// What the logs of references call the action (`GIT_REFLOG_ACTION`); git's own word where absent.
    pub reflog_action: Option<String>,
    /// Whether another program helps with conflicts and makes the commit itself (`GIT_CHERRY_PICK_HELP`).
    pub helped: bool,
    /// Who commits; configuration and environment decide where absent.
    pub identity: Option<Identity>,
    /// The time of the commits; the system's clock and zone where absent.
    pub time: Option<CommitTime>,
    /// Whether the message of a resolved conflict is edited where nothing says so.
    pub edits_resolved: bool,
}

/// Who is told what happens, and starts what the library does not start.
pub trait SequenceFront {
    /// Lets the message in this file be edited; `Err` with why it was not.
    ///
    /// # Errors
    /// Why there is no edited message, as text for people.
    fn edit(&mut self, file: &Path) -> Result<(), String>;

    /// Merges by a strategy of another program, as `git merge-NAME` does: into index and work tree. Returns its exit code.
    ///
    /// # Errors
    /// Why it could not be started.
    fn merge_by_strategy(&mut self, call: &StrategyCall<'_>) -> Result<i32, String>;

    /// Something happened.
    fn tell(&mut self, event: SequenceEvent<'_>);
}

/// A merge that another program is to make.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StrategyCall<'a> {
    /// The name of the strategy.
    pub name: &'a str,
    /// Its options, as `-X` takes them.
    pub options: &'a [String],
    /// The commit that the change is compared with; the empty tree for a root.
    pub base: ObjectId,
    /// HEAD; the empty tree on a branch without commits.
    pub ours: ObjectId,
    /// The commit that comes in.
    pub theirs: CommitId,
}

/// What happened in a sequence.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SequenceEvent<'a> {
    /// A commit was merged.
    Merged(&'a Merged),
    /// A commit was made.
    Committed(CommitId),
    /// A commit changes nothing any more, and was left out.
    Dropped(CommitId),
    /// A conflict was kept or resolved.
    Rerere(&'a RerereEvent),
    /// The merge of a commit has conflicts, or another program could not merge it.
    CouldNotMerge {
        /// The commit.
        commit: CommitId,
        /// What was to be done with it.
        action: SequenceAction,
        /// Whether there are conflicts to resolve.
        conflicts: bool,
    },
    /// A hook wrote something.
    Hook(&'a HookRun),
    /// HEAD is not where the last step left it, and stays where it is.
    HeadMoved,
}

/// A front that nobody looks at, for what neither edits nor merges.
struct Silent;

impl SequenceFront for Silent {
    fn edit(&mut self, _: &Path) -> Result<(), String> {
        Err("there is no editor".to_owned())
    }

    fn merge_by_strategy(&mut self, _: &StrategyCall<'_>) -> Result<i32, String> {
        Err("no other program is started".to_owned())
    }

    fn tell(&mut self, _: SequenceEvent<'_>) {}
}

/// How a sequence stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SequenceStatus {
    /// Every commit was taken.
    Done,
    /// A conflict is to be resolved.
    Conflicted,
    /// A commit changes nothing here: it is to be skipped, or committed by hand.
    Empty,
    /// A hook refused the commit, which is staged.
    HookFailed,
    /// The message was not edited; the commit is staged.
    EditorFailed,
    /// The message came back empty; the commit is staged.
    EmptyMessage,
    /// Another merge strategy failed.
    StrategyFailed,
    /// It was given up; all is as before.
    Aborted,
    /// It was given up, and HEAD stays where somebody else moved it.
    HeadMoved,
    /// It was forgotten; index and work tree stay as they are.
    Quit,
}

/// What came of a sequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct SequenceReport {
    /// git's name for the command: `revert` or `cherry-pick`.
    pub command: String,
    /// How it stands.
    pub status: SequenceStatus,
    /// The commits that were made by this call, in order.
    pub commit_ids: Vec<CommitId>,
    /// The commit at which it stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<CommitId>,
    /// Where the merge could not decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
    /// What stands there between conflict markers: the first hunks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hunks: Vec<ConflictHunk>,
    /// How many commits are left after the one in hand.
    pub remaining: usize,
    /// The operation that `rb undo` takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// What became of the hooks that are installed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<HookRun>,
    /// What an earlier landing had left unfinished, and what became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Recovery>,
    /// What failed after a result had landed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later_failure: Option<String>,
}

impl Repo {
    /// Undoes or replays commits one after the other, and stops where a person is needed.
    ///
    /// # Writes
    /// As a landing does, once for each commit; and git's files of what is in progress.
    ///
    /// # Errors
    /// [`SequenceError`], [`WorkTreeError::Unmerged`], [`WorkTreeError::InTheWay`] and the refusals of a landing. What was
    /// taken before stays.
    pub fn begin_sequence(
        &self,
        request: &SequenceRequest,
        context: &SequenceContext,
        front: &mut dyn SequenceFront,
    ) -> Result<SequenceReport> {
        let repo = &self.landing()?;
        let mut run = Run::new(repo, request.action, request.options.clone(), context, front)?;
        run.take_over(request);
        if let ([commit], true) = (request.commits.as_slice(), request.single) {
            run.update_safety = state::is_sequence(repo);
            let item = state::Item { action: request.action, commit: *commit };
            run.pick(item, None)?;
            return run.finish();
        }
        if let Some(command) = state::last_command(repo)? {
            let can_skip = [SequenceAction::Revert, SequenceAction::Pick]
                .iter()
                .any(|action| state::stopped_at(repo, *action).is_ok_and(|commit| commit.is_some()));
            return Err(SequenceError::AlreadyInProgress { command: command.command(), can_skip }.into());
        }
        let head = repo.head()?.commit();
        let todo = Todo::of(&run.objects, request.action, &request.commits)?;
        let first = request.commits.first().copied();
        let begun = head.or(first.map(|commit| CommitId(commit.0.null_like())));
        if head.is_none() && request.action == SequenceAction::Revert {
            return Err(SequenceError::NothingToRevert.into());
        }
        run.update_safety = true;
        run.pending.push(StateFile::write(HEAD_FILE, begun.map_or_else(String::new, |id| format!("{id}\n"))));
        let key = run.signing_key();
        let opts = run.options.to_file(key.as_deref());
        if !opts.is_empty() {
            run.pending.push(StateFile::write(OPTS_FILE, opts));
        }
        run.pending.push(safety(head));
        run.pick_all(todo)?;
        run.finish()
    }

    /// Commits what was resolved, and goes on with the rest. Where `action` is absent, with whatever is in progress.
    ///
    /// # Errors
    /// [`SequenceError::NothingInProgress`], [`WorkTreeError::Unmerged`] for conflicts that are left, and those of
    /// [`Repo::begin_sequence`].
    pub fn continue_sequence(
        &self,
        action: Option<SequenceAction>,
        edit: Option<bool>,
        context: &SequenceContext,
        front: &mut dyn SequenceFront,
    ) -> Result<SequenceReport> {
        let repo = &self.landing()?;
        let action = action.map_or_else(|| in_progress(repo), Ok)?;
        let mut options = state::options(repo)?;
        options.edit = options.edit.or(edit);
        let mut run = Run::new(repo, action, options, context, front)?;
        run.go_on()?;
        run.finish()
    }

    /// Leaves the commit out at which it stopped, and goes on with the rest.
    ///
    /// # Errors
    /// [`SequenceError::NotInProgress`], [`SequenceError::NothingToSkip`], and those of [`Repo::continue_sequence`].
    pub fn skip_in_sequence(
        &self,
        action: Option<SequenceAction>,
        context: &SequenceContext,
        front: &mut dyn SequenceFront,
    ) -> Result<SequenceReport> {
        let repo = &self.landing()?;
        let action = action.map_or_else(|| in_progress(repo), Ok)?;
        let last = state::last_command(repo)?;
        if state::stopped_at(repo, action)?.is_none() {
            if last != Some(action) {
                return Err(SequenceError::NotInProgress { command: action.command() }.into());
            }
            if !state::head_is_unmoved(repo, repo.head()?.commit())? {
                return Err(SequenceError::NothingToSkip { command: action.command() }.into());
            }
        }
        let options = state::options(repo)?;
        let mut run = Run::new(repo, action, options, context, front)?;
        run.skip()?;
        run.finish()
    }

    /// Gives up what is in progress: HEAD, index and the files it touched go back to where they were. Edits in files with
    /// conflicts are kept in the operation log.
    ///
    /// # Errors
    /// [`SequenceError::NothingInProgress`], [`SequenceError::BeganUnborn`], [`WorkTreeError::InTheWay`].
    pub fn abort_sequence(
        &self,
        context: &SequenceContext,
        front: &mut dyn SequenceFront,
    ) -> Result<SequenceReport> {
        let repo = &self.landing()?;
        let action = in_progress(repo)?;
        let mut run = Run::new(repo, action, SequenceOptions::default(), context, front)?;
        run.abort("abort")?;
        run.finish()
    }

    /// Takes back an operation that stopped, for `rb undo`.
    pub(crate) fn take_back_stop(&self, stop: &LoggedOperation) -> Result<SequenceReport> {
        let repo = &self.landing()?;
        let (context, mut silent) = (SequenceContext::default(), Silent);
        let action = in_progress(repo)?;
        let mut run = Run::new(repo, action, SequenceOptions::default(), &context, &mut silent)?;
        run.take_back(stop)?;
        run.finish()
    }

    /// Forgets what is in progress; index and work tree stay as they are. Nothing in progress is no error.
    ///
    /// # Errors
    /// Where the files cannot be removed.
    pub fn quit_sequence(&self) -> Result<SequenceReport> {
        let repo = &self.landing()?;
        let action = in_progress(repo).unwrap_or(SequenceAction::Pick);
        let files = files_in_progress(repo, Folder::Too);
        let mut report = SequenceReport::new(action);
        report.status = SequenceStatus::Quit;
        if !files.is_empty() {
            let empty = repo.objects().empty_tree();
            let landing = Landing { state_files: files, ..Landing::of_trees(empty, empty) };
            report.recovered = land(repo, &landing, &LandOptions::default())?.recovered.into();
        }
        Ok(report)
    }
}

/// What is in progress: a commit at which it stopped, or a sequence.
fn in_progress(repo: &Repo) -> Result<SequenceAction> {
    for action in [SequenceAction::Pick, SequenceAction::Revert] {
        if state::stopped_at(repo, action)?.is_some() {
            return Ok(action);
        }
    }
    state::last_command(repo)?.ok_or_else(|| SequenceError::NothingInProgress.into())
}

/// Whether the folder of a sequence goes with the rest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Folder {
    Stays,
    Too,
}

/// The files of an operation in progress that are there, to be removed.
fn files_in_progress(repo: &Repo, folder: Folder) -> Vec<StateFile> {
    const NAMES: [&str; 8] = [
        "CHERRY_PICK_HEAD",
        "REVERT_HEAD",
        "MERGE_HEAD",
        "MERGE_RR",
        "MERGE_MSG",
        "MERGE_MODE",
        "AUTO_MERGE",
        "SQUASH_MSG",
    ];
    let names = NAMES.into_iter().chain((folder == Folder::Too).then_some(FOLDER));
    names.filter(|name| is_there(repo, name)).map(StateFile::remove).collect()
}

fn is_there(repo: &Repo, name: &str) -> bool {
    repo.git_dir().join(name).symlink_metadata().is_ok()
}

/// `sequencer/abort-safety`: where HEAD is after a step.
fn safety(head: Option<CommitId>) -> StateFile {
    StateFile::write(SAFETY_FILE, head.map_or_else(String::new, |id| format!("{id}\n")))
}

impl SequenceReport {
    fn new(action: SequenceAction) -> Self {
        Self {
            command: action.command().to_owned(),
            status: SequenceStatus::Done,
            commit_ids: Vec::new(),
            stopped_at: None,
            conflicts: Vec::new(),
            hunks: Vec::new(),
            remaining: 0,
            operation_id: None,
            hooks: Vec::new(),
            recovered: None,
            later_failure: None,
        }
    }

    /// Whether something waits for a person.
    pub fn is_stopped(&self) -> bool {
        !matches!(
            self.status,
            SequenceStatus::Done | SequenceStatus::Aborted | SequenceStatus::HeadMoved | SequenceStatus::Quit
        )
    }
}

/// Whether a step ended the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Taken,
    Stopped,
}

/// One run of a command.
struct Run<'a> {
    repo: &'a Repo,
    objects: Objects,
    action: SequenceAction,
    options: SequenceOptions,
    context: &'a SequenceContext,
    front: &'a mut dyn SequenceFront,
    /// Files of git's state that the next landing writes.
    pending: Vec<StateFile>,
    /// Whether `sequencer/abort-safety` is kept.
    update_safety: bool,
    restriction: Option<Restriction>,
    wording: MessageOptions,
    target: String,
    /// The entry of the operation log that this run goes on with.
    previous: Option<LoggedOperation>,
    report: SequenceReport,
}

impl<'a> Run<'a> {
    fn new(
        repo: &'a Repo,
        action: SequenceAction,
        options: SequenceOptions,
        context: &'a SequenceContext,
        front: &'a mut dyn SequenceFront,
    ) -> Result<Self> {
        let mut report = SequenceReport::new(action);
        report.recovered = repo.recover()?;
        Ok(Self {
            repo,
            objects: repo.objects(),
            action,
            options,
            context,
            front,
            pending: Vec::new(),
            update_safety: state::is_sequence(repo),
            restriction: None,
            wording: MessageOptions::default(),
            target: String::new(),
            previous: None,
            report,
        })
    }

    /// Takes over what a request says beside its commits.
    fn take_over(&mut self, request: &SequenceRequest) {
        self.target.clone_from(&request.target);
        self.restriction.clone_from(&request.restriction);
        self.wording = request.wording.clone();
    }

    fn finish(self) -> Result<SequenceReport> {
        Ok(self.report)
    }

    /// Takes the commits of the list, each with a landing of its own.
    fn pick_all(&mut self, mut todo: Todo) -> Result<()> {
        while let Some((item, rest)) = todo.split() {
            self.repo.stop_if_cancelled()?;
            self.report.remaining = rest.len();
            self.pending.retain(|file| file.name != LIST_FILE);
            self.pending.push(StateFile::write(LIST_FILE, todo.text()));
            match self.pick(item, Some(&rest)) {
                Ok(Step::Taken) => todo = rest,
                Ok(Step::Stopped) => return Ok(()),
                Err(error) => {
                    // As git does: what was begun is known, though the commit was refused.
                    self.pending.retain(|file| file.name != SAFETY_FILE);
                    self.land_state(vec![safety(self.repo.head()?.commit())])?;
                    return Err(error);
                }
            }
        }
        self.end_sequence()
    }

    /// Removes what is left of a sequence that is over.
    fn end_sequence(&mut self) -> Result<()> {
        self.pending.clear();
        match is_there(self.repo, FOLDER) {
            true => self.land_state(vec![StateFile::remove(FOLDER)]),
            false => Ok(()),
        }
    }

    /// Goes on after a stop.
    fn go_on(&mut self) -> Result<()> {
        let stopped = |run: &Self| -> Result<bool> {
            let pick = state::stopped_at(run.repo, SequenceAction::Pick)?;
            Ok(pick.is_some() || state::stopped_at(run.repo, SequenceAction::Revert)?.is_some())
        };
        self.previous = self.entry_to_go_on_with()?;
        let Some(todo) = Todo::read(self.repo, self.action)? else {
            if !stopped(self)? {
                return Err(SequenceError::NothingInProgress.into());
            }
            return self.commit_resolved(None).map(drop);
        };
        let Some((_, rest)) = todo.split() else { return self.end_sequence() };
        if stopped(self)? {
            self.report.remaining = rest.len();
            if self.commit_resolved(Some(&rest))? == Step::Stopped {
                return Ok(());
            }
        }
        self.refuse_staged(self.repo.head()?.commit())?;
        self.pick_all(rest)
    }

    /// Refuses where the index is not what HEAD has.
    fn refuse_staged(&self, head: Option<CommitId>) -> Result<TreeId> {
        let tree = self.objects.tree_of(head)?;
        let index = self.repo.read_index()?.index;
        let unmerged = index.unmerged();
        if !unmerged.is_empty() {
            return Err(WorkTreeError::Unmerged { paths: unmerged }.into());
        }
        let added = index.entries().iter().filter(|entry| entry.flags.intent_to_add());
        let mut paths: Vec<_> = added.map(|entry| RepoPath::new(entry.path.as_slice())).collect();
        let staged = match index.tree().and_then(|cached| cached.root_id()) {
            Some(cached) => cached,
            None => index.tree_of_entries(&self.objects)?,
        };
        if staged != tree {
            let changes = crate::apply::changes::between(&self.objects, tree, staged)?;
            paths.extend(changes.into_iter().map(|change| change.path));
        }
        match paths.is_empty() {
            true => Ok(tree),
            false => Err(SequenceError::IndexDiffers { paths }.into()),
        }
    }

    /// The newest entry of the operation log, where it is the stop that is gone on with.
    fn entry_to_go_on_with(&self) -> Result<Option<LoggedOperation>> {
        let Some(newest) = self.repo.newest_operation()? else { return Ok(None) };
        let head = self.repo.head()?;
        let same = newest.stopped && newest.reference == head.name() && newest.after == head.commit();
        Ok(same.then_some(newest))
    }

    /// Writes only files of git's state.
    fn land_state(&mut self, files: Vec<StateFile>) -> Result<()> {
        let mut state_files = std::mem::take(&mut self.pending);
        state_files.extend(files);
        if state_files.is_empty() {
            return Ok(());
        }
        let empty = self.objects.empty_tree();
        let landing = Landing { state_files, ..Landing::of_trees(empty, empty) };
        land(self.repo, &landing, &LandOptions::default()).map(drop)
    }

    /// Lands a step and logs it.
    fn land(&mut self, mut landing: Landing, entry: NewEntry<'_>) -> Result<()> {
        let operation = OperationId::random()?;
        let mut state_files = std::mem::take(&mut self.pending);
        state_files.append(&mut landing.state_files);
        // The last word counts: a folder that goes takes with it what would be written into it.
        let gone = state_files.iter().any(|file| file.name == FOLDER && file.content.is_none());
        let mut names = std::collections::BTreeSet::new();
        state_files.reverse();
        state_files.retain(|file| {
            let below = gone && file.name.starts_with("sequencer/");
            !below && names.insert(file.name.clone())
        });
        state_files.reverse();
        landing.state_files.clone_from(&state_files);
        landing.log = Some(self.log(&landing, &entry, &operation)?);
        let options = LandOptions { operation: Some(operation), ..LandOptions::default() };
        let landed = match land(self.repo, &landing, &options) {
            Ok(landed) => landed,
            Err(error) => {
                // What was to be known of the sequence is still to be written.
                self.pending =
                    state_files.into_iter().filter(|file| file.name.starts_with("sequencer/")).collect();
                return Err(error);
            }
        };
        // It has landed; where its entry cannot be read, what follows is an operation of its own.
        let newest = self.repo.newest_operation().ok().flatten();
        self.previous = newest.filter(|entry| entry.operation_id == operation.to_string());
        self.report.operation_id = Some(operation.to_string());
        self.report.recovered = self.report.recovered.take().or(landed.recovered.into());
        self.report.later_failure =
            self.report.later_failure.take().or(landed.later_failure.map(|error| error.to_string()));
        Ok(())
    }

    fn log(&self, landing: &Landing, entry: &NewEntry<'_>, operation: &OperationId) -> Result<LogDraft> {
        let head = self.repo.head()?;
        let (mut before, after) = match &landing.reference {
            Some(moved) => (moved.old, moved.new),
            None => (head.commit(), head.commit()),
        };
        let receipt = self.receipt(entry, operation)?;
        let previous = self.previous.as_ref().filter(|_| entry.edits.is_none());
        let mut commit_ids = previous.map(|known| known.commit_ids.clone()).unwrap_or_default();
        commit_ids
            .extend(landing.reference.as_ref().filter(|_| entry.makes_commit).and_then(|moved| moved.new));
        let (mut tree_before, mut tree_after) = (landing.head_tree, landing.result_tree);
        if let Some(known) = previous {
            before = known.before;
            tree_before = known.tree_before;
        }
        let staged = before == after;
        if !staged && !entry.stopped && entry.edits.is_none() {
            // As a whole it leads from one commit to another.
            (tree_before, tree_after) = (self.objects.tree_of(before)?, landing.result_tree);
        }
        let target = match (&self.target, previous) {
            (given, _) if !given.is_empty() => given.clone(),
            (_, Some(known)) => known.target.clone(),
            _ => entry.commit.map(|commit| commit.to_string()).unwrap_or_default(),
        };
        let kind = entry.kind.unwrap_or(match self.action {
            SequenceAction::Revert => "revert-commit",
            SequenceAction::Pick => "cherry-pick",
        });
        let operation = LoggedOperation {
            version: LOG_VERSION,
            operation_id: operation.to_string(),
            time: self.repo.recorder().seconds,
            kind: kind.into(),
            target,
            reference: match &landing.reference {
                Some(moved) => RepoPath::new(moved.name.as_slice()),
                None => head.name(),
            },
            before,
            after,
            commit_ids,
            staged,
            tree_before,
            tree_after,
            undoes: entry.undoes.clone(),
            paths: Vec::new(),
            state_files: Vec::new(),
            states: None,
            outside: None,
            edits: entry.edits.clone(),
            stopped: entry.stopped,
            continues: previous.map(|known| known.operation_id.clone()),
        };
        let mut draft = LogDraft::new(operation, receipt);
        draft.previous = previous.cloned().map(Box::new);
        Ok(draft)
    }

    /// The document that the log keeps of a step.
    fn receipt(&self, entry: &NewEntry<'_>, operation: &OperationId) -> Result<Vec<u8>> {
        let mut report = self.report.clone();
        report.operation_id = Some(operation.to_string());
        if entry.stopped {
            (report.status, report.stopped_at) = (SequenceStatus::Conflicted, entry.commit);
        }
        let mut receipt = serde_json::to_vec_pretty(&report)
            .map_err(|error| Error::internal("cannot write the receipt", error))?;
        receipt.push(b'\n');
        Ok(receipt)
    }

    /// Keeps what failed after a step has landed.
    fn later(&mut self, failed: Result<()>) {
        let failure = failed.err().map(|error| error.to_string());
        self.report.later_failure = self.report.later_failure.take().or(failure);
    }

    /// Where HEAD is, or the null id's like on a branch without commits.
    fn safety_after(&self, head: Option<CommitId>) -> Option<StateFile> {
        self.update_safety.then(|| safety(head))
    }

    /// Tells what hooks wrote, and keeps what became of them.
    fn note_hooks(&mut self, runs: Vec<HookRun>) {
        for run in &runs {
            self.front.tell(SequenceEvent::Hook(run));
        }
        self.report.hooks.extend(runs);
    }

    /// The key to sign with, as `sequencer/opts` keeps it; `None` where nothing is signed.
    fn signing_key(&self) -> Option<String> {
        match &self.options.sign {
            SignCommits::AsConfigured => self.repo.signs_commits().then(String::new),
            SignCommits::No => None,
            SignCommits::WithKey(key) => Some(key.clone()),
        }
    }

    fn read_state(&self, name: &str) -> Result<Option<Vec<u8>>> {
        read_if_there(&self.repo.git_dir().join(name))
    }
}

/// What the operation log is told of a step.
#[derive(Default)]
struct NewEntry<'a> {
    /// What it is called, where it is neither a revert nor a pick.
    kind: Option<&'a str>,
    /// The commit that was taken.
    commit: Option<CommitId>,
    makes_commit: bool,
    stopped: bool,
    undoes: Option<String>,
    edits: Option<crate::apply::log::LoggedEdits>,
}
