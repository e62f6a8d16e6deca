//! Revisions as people type them, resolved to commits as `git revert` would.

use std::borrow::Cow;

use bstr::{BStr, BString, ByteSlice};
use gix::revision::plumbing::Spec;
use gix::revision::spec::parse;

use super::ancestry::{Ancestry, with_ancestry};
use super::promised::is_partial_clone;
use super::refs::{References, Target};
use super::{Objects, Repo, abbreviation, commit_set, revision_name, text_search};
use crate::error::{Error, ObjectError, Result, RevisionError};
use crate::id::{CommitId, ObjectId};

impl Repo {
    /// The commit that `spec` names. Annotated tags are peeled; `-` is the branch checked out before.
    ///
    /// # Errors
    /// [`RevisionError::Unknown`], [`RevisionError::Ambiguous`] with the candidates, [`RevisionError::NotACommit`],
    /// [`RevisionError::Unborn`] for the HEAD of a branch without commits, and [`Error::BadRequest`] for a range.
    pub fn resolve_commit(&self, spec: &str) -> Result<CommitId> {
        let repo = self.local();
        match parse_spec(&repo, spec)? {
            Spec::Include(id) => peel(&repo, spec, id),
            _ => Err(Error::BadRequest(format!("'{spec}' is a range, and one commit is wanted"))),
        }
    }

    /// The commits that `specs` name, in the order in which `git revert` takes them: single names as they are given;
    /// as soon as anything is excluded (`A..B`, `A...B`, `^A`), everything that is reached and not excluded, newest
    /// first and never a parent before its child.
    ///
    /// # Errors
    /// As [`Repo::resolve_commit`] for each name, and [`RevisionError::EmptyCommitSet`].
    pub fn resolve_commits<S: AsRef<str>>(&self, specs: &[S]) -> Result<Vec<CommitId>> {
        let objects = self.objects();
        let mut ends = Ends::default();
        for spec in specs {
            ends.add(&objects, spec.as_ref())?;
        }
        let commits = match ends.is_walk {
            true => with_ancestry(&objects, |mut ancestry| ends.walk(&mut ancestry))?,
            false => ends.included,
        };
        if commits.is_empty() {
            let specs = specs.iter().map(|spec| spec.as_ref().to_owned()).collect();
            return Err(RevisionError::EmptyCommitSet { specs }.into());
        }
        Ok(commits)
    }
    /// The ends that the words of one revision name.
    pub(crate) fn revision_ends(&self, spec: &str) -> Result<Ends> {
        let mut ends = Ends::default();
        ends.add(&self.objects(), spec)?;
        Ok(ends)
    }

    /// The commits that `tips` reach and `known` do not, newest first; none is no error.
    ///
    /// # Errors
    /// [`ObjectError::Missing`] and [`ObjectError::Corrupt`].
    pub fn commits_beyond(&self, tips: &[CommitId], known: &[CommitId]) -> Result<Vec<CommitId>> {
        let objects = self.objects();
        let ends = Ends { included: tips.to_vec(), excluded: known.to_vec(), is_walk: true };
        with_ancestry(&objects, |mut ancestry| ends.walk(&mut ancestry))
    }

    /// The names of the remotes that the configuration has, in order.
    pub fn remote_names(&self) -> Vec<String> {
        self.local().remote_names().iter().map(ToString::to_string).collect()
    }

    /// Whether the configuration has a remote of this name.
    pub fn has_remote(&self, name: &str) -> bool {
        let repo = self.local();
        let config = repo.config_snapshot();
        ["url", "pushurl"].iter().any(|key| config.string(&format!("remote.{name}.{key}")).is_some())
    }
}

/// The commits named, each once, and those that exclude their past.
#[derive(Default)]
pub(crate) struct Ends {
    pub(crate) included: Vec<CommitId>,
    pub(crate) excluded: Vec<CommitId>,
    /// Whether a past is meant, and not the names alone.
    pub(crate) is_walk: bool,
}

impl Ends {
    pub(super) fn add(&mut self, objects: &Objects, spec: &str) -> Result<()> {
        self.add_words(objects, spec, parse_spec(objects.gix(), spec)?)
    }

