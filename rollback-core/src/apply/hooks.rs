//! The hooks of one landing: `prepare-commit-msg` before each commit is built, `post-commit` after the landing.
//!
//! No program is started here: each [`HookCall`] goes to the [`Hooks`] of the caller. A hook before the landing runs
//! while rb holds no lock, so that it can use git: it finds HEAD and the work tree as they are, and in `GIT_INDEX_FILE`
//! an index that has the result, as under git. Where it refuses, all is as it was, but for objects that nothing names.
//!
//! git has made one commit before it asks about the next. A landing moves its reference once, so every hook before it
//! finds the old HEAD, and every hook after it the new one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::inspect::Found;
use super::{changes, durable, index_edit, objects};
use crate::error::{Error, LandingError, Result};
use crate::hooks::{Hook, HookCall, HookEnd, HookResult, HookRun, Hooks};
use crate::id::TreeId;
use crate::message::Message;
use crate::plan::Plan;
use crate::receipt::ApplyOptions;
use crate::repo::config::{Settings, Shared};
use crate::repo::hooks::{InstalledHook, Permission};
use crate::repo::{Objects, Repo};

/// Where the message that a hook may change comes from, in git's word for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// It lands as the hook leaves it.
    Message,
    /// An editor follows.
    Merge,
}

/// What hooks are run for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occasion {
    /// Whether the result goes to the branch that is checked out.
    pub(super) checkout: bool,
    /// Whether the user has edited the message.
    pub(super) edited: bool,
}

/// The hooks of one landing.
pub(super) struct LandingHooks<'a> {
    repo: &'a Repo,
    runner: Option<&'a dyn Hooks>,
    to_run: Vec<InstalledHook>,
    runs: Vec<HookRun>,
    scratch: Option<Scratch>,
}

impl<'a> LandingHooks<'a> {
    /// Looks up which hooks there are, and which of them run.
    pub(super) fn of(repo: &'a Repo, options: &'a ApplyOptions, occasion: Occasion) -> Result<Self> {
        let runner = options.hooks.as_deref();
        let mut hooks = Self { repo, runner, to_run: Vec::new(), runs: Vec::new(), scratch: None };
        for hook in [Hook::PrepareCommitMsg, Hook::PostCommit] {
            let Some(installed) = repo.installed_hook(hook)? else { continue };
            let result = match installed.permission {
                Permission::NotTrusted => HookResult::NotTrusted,
                _ if !occasion.checkout => HookResult::NotCheckedOut,
                _ if occasion.edited && hook == Hook::PrepareCommitMsg => HookResult::BeforeEditor,
                _ if runner.is_none() => HookResult::NobodyToRun,
                _ => HookResult::ToRun,
            };
            hooks.runs.push(HookRun::new(hook, result));
            if result == HookResult::ToRun {
                hooks.to_run.push(installed);
            }
        }
        Ok(hooks)
    }

    /// Whether a hook runs before the commits are built.
    pub(super) fn has_prepare(&self) -> bool {
        self.find(Hook::PrepareCommitMsg).is_some()
    }

    /// What has become of the hooks so far.
    pub(super) fn runs(&self) -> &[HookRun] {
        &self.runs
    }

