//! The check of every path before it is written, whatever tree it came from.
//!
//! Stricter than git where git depends on the platform: a name that some file system takes for `.git` is
//! refused on all, because the result may be checked out on any.

use std::borrow::Cow;

use crate::error::{PathError, Result};
use crate::id::{Entry, EntryKind, EntryMode};
use crate::path::RepoPath;
use crate::repo::MAX_DEPTH;

/// The longest path that is written, in bytes.
const MAX_PATH: usize = 4096;

/// Refuses an entry that no tree of git's own making holds, or whose path must not be written.
///
/// # Errors
/// [`PathError::Hostile`].
pub(crate) fn check_entry(path: &RepoPath, entry: Entry) -> Result<()> {
    let refuse = |why| Err(PathError::Hostile { path: path.clone(), why }.into());
    if entry.id.is_null() {
        return refuse("its entry names no object");
    }
    // Any other mode is read as that of a submodule.
    if !matches!(entry.mode.bits() & 0o170_000, 0o100_000 | 0o120_000 | 0o160_000) {
        return refuse("its mode is none that git writes");
    }
    check_path(path, entry.mode)
}

/// Refuses a path that could reach outside the work tree, into a git directory, or that git would read
/// as configuration through a link.
///
/// # Errors
/// [`PathError::Hostile`].
pub(crate) fn check_path(path: &RepoPath, mode: EntryMode) -> Result<()> {
    let refuse = |why| Err(PathError::Hostile { path: path.clone(), why }.into());
    let bytes = path.as_bytes();
    if bytes.is_empty() {
        return refuse("it is empty");
    }
    if bytes.len() > MAX_PATH {
        return refuse("it is longer than 4096 bytes");
    }
    if bytes.contains(&0) {
        return refuse("it holds a zero byte");
    }
    let parts: Vec<_> = bytes.split(|byte| *byte == b'/').collect();
    if parts.len() > MAX_DEPTH {
        return refuse("it is nested deeper than 2048 folders");
    }
    for part in &parts {
        if let Some(why) = why_hostile(part) {
            return refuse(why);
        }
    }
    let name = parts.last().expect("splitting gives at least one part");
    if mode.kind() == EntryKind::Symlink && is_read_by_git(name) {
        return refuse("git reads this file and must not be led elsewhere by a link");
    }
    Ok(())
}

/// What is wrong with one part of a path, if anything.
pub(crate) fn why_hostile(part: &[u8]) -> Option<&'static str> {
    if part.is_empty() {
        return Some("a part of it is empty");
    }
    if part.contains(&b'/') {
        return Some("a name in its folder holds a slash");
    }
    if part == b"." || part == b".." {
        return Some("it steps through the folder tree");
    }
    if is_dot_git(part) {
        return Some("some file systems take it for the git directory");
    }
    if cfg!(windows) && part.iter().any(|byte| matches!(byte, b'\\' | b':')) {
        return Some("it holds a separator of this system");
    }
    None
}

/// Whether NTFS, HFS+ or a plain case-folding file system may take the name for `.git`.
fn is_dot_git(part: &[u8]) -> bool {
    // NTFS tools take a backslash for a separator, so each piece is looked at.
    part.split(|byte| *byte == b'\\').any(|piece| {
        let visible = without_hfs_ignorable(piece);
        [piece, visible.as_ref()].iter().any(|name| {
            let base = ntfs_base(name);
            base.eq_ignore_ascii_case(b".git") || base.eq_ignore_ascii_case(b"git~1")
        })
    })
}

/// The name without what NTFS drops or reads as a stream: everything from a colon on, then spaces and dots.
fn ntfs_base(name: &[u8]) -> &[u8] {
    let name = name.split(|byte| *byte == b':').next().unwrap_or(name);
    let end = name.iter().rposition(|byte| !matches!(byte, b' ' | b'.')).map_or(0, |last| last + 1);
    &name[..end]
}

