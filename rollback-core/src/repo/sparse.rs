//! Which paths a sparse checkout leaves out of the work tree, after `git-sparse-checkout(1)`.
//!
//! The patterns of a cone are patterns like all others and say the same when they are read so. Nothing
//! here writes.

use std::fs;
use std::io::ErrorKind;

use bstr::{BStr, ByteSlice};
use gix::glob::pattern::Case;
use gix::glob::{Pattern, wildmatch};

use super::Repo;
use crate::error::{Error, Result, SettingError};
use crate::path::RepoPath;

/// The patterns of a sparse checkout.
#[derive(Debug)]
pub(crate) struct Sparse {
    /// The last one counts.
    patterns: Vec<Pattern>,
    case: Case,
}

impl Sparse {
    /// The patterns of this work tree; `None` where it is not sparse, or has no file of patterns.
    ///
    /// # Errors
    /// [`Error::Io`], [`SettingError::Value`].
    pub(crate) fn of(repo: &Repo, ignore_case: bool) -> Result<Option<Self>> {
        const KEY: &str = "core.sparseCheckout";
        let case = if ignore_case { Case::Fold } else { Case::Sensitive };
        let local = repo.local();
        let sparse = local.config_snapshot().try_boolean(KEY);
        let sparse =
            sparse.map_err(|error| SettingError::Value { key: KEY.into(), why: error.to_string() })?;
        if sparse != Some(true) {
            return Ok(None);
        }
        let path = repo.git_dir().join("info").join("sparse-checkout");
        match fs::read(&path) {
            Ok(text) => {
                let lines = gix::ignore::parse(&text, false);
                Ok(Some(Self { patterns: lines.map(|(pattern, _, _)| pattern).collect(), case }))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("read", path, error)),
        }
    }

    /// Whether the file stays out of the work tree. As git's `path_in_sparse_checkout`: what no pattern
    /// decides for a path is decided for the nearest folder above it.
    pub(crate) fn leaves_out(&self, path: &RepoPath) -> bool {
        self.is_left_out(path.as_bytes(), false)
    }

    /// Whether all of the folder stays out of it.
    pub(crate) fn leaves_out_folder(&self, path: &[u8]) -> bool {
        self.is_left_out(path, true)
    }

    fn is_left_out(&self, path: &[u8], mut is_folder: bool) -> bool {
        let mut at = path;
        loop {
            let slash = at.rfind_byte(b'/');
            if let Some(included) = self.decide(at.as_bstr(), slash.map(|slash| slash + 1), is_folder) {
                return !included;
            }
            let Some(slash) = slash else { return true };
            at = &at[..slash];
            is_folder = true;
        }
    }

    fn decide(&self, path: &BStr, name_at: Option<usize>, is_folder: bool) -> Option<bool> {
        let mode = wildmatch::Mode::NO_MATCH_SLASH_LITERAL;
        let matches = |pattern: &&Pattern| {
            pattern.matches_repo_relative_path(path, name_at, Some(is_folder), self.case, mode)
        };
        self.patterns.iter().rev().find(matches).map(|pattern| !pattern.is_negative())
    }
}
