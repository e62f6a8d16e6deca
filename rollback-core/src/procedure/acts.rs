//! What a procedure would do, as shown before it is trusted.
//!
//! The list comes from the document alone and leaves nothing out because of a phase: trust covers all of them.

use std::fmt;

use super::Procedure;
use super::format::{Action, Named, Scalar, Step};
use super::show::assigned;

/// What kind of thing a procedure does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ActKind {
    /// Starts a program.
    Runs,
    /// Gives programs a variable of the environment.
    Passes,
    /// Sets a variable for a program.
    Sets,
    /// Writes a file outside the repository.
    Writes,
    /// Removes files outside the repository.
    Removes,
    /// Reads files, which are kept.
    Reads,
    /// Changes files of the tree, which is committed.
    Edits,
    /// Pushes to a remote.
    Pushes,
    /// Merges into a branch.
    Merges,
}

impl fmt::Display for ActKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Runs => "runs",
            Self::Passes => "passes on",
            Self::Sets => "sets",
            Self::Writes => "writes",
            Self::Removes => "removes",
            Self::Reads => "reads",
            Self::Edits => "edits",
            Self::Pushes => "pushes to",
            Self::Merges => "merges into",
        })
    }
}

/// One thing that a procedure does.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Act {
    /// What kind of thing it is.
    pub kind: ActKind,
    /// With what: a command as a shell would be given it, a path, a variable, a remote. It is text of the repository and
    /// not escaped.
    pub what: String,
}

/// Everything a procedure would do, each thing once.
pub fn acts(procedure: &Procedure) -> Vec<Act> {
    let document = &procedure.document;
    let mut acts = Acts(Vec::new());
    for command in document.commands() {
        acts.add(ActKind::Runs, quoted(command.run));
    }
    document.step.iter().for_each(|step| acts.of_a_step(step));
    document.check.iter().for_each(|check| acts.gives(&check.secrets, &check.env));
    for evidence in &document.evidence {
        evidence.files.iter().for_each(|file| acts.add(ActKind::Reads, file.clone()));
        acts.passes(&evidence.secrets);
    }
    document.message.iter().for_each(|message| acts.passes(&message.secrets));
    for path in document.checkpoint.iter().flat_map(|checkpoint| &checkpoint.outside) {
        acts.add(ActKind::Reads, path.clone());
    }
    document.phases().for_each(|phase| acts.sets(&phase.set));
    for (_, publish) in document.publishing() {
        publish.push.iter().for_each(|remote| acts.add(ActKind::Pushes, remote.to_string()));
        publish.merge_into.iter().for_each(|branch| acts.add(ActKind::Merges, branch.clone()));
    }
    acts.0
}

struct Acts(Vec<Act>);

impl Acts {
    fn add(&mut self, kind: ActKind, what: impl Into<String>) {
        let act = Act { kind, what: what.into() };
        if !self.0.contains(&act) {
            self.0.push(act);
        }
    }

    fn passes(&mut self, secrets: &[String]) {
        secrets.iter().for_each(|name| self.add(ActKind::Passes, name.clone()));
    }

    fn gives(&mut self, secrets: &[String], variables: &Named<String>) {
        self.passes(secrets);
        variables.iter().for_each(|(name, value)| self.add(ActKind::Sets, format!("{name}={value}")));
    }

    fn of_a_step(&mut self, step: &Step) {
        self.gives(&step.secrets, &step.env);
        match step.action() {
            Ok(Action::Delete(paths)) => paths.iter().for_each(|path| self.add(ActKind::Removes, path)),
            Ok(Action::Copy(copy)) => {
                self.add(ActKind::Reads, &copy.from);
                self.add(ActKind::Writes, &copy.to);
                if copy.exact {
                    self.add(ActKind::Removes, format!("{}/*", copy.to));
                }
            }
            Ok(Action::EnvFile(file)) => {
                self.add(ActKind::Writes, format!("{} ({})", file.path, assigned(&file.set, "=")));
            }
            Ok(Action::Set(values)) => self.sets(values),
            Ok(Action::Remove(paths)) => {
                paths.iter().for_each(|path| self.add(ActKind::Edits, path.to_string()));
            }
            Ok(Action::Insert(insert)) => self.add(ActKind::Edits, insert.path.to_string()),
            Ok(Action::Write(write)) => self.add(ActKind::Edits, write.path.to_string()),
            _ => {}
        }
    }

    fn sets(&mut self, values: &Named<Scalar>) {
        values.iter().for_each(|(place, value)| self.add(ActKind::Edits, format!("{place} = {value}")));
    }
}

/// The words of a command as a shell would be given them, so that it can be seen where each ends.
pub fn quoted(run: &[String]) -> String {
    let word =
        |word: &String| shlex::try_quote(word).map_or_else(|_| format!("{word:?}"), |word| word.into_owned());
    run.iter().map(word).collect::<Vec<_>>().join(" ")
}
