//! What can go wrong, sorted by who can mend it.
//!
//! A conflict, an empty result or "already rolled back" is not here: those are results of a plan. The
//! texts are fragments without hints; the next command to type is the CLI's to name.

mod facts;
mod kind;
mod setting;
mod words;

use std::path::PathBuf;

use crate::id::{CommitId, ObjectId};
use crate::path::{Rename, RepoPath, old_names};

use words::{abbreviated, counted, for_how_long, list, listed};

pub use facts::{InTheWay, LastSeen, NotPutBack};
pub use kind::ErrorClass;
pub use setting::SettingError;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the library below, kept for its text.
pub type Source = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why a request could not be carried out.
///
/// [`Error::code`] is the stable name of a variant; [`Error::class`] says who can mend it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No repository at or above the folder.
    #[error("not a git repository (or any of its parents): {}", path.display())]
    NotARepository {
        /// Where the search began.
        path: PathBuf,
    },
    /// The repository belongs to another user.
    #[error("the repository at {} is owned by another user", path.display())]
    NotOwned {
        /// The git directory.
        path: PathBuf,
    },
    /// The repository uses a format this crate cannot read or would damage.
    #[error("{what} is not supported: {why}")]
    Unsupported {
        /// The format, such as `reference storage 'reftable'`.
        what: String,
        /// What stands in the way.
        why: String,
    },
    /// References are kept in a storage this crate cannot read.
    #[error(
        "reference storage '{storage}' is not supported: only the 'files' storage can be read and written"
    )]
    ReferenceStorage {
        /// What `extensions.refStorage` names.
        storage: String,
    },
    /// The index lists folders in place of their files.
    #[error("a sparse index is not supported: its folders stand for files that it does not list")]
    SparseIndex,
    /// A symbolic link stands where something of the git directory would be written.
    #[error("{} is a symbolic link in a git directory: writing through it could end anywhere", path.display())]
    LinkInGitDir {
        /// The link.
        path: PathBuf,
    },
    /// The configuration puts the work tree away from the folder that the repository was found in.
    #[error("core.worktree leads to {}, away from the folder that the repository lies in", work_tree.display())]
    WorkTreeElsewhere {
        /// The folder that it leads to.
        work_tree: PathBuf,
    },
    /// A record of rb's own in a git directory was cut off or altered, or is not one that rb wrote.
    #[error("the record {} cannot be used: {why}", path.display())]
    ForeignRecord {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Files of references say what no reference says.
    #[error("references cannot be read: {why}")]
    BadReferences {
        /// Which, where that is known, and what is wrong with it.
        why: String,
    },
    /// The operation needs a work tree and the repository has none.
    #[error("{operation} needs a work tree, and the repository at {} is bare", git_dir.display())]
    NeedsWorkTree {
        /// What was asked for.
        operation: &'static str,
        /// The git directory.
        git_dir: PathBuf,
    },
    /// A revision names nothing.
    #[error("unknown revision '{spec}'")]
    UnknownRevision {
        /// What was given.
        spec: String,
        /// Why it could not be resolved.
        #[source]
        source: Option<Source>,
    },
    /// A date is older than the first commit.
    #[error("nothing was committed by {date}: the history of {} begins on {begins}", tip.to_hex_with_len(10))]
    BeforeHistory {
        /// What was given.
        date: String,
        /// The day of the oldest first-parent commit, such as `2026-01-31`.
        begins: String,
        /// The commit whose history it is.
        tip: CommitId,
    },
    /// An abbreviated id names more than one object.
    #[error("'{spec}' is ambiguous: it could be {}", candidates.join(", "))]
    AmbiguousRevision {
        /// What was given.
        spec: String,
        /// The objects that it could be.
        candidates: Vec<String>,
    },
    /// A revision names something other than a commit.
    #[error("'{spec}' is a {kind}, not a commit")]
    NotACommit {
        /// What was given.
        spec: String,
        /// What it is.
        kind: String,
    },
    /// Revisions that together name no commit, such as `main..main`.
    #[error("no commit is in {}", specs.join(" "))]
    EmptyCommitSet {
        /// What was given.
        specs: Vec<String>,
    },
    /// The commits of a range are not what lies between its ends along first parents.
    #[error(
        "range {spec} does not follow first parents: {} {} brought in commits that it leaves out",
        if brought_by.len() == 1 { "merge" } else { "merges" },
        abbreviated(brought_by)
    )]
    RangeOffLine {
        /// The range.
        spec: String,
        /// The merges that brought in what the range leaves out, the oldest first.
        brought_by: Vec<CommitId>,
    },
    /// The branch never was at a commit along its first parents, so there are no changes since to undo one by one.
    #[error("{reference} never was at {} along its first parents", commit.to_hex_with_len(10))]
    NeverThere {
        /// The reference.
        reference: String,
        /// The commit.
        commit: CommitId,
    },
    /// A path is spelled in a way that no path inside a repository can be.
    #[error("'{path}' is not a path inside the repository: {why}")]
    InvalidPath {
        /// What was given.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The path does not occur in the history of the tip.
    #[error("path '{path}' never existed in the history of {tip}")]
    PathNeverExisted {
        /// The path asked for.
        path: RepoPath,
        /// The tip whose history was searched.
        tip: CommitId,
        /// Where it did exist: a reference beside the tip's history, and the commit seen there.
        last_seen: Option<LastSeen>,
        /// Paths at the tip that differ from it in ASCII case alone.
        case_twins: Vec<RepoPath>,
        /// Paths at the tip that are spelled almost like it, the most alike first.
        nearest: Vec<RepoPath>,
    },
    /// Neither HEAD nor the index has the path, so that git has no version of it to bring back.
    #[error("path '{path}' is neither in HEAD nor in the index{}", removed_by.map(|commit| format!(": {commit} removed it")).unwrap_or_default())]
    NotTracked {
        /// The path asked for.
        path: RepoPath,
        /// The commit that removed it, where one did.
        removed_by: Option<CommitId>,
    },
    /// The path is kept out of the work tree, by a sparse checkout or by hand.
    #[error("path '{path}' is kept out of the work tree (skip-worktree)")]
    KeptOut {
        /// The path asked for.
        path: RepoPath,
    },
    /// The path exists and was never good in the history of the tip.
    #[error("path '{path}' was never good in the history of {tip}")]
    NeverGood {
        /// The path asked for.
        path: RepoPath,
        /// The tip whose history was searched.
        tip: CommitId,
    },
    /// `--mainline` names a parent the commit does not have, or the commit is no merge.
    #[error("mainline {mainline} does not fit {commit}, which has {parents} parent{}", if *parents == 1 { "" } else { "s" })]
    MainlineOutOfRange {
        /// The commit.
        commit: CommitId,
        /// The parent asked for, counted from 1.
        mainline: usize,
        /// How many parents the commit has.
        parents: usize,
    },
    /// A request contradicts itself or lacks what it needs.
    #[error("{0}")]
    BadRequest(String),
    /// An object that is needed is not in the database.
    #[error("{kind} {id} is missing from the repository")]
    MissingObject {
        /// What kind of object was wanted.
        kind: &'static str,
        /// Its id.
        id: ObjectId,
        /// Whether the repository is a partial clone, where such objects can be fetched.
        partial_clone: bool,
    },
    /// Objects that a partial clone left out are needed, and fetching is off.
    #[error("{} that {remote} has and this partial clone lacks: {}", counted(ids.len(), "object"), listed(ids))]
    ObjectsNotFetched {
        /// The objects.
        ids: Vec<ObjectId>,
        /// The remote that promised them.
        remote: String,
    },
    /// Objects that a partial clone left out could not be fetched.
    #[error("{} could not be fetched from {remote}: {why} ({})", counted(ids.len(), "object"), listed(ids))]
    FetchFailed {
        /// The objects.
        ids: Vec<ObjectId>,
        /// The remote that was asked.
        remote: String,
        /// What went wrong.
        why: String,
    },
    /// The remote that promised objects is one that must not be asked.
    #[error("remote '{remote}' is not asked for objects: {why}")]
    UnsafeRemote {
        /// Its name.
        remote: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Objects would be fetched by a program that the repository itself configures, and the repository is not trusted.
    #[error(
        "objects are to be fetched with what this repository configures as {key}, and the repository is not trusted"
    )]
    FetchNotTrusted {
        /// The key, such as `core.sshCommand`.
        key: String,
    },
    /// An object is there and cannot be read.
    #[error("{kind} {id} is corrupt")]
    CorruptObject {
        /// What kind of object was wanted.
        kind: &'static str,
        /// Its id.
        id: ObjectId,
        /// What is wrong with it.
        #[source]
        source: Source,
    },
    /// History ends at a shallow boundary before the question could be answered.
    #[error("history is shallow: it ends at {boundary} before {what} could be found")]
    ShallowHistory {
        /// The first boundary commit met.
        boundary: CommitId,
        /// What was being looked for.
        what: String,
    },
    /// The branch has no commit yet.
    #[error("the current branch {branch} has no commit yet")]
    Unborn {
        /// The branch that HEAD names.
        branch: String,
    },
    /// A merge, rebase or the like waits to be finished.
    #[error("{operation} is in progress in this work tree")]
    OperationInProgress {
        /// What waits, such as `a merge`.
        operation: &'static str,
    },
    /// A checkpoint holds an operation in progress, and HEAD is not where that began.
    #[error("checkpoint {checkpoint} holds {operation} that began at {began}, and HEAD is at {head}")]
    OperationElsewhere {
        /// The checkpoint, with its scope.
        checkpoint: String,
        /// What was in progress, such as `a merge`.
        operation: &'static str,
        /// Where HEAD was then.
        began: CommitId,
        /// Where it is.
        head: CommitId,
    },
    /// The index holds conflicts.
    #[error("the index has unmerged entries: {}", list(paths))]
    Unmerged {
        /// The paths with stages.
        paths: Vec<RepoPath>,
    },
    /// Uncommitted work stands where the result would be written.
    #[error("{} would be overwritten: {}", reason.describe(), list(paths))]
    InTheWay {
        /// What kind of work it is.
        reason: InTheWay,
        /// Where it stands.
        paths: Vec<RepoPath>,
    },
    /// Two paths of the result are one file on this file system.
    #[error("path {path} differs only in case from {twin}, and this file system does not tell them apart")]
    CaseCollision {
        /// A path that would be written.
        path: RepoPath,
        /// The path it collides with.
        twin: RepoPath,
    },
    /// A tree holds a path that must never be written.
    #[error("refusing to write the path {path:?}: {why}")]
    HostilePath {
        /// The path as the tree spells it.
        path: RepoPath,
        /// What it could do.
        why: &'static str,
    },
    /// The branch is not where the plan found it.
    #[error("{reference} moved from {expected} to {found} since the plan was made")]
    Moved {
        /// The reference, such as `HEAD`.
        reference: String,
        /// Where the plan found it.
        expected: CommitId,
        /// Where it is now.
        found: CommitId,
    },
    /// What is staged is not what the plan was made on.
    #[error("what is staged is not what it was when the plan was made")]
    IndexMoved,
    /// A plan that was read from a file says something else than planning the same request does.
    #[error(
        "the plan is not what planning gives here: '{field}' differs, so it was altered, or made of another state"
    )]
    PlanAltered {
        /// The first field that differs, such as `attempts[0].tree_id`.
        field: String,
    },
    /// The branch to be made is there and holds something else.
    #[error("branch {branch} already exists at {found}, which is not this result")]
    BranchExists {
        /// The branch.
        branch: String,
        /// Where it is.
        found: CommitId,
    },
    /// A name that git would not accept for a branch.
    #[error("'{name}' is not a valid branch name")]
    InvalidBranchName {
        /// What was given.
        name: String,
    },
    /// The branch to be moved is checked out.
    #[error("branch {branch} is checked out at {}", worktree.display())]
    BranchCheckedOut {
        /// The branch.
        branch: String,
        /// The work tree that has it.
        worktree: PathBuf,
    },
    /// A checkpoint cannot have this name.
    #[error("a checkpoint cannot be called '{}': {why}", name.escape_debug())]
    BadCheckpointName {
        /// What was given.
        name: String,
        /// What is wrong with it, as the end of a sentence.
        why: &'static str,
    },
    /// rb has landed nothing in this repository.
    #[error("rb has landed nothing here yet")]
    NothingLanded,
    /// The operation log has no such operation.
    #[error("'{spec}' names no operation of the log")]
    UnknownOperation {
        /// What was given.
        spec: String,
    },
    /// The operation was taken back before.
    #[error("operation {operation} was undone already, by operation {by}")]
    AlreadyUndone {
        /// The operation.
        operation: String,
        /// The undo.
        by: String,
    },
    /// No checkpoint has this name.
    #[error("there is no checkpoint '{name}'")]
    UnknownCheckpoint {
        /// What was given.
        name: String,
    },
    /// A checkpoint of this name is there.
    #[error("checkpoint {name} is there already, made at {commit}")]
    CheckpointExists {
        /// Its name, with its scope.
        name: String,
        /// Where HEAD was then.
        commit: CommitId,
    },
    /// Something that a checkpoint holds is missing or is not what was recorded.
    #[error("checkpoint {name} is damaged: {}", problems.join("; "))]
    DamagedCheckpoint {
        /// Its name, with its scope.
        name: String,
        /// What is wrong, for people.
        problems: Vec<String>,
    },
    /// A file is larger than what this crate holds in memory at once.
    #[error("{what} has {size} bytes, more than the {limit} that rb handles")]
    TooLarge {
        /// The file or object.
        what: String,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// Commits were made on top of an operation that is to be taken back.
    #[error("later commits build on operation {operation}: {reference} is at {found}")]
    LaterCommits {
        /// The operation.
        operation: String,
        /// The reference that it moved.
        reference: String,
        /// Where that is now.
        found: CommitId,
        /// The commits that the operation made, in order.
        commits: Vec<CommitId>,
    },
    /// An operation that is to be taken back was made where HEAD was on something else.
    #[error("operation {operation} was made on {made_on}, and HEAD is on {head} here")]
    MadeElsewhere {
        /// The operation.
        operation: String,
        /// The reference that HEAD was on; `HEAD` where it was detached.
        made_on: RepoPath,
        /// The one that it is on; `HEAD` where it is detached.
        head: RepoPath,
    },
    /// The reference that an operation moved, which is to be taken back, is not there any more.
    #[error("{reference} is gone; operation {operation} left it at {expected}")]
    ReferenceGone {
        /// The operation.
        operation: String,
        /// The reference.
        reference: RepoPath,
        /// Where the operation left it.
        expected: CommitId,
    },
    /// Other branches have the commits of an operation that is to be taken back.
    #[error("{reference} already has what operation {operation} made")]
    Published {
        /// The operation.
        operation: String,
        /// The remote-tracking reference.
        reference: String,
        /// The commits that the operation made, in order.
        commits: Vec<CommitId>,
    },
    /// The upstream of the branch changed the same paths, and the tip lacks these changes.
    #[error("{upstream} has {count} newer change{} to {path} that the tip lacks", if *count == 1 { "" } else { "s" })]
    UpstreamAhead {
        /// The remote-tracking branch.
        upstream: String,
        /// How many commits change the path there.
        count: usize,
        /// The path.
        path: RepoPath,
    },
    /// The chosen result discards later edits, which was not allowed.
    #[error(
        "the result discards {} later change{} to {}{}",
        discards.len(),
        if discards.len() == 1 { "" } else { "s" },
        list(paths),
        old_names(renamed)
    )]
    LossNotAllowed {
        /// The commits whose edits would be gone.
        discards: Vec<CommitId>,
        /// The paths concerned.
        paths: Vec<RepoPath>,
        /// Which of them had another name in the commit they are taken from.
        renamed: Vec<Rename>,
    },
    /// A path goes through a driver that the repository itself configures, and the repository is not trusted.
    #[error(
        "{path} goes through the {driver} that this repository configures, and the repository is not trusted"
    )]
    DriverNotTrusted {
        /// The path.
        path: RepoPath,
        /// The driver, such as `filter 'x'`.
        driver: String,
    },
    /// Commits would be signed by a program that the repository itself configures, and the repository is not trusted.
    #[error(
        "commits are to be signed by what this repository configures as {key}, and the repository is not trusted"
    )]
    SignerNotTrusted {
        /// The key, such as `gpg.program`.
        key: String,
    },
    /// A filter that must not fail failed.
    #[error("filter '{filter}' failed on {path}: {why}")]
    FilterFailed {
        /// The path that needs it.
        path: RepoPath,
        /// Its name.
        filter: String,
        /// How it ended.
        why: String,
    },
    /// The installed git could not be asked.
    #[error("cannot cross-check: {why}")]
    CrossCheckFailed {
        /// What is missing or what git said.
        why: String,
    },
    /// Name or mail of the user is not known.
    #[error("no {role} identity: name and email are not configured")]
    NoIdentity {
        /// `author` or `committer`.
        role: &'static str,
    },
    /// The commit could not be signed.
    #[error("the commit could not be signed")]
    Signing {
        /// What the signer said.
        #[source]
        source: Source,
    },
    /// A hook ended with an error.
    #[error("the {hook} hook refuses the commit: {why}")]
    Hook {
        /// The hook's name.
        hook: &'static str,
        /// How it ended, and the first line of what it said.
        why: String,
    },
    /// A configuration value cannot be understood.
    #[error("bad value for {key}: {why}")]
    Config {
        /// The key, such as `core.abbrev`.
        key: String,
        /// What is wrong.
        why: String,
    },
    /// A setting of the configuration, the environment or the attributes cannot be used.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Another process holds a lock.
    #[error("{} is locked by another process{}", path.display(), for_how_long(*age))]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// How old it is, where it is a file that goes with the lock.
        age: Option<std::time::Duration>,
    },
    /// The index cannot be read.
    #[error("the index is corrupt")]
    CorruptIndex {
        /// What is wrong with it.
        #[source]
        source: Source,
    },
    /// Files were written to while they were displaced; what was written was kept.
    #[error("{} was written to while it was replaced; what was written is kept in {}", paths.first().map(ToString::to_string).unwrap_or_default(), folder.display())]
    SetAside {
        /// The paths that the files had.
        paths: Vec<RepoPath>,
        /// Where the files are, each at its path.
        folder: PathBuf,
    },
    /// The result has landed, but paths outside of the repository are not as they were to be.
    #[error("{} outside of the repository could not be put back: {}", list(&left.iter().map(|left| left.path.clone()).collect::<Vec<_>>()), left.first().map(|left| left.why.as_str()).unwrap_or_default())]
    NotPutBack {
        /// Which, and why.
        left: Vec<NotPutBack>,
    },
    /// An operation put back paths outside of the repository, and writing there was not allowed in taking it back.
    #[error("operation {operation} put back {} outside of the repository", list(paths))]
    OutsideNotAllowed {
        /// The operation.
        operation: String,
        /// The paths.
        paths: Vec<RepoPath>,
    },
    /// Reading or writing a file failed.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The request was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// Something that should not happen, from the object library or this crate.
    #[error("{context}")]
    Internal {
        /// What was being done.
        context: String,
        /// What was said.
        #[source]
        source: Option<Source>,
    },
}

impl Error {
    pub(crate) fn internal(context: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Internal { context: context.into(), source: Some(source.into()) }
    }

    /// Files of references that say nothing a reader of references understands.
    pub(crate) fn unreadable_references(source: impl Into<Source>) -> Self {
        let source = source.into();
        let mut why = source.to_string();
        let mut cause = source.source();
        while let Some(inner) = cause {
            why = format!("{why}: {inner}");
            cause = inner.source();
        }
        Self::BadReferences { why }
    }

    /// The lock file of another process, with its age.
    pub(crate) fn locked_by_file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let modified = std::fs::symlink_metadata(&path).and_then(|metadata| metadata.modified());
        Self::Locked { age: modified.ok().and_then(|modified| modified.elapsed().ok()), path }
    }

    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io { action, path: path.into(), source }
    }
}
