//! The shapes of landing that the fault suites try, and a way to hand one to a child process.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use gix::objs::Kind;
use serde_json::{Value, json};

use super::kit::*;
use crate::apply::log::{LOG_VERSION, LogDraft, LoggedOperation};
use crate::apply::{Exact, LandOptions, Landing, RefUpdate, land};
use crate::checkpoint::{CheckpointOptions, MANUAL, RestoreOptions};
use crate::conflict::Conflict;
use crate::id::{CommitId, TreeId};
use crate::journal::StateFile;
use crate::operation::OperationId;
use crate::oplog::{OperationRef, UndoOptions};
use crate::path::RepoPath;
use crate::repo::index::Index;
use crate::uncommitted::UncommittedTarget;

/// A repository and what is to be done to it.
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) sandbox: Sandbox,
    pub(super) deed: Deed,
    /// A folder outside of the repository that the deed changes, and a copy of it as it is before.
    pub(super) outside: Option<[PathBuf; 2]>,
}

/// What is done: the names of operations and the time of those that rb dates itself differ from run to run.
pub(super) enum Deed {
    /// Lands this.
    Land(Box<Landing>),
    /// Takes the last operation back.
    Undo,
    /// Plans and applies the revert of a revision.
    Revert(&'static str),
    /// Restores the checkpoint called `kept`, with its paths outside.
    Restore,
    /// Brings back all that is not committed.
    BringBack,
    /// Goes a step in a sequence of reverts.
    Sequence(Move),
}

/// A step in a sequence.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    /// Reverts `second`, which conflicts.
    Stop,
    Continue,
    Skip,
    Abort,
}

impl Move {
    pub(super) const ALL: [(&str, Self); 4] = [
        ("sequence-stop", Self::Stop),
        ("sequence-continue", Self::Continue),
        ("sequence-skip", Self::Skip),
        ("sequence-abort", Self::Abort),
    ];
}

impl Shape {
    pub(super) fn landing(&self) -> &Landing {
        match &self.deed {
            Deed::Land(landing) => landing,
            _ => panic!("{} is no prepared landing", self.name),
        }
    }

    fn landing_mut(&mut self) -> &mut Landing {
        match &mut self.deed {
            Deed::Land(landing) => landing,
            _ => panic!("{} is no prepared landing", self.name),
        }
    }

    /// As every landing of rb's: with an entry of the operation log.
    fn logged(mut self) -> Self {
        let name = self.name;
        let tip = CommitId(id(&self.sandbox.git(&["rev-parse", "HEAD"])));
        let landing = self.landing_mut();
        landing.log = Some(draft(name, tip, landing));
        self
    }

    /// A copy of the repository; what lies outside, which all copies share, is as it was.
    pub(super) fn copy(&self) -> Sandbox {
        self.outside_again();
        self.sandbox.twin()
    }

    /// The same in a new folder.
    pub(super) fn copy_in(&self, folder: &Path) -> Sandbox {
        self.outside_again();
        self.sandbox.twin_in(folder)
    }

    fn outside_again(&self) {
        if let Some([outside, copy]) = &self.outside {
            fs::remove_dir_all(outside).unwrap();
            copy_all(copy, outside);
        }
    }

    /// The shape in which what this one does has been done, and is to be taken back.
    fn undone(self, name: &'static str) -> Self {
        let landed = land(&self.sandbox.repo(), self.landing(), &LandOptions::default()).unwrap();
        assert!(landed.later_failure.is_none(), "{:?}", landed.later_failure);
        Self { name, deed: Deed::Undo, ..self }
    }
}

fn draft(target: &str, tip: CommitId, landing: &Landing) -> LogDraft {
    let moved = landing.reference.as_ref();
    let operation = LoggedOperation {
        version: LOG_VERSION,
        operation_id: "00112233445566778899".into(),
        time: 1_700_000_000,
        kind: "revert-commit".into(),
        target: target.into(),
        reference: RepoPath::new(moved.map_or(&b"refs/heads/main"[..], |moved| moved.name.as_slice())),
        before: moved.map_or(Some(tip), |moved| moved.old),
        after: moved.map_or(Some(tip), |moved| moved.new),
        commit_ids: moved.and_then(|moved| moved.new).into_iter().collect(),
        staged: moved.is_none(),
        tree_before: landing.head_tree,
        tree_after: landing.result_tree,
        undoes: None,
        paths: Vec::new(),
        state_files: Vec::new(),
        states: None,
        outside: None,
        edits: None,
        stopped: false,
        continues: None,
    };
    LogDraft::new(operation, b"{}\n".to_vec())
}

