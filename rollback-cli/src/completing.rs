//! What a shell is offered for the values of arguments.

use std::ffi::OsStr;

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use rollback_core::Repo;

/// Completes the names of branches and tags.
pub(crate) fn revisions() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let typed = typed.to_string_lossy();
        names().into_iter().filter(|name| name.starts_with(&*typed)).map(CompletionCandidate::new).collect()
    })
}

fn names() -> Vec<String> {
    // Where there is no repository there is nothing to offer; a completion has nowhere to complain.
    Repo::discover_with_environment(".").and_then(|repo| repo.reference_names()).unwrap_or_default()
}
