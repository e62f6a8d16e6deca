//! Ranges: `A..B` takes B back to A along first parents, whatever lies between.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;
use test_kit::{Sandbox, State};

use crate::kit::{done, rb, rb_with};

/// Numbers that follow from a seed (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).expect("below a usize")
    }
}

type Files = BTreeMap<&'static str, String>;

/// A random history as a stream for `git fast-import`: a mainline, side branches off any of its commits that may merge the
/// mainline in turn, merges that take either side of a file, both or neither.
struct History {
    numbers: Numbers,
    stream: String,
    trees: Vec<Files>,
}

impl History {
    const NAMES: [&str; 6] = ["a", "b", "d/a", "d/e/b", "f", "g"];

    fn random(seed: u64, length: usize) -> String {
        let mut history = Self { numbers: Numbers(seed), stream: String::new(), trees: Vec::new() };
        let mut mainline = vec![history.commit("main", &[])];
        for _ in 0..length {
            let tip = mainline[mainline.len() - 1];
            let next = match history.numbers.below(5) {
                0 | 1 => history.commit("main", &[tip]),
                _ => {
                    let start = mainline[history.numbers.below(mainline.len())];
                    let mut side = history.commit("side", &[start]);
                    for _ in 0..history.numbers.below(3) {
                        let parents = match history.numbers.below(3) {
                            0 => vec![side, mainline[history.numbers.below(mainline.len())]],
                            _ => vec![side],
                        };
                        side = history.commit("side", &parents);
                    }
                    history.commit("main", &[tip, side])
                }
            };
            mainline.push(next);
        }
        history.stream
    }

    /// Writes a commit, and returns its number.
    fn commit(&mut self, branch: &str, parents: &[usize]) -> usize {
        let mut files = parents.first().map(|parent| self.trees[*parent].clone()).unwrap_or_default();
        for parent in parents.iter().skip(1) {
            for name in Self::NAMES {
                match (self.numbers.below(2), self.trees[*parent].get(name).cloned()) {
                    (0, _) => {}
                    (_, Some(content)) => drop(files.insert(name, content)),
                    (_, None) => drop(files.remove(name)),
                }
            }
        }
        for _ in 0..self.numbers.below(3) + usize::from(parents.len() < 2) {
            self.edit(&mut files);
        }
        self.trees.push(files.clone());
        let mark = self.trees.len();
        let out = &mut self.stream;
        let time = 1_700_000_000 + 60 * mark;
        let _ = write!(out, "commit refs/heads/{branch}\nmark :{mark}\ncommitter C <c@x> {time} +0000\n");
        let _ = writeln!(out, "data {}\nnumber {mark}", 7 + mark.to_string().len());
        for (nth, parent) in parents.iter().enumerate() {
            let _ = writeln!(out, "{} :{}", if nth == 0 { "from" } else { "merge" }, parent + 1);
        }
        out.push_str("deleteall\n");
        for (name, content) in &files {
            let _ = write!(out, "M 100644 inline {name}\ndata {}\n{content}\n", content.len());
        }
        mark - 1
    }

    fn edit(&mut self, files: &mut Files) {
        let name = Self::NAMES[self.numbers.below(Self::NAMES.len())];
        match self.numbers.below(6) {
            0 => drop(files.remove(name)),
            1 => {
                let other = Self::NAMES[self.numbers.below(Self::NAMES.len())];
                if let Some(content) = files.remove(name) {
                    files.insert(other, content);
                }
            }
            _ => {
                let line = self.numbers.below(12);
                let word = self.numbers.below(1000);
                let content = files.get(name).cloned().unwrap_or_else(|| "1\n".repeat(12));
                let lines = content.lines().enumerate();
                let edited =
                    lines.map(|(at, old)| if at == line { word.to_string() } else { old.to_owned() });
                files.insert(name, edited.map(|line| line + "\n").collect());
            }
        }
    }
}

fn imported(stream: &str) -> Sandbox {
    let repo = Sandbox::new();
    repo.git_with_input(&["fast-import", "--quiet"], stream.as_bytes());
    repo.git(&["reset", "-q", "--hard", "main"]);
    repo
}

fn tree(repo: &Sandbox, commit: &str) -> String {
    repo.git(&["rev-parse", &format!("{commit}^{{tree}}")])
}