type Make = fn() -> Shape;

/// Every shape by its name, which RELIABILITY.md lists.
const ALL: [(&str, Make); 38] = [
    ("one file", || one_file().logged()),
    ("added and deleted", || added_and_deleted().logged()),
    ("modes and links", || modes_and_links().logged()),
    ("files and folders swap", || files_and_folders_swap().logged()),
    ("detached", || detached().logged()),
    ("packed branch", || packed_branch().logged()),
    ("linked work tree", || linked_work_tree().logged()),
    ("new branch", || new_branch().logged()),
    ("bare", || bare().logged()),
    ("not committed", || not_committed().logged()),
    ("conflicts left", || conflicts_left().logged()),
    ("work elsewhere", || work_elsewhere().logged()),
    ("sha256", || sha256().logged()),
    ("without a log", without_log),
    ("undo", undo),
    ("undo of modes and links", undo_of_modes),
    ("undo of what is staged", undo_of_staged),
    ("undo of an undo", undo_of_an_undo),
    ("planned and applied", planned),
    ("checkpoint restored", checkpoint_restored),
    ("checkpoint and branch", checkpoint_and_branch),
    ("undo of a restore", undo_of_a_restore),
    ("branch removed", branch_removed),
    ("packed branch removed", packed_branch_removed),
    ("undo of a new branch", undo_of_a_new_branch),
    ("paths outside", paths_outside),
    ("only paths outside", only_paths_outside),
    ("undo of paths outside", undo_of_paths_outside),
    ("untracked files restored", untracked_restored),
    ("what is not committed brought back", brought_back),
    ("undo of what was brought back", undo_of_brought_back),
    ("submodules change places", || submodules_change_places().logged()),
    ("a revert that stops", revert_that_stops),
    ("a resolved conflict continued", resolved_conflict),
    ("a stop skipped", || stopped("a stop skipped", Move::Skip)),
    ("a stop given up", || stopped("a stop given up", Move::Abort)),
    ("undo of a stop", || Shape { deed: Deed::Undo, ..stopped("undo of a stop", Move::Abort) }),
    ("undo of an abort", undo_of_an_abort),
];

/// Two commits that change the same line, and a third one beside them.
fn revert_that_stops() -> Shape {
    let sandbox = Sandbox::new();
    sandbox.write("a/file", "one\n").write("gone", "g\n").write("b", "b\n").commit("first");
    sandbox
        .write("a/file", "two\n")
        .remove("gone")
        .write("new", "n\n")
        .commit("second")
        .git(&["tag", "second"]);
    sandbox.write("a/file", "three\n").commit("third");
    sandbox.write("other", "o\n").commit("fourth").write("untracked", "u\n");
    Shape { name: "a revert that stops", sandbox, deed: Deed::Sequence(Move::Stop), outside: None }
}

/// What a stop has left, half resolved.
fn stopped(name: &'static str, next: Move) -> Shape {
    let shape = revert_that_stops();
    super::sweep::go(&shape.sandbox.repo(), Move::Stop).unwrap();
    shape.sandbox.write("a/file", "half\n");
    Shape { name, deed: Deed::Sequence(next), ..shape }
}

fn resolved_conflict() -> Shape {
    let shape = stopped("a resolved conflict continued", Move::Continue);
    shape.sandbox.write("a/file", "resolved\n").git(&["add", "a/file"]);
    shape
}

fn undo_of_an_abort() -> Shape {
    let shape = stopped("undo of an abort", Move::Abort);
    super::sweep::go(&shape.sandbox.repo(), Move::Abort).unwrap();
    Shape { deed: Deed::Undo, ..shape }
}

/// The shapes of these names.
pub(super) fn named(names: &[&str]) -> Vec<Shape> {
    ALL.iter().filter(|(name, _)| names.contains(name)).map(|(_, make)| make()).collect()
}

/// Every shape.
pub(super) fn all() -> Vec<Shape> {
    let made = ALL.map(|(name, make)| {
        let shape = make();
        assert_eq!(shape.name, name, "a shape has one name");
        shape
    });
    made.into()
}

