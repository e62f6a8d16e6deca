//! Many merges asked of `git merge-tree --stdin`, or of a program that answers as it does.

use std::io::{BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::suite::Tally;

/// An answer: the verdict, the tree and the stages, as they were spelled; nothing where the program died of it.
pub type Answer = Option<Vec<u8>>;

/// What a program took for all questions.
pub struct Effort {
    /// From its start to its end.
    pub time: Duration,
    /// The peak of its memory in MiB; 0 where the system does not say.
    pub memory: u64,
}

/// Puts all questions to a program, `BASE -- OURS THEIRS` and a line end each. Where it dies, the question it died of has
/// no answer, and a new one goes on.
///
/// # Errors
/// Where the program cannot be started.
pub fn ask(questions: &[String], program: impl Fn() -> Command) -> Result<(Vec<Answer>, Effort), String> {
    let mut answers: Vec<Answer> = Vec::new();
    let mut effort = Effort { time: Duration::ZERO, memory: 0 };
    while answers.len() < questions.len() {
        let input = questions[answers.len()..].concat();
        let begun = Instant::now();
        let mut child = start(program())?;
        let mut stdin = child.stdin.take().ok_or("no pipe")?;
        let stdout = child.stdout.take().ok_or("no pipe")?;
        let (mut out, process, done) = (Vec::new(), child.id(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(move || stdin.write_all(input.as_bytes()));
            let peak = scope.spawn(|| watch_memory(process, &done));
            let read = std::io::Read::read_to_end(&mut BufReader::new(stdout), &mut out);
            done.store(true, Ordering::Relaxed);
            effort.memory = effort.memory.max(peak.join().unwrap_or(0));
            read.map_err(|error| error.to_string())
        })?;
        let _ = child.wait();
        effort.time += begun.elapsed();
        let mut rest = out.as_slice();
        while let Some(answer) = next_answer(&mut rest) {
            answers.push(Some(answer));
        }
        if answers.len() < questions.len() {
            answers.push(None);
        }
    }
    Ok((answers, effort))
}

/// Starts a program with pipes for questions and answers.
///
/// # Errors
/// Where it cannot be started.
pub fn start(mut program: Command) -> Result<Child, String> {
    program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{:?}: {error}", program.get_program()))
}

/// The highest memory that the system saw the process hold, in MiB, looked at until `done`.
fn watch_memory(process: u32, done: &AtomicBool) -> u64 {
    let file = format!("/proc/{process}/status");
    let mut peak = 0;
    while !done.load(Ordering::Relaxed) {
        let status = std::fs::read_to_string(&file).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak = kilobytes.map_or(peak, |kilobytes| peak.max(kilobytes / 1024));
        std::thread::sleep(Duration::from_millis(5));
    }
    peak
}

/// Verdict, tree and stages, each ended by a NUL, and a NUL more.
fn next_answer(rest: &mut &[u8]) -> Answer {
    let mut at = 0;
    for part in 0.. {
        let length = rest[at..].iter().position(|byte| *byte == 0)?;
        at += length + 1;
        if part >= 2 && length == 0 {
            break;
        }
    }
    let (answer, left) = rest.split_at(at);
    *rest = left;
    Some(answer.to_vec())
}

/// Counts how each answer relates to git's, and takes down those that differ.
pub fn judge(questions: &[String], ours: &[Answer], theirs: &[Answer], tally: &mut Tally) {
    for ((question, ours), theirs) in questions.iter().zip(ours).zip(theirs) {
        let is_clean = |answer: &Vec<u8>| answer.first() == Some(&b'1');
        let is_review = |answer: &[u8]| answer.first() == Some(&b'0') && !answer.contains(&b'\t');
        let verdict = match (ours, theirs) {
            (_, None) => "git died of it",
            (None, Some(_)) => "DIED",
            (Some(ours), Some(theirs)) if ours == theirs && is_clean(ours) => "same, clean",
            (Some(ours), Some(theirs)) if ours == theirs => "same, conflicted",
            (Some(ours), Some(_)) if is_review(ours) => "needs review",
            (Some(ours), Some(theirs)) => match (is_clean(ours), is_clean(theirs)) {
                (true, true) => "ANOTHER TREE",
                (true, false) => "CLEAN WHERE GIT IS NOT",
                (false, true) => "a conflict where git has none",
                (false, false) => "another conflict",
            },
        };
        tally.count(verdict);
        if !verdict.starts_with("same") && verdict != "needs review" && theirs.is_some() {
            tally.difference(format!("{verdict}: {}", question.trim()));
        }
    }
}
