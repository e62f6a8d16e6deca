//! How trees are compared, and what the configuration says about it.

use bstr::ByteSlice;

use crate::error::Result;
use crate::merge::diff_algorithm;
use crate::merge::text::Algorithm;
use crate::path::RepoPath;
use crate::repo::Repo;

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
    /// More files than this on both sides are not compared in search of renames (`diff.renameLimit`); 0 is no limit.
    pub rename_limit: usize,
    /// How lines are paired (`diff.algorithm`).
    #[doc(hidden)]
    pub algorithm: Algorithm,
    /// Whether changes that could lie in several places are put where they read best (`diff.indentHeuristic`).
    pub indent_heuristic: bool,
    /// Whether names with bytes beyond ASCII are quoted (`core.quotePath`).
    pub quote_path: bool,
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
        let mut options = Self::default();
        let number = |key: &str| config.integer(key).and_then(|number| usize::try_from(number).ok());
        options.context = number("diff.context").unwrap_or(options.context);
        options.between = number("diff.interHunkContext").unwrap_or(options.between);
        options.rename_limit = number("diff.renameLimit").unwrap_or(options.rename_limit);
        if let Some(renames) = config.string("diff.renames") {
            // `copies` finds renames too.
            let found = renames.as_bstr() == "copies" || renames.as_bstr() == "copy";
            options.renames = found || config.boolean("diff.renames").unwrap_or(true);
        }
        if let Some(name) = config.string("diff.algorithm") {
            options.algorithm = diff_algorithm(&name)?;
        }
        let switch = |key: &str, usual: bool| config.boolean(key).unwrap_or(usual);
        options.indent_heuristic = switch("diff.indentHeuristic", true);
        options.quote_path = switch("core.quotePath", true);
        Ok(options)
    }

    /// The same for some paths alone.
    #[must_use]
    pub fn of_paths(self, paths: impl IntoIterator<Item = impl Into<RepoPath>>) -> Self {
        Self { paths: paths.into_iter().map(Into::into).collect(), ..self }
    }
}
