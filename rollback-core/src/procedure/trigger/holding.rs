//! Whether a condition holds now, and has held long enough.

use std::time::Duration;

use jiff::Timestamp;

use super::{Sample, Samples};
use crate::procedure::format::{Period, Rule, Threshold};

/// What the samples say.
#[derive(Debug, PartialEq)]
pub(super) enum Holding {
    Yes { found: String },
    No { found: String },
    Unknown { why: String },
    NoData,
}

impl Rule<'_> {
    /// Looks at the samples of its metric, which are in the order of time.
    pub(super) fn look(&self, samples: &Samples, now: Timestamp) -> Holding {
        let recent = self.recent(samples.of(self.metric), now);
        let Some(newest) = recent.last() else {
            return Holding::NoData;
        };
        let shown =
            |sample: &Sample| Threshold { value: sample.value, unit: self.threshold.unit }.to_string();
        if newest.unit.is_some_and(|unit| unit != self.threshold.unit) {
            return Holding::Unknown {
                why: format!("the newest sample is not measured as {}", self.threshold),
            };
        }
        let run = self.run(recent);
        let Some(oldest) = run.first() else {
            return Holding::No { found: shown(newest) };
        };
        let length = age(newest.time, oldest.time);
        // Earlier samples would have told whether it began before.
        let cut_off = run.len() == recent.len() || self.gap(recent, run);
        let too_few = self.consecutive.is_some_and(|times| (run.len() as u64) < u64::from(times));
        if too_few || self.lasting.is_some_and(|lasting| length < lasting.0) {
            let found = match too_few {
                true => format!("{} {} times in a row", shown(newest), run.len()),
                false => format!("{} for {}", shown(newest), Period(length)),
            };
            return match cut_off {
                true => Holding::Unknown { why: format!("{found}, and no sample before that") },
                false => Holding::No { found },
            };
        }
        let how_long = match (self.lasting, self.consecutive) {
            (Some(_), _) => format!(" for {}", Period(length)),
            (None, Some(_)) => format!(" {} times in a row", run.len()),
            (None, None) => String::new(),
        };
        Holding::Yes { found: format!("{}{how_long}", shown(newest)) }
    }

    fn recent<'a>(&self, samples: &'a [Sample], now: Timestamp) -> &'a [Sample] {
        let end = samples.partition_point(|sample| sample.time <= now);
        let start = match self.window {
            Some(window) => {
                samples.partition_point(|sample| age(now, sample.time) > window.0 && sample.time < now)
            }
            None => 0,
        };
        &samples[start.min(end)..end]
    }

    /// The samples at the end for which it holds without a break.
    fn run<'a>(&self, samples: &'a [Sample]) -> &'a [Sample] {
        let mut start = samples.len();
        while start > 0 {
            let sample = &samples[start - 1];
            let holds = sample.unit.is_none_or(|unit| unit == self.threshold.unit)
                && self.op.holds(sample.value, self.threshold.value);
            if !holds || start < samples.len() && self.too_far(samples[start].time, sample.time) {
                break;
            }
            start -= 1;
        }
        &samples[start..]
    }

    /// Whether the run ended at a hole in the samples and not at one that contradicts it.
    fn gap(&self, samples: &[Sample], run: &[Sample]) -> bool {
        let before = samples.len() - run.len();
        before > 0 && run.first().is_some_and(|first| self.too_far(first.time, samples[before - 1].time))
    }

    fn too_far(&self, later: Timestamp, earlier: Timestamp) -> bool {
        self.interval.is_some_and(|interval| age(later, earlier) > interval.0 * 2)
    }
}

fn age(later: Timestamp, earlier: Timestamp) -> Duration {
    later.duration_since(earlier).try_into().unwrap_or_default()
}
