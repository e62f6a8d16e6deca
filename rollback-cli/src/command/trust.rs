//! `rb trust`: say that a repository's own programs, or a procedure, may run here. What that covers is shown first.

use rollback_core::plan::SCHEMA_VERSION;
use rollback_core::trust::{Fingerprint, REPOSITORY, TrustRecord, Trusted, fingerprint_of};
use serde::Serialize;

use super::Outcome;
use crate::args::Trusting;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hint::Hint;
use crate::procedures::find;
use crate::render::json;
use crate::session::Session;
use crate::terminal::text::{escape, pad};
use crate::trusted::{trust_key, trust_store};

/// What `--json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct TrustDocument {
    /// The version of this document.
    schema_version: u32,
    /// What was done.
    action: Action,
    /// The records concerned.
    records: Vec<TrustRecord>,
}

/// What was done.
#[derive(Clone, Copy, Debug, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Action {
    /// It is trusted from now on.
    Trusted,
    /// It was trusted as it is, before.
    AlreadyTrusted,
    /// It is not trusted any more.
    Removed,
    /// These are the records.
    Listed,
}

/// What the user is asked to trust.
struct Asked {
    /// What it is called.
    title: String,
    /// The procedure, or nothing for the repository.
    procedure: String,
    /// What is pinned and what it would do, a line each.
    rows: Vec<String>,
    fingerprint: Fingerprint,
}

/// Runs `rb trust`.
pub(crate) fn run(args: &Trusting, session: &mut Session) -> Outcome {
    if args.list {
        return list(session);
    }
    if args.remove {
        return remove(args, session);
    }
    let asked = asked(args, session)?;
    if args.show_hash {
        return show_hash(&asked, session);
    }
    let (repo, store) = (session.repo()?, trust_store()?);
    let key = trust_key(&repo);
    let before = store.check(&key, &asked.procedure, &asked.fingerprint)?;
    if before != Trusted::Yes {
        consent(args, &asked, &before, session)?;
        store.trust(&key, &asked.procedure, &asked.fingerprint)?;
    }
    let action = if before == Trusted::Yes { Action::AlreadyTrusted } else { Action::Trusted };
    let said = match action {
        Action::AlreadyTrusted => "is trusted already, as it is",
        _ => "is trusted from now on, as it is",
    };
    let records: Vec<_> = store
        .list()?
        .into_iter()
        .filter(|record| record.procedure == asked.procedure && record.fingerprint == asked.fingerprint)
        .filter(|record| record.repository == key.display().to_string())
        .collect();
    let text = format!("{} {said}.\n", escape(&asked.title));
    tell(session, TrustDocument { schema_version: SCHEMA_VERSION, action, records }, &text);
    Ok(Exit::Done)
}

/// Prints the hash that a pipeline is given, and nothing else.
fn show_hash(asked: &Asked, session: &mut Session) -> Outcome {
    let Fingerprint { hash, files, .. } = &asked.fingerprint;
    match session.console.json() {
        true => {
            let document = serde_json::json!({ "procedure": asked.procedure, "hash": hash, "files": files });
            session.console.print(&json::document(&document));
        }
        false => session.console.print(&format!("{hash}\n")),
    }
    Ok(Exit::Done)
}

fn asked(args: &Trusting, session: &mut Session) -> Result<Asked, crate::failure::Problem> {
    let Some(name) = &args.procedure else {
        let repo = session.repo()?;
        let programs = repo.own_programs()?;
        return Ok(Asked {
            title: format!("The repository at {}", trust_key(&repo).display()),
            procedure: REPOSITORY.to_owned(),
            rows: programs
                .iter()
                .map(|program| format!("{}  {}", pad(&escape(&program.name), 24), escape(&program.what)))
                .collect(),
            fingerprint: fingerprint_of(&programs),
        });
    };
    let found = find(name, session)?;
    let files = found.fingerprint.files.iter().map(|(file, hash)| {
        format!("{}  {}", pad(&escape(file), 24), hash.as_deref().unwrap_or("is not there"))
    });
    let acts = found.acts();
    Ok(Asked {
        title: format!("Procedure '{}' ({})", found.procedure.id, found.place),
        procedure: found.procedure.id.clone(),
        rows: files.chain(acts).collect(),
        fingerprint: found.fingerprint,
    })
}

