//! Figures: lines, bytes, counts and captured values.

use super::{Outcome, Seen, Verdict};
use crate::content::count_lines;
use crate::procedure::format::{Expect, Operator, Scalar};

pub(super) fn judge(expect: &Expect, seen: Seen<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    if let Some(expected) = &expect.lines {
        verdicts.push(exact("lines", expected, &count_lines(seen.first()).to_string()));
    }
    if let Some(bounds) = &expect.bytes {
        verdicts.push(between("bytes", bounds.min, bounds.max, seen.first().len() as u64));
    }
    if let Some(count) = &expect.count {
        let found = seen.all().map(|bytes| count.regex.regex().find_iter(bytes).count() as u64).sum();
        verdicts.push(between(&format!("matches of {}", count.regex), count.min, count.max, found));
    }
    verdicts.extend(captured(expect, seen));
    verdicts
}

/// An exact figure rots: what it counted has grown since. Fewer fail; more is for a person to judge.
fn exact(what: &str, expected: &Scalar, found: &str) -> Verdict {
    let (wanted, figure) = (expected.as_f64(), Scalar::from_text(found.trim()).as_f64());
    let (outcome, reason) = match (wanted, figure) {
        (Some(wanted), Some(figure)) if Operator::Equal.holds(figure, wanted) => {
            (Outcome::Pass, String::new())
        }
        (Some(wanted), Some(figure)) if figure < wanted => {
            (Outcome::Fail, format!("fewer {what} than expected"))
        }
        (Some(_), Some(_)) => {
            let why = "than the procedure knows of: confirm it, or give the new figure as an input";
            (Outcome::Inconclusive, format!("more {what} {why}"))
        }
        (Some(_), None) => (Outcome::Error, format!("'{found}' is not a number")),
        _ if expected.to_string() == found => (Outcome::Pass, String::new()),
        _ => (Outcome::Fail, format!("{what} differs")),
    };
    Verdict::new(outcome, reason).of(expected, found)
}

fn between(what: &str, min: Option<u64>, max: Option<u64>, found: u64) -> Verdict {
    let expected = match (min, max) {
        (Some(min), Some(max)) if min == max => min.to_string(),
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => return Verdict::pass(),
    };
    let verdict = if min.is_some_and(|min| found < min) {
        Verdict::new(Outcome::Fail, format!("too few {what}"))
    } else if max.is_some_and(|max| found > max) {
        Verdict::new(Outcome::Fail, format!("too many {what}"))
    } else {
        Verdict::pass()
    };
    verdict.of(expected, found)
}

fn captured(expect: &Expect, seen: Seen<'_>) -> Vec<Verdict> {
    let Some(pattern) = &expect.capture else { return Vec::new() };
    let last = seen.all().filter_map(|bytes| pattern.regex().captures_iter(bytes).last()?.get(1)).last();
    let Some(value) = last.map(|group| String::from_utf8_lossy(group.as_bytes()).into_owned()) else {
        let why = format!("nothing matches {pattern}, so there is no figure to judge");
        return vec![Verdict::new(Outcome::Error, why)];
    };
    expect.comparisons().map(|(operator, operand)| compared(operator, operand, &value)).collect()
}

fn compared(operator: Operator, operand: &Scalar, value: &str) -> Verdict {
    match operator {
        Operator::Equal => exact("of it", operand, value),
        Operator::NotEqual => {
            let verdict = match Scalar::from_text(value) == Scalar::from_text(&operand.to_string()) {
                true => Verdict::new(Outcome::Fail, "it is what it must not be"),
                false => Verdict::pass(),
            };
            verdict.of(format!("anything but {operand}"), value)
        }
        _ => limited(operator, operand, value),
    }
}

fn limited(operator: Operator, limit: &Scalar, value: &str) -> Verdict {
    let expected = format!("{operator} {limit}");
    let verdict = match (limit.as_f64(), Scalar::from_text(value.trim()).as_f64()) {
        (Some(wanted), Some(figure)) if operator.holds(figure, wanted) => Verdict::pass(),
        (Some(_), Some(_)) => Verdict::new(Outcome::Fail, "the figure is out of bounds"),
        _ => Verdict::new(Outcome::Error, format!("'{value}' is not a number")),
    };
    verdict.of(expected, value)
}
