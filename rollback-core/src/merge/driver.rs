//! Merge drivers: programs that the configuration names for the files whose attribute says `merge=<name>`.
//!
//! The engine starts nothing: it hands a [`DriverCall`] to the [`MergeDrivers`] that the repository was given, and
//! without one, or where a driver of the repository's own configuration is not trusted, the path needs review.

use std::path::PathBuf;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};
use gix::config::Source;

use crate::merge_drivers::{DriverCall, DriverEnd, MergeDrivers};
use crate::repo::{Objects, Programs};

/// The drivers of a repository.
pub(super) struct Drivers {
    known: Vec<Known>,
    runner: Option<Arc<dyn MergeDrivers>>,
    folder: PathBuf,
}

/// A name under `merge.<name>`.
struct Known {
    name: BString,
    /// Its command, where that may run.
    command: Option<BString>,
}

impl Drivers {
    pub(super) fn of(objects: &Objects) -> Self {
        let repo = objects.gix();
        let config = repo.config_snapshot();
        let sections = || config.plumbing().sections_by_name("merge").into_iter().flatten();
        let mut names: Vec<BString> =
            sections().filter_map(|section| section.header().subsection_name().map(BStr::to_owned)).collect();
        names.sort();
        names.dedup();
        let is_own = |name: &BString| {
            let own = sections().filter(|section| section.header().subsection_name() == Some(name.as_bstr()));
            let mut own = own.filter(|section| section.value("driver").is_some());
            own.any(|section| matches!(section.meta().source, Source::Local | Source::Worktree))
        };
        let known = names
            .into_iter()
            .map(|name| {
                let key = format!("merge.{name}.driver");
                let may_run = matches!(objects.programs(), Programs::Trusted(_)) || !is_own(&name);
                let command = config.string(key.as_str()).filter(|command| may_run && !command.is_empty());
                Known { name, command }
            })
            .collect();
        let folder = repo.workdir().unwrap_or(repo.git_dir()).to_owned();
        Self { known, runner: objects.merge_drivers().cloned(), folder }
    }

    /// Whether the name is that of a driver.
    pub(super) fn has(&self, name: &BString) -> bool {
        self.known.iter().any(|known| known.name == *name)
    }

    /// Lets the driver merge; `None` where it may not run.
    pub(super) fn merge(&self, name: &BString, file: File<'_>) -> Option<DriverEnd> {
        let runner = self.runner.as_ref()?;
        let command = self.known.iter().find(|known| known.name == *name)?.command.as_ref()?;
        Some(runner.merge(&DriverCall {
            command: command.to_vec(),
            path: file.path.to_vec(),
            versions: file.versions.map(<[u8]>::to_vec),
            labels: file.labels.map(Into::into),
            marker_size: file.marker_size,
            folder: self.folder.clone(),
        }))
    }
}

/// What there is to merge: base, ours and theirs.
pub(super) struct File<'a> {
    pub(super) path: &'a BStr,
    pub(super) versions: [&'a [u8]; 3],
    pub(super) labels: [BString; 3],
    pub(super) marker_size: usize,
}
