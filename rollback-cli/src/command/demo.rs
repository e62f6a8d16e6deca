//! `rb demo`: a broken repository is built in a temporary folder, rolled back, and every step shown.
//!
//! The commands of a demo are run, not quoted: what is shown is what they print, and where one ends
//! otherwise than its script says, the demo fails.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rollback_core::Error;
use rollback_core::import::{self, ImportOptions};
use serde::Serialize;
use tempfile::TempDir;

use super::Outcome;
use crate::args;
use crate::demo::{Demo, Step};
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::invocation::Invocation;
use crate::render::style::{Palette, paint};
use crate::render::{Look, json, text};
use crate::session::{self, Session};

/// Runs `rb demo`.
pub(crate) fn run(args: &args::Demo, session: &mut Session) -> Outcome {
    let demo = Demo::find(args.name.as_deref()).ok_or_else(|| unknown(args, session))?;
    let folder = build(&demo)?;
    let played = play(&demo, folder.path(), session);
    let kept = args.keep.then(|| folder.keep());
    let as_promised = played.iter().all(|step| step.as_promised);
    if session.console.json() {
        session.console.print(&json::document(&Played::new(&demo, kept, played)));
    } else {
        let ending = ending(&demo, kept, session);
        session.console.tell(&ending);
    }
    if as_promised {
        return Ok(Exit::Done);
    }
    Err(Failure::new(Exit::Internal, "internal", "the demo did not go as its script says")
        .with_hint("this is a bug; please report it with the output of the demo")
        .into())
}

fn unknown(args: &args::Demo, session: &Session) -> Failure {
    let demos = Demo::all();
    let names: Vec<_> = demos.iter().map(|demo| demo.name).collect();
    let name = args.name.as_deref().unwrap_or_default();
    Failure::usage(format!("there is no demo '{}'; there are: {}", text::escape(name), names.join(", ")))
        .with_hint(format!("the usual one is played with: {}", session.invocation.command(&["demo"])))
}

/// The repository of the demo, before anything has happened to it.
fn build(demo: &Demo) -> Result<TempDir, Problem> {
    let folder = tempfile::Builder::new().prefix("rb-demo-").tempdir().map_err(|source| Error::Io {
        action: "create a folder in",
        path: std::env::temp_dir(),
        source,
    })?;
    let mut options = ImportOptions::default();
    options.branch = demo.script.branch.clone();
    options.identity = Some((demo.script.identity.name.clone(), demo.script.identity.email.clone()));
    import::create(folder.path(), demo.history, &options)?;
    Ok(folder)
}

/// A step, and how it went.
#[derive(Debug, Serialize)]
struct PlayedStep {
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
    as_promised: bool,
}

/// A demo, and how it went.
#[derive(Debug, Serialize)]
struct Played {
    schema_version: u32,
    demo: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<String>,
    steps: Vec<PlayedStep>,
}

impl Played {
    fn new(demo: &Demo, folder: Option<PathBuf>, steps: Vec<PlayedStep>) -> Self {
        Self {
            schema_version: rollback_core::plan::SCHEMA_VERSION,
            demo: demo.name,
            folder: folder.map(|folder| folder.display().to_string()),
            steps,
        }
    }
}

fn play(demo: &Demo, folder: &Path, session: &mut Session) -> Vec<PlayedStep> {
    let heading = paint(Palette::HEADING, &demo.script.title);
    session.console.tell(&format!("{heading}\n{}\n", paint(Palette::QUIET, &demo.script.about)));
    let steps = demo.script.steps.iter().enumerate();
    steps.map(|(index, step)| play_step(index + 1, step, folder, session)).collect()
}

fn play_step(number: usize, step: &Step, folder: &Path, session: &mut Session) -> PlayedStep {
    let look = session.console.look();
    let mut shown = format!("\n{}\n", paint(Palette::NAME, format!("{number}. {}", step.title)));
    for line in step.say.iter().flat_map(|say| text::wrap(say, look.width().saturating_sub(3))) {
        shown.push_str(&format!("   {line}\n"));
    }
    session.console.tell(&shown);
    let command = (!step.run.is_empty()).then(|| run_command(step, folder, look, session));
    let mut as_promised = command.as_ref().is_none_or(|(_, exit)| exit.code() == step.exit);
    for expectation in &step.expect {
        let holds = expectation.holds(folder);
        as_promised &= holds;
        let sign =
            if holds { paint(Palette::GOOD, look.signs.yes) } else { paint(Palette::BAD, look.signs.no) };
        session.console.tell(&format!("   {sign} {}\n", expectation.describe()));
    }
    let (command, exit) = command.unzip();
    PlayedStep { title: step.title.clone(), command, exit_code: exit.map(Exit::code), as_promised }
}

/// Runs the command of a step and shows it as it would look in a terminal.
fn run_command(step: &Step, folder: &Path, look: Look, session: &mut Session) -> (String, Exit) {
    const MARGIN: usize = 5;
    let words: Vec<OsString> = step.run.iter().map(OsString::from).collect();
    let argv = std::iter::once(OsString::from("rb")).chain(words.iter().cloned()).collect();
    let typed = Invocation::new(argv).text();
    session.console.tell(&format!(
        "\n   {} {}\n",
        paint(Palette::QUIET, "$"),
        paint(Palette::COMMAND, &typed)
    ));
    let narrower = Look { columns: Some(look.width().saturating_sub(MARGIN)), ..look };
    let (output, exit) = session::run_captured(&words, folder, narrower);
    let quiet = paint(Palette::QUIET, look.signs.line);
    let mut shown = String::new();
    for line in output.lines() {
        shown.push_str(format!("   {quiet} {line}").trim_end());
        shown.push('\n');
    }
    let code = exit.code();
    let (style, remark) = if code == step.exit {
        (Palette::QUIET, String::new())
    } else {
        (Palette::BAD, format!(", and {} was expected", step.exit))
    };
    shown.push_str(&format!("   {}\n", paint(style, format!("exit code {code}{remark}"))));
    session.console.tell(&shown);
    (typed, exit)
}

fn ending(demo: &Demo, kept: Option<PathBuf>, session: &Session) -> String {
    match kept {
        Some(folder) => {
            let folder = crate::invocation::quote(folder.as_os_str().as_encoded_bytes());
            format!("\nThe repository stays in {folder}\n")
        }
        None => {
            let keep = session.invocation.command(&["demo", demo.name, "--keep"]);
            format!(
                "\nThe repository is gone again. {} keep one to try things in with: {}\n",
                paint(Palette::QUIET, "next:"),
                paint(Palette::COMMAND, keep)
            )
        }
    }
}
