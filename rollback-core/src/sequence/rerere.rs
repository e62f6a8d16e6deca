//! `git rerere`: how a conflict was resolved is kept, and the next conflict of that kind is resolved so.
//!
//! A conflict is known by the hash of its hunks: the sides of each, without their names and in a fixed order. What a file
//! held with its markers (`preimage`) and after its resolution (`postimage`) is kept below `rr-cache/`; `MERGE_RR` lists
//! the paths that wait. Both are git's own, byte for byte (`rerere.c`).
//!
//! git looks at the files of the work tree, and a merge in memory at what git keeps. Where the two differ (line ends,
//! encodings, filters), a conflict is neither kept nor replayed; one that git has kept is recorded.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice, ByteVec};

use crate::apply::content::Content;
use crate::apply::{ConflictCache, Folder, Parent, parent_of};
use crate::conflict::Conflict;
use crate::content::is_space;
use crate::error::{Error, Result, SequenceError};
use crate::id::TreeId;
use crate::merge::text::{TextLabels, TextMerger, TextOptions};
use crate::merge::{MarkerSize, MarkerSizes};
use crate::path::RepoPath;
use crate::repo::{Edits, Objects, Repo};

/// What happened to a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RerereEvent {
    /// The conflict is new, and kept.
    RecordedPreimage(RepoPath),
    /// The resolution is kept.
    RecordedResolution(RepoPath),
    /// A kept resolution was applied.
    Resolved(RepoPath),
    /// A kept resolution was applied and staged.
    Staged(RepoPath),
}

/// What became of the conflicts of a merge.
#[derive(Default)]
pub(super) struct Replayed {
    /// The paths that were resolved; their content is in the tree.
    pub(super) resolved: Vec<RepoPath>,
    /// Whether these are staged.
    pub(super) staged: bool,
    pub(super) events: Vec<RerereEvent>,
    writes: Vec<Write>,
    list: Option<BString>,
}

/// What is to be done in the cache.
enum Write {
    Keep { id: String, name: String, bytes: Vec<u8> },
    Forget { id: String, name: String },
}

/// The conflict of a path.
#[derive(Clone, Debug)]
struct Known {
    id: String,
    /// Which of several conflicts of the same hash; `None` where that is not decided.
    variant: Option<usize>,
}

/// Whether conflicts are kept here: `rerere.enabled`, or else that they were kept before.
pub(super) fn is_enabled(repo: &Repo) -> Result<bool> {
    Ok(match repo.config_switch("rerere.enabled")? {
        Some(enabled) => enabled,
        None => ConflictCache::of(repo)?.is_there(),
    })
}

/// Resolves what is known of the conflicts in `tree`, which is changed accordingly. Nothing is written.
pub(super) fn replay(
    repo: &Repo,
    objects: &Objects,
    conflicts: &[Conflict],
    autoupdate: Option<bool>,
    tree: &mut TreeId,
) -> Result<Replayed> {
    let cache = ConflictCache::of(repo)?;
    let autoupdate = autoupdate.or(repo.config_switch("rerere.autoUpdate")?).unwrap_or(false);
    let mut replayed = Replayed { staged: autoupdate, ..Replayed::default() };
    let mut open = read_list(repo, &cache)?;
    let index = repo.read_index()?.index;
    let mut content = Content::of_work_tree(objects, &index)?;
    let files = replayed.open_conflicts((objects, &mut content), conflicts, *tree, &mut open)?;
    let mut edits = Edits::new();
    let mut left = BTreeMap::new();
    for (path, mut known) in open {
        let Some(normal) = files.get(&path) else {
            left.insert(path, known);
            continue;
        };
        match find_resolution(&cache, &known, normal)? {
            Some(resolved) => {
                if let Some(entry) = objects.entry_at(*tree, &path)? {
                    let id = objects.write_blob(&resolved)?;
                    edits.insert(path.clone(), Some(crate::id::Entry { id, ..entry }));
                }
                let event = if autoupdate { RerereEvent::Staged } else { RerereEvent::Resolved };
                replayed.events.push(event(path.clone()));
                replayed.resolved.push(path);
            }
            None => {
                let variant = free_variant(&cache, &known.id)?;
                known.variant = Some(variant);
                let name = file_name("preimage", variant);
                replayed.writes.push(Write::Keep { id: known.id.clone(), name, bytes: normal.clone() });
                replayed
                    .writes
                    .push(Write::Forget { id: known.id.clone(), name: file_name("postimage", variant) });
                replayed.events.push(RerereEvent::RecordedPreimage(path.clone()));
                left.insert(path, known);
            }
        }
    }
    if !edits.is_empty() {
        *tree = objects.edit_tree(*tree, &edits)?;
    }
    replayed.list = Some(list(&left));
    Ok(replayed)
}

