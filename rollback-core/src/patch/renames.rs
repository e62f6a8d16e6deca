//! Files that moved, as `git diff` finds them: by equal content, then by a name that occurs once on both sides, then by
//! comparing everything that is left.

use std::collections::HashMap;

use super::files::{ChangedFile, FileSide, content, is_binary};
use crate::error::{Error, Result};
use crate::id::{EntryKind, ObjectId};
use crate::merge::DiffAttributes;
use crate::merge::file_similarity::{self as similarity, Best, Chunks, Counter, FULL_SCORE};
use crate::repo::Objects;

/// From this score on a file has moved.
const LEAST: u64 = FULL_SCORE / 2;
/// From this score on one of two files that alone have a name has become the other.
const SAME_NAME: u64 = LEAST + (FULL_SCORE - LEAST) / 2;

/// The files with those that moved in one; these stand where their new name does.
pub(super) fn find(
    objects: &Objects,
    files: Vec<ChangedFile>,
    limit: usize,
    attributes: &mut DiffAttributes,
) -> Result<Vec<ChangedFile>> {
    let mut search = Search::new(objects, files, attributes);
    if !search.sources.is_empty() && !search.targets.is_empty() {
        search.equal();
        search.forget_used();
        search.by_name()?;
        search.forget_used();
        search.similar(limit)?;
    }
    Ok(search.result())
}

/// A file that went or came.
struct End {
    /// Its number in the list of files.
    file: usize,
    side: FileSide,
    chunks: Option<Chunks>,
    size: Option<u64>,
}

struct Search<'a> {
    objects: &'a Objects,
    attributes: &'a mut DiffAttributes,
    files: Vec<ChangedFile>,
    sources: Vec<End>,
    targets: Vec<End>,
    /// By the number of a file that came: the one it was, and how similar they are.
    found: HashMap<usize, (usize, u64)>,
    used: Vec<bool>,
    counter: Counter,
}

impl<'a> Search<'a> {
    fn new(objects: &'a Objects, files: Vec<ChangedFile>, attributes: &'a mut DiffAttributes) -> Self {
        let (mut sources, mut targets) = (Vec::new(), Vec::new());
        for (file, changed) in files.iter().enumerate() {
            let end = |side: &FileSide| End { file, side: side.clone(), chunks: None, size: None };
            match (&changed.before, &changed.after) {
                (Some(gone), None) => sources.push(end(gone)),
                (None, Some(made)) => targets.push(end(made)),
                _ => {}
            }
        }
        let used = vec![false; files.len()];
        let (found, counter) = (HashMap::new(), Counter::default());
        Self { objects, attributes, files, sources, targets, found, used, counter }
    }

    fn pair(&mut self, source: usize, target: usize, score: u64) {
        let source = self.sources[source].file;
        self.used[source] = true;
        self.found.insert(self.targets[target].file, (source, score));
    }

    fn forget_used(&mut self) {
        let used = &self.used;
        self.sources.retain(|source| !used[source.file]);
        let found = &self.found;
        self.targets.retain(|target| !found.contains_key(&target.file));
    }

    /// Pairs files with the same content, of several with the same name if there is one.
    fn equal(&mut self) {
        let mut by_id: HashMap<ObjectId, Vec<usize>> = HashMap::new();
        for (nth, source) in self.sources.iter().enumerate() {
            by_id.entry(source.side.entry.id).or_default().push(nth);
        }
        for target in 0..self.targets.len() {
            let Some(candidates) = by_id.get(&self.targets[target].side.entry.id) else { continue };
            let usable = candidates.iter().copied().filter(|source| self.may_be_equal(*source, target));
            let has_same_name = |source: usize| same_name(&self.sources[source], &self.targets[target]);
            if let Some(source) = similarity::best_equal(usable, has_same_name) {
                self.pair(source, target, FULL_SCORE);
            }
        }
    }

    fn may_be_equal(&self, source: usize, target: usize) -> bool {
        let (source, target) = (&self.sources[source], &self.targets[target]);
        let (old, new) = (source.side.entry.mode, target.side.entry.mode);
        let types_fit = old.is_file() && new.is_file() || old.canonical() == new.canonical();
        types_fit && !self.used[source.file]
    }

