//! Whether a checkpoint could be restored: everything that it holds is read again, and with it the hashes are computed
//! again and compared with what it says of itself. Nothing here writes.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::document::{Checkpoint, OutsideKind, OutsidePart};
use super::outside::Sha256;
use super::{Stored, operation, snapshot};
use crate::error::{CheckpointError, Error, Result};
use crate::id::{CommitId, Entry, EntryKind, EntryMode, ObjectId, TreeId};
use crate::path::RepoPath;
use crate::repo::{MAX_DEPTH, Objects, Repo};

/// What reading a checkpoint back found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Verified {
    /// How many files of the work tree it has; of its commit where it has no work tree.
    pub files: usize,
    /// How many objects were read.
    pub objects: usize,
    /// How many bytes they have.
    pub bytes: u64,
    /// What is wrong, for people; nothing where it could be restored.
    pub problems: Vec<String>,
}

impl Verified {
    /// The same where it is sound.
    ///
    /// # Errors
    /// [`CheckpointError::Damaged`].
    pub fn sound(self, checkpoint: &Checkpoint) -> Result<Self> {
        match self.problems.is_empty() {
            true => Ok(self),
            false => {
                Err(CheckpointError::Damaged { name: checkpoint.full_name(), problems: self.problems }.into())
            }
        }
    }
}

impl Repo {
    /// Reads the checkpoint back; with `deep` every file too, and every hash is computed again.
    ///
    /// # Errors
    /// [`Error::Io`] where the repository cannot be read. What is missing or wrong is part of the answer.
    pub fn verify_checkpoint(&self, checkpoint: &Checkpoint, deep: bool) -> Result<Verified> {
        let objects = self.objects();
        let mut verifier = Verifier {
            repo: self,
            objects: &objects,
            deep,
            seen: HashSet::new(),
            found: Verified::default(),
            promised: false,
        };
        let stored = match self.read_stored(checkpoint.record_id) {
            Ok(stored) => stored,
            Err(error) => {
                verifier.found.problems.push(said(&error));
                return Ok(verifier.found);
            }
        };
        verifier.check(&stored);
        Ok(verifier.found)
    }
}

struct Verifier<'a> {
    repo: &'a Repo,
    objects: &'a Objects,
    deep: bool,
    seen: HashSet<ObjectId>,
    found: Verified,
    /// Whether a remote may have promised what is looked at.
    promised: bool,
}

