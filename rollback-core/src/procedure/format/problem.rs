//! What is wrong with a procedure: where, what was found, and the nearest thing that would do.

use std::fmt;

use serde::Serialize;

use super::limits;

/// One mistake in a procedure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// The stable name of the kind of mistake, in kebab-case.
    pub code: &'static str,
    /// The file, as it was named.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What is wrong: a fragment that quotes what was found.
    pub message: String,
    /// What was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean '{nearest}'?"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong with a procedure; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(transparent)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// The candidate nearest to what was found, if one is near enough to have been meant.
pub(crate) fn nearest<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if found.len() > limits::NAME {
        return None;
    }
    let folded = found.to_lowercase().replace('_', "-");
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= limits::NAME)
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&folded, &candidate.to_lowercase().replace('_', "-"));
            (distance, candidate)
        })
        .filter(|(distance, candidate)| {
            *distance <= (found.chars().count().max(candidate.chars().count()) / 3).max(1)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_is_named_only_if_it_is_near() {
        let phases = ["shadow", "canary", "state-migration", "ramp-up", "full"];
        assert_eq!(nearest("canry", phases).as_deref(), Some("canary"));
        assert_eq!(nearest("State_Migration", phases).as_deref(), Some("state-migration"));
        assert_eq!(nearest("production", phases), None);
    }
}
