//! Between the bytes git keeps and the bytes in the work tree: line endings, `$Id$`, encodings, drivers.
//!
//! A driver is a program. One that the repository itself configures is never started; the path is refused
//! by name, because writing it unfiltered would be wrong too. Drivers from the user's or the system's
//! configuration run as they do under git.

use std::collections::BTreeSet;
use std::io::Read;

use bstr::{BStr, BString, ByteSlice};
use gix::filter::plumbing::pipeline::{CrlfRoundTripCheck, convert};
use gix::worktree::stack::state::attributes::Source as AttributeSource;

use crate::error::{Error, Result};
use crate::id::ObjectId;
use crate::path::RepoPath;
use crate::repo::Objects;
use crate::repo::index::Index;

/// The conversions that apply at each path, with the attributes as seen from one side.
pub(crate) struct Content<'a> {
    objects: &'a Objects,
    pipeline: gix::filter::plumbing::Pipeline,
    attributes: gix::worktree::Stack,
    filter: gix::attrs::search::Outcome,
    untrusted: BTreeSet<BString>,
}

impl<'a> Content<'a> {
    /// For reading the work tree: its own `.gitattributes` count, then those of the index.
    pub(crate) fn of_work_tree(objects: &'a Objects, index: &Index) -> Result<Self> {
        Self::new(objects, index, AttributeSource::WorktreeThenIdMapping)
    }

    /// For writing the work tree: the `.gitattributes` that the index will have count first.
    pub(crate) fn of_result(objects: &'a Objects, index: &Index) -> Result<Self> {
        Self::new(objects, index, AttributeSource::IdMappingThenWorktree)
    }

    fn new(objects: &'a Objects, index: &Index, source: AttributeSource) -> Result<Self> {
        let failed = |error: gix::Error| Error::internal("cannot read the attributes", error);
        let repo = objects.gix();
        let attributes =
            repo.attributes_only(&attribute_files(index, repo.object_hash()), source).map_err(failed)?;
        let untrusted = untrusted_drivers(repo);
        let mut options = gix::filter::Pipeline::options(repo).map_err(failed)?;
        options.drivers.retain(|driver| !untrusted.contains(&driver.name));
        options.crlf_roundtrip_check = CrlfRoundTripCheck::Skip;
        let attributes = attributes.detach();
        let filter = attributes.selected_attribute_matches(["filter"]);
        let context = repo.command_context().map_err(failed)?;
        Ok(Self {
            objects,
            pipeline: gix::filter::plumbing::Pipeline::new(context, repo.object_hash(), options),
            attributes,
            filter,
            untrusted,
        })
    }

    /// The bytes for the work tree.
    ///
    /// # Errors
    /// [`Error::DriverNotTrusted`].
    pub(crate) fn to_work_tree(
        &mut self,
        path: &RepoPath,
        blob: ObjectId,
        bytes: Vec<u8>,
    ) -> Result<Vec<u8>> {
        self.refuse_untrusted_driver(path)?;
        let failed =
            |error: gix::Error| Error::internal(format!("cannot convert {path} for the work tree"), error);
        let attributes = self
            .attributes
            .at_entry(path.as_bstr(), None, &self.objects.gix().objects)
            .map_err(|source| Error::io("read attributes for", path.to_string(), source))?;
        self.pipeline.driver_context_mut().blob = Some(blob.0);
        let options = convert::to_worktree::Options {
            can_delay: gix::filter::plumbing::driver::apply::Delay::Forbid,
            ..Default::default()
        };
        let mut look_up = |_: &BStr, found: &mut gix::attrs::search::Outcome| {
            attributes.matching_attributes(found);
        };
        let mut converted = self
            .pipeline
            .convert_to_worktree(&bytes, path.as_bstr(), &mut look_up, options)
            .map_err(failed)?;
        let mut out = Vec::new();
        match converted.as_bytes() {
            Some(changed) if converted.is_changed() => out.extend_from_slice(changed),
            Some(_) => {
                drop(converted);
                return Ok(bytes);
            }
            None => {
                converted
                    .read_to_end(&mut out)
                    .map_err(|source| Error::io("filter", path.to_string(), source))?;
            }
        }
        Ok(out)
    }

