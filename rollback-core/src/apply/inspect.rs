//! What stands in the work tree and the index at every path of a landing, and whether it may be replaced.
//!
//! Only what is committed may: an edit, a staged change, an untracked or ignored file, a link or a folder
//! in the way is a refusal before anything is written. Nothing here writes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use bstr::ByteSlice;

use super::changes::Change;
use super::content::{self, Content};
use super::folder::{FileInfo, FileKind, Folder, Parent, parent_of};
use crate::conflict::Conflict;
use crate::error::{Error, InTheWay, PathError, Result, WorkTreeError};
use crate::id::{Entry, EntryKind, ObjectId};
use crate::journal::Fingerprint;
use crate::path::RepoPath;
use crate::repo::Objects;
use crate::repo::config::Settings;
use crate::repo::index::{Flags, Index, IndexEntry};
use crate::repo::sparse::Sparse;

/// What is needed to look at the work tree.
pub(crate) struct View<'a> {
    pub(crate) objects: &'a Objects,
    pub(crate) settings: &'a Settings,
    pub(crate) root: &'a Folder,
    pub(crate) index: &'a Index,
    /// What is to stand in the work tree before.
    pub(crate) expected: Expected,
    /// The flags that entries of the index get.
    pub(crate) flags: &'a BTreeMap<RepoPath, Flags>,
    /// The patterns of a sparse checkout.
    pub(crate) sparse: Option<&'a Sparse>,
    /// The paths that the index gets as conflicts; git writes their files wherever they are.
    pub(crate) conflicts: &'a [Conflict],
}

/// What has to stand in the work tree at the touched paths, so that it may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// What the index says, which is what is committed.
    Committed,
    /// The bytes of the tree as they are, whatever the index says: a checkpoint has them.
    Recorded,
    /// What the index says; that it says what is expected was seen before.
    Indexed,
}

/// What the work tree holds at a path of the landing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing.
    Nothing,
    /// A file or link with the committed content.
    Clean(Fingerprint),
    /// The folder of a submodule, never entered.
    Submodule,
    /// The path is kept out of the work tree (`skip-worktree`, or the patterns of a sparse checkout) and is
    /// not there.
    Skipped,
}

/// Refuses whatever is in the way of `changes`; else tells what stands at each of their paths.
///
/// # Errors
/// [`WorkTreeError::InTheWay`], [`PathError::CaseCollision`],
/// [`LandingError::DriverNotTrusted`](crate::error::LandingError::DriverNotTrusted),
/// [`SettingError::Encoding`](crate::error::SettingError::Encoding).
pub(crate) fn inspect(view: &View<'_>, changes: &[Change]) -> Result<Vec<Found>> {
    if view.expected == Expected::Committed {
        refuse_staged(view.index, changes)?;
    }
    if view.settings.ignore_case && view.expected == Expected::Committed {
        refuse_case_collisions(view.index, changes)?;
    }
    let leaving: BTreeSet<&RepoPath> =
        changes.iter().filter(|change| change.new.is_none()).map(|change| &change.path).collect();
    let mut inspector = Inspector {
        view,
        content: Content::of_work_tree(view.objects, view.index)?,
        leaving,
        links: changes
            .iter()
            .filter(|change| change.old.is_some_and(is_submodule))
            .map(|change| &change.path)
            .collect(),
        obstacles: BTreeMap::new(),
    };
    let found = changes.iter().map(|change| inspector.look_at(change)).collect::<Result<Vec<_>>>()?;
    if view.expected != Expected::Recorded {
        refuse_unwritable(view, changes, &found)?;
    }
    inspector.refuse_obstacles()?;
    Ok(found)
}

/// Refuses files that the attributes of the result do not let be written.
fn refuse_unwritable(view: &View<'_>, changes: &[Change], found: &[Found]) -> Result<()> {
    let mut result = Content::of_result(view.objects, view.index, changes)?;
    let rows = changes.iter().zip(found).filter(|(_, found)| **found != Found::Skipped);
    let mut written =
        rows.map(|(change, _)| change).filter(|change| change.new.is_some_and(|new| new.mode.is_file()));
    written.try_for_each(|change| result.refuse_unwritable(&change.path))
}

