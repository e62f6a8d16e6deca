//! Hints where an object is missing, corrupt or not to be fetched.

use rollback_core::ObjectId;
use rollback_core::error::ObjectError;

use super::{Hint, Situation};

pub(super) fn hint(situation: &Situation<'_>, error: &ObjectError) -> Option<Hint> {
    let fsck = || situation.git(&["fsck", "--full"]);
    Some(match error {
        ObjectError::Missing { id, partial_clone: true, .. } => {
            Hint::new("fetch it with", situation.git(&["cat-file", "-p", &id.to_string()]))
        }
        ObjectError::Missing { .. } => Hint::new("see what else is missing with", fsck()),
        ObjectError::NotFetched { ids, remote } => situation.not_fetched(ids, remote),
        ObjectError::FetchFailed { remote, .. } => {
            Hint::new("see whether it can be reached with", situation.git(&["ls-remote", "--heads", remote]))
        }
        ObjectError::UnsafeRemote { remote, .. } => Hint::new(
            "see how it is configured with",
            situation.git(&["config", "--show-origin", "--get-regexp", &format!("^remote\\.{remote}\\.")]),
        ),
        ObjectError::FetchNotTrusted { .. } => {
            Hint::new("see what it would run, and trust it, with", situation.invocation.command(&["trust"]))
        }
        ObjectError::Corrupt { .. } => Hint::new("see how far the damage goes with", fsck()),
        _ => return None,
    })
}

impl Situation<'_> {
    /// What fetches the objects: rb itself where it was not forbidden, else git where the line is no longer than that.
    fn not_fetched(&self, ids: &[ObjectId], remote: &str) -> Hint {
        const TYPED: usize = 20;
        let typed = self.invocation;
        if !typed.has("--no-fetch") || ids.len() > TYPED {
            let allowed = typed.without(&["--no-fetch"]).with(&["--fetch"]);
            return Hint::new("let it fetch them with", allowed);
        }
        let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
        let options = ["fetch", "--no-tags", "--no-write-fetch-head", "--filter=blob:none", remote];
        let words: Vec<_> = options.into_iter().chain(ids.iter().map(String::as_str)).collect();
        Hint::new("fetch them with", self.git(&words))
    }
}
