//! Where a path that appears came from, and where a path that disappears went, between two trees.
//!
//! One path is asked about at a time, so only the files that could pair with it are read: those deleted (or added)
//! between the two trees. The same content wins; then a lone file of the same name at three quarters; then the most
//! similar from one half on, all as `git log --follow` decides. A file whose content moved elsewhere unchanged is no
//! candidate. A blob that cannot be read is none either: a rename is a lead, and history must not fail over it.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::error::Result;
use crate::id::{Entry, ObjectId, TreeId};
use crate::path::RepoPath;
use crate::repo::Objects;

use super::similarity::{Pieces, Score};
use super::tree_diff::{TreeChange, diff_trees};

/// Answers where paths came from and went to, and keeps the last difference of trees for the next question.
pub(crate) struct Renames<'o> {
    objects: &'o Objects,
    last: Option<(TreeId, TreeId, Rc<Pairable>)>,
}

/// The paths between two trees that can be the ends of a rename.
#[derive(Default)]
struct Pairable {
    deleted: Vec<(RepoPath, Entry)>,
    added: Vec<(RepoPath, Entry)>,
}

/// One end of a rename, to be matched with the best of `candidates` at the other end.
struct Wanted<'a> {
    path: &'a RepoPath,
    entry: Entry,
    candidates: &'a [(RepoPath, Entry)],
    /// The files at this end; a candidate that is one of them unchanged has its partner already.
    rivals: &'a [(RepoPath, Entry)],
}

impl<'o> Renames<'o> {
    pub(crate) fn new(objects: &'o Objects) -> Self {
        Self { objects, last: None }
    }

    /// The path below `old` that became `path`, which `new` has and `old` lacks.
    ///
    /// # Errors
    /// Those of reading trees.
    pub(crate) fn source_of(
        &mut self,
        old: TreeId,
        new: TreeId,
        path: &RepoPath,
        entry: Entry,
    ) -> Result<Option<RepoPath>> {
        let pairable = self.between(old, new)?;
        if entry.mode.is_tree() {
            return Ok(self.folder_partner(path, &pairable.added, &pairable.deleted, new));
        }
        let wanted = Wanted { path, entry, candidates: &pairable.deleted, rivals: &pairable.added };
        Ok(self.partner(&wanted))
    }

    /// The path below `new` that `path` became, which `old` has and `new` lacks.
    ///
    /// # Errors
    /// Those of reading trees.
    pub(crate) fn destination_of(
        &mut self,
        old: TreeId,
        new: TreeId,
        path: &RepoPath,
        entry: Entry,
    ) -> Result<Option<RepoPath>> {
        let pairable = self.between(old, new)?;
        if entry.mode.is_tree() {
            return Ok(self.folder_partner(path, &pairable.deleted, &pairable.added, old));
        }
        let wanted = Wanted { path, entry, candidates: &pairable.added, rivals: &pairable.deleted };
        Ok(self.partner(&wanted))
    }

    fn between(&mut self, old: TreeId, new: TreeId) -> Result<Rc<Pairable>> {
        if let Some((from, to, pairable)) = &self.last
            && (*from, *to) == (old, new)
        {
            return Ok(pairable.clone());
        }
        let mut pairable = Pairable::default();
        for TreeChange { path, before, after } in diff_trees(self.objects, old, new)? {
            match (before, after) {
                (Some(entry), None) => pairable.deleted.push((path, entry)),
                (None, Some(entry)) => pairable.added.push((path, entry)),
                _ => {}
            }
        }
        let pairable = Rc::new(pairable);
        self.last = Some((old, new, pairable.clone()));
        Ok(pairable)
    }

    fn partner(&self, wanted: &Wanted<'_>) -> Option<RepoPath> {
        if let Some(exact) = exact_partner(wanted) {
            return Some(exact.clone());
        }
        if !wanted.entry.mode.is_file() {
            return None;
        }
        self.similar_partner(wanted)
    }