/// Refuses where the index does not hold what the landing starts from.
fn refuse_staged(index: &Index, changes: &[Change]) -> Result<()> {
    let unmerged = index.unmerged();
    if !unmerged.is_empty() {
        return Err(WorkTreeError::Unmerged { paths: unmerged }.into());
    }
    let new_files: BTreeSet<&[u8]> =
        changes.iter().filter(|change| change.old.is_some()).map(|change| change.path.as_bytes()).collect();
    let staged: Vec<RepoPath> = changes
        .iter()
        .filter(|change| {
            let path = change.path.as_bytes();
            let in_index = index.entry_at(path).filter(|entry| !entry.flags.intent_to_add());
            let differs = match (in_index, change.old) {
                (Some(entry), Some(old)) => !entry.entry().same_as(&old),
                (None, None) => index.entry_at(path).is_some(),
                _ => true,
            };
            differs || (change.new.is_some() && clashes(index, path, &new_files))
        })
        .map(|change| change.path.clone())
        .collect();
    let (intended, staged): (Vec<_>, Vec<_>) = staged
        .into_iter()
        .partition(|path| index.entry_at(path.as_bytes()).is_some_and(|entry| entry.flags.intent_to_add()));
    let (reason, paths) = match staged.is_empty() {
        true => (InTheWay::IntentToAdd, intended),
        false => (InTheWay::Staged, staged),
    };
    if paths.is_empty() { Ok(()) } else { Err(WorkTreeError::InTheWay { reason, paths }.into()) }
}

/// Edits by what git says of them: a file with one of these flags looks clean to `git status` and to `git stash`.
fn edited(flags: Flags) -> InTheWay {
    if flags.skip_work_tree() {
        InTheWay::SkipWorktree
    } else if flags.assume_unchanged() {
        InTheWay::AssumeUnchanged
    } else {
        InTheWay::Edited
    }
}

/// Whether the index holds a file where the path needs a folder, or a folder where it is a file, beyond
/// what the landing itself starts from.
fn clashes(index: &Index, path: &[u8], known: &BTreeSet<&[u8]>) -> bool {
    let folder_is_a_file = path
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'/')
        .any(|(slash, _)| index.entry_at(&path[..slash]).is_some() && !known.contains(&path[..slash]));
    folder_is_a_file || index.entries_below(path).iter().any(|entry| !known.contains(entry.path.as_slice()))
}

/// Refuses where two paths of the result are one file on a file system that folds case.
fn refuse_case_collisions(index: &Index, changes: &[Change]) -> Result<()> {
    let added: Vec<_> = changes.iter().filter(|change| change.old.is_none()).collect();
    if added.is_empty() {
        return Ok(());
    }
    let gone: BTreeSet<&[u8]> =
        changes.iter().filter(|change| change.new.is_none()).map(|change| change.path.as_bytes()).collect();
    let wanted: BTreeMap<Vec<u8>, &RepoPath> =
        added.iter().map(|change| (change.path.as_bytes().to_lowercase(), &change.path)).collect();
    let collision = |path: &RepoPath, twin: &RepoPath| {
        Err(PathError::CaseCollision { path: path.clone(), twin: twin.clone() }.into())
    };
    for change in &added {
        let kept = wanted[&change.path.as_bytes().to_lowercase()];
        if *kept != change.path {
            return collision(&change.path, kept);
        }
    }
    for entry in index.entries().iter().filter(|entry| !gone.contains(entry.path.as_slice())) {
        if let Some(path) = wanted.get(&entry.path.to_lowercase())
            && path.as_bytes() != entry.path.as_slice()
        {
            return collision(path, &RepoPath::new(entry.path.as_slice()));
        }
    }
    Ok(())
}

/// What stands at a path of the work tree, beside an entry that may be its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing.
    Nothing,
    /// The file or link of the entry.
    Same,
    /// Another file or link: its kind and the id of its bytes as they are.
    Differs(Entry),
    /// A folder.
    Folder,
    /// Neither file, link nor folder.
    Other,
    /// A file or link stands where a folder above the path would be.
    Below(RepoPath),
}

/// How much a look at a file believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Stat data that git would believe.
    AtStat,
    /// The bytes.
    AtBytes,
}

/// Looks at single paths of the work tree, and refuses nothing.
pub(crate) struct Onlooker<'a>(Inspector<'a>);

impl<'a> Onlooker<'a> {
    /// For the work tree of the view.
    pub(crate) fn new(view: &'a View<'a>) -> Result<Self> {
        let content = Content::of_work_tree(view.objects, view.index)?;
        let (leaving, links) = (BTreeSet::new(), BTreeSet::new());
        Ok(Self(Inspector { view, content, leaving, links, obstacles: BTreeMap::new() }))
    }

