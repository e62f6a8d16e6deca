//! Reverts and picks that conflict, in twin work trees: one side by git, the other by rb with `RB_COMPAT=git`.
//!
//! ```text
//! cargo run --release -p rollback-test-kit --bin twin-conflicts -- --rb target/release/rb --repo A [--count 500] [--seed 1] [--last 3000]
//! ```
//!
//! Commits are sampled until `count` cases stopped at a conflict under git. After each step the whole state must be the
//! same on both sides: stages, `git status`, bytes of the files, and git's files of what is in progress. A stop is then
//! resolved and continued, skipped, given up, or forgotten; in every other case each side is finished by the other
//! program. Ends with 1 where anything differs.
#![expect(clippy::print_stdout, reason = "the report is what the suite is for")]

use std::path::Path;
use std::process::{ExitCode, Output};

use test_kit::Sandbox;
use test_kit::suite::{Arguments, Sample, Seeded, Subject, Tally, last_commits};

fn main() -> ExitCode {
    test_kit::suite::main(run)
}

fn run() -> Result<ExitCode, String> {
    let arguments = Arguments::read(500)?;
    println!("seed {}", arguments.seed);
    let mut total = Tally::default();
    for (nth, source) in arguments.repos.iter().enumerate() {
        let mut suite = Suite::new(&arguments.rb, source)?;
        let wanted = arguments.count / arguments.repos.len();
        suite.run(wanted, arguments.seed.wrapping_add(nth as u64), arguments.number("--last", 3000));
        println!("{}", suite.tally.report(&source.display().to_string()));
        total.add(&suite.tally);
    }
    println!("{}", total.report("all repositories"));
    let good = total.differences().is_empty() && total.of(STOPPED) >= arguments.count;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

const STOPPED: &str = "git stopped, and rb alike";

struct Suite<'a> {
    rb: &'a Path,
    git_side: Subject,
    rb_side: Subject,
    tally: Tally,
}

/// A program that reverts and picks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Git,
    Rb,
}

impl<'a> Suite<'a> {
    fn new(rb: &'a Path, source: &Path) -> Result<Self, String> {
        let (git_side, rb_side) = (Subject::clone_of(source)?, Subject::clone_of(source)?);
        let version = git_side.repo().git(&["version"]).split(' ').nth(2).unwrap_or_default().to_owned();
        for side in [&git_side, &rb_side] {
            side.repo().git(&["config", "rb.gitVersion", &version]);
            side.repo().git(&["checkout", "-q", "--detach"]);
        }
        Ok(Self { rb, git_side, rb_side, tally: Tally::default() })
    }

    fn run(&mut self, wanted: usize, seed: u64, last: usize) {
        let mut samples = last_commits(self.git_side.repo(), last);
        let mut random = Seeded::new(seed);
        random.shuffle(&mut samples);
        for (nth, sample) in samples.iter().enumerate() {
            if self.tally.of(STOPPED) >= wanted {
                return;
            }
            let further = &samples[(nth + 1) % samples.len()];
            self.case(sample, further, &mut random);
            self.git_side.reset();
            self.rb_side.reset();
        }
    }

    /// One request on both sides, and what follows a stop.
    fn case(&mut self, sample: &Sample, further: &Sample, random: &mut Seeded) {
        let pick = random.below(3) == 0;
        if pick {
            // What was picked before it came is missing below it.
            let base = format!("{}~{}", sample.id, 5 + random.below(40));
            for side in [&self.git_side, &self.rb_side] {
                if !side.repo().try_git(&["checkout", "-q", "--detach", &base]).status.success() {
                    return;
                }
            }
        }
        let mut words = vec![if pick { "cherry-pick" } else { "revert" }];
        words.extend(if pick { None } else { Some("--no-edit") });
        words.extend(sample.is_merge().then_some("-m1"));
        words.extend((random.below(6) == 0).then_some("-n"));
        words.extend((pick && random.below(4) == 0).then_some("-x"));
        words.extend((random.below(5) == 0).then_some("-s"));
        words.extend((random.below(8) == 0).then_some("-Xpatience"));
        words.push(&sample.id);
        if random.below(3) == 0 && sample.is_merge() == further.is_merge() {
            words.push(&further.id);
        }
        let [by_git, by_rb] = [By::Git, By::Rb].map(|by| self.call(by, by, &words));
        let case = words.join(" ");
        if !self.same(&case, &by_git, &by_rb) {
            return;
        }
        if by_git.status.code() != Some(1) {
            self.tally.count(format!("git ended with {:?}, and rb alike", by_git.status.code()));
            return;
        }
        self.tally.count(STOPPED);
        self.go_on(&case, if pick { "cherry-pick" } else { "revert" }, random);
    }