fn without_log() -> Shape {
    Shape { name: "without a log", ..one_file() }
}

/// Takes back what added, deleted and changed files, beside work that is not committed.
fn undo() -> Shape {
    let shape = added_and_deleted().logged().undone("undo");
    shape.sandbox.write("untracked", "u\n").write("keep", "edited\n");
    shape
}

fn undo_of_modes() -> Shape {
    modes_and_links().logged().undone("undo of modes and links")
}

pub(super) fn undo_of_staged() -> Shape {
    not_committed().logged().undone("undo of what is staged")
}

fn undo_of_an_undo() -> Shape {
    let shape = one_file().logged().undone("undo of an undo");
    shape.sandbox.repo().undo(&OperationRef::Last, &UndoOptions::default()).unwrap();
    shape
}

fn planned() -> Shape {
    to_revert("second")
}

/// Plans the revert of a commit on whatever tip is found.
pub(super) fn to_revert(revision: &'static str) -> Shape {
    let sandbox = Sandbox::new();
    sandbox.write("a/file", "one\n").write("gone", "g\n").write("b", "b\n").commit("first");
    sandbox.write("a/file", "two\n").remove("gone").commit("second").git(&["tag", "second"]);
    sandbox.write("b", "c\n").commit("third").git(&["tag", "third"]);
    sandbox.write("other", "o\n").commit("fourth");
    Shape { name: "planned and applied", sandbox, deed: Deed::Revert(revision), outside: None }
}

/// Reverts HEAD.
fn revert(name: &'static str, sandbox: Sandbox) -> Shape {
    let twin = sandbox.twin();
    twin.git(&["revert", "--no-edit", "HEAD"]);
    let landing = landing_like(&sandbox, &twin);
    Shape { name, sandbox, deed: Deed::Land(Box::new(landing)), outside: None }
}

pub(super) fn one_file() -> Shape {
    let sandbox = Sandbox::new();
    sandbox
        .write("a/file", "one\n")
        .write("other", "o\n")
        .commit("first")
        .write("a/file", "two\n")
        .commit("second");
    revert("one file", sandbox)
}

/// So many that they are flushed in several lots; each comes back, and half of them were removed.
pub(super) fn many_files() -> Shape {
    let sandbox = Sandbox::new();
    for number in 0..300 {
        sandbox.write(&format!("d{}/file{number}", number % 7), format!("one {number}\n"));
    }
    sandbox.commit("first");
    for number in 0..300 {
        let path = format!("d{}/file{number}", number % 7);
        match number % 2 {
            0 => sandbox.remove(&path),
            _ => sandbox.write(&path, format!("two {number}\n")),
        };
    }
    sandbox.commit("second");
    revert("many files", sandbox)
}

pub(super) fn added_and_deleted() -> Shape {
    let sandbox = Sandbox::new();
    sandbox.write("keep", "k\n").write("deep/er/gone", "g\n").write("changed", "1\n").commit("first");
    fs::remove_dir_all(sandbox.path("deep")).unwrap();
    sandbox.write("changed", "2\n").write("fresh/folder/file", "f\n").commit("second");
    revert("added and deleted", sandbox)
}

pub(super) fn modes_and_links() -> Shape {
    let sandbox = Sandbox::new();
    sandbox
        .write("run", "#!/bin/sh\n")
        .chmod("run", 0o755)
        .write("becomes", "b\n")
        .link("run", "link")
        .commit("first");
    sandbox.chmod("run", 0o644).remove("becomes").link("run", "becomes").remove("link").link("x", "link");
    sandbox.commit("second");
    revert("modes and links", sandbox)
}

pub(super) fn files_and_folders_swap() -> Shape {
    let sandbox = Sandbox::new();
    sandbox.write("swap", "file\n").write("dir/a", "a\n").write("dir/sub/b", "b\n").commit("first");
    sandbox.remove("swap").write("swap/in/side", "s\n");
    fs::remove_dir_all(sandbox.path("dir")).unwrap();
    sandbox.write("dir", "now a file\n").commit("second");
    revert("files and folders swap", sandbox)
}

fn detached() -> Shape {
    let sandbox = Sandbox::new();
    sandbox.write("file", "one\n").commit("first").write("file", "two\n").commit("second");
    sandbox.git(&["checkout", "-q", "--detach"]);
    revert("detached", sandbox)
}

