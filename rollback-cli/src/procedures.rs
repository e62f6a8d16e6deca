//! Finding a procedure by what was typed, and whether it may run programs here.
//!
//! Those that travel inside the program are every file of `procedures/`, found when it is built: no name of a procedure
//! stands in the program, and a new one is a new file and nothing else.
//!
//! Trust is recorded outside the repository, by `rb trust` or at a prompt; unattended, the hash comes from the pipeline's
//! configuration. The text of a built-in procedure came with the program, and one of the user's own configuration is the
//! user's: neither needs a record. The files of the work tree that it names do, so one that names any is like all others.

use std::path::{Path, PathBuf};

use rollback_core::Repo;
use rollback_core::procedure::Procedure;
use rollback_core::procedure::acts::acts;
use rollback_core::procedure::catalogue::{BuiltIn, Catalogue, Place};
use rollback_core::procedure::engine::{self, EngineError};
use rollback_core::trust::{Fingerprint, Trusted};

use crate::failure::Problem;
use crate::session::Session;
use crate::terminal::text::{escape, pad};
use crate::trusted::{trust_key, trust_store};

/// File names and texts.
pub(crate) static BUILT_IN: &[BuiltIn] = include!(concat!(env!("OUT_DIR"), "/procedures.rs"));

/// A procedure, where it was found, and what trust in it would cover.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) procedure: Procedure,
    pub(crate) place: Place,
    /// The hash of its files and of the files of the work tree that its commands name.
    pub(crate) fingerprint: Fingerprint,
    /// Whether its text came with the program or from the user's own configuration, and not from the repository.
    is_of_the_user: bool,
}

impl Found {
    /// What finds it again from anywhere in the repository: its name, or its whole path where it was named as a file.
    pub(crate) fn found_as(&self, folder: &Path) -> String {
        match &self.place {
            Place::File(path) => folder.join(path).display().to_string(),
            _ => self.procedure.id.clone(),
        }
    }

    /// What names it on a command line in the present folder.
    pub(crate) fn typed(&self) -> String {
        match &self.place {
            Place::File(path) => path.display().to_string(),
            _ => self.procedure.id.clone(),
        }
    }

    /// Whether nothing of it lies in the checkout: neither its text nor a file that its commands name.
    fn is_vouched_for(&self) -> bool {
        self.is_of_the_user && !self.fingerprint.files.keys().any(|name| name.contains('/'))
    }

    /// What it would do, a line each, to decide whether to trust it.
    pub(crate) fn acts(&self) -> Vec<String> {
        let acts = acts(&self.procedure).into_iter();
        acts.map(|act| format!("{}  {}", pad(&act.kind.to_string(), 11), escape(&act.what))).collect()
    }
}

/// Whether a procedure may act here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It may: it is vouched for, or it is what was trusted.
    Trusted,
    /// It was never trusted here.
    Never,
    /// Something else was trusted: these files have changed since.
    Changed(Vec<String>),
}

/// The procedures that can be named here, and from where.
pub(crate) fn catalogue(session: &mut Session) -> Catalogue {
    // Outside of a repository, and in one that may not be read, the work tree has nothing to say.
    let work_dir = session.repo().ok().and_then(|repo| repo.work_dir().map(Path::to_owned));
    let mut catalogue = built_in();
    catalogue.folder = session.folder().to_owned();
    (catalogue.work_dir, catalogue.user) = (work_dir, of_user());
    catalogue
}

/// The procedures that travel inside the program, and no others.
pub(crate) fn built_in() -> Catalogue {
    let mut catalogue = Catalogue::default();
    catalogue.built_in = BUILT_IN;
    catalogue
}

/// Finds and reads the procedure that was named.
pub(crate) fn find(name: &str, session: &mut Session) -> Result<Found, Problem> {
    let (procedure, place) = catalogue(session).load(name)?;
    let work_dir = session.repo().ok().and_then(|repo| repo.work_dir().map(Path::to_owned));
    let fingerprint = engine::fingerprint(&procedure, work_dir.as_deref());
    let is_of_the_user = match &place {
        Place::BuiltIn(_) => true,
        // A link or a variable can lead from the user's folder into the repository.
        Place::User(path) => !lies_in(path, work_dir.as_deref()),
        _ => false,
    };
    Ok(Found { procedure, place, fingerprint, is_of_the_user })
}

fn lies_in(path: &Path, work_dir: Option<&Path>) -> bool {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    work_dir.is_some_and(|root| whole(path).starts_with(whole(root)))
}

