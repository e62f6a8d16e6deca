//! `git revert` and `rb revert` on the same commits of real repositories, in twin work trees.
//!
//! ```text
//! cargo run --release -p rollback-test-kit --bin twin-reverts -- --rb target/release/rb \
//!     --repo A --repo B [--count 300] [--merges 50] [--last 2000] [--seed 1] [--least 75] [--conflicts 300] [--fsck 1]
//! ```
//!
//! Commits are sampled until git reverted `count` of them, `merges` of them merges (`-m 1`). Where rb lands, HEAD's tree,
//! the message, the index, `git status`, and bytes and modes of the touched files must be git's, and the objects must
//! pass strict checks; with `--fsck 1`, `git fsck --strict` looks at both twins whole, which takes minutes where history
//! is long. Where it does not land, nothing may have changed. Up to `conflicts` commits of each repository that git does
//! not revert are tried as well: rb must not land them either. What a repository cannot give, those after it make up for,
//! so those without merges come first. Ends with 1 where anything differs, where the sample ran out, or where rb landed
//! fewer than `least` percent of what git did.
#![expect(clippy::print_stdout, reason = "the report is what the suite is for")]

use std::path::Path;
use std::process::{ExitCode, Output};
use std::time::{Duration, Instant};

use test_kit::Sandbox;
use test_kit::suite::{Arguments, Sample, Seeded, Subject, Tally, difference, document, last_commits};

const LANDED: &str = "rb landed what git landed";

fn main() -> ExitCode {
    test_kit::suite::main(run)
}

fn run() -> Result<ExitCode, String> {
    let arguments = Arguments::read(300)?;
    println!("seed {}", arguments.seed);
    let merges = arguments.number("--merges", arguments.count / 6);
    let mut total = Tally::default();
    let mut quota = Quota::default();
    for (done, source) in arguments.repos.iter().enumerate() {
        let left = arguments.repos.len() - done;
        quota = Quota {
            merges: quota.merges + share(merges, done, arguments.repos.len()),
            others: quota.others + share(arguments.count - merges, done, arguments.repos.len()),
        };
        let mut suite = Suite::new(&arguments, source)?;
        quota = suite.run(quota, arguments.seed.wrapping_add(done as u64), arguments.number("--last", 2000));
        suite.check_objects(arguments.number("--fsck", 0) > 0);
        println!("{}", suite.tally.report(&format!("{} ({})", source.display(), suite.times())));
        total.add(&suite.tally);
        if left == 1 && quota != Quota::default() {
            println!("the sample ran out: {} merges and {} others are missing", quota.merges, quota.others);
        }
    }
    println!("{}", total.report("all repositories"));
    let reverted = total.of(REVERTED) + total.of(REVERTED_MERGE);
    let percent = 100 * total.of(LANDED) / reverted.max(1);
    let least = arguments.number("--least", 75);
    println!(
        "rb landed {} of {reverted} that git reverted: {percent}% (at least {least}% wanted)",
        total.of(LANDED)
    );
    let good = total.differences().is_empty() && percent >= least && quota == Quota::default();
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

const REVERTED: &str = "git reverted it";
const REVERTED_MERGE: &str = "git reverted it, a merge";

/// The part of `whole` that falls to the repository `at` of `of`.
fn share(whole: usize, at: usize, of: usize) -> usize {
    whole * (at + 1) / of - whole * at / of
}

/// How many reverts by git are wanted yet.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Quota {
    merges: usize,
    others: usize,
}

impl Quota {
    fn wants(&self, sample: &Sample) -> bool {
        if sample.is_merge() { self.merges > 0 } else { self.others > 0 }
    }

    fn take(&mut self, sample: &Sample) {
        if sample.is_merge() {
            self.merges -= 1;
        } else {
            self.others -= 1;
        }
    }
}

/// One repository: the twins and what came of them.
struct Suite<'a> {
    rb: &'a Path,
    git_side: Subject,
    rb_side: Subject,
    tally: Tally,
    git_time: Duration,
    rb_time: Duration,
    landed: usize,
    /// How many commits git did not revert, and on how many of them rb is tried too.
    refused: usize,
    try_refused: usize,
}

impl<'a> Suite<'a> {
    fn new(arguments: &'a Arguments, source: &Path) -> Result<Self, String> {
        Ok(Self {
            rb: &arguments.rb,
            git_side: Subject::clone_of(source)?,
            rb_side: Subject::clone_of(source)?,
            tally: Tally::default(),
            git_time: Duration::ZERO,
            rb_time: Duration::ZERO,
            landed: 0,
            refused: 0,
            try_refused: arguments.number("--conflicts", arguments.count),
        })
    }

