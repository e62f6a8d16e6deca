//! `rb demo`: a broken repository is built in a temporary folder, rolled back, and every step shown.
//!
//! The commands of a demo are run, not quoted: what is shown is what they print, and where one ends
//! otherwise than its script says, the demo fails.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rollback_core::Error;
use rollback_core::import::{self, ImportOptions};
use rollback_core::procedure::engine;
use serde::Serialize;
use tempfile::TempDir;

use super::Outcome;
use crate::args;
use crate::demo::{Demo, Step};
use crate::environment::{Ahead, Environment, TRUSTED_HASH};
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::invocation::Invocation;
use crate::procedures;
use crate::render::{Look, json};
use crate::session::Session;
use crate::terminal::style::{Palette, paint};
use crate::terminal::text;

/// Runs `rb demo`.
pub(crate) fn run(args: &args::Demo, session: &mut Session) -> Outcome {
    let demo = Demo::find(args.name.as_deref()).ok_or_else(|| unknown(args, session))?;
    refuse_unknown_programs(&demo, &args.fail, session)?;
    let stage = Stage::build(&demo, &args.fail)?;
    let played = play(&demo, &stage, session)?;
    let kept = args.keep.then(|| stage.keep());
    // Where programs fail that the script does not know of, it goes as it goes.
    let as_promised = !args.fail.is_empty() || played.iter().all(|step| step.as_promised);
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
        .with_hint(Hint::say("this is a bug; please report it with the output of the demo"))
        .into())
}

fn unknown(args: &args::Demo, session: &Session) -> Failure {
    let demos = Demo::all();
    let names: Vec<_> = demos.iter().map(|demo| demo.name).collect();
    let name = args.name.as_deref().unwrap_or_default();
    Failure::usage(format!("there is no demo '{}'; there are: {}", text::escape(name), names.join(", ")))
        .with_hint(Hint::new("the usual one is played with", session.invocation.command(&["demo"])))
}

fn refuse_unknown_programs(demo: &Demo, fail: &[String], session: &Session) -> Result<(), Failure> {
    let known: Vec<_> = Demo::programs().filter(|_| demo.script.procedure.is_some()).collect();
    let Some(unknown) = fail.iter().find(|name| !known.contains(&name.as_str())) else { return Ok(()) };
    let what = match known.is_empty() {
        true => format!("the demo '{}' needs no program of the outside world", demo.name),
        false => {
            format!("there is no program '{}'; there are: {}", text::escape(unknown), known.join(", "))
        }
    };
    let hint = Hint::new("it is played with", session.invocation.command(&["demo", demo.name]));
    Err(Failure::usage(what).with_hint(hint))
}

/// Where a demo is played: a repository, and a home folder with the programs of the outside world.
struct Stage {
    folder: TempDir,
    /// Programs that fail in every step.
    fail: Vec<String>,
    /// The time that was not waited for so far.
    ahead: Ahead,
}

impl Stage {
    /// Everything as it is before anything has happened.
    fn build(demo: &Demo, fail: &[String]) -> Result<Self, Problem> {
        let folder = tempfile::Builder::new().prefix("rb-demo-").tempdir().map_err(|source| Error::Io {
            action: "create a folder in",
            path: std::env::temp_dir(),
            source,
        })?;
        let stage = Self { folder, fail: fail.to_vec(), ahead: Ahead::default() };
        let mut options = ImportOptions::default();
        options.branch = demo.script.branch.clone();
        options.identity = Some((demo.script.identity.name.clone(), demo.script.identity.email.clone()));
        import::create(stage.repository(), demo.history, &options)?;
        let programs = stage.home().join("bin");
        let written = std::fs::create_dir_all(&programs).and_then(|()| {
            Demo::write_programs(&programs)?;
            write_all(&stage.home(), &demo.script.home)?;
            write_all(&stage.repository(), &demo.script.untracked)
        });
        written.map_err(|source| Error::Io { action: "write", path: programs, source })?;
        Ok(stage)
    }

