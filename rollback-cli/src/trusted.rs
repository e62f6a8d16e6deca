//! Whether the programs that a repository itself names may run: looked up in the user's records, never in the repository.

use std::path::PathBuf;

use rollback_core::Repo;
use rollback_core::trust::{REPOSITORY, TrustStore, Trusted, fingerprint_of};

use crate::exit::Exit;
use crate::failure::{Failure, Problem};

/// The repository with the trust that the user put into it.
pub(crate) fn as_trusted(repo: Repo) -> Result<Repo, Problem> {
    // Where there is nowhere to keep a record, there is none.
    let Ok(store) = trust_store() else { return Ok(repo) };
    if !store.knows(&trust_key(&repo), REPOSITORY) {
        return Ok(repo);
    }
    let programs = repo.own_programs()?;
    Ok(match store.check(&trust_key(&repo), REPOSITORY, &fingerprint_of(&programs))? {
        Trusted::Yes => repo.trusting(&programs),
        // It names other programs now: refusals say so.
        _ => repo,
    })
}

/// The records of the user's trust.
pub(crate) fn trust_store() -> Result<TrustStore, Failure> {
    TrustStore::of_user(|name| std::env::var(name).ok()).ok_or_else(|| {
        let message = "there is no folder for records of trust: neither HOME nor XDG_DATA_HOME is set";
        Failure::new(Exit::Refused, "no-home", message)
    })
}

/// What a record of trust names the repository by: one record serves all its work trees.
pub(crate) fn trust_key(repo: &Repo) -> PathBuf {
    repo.common_dir()
}
