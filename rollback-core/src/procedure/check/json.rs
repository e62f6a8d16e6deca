//! Values inside JSON.

use serde_json::Value;

use super::{Outcome, Verdict};
use crate::procedure::format::{JsonExpect, Operator, Scalar, Unit};

pub(super) fn judge(expect: &JsonExpect, bytes: &[u8]) -> Verdict {
    let document: Value = match serde_json::from_slice(bytes) {
        Ok(document) => document,
        Err(error) => return Verdict::new(Outcome::Error, format!("it is not JSON: {error}")),
    };
    let parts: Vec<&str> = expect.path.split('.').filter(|part| !part.is_empty()).collect();
    let mut found = Vec::new();
    if !collect(&document, &parts, &mut found) {
        return Verdict::new(Outcome::Error, format!("there is no '{}' in it", expect.path));
    }
    if found.is_empty() {
        let why = format!("'{}' stands for nothing: there is no data", expect.path);
        return Verdict::new(Outcome::Inconclusive, why);
    }
    let held = found.iter().filter(|value| holds(value, expect.op, &expect.value)).count();
    let enough = match expect.share.filter(|share| share.unit == Unit::Percent) {
        Some(share) => Operator::Greater.holds(100.0 * held as f64 / found.len() as f64, share.value),
        None => held == found.len(),
    };
    let expected = match expect.share {
        Some(share) => format!("more than {share} of '{}' {} {}", expect.path, expect.op, expect.value),
        None => format!("'{}' {} {}", expect.path, expect.op, expect.value),
    };
    let shown = match found.as_slice() {
        [one] => plain(one),
        many => format!("{held} of {}", many.len()),
    };
    let verdict = if enough { Verdict::pass() } else { Verdict::new(Outcome::Fail, "a value differs") };
    verdict.of(expected, shown)
}

/// Collects the values that the parts lead to; `false` where one is missing.
fn collect<'a>(value: &'a Value, parts: &[&str], found: &mut Vec<&'a Value>) -> bool {
    let Some((part, rest)) = parts.split_first() else {
        found.push(value);
        return true;
    };
    match (value, *part) {
        (Value::Array(items), "*") => items.iter().all(|item| collect(item, rest, found)),
        (Value::Object(members), "*") => members.values().all(|member| collect(member, rest, found)),
        (Value::Array(items), place) => {
            let item = place.parse().ok().and_then(|place: usize| items.get(place));
            item.is_some_and(|item| collect(item, rest, found))
        }
        (Value::Object(members), name) => members.get(name).is_some_and(|item| collect(item, rest, found)),
        _ => false,
    }
}

fn holds(value: &Value, operator: Operator, expected: &Scalar) -> bool {
    match (value.as_f64(), expected.as_f64()) {
        (Some(found), Some(expected)) => operator.holds(found, expected),
        _ => match operator {
            Operator::Equal => plain(value) == expected.to_string(),
            Operator::NotEqual => plain(value) != expected.to_string(),
            _ => false,
        },
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
