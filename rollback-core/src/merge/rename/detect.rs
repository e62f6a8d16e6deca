//! Finding renames: equal content first, then equal names with similar content, then whatever is most
//! similar. Only files whose new place matters are compared, and only where sizes leave a chance.

use std::rc::Rc;

use gix::ObjectId;

use super::matching::{Best, Candidate, best_equal, unique};
use super::similarity::{self, Chunks, Counter, FULL_SCORE};
use super::{Case, Pair, Searched, SourceRelevance, Status};
use crate::merge::cache::Cache;
use crate::merge::case::{PathId, Stop, split};
use crate::merge::content::looks_binary;
use crate::merge::hash::{Map, Seed};
use crate::merge::tree::Version;

/// Bytes of counted chunks that are kept, and the number of files whose size is.
const CHUNKS_LIMIT: usize = 16 << 20;
const SIZES_LIMIT: usize = 1 << 18;

/// A deleted or an added file.
struct File {
    path: PathId,
    version: Version,
    pair: usize,
    /// Of an added file: the pair of its source, once found.
    source: Option<usize>,
    /// Its size and its chunks, once they were wanted.
    size: Option<u64>,
    chunks: Option<Rc<Chunks>>,
}

/// What is being looked for on one side.
struct Search {
    side: usize,
    sources: Vec<File>,
    targets: Vec<File>,
    /// By pair: whether a deleted file has found its new place.
    used: Vec<bool>,
}

/// What is remembered of files beyond a merge.
pub(in crate::merge) struct Known {
    sizes: Map<ObjectId, u64>,
    chunks: Cache<ObjectId, Chunks, Seed>,
    counter: Counter,
}

impl Default for Known {
    fn default() -> Self {
        Self { sizes: Map::default(), chunks: Cache::new(CHUNKS_LIMIT), counter: Counter::default() }
    }
}

