//! `rb merge-tree` beside `git merge-tree` on sampled reverts and picks of real histories: answers, time, memory.
//!
//! ```text
//! cargo run --release -p rollback-test-kit --bin merges -- --rb target/release/rb \
//!     --repo A --repo B [--count 1000] [--last 20000] [--seed 1] [--rounds 3] [--singles 1]
//! ```
//!
//! A case is a commit of HEAD's history reverted onto or picked onto HEAD. Both programs get the same questions in one
//! process each, in turn, `rounds` times; every answer must be the same to the byte: verdict, tree with conflict markers,
//! stages. With `--singles 1` every case is also put to git in a process of its own, and the ten that took rb longest to
//! rb, so that the slowest single case of each can be told.
//!
//! With `--rehearse N` the last N changes of the first-parent line are rehearsed instead, by `rb rehearse` on two threads
//! and in four shards, a process each: every line against git's answer to the same question (verdict, tree, paths in
//! conflict), and the union of the shards against the whole. Ends with 1 where an answer differs.
#![expect(clippy::print_stdout, reason = "the report is what the suite is for")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::time::{Duration, Instant};

use test_kit::isolated;
use test_kit::merge_tree::{Answer, ask, judge, start};
use test_kit::suite::{Arguments, Seeded, Tally};

fn main() -> ExitCode {
    test_kit::suite::main(run)
}

