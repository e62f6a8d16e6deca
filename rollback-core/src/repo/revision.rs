//! Revisions as people type them, resolved to commits as `git revert` would.

use gix::revision::plumbing::Spec;
use gix::revision::spec::parse;

use super::Repo;
use crate::error::{Error, Result};
use crate::id::CommitId;

impl Repo {
    /// The commit that `spec` names. Annotated tags are peeled; `-` is the branch checked out before.
    ///
    /// # Errors
    /// [`Error::UnknownRevision`], [`Error::AmbiguousRevision`] with the candidates, [`Error::NotACommit`],
    /// [`Error::Unborn`] for the HEAD of a branch without commits, and [`Error::BadRequest`] for a range.
    pub fn resolve_commit(&self, spec: &str) -> Result<CommitId> {
        let repo = self.local();
        match parse_spec(&repo, spec)? {
            Spec::Include(id) => peel(&repo, spec, id),
            _ => Err(Error::BadRequest(format!("'{spec}' is a range, and one commit is wanted"))),
        }
    }
}

/// What the words of a revision say, before anything is peeled.
fn parse_spec(repo: &gix::Repository, spec: &str) -> Result<Spec> {
    let words = if spec == "-" { "@{-1}" } else { spec };
    let options = parse::Options {
        // An abbreviated id that fits a blob as well can only have meant the commit.
        object_kind_hint: Some(parse::ObjectKindHint::Committish),
        ..Default::default()
    };
    gix::revision::Spec::from_bstr(words, repo, options)
        .map(gix::revision::Spec::detach)
        .map_err(|error| explain(repo, spec, error))
}

fn explain(repo: &gix::Repository, spec: &str, error: gix::Error) -> Error {
    let ambiguous = error.iter_errors().find_map(|error| match error.downcast_ref() {
        Some(
            parse::Error::AmbiguousPrefix { candidates, .. }
            | parse::Error::AmbiguousRefAndObject { candidates, .. },
        ) => Some(candidates.iter().map(|(id, info)| format!("{id} {info}")).collect()),
        _ => None,
    });
    if let Some(candidates) = ambiguous {
        return Error::AmbiguousRevision { spec: spec.to_owned(), candidates };
    }
    if names_head(spec)
        && let Ok(head) = repo.head()
        && head.is_unborn()
        && let Some(branch) = head.referent_name()
    {
        return Error::Unborn { branch: branch.shorten().to_string() };
    }
    Error::UnknownRevision { spec: spec.to_owned(), source: Some(error.into()) }
}

fn names_head(spec: &str) -> bool {
    let name = spec.split(['^', '~', '@', ':']).next().unwrap_or_default();
    name == "HEAD" || spec.starts_with('@') && !spec.starts_with("@{-")
}

fn peel(repo: &gix::Repository, spec: &str, id: gix::ObjectId) -> Result<CommitId> {
    let object = repo
        .find_object(id)
        .map_err(|error| Error::UnknownRevision { spec: spec.to_owned(), source: Some(error.into()) })?;
    let peeled = object
        .peel_tags_to_end()
        .map_err(|error| Error::UnknownRevision { spec: spec.to_owned(), source: Some(error.into()) })?;
    match peeled.kind {
        gix::objs::Kind::Commit => Ok(peeled.id.into()),
        kind => Err(Error::NotACommit { spec: spec.to_owned(), kind: kind.to_string() }),
    }
}
