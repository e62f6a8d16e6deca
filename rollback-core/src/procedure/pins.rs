//! The files of the tree that the commands of a procedure name: trust pins their bytes, and each start holds them to it.
//!
//! A name is found wherever it stands in a command: as the program, as an argument, after `=`, attached to an option, in
//! the text of a shell. What a program reads beyond that (a Makefile that is not named, what a script sources) cannot be
//! known. A file that a program would read as data and that lies in what the procedure itself rolls back is not pinned:
//! its bytes are what the run changes.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::Procedure;
use super::format::{Action, ArgumentRole, Located, TreePath, roles, started_by};
use super::set::Place;
use crate::bounded;
use crate::path::RepoPath;
use crate::repo::Repo;
use crate::trust::sha256;

/// How many folders of a command are tried as the one that its names count from.
const FOLDERS: usize = 8;
/// How many names of a command are looked at.
const NAMES: usize = 512;

/// What stands in place of a hash for what is no readable file: it is never what was trusted.
const UNREADABLE: &str = "unreadable";

/// A file of the tree as a command names it.
pub(super) struct NamedFile {
    /// The path, counted from the root.
    pub(super) path: RepoPath,
    /// Whether the program would run what the file says.
    pub(super) is_code: bool,
    /// Whether it is the program itself.
    pub(super) is_program: bool,
    /// Whether it was named from the root of the file system, so that it lies in the work tree wherever the program runs.
    is_absolute: bool,
}

impl NamedFile {
    /// The name under which trust records it.
    pub(super) fn key(&self) -> String {
        format!("./{}", self.path)
    }

    /// Where it lies for a program that runs in `folder`.
    pub(super) fn place(&self, work_dir: &Path, folder: &Path) -> PathBuf {
        let root = if self.is_absolute { work_dir } else { folder };
        self.path.to_relative_path().map_or_else(|| root.to_owned(), |path| root.join(path))
    }
}

