//! The one shape of each row: what a step does, what a check looks at, what raises a trigger, told by the keys that a
//! file gives. A row whose keys tell nothing, or several things, is [`Misshapen`], and the checker says so at its line.

use super::check::{Check, Expect};
use super::document::Precheck;
use super::figure::{Operator, Threshold};
use super::named::Named;
use super::phase::{Rung, RungKind};
use super::step::{CopyFiles, EnvFile, Evidence, Insert, Restore, Step, WriteFile};
use super::trigger::{Condition, Trigger};
use super::value::{Period, Scalar, TreePath};

/// Why a row has no shape of its kind: the code of a problem and its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misshapen {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Misshapen {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The only one that is given.
    fn unless_one<T>(
        given: impl IntoIterator<Item = Option<T>>,
        code: &'static str,
        message: impl FnOnce(usize) -> String,
    ) -> Result<T, Self> {
        let mut given: Vec<T> = given.into_iter().flatten().collect();
        match (given.pop(), given.len()) {
            (Some(only), 0) => Ok(only),
            (last, others) => Err(Self::new(code, message(others + usize::from(last.is_some())))),
        }
    }
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Action<'a> {
    Run(&'a [String]),
    Set(&'a Named<Scalar>),
    Remove(&'a [TreePath]),
    Insert(&'a Insert),
    Write(&'a WriteFile),
    Restore(&'a Restore),
    Manual(&'a str),
    Copy(&'a CopyFiles),
    Delete(&'a [String]),
    EnvFile(&'a EnvFile),
    Wait(Period),
    Message(&'a str),
}

impl Action<'_> {
    /// Whether it can edit a candidate.
    pub(crate) fn edits_the_candidate(self) -> bool {
        matches!(self, Self::Run(_) | Self::Manual(_)) || !self.acts_outside()
    }

    /// Whether it can act on the real system.
    pub(crate) fn acts_outside(self) -> bool {
        let edits = matches!(
            self,
            Self::Set(_) | Self::Remove(_) | Self::Insert(_) | Self::Write(_) | Self::Restore(_)
        );
        !edits
    }

    /// Whether it may be repeated without harm, whatever the step's `effect` says.
    pub(crate) fn is_harmless(self) -> bool {
        matches!(self, Self::Wait(_) | Self::Delete(_) | Self::EnvFile(_) | Self::Copy(_) | Self::Manual(_))
    }
}

impl Step {
    /// The one thing that the step does.
    pub(crate) fn action(&self) -> Result<Action<'_>, Misshapen> {
        let given = [
            (!self.run.is_empty()).then_some(Action::Run(&self.run)),
            (!self.set.is_empty()).then_some(Action::Set(&self.set)),
            (!self.remove.is_empty()).then_some(Action::Remove(&self.remove)),
            self.insert.as_ref().map(Action::Insert),
            self.write.as_ref().map(Action::Write),
            self.restore.as_ref().map(Action::Restore),
            self.manual.as_deref().map(Action::Manual),
            self.copy.as_ref().map(Action::Copy),
            (!self.delete.is_empty()).then_some(Action::Delete(&self.delete)),
            self.env_file.as_ref().map(Action::EnvFile),
            self.wait.map(Action::Wait),
            self.message.as_deref().map(Action::Message),
        ];
        Misshapen::unless_one(given, "ambiguous-step", |count| {
            format!("the step '{}' has {count} kinds instead of one", self.id)
        })
    }
}

/// Where evidence comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Origin<'a> {
    Program(&'a [String]),
    Files(&'a [String]),
}

impl Evidence {
    /// Where it comes from.
    pub(crate) fn origin(&self) -> Result<Origin<'_>, Misshapen> {
        let given = [
            (!self.run.is_empty()).then_some(Origin::Program(&self.run)),
            (!self.files.is_empty()).then_some(Origin::Files(&self.files)),
        ];
        Misshapen::unless_one(given, "ambiguous-evidence", |_| {
            format!("the evidence '{}' needs either 'run' or 'files'", self.id)
        })
    }
}

/// What a check looks at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Subject<'a> {
    Program(&'a [String]),
    File(&'a TreePath),
    Metric(Rule<'a>),
    Question(&'a str),
}

impl Check {
    /// The one thing that it looks at.
    pub(crate) fn subject(&self) -> Result<Subject<'_>, Misshapen> {
        let metric = self.metric.as_deref().map(|metric| {
            Rule::of(metric, self.op, self.threshold).map(Subject::Metric).ok_or_else(|| {
                Misshapen::new(
                    "incomplete",
                    format!("the check '{}' of a metric needs 'op' and 'threshold'", self.id),
                )
            })
        });
        let file = self.file.as_ref().map(|file| match self.expect {
            Some(_) => Ok(Subject::File(file)),
            None => {
                let message = format!("the check '{}' of a file needs 'expect'", self.id);
                Err(Misshapen::new("incomplete", message))
            }
        });
        let given = [
            (!self.run.is_empty()).then_some(Ok(Subject::Program(&self.run))),
            file,
            metric,
            self.ask.as_deref().map(|question| Ok(Subject::Question(question))),
        ];
        Misshapen::unless_one(given, "ambiguous-check", |_| {
            format!("the check '{}' needs one of 'run', 'file', 'metric', 'ask'", self.id)
        })?
    }

    /// Whether it looks at the live system, so that it cannot look at a candidate.
    pub(crate) fn is_live(&self) -> bool {
        self.live || self.metric.is_some()
    }
}

impl Expect {
    /// The figures that the captured value is compared with, each with how.
    pub(crate) fn comparisons(&self) -> impl Iterator<Item = (Operator, &Scalar)> {
        let all = [
            (Operator::Equal, &self.eq),
            (Operator::NotEqual, &self.ne),
            (Operator::Less, &self.lt),
            (Operator::LessOrEqual, &self.le),
            (Operator::Greater, &self.gt),
            (Operator::GreaterOrEqual, &self.ge),
        ];
        all.into_iter().filter_map(|(operator, operand)| Some((operator, operand.as_ref()?)))
    }

    /// Every value that can hold placeholders.
    pub(crate) fn scalars_mut(&mut self) -> impl Iterator<Item = &mut Scalar> {
        [&mut self.lines, &mut self.eq, &mut self.ne, &mut self.lt, &mut self.le, &mut self.gt, &mut self.ge]
            .into_iter()
            .flatten()
            .chain(self.json.iter_mut().map(|row| &mut row.value))
    }
}

/// What a precheck asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Demand<'a> {
    /// A person confirms it.
    Confirmed(&'a str),
    /// The check passes.
    Checked(&'a str),
    /// The step is done.
    Done(&'a str),
    /// The input is set.
    Given(&'a str),
}

impl Precheck {
    /// The one thing that it asks for.
    pub(crate) fn demand(&self) -> Result<Demand<'_>, Misshapen> {
        let given = [
            self.ask.as_deref().map(Demand::Confirmed),
            self.check.as_deref().map(Demand::Checked),
            self.step.as_deref().map(Demand::Done),
            self.input.as_deref().map(Demand::Given),
        ];
        Misshapen::unless_one(given, "incomplete", |_| {
            format!("the precheck '{}' needs one of 'ask', 'check', 'step', 'input'", self.id)
        })
    }
}

/// A metric compared with a figure, and for how long that must hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rule<'a> {
    pub(crate) metric: &'a str,
    pub(crate) op: Operator,
    pub(crate) threshold: Threshold,
    pub(crate) lasting: Option<Period>,
    pub(crate) consecutive: Option<u32>,
    pub(crate) window: Option<Period>,
    pub(crate) interval: Option<Period>,
}

impl<'a> Rule<'a> {
    pub(crate) fn of(metric: &'a str, op: Option<Operator>, threshold: Option<Threshold>) -> Option<Self> {
        let (lasting, consecutive, window, interval) = (None, None, None, None);
        Some(Self { metric, op: op?, threshold: threshold?, lasting, consecutive, window, interval })
    }
}

/// The comparison, without for how long it must hold.
impl std::fmt::Display for Rule<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.metric, self.op, self.threshold)
    }
}

/// What raises a trigger.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Source<'a> {
    Measured(Rule<'a>),
    /// What a person would have to observe.
    Observed(&'a str),
}

impl Trigger {
    /// What raises it.
    pub(crate) fn source(&self) -> Result<Source<'_>, Misshapen> {
        let incomplete =
            |needs: &str| Misshapen::new("incomplete", format!("the trigger '{}' needs {needs}", self.id));
        match (&self.metric, &self.manual) {
            (Some(metric), None) => {
                let rule = Rule::of(metric, self.op, self.threshold);
                let rule = rule.ok_or_else(|| incomplete("'op' and 'threshold'"))?;
                let (lasting, consecutive) = (self.lasting, self.consecutive);
                let (window, interval) = (self.window, self.interval);
                Ok(Source::Measured(Rule { lasting, consecutive, window, interval, ..rule }))
            }
            (None, Some(manual)) => Ok(Source::Observed(manual)),
            _ => Err(incomplete("either 'metric' or 'manual'")),
        }
    }
}

impl Condition {
    /// The condition as a rule.
    pub(crate) fn rule(&self) -> Rule<'_> {
        let (consecutive, window, interval) = (None, None, None);
        let (op, threshold, lasting) = (self.op, self.threshold, self.lasting);
        Rule { metric: &self.metric, op, threshold, lasting, consecutive, window, interval }
    }
}

/// How a rung rolls back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Way<'a> {
    /// By the inverse of commits or of a merge.
    Revert,
    /// By a commit of the past once more.
    Pick,
    /// By the content of paths, from this source.
    Restore(&'a str),
    /// By a program.
    Command(&'a [String]),
}

impl Rung {
    /// The way that its `use` names, with what belongs to it.
    pub(crate) fn way(&self) -> Result<Way<'_>, Misshapen> {
        let incomplete = |message: &str| Err(Misshapen::new("incomplete", message));
        match (self.kind, self.run.as_slice(), &self.from) {
            (RungKind::Command, [], _) => incomplete("'run' belongs to a command rung, and only there"),
            (RungKind::Command, run, _) => Ok(Way::Command(run)),
            (_, [_, ..], _) => incomplete("'run' belongs to a command rung, and only there"),
            (RungKind::RestoreFile, _, None) => incomplete("restoring needs 'from', such as last-good"),
            (RungKind::RestoreFile, _, Some(from)) => Ok(Way::Restore(from)),
            (RungKind::CherryPick, ..) => Ok(Way::Pick),
            (RungKind::RevertCommit | RungKind::RevertMerge, ..) => Ok(Way::Revert),
        }
    }
}
