//! How trees are compared, and what the configuration says about it.

use bstr::BString;

use crate::error::{Error, Result, SettingError};
use crate::merge::diff_algorithm;
use crate::merge::text::Algorithm;
use crate::path::RepoPath;
use crate::repo::{FollowedGit, Repo};

/// How two trees are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiffOptions {
    /// How many unchanged lines stand around a change (`diff.context`).
    pub context: usize,
    /// How many more unchanged lines than twice the context are shown between two changes (`diff.interHunkContext`).
    pub between: usize,
    /// Whether files that moved are found (`diff.renames`). Copies never are.
    pub renames: bool,
    /// More files than this on both sides are not compared in search of renames (`diff.renameLimit`, where git takes a
    /// negative number for no limit too); 0 is no limit.
    pub rename_limit: usize,
    /// How lines are paired (`diff.algorithm`).
    #[doc(hidden)]
    pub algorithm: Algorithm,
    /// Whether changes that could lie in several places are put where they read best (`diff.indentHeuristic`).
    pub indent_heuristic: bool,
    /// Whether names with bytes beyond ASCII are quoted (`core.quotePath`).
    pub quote_path: bool,
    /// The release of git that is equalled where releases differ.
    pub git: FollowedGit,
    /// Only these paths and what is below them; everything where empty.
    pub paths: Vec<RepoPath>,
}

impl Default for DiffOptions {
    fn default() -> Self {
        Self {
            context: 3,
            between: 0,
            renames: true,
            rename_limit: 1000,
            algorithm: Algorithm::Myers,
            indent_heuristic: true,
            quote_path: true,
            git: FollowedGit::default(),
            paths: Vec::new(),
        }
    }
}

impl DiffOptions {
    /// What the repository's configuration asks of `git diff`.
    ///
    /// # Errors
    /// [`SettingError::Value`](crate::error::SettingError::Value) where git would stop at a value too.
    pub fn from_config(repo: &Repo) -> Result<Self> {
        let local = repo.local();
        let config = local.config_snapshot();
        let mut options = Self { git: repo.followed_git()?, ..Self::default() };
        let bad = |key: &str, why: String| Error::from(SettingError::Value { key: key.into(), why });
        let number = |key: &'static str, usual: usize| -> Result<i32> {
            let number = config.try_integer(key).map_err(|error| bad(key, error.to_string()))?;
            let number = number.unwrap_or(usual as i64);
            i32::try_from(number).map_err(|_| bad(key, format!("{number} is out of range")))
        };
        let count = |key: &'static str, usual: usize| -> Result<usize> {
            let number = number(key, usual)?;
            usize::try_from(number).map_err(|_| bad(key, format!("{number} is less than 0")))
        };
        let switch = |key: &'static str| -> Result<bool> {
            let on = config.try_boolean(key).map_err(|error| bad(key, error.to_string()))?;
            Ok(on.unwrap_or(true))
        };
        options.context = count("diff.context", options.context)?;
        options.between = count("diff.interHunkContext", options.between)?;
        options.rename_limit =
            usize::try_from(number("diff.renameLimit", options.rename_limit)?).unwrap_or(0);
        // `copies` finds renames too.
        let copies =
            |word: &BString| ["copies", "copy"].iter().any(|name| word.eq_ignore_ascii_case(name.as_bytes()));
        options.renames =
            config.string("diff.renames").is_some_and(|word| copies(&word)) || switch("diff.renames")?;
        if let Some(name) = config.string("diff.algorithm") {
            options.algorithm = diff_algorithm(&name)?;
        }
        options.indent_heuristic = switch("diff.indentHeuristic")?;
        options.quote_path = switch("core.quotePath")?;
        Ok(options)
    }

    /// The same for some paths alone.
    #[must_use]
    pub fn of_paths(self, paths: impl IntoIterator<Item = impl Into<RepoPath>>) -> Self {
        Self { paths: paths.into_iter().map(Into::into).collect(), ..self }
    }
}
