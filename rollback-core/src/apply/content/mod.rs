//! Between the bytes git keeps and the bytes in the work tree: `$Id$`, line endings, encodings, drivers.
//!
//! The order is git's: towards the work tree `$Id$`, line ends, encoding, driver; towards git the other
//! way round. Line ends and drivers are the object library's; `$Id$` and the UTF-16 and UTF-32 encodings
//! are ours, because it writes `$Id: …$` without the last blank and UTF-8 in place of UTF-16.
//!
//! A driver is a program. One that the repository itself configures is never started; the path is refused
//! by name, because writing it unfiltered would be wrong too, unless somebody trusts the repository. Drivers from the user's or the system's
//! configuration run as they do under git.

mod driver;
mod encoding;
mod ident;
mod rules;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};
use gix::filter::plumbing::driver::Operation;
use gix::filter::plumbing::{Driver, eol};
use gix::worktree::stack::state::attributes::Source as AttributeSource;

use self::driver::{Applied, Failure, Job, Runner};
use self::rules::Rules;
use crate::error::{Error, Result};
use crate::filters::FilterCall;
use crate::id::ObjectId;
use crate::path::RepoPath;
use crate::repo::index::Index;
use crate::repo::{Objects, Programs};

pub(crate) use self::driver::Destination;

/// The conversions that apply at each path, with the attributes as seen from one side.
pub(crate) struct Content<'a> {
    objects: &'a Objects,
    attributes: gix::worktree::Stack,
    found: gix::attrs::search::Outcome,
    eol: eol::Configuration,
    drivers: Vec<Driver>,
    programs: Runner,
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
        let files = attribute_files(index, repo.object_hash());
        let attributes = repo.attributes_only(&files, source).map_err(failed)?.detach();
        let options = gix::filter::Pipeline::options(repo).map_err(failed)?;
        Ok(Self {
            objects,
            found: attributes.selected_attribute_matches(rules::ATTRIBUTES),
            attributes,
            eol: options.eol_config,
            drivers: options.drivers,
            programs: Runner {
                start: Arc::clone(objects.filters()),
                patience: crate::repo::program_timeout(repo)?,
                place: place_of_filters(repo),
                running: HashMap::new(),
            },
            untrusted: match objects.programs() {
                Programs::Refused => untrusted_drivers(repo),
                Programs::Trusted(_) => BTreeSet::new(),
            },
        })
    }

    /// Writes the bytes for the work tree, what a filter makes of them piece by piece. Returns the hash of what was
    /// written, as of a blob, where it all was in memory.
    ///
    /// # Errors
    /// [`Error::DriverNotTrusted`]; [`Error::FilterFailed`] for a filter that must not fail; [`Error::Io`] where the
    /// destination takes no more.
    pub(crate) fn write_for_work_tree(
        &mut self,
        path: &RepoPath,
        blob: ObjectId,
        bytes: Vec<u8>,
        to: &mut dyn Destination,
    ) -> Result<Option<ObjectId>> {
        let rules = self.rules_at(path)?;
        let failed =
            |error: gix::Error| Error::internal(format!("cannot convert {path} for the work tree"), error);
        let mut bytes = bytes;
        if rules.ident {
            bytes = ident::expand(&bytes, blob).unwrap_or(bytes);
        }
        let mut converted = Vec::new();
        if eol::convert_to_worktree(&bytes, rules.eol, &mut converted, self.eol).map_err(failed)? {
            bytes = converted;
        }
        if let Some(encoding) = &rules.encoding {
            // As git does: what cannot be encoded is written as it is.
            bytes = encoding::encode(&bytes, encoding.as_bstr()).unwrap_or(bytes);
        }
        let Some(driver) = self.driver_of(&rules) else {
            to.write_all(&bytes).map_err(|error| Error::io("write", path.to_string(), error))?;
            return raw_id(&bytes, self.objects.gix().object_hash()).map(Some);
        };
        let job = Job { operation: Operation::Smudge, path, blob: Some(blob) };
        self.run_driver(&driver, &job, &bytes, to).map(|()| None)
    }

    /// Whether the work tree gets the bytes at `path` as git keeps them.
    ///
    /// # Errors
    /// [`Error::DriverNotTrusted`].
    pub(crate) fn leaves_as_is(&mut self, path: &RepoPath) -> Result<bool> {
        let rules = self.rules_at(path)?;
        let driven = self.driver_of(&rules).is_some();
        let crlf = rules.eol.to_eol(self.eol) == Some(eol::Mode::CrLf);
        Ok(!rules.ident && !crlf && rules.encoding.is_none() && !driven)
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
        raw_id(&self.for_git(path, bytes, in_index)?, self.objects.gix().object_hash())
    }

    /// The bytes that git would keep of the file.
    ///
    /// # Errors
    /// [`Error::DriverNotTrusted`].
    pub(crate) fn for_git(
        &mut self,
        path: &RepoPath,
        bytes: &[u8],
        in_index: Option<ObjectId>,
    ) -> Result<Vec<u8>> {
        let rules = self.rules_at(path)?;
        let failed = |error: gix::Error| Error::internal(format!("cannot convert {path} for git"), error);
        let mut bytes = match self.driver_of(&rules) {
            None => bytes.to_vec(),
            Some(driver) => {
                let mut cleaned = Vec::new();
                let job = Job { operation: Operation::Clean, path, blob: None };
                self.run_driver(&driver, &job, bytes, &mut cleaned)?;
                cleaned
            }
        };
        if let Some(encoding) = &rules.encoding {
            bytes = encoding::decode(&bytes, encoding.as_bstr()).unwrap_or(bytes);
        }
        let odb = &self.objects.gix().objects;
        let mut index_blob = |buffer: &mut Vec<u8>| -> gix::Result<Option<()>> {
            let Some(id) = in_index else { return Ok(None) };
            let found = gix::objs::Find::try_find(odb, &id.0, buffer)?;
            Ok(found.filter(|object| object.kind == gix::objs::Kind::Blob).map(|_| ()))
        };
        let options = eol::convert_to_git::Options { round_trip_check: None, config: self.eol };
        let mut converted = Vec::new();
        if eol::convert_to_git(&bytes, rules.eol, &mut converted, &mut index_blob, options).map_err(failed)? {
            bytes = converted;
        }
        if rules.ident {
            bytes = ident::collapse(&bytes).unwrap_or(bytes);
        }
        Ok(bytes)
    }

    /// Refuses a path whose driver the repository itself configures.
    ///
    /// # Errors
    /// [`Error::DriverNotTrusted`].
    pub(crate) fn refuse_untrusted_driver(&mut self, path: &RepoPath) -> Result<()> {
        if self.untrusted.is_empty() {
            return Ok(());
        }
        self.rules_at(path).map(drop)
    }

    fn rules_at(&mut self, path: &RepoPath) -> Result<Rules> {
        let odb = &self.objects.gix().objects;
        let attributes = self
            .attributes
            .at_entry(path.as_bstr(), None, odb)
            .map_err(|source| Error::io("read attributes for", path.to_string(), source))?;
        attributes.matching_attributes(&mut self.found);
        let rules = Rules::read(&self.found, self.eol);
        match rules.driver.as_ref().filter(|driver| self.untrusted.contains(*driver)) {
            Some(driver) => {
                Err(Error::DriverNotTrusted { path: path.clone(), driver: format!("filter '{driver}'") })
            }
            None => Ok(rules),
        }
    }

    fn driver_of(&self, rules: &Rules) -> Option<Driver> {
        self.drivers.iter().find(|driver| rules.driver.as_ref() == Some(&driver.name)).cloned()
    }

    fn run_driver(
        &mut self,
        driver: &Driver,
        job: &Job<'_>,
        bytes: &[u8],
        to: &mut dyn Destination,
    ) -> Result<()> {
        let unwritable = |error| Error::io("write", job.path.to_string(), error);
        let why = match self.programs.apply(driver, job, &mut &*bytes, to) {
            Ok(Applied::Yes) => return Ok(()),
            Ok(Applied::No) => "it does nothing in this direction".to_owned(),
            Err(Failure::Destination(error)) => return Err(unwritable(error)),
            Err(Failure::Filter(why)) => why,
        };
        if driver.required {
            let filter = driver.name.to_string();
            return Err(Error::FilterFailed { path: job.path.clone(), filter, why });
        }
        // As git does: a driver that is not required may fail, and then the bytes stay as they are.
        to.restart().and_then(|()| to.write_all(bytes)).map_err(unwritable)
    }
}

/// Where filters run, and which repository git finds there.
fn place_of_filters(repo: &gix::Repository) -> FilterCall {
    let whole = |path: &std::path::Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let git_dir = whole(repo.git_dir());
    let work_tree = repo.workdir().map(whole);
    let mut environment = vec![("GIT_DIR", git_dir.clone().into_os_string())];
    environment.extend(work_tree.clone().map(|folder| ("GIT_WORK_TREE", folder.into_os_string())));
    FilterCall { command: Default::default(), folder: work_tree.unwrap_or(git_dir), environment }
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
        let Some(name) = section.header().subsection_name() else { continue };
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