/// The user who has seen it, or a hash that a pipeline names. `--yes` is no trust.
fn consent(
    args: &Trusting,
    asked: &Asked,
    before: &Trusted,
    session: &mut Session,
) -> Result<(), crate::failure::Problem> {
    let hash = &asked.fingerprint.hash;
    let refused = |message: String| {
        let command = match &args.procedure {
            Some(name) => session.invocation.command(&["trust", name, "--hash", hash]),
            None => session.invocation.command(&["trust", "--hash", hash]),
        };
        Failure::new(Exit::Consent, "not-trusted", message)
            .with_hint(Hint::new("if you have read it, trust it as it is with", command))
    };
    match &args.hash {
        Some(given) if given.eq_ignore_ascii_case(hash) => return Ok(()),
        Some(_) => {
            return Err(refused(format!("{} is not what that hash names: it is {hash}", asked.title)).into());
        }
        None => {}
    }
    let mut text = format!("{} would do this here:\n", escape(&asked.title));
    for row in &asked.rows {
        text.push_str(&format!("  {row}\n"));
    }
    if asked.rows.is_empty() {
        text.push_str("  nothing of its own\n");
    }
    if let Trusted::Changed(files) = before {
        text.push_str(&format!("Since it was trusted these changed: {}\n", escape(&files.join(", "))));
    }
    text.push_str(&format!("hash {hash}\n"));
    if !session.console.can_ask() {
        if !session.console.json() {
            session.console.complain(&text);
        }
        return Err(
            refused(format!("there is no terminal to ask whether to trust {}", lower(&asked.title))).into()
        );
    }
    session.console.complain(&format!("{text}Trust it as it is now? [y/N] "));
    match session.console.read_yes() {
        true => Ok(()),
        false => Err(refused(format!("{} is not trusted", asked.title)).into()),
    }
}

fn lower(title: &str) -> String {
    let mut text = title.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    text
}

fn remove(args: &Trusting, session: &mut Session) -> Outcome {
    let (repo, store) = (session.repo()?, trust_store()?);
    let procedure = args.procedure.as_deref().unwrap_or(REPOSITORY);
    // A procedure that is gone can still be named.
    let id = find_id(procedure, session);
    let key = trust_key(&repo);
    let records: Vec<_> = store
        .list()?
        .into_iter()
        .filter(|record| record.procedure == id && record.repository == key.display().to_string())
        .collect();
    let was_there = store.forget(&key, &id)?;
    let text = if was_there { "It is not trusted any more.\n" } else { "It was not trusted.\n" };
    tell(session, TrustDocument { schema_version: SCHEMA_VERSION, action: Action::Removed, records }, text);
    Ok(if was_there { Exit::Done } else { Exit::NothingToDo })
}

fn find_id(name: &str, session: &mut Session) -> String {
    if name == REPOSITORY {
        return REPOSITORY.to_owned();
    }
    find(name, session).map_or_else(|_| name.to_owned(), |found| found.procedure.id)
}

fn list(session: &mut Session) -> Outcome {
    let records = trust_store()?.list()?;
    let mut text = String::new();
    for record in &records {
        let what = match record.procedure.as_str() {
            REPOSITORY => "its own programs".to_owned(),
            procedure => format!("procedure {procedure}"),
        };
        text.push_str(&format!(
            "{}  {}  {}\n",
            escape(&record.repository),
            escape(&what),
            &record.fingerprint.hash[..record.fingerprint.hash.len().min(12)]
        ));
    }
    if records.is_empty() {
        text.push_str("Nothing is trusted.\n");
    }
    match session.console.json() {
        true => session.console.print(&json::document(&TrustDocument {
            schema_version: SCHEMA_VERSION,
            action: Action::Listed,
            records,
        })),
        false => session.console.print(&text),
    }
    Ok(Exit::Done)
}

fn tell(session: &mut Session, document: TrustDocument, text: &str) {
    match session.console.json() {
        true => session.console.print(&json::document(&document)),
        false => session.console.tell(text),
    }
}
