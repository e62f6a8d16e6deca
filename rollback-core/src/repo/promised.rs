//! Partial clones: which remotes promised the objects that are not here, and fetching what a computation lacks in one go.
//!
//! A computation that only reads is run against a repository that notes every blob it lacks and goes on with an empty one
//! in its place. What comes of such a run is thrown away: the blobs are fetched together, and it is run again. A tree
//! that is missing ends a run at once, because nothing can be said below it.
//!
//! Only remotes that the configuration marks as promisors are asked, and only by a name and an address that are no option
//! and start no program. A program that the repository's own configuration names for the connection needs trust, as
//! hooks do.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use bstr::{BString, ByteSlice};
use gix::config::Source;

use super::{Objects, Programs, Repo};
use crate::error::{Error, ObjectError, Result};
use crate::id::{Entry, EntryKind, ObjectId};
use crate::promised::{FetchCall, ObjectFetcher};

/// The keys whose value git runs as a program when it fetches, by section; a subsection may stand between.
const PROGRAMS: [(&str, &[&str]); 3] = [
    ("core", &["sshCommand", "gitProxy", "askPass", "alternateRefsCommand"]),
    ("remote", &["uploadpack", "vcs"]),
    ("credential", &["helper"]),
];

/// The schemes of addresses that start no program of their own choosing.
const SCHEMES: [&str; 9] = ["file", "git", "http", "https", "ssh", "git+ssh", "ssh+git", "ftp", "ftps"];

/// The objects that a computation lacked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lacking(Arc<Mutex<BTreeSet<ObjectId>>>);

impl Lacking {
    /// Notes an object.
    pub(super) fn add(&self, id: ObjectId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
    }

    /// An object that was noted.
    pub(super) fn first(&self) -> Option<ObjectId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).first().copied()
    }

    fn take(&self) -> BTreeSet<ObjectId> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Repo {
    /// The same repository, whose missing objects are fetched from the remotes that promised them.
    pub fn with_fetcher(mut self, fetcher: Arc<dyn ObjectFetcher>) -> Self {
        self.fetcher = Some(fetcher);
        self
    }

    /// Whether a remote promised objects that need not be here.
    pub fn is_partial_clone(&self) -> bool {
        is_partial_clone(&self.local())
    }

    /// The value of a computation that only reads, for which all that it lacks is fetched, as often as that takes.
    ///
    /// # Errors
    /// Those of the computation, and those of [`Repo::fetch_objects`].
    pub(crate) fn complete<T>(&self, mut compute: impl FnMut(&Self) -> Result<T>) -> Result<T> {
        if self.lacking.is_some() || !self.is_partial_clone() {
            return compute(self);
        }
        let mut tree_rounds = 0;
        loop {
            let lacking = Lacking::default();
            let noting = Self { lacking: Some(lacking.clone()), ..self.clone() };
            let result = compute(&noting);
            let mut missing = lacking.take();
            match &result {
                Err(Error::Object(ObjectError::Missing { id, kind: "tree", .. })) => {
                    missing.insert(*id);
                    missing.extend(self.root_trees_lacking(1_usize << (2 * tree_rounds.min(7)))?);
                    tree_rounds += 1;
                }
                Err(Error::Object(ObjectError::Missing { id, .. })) => {
                    missing.insert(*id);
                }
                _ => {}
            }
            if missing.is_empty() {
                return result;
            }
            self.fetch_objects(missing)?;
        }
    }

    /// The trees that the newest commits have and this repository lacks: a history is asked for more than one of them.
    fn root_trees_lacking(&self, commits: usize) -> Result<BTreeSet<ObjectId>> {
        let mut found = BTreeSet::new();
        let (objects, Some(head)) = (self.objects(), self.head()?.commit()) else { return Ok(found) };
        let Ok(walk) = objects.gix().rev_walk([head.gix()]).all() else { return Ok(found) };
        for step in walk.take(commits) {
            let Ok(step) = step else { break };
            let header = objects.commit_header(step.id.into())?;
            if header.tree != objects.empty_tree() && !objects.has(header.tree.0) {
                found.insert(header.tree.0);
            }
        }
        Ok(found)
    }

    /// Fetches what is missing of these files and links; whether anything was.
    ///
    /// # Errors
    /// [`ObjectError::Missing`] where no remote promised it, and those of [`Repo::fetch_objects`].
    pub(crate) fn fetch_lacking(
        &self,
        objects: &Objects,
        entries: impl IntoIterator<Item = Entry>,
    ) -> Result<bool> {
        let files = entries.into_iter().filter(|entry| entry.mode.kind() != EntryKind::Submodule);
        let missing: BTreeSet<_> =
            files.filter(|entry| !objects.has(entry.id)).map(|entry| entry.id).collect();
        match missing.first() {
            None => Ok(false),
            Some(_) if self.is_partial_clone() => self.fetch_objects(missing).map(|()| true),
            Some(first) => Err(objects.missing(*first, "blob")),
        }
    }

    /// The remote that is asked first for objects that are not here.
    pub(crate) fn first_promisor(&self) -> Option<String> {
        promisors(&self.local()).first().map(ToString::to_string)
    }

    /// Fetches objects from the remotes that promised them, the first that has them.
    ///
    /// # Writes
    /// A pack in the object database.
    ///
    /// # Errors
    /// [`ObjectError::NotFetched`] where fetching is off; [`ObjectError::UnsafeRemote`] and
    /// [`ObjectError::FetchNotTrusted`] for remotes that are not asked; [`ObjectError::FetchFailed`].
    pub(crate) fn fetch_objects(&self, ids: impl IntoIterator<Item = ObjectId>) -> Result<()> {
        let mut missing: Vec<_> = ids.into_iter().collect();
        let remotes = promisors(&self.local());
        let Some(fetcher) = &self.fetcher else {
            let remote = remotes.first().map(|remote| remote.to_str_lossy().into_owned());
            return Err(ObjectError::NotFetched { ids: missing, remote: remote.unwrap_or_default() }.into());
        };
        let mut failure = (String::new(), "no remote is configured that promised them".to_owned());
        for remote in remotes {
            let name = self.admitted(&remote)?;
            let call =
                FetchCall { remote: name.clone(), git_dir: self.git_dir().to_owned(), ids: missing.clone() };
            let why = match fetcher.fetch(&call) {
                Ok(()) => "it does not have them".to_owned(),
                Err(why) => why,
            };
            let objects = self.objects();
            missing.retain(|id| !objects.has(*id));
            if missing.is_empty() {
                return Ok(());
            }
            failure = (name, why);
        }
        let (remote, why) = failure;
        Err(ObjectError::FetchFailed { ids: missing, remote, why }.into())
    }

    /// The name of a remote that may be asked.
    fn admitted(&self, remote: &BString) -> Result<String> {
        let unsafe_remote = |why| Error::from(ObjectError::UnsafeRemote { remote: remote.to_string(), why });
        let name = remote.to_str().map_err(|_| unsafe_remote("its name is not UTF-8"))?;
        if name.starts_with('-') || name.contains(|letter: char| letter.is_control()) {
            return Err(unsafe_remote("its name could be taken for an option"));
        }
        let local = self.local();
        let config = local.config_snapshot();
        let key = format!("remote.{name}.url");
        let urls = config.plumbing().strings(key.as_str()).unwrap_or_default();
        if urls.is_empty() {
            return Err(unsafe_remote("it has no address"));
        }
        for url in urls {
            refuse_address(&url).map_err(unsafe_remote)?;
        }
        self.refuse_untrusted_programs(&local)?;
        Ok(name.to_owned())
    }

    fn refuse_untrusted_programs(&self, local: &gix::Repository) -> Result<()> {
        let trusted = |key: &str, value: &BString| match &self.programs {
            Programs::Trusted(pinned) => {
                pinned.get(key).is_some_and(|known| known.as_bytes() == value.as_slice())
            }
            Programs::Refused => false,
        };
        match programs_of_fetching(local).into_iter().find(|(key, value)| !trusted(key, value)) {
            Some((key, _)) => Err(ObjectError::FetchNotTrusted { key }.into()),
            None => Ok(()),
        }
    }
}

