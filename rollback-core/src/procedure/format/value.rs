//! The values of a procedure that carry a unit or a rule: they are refused where they stand, with what was found.
//!
//! Nothing here looks at another value; what must fit together is the work of `validate`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use crate::process::push::Remote;

/// Why a value was refused: a fragment that names the value and what would do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadValue(pub String);

macro_rules! spelled_value {
    ($name:ident, $description:literal, $pattern:literal) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Scalar::deserialize(deserializer)?.to_string().parse().map_err(D::Error::custom)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $description, "pattern": $pattern })
            }
        }
    };
}
pub(super) use spelled_value;

/// A length of time with its unit, such as `90s`, `1h30m` or `30d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Period(pub Duration);

spelled_value!(
    Period,
    "A length of time with its unit: 500ms, 90s, 10m, 1h30m, 30d, 2w.",
    r"^([0-9]+(ms|s|m|h|d|w))+$"
);

/// The characters at the start for which `belongs` holds, and the rest.
pub(crate) fn split_while(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

const PERIOD_UNITS: [(&str, u64); 6] =
    [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

impl FromStr for Period {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |why: &str| BadValue(format!("'{text}' is not a length of time: {why}"));
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(bad("it is empty"));
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let (number, after) = split_while(rest, |c| c.is_ascii_digit());
            let number: u64 =
                number.parse().map_err(|_| bad("write a whole number and a unit, such as 10m"))?;
            let (unit, after) = split_while(after.trim_start(), |c| c.is_ascii_alphabetic());
            if unit.is_empty() {
                return Err(bad(&format!("it has no unit; did you mean '{number}s' or '{number}m'?")));
            }
            let Some((_, factor)) = PERIOD_UNITS.iter().find(|(name, _)| *name == unit) else {
                return Err(bad(&format!("unknown unit '{unit}' (ms, s, m, h, d, w)")));
            };
            total = number
                .checked_mul(*factor)
                .and_then(|part| total.checked_add(part))
                .ok_or_else(|| bad("it is too long"))?;
            rest = after.trim_start();
        }
        Ok(Self(Duration::from_millis(total)))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if rest == 0 {
            return f.write_str("0s");
        }
        // Days only where they come out even: 72h30m reads better than 3d30m.
        let units = if rest % 86_400_000 == 0 { &PERIOD_UNITS[1..] } else { &PERIOD_UNITS[2..] };
        for (unit, factor) in units {
            if rest >= *factor {
                write!(f, "{}{unit}", rest / factor)?;
                rest %= factor;
            }
        }
        Ok(())
    }
}

/// A length of time, or the range it is expected in, such as `15m..30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeriodRange {
    /// The shortest.
    pub from: Period,
    /// The longest.
    pub to: Period,
}

spelled_value!(
    PeriodRange,
    "A length of time, or a range of it: 15m, 15m..30m.",
    r"^([0-9]+(ms|s|m|h|d|w))+(\.\.([0-9]+(ms|s|m|h|d|w))+)?$"
);

impl FromStr for PeriodRange {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let (from, to) = text.split_once("..").unwrap_or((text, text));
        let (from, to) = (from.parse()?, to.parse()?);
        if from > to {
            return Err(BadValue(format!("'{text}' ends before it begins")));
        }
        Ok(Self { from, to })
    }
}

impl fmt::Display for PeriodRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to {
            return self.to.fmt(f);
        }
        write!(f, "{}..{}", self.from, self.to)
    }
}

/// A regular expression: linear in time, limited in size, multi-line (`^` and `$` match at each line).
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    regex: regex::bytes::Regex,
}

spelled_value!(Pattern, "A regular expression of the Rust regex crate; ^ and $ match at each line.", ".*");

impl Pattern {
    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it matches all of a text and not a part alone.
    pub(crate) fn is_all_of(&self, text: &str) -> bool {
        self.regex.find(text.as_bytes()).is_some_and(|found| found.range() == (0..text.len()))
    }

    /// The compiled expression, for bytes.
    pub fn regex(&self) -> &regex::bytes::Regex {
        &self.regex
    }
}

impl FromStr for Pattern {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let built = regex::bytes::RegexBuilder::new(text).multi_line(true).size_limit(1 << 18).build();
        let regex = built.map_err(|error| {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
            BadValue(format!("'{text}' is not a regular expression: {why}"))
        })?;
        Ok(Self { text: text.to_owned(), regex })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// A path inside the repository, with `/` between the parts. It cannot leave the root or enter `.git`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreePath(String);

spelled_value!(TreePath, "A path inside the repository: relative, no '..', not inside .git.", "^[^/].*$|^$");

impl TreePath {
    /// The path as text, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TreePath {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |why: &str| Err(BadValue(format!("'{text}' is not a path inside the repository: {why}")));
        if text.starts_with('/')
            || text.starts_with('~')
            || text.contains(':') && text.as_bytes().get(1) == Some(&b':')
        {
            return bad("it is absolute");
        }
        if text.contains('\0') || text.contains('\\') {
            return bad("it holds a character that no portable path has");
        }
        let mut parts = Vec::new();
        for part in text.split('/').filter(|part| !part.is_empty() && *part != ".") {
            if part == ".." {
                return bad("it leaves the root with '..'");
            }
            if part.trim_end_matches(['.', ' ']).eq_ignore_ascii_case(".git")
                || part.eq_ignore_ascii_case("git~1")
            {
                return bad("it enters .git");
            }
            parts.push(part);
        }
        Ok(Self(parts.join("/")))
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "." } else { &self.0 })
    }
}

