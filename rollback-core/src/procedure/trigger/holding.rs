//! Whether a condition holds now, and has held long enough.

use std::time::Duration;

use jiff::Timestamp;

use super::{Sample, Samples, State};
use crate::procedure::format::{Period, Rule, Threshold};

impl Rule<'_> {
    /// What the samples of its metric say, which are in the order of time; `None` where there are none.
    pub(super) fn look(&self, samples: &Samples, now: Timestamp) -> Option<(State, String)> {
        let recent = self.recent(samples.of(self.metric), now);
        let newest = recent.last()?;
        if newest.unit.is_some_and(|unit| unit != self.threshold.unit) {
            let why = format!("the newest sample is not measured as {}", self.threshold);
            return Some((State::Inconclusive, why));
        }
        let shown = Threshold { value: newest.value, unit: self.threshold.unit }.to_string();
        let run = self.run(recent);
        let Some(oldest) = run.first() else { return Some((State::Quiet, shown)) };
        let length = age(newest.time, oldest.time);
        // Earlier samples would have told whether it began before.
        let cut_off = run.len() == recent.len() || self.gap(recent, run);
        let too_few = self.consecutive.is_some_and(|times| (run.len() as u64) < u64::from(times));
        if too_few || self.lasting.is_some_and(|lasting| length < lasting.0) {
            let found = match too_few {
                true => format!("{shown} {} times in a row", run.len()),
                false => format!("{shown} for {}", Period(length)),
            };
            return Some(match cut_off {
                true => (State::Inconclusive, format!("{found}, and no sample before that")),
                false => (State::Quiet, found),
            });
        }
        let how_long = match (self.lasting, self.consecutive) {
            (Some(_), _) => format!(" for {}", Period(length)),
            (None, Some(_)) => format!(" {} times in a row", run.len()),
            (None, None) => String::new(),
        };
        Some((State::Fires, shown + &how_long))
    }

    fn recent<'a>(&self, samples: &'a [Sample], now: Timestamp) -> &'a [Sample] {
        let end = samples.partition_point(|sample| sample.time <= now);
        let is_old = |sample: &Sample, window: Period| age(now, sample.time) > window.0 && sample.time < now;
        let start = self.window.map_or(0, |window| samples.partition_point(|sample| is_old(sample, window)));
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
