//! Hints where a result may not land: the branch moved, consent is missing, a program refused; or where it landed in part.

use rollback_core::error::LandingError;

use super::{Hint, Situation};
use crate::command_line::CommandLine;

pub(super) fn hint(situation: &Situation<'_>, error: &LandingError) -> Option<Hint> {
    situation.branch(error).or_else(|| situation.consent(error)).or_else(|| situation.failure(error))
}

impl Situation<'_> {
    fn branch(&self, error: &LandingError) -> Option<Hint> {
        Some(match error {
            LandingError::Moved { reference, .. } if self.command_name() == Some("undo") => {
                Hint::new("see where it went with", self.git(&["reflog", "show", reference]))
            }
            LandingError::Moved { .. } | LandingError::IndexMoved | LandingError::PlanAltered { .. }
                if self.command_name() == Some("apply") =>
            {
                Hint::new("make the plan again; see how with", self.help())
            }
            LandingError::Moved { .. } | LandingError::IndexMoved | LandingError::PlanAltered { .. } => {
                Hint::new("plan again with", self.invocation.with(&["--dry-run"]))
            }
            LandingError::BranchExists { branch, .. } => {
                Hint::new("see what it holds with", self.git(&["log", "--oneline", "-5", branch]))
            }
            LandingError::InvalidBranchName { .. } => Hint::new(
                "give it a name that git accepts, such as",
                self.invocation
                    .without_option("--branch", "--branch")
                    .with(&["--branch", &self.free_branch()]),
            ),
            LandingError::BranchCheckedOut { worktree, .. } => {
                let folder = worktree.to_string_lossy();
                Hint::new(
                    "see what is going on there with",
                    CommandLine::of(["git", "-C", &folder, "status"]),
                )
            }
            LandingError::UpstreamAhead { upstream, .. } => Hint::new(
                "take these changes in first (or land anyway with --stale-ok) with",
                self.git(&["merge", upstream.strip_prefix("refs/remotes/").unwrap_or(upstream)]),
            ),
            _ => return None,
        })
    }

    fn consent(&self, error: &LandingError) -> Option<Hint> {
        let typed = self.invocation;
        Some(match error {
            LandingError::LossNotAllowed { .. } => {
                Hint::new("if that is what you want", typed.with(&["--allow-loss"]))
            }
            LandingError::DriverNotTrusted { .. } | LandingError::SignerNotTrusted { .. } => {
                Hint::new("see what it would run, and trust it, with", typed.command(&["trust"]))
            }
            _ => return None,
        })
    }

    fn failure(&self, error: &LandingError) -> Option<Hint> {
        let typed = self.invocation;
        Some(match error {
            LandingError::FilterFailed { filter, .. } => Hint::new(
                "see what it runs with",
                self.git(&["config", "--show-origin", "--get-regexp", &format!("^filter\\.{filter}\\.")]),
            ),
            LandingError::CrossCheckFailed { .. } => Hint::new(
                "land it without asking git, with",
                typed.without(&["--cross-check"]).with(&["--no-cross-check"]),
            ),
            LandingError::Signing { .. } => {
                Hint::new("land it unsigned with", typed.with(&["--no-gpg-sign"]))
            }
            LandingError::Hook { hook, .. } => {
                Hint::new("run it alone with", self.git(&["hook", "run", hook]))
            }
            LandingError::NotPutBack { .. } => Hint::new("try once more with", typed.command(&["status"])),
            _ => return None,
        })
    }
}
