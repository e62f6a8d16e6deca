//! Everything that can be said about a repository, so that a test can compare whole states.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::Sandbox;

/// A part of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// References and where they point, `HEAD` among them.
    Refs,
    /// The reflogs.
    Reflogs,
    /// The entries of the index: mode, id, stage.
    Index,
    /// The flags of the entries: skip-worktree, assume-unchanged.
    Flags,
    /// `git status`, ignored and untracked files included.
    Status,
    /// The files of the work tree: kind, mode and bytes; where a link points.
    Files,
    /// When the files were last modified.
    Times,
    /// The files of the object database.
    Objects,
    /// The other files of the git directory: configuration, `MERGE_MSG`, the index's bytes. Not `.git/rb`.
    GitFiles,
}

/// The state of a repository at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State(BTreeMap<(Part, String), String>);

impl State {
    /// Takes down everything. Writes nothing: `git status` runs without its optional locks.
    pub fn of(repo: &Sandbox) -> Self {
        let mut state = Self(BTreeMap::new());
        state.add_refs(repo);
        state.add_index(repo);
        let git_dir = repo.path().join(repo.git(&["rev-parse", "--git-common-dir"]));
        state.add_git_dir(&git_dir, &git_dir);
        if git_dir.join("reftable").is_dir() {
            state.add_stored_logs(repo);
        }
        if repo.git(&["rev-parse", "--is-bare-repository"]) == "false" {
            state.add_status(repo);
            state.add_files(repo.path(), repo.path());
        }
        state
    }

