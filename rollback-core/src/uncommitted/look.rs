//! What is edited or deleted at some paths and not committed, and what would come back. Nothing here writes.

use std::collections::{BTreeMap, BTreeSet};

use super::{Added, FileBefore, KnownState, RestoredPath, TakenFrom, UncommittedTarget};
use crate::apply::{
    Expected, FileKind, Folder, Look, Onlooker, Parent, Standing, View, check_path, parent_of,
};
use crate::error::{
    Error, InTheWay, ObjectError, PathError, RepositoryError, Result, RevisionError, WorkTreeError,
};
use crate::history::{self, Culprit, Predicates};
use crate::id::{CommitId, Entry, EntryKind, TreeId};
use crate::path::RepoPath;
use crate::repo::config::Settings;
use crate::repo::index::{Index, IndexEntry};
use crate::repo::sparse::Sparse;
use crate::repo::{Objects, Repo};

/// What was found.
pub(super) struct Found {
    /// The index as it is.
    pub(super) index: Index,
    /// The root of the work tree.
    pub(super) root: Folder,
    /// The paths that come back or go, sorted.
    pub(super) paths: Vec<FoundPath>,
    /// Paths that were named and hold nothing that is not committed.
    pub(super) unchanged: Vec<RepoPath>,
    /// The folders of deleted files that are there.
    pub(super) folders: BTreeSet<RepoPath>,
}

/// A path that comes back or goes.
pub(super) struct FoundPath {
    pub(super) path: RepoPath,
    /// What comes back, and from where; nothing where the path goes.
    pub(super) wanted: Option<(Entry, TakenFrom)>,
    /// The file or link that stands there and is replaced: its bytes as they are.
    pub(super) raw: Option<Entry>,
    /// Whether that file is what the index says.
    pub(super) clean_in_index: bool,
    before: FileBefore,
    /// What the index has: flags and stage, mode and object.
    row: Option<IndexEntry>,
    index_differs: bool,
}

impl FoundPath {
    /// The entry whose file is written.
    pub(super) fn to_write(&self) -> Option<Entry> {
        let written = matches!(self.before, FileBefore::Edited | FileBefore::Deleted);
        self.wanted.filter(|_| written).map(|(entry, _)| entry)
    }

    /// What the index will have.
    pub(super) fn index_after(&self) -> Vec<(u8, Entry)> {
        let kept = self.row.as_ref().map(|row| row.flags.kept()).unwrap_or_default();
        let row = |(entry, _): (Entry, TakenFrom)| {
            let canonical = Entry { mode: entry.mode.canonical(), id: entry.id };
            (kept.without_skip_work_tree().tag(), canonical)
        };
        self.wanted.map(row).into_iter().collect()
    }

    pub(super) fn document(&self) -> RestoredPath {
        RestoredPath {
            path: self.path.clone(),
            file: self.before,
            staged: self.index_differs,
            from: self.wanted.map(|(_, from)| from),
        }
    }
}

/// What git knows at one path.
#[derive(Default)]
struct Known {
    head: Option<Entry>,
    index: Vec<IndexEntry>,
}

/// Looks at everything that HEAD or the index has at the paths of the target.
pub(super) fn look(repo: &Repo, objects: &Objects, target: &UncommittedTarget) -> Result<Found> {
    let settings = Settings::of(repo)?;
    let head = repo.head()?.commit();
    let head_tree = objects.tree_of(head)?;
    let index = repo.read_index()?.index;
    let work_dir = repo.work_dir().ok_or_else(|| RepositoryError::NeedsWorkTree {
        operation: "bringing back files",
        git_dir: repo.git_dir().to_owned(),
    })?;
    let root = Folder::open(work_dir).map_err(|error| Error::io("open", work_dir, error))?;
    let sparse = Sparse::of(repo, settings.ignore_case)?;
    let flags = BTreeMap::new();
    let view = View {
        objects,
        settings: &settings,
        root: &root,
        index: &index,
        expected: Expected::Indexed,
        flags: &flags,
        sparse: sparse.as_ref(),
        conflicts: &[],
    };
    let state = match repo.operation_in_progress() {
        Some(_) => Wanted::Index,
        None => Wanted::Of(target.state),
    };
    let mut looker = Looker { objects, index: &index, root: &root, state, head, target, found: Vec::new() };
    let unchanged = looker.look(&mut Onlooker::new(&view)?, head_tree)?;
    for one in &looker.found {
        // What could not be written again could not be taken back.
        one.raw.map_or(Ok(()), |raw| check_path(&one.path, raw.mode))?;
    }
    let folders = looker.folders_of_deleted()?;
    let paths = looker.found;
    Ok(Found { index, root, paths, unchanged, folders })
}

