//! Hints where a revision names nothing, too much, or something else than was wanted.

use std::ffi::OsStr;
use std::path::Path;

use rollback_core::error::RevisionError;

use super::{Hint, Situation};

pub(super) fn hint(situation: &Situation<'_>, error: &RevisionError) -> Option<Hint> {
    let typed = situation.invocation;
    Some(match error {
        RevisionError::Unknown { spec, .. } => situation.unknown_revision(spec),
        RevisionError::BeforeHistory { tip, .. } => Hint::new(
            "see its commits with their dates with",
            situation.git(&["log", "--first-parent", "--date=short", "--format=%h %cd %s", &tip.to_string()]),
        ),
        RevisionError::Ambiguous { spec, candidates } => {
            match candidates.first().and_then(|candidate| candidate.split(' ').next()) {
                Some(id) => Hint::new(
                    "give more digits, such as",
                    typed.with_replaced(OsStr::new(spec), OsStr::new(id)),
                ),
                None => Hint::new(
                    "see what it could be with",
                    situation.git(&["rev-parse", &format!("--disambiguate={spec}")]),
                ),
            }
        }
        RevisionError::NotACommit { spec, .. } => Hint::new(
            "find the commits that have it with",
            situation.git(&["log", "--all", "--oneline", &format!("--find-object={spec}")]),
        ),
        RevisionError::EmptyCommitSet { specs } => {
            let sides: Vec<_> = specs.iter().map(|spec| spec.replacen("..", "...", 1)).collect();
            let words =
                ["log", "--oneline", "--left-right"].into_iter().chain(sides.iter().map(String::as_str));
            Hint::new("see what lies between them with", situation.git(&words.collect::<Vec<_>>()))
        }
        RevisionError::RangeOffLine { .. } => Hint::new(
            "take its first-parent commits, merges whole (or name the commits), with",
            typed.with(&["--first-parent"]),
        ),
        RevisionError::NeverThere { .. } => {
            Hint::new("take its content in one commit with", typed.without(&["--each"]).as_typed())
        }
        RevisionError::MainlineOutOfRange { parents: 0 | 1, .. } => Hint::new(
            "it is not a merge, so leave the mainline out",
            typed.without_option("-m", "--mainline").as_typed(),
        ),
        RevisionError::MainlineOutOfRange { commit, .. } => Hint::new(
            "see its parents, counted from 1, with",
            situation.git(&["show", "--no-patch", "--format=%P", &commit.to_string()]),
        ),
        RevisionError::ShallowHistory { .. } => {
            Hint::new("fetch more of it with", situation.git(&["fetch", "--deepen=1000"]))
        }
        RevisionError::Unborn { .. } if situation.command_name() == Some("checkpoint") => Hint::new(
            "a checkpoint needs a commit; make an empty one with",
            situation.git(&["commit", "--allow-empty", "--only", "-m", "Begin"]),
        ),
        RevisionError::Unborn { .. } => situation.first_commit(),
        _ => return None,
    })
}

impl Situation<'_> {
    /// A branch without commits has nothing to go back to; another branch may have.
    fn first_commit(&self) -> Hint {
        let names = self.repo.and_then(|repo| repo.reference_names().ok()).unwrap_or_default();
        match names.first() {
            Some(name) => Hint::new(
                "base the result on a branch that has commits with",
                self.invocation.with(&["--onto", name, "--branch", &self.free_branch()]),
            ),
            None => Hint::new(
                "there is nothing to roll back before the first commit; make it with",
                self.git(&["commit", "--allow-empty", "-m", "first commit"]),
            ),
        }
    }

    fn unknown_revision(&self, spec: &str) -> Hint {
        let typed = self.invocation;
        if self.command_name() == Some("revert") && self.is_like_a_path(spec) {
            return Hint::new(
                "it looks like a path; did you mean",
                typed.with_flag_before("--file", OsStr::new(spec)),
            );
        }
        if let Some(meant) = self.nearest_name(spec) {
            return meant;
        }
        let is_id = spec.len() >= 4 && spec.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_id && self.repo.is_some_and(|repo| repo.is_shallow()) {
            return Hint::new(
                "history is cut off here, and it may lie beyond; fetch all of it with",
                self.git(&["fetch", "--unshallow"]),
            );
        }
        if is_id {
            return Hint::new("it may not be fetched yet; fetch with", self.git(&["fetch", "--all"]));
        }
        Hint::new("see the names there are with", self.git(&["for-each-ref", "--format=%(refname:short)"]))
    }

    /// The same command with the name that was most likely meant, whatever steps or ends stand around it.
    fn nearest_name(&self, spec: &str) -> Option<Hint> {
        let steps = spec.find(['^', '~', ':']).into_iter().chain(spec.find("@{")).min();
        let name = &spec[..steps.unwrap_or(spec.len())];
        let nearest = self.repo?.nearest_names(name).ok()?.into_iter().next()?;
        let typed = self.invocation;
        let arg = typed.args().iter().rev().filter_map(|arg| arg.to_str()).find(|arg| arg.contains(spec))?;
        let at = arg.rfind(spec)?;
        let meant = format!("{}{nearest}{}", &arg[..at], &arg[at + name.len()..]);
        Some(Hint::new("did you mean", typed.with_replaced(OsStr::new(arg), OsStr::new(&meant))))
    }

    /// A file that is there, or a name with the ending of one: the file may be what went missing.
    fn is_like_a_path(&self, spec: &str) -> bool {
        let ending = Path::new(spec).extension().and_then(OsStr::to_str);
        self.folder.join(spec).symlink_metadata().is_ok()
            || ending.is_some_and(|ending| ending.chars().all(|c| c.is_ascii_alphabetic()))
    }
}
