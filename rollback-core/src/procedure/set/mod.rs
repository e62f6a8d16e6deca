//! Editing one value of a desired-state file: TOML, JSON or YAML, with every other byte kept.
//!
//! [`apply_set`] is a pure function from bytes to bytes. Whatever cannot be edited faithfully is refused by name:
//! after each edit the file is read again, and unless exactly the one value has changed the edit does not count.

mod json;
mod toml;
mod yaml;

use std::fmt;
use std::str::FromStr;

use super::format::{BadValue, Scalar, TreePath};

/// The formats of desired-state files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileFormat {
    /// TOML.
    Toml,
    /// JSON.
    Json,
    /// YAML, one document a file.
    Yaml,
}

impl FileFormat {
    /// The format that the name of a file stands for.
    pub fn of(path: &str) -> Option<Self> {
        match path.rsplit('.').next()? {
            "toml" => Some(Self::Toml),
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }
}

/// Why a value was not set. The file is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetError {
    /// The file is not what its name says.
    #[error("not a {format:?} file: {why}")]
    Unreadable {
        /// The format.
        format: FileFormat,
        /// What the reader says.
        why: String,
    },
    /// There is no such key, and one is never made up for a missing parent.
    #[error("there is no key '{key}'{}", nearest.as_ref().map_or(String::new(), |nearest| format!("; did you mean '{nearest}'?")))]
    NoSuchKey {
        /// The way to it as far as it is missing.
        key: String,
        /// The key that was probably meant.
        nearest: Option<String>,
    },
    /// What stands there is not a plain value.
    #[error("'{key}' is {found}, not a plain value")]
    NotPlain {
        /// The way to it.
        key: String,
        /// What stands there.
        found: &'static str,
    },
    /// The edit could change more than the one value.
    #[error("'{key}' cannot be edited faithfully: {why}")]
    Unfaithful {
        /// The way to it.
        key: String,
        /// What stands in the way.
        why: String,
    },
}

impl SetError {
    fn unfaithful(key: String, why: impl Into<String>) -> Self {
        Self::Unfaithful { key, why: why.into() }
    }
}

/// One part of a key: a name, a place in a list, or the row of a list in which a name has a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Name(String),
    Index(usize),
    Row { name: String, value: String },
}

/// A key inside a file: names separated by dots, `[2]` for a place in a list, `[name=value]` for the row with it, and
/// quotes around a name that holds dots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(Vec<Segment>);

impl Key {
    pub(crate) fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The first parts of the key as text.
    pub(crate) fn text(&self, parts: usize) -> String {
        Self(self.0[..parts.min(self.0.len())].to_vec()).to_string()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Name(name) => {
                    let dot = if at > 0 { "." } else { "" };
                    let quote = if name.contains(['.', '[', '"']) { "\"" } else { "" };
                    write!(f, "{dot}{quote}{name}{quote}")?;
                }
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Row { name, value } => write!(f, "[{name}={value}]")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Key {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |why: &str| BadValue(format!("'{text}' is not a key: {why}"));
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(quoted) = rest.strip_prefix('"') {
                let (name, after) = quoted.split_once('"').ok_or_else(|| bad("a quote is not closed"))?;
                segments.push(Segment::Name(name.to_owned()));
                rest = after;
            } else if let Some(bracket) = rest.strip_prefix('[') {
                let (inside, after) =
                    bracket.split_once(']').ok_or_else(|| bad("a bracket is not closed"))?;
                let row =
                    inside.split_once('=').map(|(name, value)| (name.trim().into(), value.trim().into()));
                segments.push(match (row, inside.parse()) {
                    (Some((name, value)), _) => Segment::Row { name, value },
                    (None, Ok(place)) => Segment::Index(place),
                    (None, Err(_)) => return Err(bad("a bracket holds a number or name=value")),
                });
                rest = after;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                if end == 0 {
                    return Err(bad("a name is empty"));
                }
                segments.push(Segment::Name(rest[..end].to_owned()));
                rest = &rest[end..];
            }
            if let Some(after) = rest.strip_prefix('.') {
                if after.is_empty() {
                    return Err(bad("it ends with a dot"));
                }
                rest = after;
            } else if !rest.is_empty() && !rest.starts_with('[') {
                return Err(bad("a dot is missing"));
            }
        }
        if segments.is_empty() {
            return Err(bad("it is empty"));
        }
        Ok(Self(segments))
    }
}

