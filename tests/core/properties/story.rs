//! Random small histories and work trees, made of parts that shrink.

use std::collections::BTreeMap;

use proptest::prelude::*;

/// Names that meet: files that are folders elsewhere, twins but for a dot, one that is no UTF-8.
pub(crate) const PATHS: [&[u8]; 10] =
    [b"a", b"b", b"d/a", b"d/b", b"d/e/f", b"d.x", b"g", b"d/e", b"caf\xe9", b"with space"];

/// A path of the list.
pub(crate) fn path() -> impl Strategy<Value = usize> {
    0..PATHS.len()
}

/// What a commit does to a path.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    /// It is a file of these lines.
    Write(Vec<u8>),
    Executable(Vec<u8>),
    Link,
    Empty,
    Binary,
    Crlf,
    Remove,
    /// It is called otherwise.
    Rename(usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let lines = || prop::collection::vec(0..4u8, 0..8);
    prop_oneof![
        6 => lines().prop_map(Edit::Write),
        2 => lines().prop_map(Edit::Executable),
        1 => Just(Edit::Link),
        1 => Just(Edit::Empty),
        1 => Just(Edit::Binary),
        1 => Just(Edit::Crlf),
        2 => Just(Edit::Remove),
        2 => path().prop_map(Edit::Rename),
    ]
}

/// A commit: its parents counted back from it, and what it does.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub back: usize,
    pub merges: Vec<usize>,
    pub edits: Vec<(usize, Edit)>,
    /// Seconds that its date is off by.
    pub skew: i64,
}

/// A history; the last commit is the tip.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub commits: Vec<Commit>,
}

/// Histories of up to `most` commits.
pub(crate) fn story(most: usize) -> impl Strategy<Value = Story> {
    let merges = prop_oneof![5 => Just(Vec::new()), 1 => prop::collection::vec(1..4usize, 1..3)];
    let skew = prop_oneof![4 => Just(0), 1 => -1_000_000_000..1_000_000_000i64];
    let commit = (1..3usize, merges, prop::collection::vec((path(), edit()), 0..4), skew)
        .prop_map(|(back, merges, edits, skew)| Commit { back, merges, edits, skew });
    prop::collection::vec(commit, 2..=most).prop_map(|commits| Story { commits })
}

