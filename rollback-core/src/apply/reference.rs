//! Moving one reference: the compare, the rename that is the commit point, and the lines in the logs.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

use bstr::{BString, ByteSlice};

use super::durable;
use super::stage::Stage;
use crate::bounded;
use crate::error::{Error, LandingError, Result};
use crate::id::CommitId;
use crate::journal::{Journal, MovedReference, Place};
use crate::path::RepoPath;
use crate::repo::config::Settings;
use crate::repo::refs::{Head, References, Storage, check_writable_name, is_of_work_tree};
use crate::repo::{Repo, Signature};

/// A reference to move.
#[derive(Clone, Debug)]
pub(crate) struct RefUpdate {
    /// The full name of a branch or of one of rb's own references, or `HEAD` where it is detached.
    pub(crate) name: BString,
    /// Where it must be; `None` where it must not exist.
    pub(crate) old: Option<CommitId>,
    /// Where it goes; `None` removes it.
    pub(crate) new: Option<CommitId>,
    /// What the log says, such as `revert: Revert "x"`.
    pub(crate) reflog: BString,
    /// Who moves it.
    pub(crate) committer: Signature,
}

/// Refuses names that rb never writes, and branches that are checked out elsewhere.
///
/// # Errors
/// [`LandingError::InvalidBranchName`], [`LandingError::BranchCheckedOut`], [`Error::BadRequest`].
pub(crate) fn check_request(repo: &Repo, update: &RefUpdate, checkout: bool) -> Result<()> {
    if update.name == "HEAD" {
        return match (repo.head()?, checkout) {
            (Head::Detached(_), true) => Ok(()),
            _ => Err(Error::BadRequest("HEAD can be moved only where it is detached and checked out".into())),
        };
    }
    check_writable_name(&update.name)?;
    if repo.storage() == Storage::Files {
        refuse_linked_components(repo, &update.name)?;
    }
    let short = || update.name.strip_prefix(b"refs/heads/").unwrap_or(&update.name).as_bstr().to_string();
    if let Some(worktree) = repo.checked_out_elsewhere(&update.name)? {
        return Err(LandingError::BranchCheckedOut { branch: short(), worktree }.into());
    }
    let here = matches!(repo.head()?, Head::Branch { name, .. } if name == update.name);
    if here && update.new.is_none() {
        let worktree = repo.work_dir().unwrap_or(repo.git_dir()).to_owned();
        return Err(LandingError::BranchCheckedOut { branch: short(), worktree }.into());
    }
    match repo.work_dir() {
        Some(work_dir) if here && !checkout => {
            Err(LandingError::BranchCheckedOut { branch: short(), worktree: work_dir.to_owned() }.into())
        }
        Some(_) if !here && checkout => {
            Err(Error::BadRequest(format!("{} is not the branch that is checked out", update.name)))
        }
        _ => Ok(()),
    }
}

/// A folder in `refs` that is a symbolic link would lead the write elsewhere.
pub(super) fn refuse_linked_components(repo: &Repo, name: &[u8]) -> Result<()> {
    let name =
        name.to_path().map_err(|_| LandingError::InvalidBranchName { name: name.as_bstr().to_string() })?;
    durable::refuse_links(&repo.common_dir(), name)
}

/// A log that is a symbolic link, or lies below one, would lead the line elsewhere.
fn refuse_linked_log(repo: &Repo, place: &Place) -> Result<()> {
    let (base, path) = match place {
        Place::GitDir(path) => (repo.git_dir().to_owned(), path),
        Place::CommonDir(path) => (repo.common_dir(), path),
        // No log lies there; a record that says so was refused.
        Place::Elsewhere(_) => return Ok(()),
    };
    path.to_relative_path().map_or(Ok(()), |path| durable::refuse_links(&base, &path))
}

/// Refuses unless the reference is where the plan found it.
///
/// # Errors
/// [`LandingError::Moved`], [`LandingError::BranchExists`].
pub(crate) fn check_unmoved(repo: &Repo, update: &RefUpdate) -> Result<()> {
    let found = match update.name.as_slice() {
        b"HEAD" => match repo.head()? {
            Head::Detached(commit) => Some(commit),
            Head::Branch { name, .. } => {
                return Err(Error::BadRequest(format!("HEAD moved to {name} since the plan was made")));
            }
        },
        name => repo.read_reference(name)?,
    };
    match (update.old, found) {
        (old, found) if old == found => {}
        (None, Some(found)) => {
            let branch =
                update.name.strip_prefix(b"refs/heads/").unwrap_or(&update.name).as_bstr().to_string();
            return Err(LandingError::BranchExists { branch, found }.into());
        }
        (Some(expected), found) => {
            let found = found.unwrap_or_else(|| CommitId(expected.0.null_like()));
            return Err(LandingError::Moved { reference: update.name.to_string(), expected, found }.into());
        }
        (None, None) => {}
    }
    match update.old.is_none().then(|| repo.reference_in_the_way(&update.name)).transpose()?.flatten() {
        Some(other) => Err(Error::BadRequest(format!("{} cannot exist beside {other}", update.name))),
        None => Ok(()),
    }
}

