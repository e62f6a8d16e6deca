//! Path history held against `git log` over whole repositories: the same commits in the same order, for files and
//! folders, deleted ones and those that merges changed.
//!
//! Too long for every run. One command, with repositories of your own:
//! `RB_HISTORY_REPOS=/a/git.git:/b/jj.git cargo test --release -p rollback-core --test core history_oracle -- --ignored --nocapture`
//! `RB_HISTORY_PATHS` (default 60) says how many paths a repository, `RB_HISTORY_SEED` (default 1) which.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rollback_core::error::PathError;
use rollback_core::history::{ChangeKind, HistoryOptions, PathHistory};
use rollback_core::{Error, Repo, RepoPath};

#[test]
#[ignore = "long: walks the repositories named in RB_HISTORY_REPOS"]
fn path_history_is_that_of_git_log() {
    let repos =
        std::env::var("RB_HISTORY_REPOS").expect("RB_HISTORY_REPOS names repositories, separated by ':'");
    let paths = number("RB_HISTORY_PATHS", 60);
    let seed = number("RB_HISTORY_SEED", 1);
    println!("seed {seed}, {paths} paths a repository");
    let mut differences = Vec::new();
    for folder in repos.split(':') {
        let oracle = Oracle { folder: Path::new(folder) };
        let repo = Repo::discover(folder).expect("a repository");
        let mut tally = Tally::default();
        for path in oracle.sample(paths, seed) {
            compare(&oracle, &repo, &path, &mut tally);
        }
        println!("{folder}: {tally}");
        differences.extend(tally.differences.into_iter().map(|difference| format!("{folder}: {difference}")));
    }
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}

fn compare(oracle: &Oracle<'_>, repo: &Repo, path: &RepoPath, tally: &mut Tally) {
    tally.paths += 1;
    let start = Instant::now();
    let expected = oracle.log("HEAD", path);
    tally.git += start.elapsed();
    let start = Instant::now();
    let mut options = HistoryOptions::default();
    options.follow_renames = false;
    options.search_elsewhere = false;
    let found = ids(repo.history(path, &options));
    tally.rb += start.elapsed();
    tally.commits += expected.len();
    if found != expected {
        let at = found.iter().zip(&expected).position(|(one, other)| one != other);
        tally.differences.push(format!(
            "{path}: {} commits, git has {}, first difference at {at:?}",
            found.len(),
            expected.len()
        ));
        return;
    }
    options.follow_renames = true;
    if let Ok(history) = repo.history(path, &options) {
        compare_segments(oracle, path, &history, tally);
    }
}

/// Before and after a rename, the history is that of each name. Only where the whole history before it has the old
/// name can the two be told apart in one list.
fn compare_segments(oracle: &Oracle<'_>, path: &RepoPath, history: &PathHistory, tally: &mut Tally) {
    let Some(at) = history.changes.iter().position(|change| change.from.is_some()) else { return };
    tally.renamed += 1;
    let rename = &history.changes[at];
    assert_eq!(rename.kind, ChangeKind::Renamed);
    let old = rename.from.as_ref().expect("it was looked for");
    let (newer, older) = history.changes.split_at(at + 1);
    let one_name = newer.iter().all(|change| change.path == *path);
    let newer: Vec<_> = newer.iter().map(|change| change.commit_id.to_string()).collect();
    if one_name && !oracle.log("HEAD", path).starts_with(&newer) {
        tally.differences.push(format!("{path}: newer than its rename from {old} in {}", rename.commit_id));
    }
    let next = older.iter().position(|change| change.from.is_some()).map_or(older.len(), |next| next + 1);
    let older: Vec<_> = older[..next].iter().collect();
    if older.iter().any(|change| change.path != *old) {
        return;
    }
    tally.segments += 1;
    let older: Vec<_> = older.iter().map(|change| change.commit_id.to_string()).collect();
    let expected = oracle.log(&format!("{}^", rename.commit_id), old);
    if !expected.starts_with(&older) {
        tally.differences.push(format!("{path}: {old}, older than its rename in {}", rename.commit_id));
    }
}

fn ids(history: rollback_core::Result<PathHistory>) -> Vec<String> {
    match history {
        Ok(history) => history.changes.iter().map(|change| change.commit_id.to_string()).collect(),
        Err(Error::Path(PathError::NeverExisted { .. })) => Vec::new(),
        Err(error) => panic!("{error}"),
    }
}

#[derive(Default)]
struct Tally {
    paths: usize,
    commits: usize,
    renamed: usize,
    segments: usize,
    git: Duration,
    rb: Duration,
    differences: Vec<String>,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} paths, {} commits, {} renamed ({} segments), {} differences; git {:.1} s, rb {:.1} s",
            self.paths,
            self.commits,
            self.renamed,
            self.segments,
            self.differences.len(),
            self.git.as_secs_f64(),
            self.rb.as_secs_f64()
        )
    }
}

struct Oracle<'a> {
    folder: &'a Path,
}

impl Oracle<'_> {
    /// Paths that were touched at some time: a third each of files by ordinary commits, of files by merges, of folders.
    fn sample(&self, wanted: u64, seed: u64) -> Vec<RepoPath> {
        let all = self.lines(&["rev-list", "HEAD"]);
        let merges = self.lines(&["rev-list", "--merges", "HEAD"]);
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut paths = Vec::new();
        let mut attempts = 0;
        while (paths.len() as u64) < wanted && attempts < wanted * 20 {
            attempts += 1;
            let kind = attempts % 3;
            let commits = if kind == 1 && !merges.is_empty() { &merges } else { &all };
            let commit = &commits[random.below(commits.len())];
            let how = if kind == 1 { "-c" } else { "--root" };
            let diff = self.git(&["diff-tree", "-r", "--no-commit-id", "--name-only", "-z", how, commit]);
            let files: Vec<_> = diff.split(|byte| *byte == 0).filter(|path| !path.is_empty()).collect();
            if files.is_empty() {
                continue;
            }
            let file = RepoPath::new(files[random.below(files.len())]);
            let path = if kind == 2 { file.parent().expect("a file has a folder") } else { file };
            if !path.is_root() && !paths.contains(&path) {
                paths.push(path);
            }
        }
        paths
    }

    fn log(&self, tip: &str, path: &RepoPath) -> Vec<String> {
        let mut command = self.command();
        command.args(["log", "--topo-order", "--format=%H", tip, "--"]);
        #[cfg(unix)]
        command.arg(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(path.as_bytes()));
        #[cfg(not(unix))]
        command.arg(path.to_str_lossy().as_ref());
        lines(&output(command))
    }

    fn lines(&self, args: &[&str]) -> Vec<String> {
        lines(&self.git(args))
    }

    fn git(&self, args: &[&str]) -> Vec<u8> {
        let mut command = self.command();
        command.args(args);
        output(command)
    }

    fn command(&self) -> Command {
        let mut command = Command::new("git");
        test_kit::isolated(&mut command, self.folder);
        command.env("GIT_LITERAL_PATHSPECS", "1").env("GIT_NO_LAZY_FETCH", "1");
        command.arg("-C").arg(self.folder).args(["-c", "safe.directory=*"]);
        command
    }
}

fn output(mut command: Command) -> Vec<u8> {
    let out = command.output().expect("git starts");
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

fn lines(text: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(text).lines().map(ToOwned::to_owned).collect()
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

/// xorshift64*: the same sequence everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }
}
