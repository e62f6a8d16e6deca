//! Submodules that both sides moved: the one that is ahead wins, if the submodule's history is at hand to tell.

use std::path::PathBuf;

use bstr::ByteSlice;
use gix::ObjectId;

use super::case::{BASE, OURS, THEIRS};
use super::tree::Version;
use crate::conflict::ConflictKind;

/// Where the repository of a submodule is.
pub(super) enum Place {
    /// In the work tree.
    CheckedOut(PathBuf),
    /// Nowhere.
    Absent,
    /// Perhaps among the repositories that git keeps of submodules, under a name of its own.
    Unknown,
}

impl Place {
    pub(super) fn of(repo: &gix::Repository, path: &[u8]) -> Self {
        let in_work_tree = repo.workdir().zip(path.to_path().ok()).map(|(root, path)| root.join(path));
        match in_work_tree {
            Some(folder) if folder.join(".git").exists() => Self::CheckedOut(folder),
            _ if repo.common_dir().join("modules").is_dir() => Self::Unknown,
            _ => Self::Absent,
        }
    }
}

/// The commit that both sides' moves come to, and whether that is a conflict; `None` where this cannot be told.
pub(super) fn merge(place: &Place, versions: &[Version; 3]) -> Option<(ObjectId, Option<ConflictKind>)> {
    let [base, ours, theirs] = [versions[BASE], versions[OURS], versions[THEIRS]].map(|version| version.id);
    let conflict = Some((ours, Some(ConflictKind::Submodule)));
    let folder = match place {
        Place::Absent => return conflict,
        Place::Unknown => return None,
        Place::CheckedOut(folder) => folder,
    };
    if !versions[BASE].is_submodule() {
        return conflict;
    }
    let repo = gix::open_opts(folder, gix::open::Options::isolated()).ok()?;
    if [base, ours, theirs].iter().any(|id| repo.find_commit(*id).is_err()) {
        return conflict;
    }
    let reaches = |from: ObjectId, to: ObjectId| -> Option<bool> {
        match repo.merge_bases_many(from, &[to]) {
            Ok(bases) => Some(bases.iter().any(|base| base.detach() == to)),
            Err(_) => None,
        }
    };
    if !reaches(ours, base)? || !reaches(theirs, base)? {
        return conflict;
    }
    if reaches(theirs, ours)? {
        return Some((theirs, None));
    }
    if reaches(ours, theirs)? {
        return Some((ours, None));
    }
    conflict
}
