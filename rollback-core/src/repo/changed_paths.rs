//! The changed-path Bloom filters of a commit-graph: for most commits they tell, without a look at any tree, that a path
//! is what it is in the first parent.
//!
//! The format is that of `gitformat-commit-graph`: chunks `BIDX` and `BDAT`, versions 1 and 2, in one file or in layers.
//! A filter that is missing, of a foreign version or damaged beyond reading says "maybe". One that lies cannot be told
//! from a true one here: a caller that skips commits on its word compares what the path is on both sides of the gap.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::path::RepoPath;

/// The filters of all layers of a commit-graph.
pub(crate) struct ChangedPaths {
    layers: Vec<Layer>,
}

/// One commit-graph file.
struct Layer {
    /// The number of its first commit in the whole graph, and how many it has.
    first: u32,
    commits: u32,
    bytes: Vec<u8>,
    filters: Option<Filters>,
}

/// Where the filters of a file are, and how they were made.
struct Filters {
    ends: Range<usize>,
    data: Range<usize>,
    version: u32,
    hashes: u32,
}

/// A path as the filters know it: hashes of itself and of the folders it lies in.
pub(crate) struct PathKey {
    hashes: Vec<(u32, u32)>,
    /// Version 1 hashed bytes above 127 in two ways, depending on the machine; such paths get no answer from it.
    is_ascii: bool,
}

impl PathKey {
    pub(crate) fn new(path: &RepoPath) -> Self {
        let mut hashes = Vec::new();
        let mut at = RepoPath::default();
        for name in path.components() {
            at = at.join(name);
            hashes.push((murmur3(SEEDS.0, at.as_bytes()), murmur3(SEEDS.1, at.as_bytes())));
        }
        Self { hashes, is_ascii: path.as_bytes().is_ascii() }
    }

    /// The path without the folders it lies in, for a caller that asked about those before.
    pub(crate) fn of_last(path: &RepoPath) -> Self {
        let mut key = Self::new(path);
        key.hashes.drain(..key.hashes.len().saturating_sub(1));
        key
    }
}

impl ChangedPaths {
    /// The filters beside the graph in the folder `info`; `None` where there are none, where `repo` is configured not to
    /// use them, and where the files are not those that `graph` was read from.
    pub(crate) fn load(repo: &gix::Repository, graph: &gix::commitgraph::Graph) -> Option<Self> {
        let config = repo.config_snapshot();
        let wanted = config.integer("commitGraph.changedPathsVersion").unwrap_or(-1);
        if wanted == 0 || config.boolean("commitGraph.readChangedPaths") == Some(false) {
            return None;
        }
        let hash_len = repo.object_hash().len_in_bytes();
        let mut layers: Vec<Layer> = Vec::new();
        for file in graph_files(&repo.objects.store_ref().path().join("info"))? {
            let first = layers.last().map_or(0, |layer| layer.first + layer.commits);
            let mut layer = Layer::parse(std::fs::read(file).ok()?, first, hash_len)?;
            layer.filters.take_if(|filters| wanted > 0 && i64::from(filters.version) != wanted);
            if !layer.is_part_of(graph, hash_len) {
                return None;
            }
            layers.push(layer);
        }
        let last = layers.last()?;
        let is_whole = last.first + last.commits == graph.num_commits();
        (is_whole && layers.iter().any(|layer| layer.filters.is_some())).then_some(Self { layers })
    }

    /// Whether the path may differ between the commit at this position of the graph and its first parent.
    pub(crate) fn may_have_changed(&self, position: u32, key: &PathKey) -> bool {
        let at = self.layers.partition_point(|layer| layer.first <= position).saturating_sub(1);
        self.layers.get(at).is_none_or(|layer| layer.may_have_changed(position - layer.first, key))
    }
}

impl Layer {
    fn parse(bytes: Vec<u8>, first: u32, hash_len: usize) -> Option<Self> {
        let chunk = |name: &[u8; 4]| chunk(&bytes, name);
        let fan = chunk(b"OIDF")?;
        let commits = number(&bytes, fan.start + 255 * 4)?;
        if chunk(b"OIDL")?.len() != commits as usize * hash_len {
            return None;
        }
        let filters = chunk(b"BIDX").zip(chunk(b"BDAT")).and_then(|(ends, data)| {
            const HEADER: usize = 12;
            let filters = Filters {
                version: number(&bytes, data.start)?,
                hashes: number(&bytes, data.start + 4)?,
                data: data.start.checked_add(HEADER).filter(|start| *start <= data.end)?..data.end,
                ends,
            };
            let is_known = matches!(filters.version, 1 | 2) && filters.hashes <= 64;
            (is_known && filters.ends.len() == commits as usize * 4).then_some(filters)
        });
        Some(Self { first, commits, bytes, filters })
    }

