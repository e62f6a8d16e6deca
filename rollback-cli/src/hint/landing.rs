//! Hints where a result may not land: the branch moved, consent is missing, a program refused.

use rollback_core::{Error, RepoPath};

use super::{Hint, Situation};
use crate::command_line::CommandLine;

pub(super) fn hint(situation: &Situation<'_>, error: &Error) -> Option<Hint> {
    situation.branch(error).or_else(|| situation.consent(error)).or_else(|| situation.program(error))
}

impl Situation<'_> {
    fn branch(&self, error: &Error) -> Option<Hint> {
        Some(match error {
            Error::Moved { reference, .. } if self.command_name() == Some("undo") => {
                Hint::new("see where it went with", self.git(&["reflog", "show", reference]))
            }
            Error::Moved { .. } | Error::IndexMoved | Error::PlanAltered { .. }
                if self.command_name() == Some("apply") =>
            {
                Hint::new("make the plan again; see how with", self.help())
            }
            Error::Moved { .. } | Error::IndexMoved | Error::PlanAltered { .. } => {
                Hint::new("plan again with", self.invocation.with(&["--dry-run"]))
            }
            Error::BranchExists { branch, .. } => {
                Hint::new("see what it holds with", self.git(&["log", "--oneline", "-5", branch]))
            }
            Error::InvalidBranchName { .. } => Hint::new(
                "give it a name that git accepts, such as",
                self.invocation
                    .without_option("--branch", "--branch")
                    .with(&["--branch", &self.free_branch()]),
            ),
            Error::BranchCheckedOut { worktree, .. } => {
                let folder = worktree.to_string_lossy();
                Hint::new(
                    "see what is going on there with",
                    CommandLine::of(["git", "-C", &folder, "status"]),
                )
            }
            Error::UpstreamAhead { upstream, .. } => Hint::new(
                "take these changes in first (or land anyway with --stale-ok) with",
                self.git(&["merge", upstream.strip_prefix("refs/remotes/").unwrap_or(upstream)]),
            ),
            _ => return None,
        })
    }

    fn consent(&self, error: &Error) -> Option<Hint> {
        let typed = self.invocation;
        Some(match error {
            Error::LossNotAllowed { .. } => {
                Hint::new("if that is what you want", typed.with(&["--allow-loss"]))
            }
            Error::OutsideNotAllowed { .. } => {
                Hint::new("take those back too with", typed.with(&["--with-outside"]))
            }
            Error::DriverNotTrusted { .. }
            | Error::SignerNotTrusted { .. }
            | Error::FetchNotTrusted { .. } => {
                Hint::new("see what it would run, and trust it, with", typed.command(&["trust"]))
            }
            Error::NoIdentity { .. } => Hint::new("say who you are with", self.identity()),
            _ => return None,
        })
    }

    fn program(&self, error: &Error) -> Option<Hint> {
        let typed = self.invocation;
        Some(match error {
            Error::FilterFailed { filter, .. } => Hint::new(
                "see what it runs with",
                self.git(&["config", "--show-origin", "--get-regexp", &format!("^filter\\.{filter}\\.")]),
            ),
            Error::CrossCheckFailed { .. } => Hint::new(
                "land it without asking git, with",
                typed.without(&["--cross-check"]).with(&["--no-cross-check"]),
            ),
            Error::Signing { .. } => Hint::new("land it unsigned with", typed.with(&["--no-gpg-sign"])),
            Error::Hook { hook, .. } => Hint::new("run it alone with", self.git(&["hook", "run", hook])),
            _ => return None,
        })
    }

    fn identity(&self) -> CommandLine {
        CommandLine::all_of(&[
            self.git(&["config", "user.name", "Your Name"]),
            self.git(&["config", "user.email", "you@example.com"]),
        ])
    }
}

/// The name of a branch without `refs/heads/`.
pub(super) fn branch_name(reference: &RepoPath) -> String {
    let name = reference.to_string();
    name.strip_prefix("refs/heads/").map(ToOwned::to_owned).unwrap_or(name)
}
