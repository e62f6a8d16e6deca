//! The table of hints: every code of the library's errors stands in it.

use std::collections::BTreeSet;
use std::ffi::OsString;

use rollback_core::error::{
    BisectError, CheckpointError, InTheWay, LandingError, LastSeen, ObjectError, OperationError, PathError,
    RehearsalError, RepositoryError, RevisionError, SequenceError, SettingError, WorkTreeError,
};
use rollback_core::{CommitId, ObjectId};

use super::*;

fn typed(words: &[&str]) -> Invocation {
    Invocation::new(words.iter().map(OsString::from).collect())
}

fn hint_after(words: &[&str], error: &Error) -> Hint {
    let invocation = typed(words);
    Situation { invocation: &invocation, folder: Path::new("/nowhere"), repo: None }.hint(error)
}

fn line_after(words: &[&str], error: &Error) -> String {
    match hint_after(words, error) {
        Hint::Type { command, .. } => command.to_string(),
        other => panic!("no hint after {error}: {other:?}"),
    }
}

fn object() -> ObjectId {
    "49eb8d39c78f161231e63293df60f343d208f409".parse().unwrap()
}

fn commit() -> CommitId {
    object().into()
}

fn source() -> Box<dyn std::error::Error + Send + Sync> {
    "why".into()
}

