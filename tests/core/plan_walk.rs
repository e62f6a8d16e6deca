//! What a plan asks of history is answered by walks whose length does not depend on how many targets there are.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rollback_core::plan::PlanOptions;
use rollback_core::strategy::{LossClass, Strategy};
use rollback_core::target::CommitsTarget;
use rollback_core::{Repo, Stage, Target};
use test_kit::Sandbox;

const TARGETS: usize = 1_000;
const LATER: usize = 200;
const FILES: usize = 40;

/// A line of commits that each change one of a few files, with a commit-graph.
fn line() -> Sandbox {
    let repo = Sandbox::bare();
    let mut stream = String::from("feature done\n");
    for number in 0..=TARGETS + LATER {
        let seconds = 1_700_000_000 + 60 * number;
        let (file, text) = (number % FILES, format!("{number}\n"));
        write!(
            stream,
            "commit refs/heads/main\ncommitter A <a@example.com> {seconds} +0000\ndata 2\nc\n\
             M 100644 inline f{file}\ndata {}\n{text}\n",
            text.len()
        )
        .expect("memory");
    }
    stream.push_str("done\n");
    repo.git_with_input(&["fast-import", "--quiet"], stream.as_bytes());
    repo.git(&["symbolic-ref", "HEAD", "refs/heads/main"]);
    repo.git(&["commit-graph", "write", "--reachable", "--changed-paths"]);
    repo
}

/// The commits that planning the return of `targets` commits reads, and the later commits that it would discard.
fn walked(sandbox: &Sandbox, targets: usize) -> (u64, Vec<String>) {
    let commits = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&commits);
    let repo = Repo::discover(sandbox.path()).expect("a repository");
    let repo = repo.with_progress(Arc::new(move |stage: Stage, _done: u64, _total: Option<u64>| {
        if stage == Stage::History {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }));
    let range = format!("HEAD~{}..HEAD~{LATER}", LATER + targets);
    let mut options = PlanOptions::default();
    options.via = Some(Strategy::RestoreFile);
    let plan = repo.plan(&Target::Commits(CommitsTarget::new([range])), &options).expect("a plan");
    let [attempt] = plan.attempts.as_slice() else { panic!("one way was asked for") };
    assert_eq!(attempt.loss.class, LossClass::Snapshot);
    assert_eq!(plan.target.commits.len(), targets);
    let mut discards: Vec<_> = attempt.loss.discards.iter().map(ToString::to_string).collect();
    discards.sort();
    (commits.load(Ordering::Relaxed), discards)
}

#[test]
fn a_plan_walks_the_commits_between_and_not_once_for_each_target() {
    let sandbox = line();
    for targets in [10, 100, TARGETS] {
        let (commits, discards) = walked(&sandbox, targets);
        let paths: Vec<_> =
            (0..FILES.min(targets)).map(|nth| format!("f{}", (TARGETS - nth) % FILES)).collect();
        let later = format!("HEAD~{LATER}..HEAD");
        let mut args = vec!["rev-list", &later, "--"];
        args.extend(paths.iter().map(String::as_str));
        let mut expected: Vec<_> = sandbox.git(&args).lines().map(ToOwned::to_owned).collect();
        expected.sort();
        assert_eq!(discards, expected, "{targets} targets");
        println!("{targets} targets: {commits} commits walked");
        let between = (LATER + targets) as u64;
        assert!(commits <= 6 * between + 100, "{targets} targets, {between} commits since: {commits} walked");
    }
}