/// `RB_RANGE_HISTORIES` says how many histories are tried, `RB_RANGE_SEED` with which one to begin.
#[test]
fn random_histories_with_merges_are_taken_back_to_exactly_the_tree_where_the_range_begins() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let (first, count) = (number("RB_RANGE_SEED").unwrap_or(1), number("RB_RANGE_HISTORIES").unwrap_or(6));
    let mut merges = 0;
    for seed in first..first + count {
        let mut numbers = Numbers(seed ^ 0x5eed);
        let length = 3 + numbers.below(6);
        let repo = imported(&History::random(seed, length));
        let back = 1 + numbers.below(length);
        let (start, range) = (format!("main~{back}"), format!("main~{back}..main"));
        merges += repo.git(&["rev-list", "--merges", &range]).lines().count();
        let wanted = tree(&repo, &start);
        let nothing_to_do = wanted == tree(&repo, "main");

        let dry = rb(&repo, &["revert", "--dry-run", "--json", &range]).json();
        let contained = repo.git(&["rev-list", &start]);
        for attempt in dry["attempts"].as_array().expect("attempts") {
            for discarded in attempt["loss"]["discards"].as_array().expect("discards") {
                let id = discarded.as_str().expect("an id");
                assert!(!contained.contains(id), "seed {seed}: {range} does not discard {id}");
            }
        }
        let forward = pick_forward(&repo, &start);
        assert_eq!(forward, tree(&repo, "main"), "seed {seed}: picking {range} onto {start}");

        let run = rb(&repo, &["revert", &range]);
        let code = if run.code == 3 && nothing_to_do { 0 } else { run.code };
        assert_eq!(code, 0, "seed {seed}: {range}: {}{}", run.stdout, run.stderr);
        assert_eq!(tree(&repo, "main"), wanted, "seed {seed}: {range}");
        assert_eq!(repo.git(&["status", "--porcelain"]), "", "seed {seed}: {range}");
        repo.git(&["fsck", "--connectivity-only", "--no-dangling"]);
    }
    assert!(merges > 0, "a history without merges shows nothing");
}

/// The tree after the range was replayed onto the commit where it begins.
fn pick_forward(repo: &Sandbox, start: &str) -> String {
    let start = repo.git(&["rev-parse", start]);
    let range = format!("{start}..main");
    let picked = rb(repo, &["pick", "--onto", &start, "--branch", "forward", &range]);
    match picked.code {
        3 => tree(repo, &start),
        _ => {
            assert_eq!(picked.code, 0, "{}{}", picked.stdout, picked.stderr);
            tree(repo, "forward")
        }
    }
}

/// Three topics, each forked before the mainline moved on, and merged.
fn three_merges() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("base", &[("base", "1\n"), ("m", "0\n")]);
    for topic in ["1", "2", "3"] {
        repo.git(&["switch", "-q", "-c", &format!("t{topic}")]);
        repo.commit(&format!("{topic} one"), &[(topic, "one\n")]);
        repo.commit(&format!("{topic} two"), &[(topic, "two\n")]);
        repo.git(&["switch", "-q", "main"]);
        repo.commit(&format!("between {topic}"), &[("m", format!("{topic}\n"))]);
        repo.git(&["merge", "-q", "--no-ff", "-m", &format!("merge {topic}"), &format!("t{topic}")]);
    }
    repo
}

fn commits(plan: &Value) -> Vec<&str> {
    plan["target"]["commits"].as_array().expect("commits").iter().filter_map(Value::as_str).collect()
}

#[test]
fn the_targets_are_the_first_parent_commits_and_merges_are_taken_whole() {
    let repo = three_merges();
    let plan = done(rb(&repo, &["revert", "--dry-run", "--json", "HEAD~3..HEAD"])).json();
    let line = repo.git(&["rev-list", "--first-parent", "HEAD~3..HEAD"]);
    assert_eq!(commits(&plan), line.lines().collect::<Vec<_>>());
    done(rb(&repo, &["revert", "HEAD~3..HEAD"]));
    assert_eq!(tree(&repo, "HEAD"), tree(&repo, "HEAD~6"));
}

#[test]
fn a_range_that_begins_beside_the_first_parents_is_refused_and_names_the_merge() {
    let repo = three_merges();
    let merge = repo.git(&["rev-parse", "HEAD~2"]);
    for command in ["revert", "pick"] {
        let before = State::of(&repo);
        let refused = rb(&repo, &[command, "t2~1..main"]);
        assert_eq!(refused.code, 5, "{}{}", refused.stdout, refused.stderr);
        assert!(refused.line("error:").contains(&merge[..10]), "{}", refused.stderr);
        assert_eq!(
            refused.line("hint:"),
            format!(
                "take its first-parent commits, merges whole (or name the commits), with: rb {command} t2~1..main \
                 --first-parent"
            )
        );
        before.assert_unchanged(&repo);
    }
    // What the hint says: down to where the topic left the mainline.
    done(rb(&repo, &["revert", "t2~1..main", "--first-parent"]));
    assert_eq!(tree(&repo, "HEAD"), tree(&repo, &format!("{merge}~2")));
}

