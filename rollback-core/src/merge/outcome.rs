//! What comes of a merge: a tree, a verdict, and every conflict as data.

use std::fmt;

use bstr::BString;

use crate::conflict::Conflict;
use crate::id::TreeId;
use crate::path::RepoPath;

/// The result of a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Merged {
    /// The merged tree. Where there are conflicts it holds what git would leave in the work tree: files with
    /// conflict markers, the surviving version of what one side deleted, files moved out of the way. After
    /// [`Verdict::NeedsReview`] it is our tree, unchanged.
    pub tree_id: TreeId,
    /// Whether the tree may be used as it is.
    pub verdict: Verdict,
    /// What could not be decided, sorted by path. A conflict may have no stages: a folder that was renamed to
    /// two places is in conflict though no file is.
    pub conflicts: Vec<Conflict>,
    /// The files whose content was merged line by line, conflicting ones included, sorted.
    pub auto_merged: Vec<RepoPath>,
}

impl Merged {
    /// Whether the tree may be used as it is.
    pub fn is_clean(&self) -> bool {
        self.verdict == Verdict::Clean
    }
}

/// Whether a merged tree may be used as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It may: git comes to the same tree.
    Clean,
    /// It holds conflicts, the ones that git finds.
    Conflicted,
    /// This engine cannot decide the case as git would.
    NeedsReview(ReviewReason),
}

/// Why a case cannot be decided here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReviewReason {
    /// A file that both sides changed is merged by a program that the configuration names, and it may not run.
    MergeDriver {
        /// The file.
        path: RepoPath,
        /// The driver's name.
        driver: String,
    },
    /// The program that is to merge a file failed.
    MergeDriverFailed {
        /// The file.
        path: RepoPath,
        /// The driver's name.
        driver: String,
        /// How it ended.
        why: String,
    },
    /// Both sides moved a submodule, and where its history is cannot be told.
    SubmoduleHistory {
        /// The submodule.
        path: RepoPath,
    },
    /// Line endings are to be renormalised on a path that goes through a filter program.
    Filter {
        /// The file.
        path: RepoPath,
    },
    /// The trees contradict themselves: one name twice, a name that no path can hold, or folders too deep.
    MalformedTree {
        /// Where.
        path: RepoPath,
    },
    /// The engine does not know this class of case.
    Unsupported {
        /// What it is.
        what: &'static str,
    },
}

impl fmt::Display for ReviewReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MergeDriver { path, driver } => {
                write!(f, "{path} is merged by the driver '{driver}', and no program is run here")
            }
            Self::MergeDriverFailed { path, driver, why } => {
                write!(f, "the driver '{driver}', which merges {path}, failed: {why}")
            }
            Self::SubmoduleHistory { path } => {
                write!(f, "both sides moved the submodule {path}, whose history is at hand")
            }
            Self::Filter { path } => {
                write!(f, "the line endings of {path} are to be renormalised through a filter")
            }
            Self::MalformedTree { path } if path.is_root() => {
                f.write_str("a tree has names that contradict each other or that no path can hold")
            }
            Self::MalformedTree { path } => {
                write!(f, "the tree {path} has names that contradict each other or that no path can hold")
            }
            Self::Unsupported { what } => f.write_str(what),
        }
    }
}

/// What the three versions are called, in conflict markers and in the names of files moved out of the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Labels {
    /// The common ancestor.
    pub base: BString,
    /// The side that is kept, such as `HEAD`.
    pub ours: BString,
    /// The side that comes in, such as `3a8a50f (subject of the commit)`.
    pub theirs: BString,
}

impl Labels {
    /// Labels with these names.
    pub fn new(base: impl Into<BString>, ours: impl Into<BString>, theirs: impl Into<BString>) -> Self {
        Self { base: base.into(), ours: ours.into(), theirs: theirs.into() }
    }
}