fn packed_branch() -> Shape {
    let sandbox = Sandbox::new();
    sandbox.git(&["checkout", "-q", "-b", "feature/deep/name"]);
    sandbox.write("file", "one\n").commit("first").write("file", "two\n").commit("second");
    sandbox.git(&["pack-refs", "--all", "--prune"]);
    revert("packed branch", sandbox)
}

fn linked_work_tree() -> Shape {
    let main = Sandbox::new();
    main.write("file", "one\n").write("gone", "g\n").commit("first");
    main.remove("gone").write("file", "two\n").commit("second");
    // Both in one folder, so that a copy of that folder has both.
    main.git(&["checkout", "-q", "--detach"]);
    main.git(&["worktree", "add", "-q", "linked", "main"]);
    revert("linked work tree", main.into_linked("linked"))
}

fn new_branch() -> Shape {
    let mut shape = one_file();
    shape.name = "new branch";
    shape.landing_mut().checkout = false;
    let update = shape.landing_mut().reference.as_mut().unwrap();
    (update.name, update.old) = ("refs/heads/rescue/one".into(), None);
    shape
}

fn bare() -> Shape {
    let mut shape = one_file();
    shape.sandbox.git(&["config", "core.bare", "true"]);
    shape.sandbox.git(&["config", "core.logAllRefUpdates", "true"]);
    shape.sandbox.clear_work_tree();
    shape.name = "bare";
    shape.landing_mut().checkout = false;
    shape
}

fn not_committed() -> Shape {
    let mut shape = added_and_deleted();
    shape.name = "not committed";
    let head = format!("{}\n", shape.sandbox.git(&["rev-parse", "HEAD"]));
    shape.landing_mut().reference = None;
    shape.landing_mut().state_files =
        vec![StateFile::write("MERGE_MSG", "Revert \"second\"\n"), StateFile::write("REVERT_HEAD", head)];
    shape
}

fn conflicts_left() -> Shape {
    let sandbox = Sandbox::new();
    sandbox.write("file", "1\n2\n3\n").write("gone", "d\n").write("d/clean", "c\n").commit("first");
    sandbox.write("file", "1\ntwo\n3\n").write("gone", "changed\n").write("d/clean", "C\n").commit("second");
    sandbox.write("file", "1\nzwei\n3\n").remove("gone").commit("third");
    let twin = sandbox.twin();
    assert!(!twin.try_git(&["revert", "--no-edit", "HEAD~1"]).status.success());
    let tree = |rev: &str| TreeId(id(&twin.git(&["rev-parse", rev])));
    let mut landing = landing_like(&sandbox, &sandbox);
    landing.reference = None;
    landing.head_tree = tree("HEAD^{tree}");
    landing.result_tree = tree("AUTO_MERGE");
    landing.objects = objects_between_trees(&twin, "AUTO_MERGE");
    landing.index_stages = unmerged(&twin);
    let bytes = |name: &str| twin.state_file(name).unwrap();
    landing.state_files =
        ["REVERT_HEAD", "MERGE_MSG", "AUTO_MERGE"].map(|name| StateFile::write(name, bytes(name))).to_vec();
    landing.state_files.push(StateFile::write("sequencer/todo", "revert 1234567 second\n"));
    Shape { name: "conflicts left", sandbox, deed: Deed::Land(Box::new(landing)), outside: None }
}

fn work_elsewhere() -> Shape {
    let sandbox = Sandbox::new();
    sandbox.write(".gitattributes", "*.txt text eol=crlf\n").write("a.txt", "1\r\n").write("staged", "s\n");
    sandbox.write("edited", "e\n").write("d/kept", "k\n").commit("first");
    sandbox.write("a.txt", "2\r\n").write("d/added", "a\n").commit("second");
    let mut shape = revert("work elsewhere", sandbox);
    let sandbox = &mut shape.sandbox;
    sandbox
        .write("staged", "staged change\n")
        .write("both", "new and staged\n")
        .git(&["add", "staged", "both"]);
    sandbox.write("edited", "edited\n").write("d/untracked", "u\n");
    shape
}

fn sha256() -> Shape {
    let sandbox = Sandbox::with_format("sha256");
    sandbox
        .write("a/file", "one\n")
        .commit("first")
        .write("a/file", "two\n")
        .write("b", "b\n")
        .commit("second");
    revert("sha256", sandbox)
}

