//! `rb procedure`: which procedures there are, what they say, whether they hold together, and a new one.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use rollback_core::Error;
use rollback_core::error::RepositoryError;
use rollback_core::procedure::catalogue::{CatalogueError, Place};
use rollback_core::procedure::{Problem as Mistake, show};
use serde::Serialize;

use super::Outcome;
use crate::args::{Procedure, ProcedureAction};
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::procedures;
use crate::render::{document, json, markdown};
use crate::session::Session;
use crate::terminal::text::{count, escape, escape_lines};

/// What a new procedure begins as.
const TEMPLATE: &str = include_str!("procedure/new.toml");

/// Runs `rb procedure`.
pub(crate) fn run(args: Procedure, session: &mut Session) -> Outcome {
    match args.action {
        ProcedureAction::List => list(session),
        ProcedureAction::Show { procedure, markdown } => show_one(&procedure, markdown, session),
        ProcedureAction::Check { files } => check(&files, session),
        ProcedureAction::New { name } => new(&name, session),
    }
}

/// A procedure that can be named, as `--json` lists it.
#[derive(Serialize)]
struct Row {
    name: String,
    /// `work-tree`, `user` or `built-in`.
    place: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// What keeps it from being read.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What `--json` prints of all procedures.
#[derive(Serialize)]
struct Procedures {
    procedures: Vec<Row>,
}

fn list(session: &mut Session) -> Outcome {
    let catalogue = procedures::catalogue(session);
    let mut rows = Vec::new();
    for (name, place) in catalogue.list() {
        let (kind, file) = match &place {
            Place::WorkTree(path) => ("work-tree", Some(path)),
            Place::User(path) => ("user", Some(path)),
            _ => ("built-in", None),
        };
        // By its file, since a name can be there twice.
        let named = file.map_or(name.clone(), |path| path.display().to_string());
        let (title, error) = match catalogue.load(&named) {
            Ok((procedure, _)) => (procedure.document.title, None),
            Err(CatalogueError::Wrong(problems)) => (None, Some(count(problems.0.len(), "mistake"))),
            Err(error) => (None, Some(error.to_string())),
        };
        let file = file.map(|path| path.display().to_string());
        rows.push(Row { name, place: kind, file, title, error });
    }
    if session.console.json() {
        session.console.print(&json::document(&Procedures { procedures: rows }));
        return Ok(Exit::Done);
    }
    let text = document::table(
        &["name", "comes from", "what it is"],
        rows.iter().map(|row| {
            let from = match &row.file {
                Some(file) => shortened(file, session.folder()),
                None => "built in".to_owned(),
            };
            let what = row.title.clone().or(row.error.clone()).unwrap_or_default();
            vec![row.name.clone(), from, what]
        }),
        session.console.look(),
    );
    session.console.print(&text);
    Ok(Exit::Done)
}

/// A path as it is typed in the present folder.
fn shortened(file: &str, folder: &Path) -> String {
    Path::new(file).strip_prefix(folder).map_or(file.to_owned(), |path| path.display().to_string())
}

fn show_one(name: &str, as_markdown: bool, session: &mut Session) -> Outcome {
    let found = procedures::find(name, session)?;
    if session.console.json() {
        session.console.print(&json::document(&found.procedure.document.to_json()));
        return Ok(Exit::Done);
    }
    let blocks = show::show(&found.procedure);
    let look = session.console.look();
    // In a pipe, Markdown is what can be used.
    let text = match as_markdown || look.columns.is_none() {
        true => escape_lines(&markdown::render(&blocks)),
        false => document::render(&blocks, look),
    };
    session.console.print(&text);
    Ok(Exit::Done)
}

/// What `--json` prints of a check.
#[derive(Serialize)]
struct Checked {
    files: usize,
    mistakes: Vec<Mistake>,
}

fn check(files: &[OsString], session: &mut Session) -> Outcome {
    let files = match files {
        [] => of_work_tree(session)?,
        files => files.iter().map(|file| file.to_string_lossy().into_owned()).collect(),
    };
    let catalogue = procedures::catalogue(session);
    let mut mistakes = Vec::new();
    for file in &files {
        match catalogue.load(file) {
            Ok(_) => {}
            Err(CatalogueError::Wrong(problems)) => mistakes.extend(problems.0),
            Err(error) => return Err(error.into()),
        }
    }
    let exit = if mistakes.is_empty() { Exit::Done } else { Exit::Usage };
    if session.console.json() {
        let failure = (exit == Exit::Usage).then(|| bad_procedures(mistakes.len(), files.len(), session));
        let document = Checked { files: files.len(), mistakes };
        session.console.print(&json::document_with(&document, failure.as_ref()));
        return Ok(exit);
    }
    for mistake in &mistakes {
        session.console.complain(&format!("{}\n", escape(&mistake.to_string())));
    }
    match mistakes.len() {
        0 => session.console.tell(&format!("{}: no mistake.\n", count(files.len(), "procedure"))),
        number => {
            let failure = bad_procedures(number, files.len(), session);
            session.console.complain(&failure.text(session.console.look().verbose));
        }
    }
    Ok(exit)
}

fn bad_procedures(mistakes: usize, files: usize, session: &Session) -> Failure {
    let message = format!("{} in {}", count(mistakes, "mistake"), count(files, "procedure"));
    Failure::new(Exit::Usage, "bad-procedure", message).with_hint(Hint::new(
        "see what can be written with",
        session.invocation.command(&["schema", "procedure"]),
    ))
}

/// The procedures of the work tree, as files of the present folder.
fn of_work_tree(session: &mut Session) -> Result<Vec<String>, Problem> {
    let files: Vec<String> = procedures::catalogue(session)
        .list()
        .into_iter()
        .filter_map(|(_, place)| match place {
            Place::WorkTree(path) => Some(shortened(&path.display().to_string(), session.folder())),
            _ => None,
        })
        .collect();
    match files.is_empty() {
        true => Err(Failure::new(Exit::Refused, "no-procedures", "there is no procedure in .rb/procedures")
            .with_hint(Hint::new(
                "begin one with",
                session.invocation.command(&["procedure", "new", "release"]),
            ))
            .into()),
        false => Ok(files),
    }
}

fn new(name: &str, session: &mut Session) -> Outcome {
    let repo = session.repo()?;
    let Some(work_dir) = repo.work_dir() else {
        return Err(Problem::Library(
            RepositoryError::NeedsWorkTree {
                operation: "a new procedure",
                git_dir: repo.git_dir().to_owned(),
            }
            .into(),
        ));
    };
    let folder = work_dir.join(".rb").join("procedures");
    let file = folder.join(format!("{name}.toml"));
    let failed = |path: &PathBuf| {
        let path = path.clone();
        move |source| Problem::from(Error::Io { action: "write", path, source })
    };
    std::fs::create_dir_all(&folder).map_err(failed(&folder))?;
    let shown = shortened(&file.display().to_string(), session.folder());
    match OpenOptions::new().write(true).create_new(true).open(&file) {
        Ok(mut open) => {
            open.write_all(TEMPLATE.replace("@NAME@", name).as_bytes()).map_err(failed(&file))?;
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(Failure::new(Exit::Refused, "procedure-exists", format!("{shown} is there already"))
                .with_hint(Hint::new(
                    "read it with",
                    session.invocation.command(&["procedure", "show", &shown]),
                ))
                .into());
        }
        Err(error) => return Err(failed(&file)(error)),
    }
    session.console.tell(&format!(
        "{shown} is there to be edited.\nnext: check it with: {}\n",
        session.invocation.command(&["procedure", "check", &shown])
    ));
    Ok(Exit::Done)
}