impl Verifier<'_> {
    fn check(&mut self, stored: &Stored) {
        self.object(stored.record.0, "tree");
        self.commit(stored.manifest.commit_id);
        let files = stored.manifest.operation.as_deref().unwrap_or_default();
        for commit in operation::commits(self.repo, files) {
            self.object(commit.0, "commit");
        }
        for row in &stored.tree.entries {
            let path = RepoPath::new(row.name.as_slice());
            self.entry(&path, row.entry, 0);
        }
        if stored.manifest.work_tree.is_some() {
            self.work_tree(stored);
        }
        for (nth, part) in stored.manifest.outside.iter().enumerate() {
            self.outside(stored.folder(&format!("outside-{nth}")), part);
        }
    }

    fn problem(&mut self, text: String) {
        self.found.problems.push(text);
    }

    /// The commit and all it holds. What a partial clone left out of it is promised, and not damaged.
    fn commit(&mut self, commit: CommitId) {
        self.object(commit.0, "commit");
        self.promised = true;
        self.tree_of(commit);
        self.promised = false;
    }

    fn tree_of(&mut self, commit: CommitId) {
        match self.objects.commit(commit) {
            Ok(commit) => self.tree(&RepoPath::default(), commit.tree, 0),
            Err(error) => self.problem(said(&error)),
        }
    }

    fn entry(&mut self, path: &RepoPath, entry: Entry, depth: usize) {
        match entry.mode.kind() {
            EntryKind::Tree => self.tree(path, TreeId(entry.id), depth + 1),
            EntryKind::Submodule => {}
            _ if self.promised && self.objects.lacks_promised(entry.id) => {}
            _ if self.deep => {
                self.object(entry.id, "blob");
            }
            _ if !self.objects.has(entry.id) => self.problem(format!("{path}: blob {} is missing", entry.id)),
            _ => {}
        }
    }

    fn tree(&mut self, path: &RepoPath, tree: TreeId, depth: usize) {
        if depth > MAX_DEPTH {
            return self.problem(format!("{path} is nested deeper than 2048 folders"));
        }
        if self.promised && self.objects.lacks_promised(tree.0) {
            return;
        }
        if tree == self.objects.empty_tree() || !self.object(tree.0, "tree") {
            return;
        }
        match self.objects.tree(tree) {
            Ok(read) => {
                for row in &read.entries {
                    self.entry(&path.join(&row.name), row.entry, depth);
                }
            }
            Err(error) => self.problem(said(&error)),
        }
    }

    /// Reads the object and compares its hash with its name, once; whether this was the first time.
    fn object(&mut self, id: ObjectId, kind: &'static str) -> bool {
        if !self.seen.insert(id) {
            return false;
        }
        self.found.objects += 1;
        if kind == "blob" {
            self.blob(id);
            return true;
        }
        let mut bytes = Vec::new();
        let read = self.objects.read(id, kind, &mut bytes);
        self.found.bytes += bytes.len() as u64;
        match read {
            Ok(found) => {
                let again = gix::objs::compute_hash(id.0.kind(), found, &bytes).ok();
                if self.deep && again != Some(id.0) {
                    self.problem(format!("{kind} {id} holds other bytes than its name says"));
                }
            }
            Err(error) => self.problem(said(&error)),
        }
        true
    }

    /// As [`Self::object`], with no more than a piece of a large one in memory.
    fn blob(&mut self, id: ObjectId) {
        let mut hasher = gix::hash::hasher(id.0.kind());
        let read = self.objects.blob_size(id).and_then(|size| {
            hasher.update(&gix::objs::encode::loose_header(gix::objs::Kind::Blob, size));
            self.objects.in_pieces(id, &mut |piece| {
                hasher.update(piece);
                Ok(())
            })
        });
        match read {
            Ok(size) => {
                self.found.bytes += size;
                if self.deep && hasher.try_finalize().ok() != Some(id.0) {
                    self.problem(format!("blob {id} holds other bytes than its name says"));
                }
            }
            Err(error) => self.problem(said(&error)),
        }
    }

    fn work_tree(&mut self, stored: &Stored) {
        let paths = match stored.folder("work-tree") {
            Some(tree) => paths_of(self.objects, tree),
            None => Err(stored.damaged("'work-tree' is missing".to_owned())),
        };
        match (paths, stored.files(self.objects)) {
            (Ok(paths), Ok(rows)) => {
                self.found.files = paths.len();
                let listed: Vec<_> = rows.into_iter().map(|row| row.path).collect();
                if sorted(listed) != sorted(paths) {
                    self.problem("its list of files is not that of its work tree".to_owned());
                }
            }
            (Err(error), _) | (_, Err(error)) => self.problem(said(&error)),
        }
        let index = stored.index(self.objects);
        match index.and_then(|index| snapshot::index_trees(self.objects, &index)) {
            Ok(trees) => {
                for (stage, tree) in trees {
                    if stored.folder(&format!("index-{stage}")) != Some(tree) {
                        self.problem(format!("its index does not fit the tree of stage {stage}"));
                    }
                }
            }
            Err(error) => self.problem(said(&error)),
        }
    }

    fn outside(&mut self, tree: Option<TreeId>, part: &OutsidePart) {
        let Some(rows) = tree.and_then(|tree| self.objects.tree(tree).ok()) else {
            return self.problem(format!("the copy of {} is missing", part.path));
        };
        for (nth, entry) in part.entries.iter().enumerate() {
            let whole = part.path.join(entry.path.as_bytes());
            let bytes = || {
                let blob = rows.find(nth.to_string().as_bytes())?;
                self.objects.blob(blob.id).ok()
            };
            let fits = match &entry.kind {
                OutsideKind::Folder { .. } => true,
                OutsideKind::Symlink { target } => {
                    !self.deep || bytes().is_some_and(|bytes| bytes == target.as_bytes())
                }
                OutsideKind::File { sha256, size, .. } => {
                    let as_recorded = || {
                        let blob = rows.find(nth.to_string().as_bytes())?;
                        let mut hasher = Sha256::new();
                        let seen = self.objects.in_pieces(blob.id, &mut |piece| {
                            hasher.see(piece);
                            Ok(())
                        });
                        Some(seen.ok()? == *size && hasher.finish() == *sha256)
                    };
                    !self.deep || as_recorded() == Some(true)
                }
            };
            if !fits {
                self.problem(format!("the copy of {whole} is not what was recorded"));
            }
        }
    }
}

/// The files and links of a tree.
pub(super) fn paths_of(objects: &Objects, tree: TreeId) -> Result<Vec<RepoPath>> {
    let all = crate::history::paths_between(objects, objects.empty_tree(), tree)?;
    let is_file = |mode: EntryMode| !matches!(mode.kind(), EntryKind::Submodule | EntryKind::Tree);
    Ok(all
        .into_iter()
        .filter(|change| change.after.is_some_and(|entry| is_file(entry.mode)))
        .map(|change| change.path)
        .collect())
}

fn sorted(mut paths: Vec<RepoPath>) -> Vec<RepoPath> {
    paths.sort();
    paths
}

/// The error with its causes on one line.
fn said(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text.push_str(&format!(": {next}"));
        cause = next.source();
    }
    text
}