/// A state with all that a checkpoint keeps, and the landing that leads back to it from another one.
fn restored(name: &'static str, options: RestoreOptions) -> Shape {
    let sandbox = Sandbox::new();
    sandbox.write("a", "1\n").write("d/b", "b\n").write("run", "r\n").write("f", "f\n").commit("first");
    sandbox.write("a", "staged\n").git(&["add", "a"]);
    sandbox.write("a", "edited\n").write("d/new/deep", "untracked\n").link("a", "link");
    sandbox.write("intent", "i\n").git(&["add", "-N", "intent"]);
    sandbox.git(&["update-index", "--assume-unchanged", "f"]);
    let repo = sandbox.repo();
    let kept = repo.create_checkpoint(MANUAL, "kept", &CheckpointOptions::default()).unwrap();
    sandbox.git(&["update-index", "--no-assume-unchanged", "f"]);
    fs::remove_dir_all(sandbox.path("d")).unwrap();
    sandbox.remove("link").remove("intent").write("d", "a file now\n").write("fresh/file", "fresh\n");
    sandbox.write("a", "3\n").chmod("run", 0o755).commit("second");
    sandbox.write("a", "edited again\n").write("later", "untracked too\n");
    let operation = OperationId::random().unwrap();
    let ready = repo.ready(&repo.objects(), &kept, options, &operation).unwrap();
    Shape { name, sandbox, deed: Deed::Land(Box::new(ready.landing.unwrap())), outside: None }
}

fn checkpoint_restored() -> Shape {
    restored("checkpoint restored", RestoreOptions::default())
}

fn checkpoint_and_branch() -> Shape {
    restored("checkpoint and branch", RestoreOptions::default().moving_branch())
}

fn undo_of_a_restore() -> Shape {
    restored("", RestoreOptions::default().moving_branch()).undone("undo of a restore")
}

