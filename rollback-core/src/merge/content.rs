//! Two versions of one thing and what they come from: files are merged line by line, modes by what changed
//! them, links and submodules not at all.

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::attributes::{Attributes, BinaryDiffs, PathAttributes, ROOT_FILE, State};
use super::case::{BASE, Case, OURS, PathId, Stop, THEIRS};
use super::driver::{self, Drivers};
use super::eol::AutoCrlf;
use super::submodule::{self, Place};
use super::text::{self, Algorithm, MergedText, TextLabels, TextMerger, TextOptions};
use super::tree::Version;
use super::{Favor, Options, ReviewReason, rename};
use crate::conflict::ConflictKind;
use crate::error::{Error, Result};
use crate::merge_drivers::DriverEnd;
use crate::repo::{FollowedGit, Objects};

/// As far as git looks for the byte 0 that makes a file binary.
const BINARY_PROBE: usize = 8000;
/// Files larger than this are not compared line by line.
const TEXT_LIMIT: usize = 1023 << 20;

/// The state that merges of content share.
pub(super) struct Content {
    text: TextMerger,
    pub(super) attributes: Attributes,
    /// What was found out about files in the search for renames.
    pub(super) known: rename::Known,
    auto_crlf: AutoCrlf,
    has_work_tree: bool,
    /// The attributes by a file at the root that a merge has, see [`Case::merge_attributes`]; kept for the next merge.
    of_merge: Option<(gix::ObjectId, Attributes)>,
    /// The programs under `merge.<name>` in the configuration.
    drivers: Drivers,
    /// The driver of files without a `merge` attribute.
    default_driver: Option<BString>,
    /// The names under `diff.<name>` that say whether their files are binary.
    binary_diffs: BinaryDiffs,
}

/// What became of a merge of content.
pub(super) struct MergedContent {
    pub(super) version: Version,
    /// What stands in the way of a clean result.
    pub(super) conflict: Option<ConflictKind>,
}

/// What attributes are asked for.
#[derive(Clone, Copy)]
enum Asked {
    /// How a file is stored and checked out.
    Conversion,
    /// How it is merged.
    Merge,
}

/// The attributes at the root that a merge which renormalises has itself; those of the work tree count where it has none.
#[derive(Clone, Copy, Default)]
pub(super) struct RootAttributes {
    conversion: Option<gix::ObjectId>,
    merge: Option<gix::ObjectId>,
}

/// How a file is merged.
enum Driver {
    Text,
    Union,
    Binary,
}

impl Content {
    pub(super) fn new(objects: &Objects, git: FollowedGit) -> Result<Self> {
        let repo = objects.gix();
        let config = repo.config_snapshot();
        Ok(Self {
            text: TextMerger::following(git),
            attributes: Attributes::new(repo)?,
            known: rename::Known::default(),
            auto_crlf: auto_crlf(config.string("core.autocrlf").as_ref().map(|value| value.as_slice())),
            has_work_tree: repo.workdir().is_some(),
            of_merge: None,
            drivers: Drivers::of(objects),
            default_driver: config.string("merge.default"),
            binary_diffs: BinaryDiffs::of(repo),
        })
    }

    /// The driver that the attributes name; `Err` with the name of one that is a program.
    fn driver(&self, attributes: &PathAttributes) -> Result<Driver, BString> {
        let name = match &attributes.merge {
            State::Set => return Ok(Driver::Text),
            State::Unset => return Ok(Driver::Binary),
            State::Unspecified => match &self.default_driver {
                Some(name) => name,
                None => return Ok(Driver::Text),
            },
            State::Value(name) => name,
        };
        if self.drivers.has(name) {
            return Err(name.clone());
        }
        Ok(match name.as_slice() {
            b"binary" => Driver::Binary,
            b"union" => Driver::Union,
            _ => Driver::Text,
        })
    }