/// One error of every kind, and what is typed after `rb revert --file a.py`.
fn table() -> Vec<(Error, Option<&'static str>)> {
    let path = || RepoPath::from("a.py");
    vec![
        (
            RepositoryError::NotARepository { path: "/x".into() }.into(),
            Some("find /x -maxdepth 3 -name .git -prune"),
        ),
        (
            RepositoryError::NotOwned { path: "/x/.git".into() }.into(),
            Some("git config --global --add safe.directory /x"),
        ),
        (RepositoryError::LinkInGitDir { path: ".git/logs".into() }.into(), Some("ls -ld .git/logs")),
        (
            RepositoryError::ForeignRecord { path: ".git/rb/records/runs/0a".into(), why: "".into() }.into(),
            Some("mv .git/rb/records/runs/0a .git/rb"),
        ),
        (
            RepositoryError::WorkTreeElsewhere { work_tree: "/home/ann/project".into() }.into(),
            Some("env GIT_WORK_TREE=/home/ann/project rb revert --file a.py"),
        ),
        (RepositoryError::BadReferences { why: "".into() }.into(), Some("git fsck --full")),
        (
            SettingError::Identity { role: "author", from: "user.name".into(), why: "it is empty" }.into(),
            Some("git config user.name 'Your Name'"),
        ),
        (
            SettingError::Identity { role: "author", from: "GIT_AUTHOR_NAME".into(), why: "it is empty" }
                .into(),
            Some("env -u GIT_AUTHOR_NAME rb revert --file a.py"),
        ),
        (
            SettingError::Date { variable: "GIT_AUTHOR_DATE", value: "x".into() }.into(),
            Some("env -u GIT_AUTHOR_DATE rb revert --file a.py"),
        ),
        (
            SettingError::Encoding { path: path(), encoding: "IBM437".into() }.into(),
            Some("rb revert --file a.py --branch rollback"),
        ),
        (
            SettingError::File { path: "/r/.git/config".into(), line: 3, why: "".into() }.into(),
            Some("sed -n 3p /r/.git/config"),
        ),
        (
            SettingError::Format { what: "".into(), path: "/r/.git/config".into(), line: 4 }.into(),
            Some("sed -n 4p /r/.git/config"),
        ),
        (
            SettingError::Environment { variable: "GIT_CONFIG_COUNT".into(), why: "".into() }.into(),
            Some("env -u GIT_CONFIG_COUNT rb revert --file a.py"),
        ),
        (SettingError::StrategyOption { option: "mine".into() }.into(), None),
        (RepositoryError::Unsupported { what: "object format 'x'".into(), why: "".into() }.into(), None),
        (
            RepositoryError::NeedsWorkTree { operation: "revert", git_dir: "/x".into() }.into(),
            Some("rb revert --file a.py --branch rollback"),
        ),
        (
            RevisionError::Unknown { spec: "topic".into(), source: None }.into(),
            Some("git for-each-ref '--format=%(refname:short)'"),
        ),
        (RevisionError::Unknown { spec: "3a8a50f".into(), source: None }.into(), Some("git fetch --all")),
        (
            RevisionError::BeforeHistory { date: "2020".into(), begins: "2026-01-01".into(), tip: commit() }
                .into(),
            Some(
                "git log --first-parent --date=short '--format=%h %cd %s' 49eb8d39c78f161231e63293df60f343d208f409",
            ),
        ),
        (
            RevisionError::Ambiguous {
                spec: "a.py".into(),
                candidates: vec!["49eb8d3 commit 2007-11-28".into()],
            }
            .into(),
            Some("rb revert --file 49eb8d3"),
        ),
        (
            RevisionError::NotACommit { spec: "HEAD:a".into(), kind: "blob".into() }.into(),
            Some("git log --all --oneline --find-object=HEAD:a"),
        ),
        (
            RevisionError::NeverThere { reference: "refs/heads/main".into(), commit: commit() }.into(),
            Some("rb revert --file a.py"),
        ),
        (
            RevisionError::RangeOffLine { spec: "topic..main".into(), brought_by: vec![commit()] }.into(),
            Some("rb revert --file a.py --first-parent"),
        ),
        (PathError::Invalid { path: "../x".into(), why: "" }.into(), Some("git ls-files --full-name :/")),
        (
            PathError::NeverExisted {
                path: path(),
                tip: commit(),
                last_seen: Some(LastSeen::new("refs/heads/legacy", commit())),
                case_twins: Vec::new(),
                nearest: Vec::new(),
            }
            .into(),
            Some("rb restore :/a.py -s refs/heads/legacy"),
        ),
        (
            PathError::NeverExisted {
                path: path(),
                tip: commit(),
                last_seen: None,
                case_twins: vec![RepoPath::from("A.py")],
                nearest: Vec::new(),
            }
            .into(),
            Some("rb revert --file A.py"),
        ),
        (
            PathError::NeverExisted {
                path: path(),
                tip: commit(),
                last_seen: None,
                case_twins: Vec::new(),
                nearest: vec!["b.py".into(), "src/a.py".into()],
            }
            .into(),
            Some("rb revert --file b.py"),
        ),
        (
            PathError::NeverExisted {
                path: path(),
                tip: commit(),
                last_seen: None,
                case_twins: Vec::new(),
                nearest: Vec::new(),
            }
            .into(),
            Some("git log --all --oneline -- ':(top,icase,glob)**/a.py'"),
        ),
        (
            RevisionError::MainlineOutOfRange { commit: commit(), mainline: 3, parents: 2 }.into(),
            Some("git show --no-patch --format=%P 49eb8d39c78f161231e63293df60f343d208f409"),
        ),
        (
            RevisionError::MainlineOutOfRange { commit: commit(), mainline: 1, parents: 1 }.into(),
            Some("rb revert --file a.py"),
        ),
        (
            PathError::NotTracked { path: path(), removed_by: Some(commit()) }.into(),
            Some("rb revert --dry-run --file :/a.py"),
        ),
        (PathError::NotTracked { path: path(), removed_by: None }.into(), Some("rb checkpoint list")),
        (
            PathError::KeptOut { path: path() }.into(),
            Some("git -C . update-index --no-skip-worktree -- a.py"),
        ),
        (PathError::NeverGood { path: path(), tip: commit() }.into(), Some("rb history :/a.py")),
        (
            RevisionError::EmptyCommitSet { specs: vec!["main..topic".into()] }.into(),
            Some("git log --oneline --left-right main...topic"),
        ),
        (Error::BadRequest("x".into()), Some("rb revert --help")),
        (
            ObjectError::Missing { kind: "blob", id: object(), partial_clone: true }.into(),
            Some("git cat-file -p 49eb8d39c78f161231e63293df60f343d208f409"),
        ),
        (
            ObjectError::Missing { kind: "blob", id: object(), partial_clone: false }.into(),
            Some("git fsck --full"),
        ),
        (
            ObjectError::NotFetched { ids: vec![object()], remote: "origin".into() }.into(),
            Some("rb revert --file a.py --fetch"),
        ),
        (
            ObjectError::FetchFailed { ids: vec![object()], remote: "origin".into(), why: "".into() }.into(),
            Some("git ls-remote --heads origin"),
        ),
        (
            ObjectError::UnsafeRemote { remote: "origin".into(), why: "" }.into(),
            Some("git config --show-origin --get-regexp '^remote\\.origin\\.'"),
        ),
        (ObjectError::FetchNotTrusted { key: "core.sshCommand".into() }.into(), Some("rb trust")),
        (
            ObjectError::Corrupt { kind: "tree", id: object(), source: source() }.into(),
            Some("git fsck --full"),
        ),
        (
            RevisionError::ShallowHistory { boundary: commit(), what: "x".into() }.into(),
            Some("git fetch --deepen=1000"),
        ),
        (
            RevisionError::Unborn { branch: "main".into() }.into(),
            Some("git commit --allow-empty -m 'first commit'"),
        ),
        (WorkTreeError::OperationInProgress { operation: "a merge" }.into(), Some("git status")),
        (
            CheckpointError::OperationElsewhere {
                checkpoint: "manual/x".into(),
                operation: "a merge",
                began: commit(),
                head: commit(),
            }
            .into(),
            Some("rb revert --file a.py --move-branch"),
        ),
        (WorkTreeError::Unmerged { paths: vec![path()] }.into(), Some("git status")),
        (
            WorkTreeError::InTheWay { reason: InTheWay::Edited, paths: vec![path(), "b c".into()] }.into(),
            Some("git stash push -- :/a.py ':/b c'"),
        ),
        (
            WorkTreeError::InTheWay { reason: InTheWay::Untracked, paths: vec![path()] }.into(),
            Some("git stash push --include-untracked -- :/a.py"),
        ),
        (
            WorkTreeError::InTheWay { reason: InTheWay::Ignored, paths: vec![path()] }.into(),
            Some("git stash push --all -- :/a.py"),
        ),
        (
            WorkTreeError::InTheWay { reason: InTheWay::Obstructed, paths: vec![path()] }.into(),
            Some("mv a.py a.py.aside"),
        ),
        (
            PathError::CaseCollision { path: path(), twin: "A.py".into() }.into(),
            Some("rb revert --file a.py --branch rollback"),
        ),
        (PathError::Hostile { path: path(), why: "" }.into(), None),
        (
            LandingError::Moved { reference: "HEAD".into(), expected: commit(), found: commit() }.into(),
            Some("rb revert --file a.py --dry-run"),
        ),
        (LandingError::IndexMoved.into(), Some("rb revert --file a.py --dry-run")),
        (
            LandingError::PlanAltered { field: "message".into() }.into(),
            Some("rb revert --file a.py --dry-run"),
        ),
        (
            LandingError::BranchExists { branch: "rescue".into(), found: commit() }.into(),
            Some("git log --oneline -5 rescue"),
        ),
        (
            LandingError::InvalidBranchName { name: "a..b".into() }.into(),
            Some("rb revert --file a.py --branch rollback"),
        ),
        (
            LandingError::BranchCheckedOut { branch: "main".into(), worktree: "/w x".into() }.into(),
            Some("git -C '/w x' status"),
        ),
        (OperationError::Unknown { spec: "x".into() }.into(), Some("rb ops")),
        (OperationError::NothingLanded.into(), Some("rb --help")),
        (
            CheckpointError::BadName { name: "-x y".into(), why: "no" }.into(),
            Some("rb checkpoint create x-y"),
        ),
        (
            OperationError::AlreadyUndone { operation: "a1".into(), by: "b2".into() }.into(),
            Some("rb undo b2"),
        ),
        (
            OperationError::MadeElsewhere {
                operation: "a1".into(),
                made_on: "refs/heads/a b".into(),
                head: "HEAD".into(),
            }
            .into(),
            Some("git switch 'a b'"),
        ),
        (
            OperationError::MadeElsewhere {
                operation: "a1".into(),
                made_on: "HEAD".into(),
                head: "refs/heads/a".into(),
            }
            .into(),
            Some("git worktree list"),
        ),
        (
            OperationError::ReferenceGone {
                operation: "a1".into(),
                reference: "refs/heads/rescue".into(),
                expected: commit(),
            }
            .into(),
            Some("git branch rescue 49eb8d39c78f161231e63293df60f343d208f409"),
        ),
        (OperationError::NothingToPush { operation: "1f".into(), why: "".into() }.into(), Some("rb ops")),
        (OperationError::NoRemote { named: None, remotes: Vec::new() }.into(), Some("git remote -v")),
        (
            OperationError::NoRemote { named: None, remotes: vec!["a".into(), "b".into()] }.into(),
            Some("rb revert --file a.py --push=a"),
        ),
        (OperationError::NothingToUndo.into(), Some("rb redo")),
        (OperationError::NothingToRedo.into(), Some("rb ops")),
        (OperationError::NoGitMove { reference: "refs/heads/main".into() }.into(), Some("rb ops --all")),
        (
            OperationError::MovedByRb { reference: "refs/heads/main".into(), operation: "a1".into() }.into(),
            Some("rb undo a1"),
        ),
        (CheckpointError::Unknown { name: "x".into() }.into(), Some("rb checkpoint list")),
        (
            CheckpointError::Exists { name: "manual/x".into(), commit: commit() }.into(),
            Some("rb checkpoint drop manual/x"),
        ),
        (
            RehearsalError::Unreadable { name: "a.jsonl".into(), line: 1, why: "x".into() }.into(),
            Some("head -n 3 -- a.jsonl"),
        ),
        (RehearsalError::Unreadable { name: "-".into(), line: 1, why: "x".into() }.into(), None),
        (
            BisectError::NothingBetween { good: commit(), bad: commit() }.into(),
            Some(
                "git log --oneline --left-right \
                 49eb8d39c78f161231e63293df60f343d208f409...49eb8d39c78f161231e63293df60f343d208f409",
            ),
        ),
        (BisectError::BadIsGood { commit: commit() }.into(), Some("rb bisect --help")),
        (
            BisectError::GoodIsBad { commit: commit(), reason: "x".into() }.into(),
            Some("rb revert --file a.py"),
        ),
        (BisectError::MendedSince { base: commit(), good: commit() }.into(), Some("rb revert --file a.py")),
        (BisectError::NotJudged { commit: commit(), reason: "x".into() }.into(), Some("rb bisect --help")),
        (
            BisectError::NoGood { oldest: commit(), judged: 3 }.into(),
            Some("git log --oneline --graph 49eb8d39c78f161231e63293df60f343d208f409.."),
        ),
        (BisectError::NotInPaths { good: commit(), bad: commit() }.into(), Some("rb bisect --help")),
        (RehearsalError::Nothing.into(), Some("rb rehearse --help")),
        (RehearsalError::Mixed { why: "x".into() }.into(), Some("rb rehearse --help")),
        (RehearsalError::Incomplete { missing: vec![1], of: 2 }.into(), Some("rb rehearse --help")),
        (
            CheckpointError::Damaged { name: "manual/x".into(), problems: vec!["a".into()] }.into(),
            Some("git fsck --full"),
        ),
        (Error::TooLarge { what: "a".into(), size: 3, limit: 2 }, Some("git config rb.blobLimit 3")),
        (
            OperationError::LaterCommits {
                operation: "a1".into(),
                reference: "refs/heads/main".into(),
                found: commit(),
                commits: vec![commit()],
            }
            .into(),
            Some("rb revert 49eb8d39c78f161231e63293df60f343d208f409"),
        ),
        (
            OperationError::LaterCommits {
                operation: "a1".into(),
                reference: "refs/heads/main".into(),
                found: commit(),
                commits: Vec::new(),
            }
            .into(),
            Some("git log --oneline -20"),
        ),
        (
            OperationError::Published {
                operation: "a1".into(),
                reference: "refs/remotes/origin/main".into(),
                commits: vec![commit()],
            }
            .into(),
            Some("rb revert 49eb8d39c78f161231e63293df60f343d208f409"),
        ),
        (
            LandingError::UpstreamAhead { upstream: "origin/main".into(), count: 1, path: path() }.into(),
            Some("git merge origin/main"),
        ),
        (
            LandingError::CrossCheckFailed { why: "git 2.39 is too old".into() }.into(),
            Some("rb revert --file a.py --no-cross-check"),
        ),
        (
            LandingError::LossNotAllowed { discards: vec![commit()], paths: vec![path()], renamed: vec![] }
                .into(),
            Some("rb revert --file a.py --allow-loss"),
        ),
        (
            LandingError::FilterFailed { path: path(), filter: "x".into(), why: "exit code 1".into() }.into(),
            Some("git config --show-origin --get-regexp '^filter\\.x\\.'"),
        ),
        (
            OperationError::OutsideNotAllowed { operation: "1f".into(), paths: vec!["/etc/a".into()] }.into(),
            Some("rb revert --file a.py --with-outside"),
        ),
        (SequenceError::NothingInProgress.into(), Some("rb status")),
        (SequenceError::AlreadyInProgress { command: "revert", can_skip: true }.into(), Some("rb abort")),
        (SequenceError::OtherCommand { wanted: "revert", found: "cherry-pick" }.into(), Some("rb continue")),
        (SequenceError::UnreadableTodo { line: 1, text: "x".into() }.into(), Some("rb quit")),
        (SequenceError::UnreadableOptions { why: "x".into() }.into(), Some("rb quit")),
        (SequenceError::BeganUnborn.into(), Some("rb quit")),
        (SequenceError::NothingToSkip { command: "revert" }.into(), Some("rb continue")),
        (
            SequenceError::NeedsMainline { commit: commit() }.into(),
            Some("git log -1 '--format=%h: %p' 49eb8d39c78f161231e63293df60f343d208f409"),
        ),
        (
            SequenceError::NoSuchParent { commit: commit(), parent: 3 }.into(),
            Some("git log -1 '--format=%h: %p' 49eb8d39c78f161231e63293df60f343d208f409"),
        ),
        (SequenceError::IndexDiffers { paths: vec![path()] }.into(), Some("git diff --cached")),
        (SequenceError::NothingToRevert.into(), Some("git status")),
        (
            SequenceError::NeedsReview { command: "cherry-pick", commit: commit(), why: "x".into() }.into(),
            Some("git cherry-pick --no-edit 49eb8d39c78f161231e63293df60f343d208f409"),
        ),
        (
            SequenceError::StrategyUnavailable { commit: commit(), name: "x".into(), why: "x".into() }.into(),
            Some("git cherry-pick --strategy=x 49eb8d39c78f161231e63293df60f343d208f409"),
        ),
        (OperationError::NotInProgress { operation: "1f".into() }.into(), Some("git status")),
        (OperationError::Continued { operation: "1f".into(), by: "2e".into() }.into(), Some("rb undo 2e")),
        (LandingError::NotPutBack { left: Vec::new() }.into(), Some("rb status")),
        (
            LandingError::DriverNotTrusted { path: path(), driver: "filter 'x'".into() }.into(),
            Some("rb trust"),
        ),
        (LandingError::SignerNotTrusted { key: "gpg.program".into() }.into(), Some("rb trust")),
        (
            SettingError::NoIdentity { role: "committer" }.into(),
            Some("git config user.name 'Your Name' && git config user.email you@example.com"),
        ),
        (LandingError::Signing { source: source() }.into(), Some("rb revert --file a.py --no-gpg-sign")),
        (
            LandingError::Hook { hook: "prepare-commit-msg", why: "exit code 1".into() }.into(),
            Some("git hook run prepare-commit-msg"),
        ),
        (
            SettingError::Value { key: "core.abbrev".into(), why: "x".into() }.into(),
            Some("git config --show-origin --get-all core.abbrev"),
        ),
        (Error::Locked { path: "/x/.git/index.lock".into(), age: None }, Some("rm /x/.git/index.lock")),
        (RepositoryError::CorruptIndex { source: source() }.into(), Some("rm .git/index && git reset")),
        (
            WorkTreeError::SetAside { paths: vec!["a".into()], folder: "/x/.git/rb/written-1".into() }.into(),
            Some("find /x/.git/rb/written-1 -type f"),
        ),
        (
            Error::Io { action: "write", path: "/x".into(), source: std::io::ErrorKind::StorageFull.into() },
            Some("rb revert --file a.py"),
        ),
        (Error::Cancelled, None),
        (Error::Internal { context: "x".into(), source: None }, None),
    ]
}

