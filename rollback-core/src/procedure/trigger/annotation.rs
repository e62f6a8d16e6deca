//! What an evaluation says to a pipeline: annotations in the spelling of workflow commands.

use std::fmt;

use super::{Evaluation, State};

/// How loud an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It fails the job.
    Error,
    /// It is seen.
    Warning,
    /// It can be found.
    Notice,
}

/// One annotation; its text form is a workflow command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// How loud it is.
    pub level: Level,
    /// Its title.
    pub title: String,
    /// Its text.
    pub message: String,
}

impl Evaluation {
    /// What fires as errors, what could not be told as warnings, and the decision as a notice.
    pub fn annotations(&self) -> Vec<Annotation> {
        let mut annotations = Vec::new();
        for trigger in &self.triggers {
            let level = match trigger.state {
                State::Fires => Level::Error,
                State::Inconclusive => Level::Warning,
                State::Quiet | State::Manual => continue,
            };
            let mut message = format!("{}: {}", trigger.title, trigger.found);
            if trigger.condition != trigger.title {
                message.push_str(&format!(" ({})", trigger.condition));
            }
            annotations.push(Annotation { level, title: trigger.id.clone(), message });
        }
        for decision in self.decisions.iter().filter(|decision| decision.state == State::Fires) {
            let row = &decision.decision;
            let mut message = decision.title.clone();
            if let Some(action) = &row.action {
                message.push_str(&format!(": {action}"));
            }
            if !row.phases.is_empty() {
                message.push_str(&format!(", phase {}", row.phases.join(", ")));
            }
            if !row.authority.is_empty() {
                message.push_str(&format!(", decided by {}", row.authority.join(" and ")));
            }
            annotations.push(Annotation { level: Level::Notice, title: decision.id.clone(), message });
        }
        annotations
    }
}

impl fmt::Display for Annotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
        };
        write!(f, "::{level} title={}::{}", property(&self.title), data(&self.message))
    }
}

/// A newline would begin a command of its own.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