type Files = BTreeMap<Vec<u8>, (&'static str, Vec<u8>)>;

impl Story {
    /// The history as a stream for `git fast-import`; `main` is the tip.
    pub(crate) fn stream(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut trees: Vec<Files> = Vec::new();
        for (nth, commit) in self.commits.iter().enumerate() {
            let parents = self.parents(nth);
            let mut files = parents.first().map(|parent| trees[*parent].clone()).unwrap_or_default();
            for parent in parents.iter().skip(1) {
                for (path, file) in &trees[*parent] {
                    if !files.contains_key(path) {
                        put(&mut files, path.clone(), file.clone());
                    }
                }
            }
            if nth == 0 {
                put(&mut files, b".gitignore".to_vec(), ("100644", b"*.ign\n".to_vec()));
                put(&mut files, b"stays".to_vec(), ("100644", b"s\n".to_vec()));
            }
            commit.edits.iter().for_each(|(path, edit)| carry_out(&mut files, PATHS[*path], edit));
            let seconds = 1_700_000_000 + 60 * i64::try_from(nth).expect("few") + commit.skew;
            let head = format!(
                "commit refs/heads/main\nmark :{}\ncommitter C <c@example.com> {seconds} +0100\ndata 9\nsubject {nth:>1}\n",
                nth + 1
            );
            out.extend_from_slice(
                head.replacen("data 9", &format!("data {}", 8 + nth.to_string().len()), 1).as_bytes(),
            );
            for (at, parent) in parents.iter().enumerate() {
                let word = if at == 0 { "from" } else { "merge" };
                out.extend_from_slice(format!("{word} :{}\n", parent + 1).as_bytes());
            }
            out.extend_from_slice(b"deleteall\n");
            for (path, (mode, content)) in &files {
                out.extend_from_slice(
                    format!("M {mode} inline {}\ndata {}\n", quoted(path), content.len()).as_bytes(),
                );
                out.extend_from_slice(content);
                out.push(b'\n');
            }
            out.push(b'\n');
            trees.push(files);
        }
        out
    }

    /// The commits before the nth one that it stands on.
    pub(crate) fn parents(&self, nth: usize) -> Vec<usize> {
        let commit = &self.commits[nth];
        let mut parents: Vec<usize> = Vec::new();
        for back in std::iter::once(&commit.back).chain(&commit.merges) {
            if let Some(parent) = nth.checked_sub(*back).filter(|parent| !parents.contains(parent)) {
                parents.push(parent);
            }
        }
        // The rest hangs together.
        if parents.is_empty() && nth > 0 {
            parents.push(nth - 1);
        }
        parents
    }
}

fn carry_out(files: &mut Files, path: &[u8], edit: &Edit) {
    let text = |lines: &[u8]| {
        lines.iter().flat_map(|line| format!("line {line}\n").into_bytes()).collect::<Vec<_>>()
    };
    let file = match edit {
        Edit::Write(lines) => ("100644", text(lines)),
        Edit::Executable(lines) => ("100755", text(lines)),
        Edit::Link => ("120000", b"stays".to_vec()),
        Edit::Empty => ("100644", Vec::new()),
        Edit::Binary => ("100644", b"\0\x01\xff binary\0".to_vec()),
        Edit::Crlf => ("100644", b"one\r\ntwo\r\n".to_vec()),
        Edit::Remove => {
            files.remove(path);
            return;
        }
        Edit::Rename(to) => match files.remove(path) {
            Some(file) => return put(files, PATHS[*to].to_vec(), file),
            None => return,
        },
    };
    put(files, path.to_vec(), file);
}

/// A file takes the place of a folder of its name, and of a file where it needs a folder.
fn put(files: &mut Files, path: Vec<u8>, file: (&'static str, Vec<u8>)) {
    let folder = |path: &[u8]| [path, b"/"].concat();
    files.retain(|other, _| !other.starts_with(&folder(&path)) && !path.starts_with(&folder(other)));
    files.insert(path, file);
}

fn quoted(path: &[u8]) -> String {
    let text: String = path
        .iter()
        .map(|byte| match byte {
            b'"' | b'\\' => format!("\\{}", char::from(*byte)),
            32..=126 => char::from(*byte).to_string(),
            _ => format!("\\{byte:03o}"),
        })
        .collect();
    format!("\"{text}\"")
}

/// What somebody does in the work tree without committing it.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    Write(usize),
    Remove(usize),
    Stage(usize),
    Untracked(&'static str),
    AssumeUnchanged(usize),
    /// The file is as it was, but old.
    Touch(usize),
}

/// A few of them.
pub(crate) fn work() -> impl Strategy<Value = Vec<Work>> {
    let one = prop_oneof![
        path().prop_map(Work::Write),
        path().prop_map(Work::Remove),
        path().prop_map(Work::Stage),
        prop::sample::select(vec!["new", "d/new", "x.ign", "d/y.ign", "stays.orig"])
            .prop_map(Work::Untracked),
        path().prop_map(Work::AssumeUnchanged),
        path().prop_map(Work::Touch),
        path().prop_map(Work::Touch),
    ];
    prop::collection::vec(one, 0..5)
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Revert(usize),
    Pick(usize),
    Path(usize),
    Restore(usize, usize),
}

/// A request; numbers of commits count back from the tip.
pub(crate) fn ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        4 => (0..6usize).prop_map(Ask::Revert),
        1 => (0..6usize).prop_map(Ask::Pick),
        2 => path().prop_map(Ask::Path),
        2 => (path(), 0..6usize).prop_map(|(path, commit)| Ask::Restore(path, commit)),
    ]
}
