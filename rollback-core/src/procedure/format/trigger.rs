//! When to roll back: metrics, triggers, severities and the decision matrix, as the file spells them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::figure::{Operator, Threshold, Unit};
use super::value::{Pattern, Period, PeriodRange};

/// A metric and where its samples come from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Metric {
    /// What it measures.
    pub title: Option<String>,
    /// The unit of a sample without one; the threshold's unit unless given.
    pub unit: Option<Unit>,
    /// Whether samples are ratios between 0 and 1 that stand for percentages.
    #[serde(skip_serializing_if = "is_default")]
    pub ratio: bool,
    /// The name of the series in a Prometheus dump, with labels to match, such as `up{job="api"}`.
    pub prometheus: Option<String>,
    /// A program that prints the present value.
    pub run: Vec<String>,
    /// A pattern whose first group is the value in what `run` prints.
    pub capture: Option<Pattern>,
}

/// What is said of a metric without samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NoData {
    /// Nothing can be said.
    #[default]
    Inconclusive,
    /// Silence is the alarm.
    Fires,
    /// Silence is peace.
    Quiet,
}

/// What a trigger does when it fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TriggerAction {
    /// Says which procedure applies.
    #[default]
    Advise,
    /// Asks a person whether to run it.
    Ask,
    /// Lets a pipeline run it without asking.
    Auto,
}

/// A condition that calls for the procedure.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Trigger {
    /// Its name.
    pub id: String,
    /// What it is, in a few words.
    pub title: Option<String>,
    /// What a person would have to observe; such a trigger is raised by hand.
    pub manual: Option<String>,
    /// The metric it watches.
    pub metric: Option<String>,
    /// How the metric is compared with `threshold`.
    pub op: Option<Operator>,
    /// What the metric is compared with.
    pub threshold: Option<Threshold>,
    /// For how long it must hold without a break, up to the newest sample.
    #[serde(rename = "for")]
    pub lasting: Option<Period>,
    /// How many samples in a row it must hold for.
    pub consecutive: Option<u32>,
    /// How old the newest sample may be; older ones count as none.
    pub window: Option<Period>,
    /// How often the metric is sampled; a gap of more than two of them breaks `for` and `consecutive`.
    pub interval: Option<Period>,
    /// What is said where there are no samples.
    #[serde(default, skip_serializing_if = "is_default")]
    pub no_data: NoData,
    /// What it does when it fires.
    #[serde(default, skip_serializing_if = "is_default")]
    pub action: TriggerAction,
    /// The phase that answers it.
    pub phase: Option<String>,
    /// The variant of that phase.
    pub variant: Option<String>,
    /// The severity it means.
    pub severity: Option<String>,
    /// What the source document says to do.
    pub advice: Option<String>,
}

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A severity. The first of the list is the severest.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Severity {
    /// Its name.
    pub id: String,
    /// How it is recognised.
    #[serde(default)]
    pub when: Vec<String>,
    /// The figures by which it is recognised; any of them suffices.
    #[serde(default)]
    pub any: Vec<Condition>,
    /// By when to act: `0s` is at once; none means at a planned time.
    pub within: Option<Period>,
    /// What to do, in words.
    pub action: Option<String>,
}

/// A metric compared with a figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Condition {
    /// The metric.
    pub metric: String,
    /// How it is compared.
    pub op: Operator,
    /// With what.
    pub threshold: Threshold,
    /// For how long it must hold without a break.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub lasting: Option<Period>,
}

/// A row of the decision matrix.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Decision {
    /// Its name.
    pub id: String,
    /// The scenario or symptom, as the document has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The figures by which it is recognised; all must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<Condition>,
    /// What a person would have to observe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manual: Option<String>,
    /// The triggers that raise it, any of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<String>,
    /// How bad it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// The kind of rollback, such as `full`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// By when to act: `0s` is at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Period>,
    /// Who may decide; all of them are needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authority: Vec<String>,
    /// The phases to run, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<String>,
    /// The variant of these phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Whether the run is an emergency.
    #[serde(default, skip_serializing_if = "is_default")]
    pub emergency: bool,
    /// How long it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta: Option<PeriodRange>,
    /// What shows that it worked, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<String>,
}