    /// Adds what the words of `spec` were found to say.
    pub(super) fn add_words(&mut self, objects: &Objects, spec: &str, words: Spec) -> Result<()> {
        let repo = objects.gix();
        self.is_walk |= !matches!(words, Spec::Include(_) | Spec::IncludeOnlyParents(_));
        match words {
            Spec::Include(id) => self.include(peel(repo, spec, id)?),
            Spec::Exclude(id) => self.excluded.push(peel(repo, spec, id)?),
            Spec::Range { from, to } => {
                self.excluded.push(peel(repo, spec, from)?);
                self.include(peel(repo, spec, to)?);
            }
            Spec::Merge { theirs, ours } => {
                let (theirs, ours) = (peel(repo, spec, theirs)?, peel(repo, spec, ours)?);
                self.excluded.extend(with_ancestry(objects, |mut ancestry| {
                    let ends = (ancestry.index_of(theirs), ancestry.index_of(ours));
                    let shared = commit_set::shared_past(&mut ancestry, ends.0, ends.1)?;
                    Ok(shared.into_iter().map(|commit| ancestry.id(commit)).collect::<Vec<_>>())
                })?);
                self.include(theirs);
                self.include(ours);
            }
            Spec::IncludeOnlyParents(id) => {
                let commit = objects.commit_header(peel(repo, spec, id)?)?;
                commit.parents.into_iter().for_each(|parent| self.include(parent));
            }
            Spec::ExcludeParents(id) => {
                let commit = peel(repo, spec, id)?;
                self.excluded.extend(objects.commit_header(commit)?.parents);
                self.include(commit);
            }
        }
        Ok(())
    }

    fn include(&mut self, commit: CommitId) {
        if !self.included.contains(&commit) {
            self.included.push(commit);
        }
    }

    fn walk(&self, ancestry: &mut Ancestry<'_>) -> Result<Vec<CommitId>> {
        let included: Vec<_> = self.included.iter().map(|commit| ancestry.index_of(*commit)).collect();
        let excluded: Vec<_> = self.excluded.iter().map(|commit| ancestry.index_of(*commit)).collect();
        let members = commit_set::difference(ancestry, &included, &excluded)?;
        let order = commit_set::newest_first(ancestry, &members, &included)?;
        Ok(order.into_iter().map(|commit| ancestry.id(commit)).collect())
    }
}

/// What the words of a revision say. Ends of a range are peeled, so that the one which names nothing is named.
pub(super) fn parse_spec(repo: &gix::Repository, spec: &str) -> Result<Spec> {
    let words = if spec == "-" { "@{-1}" } else { spec };
    let Some((from, dots, to)) = range(words) else { return parse_single(repo, words) };
    let end = |name: &str| match name {
        "" => one(repo, "HEAD"),
        name => one(repo, name),
    };
    let (from, to) = (end(from)?, end(to)?);
    Ok(match dots {
        ".." => Spec::Range { from, to },
        _ => Spec::Merge { theirs: from, ours: to },
    })
}

/// The ends of `A..B` or `A...B`, and the dots; nothing for one revision, in which dots may stand after `:/` or within
/// braces.
fn range(words: &str) -> Option<(&str, &str, &str)> {
    let at = words.find("..")?;
    let from = &words[..at];
    if words.starts_with(":/") || from.matches('{').count() != from.matches('}').count() || words == ".." {
        return None;
    }
    let dots = if words[at..].starts_with("...") { "..." } else { ".." };
    Some((from, dots, &words[at + dots.len()..]))
}

/// The commit that one end of a range names.
fn one(repo: &gix::Repository, spec: &str) -> Result<gix::ObjectId> {
    match parse_single(repo, spec)? {
        Spec::Include(id) => Ok(peel(repo, spec, id)?.0.0),
        _ => Err(RevisionError::Unknown { spec: spec.to_owned(), source: None }.into()),
    }
}

/// What the words of a revision say that is no range of two ends.
fn parse_single(repo: &gix::Repository, spec: &str) -> Result<Spec> {
    if let Some(text) = spec.strip_prefix(":/") {
        return match text_search::newest_with(repo, text)? {
            Some(id) => Ok(Spec::Include(id)),
            None => Err(RevisionError::Unknown { spec: spec.to_owned(), source: None }.into()),
        };
    }
    if let Some((name, parents)) = Parents::of(spec) {
        return parents.of_commit(repo, spec, one(repo, name)?);
    }
    let words = object_words(repo, spec)?;
    refuse_unreadable_steps(repo, &words)?;
    let options = parse::Options {
        // An abbreviated id that fits a blob as well can only have meant the commit.
        object_kind_hint: Some(parse::ObjectKindHint::Committish),
        ..Default::default()
    };
    gix::revision::Spec::from_bstr(&*words, repo, options)
        .map(gix::revision::Spec::detach)
        .map_err(|error| explain(repo, spec, error))
}

/// The revision in words that the object library reads: it knows neither upstreams that are branches of this repository
/// nor references that are stored in tables.
fn object_words<'a>(repo: &gix::Repository, spec: &'a str) -> Result<Cow<'a, str>> {
    let words = match local_sibling(repo, spec) {
        Some(words) => revision_name::resolved(repo, &words)?.into_owned().into(),
        None => revision_name::resolved(repo, spec)?,
    };
    abbreviation::in_full(repo, words)
}

