//! `rb config`: every setting that counts, its value, and where that comes from.

use rollback_core::plan::SCHEMA_VERSION;
use rollback_core::repo::ConfigValue;
use rollback_core::{Error, Repo};

use super::Outcome;
use crate::args::Config;
use crate::exit::Exit;
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::render::json;
use crate::render::settings::{self as render, Kind, Row, Settings};
use crate::session::Session;
use crate::settings::{GIT_KEYS, OWN_KEYS, SECRET, Setting, VARIABLES};

/// Runs `rb config`.
pub(crate) fn run(args: &Config, session: &mut Session) -> Outcome {
    // Outside of a repository the variables are all there is to tell.
    let repo = match session.repo() {
        Ok(repo) => Some(repo),
        Err(Problem::Library(Error::Repository(_))) => None,
        Err(problem) => return Err(problem),
    };
    let mut rows = rows(repo.as_ref(), session);
    if let Some(name) = &args.name {
        rows.retain(|row| row.name.eq_ignore_ascii_case(name));
        if rows.is_empty() {
            let message = format!("'{name}' is no setting that counts here");
            return Err(Failure::usage(message)
                .with_hint(Hint::new("see those that do with", session.invocation.command(&["config"])))
                .into());
        }
    } else if !args.all && !session.console.json() {
        rows.retain(|row| row.kind == Kind::Key || row.value.is_some());
    }
    let look = session.console.look();
    match session.console.json() {
        true => {
            let document = Settings { schema_version: SCHEMA_VERSION, settings: rows };
            session.console.print(&json::document(&document));
        }
        false => {
            let told = args.name.is_some();
            let mut text = render::list(&rows, told, look);
            if !told && !args.all {
                let all = session.invocation.with(&["--all"]);
                text.push_str(&format!("next: those that are not set, too: {all}\n"));
            }
            session.console.print(&text);
        }
    }
    Ok(Exit::Done)
}

fn rows(repo: Option<&Repo>, session: &Session) -> Vec<Row> {
    let keys = |table: &'static [Setting], kind| {
        table
            .iter()
            .map(move |setting| of_key(setting, kind, repo.and_then(|repo| repo.config_value(setting.name))))
    };
    let variables = VARIABLES.iter().map(|setting| {
        let value = session.environment().variable(setting.name);
        let value = value.map(|value| if SECRET.contains(&setting.name) { "set".to_owned() } else { value });
        Row { value, ..of_key(setting, Kind::Variable, None) }
    });
    keys(OWN_KEYS, Kind::Key).chain(keys(GIT_KEYS, Kind::GitKey)).chain(variables).collect()
}

fn of_key(setting: &Setting, kind: Kind, found: Option<ConfigValue>) -> Row {
    let Setting { name, default, about } = *setting;
    let mut row = Row { name, kind, about, default, value: None, scope: None, path: None, line: None };
    if let Some(found) = found {
        row.value = Some(found.value);
        row.scope = Some(found.scope);
        row.path = found.path.map(|path| path.display().to_string());
        row.line = found.line;
    }
    row
}
