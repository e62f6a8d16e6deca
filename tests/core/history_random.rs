//! Random small histories, held against git: path histories, ranges, the upstream's changes and tree differences, with
//! and without a commit-graph, whatever the dates say.
//!
//! `RB_RANDOM_HISTORIES` (default 3) says how many, `RB_RANDOM_SEED` (default 1) where to begin.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use rollback_core::error::{PathError, RevisionError};
use rollback_core::history::{HistoryOptions, PathHistory};
use rollback_core::{Error, Repo, RepoPath};
use test_kit::Sandbox;

#[test]
fn answers_on_random_histories_are_those_of_git() {
    let first = number("RB_RANDOM_SEED", 1);
    for seed in first..first + number("RB_RANDOM_HISTORIES", 3) {
        let story = Story::random(seed);
        let sandbox = Sandbox::bare();
        sandbox.git_with_input(&["fast-import", "--quiet"], story.stream.as_bytes());
        // The upstream of main is a branch of this very repository.
        sandbox.git(&["config", "branch.main.remote", "."]);
        sandbox.git(&["config", "branch.main.merge", "refs/heads/other"]);
        for graph in [&[][..], &["--changed-paths"], &["--changed-paths", "--split=no-merge"]] {
            if !graph.is_empty() {
                write_graph(&sandbox, graph, &story);
            }
            let repo = Repo::discover(sandbox.path()).expect("a repository");
            let context = format!("seed {seed}, commit-graph {graph:?}");
            path_histories(&sandbox, &repo, &story, &context);
            ranges(&sandbox, &repo, &story, &context);
            upstream_changes(&sandbox, &repo, &story, &context);
            tree_differences(&sandbox, &repo, &story, &context);
        }
    }
}

/// A whole graph, or one in layers in which the newest commits are not.
fn write_graph(sandbox: &Sandbox, options: &[&str], story: &Story) {
    if !options.contains(&"--split=no-merge") {
        sandbox.git(&[&["commit-graph", "write", "--reachable"], options].concat());
        return;
    }
    std::fs::remove_file(sandbox.path().join("objects/info/commit-graph")).expect("it was written before");
    for share in [3, 2] {
        let tip = format!("refs/heads/c{}\n", story.commits / share);
        let tip = sandbox.git(&["rev-parse", tip.trim()]);
        sandbox.git_with_input(
            &[&["commit-graph", "write", "--stdin-commits"], options].concat(),
            format!("{tip}\n").as_bytes(),
        );
    }
}

fn path_histories(sandbox: &Sandbox, repo: &Repo, story: &Story, context: &str) {
    for path in &story.paths {
        let mut options = HistoryOptions::default();
        options.follow_renames = false;
        let expected = lines(&sandbox.git(&["log", "--topo-order", "--format=%H", "main", "--", path]));
        let found = ids(repo.history(&RepoPath::from(path.as_str()), &options));
        assert_eq!(found, expected, "{path}: {context}");
        options.limit = Some(3);
        let found = ids(repo.history(&RepoPath::from(path.as_str()), &options));
        assert_eq!(found, expected[..expected.len().min(3)], "{path}, three of them: {context}");
    }
}

/// git's own ranges go wrong where dates run backwards for long, so the sets come from its lists of whole pasts.
fn ranges(sandbox: &Sandbox, repo: &Repo, story: &Story, context: &str) {
    let mut random = Random::new(story.commits as u64);
    let past = |number: usize| -> BTreeSet<String> {
        lines(&sandbox.git(&["rev-list", &format!("c{number}")])).into_iter().collect()
    };
    for _ in 0..20 {
        let (one, other) = (random.below(story.commits), random.below(story.commits));
        let (ones, others) = (past(one), past(other));
        let range = others.difference(&ones).cloned().collect();
        assert_eq!(resolve(repo, &format!("c{one}..c{other}")), range, "c{one}..c{other}: {context}");
        let apart = others.symmetric_difference(&ones).cloned().collect();
        assert_eq!(resolve(repo, &format!("c{one}...c{other}")), apart, "c{one}...c{other}: {context}");
    }
}