    /// What stands at the path of `wanted`, whose stat data counts as that of its file.
    ///
    /// # Errors
    /// [`LandingError::DriverNotTrusted`](crate::error::LandingError::DriverNotTrusted), [`Error::Io`].
    pub(crate) fn at(&mut self, path: &RepoPath, wanted: &IndexEntry, look: Look) -> Result<Standing> {
        let failed = |error| error_at(path, error);
        let parent = match parent_of(self.0.view.root, path).map_err(failed)? {
            Parent::Open(parent) => parent,
            Parent::Missing => return Ok(Standing::Nothing),
            Parent::Obstructed(at) => return Ok(Standing::Below(at)),
        };
        let name = path.file_name();
        let Some(info) = parent.info(name).map_err(failed)? else { return Ok(Standing::Nothing) };
        match info.kind {
            FileKind::Folder => return Ok(Standing::Folder),
            FileKind::Other => return Ok(Standing::Other),
            FileKind::File { .. } | FileKind::Symlink => {}
        }
        if look == Look::AtStat && self.0.same_kind(wanted, info.kind) && self.0.same_stat(wanted, &info) {
            return Ok(Standing::Same);
        }
        let found = fingerprint(&parent, name, &info, self.0.hash()).map_err(failed)?;
        let same = self.0.is_committed(path, wanted, &parent, &info, &found)?;
        Ok(if same { Standing::Same } else { Standing::Differs(found.entry()) })
    }
}

struct Inspector<'a> {
    view: &'a View<'a>,
    content: Content<'a>,
    /// The paths that the landing removes.
    leaving: BTreeSet<&'a RepoPath>,
    /// The submodules that the landing moves or removes.
    links: BTreeSet<&'a RepoPath>,
    obstacles: BTreeMap<InTheWay, Vec<RepoPath>>,
}

