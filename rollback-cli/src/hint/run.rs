//! What to type next where a procedure could not be found, or a run was refused.

use std::ffi::{OsStr, OsString};

use rollback_core::procedure::catalogue::{CatalogueError, Place};
use rollback_core::procedure::engine::{APPROVAL_NAMESPACE, EngineError};
use rollback_core::procedure::format::UnknownName;
use rollback_core::procedure::input::InputError;

use super::{Hint, Situation};
use crate::args;
use crate::command_line::CommandLine;
use crate::environment::TRUSTED_HASH;

impl Situation<'_> {
    /// What to type where there is no procedure to run.
    pub(crate) fn hint_without_procedure(&self, error: &CatalogueError) -> Hint {
        match error {
            CatalogueError::Unknown(unknown) => self.unknown_name(unknown, None),
            CatalogueError::Ambiguous { name, places } => {
                let file = places.iter().find_map(|place| match place {
                    Place::File(path) | Place::WorkTree(path) | Place::User(path) => Some(path),
                    _ => None,
                });
                match file {
                    Some(file) => Hint::new(
                        "say which one by its file, such as",
                        self.invocation.with_replaced(OsStr::new(name), file.as_os_str()),
                    ),
                    None => self.procedures(),
                }
            }
            CatalogueError::Unreadable { .. } => self.procedures(),
            CatalogueError::Wrong(_) => Hint::nothing("every mistake is named with its place"),
            _ => Hint::nothing("the error says all there is to say"),
        }
    }

    /// What to type after a run was refused; `procedure` is what names it on a command line.
    pub(crate) fn hint_for_run(&self, error: &EngineError, procedure: Option<&str>) -> Hint {
        let typed = self.invocation;
        match error {
            EngineError::Core(error) => self.hint(error),
            EngineError::Procedure(_) => Hint::nothing("every mistake is named with its place"),
            EngineError::Unknown(unknown) => self.unknown_name(unknown, procedure),
            EngineError::Input(error) => self.input(error, procedure),
            EngineError::Missing { inputs, .. } => {
                self.missing(inputs.iter().map(|(name, _)| name.as_str()), procedure)
            }
            EngineError::NoPhase(known) => match known.first() {
                Some(phase) => Hint::new("name one, such as", typed.with(&["--phase", phase])),
                None => self.show(procedure),
            },
            EngineError::Authority { needed, .. } => match needed.first() {
                Some(role) => Hint::new("if that is what you are", typed.with(&["--role", role])),
                None => self.show(procedure),
            },
            EngineError::Approval { role, .. } => self.explained(
                format!("once it is given, add --approve {role}=NAME with the name of who gave it"),
                procedure,
            ),
            // The program and the key are the approver's own; rb starts none for it.
            EngineError::Unsigned { role, text, .. } => Hint::new(
                format!("let the approver sign it, then add --signature {role}={role}.sig; sign with"),
                CommandLine::Script(format!(
                    "printf '{}' | ssh-keygen -Y sign -n {APPROVAL_NAMESPACE} -f ~/.ssh/id_ed25519 > {role}.sig",
                    text.replace('\n', "\\n")
                )),
            ),
            EngineError::BadApproval { role, .. } => self.explained(
                format!("let it be signed anew, and add --signature {role}=FILE with the file"),
                procedure,
            ),
            EngineError::NotAMember { .. } => Hint::nothing("another person has to ask or approve"),
            EngineError::Confirmation { words, .. } => {
                Hint::new("if that is what you want", typed.with(&["--words", words]))
            }
            EngineError::NotTrusted { procedure: id, hash, .. } => {
                self.not_trusted(procedure.unwrap_or(id), hash)
            }
            EngineError::ForeignScript { script, .. } => {
                Hint::new("see which commits changed it with", typed.command(&["history", script]))
            }
            EngineError::Remote { .. } => {
                Hint::new("see which remotes there are with", typed.git(&["remote", "-v"]))
            }
            EngineError::PublishAfterFailure(_) => {
                Hint::new("if the result is to leave all the same", typed.with(&["--despite-failures"]))
            }
            EngineError::PublishOthers(_) => {
                Hint::new("see them with --dry-run; if they may leave", typed.with(&["--with-others"]))
            }
            EngineError::ValueIsOption { .. }
            | EngineError::Constraint { .. }
            | EngineError::Preserved(_)
            | EngineError::Target(_)
            | EngineError::Ambiguous(_)
            | EngineError::Set { .. }
            | EngineError::Outside { .. } => self.show(procedure),
            error => self.hint_for_known_run(error),
        }
    }

    /// What to type after a run that is on record was refused.
    fn hint_for_known_run(&self, error: &EngineError) -> Hint {
        let typed = self.invocation;
        match error {
            EngineError::AtWork(_)
            | EngineError::Concurrent { .. }
            | EngineError::NoRun(_)
            | EngineError::Ended { .. } => {
                Hint::new("see which runs there are with", typed.command(&["status"]))
            }
            EngineError::SeveralRuns(ids) => match ids.first() {
                Some(id) => Hint::new("say which one, such as", typed.with(&["--run", id])),
                None => Hint::new("see which runs there are with", typed.command(&["status"])),
            },
            EngineError::Changed { id, .. } => {
                Hint::new("give the run up and begin anew with", typed.command(&["abort", "--run", id]))
            }
            EngineError::Moved { .. } if args::command_name(typed) == Some("resume") => {
                Hint::new("give the run up and begin anew with", typed.command(&["abort"]))
            }
            EngineError::Moved { .. } => Hint::new("begin anew with", typed.as_typed()),
            EngineError::CutOff(_) if args::command_name(typed) == Some("publish") => {
                Hint::new("see what the remote has; then publish once more with", typed.with(&["--retry"]))
            }
            EngineError::CutOff(_) => Hint::new(
                "look how far it came; then run it again with (or take it for done with --mark-done)",
                typed.with(&["--retry"]),
            ),
            _ => Hint::nothing("the error says all there is to say"),
        }
    }

    /// A hash that was given did not fit, or the procedure is not trusted yet.
    fn not_trusted(&self, procedure: &str, hash: &str) -> Hint {
        const READ: &str = "if you have read what it is now, give the pipeline its hash as in";
        let typed = self.invocation;
        if typed.args().iter().any(|arg| arg.to_string_lossy().starts_with("--trusted-hash")) {
            let without = typed.without_option("--trusted-hash", "--trusted-hash");
            return Hint::new(READ, without.with(&["--trusted-hash", hash]));
        }
        if std::env::var_os(TRUSTED_HASH).is_some() {
            let variable = OsString::from(format!("{TRUSTED_HASH}={hash}"));
            return Hint::new(READ, typed.as_typed().in_environment([variable]));
        }
        Hint::new("read it, and trust it here with", typed.command(&["trust", procedure]))
    }

    fn unknown_name(&self, unknown: &UnknownName, procedure: Option<&str>) -> Hint {
        match &unknown.nearest {
            Some(nearest) => Hint::new(
                "did you mean",
                self.invocation.with_replaced(OsStr::new(&unknown.found), OsStr::new(nearest)),
            ),
            None if unknown.kind == "procedure" => self.procedures(),
            None => self.show(procedure),
        }
    }

    fn input(&self, error: &InputError, procedure: Option<&str>) -> Hint {
        let typed = self.invocation;
        match error {
            InputError::Unset { name, .. } => self.missing([name.as_str()].into_iter(), procedure),
            InputError::Unknown { name, nearest: Some(nearest), .. } => {
                let given = typed.args().iter().find_map(|arg| {
                    let value = arg.to_str()?.strip_prefix(name.as_str())?.strip_prefix('=')?;
                    Some((arg, format!("{nearest}={value}")))
                });
                match given {
                    Some((arg, meant)) => {
                        Hint::new("did you mean", typed.with_replaced(arg, OsStr::new(&meant)))
                    }
                    None => self.show(procedure),
                }
            }
            _ => self.show(procedure),
        }
    }

    /// Inputs that only the user knows: no command that names a value would be true.
    fn missing<'n>(&self, names: impl Iterator<Item = &'n str>, procedure: Option<&str>) -> Hint {
        let flags: Vec<String> = names.map(|name| format!("--set {name}=VALUE")).collect();
        self.explained(format!("add {}", flags.join(" ")), procedure)
    }

    /// What to add to the command, and where the procedure explains it.
    fn explained(&self, add: String, procedure: Option<&str>) -> Hint {
        match procedure {
            Some(procedure) => Hint::new(
                format!("{add}; see what the procedure says with"),
                self.invocation.command(&["procedure", "show", procedure]),
            ),
            None => Hint::say(add),
        }
    }

    fn procedures(&self) -> Hint {
        Hint::new("see what there is with", self.invocation.command(&["procedure", "list"]))
    }

    fn show(&self, procedure: Option<&str>) -> Hint {
        match procedure {
            Some(procedure) => Hint::new(
                "see what the procedure says with",
                self.invocation.command(&["procedure", "show", procedure]),
            ),
            None => self.procedures(),
        }
    }
}

#[cfg(test)]
mod tests;
