//! Records: small files kept as commits under `refs/rb/`, where git's own garbage collection keeps them and what they
//! name.
//!
//! Each record is a commit whose tree is its files and whose first parent is the record before it; further parents are
//! commits that must stay. Checkpoints and runs are kept this way. A reference moves by compare-and-swap, by the one
//! room that lands results.

use std::collections::BTreeMap;

use crate::apply::{Landing, RefUpdate, land, log};
use crate::error::{Error, Result};
use crate::id::{CommitId, Entry, EntryMode};
use crate::receipt::CommitTime;
use crate::repo::identity::Role;
use crate::repo::{Repo, Signature};

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The commit.
    pub commit_id: CommitId,
    /// Its message.
    pub message: String,
    /// Its files by name.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// A record to be written.
#[derive(Clone, Debug, Default)]
pub struct NewRecord {
    /// Its message.
    pub message: String,
    /// Its files by name.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Commits that must stay as long as the record does.
    pub keeps: Vec<CommitId>,
}

impl Repo {
    /// The newest record under `refs/rb/NAME`.
    ///
    /// # Errors
    /// [`Error::CorruptObject`] and [`Error::MissingObject`] for what cannot be read.
    pub fn read_record(&self, name: &str) -> Result<Option<Record>> {
        let Some(commit_id) = self.read_reference(full_name(name).as_bytes())? else { return Ok(None) };
        let objects = self.objects();
        let commit = objects.commit(commit_id)?;
        let mut files = BTreeMap::new();
        for row in objects.tree(commit.tree)?.entries {
            files.insert(row.name.to_string(), objects.blob(row.entry.id)?);
        }
        Ok(Some(Record { commit_id, message: commit.message.to_string(), files }))
    }

    /// The names below `refs/rb/PREFIX/`, in order.
    ///
    /// # Errors
    /// [`Error::Internal`] where the references cannot be read.
    pub fn record_names(&self, prefix: &str) -> Result<Vec<String>> {
        let repo = self.local();
        let failed = |error| Error::unreadable_references(error);
        let prefix = format!("refs/rb/{prefix}/");
        let platform = repo.references().map_err(failed)?;
        let all = platform.prefixed(prefix.as_str()).map_err(failed)?;
        let mut names: Vec<String> = all
            .filter_map(|reference| reference.ok())
            .map(|reference| reference.name().as_bstr().to_string())
            .filter_map(|name| name.strip_prefix(&prefix).map(ToOwned::to_owned))
            .collect();
        names.sort();
        Ok(names)
    }

    /// Writes a record after the one at `expected`.
    ///
    /// # Writes
    /// Loose objects and `refs/rb/NAME`.
    ///
    /// # Errors
    /// [`Error::Moved`] and [`Error::BranchExists`] where somebody else wrote meanwhile.
    pub fn write_record(
        &self,
        name: &str,
        expected: Option<CommitId>,
        record: &NewRecord,
    ) -> Result<CommitId> {
        let objects = self.objects();
        let mut rows = BTreeMap::new();
        for (file, bytes) in &record.files {
            rows.insert(file.clone(), Entry { mode: EntryMode::BLOB, id: objects.write_blob(bytes)? });
        }
        let committer = self.recorder();
        let parents: Vec<CommitId> = expected.iter().chain(&record.keeps).copied().collect();
        let commit = log::write_record(&objects, rows, &parents, &committer, &record.message)?;
        self.point(&full_name(name), expected, commit, committer, objects.take_new())?;
        Ok(commit)
    }

    /// Lets `refs/rb/NAME`, which must not be there, name an existing commit.
    ///
    /// # Writes
    /// The reference.
    ///
    /// # Errors
    /// [`Error::BranchExists`] where it is there.
    pub fn keep_commit(&self, name: &str, commit: CommitId) -> Result<()> {
        self.point(&full_name(name), None, commit, self.recorder(), Vec::new())
    }

    /// Lets a new branch begin at an existing commit; one that is there already must name it.
    ///
    /// # Writes
    /// The reference.
    ///
    /// # Errors
    /// [`Error::BranchExists`] where the branch is somewhere else; [`Error::InvalidBranchName`].
    pub fn start_branch(&self, branch: &str, commit: CommitId) -> Result<()> {
        let name = format!("refs/heads/{branch}");
        match self.read_reference(name.as_bytes())? {
            Some(found) if found == commit => Ok(()),
            Some(found) => Err(Error::BranchExists { branch: branch.to_owned(), found }),
            None => self.point(&name, None, commit, self.recorder(), Vec::new()),
        }
    }

    /// Moves the reference of this full name by compare-and-swap, with objects that must be there first.
    pub(crate) fn point(
        &self,
        name: &str,
        old: Option<CommitId>,
        new: CommitId,
        committer: Signature,
        objects: crate::repo::NewObjects,
    ) -> Result<()> {
        let update =
            RefUpdate { name: name.into(), old, new: Some(new), reflog: "rb: record".into(), committer };
        self.move_reference(update, objects)
    }

    /// Removes a reference of rb's own that is at `old`.
    pub(crate) fn remove_reference(&self, name: &str, old: CommitId) -> Result<()> {
        let reflog = "rb: remove".into();
        let committer = self.recorder();
        let update = RefUpdate { name: name.into(), old: Some(old), new: None, reflog, committer };
        self.move_reference(update, Vec::new())
    }

    fn move_reference(&self, update: RefUpdate, objects: crate::repo::NewObjects) -> Result<()> {
        let unchanged = self.objects().empty_tree();
        let landing = Landing {
            objects,
            head_tree: unchanged,
            result_tree: unchanged,
            reference: Some(update),
            checkout: false,
            state_files: Vec::new(),
            index_stages: Vec::new(),
            attributes: BTreeMap::new(),
            absent: Default::default(),
            flags: BTreeMap::new(),
            exact: None,
            outside: Vec::new(),
            log: None,
        };
        land(self, &landing, &Default::default()).map(|_| ())
    }

    /// Who keeps records: whoever commits, or rb itself where nobody has a name.
    pub(crate) fn recorder(&self) -> Signature {
        let mut recorder = self.identity(Role::Committer).unwrap_or_else(|_| Signature {
            name: "rb".into(),
            email: "rb@localhost".into(),
            ..Signature::default()
        });
        if recorder.time.is_empty() {
            let now = CommitTime::now();
            recorder.seconds = now.seconds;
            recorder.time = now.to_string();
        }
        recorder
    }
}

/// The full name of a record.
fn full_name(name: &str) -> String {
    format!("refs/rb/{name}")
}