    fn go_on(&mut self, case: &str, command: &str, random: &mut Seeded) {
        // In every other case each side is finished by the program that did not begin it.
        let (on_git_side, on_rb_side) =
            if random.below(2) == 0 { (By::Git, By::Rb) } else { (By::Rb, By::Git) };
        let crossed = if on_git_side == By::Rb { "crossed " } else { "" };
        for _ in 0..4 {
            let flag = ["--continue", "--continue", "--skip", "--abort", "--quit"][random.below(5)];
            if flag == "--continue" {
                for side in [&self.git_side, &self.rb_side] {
                    resolve(side.repo());
                }
            }
            let words = [command, flag];
            let by_git = self.call(By::Git, on_git_side, &words);
            let by_rb = self.call(By::Rb, on_rb_side, &words);
            if !self.same(&format!("{case}, {crossed}{flag}"), &by_git, &by_rb) {
                return;
            }
            self.tally.count(format!("{crossed}{flag} ended with {:?} on both", by_git.status.code()));
            if by_git.status.code() != Some(1) {
                return;
            }
        }
    }

    /// Runs a command on one side, by either program.
    fn call(&self, side: By, by: By, words: &[&str]) -> Output {
        let repo = if side == By::Git { self.git_side.repo() } else { self.rb_side.repo() };
        let mut command = match by {
            By::Git => repo.command("git"),
            By::Rb => repo.command(self.rb),
        };
        command.env("RB_COMPAT", "git").env("GIT_EDITOR", ":").args(words);
        command.output().expect("it starts")
    }

    /// Whether both sides are in the same state.
    fn same(&mut self, case: &str, by_git: &Output, by_rb: &Output) -> bool {
        let mut differing = Vec::new();
        if by_git.status.code() != by_rb.status.code() {
            let said = String::from_utf8_lossy(&by_rb.stderr).lines().take(3).collect::<Vec<_>>().join(" | ");
            let (git, rb) = (by_git.status.code(), by_rb.status.code());
            differing.push(format!("exit {git:?} and {rb:?}: {said}"));
        }
        let (theirs, ours) = (state(self.git_side.repo()), state(self.rb_side.repo()));
        for ((what, one), (_, other)) in theirs.iter().zip(&ours) {
            if one != other {
                let cut = |bytes: &[u8]| {
                    bytes.iter().take(300).copied().collect::<Vec<_>>().escape_ascii().to_string()
                };
                differing.push(format!("{what}: git {} / rb {}", cut(one), cut(other)));
            }
        }
        if !differing.is_empty() {
            self.tally.difference(format!("{case}: {}", differing.join("; ")));
        }
        differing.is_empty()
    }
}

/// Everything that has to be the same; commits by their trees, messages and authors.
fn state(repo: &Sandbox) -> Vec<(String, Vec<u8>)> {
    let mut all = vec![
        ("stages".to_owned(), repo.git_bytes(&["ls-files", "-s", "-z"])),
        ("status".to_owned(), repo.git_bytes(&["--no-optional-locks", "status", "--porcelain", "-z"])),
        ("files".to_owned(), files(repo)),
        ("history".to_owned(), repo.git_bytes(&["log", "-4", "--format=%T %P%n%an %ae %ad%n%B", "HEAD"])),
        ("HEAD's log".to_owned(), repo.git_bytes(&["log", "-g", "-3", "--format=%gs", "HEAD"])),
    ];
    let in_progress = repo.files_in_progress().into_iter();
    all.extend(
        in_progress.map(|(name, bytes)| (name.to_owned(), bytes.unwrap_or_else(|| b"(none)".to_vec()))),
    );
    all
}

/// Names and bytes of the files that differ from HEAD, untracked ones included.
fn files(repo: &Sandbox) -> Vec<u8> {
    let status = repo.git_bytes(&["--no-optional-locks", "status", "--porcelain", "-z", "--no-renames"]);
    let mut all = Vec::new();
    for row in status.split(|byte| *byte == 0).filter(|row| row.len() > 3) {
        let name = String::from_utf8_lossy(&row[3..]).into_owned();
        all.extend_from_slice(name.as_bytes());
        all.extend(std::fs::read(repo.path().join(&name)).unwrap_or_default());
    }
    all
}

/// Takes our side of every conflict, with a line more.
fn resolve(repo: &Sandbox) {
    let unmerged = repo.git_bytes(&["diff", "--name-only", "--diff-filter=U", "-z"]);
    let mut names: Vec<&[u8]> = unmerged.split(|byte| *byte == 0).filter(|name| !name.is_empty()).collect();
    names.dedup();
    for name in names {
        let name = String::from_utf8_lossy(name).into_owned();
        let path = repo.path().join(&name);
        if path.is_file() && repo.try_git(&["checkout", "-q", "--ours", "--", &name]).status.success() {
            let mut bytes = std::fs::read(&path).unwrap_or_default();
            bytes.extend_from_slice(b"resolved\n");
            std::fs::write(&path, bytes).expect("the file is written");
            repo.git(&["add", "-f", "--", &name]);
        } else {
            repo.try_git(&["rm", "-q", "-f", "--cached", "--ignore-unmatch", "--", &name]);
            let _ = std::fs::remove_file(&path);
        }
    }
}
