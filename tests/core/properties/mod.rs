//! The invariants of a rollback on random histories, each named by its number in RELIABILITY.md; git judges.
//!
//! `RB_PROPERTIES` says how many cases each of them gets (a few by default), `RB_PROPERTY_SEED` where to begin. A case
//! that fails is shrunk and printed.

#![expect(clippy::print_stdout, reason = "a long run says what it tried")]

mod hostile;
mod story;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestCaseResult, TestRng, TestRunner};
use rollback_core::oplog::{OperationRef, UndoOptions};
use rollback_core::receipt::{CommitTime, Destination, Identity, OutcomeKind};
use rollback_core::target::{CommitsTarget, RestoreTarget};
use rollback_core::{ApplyOptions, Error, Plan, PlanOptions, Receipt, Repo, RepoPath, Target};
use story::{Ask, PATHS, Story, Work};
use test_kit::{Part, Sandbox, State};

/// Runs the property on as many cases as are asked for; those it rejects do not count.
fn check<S: Strategy>(cases: u32, strategy: S, property: impl Fn(S::Value) -> TestCaseResult) {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seed = number("RB_PROPERTY_SEED").unwrap_or(1);
    let cases = number("RB_PROPERTIES").map_or(cases, |cases| u32::try_from(cases).expect("fewer cases"));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases,
        max_global_rejects: 1000 + cases * 40,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    if let Err(failure) = runner.run(&strategy, property) {
        panic!("seed {seed} (RB_PROPERTY_SEED): {failure}");
    }
    println!("{cases} cases (RB_PROPERTIES) from seed {seed} (RB_PROPERTY_SEED)");
}

/// A history, what somebody did in the work tree, and what is asked for.
type Case = (Story, Vec<Work>, Ask);

fn cases(most: usize) -> impl Strategy<Value = Case> {
    (story::story(most), story::work(), story::ask())
}

fn clean_cases(most: usize) -> impl Strategy<Value = Case> {
    (story::story(most), Just(Vec::new()), story::ask())
}

/// The repository of the case.
fn repository((story, work, _): &Case) -> Sandbox {
    let sandbox = Sandbox::new();
    for (key, value) in [("user.name", "C"), ("user.email", "c@example.com"), ("core.quotePath", "true")] {
        sandbox.git(&["config", key, value]);
    }
    sandbox.git_with_input(&["fast-import", "--quiet"], &story.stream());
    sandbox.git(&["reset", "-q", "--hard"]);
    for work in work {
        carry_out(&sandbox, work);
    }
    // Files as old as the index would be looked at in full by everybody.
    sandbox
}

fn os(path: usize) -> &'static OsStr {
    OsStr::from_bytes(PATHS[path])
}

fn carry_out(sandbox: &Sandbox, work: &Work) {
    let file = |path: &usize| sandbox.path().join(os(*path));
    let write = |path: &Path, text: &str| {
        let _ = path.parent().map(fs::create_dir_all);
        let _ = fs::write(path, text);
    };
    match work {
        Work::Write(path) => write(&file(path), "typed\n"),
        Work::Remove(path) => drop(fs::remove_file(file(path))),
        Work::Stage(path) => {
            write(&file(path), "staged\n");
            sandbox.try_git(&[OsStr::new("add"), OsStr::new("--"), os(*path)]);
        }
        Work::Untracked(name) => write(&sandbox.path().join(name), "untracked\n"),
        Work::AssumeUnchanged(path) => {
            sandbox.try_git(&[OsStr::new("update-index"), OsStr::new("--assume-unchanged"), os(*path)]);
        }
        Work::Touch(path) => {
            let long_ago = std::time::UNIX_EPOCH + std::time::Duration::new(1_400_000_000, 7_000_000);
            if fs::symlink_metadata(file(path)).is_ok_and(|file| file.is_file()) {
                let opened = fs::File::options().write(true).open(file(path)).expect("a file of ours");
                opened.set_modified(long_ago).expect("a file of ours");
            }
        }
    }
}

fn target(sandbox: &Sandbox, ask: &Ask) -> Option<Target> {
    let commit = |back: &usize| {
        let all = sandbox.git(&["rev-list", "--topo-order", "HEAD"]);
        all.lines().nth(*back).map(ToOwned::to_owned)
    };
    let commits = |back: &usize| {
        let id = commit(back)?;
        let merge = sandbox.git(&["rev-list", "--parents", "-1", &id]).split(' ').count() > 2;
        let mut target = CommitsTarget::new([id]);
        target.mainline = merge.then_some(1);
        Some(target)
    };
    Some(match ask {
        Ask::Revert(back) => Target::Commits(commits(back)?),
        Ask::Pick(back) => Target::Pick(commits(back)?),
        Ask::Path(path) => Target::paths([RepoPath::new(PATHS[*path])]),
        Ask::Restore(path, back) => {
            let mut target = RestoreTarget::new([RepoPath::new(PATHS[*path])]);
            target.source = Some(commit(back)?);
            Target::Restore(target)
        }
    })
}