/// The name without the code points that HFS+ ignores when it compares names.
fn without_hfs_ignorable(name: &[u8]) -> Cow<'_, [u8]> {
    let Ok(text) = std::str::from_utf8(name) else {
        return Cow::Borrowed(name);
    };
    if text.is_ascii() {
        return Cow::Borrowed(name);
    }
    let ignorable = |letter: &char| matches!(letter, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    Cow::Owned(text.chars().filter(|letter| !ignorable(letter)).collect::<String>().into_bytes())
}

/// Whether git reads a file of this name out of the work tree.
fn is_read_by_git(name: &[u8]) -> bool {
    // The last column is how NTFS abbreviates the name when the first four abbreviations are taken.
    const NAMES: [(&[u8], &[u8], &[u8]); 4] = [
        (b".gitmodules", b"gitmod~", b"gi7eba~"),
        (b".gitattributes", b"gitatt~", b"gi7d29~"),
        (b".gitignore", b"gitign~", b"gi250a~"),
        (b".mailmap", b"mailma~", b"maba30~"),
    ];
    let visible = without_hfs_ignorable(name);
    [name, visible.as_ref()].iter().any(|name| {
        let base = ntfs_base(name).to_ascii_lowercase();
        NAMES.iter().any(|(full, short, hashed)| {
            base == *full
                || [short, hashed].iter().any(|stem| base.strip_prefix(**stem).is_some_and(is_number))
        })
    })
}

fn is_number(digits: &[u8]) -> bool {
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &[u8], mode: EntryMode) -> bool {
        check_path(&RepoPath::new(path), mode).is_err()
    }

    #[test]
    fn every_spelling_of_the_git_directory_is_refused_at_any_depth() {
        for name in [
            ".git",
            ".GIT",
            ".Git",
            "git~1",
            "GIT~1",
            ".git.",
            ".git ",
            ".git . .",
            ".git::$INDEX_ALLOCATION",
            ".git:x",
            "git~1.",
            ".git\\hooks",
            "git~1\\x",
            "a\\.git",
            ".g\u{200c}it",
            "\u{feff}.git",
            ".gi\u{206f}T",
        ] {
            for path in [name.to_owned(), format!("a/{name}"), format!("{name}/hooks/pre-commit")] {
                assert!(refused(path.as_bytes(), EntryMode::BLOB), "{path:?}");
            }
        }
    }

    #[test]
    fn names_that_only_resemble_the_git_directory_are_written() {
        for path in
            [".github/x", ".gitignore", "git", "git~2", ".git2", "a.git", "x/.gitkeep", "..a", "a..", "a\\b"]
        {
            assert!(!refused(path.as_bytes(), EntryMode::BLOB), "{path:?}");
        }
    }

    #[test]
    fn paths_that_leave_the_work_tree_or_exceed_the_limits_are_refused() {
        for path in ["", "/a", "a//b", "a/", "../a", "a/../b", "./a", "a/.", "a\0b"] {
            assert!(refused(path.as_bytes(), EntryMode::BLOB), "{path:?}");
        }
        assert!(refused(&[b'a'; 4097], EntryMode::BLOB));
        assert!(refused("a/".repeat(2048).as_bytes(), EntryMode::BLOB));
    }

    #[test]
    fn files_that_git_reads_are_refused_as_links_and_written_as_files() {
        for name in [
            ".gitattributes",
            ".GITIGNORE",
            ".gitmodules ",
            "gitmod~1",
            "GI7EBA~1",
            "d/.gitignore",
            ".gitig\u{200d}nore",
        ] {
            assert!(refused(name.as_bytes(), EntryMode::SYMLINK), "{name:?}");
            assert!(!refused(name.as_bytes(), EntryMode::BLOB), "{name:?}");
        }
        assert!(!refused(b".gitkeep", EntryMode::SYMLINK));
    }
}