    /// Pairs files whose name occurs once among those that went and once among those that came, if they are rather similar.
    fn by_name(&mut self) -> Result<()> {
        let targets = self.targets.iter().enumerate();
        let targets = similarity::unique(targets.map(|(nth, end)| (end.side.path.file_name(), nth)));
        let sources = self.sources.iter().enumerate();
        let sources = similarity::unique(sources.map(|(nth, end)| (end.side.path.file_name(), nth)));
        let mut attempts: Vec<(usize, usize)> =
            sources.iter().filter_map(|(name, source)| Some(((*source)?, (*targets.get(name)?)?))).collect();
        attempts.sort_unstable();
        for (source, target) in attempts {
            let score = self.score(source, target, SAME_NAME)?;
            if score >= SAME_NAME {
                self.pair(source, target, score);
            }
        }
        Ok(())
    }

    /// Compares everything that is left with everything, and pairs the most similar first.
    fn similar(&mut self, limit: usize) -> Result<()> {
        let (sources, targets) = (self.sources.len(), self.targets.len());
        if limit > 0 && sources.saturating_mul(targets) > limit.saturating_mul(limit) {
            return Ok(());
        }
        let mut best = Vec::new();
        for target in 0..targets {
            self.objects.stop_if_cancelled()?;
            let mut of_target = Best::default();
            for source in 0..sources {
                let score = self.score(source, target, LEAST)?;
                let same_name = same_name(&self.sources[source], &self.targets[target]);
                of_target.offer(similarity::Candidate { source, target, score, same_name });
            }
            best.push(of_target);
        }
        for candidate in Best::in_order(best) {
            let taken = self.used[self.sources[candidate.source].file]
                || self.found.contains_key(&self.targets[candidate.target].file);
            if candidate.score >= LEAST && !taken {
                self.pair(candidate.source, candidate.target, candidate.score);
            }
        }
        Ok(())
    }

    fn score(&mut self, source: usize, target: usize, least: u64) -> Result<u64> {
        let is_file = |end: &End| end.side.entry.mode.is_file();
        if !is_file(&self.sources[source]) || !is_file(&self.targets[target]) {
            return Ok(0);
        }
        let sizes =
            [size(self.objects, &mut self.sources[source])?, size(self.objects, &mut self.targets[target])?];
        if !similarity::sizes_allow(sizes[0], sizes[1], least) {
            return Ok(0);
        }
        for end in [&mut self.sources[source], &mut self.targets[target]] {
            if end.chunks.is_none() {
                let bytes = match content(self.objects, Some(&end.side)) {
                    // What may not be in memory moves only where its content stays.
                    Err(Error::TooLarge { .. }) => return Ok(0),
                    bytes => bytes?,
                };
                let binary = is_binary(self.objects, Some(&end.side), &bytes, self.attributes)?;
                end.chunks = Some(self.counter.count(&bytes, !binary));
            }
        }
        let (Some(old), Some(new)) = (&self.sources[source].chunks, &self.targets[target].chunks) else {
            return Ok(0);
        };
        Ok(similarity::score(old, new))
    }

    fn result(self) -> Vec<ChangedFile> {
        let mut files = self.files;
        for (target, (source, score)) in &self.found {
            files[*target].before = files[*source].before.clone();
            files[*target].similarity = Some((score * 100 / FULL_SCORE) as u8);
        }
        let mut nth = 0;
        files.retain(|_| {
            nth += 1;
            !self.used[nth - 1]
        });
        files
    }
}

fn same_name(source: &End, target: &End) -> bool {
    source.side.path.file_name() == target.side.path.file_name()
}

fn size(objects: &Objects, end: &mut End) -> Result<u64> {
    if end.side.entry.mode.kind() == EntryKind::Submodule {
        return Ok(0);
    }
    match end.size {
        Some(size) => Ok(size),
        None => {
            let size = objects.blob_size(end.side.entry.id)?;
            end.size = Some(size);
            Ok(size)
        }
    }
}