fn options() -> ApplyOptions {
    let mut options = ApplyOptions::default();
    options.allow_loss = true;
    options.identity = Some(Identity::new("C", "c@example.com"));
    options.time = Some(CommitTime::new(1_800_000_000, 0));
    options
}

fn plan(sandbox: &Sandbox, ask: &Ask) -> Option<(Repo, Plan)> {
    let repo = Repo::discover(sandbox.path()).expect("a repository");
    let plan = repo.plan(&target(sandbox, ask)?, &PlanOptions::default()).ok()?;
    Some((repo, plan))
}

fn reject(why: &str) -> TestCaseError {
    TestCaseError::reject(why.to_owned())
}

/// The repository of the case after what was asked for landed in it; rejected where it does not.
fn landed(case: &Case) -> Result<(Sandbox, Repo, Receipt), TestCaseError> {
    let sandbox = repository(case);
    let (repo, plan) = plan(&sandbox, &case.2).ok_or_else(|| reject("no plan"))?;
    let receipt = repo.apply(plan, &options()).map_err(|error| reject(error.code()))?;
    match receipt.outcome.kind {
        OutcomeKind::Committed => Ok((sandbox, repo, receipt)),
        _ => Err(reject("nothing landed")),
    }
}

/// Everything but the operation log: what rb keeps for itself.
fn kept(sandbox: &Sandbox) -> State {
    State::of(sandbox).only(&[Part::Index, Part::Flags, Part::Status, Part::Files, Part::Times])
}

fn references(sandbox: &Sandbox) -> String {
    let refs = sandbox.git(&["for-each-ref", "--format=%(refname) %(objectname)"]);
    format!("{}\n{refs}", sandbox.git(&["rev-parse", "--symbolic-full-name", "HEAD"]))
}

fn tree(sandbox: &Sandbox, revision: &str) -> String {
    sandbox.git(&["rev-parse", &format!("{revision}^{{tree}}")])
}

#[test]
fn invariant_01_the_revert_of_a_clean_revert_is_the_tree_before() {
    check(12, clean_cases(10), |case| {
        let case = (
            case.0,
            case.1,
            Ask::Revert(match case.2 {
                Ask::Revert(back) => back,
                _ => 0,
            }),
        );
        let sandbox = repository(&case);
        let before = tree(&sandbox, "HEAD");
        let (repo, plan) = plan(&sandbox, &case.2).ok_or_else(|| reject("no plan"))?;
        // Falling back to a snapshot discards, and then there is more than one commit to revert.
        let mut careful = options();
        careful.allow_loss = false;
        let receipt = repo.apply(plan, &careful);
        match receipt.map(|receipt| receipt.outcome.kind) {
            Ok(OutcomeKind::Committed) => {}
            _ => return Err(reject("not landed")),
        }
        let (repo, plan) = self::plan(&sandbox, &Ask::Revert(0)).ok_or_else(|| reject("no plan"))?;
        prop_assert!(repo.apply(plan, &options()).is_ok());
        prop_assert_eq!(tree(&sandbox, "HEAD"), before);
        Ok(())
    });
}

#[test]
fn invariant_02_fsck_has_nothing_more_to_say() {
    check(12, cases(10), |case| {
        let sandbox = repository(&case);
        let fsck =
            |sandbox: &Sandbox| sandbox.try_git(&["fsck", "--strict", "--no-dangling", "--no-progress"]);
        let before = fsck(&sandbox);
        drop(sandbox);
        let (sandbox, _, _) = landed(&case)?;
        let after = fsck(&sandbox);
        prop_assert_eq!((before.stdout, before.stderr), (after.stdout, after.stderr));
        Ok(())
    });
}