    /// Only these parts: twins, for instance, never agree in all.
    pub fn only(&self, parts: &[Part]) -> Self {
        let kept = self.0.iter().filter(|((part, _), _)| parts.contains(part));
        Self(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    /// All but these parts.
    pub fn without(&self, parts: &[Part]) -> Self {
        let kept = self.0.iter().filter(|((part, _), _)| !parts.contains(part));
        Self(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    /// What is else in `after`, one line a fact; empty where both are the same.
    pub fn diff(&self, after: &Self) -> String {
        let mut out = String::new();
        let keys: std::collections::BTreeSet<_> = self.0.keys().chain(after.0.keys()).collect();
        for key in keys {
            let (old, new) = (self.0.get(key), after.0.get(key));
            if old != new {
                let shown = |value: Option<&String>| value.map_or("(none)".into(), |value| excerpt(value));
                let (part, name) = key;
                writeln!(out, "{part:?} {name}\n  - {}\n  + {}", shown(old), shown(new))
                    .expect("a string takes everything");
            }
        }
        out
    }

    /// Panics where the repository is not in this state any more, and says what is else.
    #[track_caller]
    pub fn assert_unchanged(&self, repo: &Sandbox) {
        self.assert_same(&Self::of(repo));
    }

    /// Panics where the other state is not the same, and says what is else.
    #[track_caller]
    pub fn assert_same(&self, other: &Self) {
        let diff = self.diff(other);
        assert!(diff.is_empty(), "the states differ:\n{diff}");
    }

    fn add(&mut self, part: Part, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert((part, name.into()), value.into());
    }

    fn add_refs(&mut self, repo: &Sandbox) {
        let head = repo.try_git(&["symbolic-ref", "-q", "HEAD"]);
        let head = if head.status.success() { head } else { repo.try_git(&["rev-parse", "HEAD"]) };
        self.add(Part::Refs, "HEAD", escaped(&head.stdout));
        let refs = repo.git(&["for-each-ref", "--format=%(refname) %(objectname) %(symref)"]);
        for row in refs.lines() {
            let (name, value) = row.split_once(' ').expect("a name and an id");
            self.add(Part::Refs, name, value);
        }
    }

    /// The logs of references that are stored in tables, a text each.
    fn add_stored_logs(&mut self, repo: &Sandbox) {
        for name in repo.git(&["reflog", "list"]).lines() {
            let format = "--format=%H %gn <%ge> %gD %gs";
            let log = repo.try_git(&["log", "-g", "--date=raw", format, name, "--"]);
            self.add(Part::Reflogs, format!("logs/{name}"), escaped(&log.stdout));
        }
    }

    fn add_index(&mut self, repo: &Sandbox) {
        if repo.git(&["rev-parse", "--is-bare-repository"]) == "true" {
            return;
        }
        for row in rows(&repo.git_bytes(&["ls-files", "-s", "-z"])) {
            let tab = row.iter().position(|byte| *byte == b'\t').expect("a tab before the path");
            let (entry, path) = (&row[..tab], &row[tab + 1..]);
            let stage = entry.last().copied().map(char::from).expect("a stage");
            self.add(Part::Index, format!("{} {stage}", escaped(path)), escaped(entry));
        }
        for row in rows(&repo.git_bytes(&["ls-files", "-v", "-z"])) {
            self.add(Part::Flags, escaped(&row[2..]), escaped(&row[..1]));
        }
    }

    fn add_status(&mut self, repo: &Sandbox) {
        let args =
            ["--no-optional-locks", "status", "--porcelain", "-z", "--ignored", "--untracked-files=all"];
        for row in rows(&repo.git_bytes(&args)) {
            self.add(Part::Status, escaped(row), "");
        }
    }

    fn add_git_dir(&mut self, root: &Path, folder: &Path) {
        for path in children(folder) {
            let name = relative(root, &path);
            if name == "rb" || name == "reftable" {
                continue;
            }
            if path.is_dir() && !path.is_symlink() {
                self.add_git_dir(root, &path);
            } else if name.starts_with("objects/") {
                self.add(Part::Objects, name, "");
            } else if name.starts_with("logs/") {
                self.add(Part::Reflogs, name, escaped(&fs::read(&path).expect("a readable reflog")));
            } else if !name.starts_with("refs/") && name != "HEAD" && name != "packed-refs" {
                self.add(Part::GitFiles, name, escaped(&fs::read(&path).expect("a readable file")));
            }
        }
    }

    fn add_files(&mut self, root: &Path, folder: &Path) {
        for path in children(folder) {
            let name = relative(root, &path);
            if name == ".git" {
                continue;
            }
            let meta = path.symlink_metadata().expect("it exists");
            if meta.is_dir() {
                // An empty folder is a fact too: git leaves none behind.
                self.add(Part::Files, format!("{name}/"), "");
                self.add_files(root, &path);
                continue;
            }
            let content = if meta.is_symlink() {
                format!("link to {}", fs::read_link(&path).expect("a readable link").display())
            } else {
                format!("{} {}", mode(&meta), escaped(&fs::read(&path).expect("a readable file")))
            };
            let modified = meta.modified().expect("a time").duration_since(UNIX_EPOCH).unwrap_or_default();
            self.add(Part::Files, &name, content);
            self.add(Part::Times, name, format!("{modified:?}"));
        }
    }
}

#[cfg(unix)]
fn mode(meta: &fs::Metadata) -> String {
    use std::os::unix::fs::PermissionsExt;
    format!("{:o}", meta.permissions().mode())
}

#[cfg(not(unix))]
fn mode(meta: &fs::Metadata) -> String {
    format!("readonly={}", meta.permissions().readonly())
}

fn children(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .expect("a readable folder")
        .map(|row| row.expect("a readable row").path())
        .collect();
    found.sort();
    found
}

fn relative(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).expect("it lies below the root");
    escaped(path.as_os_str().as_encoded_bytes()).replace("\\\\", "/")
}

fn rows(out: &[u8]) -> impl Iterator<Item = &[u8]> {
    out.split(|byte| *byte == 0).filter(|row| !row.is_empty())
}

fn escaped(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// As much of a value as helps to see what is wrong.
fn excerpt(value: &str) -> String {
    const SHOWN: usize = 400;
    if value.len() <= SHOWN {
        value.to_owned()
    } else {
        format!("{}… ({} bytes)", &value[..SHOWN], value.len())
    }
}
