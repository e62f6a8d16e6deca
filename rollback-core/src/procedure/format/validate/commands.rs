//! Commands: argument lists that are safe to run, by construction.

use super::Report;
use crate::procedure::format::commands::{is_interpreter, reads_code, takes_code};
use crate::procedure::format::document::{Document, Input, InputKind};
use crate::procedure::format::source::way;
use crate::procedure::format::{Named, Pattern};
use crate::procedure::placeholder::{Placeholder, Shape, Word, placeholders};

/// Refuses values that could become options or code, what would end the runner itself, and what rewrites published
/// history.
pub(super) fn check(report: &mut Report<'_>, inputs: &[&Document]) {
    for command in report.document().commands() {
        if let Some((code, message)) = refusal(command.run).or_else(|| spliced(command.run, inputs)) {
            report.add(code, &command.way, message);
        }
    }
    for (at, step) in report.document().step.iter().enumerate() {
        of_variables(report, "step", at, &step.env);
    }
    for (at, check) in report.document().check.iter().enumerate() {
        of_variables(report, "check", at, &check.env);
    }
}

/// Variables by which a program is led to other code.
fn leads_to_code(variable: &str) -> bool {
    let whole = ["PATH", "IFS", "ENV", "SHELL", "EDITOR", "VISUAL", "PAGER", "BROWSER", "HOME", "MAKEFLAGS"];
    let start = ["LD_", "DYLD_", "BASH_", "PYTHON", "PERL", "RUBY", "NODE_", "GIT_", "JAVA_", "LUA_", "PHP_"];
    whole.contains(&variable)
        || start.iter().any(|start| variable.starts_with(start))
        || ["_COMMAND", "_OPTIONS", "_PATH", "OPTS"].iter().any(|end| variable.ends_with(end))
}

fn of_variables(report: &mut Report<'_>, list: &str, at: usize, variables: &Named<String>) {
    for (name, value) in variables.iter().filter(|(name, _)| leads_to_code(name)) {
        if let Some(found) = placeholders(value).next() {
            let message =
                format!("the variable {name} leads a program to code: {found} must not stand in it");
            report.add("spliced-value", &way![list, at, "env", name], message);
        }
    }
}

/// Values are whole arguments or follow `NAME=`, and never stand where a program reads code.
fn spliced(command: &[String], inputs: &[&Document]) -> Option<(&'static str, String)> {
    let mut code: Option<&str> = None;
    let mut script = None;
    for (at, argument) in command.iter().enumerate() {
        let found = placeholders(argument).next();
        let attached = argument.split_once('=').is_some_and(|(option, _)| takes_code(option));
        if let Some(found) = found.filter(|_| code.is_some() || attached || script == Some(false)) {
            let by = format!("{found} would be read as code by '{}'", code.unwrap_or(argument));
            return Some(("spliced-value", format!("{by}: pass it in 'env' or to a script as an argument")));
        }
        if let Some(message) = out_of_place(argument, inputs) {
            return Some(("spliced-value", message));
        }
        if reads_code(argument) || at > 0 && takes_code(argument) {
            code = code.or(Some(argument));
        } else if is_interpreter(argument) && script.is_none() {
            script = Some(false);
        } else if script == Some(false) && at > 0 && !argument.starts_with('-') {
            script = Some(true);
        }
    }
    None
}

/// Says where a value of any text may stand instead.
fn out_of_place(argument: &str, inputs: &[&Document]) -> Option<String> {
    let found = placeholders(argument).find(|found| shape(*found, inputs) == Shape::Free)?;
    let text = found.to_string();
    let alone = argument.strip_suffix(text.as_str());
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let named = |before: &str| {
        let name = before.strip_suffix('=').unwrap_or_default().trim_start_matches('-');
        !name.is_empty() && name.chars().all(plain)
    };
    if alone.is_some_and(|before| before.is_empty() || named(before)) {
        return None;
    }
    Some(format!(
        "{found} can be any text: make it an argument of its own, or put it after NAME= in '{argument}'"
    ))
}

/// What a value can be; an input is plain where its declaration makes it so.
fn shape(found: Placeholder<'_>, inputs: &[&Document]) -> Shape {
    match found.word() {
        Ok(Word::Input(name)) => match inputs.iter().find_map(|document| document.input.get(name)) {
            Some(input) if is_plain(input) => Shape::Plain,
            _ => Shape::Free,
        },
        Ok(Word::Known(known)) => known.shape(),
        _ => Shape::Free,
    }
}

fn is_plain(input: &Input) -> bool {
    let plain = |text: &str| {
        !text.starts_with('-')
            && !text.contains("..")
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '%'))
    };
    let numbers = [InputKind::Integer, InputKind::Percentage, InputKind::Duration, InputKind::Boolean];
    // A pattern is as narrow as what it refuses.
    let wide =
        ["a b", "a;b", "$a", "`a", "a|b", "a/../b", "/a", "a&b", "a\"b", "a'b", "(a", "~a", "a<b", "a\\b"];
    let narrow = |pattern: &Pattern| !wide.iter().any(|text| pattern.is_all_of(text));
    numbers.contains(&input.kind)
        || !input.values.is_empty()
            && input.kind != InputKind::List
            && input.values.iter().all(|value| plain(value))
        || input.pattern.as_ref().is_some_and(narrow)
}

fn refusal(command: &[String]) -> Option<(&'static str, String)> {
    let (program, arguments) = command.split_first()?;
    let name = program.rsplit('/').next().unwrap_or(program);
    if program.is_empty() || program.contains(' ') {
        let message = format!("'{program}' is not a program: write run = [\"program\", \"argument\", …]");
        return Some(("not-an-argv", message));
    }
    if program.starts_with('-') {
        return Some(("not-an-argv", format!("'{program}' is an option and no program")));
    }
    if placeholders(program).next().is_some() {
        return Some(("open-program", format!("the program '{program}' must not come from a value")));
    }
    let is_full = |a: &String| a == "--full" || a.starts_with('-') && !a.starts_with("--") && a.contains('f');
    if name == "pkill" && arguments.iter().any(is_full) {
        let message =
            "'pkill -f' matches whole command lines, this run's own among them: match by name or pid file";
        return Some(("kills-itself", message.into()));
    }
    (name == "git" && rewrites_history(arguments)).then(|| {
        let command = arguments.join(" ");
        let message = format!("'git {command}' rewrites history or discards work: that is not offered");
        ("rewrites-history", message)
    })
}

fn rewrites_history(arguments: &[String]) -> bool {
    let has = |wanted: &[&str]| arguments.iter().any(|argument| wanted.contains(&argument.as_str()));
    let forced =
        |argument: &String| argument.starts_with("--force") || argument.starts_with('+') || argument == "-f";
    has(&["push"]) && arguments.iter().any(forced) || has(&["reset"]) && has(&["--hard"])
}