/// The entry of the journal for the move.
pub(crate) fn record(repo: &Repo, update: &RefUpdate, settings: &Settings) -> Result<MovedReference> {
    let null = |other: Option<CommitId>| other.map(|other| CommitId(other.0.null_like()));
    let (old, new) = (update.old.or(null(update.new)), update.new.or(null(update.old)));
    let (Some(old), Some(new)) = (old, new) else {
        return Err(Error::BadRequest(format!("{} is neither there nor to be made", update.name)));
    };
    let line = log_line((old, new), &update.committer, &update.reflog);
    let mut logs = Vec::new();
    if update.name != "HEAD" {
        logs.push(log_of(&update.name));
    }
    // A branch that HEAD is on takes HEAD's log along.
    if update.name == "HEAD" || matches!(repo.head()?, Head::Branch { name, .. } if name == update.name) {
        logs.push(log_of(b"HEAD"));
    }
    // The log of a reference goes with it, as git deletes branches.
    let mut written = Vec::new();
    for (name, place) in logs.into_iter().filter(|_| update.new.is_some()) {
        if is_logged(repo, &name, &place, settings)? {
            written.push((name, place));
        }
    }
    let logs = written;
    Ok(MovedReference {
        name: RepoPath::new(update.name.as_slice()),
        old: update.old,
        new: update.new,
        log_line: RepoPath::new(line),
        logs,
    })
}

/// Whether moves of the reference are logged. A log that a link leads elsewhere is refused.
fn is_logged(repo: &Repo, name: &RepoPath, place: &Place, settings: &Settings) -> Result<bool> {
    let logged = settings.reflog.begins_for(name.as_bytes())
        || References::of(&repo.local())?.has_log(name.as_bytes())?;
    if logged && repo.storage() == Storage::Files {
        refuse_linked_log(repo, place)?;
    }
    Ok(logged)
}

fn log_line((old, new): (CommitId, CommitId), committer: &Signature, message: &[u8]) -> Vec<u8> {
    let mut line = format!("{old} {new} ").into_bytes();
    line.extend_from_slice(&clean(&committer.name));
    line.extend_from_slice(b" <");
    line.extend_from_slice(&clean(&committer.email));
    line.extend_from_slice(format!("> {}", committer.time).as_bytes());
    let message = single_line(message);
    if !message.is_empty() {
        line.push(b'\t');
        line.extend_from_slice(&message);
    }
    line
}

/// The line that HEAD's log gets where HEAD is on a branch and stays where it is; `None` where there is to be none.
pub(super) fn head_line(
    repo: &Repo,
    message: &[u8],
    committer: &Signature,
    settings: &Settings,
) -> Result<Option<RepoPath>> {
    let Head::Branch { commit: Some(commit), .. } = repo.head()? else { return Ok(None) };
    let (name, place) = log_of(b"HEAD");
    if !is_logged(repo, &name, &place, settings)? {
        return Ok(None);
    }
    Ok(Some(RepoPath::new(log_line((commit, commit), committer, message))))
}

/// What follows the move of a file: the move itself on the disk, and the logs.
pub(super) fn settle(repo: &Repo, journal: &Journal, settings: &Settings) -> Result<()> {
    if let Some(moved) = &journal.reference {
        let path = repo.reference_path(moved.name.as_bytes())?;
        let folder = path.parent().unwrap_or(repo.git_dir());
        durable::sync_folder(folder, settings.fsync.references && durable::is_folder(folder)?)?;
        match moved.new {
            Some(_) => write_logs(repo, moved, settings)?,
            None => remove_log(repo, moved.name.as_bytes(), settings)?,
        }
    }
    journal.head_line.as_ref().map_or(Ok(()), |line| write_head_line(repo, line, settings))
}

/// Appends the line to HEAD's log, unless that ends with it.
fn write_head_line(repo: &Repo, line: &RepoPath, settings: &Settings) -> Result<()> {
    let (_, place) = log_of(b"HEAD");
    refuse_linked_log(repo, &place)?;
    let mut line = line.as_bytes().to_vec();
    line.push(b'\n');
    append_once(&place.resolve(repo.git_dir(), &repo.common_dir())?, &line, settings)
}