/// What the repository's own configuration would have git run when it fetches: full keys and values.
pub(crate) fn programs_of_fetching(local: &gix::Repository) -> Vec<(String, BString)> {
    let config = local.config_snapshot();
    let mut found = Vec::new();
    for (section_name, keys) in PROGRAMS {
        for section in config.plumbing().sections_by_name(section_name).into_iter().flatten() {
            if !matches!(section.meta().source, Source::Local | Source::Worktree) {
                continue;
            }
            let name = section.header().subsection_name();
            for key in keys {
                for value in section.values(key) {
                    let full = match name {
                        Some(name) => format!("{section_name}.{name}.{key}"),
                        None => format!("{section_name}.{key}"),
                    };
                    found.push((full, value));
                }
            }
        }
    }
    found
}

/// Whether the configuration names a remote that promised objects.
pub(super) fn is_partial_clone(local: &gix::Repository) -> bool {
    !promisors(local).is_empty()
}

/// The remotes that promised objects, in the order in which git asks them.
fn promisors(local: &gix::Repository) -> Vec<BString> {
    let config = local.config_snapshot();
    let mut found: Vec<BString> = Vec::new();
    let sections = config.plumbing().sections_by_name("remote").into_iter().flatten();
    for section in sections {
        let Some(name) = section.header().subsection_name() else { continue };
        let key = format!("remote.{name}.promisor");
        if config.boolean(key.as_str()).unwrap_or(false) && !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    }
    // As git does: the remote of the extension is asked last.
    if let Some(last) = config.string("extensions.partialClone") {
        found.retain(|known| *known != *last);
        found.push(last);
    }
    found
}

/// Refuses an address that is an option or that starts a program.
fn refuse_address(url: &[u8]) -> std::result::Result<(), &'static str> {
    if url.starts_with(b"-") {
        return Err("its address could be taken for an option");
    }
    if let Some(at) = url.find(b"::")
        && url[..at].iter().all(|byte| byte.is_ascii_alphanumeric() || b"+.-_".contains(byte))
    {
        return Err("its address names a program that makes the connection");
    }
    if let Some(at) = url.find(b"://") {
        let known = |scheme: &&str| scheme.as_bytes().eq_ignore_ascii_case(&url[..at]);
        if !SCHEMES.iter().any(known) {
            return Err("its address is of no kind that is known to start no program");
        }
        if url[at + 3..].starts_with(b"-") {
            return Err("its address could be taken for an option");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_options_or_programs_are_refused() {
        for url in [
            "-oProxyCommand=touch x",
            "--upload-pack=touch x",
            "ext::sh -c touch% x",
            "fd::7",
            "ssh://-oProxyCommand=touch/x",
            "javascript://x",
        ] {
            assert!(refuse_address(url.as_bytes()).is_err(), "{url}");
        }
        for url in [
            "https://example.com/x.git",
            "git@example.com:x.git",
            "file:///x",
            "/x/y",
            "../x",
            "ssh://h/x",
            "[::1]:x",
        ] {
            assert_eq!(refuse_address(url.as_bytes()), Ok(()), "{url}");
        }
    }
}