impl Case<'_> {
    /// Turns deletions and additions of a side into renames.
    pub(super) fn detect(&mut self, side: usize) -> Result<Searched, Stop> {
        let empty = self.store.hash().empty_blob();
        let renames = self.sides.at_mut(side);
        let found = &renames.found;
        renames.relevant_sources.retain(|source, _| !found.knows(*source));
        if renames.pairs.is_empty() || renames.relevant_sources.is_empty() {
            return Ok(Searched::Nothing);
        }
        renames.forget_counts();
        let mut search = Search::new(side, &renames.pairs, empty);
        let mut searched = Searched::All;
        if !search.sources.is_empty() && !search.targets.is_empty() {
            searched = self.search(&mut search)?;
        }
        let pairs = &mut self.sides.at_mut(side).pairs;
        for target in &search.targets {
            if let Some(source) = target.source {
                let (from, version) = (pairs[source].from, pairs[source].source);
                pairs[target.pair] =
                    Pair { from, to: target.path, source: version, target: Some(target.version) };
            }
        }
        let mut index = 0;
        pairs.retain(|_| {
            index += 1;
            !search.used[index - 1]
        });
        Ok(searched)
    }

    fn search(&mut self, search: &mut Search) -> Result<Searched, Stop> {
        self.find_equal(search);
        let least = u64::from(self.options.renames.threshold);
        if least >= FULL_SCORE {
            return Ok(Searched::All);
        }
        search.forget_used();
        let guesses = self.guess_folders(search);
        self.find_by_name(search, &guesses, least + (FULL_SCORE - least) / 2)?;
        search.forget_used();
        let relevant = &self.sides.at(search.side).relevant_sources;
        search.sources.retain(|source| relevant.contains_key(&source.path));
        self.forget_decided(search);
        let searched = self.find_similar(search, least)?;
        self.sides.at_mut(search.side).finish_counts();
        Ok(searched)
    }

    /// Pairs files with the same content, of several with the same name if there is one.
    fn find_equal(&self, search: &mut Search) {
        let mut by_id: Map<ObjectId, Vec<usize>> = Map::default();
        for (index, source) in search.sources.iter().enumerate() {
            by_id.entry(source.version.id).or_default().push(index);
        }
        for target in 0..search.targets.len() {
            let Some(candidates) = by_id.get(&search.targets[target].version.id) else {
                continue;
            };
            let usable = candidates.iter().copied().filter(|source| search.may_be_equal(*source, target));
            if let Some(source) = best_equal(usable, |source| self.same_name(search, source, target)) {
                search.pair(source, target);
            }
        }
    }

    fn same_name(&self, search: &Search, source: usize, target: usize) -> bool {
        self.name(search.sources[source].path) == self.name(search.targets[target].path)
    }

    fn name(&self, path: PathId) -> &[u8] {
        split(self.paths.name(path)).1
    }

    /// Counts where folders went by the equal files, and guesses one place for each.
    fn guess_folders(&mut self, search: &Search) -> Map<Rc<[u8]>, Rc<[u8]>> {
        for target in search.targets.iter().filter(|target| target.source.is_some()) {
            self.count_folder(search, target);
        }
        let found: Vec<_> = (self.sides.at(search.side).found.places.iter())
            .filter_map(|(from, to)| Some((self.paths.name(*from).clone(), self.paths.name((*to)?).clone())))
            .collect();
        for (old, new) in found {
            self.sides.at_mut(search.side).count_rename(&old, &new);
        }
        self.sides.at(search.side).guesses()
    }

    fn count_folder(&mut self, search: &Search, target: &File) {
        let Some(pair) = target.source else { return };
        let from = self.sides.at(search.side).pairs[pair].from;
        let (old, new) = (self.paths.name(from).clone(), self.paths.name(target.path).clone());
        self.sides.at_mut(search.side).count_rename(&old, &new);
    }

    /// Pairs files whose name occurs once among the sources and once among the targets, or whose folder
    /// is guessed to have gone where a file of that name is; they have to be rather similar.
    fn find_by_name(
        &mut self,
        search: &mut Search,
        guesses: &Map<Rc<[u8]>, Rc<[u8]>>,
        least: u64,
    ) -> Result<(), Stop> {
        let sources =
            unique(search.sources.iter().enumerate().map(|(index, source)| (self.name(source.path), index)));
        let open = |search: &Search| -> Vec<(usize, PathId)> {
            let targets = search.targets.iter().enumerate().filter(|(_, target)| target.source.is_none());
            targets.map(|(index, target)| (index, target.path)).collect()
        };
        let targets = open(search);
        let by_name = unique(targets.iter().map(|(index, path)| (self.name(*path), *index)));
        let by_path: Map<PathId, usize> = targets.iter().map(|(index, path)| (*path, *index)).collect();
        let mut attempts = Vec::new();
        for (index, source) in search.sources.iter().enumerate() {
            if !self.sides.at(search.side).relevant_sources.contains_key(&source.path) {
                continue;
            }
            let name = self.name(source.path);
            let Some(target) = by_name.get(name) else {
                continue;
            };
            let target = match (sources[name], target) {
                (Some(_), Some(target)) => Some(*target),
                _ => self.guessed_path(source.path, guesses).and_then(|path| by_path.get(&path).copied()),
            };
            attempts.extend(target.map(|target| (index, target)));
        }
        for (source, target) in attempts {
            if search.targets[target].source.is_none()
                && self.similarity(search, source, target, least)? >= least
            {
                search.pair(source, target);
                let found = &search.targets[target];
                self.count_folder(search, found);
            }
        }
        Ok(())
    }

    /// Where a file is if its folder went where its equal neighbours say.
    fn guessed_path(&self, path: PathId, guesses: &Map<Rc<[u8]>, Rc<[u8]>>) -> Option<PathId> {
        let (folder, name) = split(self.paths.name(path));
        let guess = guesses.get(folder)?;
        // Of a guess that is the root git makes `/name`, which is nowhere.
        self.paths.find(&[guess.as_ref(), b"/", name].concat())
    }

    /// Drops sources that only matter for a folder whose new place is decided.
    fn forget_decided(&mut self, search: &mut Search) {
        let paths: Vec<_> =
            search.sources.iter().map(|source| self.paths.name(source.path).clone()).collect();
        let side = self.sides.at_mut(search.side);
        side.count_unknown(&paths);
        let mut index = 0;
        search.sources.retain(|source| {
            index += 1;
            let only_location = side.relevant_sources.get(&source.path) == Some(&SourceRelevance::Location);
            let decided = only_location && side.is_decided(&paths[index - 1]);
            if decided {
                side.relevant_sources.insert(source.path, SourceRelevance::NoMore);
            }
            !decided
        });
    }

    /// Compares everything that is left with everything, and pairs the most similar first.
    fn find_similar(&mut self, search: &mut Search, least: u64) -> Result<Searched, Stop> {
        let open: Vec<usize> =
            (0..search.targets.len()).filter(|target| search.targets[*target].source.is_none()).collect();
        let limit = u64::from(self.options.renames.limit);
        if (open.len() * search.sources.len()) as u64 > limit * limit {
            return Ok(Searched::NotAll);
        }
        let mut candidates = Vec::new();
        for target in open {
            self.check_cancelled()?;
            let mut best = Best::default();
            for source in 0..search.sources.len() {
                let score = self.similarity(search, source, target, least)?;
                let same_name = self.same_name(search, source, target);
                best.offer(Candidate { source, target, score, same_name });
            }
            candidates.push(best);
        }
        for candidate in Best::in_order(candidates) {
            let source = &search.sources[candidate.source];
            if candidate.score < least {
                break;
            }
            if search.targets[candidate.target].source.is_some() || search.used[source.pair] {
                continue;
            }
            search.pair(candidate.source, candidate.target);
            self.count_folder(search, &search.targets[candidate.target]);
        }
        Ok(Searched::All)
    }

    fn similarity(
        &mut self,
        search: &mut Search,
        source: usize,
        target: usize,
        least: u64,
    ) -> Result<u64, Stop> {
        let (source, target) = (&mut search.sources[source], &mut search.targets[target]);
        if !source.version.is_file() || !target.version.is_file() {
            return Ok(0);
        }
        let sizes = [self.size(source)?, self.size(target)?];
        if !similarity::sizes_allow(sizes[0], sizes[1], least) {
            return Ok(0);
        }
        let (from, to) = (self.chunks(source)?, self.chunks(target)?);
        Ok(similarity::score(&from, &to))
    }

    fn size(&mut self, file: &mut File) -> Result<u64, Stop> {
        if let Some(size) = file.size {
            return Ok(size);
        }
        let id = file.version.id;
        let known = self.content.known.sizes.get(&id).copied();
        let size = match known {
            Some(size) => size,
            None => self.store.blob_size(id)?,
        };
        let sizes = &mut self.content.known.sizes;
        if sizes.len() >= SIZES_LIMIT {
            sizes.clear();
        }
        sizes.insert(id, size);
        file.size = Some(size);
        Ok(size)
    }

    fn chunks(&mut self, file: &mut File) -> Result<Rc<Chunks>, Stop> {
        if let Some(chunks) = &file.chunks {
            return Ok(chunks.clone());
        }
        let id = file.version.id;
        let mut known = self.content.known.chunks.get(&id);
        if known.is_none() {
            let blob = self.store.blob(id)?;
            // Whether a file is text matters only to carriage returns, and only there a path matters.
            let has_returns = blob.contains(&b'\r');
            let is_text = !has_returns || !self.is_binary(file.path, &blob)?;
            let chunks = Rc::new(self.content.known.counter.count(&blob, is_text));
            if !has_returns {
                self.content.known.chunks.put(id, chunks.clone(), chunks.memory());
            }
            known = Some(chunks);
        }
        file.chunks = known.clone();
        Ok(known.expect("it was counted above"))
    }

    fn is_binary(&mut self, path: PathId, blob: &[u8]) -> Result<bool, Stop> {
        let name = self.paths.name(path).clone();
        let attributes = self.content.attributes.of(&name, &self.store.gix().objects)?;
        Ok(self.content.declared_binary(&attributes).unwrap_or_else(|| looks_binary(blob)))
    }
}

