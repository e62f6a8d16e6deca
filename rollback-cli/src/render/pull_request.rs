//! The words of a pull request: what was rolled back and how, what it costs, what was checked, how it is undone.

use rollback_core::oplog::Operation;
use rollback_core::procedure::show::Block;
use rollback_core::receipt::Receipt;
use rollback_core::report::Report;
use rollback_core::{Repo, RepoPath};

use super::markdown;

/// How many rows of a kind are shown.
const SHOWN: usize = 50;

/// The facts of a report that are no business of this machine alone.
const FACTS: [&str; 5] = ["The change", "Reason", "Strategy", "Loss", "Pull request"];

/// A title, and a description in Markdown.
pub(crate) struct Words {
    pub(crate) title: String,
    pub(crate) body: String,
}

/// The words for an operation; `conflicts` are the paths that hold markers.
pub(crate) fn words(
    report: &Report,
    operation: &Operation,
    receipt: Option<&Receipt>,
    conflicts: &[RepoPath],
    repo: &Repo,
) -> Words {
    let subject = operation.after.and_then(|commit| Some(repo.commit_summary(commit).ok()?.subject));
    let title = match (operation.commit_ids.len(), subject) {
        (2.., _) | (_, None) => report.title.clone(),
        (_, Some(subject)) => subject,
    };
    let mut blocks = vec![Block::Paragraph(format!("{}.", report.title))];
    blocks.extend(unresolved(conflicts, operation));
    blocks.push(Block::Table { head: vec!["", ""], rows: facts(report, operation, receipt, repo) });
    blocks.extend(listed(
        "Paths",
        report.changes.iter().map(|row| format!("{} {}", row.kind, code(&row.path.to_string()))),
    ));
    blocks.extend(ways(report));
    blocks.extend(checks(report));
    Words { title: title.replace('\n', " "), body: markdown::render(&blocks) }
}

fn facts(report: &Report, operation: &Operation, receipt: Option<&Receipt>, repo: &Repo) -> Vec<Vec<String>> {
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let mut rows = Vec::new();
    let class = receipt.and_then(|receipt| receipt.plan.chosen_attempt()).map(|chosen| chosen.loss.class);
    let class = class.and_then(|class| Some(serde_json::to_value(class).ok()?.as_str()?.to_owned()));
    rows.extend(class.map(|class| row("Loss class", code(&class))));
    let told = report.facts.iter().filter(|fact| FACTS.contains(&fact.name.as_str()));
    rows.extend(told.map(|fact| row(&fact.name, code(&fact.value))));
    let short: Vec<_> = operation.commit_ids.iter().map(|id| repo.abbreviation(*id)).collect();
    rows.push(row("Commits", short.join(", ")));
    rows.push(row("Operation", code(&operation.operation_id)));
    let undo: Vec<_> = operation.commit_ids.iter().rev().map(ToString::to_string).collect();
    rows.push(row("Undo", code(&format!("rb revert {}", undo.join(" ")))));
    rows
}

/// What is still to be done where the result holds markers.
fn unresolved(conflicts: &[RepoPath], operation: &Operation) -> Vec<Block> {
    if conflicts.is_empty() {
        return Vec::new();
    }
    let reference = operation.reference.to_string();
    let branch = super::short_reference(&reference);
    let mut blocks = vec![Block::Paragraph(
        "There was no clean way: these paths hold conflict markers. It is not to be merged before they are resolved."
            .to_owned(),
    )];
    blocks.extend(listed("Conflicts", conflicts.iter().map(|path| code(&path.to_string()))));
    blocks.push(Block::Code(format!(
        "git fetch && git switch {branch}\n# resolve the paths, then:\ngit commit -a && git push"
    )));
    blocks
}

fn ways(report: &Report) -> Vec<Block> {
    if report.ladder.is_empty() {
        return Vec::new();
    }
    let rows = report.ladder.iter().take(SHOWN).map(|rung| {
        let way = format!("{} {}", rung.strategy, rung.subject);
        vec![code(way.trim()), rung.result.clone(), code(&rung.why)]
    });
    let heading = Block::Heading { level: 3, text: "Ways that were tried".into() };
    vec![heading, Block::Table { head: vec!["way", "result", "why"], rows: rows.collect() }]
}

fn checks(report: &Report) -> Vec<Block> {
    if report.checks.is_empty() {
        return vec![Block::Paragraph("No checks were asked for.".to_owned())];
    }
    let said = |look: &Option<rollback_core::report::Look>| {
        look.as_ref().map_or("not run".to_owned(), |look| look.verdict.to_string())
    };
    let rows = report.checks.iter().take(SHOWN);
    let rows =
        rows.map(|check| vec![code(&check.name), code(&said(&check.before)), code(&said(&check.candidate))]);
    let heading = Block::Heading { level: 3, text: "Checks".into() };
    vec![heading, Block::Table { head: vec!["check", "before", "result"], rows: rows.collect() }]
}

fn listed(heading: &str, rows: impl Iterator<Item = String>) -> Vec<Block> {
    let mut rows: Vec<_> = rows.collect();
    let hidden = rows.len().saturating_sub(SHOWN);
    rows.truncate(SHOWN);
    rows.extend((hidden > 0).then(|| format!("and {hidden} more")));
    match rows.is_empty() {
        true => Vec::new(),
        false => vec![Block::Heading { level: 3, text: heading.to_owned() }, Block::List(rows)],
    }
}

/// A code span: nothing in it is a link, a mention or a word that closes an issue.
fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.contains('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}