fn resolve(repo: &Repo, spec: &str) -> BTreeSet<String> {
    match repo.resolve_commits(&[spec]) {
        Ok(commits) => commits.iter().map(ToString::to_string).collect(),
        Err(Error::Revision(RevisionError::EmptyCommitSet { .. })) => BTreeSet::new(),
        Err(error) => panic!("{spec}: {error}"),
    }
}

/// What git shows here depends on the order in which it comes to know what the tip has: an excluded parent that is not
/// known as such yet explains a merge. So the answer is held between its default without merges and its full history.
fn upstream_changes(sandbox: &Sandbox, repo: &Repo, story: &Story, context: &str) {
    let tip = repo.resolve_commit("main").expect("a commit");
    let past = |tip: &str| lines(&sandbox.git(&["rev-list", tip])).into_iter().collect::<BTreeSet<_>>();
    let range: BTreeSet<_> = past("other").difference(&past("main")).cloned().collect();
    for path in &story.paths {
        let log = |options: &[&str]| -> BTreeSet<String> {
            let args = [&["log", "--format=%H"], options, &["main..other", "--", path]].concat();
            // Where dates run backwards for long, git lists commits that the tip has.
            lines(&sandbox.git(&args)).into_iter().filter(|id| range.contains(id)).collect()
        };
        let found =
            repo.upstream_ahead("refs/heads/main", tip, &RepoPath::from(path.as_str())).expect("an answer");
        let found: BTreeSet<String> =
            found.iter().flat_map(|ahead| &ahead.changes).map(ToString::to_string).collect();
        assert!(found.is_superset(&log(&["--no-merges"])), "{path}, found {found:?}: {context}");
        assert!(found.is_subset(&log(&["--full-history"])), "{path}, found {found:?}: {context}");
    }
}

fn tree_differences(sandbox: &Sandbox, repo: &Repo, story: &Story, context: &str) {
    for number in 0..story.commits {
        let id = sandbox.git(&["rev-parse", &format!("c{number}")]);
        let parents = sandbox.git(&["rev-list", "--parents", "-1", &id]);
        let old = parents.split(' ').nth(1).map_or(EMPTY_TREE.to_owned(), ToOwned::to_owned);
        let expected = lines(&sandbox.git(&["diff-tree", "-r", "--no-renames", &old, &id]));
        let changes = repo.changed_paths(id.parse().expect("an id"), None).expect("an answer");
        let side = |entry: Option<rollback_core::id::Entry>| {
            entry.map_or(("000000".into(), "0".repeat(40)), |entry| {
                (entry.mode.to_string(), entry.id.to_string())
            })
        };
        let found: Vec<String> = changes
            .iter()
            .map(|change| {
                let ((old_mode, old), (new_mode, new)) = (side(change.before), side(change.after));
                let kind = match (change.before, change.after) {
                    (None, _) => "A",
                    (_, None) => "D",
                    (Some(one), Some(other)) if is_link(one) != is_link(other) => "T",
                    _ => "M",
                };
                format!(":{old_mode} {new_mode} {old} {new} {kind}\t{}", change.path)
            })
            .collect();
        assert_eq!(found, expected, "c{number}: {context}");
    }
}

fn is_link(entry: rollback_core::id::Entry) -> bool {
    !entry.mode.is_file()
}

const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

