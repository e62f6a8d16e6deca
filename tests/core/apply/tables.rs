//! References in tables: what rb writes, git reads, and the other way round.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::kit::*;
use super::sweep::Dice;
use crate::apply::anchor;
use crate::apply::land::check;
use crate::apply::stage::Stage;
use crate::apply::tables::{Changes, sweep_locks, transact};
use crate::apply::{Beside, LandOptions, Landing, Need, land, preflight};
use crate::error::{Error, RepositoryError};
use crate::id::ObjectId;
use crate::reftable::{self, Layout, Limits, LogUpdate, RefRecord, RefValue};
use crate::repo::config::Settings;
use crate::repo::refs::References;
use crate::repo::refs::stack::{LIST, Stack};

fn sandbox() -> Sandbox {
    let sandbox = with_tables(Sandbox::new);
    sandbox.write("a", "1\n").commit("one").write("a", "2\n").commit("two");
    sandbox
}

fn line(old: ObjectId, new: ObjectId, message: &str) -> LogUpdate {
    let (name, email) = (NAME.into(), EMAIL.into());
    LogUpdate { old, new, name, email, time: 1_700_000_000, offset: 100, message: message.into() }
}

/// What git says: references with what they hold, and the log of each.
fn of_git(sandbox: &Sandbox) -> (Vec<String>, Vec<String>) {
    let format = "--format=%(refname) %(if)%(symref)%(then)%(symref)%(else)%(objectname)%(end)";
    let references = sandbox.git(&["for-each-ref", format]).lines().map(str::to_owned).collect();
    let names = sandbox.git(&["reflog", "list"]);
    let log = |name: &str| {
        let rows = sandbox.git(&["log", "-g", "--format=%H %gs", name, "--"]);
        rows.lines().map(|row| format!("{name} {row}")).collect::<Vec<_>>()
    };
    (references, names.lines().filter(|name| name.starts_with("refs/")).flat_map(log).collect())
}

/// What rb says.
fn of_rb(sandbox: &Sandbox) -> (Vec<String>, Vec<String>) {
    let repo = sandbox.repo();
    let stack = Stack::open(&repo.common_dir(), repo.local().object_hash()).unwrap();
    let shown = |value: &RefValue| match value {
        RefValue::Object(id) | RefValue::Peeled(id, _) => id.to_string(),
        RefValue::Symbolic(target) => target.to_string(),
        RefValue::Deletion => panic!("it is gone"),
    };
    let records: Vec<_> = stack.references(b"refs/").unwrap().map(Result::unwrap).collect();
    let local = repo.local();
    let listed = References::of(&local).unwrap().below("refs/").unwrap();
    let names: Vec<_> = records.iter().map(|record| record.name.clone()).collect();
    assert_eq!(listed.into_iter().map(|(name, _)| name).collect::<Vec<_>>(), names);
    let mut logs = Vec::new();
    for name in sandbox.git(&["reflog", "list"]).lines().filter(|name| name.starts_with("refs/")) {
        let lines = stack.log(name.as_bytes(), usize::MAX).unwrap();
        // A line without ids says that there is a log.
        let lines = lines.iter().filter(|(_, line)| !line.new.is_null());
        logs.extend(
            lines.map(|(_, line)| format!("{name} {} {}", line.new, line.message.to_string().trim_end())),
        );
    }
    (records.iter().map(|record| format!("{} {}", record.name, shown(&record.value))).collect(), logs)
}

