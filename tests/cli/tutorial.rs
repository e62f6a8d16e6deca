//! TUTORIAL.md is run: what it types, in one shell, and what comes of it.
//!
//! A block that begins with three backticks and `console` holds commands, each after `$ ` and continued after `> `, and
//! under each command its output, both streams together. A command has to succeed, unless the next one is `echo $?`.
//! The clock of git goes on by a minute a command. What differs is compared by its shape: [`without_what_varies`]. A hash
//! of 64 digits in a command is the last one that was printed.
//!
//! `RB_BLESS=1 cargo test --workspace --test cli tutorial` writes the outputs of today into the page.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::LazyLock;

use regex::Regex;
use test_kit::page::hold;
use test_kit::{Sandbox, mutants};

use crate::kit::path_with_rb;

/// What the shell prints after a command, before the exit code.
const MARK: &str = "-- the command has ended: ";

/// Reads commands that end with a zero byte. The first of the dates is 2025-01-01 09:00 UTC.
const SHELL: &str = r#"
exec 3<&0 </dev/null 2>&1
rb_code=0 rb_date=1735722000
while IFS= read -r -u 3 -d '' rb_command; do
    export GIT_AUTHOR_DATE="$rb_date +0000" GIT_COMMITTER_DATE="$rb_date +0000"
    (exit "$rb_code")
    eval "$rb_command" 3<&-
    rb_code=$? rb_date=$((rb_date + 60))
    printf '\n%s%d\n' "$RB_MARK" "$rb_code"
done
"#;

static HASH: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[0-9a-f]{64}\b").expect("a pattern"));

/// A part of the page.
enum Part {
    Text(String),
    /// What is typed, and the output as the page has it.
    Command {
        typed: String,
        output: String,
    },
}

/// The parts of a page.
fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut in_block = false;
    for line in page.lines() {
        if line.starts_with("```") {
            in_block = line == "```console";
            parts.push(Part::Text(String::new()));
        }
        match parts.last_mut() {
            _ if in_block && line.starts_with("$ ") => {
                parts.push(Part::Command { typed: line[2..].to_owned(), output: String::new() });
            }
            Some(Part::Command { typed, output }) if output.is_empty() && line.starts_with('>') => {
                *typed += &format!("\n{}", line[1..].strip_prefix(' ').unwrap_or_default());
            }
            Some(Part::Command { output: text, .. } | Part::Text(text)) => *text += &format!("{line}\n"),
            None => parts.push(Part::Text(format!("{line}\n"))),
        }
    }
    parts
}

/// The page that has these parts.
fn page_of(parts: &[Part]) -> String {
    let of = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Command { typed, output } => {
            let lines: Vec<_> = typed.lines().map(|line| format!("> {line}").trim_end().to_owned()).collect();
            let lines = lines.join("\n");
            format!("${}\n{output}", lines.strip_prefix('>').unwrap_or(&lines))
        }
    };
    parts.iter().map(of).collect()
}

/// A shell with `rb`, whose folder is called `/home/you`.
struct Shell {
    child: Child,
    commands: ChildStdin,
    printed: BufReader<ChildStdout>,
    folder: Sandbox,
}

impl Shell {
    fn new() -> Self {
        let folder = Sandbox::folder();
        let mut command: Command = folder.command("bash");
        command.args(["-c", SHELL]).env("PATH", path_with_rb()).env("RB_MARK", MARK);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("a shell can be started");
        let commands = child.stdin.take().expect("it is piped");
        let printed = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, commands, printed, folder }
    }

    /// What the command printed, and its exit code.
    fn run(&mut self, command: &str) -> (String, i32) {
        self.commands.write_all(command.as_bytes()).expect("the shell reads");
        self.commands.write_all(&[0]).expect("the shell reads");
        let mut output = String::new();
        loop {
            let begin = output.len();
            let read = self.printed.read_line(&mut output).expect("output is UTF-8");
            assert_ne!(read, 0, "the shell ended at: {command}\n{output}");
            if let Some(code) = output[begin..].strip_prefix(MARK) {
                let code = code.trim().parse().expect("a number");
                // The line end before the mark is not the command's.
                let printed =
                    output[..begin - 1].replace(&self.folder.path().display().to_string(), "/home/you");
                return (printed, code);
            }
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The page without what differs from run to run: days and times of the day, how long something took, and ids, whose
/// equality alone is kept. An id is random or, as that of a commit, follows from one that is; it is known by seven digits.
pub(crate) fn without_what_varies(text: &str) -> String {
    static VARIES: LazyLock<Regex> = LazyLock::new(|| {
        let day = r"(?<day>\b\d{4}-\d\d-\d\d\b)";
        let time = r"(?<time>\b\d\d:\d\d(:\d\d)?\b)";
        let took = r"(?<took>\b\d+s\b|\b\d+(\.\d+)? (ms|s|min|minutes)\b)";
        let id = r"\b[0-9a-f]{7,64}\b";
        Regex::new(&[day, time, took, id].join("|")).expect("a pattern")
    });
    let mut ids: BTreeMap<String, usize> = BTreeMap::new();
    let shape = |found: &regex::Captures<'_>| match ["day", "time", "took"]
        .iter()
        .find(|name| found.name(name).is_some())
    {
        Some(name) => format!("<{name}>"),
        None => {
            let next = ids.len();
            format!("<id {}>", ids.entry(found[0][..7].to_owned()).or_insert(next))
        }
    };
    VARIES.replace_all(text, shape).into_owned()
}

/// The page as a run of its commands makes it.
fn played(page: &str) -> String {
    let mut parts = parts(page);
    let mut shell = Shell::new();
    let mut last_hash = None;
    let mut failed: Option<String> = None;
    for part in &mut parts {
        let Part::Command { typed, output } = part else { continue };
        if let Some(hash) = &last_hash {
            *typed = HASH.replace_all(typed, hash).into_owned();
        }
        if typed != "echo $?" {
            assert_eq!(failed, None);
        }
        let (printed, code) = shell.run(typed);
        failed = (code != 0).then(|| format!("exit code {code}: {typed}\n{printed}"));
        last_hash = HASH.find_iter(&printed).last().map(|hash| hash.as_str().to_owned()).or(last_hash);
        *output = printed;
    }
    assert_eq!(failed, None);
    page_of(&parts)
}

/// Holds a page, by its path from the top of the project, to a run of its commands.
pub(crate) fn hold_to_a_run(path: &str) {
    let page = std::fs::read_to_string(mutants::project().join(path)).expect("the page");
    assert_eq!(page_of(&parts(&page)), page, "{path}: parts are the whole page");
    hold(path, &played(&page), without_what_varies);
}

#[test]
fn the_tutorial_prints_what_it_says() {
    hold_to_a_run("TUTORIAL.md");
}