fn log_of(name: &[u8]) -> (RepoPath, Place) {
    let path = RepoPath::from("logs").join(name);
    (RepoPath::new(name), place_of(name, path))
}

/// The locks that git takes before it moves the reference, where it is a file.
pub(super) fn locks_of(update: &RefUpdate, checkout: bool) -> Vec<Place> {
    let packed = update.new.is_none().then(|| lock_of(b"packed-refs"));
    let head = (checkout && update.name != "HEAD").then(|| lock_of(b"HEAD"));
    packed.into_iter().chain(head).chain([lock_of(&update.name)]).collect()
}

fn lock_of(name: &[u8]) -> Place {
    let mut path = name.to_vec();
    path.extend_from_slice(b".lock");
    place_of(name, RepoPath::new(path))
}

/// The place of what goes with a reference.
fn place_of(name: &[u8], path: RepoPath) -> Place {
    if is_of_work_tree(name) { Place::GitDir(path) } else { Place::CommonDir(path) }
}

/// Names and mails cannot hold what ends them.
fn clean(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| !matches!(byte, b'<' | b'>' | b'\n' | 0)).collect()
}

/// A message on one line: runs of white space become one space, as git writes them.
fn single_line(message: &[u8]) -> Vec<u8> {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let words: Vec<_> = message.split(is_space).filter(|word| !word.is_empty()).collect();
    words.join(&b' ')
}

/// Renames the staged file over the reference: the commit point.
pub(crate) fn commit(repo: &Repo, staged: &Path, name: &[u8], settings: &Settings) -> Result<()> {
    let path = repo.reference_path(name)?;
    durable::adjust_shared(staged, settings.shared)?;
    let failed = |error| Error::io("move", &path, error);
    match fs::rename(staged, &path) {
        // Folders that lost their last branch may stand in the way; only empty ones yield.
        Err(error) if matches!(error.kind(), ErrorKind::IsADirectory | ErrorKind::DirectoryNotEmpty) => {
            remove_empty_folders(&path);
            fs::rename(staged, &path).map_err(failed)
        }
        renamed => renamed.map_err(failed),
    }
}

/// Removes the reference: the commit point is where its last form goes, the loose file or else the packed line.
///
/// The caller holds its lock and that of the packed references. Nothing reads a packed value under a loose one, so that it
/// can go first.
pub(super) fn remove(repo: &Repo, stage: &Stage, name: &[u8], settings: &Settings) -> Result<()> {
    let packed = repo.common_dir().join("packed-refs");
    let bytes = match fs::read(&packed) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(Error::io("read", packed, error)),
    };
    if let Some(rest) = without_packed(&bytes, name) {
        let staged = stage.path("packed-refs");
        durable::write_new(&staged, &rest, settings.shared, settings.fsync.references)?;
        fs::rename(&staged, &packed).map_err(|error| Error::io("replace", &packed, error))?;
        durable::sync_folder(&repo.common_dir(), settings.fsync.references)?;
    }
    let path = repo.reference_path(name)?;
    match fs::rename(&path, stage.path("reference.old")) {
        Err(error) if !bounded::is_absent(&error) => Err(Error::io("remove", path, error)),
        _ => Ok(()),
    }
}

/// The packed references without this one; `None` where it is not among them.
fn without_packed(packed: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let mut rest = Vec::with_capacity(packed.len());
    let mut dropped = false;
    let mut dropping = false;
    for line in packed.split_inclusive(|byte| *byte == b'\n') {
        let body = line.trim_ascii_end();
        // The line after a tag that begins so is where the tag leads.
        dropping = match body.first() {
            Some(b'^') => dropping,
            Some(b'#') | None => false,
            _ => body.find_byte(b' ').is_some_and(|space| body[space + 1..] == *name),
        };
        dropped |= dropping;
        if !dropping {
            rest.extend_from_slice(line);
        }
    }
    dropped.then_some(rest)
}

/// What goes with a removed reference: its log.
fn remove_log(repo: &Repo, name: &[u8], settings: &Settings) -> Result<()> {
    let (_, place) = log_of(name);
    let path = place.resolve(repo.git_dir(), &repo.common_dir())?;
    if !durable::is_file(&path)? {
        return Ok(());
    }
    durable::remove_if_there(&path)?;
    remove_empty_parents(&path, &repo.common_dir().join("logs"));
    // Folders that went with it are names in the one that stayed.
    for folder in path.ancestors().skip(1) {
        if durable::is_folder(folder)? {
            return durable::sync_folder(folder, settings.fsync.references);
        }
    }
    Ok(())
}