/// Random moves by git and by rb, one after the other; after each both say the same, and what was moved is there.
fn moves(seed: u64, count: usize) {
    let sandbox = sandbox();
    let mut dice = Dice::new(seed);
    let ids: Vec<ObjectId> = ["HEAD", "HEAD^"].map(|name| id(&sandbox.git(&["rev-parse", name]))).to_vec();
    let null = ids[0].null_like();
    let mut expected: BTreeMap<String, ObjectId> = BTreeMap::new();
    expected.insert("refs/heads/main".into(), ids[0]);
    let settings = Settings::of(&sandbox.repo()).unwrap();
    for step in 0..count {
        let name = format!("refs/heads/branch-{}/{}", dice.below(3), dice.below(4));
        let new = ids[dice.below(2)];
        let old = expected.get(&name).copied();
        let repo = sandbox.repo();
        match dice.below(8) {
            0 => drop(sandbox.git(&["pack-refs", "--all"])),
            1 if old.is_some() => drop(sandbox.git(&["reflog", "expire", "--expire=now", &name])),
            2 | 3 => {
                sandbox.git(&["update-ref", "-m", &format!("git {step}"), &name, &new.to_string()]);
                expected.insert(name.clone(), new);
            }
            4 if old.is_some() => {
                sandbox.git(&["update-ref", "-d", &name]);
                expected.remove(&name);
            }
            5 if old.is_some() => {
                let gone = |stack: &Stack, changes: &mut Changes| {
                    changes.set(stack, name.as_bytes(), RefValue::Deletion)?;
                    changes.drop_log(stack, name.as_bytes())
                };
                transact(&repo, &repo.common_dir(), &settings, gone).unwrap();
                expected.remove(&name);
            }
            _ => {
                let moved = |stack: &Stack, changes: &mut Changes| {
                    changes.set(stack, name.as_bytes(), RefValue::Object(new))?;
                    let said = line(old.unwrap_or(null), new, &format!("rb {step}"));
                    changes.push_line(name.as_bytes(), said);
                    Ok(())
                };
                transact(&repo, &repo.common_dir(), &settings, moved).unwrap();
                expected.insert(name.clone(), new);
            }
        }
        let (git, rb) = (of_git(&sandbox), of_rb(&sandbox));
        assert_eq!(git, rb, "seed {seed}, step {step}");
        let model: Vec<_> = expected.iter().map(|(name, id)| format!("{name} {id}")).collect();
        assert_eq!(git.0, model, "seed {seed}, step {step}");
    }
    sandbox.git(&["fsck", "--strict"]);
    let tables = fs::read_to_string(sandbox.git_dir().join("reftable").join(LIST)).unwrap();
    assert!(tables.lines().count() < 8, "the stack stays short: {tables}");
}

#[test]
fn git_and_rb_read_each_others_moves() {
    for seed in [1, 2] {
        moves(seed, 30);
    }
}

#[test]
#[ignore = "minutes: many random moves"]
fn random_moves_of_tables() {
    let seeds = std::env::var("RB_MOVES").ok().and_then(|count| count.parse().ok()).unwrap_or(20);
    (1..=seeds).for_each(|seed| moves(seed, 200));
}

#[test]
fn a_landing_on_tables_is_that_of_git_in_every_kind_of_head() {
    for command in [&["status"][..], &["checkout", "-q", "--detach"]] {
        let sandbox = sandbox();
        sandbox.git(command);
        with_tables(|| assert_lands_like_git(&sandbox));
    }
}

#[test]
fn a_landing_in_a_linked_work_tree_writes_both_stacks() {
    let sandbox = sandbox();
    sandbox.git(&["worktree", "add", "-q", "-b", "side", "linked"]);
    let sandbox = sandbox.into_linked("linked");
    assert_lands_like_git(&sandbox);
    assert_eq!(sandbox.git(&["log", "-g", "-1", "--format=%gs", "HEAD"]), "revert: Revert \"two\"");
    assert_eq!(sandbox.git(&["rev-parse", "main"]), sandbox.git(&["rev-parse", "side^"]));
}

const REVERT: Need = Need { work_tree: Some("reverting"), identity: false, beside: Beside::Nothing };

#[test]
fn a_stack_that_another_process_writes_is_waited_for_and_its_lock_stays() {
    let sandbox = sandbox();
    let twin = sandbox.twin();
    twin.git(&["revert", "--no-edit", "HEAD"]);
    let lock = sandbox.git_dir().join("reftable/tables.list.lock");
    fs::write(&lock, "").unwrap();
    let options = LandOptions { patience: std::time::Duration::ZERO, ..LandOptions::default() };
    let before = (of_git(&sandbox), sandbox.files());
    let refused = land(&sandbox.repo(), &landing_like(&sandbox, &twin), &options).expect_err("it is locked");
    assert_eq!(refused.code(), "locked");
    assert_eq!(preflight(&sandbox.repo(), REVERT).expect_err("it is locked").code(), "locked");
    assert!(lock.is_file());
    fs::remove_file(&lock).unwrap();
    assert_eq!((of_git(&sandbox), sandbox.files()), before);
    land(&sandbox.repo(), &landing_like(&sandbox, &twin), &options).unwrap();
    assert_same(&sandbox, &twin);
}

