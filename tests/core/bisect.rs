//! Bisections of histories with merges, beside `git bisect run`: the culprit is the one that was planted, with no more
//! runs of the check.
//!
//! `RB_BISECTS` (default 10) says how many histories, `RB_RANDOM_SEED` (default 1) where to begin.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use rollback_core::bisect::{
    BisectOptions, BisectVerdict, BisectWatch, Bisection, JudgedCommit, Outlook, Ruling,
};
use rollback_core::error::BisectError;
use rollback_core::{Cancel, CommitId, Error, Repo};
use test_kit::Sandbox;
use test_kit::planted::Planted;
use test_kit::suite::Seeded;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

fn histories() -> impl Iterator<Item = (u64, Planted)> {
    let first = number("RB_RANDOM_SEED", 1);
    let sizes = [12, 40, 90, 160];
    let planted = move |seed| (seed, Planted::new(seed, sizes[usize::try_from(seed).unwrap_or(0) % 4]));
    (first..first + number("RB_BISECTS", 10)).map(planted)
}

fn options(good: Option<&str>, threads: usize) -> BisectOptions {
    let mut options = BisectOptions::default();
    options.good = good.map(ToOwned::to_owned);
    options.bad = Some("main".to_owned());
    options.threads = threads;
    options
}

fn said(bad: bool) -> Ruling {
    if bad { Ruling::Bad("it is there".to_owned()) } else { Ruling::Good }
}

fn bisect(planted: &Planted, options: &BisectOptions) -> Bisection {
    let repo = Repo::discover(planted.sandbox.path()).expect("a repository");
    let bad = &planted.bad;
    let judge = |commit: CommitId| Ok(said(bad.contains(&commit.to_string())));
    repo.bisect(options, &judge, &mut ()).expect("the ends are as they are named")
}

fn culprit(found: &Bisection) -> String {
    found.culprit.as_ref().map(|culprit| culprit.commit_id.to_string()).unwrap_or_default()
}

#[test]
fn planted_regressions_are_found_with_no_more_runs_than_git_needs() {
    let (mut ours, mut ours_of_two, mut ahead, mut ends, mut theirs) = (0, 0, 0, 0, 0);
    let (mut count, mut more) = (0, Vec::new());
    for (seed, planted) in histories() {
        let (git_found, git_runs) = planted.git_bisect();
        assert_eq!(git_found, planted.culprit_id(), "git itself: seed {seed}");
        let good = Some(planted.ids[0].as_str());
        let alone = bisect(&planted, &options(good, 1));
        assert_eq!(culprit(&alone), git_found, "seed {seed}");
        let of_two = bisect(&planted, &options(good, 2));
        assert_eq!(culprit(&of_two), git_found, "on two threads: seed {seed}");
        let searched = bisect(&planted, &options(None, 2));
        assert_eq!(culprit(&searched), git_found, "without a good commit: seed {seed}");
        assert_eq!(
            alone.runs.search, of_two.runs.search,
            "what is judged ahead changes no step: seed {seed}"
        );
        assert_eq!(alone.runs.ahead, 0);
        let is_merge = planted.parents[planted.culprit].len() > 1;
        assert_eq!(alone.culprit.as_ref().and_then(|culprit| culprit.mainline), is_merge.then_some(1));
        ours += alone.runs.search;
        ours_of_two += of_two.runs.search;
        ahead += of_two.runs.ahead;
        ends += alone.runs.ends;
        theirs += git_runs;
        count += 1;
        if alone.runs.search > git_runs {
            more.push((seed, alone.runs.search, git_runs));
        }
    }
    println!(
        "{count} histories: git ran the check {theirs} times, rb {ours} times in the search (on two threads {ours_of_two}, \
         and {ahead} ahead) and {ends} times on the ends; more than git in {more:?}"
    );
    assert!(ours <= theirs, "{ours} runs, and git {theirs}");
}

/// Fails a tenth of the runs that should pass, the same ones whichever thread runs them.
struct Flaky<'a> {
    bad: &'a HashSet<String>,
    seed: u64,
    runs: Mutex<HashMap<CommitId, u64>>,
}

impl Flaky<'_> {
    fn ruling(&self, commit: CommitId) -> Ruling {
        let mut runs = self.runs.lock().expect("no thread fails");
        let run = runs.entry(commit).or_insert(0);
        *run += 1;
        let id = commit.to_string();
        let number = u64::from_str_radix(&id[..8], 16).expect("digits");
        let fails = Seeded::new(self.seed ^ (number << 16) ^ *run).below(10) == 0;
        said(self.bad.contains(&id) || fails)
    }
}