/// Where what comes back is taken from.
#[derive(Clone, Copy)]
enum Wanted {
    Of(KnownState),
    /// What is staged: the index holds the result of an operation that is not finished.
    Index,
}

struct Looker<'a> {
    objects: &'a Objects,
    index: &'a Index,
    root: &'a Folder,
    state: Wanted,
    head: Option<CommitId>,
    target: &'a UncommittedTarget,
    found: Vec<FoundPath>,
}

impl Looker<'_> {
    /// Fills in what was found; returns the named paths where nothing was.
    fn look(&mut self, onlooker: &mut Onlooker<'_>, head_tree: TreeId) -> Result<Vec<RepoPath>> {
        let mut known = BTreeMap::new();
        for named in &self.target.paths {
            self.known_at(named, head_tree, &mut known)?;
        }
        self.refuse_unmerged(&known)?;
        let wanted: BTreeMap<RepoPath, Option<(Entry, TakenFrom)>> = self.wanted(&known);
        for (path, known) in &known {
            let Some(wanted) = wanted.get(path) else { continue };
            self.look_at(onlooker, path, known, *wanted)?;
        }
        self.found.sort_by(|one, other| one.path.cmp(&other.path));
        let touched = |named: &RepoPath| self.found.iter().any(|one| named.contains(&one.path));
        Ok(self.target.paths.iter().filter(|named| !touched(named)).cloned().collect())
    }

    /// All that HEAD and the index have at or below a named path.
    fn known_at(
        &self,
        named: &RepoPath,
        head_tree: TreeId,
        known: &mut BTreeMap<RepoPath, Known>,
    ) -> Result<()> {
        let mut any = named.is_root();
        match self.objects.entry_at(head_tree, named)? {
            Some(entry) if entry.mode.is_tree() => {
                let all = history::paths_between(self.objects, self.objects.empty_tree(), TreeId(entry.id))?;
                for change in all {
                    any = true;
                    let path = below(named, &change.path);
                    known.entry(path).or_default().head = change.after;
                }
            }
            Some(entry) => {
                any = true;
                known.entry(named.clone()).or_default().head = Some(entry);
            }
            None => {}
        }
        let below: Vec<&IndexEntry> = match named.is_root() {
            true => self.index.entries().iter().collect(),
            false => {
                let at = self.index.entries_at(named.as_bytes()).iter();
                at.chain(self.index.entries_below(named.as_bytes())).collect()
            }
        };
        for entry in below {
            any = any || !entry.flags.intent_to_add();
            let rows = &mut known.entry(RepoPath::new(entry.path.as_slice())).or_default().index;
            if !rows.contains(entry) {
                rows.push(entry.clone());
            }
        }
        if any { self.refuse_kept_out(named) } else { Err(self.unknown(named)) }
    }

    /// A file that was named and is kept out of the work tree is not there on purpose.
    fn refuse_kept_out(&self, named: &RepoPath) -> Result<()> {
        let entry = self.index.entry_at(named.as_bytes());
        match entry.is_some_and(|entry| entry.flags.skip_work_tree()) {
            true => Err(PathError::KeptOut { path: named.clone() }.into()),
            false => Ok(()),
        }
    }

    /// Why git has no version of a path.
    fn unknown(&self, named: &RepoPath) -> Error {
        let not_tracked = |removed_by| Error::from(PathError::NotTracked { path: named.clone(), removed_by });
        let Some(head) = self.head else { return not_tracked(None) };
        match history::find_culprit(self.objects, head, named, &mut Predicates::default()) {
            Ok(Culprit::Found(found)) => not_tracked(Some(found.commit_id)),
            Err(error @ Error::Path(PathError::NeverExisted { .. })) if !self.stands(named) => error,
            Err(
                error @ (Error::Object(ObjectError::Missing { .. })
                | Error::Revision(RevisionError::ShallowHistory { .. })),
            ) => error,
            _ => not_tracked(None),
        }
    }

    fn stands(&self, path: &RepoPath) -> bool {
        match parent_of(self.root, path) {
            Ok(Parent::Open(parent)) => parent.info(path.file_name()).is_ok_and(|info| info.is_some()),
            _ => false,
        }
    }

    fn refuse_unmerged(&self, known: &BTreeMap<RepoPath, Known>) -> Result<()> {
        let unmerged: Vec<_> = known
            .iter()
            .filter(|(_, known)| known.index.iter().any(|row| row.flags.stage() != 0))
            .map(|(path, _)| path.clone())
            .collect();
        if unmerged.is_empty() { Ok(()) } else { Err(WorkTreeError::Unmerged { paths: unmerged }.into()) }
    }

    /// What every path becomes; a path that is left alone is not part of it.
    fn wanted(&self, known: &BTreeMap<RepoPath, Known>) -> BTreeMap<RepoPath, Option<(Entry, TakenFrom)>> {
        let mut wanted = BTreeMap::new();
        for (path, known) in known {
            let row = known.index.first();
            if row.is_some_and(|row| row.flags.skip_work_tree()) {
                continue;
            }
            let announced = row.is_some_and(|row| row.flags.intent_to_add());
            let staged = row.filter(|_| !announced).map(|row| (row.entry(), TakenFrom::Index));
            let committed = known.head.map(|entry| (entry, TakenFrom::Head));
            let one = match self.state {
                Wanted::Index => staged,
                Wanted::Of(KnownState::Newest) => committed.or(staged),
                Wanted::Of(KnownState::Head(Added::Remove)) if !announced => {
                    wanted.insert(path.clone(), committed);
                    continue;
                }
                Wanted::Of(KnownState::Head(_)) => committed,
            };
            if let Some(one) = one {
                wanted.insert(path.clone(), Some(one));
            }
        }
        make_way(&mut wanted);
        wanted
    }

    fn look_at(
        &mut self,
        onlooker: &mut Onlooker<'_>,
        path: &RepoPath,
        known: &Known,
        wanted: Option<(Entry, TakenFrom)>,
    ) -> Result<()> {
        let row = known.index.first().cloned();
        let looked = self.target.paths.contains(path);
        let look = if looked { Look::AtBytes } else { Look::AtStat };
        let in_index = row.as_ref().filter(|row| !row.flags.intent_to_add());
        let index_differs = match (in_index, wanted) {
            (Some(row), Some((entry, _))) => !row.entry().same_as(&entry),
            (None, None) => row.is_some(),
            _ => true,
        };
        let as_index = match &row {
            Some(row) => Some(onlooker.at(path, row, look)?),
            None => None,
        };
        let standing = match (&as_index, wanted) {
            (Some(standing), Some(_)) if !index_differs => standing.clone(),
            (Some(standing), None) => standing.clone(),
            (_, Some((entry, _))) => onlooker.at(path, &IndexEntry::new(path.as_bytes(), entry, 0), look)?,
            (None, None) => Standing::Nothing,
        };
        let clean_in_index = as_index == Some(Standing::Same);
        let (before, raw) = self.before(path, wanted.map(|(entry, _)| entry), standing)?;
        if before != FileBefore::Same || index_differs {
            let path = path.clone();
            self.found.push(FoundPath { path, wanted, raw, clean_in_index, before, row, index_differs });
        }
        Ok(())
    }

    /// What the work tree has at a path, and the bytes that are replaced.
    fn before(
        &mut self,
        path: &RepoPath,
        wanted: Option<Entry>,
        standing: Standing,
    ) -> Result<(FileBefore, Option<Entry>)> {
        let submodule = wanted.is_some_and(|entry| entry.mode.kind() == EntryKind::Submodule);
        let in_the_way = |at: RepoPath| {
            Error::from(WorkTreeError::InTheWay { reason: InTheWay::Obstructed, paths: vec![at] })
        };
        Ok(match (wanted, standing) {
            (None, Standing::Differs(raw)) => (FileBefore::InTheWay, Some(raw)),
            (None, Standing::Same) => (FileBefore::InTheWay, self.raw_at(path)?),
            (None, _) => (FileBefore::Same, None),
            // What is in the folder of a submodule is its own.
            (Some(_), Standing::Folder) if submodule => (FileBefore::Same, None),
            (Some(_), Standing::Same) => (FileBefore::Same, None),
            (Some(_), Standing::Nothing) => (FileBefore::Deleted, None),
            (Some(_), Standing::Differs(raw)) if !submodule => (FileBefore::Edited, Some(raw)),
            (Some(_), Standing::Folder) => {
                self.clear_folder(path)?;
                (FileBefore::Deleted, None)
            }
            (Some(_), Standing::Below(at)) => {
                self.clear_file(&at)?;
                (FileBefore::Deleted, None)
            }
            (Some(_), Standing::Differs(_) | Standing::Other) => return Err(in_the_way(path.clone())),
        })
    }

    fn folders_of_deleted(&self) -> Result<BTreeSet<RepoPath>> {
        let mut found = BTreeSet::new();
        for one in self.found.iter().filter(|one| one.before == FileBefore::Deleted) {
            let above = std::iter::successors(one.path.parent(), RepoPath::parent);
            for folder in above.take_while(|folder| !folder.is_root()) {
                let failed = |error| Error::io("examine", folder.to_string(), error);
                let Parent::Open(parent) = parent_of(self.root, &folder).map_err(failed)? else { continue };
                let info = parent.info(folder.file_name()).map_err(failed)?;
                if info.is_some_and(|info| info.kind == FileKind::Folder) {
                    found.insert(folder);
                }
            }
        }
        Ok(found)
    }

    /// A file or link stands where a folder has to be: it goes where it was named, or was to go anyway.
    fn clear_file(&mut self, at: &RepoPath) -> Result<()> {
        if self.found.iter().any(|one| one.path == *at && one.wanted.is_none()) {
            return Ok(());
        }
        let named = self.target.paths.iter().any(|named| named.contains(at));
        match self.raw_at(at)?.filter(|_| named && self.index.entries_at(at.as_bytes()).is_empty()) {
            Some(raw) => {
                self.found.push(FoundPath::going(at.clone(), raw));
                Ok(())
            }
            None => {
                Err(WorkTreeError::InTheWay { reason: InTheWay::Obstructed, paths: vec![at.clone()] }.into())
            }
        }
    }

    /// A folder stands where a file has to be: all that is in it goes, and is kept.
    fn clear_folder(&mut self, path: &RepoPath) -> Result<()> {
        let in_the_way = || {
            Error::from(WorkTreeError::InTheWay { reason: InTheWay::Obstructed, paths: vec![path.clone()] })
        };
        let mut open = vec![path.clone()];
        while let Some(at) = open.pop() {
            let failed = |error| Error::io("examine", at.to_string(), error);
            let Parent::Open(parent) = parent_of(self.root, &at).map_err(failed)? else { continue };
            let folder = parent.open_folder(at.file_name()).map_err(failed)?;
            for name in folder.names().map_err(failed)? {
                let inner = at.join(&name);
                let info = folder.info(&name).map_err(failed)?;
                match info.map(|info| info.kind) {
                    // A repository of its own is no edit of this one.
                    _ if name.eq_ignore_ascii_case(b".git") => return Err(in_the_way()),
                    Some(FileKind::Folder) => open.push(inner),
                    Some(FileKind::Other) => return Err(in_the_way()),
                    Some(FileKind::File { .. } | FileKind::Symlink) => self.clear_inner(inner)?,
                    None => {}
                }
            }
        }
        Ok(())
    }

    /// A file in a folder that goes. What the index has there comes with its own row.
    fn clear_inner(&mut self, path: RepoPath) -> Result<()> {
        if self.index.entries_at(path.as_bytes()).is_empty()
            && let Some(raw) = self.raw_at(&path)?
        {
            self.found.push(FoundPath::going(path, raw));
        }
        Ok(())
    }

    /// The file or link at a path, with its bytes as they are.
    fn raw_at(&self, path: &RepoPath) -> Result<Option<Entry>> {
        let failed = |error| Error::io("examine", path.to_string(), error);
        let Parent::Open(parent) = parent_of(self.root, path).map_err(failed)? else { return Ok(None) };
        let Some(info) = parent.info(path.file_name()).map_err(failed)? else { return Ok(None) };
        if matches!(info.kind, FileKind::Folder | FileKind::Other) {
            return Ok(None);
        }
        let hash = self.objects.gix().object_hash();
        let found = crate::apply::fingerprint(&parent, path.file_name(), &info, hash).map_err(failed)?;
        Ok(Some(found.entry()))
    }
}