    /// The id of the blob that git would make of the file.
    ///
    /// # Errors
    /// [`Error::DriverNotTrusted`].
    pub(crate) fn blob_id(
        &mut self,
        path: &RepoPath,
        bytes: &[u8],
        in_index: Option<ObjectId>,
    ) -> Result<ObjectId> {
        self.refuse_untrusted_driver(path)?;
        let failed = |error: gix::Error| Error::internal(format!("cannot convert {path} for git"), error);
        let odb = &self.objects.gix().objects;
        let attributes = self
            .attributes
            .at_entry(path.as_bstr(), None, odb)
            .map_err(|source| Error::io("read attributes for", path.to_string(), source))?;
        let relative = path.to_relative_path().ok_or_else(|| Error::InvalidPath {
            path: path.to_string(),
            why: "this system cannot spell it",
        })?;
        let mut look_up = |_: &BStr, found: &mut gix::attrs::search::Outcome| {
            attributes.matching_attributes(found);
        };
        let mut index_blob = |buffer: &mut Vec<u8>| -> gix::Result<Option<()>> {
            let Some(id) = in_index else { return Ok(None) };
            let found = gix::objs::Find::try_find(odb, &id.0, buffer)?;
            Ok(found.filter(|object| object.kind == gix::objs::Kind::Blob).map(|_| ()))
        };
        let mut converted =
            self.pipeline.convert_to_git(bytes, &relative, &mut look_up, &mut index_blob).map_err(failed)?;
        if !converted.is_changed() {
            drop(converted);
            return raw_id(bytes, self.objects.gix().object_hash());
        }
        let mut out = Vec::new();
        converted.read_to_end(&mut out).map_err(|source| Error::io("filter", path.to_string(), source))?;
        raw_id(&out, self.objects.gix().object_hash())
    }

    /// Refuses a path whose driver the repository itself configures.
    ///
    /// # Errors
    /// [`Error::DriverNotTrusted`].
    pub(crate) fn refuse_untrusted_driver(&mut self, path: &RepoPath) -> Result<()> {
        if self.untrusted.is_empty() {
            return Ok(());
        }
        let attributes = self
            .attributes
            .at_entry(path.as_bstr(), None, &self.objects.gix().objects)
            .map_err(|source| Error::io("read attributes for", path.to_string(), source))?;
        attributes.matching_attributes(&mut self.filter);
        let driver = self.filter.iter_selected().find_map(|found| match found.assignment.state {
            gix::attrs::StateRef::Value(value) => Some(value.as_bstr().to_owned()),
            _ => None,
        });
        match driver.filter(|driver| self.untrusted.contains(driver)) {
            Some(driver) => {
                Err(Error::DriverNotTrusted { path: path.clone(), driver: format!("filter '{driver}'") })
            }
            None => Ok(()),
        }
    }
}

/// The id of a blob with exactly these bytes.
pub(crate) fn raw_id(bytes: &[u8], hash: gix::hash::Kind) -> Result<ObjectId> {
    gix::objs::compute_hash(hash, gix::objs::Kind::Blob, bytes)
        .map(ObjectId)
        .map_err(|error| Error::internal("cannot compute a hash", error))
}

/// The object library looks attributes up in an index of its own kind; these entries are all it needs.
fn attribute_files(index: &Index, hash: gix::hash::Kind) -> gix::index::State {
    let mut state = gix::index::State::new(hash);
    let named = |path: &[u8]| path == b".gitattributes" || path.ends_with(b"/.gitattributes");
    for entry in index.entries().iter().filter(|entry| entry.flags.stage() == 0 && named(&entry.path)) {
        if entry.mode.is_file() {
            state.dangerously_push_entry(
                Default::default(),
                entry.id.0,
                gix::index::entry::Flags::empty(),
                gix::index::entry::Mode::FILE,
                entry.path.as_bstr(),
            );
        }
    }
    state
}

/// The drivers that the repository's own configuration defines or changes.
fn untrusted_drivers(repo: &gix::Repository) -> BTreeSet<BString> {
    use gix::config::Source;
    let config = repo.config_snapshot();
    let mut found = BTreeSet::new();
    for section in config.plumbing().sections_by_name("filter").into_iter().flatten() {
        if !matches!(section.meta().source, Source::Local | Source::Worktree) {
            continue;
        }
        let Some(name) = section.header().subsection_name() else {
            continue;
        };
        let runs = ["clean", "smudge", "process"]
            .iter()
            .filter_map(|key| section.value(key).map(|value| (*key, value)))
            .any(|(key, command)| !is_usual_lfs(name, key, &command));
        if runs {
            found.insert(name.to_owned());
        }
    }
    found
}

/// What `git lfs install --local` writes, which starts the same program as a global installation.
fn is_usual_lfs(name: &BStr, key: &str, command: &[u8]) -> bool {
    let usual: &[&[u8]] = match key {
        "clean" => &[b"git-lfs clean -- %f", b"git lfs clean -- %f", b"git lfs clean %f"],
        "smudge" => &[
            b"git-lfs smudge -- %f",
            b"git-lfs smudge --skip -- %f",
            b"git lfs smudge -- %f",
            b"git lfs smudge %f",
        ],
        _ => &[b"git-lfs filter-process", b"git-lfs filter-process --skip", b"git lfs filter-process"],
    };
    name == "lfs" && usual.contains(&command)
}
