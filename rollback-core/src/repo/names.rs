//! Names of revisions: which are ambiguous, and which are meant where one names nothing.

use super::refs::References;
use super::revision_name::end_of_name;
use super::{Repo, abbreviation};
use crate::error::Result;

/// Where git looks for a name, in its order.
pub(crate) const PLACES: [(&str, &str); 6] = [
    ("", ""),
    ("refs/", ""),
    ("refs/tags/", ""),
    ("refs/heads/", ""),
    ("refs/remotes/", ""),
    ("refs/remotes/", "/HEAD"),
];

impl Repo {
    /// The names in a revision or range that git would warn about: they name more than one reference, or a reference
    /// and an object. Nothing where `core.warnAmbiguousRefs` is off.
    pub fn ambiguous_names(&self, spec: &str) -> Vec<String> {
        let repo = self.local();
        if repo.config_snapshot().boolean("core.warnAmbiguousRefs") == Some(false) {
            return Vec::new();
        }
        let mut names: Vec<String> = Vec::new();
        for name in bases(spec) {
            if is_ambiguous(&repo, name) && !names.iter().any(|seen| seen == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// The names most like one that names nothing, nearest first: branches, remote-tracking branches and tags.
    ///
    /// # Errors
    /// [`RepositoryError::BadReferences`](crate::error::RepositoryError::BadReferences).
    pub fn nearest_names(&self, name: &str) -> Result<Vec<String>> {
        Ok(nearest(name, self.reference_names()?))
    }
}

/// The names at which the ends of a revision begin, without its steps.
fn bases(spec: &str) -> impl Iterator<Item = &str> {
    let ends = if spec.starts_with(":/") { "" } else { spec };
    ends.split("..").map(|end| {
        let end = end.trim_start_matches(['^', '.']);
        &end[..end_of_name(end)]
    })
}

fn is_ambiguous(repo: &gix::Repository, name: &str) -> bool {
    if name.is_empty() || name == "HEAD" || name == "@" {
        return false;
    }
    let Ok(references) = References::of(repo) else { return false };
    let exists = |full: String| references.has(&full);
    let found = PLACES.iter().filter(|(before, after)| exists(format!("{before}{name}{after}"))).count();
    match found {
        0 => false,
        1 => is_an_object(repo, name),
        _ => true,
    }
}

/// Whether the name is the id of an object, whole or abbreviated.
fn is_an_object(repo: &gix::Repository, name: &str) -> bool {
    if name.len() == repo.object_hash().len_in_hex() {
        return name.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    let prefix = abbreviation::prefix(repo, name);
    prefix.is_some_and(|prefix| matches!(repo.objects.lookup_prefix(prefix, None), Ok(Some(Ok(_)))))
}

/// How many names are worth showing.
const SHOWN: usize = 3;

/// The candidates most like `name`, nearest first; none that differ in more than a third of their letters.
pub(crate) fn nearest(name: &str, candidates: impl IntoIterator<Item = String>) -> Vec<String> {
    let folded = name.to_lowercase();
    let mut ranked: Vec<(usize, String)> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let short = candidate.rsplit_once('/').map_or(candidate.as_str(), |(_, short)| short);
            let distance = |other: &str| strsim::damerau_levenshtein(&folded, &other.to_lowercase());
            // A name without its remote or folder is near as well, but less so.
            let found = distance(&candidate).min(distance(short) + 1);
            let allowed = (name.chars().count() / 3).max(1);
            (found <= allowed && candidate != name).then_some((found, candidate))
        })
        .collect();
    ranked.sort();
    ranked.truncate(SHOWN);
    ranked.into_iter().map(|(_, candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_come_first_and_far_ones_not_at_all() {
        let names = || ["main", "maint", "origin/main", "topic"].map(ToOwned::to_owned);
        assert_eq!(nearest("mian", names()), ["main", "origin/main"][..1].to_vec());
        assert_eq!(nearest("topik", names()), ["topic"]);
        assert_eq!(nearest("release", names()), [""; 0]);
    }

    #[test]
    fn the_ends_of_a_revision_are_its_names_without_steps() {
        let names = |spec| bases(spec).filter(|name| !name.is_empty()).collect::<Vec<_>>();
        assert_eq!(names("main~2^{tree}"), ["main"]);
        assert_eq!(names("a...b@{1}"), ["a", "b"]);
        assert_eq!(names("^topic:path"), ["topic"]);
        assert_eq!(names(":/text..more"), [""; 0]);
    }
}