/// The hash of a file; `None` where there is none.
pub(super) fn digest(file: &Path) -> Option<String> {
    match bounded::read(file, bounded::CHECKED) {
        Ok(bytes) => Some(sha256(&bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(_) if file.is_dir() => None,
        Err(_) => Some(UNREADABLE.to_owned()),
    }
}

/// Whether a hash found is the one that was trusted.
pub(super) fn is_trusted(found: &str, trusted: Option<&Option<String>>) -> bool {
    found != UNREADABLE && trusted.is_some_and(|hash| hash.as_deref() == Some(found))
}

/// The files of the work tree that a procedure names and that trust pins, each with its hash.
pub(super) fn pinned(procedure: &Procedure, work_dir: Option<&Path>) -> BTreeMap<String, Option<String>> {
    let mut pinned = BTreeMap::new();
    let Some(root) = work_dir else {
        // Without a work tree a script is still named, and is not there.
        for command in procedure.document.commands() {
            let scripts =
                command.run.first().filter(|program| program.contains('/') && !program.starts_with('/'));
            pinned.extend(scripts.map(|script| (script.clone(), None)));
        }
        return pinned;
    };
    let tracked = Tracked::of(root);
    let own = own_paths(procedure);
    for Located { run, .. } in procedure.document.commands() {
        for file in named(run, root, root) {
            let at = file.place(root, root);
            let is_own = own.iter().any(|own| own.contains(&file.path));
            if file.is_program || at.is_file() && (file.is_code || !is_own && tracked.has(&file.path)) {
                pinned.insert(file.key(), digest(&at));
            }
        }
    }
    pinned
}

/// What the commit that is checked out has; a file that a program made is not of the tree.
struct Tracked(Option<(Repo, crate::id::CommitId)>);

impl Tracked {
    fn of(root: &Path) -> Self {
        let repo = Repo::discover(root).ok();
        Self(
            repo.and_then(|repo| Some((repo.resolve_commit("HEAD").ok()?, repo)))
                .map(|(head, repo)| (repo, head)),
        )
    }

    fn has(&self, path: &RepoPath) -> bool {
        // Where it cannot be told, every file counts.
        self.0.as_ref().is_none_or(|(repo, head)| repo.has_path(*head, path).unwrap_or(true))
    }
}

/// What the procedure itself rolls back and edits.
fn own_paths(procedure: &Procedure) -> Vec<RepoPath> {
    let document = &procedure.document;
    let mut paths: Vec<&TreePath> = Vec::new();
    let mut places: Vec<&str> = Vec::new();
    for phase in document.phases() {
        paths.extend(&phase.paths);
        paths.extend(phase.ladder.iter().flat_map(|rung| &rung.paths));
        paths.extend(phase.target.iter().flat_map(|target| target.path.iter().chain(&target.deleted)));
        places.extend(phase.set.names());
    }
    for step in &document.step {
        match step.action() {
            Ok(Action::Set(values)) => places.extend(values.names()),
            Ok(Action::Remove(removed)) => paths.extend(removed),
            Ok(Action::Insert(insert)) => paths.push(&insert.path),
            Ok(Action::Write(write)) => paths.push(&write.path),
            Ok(Action::Restore(restore)) => paths.extend(&restore.paths),
            _ => {}
        }
    }
    let of_places = places.into_iter().filter_map(|place| Some(place.parse::<Place>().ok()?.file));
    let mut own: Vec<RepoPath> = of_places.map(|file| RepoPath::from(file.as_str())).collect();
    own.extend(paths.into_iter().map(|path| RepoPath::from(path.as_str())));
    own.retain(|path| !path.is_root());
    own
}

/// The paths of the tree that a command could name when it runs in `folder`, which is the work tree or a candidate.
pub(super) fn named(run: &[String], work_dir: &Path, folder: &Path) -> Vec<NamedFile> {
    let roles = roles(run);
    let texts = run.iter().zip(&roles).filter(|(_, role)| **role == ArgumentRole::Text);
    let started = texts.flat_map(|(text, _)| started_by(text)).flat_map(|word| pieces(&word));
    let started: Vec<String> = started.collect();
    let mut found: Vec<NamedFile> = Vec::new();
    let of = |(at, argument): (usize, &String)| pieces(argument).into_iter().map(move |piece| (at, piece));
    let pieces: Vec<(usize, String)> = run.iter().enumerate().flat_map(of).take(NAMES).collect();
    let folders = folders_of(pieces.iter().map(|(_, piece)| piece), work_dir, folder);
    for (at, piece) in &pieces {
        let is_program = *at == 0 && *piece == run[0] && piece.contains('/');
        // A program without a slash is looked for in PATH.
        if *at == 0 && !is_program {
            continue;
        }
        let Some((path, is_absolute)) = inside(piece, work_dir) else { continue };
        for base in folders.iter().take(if is_absolute || is_program { 1 } else { FOLDERS }) {
            let path = path.components().fold(base.clone(), |at, name| at.join(name));
            let is_code = match roles[*at] {
                ArgumentRole::Code => true,
                ArgumentRole::Text => started.contains(piece),
                ArgumentRole::Data => false,
            };
            match found.iter_mut().find(|file| file.path == path) {
                Some(file) => {
                    file.is_code |= is_code;
                    file.is_program |= is_program;
                }
                None => found.push(NamedFile { path, is_code, is_program, is_absolute }),
            }
        }
    }
    found
}

/// The root and the folders that a command names: its other names can count from any of them.
fn folders_of<'a>(pieces: impl Iterator<Item = &'a String>, work_dir: &Path, folder: &Path) -> Vec<RepoPath> {
    let mut folders = vec![RepoPath::default()];
    for (path, _) in pieces.filter_map(|piece| inside(piece, work_dir)) {
        if folders.len() < FOLDERS
            && !folders.contains(&path)
            && path.to_relative_path().is_some_and(|path| folder.join(path).is_dir())
        {
            folders.push(path);
        }
    }
    folders
}

/// What of an argument could be the name of a file.
fn pieces(argument: &str) -> Vec<String> {
    let mut found = vec![argument.to_owned()];
    let mut add = |piece: &str| {
        if !piece.is_empty() && !found.iter().any(|known| known == piece) {
            found.push(piece.to_owned());
        }
    };
    let marks = |c: char| c.is_whitespace() || ";|&()<>\"'`{}$,[]!#".contains(c);
    for word in argument.split(marks) {
        add(word);
        for part in word.split(['=', ':', '@']) {
            add(part);
            for folder in ["PWD/", "RB_CANDIDATE/"] {
                part.strip_prefix(folder).into_iter().for_each(&mut add);
            }
        }
        if let Some(option) = word.strip_prefix('-').filter(|option| !option.starts_with('-')) {
            // -fMakefile: the value is attached to a short option.
            option.char_indices().nth(1).into_iter().for_each(|(at, _)| add(&option[at..]));
        }
    }
    found
}

/// The path inside of the work tree that a name spells, and whether it begins at the root of the file system.
fn inside(name: &str, work_dir: &Path) -> Option<(RepoPath, bool)> {
    let home = || std::env::home_dir().filter(|home| home.is_absolute());
    let whole = match name.strip_prefix("~/") {
        Some(rest) => home()?.join(rest),
        None => PathBuf::from(name),
    };
    if !whole.is_absolute() {
        let path = RepoPath::from_relative_path(&settled(&whole)?)?;
        return (!path.is_root()).then_some((path, false));
    }
    let whole = settled(&whole)?;
    let relative = whole.strip_prefix(work_dir).map(Path::to_owned).ok().or_else(|| {
        // Either may be spelled through a link of the system.
        let (folder, file) = (whole.parent()?.canonicalize().ok()?, whole.file_name()?);
        Some(folder.join(file).strip_prefix(work_dir.canonicalize().ok()?).ok()?.to_owned())
    })?;
    RepoPath::from_relative_path(&relative).map(|path| (path, true))
}

/// The path without `.` and `..`; `None` for one that leads out of where it begins.
fn settled(path: &Path) -> Option<PathBuf> {
    let mut settled = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if settled.pop() => {}
            Component::ParentDir => return None,
            part => settled.push(part),
        }
    }
    Some(settled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(run: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("s")).unwrap();
        let run: Vec<String> =
            run.iter().map(|word| word.replace("ROOT", &folder.path().display().to_string())).collect();
        let found = named(&run, folder.path(), folder.path());
        found.iter().map(|file| format!("{}{}", file.path, if file.is_code { "!" } else { "" })).collect()
    }

    #[track_caller]
    fn names_as_code(run: &[&str], path: &str) {
        let found = names(run);
        assert!(found.iter().any(|name| *name == format!("{path}!")), "{run:?}: {found:?}");
    }

    #[test]
    fn a_file_is_found_wherever_a_command_names_it() {
        for run in [
            &["./s/x.sh"][..],
            &["s/x.sh"],
            &["sh", "s/x.sh"],
            &["sh", "./s/../s/x.sh"],
            &["env", "s/x.sh"],
            &["env", "A=1", "sh", "-e", "s/x.sh"],
            &["sh", "-c", "./s/x.sh"],
            &["bash", "-c", "set -e; . ./s/x.sh"],
            &["bash", "-c", "source \"$PWD/s/x.sh\""],
            &["sh", "-c", "cd s && ./x.sh"],
            &["env", "-C", "s", "./x.sh"],
            &["ROOT/s/x.sh"],
            &["python3", "s/x.sh"],
            &["python3", "-u", "s/x.sh"],
            &["node", "--require=./s/x.sh", "main.js"],
            &["perl", "-Is", "s/x.sh"],
            &["make", "-fs/x.sh"],
            &["sudo", "-n", "s/x.sh"],
            &["bash", "--rcfile", "s/x.sh"],
            &["xargs", "-a", "list", "s/x.sh"],
        ] {
            names_as_code(run, "s/x.sh");
        }
    }

    #[test]
    fn what_a_program_reads_as_data_is_told_from_what_it_runs() {
        assert!(names(&["grep", "-c", "x", "s/a.txt"]).contains(&"s/a.txt".to_owned()));
        assert!(names(&["tool", "--config=s/a.toml"]).contains(&"s/a.toml".to_owned()));
        assert!(names(&["python3", "s/x.py", "s/a.toml"]).contains(&"s/a.toml".to_owned()));
        assert!(names(&["python3", "-c", "open('a.toml')"]).contains(&"a.toml".to_owned()));
    }

    #[test]
    fn a_file_is_what_was_trusted_by_its_bytes_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.sh");
        assert_eq!(digest(&file), None);
        std::fs::write(&file, "true\n").unwrap();
        let trusted = digest(&file);
        let found = || digest(&file).unwrap();
        assert!(is_trusted(&found(), Some(&trusted)));
        assert!(!is_trusted(&found(), None) && !is_trusted(&found(), Some(&None)), "it was not there then");
        std::fs::write(&file, "evil\n").unwrap();
        assert!(!is_trusted(&found(), Some(&trusted)));
        assert!(!is_trusted(UNREADABLE, Some(&Some(UNREADABLE.to_owned()))));
    }

    #[test]
    fn what_lies_outside_is_not_of_the_tree() {
        for run in [&["/usr/bin/env"][..], &["sh", "../x.sh"], &["make"], &["cat", "s/../../x"]] {
            let found = names(run);
            assert!(!found.iter().any(|name| name.contains('x') || name.contains("env")), "{found:?}");
        }
    }
}
