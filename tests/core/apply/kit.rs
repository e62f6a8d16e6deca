//! A repository and its twin: git reverts in the twin, the apply room lands the same result in the other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gix::objs::Kind;

use crate::apply::land::Landed;
use crate::apply::{LandOptions, Landing, RefUpdate, land};
use crate::conflict::{Conflict, ConflictKind, Stages};
use crate::id::{CommitId, Entry, EntryMode, ObjectId, TreeId};
use crate::path::RepoPath;
use crate::repo::{NewObjects, Repo, Signature};
use crate::{Error, Result};

pub(crate) const NAME: &str = "C O Mitter";
pub(crate) const EMAIL: &str = "committer@example.com";
pub(crate) const DATE: &str = "1700000000 +0100";

thread_local! {
    static WITH_TABLES: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Does something; the repositories that it makes store their references in tables.
pub(crate) fn with_tables<T>(work: impl FnOnce() -> T) -> T {
    let before = WITH_TABLES.replace(true);
    let done = work();
    WITH_TABLES.set(before);
    done
}

/// How repositories store references: as [`with_tables`] says, or the environment.
fn ref_format() -> Option<String> {
    WITH_TABLES.get().then(|| "reftable".to_owned()).or_else(test_kit::ref_format)
}

/// A work tree in a temporary folder.
pub(crate) struct Sandbox {
    _folder: tempfile::TempDir,
    /// What a copy copies.
    base: PathBuf,
    /// The work tree: the base, or a linked work tree in it.
    pub(crate) root: PathBuf,
}

impl Sandbox {
    /// An empty repository on branch `main`.
    pub(crate) fn new() -> Self {
        Self::with_format("sha1")
    }

    pub(crate) fn with_format(format: &str) -> Self {
        let sandbox = Self::empty();
        let format = format!("--object-format={format}");
        sandbox.git(&["init", "-q", "-b", "main", "--template=", &format, "."]);
        fs::create_dir_all(sandbox.path(".git/info")).unwrap();
        sandbox
    }

    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap().join("work");
        fs::create_dir(&base).unwrap();
        Self { _folder: folder, root: base.clone(), base }
    }

    /// A copy of everything, with all times.
    pub(crate) fn twin(&self) -> Self {
        let twin = Self::empty();
        self.copy_into(twin)
    }

    /// As `twin`, in a new folder.
    pub(crate) fn twin_in(&self, base: &Path) -> Self {
        fs::create_dir(base).unwrap();
        let base = base.canonicalize().unwrap();
        self.copy_into(Self { _folder: tempfile::tempdir().unwrap(), root: base.clone(), base })
    }

    fn copy_into(&self, mut twin: Self) -> Self {
        let all = format!("{}/.", self.base.display());
        assert!(Command::new("cp").args(["-a", &all]).arg(&twin.base).status().unwrap().success());
        twin.root = twin.base.join(self.root.strip_prefix(&self.base).unwrap());
        // The copies are other inodes; without this, stat data would differ in all of them.
        let _ = twin.try_git(&["update-index", "-q", "--really-refresh"]);
        twin
    }

    /// The linked work tree of that name inside this one, joined by relative paths so that it can be copied.
    pub(crate) fn into_linked(mut self, name: &str) -> Self {
        self.root = self.base.join(name);
        fs::write(self.root.join(".git"), format!("gitdir: ../.git/worktrees/{name}\n")).unwrap();
        let back = self.base.join(".git/worktrees").join(name).join("gitdir");
        fs::write(back, format!("../../../{name}/.git\n")).unwrap();
        self
    }

    /// Removes every file of the work tree.
    pub(crate) fn clear_work_tree(&self) {
        for row in fs::read_dir(&self.root).unwrap() {
            let path = row.unwrap().path();
            match path.file_name().unwrap() == ".git" {
                true => {}
                false if path.is_dir() => fs::remove_dir_all(path).unwrap(),
                false => fs::remove_file(path).unwrap(),
            }
        }
    }

    /// Another repository beside this one.
    pub(crate) fn sibling(&self, name: &str) -> Self {
        let root = self.root.parent().unwrap().join(name);
        Self { _folder: tempfile::tempdir().unwrap(), base: root.clone(), root }
    }

    /// Writes the index without its cached trees.
    pub(crate) fn remove_cached_trees(&self) {
        let file = self.repo().read_index().unwrap();
        let mut index = file.index;
        index.forget_trees();
        fs::write(file.path, index.encode(false, None).unwrap()).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(args).current_dir(&self.root).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let format = ref_format();
        command.envs(format.map(|format| ("GIT_DEFAULT_REF_FORMAT", format)));
        for (key, value) in [
            ("HOME", "/nonexistent"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", NAME),
            ("GIT_AUTHOR_EMAIL", EMAIL),
            ("GIT_AUTHOR_DATE", DATE),
            ("GIT_COMMITTER_NAME", NAME),
            ("GIT_COMMITTER_EMAIL", EMAIL),
            ("GIT_COMMITTER_DATE", DATE),
            ("LC_ALL", "C"),
        ] {
            command.env(key, value);
        }
        command
    }

    pub(crate) fn try_git(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs git, which must succeed, and returns what it printed.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let output = self.try_git(args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {stderr}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    pub(crate) fn git_bytes(&self, args: &[&str]) -> Vec<u8> {
        let output = self.try_git(args);
        assert!(output.status.success(), "git {args:?}");
        output.stdout
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn remove(&self, name: &str) -> &Self {
        fs::remove_file(self.path(name)).unwrap();
        self
    }

    pub(crate) fn link(&self, target: &str, name: &str) -> &Self {
        std::os::unix::fs::symlink(target, self.path(name)).unwrap();
        self
    }

    pub(crate) fn chmod(&self, name: &str, mode: u32) -> &Self {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    /// Commits everything in the work tree.
    pub(crate) fn commit(&self, subject: &str) -> &Self {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", subject]);
        self
    }

    pub(crate) fn repo(&self) -> Repo {
        Repo::discover(&self.root).unwrap()
    }

    /// All that git and the file system say of the work tree, less what differs between two copies.
    pub(crate) fn state(&self) -> State {
        let _ = self.try_git(&["update-index", "-q", "--refresh"]);
        let say = |args: &[&str]| {
            let output = self.try_git(args);
            format!("{}{}", String::from_utf8_lossy(&output.stdout), output.status)
        };
        State {
            index: say(&["ls-files", "-s", "-z", "-t", "-v"]),
            status: say(&["status", "--porcelain=v1", "--untracked-files=all"]),
            staged: say(&["diff-index", "--cached", "HEAD"]),
            fsck: say(&["fsck", "--strict", "--no-dangling"]),
            head: self.git(&["rev-parse", "HEAD"]),
            symbolic_head: say(&["symbolic-ref", "-q", "HEAD"]),
            refs: self.git(&["for-each-ref"]),
            head_log: self.log("HEAD"),
            files: self.files(),
        }
    }

    /// Whether references are stored in tables here.
    pub(crate) fn has_tables(&self) -> bool {
        self.git_dir().join("reftable").is_dir()
    }

    /// The log of a reference: its file, or what git says of it where it is stored in a table.
    pub(crate) fn log(&self, name: &str) -> String {
        if self.has_tables() {
            let format = "--format=%H %gn <%ge> %gD %gs";
            let out = self.try_git(&["log", "-g", "--date=raw", format, name, "--"]);
            return String::from_utf8_lossy(&out.stdout).into_owned();
        }
        let common = || self.git(&["rev-parse", "--path-format=absolute", "--git-common-dir"]).into();
        let base = if name == "HEAD" { self.git_dir() } else { common() };
        fs::read_to_string(base.join("logs").join(name)).unwrap_or_default()
    }

    /// A file of git's state, or the reference that it is where references are stored in tables.
    pub(crate) fn state_file(&self, name: &str) -> Option<Vec<u8>> {
        let is_reference = ["AUTO_MERGE", "REVERT_HEAD", "CHERRY_PICK_HEAD", "ORIG_HEAD"].contains(&name);
        if !is_reference || !self.has_tables() {
            return fs::read(self.git_dir().join(name)).ok();
        }
        let out = self.try_git(&["rev-parse", "-q", "--verify", name]);
        out.status.success().then_some(out.stdout)
    }

    pub(crate) fn git_dir(&self) -> PathBuf {
        PathBuf::from(self.git(&["rev-parse", "--absolute-git-dir"]))
    }

    /// Every file of the work tree with its mode and bytes.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let mut files = BTreeMap::new();
        collect(&self.root, &self.root, &mut files);
        files
    }

    /// Inode and modification time of every file.
    pub(crate) fn inodes(&self) -> BTreeMap<PathBuf, (u64, i64, i64)> {
        let inode = |path: &PathBuf| {
            let metadata = fs::symlink_metadata(self.root.join(path)).unwrap();
            (metadata.ino(), metadata.mtime(), metadata.mtime_nsec())
        };
        self.files().into_keys().map(|path| (path.clone(), inode(&path))).collect()
    }

    /// When every file was modified, folders aside.
    pub(crate) fn times(&self) -> BTreeMap<PathBuf, (i64, i64)> {
        let inodes = self.inodes().into_iter().filter(|(path, _)| !self.root.join(path).is_dir());
        inodes.map(|(path, (_, seconds, nanos))| (path, (seconds, nanos))).collect()
    }

    /// Everything in the git directory but `rb/`, byte for byte. Of tables only the locks count: what they say is in the
    /// state, and says the same in other tables.
    pub(crate) fn git_dir_bytes(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let mut files = BTreeMap::new();
        let git_dir = self.git_dir();
        collect(&git_dir, &git_dir, &mut files);
        let is_lock = |path: &Path| path.extension().is_some_and(|end| end == "lock");
        files.retain(|path, _| !path.starts_with("rb") && (!path.starts_with("reftable") || is_lock(path)));
        files
    }

    /// What nothing may leave, in the git directory and the one that work trees share: locks, tables that no list names,
    /// and what was staged for one.
    pub(crate) fn leftovers(&self) -> Vec<PathBuf> {
        let common = self.git(&["rev-parse", "--path-format=absolute", "--git-common-dir"]);
        let mut found = Vec::new();
        for git_dir in BTreeSet::from([self.git_dir(), PathBuf::from(common)]) {
            let mut files = BTreeMap::new();
            collect(&git_dir, &git_dir, &mut files);
            let list = files.get(Path::new("reftable/tables.list"));
            let list = String::from_utf8(list.map(|(_, list)| list.clone()).unwrap_or_default()).unwrap();
            let is_left = |path: &Path| {
                let ends_with = |end: &str| path.extension().is_some_and(|found| found == end);
                let is_listed = || list.lines().any(|name| path.ends_with(name));
                match path.parent().unwrap() {
                    folder if folder.ends_with("rb/tables") => {
                        !["lock", "payload"].map(|name| path.ends_with(name)).contains(&true)
                    }
                    folder if folder == Path::new("reftable") => {
                        ends_with("lock") || ends_with("ref") && !is_listed()
                    }
                    _ => ends_with("lock") && !path.starts_with("rb"),
                }
            };
            found.extend(files.into_keys().filter(|path| is_left(path)).map(|path| git_dir.join(path)));
        }
        found
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) index: String,
    pub(crate) status: String,
    pub(crate) staged: String,
    pub(crate) fsck: String,
    pub(crate) head: String,
    pub(crate) symbolic_head: String,
    pub(crate) refs: String,
    pub(crate) head_log: String,
    pub(crate) files: BTreeMap<PathBuf, (u32, Vec<u8>)>,
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<PathBuf, (u32, Vec<u8>)>) {
    for row in fs::read_dir(folder).unwrap() {
        let path = row.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let relative = path.strip_prefix(root).unwrap().to_owned();
        if relative == Path::new(".git") {
            continue;
        }
        if metadata.is_dir() {
            files.insert(relative.join(""), (metadata.mode(), Vec::new()));
            collect(root, &path, files);
        } else if metadata.is_symlink() {
            let target = fs::read_link(&path).unwrap();
            files.insert(relative, (metadata.mode(), target.into_os_string().into_encoded_bytes()));
        } else {
            files.insert(relative, (metadata.mode(), fs::read(&path).unwrap()));
        }
    }
}

pub(crate) fn id(hex: &str) -> ObjectId {
    hex.parse().unwrap()
}

pub(crate) fn committer() -> Signature {
    Signature { name: NAME.into(), email: EMAIL.into(), seconds: 1_700_000_000, time: DATE.into() }
}

/// The objects that `from` has and the commits `not` do not reach.
pub(crate) fn objects_between(sandbox: &Sandbox, from: &str, not: &str) -> NewObjects {
    let listed = sandbox.git(&["rev-list", "--objects", "--no-object-names", from, "--not", not]);
    listed
        .lines()
        .map(|hex| {
            let kind = match sandbox.git(&["cat-file", "-t", hex]).as_str() {
                "blob" => Kind::Blob,
                "tree" => Kind::Tree,
                "commit" => Kind::Commit,
                other => panic!("a {other}"),
            };
            (id(hex), kind, sandbox.git_bytes(&["cat-file", &kind.to_string(), hex]))
        })
        .collect()
}

/// The objects of a tree, all of them.
pub(crate) fn objects_between_trees(sandbox: &Sandbox, tree: &str) -> NewObjects {
    let mut objects = Vec::new();
    let mut listed = vec![sandbox.git(&["rev-parse", tree])];
    for row in sandbox.git(&["ls-tree", "-r", "-t", "--format=%(objectname)", tree]).lines() {
        listed.push(row.to_owned());
    }
    for hex in listed {
        let kind = if sandbox.git(&["cat-file", "-t", &hex]) == "tree" { Kind::Tree } else { Kind::Blob };
        objects.push((id(&hex), kind, sandbox.git_bytes(&["cat-file", &kind.to_string(), &hex])));
    }
    objects
}

/// The stages that git left, by path.
pub(crate) fn unmerged(sandbox: &Sandbox) -> Vec<Conflict> {
    let mut conflicts: Vec<Conflict> = Vec::new();
    for row in sandbox.git(&["ls-files", "-u"]).lines() {
        let (head, path) = row.split_once('\t').unwrap();
        let [mode, object, stage] = head.split(' ').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let entry = Entry {
            mode: EntryMode::from_bits(u16::from_str_radix(&mode[1..], 8).unwrap() | 0o100_000),
            id: id(object),
        };
        if conflicts.last().is_none_or(|last| last.path != RepoPath::from(path)) {
            conflicts.push(Conflict::new(path.into(), ConflictKind::Content, Stages::default()));
        }
        let stages = &mut conflicts.last_mut().unwrap().stages;
        *[&mut stages.base, &mut stages.ours, &mut stages.theirs][stage.parse::<usize>().unwrap() - 1] =
            Some(entry);
    }
    conflicts
}

/// The landing that does to `sandbox` what was done to HEAD of its twin.
pub(crate) fn landing_like(sandbox: &Sandbox, twin: &Sandbox) -> Landing {
    let old = sandbox.git(&["rev-parse", "HEAD"]);
    let new = twin.git(&["rev-parse", "HEAD"]);
    let tree = |sandbox: &Sandbox, commit: &str| {
        TreeId(id(&sandbox.git(&["rev-parse", &format!("{commit}^{{tree}}")])))
    };
    let detached = !sandbox.try_git(&["symbolic-ref", "-q", "HEAD"]).status.success();
    let name = if detached { "HEAD".to_owned() } else { sandbox.git(&["symbolic-ref", "HEAD"]) };
    Landing {
        objects: objects_between(twin, &new, &old),
        reference: Some(RefUpdate {
            name: name.into(),
            old: Some(CommitId(id(&old))),
            new: Some(CommitId(id(&new))),
            reflog: twin.git(&["log", "-g", "-1", "--format=%gs"]).into(),
            committer: committer(),
        }),
        checkout: true,
        ..Landing::of_trees(tree(sandbox, &old), tree(twin, &new))
    }
}

/// Reverts `HEAD` in a twin with git and lands the same here.
pub(crate) struct Reverted {
    pub(crate) twin: Sandbox,
    pub(crate) result: Result<Landed>,
}

pub(crate) fn revert_both(sandbox: &Sandbox) -> Reverted {
    revert_both_with(sandbox, &["revert", "--no-edit", "HEAD"])
}

pub(crate) fn revert_both_with(sandbox: &Sandbox, command: &[&str]) -> Reverted {
    let twin = sandbox.twin();
    twin.git(command);
    let result = land(&sandbox.repo(), &landing_like(sandbox, &twin), &LandOptions::default());
    Reverted { twin, result }
}

/// Lands what `git revert HEAD` makes, and compares everything.
pub(crate) fn assert_lands_like_git(sandbox: &Sandbox) {
    let Reverted { twin, result } = revert_both(sandbox);
    let landed = result.unwrap();
    assert!(landed.later_failure.is_none(), "{:?}", landed.later_failure);
    assert_same(sandbox, &twin);
    assert_nothing_left(sandbox);
}

pub(crate) fn assert_same(sandbox: &Sandbox, twin: &Sandbox) {
    let (ours, gits) = (sandbox.state(), twin.state());
    assert_eq!(ours.files.keys().collect::<Vec<_>>(), gits.files.keys().collect::<Vec<_>>(), "files");
    assert_eq!(ours, gits);
    for branch in sandbox.git(&["for-each-ref", "--format=%(refname)", "refs/heads"]).lines() {
        assert_eq!(sandbox.log(branch), twin.log(branch), "{branch}");
    }
}

pub(crate) fn assert_nothing_left(sandbox: &Sandbox) {
    let git_dir = sandbox.git_dir();
    assert!(!git_dir.join("rb/landing").exists(), "the stage is gone");
    assert_eq!(sandbox.leftovers(), Vec::<PathBuf>::new());
}

/// The landing is refused, and nothing but `rb/` differs afterwards.
pub(crate) fn assert_refused(sandbox: &Sandbox, landing: &Landing) -> Error {
    let before = (sandbox.git_dir_bytes(), sandbox.files(), sandbox.inodes());
    let error = land(&sandbox.repo(), landing, &LandOptions::default()).expect_err("the landing is refused");
    assert_eq!((sandbox.git_dir_bytes(), sandbox.files(), sandbox.inodes()), before, "after {error}");
    assert!(!sandbox.git_dir().join("rb/landing").exists());
    error
}
