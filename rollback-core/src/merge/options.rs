//! How a merge is to be done: git's defaults, what the repository configures, and what `-X` says.

use gix::bstr::ByteSlice;

use super::text::{Algorithm, ConflictStyle, Whitespace};
use crate::error::{Error, Result, SettingError};
use crate::path::RepoPath;
use crate::repo::{FollowedGit, Repo};

/// How a merge is to be done. [`Options::default`] is what git does in an unconfigured repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Which side wins where both changed the same lines (`-X ours`, `-X theirs`).
    pub favor: Option<Favor>,
    /// Whether and how renames are looked for.
    pub renames: Renames,
    /// What becomes of files added to a folder that the other side renamed.
    pub directory_renames: DirectoryRenames,
    /// Differences in white space that do not count.
    pub whitespace: Whitespace,
    /// The pairing of lines.
    pub diff_algorithm: Algorithm,
    /// Whether files are checked in and out again in all three versions before they are merged, so that a
    /// change of line endings alone is no conflict (`merge.renormalize`, `-X renormalize`).
    pub renormalize: bool,
    /// Where one side lies in a folder of the other (`-X subtree`).
    pub subtree: Option<Subtree>,
    /// What conflicts look like.
    pub conflict_style: ConflictStyle,
    /// The release of git that is equalled where releases differ.
    pub git: FollowedGit,
}

/// The side that wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Favor {
    /// `-X ours`.
    Ours,
    /// `-X theirs`.
    Theirs,
}

/// Whether and how renames are looked for.
///
/// git up to 2.49 looks for renames in any case, and so does the engine where it follows such a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Renames {
    /// Whether renames are looked for at all (`merge.renames`, else `diff.renames`; `-X no-renames`).
    pub detect: bool,
    /// How similar a renamed and edited file must be, in 60,000ths, which is how git counts: 30,000 is 50%.
    pub threshold: u16,
    /// Renames with edits are not looked for where there are more than this squared pairs to compare.
    pub limit: u32,
}

impl Default for Renames {
    fn default() -> Self {
        Self { detect: true, threshold: 30_000, limit: 7000 }
    }
}

/// What becomes of files added to a folder that the other side renamed (`merge.directoryRenames`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DirectoryRenames {
    /// They stay where they were put.
    Off,
    /// They move along.
    Apply,
    /// They move along, and each is reported as a conflict.
    #[default]
    Conflict,
}

/// Where one side lies in a folder of the other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subtree {
    /// Found by comparing the trees (`-X subtree`).
    Guess,
    /// In this folder (`-X subtree=PATH`).
    Below(RepoPath),
}

impl Options {
    /// The options that the repository's configuration asks for: `merge.renameLimit`, `diff.renameLimit`,
    /// `merge.renames`, `diff.renames`, `merge.directoryRenames`, `merge.renormalize`, `merge.conflictStyle` and
    /// `diff.algorithm`.
    ///
    /// # Errors
    /// [`SettingError::Value`] where git would stop at a value too.
    pub fn from_config(repo: &Repo) -> Result<Self> {
        let local = repo.local();
        let config = local.config_snapshot();
        let mut options = Self { git: repo.followed_git()?, ..Self::default() };
        let limit = config.integer("merge.renameLimit").or_else(|| config.integer("diff.renameLimit"));
        if let Some(limit) = limit.and_then(|limit| u32::try_from(limit).ok()).filter(|limit| *limit > 0) {
            options.renames.limit = limit;
        }
        // A word that is no switch, such as `copies`, asks for renames, too.
        let detects = |key: &str| config.boolean(key).or_else(|| config.string(key).map(|_| true));
        options.renames.detect = detects("merge.renames").or_else(|| detects("diff.renames")).unwrap_or(true);
        if let Some(value) = config.string("merge.directoryRenames") {
            options.directory_renames = directory_renames(&value);
        }
        if let Some(renormalize) = config.boolean("merge.renormalize") {
            options.renormalize = renormalize;
        }
        if let Some(style) = config.string("merge.conflictStyle") {
            options.conflict_style = conflict_style(&style)?;
        }
        if let Some(name) = config.string("diff.algorithm") {
            options.diff_algorithm = algorithm(&name)?;
        }
        Ok(options)
    }

    /// The names that [`Self::set_strategy_option`] takes, as git's manual has them.
    pub const STRATEGY_OPTIONS: [&str; 14] = [
        "ours",
        "theirs",
        "ignore-space-change",
        "ignore-all-space",
        "ignore-space-at-eol",
        "ignore-cr-at-eol",
        "renormalize",
        "no-renormalize",
        "find-renames[=N]",
        "no-renames",
        "subtree[=FOLDER]",
        "diff-algorithm=NAME",
        "patience",
        "histogram",
    ];