    /// Samples until the quota is used up or the commits are, and returns what is left of it.
    fn run(&mut self, mut quota: Quota, seed: u64, last: usize) -> Quota {
        let mut samples = last_commits(self.git_side.repo(), last);
        Seeded::new(seed).shuffle(&mut samples);
        for sample in &samples {
            if quota.wants(sample) && self.case(sample) {
                quota.take(sample);
            }
        }
        quota
    }

    /// One commit; whether git reverted it.
    fn case(&mut self, sample: &Sample) -> bool {
        let begun = Instant::now();
        let by_git = revert_with_git(self.git_side.repo(), sample);
        self.git_time += begun.elapsed();
        let git_landed = by_git.status.success() && head(&self.git_side) != self.git_side.tip();
        if git_landed {
            self.tally.count(if sample.is_merge() { REVERTED_MERGE } else { REVERTED });
        } else {
            self.tally.count("git conflicts or has nothing to do");
        }

        if !git_landed {
            self.refused += 1;
            if self.refused > self.try_refused {
                self.git_side.reset();
                return false;
            }
        }
        let before = self.rb_side.trace();
        let begun = Instant::now();
        let by_rb = self.revert_with_rb(sample, &[]);
        self.rb_time += begun.elapsed();
        self.judge(sample, git_landed, &by_rb, &before);
        self.git_side.reset();
        self.rb_side.reset();
        git_landed
    }

    fn judge(&mut self, sample: &Sample, git_landed: bool, by_rb: &Output, before: &[(String, Vec<u8>)]) {
        let rb_landed = head(&self.rb_side) != self.rb_side.tip();
        let verdict = if rb_landed { verdict(by_rb) } else { self.verdict_in_full(sample, by_rb) };
        let id = &sample.id;
        match (git_landed, rb_landed) {
            (true, true) => {
                let differing = self.compare();
                if differing.is_empty() {
                    self.tally.count(LANDED);
                    self.anchor();
                } else {
                    self.tally.difference(format!("{id}: {} ({verdict})", differing.join(", ")));
                }
                if !by_rb.status.success() {
                    self.tally.difference(format!("{id}: rb landed and ended with {}", by_rb.status));
                }
            }
            (true, false) => self.tally.count(format!("rb did not land it: {verdict}")),
            (false, true) => self.tally.difference(format!("{id}: rb landed what git does not ({verdict})")),
            (false, false) => self.tally.count(format!("nor did rb land it: {verdict}")),
        }
        if !rb_landed && let Some(changed) = difference(before, &self.rb_side.trace()) {
            self.tally.difference(format!("{id}: rb landed nothing and changed: {changed} ({verdict})"));
        }
        if by_rb.status.code().is_none_or(|code| code == 70) {
            self.tally.difference(format!("{id}: rb broke down: {}", String::from_utf8_lossy(&by_rb.stderr)));
        }
    }

    /// What is else between the twins after both landed.
    fn compare(&self) -> Vec<&'static str> {
        let (ours, theirs) = (self.rb_side.repo(), self.git_side.repo());
        let same = |args: &[&str]| ours.git_bytes(args) == theirs.git_bytes(args);
        let checks = [
            ("the tree", same(&["rev-parse", "HEAD^{tree}"])),
            ("the parent", same(&["rev-parse", "HEAD^@"])),
            ("the message", message(ours) == message(theirs)),
            ("the index", same(&["ls-files", "-s", "-z"])),
            ("the flags of the index", same(&["ls-files", "-v", "-z"])),
            ("git status", same(&["--no-optional-locks", "status", "--porcelain", "-z", "--ignored"])),
            ("the files", files(ours, self.rb_side.tip()) == files(theirs, self.git_side.tip())),
        ];
        checks.into_iter().filter(|(_, same)| !same).map(|(what, _)| what).collect()
    }

    /// Keeps the commit for fsck.
    fn anchor(&mut self) {
        self.landed += 1;
        self.rb_side.repo().git(&["update-ref", &format!("refs/suite/{}", self.landed), "HEAD"]);
    }

    /// Checks what rb wrote: its objects strictly, and, where asked for, the whole repository beside its twin.
    fn check_objects(&mut self, whole: bool) {
        let repo = self.rb_side.repo();
        let out = repo.git(&["rev-list", "--objects", "--glob=refs/suite", "--not", self.rb_side.tip()]);
        let ids: String =
            out.lines().filter_map(|line| Some(format!("{}\n", line.split(' ').next()?))).collect();
        if !ids.is_empty() {
            let pack = repo.git_with_input(&["pack-objects", "-q", "--stdout"], ids.as_bytes());
            // Strict indexing makes the checks of fsck on each object. It ends the suite where one fails.
            repo.git_with_input(&["index-pack", "--strict", "--fix-thin", "--stdin"], &pack);
        }
        if whole {
            let (ours, theirs) = (findings(repo), findings(self.git_side.repo()));
            if ours != theirs {
                self.tally.difference(format!("git fsck --strict finds else: {ours} and not {theirs}"));
            }
        }
    }

    /// An error says nothing of what was tried; a dry run does.
    fn verdict_in_full(&self, sample: &Sample, by_rb: &Output) -> String {
        if document(by_rb).get("error").is_none() {
            return verdict(by_rb);
        }
        let tried = verdict(&self.revert_with_rb(sample, &["--dry-run"]));
        format!("{}; dry run: {tried}", verdict(by_rb))
    }

    fn revert_with_rb(&self, sample: &Sample, flags: &[&str]) -> Output {
        let mut command = self.rb_side.repo().command(self.rb);
        command.args(["revert", "--json", &sample.id]).args(flags);
        if sample.is_merge() {
            command.args(["-m", "1"]);
        }
        command.output().expect("rb starts")
    }

    fn times(&self) -> String {
        format!("git {:.1} s, rb {:.1} s", self.git_time.as_secs_f64(), self.rb_time.as_secs_f64())
    }
}

