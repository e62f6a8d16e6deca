//! The values a run takes: declared, defaulted, limited to what the procedure lists.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::format::{Document, Input, InputKind, Period, Scalar, TreePath, nearest};

/// Why the values given do not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The procedure has no such input.
    #[error("there is no input '{name}'{} (known: {})", meant(nearest.as_deref()), known.join(", "))]
    Unknown {
        /// What was given.
        name: String,
        /// The inputs there are.
        known: Vec<String>,
        /// The input that was probably meant.
        nearest: Option<String>,
    },
    /// A value is not one the input takes.
    #[error("input '{name}': {why}")]
    Refused {
        /// The input.
        name: String,
        /// What was found and what would do.
        why: String,
    },
    /// A value is needed and was not given.
    #[error("input '{name}' is not set{}", help.as_ref().map_or(String::new(), |help| format!(": {help}")))]
    Unset {
        /// The input.
        name: String,
        /// What it is for.
        help: Option<String>,
    },
    /// `--exclude` names an input that is no list.
    #[error("input '{0}' is not a list: nothing can be excluded from it")]
    NotAList(String),
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map_or(String::new(), |nearest| format!("; did you mean '{nearest}'?"))
}

/// The values of a run. Those of secret inputs are never written: a run that goes on is given them again.
#[derive(Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Inputs {
    values: BTreeMap<String, String>,
    help: BTreeMap<String, Option<String>>,
    #[serde(skip)]
    secrets: BTreeMap<String, String>,
}

impl std::fmt::Debug for Inputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let secrets: Vec<_> = self.secrets.keys().collect();
        f.debug_struct("Inputs").field("values", &self.values).field("secrets", &secrets).finish()
    }
}

impl Inputs {
    /// The values given, each looked at, and the defaults of all others. `excluded` members leave their lists.
    ///
    /// # Errors
    /// [`InputError`], but never `Unset`: only a value that is used has to be there.
    pub fn resolve(
        document: &Document,
        given: &[(String, String)],
        excluded: &[(String, String)],
    ) -> Result<Self, InputError> {
        let mut inputs = Self::default();
        for (name, input) in document.input.iter() {
            inputs.help.insert(name.to_owned(), input.help.clone());
            let default = input.default.as_ref().map(Scalar::to_string);
            let all = (input.kind == InputKind::List).then(|| input.values.join(","));
            if let Some(value) = default.or(all) {
                inputs.put(name, input, value);
            }
        }
        for (name, value) in given {
            inputs.give(document, name, value)?;
        }
        for (name, value) in excluded {
            let input = declared(document, name)?;
            if input.kind != InputKind::List {
                return Err(InputError::NotAList(name.clone()));
            }
            let out = accept(input, value).map_err(|why| InputError::Refused { name: name.clone(), why })?;
            let mut kept = inputs.list(name)?;
            kept.retain(|member| !members(&out).any(|out| out == member));
            inputs.values.insert(name.clone(), kept.join(","));
        }
        Ok(inputs)
    }

    /// Gives the secrets of a run that goes on again: they were not written down. No other value can be given anew.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn give_again(&mut self, document: &Document, given: &[(String, String)]) -> Result<(), InputError> {
        let secret = |(_, input): &(&str, &Input)| input.secret;
        for (name, input) in document.input.iter().filter(secret) {
            // A build that knew no better may have written it down.
            self.values.remove(name);
            if let Some(default) = &input.default {
                self.put(name, input, default.to_string());
            }
        }
        for (name, value) in given {
            if declared(document, name)?.secret {
                self.give(document, name, value)?;
            } else if self.values.get(name) != Some(value) {
                let why = "it was decided when the run began, and only secrets are given again".to_owned();
                return Err(InputError::Refused { name: name.clone(), why });
            }
        }
        Ok(())
    }

    fn give(&mut self, document: &Document, name: &str, value: &str) -> Result<(), InputError> {
        let input = declared(document, name)?;
        let value = accept(input, value).map_err(|why| {
            let why = if input.secret { "its value, which is secret, does not do".to_owned() } else { why };
            InputError::Refused { name: name.to_owned(), why }
        })?;
        self.put(name, input, value);
        Ok(())
    }

    fn put(&mut self, name: &str, input: &Input, value: String) {
        let values = if input.secret { &mut self.secrets } else { &mut self.values };
        values.insert(name.to_owned(), value);
    }

    /// The value of an input.
    ///
    /// # Errors
    /// [`InputError::Unset`].
    pub fn get(&self, name: &str) -> Result<&str, InputError> {
        self.secrets.get(name).or_else(|| self.values.get(name)).map(String::as_str).ok_or_else(|| {
            InputError::Unset { name: name.to_owned(), help: self.help.get(name).cloned().flatten() }
        })
    }

    /// The members of a list.
    ///
    /// # Errors
    /// [`InputError::Unset`].
    pub fn list(&self, name: &str) -> Result<Vec<String>, InputError> {
        Ok(members(self.get(name)?).map(ToOwned::to_owned).collect())
    }

    /// Whether the value of an input is secret.
    pub fn is_secret(&self, name: &str) -> bool {
        self.secrets.contains_key(name)
    }

    /// Names and values of the secret inputs.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = (&str, &str)> {
        self.secrets.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Names and values, for the report; without what is secret.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn declared<'a>(document: &'a Document, name: &str) -> Result<&'a Input, InputError> {
    document.input.get(name).ok_or_else(|| {
        let known: Vec<String> = document.input.names().map(ToOwned::to_owned).collect();
        let nearest = nearest(name, known.iter().map(String::as_str));
        InputError::Unknown { name: name.to_owned(), known, nearest }
    })
}

