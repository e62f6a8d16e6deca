//! Whether the programs that a repository itself names may run: looked up in the user's records, never in the repository.

use rollback_core::Repo;
use rollback_core::trust::{REPOSITORY, Trusted, fingerprint_of};

use crate::failure::Problem;
use crate::procedures::{trust_key, trust_store};

/// The repository with the trust that somebody put into it.
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
