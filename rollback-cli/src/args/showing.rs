//! The arguments that say how changes are shown.

use clap::Args;

/// How what changes is shown.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Showing")]
pub(crate) struct Showing {
    /// Show what changes as a patch that `git apply` takes
    #[arg(long)]
    pub(crate) patch: bool,
    /// Show how many lines change in each file, as `git diff --stat` does
    #[arg(long)]
    pub(crate) stat: bool,
    /// Show the patch with words coloured in place of lines; it is for reading only
    #[arg(long)]
    pub(crate) color_words: bool,
}

impl Showing {
    /// Whether more than counts is to be shown.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.patch || self.stat || self.color_words
    }
}