/// The suffixes that stand for parents of a commit. The object library takes the steps before them for steps after
/// them, so they are read here.
enum Parents {
    /// `^@`: all of them, without the commit.
    All,
    /// `^!`: the commit without them.
    Excluded,
    /// `^-N`: everything since parent N, counted from 1.
    Since(usize),
}

impl Parents {
    fn of(spec: &str) -> Option<(&str, Self)> {
        if let Some(name) = spec.strip_suffix("^@") {
            return Some((name, Self::All));
        }
        if let Some(name) = spec.strip_suffix("^!") {
            return Some((name, Self::Excluded));
        }
        let (name, number) = spec.rsplit_once("^-")?;
        let number = if number.is_empty() { 1 } else { number.parse().ok().filter(|number| *number > 0)? };
        Some((name, Self::Since(number)))
    }

    fn of_commit(&self, repo: &gix::Repository, spec: &str, commit: gix::ObjectId) -> Result<Spec> {
        let number = match self {
            Self::All => return Ok(Spec::IncludeOnlyParents(commit)),
            Self::Excluded => return Ok(Spec::ExcludeParents(commit)),
            Self::Since(number) => number,
        };
        let object = behind_tags(repo, spec, commit)?;
        let mut parents = gix::objs::CommitRefIter::from_bytes(&object.data, object.id.kind()).parent_ids();
        match parents.nth(number - 1) {
            Some(from) => Ok(Spec::Range { from, to: commit }),
            None => Err(RevisionError::Unknown { spec: spec.to_owned(), source: None }.into()),
        }
    }
}

/// The revision with `@{upstream}` or `@{push}` put in words where that is a branch of this repository, which the
/// object library does not know.
fn local_sibling(repo: &gix::Repository, spec: &str) -> Option<String> {
    let (name, rest) = spec.split_once("@{")?;
    let (suffix, rest) = rest.split_once('}')?;
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(suffix));
    let references = References::of(repo).ok()?;
    let branch = match name {
        "" | "HEAD" | "@" => match references.read(b"HEAD").ok()?? {
            Target::Symbolic(branch) => branch,
            Target::Object(_) => return None,
        },
        name => {
            let branch = BString::from(format!("refs/heads/{name}"));
            references.read(&branch).ok()?.map(|_| branch)?
        }
    };
    let branch = gix::refs::FullName::try_from(branch.as_bstr()).ok()?;
    let config = repo.config_snapshot();
    let of_branch = |key: &str| config.string(format!("branch.{}.{key}", branch.shorten()).as_str());
    let remote = of_branch("remote")?;
    let is_wanted = is(&["u", "upstream"])
        || is(&["push"]) && {
            let goes_to = of_branch("pushRemote").or_else(|| config.string("remote.pushDefault"));
            let how = config.string("push.default");
            goes_to.is_none_or(|goes_to| goes_to == remote)
                && how.is_some_and(|how| how.as_slice() == b"upstream" || how.as_slice() == b"tracking")
        };
    if !is_wanted || remote.as_slice() != b"." {
        return None;
    }
    let upstream = upstream_name(repo, branch.as_ref())?.ok()?;
    Some(format!("{upstream}{rest}"))
}

/// The reference of the upstream of a branch, as `branch.<name>.remote` and `branch.<name>.merge` say; `None` where they
/// say nothing.
pub(crate) fn upstream_name(
    repo: &gix::Repository,
    branch: &gix::refs::FullNameRef,
) -> Option<gix::Result<gix::refs::FullName>> {
    let remote = repo.config_snapshot().string(format!("branch.{}.remote", branch.shorten()).as_str());
    match remote.is_some_and(|remote| remote.as_slice() == b".") {
        true => repo.branch_remote_ref_name(branch, gix::remote::Direction::Fetch),
        false => repo.branch_remote_tracking_ref_name(branch, gix::remote::Direction::Fetch),
    }
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
        return RevisionError::Ambiguous { spec: spec.to_owned(), candidates }.into();
    }
    let references = match References::of(repo).and_then(|found| found.check().map(|()| found)) {
        Ok(references) => references,
        Err(error) => return error,
    };
    if names_head(spec)
        && let Ok(Some(branch)) = references.unborn_branch()
    {
        return unborn(&branch);
    }
    if let Ok(Some(name)) = references.find(BStr::new(spec))
        && let Ok(Some(id)) = references.follow(&name)
        && let Err(error) = repo.find_object(id.0)
    {
        return match error.is_not_found() {
            true => ObjectError::Missing { kind: "commit", id, partial_clone: is_partial_clone(repo) }.into(),
            false => ObjectError::Corrupt { kind: "commit", id, source: error.into() }.into(),
        };
    }
    RevisionError::Unknown { spec: spec.to_owned(), source: Some(error.into()) }.into()
}

