//! What samples say of a procedure, for people: every trigger, every decision, and what to do.

use rollback_core::procedure::trigger::{DecisionState, Evaluation, State, TriggerState};

use super::Look;
use crate::terminal::style::{Palette, paint};
use crate::terminal::text;

/// The evaluation as text; `command` follows the decision.
pub(crate) fn text(answer: &Evaluation, command: Option<&str>, look: Look) -> String {
    let mut said = String::new();
    if !answer.triggers.is_empty() {
        said.push_str(&format!("{}\n", paint(Palette::HEADING, "Triggers")));
        let widest = answer.triggers.iter().map(|row| text::width(&row.id)).max().unwrap_or(0);
        for trigger in &answer.triggers {
            said.push_str(&line(trigger.state, &trigger.id, widest, &of_trigger(trigger), look));
        }
    }
    if let Some(severity) = &answer.severity {
        said.push_str(&format!("\n{} {}\n", paint(Palette::HEADING, "Severity"), text::escape(severity)));
    }
    if !answer.decisions.is_empty() {
        said.push_str(&format!(
            "\n{}\n",
            paint(Palette::HEADING, "Decisions, the severest that matches first")
        ));
        let widest = answer.decisions.iter().map(|row| text::width(&row.id)).max().unwrap_or(0);
        for decision in &answer.decisions {
            said.push_str(&line(decision.state, &decision.id, widest, &of_decision(decision), look));
        }
    }
    said.push('\n');
    said.push_str(&conclusion(answer, command));
    said
}

fn line(state: State, id: &str, widest: usize, words: &str, look: Look) -> String {
    let signs = look.signs;
    let sign = match state {
        State::Fires => paint(Palette::BAD, signs.no),
        State::Quiet => paint(Palette::GOOD, signs.yes),
        State::Inconclusive => paint(Palette::WARN, signs.doubt),
        State::Manual => paint(Palette::QUIET, signs.untried),
    };
    let indent = 2 + 2 + widest + 2;
    let lines = text::wrap(&text::escape(words), look.width().saturating_sub(indent).max(24));
    let name = text::pad(&text::escape(id), widest);
    format!("  {sign} {name}  {}\n", lines.join(&format!("\n{}", " ".repeat(indent))))
}

fn of_trigger(trigger: &TriggerState) -> String {
    let state = match trigger.state {
        State::Fires => format!("fires: {}", trigger.found),
        State::Quiet => format!("quiet: {}", trigger.found),
        State::Inconclusive => format!("cannot tell: {}", trigger.found),
        State::Manual => trigger.found.clone(),
    };
    match trigger.condition.is_empty() {
        true => state,
        false => format!("{state} ({})", trigger.condition),
    }
}

fn of_decision(decision: &DecisionState) -> String {
    let row = &decision.decision;
    let mut words = decision.title.clone();
    if let Some(action) = &row.action {
        words.push_str(&format!(": {action}"));
    }
    if let Some(within) = row.within {
        words.push_str(&if within.0.is_zero() { ", at once".into() } else { format!(", within {within}") });
    }
    if !row.phases.is_empty() {
        words.push_str(&format!(", phase {}", row.phases.join(" then ")));
    }
    if !row.authority.is_empty() {
        words.push_str(&format!(", decided by {}", row.authority.join(" and ")));
    }
    match decision.state {
        State::Fires | State::Quiet | State::Inconclusive => format!("{words} ({})", decision.found),
        State::Manual => words,
    }
}

fn conclusion(answer: &Evaluation, command: Option<&str>) -> String {
    match (answer.fires(), answer.decision()) {
        (true, Some(decision)) => {
            let next = command.map_or(String::new(), |command| {
                let label = paint(Palette::QUIET, "next:");
                format!("{label} follow it with: {}\n", paint(Palette::COMMAND, text::escape(command)))
            });
            format!("The severest decision that matches is {}.\n{next}", text::escape(&decision.id))
        }
        (true, None) => "A trigger fires, and no decision of the procedure matches.\n".to_owned(),
        (false, _) if answer.is_inconclusive() => {
            "Nothing fires, and the samples cannot tell of all.\n".to_owned()
        }
        (false, _) => "Nothing fires.\n".to_owned(),
    }
}
