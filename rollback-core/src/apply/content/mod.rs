//! Between the bytes git keeps and the bytes in the work tree: `$Id$`, line endings, encodings, drivers.
//!
//! The order is git's: towards the work tree `$Id$`, line ends, encoding, driver; towards git the other
//! way round. Line ends and drivers are the object library's; `$Id$` and the UTF-16 and UTF-32 encodings
//! are ours, because it writes `$Id: …$` without the last blank and UTF-8 in place of UTF-16.
//!
//! A driver is a program. One that the repository itself configures is never started unless the repository is trusted;
//! the path is refused by name, because writing it unfiltered would be wrong too. Drivers of the user's or the system's
//! configuration run as they do under git. An encoding that is not known is refused by name for the same reason.

mod attributes;
mod driver;
mod encoding;
mod ident;
mod rules;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};
use gix::filter::plumbing::driver::Operation;
use gix::filter::plumbing::{Driver, eol};

use self::attributes::Attributes;
use self::driver::{Applied, Failure, Job, Runner};
use self::encoding::Encoding;
use self::rules::Rules;
use super::changes::Change;
use crate::error::{Error, LandingError, Result, SettingError};
use crate::filters::FilterCall;
use crate::id::{Entry, ObjectId};
use crate::path::RepoPath;
use crate::repo::index::Index;
use crate::repo::{Objects, Programs};

pub(crate) use self::driver::Destination;

/// The conversions that apply at each path, with the attributes as seen from one side.
pub(crate) struct Content<'a> {
    objects: &'a Objects,
    attributes: Attributes,
    eol: eol::Configuration,
    drivers: Vec<Driver>,
    programs: Runner,
    untrusted: BTreeSet<BString>,
}

impl<'a> Content<'a> {
    /// For reading the work tree as it is: its own `.gitattributes` count, then those of the index.
    pub(crate) fn of_work_tree(objects: &'a Objects, index: &Index) -> Result<Self> {
        Self::new(objects, Attributes::of_work_tree(objects, index)?)
    }

    /// For writing what `changes` say: the `.gitattributes` of the result count. `index` is the one before or after.
    pub(crate) fn of_result(objects: &'a Objects, index: &Index, changes: &[Change]) -> Result<Self> {
        Self::new(objects, Attributes::of_result(objects, index, changes)?)
    }

    /// For checking `tree` out into a folder of its own.
    pub(crate) fn of_tree(
        objects: &'a Objects,
        tree: &BTreeMap<RepoPath, Entry>,
        folder: &Path,
    ) -> Result<Self> {
        Self::new(objects, Attributes::of_tree(objects, tree, folder)?)
    }

    /// For a folder of its own as it is: only the `.gitattributes` in it count.
    pub(crate) fn of_folder(objects: &'a Objects, folder: &Path) -> Result<Self> {
        Self::new(objects, Attributes::of_folder(objects, folder)?)
    }

    fn new(objects: &'a Objects, attributes: Attributes) -> Result<Self> {
        let failed = |error: gix::Error| Error::internal("cannot read how files are converted", error);
        let repo = objects.gix();
        let options = gix::filter::Pipeline::options(repo).map_err(failed)?;
        Ok(Self {
            objects,
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
    /// [`LandingError::DriverNotTrusted`]; [`SettingError::Encoding`]; [`LandingError::FilterFailed`] for a filter that
    /// must not fail; [`Error::Io`] where the destination takes no more.
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
            bytes = converted_by(path, encoding.as_bstr(), bytes, Encoding::encode)?;
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
    /// [`LandingError::DriverNotTrusted`].
    pub(crate) fn leaves_as_is(&mut self, path: &RepoPath) -> Result<bool> {
        let rules = self.rules_at(path)?;
        let driven = self.driver_of(&rules).is_some();
        let crlf = rules.eol.to_eol(self.eol) == Some(eol::Mode::CrLf);
        Ok(!rules.ident && !crlf && rules.encoding.is_none() && !driven)
    }

    /// The id of the blob that git would make of the file.
    ///
    /// # Errors
    /// [`LandingError::DriverNotTrusted`], [`SettingError::Encoding`].
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
    /// [`LandingError::DriverNotTrusted`], [`SettingError::Encoding`].
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
            bytes = converted_by(path, encoding.as_bstr(), bytes, Encoding::decode)?;
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

    /// Refuses a path that cannot be written: its driver is not trusted, or its encoding is not known.
    ///
    /// # Errors
    /// [`LandingError::DriverNotTrusted`], [`SettingError::Encoding`].
    pub(crate) fn refuse_unwritable(&mut self, path: &RepoPath) -> Result<()> {
        match &self.rules_at(path)?.encoding {
            Some(encoding) => known(path, encoding.as_bstr()).map(drop),
            None => Ok(()),
        }
    }

    fn rules_at(&mut self, path: &RepoPath) -> Result<Rules> {
        let rules = self.attributes.at(path, self.objects, self.eol)?;
        match rules.driver.as_ref().filter(|driver| self.untrusted.contains(*driver)) {
            Some(driver) => Err(LandingError::DriverNotTrusted {
                path: path.clone(),
                driver: format!("filter '{driver}'"),
            }
            .into()),
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
            return Err(LandingError::FilterFailed { path: job.path.clone(), filter, why }.into());
        }
        // As git does: a driver that is not required may fail, and then the bytes stay as they are.
        to.restart().and_then(|()| to.write_all(bytes)).map_err(unwritable)
    }
}

/// Where filters run, and which repository git finds there.
fn place_of_filters(repo: &gix::Repository) -> FilterCall {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
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

/// The encoding of that name.
fn known(path: &RepoPath, encoding: &BStr) -> Result<Encoding> {
    Encoding::named(encoding).ok_or_else(|| unknown(path, encoding))
}

fn unknown(path: &RepoPath, encoding: &BStr) -> Error {
    SettingError::Encoding { path: path.clone(), encoding: encoding.to_string() }.into()
}

/// The bytes as `convert` makes them. As with git, what cannot be converted stays as it is; where git may be able to, the
/// path is refused.
fn converted_by(
    path: &RepoPath,
    name: &BStr,
    bytes: Vec<u8>,
    convert: impl Fn(Encoding, &[u8]) -> Option<Vec<u8>>,
) -> Result<Vec<u8>> {
    let encoding = known(path, name)?;
    match convert(encoding, &bytes) {
        Some(converted) => Ok(converted),
        None if encoding.is_complete() || bytes.is_empty() => Ok(bytes),
        None => Err(unknown(path, name)),
    }
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