    fn repository(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Lets the folder stay, and names the repository in it.
    fn keep(self) -> PathBuf {
        self.folder.keep().join("repository")
    }

    /// What the programs of a step see. The demo vouches for the procedure that it brings itself.
    fn environment(&self, demo: &Demo, step: &Step) -> Result<Environment, Problem> {
        let fail: Vec<_> = self.fail.iter().chain(&step.fail).map(|name| format!("{name}\n")).collect();
        let list = self.home().join("fail");
        std::fs::write(&list, fail.concat()).map_err(|source| Error::Io {
            action: "write",
            path: list,
            source,
        })?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.home().join("bin")).chain(std::env::split_paths(&path));
        let path = std::env::join_paths(folders).unwrap_or(path);
        let mut variables = BTreeMap::from([
            ("PATH".to_owned(), path.to_string_lossy().into_owned()),
            ("HOME".to_owned(), self.home().display().to_string()),
        ]);
        if let Some(name) = &demo.script.procedure {
            let (procedure, _) = procedures::built_in().load(name)?;
            let hash = engine::fingerprint(&procedure, Some(&self.repository())).hash;
            variables.insert(TRUSTED_HASH.to_owned(), hash);
        }
        Ok(Environment::of_a_demo(variables, self.ahead.clone()))
    }
}

fn write_all(folder: &Path, files: &BTreeMap<String, String>) -> std::io::Result<()> {
    for (path, text) in files {
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().unwrap_or(folder))?;
        std::fs::write(file, text)?;
    }
    Ok(())
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

fn play(demo: &Demo, stage: &Stage, session: &mut Session) -> Result<Vec<PlayedStep>, Problem> {
    let heading = paint(Palette::HEADING, &demo.script.title);
    session.console.tell(&format!("{heading}\n{}\n", paint(Palette::QUIET, &demo.script.about)));
    let steps = demo.script.steps.iter().enumerate();
    steps.map(|(index, step)| play_step(demo, index + 1, step, stage, session)).collect()
}

fn play_step(
    demo: &Demo,
    number: usize,
    step: &Step,
    stage: &Stage,
    session: &mut Session,
) -> Result<PlayedStep, Problem> {
    let folder = &stage.repository();
    let look = session.console.look();
    let mut shown = format!("\n{}\n", paint(Palette::NAME, format!("{number}. {}", step.title)));
    for line in step.say.iter().flat_map(|say| text::wrap(say, look.width().saturating_sub(3))) {
        shown.push_str(&format!("   {line}\n"));
    }
    session.console.tell(&shown);
    let environment = stage.environment(demo, step)?;
    let command = (!step.run.is_empty()).then(|| run_command(step, folder, (environment, look), session));
    let mut as_promised = command.as_ref().is_none_or(|(_, exit)| exit.code() == step.exit);
    for expectation in &step.expect {
        let holds = expectation.holds(folder);
        as_promised &= holds;
        let sign =
            if holds { paint(Palette::GOOD, look.signs.yes) } else { paint(Palette::BAD, look.signs.no) };
        session.console.tell(&format!("   {sign} {}\n", expectation.describe()));
    }
    let (command, exit) = command.unzip();
    Ok(PlayedStep { title: step.title.clone(), command, exit_code: exit.map(Exit::code), as_promised })
}

/// Runs the command of a step and shows it as it would look in a terminal.
fn run_command(
    step: &Step,
    folder: &Path,
    (environment, look): (Environment, Look),
    session: &mut Session,
) -> (String, Exit) {
    const MARGIN: usize = 5;
    let words: Vec<OsString> = step.run.iter().map(OsString::from).collect();
    let argv = std::iter::once(OsString::from("rb")).chain(words.iter().cloned()).collect();
    let typed = Invocation::new(argv).as_typed().to_string();
    session.console.tell(&format!(
        "\n   {} {}\n",
        paint(Palette::QUIET, "$"),
        paint(Palette::COMMAND, &typed)
    ));
    let narrower = Look { columns: Some(look.width().saturating_sub(MARGIN)), ..look };
    let (output, exit) = (session.nested)(&words, folder, environment, narrower);
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
            let folder = crate::command_line::quote(folder.as_os_str().as_encoded_bytes());
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
