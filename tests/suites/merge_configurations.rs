//! `rb merge-tree` beside `git merge-tree` on generated trees, under random configurations and attributes.
//!
//! ```text
//! cargo run --release -p rollback-test-kit --bin merge-configurations -- --rb target/release/rb \
//!     [--configurations 100] [--count 1000] [--seed 1] [--keep 1]
//! ```
//!
//! For each configuration a repository of `count` merges is made: three versions of a few files in folders, with
//! chains of renames, folders moved into each other, files and folders that swap places, links, submodules, binary files,
//! line endings, and sides that come from different histories. The git that `PATH` has first is compared with, and rb
//! follows its release: another release is tried by putting it there. Every answer must be the same to the byte: verdict,
//! tree with conflict markers, stages. Ends with 1 where an answer differs; "needs review", where rb leaves the decision to
//! a person, is counted and is no difference. `--keep 1` keeps the repositories in which something differs.
#![expect(clippy::print_stdout, reason = "the report is what the suite is for")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use test_kit::merge_tree::{ask, judge};
use test_kit::suite::{Arguments, Seeded, Tally};
use test_kit::{Sandbox, isolated};

fn main() -> ExitCode {
    test_kit::suite::main(run)
}

fn run() -> Result<ExitCode, String> {
    let arguments = Arguments::without_repositories(1000)?;
    let folder = Path::new("/dev/shm");
    let mut total = Tally::default();
    for at in 0..arguments.number("--configurations", 100) {
        let seed = arguments.seed.wrapping_mul(1_000_003).wrapping_add(at as u64);
        let mut dice = Seeded::new(seed);
        let repo = if folder.is_dir() { Sandbox::folder_in(folder) } else { Sandbox::folder() };
        repo.git(&["init", "-q", "."]);
        let questions = Triples::new(&mut dice).questions(&repo, arguments.count);
        let said = configure(&repo, &mut dice);
        let tally = compare(&arguments.rb, &repo, &questions)?;
        println!("{}", tally.report(&format!("seed {} number {at}: {said}", arguments.seed)));
        if arguments.number("--keep", 0) > 0 && !tally.differences().is_empty() {
            println!("kept in {}\n", repo.path().display());
            std::mem::forget(repo);
        }
        total.add(&tally);
    }
    total.refuse_silence();
    println!("{}", total.report("all configurations"));
    Ok(if total.differences().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn compare(rb: &Path, repo: &Sandbox, questions: &[String]) -> Result<Tally, String> {
    let quarantine = tempfile::tempdir_in(repo.around()).map_err(|error| error.to_string())?;
    let asked = |program: &Path| {
        let mut command = Command::new(program);
        isolated(&mut command, quarantine.path()).arg("-C").arg(repo.path()).arg("merge-tree");
        command
    };
    let (ours, _) = ask(questions, || {
        let mut rb = asked(rb);
        rb.args(["--stdin", "-z"]);
        rb
    })?;
    let (theirs, _) = ask(questions, || {
        let mut git = asked(Path::new("git"));
        git.args(["--write-tree", "--stdin", "-z", "--no-messages"])
            .env("GIT_OBJECT_DIRECTORY", quarantine.path())
            .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", repo.path().join(".git/objects"));
        git
    })?;
    let mut tally = Tally::default();
    judge(questions, &ours, &theirs, &mut tally);
    Ok(tally)
}

/// Keys with the values that are tried, and in how many of a hundred configurations each is set.
const KEYS: [(&str, &[&str], usize); 9] = [
    ("merge.renormalize", &["true"], 20),
    ("diff.algorithm", &["myers", "patience", "minimal", "histogram"], 35),
    ("merge.renames", &["false", "true", "copies"], 25),
    ("diff.renames", &["false", "true"], 25),
    ("merge.directoryRenames", &["false", "true", "conflict"], 35),
    ("merge.conflictStyle", &["diff3", "zdiff3", "merge"], 35),
    ("merge.renameLimit", &["1", "3", "100"], 20),
    ("core.autocrlf", &["true", "input"], 20),
    ("merge.default", &["union", "binary", "nothing"], 10),
];

const PATTERNS: [&str; 8] = ["*", "f*", "d1/*", "*.moved", "r?", "dd1/*", "/d1/f1", "d2/**"];

const ATTRIBUTES: [&str; 19] = [
    "merge=union",
    "-merge",
    "merge",
    "!merge",
    "merge=unknown",
    "merge=binary",
    "merge=text",
    "conflict-marker-size=3",
    "conflict-marker-size=20",
    "conflict-marker-size=0",
    "conflict-marker-size=x",
    "text",
    "text=auto",
    "-text",
    "eol=crlf",
    "binary",
    "-diff",
    "diff=unknown",
    "ident",
];

/// Configures the repository, and tells how.
fn configure(repo: &Sandbox, dice: &mut Seeded) -> String {
    let mut said = Vec::new();
    for (key, values, share) in KEYS {
        if dice.below(100) < share {
            let value = values[dice.below(values.len())];
            repo.git(&["config", key, value]);
            said.push(format!("{key}={value}"));
        }
    }
    let mut attributes = String::new();
    for _ in 0..dice.below(5) {
        let line = [PATTERNS[dice.below(PATTERNS.len())], ATTRIBUTES[dice.below(ATTRIBUTES.len())]].join(" ");
        attributes.push_str(&format!("{line}\n"));
        said.push(line);
    }
    repo.write(".git/info/attributes", attributes);
    said.join(", ")
}

const NAMES: [&str; 18] = [
    "f1",
    "f2",
    "f3",
    "d1/f1",
    "d1/f2",
    "d1/f3",
    "d1/sub/f1",
    "d1/sub/f2",
    "d2/f1",
    "d2/f2",
    "d3/a/b/f",
    "d3/a/f",
    "d1",
    "d2/in/f",
    "a/b",
    "a",
    "a/b/c",
    "link",
];

const WORDS: [&str; 12] = ["", "}", "{", "a", "b", "c", "return x", "if y", "end", "--", "\t}", "d"];

/// A file: its mode and its content, which is an id for a submodule.
type File = (&'static str, Vec<u8>);
type Files = BTreeMap<String, File>;

/// Makes histories of three versions.
struct Triples<'a> {
    dice: &'a mut Seeded,
}

impl<'a> Triples<'a> {
    fn new(dice: &'a mut Seeded) -> Self {
        Self { dice }
    }

    /// Imports the versions and returns a question for each triple; one in five has a side of another history.
    fn questions(mut self, repo: &Sandbox, count: usize) -> Vec<String> {
        let (mut stream, mut mark) = (Vec::new(), 0);
        for _ in 0..count {
            let base = self.base();
            let versions = [self.edited(&base), self.edited(&base)];
            for files in std::iter::once(&base).chain(&versions) {
                mark += 1;
                import(files, mark, &mut stream);
            }
        }
        repo.git_with_input(&["fast-import", "--quiet", "--force", "--export-marks=../marks"], &stream);
        let marks = std::fs::read_to_string(repo.path().join("../marks")).expect("the marks were written");
        let mut commits: Vec<(usize, &str)> = marks
            .lines()
            .filter_map(|line| line.strip_prefix(':')?.split_once(' '))
            .map(|(mark, id)| (mark.parse().expect("a number"), id))
            .collect();
        commits.sort_unstable();
        let ids: Vec<&str> = commits.into_iter().map(|(_, id)| id).collect();
        let triples: Vec<&[&str]> = ids.chunks(3).collect();
        let mut questions = Vec::new();
        for triple in &triples {
            let other = match self.dice.below(5) {
                0 => triples[self.dice.below(triples.len())][2],
                _ => triple[2],
            };
            questions.push(format!("{} -- {} {other}\n", triple[0], triple[1]));
        }
        questions
    }

    fn one(&mut self, of: &[&str]) -> String {
        of[self.dice.below(of.len())].to_owned()
    }

    fn base(&mut self) -> Files {
        let mut files = Files::new();
        for _ in 0..2 + self.dice.below(9) {
            let name = self.one(&NAMES);
            if is_free(&files, &name) {
                let file = self.file();
                files.insert(name, file);
            }
        }
        files
    }

    fn file(&mut self) -> File {
        match self.dice.below(100) {
            0..40 => ("100644", self.text()),
            40..70 => ("100644", self.repetitive()),
            70..78 => ("100755", self.text()),
            78..86 => ("100644", (0..200).map(|_| self.dice.below(256) as u8).chain([0]).collect()),
            86..92 => ("120000", self.one(&["a", "d1/f1", "../x", "d2"]).into_bytes()),
            92..96 => ("160000", format!("{:040x}", self.dice.below(usize::MAX)).into_bytes()),
            _ => ("100644", Vec::new()),
        }
    }

    fn text(&mut self) -> Vec<u8> {
        let end = if self.dice.below(6) == 0 { "\r\n" } else { "\n" };
        let mut text: String =
            (0..3 + self.dice.below(30)).map(|at| format!("{at} {}{end}", WORDS[at % WORDS.len()])).collect();
        if self.dice.below(6) == 0 {
            text.truncate(text.len() - end.len());
        }
        text.into_bytes()
    }

    /// Few different lines, so that there are many ways to pair them.
    fn repetitive(&mut self) -> Vec<u8> {
        let lines: Vec<String> = (0..2 + self.dice.below(14)).map(|_| self.one(&WORDS[..6])).collect();
        (lines.join("\n") + "\n").into_bytes()
    }

    fn edited(&mut self, base: &Files) -> Files {
        let mut files = base.clone();
        for _ in 0..1 + self.dice.below(5) {
            self.edit(&mut files);
        }
        files
    }

    fn edit(&mut self, files: &mut Files) {
        let names: Vec<String> = files.keys().cloned().collect();
        if self.dice.below(40) == 0 {
            let line =
                [PATTERNS[self.dice.below(PATTERNS.len())], ATTRIBUTES[self.dice.below(ATTRIBUTES.len())]];
            files.insert(
                ".gitattributes".to_owned(),
                ("100644", format!("{}\n", line.join(" ")).into_bytes()),
            );
            return;
        }
        let Some(name) = (!names.is_empty()).then(|| names[self.dice.below(names.len())].clone()) else {
            return;
        };
        match self.dice.below(100) {
            0..34 => self.change(files, &name),
            34..44 => drop(files.remove(&name)),
            44..54 => {
                let fresh = self.one(&["n1", "n2", "d1/n3", "d2/n4", "d1/sub/n5", "d4/f", "moved/n6"]);
                if is_free(files, &fresh) {
                    let file = self.file();
                    files.insert(fresh, file);
                }
            }
            54..70 => self.rename(files, &name),
            70..83 => self.move_folder(files),
            83..88 => self.swap(files, &names, &name),
            88..92 => {
                if let Some((mode, _)) = files.get_mut(&name).filter(|(mode, _)| mode.starts_with("100")) {
                    *mode = if *mode == "100644" { "100755" } else { "100644" };
                }
            }
            92..95 => drop(files.insert(name, ("120000", b"target".to_vec()))),
            _ => {
                let file = files.remove(&name).expect("it is there");
                let below = format!("{name}/in");
                let at = if is_free(files, &below) { below } else { name };
                files.insert(at, file);
            }
        }
    }

    fn change(&mut self, files: &mut Files, name: &str) {
        let (mode, content) = files.get_mut(name).expect("it is there");
        match *mode {
            "160000" => *content = format!("{:040x}", self.dice.below(usize::MAX)).into_bytes(),
            "120000" => content.push(b'x'),
            _ if content.contains(&0) => content[50] ^= 1,
            _ => {
                let mut lines: Vec<Vec<u8>> =
                    content.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
                for _ in 0..1 + self.dice.below(3) {
                    let at = self.dice.below(lines.len());
                    let word = WORDS[self.dice.below(WORDS.len())].as_bytes().to_vec();
                    match self.dice.below(4) {
                        0 | 1 => lines[at] = word,
                        2 => lines.insert(at, word),
                        _ if lines.len() > 1 => drop(lines.remove(at)),
                        _ => {}
                    }
                }
                *content = lines.join(&b'\n');
            }
        }
    }

    fn rename(&mut self, files: &mut Files, name: &str) {
        let last = name.rsplit('/').next().unwrap_or(name);
        let beside =
            [format!("{name}.moved"), format!("d2/{last}"), format!("d1/{last}"), format!("dd1/{last}")];
        let named = ["r1", "r2", "d1/r3", "d5/r4"].map(ToOwned::to_owned);
        let places: Vec<&String> = beside.iter().chain(&named).collect();
        let place = places[self.dice.below(places.len())].clone();
        let file = files.remove(name).expect("it is there");
        if !is_free(files, &place) {
            files.insert(name.to_owned(), file);
            return;
        }
        files.insert(place.clone(), file);
        if self.dice.below(2) == 0 {
            self.change(files, &place);
        }
    }

    /// Moves a folder, into another one or into one of its own at times.
    fn move_folder(&mut self, files: &mut Files) {
        let mut folders: Vec<String> = files
            .keys()
            .flat_map(|name| name.match_indices('/').map(|(at, _)| name[..at].to_owned()))
            .collect();
        folders.dedup();
        if folders.is_empty() {
            return;
        }
        let old = folders[self.dice.below(folders.len())].clone();
        let own = format!("{old}/deeper");
        let new = match self.dice.below(7) {
            0 => own,
            1 => folders[self.dice.below(folders.len())].clone(),
            _ => self.one(&["dd1", "dd2", "d2/in", "moved/deep", "d1"]),
        };
        let prefix = format!("{old}/");
        let (moving, mut kept): (Files, Files) =
            files.clone().into_iter().partition(|(name, _)| name.starts_with(&prefix));
        for (name, file) in moving {
            let place = format!("{new}/{}", &name[prefix.len()..]);
            if !is_free(&kept, &place) {
                return;
            }
            kept.insert(place, file);
        }
        *files = kept;
    }

    fn swap(&mut self, files: &mut Files, names: &[String], name: &str) {
        let other = &names[self.dice.below(names.len())];
        if let (Some(one), Some(two)) = (files.get(name).cloned(), files.get(other).cloned()) {
            files.insert(name.to_owned(), two);
            files.insert(other.clone(), one);
        }
    }
}

/// Whether a file can be put at `name`.
fn is_free(files: &Files, name: &str) -> bool {
    let above = |one: &str, other: &str| other.strip_prefix(one).is_some_and(|rest| rest.starts_with('/'));
    !files.keys().any(|taken| taken == name || above(taken, name) || above(name, taken))
}

/// A commit of the files, under this mark.
fn import(files: &Files, mark: usize, stream: &mut Vec<u8>) {
    let head = format!(
        "commit refs/heads/made\nmark :{mark}\ncommitter a <a@example.com> 1700000000 +0000\ndata 0\ndeleteall\n"
    );
    stream.extend(head.bytes());
    for (name, (mode, content)) in files {
        if *mode == "160000" {
            let id = String::from_utf8_lossy(content);
            stream.extend(format!("M {mode} {id} {name}\n").bytes());
            continue;
        }
        stream.extend(format!("M {mode} inline {name}\ndata {}\n", content.len()).bytes());
        stream.write_all(content).expect("it is in memory");
        stream.push(b'\n');
    }
}
