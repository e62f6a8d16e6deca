//! Scoped reverts of `rb revert C --file P` against `git merge-tree` fed with the restricted tree.
//!
//! ```text
//! cargo run --release -p rollback-test-kit --bin scoped-reverts -- --rb target/release/rb \
//!     --repo A --repo B [--count 200] [--renames 100] [--last 2000] [--seed 1]
//! ```
//!
//! For a commit C that touches several files and one path P of it, the expected tree is the merge of ours = HEAD and
//! theirs' = C's tree with only the scoped paths taken from C's parent, on the base C. The scope is P, and Q with it
//! where C renamed Q to P. Half of the cases have a rename, by C or since. Cases are sampled until git merged `count` of
//! them cleanly; as many conflicts are tried besides. rb must come to the same tree wherever it comes to one, and to none
//! where git comes to none; every path outside of the scope (or of where the scope was renamed to since) must keep id and
//! mode; a dry run must change nothing. Ends with 1 where anything differs or the sample ran out.
#![expect(clippy::print_stdout, reason = "the report is what the suite is for")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;
use test_kit::Sandbox;
use test_kit::suite::{Arguments, Sample, Seeded, Subject, Tally, difference, document, last_commits};

fn main() -> ExitCode {
    test_kit::suite::main(run)
}

fn run() -> Result<ExitCode, String> {
    let arguments = Arguments::read(200)?;
    println!("seed {}", arguments.seed);
    let renames = arguments.number("--renames", arguments.count / 2);
    let mut left = Quota { plain: arguments.count - renames, renamed: renames };
    let mut total = Tally::default();
    for (at, source) in arguments.repos.iter().enumerate() {
        let repos_left = arguments.repos.len() - at;
        // Every repository has its share; the last ones make up for what the others could not give.
        let share =
            Quota { plain: left.plain.div_ceil(repos_left), renamed: left.renamed.div_ceil(repos_left) };
        let suite = Suite { rb: &arguments.rb, subject: Subject::clone_of(source)? };
        let seed = arguments.seed.wrapping_add(at as u64);
        let (tally, done) = suite.run(share, seed, arguments.number("--last", 2000));
        left.plain -= done.plain;
        left.renamed -= done.renamed;
        println!("{}", tally.report(&source.display().to_string()));
        total.add(&tally);
    }
    println!("{}", total.report("all repositories"));
    if left.plain + left.renamed > 0 {
        println!("the sample ran out: {} plain and {} renamed cases are missing", left.plain, left.renamed);
    }
    Ok(if total.differences().is_empty() && left.plain + left.renamed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// How many cases of each kind.
#[derive(Clone, Copy, Default)]
struct Quota {
    plain: usize,
    renamed: usize,
}

/// A case: the commit, the path to name, and what belongs to its scope.
struct Case {
    commit: String,
    parent: String,
    path: String,
    scope: Vec<String>,
    /// Where the paths of the scope are at the tip, if they were renamed since.
    since: Vec<String>,
    renamed: bool,
}

struct Suite<'a> {
    rb: &'a Path,
    subject: Subject,
}

impl Suite<'_> {
    fn run(&self, quota: Quota, seed: u64, last: usize) -> (Tally, Quota) {
        let mut tally = Tally::default();
        let (mut done, mut conflicts) = (Quota::default(), Quota::default());
        let mut random = Seeded::new(seed);
        let mut samples = last_commits(self.repo(), last);
        samples.retain(|sample| !sample.is_merge());
        random.shuffle(&mut samples);
        for sample in &samples {
            if done.plain >= quota.plain && done.renamed >= quota.renamed {
                break;
            }
            let wants = [(false, done.plain < quota.plain), (true, done.renamed < quota.renamed)];
            let mut cases = self.cases(sample, wants.contains(&(true, true)));
            cases.retain(|case| wants.contains(&(case.renamed, true)));
            // Renames are rarer, so a commit that has one gives it.
            if cases.iter().any(|case| case.renamed) {
                cases.retain(|case| case.renamed);
            }
            if cases.is_empty() {
                continue;
            }
            let case = &cases[random.below(cases.len())];
            let Some(expected) = self.expected(case) else { continue };
            // A conflict says less than a tree: they are tried besides, as many as there are trees.
            let counted = if matches!(expected, Expected::Clean(_)) { &mut done } else { &mut conflicts };
            let counted = if case.renamed { &mut counted.renamed } else { &mut counted.plain };
            let wanted = if case.renamed { quota.renamed } else { quota.plain };
            if *counted < wanted {
                *counted += 1;
                self.judge(case, &expected, &mut tally);
            }
        }
        (tally, done)
    }

    fn repo(&self) -> &Sandbox {
        self.subject.repo()
    }

    /// The cases that a commit offers: none unless it touches several files.
    fn cases(&self, sample: &Sample, with_renames: bool) -> Vec<Case> {
        let changes = self.changes(&sample.parents[0], &sample.id);
        if changes.len() < 2 {
            return Vec::new();
        }
        // Finding what was renamed since costs a rename detection over the whole distance.
        let since = if with_renames { self.renames(&sample.id, self.subject.tip()) } else { Vec::new() };
        changes
            .into_iter()
            .filter(|change| change.is_plain_text_path())
            .map(|change| {
                let mut scope = vec![change.path.clone()];
                scope.extend(change.renamed_from.clone());
                let moved: Vec<String> =
                    since.iter().filter(|(from, _)| scope.contains(from)).map(|(_, to)| to.clone()).collect();
                Case {
                    commit: sample.id.clone(),
                    parent: sample.parents[0].clone(),
                    path: change.path,
                    renamed: change.renamed_from.is_some() || !moved.is_empty(),
                    scope,
                    since: moved,
                }
            })
            .collect()
    }

    fn changes(&self, from: &str, to: &str) -> Vec<Change> {
        let out = self.repo().git_bytes(&["diff-tree", "-r", "-z", "-M", "--name-status", from, to]);
        let mut words = out.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
        let mut changes = Vec::new();
        while let (Some(kind), Some(path)) = (words.next().filter(|kind| !kind.is_empty()), words.next()) {
            if kind.starts_with('R') {
                changes.push(Change { path: words.next().unwrap_or_default(), renamed_from: Some(path) });
            } else {
                changes.push(Change { path, renamed_from: None });
            }
        }
        changes
    }

    fn renames(&self, from: &str, to: &str) -> Vec<(String, String)> {
        self.changes(from, to)
            .into_iter()
            .filter_map(|change| Some((change.renamed_from?, change.path)))
            .collect()
    }

    /// What git makes of it; `None` where the restricted tree cannot be built.
    fn expected(&self, case: &Case) -> Option<Expected> {
        let theirs = self.restricted_tree(case)?;
        let base = format!("--merge-base={}^{{tree}}", case.commit);
        let args = ["merge-tree", "--write-tree", "--no-messages", "-z", &base, "HEAD^{tree}", &theirs];
        let out = self.repo().try_git(&args);
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let mut rows = text.split_terminator('\0');
        let tree = rows.next()?.to_owned();
        match out.status.code() {
            Some(0) => Some(Expected::Clean(tree)),
            Some(1) => Some(Expected::Conflict(rows.map(ToOwned::to_owned).collect())),
            _ => None,
        }
    }

    /// C's tree with the scoped paths taken from its parent.
    fn restricted_tree(&self, case: &Case) -> Option<String> {
        let index = self.repo().path().join(".git/suite-index");
        let git = |args: &[&str]| {
            let out = self.repo().command("git").env("GIT_INDEX_FILE", &index).args(args).output().ok()?;
            out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned())
        };
        git(&["read-tree", &case.commit])?;
        for path in &case.scope {
            git(&["update-index", "--force-remove", "--", path])?;
        }
        for path in &case.scope {
            let row = git(&["ls-tree", &case.parent, "--", path])?;
            let Some((entry, _)) = row.split_once('\t') else { continue };
            let mut words = entry.split(' ');
            let (mode, _, id) = (words.next()?, words.next()?, words.next()?);
            git(&["update-index", "--add", "--cacheinfo", &format!("{mode},{id},{path}")])?;
        }
        let tree = git(&["write-tree"]);
        std::fs::remove_file(&index).ok()?;
        tree
    }

    fn judge(&self, case: &Case, expected: &Expected, tally: &mut Tally) {
        let kind = if case.renamed { "renamed" } else { "plain" };
        let name = format!("{} {}", case.commit, case.path);
        let before = self.subject.trace();
        let out = self
            .repo()
            .command(self.rb)
            .args(["revert", &case.commit, "--file", &case.path, "--dry-run", "--json"])
            .output()
            .expect("rb starts");
        if let Some(changed) = difference(&before, &self.subject.trace()) {
            tally.difference(format!("{name}: the dry run changed {changed}"));
        }
        let plan = document(&out);
        let Some(attempt) = scoped_attempt(&plan) else {
            let code = plan.pointer("/error/code").and_then(Value::as_str).unwrap_or("none");
            tally.count(format!("{kind}: no scoped attempt (exit {:?}, error {code})", out.status.code()));
            if out.status.code().is_none_or(|code| code == 70) {
                tally.difference(format!("{name}: rb broke down: {}", String::from_utf8_lossy(&out.stderr)));
            }
            return;
        };
        let result = attempt.get("result").and_then(Value::as_str).unwrap_or("nothing");
        let tree = attempt.get("tree_id").and_then(Value::as_str);
        let tip_tree = self.repo().git(&["rev-parse", "HEAD^{tree}"]);
        match (result, expected) {
            ("clean", Expected::Clean(theirs)) if tree == Some(theirs) => {
                tally.count(format!("{kind}: the same tree"));
                self.check_outside(case, theirs, &name, tally);
            }
            ("clean", Expected::Clean(theirs)) => {
                tally.difference(format!("{name}: rb {}, git {theirs}", tree.unwrap_or("without a tree")));
            }
            // git guesses from both ends what was renamed; history knows it step by step.
            ("clean", Expected::Conflict(_)) if follows_a_name(attempt) => {
                tally.count(format!("{kind}: a name followed through history, a conflict for git"));
            }
            ("clean", Expected::Conflict(_)) => {
                tally.difference(format!("{name}: clean for rb, a conflict for git"))
            }
            ("conflicted", Expected::Conflict(theirs)) if stages(attempt) == *theirs => {
                tally.count(format!("{kind}: a conflict for both, the same stages"));
            }
            ("conflicted", Expected::Conflict(theirs)) => {
                tally.count(format!("{kind}: a conflict for both, other stages"));
                println!("{name}: stages\n  rb  {:?}\n  git {theirs:?}", stages(attempt));
            }
            ("empty" | "already-rolled-back", Expected::Clean(theirs)) if *theirs == tip_tree => {
                tally.count(format!("{kind}: nothing to do for both"));
            }
            ("empty" | "already-rolled-back", _) => {
                tally.difference(format!("{name}: nothing to do for rb, not so for git"));
            }
            ("conflicted", Expected::Clean(_)) => tally.count(format!("{kind}: a conflict for rb alone")),
            _ => tally.count(format!("{kind}: {result} for rb, {} for git", expected.word())),
        }
    }

    /// Whether git pairs the path with a scoped one that was renamed since; plain cases were not asked about before.
    fn is_new_name(&self, case: &Case, path: &str) -> bool {
        let renames = self.renames(&case.commit, self.subject.tip());
        renames.iter().any(|(from, to)| case.scope.contains(from) && to == path)
    }

    /// Whether the result keeps id and mode of every path that is not in the scope.
    fn check_outside(&self, case: &Case, tree: &str, name: &str, tally: &mut Tally) {
        let out =
            self.repo().git_bytes(&["diff-tree", "-r", "-z", "--no-renames", "--name-only", "HEAD", tree]);
        let touched: BTreeSet<String> = out
            .split(|byte| *byte == 0)
            .filter(|path| !path.is_empty())
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect();
        for path in touched {
            let known = case.scope.contains(&path) || case.since.contains(&path);
            if !known && !self.is_new_name(case, &path) {
                tally.difference(format!("{name}: touches {path}, which is not in its scope"));
            }
        }
    }
}