fn run() -> Result<ExitCode, String> {
    let arguments = Arguments::read(1000)?;
    println!("seed {}", arguments.seed);
    let mut total = Tally::default();
    for (at, repo) in arguments.repos.iter().enumerate() {
        let suite = Suite::new(&arguments.rb, repo)?;
        let rehearsed = arguments.number("--rehearse", 0);
        if rehearsed > 0 {
            let mut tally = suite.rehearse(rehearsed, arguments.number("--rounds", 1).max(1))?;
            tally.refuse_silence();
            println!("{}", tally.report(&repo.display().to_string()));
            total.add(&tally);
            continue;
        }
        let seed = arguments.seed.wrapping_add(at as u64);
        let questions = suite.questions(arguments.count, seed, arguments.number("--last", 20_000))?;
        println!("{}: {} cases", repo.display(), questions.len());
        let mut tally = suite.compare(&questions, arguments.number("--rounds", 1).max(1))?;
        tally.refuse_silence();
        if arguments.number("--singles", 0) > 0 {
            suite.slowest(&questions)?;
        }
        println!("{}", tally.report("answers, of one thread and of two"));
        total.add(&tally);
    }
    println!("{}", total.report("all repositories"));
    Ok(if total.differences().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Suite {
    rb: PathBuf,
    repo: PathBuf,
    objects: String,
    /// Where git writes its results: into memory where the system has such a folder, so that no disk is waited for.
    quarantine: tempfile::TempDir,
}

impl Suite {
    fn new(rb: &Path, repo: &Path) -> Result<Self, String> {
        let out = git_in(repo)
            .args(["rev-parse", "--path-format=absolute", "--git-path", "objects"])
            .output()
            .map_err(|error| format!("git: {error}"))?;
        if !out.status.success() {
            return Err(format!("{}: {}", repo.display(), String::from_utf8_lossy(&out.stderr)));
        }
        let shared = Path::new("/dev/shm");
        let quarantine = if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() };
        Ok(Self {
            rb: rb.to_owned(),
            repo: repo.to_owned(),
            objects: String::from_utf8_lossy(&out.stdout).trim().to_owned(),
            quarantine: quarantine.map_err(|error| format!("a temporary folder: {error}"))?,
        })
    }

    /// A revert and a pick for each sampled commit, as questions.
    fn questions(&self, count: usize, seed: u64, last: usize) -> Result<Vec<String>, String> {
        let out = git_in(&self.repo)
            .args(["rev-list", "--parents", &format!("--max-count={last}"), "HEAD"])
            .output()
            .map_err(|error| format!("git: {error}"))?;
        let listed = String::from_utf8_lossy(&out.stdout).into_owned();
        let mut commits: Vec<Vec<&str>> = listed.lines().map(|line| line.split(' ').collect()).collect();
        commits.retain(|ids: &Vec<&str>| ids.len() > 1);
        let tip = listed.split([' ', '\n']).next().unwrap_or("HEAD").to_owned();
        Seeded::new(seed).shuffle(&mut commits);
        Ok(commits
            .iter()
            .take(count.div_ceil(2))
            .flat_map(|ids| {
                let (commit, parent) = (ids[0], ids[1]);
                [format!("{commit} -- {tip} {parent}\n"), format!("{parent} -- {tip} {commit}\n")]
            })
            .take(count)
            .collect())
    }

    fn compare(&self, questions: &[String], rounds: usize) -> Result<Tally, String> {
        let (mut ratios, mut gains, mut memory) = (Vec::new(), Vec::new(), [0_u64; 3]);
        let mut tally = Tally::default();
        for round in 0..rounds {
            let (ours, one) = ask(questions, || self.rb(1))?;
            let (theirs, git) = ask(questions, || self.git())?;
            let (again, two) = ask(questions, || self.rb(2))?;
            ratios.push(git.time.as_secs_f64() / one.time.as_secs_f64());
            gains.push(one.time.as_secs_f64() / two.time.as_secs_f64());
            for (peak, effort) in memory.iter_mut().zip([&one, &two, &git]) {
                *peak = effort.memory.max(*peak);
            }
            if round == 0 {
                judge(questions, &ours, &theirs, &mut tally);
                judge(questions, &again, &theirs, &mut tally);
            }
        }
        println!("  git's time / rb's on one thread: {}", spread(&mut ratios));
        println!("  one thread's time / two threads': {}", spread(&mut gains));
        println!(
            "  peak memory in MiB: rb {} on one thread, {} on two, git {}",
            memory[0], memory[1], memory[2]
        );
        Ok(tally)
    }

    /// Rehearses the last changes of the first-parent line, and puts the same questions to git.
    fn rehearse(&self, count: usize, rounds: usize) -> Result<Tally, String> {
        let (questions, range) = self.line(count)?;
        println!("{}: {} changes", self.repo.display(), questions.len());
        let (mut ratios, mut tally) = (Vec::new(), Tally::default());
        for round in 0..rounds {
            let begun = Instant::now();
            let whole = output(self.rehearsal(&range, &["--jobs", "2"]))?;
            let own = begun.elapsed();
            let (theirs, git) = ask(&questions, || self.git())?;
            ratios.push(git.time.as_secs_f64() / own.as_secs_f64());
            if round == 0 {
                judge_rehearsal(&questions, &whole, &theirs, &mut tally);
                if self.union_of_shards(&range)? != sorted(&whole) {
                    tally.difference("the union of four shards is not the whole");
                }
            }
        }
        println!("  git's time / rb rehearse's on two threads: {}", spread(&mut ratios));
        Ok(tally)
    }

    /// The questions of a rehearsal, newest first, and the range that they are of.
    fn line(&self, count: usize) -> Result<(Vec<String>, String), String> {
        let most = format!("--max-count={count}");
        let out = output({
            let mut command = git_in(&self.repo);
            command.args(["rev-list", "--first-parent", "--parents", &most, "HEAD"]);
            command
        })?;
        let rows: Vec<Vec<&str>> = out.lines().map(|line| line.split(' ').collect()).collect();
        let rows: Vec<_> = rows.into_iter().filter(|ids| ids.len() > 1).collect();
        let oldest = rows.last().ok_or("there is no change to rehearse")?;
        let questions = rows.iter().map(|ids| format!("{} -- HEAD {}\n", ids[0], ids[1])).collect();
        Ok((questions, format!("{}..HEAD", oldest[1])))
    }

    fn rehearsal(&self, range: &str, more: &[&str]) -> Command {
        let mut command = Command::new(&self.rb);
        isolated(&mut command, self.quarantine.path());
        command.arg("-C").arg(&self.repo).args(["rehearse", range, "--json"]).args(more);
        command
    }

    /// The lines of four shards, each of a process of its own, all at once.
    fn union_of_shards(&self, range: &str) -> Result<Vec<String>, String> {
        let shards: Vec<Child> = (1..=4)
            .map(|shard| start(self.rehearsal(range, &["--jobs", "1", "--shard", &format!("{shard}/4")])))
            .collect::<Result<_, _>>()?;
        let mut lines = String::new();
        for shard in shards {
            let out = shard.wait_with_output().map_err(|error| error.to_string())?;
            lines.push_str(&String::from_utf8_lossy(&out.stdout));
        }
        Ok(sorted(&lines))
    }

    /// The slowest case of each program, a process a case.
    fn slowest(&self, questions: &[String]) -> Result<(), String> {
        let single = |program: Command, question: &String| -> Result<Duration, String> {
            let begun = Instant::now();
            let mut child = start(program)?;
            // A program that dies of a case has taken its time, too.
            let _ = child.stdin.take().ok_or("no pipe")?.write_all(question.as_bytes());
            child.wait_with_output().map_err(|error| error.to_string())?;
            Ok(begun.elapsed())
        };
        let mut git = Duration::ZERO;
        for question in questions {
            git = git.max(single(self.git(), question)?);
        }
        let mut by_time = self.times_of_rb(questions)?;
        by_time.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
        let mut rb = (Duration::ZERO, 0);
        for (at, _) in by_time.iter().take(10) {
            rb = rb.max((single(self.rb(1), &questions[*at])?, *at));
        }
        println!(
            "  slowest single case in a process of its own: rb {:.0} ms (case {}), git {:.0} ms",
            rb.0.as_secs_f64() * 1e3,
            rb.1,
            git.as_secs_f64() * 1e3
        );
        Ok(())
    }

    /// How long rb takes for each case when asked one at a time.
    fn times_of_rb(&self, questions: &[String]) -> Result<Vec<(usize, Duration)>, String> {
        let mut child = start(self.rb(1))?;
        let mut stdin = child.stdin.take().ok_or("no pipe")?;
        let mut stdout = BufReader::new(child.stdout.take().ok_or("no pipe")?);
        let mut times = Vec::new();
        for (at, question) in questions.iter().enumerate() {
            let begun = Instant::now();
            stdin.write_all(question.as_bytes()).map_err(|error| error.to_string())?;
            for part in 0.. {
                let mut bytes = Vec::new();
                stdout.read_until(0, &mut bytes).map_err(|error| error.to_string())?;
                if part >= 2 && bytes.len() <= 1 {
                    break;
                }
            }
            times.push((at, begun.elapsed()));
        }
        drop(stdin);
        let _ = child.wait();
        Ok(times)
    }

    fn rb(&self, threads: usize) -> Command {
        let mut command = Command::new(&self.rb);
        isolated(&mut command, self.quarantine.path());
        command.arg("-C").arg(&self.repo).args(["merge-tree", "--stdin", "-z"]);
        command.args(["--threads", &threads.to_string()]);
        command
    }

    fn git(&self) -> Command {
        let mut command = git_in(&self.repo);
        command
            .env("GIT_OBJECT_DIRECTORY", self.quarantine.path())
            .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", &self.objects)
            .args(["merge-tree", "--write-tree", "--stdin", "-z", "--no-messages"]);
        command
    }
}

/// What a program prints, which has to succeed.
fn output(mut program: Command) -> Result<String, String> {
    let out = program.output().map_err(|error| error.to_string())?;
    match out.status.success() {
        true => Ok(String::from_utf8_lossy(&out.stdout).into_owned()),
        false => Err(String::from_utf8_lossy(&out.stderr).into_owned()),
    }
}

fn sorted(lines: &str) -> Vec<String> {
    let mut lines: Vec<_> = lines.lines().map(ToOwned::to_owned).collect();
    lines.sort();
    lines
}

/// Holds each line of a rehearsal against git's answer.
fn judge_rehearsal(questions: &[String], whole: &str, theirs: &[Answer], tally: &mut Tally) {
    let lines: Vec<serde_json::Value> =
        whole.lines().map(|line| serde_json::from_str(line).unwrap_or_default()).collect();
    if lines.len() != questions.len() {
        tally.difference(format!("{} lines for {} changes", lines.len(), questions.len()));
    }
    for ((question, line), answer) in questions.iter().zip(&lines).zip(theirs) {
        let Some(answer) = answer else {
            tally.count("git died of it");
            continue;
        };
        let mut parts = answer.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        let (clean, tree) = (parts.next().as_deref() == Some("1"), parts.next().unwrap_or_default());
        // What git moves out of the way is called after the side that it came from, which the programs name otherwise.
        let name = |path: &str| path.split('~').next().unwrap_or_default().to_owned();
        let mut conflicts: Vec<_> = parts.filter_map(|row| Some(name(row.split_once('\t')?.1))).collect();
        conflicts.dedup();
        let own = line["conflicts"].as_array().cloned().unwrap_or_default();
        let own: Vec<_> = own.iter().filter_map(|path| Some(name(path.as_str()?))).collect();
        let same = match (clean, line["result"].as_str()) {
            (true, Some("clean" | "empty")) => line["tree_id"].as_str() == Some(&tree),
            (false, Some("conflicted")) => own == conflicts,
            _ => false,
        };
        match same {
            true => tally.count(format!("same, {}", line["result"].as_str().unwrap_or_default())),
            false => {
                tally.difference(format!("{}: {line}, git: {clean} {tree} {conflicts:?}", question.trim()))
            }
        }
    }
}

fn git_in(repo: &Path) -> Command {
    let mut command = Command::new("git");
    isolated(&mut command, repo);
    command.arg("-C").arg(repo);
    command
}

fn spread(numbers: &mut [f64]) -> String {
    numbers.sort_by(f64::total_cmp);
    match &*numbers {
        [] => String::new(),
        [only] => format!("{only:.2}"),
        [least, .., most] => format!("{:.2} ({least:.2} to {most:.2})", numbers[numbers.len() / 2]),
    }
}