/// The name of a file, without its folder: it can lie nowhere but where rb puts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

spelled_value!(FileName, "The name of a file, without a folder.", r"^[^./\\~-][^/\\]*$");

impl FileName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FileName {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |why: &str| Err(BadValue(format!("'{text}' is not the name of a file: {why}")));
        match text {
            "" => bad("it is empty"),
            _ if text.contains(['/', '\\']) => bad("it names a folder"),
            _ if text.starts_with(['.', '~', '-']) => bad("it begins with '.', '~' or '-'"),
            _ if text.chars().any(char::is_control) => bad("it holds a control character"),
            _ if text.len() > 200 => bad("it is longer than 200 bytes"),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

spelled_value!(Remote, "The name of a remote, or an https, ssh, git or file URL.", r"^[A-Za-z0-9].*$");

impl FromStr for Remote {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        Self::parse(text).map_err(|why| BadValue(format!("'{text}' is not a remote: {why}")))
    }
}

/// A plain value: text, whole number, decimal or truth value.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Scalar {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A decimal.
    Float(f64),
    /// Text, which may hold placeholders.
    Text(String),
}

impl Scalar {
    /// The value read from text given on the command line: what looks like a number or truth value is one.
    pub fn from_text(text: &str) -> Self {
        match text {
            "true" => Self::Bool(true),
            "false" => Self::Bool(false),
            _ => match (text.parse(), text.parse()) {
                (Ok(integer), _) => Self::Integer(integer),
                (_, Ok(float)) if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
                    Self::Float(float)
                }
                _ => Self::Text(text.to_owned()),
            },
        }
    }

    /// The value as a number, where it is one or spells one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            Self::Text(text) => text.trim().trim_end_matches('%').trim().parse().ok(),
            Self::Bool(_) => None,
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Text(value) => f.write_str(value),
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, a number, true or false")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar::Integer(value))
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Scalar, E> {
                i64::try_from(value).map(Scalar::Integer).map_err(|_| E::custom("the number is too large"))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
                Ok(Scalar::Float(value))
            }

            fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(value.to_owned()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Scalar {
    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer", "number", "boolean"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_read_and_write_with_units() {
        for (text, milliseconds, written) in [
            ("90s", 90_000, "1m30s"),
            ("1h30m", 5_400_000, "1h30m"),
            ("48h", 172_800_000, "2d"),
            ("72h 30m", 261_000_000, "72h30m"),
            ("500ms", 500, "500ms"),
            ("0s", 0, "0s"),
        ] {
            let period: Period = text.parse().unwrap();
            assert_eq!(period.0, Duration::from_millis(milliseconds), "{text}");
            assert_eq!(period.to_string(), written);
            assert_eq!(written.parse::<Period>().unwrap(), period);
        }
    }

    #[test]
    fn a_period_without_a_unit_is_refused_with_what_was_meant() {
        let error = "10".parse::<Period>().unwrap_err().to_string();
        assert_eq!(error, "'10' is not a length of time: it has no unit; did you mean '10s' or '10m'?");
        assert!("5 minutes".parse::<Period>().unwrap_err().to_string().contains("unknown unit 'minutes'"));
        assert!("30m..15m".parse::<PeriodRange>().is_err());
    }

    #[test]
    fn paths_that_leave_the_repository_or_enter_git_are_refused() {
        for path in
            ["/etc/passwd", "../x", "a/../../x", ".git/config", "a/.GIT/x", "git~1/x", "~/x", "C:/x", "a\\b"]
        {
            assert!(path.parse::<TreePath>().is_err(), "{path}");
        }
        assert_eq!("./a//b/".parse::<TreePath>().unwrap().as_str(), "a/b");
        assert_eq!(".".parse::<TreePath>().unwrap().to_string(), ".");
    }

    #[test]
    fn the_name_of_a_file_has_no_folder() {
        assert_eq!(
            "report_{date.compact}.md".parse::<FileName>().unwrap().as_str(),
            "report_{date.compact}.md"
        );
        for text in ["", ".", "..", "../x", "a/b", "/x", "~", "~/x", "a\\b", "-x", ".ssh", "a\nb"] {
            assert!(text.parse::<FileName>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_pattern_that_is_none_says_why() {
        let error = "(".parse::<Pattern>().unwrap_err().to_string();
        assert_eq!(error, "'(' is not a regular expression: unclosed group");
    }
}