fn ids(history: rollback_core::Result<PathHistory>) -> Vec<String> {
    match history {
        Ok(history) => history.changes.iter().map(|change| change.commit_id.to_string()).collect(),
        Err(Error::Path(PathError::NeverExisted { .. })) => Vec::new(),
        Err(error) => panic!("{error}"),
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(ToOwned::to_owned).collect()
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

/// A history as a stream for `git fast-import`: branch `c<N>` for each commit, `main` and `other` at two late ones.
struct Story {
    stream: String,
    commits: usize,
    /// Every file and folder that ever was.
    paths: BTreeSet<String>,
}

type Files = BTreeMap<String, String>;

impl Story {
    fn random(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let commits = 12 + random.below(30);
        let mut story = Self { stream: String::new(), commits, paths: BTreeSet::new() };
        let mut trees: Vec<Files> = Vec::new();
        for number in 0..commits {
            let parents = story.parents(number, &mut random);
            let mut files = parents.first().map(|parent| trees[*parent].clone()).unwrap_or_default();
            for parent in parents.iter().skip(1) {
                merge(&mut files, &trees[*parent], &mut random);
            }
            // Some merges and some commits change nothing of their own.
            for _ in 0..random.below(if parents.len() > 1 { 2 } else { 4 }) {
                edit(&mut files, &mut random);
            }
            story.write(number, &parents, &files, &mut random);
            trees.push(files);
        }
        let other = commits - 1 - random.below(commits / 2);
        write!(
            story.stream,
            "reset refs/heads/main\nfrom :{commits}\n\nreset refs/heads/other\nfrom :{}\n\n",
            other
        )
        .expect("a string takes all");
        story
    }

    fn parents(&self, number: usize, random: &mut Random) -> Vec<usize> {
        if number == 0 || random.below(25) == 0 {
            return Vec::new();
        }
        let recent = |random: &mut Random| number - 1 - random.below(number.min(5));
        let mut parents = vec![recent(random)];
        for _ in 0..[0, 0, 0, 1, 1, 2][random.below(6)] {
            let parent = recent(random);
            if !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        parents
    }

    fn write(&mut self, number: usize, parents: &[usize], files: &Files, random: &mut Random) {
        // Dates wander, stand still and run backwards.
        let seconds =
            1_700_000_000 + number * 40 + random.below(200) - random.below(2) * random.below(900_000);
        let out = &mut self.stream;
        write!(out, "reset refs/heads/c{number}\ncommit refs/heads/c{number}\nmark :{}\n", number + 1)
            .and_then(|()| write!(out, "committer C <c@example.com> {seconds} +0000\ndata 2\nc\n"))
            .expect("a string takes all");
        for (at, parent) in parents.iter().enumerate() {
            let word = if at == 0 { "from" } else { "merge" };
            writeln!(out, "{word} :{}", parent + 1).expect("a string takes all");
        }
        out.push_str("deleteall\n");
        for (path, content) in files {
            let mode = if content.starts_with('x') {
                "100755"
            } else if content.starts_with('l') {
                "120000"
            } else {
                "100644"
            };
            write!(out, "M {mode} inline {path}\ndata {}\n{content}\n", content.len())
                .expect("a string takes all");
            self.paths.insert(path.clone());
            for (at, _) in path.match_indices('/') {
                self.paths.insert(path[..at].to_owned());
            }
        }
        out.push('\n');
    }
}

/// Takes each path from one side or the other.
fn merge(ours: &mut Files, theirs: &Files, random: &mut Random) {
    let side = random.below(3);
    let paths: BTreeSet<String> = ours.keys().chain(theirs.keys()).cloned().collect();
    for path in paths {
        if side == 0 || side == 1 && random.below(2) == 0 {
            continue;
        }
        match theirs.get(&path) {
            Some(content) => put(ours, path, content.clone()),
            None => drop(ours.remove(&path)),
        }
    }
}

fn edit(files: &mut Files, random: &mut Random) {
    const NAMES: [&str; 9] = ["a", "b", "d/a", "d/b", "d/e/f", "d.x", "g", "d/e", "G"];
    let name = NAMES[random.below(NAMES.len())].to_owned();
    let existing =
        (!files.is_empty()).then(|| files.keys().nth(random.below(files.len())).cloned()).flatten();
    match (random.below(6), existing) {
        (0, Some(path)) => drop(files.remove(&path)),
        (1, Some(path)) => {
            let content = files.remove(&path).expect("it is there");
            put(files, name, content);
        }
        _ => put(files, name, format!("{}{}", ["", "", "x", "l"][random.below(4)], random.below(5))),
    }
}

/// A file takes the place of a folder of its name, and of a file where it needs a folder.
fn put(files: &mut Files, path: String, content: String) {
    let folder = format!("{path}/");
    files.retain(|other, _| !other.starts_with(&folder) && !path.starts_with(&format!("{other}/")));
    files.insert(path, content);
}

/// xorshift64*: the same sequence everywhere.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }
}