fn revert_with_git(repo: &Sandbox, sample: &Sample) -> Output {
    let mut args = vec!["revert", "--no-edit", &sample.id];
    if sample.is_merge() {
        args.extend(["-m", "1"]);
    }
    repo.try_git(&args)
}

/// What `git fsck --strict` finds; reflogs may name what the source lacks.
fn findings(repo: &Sandbox) -> String {
    let out = repo.try_git(&["fsck", "--strict", "--no-reflogs", "--no-dangling", "--no-progress"]);
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

fn head(side: &Subject) -> String {
    side.repo().git(&["rev-parse", "HEAD"])
}

/// The commit's encoding and message, byte for byte.
fn message(repo: &Sandbox) -> Vec<u8> {
    let raw = repo.git_bytes(&["cat-file", "commit", "HEAD"]);
    let end = raw.windows(2).position(|pair| pair == b"\n\n").unwrap_or(raw.len());
    let mut kept: Vec<u8> = raw[..end]
        .split(|byte| *byte == b'\n')
        .filter(|line| line.starts_with(b"encoding ") || line.starts_with(b"author "))
        .collect::<Vec<_>>()
        .join(&b'\n');
    kept.extend_from_slice(&raw[end..]);
    kept
}

/// Path, kind, mode and bytes of every file that differs from the tip.
fn files(repo: &Sandbox, tip: &str) -> Vec<(String, String, Vec<u8>)> {
    let names = repo.git_bytes(&["diff", "--name-only", "-z", "--no-renames", tip, "HEAD"]);
    names
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| {
            let path = repo.path().join(to_path(name));
            let name = name.escape_ascii().to_string();
            match path.symlink_metadata() {
                Err(_) => (name, "absent".into(), Vec::new()),
                Ok(meta) if meta.is_symlink() => {
                    let target = std::fs::read_link(&path).unwrap_or_default();
                    (name, "link".into(), target.into_os_string().into_encoded_bytes())
                }
                Ok(meta) if meta.is_dir() => (name, "folder".into(), Vec::new()),
                Ok(meta) => (name, mode(&meta), std::fs::read(&path).unwrap_or_default()),
            }
        })
        .collect()
}

#[cfg(unix)]
fn to_path(name: &[u8]) -> std::path::PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(name).into()
}

#[cfg(not(unix))]
fn to_path(name: &[u8]) -> std::path::PathBuf {
    String::from_utf8_lossy(name).into_owned().into()
}

#[cfg(unix)]
fn mode(meta: &std::fs::Metadata) -> String {
    use std::os::unix::fs::PermissionsExt;
    format!("{:o}", meta.permissions().mode())
}

#[cfg(not(unix))]
fn mode(_: &std::fs::Metadata) -> String {
    "file".into()
}

/// What rb made of it, in a few words that can be counted.
fn verdict(out: &Output) -> String {
    let plan = document(out);
    if let Some(code) = plan.pointer("/error/code").and_then(|code| code.as_str()) {
        return format!("exit {}, error {code}", out.status.code().unwrap_or(-1));
    }
    let first = plan.pointer("/attempts/0");
    let field = |name: &str| first.and_then(|attempt| attempt.get(name)).and_then(|value| value.as_str());
    let chosen = plan
        .get("chosen")
        .and_then(serde_json::Value::as_u64)
        .and_then(|at| plan.pointer(&format!("/attempts/{at}/strategy")))
        .and_then(|strategy| strategy.as_str());
    let mut words =
        format!("exit {}, {}", out.status.code().unwrap_or(-1), field("result").unwrap_or("no document"));
    if let Some(reason) = field("reason").filter(|_| field("result") == Some("needs-review")) {
        // Ids and paths would make a verdict of each case.
        words.push_str(&format!(" ({})", reason.split([':', ',']).next().unwrap_or(reason)));
    }
    if let Some(chosen) = chosen {
        words.push_str(&format!(", chose {chosen}"));
    }
    words
}
