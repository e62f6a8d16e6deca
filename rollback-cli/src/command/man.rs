//! `rb man`: a manual page, as roff.

use std::io::Write;

use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::Outcome;
use crate::args;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hint::Hint;
use crate::render::json;
use crate::session::Session;

/// Runs `rb man`.
pub(crate) fn run(args: &args::Man, session: &mut Session) -> Outcome {
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

fn overview(session: &Session) -> Result<Vec<u8>, Failure> {
    let command = args::command(&session.invocation);
    rendered(&Man::new(command))
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
    rendered(&Man::new(command).title(title))
}

fn rendered(man: &Man) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    man.render(&mut page).and_then(|()| exit_status(&mut page)).map_err(|error| {
        Failure::new(Exit::Internal, "internal", "cannot render the manual page").caused_by(error)
    })?;
    Ok(page)
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