    fn similar_partner(&self, wanted: &Wanted<'_>) -> Option<RepoPath> {
        let taken: std::collections::HashSet<ObjectId> =
            wanted.rivals.iter().map(|(_, rival)| rival.id).collect();
        let free = || {
            wanted.candidates.iter().filter(|(_, entry)| entry.mode.is_file() && !taken.contains(&entry.id))
        };
        free().next()?;
        let pieces = self.pieces(wanted.entry.id)?;
        let score = |entry: &Entry, least: Score| -> Option<Score> {
            let size = self.size(entry.id)?;
            if Score::ceiling(size, pieces.size()) < least {
                return None;
            }
            Some(pieces.score(&self.pieces(entry.id)?)).filter(|score| *score >= least)
        };
        let mut namesakes = free().filter(|(path, _)| path.file_name() == wanted.path.file_name());
        if let (Some((path, entry)), None) = (namesakes.next(), namesakes.next())
            && score(entry, Score::SAME_NAME).is_some()
        {
            return Some(path.clone());
        }
        let mut best: Option<((Score, bool), &RepoPath)> = None;
        for (path, entry) in free() {
            let least = best.map_or(Score::RENAME, |((score, _), _)| score);
            let Some(score) = score(entry, least) else { continue };
            let rank = (score, path.file_name() == wanted.path.file_name());
            if best.is_none_or(|(best, _)| rank > best) {
                best = Some((rank, path));
            }
        }
        best.map(|(_, path)| path.clone())
    }

    /// The folder that most files of the folder `path` have their partner in, under the same name below it. It must
    /// be gone (or new) as a whole: `kept`, the tree on this folder's own side, does not have it.
    fn folder_partner(
        &self,
        path: &RepoPath,
        own: &[(RepoPath, Entry)],
        others: &[(RepoPath, Entry)],
        kept: TreeId,
    ) -> Option<RepoPath> {
        let mut by_name: HashMap<&[u8], Vec<&(RepoPath, Entry)>> = HashMap::new();
        for other in others {
            by_name.entry(other.0.file_name()).or_default().push(other);
        }
        let mut votes: BTreeMap<RepoPath, usize> = BTreeMap::new();
        let mut voters = 0;
        for (file, entry) in own.iter().filter(|(file, _)| path.contains(file)) {
            voters += 1;
            let below = &file.as_bytes()[path.as_bytes().len()..];
            let namesakes = by_name.get(file.file_name()).map(Vec::as_slice).unwrap_or_default();
            let folders = namesakes.iter().filter_map(|(other, theirs)| {
                let folder = other.as_bytes().strip_suffix(below)?;
                self.is_alike(entry, theirs).then(|| RepoPath::new(folder))
            });
            for folder in folders {
                *votes.entry(folder).or_default() += 1;
            }
        }
        let (partner, count) = votes.into_iter().max_by_key(|(_, count)| *count)?;
        let gone = self.objects.entry_at(kept, &partner).is_ok_and(|entry| entry.is_none());
        (count * 2 >= voters && gone && !partner.is_root()).then_some(partner)
    }

    fn is_alike(&self, one: &Entry, other: &Entry) -> bool {
        if one.same_as(other) {
            return true;
        }
        if !one.mode.is_file() || !other.mode.is_file() {
            return false;
        }
        let sizes = self.size(one.id).zip(self.size(other.id));
        sizes.is_some_and(|(one, other)| Score::ceiling(one, other) >= Score::RENAME)
            && self
                .pieces(one.id)
                .zip(self.pieces(other.id))
                .is_some_and(|(one, other)| one.score(&other) >= Score::RENAME)
    }

    fn size(&self, id: ObjectId) -> Option<u64> {
        self.objects.gix().find_header(id.0).ok().map(|header| header.size())
    }

    fn pieces(&self, id: ObjectId) -> Option<Pieces> {
        self.objects.blob(id).ok().map(|content| Pieces::of(&content))
    }
}

/// The candidate with the same content, one of the same name first.
fn exact_partner<'a>(wanted: &Wanted<'a>) -> Option<&'a RepoPath> {
    let fits = |entry: &Entry| {
        let files = entry.mode.is_file() && wanted.entry.mode.is_file();
        entry.id == wanted.entry.id && (files || entry.mode.kind() == wanted.entry.mode.kind())
    };
    let equal = || wanted.candidates.iter().filter(|(_, entry)| fits(entry)).map(|(path, _)| path);
    let namesake = equal().find(|path| path.file_name() == wanted.path.file_name());
    namesake.or_else(|| equal().next())
}