/// What git makes of a case.
enum Expected {
    Clean(String),
    /// The rows of the index that hold the conflict: mode, id, stage, tab, path; sorted.
    Conflict(BTreeSet<String>),
}

impl Expected {
    fn word(&self) -> &'static str {
        match self {
            Self::Clean(_) => "clean",
            Self::Conflict(_) => "a conflict",
        }
    }
}

struct Change {
    path: String,
    renamed_from: Option<String>,
}

impl Change {
    /// Whether its names can be handed on as they are.
    fn is_plain_text_path(&self) -> bool {
        let plain = |path: &String| !path.contains(['\u{fffd}', '\t', '\n', '"', '\\']);
        plain(&self.path) && self.renamed_from.as_ref().is_none_or(plain)
    }
}

/// The stages of an attempt's conflicts, spelled as git lists them.
fn stages(attempt: &Value) -> BTreeSet<String> {
    let mut rows = BTreeSet::new();
    for conflict in attempt.get("conflicts").and_then(Value::as_array).into_iter().flatten() {
        let path = conflict.get("path").and_then(Value::as_str).unwrap_or("?");
        for (number, name) in [(1, "base"), (2, "ours"), (3, "theirs")] {
            let field =
                |field: &str| conflict.pointer(&format!("/stages/{name}/{field}")).and_then(Value::as_str);
            if let (Some(mode), Some(id)) = (field("mode"), field("id")) {
                rows.insert(format!("{mode} {id} {number}\t{path}"));
            }
        }
    }
    rows
}

/// Whether a path was put under another name because history tells so.
fn follows_a_name(attempt: &Value) -> bool {
    let steps = attempt.get("steps").and_then(Value::as_array);
    steps.into_iter().flatten().any(|step| step.get("renamed").is_some())
}

/// The attempt to revert the commit in its scope.
fn scoped_attempt(plan: &Value) -> Option<&Value> {
    plan.get("attempts")?.as_array()?.iter().find(|attempt| {
        let text = |name: &str| attempt.get(name).and_then(Value::as_str);
        text("strategy") == Some("revert-commit")
            && attempt.get("scope").is_some_and(|scope| !scope.is_null() && scope != "whole")
    })
}
