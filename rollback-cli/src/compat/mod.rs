//! `RB_COMPAT=git`: `rb revert` and `rb cherry-pick` take git's flags, leave git's state, and say what git says.
//!
//! Hooks of the repository and its programs for signatures run as under git: whoever sets the variable asks for what git
//! would do.

mod options;
mod words;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use clap::CommandFactory;
use rollback_core::error::WorkTreeError;
use rollback_core::process::{SystemHooks, SystemMergeDrivers, SystemRunner, merge_by_strategy};
use rollback_core::repo::GitRelease;
use rollback_core::sequence::{
    SequenceAction, SequenceContext, SequenceEvent, SequenceFront, SequenceOptions, SequenceReport,
    SequenceRequest, SequenceStatus, StrategyCall,
};
use rollback_core::{CommitId, Error, Repo};

use self::options::{Command, Parsed, Refusal};
use crate::args::Cli;
use crate::editor;
use crate::exit::Exit;
use crate::invocation::Invocation;
use crate::session::following_installed_git;
use crate::signals;

/// The exit code, where the variable is set and the command is one of git's.
pub(crate) fn answer(invocation: &Invocation) -> Option<Exit> {
    let wanted = std::env::var_os("RB_COMPAT").is_some_and(|value| value == "git");
    let (first, rest) = invocation.args().split_first().filter(|_| wanted)?;
    let action = match first.to_str()? {
        "revert" => SequenceAction::Revert,
        "cherry-pick" => SequenceAction::Pick,
        _ => return None,
    };
    let typed = rest.iter().take_while(|word| *word != "--");
    if is_own(action, typed.filter_map(|word| word.to_str())) {
        return None;
    }
    let words: Option<Vec<String>> = rest.iter().map(|word| word.to_str().map(ToOwned::to_owned)).collect();
    let Some(words) = words else {
        complain(&["fatal: bad revision: an argument is not UTF-8".into()]);
        return Some(Exit::AsGit(128));
    };
    Some(Exit::AsGit(run(action, &words)))
}

/// Whether one of the words is a flag that rb has and git has not: the command is then rb's, and reads ranges as git does.
fn is_own<'a>(action: SequenceAction, mut words: impl Iterator<Item = &'a str>) -> bool {
    let command = Cli::command();
    let name = match action {
        SequenceAction::Revert => "revert",
        SequenceAction::Pick => "pick",
    };
    let of_command = command.find_subcommand(name).into_iter().flat_map(|found| found.get_arguments());
    let flags = of_command.chain(command.get_arguments()).filter_map(|argument| argument.get_long());
    let own: Vec<&str> = flags.chain(["help"]).filter(|flag| !options::is_known(action, flag)).collect();
    words.any(|word| {
        let flag = word.strip_prefix("--").and_then(|rest| rest.split('=').next());
        flag.is_some_and(|flag| own.contains(&flag))
    })
}

fn run(action: SequenceAction, words: &[String]) -> u8 {
    match options::parse(action, words) {
        Ok(parsed) => carry_out(action, parsed),
        Err(Refusal::Help) => {
            print(&words::usage(action));
            129
        }
        Err(Refusal::Usage(line)) => {
            if !line.is_empty() {
                complain(&[line]);
            }
            let _ = std::io::stderr().write_all(words::usage(action).as_bytes());
            129
        }
        Err(Refusal::Error(line)) => {
            complain(&[line]);
            129
        }
        Err(Refusal::Fatal(line)) => {
            complain(&[line]);
            128
        }
    }
}