#[test]
fn every_error_names_what_to_type_next_or_why_there_is_nothing() {
    for (error, expected) in table() {
        let hint = hint_after(&["rb", "revert", "--file", "a.py"], &error);
        match (&hint, expected) {
            (Hint::Type { command, .. }, Some(expected)) => {
                assert_eq!(command.to_string(), expected, "{error}")
            }
            (Hint::Nothing { why }, None) => assert!(!why.is_empty(), "{error}"),
            _ => panic!("{error}: {hint:?}"),
        }
    }
}

#[test]
fn every_code_of_the_library_stands_in_the_table() {
    let listed: BTreeSet<_> = table().iter().map(|(error, _)| error.code().to_owned()).collect();
    assert_eq!(listed, test_kit::codes::of_errors());
}

#[test]
fn a_case_twin_is_named_as_it_would_be_typed_in_the_folder() {
    let error = PathError::NeverExisted {
        path: "src/deep/a.py".into(),
        tip: commit(),
        last_seen: None,
        case_twins: vec!["src/deep/A.py".into()],
        nearest: Vec::new(),
    }
    .into();
    assert_eq!(line_after(&["rb", "revert", "--file", "a.py"], &error), "rb revert --file A.py");
    assert_eq!(line_after(&["rb", "history", "../deep/a.py"], &error), "rb history ../deep/A.py");
    assert_eq!(
        line_after(&["rb", "history", "src/x/../deep/b.py"], &error),
        "rb history :/src/deep/A.py",
        "a path that cannot be made out among the words is named from the root"
    );
}