    /// The message as `prepare-commit-msg` leaves it, for a commit that makes `after` of the tree of HEAD.
    ///
    /// # Writes
    /// `COMMIT_EDITMSG` in the git directory, as git does; it comes back unless [`LandingHooks::landed`] is called.
    pub(super) fn prepare(
        &mut self,
        message: Message,
        change: &Change<'_>,
        source: Source,
    ) -> Result<Message> {
        let Some(installed) = self.find(Hook::PrepareCommitMsg).cloned() else { return Ok(message) };
        let scratch = match self.scratch.take() {
            Some(scratch) => scratch,
            None => Scratch::make(self.repo)?,
        };
        let scratch = self.scratch.insert(scratch);
        scratch.write_message(message.draft())?;
        scratch.write_index(self.repo, change)?;
        let (file, index) = (scratch.message.clone(), scratch.folder.path().join("index"));
        let word = if source == Source::Message { "message" } else { "merge" };
        let arguments = vec![self.place(&file)?, word.to_owned()];
        let mut environment = vec![("GIT_INDEX_FILE", text(&index)?)];
        if source == Source::Message {
            // git says so to a hook that no editor follows.
            environment.push(("GIT_EDITOR", ":".to_owned()));
        }
        if !installed.is_as_found() {
            let why = "it is another one than when the landing began".to_owned();
            return Err(LandingError::Hook { hook: installed.hook.name(), why }.into());
        }
        let end = self.run(&installed, arguments, environment)?;
        if end.cancelled {
            return Err(Error::Cancelled);
        }
        if let Some(failure) = end.failure {
            let why = match end.output.lines().find(|line| !line.trim().is_empty()) {
                Some(line) => format!("{failure}: {}", line.trim()),
                None => failure,
            };
            return Err(LandingError::Hook { hook: installed.hook.name(), why }.into());
        }
        let left = fs::read(&file).map_err(|error| Error::io("read", &file, error))?;
        Ok(message.rewritten(&left, &self.repo.message_style()))
    }

    /// Runs `post-commit` once for each commit that has landed; returns what failed. The landing stands in any case.
    pub(super) fn landed(&mut self, commits: usize) -> Option<String> {
        if let Some(scratch) = &mut self.scratch {
            scratch.keep_message = true;
        }
        let installed = self.find(Hook::PostCommit).cloned()?;
        let mut failed = None;
        for _ in 0..commits {
            // The landing may have written to the folder of hooks.
            if !installed.is_as_found() {
                self.row(installed.hook).result = HookResult::Changed;
                break;
            }
            let index = self.place(&self.repo.index_path());
            let environment = |index| vec![("GIT_INDEX_FILE", index), ("GIT_EDITOR", ":".to_owned())];
            let end = index.and_then(|index| self.run(&installed, Vec::new(), environment(index)));
            let (failure, stop) = match end {
                Ok(end) => (end.failure, end.cancelled),
                Err(error) => (Some(error.to_string()), true),
            };
            if let Some(failure) = failure {
                let row = self.row(installed.hook);
                (row.result, row.failure) = (HookResult::Failed, Some(failure.clone()));
                failed.get_or_insert(format!("the {} hook failed: {failure}", installed.hook));
            }
            if stop {
                break;
            }
        }
        failed
    }

