//! Long work stops soon after its token is cancelled, and a landing that has begun to count comes to its end.

use std::time::{Duration, Instant};

use rollback_core::history::HistoryOptions;
use rollback_core::{ApplyOptions, Cancel, Error, PlanOptions, Repo, RepoPath, Target};
use test_kit::Sandbox;

/// A history of so many commits to `f`, of which only the first made what `g` is.
fn long_history(commits: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    let mut stream = String::from("feature done\n");
    for at in 0..commits {
        let text = format!("{at}\n");
        let change = format!("M 100644 inline f\ndata {}\n{text}", text.len());
        let first = if at == 0 { "M 100644 inline g\ndata 2\ng\n" } else { "" };
        stream.push_str(&format!(
            "commit refs/heads/main\ncommitter A <a@example.com> {} +0000\ndata 2\nc\n{change}{first}\n",
            1_700_000_000 + at
        ));
    }
    stream.push_str("done\n");
    sandbox.git_with_input(&["fast-import", "--quiet", "--force"], stream.as_bytes());
    sandbox.git(&["reset", "-q", "--hard"]);
    sandbox
}

fn is_cancelled<T: std::fmt::Debug>(ended: Result<T, Error>) {
    assert!(matches!(ended, Err(Error::Cancelled)), "{ended:?}");
}

fn to_g() -> Target {
    Target::paths(["g"])
}

#[test]
fn what_is_cancelled_before_it_begins_does_not_begin() {
    let sandbox = long_history(3);
    let repo = Repo::discover(sandbox.path()).expect("a repository");
    let target = Target::commits(["HEAD"]);
    let plan = repo.plan(&target, &PlanOptions::default()).expect("a plan");
    let before = (sandbox.git(&["rev-parse", "HEAD"]), sandbox.git(&["status", "--porcelain"]));
    let cancel = Cancel::new();
    let repo = repo.cancelled_by(cancel.clone());
    cancel.cancel();
    is_cancelled(repo.plan(&target, &PlanOptions::default()));
    is_cancelled(repo.history(&RepoPath::from("g"), &HistoryOptions::default()));
    is_cancelled(repo.apply(plan, &ApplyOptions::default()));
    assert_eq!((sandbox.git(&["rev-parse", "HEAD"]), sandbox.git(&["status", "--porcelain"])), before);
}

#[test]
fn a_plan_and_a_history_stop_in_the_middle() {
    let sandbox = long_history(30_000);
    for work in [
        (|repo: &Repo| repo.plan(&to_g(), &PlanOptions::default()).map(drop)) as fn(&Repo) -> _,
        |repo: &Repo| repo.history(&RepoPath::from("g"), &HistoryOptions::default()).map(drop),
    ] {
        let cancel = Cancel::new();
        let repo = Repo::discover(sandbox.path()).expect("a repository").cancelled_by(cancel.clone());
        let (ended, stopped) = std::thread::scope(|scope| {
            let worker = scope.spawn(|| (work(&repo), Instant::now()));
            std::thread::sleep(Duration::from_millis(30));
            let stopped = Instant::now();
            cancel.cancel();
            let (ended, at) = worker.join().expect("it does not panic");
            (ended, at.saturating_duration_since(stopped))
        });
        // The bound for this machine is in BENCHMARKS.md; a busy one must not fail the test.
        is_cancelled(ended);
        assert!(stopped < Duration::from_secs(5), "{stopped:?}");
    }
}