impl Search {
    fn new(side: usize, pairs: &[Pair], empty: ObjectId) -> Self {
        let mut search =
            Self { side, sources: Vec::new(), targets: Vec::new(), used: vec![false; pairs.len()] };
        let file = |path, version, pair| File { path, version, pair, source: None, size: None, chunks: None };
        for (index, pair) in pairs.iter().enumerate() {
            match (pair.status(), pair.source, pair.target) {
                (Status::Deleted, Some(version), _) if version.id != empty => {
                    search.sources.push(file(pair.from, version, index));
                }
                (Status::Added, _, Some(version)) if version.id != empty => {
                    search.targets.push(file(pair.to, version, index));
                }
                _ => {}
            }
        }
        search
    }

    fn may_be_equal(&self, source: usize, target: usize) -> bool {
        let (source, target) = (&self.sources[source], &self.targets[target]);
        let types_fit = source.version.is_file() && target.version.is_file()
            || source.version.mode == target.version.mode;
        types_fit && !self.used[source.pair]
    }

    fn pair(&mut self, source: usize, target: usize) {
        let pair = self.sources[source].pair;
        self.used[pair] = true;
        self.targets[target].source = Some(pair);
    }

    fn forget_used(&mut self) {
        let used = &self.used;
        self.sources.retain(|source| !used[source.pair]);
    }
}