/// Folders that lost their last reference go, as under git; `refs/heads` and its like stay.
pub(super) fn remove_empty_parents(path: &Path, base: &Path) {
    let mut folder = path.parent();
    while let Some(at) = folder {
        let depth = at.strip_prefix(base).map_or(0, |below| below.components().count());
        if depth < 3 || fs::remove_dir(at).is_err() {
            return;
        }
        folder = at.parent();
    }
}

fn remove_empty_folders(path: &Path) {
    for row in crate::listing::rows(path).into_iter().flatten() {
        if row.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty_folders(&row.path());
        }
    }
    let _ = fs::remove_dir(path);
}

/// Appends the line to the logs that do not end with it yet.
fn write_logs(repo: &Repo, moved: &MovedReference, settings: &Settings) -> Result<()> {
    let mut line = moved.log_line.as_bytes().to_vec();
    line.push(b'\n');
    let common_dir = repo.common_dir();
    for (_, place) in &moved.logs {
        refuse_linked_log(repo, place)?;
        let path = place.resolve(repo.git_dir(), &common_dir)?;
        append_once(&path, &line, settings)?;
    }
    Ok(())
}

fn append_once(path: &Path, line: &[u8], settings: &Settings) -> Result<()> {
    let failed = |error| Error::io("append to", path, error);
    let sync = settings.fsync.references;
    if let Some(folder) = path.parent() {
        durable::make_folders(folder, settings.shared, sync)?;
    }
    if path.is_dir() {
        remove_empty_folders(path);
    }
    let mut options = OpenOptions::new();
    let mut log = options.read(true).append(true).create(true).open(path).map_err(failed)?;
    let len = log.metadata().map_err(failed)?.len();
    let start = len.saturating_sub(LOG_TAIL);
    let mut tail = Vec::new();
    log.seek(SeekFrom::Start(start)).and_then(|_| log.read_to_end(&mut tail)).map_err(failed)?;
    let sound = sound_len(&tail, line);
    if sound < tail.len() {
        log.set_len(start + sound as u64).map_err(failed)?;
        tail.truncate(sound);
    }
    let before = tail.strip_suffix(line);
    if before.is_none_or(|before| !before.is_empty() && !before.ends_with(b"\n")) {
        let mut bytes = Vec::new();
        // A line that another process left without its end must not swallow ours.
        if tail.last().is_some_and(|last| *last != b'\n') {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(line);
        log.write_all(&bytes).map_err(failed)?;
    }
    // git does not flush its logs: after a power cut they end in zeros, and the way back is lost.
    durable::sync_file(&log, path, sync)?;
    if len == 0 {
        path.parent().map_or(Ok(()), |folder| durable::sync_folder(folder, sync))?;
    }
    durable::adjust_shared(path, settings.shared)
}

/// How much of the end of a log is looked at, in bytes.
const LOG_TAIL: u64 = 64 * 1024;

/// The length of the tail without what a crash left of an append: zeros, or the beginning of our own line.
fn sound_len(tail: &[u8], line: &[u8]) -> usize {
    let end = tail.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let begin = tail[..end].rfind_byte(b'\n').map_or(0, |newline| newline + 1);
    let cut = &tail[begin..end];
    if !cut.is_empty() && line.starts_with(cut) { begin } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::config::{FsyncPolicy, ReflogPolicy, Shared};

    const SETTINGS: Settings = Settings {
        file_mode: true,
        symlinks: true,
        ignore_case: false,
        trust_ctime: true,
        check_stat: true,
        skip_hash: false,
        shared: Shared::Umask,
        reflog: ReflogPolicy::Usual,
        fsync: FsyncPolicy::DURABLE,
    };

    #[test]
    fn a_line_is_appended_once_and_what_a_crash_left_of_it_is_mended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs/refs/heads/main");
        let line = b"old new C <c> 0 +0000\trevert: x\n";
        let after = |left: &[u8]| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, left).unwrap();
            append_once(&path, line, &SETTINGS).unwrap();
            fs::read(&path).unwrap()
        };
        let once = [b"first\n", &line[..]].concat();
        assert_eq!(after(b"first\n"), once);
        assert_eq!(after(&once), once, "not twice");
        assert_eq!(after(b"first\nold new C"), once, "cut short by a full disk");
        assert_eq!(after(b"first\n\0\0\0\0\0"), once, "zeros after a power cut");
        assert_eq!(after(b"first"), once, "the end that another process wrote is missing");
        assert_eq!(after(b""), line);
        assert_eq!(after(&[b"x", &line[..]].concat()), [b"x", &line[..], &line[..]].concat(), "another line");
    }
}
