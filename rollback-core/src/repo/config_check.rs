//! Refuses configuration files that git refuses: broken lines, values that are none, formats that are not known.
//!
//! The object library is lenient where git ends with an error, and where it fails it names no line. Nothing here writes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bstr::ByteSlice;
use gix::config::Source;

use super::config_file::{self, Setting};
use super::config_rules::{Scope, refusal};
use super::format;
use crate::error::{Error, Result, SettingError};

/// How deep files may include each other, as in git.
const MAX_INCLUDES: usize = 10;

/// Refuses what git refuses in the files that the configuration of an open repository comes from.
///
/// # Errors
/// [`SettingError::File`], [`SettingError::Format`].
pub(crate) fn check(repo: &gix::Repository) -> Result<()> {
    let config = repo.config_snapshot();
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let own =
        [repo.common_dir().join("config"), repo.git_dir().join("config.worktree")].map(|own| whole(&own));
    let mut seen = BTreeSet::new();
    for section in config.plumbing().sections() {
        let Some(path) = section.meta().path.as_deref() else { continue };
        if seen.insert(path.to_owned()) {
            let is_own = own.contains(&whole(path));
            check_file(path, if is_own { Scope::Repository } else { Scope::Elsewhere })?;
        }
    }
    Ok(())
}

/// Why a repository whose configuration could not be loaded cannot be opened; `None` where no file says so.
pub(crate) fn explain(git_dir: Option<&Path>) -> Option<Error> {
    let mut variable = |name: &str| std::env::var_os(name);
    let common = [Source::System, Source::Git, Source::User];
    let common = common.into_iter().filter_map(|source| source.storage_location(&mut variable));
    let mut files: Vec<(PathBuf, Scope)> = common.map(|path| (path, Scope::Elsewhere)).collect();
    if let Some(git_dir) = git_dir {
        let shared = fs::read(git_dir.join("commondir")).ok();
        let shared = shared.and_then(|path| Some(git_dir.join(path.trim_ascii_end().to_path().ok()?)));
        files.push((shared.as_deref().unwrap_or(git_dir).join("config"), Scope::Repository));
        files.push((git_dir.join("config.worktree"), Scope::Repository));
    }
    let mut included = Vec::new();
    for (path, scope) in files {
        match check_file(&path, scope) {
            Ok(settings) => included.extend(includes(&path, &settings)),
            Err(error) => return Some(error),
        }
    }
    for _ in 0..MAX_INCLUDES {
        let mut next = Vec::new();
        for path in std::mem::take(&mut included) {
            match check_file(&path, Scope::Elsewhere) {
                Ok(settings) => next.extend(includes(&path, &settings)),
                Err(error) => return Some(error),
            }
        }
        included = next;
    }
    None
}

/// The values of the file, none where there is no such file.
fn check_file(path: &Path, scope: Scope) -> Result<Vec<Setting>> {
    // What cannot be opened was refused, or passed over, by the object library.
    let Ok(bytes) = fs::read(path) else { return Ok(Vec::new()) };
    let refuse = |line, why: String| Err(SettingError::File { path: path.to_owned(), line, why }.into());
    let settings = match config_file::read(&bytes) {
        Ok(settings) => settings,
        Err(line) => return refuse(line, "git cannot read this line".into()),
    };
    for setting in &settings {
        if let Some(why) = refusal(setting, scope) {
            return refuse(setting.line, why);
        }
    }
    if scope == Scope::Repository && path.ends_with("config") {
        format::check(path, &settings)?;
    }
    Ok(settings)
}

/// The files that a file includes, whatever their conditions.
fn includes(file: &Path, settings: &[Setting]) -> Vec<PathBuf> {
    let named = settings.iter().filter(|one| one.section == "include" || one.section == "includeif");
    let paths = named.filter(|one| one.name == "path").filter_map(|one| one.value.as_ref());
    let resolved = paths.filter_map(|path| match path.strip_prefix(b"~/") {
        Some(rest) => Some(gix::path::env::home_dir()?.join(rest.to_path().ok()?)),
        None => Some(file.parent()?.join(path.to_path().ok()?)),
    });
    resolved.collect()
}