impl FoundPath {
    /// Something that git does not track, in the way of what comes back.
    fn going(path: RepoPath, raw: Entry) -> Self {
        Self {
            path,
            wanted: None,
            raw: Some(raw),
            clean_in_index: false,
            before: FileBefore::InTheWay,
            row: None,
            index_differs: false,
        }
    }
}

/// Where a file that is only staged stands in the way of one that is committed, the committed one wins.
fn make_way(wanted: &mut BTreeMap<RepoPath, Option<(Entry, TakenFrom)>>) {
    let committed: BTreeSet<RepoPath> = wanted
        .iter()
        .filter(|(_, one)| one.is_some_and(|(_, from)| from == TakenFrom::Head))
        .map(|(path, _)| path.clone())
        .collect();
    for (path, one) in wanted.iter_mut().filter(|(_, one)| one.is_some()) {
        let below_one =
            || std::iter::successors(path.parent(), RepoPath::parent).any(|at| committed.contains(&at));
        let above_one = || {
            let next = committed.range(path.join(b"")..).next();
            next.is_some_and(|next| path.contains(next))
        };
        if one.is_some_and(|(_, from)| from == TakenFrom::Index) && (below_one() || above_one()) {
            *one = None;
        }
    }
}

fn below(folder: &RepoPath, path: &RepoPath) -> RepoPath {
    path.components().fold(folder.clone(), |at, name| at.join(name))
}
