//! The release of git that rb follows where releases differ: the newest it knows, or the one that `rb.gitVersion` names.
//!
//! The differences are few, and each is named here:
//!
//! | since | what |
//! |---|---|
//! | 2.48 | the title that `--reference` asks for is a comment by `core.commentString`; before it began with `#` in any case |
//! | 2.48 | advice names `git config set` |

use std::fmt;

use super::Repo;
use crate::error::{Result, SettingError};

/// The configuration key that names a release.
pub(crate) const KEY: &str = "rb.gitVersion";

/// A release of git, as far as releases differ: `2.47` is every 2.47.x.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct GitRelease {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
}

impl GitRelease {
    /// The newest release whose ways are known here.
    pub const NEWEST: Self = Self { major: 2, minor: 55 };

    /// The release of this text, such as `2.47` or `2.47.3`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.trim().split('.');
        let (major, minor) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
        Some(Self { major, minor })
    }

    /// Whether the release is this one or a newer one.
    pub fn is_at_least(self, major: u32, minor: u32) -> bool {
        self >= Self { major, minor }
    }
}

impl Default for GitRelease {
    fn default() -> Self {
        Self::NEWEST
    }
}

impl fmt::Display for GitRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl Repo {
    /// The release of git that is followed here.
    ///
    /// # Errors
    /// [`SettingError::Value`] for a value of `rb.gitVersion` that names none.
    pub fn followed_git(&self) -> Result<GitRelease> {
        let Some(text) = self.config_string(KEY) else { return Ok(GitRelease::NEWEST) };
        let why = || format!("'{text}' is no release of git, such as {}", GitRelease::NEWEST);
        GitRelease::parse(&text).ok_or_else(|| SettingError::Value { key: KEY.into(), why: why() }.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_by_their_first_two_numbers() {
        let release = GitRelease::parse("2.47.3").unwrap();
        assert_eq!((release.to_string().as_str(), release.is_at_least(2, 48)), ("2.47", false));
        assert!(release.is_at_least(2, 47) && GitRelease::NEWEST.is_at_least(2, 48));
        assert!(GitRelease { major: 3, minor: 0 }.is_at_least(2, 55));
        assert_eq!([GitRelease::parse("2"), GitRelease::parse("x.y"), GitRelease::parse("")], [None; 3]);
    }
}
