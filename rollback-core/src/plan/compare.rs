//! Whether a plan that was read from a file says what planning says: every field that lands, or that a person
//! read before landing it.

use serde_json::Value;

use super::Plan;
use crate::error::{Error, LandingError, Result};

/// What a person does not read as a promise of the plan, or what may change while the result stays the same: notes
/// name hooks and upstreams as they are now, checks and comparisons were run on the machine that made the plan, and the
/// diff follows from the tree.
const NOT_COMPARED: [&str; 7] =
    ["schema_version", "request", "repository", "notes", "checks", "cross_check", "diff"];

/// Refuses a plan that differs from `again`, the same request planned again.
///
/// # Errors
/// [`LandingError::PlanAltered`] with the first field that differs.
pub(crate) fn refuse_altered(plan: &Plan, again: &Plan) -> Result<()> {
    match first_difference(plan, again)? {
        Some(field) => Err(LandingError::PlanAltered { field }.into()),
        None => Ok(()),
    }
}

/// The first field in which the plans differ, such as `attempts[0].tree_id`.
pub(crate) fn first_difference(plan: &Plan, again: &Plan) -> Result<Option<String>> {
    Ok(difference(&compared(plan)?, &compared(again)?, String::new()))
}

fn compared(plan: &Plan) -> Result<Value> {
    let mut value =
        serde_json::to_value(plan).map_err(|error| Error::internal("cannot compare plans", error))?;
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|name, _| !NOT_COMPARED.contains(&name.as_str()));
    }
    Ok(value)
}

fn difference(one: &Value, other: &Value, at: String) -> Option<String> {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let names = one.keys().chain(other.keys().filter(|name| !one.contains_key(*name)));
            names.into_iter().find_map(|name| {
                let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                let absent = Value::Null;
                difference(one.get(name).unwrap_or(&absent), other.get(name).unwrap_or(&absent), at)
            })
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let mut pairs = one.iter().zip(other).enumerate();
            pairs.find_map(|(nth, (one, other))| difference(one, other, format!("{at}[{nth}]")))
        }
        _ => (one != other).then_some(at),
    }
}