    fn run(
        &mut self,
        installed: &InstalledHook,
        arguments: Vec<String>,
        environment: Vec<(&'static str, String)>,
    ) -> Result<HookEnd> {
        let Some(runner) = self.runner else { return Ok(HookEnd::default()) };
        let call = call(self.repo, installed, arguments, environment)?;
        let end = runner.run(&call);
        let row = self.row(installed.hook);
        row.runs += 1;
        if row.result == HookResult::ToRun {
            row.result = HookResult::Ran;
        }
        row.output.push_str(&end.output);
        Ok(end)
    }

    fn find(&self, hook: Hook) -> Option<&InstalledHook> {
        self.to_run.iter().find(|installed| installed.hook == hook)
    }

    fn row(&mut self, hook: Hook) -> &mut HookRun {
        let at = self.runs.iter().position(|row| row.hook == hook);
        &mut self.runs[at.expect("every hook that runs has a row")]
    }

    /// A file of the git directory, as git names it to a hook.
    fn place(&self, file: &Path) -> Result<String> {
        place(self.repo, file)
    }
}

/// What a hook is started with, beside what is particular to it.
fn call(
    repo: &Repo,
    installed: &InstalledHook,
    arguments: Vec<String>,
    mut environment: Vec<(&'static str, String)>,
) -> Result<HookCall> {
    let folder = repo.work_dir().unwrap_or(repo.git_dir()).to_owned();
    if !git_finds_itself(repo, &folder) {
        environment.push(("GIT_DIR", text(&absolute(repo.git_dir()))?));
        if std::env::var_os("GIT_WORK_TREE").is_some() {
            environment.push(("GIT_WORK_TREE", text(&absolute(&folder))?));
        }
    }
    Ok(HookCall { hook: installed.hook, program: installed.path.clone(), arguments, folder, environment })
}

/// A file of the git directory, as git names it to a hook.
fn place(repo: &Repo, file: &Path) -> Result<String> {
    let folder = repo.work_dir().unwrap_or(repo.git_dir());
    let inner = file.strip_prefix(repo.git_dir()).ok().filter(|_| git_finds_itself(repo, folder));
    inner.map_or_else(|| text(&absolute(file)), |inner| text(&Path::new(".git").join(inner)))
}

/// Whether a git that is started in `folder` finds this git directory by itself.
fn git_finds_itself(repo: &Repo, folder: &Path) -> bool {
    let whole = |path: &Path| path.canonicalize().ok();
    let own = folder.join(".git");
    own.is_dir() && whole(&own) == whole(repo.git_dir())
}

/// The hooks of a sequence, which find index and work tree as they will be committed.
pub(crate) struct CommitHooks<'a> {
    repo: &'a Repo,
    runner: Option<&'a dyn Hooks>,
    trusted: bool,
    runs: Vec<HookRun>,
}

impl<'a> CommitHooks<'a> {
    /// Hooks that `runner` runs. Those that the repository itself has run only where it is trusted, or where `trusted`
    /// says that the user wants what git would do.
    pub(crate) fn new(repo: &'a Repo, runner: Option<&'a dyn Hooks>, trusted: bool) -> Self {
        Self { repo, runner, trusted, runs: Vec::new() }
    }

    /// What has become of the hooks that are installed.
    pub(crate) fn into_runs(self) -> Vec<HookRun> {
        self.runs
    }

    /// Whether the hook would run.
    ///
    /// # Errors
    /// [`Error::Io`] for a hook that cannot be read.
    pub(crate) fn has(&self, hook: Hook) -> Result<bool> {
        Ok(self.repo.installed_hook(hook)?.is_some_and(|installed| self.may_run(&installed)))
    }

    fn may_run(&self, installed: &InstalledHook) -> bool {
        self.runner.is_some() && (self.trusted || installed.permission == Permission::Given)
    }

    /// Runs a hook, if it is there and may run; `Err` with why where it failed.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; [`Error::Io`] for a hook that cannot be read.
    pub(crate) fn run(
        &mut self,
        hook: Hook,
        message: Option<&str>,
        editor: bool,
    ) -> Result<Result<(), String>> {
        let Some(installed) = self.repo.installed_hook(hook)? else { return Ok(Ok(())) };
        if !self.may_run(&installed) {
            let result = match self.runner {
                None => HookResult::NobodyToRun,
                Some(_) => HookResult::NotTrusted,
            };
            if !self.runs.iter().any(|run| run.hook == hook) {
                self.runs.push(HookRun::new(hook, result));
            }
            return Ok(Ok(()));
        }
        let Some(runner) = self.runner else { return Ok(Ok(())) };
        let mut arguments = Vec::new();
        if hook == Hook::PrepareCommitMsg || hook == Hook::CommitMsg {
            arguments.push(place(self.repo, &self.repo.git_dir().join("COMMIT_EDITMSG"))?);
        }
        arguments.extend(message.map(ToOwned::to_owned));
        let mut environment = vec![("GIT_INDEX_FILE", place(self.repo, &self.repo.index_path())?)];
        if !editor {
            // git says so to a hook that no editor follows.
            environment.push(("GIT_EDITOR", ":".to_owned()));
        }
        let end = runner.run(&call(self.repo, &installed, arguments, environment)?);
        let mut run = HookRun::new(hook, HookResult::Ran);
        (run.runs, run.output) = (1, end.output);
        if end.failure.is_some() {
            (run.result, run.failure) = (HookResult::Failed, end.failure.clone());
        }
        self.runs.push(run);
        match (end.cancelled, end.failure) {
            (true, _) => Err(Error::Cancelled),
            (false, Some(why)) => Ok(Err(why)),
            (false, None) => Ok(Ok(())),
        }
    }
}

/// The file that editor and hooks are given.
pub(crate) fn message_file(repo: &Repo) -> PathBuf {
    repo.git_dir().join("COMMIT_EDITMSG")
}

/// Writes the message for editor and hooks.
///
/// # Writes
/// `COMMIT_EDITMSG` in the git directory, as git does.
pub(crate) fn write_message_file(repo: &Repo, text: &[u8]) -> Result<()> {
    let file = message_file(repo);
    // Never through a link.
    durable::remove_if_there(&file)?;
    durable::write_new(&file, text, Settings::of(repo)?.shared, false)
}

/// What one commit changes.
pub(super) struct Change<'a> {
    pub(super) plan: &'a Plan,
    pub(super) objects: &'a Objects,
    /// What HEAD has.
    pub(super) before: TreeId,
    /// What the commit will have.
    pub(super) after: TreeId,
}