#[test]
fn invariant_03_touched_paths_are_the_same_in_work_tree_index_and_head() {
    check(12, cases(10), |case| {
        let (sandbox, _, _) = landed(&case)?;
        let touched =
            sandbox.git_bytes(&["diff-tree", "-r", "-z", "--no-renames", "--name-only", "HEAD^", "HEAD"]);
        for path in touched.split(|byte| *byte == 0).filter(|path| !path.is_empty()) {
            let path = OsStr::from_bytes(path);
            for command in [&["diff-index", "--cached", "HEAD", "--"][..], &["diff-files", "--"]] {
                let args: Vec<&OsStr> = command.iter().map(OsStr::new).chain([path]).collect();
                prop_assert_eq!(sandbox.git(&args), "", "{:?}", args);
            }
        }
        Ok(())
    });
}

#[test]
fn invariant_04_the_tree_of_a_clean_revert_is_the_one_of_git() {
    check(16, clean_cases(10), |case| {
        let Ask::Revert(back) = case.2 else { return Err(reject("no revert")) };
        let sandbox = repository(&case);
        let Some(Target::Commits(commits)) = target(&sandbox, &case.2) else { return Err(reject("too old")) };
        let twin = sandbox.twin();
        let mainline = commits.mainline.map(|_| ["-m", "1"]).into_iter().flatten();
        let args: Vec<&str> = ["revert", "--no-edit"]
            .into_iter()
            .chain(mainline)
            .chain([commits.revisions[0].as_str()])
            .collect();
        let gits = twin.try_git(&args);
        let (repo, plan) = plan(&sandbox, &case.2).ok_or_else(|| reject("no plan"))?;
        let first = plan.attempts.first().ok_or_else(|| reject("no attempt"))?;
        match (gits.status.success(), serde_json::to_value(first.result).expect("a name").as_str()) {
            (true, Some("clean")) => {
                prop_assert_eq!(first.tree_id.map(|tree| tree.to_string()), Some(tree(&twin, "HEAD")));
            }
            (false, Some("clean")) => prop_assert!(false, "git stops, rb does not: {} back", back),
            // What cannot be decided as git does is left to people, and an empty result is none.
            _ => {}
        }
        drop(repo);
        Ok(())
    });
}

#[test]
fn invariant_05_an_undo_gives_everything_back() {
    check(12, (cases(10), any::<bool>()), |(case, stage)| {
        let sandbox = repository(&case);
        let before = (kept(&sandbox), references(&sandbox), beside(&sandbox));
        let (repo, plan) = plan(&sandbox, &case.2).ok_or_else(|| reject("no plan"))?;
        let mut options = options();
        if stage {
            options.destination = Destination::Stage;
        }
        let receipt = repo.apply(plan, &options).map_err(|error| reject(error.code()))?;
        prop_assert!(receipt.outcome.later_failure.is_none());
        if !matches!(receipt.outcome.kind, OutcomeKind::Committed | OutcomeKind::Staged) {
            return Err(reject("nothing landed"));
        }
        let undone = repo.undo(&OperationRef::Last, &UndoOptions::default());
        prop_assert!(undone.is_ok(), "{:?}", undone);
        prop_assert_eq!(without_folders(&before.0.diff(&kept(&sandbox))), "");
        prop_assert_eq!(before.1, references(&sandbox));
        prop_assert_eq!(before.2, beside(&sandbox));
        prop_assert_eq!(what_rb_head_keeps(&sandbox)?, what_operations_need(&repo));
        Ok(())
    });
}

/// What `RB_HEAD` keeps, as owners and objects. It names the empty tree, so that it shows no commit to anybody, and its
/// log is one that git reads: each line goes on where the last one ended, by an object that is there, at git's last date.
fn what_rb_head_keeps(sandbox: &Sandbox) -> Result<BTreeSet<(String, String)>, TestCaseError> {
    let in_git_dir = |name: &str| {
        let text = fs::read_to_string(sandbox.path().join(".git").join(name));
        text.map_err(|error| TestCaseError::fail(format!("{name}: {error}")))
    };
    let empty_tree = sandbox.git(&["hash-object", "-t", "tree", "/dev/null"]);
    prop_assert_eq!(in_git_dir("RB_HEAD")?, format!("{empty_tree}\n"));
    let (mut kept, mut last) = (BTreeSet::new(), "0".repeat(empty_tree.len()));
    for line in in_git_dir("logs/RB_HEAD")?.lines() {
        let words: Vec<_> = line.split(['\t', ' ']).collect();
        let [old, new, "rb", "<rb@localhost>", "18446744073709551615", "+0000", "rb:", "operation", id] =
            words[..]
        else {
            return Err(TestCaseError::fail(format!("{line:?} is no line of what is kept")));
        };
        prop_assert_eq!(old, &last);
        prop_assert!(sandbox.try_git(&["cat-file", "-e", new]).status.success(), "{} is not there", new);
        prop_assert!(kept.insert((id.to_owned(), new.to_owned())), "{} is kept twice", new);
        new.clone_into(&mut last);
    }
    let reached = sandbox.git(&["rev-list", "--no-walk", "--objects", "--reflog"]);
    let is_reached = |(_, id): &(String, String)| reached.lines().any(|line| line.starts_with(id.as_str()));
    prop_assert!(kept.iter().all(is_reached), "git does not see {:?} in the log, but {}", kept, reached);
    Ok(kept)
}

