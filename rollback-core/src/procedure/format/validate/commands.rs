//! Commands: argument lists that are safe to run, by construction.

use super::{Report, way};
use crate::procedure::format::source::Step;
use crate::procedure::placeholder::placeholders;

/// Refuses what a shell would be given, what would end the runner itself, and what rewrites published history.
pub(super) fn check(report: &mut Report<'_>) {
    let mut commands = Vec::new();
    collect(report.document(), &mut commands);
    for (way, command) in commands {
        if let Some((code, message)) = refusal(&command) {
            report.add(code, &way, message);
        }
    }
}

fn collect(document: &super::Document, commands: &mut Vec<(Vec<Step>, Vec<String>)>) {
    macro_rules! lists {
        ($($list:ident . $field:ident),* $(,)?) => {
            $(for (at, row) in document.$list.iter().enumerate() {
                commands.push((way![stringify!($list), at, stringify!($field)].to_vec(), row.$field.clone()));
            })*
        };
    }
    lists!(check.run, step.run, step.undo, evidence.run, message.send);
    for (at, row) in document.diagnose.iter().enumerate() {
        for (index, run) in row.run.iter().enumerate() {
            commands.push((way!["diagnose", at, "run", index].to_vec(), run.clone()));
        }
    }
    for (name, phase) in document.phase.iter() {
        for (at, rung) in phase.ladder.iter().enumerate() {
            commands.push((way!["phase", name, "ladder", at, "run"].to_vec(), rung.run.clone()));
        }
        if let Some(publish) = &phase.publish {
            commands.push((way!["phase", name, "publish", "run"].to_vec(), publish.run.clone()));
        }
    }
    if let Some(publish) = &document.publish {
        commands.push((way!["publish", "run"].to_vec(), publish.run.clone()));
    }
    commands.retain(|(_, command)| !command.is_empty());
}

fn refusal(command: &[String]) -> Option<(&'static str, String)> {
    let (program, arguments) = command.split_first()?;
    let name = program.rsplit('/').next().unwrap_or(program);
    let has = |flags: &[&str]| arguments.iter().any(|argument| flags.contains(&argument.as_str()));
    if program.is_empty() || program.contains(' ') {
        return Some((
            "not-an-argv",
            format!("'{program}' is not a program: write run = [\"program\", \"argument\", …]"),
        ));
    }
    if placeholders(program).next().is_some() {
        return Some(("open-program", format!("the program '{program}' must not come from a value")));
    }
    if matches!(
        name,
        "sh" | "bash" | "dash" | "zsh" | "ksh" | "cmd" | "powershell" | "pwsh" | "eval" | "env" | "xargs"
    ) && arguments.iter().any(|argument| placeholders(argument).next().is_some())
    {
        let message = format!(
            "a value would be read as code by '{name}': pass it in 'env' or to a script as an argument"
        );
        return Some(("spliced-value", message));
    }
    if name == "pkill"
        && (has(&["-f", "--full"])
            || arguments.iter().any(|a| a.starts_with('-') && !a.starts_with("--") && a.contains('f')))
    {
        return Some((
            "kills-itself",
            "'pkill -f' matches whole command lines, this run's own among them: match by name or pid file"
                .into(),
        ));
    }
    if name == "git" && rewrites_history(arguments) {
        return Some((
            "rewrites-history",
            format!("'git {}' rewrites history or discards work: that is not offered", arguments.join(" ")),
        ));
    }
    None
}

fn rewrites_history(arguments: &[String]) -> bool {
    let has = |wanted: &[&str]| arguments.iter().any(|argument| wanted.contains(&argument.as_str()));
    let forced =
        |argument: &String| argument.starts_with("--force") || argument.starts_with('+') || argument == "-f";
    has(&["push"]) && arguments.iter().any(forced) || has(&["reset"]) && has(&["--hard"])
}
