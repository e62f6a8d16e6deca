//! What to type next where a procedure could not be found, or a run was refused.

use std::ffi::OsStr;

use rollback_core::procedure::catalogue::{CatalogueError, Place};
use rollback_core::procedure::engine::{APPROVAL_NAMESPACE, EngineError};
use rollback_core::procedure::format::UnknownName;
use rollback_core::procedure::input::InputError;

use super::{Hint, Situation};
use crate::command_line::CommandLine;
use crate::procedures::TRUSTED_HASH;

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
                let flags: Vec<String> = inputs.iter().map(|(name, _)| format!("{name}=VALUE")).collect();
                let flags: Vec<&str> = flags.iter().flat_map(|value| ["--set", value.as_str()]).collect();
                Hint::new("give what is missing with", typed.with(&flags))
            }
            EngineError::NoPhase { known } => {
                let phase = known.first().map_or("PHASE", String::as_str);
                Hint::new("name one, such as", typed.with(&["--phase", phase]))
            }
            EngineError::Authority { needed, .. } => {
                let role = needed.first().map_or("ROLE", String::as_str);
                Hint::new("if that is what you are", typed.with(&["--role", role]))
            }
            EngineError::Approval { role, .. } => Hint::new(
                "once it is given, name who gave it",
                typed.with(&["--approve", &format!("{role}=NAME")]),
            ),
            // The program is the approver's own; rb starts none for it.
            EngineError::Unsigned { text, .. } => Hint::new(
                "have it signed, and give the file with --signature",
                CommandLine::Script(format!(
                    "printf '{}' | ssh-keygen -Y sign -n {APPROVAL_NAMESPACE} -f KEY > FILE",
                    text.replace('\n', "\\n")
                )),
            ),
            EngineError::BadApproval { role, .. } => Hint::new(
                "have it signed, and give the signature with",
                typed.with(&["--signature", &format!("{role}=FILE")]),
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
            EngineError::PublishAfterFailure { .. } => {
                Hint::new("if the result is to leave all the same", typed.with(&["--despite-failures"]))
            }
            EngineError::PublishOthers { .. } => {
                Hint::new("see them with --dry-run; if they may leave", typed.with(&["--with-others"]))
            }
            EngineError::ValueIsOption { .. }
            | EngineError::Constraint { .. }
            | EngineError::Preserved { .. }
            | EngineError::Target(_)
            | EngineError::Ambiguous { .. }
            | EngineError::Set { .. }
            | EngineError::Outside { .. } => self.show(procedure),
            EngineError::AtWork { .. }
            | EngineError::Concurrent { .. }
            | EngineError::NoRun { .. }
            | EngineError::Ended { .. } => {
                Hint::new("see which runs there are with", typed.command(&["status"]))
            }
            EngineError::SeveralRuns { ids } => {
                let id = ids.first().map_or("ID", String::as_str);
                Hint::new("say which one, such as", typed.with(&["--run", id]))
            }
            EngineError::Changed { id, .. } => {
                Hint::new("give the run up and begin anew with", typed.command(&["abort", "--run", id]))
            }
            EngineError::Moved { .. } if typed.command_name() == Some("resume") => {
                Hint::new("give the run up and begin anew with", typed.command(&["abort"]))
            }
            EngineError::Moved { .. } => Hint::new("begin anew with", typed.as_typed()),
            EngineError::CutOff { .. } => Hint::new(
                "look how far it came; then run it again with (or take it for done with --mark-done)",
                typed.with(&["--retry"]),
            ),
            _ => Hint::nothing("the error says all there is to say"),
        }
    }

    /// A hash that was given did not fit, or the procedure is not trusted yet.
    fn not_trusted(&self, procedure: &str, hash: &str) -> Hint {
        let typed = self.invocation;
        if typed.args().iter().any(|arg| arg.to_string_lossy().starts_with("--trusted-hash")) {
            return Hint::new(
                "if you have read what it is now, give the pipeline this hash",
                CommandLine::of(["--trusted-hash", hash]),
            );
        }
        if std::env::var_os(TRUSTED_HASH).is_some() {
            return Hint::new(
                "if you have read what it is now, give the pipeline this hash",
                CommandLine::of([format!("{TRUSTED_HASH}={hash}")]),
            );
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
            InputError::Unset { name, .. } => {
                Hint::new("give it with", typed.with(&["--set", &format!("{name}=VALUE")]))
            }
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
