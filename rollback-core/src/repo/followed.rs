//! The release of git that rb follows where releases differ: the one that `rb.gitVersion` names, else the one that is
//! installed, else the newest that is known here.
//!
//! The installed git is asked only where an answer depends on it, see [`Repo::with_installed_git`]. The differences are
//! few, and each is named here:
//!
//! | since | what |
//! |---|---|
//! | 2.48 | the title that `--reference` asks for is a comment by `core.commentString`; before it began with `#` in any case |
//! | 2.48 | advice names `git config set` |
//! | 2.50 | merges heed `merge.renames`, `diff.renames` and `-X no-renames`; before they looked for renames in any case |
//! | 2.50 | `diff.algorithm=minimal` pairs frequent lines wherever they stand; before it left them out among lines without a partner |
//! | 2.50 | merges heed `diff.algorithm`, `-X diff-algorithm` and `-X patience`; before they paired lines by histogram in any case |
//! | 2.51 | a file that a folder rename brings back to its own path is not taken for renamed (2.51.1) |
//! | 2.51 | a file of the base stands in the way of a folder rename onto its path (2.51.1) |
//! | 2.53 | a file that replaced a folder can be in conflict where only one side touched the folder |
//! | 2.54 | lines are paired again where placing hunks made two of a histogram diff meet |

use std::fmt;
use std::sync::{Arc, OnceLock};

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

/// The release of git that is followed, found out when something depends on it.
#[derive(Clone, Default)]
pub struct FollowedGit {
    named: Option<GitRelease>,
    installed: InstalledGit,
}

impl FollowedGit {
    /// This release, whatever is installed.
    pub fn named(release: GitRelease) -> Self {
        Self { named: Some(release), installed: InstalledGit::default() }
    }

    /// The release.
    pub fn release(&self) -> GitRelease {
        self.named.or_else(|| self.installed.release()).unwrap_or_default()
    }

    /// Whether the release is this one or a newer one.
    pub fn is_at_least(&self, major: u32, minor: u32) -> bool {
        self.release().is_at_least(major, minor)
    }
}

impl fmt::Debug for FollowedGit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.named.or_else(|| self.installed.known.get().copied().flatten());
        f.debug_tuple("FollowedGit").field(&known).finish()
    }
}

impl PartialEq for FollowedGit {
    fn eq(&self, other: &Self) -> bool {
        // No program is started to compare two of them.
        let asks = [self, other].map(|one| one.installed.ask.is_some());
        self.named == other.named
            && (asks == [false, false] || Arc::ptr_eq(&self.installed.known, &other.installed.known))
    }
}

impl Eq for FollowedGit {}

/// The git that is installed, asked once.
#[derive(Clone, Default)]
pub(crate) struct InstalledGit {
    known: Arc<OnceLock<Option<GitRelease>>>,
    ask: Option<Arc<AskForRelease>>,
}

type AskForRelease = dyn Fn() -> Option<GitRelease> + Send + Sync;

impl InstalledGit {
    fn release(&self) -> Option<GitRelease> {
        let ask = self.ask.as_ref()?;
        *self.known.get_or_init(|| ask())
    }
}

impl Repo {
    /// The same repository, which follows the release that `ask` tells where releases differ and `rb.gitVersion` names
    /// none; it is asked once at most, and only where something depends on it. Without this, or where `ask` knows none,
    /// the newest known release is followed. [`process::installed_version`](crate::process::installed_version) asks
    /// the program.
    pub fn with_installed_git(
        mut self,
        ask: impl Fn() -> Option<GitRelease> + Send + Sync + 'static,
    ) -> Self {
        self.installed_git = InstalledGit { known: Arc::default(), ask: Some(Arc::new(ask)) };
        self
    }

    /// The release of git that is followed here.
    ///
    /// # Errors
    /// [`SettingError::Value`] for a value of `rb.gitVersion` that names none.
    pub fn followed_git(&self) -> Result<FollowedGit> {
        let Some(text) = self.config_string(KEY) else {
            return Ok(FollowedGit { named: None, installed: self.installed_git.clone() });
        };
        let why = || format!("'{text}' is no release of git, such as {}", GitRelease::NEWEST);
        match GitRelease::parse(&text) {
            Some(release) => Ok(FollowedGit::named(release)),
            None => Err(SettingError::Value { key: KEY.into(), why: why() }.into()),
        }
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

    #[test]
    fn the_installed_git_is_asked_once_and_only_where_it_matters() {
        let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let ask = move || {
            counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            GitRelease::parse("2.49.1")
        };
        let installed = InstalledGit { known: Arc::default(), ask: Some(Arc::new(ask)) };
        let followed = FollowedGit { named: None, installed: installed.clone() };
        let named = FollowedGit { named: GitRelease::parse("2.51"), installed };
        assert!(named.is_at_least(2, 51) && asked.load(std::sync::atomic::Ordering::Relaxed) == 0);
        assert!(!followed.is_at_least(2, 50) && !followed.clone().is_at_least(2, 50));
        assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 1);
        assert_eq!(FollowedGit::default().release(), GitRelease::NEWEST);
    }
}
