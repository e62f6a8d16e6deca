//! `rb man`: a manual page, as roff.

use std::io::Write;
use std::path::Path;

use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use rollback_core::Error;

use super::Outcome;
use crate::args;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hint::Hint;
use crate::render::json;
use crate::session::Session;
use crate::settings::{GIT_KEYS, OWN_KEYS, VARIABLES};

/// Runs `rb man`.
pub(crate) fn run(args: &args::Man, session: &mut Session) -> Outcome {
    if let Some(folder) = &args.into {
        return write_all(&session.folder().join(folder), session);
    }
    let page = match &args.command {
        None => overview(session)?,
        Some(name) => of_command(name, session)?,
    };
    match session.console.json() {
        true => session.console.print(&json::text(&String::from_utf8_lossy(&page))),
        false => session.console.print_bytes(&page),
    }
    Ok(Exit::Done)
}

/// Writes the page of each command and of the whole, which answers to both names of the program.
fn write_all(folder: &Path, session: &mut Session) -> Outcome {
    let mut pages = vec![("rb".to_owned(), overview(session)?)];
    pages.push(("git-rb".to_owned(), b".so man1/rb.1\n".to_vec()));
    let all = args::command(&session.invocation);
    for command in all.get_subcommands() {
        let name = command.get_name();
        pages.push((format!("rb-{name}"), of_command(name, session)?));
    }
    std::fs::create_dir_all(folder).map_err(|source| io_error(folder, source))?;
    for (name, page) in &pages {
        let path = folder.join(format!("{name}.1"));
        std::fs::write(&path, page).map_err(|source| io_error(&path, source))?;
    }
    let said = format!("{} pages are in {}.\n", pages.len(), folder.display());
    match session.console.json() {
        true => session.console.print(&json::text(&said)),
        false => session.console.tell(&said),
    }
    Ok(Exit::Done)
}

fn io_error(path: &Path, source: std::io::Error) -> Error {
    Error::Io { action: "write", path: path.to_owned(), source }
}

fn overview(session: &Session) -> Result<Vec<u8>, Failure> {
    let command = args::command(&session.invocation);
    rendered(&Man::new(command), true)
}

fn of_command(name: &str, session: &Session) -> Result<Vec<u8>, Failure> {
    let mut all = args::command(&session.invocation);
    all.build();
    let Some(command) = all.find_subcommand(name) else {
        return Err(Failure::usage(format!("'{name}' is not a command"))
            .with_hint(Hint::new("see the commands with", session.invocation.command(&["--help"]))));
    };
    let title = format!("rb-{}", command.get_name());
    let command = command.clone().name(title.clone());
    rendered(&Man::new(command).title(title), name == "config")
}

fn rendered(man: &Man, with_settings: bool) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    let more = |page: &mut Vec<u8>| if with_settings { settings(page) } else { Ok(()) };
    man.render(&mut page).and_then(|()| more(&mut page)).and_then(|()| exit_status(&mut page)).map_err(
        |error| Failure::new(Exit::Internal, "internal", "cannot render the manual page").caused_by(error),
    )?;
    Ok(page)
}

fn settings(page: &mut impl Write) -> std::io::Result<()> {
    let mut roff = Roff::new();
    for (heading, table) in
        [("CONFIGURATION", OWN_KEYS), ("CONFIGURATION OF GIT", GIT_KEYS), ("ENVIRONMENT", VARIABLES)]
    {
        roff.control("SH", [heading]);
        for setting in table {
            let default = match setting.default {
                "" => String::new(),
                default => format!(" (default: {default})"),
            };
            roff.control("TP", []);
            roff.text([bold(setting.name)]);
            roff.text([roman(format!("{}{default}", setting.about))]);
        }
    }
    roff.to_writer(page)
}

fn exit_status(page: &mut impl Write) -> std::io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (exit, meaning) in Exit::ALL {
        let code = match exit {
            Exit::Signal(_) => "128+n".to_owned(),
            exit => exit.code().to_string(),
        };
        roff.control("TP", []);
        roff.text([bold(code)]);
        roff.text([roman(meaning)]);
    }
    roff.to_writer(page)
}