    /// The options with which `git merge-tree` merges here: as [`Self::from_config`], but for `diff.algorithm`, which it
    /// does not read.
    ///
    /// # Errors
    /// Those of [`Self::from_config`].
    pub fn of_merge_tree(repo: &Repo) -> Result<Self> {
        Ok(Self { diff_algorithm: Algorithm::default(), ..Self::from_config(repo)? })
    }

    /// Takes one option of `-X`, such as `ours`, `find-renames=40%` or `diff-algorithm=myers`; tells whether it
    /// is one that git knows.
    pub fn set_strategy_option(&mut self, option: &str) -> bool {
        let (name, value) =
            option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
        match (name, value) {
            ("ours", None) => self.favor = Some(Favor::Ours),
            ("theirs", None) => self.favor = Some(Favor::Theirs),
            ("subtree", None) => self.subtree = Some(Subtree::Guess),
            ("subtree", Some(folder)) => self.subtree = Some(Subtree::Below(RepoPath::new(folder))),
            ("patience", None) => self.diff_algorithm = Algorithm::Patience,
            ("histogram", None) => self.diff_algorithm = Algorithm::Histogram,
            ("diff-algorithm", Some(name)) => match algorithm(name.as_bytes()) {
                Ok(algorithm) => self.diff_algorithm = algorithm,
                Err(_) => return false,
            },
            ("ignore-space-change", None) => self.whitespace.ignore_change = true,
            ("ignore-all-space", None) => self.whitespace.ignore_all = true,
            ("ignore-space-at-eol", None) => self.whitespace.ignore_at_eol = true,
            ("ignore-cr-at-eol", None) => self.whitespace.ignore_cr_at_eol = true,
            ("renormalize", None) => self.renormalize = true,
            ("no-renormalize", None) => self.renormalize = false,
            ("no-renames", None) => self.renames.detect = false,
            ("find-renames", None) => {
                self.renames = Renames { detect: true, threshold: 30_000, ..self.renames }
            }
            ("find-renames" | "rename-threshold", Some(value)) => match similarity(value) {
                Some(threshold) => self.renames = Renames { detect: true, threshold, ..self.renames },
                None => return false,
            },
            _ => return false,
        }
        true
    }
}

fn directory_renames(value: &[u8]) -> DirectoryRenames {
    match value.to_ascii_lowercase().as_slice() {
        b"true" | b"yes" | b"on" | b"1" => DirectoryRenames::Apply,
        b"false" | b"no" | b"off" | b"0" | b"" => DirectoryRenames::Off,
        // git leaves its default in place for any other word.
        _ => DirectoryRenames::Conflict,
    }
}

fn conflict_style(value: &[u8]) -> Result<ConflictStyle> {
    match value {
        b"merge" => Ok(ConflictStyle::Merge),
        b"diff3" => Ok(ConflictStyle::Diff3),
        b"zdiff3" => Ok(ConflictStyle::Zdiff3),
        _ => Err(unknown("merge.conflictStyle", value)),
    }
}

/// The algorithm of a name that `diff.algorithm` can have.
///
/// # Errors
/// [`SettingError::Value`].
pub(crate) fn algorithm(value: &[u8]) -> Result<Algorithm> {
    match value.to_ascii_lowercase().as_slice() {
        b"histogram" => Ok(Algorithm::Histogram),
        b"patience" => Ok(Algorithm::Patience),
        b"myers" | b"default" => Ok(Algorithm::Myers),
        b"minimal" => Ok(Algorithm::Minimal),
        _ => Err(unknown("diff.algorithm", value)),
    }
}

fn unknown(key: &str, value: &[u8]) -> Error {
    SettingError::Value { key: key.to_owned(), why: format!("unknown value '{}'", value.as_bstr()) }.into()
}

/// A similarity as git reads it: `50%`, `0.5`, or the digits behind the point (`5` is 50%, `75` is 75%).
fn similarity(text: &str) -> Option<u16> {
    const WHOLE: u64 = 60_000;
    let (digits, percent) = text.strip_suffix('%').map_or((text, false), |digits| (digits, true));
    let (mut number, mut scale) = (0u64, 1u64);
    let mut after_point = false;
    for digit in digits.bytes() {
        match digit {
            b'.' if !after_point => {
                after_point = true;
                scale = 1;
            }
            b'0'..=b'9' if scale < 100_000 => {
                number = number * 10 + u64::from(digit - b'0');
                if !percent || after_point {
                    scale *= 10;
                }
            }
            b'0'..=b'9' => {}
            _ => return None,
        }
    }
    if percent {
        scale *= 100;
    }
    Some(if number >= scale { WHOLE } else { WHOLE * number / scale } as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarities_are_read_as_git_reads_them() {
        for (text, expected) in
            [("50%", 30_000), ("5", 30_000), ("75", 45_000), ("0.4", 24_000), ("100%", 60_000)]
        {
            assert_eq!(similarity(text), Some(expected), "{text}");
        }
        assert_eq!(similarity("half"), None);
    }
}
