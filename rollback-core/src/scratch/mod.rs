//! The scratch work tree: a candidate's files in a folder of their own, to be edited and checked before it lands.
//!
//! The folder holds files, links and modes of the tree as a checkout would: line endings, `$Id$`, encodings and filters
//! as the candidate's attributes say, without a `.git`. What is changed in it comes back as edits of the tree, as git
//! would store them by the attributes that stand in the folder then; the real work tree is never touched.

mod checkout;
mod place;

pub use place::{Place, sweep};

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use self::checkout::{Writer, in_parallel, link_to, parents_of, write_files};
use self::place::Held;
use crate::apply::content::{Content, raw_id};
use crate::apply::{check_entry, read_below};
use crate::bounded;
use crate::error::{Error, PathError, Result, WorkTreeError};
use crate::history::paths_between;
use crate::id::{CommitId, Entry, EntryKind, EntryMode, TreeId};
use crate::listing;
use crate::path::{RepoPath, name_fits};
use crate::plan::{Plan, TreeEdit};
use crate::progress::Stage;
use crate::repo::index::IndexEntry;
use crate::repo::{NewObjects, Objects, Repo};

/// A candidate's files in a folder of their own. Dropping it removes the folder unless it was kept.
pub struct Scratch {
    folder: Folder,
    objects: Objects,
    /// The candidate as it was before anybody edited the folder.
    base: BTreeMap<RepoPath, Entry>,
    /// Paths that were linked in and are no part of the candidate.
    linked: RefCell<BTreeSet<RepoPath>>,
}

enum Folder {
    /// It goes with this process.
    Temporary(Held),
    /// The place of a run: it stays until the run has no use for it.
    Placed(PathBuf),
}

impl Scratch {
    /// The result of a plan, or the tip it is based on where nothing of it is chosen.
    ///
    /// # Writes
    /// A new folder below the system's folder for temporary files.
    ///
    /// # Errors
    /// [`PathError::Hostile`] for a tree that would write elsewhere; [`Error::Io`].
    pub fn of_plan(repo: &Repo, plan: &Plan) -> Result<Self> {
        Self::check_out(repo, Some(plan), result_or(repo, Some(plan), plan.tip.commit_id)?)
    }

    /// The result of a plan, or the files of `tip` without one, in the place of a run. What lies there already and is the
    /// same stays; everything else goes.
    ///
    /// # Writes
    /// The place of the run.
    ///
    /// # Errors
    /// As [`Scratch::of_plan`].
    pub fn at(repo: &Repo, plan: Option<&Plan>, tip: CommitId, place: &Place) -> Result<Self> {
        let view = view_of(repo, plan);
        let objects = view()?;
        let base = files_of(&objects, result_or(repo, plan, tip)?)?;
        place.make()?;
        let folder = Folder::Placed(place.files());
        let scratch = Self { folder, objects, base, linked: RefCell::default() };
        scratch.become_base(&view)?;
        Ok(scratch)
    }

    /// Removes what is no part of the candidate or is not as it should be, and writes what is missing.
    fn become_base(&self, view: View<'_>) -> Result<()> {
        let (folder, base) = (self.folder(), &self.base);
        let mut present = BTreeSet::new();
        self.walk(&RepoPath::default(), &|_| true, &mut present)?;
        let present: Vec<_> = present.into_iter().collect();
        let same = in_parallel(&present, &|share: &[RepoPath]| {
            let objects = view()?;
            let mut content = Content::of_tree(&objects, base, folder)?;
            let mut same = Vec::new();
            for path in share {
                match base.get(path) {
                    Some(entry) if holds(&objects, &mut content, folder, path, *entry) => same.push(path),
                    _ => remove(folder, path)?,
                }
            }
            Ok(same)
        })?;
        let same: HashSet<_> = same.into_iter().flatten().collect();
        remove_empty_folders(folder)?;
        let missing: Vec<_> = base.keys().filter(|path| !same.contains(path)).collect();
        let count = self.objects.count(Stage::Checkout, Some(missing.len()));
        write_files(view, base, folder, &missing, &count)
    }

    /// The files after one of the commits that a plan would make, counted from 0.
    ///
    /// # Writes
    /// As [`Scratch::of_plan`].
    ///
    /// # Errors
    /// As [`Scratch::of_plan`]; [`Error::BadRequest`] where there is no such commit.
    pub fn of_step(repo: &Repo, plan: &Plan, at: usize) -> Result<Self> {
        let step = plan.chosen_attempt().and_then(|attempt| attempt.steps.get(at));
        let tree = step
            .map(|step| step.tree_id)
            .ok_or_else(|| Error::BadRequest(format!("there is no step {at}")))?;
        Self::check_out(repo, Some(plan), tree)
    }

