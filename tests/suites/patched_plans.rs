//! The patches of plans from real histories, applied by `git apply` to the tip: the tree is the one the plan says.
//!
//! ```text
//! cargo run --release -p rollback-test-kit --bin patched-plans -- --rb target/release/rb \
//!     --repo A --repo B [--count 500] [--last 3000] [--seed 1]
//! ```
//!
//! A case is a commit that can be undone on the tip, whole or by the exact state before it. The patch is taken from
//! `rb revert C --dry-run --json --patch --allow-loss`; what `git apply --cached` makes of the tip's index must be the
//! tree of the chosen way, and `git diff --binary` of the two trees the same text, binary content aside. Functions are
//! found by git's default rule, whatever driver an attribute names. Ends with 1 where anything differs.
#![expect(clippy::print_stdout, reason = "the report is what the suite is for")]

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;
use test_kit::patch::difference;
use test_kit::suite::{Arguments, Seeded, Subject, Tally, document, last_commits};

/// The drivers that git has rules for functions of.
const DRIVERS: [&str; 26] = [
    "ada", "bash", "bibtex", "cpp", "csharp", "css", "dts", "elixir", "fortran", "fountain", "golang",
    "html", "ini", "java", "kotlin", "markdown", "matlab", "objc", "pascal", "perl", "php", "python", "ruby",
    "rust", "scheme", "tex",
];

fn main() -> ExitCode {
    test_kit::suite::main(run)
}

fn run() -> Result<ExitCode, String> {
    let arguments = Arguments::read(500)?;
    println!("seed {}", arguments.seed);
    let (mut left, mut total) = (arguments.count, Tally::default());
    for (at, source) in arguments.repos.iter().enumerate() {
        let share = left.div_ceil(arguments.repos.len() - at);
        let subject = Subject::clone_of(source)?;
        for driver in DRIVERS {
            subject.repo().git(&["config", &format!("diff.{driver}.xfuncname"), "^[A-Za-z_$].*$"]);
        }
        let seed = arguments.seed.wrapping_add(at as u64);
        let tally = try_plans(&arguments.rb, &subject, share, seed, arguments.number("--last", 3000));
        left = left.saturating_sub(tally.of("applied"));
        println!("{}", tally.report(&source.display().to_string()));
        total.add(&tally);
    }
    println!("{}", total.report("all repositories"));
    Ok(if total.differences().is_empty() && left == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn try_plans(rb: &Path, subject: &Subject, count: usize, seed: u64, last: usize) -> Tally {
    let (repo, mut tally) = (subject.repo(), Tally::default());
    let mut samples = last_commits(repo, last);
    Seeded::new(seed).shuffle(&mut samples);
    for sample in samples {
        if tally.of("applied") >= count {
            break;
        }
        let revert = ["revert", &sample.id, "--dry-run", "--json", "--patch", "--allow-loss"];
        let plan = document(&repo.rb(rb).args(revert).output().expect("rb can be started"));
        let Some(way) = plan["chosen"].as_u64().map(|at| &plan["attempts"][at as usize]) else {
            tally.count("no clean way");
            continue;
        };
        let (Some(patch), Some(tree)) = (bytes(&plan["diff"]["patch"]), way["tree_id"].as_str()) else {
            tally.difference(format!("{}: the plan has no patch", sample.id));
            continue;
        };
        repo.git(&["read-tree", "HEAD"]);
        if !patch.is_empty() {
            repo.git_with_input(&["apply", "--cached", "--whitespace=nowarn"], &patch);
        }
        let found = repo.git(&["write-tree"]);
        if found.trim() != tree {
            tally.difference(format!("{}: git made {found}, the plan {tree}", sample.id));
            continue;
        }
        let expected = repo.git_bytes(&["diff", "--binary", "HEAD", tree]);
        if let Some(difference) = difference(&patch, &expected) {
            tally.difference(format!("{}: {difference}", sample.id));
        }
        tally.count("applied");
    }
    repo.git(&["read-tree", "HEAD"]);
    tally
}

/// The bytes that a document holds as text, or in hexadecimal where they are no UTF-8.
fn bytes(value: &Value) -> Option<Vec<u8>> {
    if let Some(text) = value.as_str() {
        return Some(text.as_bytes().to_vec());
    }
    let hex = value["bytes_hex"].as_str()?;
    (0..hex.len() / 2).map(|nth| u8::from_str_radix(&hex[2 * nth..2 * nth + 2], 16).ok()).collect()
}