/// A checkpoint with two paths outside, and all that can have become of them since.
fn kept_with_outside(name: &'static str) -> Shape {
    let sandbox = Sandbox::new();
    sandbox.write("a", "1\n").write("gone", "g\n").commit("first");
    // Beside the folder that is copied for every run: the paths are the same for all copies.
    let outside = sandbox.root.parent().unwrap().join("outside");
    let at = |name: &str| outside.join(name);
    let write = |name: &str, text: &str| {
        fs::create_dir_all(at(name).parent().unwrap()).unwrap();
        fs::write(at(name), text).unwrap();
    };
    for (file, text) in [("etc/changed", "1\n"), ("etc/same", "s\n"), ("etc/deep/gone", "g\n")] {
        write(file, text);
    }
    write("etc/becomes-folder", "f\n");
    write("etc/becomes-file/inner", "i\n");
    write("etc/becomes-link", "l\n");
    write("etc/run", "#!/bin/sh\n");
    write("single", "one\n");
    symlink("changed", at("etc/link")).unwrap();
    let paths = [at("etc"), at("single"), at("absent")];
    let options = CheckpointOptions::default().with_outside(paths);
    sandbox.repo().create_checkpoint(MANUAL, "kept", &options).unwrap();

    write("etc/changed", "two\n");
    write("single", "two\n");
    write("absent/now/here", "h\n");
    write("etc/added/file", "new\n");
    fs::remove_dir_all(at("etc/deep")).unwrap();
    fs::remove_dir_all(at("etc/becomes-file")).unwrap();
    write("etc/becomes-file", "a file now\n");
    fs::remove_file(at("etc/becomes-folder")).unwrap();
    write("etc/becomes-folder/inner", "i\n");
    for link in ["etc/becomes-link", "etc/link"] {
        fs::remove_file(at(link)).unwrap();
        symlink("run", at(link)).unwrap();
    }
    fs::set_permissions(at("etc/run"), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = outside.with_file_name("outside.before");
    copy_all(&outside, &copy);
    Shape { name, sandbox, deed: Deed::Restore, outside: Some([outside, copy]) }
}

/// Copies a folder with all times.
pub(super) fn copy_all(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(copied.is_ok_and(|status| status.success()));
}

pub(super) fn paths_outside() -> Shape {
    let shape = kept_with_outside("paths outside");
    shape.sandbox.write("a", "2\n").remove("gone").commit("second").write("later", "untracked\n");
    shape
}

/// Nothing changes in the repository but its log.
pub(super) fn only_paths_outside() -> Shape {
    kept_with_outside("only paths outside")
}

fn undo_of_paths_outside() -> Shape {
    let shape = paths_outside();
    assert!(!super::sweep::carry_out(&shape.sandbox.repo(), &shape.deed).unwrap());
    let [outside, copy] = shape.outside.as_ref().unwrap();
    fs::remove_dir_all(copy).unwrap();
    copy_all(outside, copy);
    Shape { name: "undo of paths outside", deed: Deed::Undo, ..shape }
}

/// The index is the same before and after, to the byte.
pub(super) fn untracked_restored() -> Shape {
    let sandbox = Sandbox::new();
    sandbox.write("a", "1\n").commit("first").write("new/file", "untracked\n");
    sandbox.repo().create_checkpoint(MANUAL, "kept", &CheckpointOptions::default()).unwrap();
    sandbox.write("new/file", "edited\n").write("later", "l\n");
    Shape { name: "untracked files restored", sandbox, deed: Deed::Restore, outside: None }
}

/// Edits, staged and not, deletions, and a folder in the place of a file.
pub(super) fn brought_back() -> Shape {
    let sandbox = Sandbox::new();
    sandbox.write("a", "1\n").write("d/b", "b\n").write("run", "r\n").write("f", "f\n").commit("first");
    sandbox.write("a", "staged\n").git(&["add", "a"]);
    sandbox.write("a", "edited\n").remove("d/b").chmod("run", 0o755);
    sandbox.remove("f").write("f/inner", "untracked\n").write("beside", "untracked too\n");
    Shape { name: "what is not committed brought back", sandbox, deed: Deed::BringBack, outside: None }
}

fn undo_of_brought_back() -> Shape {
    let shape = brought_back();
    shape.sandbox.repo().restore_uncommitted(&everything()).unwrap();
    Shape { name: "undo of what was brought back", deed: Deed::Undo, ..shape }
}

/// All that is not committed.
pub(super) fn everything() -> UncommittedTarget {
    UncommittedTarget::of([RepoPath::default()])
}

/// A file and a submodule that is not checked out change places, in both directions.
pub(super) fn submodules_change_places() -> Shape {
    let sandbox = Sandbox::new();
    let link = |name: &str| {
        let link = format!("160000,1111111111111111111111111111111111111111,{name}");
        sandbox.git(&["update-index", "--add", "--cacheinfo", &link]);
        fs::create_dir_all(sandbox.path(name)).unwrap();
    };
    sandbox.write("was-file", "f\n").write("d/other", "o\n").git(&["add", "-A"]);
    link("d/was-link");
    sandbox.git(&["commit", "-q", "-m", "first"]);
    sandbox.git(&["rm", "-q", "--cached", "d/was-link"]);
    fs::remove_dir(sandbox.path("d/was-link")).unwrap();
    sandbox.remove("was-file").write("d/was-link", "a file now\n");
    sandbox.git(&["add", "-A"]);
    link("was-file");
    sandbox.git(&["commit", "-q", "-m", "second"]);
    revert("submodules change places", sandbox)
}

fn undo_of_a_new_branch() -> Shape {
    new_branch().logged().undone("undo of a new branch")
}

fn branch_removed() -> Shape {
    let mut shape = one_file();
    shape.sandbox.git(&["branch", "rescue/one"]);
    shape.name = "branch removed";
    let landing = shape.landing_mut();
    landing.checkout = false;
    landing.result_tree = landing.head_tree;
    let update = landing.reference.as_mut().unwrap();
    (update.name, update.new) = ("refs/heads/rescue/one".into(), None);
    shape
}

/// The value that is packed is an older one.
fn packed_branch_removed() -> Shape {
    let shape = branch_removed();
    shape.sandbox.git(&["branch", "-f", "rescue/one", "HEAD~1"]);
    shape.sandbox.git(&["pack-refs", "--all"]);
    shape.sandbox.git(&["branch", "-f", "rescue/one", "HEAD"]);
    Shape { name: "packed branch removed", ..shape }
}

/// A deed as bytes.
pub(super) fn encode(deed: &Deed) -> Vec<u8> {
    let landing = match deed {
        Deed::Land(landing) => landing,
        Deed::Undo => return b"\"undo\"".to_vec(),
        Deed::Restore => return b"\"restore\"".to_vec(),
        Deed::BringBack => return b"\"bring-back\"".to_vec(),
        Deed::Sequence(step) => {
            let (name, _) = Move::ALL.into_iter().find(|(_, known)| known == step).unwrap();
            return serde_json::to_vec(name).unwrap();
        }
        Deed::Revert(revision) => return serde_json::to_vec(&json!({ "revert": revision })).unwrap(),
    };
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let objects: Vec<Value> = landing
        .objects
        .iter()
        .map(|(id, kind, bytes)| json!({ "id": id, "kind": kind.to_string(), "bytes": hex(bytes) }))
        .collect();
    let reference = landing.reference.as_ref().map(|update| {
        json!({ "name": update.name.to_string(), "old": update.old, "new": update.new, "reflog": update.reflog.to_string() })
    });
    let value = json!({
        "objects": objects,
        "head_tree": landing.head_tree,
        "result_tree": landing.result_tree,
        "reference": reference,
        "checkout": landing.checkout,
        "state_files": landing.state_files,
        "index_stages": landing.index_stages,
        "log": landing.log.as_ref().map(|draft| &draft.operation),
        "exact": landing.exact.as_ref().map(|exact| {
            let index = |index: &Index| hex(&index.encode(false, None).unwrap());
            json!({
                "before": index(&exact.index_before),
                "after": index(&exact.index_after),
                "clean": exact.clean,
                "folders": exact.folders,
                "sides": exact.sides,
            })
        }),
    });
    serde_json::to_vec(&value).unwrap()
}

/// The deed of these bytes.
pub(super) fn decode(bytes: &[u8]) -> Deed {
    let value: Value = serde_json::from_slice(bytes).unwrap();
    match &value["revert"] {
        _ if value == "undo" => Deed::Undo,
        _ if value == "restore" => Deed::Restore,
        _ if value == "bring-back" => Deed::BringBack,
        _ if value.as_str().is_some_and(|name| name.starts_with("sequence-")) => {
            let known = Move::ALL.into_iter().find(|(name, _)| value == *name);
            Deed::Sequence(known.unwrap().1)
        }
        Value::String(revision) => Deed::Revert(revision.clone().leak()),
        _ => Deed::Land(Box::new(decode_landing(&value))),
    }
}

fn decode_landing(value: &Value) -> Landing {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let unhex = |hex: &str| {
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect::<Vec<_>>()
    };
    let objects = value["objects"].as_array().unwrap().iter().map(|object| {
        let kind = Kind::from_bytes(text(&object["kind"]).as_bytes()).unwrap();
        (id(&text(&object["id"])), kind, unhex(&text(&object["bytes"])))
    });
    let reference = &value["reference"];
    Landing {
        objects: objects.collect(),
        reference: (!reference.is_null()).then(|| RefUpdate {
            name: text(&reference["name"]).into(),
            old: serde_json::from_value(reference["old"].clone()).unwrap(),
            new: serde_json::from_value(reference["new"].clone()).unwrap(),
            reflog: text(&reference["reflog"]).into(),
            committer: committer(),
        }),
        checkout: value["checkout"].as_bool().unwrap(),
        state_files: serde_json::from_value(value["state_files"].clone()).unwrap(),
        index_stages: serde_json::from_value::<Vec<Conflict>>(value["index_stages"].clone()).unwrap(),
        log: serde_json::from_value::<Option<LoggedOperation>>(value["log"].clone())
            .unwrap()
            .map(|operation| LogDraft::new(operation, b"{}\n".to_vec())),
        exact: (!value["exact"].is_null()).then(|| {
            let index = |bytes: &Value| {
                Index::decode_as_written(
                    &unhex(&text(bytes)),
                    gix::hash::Kind::Sha1,
                    (0, 0),
                    Path::new("index"),
                )
                .unwrap()
            };
            let exact = &value["exact"];
            Exact {
                index_before: index(&exact["before"]),
                index_after: index(&exact["after"]),
                clean: serde_json::from_value(exact["clean"].clone()).unwrap(),
                folders: serde_json::from_value(exact["folders"].clone()).unwrap(),
                sides: serde_json::from_value(exact["sides"].clone()).unwrap(),
            }
        }),
        ..Landing::of_trees(TreeId(id(&text(&value["head_tree"]))), TreeId(id(&text(&value["result_tree"]))))
    }
}