    /// The files of a commit.
    ///
    /// # Writes
    /// As [`Scratch::of_plan`].
    ///
    /// # Errors
    /// As [`Scratch::of_plan`].
    pub fn of_commit(repo: &Repo, commit: CommitId) -> Result<Self> {
        Self::check_out(repo, None, repo.tree_of_commit(commit)?)
    }

    /// The files of the index, as they would be committed.
    ///
    /// # Writes
    /// As [`Scratch::of_plan`].
    ///
    /// # Errors
    /// [`WorkTreeError::Unmerged`](crate::error::WorkTreeError::Unmerged) for an index in conflict; as
    /// [`Scratch::of_plan`].
    pub fn of_index(repo: &Repo) -> Result<Self> {
        let index = repo.read_index()?.index;
        let unmerged = index.unmerged();
        if !unmerged.is_empty() {
            return Err(WorkTreeError::Unmerged { paths: unmerged }.into());
        }
        let entry = |entry: &IndexEntry| (RepoPath::new(entry.path.as_slice()), entry.entry());
        Self::write_out(repo, &view_of(repo, None), index.entries().iter().map(entry).collect())
    }

    /// The files of a tree, of which `made` are the objects that the repository does not have.
    ///
    /// # Writes
    /// As [`Scratch::of_plan`].
    ///
    /// # Errors
    /// As [`Scratch::of_plan`].
    pub(crate) fn of_tree(repo: &Repo, tree: TreeId, made: &NewObjects) -> Result<Self> {
        let view = view_with(repo, made);
        let base = files_of(&view()?, tree)?;
        Self::write_out(repo, &view, base)
    }

    /// Makes the folder hold the files of another tree: what is the same stays, and what programs left there goes. Links
    /// that were brought in stay.
    ///
    /// # Writes
    /// The folder.
    ///
    /// # Errors
    /// As [`Scratch::of_tree`].
    pub(crate) fn switch_to(&mut self, repo: &Repo, tree: TreeId, made: &NewObjects) -> Result<()> {
        let view = view_with(repo, made);
        self.objects = view()?;
        self.base = files_of(&self.objects, tree)?;
        repo.fetch_lacking(&self.objects, self.base.values().copied())?;
        self.become_base(&view)
    }

    /// The place of a run with whatever was done in it since; `plan` is what it was made of.
    ///
    /// # Errors
    /// [`Error::Io`] where it is gone.
    pub fn reopen(repo: &Repo, plan: Option<&Plan>, tip: CommitId, place: &Place) -> Result<Self> {
        if !place.is_there() {
            return Err(Error::io("read", place.files(), ErrorKind::NotFound.into()));
        }
        let objects = view_of(repo, plan)()?;
        let base = files_of(&objects, result_or(repo, plan, tip)?)?;
        let folder = Folder::Placed(place.files());
        Ok(Self { folder, objects, base, linked: RefCell::default() })
    }

    fn check_out(repo: &Repo, plan: Option<&Plan>, tree: TreeId) -> Result<Self> {
        let view = view_of(repo, plan);
        let base = files_of(&view()?, tree)?;
        Self::write_out(repo, &view, base)
    }

    fn write_out(repo: &Repo, view: View<'_>, base: BTreeMap<RepoPath, Entry>) -> Result<Self> {
        let objects = view()?;
        repo.fetch_lacking(&objects, base.values().copied())?;
        let held = Held::new(repo)?;
        let count = objects.count(Stage::Checkout, Some(base.len()));
        write_files(view, &base, held.files(), &base.keys().collect::<Vec<_>>(), &count)?;
        Ok(Self { folder: Folder::Temporary(held), objects, base, linked: RefCell::default() })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        match &self.folder {
            Folder::Temporary(held) => held.files(),
            Folder::Placed(folder) => folder,
        }
    }