/// A folder for the index that hooks see, and for the message that lay in the git directory before.
struct Scratch {
    folder: tempfile::TempDir,
    message: PathBuf,
    before: Option<PathBuf>,
    keep_message: bool,
}

impl Scratch {
    fn make(repo: &Repo) -> Result<Self> {
        let own = repo.git_dir().join("rb");
        durable::refuse_links(repo.git_dir(), Path::new("rb"))?;
        durable::make_folders(&own, Settings::of(repo)?.shared, false)?;
        let folder = tempfile::Builder::new()
            .prefix("hooks-")
            .tempdir_in(&own)
            .map_err(|error| Error::io("make a folder in", &own, error))?;
        let message = repo.git_dir().join("COMMIT_EDITMSG");
        let kept = folder.path().join("message");
        let before = match fs::rename(&message, &kept) {
            Ok(()) => Some(kept),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::io("move", message, error)),
        };
        Ok(Self { folder, message, before, keep_message: false })
    }

    fn write_message(&self, text: &[u8]) -> Result<()> {
        // Never through a link.
        durable::remove_if_there(&self.message)?;
        durable::write_new(&self.message, text, Shared::Umask, false)
    }

    /// The index as it will be, with its objects, so that a hook can ask git what is about to be committed.
    fn write_index(&self, repo: &Repo, change: &Change<'_>) -> Result<()> {
        let settings = Settings::of(repo)?;
        objects::store(repo, change.plan.prepared.objects(), &settings)?;
        let mut index = repo.read_index()?.index;
        let changes = changes::between(change.objects, change.before, change.after)?;
        let found = vec![Found::Nothing; changes.len()];
        index_edit::edit(&mut index, &changes, &found, &[], &BTreeMap::new());
        let trees = (change.before, change.after);
        index_edit::shift_cached_trees(&mut index, change.objects, trees, &changes, &[])?;
        let path = self.folder.path().join("index");
        durable::remove_if_there(&path)?;
        durable::write_new(
            &path,
            &index.encode(settings.skip_hash, repo.index_folding()?.as_ref())?,
            Shared::Umask,
            false,
        )
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.keep_message {
            return;
        }
        // A message of git's that cannot be put back is no reason to fail: nothing reads it.
        let _ = match &self.before {
            Some(kept) => fs::rename(kept, &self.message).map_err(|error| Error::io("move", kept, error)),
            None => durable::remove_if_there(&self.message),
        };
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn text(path: &Path) -> Result<String> {
    path.to_str().map(ToOwned::to_owned).ok_or_else(|| {
        Error::BadRequest(format!("hooks cannot be given the path {}: it is not UTF-8", path.display()))
    })
}
