//! Histories with merges, made from a seed, in which one commit brings a file `bad` that every later one keeps: what
//! bisections are tried on, with what `git bisect run` makes of them.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write;

use crate::Sandbox;
use crate::suite::Seeded;

/// A history in a bare repository, its first commit good and its branch `main` bad.
pub struct Planted {
    /// The repository.
    pub sandbox: Sandbox,
    /// The ids, parents before children; the first is good.
    pub ids: Vec<String>,
    /// The parents of each, by number.
    pub parents: Vec<Vec<usize>>,
    /// The number of the culprit.
    pub culprit: usize,
    /// The ids of the commits that have the file `bad`.
    pub bad: HashSet<String>,
}

impl Planted {
    /// The history of this seed, with at least `size` commits.
    ///
    /// Topics of a few commits begin at one of the last commits of the main line, may merge it meanwhile, and are merged, a
    /// few of them two at once. Each commit adds a file, a merge what its sides have.
    pub fn new(seed: u64, size: usize) -> Self {
        let mut random = Seeded::new(seed);
        let parents = shape(&mut random, size);
        let culprit = 1 + random.below(parents.len() - 1);
        let mut bad = vec![false; parents.len()];
        for at in 1..parents.len() {
            bad[at] = at == culprit || parents[at].iter().any(|parent| bad[*parent]);
        }
        let sandbox = Sandbox::bare();
        let stream = stream(&parents, culprit);
        sandbox.git_with_input(&["fast-import", "--quiet", "--export-marks=marks"], stream.as_bytes());
        let marks = std::fs::read_to_string(sandbox.path().join("marks")).expect("fast-import wrote it");
        let mut ids = vec![String::new(); parents.len()];
        for line in marks.lines() {
            let (mark, id) = line.trim_start_matches(':').split_once(' ').expect("a mark and an id");
            ids[mark.parse::<usize>().expect("a number") - 1] = id.to_owned();
        }
        let bad = ids.iter().cloned().zip(bad).filter(|(_, bad)| *bad).map(|(id, _)| id).collect();
        Self { sandbox, ids, parents, culprit, bad }
    }

    /// The id of the commit that brought it.
    pub fn culprit_id(&self) -> &str {
        &self.ids[self.culprit]
    }

    /// What `git bisect run` finds, and how often it ran the check.
    pub fn git_bisect(&self) -> (String, usize) {
        let (repo, runs) = (&self.sandbox, self.sandbox.path().join("runs"));
        let _ = std::fs::remove_file(&runs);
        repo.git(&["bisect", "start", "--no-checkout", "main", &self.ids[0]]);
        let check = "echo >>runs; ! git cat-file -e BISECT_HEAD:bad 2>/dev/null";
        repo.git(&["bisect", "run", "sh", "-c", check]);
        let found = repo.git(&["rev-parse", "refs/bisect/bad"]);
        repo.git(&["bisect", "reset"]);
        (found, std::fs::read_to_string(&runs).map_or(0, |runs| runs.lines().count()))
    }
}

/// The parents of each commit; the last one is the tip and reaches all.
fn shape(random: &mut Seeded, size: usize) -> Vec<Vec<usize>> {
    let mut parents = vec![Vec::new()];
    let mut line = vec![0];
    let commit = |parents: &mut Vec<Vec<usize>>, of: &[usize]| {
        parents.push(of.to_vec());
        parents.len() - 1
    };
    while parents.len() < size || line.len() < 2 {
        if random.below(10) < 4 {
            let tip = commit(&mut parents, &[line[line.len() - 1]]);
            line.push(tip);
            continue;
        }
        let mut sides = Vec::new();
        for _ in 0..if random.below(8) == 0 { 2 } else { 1 } {
            let back = random.below(line.len().min(4));
            let mut at = line[line.len() - 1 - back];
            for _ in 0..=random.below(12) {
                at = match random.below(10) {
                    0 if at != line[line.len() - 1] => commit(&mut parents, &[at, line[line.len() - 1]]),
                    _ => commit(&mut parents, &[at]),
                };
            }
            sides.push(at);
        }
        let merge = commit(&mut parents, &[&[line[line.len() - 1]], sides.as_slice()].concat());
        line.push(merge);
    }
    parents
}

/// The history as a stream for `git fast-import`.
fn stream(parents: &[Vec<usize>], culprit: usize) -> String {
    let mut files: Vec<BTreeSet<String>> = Vec::new();
    let mut stream = String::new();
    let write = |stream: &mut String, text: std::fmt::Arguments<'_>| {
        stream.write_fmt(text).expect("text can be written to");
    };
    for (at, of) in parents.iter().enumerate() {
        let mut own: BTreeSet<String> = of.iter().flat_map(|parent| files[*parent].iter().cloned()).collect();
        if of.len() < 2 {
            own.insert(format!("d{}/f{at}", at % 5));
        }
        if at == culprit {
            own.insert("bad".to_owned());
        }
        let time = 1_700_000_000 + at * 60;
        write(&mut stream, format_args!("commit refs/heads/main\nmark :{}\n", at + 1));
        write(&mut stream, format_args!("committer C <c@example.com> {time} +0000\n"));
        let message = format!("commit {at}");
        write(&mut stream, format_args!("data {}\n{message}\n", message.len()));
        for (place, parent) in of.iter().enumerate() {
            let word = if place == 0 { "from" } else { "merge" };
            write(&mut stream, format_args!("{word} :{}\n", parent + 1));
        }
        let base = of.first().map(|first| files[*first].clone()).unwrap_or_default();
        for file in own.difference(&base) {
            write(&mut stream, format_args!("M 100644 inline {file}\ndata {}\n{file}\n", file.len()));
        }
        stream.push('\n');
        files.push(own);
    }
    stream
}
