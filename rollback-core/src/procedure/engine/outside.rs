//! Files outside the repository: copied, deleted, and environment files, each refused where it could do harm.

use std::fs;
use std::path::{Path, PathBuf};

use super::{EngineError, Result, Run};
use crate::apply::replace_outside;
use crate::bounded;
use crate::error::Error;
use crate::listing;
use crate::procedure::format::{CopyFiles, EnvFile};

impl Run<'_> {
    /// The path with `~` as the home folder.
    pub(super) fn expanded(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), (self.engine.environment)("HOME")) {
            (Some(rest), Some(home)) => Path::new(&home).join(rest),
            _ => PathBuf::from(path),
        }
    }

    /// A path that may be changed: absolute, without `..`, neither a root nor a home nor around the repository.
    fn changeable(&self, path: &str) -> Result<PathBuf> {
        let text = self.words(path)?;
        let full = self.expanded(&text);
        let refuse = |why| Err(EngineError::Outside { path: text.clone(), why });
        if !full.is_absolute() {
            return refuse("it is not absolute");
        }
        if full.components().any(|part| part == std::path::Component::ParentDir) {
            return refuse("it holds '..'");
        }
        let home = (self.engine.environment)("HOME").map(PathBuf::from);
        if full.components().count() < 3 || home.as_deref().is_some_and(|home| home.starts_with(&full)) {
            return refuse("it is a root or a home folder");
        }
        let repo = self.engine.repo;
        if [Some(repo.git_dir()), repo.work_dir()].into_iter().flatten().any(|own| own.starts_with(&full)) {
            return refuse("the repository lies in it");
        }
        if full.starts_with(repo.git_dir()) {
            return refuse("it lies in the git directory");
        }
        Ok(full)
    }

    pub(super) fn delete(&mut self, paths: &[String]) -> Result<()> {
        let full: Vec<PathBuf> = paths.iter().map(|path| self.changeable(path)).collect::<Result<_>>()?;
        self.has_acted = true;
        for path in full {
            remove(&path)?;
        }
        Ok(())
    }

    /// Makes the target what the source is. Nothing is touched unless the source is there.
    pub(super) fn copy(&mut self, copy: &CopyFiles) -> Result<()> {
        // A relative source lies in the work tree, wherever rb was started.
        let from = self.engine.place().join(self.expanded(&self.words(&copy.from)?));
        let to = self.changeable(&copy.to)?;
        self.refuse_links(&from)?;
        let metadata = fs::metadata(&from).map_err(|error| Error::io("read", &from, error))?;
        if metadata.is_file() {
            return copy_file(&from, &to);
        }
        if to.starts_with(&from) {
            return Err(EngineError::Outside { path: copy.to.clone(), why: "it lies in what is copied" });
        }
        self.has_acted = true;
        if copy.exact {
            remove_others(&from, &to)?;
        }
        copy_folder(&from, &to)
    }

    /// Refuses a source in the work tree that is a link, lies behind one, or holds one: it would be read through.
    fn refuse_links(&self, from: &Path) -> Result<()> {
        let work_dir = self.engine.place();
        let Ok(inside) = from.strip_prefix(&work_dir) else { return Ok(()) };
        let why = "it is a symbolic link of the tree, which is not followed";
        let refused = |path: &Path| Err(EngineError::Outside { path: path.display().to_string(), why });
        let mut at = work_dir;
        for part in inside.components() {
            at.push(part);
            if at.is_symlink() {
                return refused(&at);
            }
        }
        let mut folders = vec![at];
        while let Some(folder) = folders.pop() {
            for row in listing::rows(&folder).into_iter().flatten() {
                match row.file_type() {
                    Ok(kind) if kind.is_symlink() => return refused(&row.path()),
                    Ok(kind) if kind.is_dir() => folders.push(row.path()),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    pub(super) fn env_file(&self, file: &EnvFile) -> Result<()> {
        let path = self.changeable(&file.path)?;
        let failed = |error| Error::io("read", &path, error);
        let mut text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(error).into()),
        };
        for (name, value) in file.set.iter() {
            let line = format!("{name}={}", self.words_for_program(&value.to_string())?);
            let assigns =
                |row: &&str| row.trim_start().trim_start_matches("export ").split('=').next() == Some(name);
            let mut lines: Vec<&str> = text.lines().filter(|row| !assigns(row)).collect();
            lines.push(&line);
            text = lines.join("\n") + "\n";
        }
        Ok(replace_outside(&path, text.as_bytes(), None)?)
    }
}

fn remove(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if bounded::is_absent(&error) => Ok(()),
        Err(error) => Err(error),
    };
    removed.map_err(|error| Error::io("remove", path, error).into())
}

/// Removes what the target has and the source has not.
fn remove_others(from: &Path, to: &Path) -> Result<()> {
    let rows = match listing::rows(to) {
        Ok(rows) => rows,
        Err(error) if bounded::is_absent(&error) => return Ok(()),
        Err(error) => return Err(Error::io("read", to, error).into()),
    };
    for row in rows {
        let (source, target) = (from.join(row.file_name()), row.path());
        let both_folders = source.is_dir() && row.file_type().is_ok_and(|kind| kind.is_dir());
        match fs::symlink_metadata(&source) {
            Ok(_) if both_folders => remove_others(&source, &target)?,
            Ok(_) => {}
            Err(error) if bounded::is_absent(&error) => remove(&target)?,
            Err(error) => return Err(Error::io("examine", source, error).into()),
        }
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(|error| Error::io("make", to, error))?;
    for row in listing::rows(from).map_err(|error| Error::io("read", from, error))? {
        let (source, target) = (row.path(), to.join(row.file_name()));
        if source.is_dir() { copy_folder(&source, &target)? } else { copy_file(&source, &target)? }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> Result<()> {
    let failed = |error| Error::io("read", from, error);
    let bytes = bounded::read(from, bounded::CONTENT).map_err(failed)?;
    let permissions = fs::metadata(from).map_err(failed)?.permissions();
    Ok(replace_outside(to, &bytes, Some(bits(&permissions)))?)
}

#[cfg(unix)]
fn bits(permissions: &fs::Permissions) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(permissions)
}

#[cfg(not(unix))]
fn bits(_: &fs::Permissions) -> u32 {
    0
}