#[test]
fn a_check_that_fails_at_random_still_leads_to_the_culprit_and_is_named() {
    let (mut count, mut found, mut named, mut runs) = (0, 0, 0, 0);
    for (seed, planted) in histories() {
        let repo = Repo::discover(planted.sandbox.path()).expect("a repository");
        let flaky = Flaky { bad: &planted.bad, seed, runs: Mutex::default() };
        let mut options = options(Some(&planted.ids[0]), 2);
        options.confirm = 3;
        count += 1;
        // A good end that fails too often is refused, which counts as not found.
        if let Ok(bisection) = repo.bisect(&options, &|commit| Ok(flaky.ruling(commit)), &mut ()) {
            found += usize::from(culprit(&bisection) == planted.culprit_id());
            named += usize::from(bisection.flaky().next().is_some());
            runs += bisection.runs.total();
            for judged in bisection.flaky() {
                assert!(judged.passed > 0 && judged.failed > 0, "{judged:?}");
            }
        }
    }
    println!("{found} of {count} found, the check named as flaky in {named}, {runs} runs");
    assert!(found * 100 >= count * 95, "{found} of {count}");
    assert!(named > 0, "no run failed at random, which shows nothing");
}

#[test]
fn commits_that_cannot_be_judged_are_gone_around_and_told_where_they_leave_several() {
    let mut several = 0;
    for (seed, planted) in histories() {
        let mut random = Seeded::new(seed);
        // Commits with the same files are skipped alike.
        let listed = planted.sandbox.git(&["log", "--format=%H %T", "main"]);
        let trees: HashMap<_, _> = listed.lines().filter_map(|line| line.split_once(' ')).collect();
        let ends = [&planted.ids[0], &planted.ids[planted.ids.len() - 1]].map(|id| trees[id.as_str()]);
        let mut all: Vec<_> = trees.values().collect::<HashSet<_>>().into_iter().collect();
        all.sort_unstable();
        all.retain(|tree| !ends.contains(*tree) && random.below(4) == 0);
        let skipped: HashSet<String> =
            planted.ids.iter().filter(|id| all.contains(&&trees[id.as_str()])).cloned().collect();
        let repo = Repo::discover(planted.sandbox.path()).expect("a repository");
        let bad = &planted.bad;
        let judge = |commit: CommitId| {
            let id = commit.to_string();
            Ok(match skipped.contains(&id) {
                true => Ruling::Skip("it does not build".to_owned()),
                false => said(bad.contains(&id)),
            })
        };
        let found =
            repo.bisect(&options(Some(&planted.ids[0]), 2), &judge, &mut ()).expect("ends are judged");
        match &found.culprit {
            Some(_) => assert_eq!(culprit(&found), planted.culprit_id(), "seed {seed}"),
            None => {
                several += 1;
                let ids: Vec<_> = found.suspects.iter().map(ToString::to_string).collect();
                assert!(ids.iter().any(|id| id == planted.culprit_id()), "seed {seed}: {ids:?}");
                assert!(planted.bad.contains(&ids[0]) && !skipped.contains(&ids[0]), "seed {seed}");
                assert!(ids[1..].iter().all(|id| skipped.contains(id)), "seed {seed}: {ids:?}");
            }
        }
    }
    println!("{several} ended at several commits");
}

fn three() -> Sandbox {
    let repo = Sandbox::new();
    for number in 1..=3 {
        repo.commit(&format!("c{number}"), &[("f", format!("{number}\n"))]);
    }
    repo
}

/// A search in which these commits, named from HEAD, are bad.
fn search(repo: &Sandbox, good: Option<&str>, bad: &[&str]) -> Result<Bisection, Error> {
    let bad: HashSet<_> = bad.iter().map(|name| repo.git(&["rev-parse", name])).collect();
    let opened = Repo::discover(repo.path()).expect("a repository");
    let mut options = BisectOptions::default();
    options.good = good.map(ToOwned::to_owned);
    opened.bisect(&options, &|commit: CommitId| Ok(said(bad.contains(&commit.to_string()))), &mut ())
}