fn carry_out(action: SequenceAction, mut parsed: Parsed) -> u8 {
    let repo = match open() {
        Ok(repo) => repo,
        Err(error) => {
            complain(&[format!("fatal: {error}")]);
            return 128;
        }
    };
    let advice = |key: &str| wants_advice(&repo, key);
    let refused = |error: &Error| {
        let said = words::refusal(error, action, &advice);
        complain(&said.lines);
        said.code
    };
    if repo.work_dir().is_none() {
        complain(&["fatal: this operation must be run in a work tree".into()]);
        return 128;
    }
    if let Some(first) = parsed.revisions.first_mut().filter(|first| *first == "-") {
        *first = "@{-1}".into();
    }
    settle(&mut parsed.options, action, &repo);
    let landing = signals::Landing::begin();
    let hooks = SystemHooks::new(Arc::new(SystemRunner), repo.program_timeout().unwrap_or_default());
    let mut context = SequenceContext::default();
    context.hooks = Some(Arc::new(hooks.cancel(landing.token())));
    context.as_git = true;
    context.reflog_action = text_of("GIT_REFLOG_ACTION");
    let help = text_of("GIT_CHERRY_PICK_HELP");
    context.helped = help.is_some();
    context.edits_resolved = std::io::stdin().is_terminal();
    let no_commit = parsed.options.no_commit;
    let mut front = Front { repo: &repo, action, help, no_commit };
    let report = match parsed.command {
        Some(Command::Quit) => repo.quit_sequence(),
        Some(Command::Abort) => repo.abort_sequence(&context, &mut front),
        Some(Command::Skip) => repo.skip_in_sequence(Some(action), &context, &mut front),
        Some(Command::Continue) => {
            let edit = parsed.options.edit;
            match repo.continue_sequence(Some(action), edit, &context, &mut front) {
                Err(Error::WorkTree(WorkTreeError::Unmerged { .. })) => {
                    complain(&words::unmerged_at_commit(&advice));
                    return 128;
                }
                other => other,
            }
        }
        None => begin(&repo, action, parsed, &context, &mut front),
    };
    let code = match report {
        Ok(report) => ended(&report, action, &repo),
        Err(Error::BadRequest(why)) if why.starts_with("unknown option") => {
            let _ = std::io::stderr().write_all(words::usage(action).as_bytes());
            129
        }
        Err(error) => refused(&error),
    };
    drop(landing);
    code
}

fn begin(
    repo: &Repo,
    action: SequenceAction,
    parsed: Parsed,
    context: &SequenceContext,
    front: &mut Front<'_>,
) -> Result<SequenceReport, Error> {
    let mut revisions = parsed.revisions;
    if let Some(at) = revisions.iter().position(|word| word == "--stdin") {
        let lines: Vec<String> = std::io::stdin().lines().map_while(Result::ok).collect();
        revisions.splice(at..=at, lines.into_iter().filter(|line| !line.is_empty()));
    }
    let named = repo.commits_for_sequence(action, &revisions)?;
    let mut request = SequenceRequest::new(action, named.commits);
    (request.single, request.options) = (named.single, parsed.options);
    request.target = revisions.join(" ");
    repo.begin_sequence(&request, context, front)
}

/// What the configuration and the terminal decide where no flag does.
fn settle(options: &mut SequenceOptions, action: SequenceAction, repo: &Repo) {
    if options.strategy.is_none() && action == SequenceAction::Pick {
        let configured = repo.config_string("pull.twohead");
        options.strategy = configured.and_then(|names| names.split(' ').next().map(ToOwned::to_owned));
    }
    if options.edit.is_none() && action == SequenceAction::Revert && std::io::stdin().is_terminal() {
        options.edit = Some(true);
    }
}

fn open() -> Result<Repo, Error> {
    let folder =
        std::env::current_dir().map_err(|source| Error::Io { action: "find", path: ".".into(), source })?;
    let repo = Repo::discover_with_environment(&folder)?;
    let programs = repo.own_programs()?;
    let repo = repo.trusting(&programs);
    let drivers = SystemMergeDrivers::new(Arc::new(SystemRunner), repo.program_timeout()?);
    Ok(following_installed_git(repo).with_merge_drivers(Arc::new(drivers)))
}

fn wants_advice(repo: &Repo, key: &str) -> bool {
    let switched_off = std::env::var_os("GIT_ADVICE").is_some_and(|value| value == "0");
    !switched_off && repo.config_string(&format!("advice.{key}")).is_none_or(|value| value != "false")
}

