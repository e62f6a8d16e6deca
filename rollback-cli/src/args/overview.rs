//! The overview that `rb --help` prints: commands in the order in which people need them, and how each
//! is called.

use clap::{Arg, ArgAction, Command};

use crate::demo::Demo;
use crate::invocation::Invocation;
use crate::terminal::style::{Palette, paint};

/// The headings, and the commands under each.
const GROUPS: [(&str, &[&str]); 6] = [
    ("Going back (all take --dry-run)", &["revert", "pick", "restore", "apply", "reapply"]),
    ("After a stop", &["continue", "skip", "abort", "quit"]),
    ("Procedures", &["run", "resume", "verify", "procedure"]),
    ("What rb did", &["undo", "redo", "publish", "checkpoint", "ops", "report", "status"]),
    ("Asking (nothing is written)", &["history", "show", "is-reverted", "rehearse", "bisect", "evaluate"]),
    ("Other", &["trust", "prune", "config", "demo", "completions", "man", "schema", "merge-tree"]),
];

/// How the commands are called that the parser would describe less well.
const USAGES: [(&str, &[&str]); 25] = [
    ("revert", &["[OPTIONS] --file PATH…", "[OPTIONS] COMMIT… [-- PATH…]"]),
    ("pick", &["[OPTIONS] COMMIT… [-- PATH…]"]),
    ("restore", &["[OPTIONS] PATH… [-s REV]"]),
    ("apply", &["[OPTIONS] PLAN"]),
    ("reapply", &["[OPTIONS] COMMIT"]),
    ("run", &["[OPTIONS] PROCEDURE [--phase PHASE]"]),
    ("resume", &["[OPTIONS] [--run ID]"]),
    ("continue", &["[OPTIONS] [--run ID]"]),
    ("abort", &["[--run ID]"]),
    ("publish", &["[OPTIONS] [OP] [--push [REMOTE]]", "[OPTIONS] --run ID"]),
    ("verify", &["[OPTIONS] PROCEDURE"]),
    ("undo", &["[OP] [--dry-run]", "--git [BRANCH] [--dry-run]"]),
    ("procedure", &["list", "show PROCEDURE [--markdown]", "check [FILE…]", "new NAME"]),
    ("evaluate", &["[OPTIONS] PROCEDURE --samples FILE"]),
    ("ops", &["[-n N] [--all]"]),
    ("rehearse", &["[OPTIONS] RANGE…", "--merge FILE… [--min-revertible PCT]"]),
    ("bisect", &["[OPTIONS] --check CMD [--good REV] [-- PATH…]"]),
    ("report", &["[OPTIONS] [OP]", "[OPTIONS] --run ID", "[OPTIONS] --rehearsal FILE…"]),
    ("history", &["[OPTIONS] PATH"]),
    ("show", &["[OPTIONS] PLAN"]),
    ("is-reverted", &["[OPTIONS] COMMIT [--in REV]", "[OPTIONS] COMMIT [--in A..B]", "[OPTIONS] --stdin"]),
    ("merge-tree", &["--stdin [-z] [--threads N]"]),
    ("config", &["[NAME]", "--all"]),
    ("man", &["[COMMAND]", "--into FOLDER"]),
    ("demo", &["[NAME] [--keep]"]),
];

/// Gives the command line its overview, one form of help, and the name it was called by.
pub(crate) fn arrange(command: Command, invocation: &Invocation) -> Command {
    let program = invocation.program();
    let command = USAGES.into_iter().fold(command, |command, (name, usages)| {
        command.mut_subcommand(name, |sub| sub.override_usage(usage(program, name, usages)))
    });
    // The scripts are read only where their names may be shown.
    let command = match invocation.args().iter().any(|word| word == "demo") {
        true => command.mut_subcommand("demo", |demo| demo.after_long_help(demos())),
        false => command,
    };
    let command = command.mut_subcommand("rehearse", |rehearse| {
        // Nothing lands there.
        let flags = ["checks", "setup", "links", "environment", "timeout", "no_check_control"];
        let rehearse = rehearse.mut_args(|arg| match flags.contains(&arg.get_id().as_str()) {
            true => arg.help_heading("Checking the results"),
            false => arg,
        });
        rehearse.mut_arg("checks", |check| {
            check.help("Count only what passes this program, run on each clean result. Can be given again")
        })
    });
    let command = command.mut_subcommand("bisect", |bisect| {
        // The tip is judged by what is searched for, not compared with.
        let flags = ["checks", "setup", "links", "environment", "timeout"];
        let bisect = bisect.mut_args(|arg| match flags.contains(&arg.get_id().as_str()) {
            true => arg.help_heading("Checking the commits"),
            false => arg,
        });
        let bisect = bisect.mut_arg("no_check_control", |flag| flag.hide(true));
        bisect.mut_arg("checks", |check| {
            check.help("A commit is good where this program ends with 0. Can be given again").required(true)
        })
    });
    let heading = |text: &str| paint(Palette::HEADING, text);
    let template = format!(
        "{{about}}\n\n{} {program} [OPTIONS] COMMAND …\n\n{}{}\n{{options}}\n\n{}",
        heading("Usage:"),
        list(&command),
        heading("Options:"),
        footer(program),
    );
    command.help_template(template).disable_help_flag(true).arg(help())
}

/// The demos that travel inside the program.
fn demos() -> String {
    let mut text = String::from("Demos:\n");
    for demo in Demo::all() {
        text.push_str(&format!("  {}  {}\n", crate::terminal::text::pad(demo.name, 10), demo.script.about));
    }
    text
}

/// `-h` prints the short help, `--help` the long one with examples.
fn help() -> Arg {
    Arg::new("help")
        .short('h')
        .long("help")
        .global(true)
        .action(ArgAction::Help)
        .help("Print help: -h for a screen of it, --help for all of it")
        .help_heading("Common options")
}

fn usage(program: &str, name: &str, usages: &[&str]) -> String {
    let lines: Vec<_> = usages.iter().map(|usage| format!("{program} {name} {usage}")).collect();
    lines.join("\n       ")
}

fn list(command: &Command) -> String {
    let mut text = String::new();
    for (heading, names) in GROUPS {
        text.push_str(&paint(Palette::HEADING, format!("{heading}:")));
        text.push('\n');
        for name in names {
            let about = command
                .find_subcommand(name)
                .and_then(Command::get_about)
                .map(ToString::to_string)
                .unwrap_or_default();
            text.push_str(&format!(
                "  {}{}  {about}\n",
                paint(Palette::NAME, name),
                " ".repeat(12_usize.saturating_sub(name.len())),
            ));
        }
        text.push('\n');
    }
    text
}

fn footer(program: &str) -> String {
    format!(
        "Try it without risk: {}. More about a command: {}\n",
        paint(Palette::COMMAND, format!("{program} demo")),
        paint(Palette::COMMAND, format!("{program} COMMAND --help")),
    )
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_stands_in_the_overview_once() {
        let mut listed: Vec<_> = GROUPS.iter().flat_map(|(_, names)| *names).collect();
        listed.sort();
        let command = crate::args::Cli::command();
        let mut defined: Vec<_> = command.get_subcommands().map(Command::get_name).collect();
        defined.sort_unstable();
        assert_eq!(listed.into_iter().copied().collect::<Vec<_>>(), defined);
    }
}