/// What taking back any of the logged operations needs and no branch need keep, by the log itself.
fn what_operations_need(repo: &Repo) -> BTreeSet<(String, String)> {
    let logged = test_kit::records::all(&repo.common_dir(), "operations");
    let entries = logged.iter().map(|(_, files)| -> serde_json::Value {
        serde_json::from_slice(&files["operation.json"]).expect("an entry of the log")
    });
    let needs = |entry: serde_json::Value| {
        let trees = ["tree_before", "tree_after"].into_iter().filter(|_| entry["staged"] == true);
        let ids: Vec<_> =
            ["before", "after"].into_iter().chain(trees).map(|key| entry[key].clone()).collect();
        let operation = entry["operation_id"].as_str().expect("an id").to_owned();
        ids.into_iter().filter_map(move |id| Some((operation.clone(), id.as_str()?.to_owned())))
    };
    entries.flat_map(needs).collect()
}

/// Differences but for folders: git knows none, and one whose last file somebody removed goes with a landing.
fn without_folders(differences: &str) -> String {
    let lines: Vec<&str> = differences.lines().collect();
    let kept = lines.chunks(3).filter(|fact| !(fact[0].starts_with("Files ") && fact[0].ends_with('/')));
    kept.flatten().map(|line| format!("{line}\n")).collect()
}

/// The names of git's own files beside the index: `MERGE_MSG`, `REVERT_HEAD` and their kin. `rb` and `RB_HEAD` are rb's:
/// what the latter holds is `what_rb_head_keeps`.
fn beside(sandbox: &Sandbox) -> Vec<String> {
    let rows = fs::read_dir(sandbox.path().join(".git")).expect("a git directory");
    let names = rows.map(|row| row.expect("a row").file_name().to_string_lossy().into_owned());
    let mut names: Vec<_> =
        names.filter(|name| !["rb", "RB_HEAD", "index", "logs"].contains(&name.as_str())).collect();
    names.sort();
    names
}

/// Inode and time of every file of the work tree, by its bytes and mode.
fn inodes(sandbox: &Sandbox) -> BTreeMap<PathBuf, (u64, i64, i64, u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![sandbox.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for row in fs::read_dir(folder).expect("a folder") {
            let path = row.expect("a row").path();
            let meta = fs::symlink_metadata(&path).expect("it is there");
            match () {
                () if path.ends_with(".git") => {}
                () if meta.is_dir() => folders.push(path),
                () => {
                    let bytes = fs::read(&path).unwrap_or_default();
                    found.insert(path, (meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.mode(), bytes));
                }
            }
        }
    }
    found
}

#[test]
fn invariant_06_paths_that_are_not_touched_keep_inode_and_time() {
    check(12, cases(10), |case| {
        let sandbox = repository(&case);
        let before = inodes(&sandbox);
        let (repo, plan) = plan(&sandbox, &case.2).ok_or_else(|| reject("no plan"))?;
        let touched: Vec<RepoPath> =
            plan.chosen_attempt().map(|attempt| attempt.paths_touched.clone()).unwrap_or_default();
        repo.apply(plan, &options()).map_err(|error| reject(error.code()))?;
        let is_touched = |path: &Path| {
            touched.iter().any(|touched| path == sandbox.path().join(OsStr::from_bytes(touched.as_bytes())))
        };
        let others = |files: BTreeMap<PathBuf, _>| {
            files.into_iter().filter(|(path, _)| !is_touched(path)).collect::<BTreeMap<_, _>>()
        };
        prop_assert_eq!(others(before), others(inodes(&sandbox)));
        Ok(())
    });
}

#[test]
fn invariant_07_a_refusal_changes_nothing() {
    check(8, cases(8), |case| {
        let sandbox = repository(&case);
        let (before, files) = (State::of(&sandbox), inodes(&sandbox));
        let (repo, plan) = plan(&sandbox, &case.2).ok_or_else(|| reject("no plan"))?;
        let landed = repo.apply(plan, &options());
        if landed.as_ref().is_ok_and(|receipt| receipt.outcome.kind == OutcomeKind::Committed) {
            return Err(reject("landed"));
        }
        prop_assert_eq!(before.diff(&State::of(&sandbox)), "");
        prop_assert_eq!(files, inodes(&sandbox));
        Ok(())
    });
}