impl Inspector<'_> {
    fn obstacle(&mut self, reason: InTheWay, path: RepoPath) {
        let paths = &mut self.obstacles.entry(reason).or_default();
        if !paths.contains(&path) {
            paths.push(path);
        }
    }

    fn refuse_obstacles(self) -> Result<()> {
        match self.obstacles.into_iter().next() {
            Some((reason, paths)) => Err(WorkTreeError::InTheWay { reason, paths }.into()),
            None => Ok(()),
        }
    }

    fn look_at(&mut self, change: &Change) -> Result<Found> {
        if let Some(submodule) = self.entered_by(change)? {
            self.obstacle(InTheWay::Obstructed, submodule);
            return Ok(Found::Nothing);
        }
        let failed = |error| Error::io("examine", change.path.to_string(), error);
        let parent = match parent_of(self.view.root, &change.path).map_err(failed)? {
            Parent::Open(parent) => parent,
            Parent::Missing => return Ok(self.absent(change)),
            Parent::Obstructed(at) => {
                if !self.leaving.contains(&at) {
                    self.obstacle(InTheWay::Obstructed, at);
                }
                return Ok(self.absent(change));
            }
        };
        let name = change.path.file_name();
        let Some(info) = parent.info(name).map_err(failed)? else {
            return Ok(self.absent(change));
        };
        match change.old {
            Some(old) if self.view.expected == Expected::Recorded => {
                self.look_at_recorded(change, old, &parent, info)
            }
            Some(old) => self.look_at_tracked(change, old, &parent, info),
            None => self.look_at_untracked(change, &parent, info),
        }
    }

    /// What is recorded has to be there.
    fn absent(&mut self, change: &Change) -> Found {
        if self.view.expected == Expected::Recorded {
            if change.old.is_some() {
                self.obstacle(InTheWay::Edited, change.path.clone());
            }
            return Found::Nothing;
        }
        self.nothing(change)
    }

    fn look_at_recorded(
        &mut self,
        change: &Change,
        old: Entry,
        parent: &Folder,
        info: FileInfo,
    ) -> Result<Found> {
        if matches!(info.kind, FileKind::Folder | FileKind::Other) {
            self.obstacle(InTheWay::Obstructed, change.path.clone());
            return Ok(Found::Nothing);
        }
        let found = fingerprint(parent, change.path.file_name(), &info, self.hash())
            .map_err(|error| error_at(&change.path, error))?;
        let expected = match old.mode.kind() {
            EntryKind::Symlink => Fingerprint::symlink(old.id),
            kind => Fingerprint::file(old.id, kind == EntryKind::Executable),
        };
        if found != expected {
            self.obstacle(InTheWay::Edited, change.path.clone());
        }
        Ok(Found::Clean(found))
    }

    fn nothing(&self, change: &Change) -> Found {
        if self.view.conflicts.iter().any(|conflict| conflict.path == change.path) {
            return Found::Nothing;
        }
        let wanted = self.view.flags.get(&change.path);
        let entry = self.view.index.entry_at(change.path.as_bytes());
        let flagged = wanted.is_some_and(|flags| flags.skip_work_tree())
            || entry.is_some_and(|entry| entry.flags.skip_work_tree());
        let left_out = || {
            let file = change.new.is_some_and(|new| !is_submodule(new));
            wanted.is_none() && file && self.view.sparse.is_some_and(|sparse| sparse.leaves_out(&change.path))
        };
        if flagged || left_out() { Found::Skipped } else { Found::Nothing }
    }

    /// The submodule, checked out, that the new file would lie in. It may hold work of its own, even
    /// where it becomes a folder of this repository.
    fn entered_by(&self, change: &Change) -> Result<Option<RepoPath>> {
        if change.new.is_none() || self.links.is_empty() {
            return Ok(None);
        }
        let mut above = change.path.parent();
        while let Some(path) = above.filter(|path| !path.is_root()) {
            if self.links.contains(&path) && self.is_filled_folder(&path)? {
                return Ok(Some(path));
            }
            above = path.parent();
        }
        Ok(None)
    }

    fn is_filled_folder(&self, path: &RepoPath) -> Result<bool> {
        let failed = |error| error_at(path, error);
        let Parent::Open(parent) = parent_of(self.view.root, path).map_err(failed)? else { return Ok(false) };
        match parent.info(path.file_name()).map_err(failed)? {
            Some(info) if info.kind == FileKind::Folder => {
                let folder = parent.open_folder(path.file_name()).map_err(failed)?;
                Ok(!folder.names().map_err(failed)?.is_empty())
            }
            _ => Ok(false),
        }
    }

    fn look_at_tracked(
        &mut self,
        change: &Change,
        old: Entry,
        parent: &Folder,
        info: FileInfo,
    ) -> Result<Found> {
        if old.mode.kind() == EntryKind::Submodule {
            if info.kind == FileKind::Folder {
                // A checkout may hold work of its own; git removes it with all that is in it.
                if change.new.is_some_and(|new| !is_submodule(new)) && self.is_filled_folder(&change.path)? {
                    self.obstacle(InTheWay::Obstructed, change.path.clone());
                }
                return Ok(Found::Submodule);
            }
            self.obstacle(InTheWay::Obstructed, change.path.clone());
            return Ok(Found::Nothing);
        }
        if matches!(info.kind, FileKind::Folder | FileKind::Other) {
            self.obstacle(InTheWay::Obstructed, change.path.clone());
            return Ok(Found::Nothing);
        }
        let entry = self.view.index.entry_at(change.path.as_bytes()).expect("a tracked path is in the index");
        let fingerprint = fingerprint(parent, change.path.file_name(), &info, self.hash())
            .map_err(|error| error_at(&change.path, error))?;
        if !self.is_committed(&change.path, entry, parent, &info, &fingerprint)? {
            self.obstacle(edited(entry.flags), change.path.clone());
        }
        Ok(Found::Clean(fingerprint))
    }

    fn hash(&self) -> gix::hash::Kind {
        self.view.objects.gix().object_hash()
    }

    fn same_kind(&self, entry: &IndexEntry, kind: FileKind) -> bool {
        let settings = self.view.settings;
        match (entry.mode.kind(), kind) {
            (EntryKind::Symlink, FileKind::Symlink) => true,
            (EntryKind::Symlink, FileKind::File { .. }) => !settings.symlinks,
            (EntryKind::Executable, FileKind::File { executable }) => executable || !settings.file_mode,
            (EntryKind::Blob, FileKind::File { executable }) => !executable || !settings.file_mode,
            _ => false,
        }
    }

    /// Whether the stat data of the entry proves that the file is its own.
    fn same_stat(&self, entry: &IndexEntry, info: &FileInfo) -> bool {
        let settings = self.view.settings;
        let unchanged = entry.stat.matches(&info.stat, settings.trust_ctime, settings.check_stat);
        unchanged && !self.view.index.is_racy(entry)
    }

    /// Whether the file is what the index says. The flag `assume-unchanged` is a wish, not a proof.
    fn is_committed(
        &mut self,
        path: &RepoPath,
        entry: &IndexEntry,
        parent: &Folder,
        info: &FileInfo,
        found: &Fingerprint,
    ) -> Result<bool> {
        if !self.same_kind(entry, info.kind) {
            return Ok(false);
        }
        if found.id == entry.id || self.same_stat(entry, info) {
            return Ok(true);
        }
        if !entry.mode.is_file() {
            return Ok(false);
        }
        let failed = |error| Error::io("read", path.to_string(), error);
        if info.size > self.view.objects.streaming_threshold()? && self.content.leaves_as_is(path)? {
            return Ok(false);
        }
        self.view.objects.refuse_too_large(path, info.size)?;
        let mut bytes = Vec::new();
        parent
            .open_file(path.file_name())
            .and_then(|mut file| file.read_to_end(&mut bytes))
            .map_err(failed)?;
        Ok(self.content.blob_id(path, &bytes, Some(entry.id))? == entry.id)
    }

    fn look_at_untracked(&mut self, change: &Change, parent: &Folder, info: FileInfo) -> Result<Found> {
        let new = change.new.expect("a change has two sides or one");
        if info.kind == FileKind::Folder {
            if is_submodule(new) {
                // Where it loses all its files, the empty folder is made again, as git does.
                let emptied = self.leaving.iter().any(|path| change.path.contains(path));
                return Ok(if emptied { Found::Nothing } else { Found::Submodule });
            }
            self.look_into(&change.path, parent)?;
            return Ok(Found::Nothing);
        }
        let reason = self.kind_of_untracked(&change.path, false)?;
        self.obstacle(reason, change.path.clone());
        Ok(Found::Nothing)
    }

    /// A folder stands where a file will be: everything in it must be leaving.
    fn look_into(&mut self, path: &RepoPath, parent: &Folder) -> Result<()> {
        let folder = parent.open_folder(path.file_name()).map_err(|error| error_at(path, error))?;
        for name in folder.names().map_err(|error| error_at(path, error))? {
            let inner = path.join(&name);
            let Some(info) = folder.info(&name).map_err(|error| error_at(&inner, error))? else {
                continue;
            };
            let submodule = || {
                let entry = self.view.index.entry_at(inner.as_bytes());
                entry.is_some_and(|entry| entry.mode.kind() == EntryKind::Submodule)
            };
            if info.kind == FileKind::Folder && !submodule() {
                self.look_into(&inner, &folder)?;
            } else if !self.leaving.contains(&inner) || info.kind == FileKind::Folder {
                let reason = self.kind_of_untracked(&inner, info.kind == FileKind::Folder)?;
                self.obstacle(reason, inner);
            }
        }
        Ok(())
    }

    fn kind_of_untracked(&self, path: &RepoPath, is_folder: bool) -> Result<InTheWay> {
        use gix::worktree::stack::state::ignore::Source;
        if self.view.index.entry_at(path.as_bytes()).is_some() {
            return Ok(InTheWay::Obstructed);
        }
        let failed = |error: gix::Error| Error::internal("cannot read the ignore rules", error);
        let repo = self.view.objects.gix();
        let no_index = gix::index::State::new(repo.object_hash());
        let source = Source::WorktreeThenIdMappingIfNotSkipped;
        let mut rules = repo.excludes(&no_index, None, source).map_err(failed)?;
        let mode = is_folder.then_some(gix::index::entry::Mode::DIR);
        let ignored = rules.at_entry(path.as_bstr(), mode).map_err(failed)?.is_excluded();
        Ok(if ignored { InTheWay::Ignored } else { InTheWay::Untracked })
    }
}