#[test]
fn what_a_killed_transaction_left_is_removed_and_what_others_hold_is_not() {
    let sandbox = sandbox();
    let folder = sandbox.git_dir().join("reftable");
    let listed = fs::read_to_string(folder.join(LIST)).unwrap();
    let first = listed.lines().next().unwrap().to_owned();
    // Of a merge, and of a transaction that was killed before its list.
    let hash = sandbox.repo().local().object_hash();
    let next = Stack::open(&sandbox.git_dir(), hash).unwrap().next_update_index().unwrap();
    for stray in [1, next] {
        let stray = format!("0x{stray:012x}-0x{stray:012x}-00000000.ref");
        fs::copy(folder.join(&first), folder.join(stray)).unwrap();
    }
    let staged = sandbox.git_dir().join("rb/tables");
    fs::create_dir_all(&staged).unwrap();
    for name in ["table", LIST] {
        fs::write(staged.join(name), "cut off").unwrap();
    }
    for name in [LIST, &first] {
        fs::write(folder.join(format!("{name}.lock")), "rb tables\n").unwrap();
    }
    let foreign = folder.join("0x000000000001-0x000000000001-11111111.ref.lock");
    fs::write(&foreign, "").unwrap();
    preflight(&sandbox.repo(), REVERT).expect("the landing will remove them");
    sweep_locks(&sandbox.repo()).unwrap();
    let mut left: Vec<_> = fs::read_dir(&folder).unwrap().map(|row| row.unwrap().file_name()).collect();
    left.sort();
    let mut expected: Vec<_> = listed
        .lines()
        .map(Into::into)
        .chain([LIST.into(), foreign.file_name().unwrap().to_owned()])
        .collect();
    expected.sort();
    assert_eq!(left, expected);
    fs::remove_file(foreign).unwrap();
    assert_nothing_left(&sandbox);
    sandbox.git(&["update-ref", "refs/heads/other", "HEAD"]);
}

/// A folder of tables that a link leads elsewhere is refused by every landing, also by one that moves no reference of it.
#[test]
fn a_stack_that_a_link_leads_elsewhere_is_never_written() {
    let branch = sandbox();
    let detached = sandbox();
    detached.git(&["checkout", "-q", "--detach"]);
    let linked = sandbox();
    linked.git(&["worktree", "add", "-q", "-b", "side", "linked"]);
    for sandbox in [branch, detached, linked.into_linked("linked")] {
        let twin = sandbox.twin();
        twin.git(&["revert", "--no-edit", "HEAD"]);
        let landing = landing_like(&sandbox, &twin);
        let common = sandbox.repo().common_dir();
        let elsewhere = common.parent().unwrap().with_file_name("elsewhere");
        fs::rename(common.join("reftable"), &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, common.join("reftable")).unwrap();
        let names = || {
            let mut names: Vec<_> =
                fs::read_dir(&elsewhere).unwrap().map(|row| row.unwrap().path()).collect();
            names.sort();
            (names, fs::read(elsewhere.join(LIST)).unwrap())
        };
        let before = names();
        let unmoved = Landing { reference: None, ..landing_like(&sandbox, &twin) };
        for landing in [landing, unmoved] {
            let error = assert_refused(&sandbox, &landing);
            assert!(matches!(error, Error::Repository(RepositoryError::LinkInGitDir { .. })), "{error:?}");
            assert!(check(&sandbox.repo(), &landing).is_err());
            assert_eq!(names(), before);
        }
    }
}

