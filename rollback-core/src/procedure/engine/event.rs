//! What happens during a run, as data for an observer.

use serde::Serialize;

use super::state::{Pause, RungTried, UnitKind, UnitState};
use crate::id::CommitId;
use crate::procedure::check::Verdict;
use crate::procedure::format::Period;
use crate::process::Stream;
pub use crate::verdict::On;

/// Sees what happens during a run.
pub trait Observer {
    /// Something happened.
    fn event(&mut self, event: &Event<'_>);
}

/// Sees nothing.
impl Observer for () {
    fn event(&mut self, _: &Event<'_>) {}
}

impl<F: FnMut(&Event<'_>)> Observer for F {
    fn event(&mut self, event: &Event<'_>) {
        self(event);
    }
}

/// Something that happened.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event<'a> {
    /// A run begins or goes on.
    Run {
        /// Its id.
        id: &'a str,
        /// The procedure.
        procedure: &'a str,
        /// The phase.
        phase: &'a str,
        /// How many units of work it has.
        units: usize,
        /// Within which time it should be done.
        rto: Option<Period>,
    },
    /// A unit of work begins.
    Started {
        /// Its place, counted from 1.
        at: usize,
        /// What kind it is.
        kind: UnitKind,
        /// Its name.
        id: &'a str,
    },
    /// A unit of work has ended.
    Ended {
        /// Its place, counted from 1.
        at: usize,
        /// Its name.
        id: &'a str,
        /// How; one that waits for a person is pending.
        state: UnitState,
        /// What there is to say about it.
        note: Option<&'a str>,
    },
    /// A line of a running program, redacted.
    Line {
        /// The check, step or evidence.
        id: &'a str,
        /// Where it was written.
        stream: Stream,
        /// The line.
        line: &'a str,
    },
    /// A rung was tried.
    Rung(&'a RungTried),
    /// A check was judged.
    Check {
        /// The check.
        id: &'a str,
        /// On what it ran.
        on: On,
        /// The verdict.
        verdict: &'a Verdict,
    },
    /// A message for people.
    Message {
        /// Its name.
        id: &'a str,
        /// For whom.
        to: &'a [String],
        /// The subject line.
        subject: Option<&'a str>,
        /// The words.
        text: &'a str,
    },
    /// The result has landed.
    Landed {
        /// The commits, in order.
        commits: &'a [CommitId],
        /// The reference that moved.
        reference: &'a str,
    },
    /// The run takes longer than it should.
    Overrun {
        /// What: the run or a group.
        what: &'a str,
        /// How long it should take.
        budget: Period,
    },
    /// A candidate that was edited by hand is taken up.
    Edited {
        /// What it would change, in the unified form of a diff.
        diff: &'a str,
    },
    /// The procedure should have been rehearsed or run by now.
    DrillDue {
        /// How often.
        every: Period,
        /// When it last ran, where it ever has.
        #[schemars(with = "Option<String>")]
        last: Option<jiff::Timestamp>,
    },
    /// Programs that the run will start are not found.
    Missing {
        /// They, in order.
        programs: &'a [String],
    },
    /// Programs that a process which died had left running were ended.
    LeftoversEnded {
        /// How many.
        programs: usize,
    },
    /// The run pauses.
    Paused(&'a Pause),
}
