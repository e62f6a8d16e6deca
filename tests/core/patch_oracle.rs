//! Patches held against `git diff --binary` over pairs of trees of whole repositories, to the byte.
//!
//! Too long for every run. One command, with repositories of your own:
//! `RB_PATCH_REPOS=/a/git.git:/b/jj.git cargo test -p rollback-core --test core patch_oracle -- --ignored --nocapture`
//! `RB_PATCH_PAIRS` (default 300) says how many pairs a repository, `RB_PATCH_SEED` (default 1) which.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rollback_core::Repo;
use rollback_core::patch::DiffOptions;

#[test]
#[ignore = "long: compares trees of the repositories named in RB_PATCH_REPOS"]
fn patches_are_those_of_git_diff() {
    let repos = std::env::var("RB_PATCH_REPOS").expect("RB_PATCH_REPOS names repositories, separated by ':'");
    let (pairs, seed) = (number("RB_PATCH_PAIRS", 300), number("RB_PATCH_SEED", 1));
    println!("seed {seed}, {pairs} pairs a repository");
    let mut differences = Vec::new();
    for folder in repos.split(':') {
        let oracle = Oracle { folder: Path::new(folder) };
        let repo = Repo::discover(folder).expect("a repository");
        let commits = oracle.commits();
        let (mut dice, mut ours, mut theirs, mut bytes) = (seed, Duration::ZERO, Duration::ZERO, 0);
        let mut roll = |sides: usize| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) as usize % sides
        };
        for nth in 0..pairs {
            let at = roll(commits.len());
            // Most pairs are near each other, as a plan's trees are; some span years.
            let reach = [1, 1, 1, 20, 300, commits.len()][roll(6)];
            let (old, new) = (&commits[at], &commits[(at + 1 + roll(reach)).min(commits.len() - 1)]);
            let start = Instant::now();
            // A snapshot of a repository may lack objects.
            let Some(expected) = oracle.diff(old, new) else { continue };
            theirs += start.elapsed();
            let start = Instant::now();
            let found = patch(&repo, old, new);
            ours += start.elapsed();
            bytes += expected.len();
            if let Some(difference) = test_kit::patch::difference(&found, &expected) {
                differences.push(format!("{folder} {nth}: {old} {new}: {difference}"));
            }
        }
        println!("{folder}: {pairs} pairs, {bytes} bytes, git {theirs:?}, rb {ours:?}");
    }
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}

fn patch(repo: &Repo, old: &str, new: &str) -> Vec<u8> {
    let tree =
        |commit: &str| repo.tree_of_commit(repo.resolve_commit(commit).expect("a commit")).expect("a tree");
    let options = DiffOptions::from_config(repo).expect("a configuration");
    let diff = repo.diff(tree(old), tree(new), &options).expect("a difference");
    let mut text = Vec::new();
    diff.write_to(&mut text).expect("a patch");
    text
}

struct Oracle<'a> {
    folder: &'a Path,
}

impl Oracle<'_> {
    fn git(&self, args: &[&str]) -> Option<Vec<u8>> {
        let mut command = Command::new("git");
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("LC_ALL", "C");
        let done = command.arg("-C").arg(self.folder).args(args).output().expect("git runs");
        done.status.success().then_some(done.stdout)
    }

    fn commits(&self) -> Vec<String> {
        let text = self.git(&["rev-list", "--first-parent", "HEAD"]).expect("a history");
        String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
    }

    fn diff(&self, old: &str, new: &str) -> Option<Vec<u8>> {
        self.git(&["diff", "--binary", "--no-textconv", "--no-ext-diff", "--no-color", old, new])
    }
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(usual)
}