/// The error of a branch without commits.
pub(super) fn unborn(branch: &[u8]) -> Error {
    let short = branch.strip_prefix(b"refs/heads/").unwrap_or(branch);
    RevisionError::Unborn { branch: short.as_bstr().to_string() }.into()
}

fn names_head(spec: &str) -> bool {
    let name = spec.split(['^', '~', '@', ':']).next().unwrap_or_default();
    name == "HEAD" || spec.starts_with('@') && !spec.starts_with("@{-")
}

/// The commit that a reference names, through tags.
///
/// # Errors
/// As [`Repo::resolve_commit`].
pub(crate) fn commit_of(repo: &gix::Repository, name: &BStr, id: ObjectId) -> Result<CommitId> {
    peel(repo, &name.to_string(), id.0)
}

/// Refuses a revision whose steps lead through a tag or a commit that cannot be read: the object library would panic.
fn refuse_unreadable_steps(repo: &gix::Repository, words: &str) -> Result<()> {
    let ends = words.split("..").map(|end| end.trim_start_matches(['^', '.']));
    for end in ends {
        let steps =
            end.match_indices(['^', '~', ':', '@']).filter(|(at, step)| *at > 0 && end[*at..] != **step);
        for (at, _) in steps {
            let step = gix::revision::Spec::from_bstr(&end[..at], repo, parse::Options::default());
            if let Ok(Spec::Include(id)) = step.map(gix::revision::Spec::detach) {
                match behind_tags(repo, &end[..at], id) {
                    Ok(object) if object.kind == gix::objs::Kind::Commit => drop(tree_of(&object)?),
                    Err(error @ Error::Object(ObjectError::Corrupt { .. })) => return Err(error),
                    _ => {}
                }
            }
        }
    }
    Ok(())
}

/// The object that a revision names, tags as themselves; `None` where it names none.
pub(crate) fn object_named(repo: &gix::Repository, spec: &str) -> Option<gix::ObjectId> {
    let words = object_words(repo, spec).ok()?;
    refuse_unreadable_steps(repo, &words).ok()?;
    Some(repo.rev_parse_single(&*words).ok()?.detach())
}

/// The tree of a revision that names a tree, or a commit, or a tag of either.
pub(crate) fn tree_named(repo: &gix::Repository, spec: &str) -> Option<gix::ObjectId> {
    let object = behind_tags(repo, spec, object_named(repo, spec)?).ok()?;
    match object.kind {
        gix::objs::Kind::Tree => Some(object.id),
        gix::objs::Kind::Commit => tree_of(&object).ok(),
        _ => None,
    }
}

fn tree_of(commit: &gix::Object<'_>) -> Result<gix::ObjectId> {
    gix::objs::CommitRefIter::from_bytes(&commit.data, commit.id.kind()).tree_id().map_err(|source| {
        ObjectError::Corrupt { kind: "commit", id: ObjectId(commit.id), source: source.into() }.into()
    })
}

pub(super) fn peel(repo: &gix::Repository, spec: &str, id: gix::ObjectId) -> Result<CommitId> {
    let object = behind_tags(repo, spec, id)?;
    match object.kind {
        gix::objs::Kind::Commit => Ok(object.id.into()),
        kind => Err(RevisionError::NotACommit { spec: spec.to_owned(), kind: kind.to_string() }.into()),
    }
}

/// The object itself, or what a tag stands for. The object library's own way panics at a tag that cannot be read.
fn behind_tags<'repo>(
    repo: &'repo gix::Repository,
    spec: &str,
    id: gix::ObjectId,
) -> Result<gix::Object<'repo>> {
    let unreadable = |id: gix::ObjectId, error: gix::Error| -> Error {
        match error.is_not_found() {
            true => RevisionError::Unknown { spec: spec.to_owned(), source: Some(error.into()) }.into(),
            false => ObjectError::Corrupt { kind: "object", id: ObjectId(id), source: error.into() }.into(),
        }
    };
    let mut object = repo.find_object(id).map_err(|error| unreadable(id, error))?;
    while object.kind == gix::objs::Kind::Tag {
        let (tag, fields) = (object.id, gix::objs::TagRefIter::from_bytes(&object.data, id.kind()));
        let inner = fields.target_id().map_err(|source| ObjectError::Corrupt {
            kind: "tag",
            id: ObjectId(tag),
            source: source.into(),
        })?;
        object = repo.find_object(inner).map_err(|error| unreadable(inner, error))?;
    }
    Ok(object)
}