#[test]
fn invariant_08_a_plan_writes_nothing() {
    check(12, cases(10), |case| {
        let sandbox = repository(&case);
        let (before, files) = (State::of(&sandbox), inodes(&sandbox));
        let (repo, plan) = plan(&sandbox, &case.2).ok_or_else(|| reject("no plan"))?;
        let _ = repo.check(&plan, &options());
        prop_assert_eq!(before.diff(&State::of(&sandbox)), "");
        prop_assert_eq!(files, inodes(&sandbox));
        prop_assert!(!sandbox.path().join(".git/rb").exists());
        Ok(())
    });
}

#[test]
fn invariant_09_the_same_inputs_give_the_same_plan() {
    check(12, cases(10), |case| {
        let sandbox = repository(&case);
        let (_, one) = plan(&sandbox, &case.2).ok_or_else(|| reject("no plan"))?;
        let (_, other) = plan(&sandbox, &case.2).ok_or_else(|| reject("no plan"))?;
        let bytes = |plan: &Plan| serde_json::to_string(plan).expect("a document");
        prop_assert_eq!(bytes(&one), bytes(&other));
        Ok(())
    });
}

#[test]
fn invariant_10_the_log_of_a_reference_ends_where_it_points() {
    check(12, cases(10), |case| {
        let (sandbox, repo, _) = landed(&case)?;
        let ends = |sandbox: &Sandbox| {
            ["HEAD", "main"].map(|name| {
                (sandbox.git(&["rev-parse", &format!("{name}@{{0}}")]), sandbox.git(&["rev-parse", name]))
            })
        };
        for (logged, tip) in ends(&sandbox) {
            prop_assert_eq!(logged, tip);
        }
        prop_assert!(repo.undo(&OperationRef::Last, &UndoOptions::default()).is_ok());
        for (logged, tip) in ends(&sandbox) {
            prop_assert_eq!(logged, tip);
        }
        Ok(())
    });
}

#[test]
fn invariant_12_nothing_is_written_outside_of_the_places_of_a_landing() {
    check(8, cases(10), |case| {
        let sandbox = repository(&case);
        let around = sandbox.path().parent().expect("a folder around it").to_owned();
        let before = listing(&around);
        let (repo, plan) = plan(&sandbox, &case.2).ok_or_else(|| reject("no plan"))?;
        repo.apply(plan, &options()).map_err(|error| reject(error.code()))?;
        repo.undo(&OperationRef::Last, &UndoOptions::default()).map_err(|error| reject(error.code()))?;
        let after = listing(&around);
        for path in before.keys().chain(after.keys()) {
            if before.get(path) == after.get(path) {
                continue;
            }
            let inside = path.strip_prefix(sandbox.path());
            prop_assert!(inside.is_ok(), "{} is outside", path.display());
            let inside = inside.expect("it was just looked at");
            let in_git = inside.strip_prefix(".git").ok();
            let allowed = ["rb", "RB_HEAD", "refs", "index", "logs", "objects", "COMMIT_EDITMSG"];
            prop_assert!(
                in_git.is_none_or(|path| allowed.iter().any(|allowed| path.starts_with(allowed))),
                "{} is no place of a landing",
                inside.display()
            );
        }
        let logs: BTreeSet<_> = after
            .keys()
            .filter_map(|path| path.strip_prefix(sandbox.path().join(".git/logs")).ok())
            .collect();
        prop_assert_eq!(logs, BTreeSet::from(["HEAD", "RB_HEAD", "refs/heads/main"].map(Path::new)));
        prop_assert_eq!(what_rb_head_keeps(&sandbox)?, what_operations_need(&repo));
        Ok(())
    });
}

/// Every file below a folder, with its bytes.
fn listing(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for row in fs::read_dir(folder).expect("a folder") {
            let path = row.expect("a row").path();
            match fs::symlink_metadata(&path).expect("it is there").is_dir() {
                true => folders.push(path),
                false => drop(found.insert(path.clone(), fs::read(path).unwrap_or_default())),
            }
        }
    }
    found
}

/// An error is an answer, as long as it is one of ours.
fn is_answer(error: &Error) -> bool {
    !error.code().is_empty()
}