/// A topic of two commits, and a mainline that moved on.
fn apart() -> Sandbox {
    let repo = Sandbox::new();
    repo.commit("base", &[("a", "1\n"), ("b", "1\n")]);
    repo.git(&["switch", "-q", "-c", "topic"]);
    repo.commit("one", &[("a", "2\n")]);
    repo.commit("two", &[("a", "3\n")]);
    repo.git(&["switch", "-q", "main"]);
    repo.commit("meanwhile", &[("b", "2\n")]);
    repo
}

#[test]
fn a_linear_range_is_what_it_is_to_git_also_where_the_branches_went_apart() {
    for (branch, git, ours) in [("topic", "revert", "revert"), ("main", "cherry-pick", "pick")] {
        let repo = apart();
        repo.git(&["switch", "-q", branch]);
        let twin = repo.twin();
        twin.git(&[git, "main..topic"]);
        done(rb(&repo, &[ours, "main..topic"]));
        let subjects = |repo: &Sandbox| repo.git(&["log", "--format=%s %T", "-3"]);
        assert_eq!(subjects(&repo), subjects(&twin));
    }
}

#[test]
fn several_ranges_are_each_read_by_themselves_and_a_caret_excludes_from_all() {
    let repo = Sandbox::new();
    for number in 0..7 {
        repo.commit(&format!("{number}"), &[(&*format!("f{number}"), "1\n")]);
    }
    let subjects = |words: &[&str]| {
        let plan = done(rb(&repo, &[&["revert", "--dry-run", "--json"], words].concat())).json();
        let show = |id: &&str| repo.git(&["show", "-s", "--format=%s", id]);
        commits(&plan).iter().map(show).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(subjects(&["HEAD~5..HEAD~4", "HEAD~2..HEAD"]), "6 5 2");
    assert_eq!(subjects(&["HEAD~4", "HEAD~2..HEAD"]), "6 5 2");
    assert_eq!(subjects(&["^HEAD~2", "HEAD"]), "6 5");
    assert_eq!(subjects(&["HEAD^!", "HEAD~1^!"]), "6 5");
    assert_eq!(subjects(&["HEAD~2..HEAD", "HEAD~1..HEAD"]), "6 5");
}

#[test]
fn both_sides_of_three_dots_are_undone_where_neither_holds_a_merge() {
    let repo = apart();
    let base = tree(&repo, "main~1");
    repo.git(&["switch", "-q", "-c", "both", "main"]);
    repo.git(&["merge", "-q", "--no-ff", "--no-edit", "topic"]);
    let twin = repo.twin();
    twin.git(&["revert", "--no-edit", "main...topic"]);
    done(rb(&repo, &["revert", "main...topic"]));
    assert_eq!((tree(&repo, "HEAD"), tree(&twin, "HEAD")), (base.clone(), base));
}

#[test]
fn a_mainline_other_than_the_first_contradicts_a_range() {
    let repo = three_merges();
    let before = State::of(&repo);
    let refused = rb(&repo, &["revert", "-m", "2", "HEAD~3..HEAD"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    before.assert_unchanged(&repo);
    done(rb(&repo, &["revert", "-m", "1", "HEAD~3..HEAD"]));
    assert_eq!(tree(&repo, "HEAD"), tree(&repo, "HEAD~6"));
}

#[test]
fn a_range_restricted_to_a_path_takes_back_that_path_alone_on_a_branch_too() {
    let repo = three_merges();
    done(rb(&repo, &["revert", "HEAD~4..HEAD", "--branch", "rescue", "--", "m", "2"]));
    let changed = repo.git(&["diff", "--name-status", "main", "rescue"]);
    assert_eq!(changed, "D\t2\nM\tm");
    assert_eq!(repo.git(&["show", "rescue:m"]), repo.git(&["show", "HEAD~4:m"]));
}

#[test]
fn under_the_compatible_ways_a_range_is_the_set_that_git_makes_of_it() {
    let repo = three_merges();
    let run = rb_with(&repo, &["revert", "--dry-run", "--json", "HEAD~3..HEAD"], "", &[("RB_COMPAT", "git")]);
    let set = repo.git(&["rev-list", "HEAD~3..HEAD"]);
    let plan = run.json();
    let mut found = commits(&plan);
    let mut set: Vec<_> = set.lines().collect();
    found.sort_unstable();
    set.sort_unstable();
    assert_eq!(found, set);
}
