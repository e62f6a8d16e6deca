//! The histories in `fixtures/`, imported with the real `git fast-import`.

use std::fs;
use std::path::PathBuf;

use crate::Sandbox;

/// A history that is kept as a reviewable `git fast-import` stream.
pub struct Fixture;

impl Fixture {
    /// A repository with the history `fixtures/<name>.fi`, with `main` checked out.
    #[track_caller]
    pub fn import(name: &str) -> Sandbox {
        let repo = Self::import_bare(name, Sandbox::new());
        repo.git(&["reset", "-q", "--hard", "main"]);
        repo
    }

    /// The same without a work tree.
    #[track_caller]
    pub fn import_without_work_tree(name: &str) -> Sandbox {
        Self::import_bare(name, Sandbox::bare())
    }

    fn import_bare(name: &str, repo: Sandbox) -> Sandbox {
        repo.git_with_input(&["fast-import", "--quiet", "--date-format=raw"], &Self::stream(name));
        repo
    }

    /// The bytes of `fixtures/<name>.fi`.
    #[track_caller]
    pub fn stream(name: &str) -> Vec<u8> {
        let path = Self::folder().join(format!("{name}.fi"));
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The names of all fixtures, sorted.
    pub fn names() -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(Self::folder())
            .expect("the folder of fixtures")
            .filter_map(|row| {
                row.expect("a readable row").file_name().to_str()?.strip_suffix(".fi").map(Into::into)
            })
            .collect();
        names.sort();
        names
    }

    /// The folder of the streams and of `ids.txt`.
    pub fn folder() -> PathBuf {
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))
    }
}