    /// Whether the first and the last commit are where the graph has them: the file may have been replaced meanwhile.
    fn is_part_of(&self, graph: &gix::commitgraph::Graph, hash_len: usize) -> bool {
        let Some(ids) = chunk(&self.bytes, b"OIDL") else { return false };
        [0, self.commits.saturating_sub(1)].into_iter().all(|at| {
            let start = ids.start + at as usize * hash_len;
            let position = self.first + at;
            position < graph.num_commits()
                && self.bytes.get(start..start + hash_len)
                    == Some(graph.id_at(gix::commitgraph::Position(position)).as_bytes())
        })
    }

    fn may_have_changed(&self, at: u32, key: &PathKey) -> bool {
        let Some(filters) = &self.filters else { return true };
        if filters.version == 1 && !key.is_ascii {
            return true;
        }
        let Some(filter) = self.filter(filters, at as usize) else { return true };
        let bits = filter.len() as u32 * 8;
        key.hashes.iter().all(|(first, step)| {
            (0..filters.hashes).all(|round| {
                let bit = first.wrapping_add(round.wrapping_mul(*step)) % bits;
                filter[(bit / 8) as usize] & (1 << (bit % 8)) != 0
            })
        })
    }

    /// The filter of a commit; `None` where none was computed.
    fn filter(&self, filters: &Filters, at: usize) -> Option<&[u8]> {
        let end = |at: usize| Some(number(&self.bytes, filters.ends.start + at * 4)? as usize);
        let (start, end) = (if at == 0 { 0 } else { end(at - 1)? }, end(at)?);
        self.bytes[filters.data.clone()].get(start..end).filter(|filter| !filter.is_empty())
    }
}

/// The files of the graph, the oldest layer first.
fn graph_files(info: &Path) -> Option<Vec<PathBuf>> {
    let single = info.join("commit-graph");
    if single.is_file() {
        return Some(vec![single]);
    }
    let layers = info.join("commit-graphs");
    let chain = std::fs::read_to_string(layers.join("commit-graph-chain")).ok()?;
    Some(chain.lines().map(|hash| layers.join(format!("graph-{hash}.graph"))).collect())
}

/// Where the chunk is, as the table at the head of the file says.
fn chunk(bytes: &[u8], name: &[u8; 4]) -> Option<Range<usize>> {
    const HEADER: usize = 8;
    const ROW: usize = 12;
    let chunks = usize::from(*bytes.get(6)?);
    let row = |at: usize| bytes.get(HEADER + at * ROW..HEADER + (at + 1) * ROW);
    let offset = |at: usize| {
        let offset: [u8; 8] = row(at)?[4..].try_into().ok()?;
        usize::try_from(u64::from_be_bytes(offset)).ok()
    };
    let at = (0..chunks).find(|at| row(*at).is_some_and(|row| row.starts_with(name)))?;
    let range = offset(at)?..offset(at + 1)?;
    (range.start <= range.end && range.end <= bytes.len()).then_some(range)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let number: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(u32::from_be_bytes(number))
}

/// The two seeds the format prescribes.
const SEEDS: (u32, u32) = (0x293a_e76f, 0x7e64_6e2c);

/// Murmur3 of 32 bits, as published by its author.
fn murmur3(seed: u32, bytes: &[u8]) -> u32 {
    let mix = |block: u32| block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let (blocks, tail) = bytes.as_chunks::<4>();
    let mut hash = seed;
    for block in blocks {
        hash = (hash ^ mix(u32::from_le_bytes(*block)))
            .rotate_left(13)
            .wrapping_mul(5)
            .wrapping_add(0xe654_6b64);
    }
    let rest = tail.iter().rev().fold(0_u32, |rest, byte| rest << 8 | u32::from(*byte));
    if !tail.is_empty() {
        hash ^= mix(rest);
    }
    hash ^= bytes.len() as u32;
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(murmur3(0, b""), 0);
        assert_eq!(murmur3(1, b""), 0x514e_28b7);
        assert_eq!(murmur3(0, b"Hello world!"), 0x627b_0c2c);
        assert_eq!(murmur3(0, b"The quick brown fox jumps over the lazy dog"), 0x2e4f_f723);
    }

    #[test]
    fn a_path_is_known_with_the_folders_it_lies_in() {
        let keys = PathKey::new(&RepoPath::from("a/b/c")).hashes;
        let alone = |path: &str| *PathKey::new(&RepoPath::from(path)).hashes.last().expect("the path itself");
        assert_eq!(keys, [alone("a"), alone("a/b"), alone("a/b/c")]);
        assert_eq!(PathKey::new(&RepoPath::from("a//b/c/")).hashes, keys);
        assert_eq!(PathKey::new(&RepoPath::default()).hashes, [], "every filter says maybe to the root");
    }
}