    /// Brings a path of the real work tree in, as a link. A path that is not there is left out.
    ///
    /// # Errors
    /// [`Error::Io`]; [`PathError::Hostile`] where the candidate has a link or a file in the place of a folder.
    pub fn link(&self, work_dir: &Path, path: &RepoPath) -> Result<()> {
        let relative = relative(path)?;
        let (from, to) = (work_dir.join(&relative), self.folder().join(&relative));
        if fs::read_link(&to).is_ok_and(|target| target == from) {
            // A folder that was kept has its links.
            self.linked.borrow_mut().insert(path.clone());
            return Ok(());
        }
        if !from.exists() || fs::symlink_metadata(&to).is_ok() {
            return Ok(());
        }
        let to = parents_of(self.folder(), path)?;
        link_to(&from, &to).map_err(|error| Error::io("link", &to, error))?;
        self.linked.borrow_mut().insert(path.clone());
        Ok(())
    }

    /// Makes `paths` of the folder what they are in `commit`; with `exact`, what the commit does not have goes.
    ///
    /// # Errors
    /// [`Error::Io`] and what reading the commit can meet.
    pub fn restore(&self, commit: CommitId, paths: &[RepoPath], exact: bool) -> Result<()> {
        let source = files_of(&self.objects, self.objects.commit(commit)?.tree)?;
        let within = |path: &RepoPath| paths.iter().any(|outer| outer.contains(path));
        if exact {
            for path in self.present(paths)? {
                if !source.contains_key(&path) {
                    self.remove(&path)?;
                }
            }
        }
        // The files that say how the others are converted come first.
        let restored = source.iter().filter(|(path, _)| within(path));
        let (attributes, others): (Vec<_>, Vec<_>) =
            restored.partition(|(path, _)| path.file_name() == b".gitattributes");
        for rows in [attributes, others] {
            let content = Content::of_folder(&self.objects, self.folder())?;
            let mut writer = Writer::new(&self.objects, content, self.folder());
            for (path, entry) in rows {
                self.remove(path)?;
                writer.write(path, *entry)?;
            }
        }
        Ok(())
    }

    /// Removes a file of the folder; it need not be there.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn remove(&self, path: &RepoPath) -> Result<()> {
        remove(self.folder(), path)
    }

    /// The bytes of a file of the folder; `None` where there is none. A link is never read through.
    ///
    /// # Errors
    /// [`PathError::Hostile`] for a link, a device or a pipe; [`Error::Io`].
    pub fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>> {
        read(self.folder(), path)
    }

    /// Writes a file of the folder; the mode of one that is there stays. A link is replaced and never followed.
    ///
    /// # Errors
    /// [`PathError::Hostile`], [`Error::Io`].
    pub fn write(&self, path: &RepoPath, bytes: &[u8]) -> Result<()> {
        check_entry(path, Entry { mode: EntryMode::BLOB, id: self.objects.write_blob(bytes)? })?;
        let file = parents_of(self.folder(), path)?;
        if fs::symlink_metadata(&file).is_ok_and(|metadata| metadata.is_symlink()) {
            fs::remove_file(&file).map_err(|error| Error::io("remove", &file, error))?;
        }
        fs::write(&file, bytes).map_err(|error| Error::io("write", file, error))
    }

    /// The paths of the candidate and of the folder that lie within `paths` and match; `*` matches within a name.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn matching(&self, pattern: &str) -> Result<Vec<RepoPath>> {
        let pattern = RepoPath::from(pattern);
        let fits = |path: &RepoPath| {
            let (wanted, found): (Vec<_>, Vec<_>) =
                (pattern.components().collect(), path.components().collect());
            // A pattern that is a folder stands for all that lies in it.
            wanted.len() <= found.len()
                && wanted.iter().zip(&found).all(|(wanted, found)| name_fits(wanted, found))
        };
        Ok(self.present(&[RepoPath::default()])?.into_iter().filter(fits).collect())
    }

    /// What was changed in the folder at or below `within`: tracked files, and new ones there.
    ///
    /// # Errors
    /// [`Error::Io`]; [`LandingError::DriverNotTrusted`](crate::error::LandingError::DriverNotTrusted).
    pub fn edits(&self, within: &[RepoPath]) -> Result<Vec<TreeEdit>> {
        let mut edits = Vec::new();
        let concerned = |path: &RepoPath| within.iter().any(|outer| outer.contains(path));
        let mut seen = BTreeSet::new();
        let mut filters = Content::of_folder(&self.objects, self.folder())?;
        for path in self.present(within)? {
            let mut content = read_entry(self.folder(), &path)?;
            if content.0 != EntryMode::SYMLINK {
                let before = self.base.get(&path).map(|entry| entry.id);
                content.1 = filters.for_git(&path, &content.1, before)?;
            }
            let id = self.objects.write_blob(&content.1)?;
            let same =
                self.base.get(&path).is_some_and(|entry| entry.same_as(&Entry { mode: content.0, id }));
            if !same {
                edits.push(TreeEdit { path: path.clone(), content: Some(content) });
            }
            seen.insert(path);
        }
        for (path, entry) in &self.base {
            if concerned(path) && !seen.contains(path) && entry.mode.kind() != EntryKind::Submodule {
                edits.push(TreeEdit { path: path.clone(), content: None });
            }
        }
        Ok(edits)
    }

    /// The files and links of the folder within `paths`, without what was linked in.
    fn present(&self, paths: &[RepoPath]) -> Result<Vec<RepoPath>> {
        let mut found = BTreeSet::new();
        for path in paths {
            self.walk(path, &|name| name != b".git", &mut found)?;
        }
        Ok(found.into_iter().collect())
    }

    fn walk(
        &self,
        path: &RepoPath,
        enters: &dyn Fn(&[u8]) -> bool,
        found: &mut BTreeSet<RepoPath>,
    ) -> Result<()> {
        if self.linked.borrow().contains(path) {
            return Ok(());
        }
        let at = self.folder().join(relative(path)?);
        let Ok(metadata) = fs::symlink_metadata(&at) else { return Ok(()) };
        if !metadata.is_dir() {
            found.insert(path.clone());
            return Ok(());
        }
        for row in listing::rows(&at).map_err(|error| Error::io("read", &at, error))? {
            let name = <[u8]>::from_os_str(&row.file_name()).map(ToOwned::to_owned).unwrap_or_default();
            if enters(&name) {
                self.walk(&path.join(&name), enters, found)?;
            }
        }
        Ok(())
    }
}