    /// Whether the `diff` attribute says that a file is binary, or is not; `None` leaves it to the content.
    pub(super) fn declared_binary(&self, attributes: &PathAttributes) -> Option<bool> {
        self.binary_diffs.declared(&attributes.diff)
    }
}

fn auto_crlf(value: Option<&[u8]>) -> AutoCrlf {
    match value.map(<[u8]>::to_ascii_lowercase).as_deref() {
        None | Some(b"false" | b"no" | b"off" | b"0" | b"") => AutoCrlf::Off,
        Some(_) => AutoCrlf::On,
    }
}

/// Whether the content itself shows that a file is binary.
pub(crate) fn looks_binary(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(BINARY_PROBE)].contains(&0)
}

impl Case<'_> {
    /// Merges `versions` of one type. `path` is where the result will lie, `pathnames` where the versions do,
    /// and `longer_markers` by how much the markers outgrow those of a merge that may be merged again.
    pub(super) fn merge_content(
        &mut self,
        path: PathId,
        versions: &[Version; 3],
        pathnames: [PathId; 3],
        longer_markers: usize,
    ) -> Result<MergedContent, Stop> {
        let [base, ours, theirs] = versions;
        let (mode, mode_conflict) = if ours.mode == theirs.mode || ours.mode == base.mode {
            (theirs.mode, None)
        } else {
            (ours.mode, (theirs.mode != base.mode).then_some(ConflictKind::Mode))
        };
        let decided = |id, conflict: Option<ConflictKind>| {
            Ok(MergedContent { version: Version { mode, id }, conflict: conflict.or(mode_conflict) })
        };
        if ours.id == theirs.id || ours.id == base.id {
            return decided(theirs.id, None);
        }
        if theirs.id == base.id {
            return decided(ours.id, None);
        }
        if ours.is_file() {
            let (id, conflict) = self.merge_files(path, versions, pathnames, longer_markers)?;
            return decided(id, conflict);
        }
        if ours.is_submodule() {
            let (id, conflict) = self.merge_submodules(pathnames[BASE], versions)?;
            return decided(id, conflict);
        }
        match self.options.favor {
            None => decided(ours.id, Some(ConflictKind::Symlink)),
            Some(Favor::Ours) => decided(ours.id, None),
            Some(Favor::Theirs) => decided(theirs.id, None),
        }
    }

    fn merge_files(
        &mut self,
        path: PathId,
        versions: &[Version; 3],
        pathnames: [PathId; 3],
        longer_markers: usize,
    ) -> Result<(gix::ObjectId, Option<ConflictKind>), Stop> {
        self.check_cancelled()?;
        let [base, ours, theirs] = versions;
        let name = self.paths.name(path).clone();
        // A base of another type is as good as none.
        let base_bytes = if base.same_type(ours) { self.stored(path, base.id)? } else { Default::default() };
        let our_bytes = self.stored(path, ours.id)?;
        let their_bytes = self.stored(path, theirs.id)?;
        let attributes = self.merge_attributes(&name, Asked::Merge)?;
        let marker_size = attributes.marker_size.0 + longer_markers;
        let driver = match self.content.driver(&attributes) {
            Ok(driver) => driver,
            Err(driver) => {
                let versions = [&base_bytes, &our_bytes, &their_bytes].map(|bytes| bytes.as_slice());
                let labels = self.marker_labels(pathnames);
                let file = driver::File { path: name.as_bstr(), versions, labels, marker_size };
                return self.merge_by_program(path, &driver, file);
            }
        };
        let no_text = |bytes: &[u8]| bytes.len() > TEXT_LIMIT || looks_binary(bytes);
        let as_binary = matches!(driver, Driver::Binary)
            || [&base_bytes, &our_bytes, &their_bytes].into_iter().any(|bytes| no_text(bytes));
        if as_binary {
            let (kept, bytes, conflict) = match (driver, self.options.favor) {
                (Driver::Union, _) | (_, None) => (ours.id, our_bytes, Some(ConflictKind::Binary)),
                (_, Some(Favor::Ours)) => (ours.id, our_bytes, None),
                (_, Some(Favor::Theirs)) => (theirs.id, their_bytes, None),
            };
            let kept = if self.options.renormalize { self.store.make_blob(bytes.to_vec())? } else { kept };
            return Ok((kept, conflict));
        }
        let options = text_options(self.options, &driver, marker_size);
        let [base_label, our_label, their_label] = self.marker_labels(pathnames);
        let labels = TextLabels {
            base: base_label.as_bstr(),
            ours: our_label.as_bstr(),
            theirs: their_label.as_bstr(),
        };
        let merged: MergedText =
            self.content.text.merge(&base_bytes, &our_bytes, &their_bytes, labels, &options);
        self.auto_merged.push(self.repo_path(path));
        let id = self.store.make_blob(merged.bytes)?;
        Ok((id, (merged.conflicts > 0).then_some(ConflictKind::Content)))
    }

    /// Lets a program merge a file. git takes its word for the result: neither `-X` nor a byte 0 counts here.
    fn merge_by_program(
        &mut self,
        path: PathId,
        driver: &BString,
        file: driver::File<'_>,
    ) -> Result<(gix::ObjectId, Option<ConflictKind>), Stop> {
        let (at, name) = (self.repo_path(path), driver.to_string());
        let (bytes, conflict) = match self.content.drivers.merge(driver, file) {
            None => return Err(Stop::Review(ReviewReason::MergeDriver { path: at, driver: name })),
            Some(DriverEnd::Failed(why)) => {
                return Err(Stop::Review(ReviewReason::MergeDriverFailed { path: at, driver: name, why }));
            }
            Some(DriverEnd::Clean(bytes)) => (bytes, None),
            Some(DriverEnd::Conflicted(bytes)) => (bytes, Some(ConflictKind::Content)),
        };
        self.auto_merged.push(at);
        Ok((self.store.make_blob(bytes)?, conflict))
    }

    /// A file as it is merged: as it is, or with line endings as git would store them today.
    fn stored(&mut self, path: PathId, id: gix::ObjectId) -> Result<Rc<Vec<u8>>, Stop> {
        let blob = self.store.blob(id).map_err(|error| match error {
            Error::TooLarge { size, limit, .. } => {
                Error::TooLarge { what: self.repo_path(path).to_string(), size, limit }
            }
            error => error,
        })?;
        if !self.options.renormalize {
            return Ok(blob);
        }
        let name = self.paths.name(path).clone();
        let conversion = self.merge_attributes(&name, Asked::Conversion)?.conversion;
        if conversion.foreign().is_some() {
            return Err(Stop::Review(ReviewReason::Filter { path: self.repo_path(path) }));
        }
        Ok(conversion.stored(&blob, self.content.auto_crlf).map_or(blob, Rc::new))
    }

    /// The attributes by which a file is merged.
    ///
    /// A merge that renormalises takes those at the root from itself first and then from the work tree, as a checkout does.
    fn merge_attributes(&mut self, path: &[u8], asked: Asked) -> Result<PathAttributes, Stop> {
        if !self.options.renormalize {
            return Ok(self.content.attributes.of(path, &self.store.gix().objects)?);
        }
        if !self.content.has_work_tree {
            return Err(Stop::unsupported("renormalised line endings without a work tree"));
        }
        let roots = match self.root_attributes {
            Some(known) => known,
            None => *self.root_attributes.insert(self.find_root_attributes()),
        };
        let root = match asked {
            Asked::Conversion => roots.conversion,
            Asked::Merge => roots.merge,
        };
        let Some(root) = root else {
            return Ok(self.content.attributes.of(path, &self.store.gix().objects)?);
        };
        let repo = self.store.gix();
        let of_merge = match &mut self.content.of_merge {
            Some((known, attributes)) if *known == root => attributes,
            kept => &mut kept.insert((root, Attributes::with_root(repo, root)?)).1,
        };
        Ok(of_merge.of(path, &repo.objects)?)
    }

    /// The file at the root that git puts into an index of its own when the first file is merged.
    ///
    /// In doubt that index holds base, ours and theirs as stages 0, 1 and 2, of which git reads 0, or else 2. It reads the
    /// attributes of conversions as soon as the first of them is there.
    fn find_root_attributes(&self) -> RootAttributes {
        let both = |version: Version| {
            let blob = read_as_blob(version);
            RootAttributes { conversion: blob, merge: blob }
        };
        let Some(info) = self.paths.find(ROOT_FILE).and_then(|path| self.info(path)) else {
            return match [BASE, OURS, THEIRS].map(|side| self.folders[0].trees[side].find(ROOT_FILE)) {
                [Some(base), Some(ours), Some(theirs)] => both(if base == ours { theirs } else { ours }),
                _ => RootAttributes::default(),
            };
        };
        match info.filemask {
            _ if info.clean && info.is_null => RootAttributes::default(),
            _ if info.clean => both(info.result),
            mask if mask & 1 != 0 => both(info.stages[BASE]),
            4 => both(info.stages[THEIRS]),
            6 => RootAttributes { merge: read_as_blob(info.stages[THEIRS]), conversion: None },
            _ => RootAttributes::default(),
        }
    }

    /// Whether a file differs from its base in no more than what renormalising takes away.
    pub(super) fn differs_in_endings_only(
        &mut self,
        path: PathId,
        base: &Version,
        side: &Version,
    ) -> Result<bool, Stop> {
        if !self.options.renormalize || base.mode != side.mode {
            return Ok(false);
        }
        // Links and submodules, too, where a rename brought the same version twice.
        Ok(base.id == side.id
            || base.is_file() && self.stored(path, base.id)? == self.stored(path, side.id)?)
    }

    /// What the markers call the versions: with their paths, where these differ.
    fn marker_labels(&self, pathnames: [PathId; 3]) -> [BString; 3] {
        let labels = [&self.labels.base, &self.labels.ours, &self.labels.theirs];
        if pathnames[BASE] == pathnames[OURS] && pathnames[OURS] == pathnames[THEIRS] {
            return labels.map(Clone::clone);
        }
        [BASE, OURS, THEIRS].map(|side| {
            let mut label = labels[side].clone();
            label.push(b':');
            label.extend_from_slice(self.paths.name(pathnames[side]));
            label
        })
    }

    /// A submodule moves forward where its history says so; without that history both sides' moves are in
    /// conflict, and ours stands.
    fn merge_submodules(
        &self,
        path: PathId,
        versions: &[Version; 3],
    ) -> Result<(gix::ObjectId, Option<ConflictKind>), Stop> {
        let place = Place::of(self.store.gix(), self.paths.name(path));
        let review = || Stop::Review(ReviewReason::SubmoduleHistory { path: self.repo_path(path) });
        submodule::merge(&place, versions).ok_or_else(review)
    }
}

/// The object, where git can read it as a file.
fn read_as_blob(version: Version) -> Option<gix::ObjectId> {
    let is_blob = !version.is_absent() && !version.is_submodule() && !version.mode.is_tree();
    is_blob.then_some(version.id)
}

fn text_options(options: &Options, driver: &Driver, marker_size: usize) -> TextOptions {
    let heeded = options.diff_algorithm == Algorithm::Histogram || options.git.is_at_least(2, 50);
    TextOptions {
        algorithm: if heeded { options.diff_algorithm } else { Algorithm::Histogram },
        minimal_fallback: !heeded && options.diff_algorithm == Algorithm::Minimal,
        whitespace: options.whitespace,
        style: options.conflict_style,
        favor: match (driver, options.favor) {
            (Driver::Union, _) => Some(text::Favor::Union),
            (_, Some(Favor::Ours)) => Some(text::Favor::Ours),
            (_, Some(Favor::Theirs)) => Some(text::Favor::Theirs),
            (_, None) => None,
        },
        marker_size,
        join_over_punctuation: false,
    }
}
