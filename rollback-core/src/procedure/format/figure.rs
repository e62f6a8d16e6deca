//! Figures with units and how they are compared.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::value::{BadValue, Scalar, spelled_value, split_while};

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Unit {
    /// Hundredths of a whole; samples may also be given as a ratio between 0 and 1 where the metric says so.
    #[serde(rename = "%")]
    Percent,
    /// Time, kept in seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Storage, kept in bytes.
    #[serde(rename = "B")]
    Bytes,
    /// A number of things.
    Count,
    /// A multiple of what is usual, such as `2x`.
    #[serde(rename = "x")]
    Times,
}

/// A figure with its unit, such as `0.1%`, `50ms`, `1GB`, `3 count` or `2x`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Threshold {
    /// The figure in the unit's base: percent, seconds, bytes, pieces, times.
    pub value: f64,
    /// What it counts.
    pub unit: Unit,
}

spelled_value!(
    Threshold,
    "A figure with its unit: 0.1%, 50ms, 5m, 1GB, 3 count, 2x.",
    r"^-?[0-9]+(\.[0-9]+)? ?(%|x|count|ms|s|m|h|d|B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$"
);

const THRESHOLD_UNITS: [(&str, Unit, f64); 16] = [
    ("%", Unit::Percent, 1.0),
    ("x", Unit::Times, 1.0),
    ("count", Unit::Count, 1.0),
    ("ms", Unit::Seconds, 1e-3),
    ("s", Unit::Seconds, 1.0),
    ("m", Unit::Seconds, 60.0),
    ("h", Unit::Seconds, 3600.0),
    ("d", Unit::Seconds, 86_400.0),
    ("B", Unit::Bytes, 1.0),
    ("KB", Unit::Bytes, 1e3),
    ("MB", Unit::Bytes, 1e6),
    ("GB", Unit::Bytes, 1e9),
    ("TB", Unit::Bytes, 1e12),
    ("KiB", Unit::Bytes, 1024.0),
    ("MiB", Unit::Bytes, 1_048_576.0),
    ("GiB", Unit::Bytes, 1_073_741_824.0),
];

/// The unit of this name and its factor.
pub(crate) fn unit_of(name: &str) -> Option<(Unit, f64)> {
    let (_, unit, factor) = THRESHOLD_UNITS.iter().find(|(known, ..)| *known == name)?;
    Some((*unit, *factor))
}

impl FromStr for Threshold {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let text = text.trim();
        let bad = |why: String| BadValue(format!("'{text}' is not a threshold: {why}"));
        let (number, unit) = split_while(text, |c| c.is_ascii_digit() || matches!(c, '.' | '-'));
        let value: f64 =
            number.parse().map_err(|_| bad("write a number and a unit, such as 0.1% or 50ms".to_owned()))?;
        let unit = unit.trim();
        if unit.is_empty() {
            return Err(bad(format!(
                "it has no unit; did you mean '{number}%', '{number}ms' or '{number} count'?"
            )));
        }
        let Some((unit, factor)) = unit_of(unit) else {
            return Err(bad(format!(
                "unknown unit '{unit}' (%, x, count, ms, s, m, h, d, B, KB, MB, GB, KiB, MiB, GiB)"
            )));
        };
        if unit == Unit::Percent && !(0.0..=100.0).contains(&value) {
            let why = "a percentage lies between 0% and 100%; for growth use times, such as 2x";
            return Err(bad(why.to_owned()));
        }
        match value < 0.0 {
            true => Err(bad("it is negative".to_owned())),
            false => Ok(Self { value: value * factor, unit }),
        }
    }
}

/// In the largest unit that keeps the figure above one.
impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value;
        let (factor, name) = match self.unit {
            Unit::Percent => (1.0, "%"),
            Unit::Times => (1.0, "x"),
            Unit::Count => (1.0, ""),
            Unit::Seconds if value < 1.0 => (1e-3, "ms"),
            Unit::Seconds if value >= 60.0 && value % 60.0 == 0.0 => (60.0, "m"),
            Unit::Seconds => (1.0, "s"),
            Unit::Bytes if value >= 1e9 => (1e9, "GB"),
            Unit::Bytes if value >= 1e6 => (1e6, "MB"),
            Unit::Bytes if value >= 1e3 => (1e3, "KB"),
            Unit::Bytes => (1.0, "B"),
        };
        let text = format!("{:.3}", value / factor);
        write!(f, "{}{name}", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// How a figure is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum Operator {
    /// Greater than.
    #[serde(rename = ">")]
    Greater,
    /// Greater than or equal to.
    #[serde(rename = ">=")]
    GreaterOrEqual,
    /// Less than.
    #[serde(rename = "<")]
    Less,
    /// Less than or equal to.
    #[serde(rename = "<=")]
    LessOrEqual,
    /// Equal to.
    #[serde(rename = "==")]
    Equal,
    /// Not equal to.
    #[serde(rename = "!=")]
    NotEqual,
}

impl Operator {
    /// Whether `left` stands in this relation to `right`. Nothing does where one is not a number.
    pub fn holds(self, left: f64, right: f64) -> bool {
        if left.is_nan() || right.is_nan() {
            return false;
        }
        // Percentages and milliseconds are converted: what differs only in the last binary digits is equal.
        let equal = (left - right).abs() <= 1e-9 * left.abs().max(right.abs());
        match self {
            Self::Greater => left > right && !equal,
            Self::GreaterOrEqual => left > right || equal,
            Self::Less => left < right && !equal,
            Self::LessOrEqual => left < right || equal,
            Self::Equal => equal,
            Self::NotEqual => !equal,
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::spelled(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_need_a_unit_and_must_be_possible() {
        for (text, value, unit, written) in [
            ("0.1%", 0.1, Unit::Percent, "0.1%"),
            ("50ms", 0.05, Unit::Seconds, "50ms"),
            ("5m", 300.0, Unit::Seconds, "5m"),
            ("1GB", 1e9, Unit::Bytes, "1GB"),
            ("50 count", 50.0, Unit::Count, "50"),
            ("2x", 2.0, Unit::Times, "2x"),
        ] {
            let threshold: Threshold = text.parse().unwrap();
            assert_eq!(threshold, Threshold { value, unit });
            assert_eq!(threshold.to_string(), written);
        }
        for (text, why) in [
            ("5", "no unit"),
            ("101%", "between 0% and 100%"),
            ("-1s", "negative"),
            ("five%", "write a number"),
            ("5 lightyears", "unknown unit 'lightyears'"),
        ] {
            let error = text.parse::<Threshold>().unwrap_err().to_string();
            assert!(error.contains(why) && error.contains(text), "{error}");
        }
    }

    #[test]
    fn comparing_is_exact_to_what_was_written() {
        assert!(Operator::Equal.holds(0.1 + 0.2, 0.3));
        assert!(!Operator::Greater.holds(0.1 + 0.2, 0.3));
        assert!(Operator::Greater.holds(0.1001, 0.1));
        assert!(!Operator::NotEqual.holds(f64::NAN, 1.0));
    }
}