/// Opens the object database, once for each thread.
type View<'a> = &'a (dyn Fn() -> Result<Objects> + Sync);

/// Opens the object database with objects that it does not have.
fn view_with<'a>(repo: &'a Repo, made: &'a NewObjects) -> impl Fn() -> Result<Objects> + Sync + use<'a> {
    move || {
        let objects = repo.objects();
        objects.insert_new(made)?;
        Ok(objects)
    }
}

/// Opens the object database with what the plan has in memory, once for each thread.
fn view_of(repo: &Repo, plan: Option<&Plan>) -> impl Fn() -> Result<Objects> + Sync {
    let prepared = plan.map(|plan| plan.prepared.clone());
    move || {
        let objects = repo.objects();
        if let Some(prepared) = &prepared {
            objects.insert_new(prepared.objects())?;
        }
        Ok(objects)
    }
}

/// The tree of a plan's result; that of `tip` where nothing of the plan is chosen.
fn result_or(repo: &Repo, plan: Option<&Plan>, tip: CommitId) -> Result<TreeId> {
    match plan.and_then(|plan| repo.result_tree(plan)) {
        Some(tree) => Ok(tree),
        None => repo.tree_of_commit(tip),
    }
}

fn files_of(objects: &Objects, tree: TreeId) -> Result<BTreeMap<RepoPath, Entry>> {
    let all = paths_between(objects, objects.empty_tree(), tree)?;
    Ok(all.into_iter().filter_map(|change| Some((change.path, change.after?))).collect())
}

fn relative(path: &RepoPath) -> Result<PathBuf> {
    path.to_relative_path().map(|path| path.into_owned()).ok_or_else(|| {
        PathError::Invalid { path: path.to_string(), why: "this system cannot spell it" }.into()
    })
}

/// Removes a file, or a folder with all that lies in it.
fn remove(folder: &Path, path: &RepoPath) -> Result<()> {
    let file = folder.join(relative(path)?);
    let removed = match fs::symlink_metadata(&file) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(&file),
        Ok(_) => fs::remove_file(&file),
        Err(_) => Ok(()),
    };
    removed.map_err(|error| Error::io("remove", &file, error))
}

fn read(folder: &Path, path: &RepoPath) -> Result<Option<Vec<u8>>> {
    match read_below(folder, path, bounded::CONTENT) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            Err(PathError::Hostile { path: path.clone(), why: "it is a link or no file, and is not read" }
                .into())
        }
        Err(error) => Err(Error::io("read", folder.join(relative(path)?), error)),
    }
}