/// Whether the procedure may act in this repository.
pub(crate) fn standing(found: &Found, repo: &Repo) -> Result<Standing, Problem> {
    if found.is_vouched_for() {
        return Ok(Standing::Trusted);
    }
    // Where there is nowhere to keep a record, there is none.
    let Ok(store) = trust_store() else { return Ok(Standing::Never) };
    Ok(match store.check(&trust_key(repo), &found.procedure.id, &found.fingerprint)? {
        Trusted::Yes => Standing::Trusted,
        Trusted::Changed(files) => Standing::Changed(files),
        _ => Standing::Never,
    })
}

/// The hash to run by: the pipeline's, or the procedure's own where it is trusted, or where a person who may be asked
/// says so now.
///
/// # Errors
/// [`EngineError::NotTrusted`] with what changed, where it is not trusted.
pub(crate) fn trusted_hash(
    found: &Found,
    given: Option<&str>,
    may_ask: bool,
    session: &mut Session,
) -> Result<String, Problem> {
    let repo = session.repo()?;
    let hash = &found.fingerprint.hash;
    let refused = |changed| {
        let procedure = found.procedure.id.clone();
        let error = EngineError::NotTrusted { procedure, hash: hash.clone(), changed };
        Err(Problem::of_run(error, Some(&found.typed())))
    };
    // A pipeline that names a hash means that one, whatever is trusted on this machine.
    if let Some(given) = given {
        let same = given.eq_ignore_ascii_case(hash);
        return if same { Ok(hash.clone()) } else { refused(Vec::new()) };
    }
    let changed = match standing(found, &repo)? {
        Standing::Trusted => return Ok(hash.clone()),
        Standing::Never => Vec::new(),
        Standing::Changed(files) => files,
    };
    if !may_ask || !session.console.can_ask() || !ask(found, &changed, session) {
        return refused(changed);
    }
    trust_store()?.trust(&trust_key(&repo), &found.procedure.id, &found.fingerprint)?;
    Ok(hash.clone())
}

/// Asks a person, who is told what it would do and where to read it.
fn ask(found: &Found, changed: &[String], session: &mut Session) -> bool {
    let since = match changed {
        [] => String::new(),
        files => format!("Since it was trusted these changed: {}.\n", escape(&files.join(", "))),
    };
    let read = session.invocation.command(&["procedure", "show", &found.typed()]);
    session.console.complain(&format!(
        "Procedure '{}' ({}) is not trusted here. It would do this:\n{}{since}Read it with: {read}\nTrust it here as it is now? [y/N] ",
        escape(&found.procedure.id),
        escape(&found.place.to_string()),
        found.acts().iter().map(|row| format!("  {row}\n")).collect::<String>(),
    ));
    session.console.read_yes()
}

/// `$XDG_CONFIG_HOME/rb/procedures`, or where the system keeps configuration otherwise.
fn of_user() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let configuration = folder("XDG_CONFIG_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".config")))
        .or_else(|| folder("APPDATA"))?;
    Some(configuration.join("rb").join("procedures"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_registered_and_can_be_loaded() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("procedures");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".toml"))
            .collect();
        files.sort();
        let registered: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
        assert_eq!(registered, files);
        let catalogue = built_in();
        for file in registered {
            let (procedure, place) = catalogue.load(file.trim_end_matches(".toml")).unwrap();
            assert_eq!((format!("{}.toml", procedure.id).as_str(), place), (file, Place::BuiltIn(file)));
        }
    }

    #[test]
    fn a_text_of_the_program_or_the_user_that_names_no_file_of_the_checkout_is_vouched_for() {
        let of = |run: &str, place: Place| {
            let is_of_the_user = matches!(place, Place::BuiltIn(_) | Place::User(_));
            let text = format!(
                "schema = 1\nid = \"x\"\n[phase.p]\nbefore = [\"s\"]\n[[step]]\nid = \"s\"\nrun = [\"{run}\"]\n"
            );
            let procedure = Procedure::parse("x.toml", text.as_bytes(), &()).unwrap();
            let fingerprint = engine::fingerprint(&procedure, None);
            Found { procedure, place, fingerprint, is_of_the_user }.is_vouched_for()
        };
        assert!(of("make", Place::BuiltIn("x.toml")));
        assert!(!of("./scripts/x.sh", Place::BuiltIn("x.toml")));
        assert!(!of("make", Place::WorkTree("x.toml".into())));
        assert!(of("make", Place::User("x.toml".into())));
        assert!(!of("make", Place::File("x.toml".into())));
    }
}