/// Keeps how the paths that wait were resolved, as far as the files have no markers any more.
pub(super) fn record(repo: &Repo, objects: &Objects, root: &Folder) -> Result<Replayed> {
    let cache = ConflictCache::of(repo)?;
    let mut replayed = Replayed::default();
    if !is_enabled(repo)? {
        return Ok(replayed);
    }
    let mut left = BTreeMap::new();
    let mut sizes = MarkerSizes::of(objects)?;
    for (path, known) in read_list(repo, &cache)? {
        let (bytes, size) = (file(root, &path)?, sizes.at(&path)?);
        match (bytes, known.variant) {
            (Some(bytes), Some(variant)) if normalise(&bytes, size, objects).conflicts == Conflicts::None => {
                let name = file_name("postimage", variant);
                replayed.writes.push(Write::Keep { id: known.id, name, bytes });
                replayed.events.push(RerereEvent::RecordedResolution(path));
            }
            _ => drop(left.insert(path, known)),
        }
    }
    replayed.list = Some(list(&left));
    Ok(replayed)
}

impl Replayed {
    /// Adds the conflicts of a merge to those that wait; their files in normal form.
    fn open_conflicts(
        &mut self,
        (objects, content): (&Objects, &mut Content<'_>),
        conflicts: &[Conflict],
        tree: TreeId,
        open: &mut BTreeMap<RepoPath, Known>,
    ) -> Result<BTreeMap<RepoPath, Vec<u8>>> {
        let mut files = BTreeMap::new();
        let mut sizes = MarkerSizes::of(objects)?;
        for conflict in conflicts {
            let both = [conflict.stages.ours, conflict.stages.theirs];
            if !both.iter().all(|side| side.is_some_and(|entry| entry.mode.is_file())) {
                continue;
            }
            let entry = objects.entry_at(tree, &conflict.path)?;
            let Some(entry) = entry.filter(|entry| entry.mode.is_file()) else { continue };
            if !content.leaves_as_is(&conflict.path)? {
                continue;
            }
            let normal = normalise(&objects.blob(entry.id)?, sizes.at(&conflict.path)?, objects);
            if normal.conflicts != Conflicts::None
                && let Some(known) = open.remove(&conflict.path)
            {
                self.forget(&known);
            }
            if normal.conflicts == Conflicts::Some {
                open.insert(conflict.path.clone(), Known { id: normal.id, variant: None });
                files.insert(conflict.path.clone(), normal.text);
            }
        }
        Ok(files)
    }

    fn forget(&mut self, known: &Known) {
        let Some(variant) = known.variant else { return };
        for name in ["postimage", "preimage"] {
            self.writes.push(Write::Forget { id: known.id.clone(), name: file_name(name, variant) });
        }
    }

    /// Carries out what is to be done in the cache.
    ///
    /// # Writes
    /// Files below `rr-cache/`, and `MERGE_RR`.
    pub(super) fn keep(&self, repo: &Repo) -> Result<()> {
        let cache = ConflictCache::of(repo)?;
        for write in &self.writes {
            match write {
                Write::Keep { id, name, bytes } => cache.write(id, name, bytes)?,
                Write::Forget { id, name } => cache.remove(id, name)?,
            }
        }
        self.list.as_ref().map_or(Ok(()), |list| cache.write_open_conflicts(list))
    }
}

/// The content of a file of the work tree; `None` where there is none.
fn file(root: &Folder, path: &RepoPath) -> Result<Option<Vec<u8>>> {
    let failed = |error| Error::io("read", path.to_string(), error);
    let Parent::Open(parent) = parent_of(root, path).map_err(failed)? else { return Ok(None) };
    let mut bytes = Vec::new();
    let read = parent.open_file(path.file_name());
    match read.and_then(|mut file| std::io::Read::read_to_end(&mut file, &mut bytes)) {
        Ok(_) => Ok(Some(bytes)),
        Err(error) if crate::bounded::is_absent(&error) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// The file as a kept resolution leaves it, where one applies.
fn find_resolution(cache: &ConflictCache<'_>, known: &Known, normal: &[u8]) -> Result<Option<Vec<u8>>> {
    for variant in variants(&cache.names(&known.id)?, "postimage") {
        let before = cache.read(&known.id, &file_name("preimage", variant))?;
        let after = cache.read(&known.id, &file_name("postimage", variant))?;
        let (Some(before), Some(after)) = (before, after) else { continue };
        let (labels, options) = (TextLabels::default(), TextOptions::default());
        let merged = TextMerger::new().merge(&before, normal, &after, labels, &options);
        if merged.conflicts == 0 {
            return Ok(Some(merged.bytes));
        }
    }
    Ok(None)
}

/// The numbers of the files of this name, in order; the first has none.
fn variants(names: &[String], wanted: &str) -> Vec<usize> {
    let number = |name: &String| match name.strip_prefix(wanted)? {
        "" => Some(0),
        rest => rest.strip_prefix('.')?.parse().ok(),
    };
    let mut found: Vec<usize> = names.iter().filter_map(number).collect();
    found.sort_unstable();
    found
}

fn free_variant(cache: &ConflictCache<'_>, id: &str) -> Result<usize> {
    let names = cache.names(id)?;
    let (before, after) = (variants(&names, "preimage"), variants(&names, "postimage"));
    Ok((0..).find(|number| !before.contains(number) && !after.contains(number)).unwrap_or(0))
}

fn file_name(name: &str, variant: usize) -> String {
    if variant == 0 { name.to_owned() } else { format!("{name}.{variant}") }
}

fn read_list(repo: &Repo, cache: &ConflictCache<'_>) -> Result<BTreeMap<RepoPath, Known>> {
    let text = cache.open_conflicts()?.unwrap_or_default();
    let digits = repo.local().object_hash().len_in_hex();
    let corrupt = || Error::from(SequenceError::UnreadableOptions { why: "MERGE_RR is corrupt".into() });
    let mut open = BTreeMap::new();
    for row in text.split(|byte| *byte == 0).filter(|row| !row.is_empty()) {
        let (name, path) = row.split_once_str("\t").ok_or_else(corrupt)?;
        let name = name.to_str().map_err(|_| corrupt())?;
        let (id, variant) = match name.split_once('.') {
            Some((id, number)) => (id, number.parse().map_err(|_| corrupt())?),
            None => (name, 0),
        };
        if id.len() != digits || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(corrupt());
        }
        open.insert(RepoPath::new(path), Known { id: id.to_owned(), variant: Some(variant) });
    }
    Ok(open)
}

fn list(open: &BTreeMap<RepoPath, Known>) -> BString {
    let mut text = BString::default();
    for (path, known) in open {
        text.push_str(&known.id);
        if let Some(variant) = known.variant.filter(|variant| *variant > 0) {
            text.push_str(format!(".{variant}"));
        }
        text.push_byte(b'\t');
        text.push_str(path.as_bytes());
        text.push_byte(0);
    }
    text
}

/// Whether a file has conflicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conflicts {
    None,
    Some,
    /// The markers make no sense.
    Unreadable,
}

/// A file with its conflicts in their normal form.
struct Normal {
    text: Vec<u8>,
    id: String,
    conflicts: Conflicts,
}

fn normalise(bytes: &[u8], size: MarkerSize, objects: &Objects) -> Normal {
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let mut hasher = gix::hash::hasher(objects.gix().object_hash());
    let (mut text, mut conflicts) = (Vec::with_capacity(bytes.len()), Conflicts::None);
    while let Some(line) = lines.next() {
        if !is_marker(line, b'<', size) {
            text.extend_from_slice(line);
            continue;
        }
        let Some((one, two)) = hunk(&mut lines, size, &mut text) else {
            conflicts = Conflicts::Unreadable;
            break;
        };
        conflicts = Conflicts::Some;
        for side in [one, two] {
            hasher.update(&side);
            hasher.update(b"\0");
        }
    }
    let id = hasher.try_finalize().map(|id| id.to_string()).unwrap_or_default();
    Normal { text, id, conflicts }
}

/// Reads a conflict up to its end, and writes it in its normal form; the two sides as they were written.
fn hunk<'a>(
    lines: &mut impl Iterator<Item = &'a [u8]>,
    size: MarkerSize,
    out: &mut Vec<u8>,
) -> Option<(Vec<u8>, Vec<u8>)> {
    #[derive(PartialEq)]
    enum Side {
        One,
        Base,
        Two,
    }
    let (mut one, mut two, mut side) = (Vec::new(), Vec::new(), Side::One);
    while let Some(line) = lines.next() {
        if is_marker(line, b'<', size) {
            let mut inner = Vec::new();
            hunk(lines, size, &mut inner)?;
            if side == Side::One { one.extend(inner) } else { two.extend(inner) }
        } else if is_marker(line, b'|', size) {
            if side != Side::One {
                return None;
            }
            side = Side::Base;
        } else if is_marker(line, b'=', size) {
            if side == Side::Two {
                return None;
            }
            side = Side::Two;
        } else if is_marker(line, b'>', size) {
            if side != Side::Two {
                return None;
            }
            if one > two {
                std::mem::swap(&mut one, &mut two);
            }
            for (mark, text) in [(b'<', &one[..]), (b'=', &two), (b'>', b"")] {
                out.extend(std::iter::repeat_n(mark, size.0));
                out.push(b'\n');
                out.extend_from_slice(text);
            }
            return Some((one, two));
        } else {
            match side {
                Side::One => one.extend_from_slice(line),
                Side::Two => two.extend_from_slice(line),
                Side::Base => {}
            }
        }
    }
    None
}

/// Whether the line is a marker: as many letters as there are to be, and white space.
fn is_marker(line: &[u8], mark: u8, size: MarkerSize) -> bool {
    let Some((letters, rest)) = line.split_at_checked(size.0) else { return false };
    let is_named = matches!(mark, b'<' | b'>');
    let end = rest.first().copied();
    letters.iter().all(|byte| *byte == mark)
        && match is_named {
            true => end == Some(b' '),
            false => end.is_some_and(is_space),
        }
}