/// A value's place: the file and the key, written `file:key`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The file.
    pub file: TreePath,
    /// Its format.
    pub format: FileFormat,
    /// The key.
    pub key: Key,
}

impl FromStr for Place {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let (file, key) = text
            .split_once(':')
            .ok_or_else(|| BadValue(format!("'{text}' is not a place: write it as file.toml:key.path")))?;
        let file: TreePath = file.parse()?;
        let format = FileFormat::of(file.as_str()).ok_or_else(|| {
            BadValue(format!(
                "'{file}' is not a file of desired state: only TOML, JSON and YAML can be edited"
            ))
        })?;
        Ok(Self { file, format, key: key.parse()? })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.key)
    }
}

/// Sets a value and keeps every other byte. A key is added only to a table that is there.
///
/// # Errors
/// [`SetError`]: the file cannot be read, the key is not there, or the edit would not be faithful.
pub fn apply_set(bytes: &[u8], format: FileFormat, key: &Key, value: &Scalar) -> Result<Vec<u8>, SetError> {
    let text = utf8(bytes, format)?;
    let edited = match format {
        FileFormat::Toml => toml::set(text, key, value)?,
        FileFormat::Json => json::set(text, key, value)?,
        FileFormat::Yaml => yaml::set(text, key, value)?,
    };
    Ok(edited.into_bytes())
}

/// Reads a plain value.
///
/// # Errors
/// As [`apply_set`].
pub fn read_value(bytes: &[u8], format: FileFormat, key: &Key) -> Result<Scalar, SetError> {
    let text = utf8(bytes, format)?;
    match format {
        FileFormat::Toml => toml::get(text, key),
        FileFormat::Json => json::get(text, key),
        FileFormat::Yaml => yaml::get(text, key),
    }
}

fn utf8(bytes: &[u8], format: FileFormat) -> Result<&str, SetError> {
    std::str::from_utf8(bytes).map_err(|_| SetError::Unreadable { format, why: "it is not UTF-8".to_owned() })
}

/// The refusal of a key whose first `parts` lead to nothing; `known` are the names that are there.
fn no_such_key<'a>(key: &Key, parts: usize, known: impl IntoIterator<Item = &'a str>) -> SetError {
    let nearest = match &key.0[parts - 1] {
        Segment::Name(name) => super::format::nearest(name, known),
        _ => None,
    };
    SetError::NoSuchKey { key: key.text(parts), nearest }
}

/// The only one of what the first `parts` of a key lead to; `None` where they lead to nothing.
fn only<T>(found: impl IntoIterator<Item = T>, key: &Key, parts: usize) -> Result<Option<T>, SetError> {
    let mut found = found.into_iter();
    let first = found.next();
    match (found.next(), &key.0[parts - 1]) {
        (None, _) => Ok(first),
        (_, Segment::Name(name)) => {
            Err(SetError::unfaithful(key.text(parts), format!("the name '{name}' stands there twice")))
        }
        _ => Err(SetError::unfaithful(key.text(parts), "several rows match")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        for text in [
            "traffic.flat",
            "a.\"b.c\".d",
            "jobs.lint.steps[2].run",
            "steps[name=Check docstrings].run",
            "[0].a",
        ] {
            assert_eq!(text.parse::<Key>().unwrap().to_string(), text);
        }
        for text in ["", ".a", "a.", "a..b", "a[", "a[x]", "\"a"] {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_place_names_its_file_and_key() {
        let place: Place = "deploy/traffic.toml:split.flat".parse().unwrap();
        assert_eq!((place.file.as_str(), place.format), ("deploy/traffic.toml", FileFormat::Toml));
        assert_eq!(place.to_string(), "deploy/traffic.toml:split.flat");
        assert!(
            "traffic.ini:a".parse::<Place>().unwrap_err().to_string().contains("only TOML, JSON and YAML")
        );
        assert!("../x.toml:a".parse::<Place>().is_err());
        assert!("traffic.toml".parse::<Place>().is_err());
    }
}