fn read_entry(folder: &Path, path: &RepoPath) -> Result<(EntryMode, Vec<u8>)> {
    let file = folder.join(relative(path)?);
    let failed = |error| Error::io("read", &file, error);
    let metadata = fs::symlink_metadata(&file).map_err(failed)?;
    if metadata.is_symlink() {
        let target = fs::read_link(&file).map_err(failed)?;
        let bytes = <[u8]>::from_path(&target).map(ToOwned::to_owned).unwrap_or_default();
        return Ok((EntryMode::SYMLINK, bytes));
    }
    let mode = if is_executable(&metadata) { EntryMode::EXECUTABLE } else { EntryMode::BLOB };
    Ok((mode, read(folder, path)?.unwrap_or_default()))
}

/// Whether a file of the folder is, as git would store it, this entry. One that cannot be read is not.
fn holds(objects: &Objects, content: &mut Content<'_>, folder: &Path, path: &RepoPath, entry: Entry) -> bool {
    let mut same = || -> Result<bool> {
        let (mode, mut bytes) = read_entry(folder, path)?;
        if mode != EntryMode::SYMLINK {
            bytes = content.for_git(path, &bytes, Some(entry.id))?;
        }
        Ok(entry.same_as(&Entry { mode, id: raw_id(&bytes, objects.gix().object_hash())? }))
    };
    same().unwrap_or(false)
}