#[test]
fn a_plan_file_that_is_out_of_date_is_made_again() {
    let error = LandingError::Moved { reference: "HEAD".into(), expected: commit(), found: commit() }.into();
    assert_eq!(line_after(&["rb", "apply", "plan.json"], &error), "rb apply --help");
}

#[test]
fn a_path_given_as_a_revision_is_recognised() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let hint = |words: &[&str], spec: &str| {
        let invocation = typed(words);
        let error = RevisionError::Unknown { spec: spec.into(), source: None }.into();
        Situation { invocation: &invocation, folder, repo: None }.hint(&error).text().unwrap()
    };
    assert_eq!(
        hint(&["rb", "revert", "src"], "src"),
        "it looks like a path; did you mean: rb revert --file src"
    );
    assert_eq!(
        hint(&["rb", "revert", "--file", "a", "gone/shim.py"], "gone/shim.py"),
        "it looks like a path; did you mean: rb revert --file a --file gone/shim.py"
    );
    for revision in ["v1.2", "origin/gone", "topic"] {
        let said = hint(&["rb", "revert", revision], revision);
        assert!(said.starts_with("see the names there are with"), "{said}");
    }
}

#[test]
fn objects_that_must_not_be_fetched_are_fetched_by_git() {
    let error = ObjectError::NotFetched { ids: vec![object(); 2], remote: "origin".into() }.into();
    assert_eq!(
        line_after(&["rb", "revert", "HEAD", "--no-fetch"], &error),
        format!("git fetch --no-tags --no-write-fetch-head --filter=blob:none origin {0} {0}", object())
    );
    let many = ObjectError::NotFetched { ids: vec![object(); 30], remote: "origin".into() }.into();
    assert_eq!(line_after(&["rb", "revert", "HEAD", "--no-fetch"], &many), "rb revert HEAD --fetch");
}