/// Whether the entry stands for a submodule.
fn is_submodule(entry: Entry) -> bool {
    entry.mode.kind() == EntryKind::Submodule
}

/// The kind of the file and a hash of its bytes as they are, read piece by piece.
pub(crate) fn fingerprint(
    parent: &Folder,
    name: &[u8],
    info: &FileInfo,
    hash: gix::hash::Kind,
) -> std::io::Result<Fingerprint> {
    let executable = match info.kind {
        FileKind::Symlink => {
            let target = parent.read_link(name)?;
            let id = content::raw_id(&target, hash).map_err(std::io::Error::other)?;
            return Ok(Fingerprint::symlink(id));
        }
        FileKind::File { executable } => executable,
        FileKind::Folder | FileKind::Other => return Err(std::io::ErrorKind::InvalidInput.into()),
    };
    let mut file = parent.open_file(name)?;
    // The size goes into the hash first. A file that grows meanwhile gets a hash that fits nothing.
    let mut hasher = gix::hash::hasher(hash);
    hasher.update(&gix::objs::encode::loose_header(gix::objs::Kind::Blob, info.size));
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => hasher.update(&buffer[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let id = hasher.try_finalize().map(ObjectId).map_err(std::io::Error::other)?;
    Ok(Fingerprint::file(id, executable))
}

fn error_at(path: &RepoPath, error: std::io::Error) -> Error {
    Error::io("examine", path.to_string(), error)
}