/// Removes the folders in which nothing lies any more.
fn remove_empty_folders(folder: &Path) -> Result<()> {
    for row in listing::rows(folder).map_err(|error| Error::io("read", folder, error))? {
        if row.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty_folders(&row.path())?;
            // One that is not empty stays.
            let _ = fs::remove_dir(row.path());
        }
    }
    Ok(())
}

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use test_kit::Sandbox;

    use super::*;
    use crate::error::LandingError;
    use crate::repo::Repo;

    fn open(sandbox: &Sandbox) -> (Repo, CommitId) {
        let repo = Repo::discover(sandbox.path()).expect("it is a repository");
        let head = repo.resolve_commit("HEAD").expect("it has a commit");
        (repo, head)
    }

    fn paths(edits: &[TreeEdit]) -> Vec<(String, bool)> {
        edits.iter().map(|edit| (edit.path.to_string(), edit.content.is_some())).collect()
    }

    #[test]
    fn files_modes_and_links_come_out_as_they_went_in() {
        let sandbox = Sandbox::new();
        sandbox.write("run.sh", "#!/bin/sh\n");
        let executable = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
        fs::set_permissions(sandbox.path().join("run.sh"), executable).unwrap();
        link_to(Path::new("run.sh"), &sandbox.path().join("link")).unwrap();
        sandbox.commit("all kinds", &[("deep/er/file", "x\n")]);
        let (repo, head) = open(&sandbox);
        let scratch = Scratch::of_commit(&repo, head).unwrap();
        assert!(is_executable(&fs::metadata(scratch.folder().join("run.sh")).unwrap()));
        assert_eq!(fs::read_link(scratch.folder().join("link")).unwrap(), Path::new("run.sh"));
        assert_eq!(scratch.edits(&[RepoPath::default()]).unwrap(), []);
        let folder = scratch.folder().to_owned();
        drop(scratch);
        assert!(!folder.exists());
    }

    #[test]
    fn content_is_converted_as_a_checkout_and_an_add_would() {
        let sandbox = Sandbox::new();
        sandbox.write(".gitattributes", "*.bat eol=crlf\n*.id ident\n*.w16 working-tree-encoding=UTF-16LE\n");
        sandbox.commit("attributes", &[("run.bat", "one\ntwo\n"), ("x.id", "$Id$\n"), ("plain", "a\nb\n")]);
        sandbox.commit("wide", &[("y.w16", "w\0i\0d\0e\0\n\0")]);
        sandbox.git(&["checkout", "-q", "--force", "HEAD"]);
        for path in ["run.bat", "x.id", "y.w16"] {
            fs::remove_file(sandbox.path().join(path)).unwrap();
        }
        sandbox.git(&["checkout", "-q", "--", "."]);
        let (repo, head) = open(&sandbox);
        let scratch = Scratch::of_commit(&repo, head).unwrap();
        for path in ["run.bat", "x.id", "y.w16", "plain"] {
            let ours = fs::read(scratch.folder().join(path)).unwrap();
            assert_eq!(ours, fs::read(sandbox.path().join(path)).unwrap(), "{path}");
        }
        assert_eq!(fs::read(scratch.folder().join("run.bat")).unwrap(), b"one\r\ntwo\r\n");
        assert_eq!(scratch.edits(&[RepoPath::default()]).unwrap(), [], "nothing was changed");
        fs::write(scratch.folder().join("run.bat"), "one\r\nthree\r\n").unwrap();
        fs::write(scratch.folder().join("new.bat"), "new\r\n").unwrap();
        let edits = scratch.edits(&[RepoPath::default()]).unwrap();
        let bytes: Vec<_> = edits.into_iter().map(|edit| edit.content.unwrap().1).collect();
        assert_eq!(bytes, [b"new\n".to_vec(), b"one\nthree\n".to_vec()]);
        let past = Scratch::of_commit(&repo, head).unwrap();
        past.remove(&RepoPath::from("run.bat")).unwrap();
        past.restore(head, &[RepoPath::from("run.bat")], true).unwrap();
        assert_eq!(fs::read(past.folder().join("run.bat")).unwrap(), b"one\r\ntwo\r\n");
    }

    #[test]
    fn a_filter_of_the_repository_itself_never_runs_for_a_candidate() {
        let sandbox = Sandbox::new();
        sandbox.commit("filtered", &[(".gitattributes", "*.x filter=own\n"), ("a.x", "a\n")]);
        sandbox.git(&["config", "filter.own.smudge", "touch owned; cat"]);
        let (repo, head) = open(&sandbox);
        let refused = Scratch::of_commit(&repo, head).err();
        assert!(
            matches!(&refused, Some(Error::Landing(LandingError::DriverNotTrusted { path, .. })) if *path == RepoPath::from("a.x")),
            "{refused:?}"
        );
        assert!(!sandbox.path().join("owned").exists());
    }

    #[test]
    fn edits_are_what_changed_within_the_paths_and_nothing_else() {
        let sandbox = Sandbox::new();
        sandbox.commit(
            "base",
            &[("in/a", "a\n"), ("in/b", "b\n"), ("out", "o\n"), (".venv/x", "ignored later\n")],
        );
        let (repo, head) = open(&sandbox);
        let scratch = Scratch::of_commit(&repo, head).unwrap();
        sandbox.write("cache/big", "not tracked");
        scratch.link(sandbox.path(), &RepoPath::from("cache")).unwrap();
        fs::write(scratch.folder().join("in/a"), "A\n").unwrap();
        fs::remove_file(scratch.folder().join("in/b")).unwrap();
        fs::write(scratch.folder().join("in/new"), "n\n").unwrap();
        fs::write(scratch.folder().join("out"), "O\n").unwrap();
        let edits = scratch.edits(&[RepoPath::from("in")]).unwrap();
        let row = |path: &str, there| (path.to_owned(), there);
        assert_eq!(paths(&edits), [row("in/a", true), row("in/new", true), row("in/b", false)]);
        let all = scratch.edits(&[RepoPath::default()]).unwrap();
        assert_eq!(all.len(), 4, "what was linked in is no part of it: {:?}", paths(&all));
        let found: Vec<_> = scratch.matching("in/*").unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(found, ["in/a", "in/new"]);
    }

    #[test]
    fn an_exact_restore_removes_what_the_source_does_not_have() {
        let sandbox = Sandbox::new();
        sandbox.commit("before", &[("dir/kept", "1\n"), ("else", "e\n")]);
        let (repo, before) = open(&sandbox);
        sandbox.commit("after", &[("dir/kept", "2\n"), ("dir/added", "x\n"), ("else", "E\n")]);
        let (_, after) = open(&sandbox);
        let dir = [RepoPath::from("dir")];
        for (exact, expected) in [(false, true), (true, false)] {
            let scratch = Scratch::of_commit(&repo, after).unwrap();
            scratch.restore(before, &dir, exact).unwrap();
            assert_eq!(fs::read(scratch.folder().join("dir/kept")).unwrap(), b"1\n");
            assert_eq!(scratch.folder().join("dir/added").exists(), expected);
            assert_eq!(fs::read(scratch.folder().join("else")).unwrap(), b"E\n");
        }
    }

    #[test]
    fn a_tree_that_leads_through_a_link_writes_nothing_outside() {
        let sandbox = test_kit::hostile::with_link_and_folder();
        let (repo, _) = open(&sandbox);
        let hostile = repo.resolve_commit("hostile").unwrap();
        let outcome = Scratch::of_commit(&repo, hostile);
        assert!(
            matches!(outcome.err(), Some(Error::Path(PathError::Hostile { path, .. })) if path == RepoPath::from("d/f"))
        );
    }
}
