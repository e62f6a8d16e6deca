//! Triggers, severities and decisions, from recorded samples: pure functions of samples and a clock.
//!
//! There is no daemon: a scheduler or a pipeline calls. Silence is inconclusive unless the procedure says otherwise,
//! and of several decisions that match the severest wins while all are shown.

mod annotation;
mod holding;
mod samples;

pub(crate) use samples::figure;
pub use samples::{BadSamples, Sample, SampleFormat, Samples};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::check::{Outcome, Verdict};
use super::format::{Check, Decision, Document, NoData, Severity, Source, Subject, Trigger, TriggerAction};

/// Where a condition stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It holds.
    Fires,
    /// It does not hold.
    Quiet,
    /// The samples do not tell.
    Inconclusive,
    /// A person has to observe it, and it was not said to be observed.
    Manual,
}

/// A trigger and where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct TriggerState {
    /// The trigger.
    pub id: String,
    /// What it is, in a few words.
    pub title: String,
    /// Where it stands.
    pub state: State,
    /// The condition in words.
    pub condition: String,
    /// What was found.
    pub found: String,
    /// The phase that answers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// What the source document says to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// What it may do.
    pub action: TriggerAction,
}

/// A row of the decision matrix and where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct DecisionState {
    /// The decision.
    pub id: String,
    /// The scenario.
    pub title: String,
    /// Where it stands.
    pub state: State,
    /// What was found.
    pub found: String,
    /// The row itself.
    pub decision: Decision,
}

/// What the samples say of a procedure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Evaluation {
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Every trigger, in the order of the procedure.
    pub triggers: Vec<TriggerState>,
    /// The severest severity that was recognised by its figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Every decision, those that match first, the severest first among them.
    pub decisions: Vec<DecisionState>,
}

impl Evaluation {
    /// The decision to follow: the severest that matches.
    pub fn decision(&self) -> Option<&DecisionState> {
        self.decisions.first().filter(|decision| decision.state == State::Fires)
    }

    /// Whether any trigger fires or any decision matches.
    pub fn fires(&self) -> bool {
        self.triggers.iter().any(|trigger| trigger.state == State::Fires) || self.decision().is_some()
    }

    /// Whether something could not be told.
    pub fn is_inconclusive(&self) -> bool {
        self.triggers.iter().any(|trigger| trigger.state == State::Inconclusive)
    }
}

/// Evaluates triggers and decisions. `raised` names what a person has observed: triggers and decisions by their id.
pub fn evaluate(document: &Document, samples: &Samples, raised: &[String], now: Timestamp) -> Evaluation {
    let triggers: Vec<_> =
        document.trigger.iter().map(|row| of_a_trigger(row, samples, raised, now)).collect();
    let severity =
        document.severity.iter().find(|row| severity_holds(row, samples, now)).map(|row| row.id.clone());
    let mut decisions: Vec<_> =
        document.decision.iter().map(|row| of_a_decision(row, samples, &triggers, raised, now)).collect();
    let rank = |row: &DecisionState| {
        let named = row.decision.severity.as_ref();
        let place = document.severity.iter().position(|severity| Some(&severity.id) == named);
        (row.state != State::Fires, place.unwrap_or(usize::MAX))
    };
    decisions.sort_by_key(rank);
    Evaluation { at: now, triggers, severity, decisions }
}

/// Judges a check of a metric.
pub fn judge_metric(check: &Check, samples: &Samples, now: Timestamp) -> Verdict {
    let Ok(Subject::Metric(rule)) = check.subject() else {
        return Verdict::new(Outcome::Error, "it is no check of a metric");
    };
    match rule.look(samples, now) {
        Some((State::Fires, found)) => Verdict::pass().of(rule, found),
        Some((State::Quiet, found)) => {
            Verdict::new(Outcome::Fail, "the metric is out of bounds").of(rule, found)
        }
        Some((_, why)) => Verdict::new(Outcome::Inconclusive, why),
        None => Verdict::new(Outcome::Inconclusive, format!("there is no sample of {}", rule.metric)),
    }
}

fn of_a_trigger(row: &Trigger, samples: &Samples, raised: &[String], now: Timestamp) -> TriggerState {
    let (state, found) = match row.source() {
        _ if raised.contains(&row.id) => (State::Fires, "observed".to_owned()),
        Ok(Source::Measured(rule)) => {
            rule.look(samples, now).unwrap_or_else(|| (of_silence(row.no_data), "no sample".into()))
        }
        _ => (State::Manual, "it was not reported".to_owned()),
    };
    TriggerState {
        id: row.id.clone(),
        title: row.title.clone().or_else(|| row.manual.clone()).unwrap_or_else(|| row.id.clone()),
        state,
        condition: row.condition(),
        found,
        phase: row.phase.clone(),
        advice: row.advice.clone(),
        action: row.action,
    }
}

fn of_silence(no_data: NoData) -> State {
    match no_data {
        NoData::Inconclusive => State::Inconclusive,
        NoData::Fires => State::Fires,
        NoData::Quiet => State::Quiet,
    }
}

impl Trigger {
    /// The condition in words.
    pub(crate) fn condition(&self) -> String {
        match self.source() {
            Ok(Source::Measured(rule)) => {
                let lasting = rule.lasting.map_or(String::new(), |lasting| format!(" for {lasting}"));
                let times =
                    rule.consecutive.map_or(String::new(), |times| format!(" {times} times in a row"));
                format!("{rule}{lasting}{times}")
            }
            _ => self.manual.clone().unwrap_or_default(),
        }
    }
}

fn severity_holds(row: &Severity, samples: &Samples, now: Timestamp) -> bool {
    row.any.iter().any(|condition| matches!(condition.rule().look(samples, now), Some((State::Fires, _))))
}

fn of_a_decision(
    row: &Decision,
    samples: &Samples,
    triggers: &[TriggerState],
    raised: &[String],
    now: Timestamp,
) -> DecisionState {
    let (state, found) = match by_figures(row, samples, now) {
        _ if raised.contains(&row.id) => (State::Fires, "observed".to_owned()),
        Some((State::Fires, found)) => (State::Fires, found),
        by_figures => match by_triggers(row, triggers).or(by_figures) {
            Some(known) => known,
            None => (State::Manual, "it was not reported".to_owned()),
        },
    };
    DecisionState {
        id: row.id.clone(),
        title: row.title.clone().or_else(|| row.manual.clone()).unwrap_or_else(|| row.id.clone()),
        state,
        found,
        decision: row.clone(),
    }
}

/// Whether all figures hold; `None` where the row has none.
fn by_figures(row: &Decision, samples: &Samples, now: Timestamp) -> Option<(State, String)> {
    let mut state = None;
    let mut texts = Vec::new();
    for condition in &row.when {
        let no_sample = || (State::Inconclusive, format!("no sample of {}", condition.metric));
        let (this, text) = condition.rule().look(samples, now).unwrap_or_else(no_sample);
        texts.push(text);
        state = match (state, this) {
            (None | Some(State::Fires), this) => Some(this),
            (Some(State::Quiet), _) | (_, State::Quiet) => Some(State::Quiet),
            (known, _) => known,
        };
    }
    state.map(|state| (state, texts.join(", ")))
}

fn by_triggers(row: &Decision, triggers: &[TriggerState]) -> Option<(State, String)> {
    let fires = |trigger: &&TriggerState| trigger.state == State::Fires && row.triggers.contains(&trigger.id);
    let fired = triggers.iter().find(fires)?;
    Some((State::Fires, format!("{}: {}", fired.title, fired.found)))
}
