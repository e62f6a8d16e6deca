//! What an evaluation says to a pipeline: annotations in the spelling of workflow commands.

use super::{Evaluation, State};

impl Evaluation {
    /// What fires as errors, what could not be told as warnings, and the decisions as notices: a workflow command each.
    pub fn annotations(&self) -> Vec<String> {
        let mut annotations = Vec::new();
        for trigger in &self.triggers {
            let level = match trigger.state {
                State::Fires => "error",
                State::Inconclusive => "warning",
                State::Quiet | State::Manual => continue,
            };
            let mut message = format!("{}: {}", trigger.title, trigger.found);
            if trigger.condition != trigger.title {
                message.push_str(&format!(" ({})", trigger.condition));
            }
            annotations.push(command(level, &trigger.id, &message));
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
            annotations.push(command("notice", &decision.id, &message));
        }
        annotations
    }
}

fn command(level: &str, title: &str, message: &str) -> String {
    let title = data(title).replace(':', "%3A").replace(',', "%2C");
    format!("::{level} title={title}::{}", data(message))
}

/// A newline would begin a command of its own.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}