#[test]
fn ends_that_are_not_what_they_were_named_as_are_refused() {
    let repo = three();
    let code = |good, bad: &[&str]| search(&repo, good, bad).expect_err("refused").code();
    assert_eq!(code(Some("HEAD~2"), &[]), "bad-is-good");
    assert_eq!(code(Some("HEAD~2"), &["HEAD", "HEAD~2"]), "good-is-bad");
    assert_eq!(code(Some("HEAD"), &["HEAD"]), "nothing-between");
    assert_eq!(code(None, &["HEAD", "HEAD~1", "HEAD~2"]), "no-good-commit");
    repo.git(&["switch", "-q", "-c", "mended", "HEAD~1"]);
    repo.commit("mend", &[("g", "1\n")]);
    repo.git(&["switch", "-q", "main"]);
    let error = search(&repo, Some("mended"), &["HEAD", "HEAD~1"]).expect_err("refused");
    let base = repo.git(&["rev-parse", "HEAD~1"]);
    match error {
        Error::Bisect(BisectError::MendedSince { base: found, .. }) => assert_eq!(found.to_string(), base),
        other => panic!("{other}"),
    }
    // A good commit beside the line, whose past meets it at a good one.
    let found = search(&repo, Some("mended"), &["HEAD"]).expect("found");
    assert_eq!(culprit(&found), repo.git(&["rev-parse", "HEAD"]));
}

#[test]
fn the_same_files_are_judged_once_and_a_merge_that_changes_nothing_is_no_culprit() {
    let repo = three();
    repo.git(&["switch", "-q", "-c", "topic"]);
    repo.commit("breaks", &[("bad", "1\n")]);
    repo.git(&["switch", "-q", "main"]);
    repo.git(&["merge", "-q", "--no-ff", "--no-edit", "topic"]);
    let found = search(&repo, Some("HEAD~1"), &["HEAD", "topic"]).expect("found");
    assert_eq!(culprit(&found), repo.git(&["rev-parse", "topic"]));
    let merge = found.culprit.as_ref().and_then(|culprit| culprit.introduced_by).map(|id| id.to_string());
    assert_eq!(merge, Some(repo.git(&["rev-parse", "HEAD"])));
    assert_eq!((found.runs.ends, found.runs.search), (2, 0));
}

/// Sees what was told, in order.
#[derive(Default)]
struct Told(Vec<String>);

impl BisectWatch for Told {
    fn begins(&mut self, _: CommitId, _: CommitId, range: &Outlook) {
        self.0.push(format!("{} in {} steps", range.commits, range.steps));
    }
    fn judges(&mut self, commits: &[CommitId]) {
        self.0.push(format!("{} at once", commits.len()));
    }
    fn judged(&mut self, judged: &JudgedCommit, left: Option<&Outlook>) {
        let word = if judged.verdict == BisectVerdict::Good { "good" } else { "bad" };
        self.0.push(format!("{word} {}", left.map_or(0, |left| left.commits)));
    }
}

#[test]
fn what_there_is_to_do_is_told_before_it_begins_and_cancelling_ends_it() {
    let repo = Sandbox::new();
    for number in 0..=8 {
        repo.commit(&format!("c{number}"), &[("f", format!("{number}\n"))]);
    }
    let bad: HashSet<_> = (0..3).map(|back| repo.git(&["rev-parse", &format!("HEAD~{back}")])).collect();
    let opened = Repo::discover(repo.path()).expect("a repository");
    let mut told = Told::default();
    let mut options = BisectOptions::default();
    (options.good, options.threads) = (Some("HEAD~8".to_owned()), 1);
    let judge = |commit: CommitId| Ok(said(bad.contains(&commit.to_string())));
    let found = opened.bisect(&options, &judge, &mut told).expect("found");
    assert_eq!(culprit(&found), repo.git(&["rev-parse", "HEAD~2"]));
    let expected = [
        "2 at once",
        "bad 0",
        "good 0",
        "8 in 3 steps",
        "1 at once",
        "good 4",
        "1 at once",
        "bad 2",
        "1 at once",
        "good 1",
    ];
    assert_eq!(told.0, expected);

    let token = Cancel::new();
    let opened = opened.cancelled_by(token.clone());
    let cancelling = |commit: CommitId| {
        token.cancel();
        Ok(said(bad.contains(&commit.to_string())))
    };
    let ended = opened.bisect(&options, &cancelling, &mut ());
    assert!(matches!(ended, Err(Error::Cancelled)), "{ended:?}");
}
