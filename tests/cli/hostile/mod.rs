//! Hostile inputs against the real `rb`, each row with a control that does the harm which `rb` must not do.
//!
//! `RB_HOSTILE` is the number of inputs, `RB_HOSTILE_SEED` chooses them. A short slice runs with the ordinary tests;
//! `cargo test -p rollback-cli --test cli hostile:: -- --nocapture` prints what was tried.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a suite that cannot go on fails where it stands")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a suite says what it tried, and what it could not try"
)]

mod contents;
mod damage;
mod disks;
mod handed_over;
mod limits;
mod programs;
mod promises;
mod records;
mod runbooks;
mod world;

use std::collections::BTreeMap;

use test_kit::suite::Seeded;

use world::Case;

/// A row of the table of hostile inputs.
struct Row {
    name: &'static str,
    /// Makes an input.
    make: fn(&mut Seeded) -> Case,
}

const ROWS: &[Row] = &[
    Row { name: "names in raw trees", make: contents::names },
    Row { name: "trees that break the rules", make: contents::shapes },
    Row { name: "links that git reads", make: contents::links },
    Row { name: "a link d and a file d/f", make: contents::link_and_folder },
    Row { name: "procedures in the tree", make: contents::procedures },
    Row { name: "procedures that run nothing", make: runbooks::untrusted },
    Row { name: "what untrusted procedures would keep", make: runbooks::copies },
    Row { name: "remotes that are options", make: runbooks::remotes },
    Row { name: "values that become options or code", make: runbooks::values },
    Row { name: "names that lead out of a run's folder", make: runbooks::names },
    Row { name: "links of the tree that are read through", make: runbooks::links },
    Row { name: "files changed after they were trusted", make: runbooks::pinned },
    Row { name: "procedures without end", make: runbooks::bounds },
    Row { name: "patterns without end", make: runbooks::patterns },
    Row { name: "marks that hide what is trusted", make: runbooks::marks },
    Row { name: "names of references", make: handed_over::references },
    Row { name: "links in the git directory", make: handed_over::links },
    Row { name: "work tree elsewhere", make: handed_over::work_tree },
    Row { name: "programs in the configuration", make: programs::configured },
    Row { name: "hooks", make: programs::hooks },
    Row { name: "variables of git", make: programs::variables },
    Row { name: "journals", make: records::journals },
    Row { name: "operation logs", make: records::operations },
    Row { name: "checkpoints", make: records::checkpoints },
    Row { name: "runs that name folders", make: records::runs },
    Row { name: "what was displaced, as links", make: records::displaced },
    Row { name: "permissions in records", make: records::permissions },
    Row { name: "secrets in other spellings", make: runbooks::secrets },
    Row { name: "plans that were altered", make: promises::plans },
    Row { name: "damage under what is kept", make: promises::kept },
    Row { name: "writes of git that are not flushed", make: promises::unflushed },
    Row { name: "restores that were killed", make: promises::finished },
    Row { name: "searches that end in records", make: promises::searched },
    Row { name: "two runs at once", make: promises::pairs },
    Row { name: "programs that a killed run left", make: promises::left_running },
    Row { name: "files of variables", make: promises::variables },
    Row { name: "shared repositories", make: promises::shared },
    Row { name: "one record that cannot be read", make: promises::unreadable },
];

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn hostile_inputs_neither_write_outside_nor_run_code() {
    let (count, seed) = (number("RB_HOSTILE", ROWS.len() as u64), number("RB_HOSTILE_SEED", 2026));
    let mut dice = Seeded::new(seed);
    let mut tried: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut exits: BTreeMap<i32, usize> = BTreeMap::new();
    let mut harmful = Vec::new();
    for nth in 0..count as usize {
        let row = &ROWS[nth % ROWS.len()];
        let case = (row.make)(&mut dice);
        let before = case.world.surroundings();
        for command in &case.commands {
            let (code, output) = case.world.rb(command, &case.variables);
            *exits.entry(code).or_default() += 1;
            tried.entry(row.name).or_default().1 += 1;
            // 0 to 10 are answers, 74 and 75 are what the system or somebody else is in the way of.
            if !matches!(code, 0..=10 | 74 | 75) {
                harmful.push(format!("{}: {} {command:?}: exit {code}\n{output}", row.name, case.what));
            }
        }
        tried.entry(row.name).or_default().0 += 1;
        let harm = case.harm(&before);
        if !harm.is_empty() {
            harmful.push(format!("{}: {} {:?}: {harm:?}", row.name, case.what, case.commands));
        }
    }
    println!("{count} hostile inputs, seed {seed}, (inputs, commands) by row: {tried:#?}");
    println!("exit codes: {exits:?}; {} wrote outside, ran code or had no answer", harmful.len());
    assert!(harmful.is_empty(), "{}", harmful.join("\n"));
}

#[test]
fn the_controls_of_hostile_inputs_write_outside_or_run_code() {
    let (count, seed) = (number("RB_HOSTILE", ROWS.len() as u64), number("RB_HOSTILE_SEED", 2026));
    let mut dice = Seeded::new(seed);
    let mut noticed: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for nth in 0..(count as usize).min(20 * ROWS.len()) {
        let row = &ROWS[nth % ROWS.len()];
        let case = (row.make)(&mut dice);
        let before = case.world.surroundings();
        (case.control)(&case.world);
        let harm = case.harm(&before);
        assert!(!harm.is_empty(), "{}: {}: the control did no harm that was noticed", row.name, case.what);
        let counts = noticed.entry(row.name).or_default();
        *counts = (counts.0 + 1, counts.1 + harm.len());
    }
    println!("controls, seed {seed}, (inputs, harm noticed) by row: {noticed:#?}");
    assert_eq!(noticed.len(), ROWS.len(), "every row has its control");
}

/// A number of the seed's, as an item of the list.
fn one<T: Clone>(dice: &mut Seeded, list: &[T]) -> T {
    list[dice.below(list.len())].clone()
}

/// Words of a command line.
fn words(line: &str) -> Vec<String> {
    line.split(' ').map(ToOwned::to_owned).collect()
}

/// Some of the commands, in an order of the seed's.
fn some(dice: &mut Seeded, lines: &[&str], count: usize) -> Vec<Vec<String>> {
    let mut lines: Vec<_> = lines.iter().map(|line| words(line)).collect();
    dice.shuffle(&mut lines);
    lines.truncate(count);
    lines
}

/// What is asked of a repository with hostile contents.
const ASKED: &[&str] = &[
    "status",
    "history src/a.txt",
    "history .",
    "revert HEAD",
    "revert HEAD --dry-run --json",
    "revert --file src/a.txt",
    "revert hostile --branch other",
    "pick hostile",
    "pick hostile -n",
    "pick hostile --branch picked",
    "restore . -s hostile --allow-loss",
    "restore src -s hostile -n",
    "checkpoint create safe",
    "checkpoint restore safe",
    "is-reverted hostile",
    "ops",
    "undo",
];
