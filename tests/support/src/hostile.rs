//! Trees that no honest git writes, built from raw objects: `git fast-import` and `git mktree` refuse them.

use crate::Sandbox;

/// A row of a raw tree: mode as text, name, and the content of a blob or the id of a tree.
pub struct Row<'a> {
    mode: &'a str,
    name: &'a [u8],
    id: String,
}

impl<'a> Row<'a> {
    /// A file with this content, whose mode is spelled as given.
    pub fn file(repo: &Sandbox, mode: &'a str, name: &'a [u8], content: &[u8]) -> Self {
        let id = repo.git_with_input(&["hash-object", "-w", "--stdin"], content);
        Self { mode, name, id: String::from_utf8_lossy(&id).trim().to_owned() }
    }

    /// A row that names any object, whether it exists or not.
    pub fn raw(mode: &'a str, name: &'a [u8], id: impl Into<String>) -> Self {
        Self { mode, name, id: id.into() }
    }

    /// The id of the object it names.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// Writes a tree of exactly these rows in exactly this order, and returns its id.
pub fn tree(repo: &Sandbox, rows: &[Row<'_>]) -> String {
    let mut raw = Vec::new();
    for row in rows {
        raw.extend_from_slice(row.mode.as_bytes());
        raw.push(b' ');
        raw.extend_from_slice(row.name);
        raw.push(0);
        raw.extend(bytes_of_hex(&row.id));
    }
    let id = repo.git_with_input(&["hash-object", "-t", "tree", "--literally", "-w", "--stdin"], &raw);
    String::from_utf8_lossy(&id).trim().to_owned()
}

/// Commits the tree on top of `parent` without a look at it, and returns the commit's id.
pub fn commit(repo: &Sandbox, tree: &str, parent: Option<&str>, message: &str) -> String {
    repo.tick();
    let mut args = vec!["commit-tree", tree, "-m", message];
    args.extend(parent.into_iter().flat_map(|parent| ["-p", parent]));
    repo.git(&args)
}

/// Names that must never reach a work tree, each with what it could do.
pub const NAMES: &[(&[u8], &str)] = &[
    (b".git", "is the git directory"),
    (b".GIT", "is the git directory where case does not count"),
    (b"git~1", "is the short name of the git directory on NTFS"),
    (b".git.", "loses its dot on Windows"),
    (b".git ", "loses its blank on Windows"),
    (b".git::$INDEX_ALLOCATION", "is the git directory's stream on NTFS"),
    (b".git\\hooks", "is a path on Windows"),
    (b"git~1\\x", "is a path on Windows"),
    (b".g\xe2\x80\x8cit", "loses its zero-width character on HFS+"),
    (b"..", "is the folder above"),
    (b".", "is the folder itself"),
    (b"a/b", "is a path"),
    (b"", "is no name"),
];

/// A repository whose `main` has an honest commit and, on top of it, one that adds a file of the hostile name and
/// changes `honest.txt`. HEAD and the work tree stay at the honest commit.
pub fn with_name(name: &[u8]) -> Sandbox {
    let repo = Sandbox::new();
    let honest = repo.commit("honest", &[("honest.txt", "one\n")]);
    let rows =
        [Row::file(&repo, "100644", name, b"hostile\n"), Row::file(&repo, "100644", b"honest.txt", b"two\n")];
    let hostile = commit(&repo, &tree(&repo, &rows), Some(&honest), "hostile");
    repo.git(&["update-ref", "refs/heads/hostile", &hostile]);
    repo
}

/// A repository where the commit on `hostile` holds a symbolic link `d` that leads outside, and a folder `d` with the
/// file `d/f` besides: writing the file through the link would leave the work tree (CVE-2021-21300).
pub fn with_link_and_folder() -> Sandbox {
    let repo = Sandbox::new();
    let honest = repo.commit("honest", &[("honest.txt", "one\n")]);
    let folder = tree(&repo, &[Row::file(&repo, "100644", b"f", b"hostile\n")]);
    let rows = [
        Row::file(&repo, "120000", b"d", b"../outside"),
        Row::raw("40000", b"d", folder),
        Row::file(&repo, "100644", b"honest.txt", b"two\n"),
    ];
    let hostile = commit(&repo, &tree(&repo, &rows), Some(&honest), "hostile");
    repo.git(&["update-ref", "refs/heads/hostile", &hostile]);
    repo
}

/// Trees that break a tree's rules without a hostile name: what is wrong, and the id of the tree.
pub fn malformed(repo: &Sandbox) -> Vec<(&'static str, String)> {
    let one = || Row::file(repo, "100644", b"a", b"one\n");
    let two = || Row::file(repo, "100644", b"b", b"two\n");
    vec![
        ("the same name twice", tree(repo, &[one(), one()])),
        ("names out of order", tree(repo, &[two(), one()])),
        ("a null id", tree(repo, &[Row::raw("100644", b"a", "0".repeat(40))])),
        ("mode 0", tree(repo, &[Row::file(repo, "0", b"a", b"one\n")])),
        ("a mode with a leading zero", tree(repo, &[Row::file(repo, "0100644", b"a", b"one\n")])),
    ]
}

fn bytes_of_hex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal"))
        .collect()
}
