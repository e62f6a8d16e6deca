//! What a repository itself would run: filters, merge drivers and signers of its own configuration, and hooks.
//!
//! The author of a repository chooses these. They are read here so that a person can see them before trusting them,
//! and pinned by what they are: another command or another hook is not trusted. Nothing here runs or writes anything.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bstr::ByteSlice;
use gix::config::Source;

use super::{Fingerprint, sha256};
use crate::error::{Error, Result};
use crate::repo::config::own_signers;
use crate::repo::hooks::{Owner, key_of};
use crate::repo::promised::programs_of_fetching;
use crate::repo::{Programs, Repo};

/// A program that a repository names.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct OwnProgram {
    /// Where it is named: a key of the configuration such as `filter.x.smudge`, or a hook such as `hooks/post-commit`.
    pub name: String,
    /// The command as it is configured, or the SHA-256 of the hook.
    pub what: String,
}

/// The keys that name programs, by the section they stand in.
const KEYS: [(&str, &[&str]); 2] = [("filter", &["clean", "smudge", "process"]), ("merge", &["driver"])];

impl Repo {
    /// The programs that the repository's own configuration and its hooks name, in order. Hooks in a folder that the
    /// user's or the system's configuration names outside of the repository are not its own.
    ///
    /// # Errors
    /// [`Error::Io`] for a hook that cannot be read.
    pub fn own_programs(&self) -> Result<Vec<OwnProgram>> {
        let mut found = BTreeMap::new();
        let local = self.local();
        let config = local.config_snapshot();
        for (section_name, keys) in KEYS {
            for section in config.plumbing().sections_by_name(section_name).into_iter().flatten() {
                let own = matches!(section.meta().source, Source::Local | Source::Worktree);
                let Some(name) = section.header().subsection_name().filter(|_| own) else { continue };
                for key in keys {
                    for command in section.values(key) {
                        let full = format!("{section_name}.{name}.{key}");
                        // A key may stand there twice; git takes the last one.
                        found.insert(full, command.to_str_lossy().into_owned());
                    }
                }
            }
        }
        for (key, command) in own_signers(&local) {
            found.insert(key, command.to_str_lossy().into_owned());
        }
        for (key, command) in programs_of_fetching(&local) {
            found.insert(key, command.to_str_lossy().into_owned());
        }
        let hooks = self.hooks_folder();
        if hooks.owner == Owner::Repository {
            for (name, hash) in hooks_in(&hooks.path)? {
                found.insert(key_of(&name), hash);
            }
        }
        Ok(found.into_iter().map(|(name, what)| OwnProgram { name, what }).collect())
    }

    /// The same repository, whose own filters and hooks may run: for a caller whose user has seen `programs`, which
    /// [`Repo::own_programs`] has told, and trusts them. A hook that is another one when it is to start does not run.
    pub fn trusting(self, programs: &[OwnProgram]) -> Self {
        let pinned = programs.iter().map(|program| (program.name.clone(), program.what.clone()));
        self.with_programs(Programs::Trusted(Arc::new(pinned.collect())))
    }
}

/// What pins the programs.
pub fn fingerprint_of(programs: &[OwnProgram]) -> Fingerprint {
    Fingerprint::new(programs.iter().map(|program| (program.name.as_str(), Some(program.what.as_bytes()))))
}

/// The hooks that git could run, each with the hash of its bytes.
fn hooks_in(folder: &Path) -> Result<Vec<(String, String)>> {
    let rows = match crate::listing::rows(folder) {
        Ok(rows) => rows,
        Err(_) => return Ok(Vec::new()),
    };
    let mut found = Vec::new();
    for row in rows {
        let (path, name) = (row.path(), row.file_name().to_string_lossy().into_owned());
        if name.ends_with(".sample") || !path.is_file() {
            continue;
        }
        let bytes = std::fs::read(&path).map_err(|error| Error::io("read", &path, error))?;
        found.push((name, sha256(&bytes)));
    }
    Ok(found)
}