fn members(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|member| !member.is_empty())
}

/// The value as it is kept, or why it is refused.
pub(crate) fn accept(input: &Input, value: &str) -> Result<String, String> {
    let value = value.trim();
    if value.contains(['\0', '\n', '\r']) {
        return Err("a value is one line".to_owned());
    }
    if input.kind == InputKind::List {
        for member in members(value) {
            refuse_option(member)?;
            among(input, member)?;
        }
        return Ok(members(value).collect::<Vec<_>>().join(","));
    }
    if !matches!(input.kind, InputKind::Integer | InputKind::Percentage) {
        refuse_option(value)?;
    }
    if !input.values.is_empty() {
        among(input, value)?;
    }
    if let Some(pattern) = input.pattern.as_ref().filter(|pattern| !pattern.is_all_of(value)) {
        return Err(format!("'{value}' does not match {pattern}"));
    }
    of_its_kind(input.kind, value)?;
    within(input, value)?;
    Ok(value.to_owned())
}

/// A value can end up as an argument, and must not turn into an option there.
fn refuse_option(value: &str) -> Result<(), String> {
    match value.starts_with('-') {
        true => Err(format!("'{value}' begins with '-'")),
        false => Ok(()),
    }
}

fn among(input: &Input, value: &str) -> Result<(), String> {
    if input.values.is_empty() || input.values.iter().any(|known| known == value) {
        return Ok(());
    }
    let nearest = nearest(value, input.values.iter().map(String::as_str));
    let (meant, declared) = (meant(nearest.as_deref()), input.values.join(", "));
    Err(format!("'{value}' is not declared{meant} (declared: {declared})"))
}

fn of_its_kind(kind: InputKind, value: &str) -> Result<(), String> {
    let number = || value.trim_end_matches('%').trim().parse::<f64>().ok();
    let (fits, what) = match kind {
        InputKind::Integer => (value.parse::<i64>().is_ok(), "a whole number"),
        InputKind::Percentage => {
            (number().is_some_and(|n| (0.0..=100.0).contains(&n)), "a percentage between 0 and 100")
        }
        InputKind::Duration => (value.parse::<Period>().is_ok(), "a length of time such as 10m"),
        InputKind::Boolean => (matches!(value, "true" | "false"), "true or false"),
        InputKind::Commit => (!value.is_empty(), "a revision"),
        InputKind::Path => (value.parse::<TreePath>().is_ok(), "a path inside the repository"),
        InputKind::Text | InputKind::List => (true, ""),
    };
    if fits { Ok(()) } else { Err(format!("'{value}' is not {what}")) }
}

fn within(input: &Input, value: &str) -> Result<(), String> {
    let figure = Scalar::from_text(value.trim_end_matches('%')).as_f64();
    for (limit, too_far, how) in
        [(&input.min, Ordering::Less, "less"), (&input.max, Ordering::Greater, "more")]
    {
        let Some(limit) = limit else { continue };
        if figure.zip(limit.as_f64()).and_then(|(figure, limit)| figure.partial_cmp(&limit)) == Some(too_far)
        {
            return Err(format!("'{value}' is {how} than {limit}"));
        }
    }
    Ok(())
}