#[test]
fn a_stack_without_numbers_for_another_transaction_is_refused() {
    let sandbox = sandbox();
    let repo = sandbox.repo();
    let object = id(&sandbox.git(&["rev-parse", "HEAD"]));
    let (hash, index) = (repo.local().object_hash(), u64::MAX);
    let limits = Limits { min_update_index: index, max_update_index: index, hash };
    let last =
        RefRecord { name: "refs/heads/x".into(), update_index: index, value: RefValue::Object(object) };
    let bytes = reftable::write(limits, Layout::default(), [Ok(last)], []).unwrap().unwrap();
    let folder = sandbox.git_dir().join("reftable");
    fs::write(folder.join("last.ref"), bytes).unwrap();
    let list = fs::read_to_string(folder.join(LIST)).unwrap();
    fs::write(folder.join(LIST), format!("{list}last.ref\n")).unwrap();
    let change =
        |stack: &Stack, changes: &mut Changes| changes.set(stack, b"refs/heads/y", RefValue::Object(object));
    let refused = transact(&repo, &repo.common_dir(), &Settings::of(&repo).unwrap(), change);
    assert_eq!(refused.expect_err("there is none left").code(), "bad-references");
    fs::remove_file(folder.join("last.ref")).unwrap();
    fs::write(folder.join(LIST), list).unwrap();
    assert_nothing_left(&sandbox);
}

#[test]
fn the_anchor_keeps_objects_from_gc_and_leaves_nothing() {
    let sandbox = sandbox();
    let repo = sandbox.repo();
    let settings = Settings::of(&repo).unwrap();
    let object = id(&sandbox.git(&["commit-tree", "-m", "alone", "HEAD^{tree}"]));
    let stage = Stage::make(&repo, None, "00", &settings).unwrap();
    let before = of_git(&sandbox).0;
    anchor::drop_anchor(&repo, &stage, object, &settings).unwrap();
    sandbox.git(&["gc", "-q", "--prune=now"]);
    sandbox.git(&["cat-file", "-e", &object.to_string()]);
    anchor::weigh_anchor(&repo).unwrap();
    anchor::weigh_anchor(&repo).unwrap();
    assert_eq!(of_git(&sandbox).0, before);
}

#[test]
fn permissions_of_a_shared_repository_are_those_of_git() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = sandbox();
    sandbox.git(&["config", "core.sharedRepository", "0660"]);
    let twin = sandbox.twin();
    twin.git(&["update-ref", "refs/heads/x", "HEAD"]);
    let repo = sandbox.repo();
    let value = RefValue::Object(id(&sandbox.git(&["rev-parse", "HEAD"])));
    let change = |stack: &Stack, changes: &mut Changes| changes.set(stack, b"refs/heads/x", value);
    transact(&repo, &repo.common_dir(), &Settings::of(&repo).unwrap(), change).unwrap();
    let modes = |sandbox: &Sandbox| {
        let folder = sandbox.git_dir().join("reftable");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        let list = fs::read_to_string(folder.join(LIST)).unwrap();
        (mode(&folder.join(LIST)), mode(&folder.join(list.lines().last().unwrap())))
    };
    assert_eq!(modes(&sandbox), modes(&twin));
}

#[test]
fn a_stack_that_cannot_be_read_is_an_error_that_names_the_table() {
    type Damage = fn(&Path, &str);
    let damages: [(&str, Damage); 5] = [
        ("is missing", |folder, name| fs::remove_file(folder.join(name)).unwrap()),
        ("cut off", |folder, name| {
            let bytes = fs::read(folder.join(name)).unwrap();
            fs::write(folder.join(name), &bytes[..bytes.len() - 1]).unwrap();
        }),
        ("no reftable", |folder, name| fs::write(folder.join(name), "x".repeat(200)).unwrap()),
        ("no regular file", |folder, name| {
            fs::remove_file(folder.join(name)).unwrap();
            rustix::fs::mkfifoat(rustix::fs::CWD, folder.join(name), rustix::fs::Mode::RUSR).unwrap();
        }),
        ("is no table", |folder, _| fs::write(folder.join(LIST), "../../config\n").unwrap()),
    ];
    for (said, damage) in damages {
        let sandbox = sandbox();
        let folder = sandbox.git_dir().join("reftable");
        let name = fs::read_to_string(folder.join(LIST)).unwrap().lines().next().unwrap().to_owned();
        damage(&folder, &name);
        let error = sandbox.repo().head().expect_err(said);
        assert_eq!(error.code(), "bad-references");
        let text = error.to_string();
        assert!(text.contains(said) && (text.contains(&name) || text.contains(LIST)), "{text}");
    }
}