fn text_of(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// What is said at the end, and the exit code.
fn ended(report: &SequenceReport, action: SequenceAction, repo: &Repo) -> u8 {
    if let Some(failure) = &report.later_failure {
        complain(&[format!("error: {failure}")]);
    }
    match report.status {
        SequenceStatus::Empty => {
            let in_sequence = repo.git_dir().join("sequencer").is_dir();
            print(&on_branch(repo));
            if action == SequenceAction::Revert {
                print("nothing to commit, working tree clean\n");
            }
            complain(&words::empty(action, in_sequence));
            1
        }
        SequenceStatus::EmptyMessage => {
            complain(&["Aborting commit due to empty commit message.".into()]);
            1
        }
        SequenceStatus::EditorFailed => {
            complain(&["Please supply the message using either -m or -F option.".into()]);
            1
        }
        _ if report.is_stopped() => 1,
        _ => 0,
    }
}

fn on_branch(repo: &Repo) -> String {
    match repo.head_branch() {
        Some(branch) => format!("On branch {branch}\n"),
        None => "HEAD detached\n".into(),
    }
}

/// Says what git says while a sequence goes on, and starts the editor.
struct Front<'a> {
    repo: &'a Repo,
    action: SequenceAction,
    help: Option<String>,
    no_commit: bool,
}

impl SequenceFront for Front<'_> {
    fn edit(&mut self, file: &Path) -> Result<(), String> {
        editor::edit_file(file, self.repo, std::io::stdin().is_terminal())
    }

    fn merge_by_strategy(&mut self, call: &StrategyCall<'_>) -> Result<i32, String> {
        let Some(folder) = self.repo.work_dir() else { return Err("there is no work tree".to_owned()) };
        let ids = [call.base, call.ours, call.theirs.0];
        merge_by_strategy(folder, call.name, call.options, ids).map_err(|error| error.to_string())
    }

    fn tell(&mut self, event: SequenceEvent<'_>) {
        match event {
            SequenceEvent::Merged(merged) => {
                let lines = words::merge(merged, "theirs");
                print(&lines.into_iter().map(|line| format!("{line}\n")).collect::<String>());
            }
            SequenceEvent::Committed(commit) => print(&self.committed(commit)),
            SequenceEvent::Dropped(commit) => {
                let subject = self.subject(commit);
                complain(&[format!("dropping {commit} {subject} -- patch contents already upstream")]);
            }
            SequenceEvent::Rerere(event) => complain(&[words::rerere(event)]),
            SequenceEvent::CouldNotMerge { commit, action, conflicts } => {
                let done = if action == SequenceAction::Revert { "revert" } else { "apply" };
                let name = self.repo.abbreviation(commit);
                let subject = self.subject(commit);
                complain(&[format!("error: could not {done} {name}... {subject}")]);
                if !wants_advice(self.repo, "mergeConflict") {
                } else if let Some(help) = &self.help {
                    complain(&help.lines().map(|line| format!("hint: {line}")).collect::<Vec<_>>());
                    complain(&[format!("hint: {}", words::how_to_disable(self.git()))]);
                } else if conflicts {
                    complain(&words::advice_on_conflict(self.action, self.no_commit, self.git()));
                }
            }
            SequenceEvent::Hook(run) => {
                let _ = std::io::stderr().write_all(run.output.as_bytes());
            }
            SequenceEvent::HeadMoved => {
                complain(&["warning: You seem to have moved HEAD. Not rewinding, check your HEAD!".into()])
            }
            _ => {}
        }
    }
}

impl Front<'_> {
    fn git(&self) -> GitRelease {
        self.repo.followed_git().unwrap_or_default().release()
    }

    fn subject(&self, commit: CommitId) -> String {
        let message = self.repo.commit_message(commit).unwrap_or_default();
        words::subject(message.trim_start_matches('\n')).to_owned()
    }

    /// The lines that git prints of a commit that it made.
    fn committed(&self, commit: CommitId) -> String {
        let branch = self.repo.head_branch().unwrap_or_else(|| "detached HEAD".into());
        let name = self.repo.abbreviation(commit);
        let mut text = format!("[{branch} {name}] {}\n", self.subject(commit));
        if let Ok(people) = self.repo.commit_people(commit) {
            if people.author != people.committer {
                text.push_str(&format!(" Author: {}\n", people.author));
            }
            text.push_str(&format!(" Date: {}\n", people.date));
        }
        if let Ok(summary) = self.repo.change_summary(commit) {
            for line in words::counts(&summary) {
                text.push_str(&format!("{line}\n"));
            }
        }
        text
    }
}

fn print(text: &str) {
    // A reader who has gone is no reason to stop.
    let _ = std::io::stdout().write_all(text.as_bytes());
    let _ = std::io::stdout().flush();
}

fn complain(lines: &[String]) {
    for line in lines {
        let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
    }
}