#[test]
fn a_near_path_is_named_as_it_would_be_typed_in_the_folder() {
    let error = |nearest: &str| {
        Error::from(PathError::NeverExisted {
            path: "src/deep/a.py".into(),
            tip: commit(),
            last_seen: None,
            case_twins: Vec::new(),
            nearest: vec![nearest.into()],
        })
    };
    for (words, nearest, line) in [
        (&["rb", "restore", "a.py"][..], "src/deep/ab.py", "rb restore ab.py"),
        (&["rb", "restore", "a.py"], "lib/a.py", "rb restore :/lib/a.py"),
        (&["rb", "revert", "--file=deep/a.py"], "src/deep/ab.py", "rb revert --file=deep/ab.py"),
        (&["rb", "revert", "HEAD", "--", ":/src/deep/a.py"], "src/a.py", "rb revert HEAD -- :/src/a.py"),
        (&["rb", "history", "../deep/a.py"], "src/deep/b.py", "rb history ../deep/b.py"),
        (&["rb", "history", "data.py"], "src/deep/b.py", "rb history :/src/deep/b.py"),
    ] {
        assert_eq!(line_after(words, &error(nearest)), line, "{words:?}");
    }
}

#[test]
fn an_option_behind_the_two_dashes_is_put_in_front_of_them() {
    let error = |path: &str| {
        Error::from(PathError::NeverExisted {
            path: path.into(),
            tip: commit(),
            last_seen: None,
            case_twins: Vec::new(),
            nearest: Vec::new(),
        })
    };
    for (words, line) in [
        (&["rb", "revert", "HEAD", "--", "a.py", "--dry-run"][..], "rb revert HEAD --dry-run -- a.py"),
        (&["rb", "revert", "HEAD", "--", "--dry-run"], "rb revert HEAD --dry-run"),
        (&["rb", "revert", "HEAD", "--", "--dry-run", "--json"], "rb revert HEAD --dry-run --json"),
    ] {
        assert_eq!(line_after(words, &error("--dry-run")), line, "{words:?}");
    }
    let words = ["rb", "revert", "HEAD", "--", "dry-run"];
    assert!(line_after(&words, &error("dry-run")).starts_with("git log "));
}
